"""A company in memory, and clients that speak to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import responses

from integrations.crm.pipedrive.client import HOSTS, Pipedrive
from integrations.provider import Access
from integrations.records import Author
from tests.fakes.clock import Clock
from tests.integrations.crm.pipedrive.server import BASE, Server


@dataclass
class World:
    """The company, our clock, and what connecting found out."""

    server: Server
    clock: Clock = field(default_factory=Clock)
    options: dict[str, Any] = field(default_factory=dict)
    allowance: dict[str, Any] = field(default_factory=dict)  # as it is kept between two processes

    def client(self, **access: Any) -> Pipedrive:
        given = {
            "hosts": HOSTS,
            "credentials": {"access_token": "v1u:a-token-of-nobody", "api_domain": BASE},
            "account": Author("7700", "example.pipedrive.com"),
            "options": self.options,
            "allowance": self.allowance,
            "now": self.clock,
        }
        return Pipedrive(Access(**{**given, **access}), clock=self.clock)

    def job(self, work: Callable[[Pipedrive], Any], **access: Any) -> Any:
        """`work` with a client of its own, of which is kept what is to be kept."""
        client = self.client(**access)
        try:
            return work(client)
        finally:
            self.allowance = {**self.allowance, **json.loads(json.dumps(client.allowance()))}

    def prepare(self, **form: str) -> None:
        self.options = {**form, **self.client().prepare()}


@pytest.fixture
def make_world() -> Iterator[Callable[..., World]]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:

        def make(*, prepared: bool = True, form: dict[str, str] | None = None, **server: Any) -> World:
            clock = Clock()
            world = World(Server(clock, **server), clock)
            world.server.install(mock)
            if prepared:
                world.prepare(**(form or {}))
                world.server.calls.clear()
            return world

        yield make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A company with a large budget."""
    return make_world()
