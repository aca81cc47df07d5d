"""The line that says how a connection is: true, and one or two sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from integrations.registry import providers
from service import health, unread
from service.rules import polling

NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def stream(**values: Any) -> dict[str, Any]:
    return {
        "name": "mentions", "status": "active", "next_pull_at": NOW, "first_done_at": NOW - DAY, "last_pulled_at": NOW - 2 * MINUTE,
        "last_item_at": NOW - 3 * MINUTE, "items": 12, "reads": {}, "failures": 0, "error": "", "error_at": None, "notes": [], **values,
    }  # fmt: skip


def connection(*streams: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {
        "provider": "fakesocial", "kind": "social", "status": "active", "status_reason": "", "status_at": NOW - 3 * DAY,
        "ready_at": NOW - DAY, "preview": False, "streams": list(streams) or [stream()], **values,
    }  # fmt: skip


def crm(failures: int, **values: Any) -> dict[str, Any]:
    """A CRM at which so many pushes in a row have failed."""
    values = {"push_error": "HubSpot is away.", "next_push_at": NOW + 2 * MINUTE, **values}
    return connection(kind="crm", provider="hubspot", push_failures=failures, **values)


UNWRITTEN = (
    "Last change arrived 3 minutes ago. Writing to HubSpot fails: HubSpot is away. What is due there waits here."
)
REFUSED = "X refuses."
SCOPE = "Fake did not grant dm.read, so this is not read. Connect again and allow it."


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (connection(), "Last post arrived 3 minutes ago."),
        (connection(stream(last_item_at=NOW - 30 * timedelta(seconds=1))), "Last post arrived less than a minute ago."),
        (connection(stream(last_item_at=NOW - HOUR)), "Last post arrived 1 hour ago."),
        (connection(stream(last_item_at=NOW + MINUTE)), "Last post arrived less than a minute ago."),
        (connection(stream(), stream(last_item_at=NOW - DAY)), "Last post arrived 3 minutes ago."),
        (connection(kind="crm"), "Last change arrived 3 minutes ago."),
        (
            connection(stream(last_item_at=NOW - 3 * DAY)),
            "Nothing has arrived since 3 May; last looked 2 minutes ago.",
        ),
        (
            connection(stream(last_item_at=datetime(2025, 12, 31, tzinfo=UTC))),
            "Nothing has arrived since 31 December 2025; last looked 2 minutes ago.",
        ),
        (connection(stream(last_item_at=None)), "Nothing has arrived yet; last looked 2 minutes ago."),
        (
            connection(stream(items=1240, first_done_at=None), ready_at=None),
            "The first pull is under way: 1,240 posts so far.",
        ),
        (
            connection(stream(items=7), stream(items=3), kind="crm", ready_at=None),
            "The first pull is under way: 10 records so far.",
        ),
        (
            connection(status="needs_reauth"),
            "fakesocial no longer accepts this consent: reconnect.",
        ),
        (
            connection(status="needs_reauth", status_reason="X says that the app was removed: reconnect."),
            "X says that the app was removed: reconnect.",
        ),
        (connection(status="disconnected"), "Disconnected on 3 May. What was read is kept."),
        (connection(status="disconnected", kind="crm"), "Disconnected on 3 May. What was read is kept for 30 days."),
        (
            connection(stream(failures=2, error="X is not answering", error_at=NOW, next_pull_at=NOW + 4 * MINUTE)),
            "X is not answering (last answer 2 minutes ago). Trying again in 4 minutes.",
        ),
        (
            connection(
                stream(failures=2, error="", error_at=None, last_pulled_at=None, next_pull_at=None),
                stream(name="own", failures=1, error="", error_at=None, last_pulled_at=None, next_pull_at=None),
                ready_at=None,
            ),
            "Fakesocial is not answering (no answer yet). Trying again.",
        ),
        (
            connection(stream(), stream(name="messages", status="stopped", error=SCOPE)),
            f"Last post arrived 3 minutes ago. {SCOPE}",
        ),
        (
            connection(stream(status="stopped", error=SCOPE), stream(name="own", status="stopped", error=SCOPE)),
            f"Nothing is read from this account. {SCOPE}",
        ),
        (
            connection(kind="crm", preview=True),
            "Last change arrived 3 minutes ago. It is in preview: nothing is written there until somebody approves.",
        ),
        (
            connection(stream(), stream(name="recheck", last_item_at=NOW)),
            "Last post arrived 3 minutes ago.",
        ),
        (
            connection(stream(), stream(name="recheck", failures=9, error="slow", last_item_at=NOW)),
            "Last post arrived 3 minutes ago. Edits and deletions are not followed: Slow. Trying again within a minute.",
        ),
        (
            connection(stream(), stream(name="recheck", status="stopped", error=REFUSED, next_pull_at=None)),
            f"Last post arrived 3 minutes ago. Edits and deletions are not followed: {REFUSED}",
        ),
        (
            connection(stream(failures=1, error=REFUSED), stream(name="recheck", failures=1, error=REFUSED)),
            f"{REFUSED[:-1]} (last answer 2 minutes ago). Trying again within a minute.",
        ),
        (crm(1), f"{UNWRITTEN} Trying again in 2 minutes."),
        (crm(1, next_push_at=None, pushing=True), f"{UNWRITTEN} Trying again."),
        (crm(9, push_error=""), f"{UNWRITTEN.replace(': HubSpot is away', '')} Trying again in 2 minutes."),
        (crm(9, next_push_at=None), "Last change arrived 3 minutes ago."),
    ],
)
def test_the_line_says_what_is_true(row: dict[str, Any], line: str) -> None:
    assert health.line(row, NOW) == line


def test_dates_stand_in_the_zone_of_whoever_reads() -> None:
    late = connection(stream(last_item_at=datetime(2026, 5, 3, 23, tzinfo=UTC)))
    assert "since 4 May" in health.line(late, NOW.astimezone(ZoneInfo("Europe/Paris")))


# --- the light ------------------------------------------------------------------------------------------------

WELL, WAITING, TROUBLE, OFF = health.Light.WELL, health.Light.WAITING, health.Light.TROUBLE, health.Light.OFF
CEILING = "The ceiling of $20 for November is reached; reading goes on on 1 December. Raise it in Settings."
QUIET = stream(last_item_at=NOW - 30 * DAY)
SWEPT = stream(name="recheck", last_item_at=None, served_at=NOW - HOUR)


@pytest.mark.parametrize(
    ("row", "light", "advice"),
    [
        (connection(), WELL, ""),
        (connection(stream(last_item_at=None)), WAITING, "mention the account from another one"),
        (connection(QUIET), WAITING, "mention the account from another one"),
        (connection(stream(last_item_at=None), kind="crm"), WAITING, "change a contact in the CRM"),
        (connection(QUIET, SWEPT), WELL, ""),
        (connection(stream(last_item_at=None, served_at=NOW - HOUR)), WELL, ""),
        (connection(stream(last_item_at=None, served_at=NOW - 9 * DAY)), WAITING, "Nothing shows that reading works"),
        (connection(stream(failures=1)), WAITING, ""),
        (connection(stream(failures=9)), TROUBLE, "tried again by itself"),
        (
            connection(stream(), stream(name="messages", status="stopped", error=SCOPE)),
            TROUBLE,
            "reconnect the account",
        ),
        (
            connection(stream(), stream(name="recheck", status="stopped", error=REFUSED)),
            TROUBLE,
            "reconnect the account",
        ),
        (connection(stream(), stream(name="recheck", failures=1, error=REFUSED)), WAITING, ""),
        (connection(stream(), stream(name="recheck", failures=9, error=REFUSED)), TROUBLE, "tried again by itself"),
        (crm(3), WAITING, ""),
        (crm(4), TROUBLE, "Tasks go on by themselves once HubSpot takes them."),
        (crm(4, next_push_at=None), WELL, ""),
        (crm(4, status="needs_reauth"), TROUBLE, "Reconnect the account."),
        (crm(4, status="leaving"), OFF, ""),
        (connection(status="needs_reauth"), TROUBLE, "Reconnect the account."),
        (connection(ready_at=None), WAITING, ""),
        (connection(stream(waits_for="ceiling", error=CEILING)), WAITING, "Raise the ceiling"),
        (connection(missing_steps=["Subscribe the page"]), WAITING, "Subscribe the page."),
        (connection(status="disconnected"), OFF, "Reconnect"),
        (connection(frozen="Paused: holidays.", paused_at=NOW), OFF, "Resume it"),
        (connection(frozen="X is frozen here: gone."), OFF, "`warmline providers unfreeze fakesocial`"),
    ],
)
def test_the_light_is_green_only_where_something_proves_it(
    row: dict[str, Any], light: health.Light, advice: str
) -> None:
    found = health.of(row, NOW)
    assert found.light is light
    assert advice in found.advice
    assert bool(advice) is bool(found.advice)
    assert found.line == health.line(row, NOW)


def test_the_lag_is_that_of_the_stream_furthest_behind() -> None:
    row = connection(stream(last_pulled_at=NOW - HOUR, next_pull_at=NOW + MINUTE), stream(name="own"), SWEPT)
    found = health.of(row, NOW)
    assert (found.lag, found.next_pull_at, found.proven_at) == (HOUR, NOW, NOW - 3 * MINUTE)
    assert health.of(connection(stream(), stream(name="own", last_pulled_at=None)), NOW).lag is None


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (
            connection(QUIET, SWEPT),
            "Nothing has arrived since 6 April; last looked 2 minutes ago. What is known was served again 1 hour ago, so reading works.",
        ),
        (
            connection(stream(waits_for="ceiling", error=CEILING)),
            f"Last post arrived 3 minutes ago. {CEILING}",
        ),
        (
            connection(stream(waits_for="rate_limit", next_pull_at=NOW + 3 * HOUR)),
            "Last post arrived 3 minutes ago. fakesocial has us wait; reading goes on in 3 hours.",
        ),
        (connection(stream(waits_for="rate_limit", next_pull_at=NOW + MINUTE)), "Last post arrived 3 minutes ago."),
        (connection(frozen="Paused: holidays."), "Paused: holidays."),
    ],
)
def test_the_line_says_what_is_waited_for_and_what_proves_it(row: dict[str, Any], line: str) -> None:
    assert health.line(row, NOW) == line


def test_what_the_provider_still_serves_is_what_it_said_last_unless_that_is_a_day_old() -> None:
    def told(left: int, age: timedelta) -> dict[str, Any]:
        return stream(budget={"left": left, "most": 15_000, "what": "calls a day", "at": (NOW - age).isoformat()})

    def said(*streams: dict[str, Any], **values: Any) -> str:
        return health.of(connection(*streams, **values), NOW).budget

    assert said(told(12_500, HOUR), told(12_400, MINUTE), stream()) == "12,400 of 15,000 calls a day are left."
    assert said(told(12_400, DAY + MINUTE), stream()) == ""
    assert said(told(12_400, MINUTE), status="disconnected") == ""


def test_of_several_things_that_are_counted_it_is_the_one_of_which_least_is_left_until_it_is_counted_anew() -> None:
    def told(left: int | None, what: str, ahead: timedelta, **more: Any) -> dict[str, Any]:
        at, resets_at = (NOW - MINUTE).isoformat(), (NOW + ahead).isoformat()
        return stream(budget={"left": left, "most": 300, "what": what, "at": at, "resets_at": resets_at, **more})

    def said(*streams: dict[str, Any]) -> str:
        return health.of(connection(*streams), NOW).budget

    mentions, searches = told(290, "calls for mentions", MINUTE), told(12, "searches", MINUTE)
    assert said(mentions, searches) == "12 of 300 searches are left."
    assert said(mentions, told(12, "searches", -MINUTE)) == "290 of 300 calls for mentions are left."
    assert said(told(12, "searches", -MINUTE)) == ""
    assert (
        said(told(None, "calls in 10 seconds", MINUTE, note="None are counted by the day."))
        == "No more than 300 calls in 10 seconds are served. None are counted by the day."
    )


# --- what is not read though it should be ---------------------------------------------------------------------

SLOWEST = unread.MISSED * polling.LONGEST  # 2 hours: no quiet account is left alone for so long
LIMITED = {"waits_for": "rate_limit", "next_pull_at": NOW + MINUTE}
OWN = stream(name="own")  # arrives as ever


def silent(age: timedelta, **values: Any) -> dict[str, Any]:
    """Mentions, last read so long ago, and due since."""
    return stream(last_pulled_at=NOW - age, last_item_at=NOW - age, **{"next_pull_at": NOW - age, **values})


def old(*streams: dict[str, Any], **values: Any) -> dict[str, Any]:
    return connection(*streams, **{"status_at": NOW - 30 * DAY, **values})


@pytest.mark.parametrize(
    ("row", "light", "says"),
    [
        (old(silent(3 * DAY)), TROUBLE, "last looked 3 days ago. Not read since 3 May, 3 days ago: mentions."),
        (old(silent(6 * DAY, next_pull_at=None)), TROUBLE, "Not read since 30 April, 6 days ago: mentions."),  # each worker dies of it
        (old(silent(6 * DAY), OWN), TROUBLE, "arrived 3 minutes ago. Not read since 30 April, 6 days ago: mentions."),
        (old(silent(6 * DAY), silent(6 * DAY, name="own"), silent(3 * HOUR, name="recheck")), TROUBLE,
         "6 days ago: mentions, own. Not read since 6 May, 3 hours ago: edits and deletions."),
        (old(silent(6 * DAY, **LIMITED), OWN), TROUBLE, "6 days ago, as fakesocial has us wait: mentions."),
        (old(silent(3 * HOUR, **LIMITED), OWN), WAITING, "Not read since 6 May, 3 hours ago, as fakesocial has us wait: mentions."),
        (old(silent(polling.LONGEST_WAIT, waits_for="rate_limit", next_pull_at=NOW), OWN), WAITING, "1 day ago, as fakesocial has us wait"),
        (old(stream(name="recheck", last_pulled_at=NOW - 2 * DAY, last_item_at=None, **LIMITED), OWN), TROUBLE, "as fakesocial has us wait: edits and deletions."),
        (old(silent(5 * DAY), poll_seconds=86_400), TROUBLE, "Not read since 1 May, 5 days ago: mentions."),
        (old(stream(last_pulled_at=None, last_item_at=None), OWN, ready_at=None), TROUBLE, "Not read since 6 April, 30 days ago: mentions."),
    ],
)  # fmt: skip
def test_what_is_not_read_for_long_is_said_with_since_when_and_what_to_do(
    row: dict[str, Any], light: health.Light, says: str
) -> None:
    found = health.of(row, NOW)
    assert found.light is light
    assert says in found.line
    limited = "has us wait" in says
    assert ("how much the app and its plan may still read" if limited else "`warmline doctor`") in found.advice


@pytest.mark.parametrize(
    "row",
    [
        old(silent(SLOWEST)),  # a quiet account at its slowest, and then some
        old(silent(20 * HOUR), poll_seconds=86_400),  # looked at once a day, as the workspace wants
        old(silent(20 * HOUR, next_pull_at=NOW + 4 * HOUR)),  # its pace was that until a moment ago
        old(silent(3 * DAY, served_at=NOW - HOUR)),  # a long first pull stores pages before it ends
        connection(silent(9 * DAY), status_at=NOW - MINUTE),  # connected again, or unfrozen, just now
        connection(stream(last_pulled_at=None, last_item_at=None), status_at=NOW - MINUTE, ready_at=None),
        old(silent(3 * DAY, waits_for="ceiling", error=CEILING, next_pull_at=NOW + 4 * DAY)),
        old(silent(3 * DAY), frozen="Paused: holidays.", paused_at=NOW - 3 * DAY),
        old(silent(3 * DAY), frozen="X is frozen here: gone."),
        old(silent(3 * DAY), status="needs_reauth"),
        old(silent(3 * DAY, failures=2, error="X is away")),  # says so itself
        old(silent(3 * DAY, status="stopped", error=SCOPE), OWN),
    ],
)
def test_nobody_is_alarmed_by_what_rests_for_a_reason(row: dict[str, Any]) -> None:
    found = health.of(row, NOW)
    assert "Not read since" not in found.line
    assert "doctor" not in found.advice


@pytest.mark.parametrize("provider", sorted(providers()))
def test_no_stream_of_any_provider_may_be_left_alone_for_as_long_as_that(provider: str) -> None:
    for each in providers()[provider].streams:
        slowest = stream(name=each.name, last_pulled_at=NOW - polling.cap(each.every), last_item_at=None)
        assert unread.late(old(slowest, provider=provider), NOW) == []
