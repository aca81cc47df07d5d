"""From a calendar feed to busy times: what counts, in which zone, and what no feed may do to us."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.busy import Busy, UnreadableCalendarError, busy, merged
from service.rules.recurring import Costs, TooCostlyError

START = datetime(2026, 3, 12, tzinfo=UTC)  # a Thursday; Europe changes its clocks on the 29th, New York on the 8th
END = START + timedelta(days=31)
OLGA = "olga@acme.test"


def read(*lines: str, timezone: str = "Europe/Paris", owner: str = OLGA, newline: str = "\r\n") -> Busy:
    text = newline.join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""])
    return busy(text.encode(), start=START, end=END, timezone=timezone, owner=owner)


def event(*lines: str, uid: str = "u1") -> tuple[str, ...]:
    return "BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT"


def spans(found: Busy) -> list[str]:
    """Spans as "12 10:00-11:00" in UTC; the end's day where it is another one."""
    assert found.left_out == 0
    return [
        f"{start:%d %H:%M}-{end:%H:%M}" if start.date() == end.date() else f"{start:%d %H:%M}-{end:%d %H:%M}"
        for start, end in found.spans
    ]


TEN = ("DTSTART:20260313T100000Z", "DTEND:20260313T110000Z")


@pytest.mark.parametrize(
    "lines",
    [
        TEN,
        ("DTSTART:20260313T100000Z", "DURATION:PT1H"),
        ("DTSTART;TZID=Europe/Paris:20260313T110000", "DTEND;TZID=Europe/Paris:20260313T120000"),
        ("DTSTART;TZID=Romance Standard Time:20260313T110000", "DURATION:PT60M"),  # as Outlook calls it
        ("DTSTART;TZID=/citadel.org/20260101_1/Europe/Paris:20260313T110000", "DURATION:PT1H"),
        ('DTSTART;TZID="Europe/Paris":20260313T110000', "DURATION:PT1H"),
        ("DTSTART:20260313T110000", "DURATION:PT1H"),  # floating: where the owner is
        (*TEN, "STATUS:CONFIRMED", "TRANSP:OPAQUE"),
        (*TEN, "STATUS:TENTATIVE"),
        (*TEN, "X-MICROSOFT-CDO-BUSYSTATUS:OOF"),
        (*TEN, "SUMMARY:Folded over\r\n  TRANSP:TRANSPARENT"),
        (*TEN, "SUMMARY:A line that is none\u2028TRANSP:TRANSPARENT"),
        (*TEN, "BEGIN:VALARM", "TRIGGER:-PT15M", "STATUS:CANCELLED", "DTSTART:19700101T000000Z", "END:VALARM"),
        (*TEN, f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{OLGA}"),
        (*TEN, "ATTENDEE;CN=\"B: 'D'\";PARTSTAT=DECLINED:mailto:somebody@else.test"),
    ],
)
def test_an_event_is_busy_from_its_start_to_its_end(lines: tuple[str, ...]) -> None:
    assert spans(read(*event(*lines))) == ["13 10:00-11:00"]


@pytest.mark.parametrize(
    "line",
    [
        "TRANSP:TRANSPARENT", "STATUS:CANCELLED", "status:cancelled", "X-MICROSOFT-CDO-BUSYSTATUS:FREE",
        "X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE", f"ATTENDEE;CN=Olga;PARTSTAT=DECLINED:MAILTO:{OLGA.upper()}",
    ],
)  # fmt: skip
def test_an_event_that_keeps_nobody_is_not_busy(line: str) -> None:
    assert spans(read(*event(*TEN, line))) == []


def test_an_event_without_an_end_takes_no_time_and_a_date_takes_its_day() -> None:
    assert spans(read(*event("DTSTART:20260313T100000Z"))) == []
    assert spans(read(*event("DTSTART;VALUE=DATE:20260314"))) == ["13 23:00-14 23:00"]
    assert spans(read(*event("DTSTART;VALUE=DATE:20260314", "DTEND;VALUE=DATE:20260316"), timezone="Asia/Tokyo")) == [
        "13 15:00-15 15:00"
    ]


def test_a_day_on_which_the_clocks_change_has_its_own_length() -> None:
    assert spans(read(*event("DTSTART;VALUE=DATE:20260329"))) == ["28 23:00-29 22:00"]


def test_the_calendars_own_zone_comes_before_the_owners() -> None:
    assert spans(read("X-WR-TIMEZONE:America/New_York", *event("DTSTART:20260313T090000", "DURATION:PT1H"))) == [
        "13 13:00-14:00"
    ]
    assert spans(read("X-WR-TIMEZONE:Nowhere/Land", *event("DTSTART:20260313T090000", "DURATION:PT1H"))) == [
        "13 08:00-09:00"
    ]


ZONE = (
    "BEGIN:VTIMEZONE", "TZID:Our Office", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:{0}", "TZOFFSETTO:{0}",
    "END:STANDARD", "END:VTIMEZONE",
)  # fmt: skip
IN_THE_OFFICE = event("DTSTART;TZID=Our Office:20260313T150000", "DURATION:PT1H")


def test_a_zone_that_a_calendar_defines_is_used_and_is_that_calendars_alone() -> None:
    assert spans(read(*(line.format("+0500") for line in ZONE), *IN_THE_OFFICE)) == ["13 10:00-11:00"]
    assert spans(read(*(line.format("+0200") for line in ZONE), *IN_THE_OFFICE)) == ["13 13:00-14:00"]
    assert spans(read(*IN_THE_OFFICE)) == ["13 14:00-15:00"]


STANDUP = (
    "DTSTART;TZID=America/New_York:20260302T093000", "DTEND;TZID=America/New_York:20260302T100000",
    "RRULE:FREQ=WEEKLY;BYDAY=MO,TH",
)  # fmt: skip


def moved(from_: str, *lines: str) -> tuple[str, ...]:
    return event(f"RECURRENCE-ID;TZID=America/New_York:{from_}", *lines)


def test_a_recurring_event_keeps_its_exceptions() -> None:
    found = read(
        *event(*STANDUP, "EXDATE;TZID=America/New_York:20260316T093000", "RDATE;TZID=America/New_York:20260320T093000"),
        *moved("20260319T093000", "DTSTART;TZID=America/New_York:20260319T150000", "DURATION:PT1H"),
        *moved(
            "20260323T093000", "DTSTART;TZID=America/New_York:20260323T093000", "DURATION:PT30M", "STATUS:CANCELLED"
        ),
    )
    assert spans(found) == [
        "12 13:30-14:00", "19 19:00-20:00", "20 13:30-14:00", "26 13:30-14:00", "30 13:30-14:00", "02 13:30-14:00",
        "06 13:30-14:00", "09 13:30-14:00",
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["EXDATE:", "RDATE:", "DURATION:"])
def test_a_line_that_says_nothing_costs_nothing(line: str) -> None:
    weekly = ("DTSTART:20260316T100000Z", "DTEND:20260316T110000Z", "RRULE:FREQ=WEEKLY;COUNT=3")
    assert spans(read(*event(*weekly, line))) == ["16 10:00-11:00", "23 10:00-11:00", "30 10:00-11:00"]


def test_one_occurrence_of_a_free_series_may_be_busy() -> None:
    found = read(
        *event(*STANDUP, "TRANSP:TRANSPARENT"),
        *moved("20260319T093000", "DTSTART;TZID=America/New_York:20260319T093000", "DURATION:PT30M"),
    )
    assert spans(found) == ["19 13:30-14:00"]


TWO = ("DTSTART:20260314T140000Z", "DTEND:20260314T150000Z")


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (TEN, TWO, ["13 10:00-11:00", "14 14:00-15:00"]),  # two events that a program gave one UID
        ((*TEN, "SEQUENCE:2"), (*TWO, "SEQUENCE:2"), ["13 10:00-11:00", "14 14:00-15:00"]),
        (TEN, (*TWO, "SEQUENCE:1"), ["14 14:00-15:00"]),  # put off
        ((*TWO, "SEQUENCE:10"), (*TEN, "SEQUENCE:9"), ["14 14:00-15:00"]),
        ((*TWO, "SEQUENCE:1", "STATUS:CANCELLED"), (*TEN, "SEQUENCE:0"), []),
    ],
)
def test_of_events_with_one_uid_the_newest_versions_count(
    first: tuple[str, ...], second: tuple[str, ...], found: list[str]
) -> None:
    assert spans(read(*event(*first), *event(*second))) == found


