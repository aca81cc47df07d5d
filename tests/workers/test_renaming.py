"""Our own account gets another handle at its network: it is noticed, stays the same account, and what goes by the handle follows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from integrations.errors import TemporaryError
from integrations.provider import Price
from integrations.records import Author
from service import connect
from tests.integrations.social.x.wire import US, Wire, snowflake, tweet
from tests.workers.conftest import BRAND, NOON, World
from tests.workers.on_x import on_x

RENAMED = replace(BRAND, handle="brand_new", name="Brand New", url="https://social.example/brand_new")
MINUTES = timedelta(minutes=1)
SEARCH = "/2/tweets/search/recent"
PRICES = (Price("post", 0.005, "the price list"), Price("user", 0.010, "the price list"))


def shown(world: World) -> tuple[str, str, str]:
    row = world.connection("social")
    return row.handle, row.name, row.url


def noticed(world: World) -> int:
    return int(world.sql("SELECT count(*) FROM audit WHERE action = 'connection.renamed'")[0][0])


# --- a network that tells at no price who we are ------------------------------------------------------------------


@pytest.fixture
def read(world: World) -> World:
    """An account that was connected and read more than an hour ago."""
    connect.connect_with_secret(world.runtime, world.owner.caller, "fakesocial", None, {})
    world.run()
    assert world.social.script.count("whoami") == 1  # it was asked while connecting
    an_hour_later(world)
    return world


def an_hour_later(world: World) -> None:
    world.passes(timedelta(minutes=61))
    world.sql("UPDATE connections SET checked_at = checked_at - interval '61 minutes', status_at = status_at - interval '61 minutes'")  # fmt: skip


def test_a_renamed_account_goes_by_its_new_handle_within_an_hour(read: World) -> None:
    before = read.connection("social")
    read.social.account = RENAMED
    read.look(streams=("recheck",))
    assert shown(read) == ("brand_new", "Brand New", "https://social.example/brand_new")
    assert (read.connection("social").id, read.connection("social").account_id) == (before.id, before.account_id)
    read.look(streams=("recheck",))
    assert (noticed(read), read.social.script.count("whoami")) == (1, 2)  # asked no more than once an hour


def test_an_old_post_of_ours_that_is_read_again_gives_no_old_handle_back(read: World) -> None:
    read.social.account = RENAMED
    read.look(streams=("recheck",))
    read.answers("Thanks!", id="r1", to="q1")  # served under the old handle
    read.look(streams=("own",))
    assert shown(read)[0] == "brand_new"


def test_who_we_are_is_no_other_account(read: World) -> None:
    read.social.account = Author("brand-2", "another")
    read.look(streams=("recheck",))
    assert (shown(read)[0], noticed(read)) == (BRAND.handle, 0)


def test_an_id_in_the_place_of_a_handle_that_nobody_could_check_renames_nothing(read: World) -> None:
    read.social.account = replace(RENAMED, handle=RENAMED.id)
    read.look(streams=("recheck",))
    assert (shown(read)[0], noticed(read)) == (BRAND.handle, 0)


def test_an_answer_from_before_the_consent_was_renewed_changes_nothing(read: World) -> None:
    read.social.account = RENAMED

    def renewed_meanwhile() -> Author:
        read.social.whoami = lambda: RENAMED  # type: ignore[method-assign]
        read.passes(MINUTES)
        connect.connect_with_secret(read.runtime, read.owner.caller, "fakesocial", None, {})
        return BRAND

    read.social.whoami = renewed_meanwhile  # type: ignore[method-assign]
    read.look(streams=("recheck",))
    assert (shown(read)[0], noticed(read)) == ("brand_new", 0)


def test_a_network_that_does_not_say_who_we_are_is_no_trouble_of_the_account(read: World) -> None:
    read.social.script.fail(TemporaryError("the network is away"), on="whoami")
    read.look(streams=("recheck",))
    assert (shown(read)[0], read.stream("recheck").failures, read.connection("social").status) == ("brand", 0, "active")


# --- X, where profiles are paid for -------------------------------------------------------------------------------


@pytest.fixture
def x(world: World) -> Iterator[Wire]:
    """X in memory, our account there connected and read, and mentioned once."""
    with on_x(world, PRICES) as wire:
        mentioned(wire, "acme", NOON - MINUTES)
        connect.connect_with_secret(world.runtime, world.owner.caller, "fakesocial", None, {})
        world.run()
        yield wire


def mentioned(wire: Wire, handle: str, at: datetime) -> None:
    named = {"mentions": [{"start": 0, "end": len(handle) + 1, "username": handle, "id": US.id}]}
    wire.add(tweet(snowflake(at), text=f"@{handle} hello", at=at, entities=named))


def later(world: World, wire: Wire, minutes: int) -> None:
    world.passes(minutes * MINUTES)
    wire.now = world.now
    an_hour_later(world)
    wire.now = world.now


def searched(wire: Wire) -> dict[str, str]:
    """How quotes were searched for the last time."""
    return [query for query in wire.queries(SEARCH) if query["query"].startswith("(url:")][-1]


def test_the_first_mention_by_a_new_handle_tells_it_and_costs_no_profile(world: World, x: Wire) -> None:
    assert 'url:"x.com/acme/status"' in searched(x)["query"]
    later(world, x, 120)
    mentioned(x, "acme_new", NOON + 60 * MINUTES)
    world.look()
    assert shown(world) == ("acme_new", "Acme", "https://x.com/acme_new")
    assert noticed(world) == 1
    assert len(x.queries("/2/users/me")) == 1  # while connecting


def test_quotes_are_sought_by_the_new_handle_from_as_far_back_as_x_searches(world: World, x: Wire) -> None:
    later(world, x, 120)
    mentioned(x, "acme_new", NOON + 60 * MINUTES)
    world.look(streams=("mentions",))
    world.look(streams=("conversations",))
    first = searched(x)
    assert 'url:"x.com/acme_new/status"' in first["query"]
    assert datetime.fromisoformat(first["start_time"]) < NOON - timedelta(days=6)
    world.look(streams=("conversations",))  # from then on only what is new, as ever
    assert datetime.fromisoformat(searched(x)["start_time"]) > NOON


def test_an_older_mention_by_the_old_handle_changes_nothing_back(world: World, x: Wire) -> None:
    later(world, x, 120)
    mentioned(x, "acme_new", NOON + 120 * MINUTES)
    world.look(streams=("mentions",))
    x.posts.clear()
    mentioned(x, "acme", NOON + 115 * MINUTES)  # X indexed it late
    world.look(streams=("mentions",))
    mentioned(x, "acme", NOON - 3 * MINUTES)
    world.look(streams=("mentions",))
    assert (shown(world)[0], noticed(world)) == ("acme_new", 1)


def test_a_mention_from_before_the_account_was_connected_says_nothing_of_its_handle(world: World, x: Wire) -> None:
    mentioned(x, "acme_old", NOON - MINUTES / 2)
    world.look(streams=("mentions",))
    assert (shown(world)[0], noticed(world)) == ("acme", 0)
