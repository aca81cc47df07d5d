"""How instants, counts and names are put for people. Plain functions; templates use them as filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from service.sentences import count_of

_STEPS = ((60, "minute"), (3600, "hour"), (86_400, "day"))  # seconds; above two weeks a date says more
_AS_DATE = timedelta(days=14)


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: "X", "Instagram and X", "Facebook, Instagram and X"."""
    *others, last = names or ("",)
    return f"{', '.join(others)} and {last}" if others else last


def exact(instant: datetime, zone: str) -> str:
    """`instant` in a time zone, to the minute: "3 May 2026, 14:05 CEST"."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%B %Y, %H:%M %Z}"


def relative(instant: datetime, now: datetime, zone: str) -> str:
    """How far `instant` is from `now`: "3 minutes ago", "in 2 days", "on 3 May"."""
    away = instant - now
    seconds = abs(away.total_seconds())
    if abs(away) > _AS_DATE:
        local, today = instant.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
        return f"on {local.day} {local:%B}" + ("" if local.year == today.year else f" {local.year}")
    if seconds < _STEPS[0][0]:
        return "just now" if away <= timedelta(0) else "in a moment"
    size, unit = next(step for step in reversed(_STEPS) if seconds >= step[0])
    count = count_of(int(seconds // size), unit)
    return f"in {count}" if away > timedelta(0) else f"{count} ago"


def clock(instant: datetime, now: datetime, zone: str) -> str:
    """When on the clock: "today at 17:00", "tomorrow at 09:00", "Thursday at 09:00", "3 May at 09:00"."""
    local, today = instant.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    days = (local.date() - today).days
    day = {0: "today", 1: "tomorrow"}.get(days) or (f"{local:%A}" if 1 < days < 7 else f"{local.day} {local:%B}")
    return f"{day} at {local:%H:%M}"


def how_long(since: datetime, now: datetime) -> str:
    """How long something has lasted: "3 hours", "12 days"."""
    seconds = max(0.0, (now - since).total_seconds())
    if seconds < _STEPS[0][0]:
        return "less than a minute"
    size, unit = next(step for step in reversed(_STEPS) if seconds >= step[0])
    return count_of(int(seconds // size), unit)


def dollars(amount: float) -> str:
    """A price: cents where cents say it, more digits where they would say nothing."""
    return f"${amount:,.2f}" if amount >= 0.1 or amount == 0 else f"${amount:.4f}".rstrip("0")


def closing(reason: str) -> str:
    """Why a task was closed, as the beginning of a sentence that ends with when: "No reply needed,", "Bo answered you. Closed"."""
    if not reason or reason.endswith((".", "!", "?", "…")):
        return f"{reason} Closed".lstrip()
    return f"{reason[0].upper()}{reason[1:]},"


NOT_NEEDED: Mapping[str, str] = {"unanswered": "No reply needed", "ready_for_call": "No call needed"}
TASK_KINDS: Mapping[str, str] = {"unanswered": "Waiting for an answer", "ready_for_call": "Ready for a call"}
KINDS: Mapping[str, str] = {
    "mention": "mentioned you",
    "reply": "replied to you",
    "comment": "commented below your post",
    "quote": "quoted you",
    "direct": "wrote to you directly",
    "own": "you wrote",
    "context": "wrote in the thread",
}
