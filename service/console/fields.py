"""How a marshmallow field is put on a page: which input, what it shows, and how what was typed is read back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from marshmallow import fields, validate

from service.settings_parts import DAYS

LABELS = {
    "timezone": "Time zone",
    "holidays_country": "Public holidays of",
    "holidays": "More days off",
    "patience.direct": "Direct messages",
    "patience.problem": "Problems and complaints",
    "patience.question": "Questions and requests",
    "patience.other": "Everything else",
    "patience_by_stage.aware": "… of strangers",
    "patience_by_stage.in_contact": "… of people whom you answered",
    "patience_by_stage.conversing": "… in conversation",
    "patience_by_stage.ready_to_talk": "… ready for a call",
    "patience_by_stage.talked": "… with whom you talked",
    "patience_by_stage.met": "… whom you met",
    "people": "People with a clock of their own",
    "lapse_days": "A wait lapses after",
    "retention_days": "Texts are kept for",
    "retention_by_network": "On other networks",
    "call.exchanges": "Exchanges before it",
    "call.certainty": "How sure to be",
    "call.recent_days": "Reason no older than",
    "call.quiet_days": "Quiet after a call",
    "call_holdout": "Hold one call in ten back",
    "text_mode": "Text in tasks",
    "daily_cap": "New tasks a day for one owner",
    "meeting_shield": "Meeting shield",
    "preview": "Preview new CRMs",
    "confirm_only_by_handle": "Confirm by handle only on",
    "write_handles": "Write handles to the CRM",
    "first_pull_days": "First pull goes back",
    "poll_seconds": "Look for new posts every",
    "monthly_ceiling": "Reading may cost",
}
UNITS = {
    "days": "days",
    "_days": "days",
    "_seconds": "seconds",
    "exchanges": "times",
    "certainty": "percent",
    "_ceiling": "dollars a month",
}
CHOICES = {
    "quote": "Quote what people wrote",
    "summary": "A summary, no quotes",
    "link": "A link only",
}
GROUP_UNITS = {"patience": "minutes", "patience_by_stage": "percent"}
HELP = {
    "timezone": "Such as Europe/Paris: type the city, and choose.",
    "holidays_country": "A country's code, such as FR, or that of a part of it, such as DE-BY: its public holidays are days off.",
    "retention_by_network": "Network and days: x:30, mastodon:90. The others are kept as long as said above.",
    "people": "One person a line: olga@example.com America/New_York, then, where they differ from the workspace's, hours"
    " (08:00-12:00 13:00-16:00), weekdays off (friday) and the country whose holidays they keep (US).",
    "holidays": "One day a line, such as 2026-12-24.",
    "daily_cap": "The rest are held until the next day. Empty is no limit.",
    "poll_seconds": "Empty is what suits each network: often where something happens, seldom where nothing does.",
    "monthly_ceiling": "All accounts together, in a calendar month (UTC). It is never passed; reading that costs stops until the next month. Empty is no ceiling.",
}
# What marshmallow says of these is not for people.
SENTENCES = {
    "people": "Write one person a line: an e-mail address, a time zone such as Europe/Paris, and what differs after that.",
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
        inner = next((known for known in _LISTS if isinstance(field.inner, known)), fields.String)
        type_, show, read = _LISTS[inner]
    return Input(
        name=name,
        label=LABELS.get(name, last.replace("_", " ").capitalize()),
        help=HELP.get(name) or ("" if group in GROUP_UNITS else str(field.metadata.get("description", ""))),
        type="select" if choices else type_,
        unit=GROUP_UNITS.get(group) or next((u for end, u in UNITS.items() if last.endswith(end)), ""),
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
    """A number; what is none stays as it was typed, and the schema says what is wrong with it."""
    try:
        return int(text)
    except ValueError:
        return text.strip() or None


def _pieces(text: str) -> list[str]:
    return [piece for piece in re.split(r"[\s,]+", text) if piece]


def _people(value: Any) -> str:
    return "\n".join(
        " ".join(
            [each["email"], each["timezone"], *each["hours"], *each["days_off"], each["holidays_country"]]
        ).rstrip()
        for each in value
    )


def _read_people(text: str) -> list[dict[str, Any]]:
    return [_person(line.split()) for line in text.splitlines() if line.strip()]


def _person(pieces: list[str]) -> dict[str, Any]:
    """One line. What is neither hours nor a weekday is a country; two of them are judged wrong by the schema."""
    hours = [each for each in pieces[2:] if each[:1].isdigit()]
    days = [each.lower() for each in pieces[2:] if each.lower() in DAYS]
    rest = [each for each in pieces[2:] if each not in hours and each.lower() not in DAYS]
    return {
        "email": pieces[0], "timezone": "".join(pieces[1:2]), "hours": hours, "days_off": days, "holidays_country": " ".join(rest),
    }  # fmt: skip


# Type of what a list holds -> the same three.
_LISTS: dict[type[fields.Field[Any]], tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    fields.Date: ("lines", _lines, _pieces),
    fields.Nested: ("lines", _people, _read_people),
    fields.String: ("text", _spans, _pieces),
}
# Type of field -> (type of input, value to text, text to value). Booleans first would be wrong for nobody: no field is two.
_SHOWN: dict[type[fields.Field[Any]], tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    fields.Integer: ("number", _text, _number),
    fields.Boolean: ("checkbox", lambda value: "on" if value else "", lambda text: text == "on"),
    fields.List: ("text", _spans, _pieces),
    fields.String: ("text", _text, str.strip),
}
