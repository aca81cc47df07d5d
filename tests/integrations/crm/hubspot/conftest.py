"""An account in memory, and clients that speak to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import responses

from integrations.crm.hubspot.client import HubSpot
from integrations.provider import Access
from integrations.records import Author
from tests.fakes.clock import Clock
from tests.integrations.crm.hubspot.portal import API, WEB, Portal

TOKEN = "hubspot-access-token-for-tests"


@dataclass
class World:
    """The account, our clock, and what connecting found out."""

    portal: Portal
    clock: Clock = field(default_factory=Clock)
    options: dict[str, Any] = field(default_factory=dict)

    def client(self, **access: Any) -> HubSpot:
        given = {
            "hosts": {"api": API, "web": WEB},
            "credentials": {"access_token": TOKEN},
            "account": Author("8790001", "app-eu1.hubspot.com"),
            "options": self.options,
            "now": self.clock,
        }
        return HubSpot(Access(**{**given, **access}), clock=self.clock)

    def prepare(self) -> None:
        self.options = dict(self.client().prepare())


@pytest.fixture
def make_world() -> Iterator[Callable[..., World]]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:

        def make(*, prepared: bool = True, **portal: Any) -> World:
            world = World(Portal(**portal))
            world.portal.install(mock)
            if prepared:
                world.prepare()
                world.portal.calls.clear()
            return world

        yield make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """An account that keeps our key unique."""
    return make_world()
