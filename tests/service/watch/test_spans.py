"""Spans on their way to a collector: whom they are from, and what becomes of a process whose collector is away."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest
import requests
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service.watch import spans

PATIENCE = 20  # seconds: less than OpenTelemetry's own would take, and for a busy machine


def made(role: str = "worker", count: int = 1) -> Sequence[ReadableSpan]:
    """Spans as a process of that role makes them."""
    kept = InMemorySpanExporter()
    tracer, end = spans.begin(role, lambda: "", kept)
    for _ in range(count):
        with tracer.start_as_current_span("pull"):
            pass
    end()
    return kept.get_finished_spans()


# --- what the operator sets -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({}, "warmline-worker"),
        ({"OTEL_SERVICE_NAME": "mine"}, "mine"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=ours,deployment.environment=test"}, "ours"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=ours", "OTEL_SERVICE_NAME": "mine"}, "mine"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.namespace=shop"}, "warmline-worker"),
    ],
)
def test_the_name_that_the_operator_sets_wins_and_the_role_stands_beside_it(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], name: str
) -> None:
    for each, value in environment.items():
        monkeypatch.setenv(each, value)
    [span] = made()
    assert (span.resource.attributes["service.name"], span.resource.attributes["warmline.role"]) == (name, "worker")


def test_the_operators_sampler_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    assert not made()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, spans.SEND_WITHIN),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "7"}, 7),
        ({"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "8", "OTEL_EXPORTER_OTLP_TIMEOUT": "7"}, 8),
    ],
)
def test_a_batch_has_seconds_and_as_many_as_the_operator_says(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], seconds: float
) -> None:
    for each, value in environment.items():
        monkeypatch.setenv(each, value)
    given: list[float] = []
    monkeypatch.setattr("requests.Session.request", lambda *_, timeout, **__: given.append(timeout))
    spans._otlp().export(made())
    assert seconds - 0.9 < given[0] <= seconds


# --- a collector that is away ---------------------------------------------------------------------------------


@contextmanager
def refusing() -> Iterator[int]:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextmanager
def hanging() -> Iterator[int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("away", [refusing, hanging])
@pytest.mark.parametrize("count", [2, 1500])
def test_a_collector_that_is_away_keeps_no_process_from_ending(
    monkeypatch: pytest.MonkeyPatch, logged: Any, away: Any, count: int
) -> None:
    """However long the operator lets a batch take, and whatever waits."""
    monkeypatch.setattr(spans, "END_WITHIN", 0.05)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "60")
    with away() as port:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
        tracer, end = spans.begin("worker", lambda: "")
        for _ in range(count):
            with tracer.start_as_current_span("pull"):
                pass
        ending = Thread(target=end, daemon=True)
        ending.start()
        ending.join(PATIENCE)
        assert not ending.is_alive()
    assert [(line["event"], line["to"]) for line in logged()] == [("went down", "collector")]


class _Collector(BaseHTTPRequestHandler):
    statuses: ClassVar[list[int]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.statuses.pop(0))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def sender(monkeypatch: pytest.MonkeyPatch) -> Iterator[spans.Sender]:
    """To a collector that answers as `_Collector.statuses` says."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.5")  # no second try: that comes after some 0.8 seconds
    with HTTPServer(("127.0.0.1", 0), _Collector) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        sender = spans.Sender(spans._otlp())
        yield sender
        sender.shutdown()
        server.shutdown()


def test_a_collector_that_goes_down_is_said_once_and_so_is_that_it_is_back(sender: spans.Sender, logged: Any) -> None:
    _Collector.statuses[:] = [401, 503, 503, 200, 200, 400]
    batch = made(count=2)
    for _ in range(3):
        sender.export(batch)
    logging.getLogger("opentelemetry.sdk._shared_internal").warning("Queue full, dropping %s.", "Span")
    for _ in range(3):
        sender.export(batch)
    down, back, again = logged()
    assert (down["event"], down["level"], down["to"]) == ("went down", "warning", "collector")
    assert "401" in down["error"]
    assert (back["event"], back["level"], back["spans_lost"]) == ("came back", "info", 6)
    assert "400" in again["error"]


def test_what_is_said_of_a_collector_quotes_no_address(
    sender: spans.Sender, monkeypatch: pytest.MonkeyPatch, logged: Any
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise requests.exceptions.InvalidURL("http://collector.test/v1/traces?token=hush")

    monkeypatch.setattr("requests.Session.request", refuse)
    sender.export(made())
    [line] = logged()
    assert "InvalidURL" in line["error"]
    assert "hush" not in json.dumps(line)
