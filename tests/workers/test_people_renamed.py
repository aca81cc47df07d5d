"""Somebody who is waiting gets another handle, and a stranger takes the old one: the wait, its task and the match stay with the person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from integrations.provider import Price
from integrations.records import Author, Contact, Handle
from service import connect
from tests.integrations.social.x.wire import US, Wire, snowflake, tweet, user
from tests.workers.conftest import ANA, NOON, World
from tests.workers.on_x import on_x

# A network serves whatever it serves under the handle of today; the posts of before stand here as they were, and are not asked for again.
NEWS = ("mentions",)
RENAMED = replace(ANA, handle="ana_rides", url="https://social.example/ana_rides")
STRANGER = Author("a9", "ana", "Anatol Berg", url="https://social.example/ana")  # has taken the handle that she gave up
HOURS = timedelta(hours=1)


def who_is_who(world: World) -> dict[str, str]:
    """The state of each match, by the author's id."""
    return dict(
        map(tuple, world.sql("SELECT a.native_id, m.state FROM matches m JOIN authors a ON a.id = m.author_id"))
    )


@pytest.fixture
def asked(connected: World) -> World:
    """A contact, known by the handle that the CRM has, has asked, and has got a task."""
    connected.knows()
    connected.says("@brand Does it fit two crates?", id="q1")
    connected.run()
    assert who_is_who(connected) == {"a1": "confirmed"}
    return connected


@pytest.mark.parametrize(
    "there",
    [
        pytest.param({"to": "q1"}, id="in the same thread"),
        pytest.param({}, id="in another thread"),
        pytest.param({"text": "Thanks!"}, id="with nothing to answer"),
    ],
)
def test_the_task_of_somebody_without_a_name_follows_their_handle(connected: World, there: dict[str, str]) -> None:
    connected.says("@brand Does it fit two crates?", id="q1", who=replace(ANA, name=""))
    connected.run()
    assert "Answer ana:" in connected.in_crm()[0]
    connected.says(**{"text": "@brand Hello? Does it?", **there}, id="q2", who=replace(RENAMED, name=""), ago=2 * HOURS)
    connected.look(streams=NEWS)
    [task] = connected.crm.tasks.values()
    assert "Answer ana_rides:" in task.subject
    assert "ana:" not in task.subject + task.body


def test_an_id_that_stands_for_a_handle_for_a_while_is_no_new_handle(connected: World) -> None:
    ana, bare = (
        replace(ANA, name=""),
        replace(ANA, name="", handle=ANA.id, url=f"https://social.example/{ANA.id}"),
    )
    connected.says("@brand Does it fit two crates?", id="q1", who=ana)
    connected.run()
    connected.says("@brand Hello? Does it?", id="q2", who=bare, to="q1", ago=2 * HOURS)
    connected.look()
    assert "Answer ana:" in connected.in_crm()[0]
    assert connected.sql("SELECT handle, former_handles FROM authors WHERE native_id = 'a1'") == [("ana", [])]
    connected.says("@brand Does it?", id="q3", who=replace(RENAMED, name=""), to="q1", ago=HOURS)
    connected.look(streams=NEWS)
    assert connected.sql("SELECT handle, former_handles FROM authors WHERE native_id = 'a1'") == [
        ("ana_rides", ["ana"])
    ]


def test_the_match_is_kept_though_the_crm_has_the_old_handle(asked: World) -> None:
    asked.says("@brand Hello? Does it?", id="q2", who=RENAMED, to="q1", ago=2 * HOURS)
    asked.look(streams=NEWS)
    assert who_is_who(asked) == {"a1": "confirmed"}


def test_an_answer_that_was_given_under_the_old_handle_ends_the_wait(asked: World) -> None:
    asked.says("@brand Hello? Does it?", id="q2", who=RENAMED, to="q1", ago=2 * HOURS)
    asked.look(streams=NEWS)
    asked.answers("@ana It does.", id="r1", to="q1")
    asked.look()
    assert (asked.in_crm(), len(asked.in_crm("completed"))) == ([], 1)


def test_whoever_takes_the_old_handle_is_not_taken_for_them(asked: World) -> None:
    asked.says("@brand Hello? Does it?", id="q2", who=RENAMED, to="q1", ago=2 * HOURS)
    asked.look(streams=NEWS)
    asked.says("@brand When do you open?", id="q3", who=STRANGER, ago=2 * HOURS)
    asked.look()
    assert who_is_who(asked).get("a1") == "confirmed"
    assert who_is_who(asked).get("a9") in (None, "suggested")


