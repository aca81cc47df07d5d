"""On every network that tells who writes: somebody asks, takes another name, asks again, and is answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from integrations.clients import SocialClient
from integrations.provider import Provider
from integrations.records import Contact, Handle
from integrations.registry import providers
from service import connect
from tests.fakes import social as fake_social
from tests.integrations.contract import worlds
from tests.workers.conftest import World

HOURS = timedelta(hours=1)
# (Instagram's names nobody by an id where somebody tags us: who renames themselves there is another author.)
NAMING = [each for each in worlds.SOCIAL if "renamed" not in each.exempt]


@pytest.fixture(params=NAMING, ids=[each.key for each in NAMING])
def network(request: pytest.FixtureRequest, world: World) -> Iterator[worlds.World]:
    """The network in memory, our account there connected, and beside it a CRM. It is three hours after what is said there."""
    provider: Provider[SocialClient] = request.param
    there = request.getfixturevalue("monkeypatch")
    with worlds.open_world(provider.key) as found:
        stand_in = replace(
            fake_social.manifest(world.social, key=provider.key),
            name=provider.name,
            streams=provider.streams,
            client=lambda _: found.client(),
        )
        there.setitem(providers(), provider.key, stand_in)
        world.passes(timedelta(days=8) + 3 * HOURS)
        for key in ("fakecrm", provider.key):
            connect.connect_with_secret(world.runtime, world.owner.caller, key, None, {})
        world.crm.add(Contact("c1", "Ada", handles=on_file(provider, found)))
        yield found


def on_file(provider: Provider[SocialClient], there: worlds.World) -> tuple[Handle, ...]:
    there.speak("Good morning.")
    [first] = worlds.pull(there)
    return (Handle(provider.key, first.author.handle),) if first.author.handle else ()


def test_a_new_name_makes_no_second_task_keeps_the_match_and_the_answer_ends_the_wait(
    world: World, network: worlds.World
) -> None:
    asked = network.speak("Does it fit two crates?")
    world.look()
    [before] = world.sql(
        "SELECT handle, name FROM authors WHERE id NOT IN (SELECT author_id FROM engagements WHERE ours)"
    )
    matched = world.sql("SELECT state FROM matches")
    assert len(world.in_crm()) == 1
    network.rename("ada_rides")  # type: ignore[attr-defined]
    again = network.speak("Hello? Does it fit two crates?")
    world.look()
    [after] = world.sql(
        "SELECT handle, name FROM authors WHERE id NOT IN (SELECT author_id FROM engagements WHERE ours)"
    )
    assert any(each.startswith("ada_rides") for each in after)
    assert before != after
    assert world.sql("SELECT state FROM matches") == matched == ([("confirmed",)] if before[0] else [])
    assert len(world.in_crm()) == 1
    for each in (asked, again):
        network.answer(each)
    world.look()
    assert (world.in_crm(), len(world.in_crm("completed"))) == ([], 1)
