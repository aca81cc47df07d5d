"""From a calendar in iCalendar form (RFC 5545) to the spans in which its owner is busy. Only spans come out: titles, places
and guests are dropped before anything is parsed.

What counts: VEVENT, recurring ones with their exceptions, unless it is transparent, cancelled, marked free or working
elsewhere (Outlook), or declined by the owner; and the periods of VFREEBUSY other than FREE. Tentative counts as busy.
Floating times and all-day events are in the calendar's own zone (X-WR-TIMEZONE), else in the one that is given.
"""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, vPeriod
from icalendar.timezone import tzp
from recurring_ical_events import CalendarQuery

from service.rules.recurring import Costs

Span = tuple[datetime, datetime]  # start in, end out; UTC

MOST_EVENTS = 20_000  # that touch the window: more is no person's calendar
MOST_ZONES = 200
_MARGIN = timedelta(days=2)  # dates are compared before zones are known
_LONGEST = timedelta(days=400)  # of an event whose length is not looked at
# What a value of STATUS, TRANSP or Outlook's own field makes of an event.
_FREE = {
    "STATUS": {"CANCELLED"},
    "TRANSP": {"TRANSPARENT"},
    "X-MICROSOFT-CDO-BUSYSTATUS": {"FREE", "WORKINGELSEWHERE"},
}
_TIMES = {"UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SEQUENCE"}
_MOST_DIGITS = 10  # of a SEQUENCE, RFC 5545 3.3.8
_TAKES_AWAY = ("RECURRENCE-ID", "EXDATE")  # an occurrence of a series
_ALARMING = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)  # what libraries raise over odd events
_LINE = re.compile(r"([A-Za-z0-9-]+)((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)", re.DOTALL)
_FOLD = re.compile(r"\r?\n[ \t]")
_NEWLINE = re.compile(r"\r?\n")  # and nothing else that Unicode takes for one: it may stand in a title
_DAY = re.compile(r"\d{8}")
_UNTIL = re.compile(r"UNTIL=(\d{8})", re.IGNORECASE)
_MARK = "TRANSP:TRANSPARENT"  # how a free event is marked once the reasons have been dropped


class UnreadableCalendarError(ValueError):
    """What was given is no calendar, or breaks off. Says so in a sentence."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Merged spans within the window, in order, and how many events could not be read: nothing is held back for those."""

    spans: tuple[Span, ...]
    left_out: int = 0


def busy(data: bytes, *, start: datetime, end: datetime, timezone: str, owner: str = "") -> Busy:
    """When the owner of this calendar is busy from `start` to `end` (aware). `timezone` (IANA) is for times that say none;
    `owner` is their e-mail address, for meetings that they declined. Raises UnreadableCalendarError."""
    feed = _read(data.decode("utf-8-sig", "replace"), owner.lower())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the libraries warn of odd zones and rules, which we read all the same
        tzp.use_default()  # forgets the zones that another calendar defined under the same names
        for zone in feed.zones[:MOST_ZONES]:
            _learn(zone)
        window = _Window(start.astimezone(UTC), end.astimezone(UTC), _zone(feed.zone_name, timezone))
        return _expanded(feed, window)


