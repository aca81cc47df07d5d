"""Reading from any provider, a network or a CRM, over a line that can be broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from integrations.clients import CRMClient, SocialClient
from tests.integrations.contract.harnesses import FAKE as FAKE_CRM
from tests.integrations.contract.harnesses import HARNESSES, FakeHarness, connected, new, push, several_pages
from tests.integrations.contract.line import Line, tapped
from tests.integrations.contract.worlds import FAKE, SOCIAL, FakeWorld, open_world


@dataclass(frozen=True)
class Reading:
    """A provider with something to read. `add` puts one thing there that has this text in it, and returns its id."""

    line: Line
    client: Callable[[], SocialClient | CRMClient]
    streams: Sequence[str]  # the first is the one that `add` adds to
    add: Callable[[str], str]
    fill: Callable[[str], None]  # puts something on this stream: on the first, enough for several pages
    actor: Any  # the world or the harness

    def pages(self, cursor: str | None = None, stream: str | None = None) -> Iterator[Any]:
        return iter(self.client().pull(stream or self.streams[0], cursor))

    def ids(self, cursor: str | None = None, stream: str | None = None) -> set[str]:
        return {each.id for page in self.pages(cursor, stream) for each in page.items}


# What stands here is named as the contract's parameters name it: a network by its key, a CRM by its harness.
FAKES = (FAKE, FAKE_CRM)
OVER_HTTP = [*(each.key for each in SOCIAL), *(name for name in HARNESSES if name != FAKE_CRM)]


@contextmanager
def reading(name: str) -> Iterator[Reading]:
    """The network or CRM of this name, connected."""
    if name in HARNESSES:
        with connected(name, unique=True) as crm, _line(crm) as line:

            def fill(stream: str) -> None:
                if stream == "contacts":
                    several_pages(crm)
                    return
                crm.add_call(crm.put_contact("Ada"))
                push(crm, *(new(f"{stream}-{number}") for number in range(2)))

            yield Reading(line, crm.client, ("contacts", "tasks", "activities", "owners"), crm.put_contact, fill, crm)
        return
    with _world(name) as world, _line(world) as line:

        def posts(stream: str) -> None:
            for number in range(23):
                world.speak(f"number {number}")

        yield Reading(line, world.client, (world.stream,), world.speak, posts, world)


@contextmanager
def _world(name: str) -> Iterator[Any]:
    if name == FAKE:
        yield FakeWorld()
        return
    with open_world(name) as found:
        yield found


@contextmanager
def _line(actor: Any) -> Iterator[Line]:
    if isinstance(actor, FakeWorld | FakeHarness):
        yield actor.line()
        return
    with tapped() as wire:
        yield wire
