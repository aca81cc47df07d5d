"""An account that moves to another brand: what it brought while it was the first one's stays that brand's and is followed there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from integrations.records import Author, Engagement, Gone, Kind
from service.models import Connection
from service.store import pulling, us
from tests.workers.conftest import ANA, BRAND, World, edited
from tests.workers.moving import LENA, NEW, TEXT, WORD, a_week_goes_by, account, holds, moves, stays, waits, where


@pytest.fixture
def asked(connected: World) -> World:
    """A question that has become Acme's task."""
    connected.says(TEXT, id="q1")
    connected.run()
    assert len(connected.in_crm()) == 1
    return connected


BOTH_WAYS = pytest.mark.parametrize("goes", [moves, stays])


@BOTH_WAYS
def test_an_answer_by_the_moved_account_completes_the_task_of_the_brand_that_was_asked(
    asked: World, goes: Callable[[World], None]
) -> None:
    goes(asked)
    assert len(asked.in_crm()) == 1
    asked.answers("At nine.", id="a1", to="q1")
    asked.look()
    assert (asked.in_crm(), len(asked.in_crm("completed"))) == ([], 1)
    assert where(asked) == {"q1": "Acme", "a1": "Acme" if goes is stays else "Rival"}


def test_an_answer_given_while_it_was_the_others_still_counts_when_the_account_moves_back(asked: World) -> None:
    moves(asked)
    asked.answers("At nine.", id="a1", to="q1")
    asked.look()
    moves(asked, to="Acme")
    asked.sql("UPDATE conversations SET decide_at = now() - interval '1 year'")
    asked.look()
    assert (asked.in_crm(), len(asked.in_crm("completed")), waits(asked)) == ([], 1, {})


@BOTH_WAYS
def test_a_post_of_before_the_move_that_is_deleted_is_gone_here_and_from_the_task(
    asked: World, goes: Callable[[World], None]
) -> None:
    goes(asked)
    asked.social.delete("q1")
    a_week_goes_by(asked)
    asked.look(streams=("recheck",))
    assert not holds(asked, WORD)
    assert asked.in_crm() == []


@BOTH_WAYS
def test_a_post_of_before_the_move_that_is_edited_is_followed_in_the_task_and_stays_its_brands(
    asked: World, goes: Callable[[World], None]
) -> None:
    goes(asked)
    asked.social.serve("mentions", edited(asked.social.post("q1"), TEXT.replace(WORD, NEW)))
    asked.look(streams=("mentions",))
    assert (holds(asked, WORD), holds(asked, NEW)) == (False, True)
    assert len(asked.in_crm()) == 1
    assert asked.sql("SELECT b.name FROM conversations c JOIN brands b ON b.id = c.brand_id") == [("Acme",)]


def test_a_closed_task_of_before_the_move_quotes_no_more_what_was_edited_or_deleted_since(asked: World) -> None:
    asked.answers("At nine.", id="a1", to="q1")
    asked.look()
    moves(asked)
    asked.social.serve("mentions", edited(asked.social.post("q1"), TEXT.replace(WORD, NEW)))
    asked.look(streams=("mentions",))
    assert (holds(asked, WORD), holds(asked, NEW)) == (False, True)
    asked.social.delete("q1")
    a_week_goes_by(asked)
    asked.look(streams=("recheck",))
    assert (holds(asked, WORD), holds(asked, NEW)) == (False, False)


def test_whoever_asks_again_after_the_move_asks_the_new_brand_and_one_answer_ends_both_waits(asked: World) -> None:
    moves(asked)
    asked.says("@brand Anybody? When does it open?", id="q2", to="q1", ago=timedelta(hours=2))
    asked.look()
    assert waits(asked) == {"Acme": "ana", "Rival": "ana"}
    asked.answers("At nine.", id="a1", to="q2", thread="q1", ago=timedelta(minutes=10))
    asked.look()
    assert (waits(asked), where(asked)) == ({}, {"q1": "Acme", "q2": "Rival", "a1": "Rival"})
    assert (asked.in_crm(), len(asked.in_crm("completed"))) == ([], 2)


def test_a_private_message_of_after_the_move_is_the_new_brands_and_its_answers_end_what_waited_before(
    connected: World,
) -> None:
    def privately(id_: str, author: Author, stream: str, ago: timedelta) -> None:
        post = Engagement(
            id=id_, kind=Kind.DIRECT, author=author, text="Do you ship to Faro?", created_at=connected.now - ago, url="", thread="dm-ana"
        )  # fmt: skip
        connected.social.serve(stream, post)
        connected.look()

    connected.run()
    privately("d1", ANA, "mentions", timedelta(hours=4))
    assert len(connected.in_crm()) == 1
    moves(connected)
    privately("d2", BRAND, "own", timedelta(hours=3))
    assert (connected.in_crm(), len(connected.in_crm("completed"))) == ([], 1)
    privately("d3", ANA, "mentions", timedelta(hours=2))
    privately("d4", BRAND, "own", timedelta(hours=1))
    assert where(connected) == {"d1": "Acme", "d2": "Rival", "d3": "Rival", "d4": "Rival"}
    assert waits(connected) == {}