def _expanded(feed: _Feed, window: _Window) -> Busy:
    found, left_out = list(_periods(feed.periods, window)), 0
    costs = Costs(window.end)
    for group in feed.groups.values():
        if all(event.free for event in group) or window.misses(group):
            continue
        try:
            found += _spans(group, window, costs)
        except _ALARMING:
            spans, missed = _one_by_one(group, window, costs)
            found, left_out = found + spans, left_out + missed
        if len(found) > MOST_EVENTS:
            raise UnreadableCalendarError("The calendar holds more events than a person's calendar does.")
    return Busy(tuple(merged(window.clip(found))), left_out)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time as spans in order that neither touch nor overlap."""
    made: list[Span] = []
    for start, end in sorted(spans):
        if made and start <= made[-1][1]:
            made[-1] = made[-1][0], max(made[-1][1], end)
        elif start < end:
            made.append((start, end))
    return made


# --- lines ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Event:
    """One VEVENT: its lines that tell times, and whether the owner is free all the same."""

    lines: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)  # every RRULE: there may be several
    free: bool = False

    @property
    def single(self) -> bool:
        return not self.values.keys() & {"RRULE", "RDATE", "RECURRENCE-ID"}

    @property
    def version(self) -> int:
        told = self.values.get("SEQUENCE", "")
        return int(told) if told.isascii() and told.isdigit() and len(told) < _MOST_DIGITS else 0

    def by_itself(self) -> _Event:
        """The same without the lines that take something away from a series: nobody is busy less for want of them."""
        lines = [line for line in self.lines if not line.upper().startswith(_TAKES_AWAY)]
        values = {name: value for name, value in self.values.items() if name not in _TAKES_AWAY}
        return _Event(lines, values, self.rules, self.free)


@dataclass(slots=True)
class _Feed:
    groups: dict[object, list[_Event]] = field(default_factory=lambda: defaultdict(list))  # events by UID
    periods: list[str] = field(default_factory=list)  # of VFREEBUSY
    zones: list[list[str]] = field(default_factory=list)  # VTIMEZONE, line by line
    zone_name: str = ""


def _read(text: str, owner: str) -> _Feed:
    """Sorts a calendar's lines. What is not about times is dropped here."""
    feed, within, event, open_calendars, seen = _Feed(), list[str](), _Event(), 0, False
    for line in _NEWLINE.split(_FOLD.sub("", text)):
        parts = _LINE.match(line)
        if parts is None:
            continue
        name, params, value = parts[1].upper(), parts[2], parts[3].strip()
        if name == "BEGIN":
            within.append(value.upper())
            seen, open_calendars = seen or within == ["VCALENDAR"], open_calendars + (value.upper() == "VCALENDAR")
            event = _Event() if value.upper() == "VEVENT" else event
            if value.upper() == "VTIMEZONE":
                feed.zones.append([])
        if "VTIMEZONE" in within:
            feed.zones[-1].append(line)
        elif within[-1:] == ["VEVENT"]:
            _take(event, line, name, params, value, owner)
        elif within[-1:] == ["VFREEBUSY"] and name == "FREEBUSY" and "FBTYPE=FREE" not in params.upper():
            feed.periods += value.split(",")
        elif within == ["VCALENDAR"] and name in ("X-WR-TIMEZONE", "TIMEZONE-ID"):
            feed.zone_name = feed.zone_name or value
        if name == "END" and within:
            ended = within.pop()
            open_calendars -= ended == "VCALENDAR"
            if ended == "VEVENT":
                feed.groups[event.values.get("UID") or object()].append(event)
    if not seen:
        raise UnreadableCalendarError("What stands at that address is not a calendar.")
    if open_calendars or within:
        raise UnreadableCalendarError("The calendar breaks off in the middle.")
    return feed


def _take(event: _Event, line: str, name: str, params: str, value: str, owner: str) -> None:
    if name in _TIMES and not value:
        return  # says nothing, and would cost the whole series
    if name in _TIMES:
        event.lines.append(line)
        event.values[name] = value
        if name == "RRULE":
            event.rules.append(value)
    elif value.upper() in _FREE.get(name, ()) or (
        name == "ATTENDEE" and owner and "PARTSTAT=DECLINED" in params.upper() and value.lower() == f"mailto:{owner}"
    ):
        event.free = True


