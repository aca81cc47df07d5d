"""What every social provider promises, and our fake of one. Each provider's tests folder has a `world.py` that makes
things happen there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, Protocol

import pytest

from integrations import errors
from integrations.provider import HANDED_IN, OAuth2, Provider, SocialClient
from integrations.records import Author, Engagement, Gone, Kind
from integrations.registry import providers
from tests.fakes.social import FakeSocial

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


@pytest.fixture(params=SOCIAL, ids=lambda provider: provider.key)
def provider(request: pytest.FixtureRequest) -> Provider[Any]:
    found: Provider[Any] = request.param
    return found


@dataclass
class FakeWorld:
    """The network that workers are tested with keeps the same contract."""

    social: FakeSocial = field(default_factory=lambda: FakeSocial(page_size=5))
    stream: str = "mentions"
    _serial: int = 0

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


@pytest.fixture(params=[*(provider.key for provider in SOCIAL), "our fake"])
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    """Every provider's world, and our fake's."""
    if request.param == "our fake":
        yield FakeWorld()
        return
    made: AbstractContextManager[World] = import_module(f"tests.integrations.social.{request.param}.world").world()
    with made as found:
        yield found


@pytest.fixture
def world(provider: Provider[Any]) -> Iterator[World]:
    made: AbstractContextManager[World] = import_module(f"tests.integrations.social.{provider.key}.world").world()
    with made as found:
        yield found


def _pull(world: Network, cursor: str | None = None) -> list[Engagement]:
    return [item for page in world.client().pull(world.stream, cursor) for item in page.items]


def test_there_is_a_provider_to_hold_to_the_contract() -> None:
    assert SOCIAL


def test_the_manifest_is_whole(provider: Provider[Any]) -> None:
    names = [stream.name for stream in provider.streams]
    assert len(set(names)) == len(names) > 0
    assert all(stream.label and stream.every >= timedelta(seconds=30) for stream in provider.streams)
    assert all(host.startswith("https://") for host in provider.hosts.values())
    assert provider.about.endswith(".")
    if isinstance(provider.auth, OAuth2):
        known = {*provider.auth.scopes, *provider.auth.optional_scopes}
        assert {scope for stream in provider.streams for scope in stream.scopes} <= known
        for url in (provider.auth.authorize_url, provider.auth.token_url):
            assert url.format(**provider.hosts).startswith("https://")


def test_everything_told_to_people_is_plain(provider: Provider[Any]) -> None:
    told = [provider.about, *(text for stream in provider.streams for text in (stream.label, stream.limits))]
    assert not [text for text in told if "!" in text]


def test_whoami_names_the_account(network: Network) -> None:
    who = network.client().whoami()
    assert who.id
    assert who.handle
    assert not who.handle.startswith("@")


def test_what_others_say_is_read_with_its_words_time_and_address(provider: Provider[Any], world: World) -> None:
    post_id = world.speak("Is it in stock? 🦺")
    (item,) = _pull(world)
    assert (item.id, item.text, item.kind) == (post_id, "Is it in stock? 🦺", Kind.MENTION)
    assert item.author.id != world.client().whoami().id
    assert item.created_at.tzinfo is UTC
    assert item.url.startswith(tuple(provider.hosts.values()))
    assert item.thread


def test_our_own_answers_are_ours_and_stand_in_the_same_thread(provider: Provider[Any], world: World) -> None:
    asked = world.speak("Is it in stock?")
    answered = world.answer(asked)
    found: dict[str, Engagement] = {}
    for stream in provider.streams:
        for page in world.client().pull(stream.name, None, ()):
            found |= {item.id: item for item in page.items}
    assert found[answered].kind is Kind.OWN
    assert found[answered].thread == found[asked].thread
    assert found[answered].in_reply_to == asked


def test_stopping_after_any_page_and_coming_back_loses_nothing(network: Network) -> None:
    everything = {network.speak(f"number {number}") for number in range(23)}
    seen: set[str] = set()
    cursor: str | None = None
    for _ in range(30):
        page = next(network.client().pull(network.stream, cursor))
        seen |= {item.id for item in page.items}
        cursor = page.cursor
    assert seen == everything


def test_what_comes_later_comes_with_the_cursor(network: Network) -> None:
    network.speak("first")
    *_, last = network.client().pull(network.stream, None)
    later = network.speak("second")
    assert later in {item.id for item in _pull(network, last.cursor)}


@pytest.mark.parametrize("cursor", ["", "garbage", "{}", "null", "-1", "🦺"])
def test_a_cursor_that_cannot_be_read_starts_over(network: Network, cursor: str) -> None:
    post_id = network.speak("hello")
    assert [item.id for item in _pull(network, cursor)] == [post_id]


@pytest.mark.parametrize("text", ["", "ا" * 10_000, "‏שלום", "👩‍👩‍👧‍👦" * 50, "a\x00b"])
def test_no_text_is_too_odd(world: World, text: str) -> None:
    world.speak(text)
    assert [item.text for item in _pull(world)] == [text.replace("\x00", "")]


def test_a_recheck_tells_what_changed_and_what_is_gone(network: Network) -> None:
    kept, changed, gone = network.speak("kept"), network.speak("before"), network.speak("gone")
    network.edit(changed, "after")
    network.delete(gone)
    answers = {each.id: each for each in network.client().recheck([kept, changed, gone])}
    assert answers[gone] == Gone(gone)
    assert {each.id: each.text for each in answers.values() if isinstance(each, Engagement)} == {
        kept: "kept",
        changed: "after",
    }
    assert list(network.client().recheck([])) == []


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.InvalidRequestError),
        (401, errors.AuthenticationError),
        (403, errors.PermissionDeniedError),
        (429, errors.RateLimitError),
        (500, errors.TemporaryError),
        (503, errors.TemporaryError),
    ],
)
@pytest.mark.parametrize("body", ["{}", "<html>", ""])
def test_a_status_means_the_same_everywhere(world: World, status: int, body: str, error: type[Exception]) -> None:
    world.refuse(status, body)
    with pytest.raises(error):
        _pull(world)


@pytest.mark.parametrize("body", ["<html>it works</html>", "[1", "17"])
def test_a_success_that_cannot_be_read_says_so(world: World, body: str) -> None:
    world.refuse(200, body)
    with pytest.raises(errors.UnexpectedResponseError):
        _pull(world)
