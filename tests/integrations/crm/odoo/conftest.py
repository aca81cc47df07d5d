"""An Odoo in memory, and clients that speak to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import responses

from integrations.crm.odoo.client import Odoo
from integrations.provider import Access
from integrations.records import Author
from tests.fakes.clock import Clock
from tests.integrations.crm.odoo.server import KEY, LOGIN, WEB, Server

OLGA, OLGAS = 7, 70  # a user, and the partner that she is


@dataclass
class World:
    """The CRM, our clock, and what connecting found out."""

    server: Server
    clock: Clock = field(default_factory=Clock)
    options: dict[str, Any] = field(default_factory=dict)

    def client(self, **access: Any) -> Odoo:
        given = {
            "hosts": {"web": WEB},
            "credentials": {"api_key": KEY, "login": LOGIN},
            "account": Author("acme.odoo.com/acme", "acme.odoo.com"),
            "options": self.options,
            "now": self.clock,
        }
        return Odoo(Access(**{**given, **access}), clock=self.clock)

    def prepare(self) -> None:
        self.options = dict(self.client().prepare())

    def wait(self, seconds: float) -> None:
        """Time goes by, here and there."""
        self.clock.forward(seconds=seconds)
        self.server.clock.forward(seconds=seconds)

    def put_user(self, user_id: int, email: str, **values: Any) -> None:
        partner = self.server.put("res.partner", {"name": email, "type": "private"}, user_id * 10)
        self.server.put(
            "res.users",
            {"name": email, "login": email, "email": email, "partner_id": [partner, email], **values},
            user_id,
        )


@pytest.fixture
def make() -> Iterator[Callable[..., World]]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:

        def made(*, prepared: bool = True, **server: Any) -> World:
            world = World(Server(**server))
            world.server.install(mock)
            world.put_user(OLGA, "olga@acme.test")
            if prepared:
                world.prepare()
                world.server.calls.clear()
            return world

        yield made


@pytest.fixture
def world(make: Callable[..., World]) -> World:
    """An Odoo of version 19."""
    return make()
