"""A BottleCRM in memory, and clients that speak to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import responses

from integrations.crm.bottlecrm.client import BottleCRM
from integrations.provider import Access
from integrations.records import Author
from tests.fakes.clock import Clock
from tests.integrations.crm.bottlecrm.server import TOKEN, WEB, Server

OLGA = "0b3b1a0c-d30a-435a-9c70-62950871eff9"


@dataclass
class World:
    """The CRM, our clock, and what connecting found out."""

    server: Server
    clock: Clock = field(default_factory=Clock)
    options: dict[str, Any] = field(default_factory=dict)

    def client(self, **access: Any) -> BottleCRM:
        given = {
            "hosts": {"web": WEB},
            "credentials": {"token": TOKEN},
            "account": Author("86b8da42-50e4-410a-88a7-4becad9fa103", "api.crm.example.com"),
            "options": self.options,
            "now": self.clock,
        }
        return BottleCRM(Access(**{**given, **access}), clock=self.clock)

    def prepare(self) -> None:
        self.options = dict(self.client().prepare())

    def wait(self, seconds: float) -> None:
        """Time goes by, here and there."""
        self.clock.forward(seconds=seconds)
        self.server.clock.forward(seconds=seconds)


@pytest.fixture
def make() -> Iterator[Callable[..., World]]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:

        def made(*, prepared: bool = True, **server: Any) -> World:
            world = World(Server(**server))
            world.server.install(mock)
            world.server.put_user(OLGA, "olga@example.com")
            if prepared:
                world.prepare()
                world.server.calls.clear()
            return world

        yield made


@pytest.fixture
def world(make: Callable[..., World]) -> World:
    """A BottleCRM that an administrator's token opens."""
    return make()
