"""Networks to hold to the contract: each provider's world, and our fake's.

A provider joins by a `world.py` in its tests folder with `world()`, a context manager that yields a `World`. What else a world can
do (`Able`) is asked for by name: a rule that needs it is to do for a provider whose world cannot.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Protocol

from msgspec.structs import replace

from integrations.clients import SocialClient
from integrations.provider import HANDED_IN, Meter
from integrations.records import Author, Engagement, Kind
from integrations.registry import providers
from tests.fakes.social import FakeSocial
from tests.integrations.contract.line import Line, Scripted

FAKE = "our fake"
# Where posts are handed in there is no network to speak to: that provider's own tests say what it does.
SOCIAL = [each for each in providers().values() if each.kind == "social" and HANDED_IN not in each.capabilities]


class Network(Protocol):
    """A network in memory and one account on it. `stream` serves what others say to that account."""

    stream: str

    def client(self) -> SocialClient: ...
    def speak(self, text: str) -> str: ...
    def edit(self, post_id: str, text: str) -> None: ...
    def delete(self, post_id: str) -> None: ...


class World(Network, Protocol):
    """A network that is spoken to over HTTP."""

    def answer(self, post_id: str) -> str: ...
    def refuse(self, status: int, body: str) -> None: ...


class Billed(World, Protocol):
    """A network that bills what it returns."""

    def metered(self, meter: Meter) -> SocialClient: ...  # whose meter this is


class Able(Protocol):
    """What a world may be able to do besides."""

    def hide(self, post_id: str) -> None: ...  # there, but not indexed yet: no list serves it
    def show(self, post_id: str) -> None: ...  # indexed after all, at the place where it belongs
    def rename(self, handle: str) -> None: ...  # whoever speaks goes by this from now on (no server's name in it)
    def skew(self, seconds: float) -> None: ...  # our clock is ahead of the network's by so much, from now on
    def page(self, most: int) -> None: ...  # lists hold so many posts, if as many are asked for (five, at first)
    def refusal(self, sentence: str) -> str: ...  # the body of a refusal, where its sentence is not a member of it


@dataclass
class FakeWorld:
    """The network that workers are tested with keeps the same contract."""

    social: FakeSocial = field(default_factory=lambda: FakeSocial(page_size=5))
    stream: str = "mentions"
    _serial: int = 0

    def line(self) -> Line:
        return Scripted(self.social.script)

    def client(self) -> SocialClient:
        return self.social

    def speak(self, text: str) -> str:
        self._serial += 1
        post_id = str(self._serial)
        at = datetime(2026, 3, 20, 12, tzinfo=UTC) + timedelta(seconds=self._serial)
        url = f"https://social.example/{post_id}"
        self.social.serve(
            "mentions", Engagement(post_id, Kind.MENTION, Author("9", "ada"), text, at, url=url, thread=post_id)
        )
        return post_id

    def edit(self, post_id: str, text: str) -> None:
        (before,) = [each for each in self.social.recheck([post_id]) if isinstance(each, Engagement)]
        self.social.edit(replace(before, text=text))

    def delete(self, post_id: str) -> None:
        self.social.delete(post_id)


def open_world(key: str) -> AbstractContextManager[World]:
    """The world of the provider with this key."""
    made: AbstractContextManager[World] = import_module(f"tests.integrations.social.{key}.world").world()
    return made


def pull(network: Network, cursor: str | None = None) -> list[Engagement]:
    """All that a pull brings."""
    return [item for page in network.client().pull(network.stream, cursor) for item in page.items]
