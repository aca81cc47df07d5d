"""Whatever a create is sent from, that it may have been sent is stored first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from integrations.crm.bottlecrm import desk as bottlecrm
from integrations.crm.espocrm import desk as espocrm
from integrations.crm.hubspot import pushing as hubspot
from integrations.crm.odoo import desk as odoo
from integrations.crm.pipedrive import tasks as pipedrive
from integrations.crm.salesforce import pushing as salesforce
from service.ids import new_id
from service.models import Connection
from service.store import claims, pushing
from tests.workers.conftest import World
from tests.workers.pushes import due, row
from workers import saying
from workers.settling import untouched

STATES = ("absent", "open", "completed", "withdrawn", "unknown", "parked")
THEN = datetime(2026, 3, 1, tzinfo=UTC)


def lease(world: World, session: Session) -> Connection:
    """The CRM, as a push has it."""
    mine = new_id()
    session.execute(text("UPDATE connections SET push_lease_id = :l WHERE kind = 'crm'"), {"l": mine})
    crm = pushing.hold(session, world.workspace_id, world.connection("crm").id, mine)
    assert crm is not None
    return crm


def test_every_create_is_noted_before_it_is_sent_and_sought_where_one_was(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    change = text("UPDATE tasks SET state = :s, wanted = :w, external_id = :e, maybe_sent_at = :m, push_at = :n, sent = '[]'")  # fmt: skip
    creates = 0
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        crm = lease(connected, session)
        for case in product(STATES, ("open", "completed", "withdrawn"), (None, "t1"), (None, THEN)):
            state, _, _, sent_at = case
            session.execute(change, {**dict(zip("swem", case, strict=True)), "n": connected.now})
            [taken] = pushing.take(session, crm, (), 10)
            task = saying.as_task(taken)
            [(noted, noted_at, as_sent)] = session.execute(
                text("SELECT state, maybe_sent_at, sent->-1 = content FROM tasks")
            )
            if task is None or task.external_id is not None:  # it makes nothing
                assert (noted, noted_at) == (state, sent_at), case
            elif task.maybe_sent_at is None:
                creates += 1
                assert (taken.wanted, noted, as_sent) == ("open", "unknown", True), case
                assert noted_at not in (None, THEN), case
            else:
                assert (state, noted, noted_at) == ("unknown", "unknown", THEN), case
        session.rollback()
    assert creates == 2 * len(STATES) - 1


@pytest.mark.parametrize("state", [each for each in STATES if each != "unknown"])
def test_a_create_that_came_to_nothing_is_new_again_only_where_it_was_certainly_not_sent(state: str) -> None:
    new = row(state=state)
    assert (untouched(new, unsent=True).state, untouched(new, unsent=True).maybe_sent_at) == ("absent", None)
    assert untouched(new, unsent=False).state == "unknown"
    assert untouched(new, unsent=False).maybe_sent_at is not None
    over = replace(new, wanted="completed")  # of which nothing is said
    assert (untouched(over, unsent=False).state, untouched(over, unsent=False).maybe_sent_at) == (state, None)


@pytest.mark.parametrize("state", [each for each in STATES if each != "unknown"])
def test_a_create_that_may_have_been_sent_just_now_is_not_dated_by_an_earlier_one(state: str) -> None:
    again = row(state=state, maybe_sent_at=THEN)
    noted = untouched(again, unsent=False).maybe_sent_at
    assert noted is not None
    assert noted > THEN
    assert untouched(again, unsent=True).maybe_sent_at == THEN
    lost = replace(again, state="unknown")  # it is sought before it is sent
    assert untouched(lost, unsent=False).maybe_sent_at == THEN


def test_what_may_have_been_made_before_a_restore_is_sought_whatever_it_was(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        crm = lease(connected, session)
        crm.restored_from, crm.restored_at = THEN, connected.now + timedelta(days=1)
        for state in ("absent", "parked", "withdrawn"):
            session.execute(
                text("UPDATE tasks SET state = :s, external_id = NULL, push_at = :n"), {"s": state, "n": connected.now}
            )
            [taken] = pushing.take(session, crm, (), 10)
            task = saying.as_task(taken)
            assert task is not None
            assert task.maybe_sent_at == THEN
        session.rollback()


def test_what_may_have_been_sent_again_is_not_sought_before_it_has_settled(connected: World) -> None:
    """One that was lost is dated by its first create, since it is sought from then on. What goes out again and ends by an error of ours may
    be on its way all the same."""
    connected.crm.unique = False
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.crm.lose_answer(work_done=False)
    connected.run()
    connected.sql(
        "UPDATE tasks SET maybe_sent_at = maybe_sent_at - interval '10 minutes', push_at = :n", n=connected.now
    )
    due(connected)
    connected.crm.script.fail(KeyError("an error of ours"), on="batch")  # type: ignore[arg-type]

    connected.run()

    assert (connected.task().state, connected.crm.script.failed) == ("unknown", 1)
    [(wait,)] = connected.sql("SELECT next_push_at - now() FROM connections WHERE kind = 'crm'")
    assert wait > claims.SETTLED - timedelta(minutes=1)


def test_no_crm_takes_longer_to_settle_than_is_waited_for() -> None:
    one_by_one = (bottlecrm.BottleDesk, espocrm.EspoDesk, odoo.OdooDesk, pipedrive.Desk)
    assert max(*(desk.settle for desk in one_by_one), hubspot.SETTLE, salesforce.SETTLE) <= claims.SETTLED
