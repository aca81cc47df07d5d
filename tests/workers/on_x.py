"""X in memory in the place of the made-up network: what is told there at no price, and what is bought."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import responses

from integrations.clients import SocialClient
from integrations.provider import Access, Price
from integrations.registry import providers
from tests.fakes import social as fake_social
from tests.integrations.social.x.wire import Wire
from tests.workers.conftest import World


@contextmanager
def on_x(world: World, prices: tuple[Price, ...]) -> Iterator[Wire]:
    """Nobody is connected yet, and nothing is there."""
    world.social.streams = ("mentions", "own", "conversations")
    wire = Wire(now=world.now)

    def client(access: Access) -> SocialClient:
        return wire.client(account=access.account, meter=access.meter, wanted=access.wanted)

    providers()["fakesocial"] = replace(fake_social.manifest(world.social, prices=prices), client=client)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        wire.serve(mock)
        yield wire
