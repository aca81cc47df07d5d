"""Colleagues who are listed by their handles: from the first post of theirs on it is their ids that tell who they are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from integrations.records import Author, Kind
from service.models import Brand, Connection
from service.store import us
from tests.workers.conftest import ANA, World

RUI, RENAMED = Author("t1", "Rui", "Rui Alves"), Author("t1", "rui_alves", "Rui Alves")
STRANGER = Author("t9", "rui", "Rui Costa")  # has taken the handle that the colleague gave up


def list_(world: World, *handles: str) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        us.list_as(session.scalars(select(Brand)).one(), [f"fakesocial:{each}" for each in handles])


def kept(world: World) -> dict[str, str]:
    [(ids,)] = world.sql("SELECT colleague_ids FROM brands")
    return dict(ids)


def whose(world: World) -> dict[str, bool]:
    return dict(world.sql("SELECT native_id, ours FROM engagements"))


@pytest.fixture
def known(connected: World) -> World:
    """A listed colleague has written, and goes by another handle since."""
    list_(connected, "rui")
    connected.says("Have a look at this.", id="c1", who=RUI)
    connected.run()
    assert kept(connected) == {"fakesocial:rui": "t1"}
    return connected


def test_the_question_of_a_stranger_who_took_a_colleagues_old_handle_is_work(known: World) -> None:
    known.says("@brand Does it need a plate?", id="q1", who=STRANGER)
    known.says("Have a look at that.", id="c2", who=RENAMED)
    known.look()
    assert whose(known) == {"c1": True, "c2": True, "q1": False}
    assert [task.kind for task in known.tasks()] == ["unanswered"]
    assert kept(known) == {"fakesocial:rui": "t1"}


def test_the_reply_of_such_a_stranger_is_no_answer_of_ours(known: World) -> None:
    known.says("@brand Does it need a plate?", id="q1", ago=timedelta(hours=5))
    hours = timedelta(hours=4)
    known.says(
        "Mine does not.", id="r1", who=STRANGER, to="q1", ago=hours, kind=Kind.CONTEXT, in_reply_to_author=ANA.id
    )
    known.look()
    assert [task.kind for task in known.tasks()] == ["unanswered"]


@pytest.mark.parametrize(
    ("edits", "ours"),
    [
        pytest.param([["rui", "mia"]], False, id="saved with another beside them: as before"),
        pytest.param([["@Rui"]], False, id="spelt otherwise: as before"),
        pytest.param([["mia"], ["rui"]], True, id="taken off and listed again: whoever has it now"),
    ],
)
def test_whom_an_entry_means_once_a_person_has_edited_it(known: World, edits: list[list[str]], ours: bool) -> None:
    for each in edits:
        list_(known, *each)
    known.says("Anything else?", id="c2", who=STRANGER)
    known.look()
    assert whose(known)["c2"] is ours


def test_where_a_network_tells_no_ids_the_handle_is_all_there_is(known: World) -> None:
    known.says("Have a look at that.", id="c2", who=Author("@rui", "Rui"))
    known.look()
    assert whose(known)["c2"] is True
    assert kept(known) == {"fakesocial:rui": "t1"}


def test_an_id_that_one_server_told_says_nothing_on_another(known: World) -> None:
    with known.runtime.db.tenant(known.workspace_id) as session:
        row = session.scalars(select(Connection).where(Connection.provider == "fakesocial")).one()
        here = us.source(session, row)
        row.host = "b.example"
        there = us.source(session, row)
        session.rollback()
    assert [here.is_ours(each) for each in (STRANGER, RENAMED)] == [False, True]
    assert [there.is_ours(each) for each in (STRANGER, RENAMED)] == [True, False]