def test_an_answer_to_one_person_leaves_the_others_in_the_thread_waiting(asked: World) -> None:
    asked.says("@brand And when does it close?", id="q3", who=LENA, to="q1", ago=timedelta(hours=2))
    asked.look()
    moves(asked)
    asked.answers("At nine.", id="a1", to="q1")
    asked.look()
    assert waits(asked) == {"Acme": "lena"}


def test_a_colleagues_answer_of_before_the_move_stays_an_answer_when_it_is_served_again(asked: World) -> None:
    asked.sql("UPDATE brands SET colleagues = ARRAY['fakesocial:lena'] WHERE name = 'Acme'")
    reply = Engagement(
        id="a1", kind=Kind.REPLY, author=LENA, text="At nine.", created_at=asked.now, url="", thread="q1", in_reply_to="q1", mentions=(ANA.id,)
    )  # fmt: skip
    asked.social.serve("mentions", reply)
    asked.look()
    assert waits(asked) == {}
    moves(asked)
    asked.social.serve("mentions", edited(reply, "At nine sharp."))
    asked.look()
    assert asked.sql("SELECT text, ours FROM engagements WHERE native_id = 'a1'") == [("At nine sharp.", True)]
    assert waits(asked) == {}


# --- the rival boundary ---------------------------------------------------------------------------------------


@pytest.fixture
def second(asked: World) -> World:
    """Acme has another account too, which brought a question in another thread; the first account is Rival's now, and is served it as well."""
    with asked.runtime.db.tenant(asked.workspace_id) as session:
        session.add(
            Connection(
                workspace_id=asked.workspace_id, brand_id=account(asked).brand_id, provider="fakesocial", host="", kind="social", account_id="other",
                handle="other", name="Other", url="", status="active", connected_by=asked.owner.caller.user_id, responder_email=asked.owner.caller.email,
                ready_at=asked.now, options={}, way="",
            )
        )  # fmt: skip
    moves(asked)
    keeps(asked, "other", question(asked))
    asked.social.serve("mentions", question(asked))
    asked.look()
    return asked


def question(world: World) -> Engagement:
    return Engagement(
        id="q9", kind=Kind.MENTION, author=LENA, text=f"Do you fly to {NEW}?", created_at=world.now - timedelta(hours=3), url="", thread="q9"
    )  # fmt: skip


def keeps(world: World, account_id: str, *posts: Engagement) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        row = session.scalars(select(Connection).where(Connection.account_id == account_id)).one()
        pulling.save_engagements(session, us.source(session, row), posts)
    world.run()


def told(world: World) -> list[tuple[str, str, str]]:
    """Of each task about that question: its brand, its state, and whether it quotes it."""
    rows = world.sql(
        "SELECT b.name, t.state, t.content::text LIKE :quote FROM tasks t JOIN brands b ON b.id = t.brand_id"
        " JOIN conversations c ON c.id = t.conversation_id WHERE c.thread = 'q9' ORDER BY 1",
        quote=f"%{NEW}%",
    )
    return list(map(tuple, rows))


def test_an_answer_that_the_rival_gives_leaves_the_task_of_the_first_brands_other_account_open(second: World) -> None:
    assert told(second) == [("Acme", "open", True), ("Rival", "open", True)]
    second.answers("We do.", id="a9", to="q9", whom=LENA)
    second.look()
    assert where(second)["a9"] == "Rival"
    assert told(second) == [("Acme", "open", True), ("Rival", "completed", True)]


def test_what_is_edited_or_deleted_for_the_rival_stays_in_what_the_first_brands_other_account_brought(
    second: World,
) -> None:
    keeps(second, BRAND.id, edited(question(second), "@brand Do you fly to Faro?"))
    assert told(second) == [("Acme", "open", True), ("Rival", "open", False)]
    with second.runtime.db.tenant(second.workspace_id) as session:
        pulling.erase_gone(session, us.source(session, account(second)), [Gone("q9")])
    second.run()
    assert told(second) == [("Acme", "open", True), ("Rival", "withdrawn", False)]
    assert second.sql("SELECT b.name, e.text <> '' FROM engagements e JOIN brands b ON b.id = e.brand_id WHERE e.native_id = 'q9' ORDER BY 1") == [
        ("Acme", True), ("Rival", False),
    ]  # fmt: skip
