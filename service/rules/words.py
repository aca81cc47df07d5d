"""How the rules write: names, dates, counts and cut text, the same in every sentence that people read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from integrations.records import ActivityKind, Kind
from service.rules.model import Answered, Post, Signals

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
NAME_LIMIT = 60
_ELLIPSIS = "…"
_SENTENCE = re.compile(r"[^.!?…]+(?:\.(?=\w)[^.!?…]+)*[.!?…]*")
_ZERO_WIDTH_JOINER = "\u200d"
_LONGEST_GRAPHEME = 64  # code points; what has more is no letter that anybody reads

# What a text does, strongest first: how much it wants an answer (0 to 100), and the words for it.
ACTS: tuple[tuple[str, int, str], ...] = (
    ("problem", 70, "reported a problem"),
    ("wants_talk", 68, "asked to talk"),
    ("asks_price", 66, "asked about prices"),
    ("buys", 64, "spoke of buying"),
    ("asks", 62, "asked a question"),
    ("requests", 60, "asked for something"),
)
# A text that does none of these only speaks to us.
MANNERS: dict[Kind, tuple[int, str]] = {
    Kind.DIRECT: (45, "sent a direct message"),
    Kind.REPLY: (25, "replied to you"),
    Kind.MENTION: (25, "mentioned you"),
    Kind.QUOTE: (20, "quoted you"),
    Kind.COMMENT: (20, "commented below a post of yours"),
}
_OTHERWISE = (0, "wrote")
# What we did when we ended a wait elsewhere than on a network.
SPOKE: dict[ActivityKind, str] = {
    ActivityKind.CALL: "called them",
    ActivityKind.MEETING: "met them",
    ActivityKind.EMAIL: "wrote them an e-mail",
    ActivityKind.TEXT: "sent them a text message",
    ActivityKind.NOTE: "spoke to them",
}


def open_act(signals: Signals) -> bool:
    """Whether a text asks for anything at all, or leaves something open that a good brand would answer."""
    return (
        signals.asks or signals.problem or signals.requests or signals.wants_talk or signals.asks_price or signals.buys
        or signals.needs_answer
    )  # fmt: skip


def named_act(signals: Signals) -> bool:
    """Whether a text does something that there are words for."""
    return any(getattr(signals, name) for name, _, _ in ACTS)


def act(post: Post) -> tuple[int, str]:
    """How much a post wants an answer, and what its author did in it. Whoever asks where their order is may have spoken of buying, but
    asked a question."""
    done = [(weight, name, words) for name, weight, words in ACTS if getattr(post.signals, name)]
    if not done:
        return MANNERS.get(post.kind, _OTHERWISE)
    return done[0][0], next((words for _, name, words in done if name != "buys"), done[0][2])


def ended(answer: Answered) -> tuple[str, datetime]:
    """What we did when we ended a wait ("answered on X", "called them"), and when."""
    if not isinstance(answer, Post):
        return SPOKE[answer.kind], answer.at
    private = " in a direct message" if answer.kind is Kind.DIRECT else ""
    return f"answered{private}{where(answer.network)}", answer.at


def name_of(*names: str) -> str:
    """The first of these that can be read, or "Somebody"."""
    return next((clip(name, NAME_LIMIT) for each in names if (name := plain(each))), "Somebody")


def at_sign(handle: str) -> str:
    return f"@{handle.lstrip('@')}" if handle.strip("@ ") else ""


def times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def day(at: datetime, timezone: str, now: datetime) -> str:
    """12 March, with its year where that is not this year."""
    local, today = at.astimezone(_zone(timezone)), now.astimezone(_zone(timezone))
    year = f" {local.year}" if local.year != today.year else ""
    return f"{local.day} {MONTHS[local.month - 1]}{year}"


def from_when(at: datetime, now: datetime) -> str:
    """For a time that somebody named: "in March" where it is a whole month, otherwise "from 12 March on"."""
    year = f" {at.year}" if at.year != now.year else ""
    month = f"{MONTHS[at.month - 1]}{year}"
    return f"in {month}" if at.day == 1 else f"from {at.day} {month} on"


def moment(at: datetime, timezone: str) -> str:
    """3 May at 14:20."""
    local = at.astimezone(_zone(timezone))
    return f"{local.day} {MONTHS[local.month - 1]} at {local.hour:02}:{local.minute:02}"


def where(network: str) -> str:
    return f" on {network}" if network else ""


def some(ids: Sequence[str], limit: int = 20) -> tuple[str, ...]:
    """The first and the last of many."""
    return tuple(ids) if len(ids) <= limit else (ids[0], *ids[1 - limit :])


def plain(text: str) -> str:
    """One line without control characters: neither line breaks nor marks that turn the direction of what follows."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = (" " if char.isspace() else char for char in text if char.isspace() or not _hidden(char))
    return " ".join("".join(kept).split())


def sentences(text: str) -> list[str]:
    """The sentences of a text, each as it stands in what `plain` makes of it."""
    return [found for each in _SENTENCE.findall(plain(text)) if (found := each.strip())]


def clip(text: str, limit: int) -> str:
    """At most `limit` code points, cut between letters as people see them, after a word where one ends near by."""
    if len(text) <= limit:
        return text
    cut = _boundary(text, limit - 1)
    space = text.rfind(" ", max(0, cut - 16), cut + 1)
    return text[: space if space > 0 else cut].rstrip() + _ELLIPSIS


def _boundary(text: str, cut: int) -> int:
    at = cut
    while at > max(0, cut - _LONGEST_GRAPHEME) and (_extends(text[at]) or text[at - 1] == _ZERO_WIDTH_JOINER):
        at -= 1
    start = at
    while start > 0 and _flag_letter(text[start - 1]):
        start -= 1
    # Two letters make a flag: an odd number of them before the cut would leave half a flag.
    return at - (at - start) % 2 if _flag_letter(text[at]) else at


def _extends(char: str) -> bool:
    return (
        char == _ZERO_WIDTH_JOINER
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= char <= "\U000e007f"  # the tail of a region's flag
        or "\u1160" <= char <= "\u11ff"  # the vowels and ends of a Korean syllable
        or unicodedata.category(char).startswith("M")
    )


def _flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _hidden(char: str) -> bool:
    if char == _ZERO_WIDTH_JOINER or "\U000e0020" <= char <= "\U000e007f" or char == "\u200c":
        return False  # they hold emojis, and letters of several scripts, together
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co"}


@lru_cache(maxsize=64)
def _zone(timezone: str) -> ZoneInfo:
    return ZoneInfo(timezone)