def test_an_occurrence_moved_into_the_window_from_long_ago_is_busy() -> None:
    found = read(
        *event("DTSTART:20200106T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;UNTIL=20200301T000000Z"),
        *event("RECURRENCE-ID:20200113T090000Z", "DTSTART:20260313T090000Z", "DURATION:PT1H"),
    )
    assert spans(found) == ["13 09:00-10:00"]


def test_a_series_keeps_its_wall_clock_over_a_change_of_clocks() -> None:
    daily = event("DTSTART;TZID=Europe/Paris:20260327T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4")
    assert spans(read(*daily)) == ["27 08:00-09:00", "28 08:00-09:00", "29 07:00-08:00", "30 07:00-08:00"]


def test_a_meeting_of_several_days_that_began_before_the_window_is_cut_to_it() -> None:
    assert spans(read(*event("DTSTART:20260301T100000Z", "DTEND:20260313T100000Z"))) == ["12 00:00-13 10:00"]


def test_free_and_busy_periods_are_read() -> None:
    found = read(
        "BEGIN:VFREEBUSY", "FREEBUSY;FBTYPE=BUSY:20260313T100000Z/PT1H,20260313T140000Z/20260313T150000Z",
        "FREEBUSY:20260314T100000Z/PT1H", "FREEBUSY;FBTYPE=FREE:20260315T100000Z/PT1H", "FREEBUSY:soon", "END:VFREEBUSY",
    )  # fmt: skip
    assert spans(found) == ["13 10:00-11:00", "13 14:00-15:00", "14 10:00-11:00"]


