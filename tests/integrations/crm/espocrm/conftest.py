"""An EspoCRM in memory, and clients that speak to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import responses

from integrations.crm.espocrm.client import EspoCRM
from integrations.provider import Access
from integrations.records import Author
from tests.fakes.clock import Clock
from tests.integrations.crm.espocrm.server import KEY, SECRET, WEB, Server


@dataclass
class World:
    """The CRM, our clock, and what connecting found out."""

    server: Server
    clock: Clock = field(default_factory=Clock)
    options: dict[str, Any] = field(default_factory=dict)

    def client(self, **access: Any) -> EspoCRM:
        given = {
            "hosts": {"web": WEB},
            "credentials": {"api_key": KEY, **({"secret_key": SECRET} if self.server.signed else {})},
            "account": Author("crm.example.com", "crm.example.com"),
            "options": self.options,
            "now": self.clock,
        }
        return EspoCRM(Access(**{**given, **access}), clock=self.clock)

    def prepare(self) -> None:
        self.options = dict(self.client().prepare())

    def wait(self, seconds: float) -> None:
        """Time goes by, here and there."""
        self.clock.forward(seconds=seconds)
        self.server.clock.forward(seconds=seconds)


def make_world(mock: responses.RequestsMock, *, prepared: bool = True, **server: Any) -> World:
    world = World(Server(**server))
    world.server.install(mock)
    world.server.put("User", {"name": "Olga", "emailAddress": "owner@example.com"}, "7")
    if prepared:
        world.prepare()
        world.server.calls.clear()
    return world


@pytest.fixture
def make() -> Iterator[Callable[..., World]]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield lambda **server: make_world(mock, **server)


@pytest.fixture
def world(make: Callable[..., World]) -> World:
    """An EspoCRM whose tasks have a field for our key."""
    return make()
