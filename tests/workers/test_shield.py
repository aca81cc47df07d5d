"""Never interrupt somebody who sits in a meeting."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from integrations.records import ActivityKind, Author, Owner
from service.db import scheduler_engine
from service.rules.admission import SHIELDED, Admitted, Waiting, admit
from service.rules.model import Policy
from service.store.claims import release
from service.store.shield import Coming
from tests.workers.conftest import NOON, PUSHES_ELSEWHERE, PUSHES_NO_MORE, World
from workers.shielding import Shield, later


def meeting(world: World, start: datetime, end: datetime, **fields: object) -> None:
    world.logs(
        ActivityKind.MEETING, id="m1", at=start, ends_at=end, owner_id="o1", outcome="scheduled", contact="c9", **fields
    )


def test_nothing_is_pushed_to_an_owner_in_a_meeting_and_it_comes_right_after(connected: World) -> None:
    connected.set(meeting_shield=True)
    end = NOON + timedelta(minutes=45)
    meeting(connected, NOON - timedelta(minutes=15), end)
    connected.run()
    connected.says("@brand Do you ship?", id="q1")
    connected.look()

    task = connected.task()
    assert connected.in_crm() == []
    assert task.push_at == end
    assert task.held_reason == "Its owner is in a meeting or outside working hours; it is handed over afterwards."

    connected.passes(timedelta(minutes=46))
    connected.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm'")
    connected.run()

    assert len(connected.in_crm()) == 1
    assert datetime.fromisoformat(connected.task().content["due_at"]) >= end


def test_outside_working_hours_it_waits_for_the_morning(connected: World) -> None:
    connected.set(
        meeting_shield=True,
        hours={"friday": ["09:00-17:00"], **{day: [] for day in ("monday", "thursday", "saturday", "sunday")}},
    )
    connected.says("@brand Do you ship?", id="q1", ago=timedelta(days=7))
    connected.run()

    assert connected.task().push_at == datetime(2026, 3, 13, 9, 0, tzinfo=NOON.tzinfo)


def asks(world: World, *names: str, ago: timedelta) -> None:
    for each in names:
        world.says("@brand Do you ship?", id=f"q-{each}", who=Author(each, each, each.title()), ago=ago)
    world.look()


def test_what_waits_for_the_morning_counts_towards_that_day_s_limit(connected: World) -> None:
    connected.set(
        meeting_shield=True,
        daily_cap=2,
        hours={"thursday": ["09:00-17:00"], "friday": ["09:00-17:00"], "saturday": [], "sunday": []},
    )
    meeting(connected, NOON - timedelta(minutes=15), NOON + timedelta(hours=5))
    connected.run()
    asks(connected, "bo", "cy", ago=timedelta(hours=3))

    connected.passes(timedelta(hours=21, minutes=30))
    connected.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm'")
    connected.run()
    asks(connected, "di", "ed", ago=timedelta(hours=18))

    assert len(connected.in_crm()) == 2
    assert {task.held_reason for task in connected.tasks(wanted="open")} == {
        "",
        "Its owner has been given 2 new tasks today, which is the limit.",
    }


def test_a_task_that_a_meeting_moves_to_another_day_is_one_of_that_day(connected: World) -> None:
    connected.set(meeting_shield=True, daily_cap=2)
    connected.sql(PUSHES_ELSEWHERE)
    asks(connected, "bo", "cy", ago=timedelta(hours=3))
    meeting(connected, NOON - timedelta(minutes=15), NOON + timedelta(hours=13))
    connected.sql(PUSHES_NO_MORE)
    connected.look()

    connected.passes(timedelta(hours=13, minutes=5))
    connected.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm'")
    connected.run()
    asks(connected, "di", "ed", ago=timedelta(hours=10))

    assert len(connected.in_crm()) == 2


def test_a_cancelled_meeting_holds_nothing_back(connected: World) -> None:
    connected.set(meeting_shield=True)
    connected.logs(
        ActivityKind.MEETING,
        id="m1",
        at=NOON - timedelta(minutes=5),
        ends_at=NOON + timedelta(hours=1),
        owner_id="o1",
        outcome="cancelled",
    )
    connected.says("@brand Do you ship?", id="q1")

    connected.run()

    assert len(connected.in_crm()) == 1


# --- the law: zero pushes inside busy time -------------------------------------------------------------------------

ZONES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
START = datetime(2026, 3, 26, tzinfo=UTC)  # a Thursday; Europe and Lord Howe change their clocks within two weeks
OWNERS = ("o1", "o2", "")
CRM = str(UUID(int=1))


def policy(zone: str, opens: int, closes: int, days: frozenset[int], holidays: frozenset[date]) -> Policy:
    span = ((time(opens), time(closes % 24)),)
    hours = {day: span if day in days else () for day in range(7)}
    return Policy(1, zone, hours, holidays, {}, timedelta(days=90))


policies = st.builds(
    policy, st.sampled_from(ZONES), st.integers(0, 11), st.integers(12, 24),
    st.frozensets(st.integers(0, 6), min_size=1), st.frozensets(st.integers(0, 9).map(lambda day: date(2026, 3, 26) + timedelta(days=day)), max_size=3),
)  # fmt: skip
instants = st.integers(0, 10 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
meetings = st.lists(
    st.tuples(instants, st.integers(1, 600).map(lambda minutes: timedelta(minutes=minutes))), max_size=12
)


def may_be_reached(at: datetime, rules: Policy, busy: list[tuple[datetime, timedelta]]) -> bool:
    """The same question asked of the wall clock, minute by minute, without any of the code that answers it."""
    local = at.astimezone(ZoneInfo(rules.timezone))
    spans = () if local.date() in rules.holidays else rules.hours[local.weekday()]
    inside = any(start <= local.time() and (local.time() < end or end == time(0)) for start, end in spans)
    return inside and not any(start <= at < start + length for start, length in busy)


@dataclass
class _Pending:
    owner: tuple[str, str]
    push_at: datetime
    due_at: datetime


@given(
    rules=policies,
    calendars=st.tuples(*[meetings for _ in OWNERS]),
    arrivals=st.lists(st.tuples(instants, st.sampled_from(OWNERS), st.integers(0, 100)), max_size=12),
    looks=st.lists(instants, min_size=1, max_size=40),
    added=st.tuples(*[meetings for _ in OWNERS]),
    changes=instants,
)
def test_no_task_reaches_an_owner_in_a_meeting_or_outside_working_hours(
    rules: Policy, calendars: tuple[list[tuple[datetime, timedelta]], ...], arrivals: list[tuple[datetime, str, int]],
    looks: list[datetime], added: tuple[list[tuple[datetime, timedelta]], ...], changes: datetime,
) -> None:  # fmt: skip
    """Tasks arrive, the push looks when it happens to (late, early, twice), and meetings are put in meanwhile."""
    waiting = {str(number): arrival for number, arrival in enumerate(arrivals)}
    pending: dict[str, _Pending] = {}
    for now in sorted(looks):
        own = {
            owner: [*calendars[number], *(added[number] if now >= changes else ())]
            for number, owner in enumerate(OWNERS)
        }
        spans = {(CRM, owner): [(at, at + length) for at, length in each] for owner, each in own.items()}
        shield = Shield(True, rules, {}, spans)
        come = {name: each for name, each in waiting.items() if each[0] <= now}
        for name in come:
            waiting.pop(name)
        tasks = [
            Waiting(name, ("b", name, "unanswered"), (CRM, owner), urgency, at)
            for name, (at, owner, urgency) in come.items()
        ]
        answers = admit(
            tasks, taken=set(), given_today={}, cap=None, tomorrow=now, now=now,
            free={each.owner: shield.free(each.owner, now) for each in tasks},
        )  # fmt: skip
        for each in tasks:
            answer = answers[each.id]
            assert isinstance(answer, Admitted)
            pending[each.id] = _Pending(each.owner, answer.at, shield.due(each.owner, answer.at))
        ids = {UUID(int=int(name)): name for name, each in pending.items() if each.push_at <= now}
        due = [
            Coming(id_, pending[name].owner, pending[name].push_at, pending[name].due_at, True)
            for id_, name in ids.items()
        ]
        moved = {ids[each.id]: each for each in later(shield, due, now)}
        for name in ids.values():
            if name in moved:
                assert moved[name].held_reason == SHIELDED
                assert moved[name].push_at is not None
                assert moved[name].due_at is not None
                pending[name].push_at, pending[name].due_at = moved[name].push_at, moved[name].due_at  # type: ignore[assignment]
                assert pending[name].push_at > now
                continue
            pushed = pending.pop(name)
            busy = own[pushed.owner[1]]
            assert may_be_reached(now, rules, busy)
            assert (
                may_be_reached(pushed.due_at, rules, busy) or now >= changes
            )  # what is put in later moves it on its own


def test_over_a_day_of_meetings_nothing_is_pushed_while_its_owner_sits_in_one(connected: World) -> None:
    dice = random.Random(5)
    connected.crm.add(Owner("o2", "omar@acme.test", "Omar"))
    connected.set(meeting_shield=True, hours={day: ["08:00-18:00"] for day in ("thursday", "friday")}, daily_cap=3)
    busy: dict[str, list[tuple[datetime, datetime]]] = {"o1": [], "o2": []}
    people = [Author(f"a{n}", f"p{n}", f"Person {n}", url=f"https://social.example/p{n}") for n in range(6)]
    for number, person in enumerate(people):
        connected.knows(person, id=f"c{number}", owner=f"o{number % 2 + 1}")
    seen: set[str] = set()
    for step in range(16):
        if step % 4 == 0:
            owner = dice.choice(["o1", "o2"])
            start = connected.now + timedelta(minutes=dice.randrange(0, 120))
            end = start + timedelta(minutes=dice.randrange(30, 240))
            busy[owner].append((start, end))
            connected.logs(
                ActivityKind.MEETING,
                id=f"m{step}",
                at=start,
                ends_at=end,
                owner_id=owner,
                outcome="scheduled",
                contact="c9",
            )
        if step < 12:
            connected.says("@brand Do you ship?", id=f"q{step}", who=people[step % 6], ago=timedelta(minutes=70))
        connected.sql(
            "UPDATE connections SET next_push_at = now() WHERE kind = 'crm'"
        )  # business time stands still, the queue does not
        connected.look()
        for task_id in sorted({*connected.crm.tasks} - seen):
            owner_id = connected.crm.tasks[task_id].owner_id or ""
            assert not any(start <= connected.now < end for start, end in busy[owner_id]), (connected.now, owner_id)
            assert 8 <= connected.now.hour < 18
        seen |= {*connected.crm.tasks}
        connected.passes(timedelta(minutes=91))
    assert len(seen) >= 3


def work(world: World, job: str) -> None:
    """What is due of this sort, done at once; all else that is due stays where it is."""
    claims = world.claim()
    with scheduler_engine(world.runtime.config.need("database_scheduler_url")).begin() as connection:
        release(connection, [each for each in claims if each.job != job], world.now)
    for claim in claims:
        if claim.job == job:
            world.work(claim)


def test_what_was_late_in_the_queue_is_checked_once_more_right_before_it_is_sent(connected: World) -> None:
    connected.set(meeting_shield=True)
    connected.says("@brand Do you ship?", id="q1")
    connected.run()
    assert len(connected.in_crm()) == 1
    connected.says("@brand Hello? Do you ship or not?", id="q2", who=Author("b1", "bo", "Bo"))
    connected.due("mentions")
    work(connected, "pull")
    work(connected, "decide")  # admitted: its owner is free
    assert connected.task(state="absent").push_at == NOON
    [late] = [each for each in connected.claim() if each.job == "push"]
    meeting(connected, NOON - timedelta(minutes=1), NOON + timedelta(hours=1))
    connected.due("activities")
    work(connected, "pull")

    connected.work(late)

    waits = connected.task(state="absent")
    assert len(connected.in_crm()) == 1
    assert waits.push_at == NOON + timedelta(hours=1)
    assert waits.held_reason == SHIELDED
    assert datetime.fromisoformat(waits.content["due_at"]) >= NOON + timedelta(hours=1)


def test_a_task_is_closed_at_any_time(connected: World) -> None:
    connected.set(meeting_shield=True)
    connected.says("@brand Do you ship?", id="q1")
    connected.run()
    meeting(connected, NOON - timedelta(minutes=1), NOON + timedelta(hours=1))
    connected.answers("We do.", id="r1", to="q1")
    connected.look()
    assert connected.in_crm() == []
    assert len(connected.in_crm("completed")) == 1


def test_with_the_shield_taken_away_what_waits_comes_at_once(connected: World) -> None:
    connected.set(meeting_shield=True)
    meeting(connected, NOON - timedelta(minutes=1), NOON + timedelta(hours=1))
    connected.run()
    connected.says("@brand Do you ship?", id="q1")
    connected.look()
    assert connected.in_crm() == []

    connected.set(meeting_shield=False)
    connected.run()

    assert len(connected.in_crm()) == 1


def test_a_meeting_without_an_end_lasts_half_an_hour(connected: World) -> None:
    connected.set(meeting_shield=True)
    connected.logs(ActivityKind.MEETING, id="m1", at=NOON - timedelta(minutes=10), owner_id="o1", outcome="scheduled")
    connected.run()
    connected.says("@brand Do you ship?", id="q1")
    connected.look()
    assert connected.task().push_at == NOON + timedelta(minutes=20)