def test_times_that_touch_or_overlap_are_one() -> None:
    found = read(*event(*TEN), *event("DTSTART:20260313T103000Z", "DTEND:20260313T113000Z", uid="u2"),
                 *event("DTSTART:20260313T113000Z", "DTEND:20260313T120000Z", uid="u3"))  # fmt: skip
    assert spans(found) == ["13 10:00-12:00"]


def test_newlines_may_be_those_of_unix() -> None:
    assert spans(read(*event(*TEN), newline="\n")) == ["13 10:00-11:00"]


# --- odd calendars --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe\x00", b"<!doctype html><title>Sign in</title>", b"{}", bytes(range(256)) * 40]
)
def test_what_is_no_calendar_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(UnreadableCalendarError, match="not a calendar"):
        busy(data, start=START, end=END, timezone="UTC")


@pytest.mark.parametrize("lines", [(), ("BEGIN:VEVENT", *TEN)])
def test_a_calendar_that_breaks_off_is_not_taken_for_a_whole_one(lines: tuple[str, ...]) -> None:
    with pytest.raises(UnreadableCalendarError, match="breaks off"):
        busy("\r\n".join(["BEGIN:VCALENDAR", *lines]).encode(), start=START, end=END, timezone="UTC")


@pytest.mark.parametrize(
    "lines",
    [
        ("DTEND:20260313T010000Z",),
        ("DTSTART:soon", "DURATION:PT1H"),
        ("DTSTART:20260313T100000Z", "DURATION:an hour"),
        ("DTSTART:20260313T100000Z", "DURATION:PT1H", "RRULE:FREQ=SOMETIMES"),
        ("DTSTART:20259999T999999Z", "DTEND:20259999T999999Z", "RRULE:FREQ=DAILY;UNTIL=20260313T000000Z"),
        ("DTSTART:20260313T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;INTERVAL=0"),
        ("DTSTART:20260313T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;INTERVAL=0", "RRULE:FREQ=DAILY"),
        ("DTSTART:20260313T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;INTERVAL=0;INTERVAL=1"),
        ("DTSTART:20260313T100000Z", "DURATION:PT1S", "RRULE:FREQ=SECONDLY"),
        ("DTSTART:20260313T100000Z", "DURATION:PT1S", "RRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5,6,7,8,9,10"),
        ("DTSTART:19700101T000000Z", "DURATION:PT1M", "RRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"),
    ],
)  # fmt: skip
def test_an_event_that_cannot_be_read_costs_that_event_alone_and_is_counted(lines: tuple[str, ...]) -> None:
    found = read(*event(*lines), *event(*TEN, uid="u2"))
    assert spans(Busy(found.spans)) == ["13 10:00-11:00"]
    assert found.left_out == 1


WEEKLY = ("DTSTART:20260316T100000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=3")


@pytest.mark.parametrize(
    "named", ["RECURRENCE-ID:the second", "RECURRENCE-ID:20269999T100000Z", "RECURRENCE-ID;VALUE=DATE:x"]
)
def test_an_exception_that_names_no_occurrence_is_busy_at_its_own_time_and_costs_its_series_nothing(named: str) -> None:
    found = read(*event(*WEEKLY), *event(named, "DTSTART:20260324T140000Z", "DURATION:PT1H"))
    assert spans(Busy(found.spans)) == ["16 10:00-11:00", "23 10:00-11:00", "24 14:00-15:00", "30 10:00-11:00"]
    assert found.left_out == 0


