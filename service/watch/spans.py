"""OpenTelemetry's side of `service.watch.tracing`: what makes spans and what sends them. Imported only where spans are wanted, for its packages
may be missing.

What the operator sets by OTEL_* wins, and OpenTelemetry reads it itself. A collector that is away is said once, costs no job anything, and
keeps no process from ending.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from threading import Thread
from typing import Final

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Tracer

log = structlog.get_logger()

TIMEOUTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
SEND_WITHIN: Final = 3.0  # seconds for one batch with all its tries, where the operator sets none; OpenTelemetry's ten are a long silence
END_WITHIN = (
    2.0  # seconds for what is left when a process ends, which has as few as three for all that it does (`warmline up`)
)


def begin(
    role: str, trace: Callable[[], str], exporter: SpanExporter | None = None
) -> tuple[Tracer, Callable[[], None]]:
    """What makes spans in this process, a `role` ("web", "worker"), and what sends those that are left and ends it. A span without a parent begins
    the trace that `trace` names; "": one of its own. Without `exporter`, spans go to the collector in a thread of their own."""

    class Ids(RandomIdGenerator):
        def generate_trace_id(self) -> int:
            named = trace()
            return int(named, 16) if named else super().generate_trace_id()

    provider = TracerProvider(resource=_resource(role), id_generator=Ids(), shutdown_on_exit=False)
    tracer = provider.get_tracer("warmline")
    if exporter is not None:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        return tracer, provider.shutdown
    sender = Sender(_otlp())
    provider.add_span_processor(BatchSpanProcessor(sender))
    return tracer, lambda: _end(provider, sender)


def _resource(role: str) -> Resource:
    """Whom spans are from. A name that the operator sets is that of all processes: the role stands beside it."""
    ours = Resource.create({"service.name": f"warmline-{role}", "warmline.role": role})
    return ours.merge(OTELResourceDetector().detect())


def _otlp() -> SpanExporter:
    set_by_operator = any(os.environ.get(name) for name in TIMEOUTS)
    return OTLPSpanExporter(timeout=None if set_by_operator else SEND_WITHIN)


def _end(provider: TracerProvider, sender: Sender) -> None:
    """OpenTelemetry's own would wait for a collector that is away for half a minute."""
    ending = Thread(target=provider.shutdown, name="spans-end", daemon=True)
    ending.start()
    ending.join(END_WITHIN)
    if ending.is_alive():
        sender.give_up()


class _Said(logging.Filter):
    """Takes what a library says of every try, and keeps the first of it: it is said once."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ""
        self.down = False

    def filter(self, record: logging.LogRecord) -> bool:
        self.first = self.first or _plain(record)
        return False

    def full(self, record: logging.LogRecord) -> bool:
        """Whether what is said of a queue that runs over is news: not while nothing can be sent."""
        return not self.down


def _plain(record: logging.LogRecord) -> str:
    """The sentence, with an error's kind in place of its words, which quote the address."""
    given = record.args if isinstance(record.args, tuple) else ()
    return str(record.msg) % tuple(type(each).__name__ if isinstance(each, Exception) else each for each in given)


_said = _Said()  # a process has one sender at most
logging.getLogger(OTLPSpanExporter.__module__).addFilter(_said)
logging.getLogger("opentelemetry.sdk._shared_internal").addFilter(_said.full)


class Sender(SpanExporter):
    """Sends by `exporter`, and says once that it goes down and once that it is back."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost = 0  # spans, since it went down
        self._ended = False
        _said.down = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self._ended:
            return SpanExportResult.FAILURE
        _said.first = ""
        result = self._exporter.export(spans)
        if not self._ended:
            (self._arrived if result is SpanExportResult.SUCCESS else self._failed)(len(spans))
        return result

    def shutdown(self) -> None:
        if not self._ended:
            self._ended = True
            self._exporter.shutdown()

    def give_up(self) -> None:
        """Ends though a batch is under way; that counts as failed, and what is left goes nowhere."""
        self.shutdown()
        self._failed(0)

    def _arrived(self, count: int) -> None:
        if _said.down:
            log.info("came back", to="collector", spans_lost=self._lost)
        _said.down, self._lost = False, 0

    def _failed(self, count: int) -> None:
        if not _said.down:
            log.warning("went down", to="collector", error=_said.first or "no answer in time")
        _said.down, self._lost = True, self._lost + count
