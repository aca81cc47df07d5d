"""Mapping: a provider's answers to our records, through the client as a worker calls it, against the shortest loop that does
anything with the same bytes.

The answers are those of whoever plays the provider in the contract's tests (`tests/integrations/<kind>/<key>`), in pages as long as the client asks
for, recorded once and then given again without a network. So a provider is measured as soon as it keeps the contract, and nothing here
names one.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from bench.figures import Figure
from bench.rounds import in_turns, median
from bench.scale import Scale
from bench.words import Writer
from integrations.clients import CRMClient, SocialClient
from tests.integrations.contract.harnesses import HARNESSES
from tests.integrations.contract.line import Wire
from tests.integrations.contract.reading import OVER_HTTP, Reading, reading

GOAL = 20_000  # records a second
PAGE = 200  # posts on a page at most; a client asks for what its network allows


@dataclass(frozen=True)
class Recorded:
    """Answers of a provider, in the order in which they were given."""

    answers: tuple[tuple[int, dict[str, str], bytes], ...]

    @contextmanager
    def given(self) -> Iterator[None]:
        """Every call is answered with the next of them."""
        left = iter(self.answers)

        def send(adapter: HTTPAdapter, request: requests.PreparedRequest, **_: Any) -> requests.Response:
            status, headers, body = next(left)
            raw = HTTPResponse(body=io.BytesIO(body), headers=headers, status=status, preload_content=False)
            return adapter.build_response(request, raw)

        with mock.patch.object(HTTPAdapter, "send", send):
            yield


def measure(scale: Scale) -> list[Figure]:
    """Records a second, for each provider that answers over HTTP."""
    return [_figure(name, scale) for name in _names()]


def _names() -> list[str]:
    """Each network, and each CRM once: a second harness plays the same CRM."""
    return [name for name in OVER_HTTP if name not in HARNESSES or " " not in name]


def _figure(name: str, scale: Scale) -> Figure:
    rounds = 2 * scale.rounds + 1
    with reading(name) as there:
        _fill(there, name in HARNESSES, scale.mapped)
        client, recorded = there.client, _record(there)
        stream = there.streams[0]

        def ours(_: int) -> float:
            return _speed(recorded, lambda: _records(client(), stream), scale.mapped_seconds)

        def bare(_: int) -> float:
            return _speed(recorded, lambda: _rows(recorded), scale.mapped_seconds)

        records = _once(recorded, client(), stream)
        speed, reference = in_turns(rounds, ours, bare)
    calls = len(recorded.answers)
    size = f"{records} records in {calls} answers, {sum(len(body) for _, _, body in recorded.answers) // 1024} kB; the median of {rounds} rounds"
    against = "json.loads of the same bytes and a flat dict of each row"
    return Figure(
        f"mapping: {name}", median(speed), "records/s", size, median(reference), against, of="value", at_least=GOAL
    )  # fmt: skip


def _fill(there: Reading, crm: bool, number: int) -> None:
    if crm:
        there.actor.put_contacts(number)
        return
    if page := getattr(there.actor, "page", None):
        page(PAGE)
    writer = Writer(7, "brand")
    for each in range(number):
        there.add(f"{writer.opener()} {writer.follow_up()} https://shop.example/{each} 🦺")


def _record(there: Reading) -> Recorded:
    assert isinstance(there.line, Wire)
    before = len(there.line.answers)
    for _ in there.client().pull(there.streams[0], None):
        pass
    return Recorded(
        tuple((each.status_code, dict(each.headers), each.content or b"") for each in there.line.answers[before:])
    )


def _once(recorded: Recorded, client: SocialClient | CRMClient, stream: str) -> int:
    with recorded.given():
        return _records(client, stream)


def _records(client: SocialClient | CRMClient, stream: str) -> int:
    return sum(len(page.items) for page in client.pull(stream, None))


def _rows(recorded: Recorded) -> int:
    kept: list[dict[str, Any]] = []
    for _, _, body in recorded.answers:
        kept += [
            {name: value for name, value in row.items() if value is not None} for row in _longest(json.loads(body))
        ]
    return len(kept)


def _longest(value: Any) -> Sequence[dict[str, Any]]:
    """The list of rows in an answer, whatever the vendor calls it."""
    if isinstance(value, list):
        return [each for each in value if isinstance(each, dict)]
    lists = [_longest(each) for each in value.values()] if isinstance(value, dict) else []
    return max(lists, key=len, default=())


def _speed(recorded: Recorded, work: Callable[[], int], at_least: float) -> float:
    """Records a second of processor time, of as many turns as take so many seconds: what else the machine does changes nothing."""
    done, begun, seconds = 0, time.process_time(), 0.0
    while seconds < at_least:
        with recorded.given():
            done += work()
        seconds = time.process_time() - begun
    return done / seconds
