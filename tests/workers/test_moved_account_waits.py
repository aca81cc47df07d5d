"""What waited for a brand before its account moved to another: who ends it, and with whom it stays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from integrations.records import Author, Engagement, Kind, Owner
from service.db import RawConnection
from service.store import elsewhere, tending
from service.store.rows import execute
from tests.workers.conftest import ANA, BRAND, World
from tests.workers.moving import LENA, TEXT, a_week_goes_by, account, moves, waits, where


@pytest.fixture
def asked(connected: World) -> World:
    """A question that has become Acme's task."""
    connected.says(TEXT, id="q1")
    connected.run()
    assert len(connected.in_crm()) == 1
    return connected


def privately(world: World, id_: str, whom: Author = ANA) -> None:
    """The account tells somebody something in private."""
    post = Engagement(
        id=id_, kind=Kind.DIRECT, author=BRAND, text="At nine.", created_at=world.now, url="", thread=f"dm-{whom.id}", in_reply_to_author=whom.id
    )  # fmt: skip
    world.social.serve("own", post)
    world.look()


def test_what_the_moved_account_tells_somebody_in_private_ends_their_wait_in_a_thread_that_it_brought_before(
    asked: World,
) -> None:
    moves(asked)
    privately(asked, "d1")
    assert (waits(asked), asked.in_crm(), len(asked.in_crm("completed"))) == ({}, [], 1)
    asked.social.delete("d1")
    a_week_goes_by(asked)
    asked.look(streams=("recheck",))
    assert (waits(asked), len(asked.in_crm())) == ({"Acme": "ana"}, 1)


def test_what_it_tells_one_person_in_private_leaves_another_waiting(asked: World) -> None:
    moves(asked)
    privately(asked, "d1", LENA)
    assert waits(asked) == {"Acme": "ana"}


@pytest.mark.parametrize("known", [False, True], ids=["by the handle", "by the id"])
def test_a_colleague_of_the_first_brand_answers_for_it_after_the_move(asked: World, known: bool) -> None:
    asked.sql("UPDATE brands SET colleagues = ARRAY['fakesocial:lena'] WHERE name = 'Acme'")
    if known:
        asked.says("Have a look at this.", id="c1", who=LENA, ago=timedelta(hours=5))
        asked.look()
    moves(asked)
    asked.says("At nine.", id="a1", who=LENA, to="q1", in_reply_to_author=ANA.id, kind=Kind.CONTEXT, ago=timedelta(0))
    asked.look()
    assert where(asked)["a1"] == "Rival"
    assert (waits(asked), asked.in_crm(), len(asked.in_crm("completed"))) == ({}, [], 1)


def test_a_colleague_of_the_rivals_alone_ends_nothing_that_waited_before(asked: World) -> None:
    moves(asked)
    asked.sql("UPDATE brands SET colleagues = ARRAY['fakesocial:lena'] WHERE name = 'Rival'")
    asked.says("At nine.", id="a1", who=LENA, to="q1", in_reply_to_author=ANA.id, kind=Kind.CONTEXT, ago=timedelta(0))
    asked.look()
    assert asked.sql("SELECT ours FROM engagements WHERE native_id = 'a1'") == [(True,)]
    assert waits(asked) == {"Acme": "ana"}


def test_what_was_said_in_a_thread_since_is_read_once_for_all_who_wait_there(
    asked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.says("@brand And on Sundays?", id="q2", who=LENA, to="q1")
    asked.look()
    moves(asked)
    for number in range(5):
        asked.says("@brand I wonder too.", id=f"p{number}", who=Author(f"w{number}", f"wim{number}"), to="q1")
    read: list[int] = []

    def explained(connection: RawConnection, statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        if statement == elsewhere._BY_THE_ACCOUNT:
            [(plan,)] = execute(connection, f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", params)
            read.extend(
                each["Actual Rows"] for each in plan[0]["Plan"]["Plans"] if each.get("Subplan Name") == "CTE said"
            )
        return execute(connection, statement, params)

    monkeypatch.setattr(elsewhere, "execute", explained)
    asked.look()
    assert len(waits(asked)) == 2
    assert max(read) == 5 + 2  # those of the second brand, for the first, and the other way round


def responders(world: World) -> dict[str, str]:
    """Who each CRM task is given to, by the brand that it is for."""
    rows = world.sql(
        "SELECT b.name, t.content->>'owner_id' FROM tasks t JOIN brands b ON b.id = t.brand_id WHERE t.wanted = 'open'"
    )
    return dict(map(tuple, rows))


def test_what_waited_before_stays_with_whom_the_first_brand_gave_it_to(asked: World) -> None:
    for id_ in ("rita", "sam"):
        asked.crm.add(Owner(id_, f"{id_}@acme.test", id_.title()))
    asked.look()
    moves(asked)
    responsible(asked, "rita@acme.test")
    asked.says("@brand Do you ship to Faro?", id="q2", who=LENA, ago=timedelta(hours=2))
    asked.look()
    assert responders(asked) == {"Acme": "o1", "Rival": "rita"}
    moves(asked, to="Acme")
    assert account(asked).responder_email == "olga@acme.test"
    responsible(asked, "sam@acme.test")
    assert responders(asked) == {"Acme": "sam", "Rival": "rita"}


def responsible(world: World, email: str) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        tending.set_responder(session, world.workspace_id, account(world).id, email, by="system")
    world.run()