# --- times ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Window:
    start: datetime
    end: datetime
    zone: ZoneInfo

    def misses(self, group: Sequence[_Event]) -> bool:
        """Whether a look at the dates says that this cannot touch the window: most of a long history."""
        values = group[0].values
        starts, ends = _DAY.search(values.get("DTSTART", "")), _DAY.search(values.get("DTEND", ""))
        if len(group) > 1 or len(group[0].rules) > 1 or "RDATE" in values or starts is None:
            return False
        if starts[0] > f"{self.end + _MARGIN:%Y%m%d}":
            return True
        until = _UNTIL.search(values.get("RRULE", ""))
        if "RRULE" in values and until is None:
            return False
        long = "DURATION" in values or (until is not None and ends is not None and ends[0] > starts[0])
        latest = until[1] if until else max(starts[0], ends[0] if ends else "")
        return latest < f"{self.start - (_LONGEST if long else _MARGIN):%Y%m%d}"

    def clip(self, spans: Iterable[Span]) -> Iterator[Span]:
        for start, end in spans:
            if start < self.end and end > self.start:
                yield max(start, self.start), min(end, self.end)

    def instant(self, at: date) -> datetime:
        """A date or time of the calendar, in UTC. A date is its midnight."""
        whole = at if isinstance(at, datetime) else datetime.combine(at, time(0))
        return (whole if whole.tzinfo else whole.replace(tzinfo=self.zone)).astimezone(UTC)


def _spans(group: Sequence[_Event], window: _Window, costs: Costs) -> list[Span]:
    """When the events of one UID are on, within the window and a little around it. Raises what libraries raise."""
    separate = all(event.single for event in group)
    group = _current(group) if separate else group
    for event in group:
        for rule in event.rules:
            costs.charge(rule, event.values.get("DTSTART", ""))
    calendar = _parsed(group)
    events: Iterable[Any] = calendar.events
    if not separate:
        query = CalendarQuery(calendar)
        events = query.between(window.start - _MARGIN, window.end + _MARGIN)
    on = [event for event in events if event.get("TRANSP") != "TRANSPARENT"]
    return [(window.instant(each.start), window.instant(each.end)) for each in on]


def _current(group: Sequence[_Event]) -> Sequence[_Event]:
    """Those of single events of one UID that no later version replaces. Two of one version are two events: some programs give the
    same UID to several."""
    newest = max(event.version for event in group)
    return [event for event in group if event.version == newest]


def _one_by_one(group: Sequence[_Event], window: _Window, costs: Costs) -> tuple[list[Span], int]:
    """The spans of a group that cannot be read as a whole, and how many of its events those are without: what can be read goes
    together, and each other event by itself."""
    together, alone = list[_Event](), list[list[_Event]]()
    for event in group:
        if _can_be_read(event):
            together.append(event)
        else:
            alone.append([event.by_itself()])
    if not alone:
        return [], 1
    found, missed = list[Span](), 0
    for part in filter(None, [together, *alone]):
        try:
            found += _spans(part, window, costs)
        except _ALARMING:
            missed += 1
    return found, missed


def _can_be_read(event: _Event) -> bool:
    try:
        return bool(_parsed([event]))
    except _ALARMING:
        return False


def _parsed(group: Sequence[_Event]) -> Calendar:
    lines = ["BEGIN:VCALENDAR"]
    for event in group:
        lines += ["BEGIN:VEVENT", *event.lines, *([_MARK] if event.free else []), "END:VEVENT"]
    calendar = Calendar.from_ical("\r\n".join([*lines, "END:VCALENDAR", ""]))
    if any(each.errors or "DTSTART" not in each for each in calendar.events):
        raise ValueError("an event that cannot be read")
    return calendar


def _periods(texts: Iterable[str], window: _Window) -> Iterator[Span]:
    for text in texts:
        try:
            start, end = vPeriod.from_ical(text.strip())  # type: ignore[no-untyped-call]
            begins = window.instant(start)
            yield begins, begins + end if isinstance(end, timedelta) else window.instant(end)
        except _ALARMING:
            continue


def _learn(lines: Sequence[str]) -> None:
    """Makes a zone that the calendar defines known to the parser, unless its rules would never come to an end."""
    if any(line.upper().startswith("RRULE") and "FREQ=YEARLY" not in line.upper() for line in lines):
        return
    try:
        Calendar.from_ical("\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""]))
    except _ALARMING:
        return  # times in it are then read in the calendar's own zone


def _zone(*names: str) -> ZoneInfo:
    for name in names:
        with suppress(OSError, ValueError):  # a name that no file could have
            found: object = tzp.timezone(name) if name else None
            if isinstance(found, ZoneInfo):
                return found
    return ZoneInfo("UTC")
