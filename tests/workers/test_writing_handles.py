"""A confirmed handle goes into the CRM where the workspace wants it; what Warmline wrote there is no evidence of anything."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from integrations.errors import TemporaryError
from integrations.records import Contact, Handle, HandleWrite, WriteOutcome, WriteResult
from service import settings
from service.store import acting, pairing, ruling
from tests.workers.conftest import ANA, World

BY = "user:olga"
OTHER = Contact(
    id="c2", name="Ana Ferrer Costa", first_name="Ana", last_name="Costa", emails=("ana@loja.com",), owner_id="o1"
)


def on_file(world: World, contact: str = "c2") -> set[str]:
    rows = world.sql("SELECT fields->'handles' FROM contacts WHERE native_id = :id", id=contact)
    return {each["value"] for (handles,) in rows for each in handles}


def states(world: World) -> list[tuple[str, str, str]]:
    return [
        tuple(row)
        for row in world.sql(
            "SELECT c.native_id, m.state, m.handle_state FROM matches m JOIN contacts c ON c.id = m.contact_id ORDER BY 1"
        )
    ]


def says_who(world: World, contact: str = "c2") -> None:
    """Somebody says that Ana is this contact."""
    ((author, contact_id),) = world.sql(
        "SELECT a.id, c.id FROM authors a, contacts c WHERE a.handle = 'ana' AND c.native_id = :id", id=contact
    )
    with world.runtime.db.tenant(world.workspace_id) as session:
        assert pairing.pair(session, world.workspace_id, author, contact_id, by=BY)
    world.run()


@pytest.fixture
def asked(connected: World) -> World:
    """Ana has asked something, and the CRM has a contact without a handle."""
    connected.crm.add(OTHER)
    connected.says("@brand Do you ship?", id="q1")
    connected.look()
    return connected


def test_nothing_is_written_unless_the_workspace_wants_it(asked: World) -> None:
    says_who(asked)
    assert asked.crm.script.count("write_handles") == 0
    assert states(asked) == [("c2", "confirmed", "")]


def test_a_confirmed_handle_is_written_once_and_only_where_none_stands(asked: World) -> None:
    asked.set(write_handles=True)
    says_who(asked)
    assert states(asked) == [("c2", "confirmed", "written")]
    asked.look()
    assert on_file(asked) == {"ana"}
    asked.look()
    assert asked.crm.script.count("write_handles") == 1


def test_switching_it_on_writes_what_was_confirmed_before(asked: World) -> None:
    says_who(asked)
    with asked.runtime.db.tenant(asked.workspace_id) as session:
        values = {**settings.current(session, asked.workspace_id).values, "write_handles": True}
        ruling.change_settings(session, asked.workspace_id, values, by=BY)
    asked.run()
    assert states(asked) == [("c2", "confirmed", "written")]


def test_a_handle_that_the_crm_has_is_left_as_it_is(connected: World) -> None:
    connected.set(write_handles=True)
    connected.knows(ANA)
    connected.says("@brand Do you ship?", id="q1")
    connected.look()
    assert states(connected) == [("c1", "confirmed", "kept")]
    assert connected.crm.script.count("write_handles") == 0


def test_what_the_crm_refuses_is_told_with_its_sentence_and_not_tried_again(asked: World) -> None:
    asked.set(write_handles=True)
    asked.crm.refuse("c2", "This contact is locked by a rule.")
    says_who(asked)
    asked.look()
    assert states(asked) == [("c2", "confirmed", "refused")]
    assert asked.sql("SELECT handle_detail FROM matches") == [("This contact is locked by a rule.",)]
    assert asked.crm.script.count("write_handles") == 1


def test_a_crm_that_is_away_gets_the_handle_when_it_is_back(asked: World) -> None:
    asked.set(write_handles=True)
    asked.crm.script.fail(TemporaryError("crm.example cannot be reached"), on="write_handles")
    says_who(asked)
    assert states(asked) == [("c2", "confirmed", "")]
    come_again(asked)
    assert states(asked) == [("c2", "confirmed", "written")]


def test_a_handle_that_the_crm_wants_later_is_said_again_though_no_task_is_due(
    asked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.set(write_handles=True)
    with monkeypatch.context() as busy:
        busy.setattr(asked.crm, "write_handles", lambda writes: [later(each) for each in writes])
        says_who(asked)
    assert states(asked) == [("c2", "confirmed", "")]
    come_again(asked)
    assert states(asked) == [("c2", "confirmed", "written")]


def later(write: HandleWrite) -> WriteResult:
    return WriteResult(write.contact_id, write.network, WriteOutcome.LATER)


def come_again(world: World) -> None:
    """The moment comes for which the CRM was put off, with nothing else to be done there."""
    assert world.sql("SELECT 1 FROM tasks WHERE push_at IS NOT NULL") == []
    ((due,),) = world.sql(
        "UPDATE connections SET next_push_at = least(next_push_at, now()) WHERE kind = 'crm' AND next_push_at < now() + interval '2 hours' RETURNING 1"
    ) or [(None,)]
    assert due, "nobody would come again"
    world.run()


def test_what_warmline_wrote_is_no_evidence_when_the_decision_is_undone(asked: World) -> None:
    asked.set(write_handles=True)
    says_who(asked)
    asked.look()
    assert on_file(asked) == {"ana"}
    ((match_id,),) = asked.sql("SELECT id FROM matches")
    with asked.runtime.db.tenant(asked.workspace_id) as session:
        acting.undo_match(session, asked.workspace_id, match_id, by=BY)
    asked.run()
    asked.crm.add(replace(OTHER, phones=("+351210000000",), handles=(Handle("fakesocial", "ana"),)))
    asked.look()
    assert states(asked) == [("c2", "suggested", "written")]
    assert on_file(asked) == {"ana"}  # it is not taken away either


def test_what_warmline_wrote_is_no_evidence_as_an_address_either_once_they_are_renamed(asked: World) -> None:
    asked.set(write_handles=True)
    says_who(asked)
    asked.look()
    ((match_id, author),) = asked.sql("SELECT id, author_id FROM matches")
    with asked.runtime.db.tenant(asked.workspace_id) as session:
        acting.undo_match(session, asked.workspace_id, match_id, by=BY)
    asked.sql(
        "UPDATE authors SET handle = 'ana_rides', url = 'https://fakesocial.example/ana_rides', former_handles = '{ana}' WHERE id = :id",
        id=author,
    )
    asked.crm.add(replace(OTHER, handles=(Handle("fakesocial", "https://fakesocial.example/ana/"),)))
    asked.look()
    assert states(asked) == [("c2", "suggested", "written")]


def test_a_handle_that_a_person_typed_is_evidence(asked: World) -> None:
    asked.crm.add(replace(OTHER, handles=(Handle("fakesocial", "ana"),)))
    asked.look()
    assert states(asked) == [("c2", "confirmed", "")]