def test_whoever_takes_the_old_handle_before_we_hear_of_the_new_one_is_not_taken_for_them(asked: World) -> None:
    asked.says("@brand When do you open?", id="q3", who=STRANGER, ago=2 * HOURS)
    asked.look()
    assert who_is_who(asked).get("a1") == "confirmed"
    assert who_is_who(asked).get("a9") in (None, "suggested")


@pytest.mark.parametrize("handle", ["anaferrer", "ana.bsky.social"])
@pytest.mark.parametrize(
    "on_file",
    [
        pytest.param(lambda handle: Handle("fakesocial", handle), id="with its network"),
        pytest.param(lambda handle: Handle("", handle), id="with no network"),
        pytest.param(lambda handle: Handle("", f"https://social.example/{handle}"), id="as an address"),
    ],
)
def test_whoever_takes_an_old_handle_that_is_made_of_the_name_is_suggested_at_most(
    connected: World, on_file: Callable[[str], Handle], handle: str
) -> None:
    ana = replace(ANA, handle=handle, url=f"https://social.example/{handle}")
    connected.crm.add(Contact("c1", "Ana Ferrer", handles=(on_file(handle),)))
    connected.says("@brand Does it fit two crates?", id="q1", who=ana)
    connected.run()
    assert "a1" in who_is_who(connected)
    connected.says("@brand Hello? Does it?", id="q2", who=RENAMED, to="q1", ago=2 * HOURS)
    connected.look(streams=NEWS)
    connected.says("@brand When do you open?", id="q3", who=replace(ana, id="a9", name=""), ago=2 * HOURS)
    connected.look()
    assert who_is_who(connected)["a9"] == "suggested"


# --- X, where profiles are paid for -------------------------------------------------------------------------------

PRICES = (Price("post", 0.005, "the price list"), Price("user", 0.010, "the price list"))


@pytest.fixture
def x(world: World) -> Iterator[Wire]:
    """Ada has asked, and her profile was bought. She goes by another handle since."""
    with on_x(world, PRICES) as wire:
        wire.add(tweet(snowflake(NOON - 3 * HOURS), text="@acme Does it fit two crates?", at=NOON - 3 * HOURS))
        connect.connect_with_secret(world.runtime, world.owner.caller, "fakesocial", None, {})
        world.run()
        assert shown(world) == {"9": "ada"}
        wire.users["9"] = user("9", "ada_rides")
        yield wire


def shown(world: World) -> dict[str, str]:
    return dict(map(tuple, world.sql("SELECT native_id, handle FROM authors WHERE native_id <> :us", us=US.id)))


def spoken_of(wire: Wire, handle: str, at: datetime) -> None:
    """We write to Ada, whom X has by this handle then."""
    named = {"mentions": [{"start": 0, "end": len(handle) + 1, "username": handle, "id": "9"}]}
    wire.add(tweet(snowflake(at), US.id, f"@{handle} hello", at, entities=named))


def test_who_is_spoken_of_by_a_new_handle_goes_by_it_and_costs_no_profile(world: World, x: Wire) -> None:
    bought = len(x.queries("/2/users"))
    world.passes(HOURS)
    x.now = world.now
    spoken_of(x, "ada_rides", world.now - HOURS / 2)
    world.look()
    assert shown(world) == {"9": "ada_rides"}
    assert world.sql("SELECT url, former_handles FROM authors WHERE native_id = '9'") == [
        ("https://x.com/ada_rides", ["ada"])
    ]
    assert len(x.queries("/2/users")) == bought


def test_who_was_spoken_of_before_we_knew_them_says_nothing_of_their_handle(world: World, x: Wire) -> None:
    spoken_of(x, "ada_old", NOON - 4 * HOURS)
    world.look()
    assert shown(world) == {"9": "ada"}


def test_whoever_is_spoken_of_is_not_known_by_that(world: World, x: Wire) -> None:
    world.sql("DELETE FROM authors WHERE native_id = '9'")
    world.passes(HOURS)
    x.now = world.now
    spoken_of(x, "ada_rides", world.now - HOURS / 2)
    world.look(streams=("own",))
    assert shown(world) == {}
