"""An organisation in memory, and clients that speak to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import responses

from integrations.crm.salesforce.client import Salesforce
from integrations.provider import Access, App
from integrations.records import Author
from tests.fakes.clock import Clock
from tests.integrations.crm.salesforce.server import BASE, LOGIN, USER, Server

TOKEN = "00D000000000001!AQ4AQFakeSessionIdOfNobody"


@dataclass
class World:
    """The organisation, our clock, and what connecting found out."""

    server: Server
    clock: Clock = field(default_factory=Clock)
    options: dict[str, Any] = field(default_factory=dict)

    def access(self, **given: Any) -> Access:
        credentials = {"access_token": TOKEN, "instance_url": BASE, "id": f"{LOGIN}/id/00D000000000001AAA/{USER}"}
        account = Author("00D000000000001AAA", "example.my.salesforce.com")
        usual = {"hosts": {"login": LOGIN}, "credentials": credentials, "account": account, "options": self.options}
        return Access(**{**usual, "now": self.clock, **given})

    def client(self, *, app: App | None = None, **given: Any) -> Salesforce:
        return Salesforce(self.access(app=app or App(), **given), clock=self.clock)

    def prepare(self) -> None:
        self.options = dict(self.client().prepare())


@pytest.fixture
def make_world() -> Iterator[Callable[..., World]]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:

        def make(*, prepared: bool = True, **server: Any) -> World:
            world = World(Server(Clock(), **server))
            world.server.install(mock)
            if prepared:
                world.prepare()
                world.server.calls.clear()
            return world

        yield make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """An organisation in which the user may customise what there is."""
    return make_world()
