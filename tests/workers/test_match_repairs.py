"""A match that is confirmed, rejected or undone repairs the tasks that were made from it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from integrations.records import Contact, Handle, Owner
from service.models import Match
from service.rules.model import MatchState
from service.store import acting
from tests.workers.conftest import ANA, World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def contact(id: str, owner: str, *, handle: str = "", **fields: str) -> Contact:
    handles = (Handle("fakesocial", handle),) if handle else ()
    return Contact(
        id=id, name="Ana Ferrer", first_name="Ana", last_name="Ferrer", owner_id=owner, handles=handles, **fields
    )  # type: ignore[arg-type]


def matches(world: World) -> dict[str, UUID]:
    """Match ids by the CRM's contact ids."""
    with world.runtime.db.tenant(world.workspace_id) as session:
        ids = {row.contact_id: row.id for row in session.scalars(select(Match))}
    return {native: ids[row_id] for row_id, native in world.sql("SELECT id, native_id FROM contacts") if row_id in ids}


def decide(world: World, contact_id: str, state: MatchState) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        acting.decide_match(session, world.workspace_id, matches(world)[contact_id], state, by="user:olga")  # type: ignore[arg-type]
    world.run()


def undo(world: World, contact_id: str) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        acting.undo_match(session, world.workspace_id, matches(world)[contact_id], by="user:olga")
    world.run()


@pytest.fixture
def matched(connected: World) -> World:
    """Ana waits, and wishes to talk; the CRM has her handle on file with one contact, and a namesake of hers."""
    connected.crm.add(Owner("o2", "saleh@acme.test", "Saleh"), Owner("o3", "tove@acme.test", "Tove"))
    connected.crm.add(
        contact("c1", "o2", handle="ana", company="Ferrer Bikes"), contact("c2", "o3", company="Other Ferrer")
    )
    connected.says("@brand Can we have a call next week?", id="w", ago=20 * HOUR)
    connected.answers("Sure. When?", id="r", to="w", ago=19 * HOUR)
    connected.says("@brand Do you ship to Porto?", id="q", ago=3 * HOUR)
    connected.run()
    return connected


def in_crm(world: World, kind: str) -> tuple[str | None, str | None, str]:
    """(contact, owner, body) of the one open task of this kind, as the CRM has it."""
    task = world.task(kind=kind, wanted="open")
    state = world.crm.by_key(task.key)
    assert state is not None
    return world.crm.contact_of[state.id], state.owner_id, state.body


def test_at_first_the_tasks_are_about_whom_the_rules_found(matched: World) -> None:
    assert in_crm(matched, "ready_for_call")[:2] == ("c1", "o2")
    assert in_crm(matched, "unanswered")[:2] == ("c1", "o1")
    assert "Ferrer Bikes" in in_crm(matched, "ready_for_call")[2]


def test_somebody_elses_match_takes_the_contact_off_and_gives_the_call_to_nobodys_owner(matched: World) -> None:
    before = matched.crm.tasks_ever_created
    decide(matched, "c1", MatchState.REJECTED)
    for kind in ("unanswered", "ready_for_call"):
        assert in_crm(matched, kind)[:2] == (None, "o1")
        assert "Ferrer Bikes" not in in_crm(matched, kind)[2]
    assert matched.crm.tasks_ever_created == before


def test_undoing_the_rejection_brings_contact_owner_and_words_back(matched: World) -> None:
    before, made = (in_crm(matched, "unanswered"), in_crm(matched, "ready_for_call")), matched.crm.tasks_ever_created
    decide(matched, "c1", MatchState.REJECTED)
    undo(matched, "c1")
    assert (in_crm(matched, "unanswered"), in_crm(matched, "ready_for_call")) == before
    assert matched.crm.tasks_ever_created == made


def test_a_confirmed_contact_moves_the_tasks_to_it_and_its_owner(matched: World) -> None:
    decide(matched, "c1", MatchState.REJECTED)
    decide(matched, "c2", MatchState.CONFIRMED)
    assert in_crm(matched, "ready_for_call")[:2] == ("c2", "o3")
    assert in_crm(matched, "unanswered")[0] == "c2"
    assert "Other Ferrer" in in_crm(matched, "ready_for_call")[2]
    undo(matched, "c2")
    assert in_crm(matched, "ready_for_call")[0] is None


def test_what_a_person_edited_stays_theirs_through_a_repair(matched: World) -> None:
    task = matched.task(kind="ready_for_call", wanted="open")
    assert task.external_id is not None
    matched.crm.edit_as_person(task.external_id, owner_id="o3", subject="Mine now")
    matched.look(streams=("tasks",))
    decide(matched, "c1", MatchState.REJECTED)
    found = in_crm(matched, "ready_for_call")
    assert found[:2] == (None, "o3")
    assert matched.crm.tasks[task.external_id].subject == "Mine now"


def test_what_a_person_completed_stays_completed_through_a_repair(matched: World) -> None:
    task = matched.task(kind="ready_for_call", wanted="open")
    assert task.external_id is not None
    matched.crm.complete_as_person(task.external_id)
    matched.look(streams=("tasks",))
    made = matched.crm.tasks_ever_created
    decide(matched, "c1", MatchState.REJECTED)
    assert matched.tasks(kind="ready_for_call", wanted="open") == []
    assert matched.crm.tasks_ever_created == made


def test_the_other_task_of_the_same_person_is_untouched_by_a_strangers_match(matched: World) -> None:
    from msgspec.structs import replace

    zed = replace(ANA, id="z", handle="zed", name="Zed Zimmer", url="")
    matched.says("@brand And to Faro?", id="z1", who=zed)
    matched.look()
    before = in_crm(matched, "ready_for_call")
    decide(matched, "c1", MatchState.CONFIRMED)
    assert in_crm(matched, "ready_for_call") == before
