"""How all of it stands: what is counted, over every workspace, and that it costs by what needs a look."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from service.clock import business_now, real_now
from service.config import Config
from service.console import operator
from service.db import scheduler_engine
from service.migrations.security import SCHEDULED, WATCHED
from service.runtime import Runtime
from service.store import claims
from service.watch import checkup, states
from service.watch.states import States
from tests.conftest import Member
from tests.service.rows import Rows


def look(config: Config, frozen: frozenset[str] = frozenset()) -> States:
    return states.look(scheduler_engine(config.need("database_scheduler_url")), frozen)


@pytest.fixture
def both(held: Runtime, owner: Member, stranger: Member) -> tuple[Rows, Rows]:
    """Rows of two workspaces."""
    made = tuple(Rows(held.db, each.workspace_id, real_now()) for each in (owner, stranger))
    for each in made:
        with held.db.tenant(each.workspace_id) as session:
            session.execute(text("UPDATE workspace_schedule SET decide_at = NULL"))
    return made[0], made[1]


def rounded(found: States) -> dict[str, tuple[str, int, int]]:
    return {each.step: (each.provider, each.rows, round(each.lag / 60)) for each in found.backlog}


def test_what_is_due_is_counted_over_every_workspace_by_step_and_provider(
    config: Config, both: tuple[Rows, Rows]
) -> None:
    now = real_now()
    for minutes, rows in zip((10, 30), both, strict=True):
        at = now - timedelta(minutes=minutes)
        social = rows.connection(provider="mastodon", streams=())
        rows.stream(social, "mentions", next_pull_at=at)
        rows.stream(social, "own", next_pull_at=now + timedelta(hours=1))
        rows.stream(social, "old", next_pull_at=at, status="stopped")
        rows.connection(provider="hubspot", kind="crm", brand=False, streams=(), next_push_at=at)
        rows.calendar(next_fetch_at=at)
        with rows.db.tenant(rows.workspace_id) as session:
            session.execute(text("UPDATE workspace_schedule SET decide_at = :at"), {"at": business_now() - timedelta(minutes=minutes)})  # fmt: skip
    assert rounded(look(config)) == {
        "pull": ("mastodon", 2, 30), "decide": ("", 2, 30), "push": ("hubspot", 2, 30), "calendar": ("", 2, 30),
    }  # fmt: skip


def test_what_somebody_works_on_is_not_due_until_the_lease_runs_out(config: Config, both: tuple[Rows, Rows]) -> None:
    rows, now = both[0], real_now()
    social = rows.connection(provider="mastodon", streams=())
    rows.stream(social, "mentions", lease_id=uuid4(), lease_until=now + timedelta(minutes=4))
    rows.stream(social, "own", next_pull_at=now, lease_id=uuid4(), lease_until=now + timedelta(minutes=4))
    assert (look(config).backlog, look(config).under_way) == ((), 2)
    rows.stream(social, "messages", lease_id=uuid4(), lease_until=now - timedelta(minutes=6))
    [left] = look(config).backlog
    assert (left.step, left.rows, round(left.lag / 60)) == ("pull", 1, 6)


def test_each_connection_is_in_one_condition_the_worst_that_holds(config: Config, both: tuple[Rows, Rows]) -> None:
    rows = both[0]
    trouble = {"failures": 9, "waits_for": "rate_limit"}
    unwritten = {"kind": "crm", "push_failures": 9, "next_push_at": real_now() + timedelta(minutes=1)}
    for condition, connection, stream in (
        ("well", {}, {}), ("well", {}, {"failures": states.A_FEW}), ("failing", {}, trouble), ("limited", {}, {"waits_for": "rate_limit"}),
        ("ceiling", {}, {"waits_for": "ceiling"}), ("stopped", {}, {"status": "stopped", **trouble}), ("first_pull", {"ready_at": None}, {}),
        ("failing", unwritten, {}), ("failing", unwritten, trouble), ("stopped", unwritten, {"status": "stopped"}),
        ("well", {**unwritten, "push_failures": states.A_FEW}, {}), ("well", {**unwritten, "next_push_at": None}, {}),
        ("paused", {"paused_at": real_now(), **unwritten}, trouble), ("needs_reauth", {"status": "needs_reauth"}, trouble),
    ):  # fmt: skip
        made = rows.connection(provider=f"p-{condition}", streams=(), **connection)
        rows.stream(made, "mentions", **stream)
        rows.stream(made, "own")
    looked = look(config, frozen=frozenset({"p-limited", "p-paused", "p-stopped"}))
    found = looked.connections
    assert looked.unwritten == {"p-failing": 2}
    assert (found.pop(("p-limited", "frozen")), found.pop(("p-stopped", "frozen"))) == (1, 2)
    assert {f"p-{condition}": number for (provider, condition), number in found.items() if provider == f"p-{condition}"} == {
        "p-well": 4, "p-failing": 3, "p-ceiling": 1, "p-first_pull": 1, "p-paused": 1, "p-needs_reauth": 1,
    }  # fmt: skip
    assert {condition for _, condition in found} | {"frozen"} <= set(states.CONDITIONS)


def test_parked_tasks_and_what_reading_cost_are_summed_up(config: Config, both: tuple[Rows, Rows]) -> None:
    for rows in both:
        crm = rows.connection(provider="hubspot", kind="crm", brand=False, streams=())
        rows.task(crm=crm, state="parked", parked_at=real_now())
        rows.task(crm=crm, state="open", external_id=uuid4().hex)
        with rows.db.tenant(rows.workspace_id) as session:
            session.execute(
                text("INSERT INTO spend_months (workspace_id, month, micros) VALUES (:w, date_trunc('month', now() AT TIME ZONE 'UTC'), 1500000)"),
                {"w": rows.workspace_id},
            )  # fmt: skip
    found = look(config)
    assert (found.parked, found.spent) == ({"hubspot": 2}, 3_000_000)


def test_streams_that_are_not_read_and_need_somebody_are_counted_by_provider(
    config: Config, both: tuple[Rows, Rows]
) -> None:
    now, day = real_now(), timedelta(days=1)
    waits = {"waits_for": "rate_limit", "next_pull_at": now + timedelta(minutes=5)}
    for age, stream in (
        (2 * day, waits), (day / 2, waits),  # a limit may last for a day
        (day, {"next_pull_at": now - day}), (timedelta(hours=3), {"next_pull_at": now}),  # a workspace may look that seldom
        (2 * day, {"next_pull_at": now + timedelta(minutes=5)}), (2 * day, {"next_pull_at": now, "failures": 9}),
        (2 * day, {"next_pull_at": now, "waits_for": "ceiling"}), (2 * day, {"next_pull_at": now, "status": "stopped"}),
        (day, {"lease_id": uuid4(), "lease_until": now + timedelta(minutes=4)}),
    ):  # fmt: skip
        made = both[0].connection(provider="mastodon", account_id=uuid4().hex, streams=(), status_at=now - 9 * day)
        both[0].stream(made, "mentions", last_pulled_at=now - age, **stream)
    resting = both[1].connection(provider="mastodon", streams=(), status_at=now - 9 * day, paused_at=now)
    both[1].stream(resting, "mentions", last_pulled_at=now - 2 * day, **waits)
    assert look(config).unread == {"mastodon": 3}
    assert look(config, frozenset({"mastodon"})).unread == {}


def test_more_than_can_be_counted_is_counted_as_that_many(
    config: Config, both: tuple[Rows, Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "MOST", 3)
    social = both[0].connection(provider="mastodon", streams=())
    for number in range(5):
        both[0].stream(social, f"s{number}", next_pull_at=real_now())
    assert look(config).backlog[0].rows == 3


def test_what_is_named_has_ids_and_words_of_ours_alone(config: Config, both: tuple[Rows, Rows]) -> None:
    rows = both[1]
    crm = rows.connection(provider="hubspot", kind="crm", brand=False, streams=())
    task = rows.task(crm=crm, state="parked", parked_at=real_now(), detail="zebra")
    rows.stream(crm, "contacts", failures=9, error="zebra", next_pull_at=real_now() - timedelta(minutes=1))
    found = states.name(scheduler_engine(config.need("database_scheduler_url")), 10)
    assert [(each.workspace_id, each.id) for each in found.parked] == [(rows.workspace_id, task)]
    assert [(each.provider, each.name, each.failures) for each in found.troubled] == [("hubspot", "contacts", 9)]
    assert [each.name for each in found.due] == ["contacts"]
    rows.connection(
        provider="odoo", kind="crm", brand=False, push_failures=9, push_error="zebra", next_push_at=real_now()
    )
    found = states.name(scheduler_engine(config.need("database_scheduler_url")), 10)
    assert [(each.workspace_id, each.provider, each.failures) for each in found.unwritten] == [
        (rows.workspace_id, "odoo", 9)
    ]
    assert "zebra" not in repr(found)


# --- what it costs --------------------------------------------------------------------------------------------

INDEXES = {
    "pull": {"ix_streams_due", "ix_streams_leased"}, "decide": {"ix_workspace_schedule_due"}, "push": {"ix_connections_due"},
    "calendar": {"ix_calendar_feeds_due", "ix_calendar_feeds_leased"}, "person": {"ix_person_requests_due", "ix_person_requests_leased"},
    "errand": {"ix_errands_due", "ix_errands_leased"}, "under way": {"ix_streams_leased"}, "connections": {"ix_streams_troubled"},
    "unwritten": set[str](), "parked": {"ix_tasks_parked"}, "spent": set[str](),
    "unread": {"ix_streams_due", "ix_streams_leased", "ix_streams_troubled"},
}  # fmt: skip
# One row for each workspace, or for each of its months: read whole, and small.
SMALL = {"workspace_schedule", "connections", "spend_months"}


@pytest.mark.own_database  # one without statistics, as they decide on the plan
def test_a_question_begins_in_an_index_of_what_needs_a_look(config: Config) -> None:
    """So that a scrape costs the same with a thousand posts and with a million: no table that grows with them is read, and of those
    that grow with accounts only the rows that an index of few holds."""
    assert set(INDEXES) == set(states.STATEMENTS)
    params = {"now": business_now(), "most": 10, "few": 3, "month": real_now().date(), "before": real_now()}
    with scheduler_engine(config.need("database_scheduler_url")).begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        driver = connection.connection.driver_connection
        assert driver is not None
        for name, statement in states.STATEMENTS.items():
            named = re.sub(r":(\w+)", lambda found: f"%({found[1]})s", statement)
            plan = "\n".join(row[0] for row in driver.execute(f"EXPLAIN {named}".encode(), params).fetchall())
            assert set(re.findall(r"(?:using|Index Scan on) (ix_\w+)", plan)) >= INDEXES[name], plan
            assert set(re.findall(r"Seq Scan on (\w+)", plan)) <= SMALL, plan


def test_every_step_that_schedulers_claim_is_counted_and_named() -> None:
    assert (
        set(states.STEPS)
        == {each.job for each in claims._DUE}
        == set(operator.STEPS)
        == set(checkup._DOES)
        == set(checkup._ROWS)
    )


def test_no_question_reads_a_table_that_grows_with_posts() -> None:
    read = {
        table
        for statement in states.STATEMENTS.values()
        for table in re.findall(r"(?:FROM|JOIN) ([a-z_]+) (?!-)", statement)
    }
    assert read == {
        "streams",
        "connections",
        "workspace_schedule",
        "calendar_feeds",
        "person_requests",
        "errands",
        "tasks",
        "spend_months",
    }
    assert read <= {*SCHEDULED, *WATCHED}
    assert [name for name, statement in states.STATEMENTS.items() if "FROM tasks" in statement] == ["parked"]
