"""How a marshmallow field is put on a page: which input, what it shows, and how what was typed is read back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from marshmallow import fields, validate

LABELS = {
    "timezone": "Time zone",
    "holidays_country": "Public holidays of",
    "holidays": "More days off",
    "patience.direct": "Direct messages",
    "patience.question": "Questions, requests and problems",
    "patience.other": "Everything else",
    "lapse_days": "A wait lapses after",
    "call.exchanges": "Exchanges",
    "call.days": "Different days",
    "call.weeks": "Weeks of acquaintance",
    "call.recent_days": "Last exchange within",
    "call.quiet_days": "Quiet after a call",
    "call_holdout": "Hold one call in ten back",
    "text_mode": "Text in tasks",
    "daily_cap": "New tasks a day for one owner",
    "meeting_shield": "Meeting shield",
    "preview": "Preview new CRMs",
    "first_pull_days": "First pull goes back",
    "poll_seconds": "Look for new posts every",
}
UNITS = {"days": "days", "_days": "days", "weeks": "weeks", "_seconds": "seconds", "exchanges": "times"}
CHOICES = {
    "quote": "Quote what people wrote",
    "summary": "A summary, no quotes",
    "link": "A link only",
}
HELP = {
    "holidays": "One day a line, such as 2026-12-24.",
    "daily_cap": "The rest are held until the next day. Empty is no limit.",
    "poll_seconds": "Empty is what suits each network and its prices.",
}
# What marshmallow says of these is not for people.
SENTENCES = {
    "hours": "Write spans in order that do not overlap, such as 09:00-12:30, 13:30-17:00.",
    "holidays": "Write one day a line, such as 2026-12-24.",
}


@dataclass(frozen=True)
class Input:
    """One setting on the page."""

    name: str  # "group.setting" for one of a group
    label: str
    help: str
    type: str  # text, number, checkbox, select, lines
    unit: str
    choices: tuple[tuple[str, str], ...]
    low: int | None
    high: int | None
    required: bool
    wrong: str  # shown instead of the schema's own words; "" shows those
    show: Callable[[Any], str]
    read: Callable[[str], Any]


def input_for(name: str, field: fields.Field[Any]) -> Input:
    """The input of one field of the settings' schema. Raises TypeError for a type of field that no page shows yet."""
    kind = next((known for known in _SHOWN if isinstance(field, known)), None)
    if kind is None:
        raise TypeError(f"{name}: {type(field).__name__} has no input on the settings page")
    choices = next((each.choices for each in field.validators if isinstance(each, validate.OneOf)), ())
    bounds = next((each for each in field.validators if isinstance(each, validate.Range)), None)
    type_, show, read = _SHOWN[kind]
    group, _, last = name.rpartition(".")
    if isinstance(field, fields.List):
        type_, show = ("lines", _lines) if isinstance(field.inner, fields.Date) else ("text", _spans)
    return Input(
        name=name,
        label=LABELS.get(name, last.replace("_", " ").capitalize()),
        help=HELP.get(name) or ("" if group == "patience" else str(field.metadata.get("description", ""))),
        type="select" if choices else type_,
        unit="minutes" if group == "patience" else next((u for end, u in UNITS.items() if last.endswith(end)), ""),
        choices=tuple((str(each), CHOICES.get(str(each), str(each))) for each in choices),
        low=int(bounds.min) if bounds and bounds.min is not None else None,
        high=int(bounds.max) if bounds and bounds.max is not None else None,
        required=kind is fields.Integer and not field.allow_none,
        wrong=SENTENCES.get(group or name, ""),
        show=show,
        read=read,
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _spans(value: Any) -> str:
    return ", ".join(map(str, value))


def _lines(value: Any) -> str:
    return "\n".join(map(str, value))


def _number(text: str) -> Any:
    return text.strip() or None


def _pieces(text: str) -> list[str]:
    return [piece for piece in re.split(r"[\s,]+", text) if piece]


# Type of field -> (type of input, value to text, text to value). Booleans first would be wrong for nobody: no field is two.
_SHOWN: dict[type[fields.Field[Any]], tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    fields.Integer: ("number", _text, _number),
    fields.Boolean: ("checkbox", lambda value: "on" if value else "", lambda text: text == "on"),
    fields.List: ("text", _spans, _pieces),
    fields.String: ("text", _text, str.strip),
}
