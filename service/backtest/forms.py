"""What a history in a file must look like, field by field, so that whatever is of another form is named with what it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from integrations.records import ActivityKind, Direction, Kind
from service.backtest.files import instant
from service.errors import PlainError


class _Form(NamedTuple):
    fits: Callable[[Any], bool]
    expected: str  # what ends "... should be"


def _choice(values: Sequence[str], *empty: object) -> _Form:
    return _Form(lambda value: value in (*values, *empty), f"{', '.join(values[:-1])} or {values[-1]}")


def _is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and _FIRST <= instant(value, "") <= _LAST
    except PlainError:
        return False


def _is_zone(value: object) -> bool:
    try:
        return not value or (isinstance(value, str) and bool(ZoneInfo(value)))
    except (OSError, ValueError, LookupError):  # a name that no file could have
        return False


# Within these, weeks and quarters can be counted either way.
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_TIME: Final = _Form(_is_time, "a time such as 2017-10-04T18:32:42Z")
_TEXT: Final = _Form(lambda value: value is None or isinstance(value, str), "a text")
_NAME: Final = _Form(lambda value: value is None or isinstance(value, (str, int)), "a text or a number")
_FLAG: Final = _Form(lambda value: value in (None, False, True), "true or false")
_OBJECT: Final = _Form(lambda value: value is None or isinstance(value, dict), "an object or null")
_LIST: Final = _Form(lambda value: value is None or isinstance(value, list), "a list")
_LINE: Final[Mapping[str, _Form]] = {
    "id": _Form(lambda value: isinstance(value, (str, int)), "a text or a number"), "now": _TIME,
    "timezone": _Form(_is_zone, "a time zone such as Europe/Lisbon"), "contact": _OBJECT, "author": _OBJECT,
    "posts": _Form(lambda value: isinstance(value, list), "a list"), "activities": _LIST, "meetings": _LIST,
}  # fmt: skip
_OBJECTS: Final[Mapping[str, Mapping[str, _Form]]] = {
    "contact": {"name": _TEXT, "deal": _choice(("none", "open", "won", "lost"), None, ""), "do_not_call": _FLAG, "unsubscribed": _FLAG},
    "author": {"handle": _TEXT, "name": _TEXT, "bio": _TEXT},
}  # fmt: skip
_OUTCOMES: Final = ("connected", "no_answer", "held", "cancelled", "sent", "replied", "scheduled", "none")
# Each by what one of the list is called, with the fields that it cannot do without.
_LISTS: Final[Mapping[str, tuple[str, tuple[str, ...], Mapping[str, _Form]]]] = {
    "posts": ("post", ("at", "kind", "direction"), {
        "at": _TIME, "kind": _choice(tuple(Kind)), "direction": _choice(("in", "out")), "network": _TEXT, "thread": _NAME, "text": _TEXT,
    }),
    "activities": ("activity", ("at", "kind"), {
        "at": _TIME, "kind": _choice(tuple(ActivityKind)), "direction": _choice(tuple(Direction), None, ""), "outcome": _choice(_OUTCOMES, None, ""),
    }),
    "meetings": ("meeting", ("start", "end"), {"start": _TIME, "end": _TIME, "with_contact": _FLAG}),
}  # fmt: skip


def faults(item: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a history, one after the other: which field has which value, and what it should be."""
    if wrong := list(_fields(item, _LINE, "")):
        yield from wrong
        return
    for name, forms in _OBJECTS.items():
        yield from _fields(item.get(name) or {}, forms, f" of {name}")
    for name, (one, needed, forms) in _LISTS.items():
        for number, each in enumerate(item.get(name) or (), 1):
            yield from _part(each, f"{one} {number}", needed, forms)


def _part(part: object, called: str, needed: Sequence[str], forms: Mapping[str, _Form]) -> Iterator[str]:
    if not isinstance(part, dict):
        yield f"{called} is {_shown(part)} and should be an object"
        return
    yield from (f"{called} has no {name!r}" for name in needed if name not in part)
    yield from _fields(part, forms, f" of {called}")


def _fields(part: Mapping[str, Any], forms: Mapping[str, _Form], of: str) -> Iterator[str]:
    for name, form in forms.items():
        if name in part and not form.fits(part[name]):
            yield f"{name}{of} is {_shown(part[name])} and should be {form.expected}"


def _shown(value: object) -> str:
    return "null" if value is None else repr(value)[:40]
