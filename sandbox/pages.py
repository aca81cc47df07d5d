"""What the pages share: times in words, and the front page."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from flask import Blueprint, render_template

from sandbox.body_html import linked
from sandbox.clock import iso, parse_ms
from sandbox.load import counts
from sandbox.state import PORTAL_ID, sandbox

front = Blueprint("front", __name__)

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def moment(value: int | str | None) -> str:
    """An instant (ms or ISO 8601) as a person reads it, in UTC."""
    if value in (None, ""):
        return ""
    ms = parse_ms(value) if isinstance(value, str) else int(value or 0)
    when = datetime.fromtimestamp(ms / 1000, UTC)
    year = "" if when.year == datetime.fromtimestamp(sandbox().clock.now() / 1000, UTC).year else f" {when.year}"
    return f"{when:%a} {when.day} {when:%b}{year}, {when:%H:%M}"


def distance(value: int | str | None) -> str:
    """How far an instant is from now: "3 minutes ago", "in 2 days"."""
    if value in (None, ""):
        return ""
    ms = (parse_ms(value) if isinstance(value, str) else int(value or 0)) - sandbox().clock.now()
    far = abs(ms)
    if far < MINUTE:
        return "just now" if ms < MINUTE // 2 else "in a moment"
    size, unit = next((size, unit) for size, unit in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")) if far >= size)
    number = far // size
    words = f"{number} {unit}{'' if number == 1 else 's'}"
    return f"in {words}" if ms > 0 else f"{words} ago"


def late(value: str | None) -> bool:
    return bool(value) and parse_ms(str(value)) < sandbox().clock.now()


def machine(value: int | str) -> str:
    """For <time datetime>."""
    return value if isinstance(value, str) else iso(value)


def initials(name: str) -> str:
    words = [word for word in name.split() if word[:1].isalnum()] or ["?"]
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper()


def hue(name: str) -> int:
    """One of twelve colours, always the same one for a name."""
    return hashlib.sha256(name.encode()).digest()[0] % 12


HELPERS = {
    "moment": moment,
    "distance": distance,
    "late": late,
    "machine": machine,
    "initials": initials,
    "hue": hue,
    "linked": linked,
}


@front.get("/")
def home() -> str:
    state = sandbox()
    apps = {provider: state.oauth.app(provider) for provider in ("x", "hubspot")}
    return render_template(
        "home.html", counts=counts(state.store.read()), apps=apps, settings=state.settings.all(), portal=PORTAL_ID,
        faults=[one for one in state.faults.all() if one["left"]], now=state.clock.now(), standing=state.clock.frozen,
    )  # fmt: skip
