"""Keeping to a share of what all of a company's tools spend from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from integrations.crm.pipedrive import budget
from integrations.crm.pipedrive.budget import (
    BESIDES,
    CHECKS,
    DAY,
    DEAREST,
    PARTS,
    SAMPLES,
    SMALLEST,
    WRITES,
    BudgetError,
    Purse,
    Till,
)
from integrations.errors import RateLimitError
from integrations.records import HandleWrite, PushOutcome, Task, WriteOutcome
from tests.integrations.contract.harnesses import new
from tests.integrations.crm.pipedrive.conftest import World
from tests.integrations.crm.pipedrive.server import TWITTER

MakeWorld = Callable[..., World]
TOLD = "x-daily-ratelimit-token-limit"
LEFT = "x-daily-ratelimit-token-remaining"


class Time:
    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


def spend_a_day(purse: Purse, time: Time, *, cost: int = 10, every: float = 60.0) -> int:
    """Calls as often as the stream would like to; returns what they cost."""
    spent, end = 0, time.at + DAY
    while time.at < end:
        try:
            purse.pay(cost)
            spent += cost
        except BudgetError:
            pass
        time.at += every
    return spent


@pytest.mark.parametrize("stream", PARTS)
@pytest.mark.parametrize("limit", [30_000, 300_000, 2_000_000])
@pytest.mark.parametrize("share", [0.2, 0.5])
def test_no_stream_spends_more_than_its_part_of_the_share_in_a_day(stream: str, limit: int, share: float) -> None:
    time = Time()
    purse = budget.purse(None, stream, share, time)
    purse.learn({TOLD: str(limit), LEFT: str(limit)})

    for _ in range(2):
        assert spend_a_day(purse, time, every=30.0) <= max(limit * share * PARTS[stream], 30)


def test_all_streams_together_leave_something_of_the_share_for_writing() -> None:
    assert sum(PARTS.values()) <= 0.95


def test_the_part_is_spent_and_not_only_kept() -> None:
    time = Time()
    purse = budget.purse(None, "tasks", 0.2, time)

    assert spend_a_day(purse, time) > 0.9 * SMALLEST * 0.2 * PARTS["tasks"]


def test_waiting_as_long_as_it_says_is_enough_and_no_shorter() -> None:
    time = Time()
    purse = Purse("tasks", 0.2, time, at=time.at)
    with pytest.raises(BudgetError) as raised:
        purse.pay(10)

    time.at += raised.value.retry_after * 0.9
    with pytest.raises(BudgetError):
        purse.pay(10)
    time.at += raised.value.retry_after * 0.11
    purse.pay(10)


def test_a_purse_that_was_put_away_is_the_same_one() -> None:
    time = Time()
    purse = budget.purse(None, "contacts", 0.2, time)
    purse.learn({TOLD: "60000", LEFT: "60000"})
    purse.pay(10)

    again = budget.purse(purse.dump(), "contacts", 0.2, time)

    assert (again.left, again.limit) == (pytest.approx(purse.left, abs=0.1), 60_000)


@pytest.mark.parametrize("value", ["garbage", {}, {"left": "x", "at": 1, "limit": 2}, [1]])
def test_a_purse_that_cannot_be_read_is_a_full_one(value: Any) -> None:
    assert budget.purse(value, "tasks", 0.2, Time()).left == SMALLEST * 0.2 * PARTS["tasks"] * budget.AT_ONCE


def test_a_larger_budget_fills_the_purse_at_once() -> None:
    purse = budget.purse(None, "tasks", 0.2, Time())
    before = purse.left
    purse.learn({TOLD: "300000", LEFT: "299990"})

    assert purse.left == pytest.approx(before * 10)


def test_headers_that_are_absent_change_nothing() -> None:
    till = Till()
    till.learn({TOLD: "30000", LEFT: "20000"})
    till.learn({})
    till.learn({TOLD: "", LEFT: "soon"})

    assert (till.limit, till.remaining) == (30_000, 20_000)


@pytest.mark.parametrize(
    ("given", "share"),
    [("35", 0.35), ("35 %", 0.35), ("", 0.2), ("0", 0.01), ("400", 1.0), ("a lot", 0.2), (None, 0.2)],
)
def test_the_share_is_read_from_the_connect_form(given: str | None, share: float) -> None:
    assert budget.share({"daily_share": given}) == share


@pytest.mark.parametrize("purpose", [*PARTS, *BESIDES])
def test_connections_of_one_company_spend_no_more_together_than_one_alone(purpose: str) -> None:
    alone, third = (Purse(purpose, budget.share({}, holders), Time()) for holders in (1, 3))
    assert 3 * third.part == pytest.approx(alone.part)


def test_a_connection_that_is_not_the_only_one_of_its_company_says_which_part_of_the_share_is_its_own(
    make_world: MakeWorld,
) -> None:
    world = make_world(limit=30_000)
    client = world.client(holders=3)
    assert [client._account(purpose).share for purpose in BESIDES] == [pytest.approx(0.2 / 3)] * len(BESIDES)

    def read_on() -> None:
        cursor = None
        for _ in range(100):
            [page] = world.client(holders=3).pull("tasks", cursor)
            cursor = page.cursor

    with pytest.raises(RateLimitError, match=r"keeps to 6\.67% of it"):
        read_on()


# --- on the line ----------------------------------------------------------------------------------------------


def test_a_small_company_is_looked_at_less_often_and_told_so(make_world: MakeWorld) -> None:
    world = make_world(limit=30_000)
    cursor, notes, looks = None, [], 0
    for _ in range(24 * 30):  # a day, in steps of two minutes, as the manifest wants it
        world.clock.forward(minutes=2)
        world.server.spent = 0
        try:
            for page in world.client().pull("tasks", cursor):
                cursor, looks = page.cursor, looks + (not page.notes)
                notes += page.notes
        except RateLimitError:
            assert notes  # which say so on the connection's page

    spent = 10 * len(world.server.paths("GET"))
    assert 0.9 * 1800 < spent <= 1800
    assert looks == spent / 10
    assert set(notes) == {
        "Pipedrive's daily budget of 30000 is shared by all tools. Warmline keeps to 20% of it, so tasks are read about every 11 minutes."
    }


def test_a_large_company_is_never_kept_waiting(make_world: MakeWorld) -> None:
    world = make_world(limit=1_500_000)
    cursor = None
    for _ in range(24 * 30):
        world.clock.forward(minutes=2)
        [page] = world.client().pull("tasks", cursor)
        cursor = page.cursor


def test_the_share_of_the_connect_form_counts(make_world: MakeWorld) -> None:
    world = make_world(limit=30_000, form={"daily_share": "1"})

    cursor = None
    for _ in range(3):
        [page] = world.client().pull("tasks", cursor)
        cursor = page.cursor

    with pytest.raises(RateLimitError):
        list(world.client().pull("tasks", cursor))


def test_what_is_left_of_the_day_belongs_to_the_others(make_world: MakeWorld) -> None:
    world = make_world(limit=30_000)
    world.server.spent = 29_000
    notes: list[str] = []

    def read() -> None:
        for page in world.client().pull("contacts", None):
            notes.extend(page.notes)

    world.server.put("person", {"name": "Ada", "org_id": 1})
    with pytest.raises(RateLimitError) as raised:
        read()

    assert len(world.server.calls) == 1  # only an answer tells what is left
    assert raised.value.retry_after == 1800
    assert "nearly used up" in notes[-1]


def test_writing_stops_at_the_floor_too_and_the_rest_comes_later(make_world: MakeWorld) -> None:
    world = make_world(limit=30_000)
    world.server.users[7] = {"id": 7, "active_flag": True}
    world.server.spent = 28_491

    found = world.client().push_tasks([new("key-1"), new("key-2"), new("key-3")])

    assert [each.outcome.value for each in found] == ["created", "created", "later"]
    assert world.server.spent == 28_501


# --- what is written ------------------------------------------------------------------------------------------


def test_all_parts_together_are_the_share_and_no_more() -> None:
    assert sum(PARTS.values()) + sum(BESIDES.values()) <= 1 + 1e-9


@pytest.mark.parametrize("share", [1, 2, 20])
def test_writing_keeps_to_its_part_over_a_day_whichever_process_writes_and_what_waits_is_written_later(
    make_world: MakeWorld, share: int
) -> None:
    world = make_world(limit=30_000, form={"daily_share": str(share)})
    world.server.users[7] = {"id": 7, "active_flag": True}
    ada = world.server.put("person", {"name": "Ada"})
    waiting = [new(f"key-{number}", contact_id=str(ada)) for number in range(300)]
    part = 30_000 * share / 100 * BESIDES[WRITES]
    world.server.spent, end = 0, world.clock() + timedelta(days=1)

    day = write_until(world, waiting, end)

    assert 0 < world.server.spent <= max(part, DEAREST[WRITES] + 0.75 * part)
    assert "Warmline keeps to" in day["raised"]
    assert share != 20 or len(waiting) <= 300 - 100
    written, world.server.spent = len(waiting), 0
    write_until(world, waiting, end + timedelta(days=1))
    assert len(waiting) < written
    assert world.server.tasks_ever_created == 300 - len(waiting)


def write_until(world: World, waiting: list[Task], end: datetime) -> dict[str, str]:
    """Says all that waits, again and again as a push does, and takes out what was written. What was said of the rest."""
    said = {}
    while waiting and world.clock() < end:
        try:
            found = world.job(lambda client: client.push_tasks(waiting))
        except RateLimitError as error:
            said["raised"] = str(error)
            world.clock.forward(seconds=error.retry_after)
            continue
        written = {each.key for each in found if each.outcome is PushOutcome.CREATED}
        assert written
        assert {each.outcome for each in found if each.key not in written} <= {PushOutcome.LATER}
        waiting[:] = [task for task in waiting if task.key not in written]
        world.clock.forward(seconds=20)
    world.clock.at = max(world.clock.at, end)
    return said


def test_looking_at_open_tasks_keeps_to_its_part_and_reads_all_of_them_each_time(make_world: MakeWorld) -> None:
    world = make_world(limit=30_000)
    ids = [str(world.server.put("activity", {"type": "task", "subject": "x"})) for _ in range(250)]
    said: set[str] = set()
    world.server.spent, looks = 0, 0
    for _ in range(24 * 4):
        try:
            assert len(world.job(lambda client: [*client.read_tasks(ids[:200]), *client.read_tasks(ids[200:])])) == 250
            looks += 1
        except RateLimitError as error:
            said.add(str(error))
        world.clock.forward(minutes=15)

    assert looks >= 7
    assert all("open tasks are looked at later" in each for each in said)
    assert world.server.spent <= 30_000 * 0.2 * BESIDES[CHECKS] + 30  # the last look is paid for the day after


def test_comparing_has_a_part_of_its_own_which_looking_at_open_tasks_does_not_empty(make_world: MakeWorld) -> None:
    world = make_world(limit=30_000)
    ids = [str(world.server.put("activity", {"type": "task", "subject": "x"})) for _ in range(20)]
    compared, said = 0, set()
    for _ in range(24):
        with suppress(RateLimitError):
            world.job(lambda client: client.read_tasks(ids))
        before = world.server.spent
        try:
            world.job(lambda client: (client.read_tasks(ids), next(iter(client.pull("tasks", None)))), sampling=True)
            compared += 1
        except RateLimitError as error:
            said.add(str(error))
        assert world.server.spent - before in (0, 20)
        world.clock.forward(hours=1)

    assert 5 <= compared <= 30_000 * 0.2 * BESIDES[SAMPLES] / 20 + 1
    assert all("compared less often" in each for each in said)


def test_what_is_owed_stays_owed_when_the_budget_is_told_anew() -> None:
    owing = budget.account({"left": -500, "at": 0, "limit": 30_000}, CHECKS, 0.2, lambda: 0.0)
    owing.learn({TOLD: "20000", LEFT: "20000"})

    assert owing.left <= -500


def test_handles_are_written_out_of_the_same_purse(make_world: MakeWorld) -> None:
    world = make_world(limit=30_000, prepared=False)
    world.server.add_field(TWITTER, "Twitter")
    world.prepare(daily_share="1")
    people = [str(world.server.put("person", {"name": "Ada"})) for _ in range(20)]
    writes = [HandleWrite(each, "x", "ada", "https://x.com/ada") for each in people]

    found = world.job(lambda client: client.write_handles(writes))

    assert [each.contact_id for each in found] == people
    assert {each.outcome for each in found[:4]} == {WriteOutcome.WRITTEN}
    assert {each.outcome for each in found[4:]} == {WriteOutcome.LATER}
    with pytest.raises(RateLimitError, match="what is to be written waits"):
        world.job(lambda client: client.push_tasks([new("key-1")]))


def test_an_empty_purse_loses_nothing(make_world: MakeWorld) -> None:
    world = make_world(limit=30_000, form={"daily_share": "2"})
    made = {world.server.put("person", {"name": "Ada"}) for _ in range(5000)}
    seen: set[str] = set()
    cursor = None
    for _ in range(40):
        world.server.spent = 0
        try:
            for page in world.client().pull("contacts", cursor):
                seen |= {each.id for each in page.items}
                cursor = page.cursor
            break
        except RateLimitError as error:
            world.clock.forward(seconds=error.retry_after)

    assert seen == {str(each) for each in made}


@pytest.mark.parametrize("stream", PARTS)
def test_every_stream_of_a_large_company_gets_to_its_end_at_the_smallest_share(
    make_world: MakeWorld, stream: str
) -> None:
    world = make_world(limit=30_000, form={"daily_share": "1"})
    world.server.users[7] = {"id": 7, "name": "Ben", "email": "ben@example.com", "active_flag": True}
    for number in range(1100):
        organization = world.server.put("organization", {"name": f"Organization {number}"})
        world.server.put("person", {"name": f"Person {number}", "org_id": organization})
        world.server.put("activity", {"type": "call", "done": True, "subject": "Called"})

    seen, ended = read_to_the_end(world, stream)

    assert ended
    assert len(seen) == {"contacts": 1100, "activities": 1100, "tasks": 0, "owners": 1}[stream]


def test_a_page_is_paid_for_though_neither_its_cursor_nor_its_fields_are_taken_any_more(make_world: MakeWorld) -> None:
    world = make_world(limit=30_000, prepared=False)
    world.server.add_field(TWITTER, "Twitter")
    world.prepare(daily_share="1")
    for number in range(1100):
        organization = world.server.put("organization", {"name": f"Organization {number}"})
        world.server.put("person", {"name": f"Person {number}", "org_id": organization})
        if number % 100 == 0:
            world.clock.forward(minutes=1)
    first = next(iter(world.client().pull("contacts", None)))
    world.server.cursors_before = world.server.pages + 1
    world.server.fields = [field for field in world.server.fields if field["field_code"] != TWITTER]

    seen, ended = read_to_the_end(world, "contacts", first.cursor)

    assert ended
    assert len(seen | {each.id for each in first.items}) == 1100


def read_to_the_end(world: World, stream: str, cursor: str | None = None, *, tries: int = 40) -> tuple[set[str], bool]:
    """The ids of all that comes, tried again after as long as is said, by a company whose day never ends; and whether the end came."""
    seen: set[str] = set()
    for _ in range(tries):
        world.server.spent = 0
        try:
            for page in world.client().pull(stream, cursor):
                seen |= {str(each.id) for each in page.items}
                cursor = page.cursor
            return seen, True
        except RateLimitError as error:
            world.clock.forward(seconds=error.retry_after)
    return seen, False


def test_a_used_up_day_is_waited_for_and_a_burst_only_for_a_moment(world: World) -> None:
    for headers, wait in (
        ({LEFT: "0"}, 3600.0),
        ({LEFT: "900", "x-ratelimit-reset": "2"}, 2.0),
        ({}, 60.0),
        ({LEFT: "0", "Retry-After": "77"}, 77.0),
    ):
        world.server.faults.add("GET", "/persons", lambda work, headers=headers: (429, headers, "{}"))
        with pytest.raises(RateLimitError) as raised:
            list(world.client().pull("contacts", None))
        assert raised.value.retry_after == wait


def test_the_gate_before_pipedrive_is_no_word_about_permission(world: World) -> None:
    world.server.faults.add(
        "GET", "/persons", lambda work: (403, {"Content-Type": "text/html"}, "<html>blocked</html>")
    )
    with pytest.raises(RateLimitError):
        list(world.client().pull("contacts", None))