@pytest.mark.parametrize("line", ["EXDATE:never", "EXDATE;TZID=Nowhere:2026"])
def test_a_day_off_that_cannot_be_read_costs_its_series_nothing(line: str) -> None:
    found = read(*event(*WEEKLY, line))
    assert spans(Busy(found.spans)) == ["16 10:00-11:00", "23 10:00-11:00", "30 10:00-11:00"]
    assert found.left_out == 0


def test_an_exception_without_a_time_costs_its_series_nothing_and_is_counted() -> None:
    found = read(*event(*WEEKLY), *event("RECURRENCE-ID:20260323T100000Z", "DTSTART:soon", "DURATION:PT1H"))
    assert spans(Busy(found.spans)) == ["16 10:00-11:00", "23 10:00-11:00", "30 10:00-11:00"]
    assert found.left_out == 1


def test_exceptions_of_a_series_that_cannot_be_read_are_busy_all_the_same() -> None:
    series = ("DTSTART:20260316T100000Z", "DURATION:PT1H", "RRULE:FREQ=SOMETIMES")
    found = read(*event(*series), *event("RECURRENCE-ID:20260323T100000Z", "DTSTART:20260324T140000Z", "DURATION:PT1H"))
    assert spans(Busy(found.spans)) == ["24 14:00-15:00"]
    assert found.left_out == 1


def test_rules_that_would_take_too_long_together_are_left_out_one_by_one() -> None:
    costs = Costs(END)
    for _ in range(5):
        costs.charge("FREQ=HOURLY", "19700101T000000Z")
    with pytest.raises(TooCostlyError, match="too long"):
        costs.charge("FREQ=HOURLY;BYDAY=MO", "19700101T000000Z")
    with pytest.raises(TooCostlyError, match="too long"):
        costs.charge("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "20260101T000000Z")  # is never met, and never ends
    costs.charge("FREQ=WEEKLY;BYDAY=MO", "20200101T000000Z")


def test_rules_that_ended_long_ago_are_not_worked_out() -> None:
    ended = [
        line
        for number in range(20)
        for line in event("DTSTART:19700101T000000Z", "DURATION:PT1M", "RRULE:FREQ=HOURLY;UNTIL=19700103T000000Z", uid=f"{number}")
    ]  # fmt: skip
    assert read(*ended) == Busy(())


def test_a_long_history_is_passed_over() -> None:
    past = [line for number in range(3000) for line in event(f"DTSTART:201{number % 10}0{1 + number % 9}15T100000Z", f"DTEND:201{number % 10}0{1 + number % 9}15T110000Z", uid=f"p{number}")]  # fmt: skip
    assert spans(read(*past, *event(*TEN))) == ["13 10:00-11:00"]


def test_a_zone_whose_rules_never_end_is_not_worked_out() -> None:
    zone = ("BEGIN:VTIMEZONE", "TZID:Trap", "BEGIN:STANDARD", "DTSTART:19700101T000000", "RRULE:FREQ=SECONDLY", "TZOFFSETFROM:+0100",
            "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE")  # fmt: skip
    assert spans(read(*zone, *event("DTSTART;TZID=Trap:20260313T110000", "DURATION:PT1H"))) == ["13 10:00-11:00"]


instants = st.integers(0, 3_000).map(lambda minutes: START + timedelta(minutes=minutes))


@given(st.lists(st.tuples(instants, instants), max_size=30))
def test_merged_spans_cover_the_same_time_in_order_and_apart(given: list[tuple[datetime, datetime]]) -> None:
    made = merged(given)
    assert all(start < end for start, end in made)
    assert all(earlier[1] < later[0] for earlier, later in pairwise(made))
    for minute in range(0, 3_000, 7):
        at = START + timedelta(minutes=minute)
        assert any(s <= at < e for s, e in made) == any(s <= at < e for s, e in given)


@given(st.binary(max_size=300))
def test_no_bytes_bring_it_down(data: bytes) -> None:
    body = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260313T100000Z\n" + data + b"\nEND:VEVENT\nEND:VCALENDAR\n"
    try:
        found = busy(body, start=START, end=END, timezone="UTC")
    except UnreadableCalendarError:
        return
    assert all(START <= start < end <= END for start, end in found.spans)
