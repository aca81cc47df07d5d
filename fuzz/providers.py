"""Each provider, found by its manifest: its answers changed at any place, its cursors, its webhook, and its ways of signing in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any
from unittest import mock

import requests
from hypothesis import strategies as st
from msgspec import Struct, structs

from fuzz import odd
from fuzz.target import Find, Target, bounded
from integrations import errors
from integrations.provider import App
from integrations.registry import AnyProvider, providers
from service import hooks
from tests.integrations.contract.harnesses import HARNESSES, new
from tests.integrations.contract.line import Fault, Request, Work, answer
from tests.integrations.contract.reading import OVER_HTTP, Reading, reading
from tests.integrations.contract.secrets import SHORTEST, _values, told

PAGES = 60  # of one pull; the worlds hold ten at most
CALLS = 1_500  # of one input: a pull over everything in a world makes four hundred


class EndlessError(BaseException):
    """A client calls and calls. Not an Exception, so that nobody catches it on the way."""


def targets() -> Iterator[Target]:
    """Everything that a provider is sent by strangers, for every provider there is."""
    for name in OVER_HTTP:
        packages = _packages(_provider(name))
        yield Target(f"answers/{name}", odd.about(packages, changed_answers), partial(_answering, name))
        yield Target(f"cursors/{name}", odd.about(packages, _cursors), partial(_resuming, name))
    for key, provider in providers().items():
        if provider.webhook is not None:
            inputs = odd.about(_packages(provider), _deliveries)
            yield Target(f"webhook/{key}", inputs, partial(_delivering, provider))


def _provider(name: str) -> AnyProvider:
    """The provider of a world or harness, which begins with its key."""
    return providers()[name.partition(" ")[0]]


def _packages(provider: AnyProvider) -> tuple[str, ...]:
    return (f"integrations.{provider.kind}.{provider.key}", "integrations.graph", "integrations.walking")


# --- answers ----------------------------------------------------------------------------------------------------


def changed_answers(words: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """Which of a client's calls is answered otherwise, and how; `do` says what the client is asked for."""
    return st.fixed_dictionaries(
        {
            "do": st.integers(0, 20),
            "call": st.integers(0, 8),
            "always": st.booleans(),
            "edits": odd.edits(words),
            "raw": st.one_of(st.none(), st.none(), st.none(), odd.octets),
            "status": st.one_of(st.just(200), st.just(200), st.just(200), st.sampled_from(odd.STATUSES)),
            "headers": st.one_of(st.just({}), st.just({}), odd.headers),
        }
    )


@dataclass
class Stranger:
    """Does the provider's work, and changes its answer."""

    given: Mapping[str, Any]
    calls: int = 0
    sent: list[Request] = field(default_factory=list)
    size: int = 0

    def act(self, request: Request, work: Work) -> requests.Response:
        self.calls += 1
        self.sent.append(request)
        if self.calls > CALLS:
            raise EndlessError(f"more than {CALLS} calls for one input")
        call = self.calls - 1
        real = work()
        if call != self.given["call"] and not (self.given["always"] and call > self.given["call"]):
            return real
        body = self._body(real)
        self.size += len(body)
        kind = {"Content-Type": real.headers.get("Content-Type", "application/json")}
        return answer(request, self.given["status"], body, {**kind, **self.given["headers"]})

    def _body(self, real: requests.Response) -> bytes:
        if self.given["raw"] is not None:
            return str(self.given["raw"]).encode("latin-1")
        try:
            value = real.json()
        except ValueError:
            return real.content
        return odd.as_bytes(odd.edited(value, self.given["edits"]))


@contextmanager
def _answering(name: str) -> Iterator[Callable[[Any], None]]:
    with reading(name) as held:
        doings = _doings(name, held)

        def check(given: Any) -> None:
            stranger = Stranger(given)
            held.line.fail_all(Fault(stranger.act, errors.IntegrationError))  # type: ignore[attr-defined]
            try:
                with bounded(lambda: stranger.size):
                    lawful(partial(doings[given["do"] % len(doings)]), stranger)
            finally:
                held.line.mend()

        yield check


def _doings(name: str, held: Reading) -> list[Callable[[], Any]]:
    """Everything that one asks a client."""
    streams = [stream.name for stream in _provider(name).streams]
    for stream in streams if name in HARNESSES else streams[:1]:
        held.fill(stream)
    ids = sorted(held.ids())[:5]

    def pull(stream: str) -> list[Any]:
        return list(islice(held.client().pull(stream, None), PAGES))

    made: list[Callable[[], Any]] = [partial(pull, stream) for stream in streams]
    made.append(lambda: [held.client().whoami()])
    if name in HARNESSES:
        standing = sorted(held.ids(stream="tasks"))
        made.append(lambda: held.client().read_tasks(standing))  # type: ignore[union-attr]
        made.append(lambda: held.client().push_tasks([new("key-1"), new("tasks-0", subject="Other")]))  # type: ignore[union-attr]
        made.append(lambda: [held.client().prepare()])  # type: ignore[union-attr]
    else:
        made.append(lambda: held.client().recheck(ids))  # type: ignore[union-attr]
    return made


