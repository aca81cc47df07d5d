"""Calendar feeds: read by the workers, kept as busy times and nothing else, and honest about their age."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests
import responses
from sqlalchemy import select

from integrations.records import Owner
from service import config as configuration
from service.clock import real_now
from service.models import BusyTime, CalendarFeed
from service.runtime import Runtime
from service.store import feeds, paging
from tests.workers.conftest import NOON, World
from workers import jobs

URL = "https://cal.example/private-7f3a/basic.ics"
HOUR = timedelta(hours=1)


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def add(world: World, email: str = "olga@acme.test", url: str = URL) -> UUID:
    with world.runtime.db.tenant(world.workspace_id) as session:
        row = feeds.add(
            session, world.runtime.vault, world.workspace_id, email=email, address=url, host="cal.example", by="user:1"
        )
        assert row is not None
        return row.id


def feed(world: World) -> CalendarFeed:
    with world.runtime.db.tenant(world.workspace_id) as session:
        return session.scalars(select(CalendarFeed)).one()


def busy(world: World) -> list[tuple[datetime, datetime]]:
    with world.runtime.db.tenant(world.workspace_id) as session:
        return [
            (each.starts_at, each.ends_at) for each in session.scalars(select(BusyTime).order_by(BusyTime.starts_at))
        ]


def ics(*spans: tuple[datetime, datetime], extra: str = "") -> str:
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{number}\r\nSUMMARY:Secret talks with Globex\r\nDTSTART:{start:%Y%m%dT%H%M%SZ}\r\nDTEND:{end:%Y%m%dT%H%M%SZ}\r\nEND:VEVENT\r\n"
        for number, (start, end) in enumerate(spans)
    )
    return f"BEGIN:VCALENDAR\r\n{events}{extra}END:VCALENDAR\r\n"


MEETING = (NOON - HOUR / 4, NOON + HOUR)


def again(world: World) -> None:
    world.sql("UPDATE calendar_feeds SET next_fetch_at = now() - interval '1 second' WHERE workspace_id = :w")
    world.run()


def aged(world: World, minutes: int) -> None:
    world.sql("UPDATE calendar_feeds SET fetched_at = fetched_at - :age", age=timedelta(minutes=minutes))


def row(world: World) -> dict[str, Any]:
    with world.runtime.db.tenant(world.workspace_id) as session:
        found = paging.one(session, world.workspace_id, feeds.CALENDARS, feed(world).id)
    assert found is not None
    return found


def test_a_feed_is_read_at_once_and_again_later(world: World, mock: responses.RequestsMock) -> None:
    mock.get(URL, body=ics(MEETING))
    add(world)

    world.run()

    assert busy(world) == [MEETING]
    assert world.jobs_run.count("calendar") == 1
    assert world.jobs_run[-1] == "decide"  # what waits for its owner may come sooner or later now
    standing = feed(world)
    assert standing.next_fetch_at is not None
    assert timedelta(minutes=9) < standing.next_fetch_at - real_now() <= feeds.EVERY
    assert (standing.error, standing.failures, standing.lease_id) == ("", 0, None)
    assert standing.covers_until == NOON + timedelta(days=31)


def test_nothing_of_a_calendar_is_kept_but_when_somebody_is_busy(world: World, mock: responses.RequestsMock) -> None:
    mock.get(URL, body=ics(MEETING))
    add(world)
    world.run()

    stored = " ".join(
        str(each) for table in ("calendar_feeds", "busy_times", "audit") for each in world.sql(f"SELECT * FROM {table}")
    )
    assert "Globex" not in stored
    assert "private-7f3a" not in stored  # the address is a secret, and rests sealed
    assert "private-7f3a" not in str(row(world))


def test_a_feed_keeps_tasks_from_its_owner_until_they_are_free(connected: World, mock: responses.RequestsMock) -> None:
    mock.get(URL, body=ics(MEETING))
    connected.set(meeting_shield=True)
    add(connected)
    connected.run()
    connected.says("@brand Do you ship?", id="q1")
    connected.look()

    assert connected.in_crm() == []
    assert connected.task().push_at == MEETING[1]

    connected.passes(HOUR)
    connected.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm'")
    connected.run()
    assert len(connected.in_crm()) == 1
    assert connected.task().held_reason == ""


def test_a_feed_of_somebody_else_keeps_nothing_from_anybody(connected: World, mock: responses.RequestsMock) -> None:
    mock.get(URL, body=ics(MEETING))
    connected.crm.add(Owner("o2", "omar@acme.test", "Omar"))
    connected.set(meeting_shield=True)
    add(connected, "omar@acme.test")
    connected.run()
    connected.says("@brand Do you ship?", id="q1")
    connected.look()
    assert len(connected.in_crm()) == 1


def test_a_meeting_that_is_called_off_lets_the_task_through_at_once(
    connected: World, mock: responses.RequestsMock
) -> None:
    mock.get(URL, body=ics(MEETING))
    connected.set(meeting_shield=True)
    add(connected)
    connected.run()
    connected.says("@brand Do you ship?", id="q1")
    connected.look()
    assert connected.in_crm() == []

    mock.replace("GET", URL, body=ics())
    again(connected)

    assert len(connected.in_crm()) == 1


def test_a_meeting_that_is_put_in_later_moves_what_waits_and_what_falls_due(
    connected: World, mock: responses.RequestsMock
) -> None:
    mock.get(URL, body=ics(MEETING))
    connected.set(meeting_shield=True)
    add(connected)
    connected.run()
    connected.says("@brand Do you ship?", id="q1")
    connected.says("@brand And who are you?", id="q2", ago=timedelta(minutes=1))  # patience ends in 59 minutes
    connected.look()
    due = datetime.fromisoformat(connected.task(wanted="open").content["due_at"])
    assert due == MEETING[1]

    mock.replace("GET", URL, body=ics(MEETING, (MEETING[1], MEETING[1] + 2 * HOUR)))
    again(connected)

    task = connected.task(wanted="open")
    assert task.push_at == MEETING[1] + 2 * HOUR
    assert datetime.fromisoformat(task.content["due_at"]) == MEETING[1] + 2 * HOUR


def test_a_task_in_the_crm_does_not_fall_due_in_a_meeting_that_is_put_in_later(
    connected: World, mock: responses.RequestsMock
) -> None:
    mock.get(URL, body=ics())
    connected.set(meeting_shield=True)
    add(connected)
    connected.says("@brand Do you ship?", id="q1")
    connected.run()
    [standing] = connected.crm.tasks.values()
    assert standing.due_at is not None

    meeting = (NOON + 2 * HOUR, NOON + 3 * HOUR)
    connected.sql(
        "UPDATE tasks SET content = jsonb_set(content, '{due_at}', to_jsonb(CAST(:due AS text)))",
        due=(meeting[0] + HOUR / 2).isoformat(),
    )
    mock.replace("GET", URL, body=ics(meeting))
    again(connected)

    [standing] = connected.crm.tasks.values()
    assert standing.due_at == meeting[1]


def test_a_due_date_that_a_person_chose_stays_theirs(connected: World, mock: responses.RequestsMock) -> None:
    mock.get(URL, body=ics())
    connected.set(meeting_shield=True)
    add(connected)
    connected.says("@brand Do you ship?", id="q1")
    connected.run()
    [standing] = connected.crm.tasks.values()
    theirs = NOON + 2 * HOUR
    connected.crm.edit_as_person(standing.id, due_at=theirs)
    connected.look(streams=("tasks",))

    mock.replace("GET", URL, body=ics((theirs - HOUR, theirs + HOUR)))
    again(connected)

    [standing] = connected.crm.tasks.values()
    assert standing.due_at == theirs


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"status": 404}, "cal.example has no calendar at that address. Copy it again from the calendar's settings."),
        ({"status": 403}, "cal.example does not let us read it. Use the calendar's secret address in iCal format."),
        ({"status": 500}, "cal.example answered 500."),
        ({"body": "<html>Sign in</html>"}, "What stands at that address is not a calendar."),
        ({"body": "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"}, "The calendar breaks off in the middle."),
        ({"body": requests.ConnectionError("reset")}, "cal.example broke off the connection."),
    ],
)
def test_a_feed_that_fails_says_why_and_keeps_what_it_said_last(
    world: World, mock: responses.RequestsMock, answer: dict[str, Any], sentence: str
) -> None:
    mock.get(URL, body=ics(MEETING))
    add(world)
    world.run()
    mock.replace("GET", URL, **answer)

    again(world)

    standing = feed(world)
    assert standing.error == sentence
    assert standing.failures == 1
    assert standing.next_fetch_at is not None
    assert standing.next_fetch_at > real_now()
    assert busy(world) == [MEETING]
    assert feeds.is_fresh(row(world), real_now())


def test_the_shield_is_claimed_for_a_fresh_feed_only(world: World, mock: responses.RequestsMock) -> None:
    mock.get(URL, body=ics(MEETING))
    add(world)
    assert not feeds.is_fresh(row(world), real_now())
    world.run()
    aged(world, 59)
    assert feeds.is_fresh(row(world), real_now())
    aged(world, 2)
    assert not feeds.is_fresh(row(world), real_now())
    with world.runtime.db.tenant(world.workspace_id) as session:
        assert [each["host"] for each in feeds.stale(session, world.workspace_id, real_now())] == ["cal.example"]
    assert busy(world) == [MEETING]


def test_events_that_cannot_be_read_are_counted(world: World, mock: responses.RequestsMock) -> None:
    odd = "BEGIN:VEVENT\r\nUID:x\r\nDTSTART:soon\r\nEND:VEVENT\r\n"
    mock.get(URL, body=ics(MEETING, extra=odd))
    add(world)
    world.run()
    assert (busy(world), feed(world).left_out) == ([MEETING], 1)


def test_the_same_calendar_is_not_added_twice_and_goes_with_its_busy_times(
    world: World, mock: responses.RequestsMock
) -> None:
    mock.get(URL, body=ics(MEETING))
    feed_id = add(world)
    world.run()
    with world.runtime.db.tenant(world.workspace_id) as session:
        again = feeds.add(session, world.runtime.vault, world.workspace_id, email="olga@acme.test", address=URL, host="cal.example", by="user:1")  # fmt: skip
        assert again is None
        assert feeds.remove(session, world.workspace_id, feed_id, by="user:1")
        assert not feeds.remove(session, world.workspace_id, feed_id, by="user:1")
    assert busy(world) == []


def test_an_address_sealed_with_a_lost_key_says_what_to_do(world: World) -> None:
    add(world)
    world.sql("UPDATE calendar_feeds SET sealed = 'v1.lost.x'")
    world.run()
    assert feed(world).error == "The address can no longer be opened. Remove this calendar, and add it again."


def test_a_feed_that_another_worker_has_is_left_to_it(world: World, mock: responses.RequestsMock) -> None:
    mock.get(URL, body=ics(MEETING))
    add(world)
    [claim] = [each for each in world.claim() if each.job == "calendar"]
    world.sql("UPDATE calendar_feeds SET lease_id = gen_random_uuid()")
    world.work(claim)
    assert busy(world) == []
    assert len(mock.calls) == 0


def test_what_a_run_holds_back_is_not_moved_by_a_calendar(connected: World, mock: responses.RequestsMock) -> None:
    mock.get(URL, body=ics())
    connected.set(meeting_shield=True)
    add(connected)
    connected.says("@brand Do you ship?", id="q1")
    connected.run()
    due = NOON + 2 * HOUR
    connected.sql(
        "UPDATE tasks SET run_id = gen_random_uuid(), content = jsonb_set(content, '{due_at}', to_jsonb(CAST(:due AS text)))",
        due=due.isoformat(),
    )
    mock.replace("GET", URL, body=ics((due - HOUR, due + HOUR)))
    again(connected)
    assert connected.task().push_at is None


def test_a_calendar_without_a_zone_of_its_own_is_read_in_its_owners(world: World, mock: responses.RequestsMock) -> None:
    floating = "BEGIN:VEVENT\r\nUID:x\r\nDTSTART:20260313T090000\r\nDURATION:PT1H\r\nEND:VEVENT\r\n"
    mock.get(URL, body=ics(extra=floating))
    world.set(timezone="Europe/Paris", people=[{"email": "Olga@acme.test", "timezone": "Asia/Tokyo"}])
    add(world)
    world.run()
    [(start, end)] = busy(world)
    assert (start, end) == (datetime(2026, 3, 13, 0, tzinfo=UTC), datetime(2026, 3, 13, 1, tzinfo=UTC))


@pytest.fixture
def own_server() -> Iterator[str]:
    """A calendar server that is not on the internet; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = ics(MEETING).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/private-7f3a/basic.ics"
        server.shutdown()


def test_a_server_of_our_own_is_read_only_where_the_installation_allows_it(
    world: World, own_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(world, url=own_server)
    world.run()
    assert feed(world).error == "127.0.0.1 leads to an address that is not public, so it is not called."
    assert busy(world) == []

    allowing = Runtime(replace(world.runtime.config, allow_hosts=("127.0.0.1",)))
    monkeypatch.setattr(jobs, "runtime", lambda: allowing)
    again(world)
    allowing.db.engine.dispose()
    assert busy(world) == [MEETING]
    assert feed(world).error == ""


def test_hosts_that_may_be_called_are_named_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WARMLINE_HOME", str(tmp_path))
    assert configuration.load().allow_hosts == ()
    monkeypatch.setenv("WARMLINE_ALLOW_HOSTS", "calendar.lan, 10.0.0.7")
    assert configuration.load().allow_hosts == ("calendar.lan", "10.0.0.7")
