"""How tasks fare is counted from the tasks themselves; a rule that people mostly dismiss gives half; calls are followed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.records import ActivityKind, Author
from service.clock import real_now
from service.faring import faring, notices
from service.rules.admission import HELD_BACK
from service.rules.volume import ENOUGH, Fared, halved, slowed
from service.store import acting, figures
from service.store.figures import Calls
from tests.conftest import make_member
from tests.service.rows import Rows
from tests.workers.conftest import NOON, World
from workers.admitting import in_the_tenth

DAY = timedelta(days=1)


# --- the rule -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "acted_on", "dismissed", "after"),
    [
        (False, 0, 9, False),  # too few to say
        (False, 5, 5, False),  # half is not most
        (False, 4, 6, True),
        (False, 100, 101, True),
        (True, 0, 2, True),  # still too few to say
        (True, 1, 4, True),
        (True, 3, 2, False),
        (True, 0, 0, False),  # nothing for two weeks: it starts anew
    ],
)
def test_a_rule_is_slowed_by_most_and_recovers_by_half(
    before: bool, acted_on: int, dismissed: int, after: bool
) -> None:
    assert slowed(before, Fared(acted_on, dismissed)) is after


@given(st.booleans(), st.integers(0, 50), st.integers(0, 50))
def test_more_that_people_act_on_never_slows_a_rule(before: bool, acted_on: int, dismissed: int) -> None:
    if acted_on + dismissed > 0 and not slowed(before, Fared(acted_on, dismissed)):
        assert not slowed(before, Fared(acted_on + 1, dismissed)) or acted_on + dismissed < ENOUGH


@pytest.mark.parametrize(
    ("cap", "usual", "given"), [(5, 5, 2), (5, 9, 2), (5, 2, 1), (None, 9, 4), (1, 1, 1), (None, 0, 1), (8, 6, 3)]
)
def test_half_is_half_of_what_was_usual_and_never_nothing(cap: int | None, usual: int, given: int) -> None:
    assert halved(cap, usual) == given


# --- at work --------------------------------------------------------------------------------------------------


def rows_of(world: World) -> Rows:
    return Rows(world.runtime.db, world.workspace_id, NOON)


def closed(world: World, number: int, how: str, **values: Any) -> None:
    """So many tasks that were given two days ago and ended like this an hour ago."""
    ends: dict[str, dict[str, str]] = {
        "answered": {"wanted": "completed", "closed_by": "rules", "state": "completed"},
        "ticked off": {"wanted": "completed", "closed_by": "crm", "state": "completed"},
        "not needed": {"wanted": "completed", "closed_by": "link", "state": "completed"},
        "by a colleague": {"wanted": "completed", "closed_by": "user:1", "state": "completed"},
        "deleted": {"wanted": "withdrawn", "closed_by": "crm", "state": "withdrawn"},
        "too old": {"wanted": "withdrawn", "closed_by": "rules", "state": "withdrawn"},
    }
    made = rows_of(world)
    for _ in range(number):
        row = {
            "pushed_at": real_now() - 2 * DAY, "admitted_at": NOON - 2 * DAY, "closed_at": real_now() - timedelta(hours=1),
            "content": {"owner_id": "o1"}, "key": f"k-{made._numbers}-{how}-{real_now().timestamp()}",
        }  # fmt: skip
        made.task(crm=world.connection("crm").id, **{**row, **ends[how], **values})


def counted(world: World) -> dict[str, Any]:
    with world.runtime.db.tenant(world.workspace_id) as session:
        [row] = faring(session, world.workspace_id).rules
    return {name: getattr(row, name) for name in ("acted_on", "dismissed", "lapsed", "never_given", "open", "held")}


def test_what_people_did_with_tasks_is_told_apart(connected: World) -> None:
    closed(connected, 3, "answered")
    closed(connected, 2, "ticked off")
    closed(connected, 1, "not needed")
    closed(connected, 1, "by a colleague")
    closed(connected, 1, "deleted")
    closed(connected, 4, "too old")
    closed(connected, 5, "too old", pushed_at=None, admitted_at=None)
    closed(connected, 7, "answered", closed_at=real_now() - 20 * DAY)  # before the time that is looked at

    assert counted(connected) == {"acted_on": 5, "dismissed": 3, "lapsed": 4, "never_given": 5, "open": 0, "held": 0}
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        [row] = faring(session, connected.workspace_id).rules
    assert row.time_to_act is not None
    assert timedelta(hours=46) < row.time_to_act < timedelta(hours=48)


def ask(world: World, number: int) -> None:
    for each in range(number):
        world.says(f"@brand Do you ship part {each}?", id=f"q{each}", who=Author(f"b{each}", f"bo{each}", f"Bo {each}"))
    world.look()


def audited(world: World) -> list[str]:
    return [row[0] for row in world.sql("SELECT action FROM audit WHERE action LIKE 'rule.%' ORDER BY created_at, id")]


def test_a_rule_that_is_mostly_dismissed_gives_half_and_says_so(connected: World) -> None:
    connected.set(daily_cap=4)
    closed(connected, 4, "answered")
    closed(connected, 8, "not needed")

    ask(connected, 5)

    assert len(connected.in_crm()) == 2
    held = [task for task in connected.tasks(wanted="open") if task.held_reason]
    assert len(held) == 3
    assert {task.held_reason for task in held} == {
        "Tasks of this kind were mostly dismissed lately, so its owner is given 2 new tasks of it a day for now."
    }
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        [notice] = notices(session, connected.workspace_id)
    assert notice.startswith(
        "Tasks about people who wait for an answer now come at half their number: of 12 closed in two weeks, 8 were dismissed."
    )
    assert audited(connected) == ["rule.slowed"]

    connected.passes(DAY)
    closed(connected, 20, "answered")
    connected.run()

    assert audited(connected) == ["rule.slowed", "rule.recovered"]
    assert len(connected.in_crm()) == 5
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        assert notices(session, connected.workspace_id) == []


def test_a_rule_that_people_act_on_gives_in_full(connected: World) -> None:
    connected.set(daily_cap=4)
    closed(connected, 8, "answered")
    closed(connected, 8, "not needed")
    ask(connected, 5)
    assert len(connected.in_crm()) == 4
    assert audited(connected) == []


def test_another_workspaces_dismissals_slow_nobody_here(connected: World) -> None:
    make_member(connected.runtime, "Other", "omar@other.test")
    closed(connected, 12, "not needed")
    with connected.runtime.db.tenant(make_member(connected.runtime, "Third", "t@third.test").workspace_id) as session:
        assert figures.by_rule(session, connected.workspace_id, since=real_now() - 14 * DAY, now=NOON) == {}


def test_held_tasks_lapse_with_their_finding(connected: World) -> None:
    connected.set(daily_cap=1, lapse_days=5)
    ask(connected, 3)
    assert len(connected.in_crm()) == 1
    assert len([task for task in connected.tasks(wanted="open") if task.held_reason]) == 2
    connected.set(daily_cap=1, lapse_days=5)

    connected.passes(6 * DAY)
    connected.run()

    assert connected.tasks(wanted="open") == []
    assert counted(connected)["never_given"] == 2


# --- calls ----------------------------------------------------------------------------------------------------


def suggested(world: World, *, contact: str = "c1", at: datetime = NOON - 20 * DAY, **values: Any) -> str:
    """A call about this contact, suggested at this time; returns its key."""
    [[contact_id]] = world.sql("SELECT id FROM contacts WHERE native_id = :n", n=contact)
    key = f"call-{contact}-{at.timestamp()}-{len(world.tasks())}"
    row = {
        "kind": "ready_for_call",
        "key": key,
        "admitted_at": at,
        "pushed_at": at,
        "state": "open",
        "content": {"owner_id": "o1"},
    }
    rows_of(world).task(crm=world.connection("crm").id, contact=contact_id, **{**row, **values})
    return key


def followed(world: World) -> dict[str, Calls]:
    with world.runtime.db.tenant(world.workspace_id) as session:
        return figures.calls(session, world.workspace_id, since=NOON - 90 * DAY, now=NOON)


@pytest.fixture
def acquainted(connected: World) -> World:
    """The CRM knows Ana."""
    connected.knows()
    connected.run()
    return connected


@pytest.mark.parametrize(
    ("kind", "days", "outcome", "counts"),
    [
        (ActivityKind.CALL, -19, "connected", True),
        (ActivityKind.CALL, -19, "", True),
        (ActivityKind.MEETING, -7, "held", True),
        (ActivityKind.CALL, -19, "no_answer", False),
        (ActivityKind.MEETING, -19, "cancelled", False),
        (ActivityKind.EMAIL, -19, "sent", False),
        (ActivityKind.CALL, -21, "connected", False),  # before it was suggested
        (ActivityKind.CALL, -5, "connected", False),  # more than two weeks after
    ],
)
def test_a_talk_came_of_a_call_when_the_crm_logs_one_within_two_weeks(
    acquainted: World, kind: ActivityKind, days: int, outcome: str, counts: bool
) -> None:
    suggested(acquainted)
    acquainted.logs(kind, id="x1", at=NOON + days * DAY, outcome=outcome)
    acquainted.look()
    assert followed(acquainted) == {"": Calls(1, 1, int(counts), int(counts))}


def test_a_call_whose_two_weeks_are_not_over_counts_only_with_its_talk(acquainted: World) -> None:
    suggested(acquainted, at=NOON - 3 * DAY)
    assert followed(acquainted) == {"": Calls(1, 0, 0, 0)}
    acquainted.logs(ActivityKind.CALL, id="x1", at=NOON - DAY, outcome="connected")
    acquainted.logs(ActivityKind.MEETING, id="x2", at=NOON + DAY, outcome="scheduled")
    acquainted.look()
    assert followed(acquainted) == {"": Calls(1, 0, 1, 0)}


def test_a_meeting_that_is_only_planned_is_no_talk_yet(acquainted: World) -> None:
    suggested(acquainted, at=NOON - 3 * DAY)
    acquainted.logs(ActivityKind.MEETING, id="x2", at=NOON + DAY, outcome="scheduled")
    acquainted.look()
    assert followed(acquainted) == {"": Calls(1, 0, 0, 0)}


def test_a_call_task_that_is_ticked_off_is_no_talk(acquainted: World) -> None:
    """What Warmline made, or had closed, is never evidence."""
    suggested(acquainted, state="completed", wanted="completed", closed_by="crm", closed_at=real_now())
    assert followed(acquainted) == {"": Calls(1, 1, 0, 0)}


def test_a_call_that_was_made_was_acted_on_though_its_task_was_taken_back(acquainted: World) -> None:
    suggested(
        acquainted, at=NOON - 2 * DAY, state="withdrawn", wanted="withdrawn", closed_by="rules", closed_at=real_now()
    )
    assert counted(acquainted)["lapsed"] == 1
    acquainted.logs(ActivityKind.CALL, id="x1", at=NOON - DAY, outcome="connected")
    acquainted.look()
    assert counted(acquainted) == {"acted_on": 1, "dismissed": 0, "lapsed": 0, "never_given": 0, "open": 0, "held": 0}


def test_a_tenth_is_held_back_by_its_key_alone() -> None:
    keys = [f"call-{number}" for number in range(4000)]
    tenth = [key for key in keys if in_the_tenth(key)]
    assert 320 < len(tenth) < 480
    assert tenth == [key for key in keys if in_the_tenth(key)]


TENTH = next(f"call-{number}" for number in range(100) if in_the_tenth(f"call-{number}"))
OTHER = next(f"call-{number}" for number in range(100) if not in_the_tenth(f"call-{number}"))


def wait_for_a_call(world: World, key: str, **values: Any) -> None:
    [[contact_id]] = world.sql("SELECT id FROM contacts")
    content = {"subject": "Call Ana", "body": "", "owner_id": "o1", "due_at": NOON.isoformat(), "high_priority": False}
    row = {"kind": "ready_for_call", "key": key, "content": content, "urgency": 50, "person": f"contact:{key}"}
    rows_of(world).task(crm=world.connection("crm").id, contact=contact_id, **{**row, **values})
    world.sql("UPDATE workspace_schedule SET decide_at = :now", now=world.now)
    world.run()


def test_where_the_workspace_wants_to_compare_a_tenth_of_calls_is_held_back_and_says_so(acquainted: World) -> None:
    acquainted.set(call_holdout=True)
    acquainted.run()
    wait_for_a_call(acquainted, TENTH)
    wait_for_a_call(acquainted, OTHER)

    held, given = acquainted.task(key=TENTH), acquainted.task(key=OTHER)
    assert (held.held_reason, held.trial, held.state) == (HELD_BACK, "held_back", "absent")
    assert (given.held_reason, given.trial, given.state) == ("", "given", "open")
    assert held.trial_at == given.trial_at == NOON

    acquainted.passes(15 * DAY)
    acquainted.logs(ActivityKind.CALL, id="x1", at=NOON + DAY, outcome="connected")
    acquainted.look()
    with acquainted.runtime.db.tenant(acquainted.workspace_id) as session:
        groups = faring(session, acquainted.workspace_id).groups
    assert groups == {"given": Calls(1, 1, 1, 1), "held_back": Calls(1, 1, 1, 1)}


def test_nobody_who_asked_for_a_call_is_held_back(acquainted: World) -> None:
    acquainted.set(call_holdout=True)
    acquainted.run()
    wait_for_a_call(acquainted, TENTH, urgency=90)
    assert (acquainted.task(key=TENTH).state, acquainted.task(key=TENTH).trial) == ("open", "")


def test_nothing_is_held_back_unless_the_workspace_wants_it(acquainted: World) -> None:
    wait_for_a_call(acquainted, TENTH)
    assert (acquainted.task(key=TENTH).state, acquainted.task(key=TENTH).trial) == ("open", "")
    with acquainted.runtime.db.tenant(acquainted.workspace_id) as session:
        assert faring(session, acquainted.workspace_id).groups == {}


def test_a_dismissal_in_the_console_counts(connected: World) -> None:
    ask(connected, 1)
    task = connected.task()
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        acting.dismiss_task(session, connected.workspace_id, task.id, by="user:1")
    assert counted(connected)["dismissed"] == 1