def lawful(do: Callable[[], Any], stranger: Stranger) -> None:
    """Records that can be stored, or an error of ours that tells no secret."""
    try:
        found = do()
    except EndlessError as error:
        raise Find(str(error)) from None
    except errors.IntegrationError as error:
        secrets = {each for request in stranger.sent for each in _values(request) if len(each) >= SHORTEST}
        for told_text in told(error):
            if any(secret in told_text for secret in secrets):
                raise Find(f"a secret is told in {type(error).__name__}") from None
        return
    for each in found:
        storable(each)


def storable(value: Any, where: str = "") -> None:
    """Whether a database could keep it: whole characters without NUL, instants with a zone. Raises Find."""
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= each <= "\udfff" for each in value):
            raise Find(f"{where} holds what no database keeps: {value[:40]!a}")
    elif isinstance(value, datetime):
        if value.tzinfo is None:
            raise Find(f"{where} is in no zone")
    elif is_dataclass(value) or isinstance(value, Struct):
        for name in [each.name for each in (fields(value) if is_dataclass(value) else structs.fields(value))]:
            storable(getattr(value, name), f"{type(value).__name__}.{name}")
    elif isinstance(value, Mapping):
        for name, each in value.items():
            storable(name, where)
            storable(each, f"{where}[{name!a}]")
    elif isinstance(value, (list, tuple, set, frozenset)):
        for each in value:
            storable(each, where)


# --- cursors ----------------------------------------------------------------------------------------------------


def _cursors(words: tuple[str, ...]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"stream": st.integers(0, 10), "page": st.integers(0, 3), "edits": odd.edits(words), "raw": st.one_of(st.none(), st.none(), odd.text, odd.values(words).map(lambda value: odd.as_bytes(value).decode()))}
    )  # fmt: skip


@contextmanager
def _resuming(name: str) -> Iterator[Callable[[Any], None]]:
    """A cursor of garbage starts over, or goes on from somewhere: it raises nothing but what the provider answers."""
    streams = [stream.name for stream in _provider(name).streams]
    with reading(name) as held:
        for stream in streams if name in HARNESSES else streams[:1]:
            held.fill(stream)
        saved = {
            stream: [page.cursor for page in islice(held.client().pull(stream, None), 4)] or [None]
            for stream in streams
        }

        def changed(cursor: str | None, edits: Any) -> str:
            try:
                return odd.as_bytes(odd.edited(json.loads(cursor or "null"), edits)).decode()
            except ValueError:
                return str(cursor) + "".join(str(each) for edit in edits for each in edit)

        def check(given: Any) -> None:
            stream = streams[given["stream"] % len(streams)]
            known = saved[stream]
            cursor = given["raw"]
            if cursor is None:
                cursor = changed(known[given["page"] % len(known)], given["edits"])
            stranger = Stranger({"call": -1, "always": False})
            held.line.fail_all(Fault(stranger.act, errors.IntegrationError))  # type: ignore[attr-defined]
            try:
                with bounded(lambda: len(cursor)):
                    lawful(lambda: list(islice(held.client().pull(stream, cursor), PAGES)), stranger)
            finally:
                held.line.mend()

        yield check


# --- webhooks ---------------------------------------------------------------------------------------------------


def _deliveries(words: tuple[str, ...]) -> st.SearchStrategy[Any]:
    body = st.one_of(odd.octets, odd.values(words).map(lambda value: odd.as_bytes(value).decode("latin-1")))
    names = st.one_of(st.sampled_from([each for each in words if each.startswith("x-")] or ["x"]), st.text(max_size=8))
    return st.fixed_dictionaries(
        {"signed": st.booleans(), "headers": st.dictionaries(names, odd.header_value, max_size=3), "body": body,
         "query": st.dictionaries(st.sampled_from(words), odd.text, max_size=4)}
    )  # fmt: skip


@contextmanager
def _delivering(provider: AnyProvider) -> Iterator[Callable[[Any], None]]:
    """Hints or a refusal, whatever is sent, also under a signature that holds."""
    app = App("client", "a-client-secret-of-some-length", options={"webhook_secret": "another-secret-of-some-length"})
    assert provider.webhook is not None
    webhook = provider.webhook

    def check(given: Any) -> None:
        body = given["body"].encode("latin-1")
        signed = mock.patch("hmac.compare_digest", return_value=True) if given["signed"] else nullcontext()
        with bounded(lambda: len(body)), signed:
            for hint in filter(hooks.names_somebody, webhook.verify(app, given["headers"], body) or ()):
                storable(hint)
            storable(webhook.challenge(app, given["query"]))

    yield check
