"""What ties the lines of one job, or of one request, together: a `trace` in every log line, and spans where OpenTelemetry is set up.

A job's trace follows from its claim (the lease and the row that it claimed), so the scheduler that puts it on the queue and the worker
that does it name the same one without handing anything over. A request's is made from its id.

Spans are off, and cost nothing, unless OTEL_EXPORTER_OTLP_ENDPOINT is set and the packages of the extra `otel` are there. They carry ids,
counts and kinds; an error's words stay out of them, as out of the logs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from hashlib import blake2s
from typing import Any, TypeVar

import structlog

from service.config import Config

log = structlog.get_logger()
T = TypeVar("T")

_trace: ContextVar[str] = ContextVar("trace", default="")
_tracer: Any = None  # an opentelemetry.trace.Tracer, where there is one

MISSING = "OTEL_EXPORTER_OTLP_ENDPOINT is set, and no spans are sent: OpenTelemetry is not installed. Run `pip install '.[otel]'` where Warmline was installed from."


def trace_of(*ids: object) -> str:
    """The trace that belongs to these ids: 32 hexadecimal digits, as W3C Trace Context and OpenTelemetry have them."""
    return blake2s("|".join(map(str, ids)).encode(), digest_size=16).hexdigest()


def current() -> str:
    """The trace of the job or request under way; "" outside of one."""
    return _trace.get()


@contextmanager
def traced(name: str, trace: str, **ids: str) -> Iterator[None]:
    """One job or request: its trace and `ids` stand in every log line until the block ends, and its spans lie in one."""
    token = _trace.set(trace)
    try:
        with structlog.contextvars.bound_contextvars(trace=trace, **ids), span(name, **ids):
            yield
    finally:
        _trace.reset(token)


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[None]:
    """A step of it, for OpenTelemetry alone."""
    if _tracer is None:
        yield
        return
    named = {f"warmline.{key}": value for key, value in attributes.items()}
    with _tracer.start_as_current_span(
        name, attributes=named, record_exception=False, set_status_on_exception=False
    ) as made:
        try:
            yield
        except BaseException as error:
            made.set_attribute("error.type", type(error).__name__)
            made.set_status(_failed())
            raise


def here(call: Callable[..., T]) -> Callable[..., T]:
    """`call`, to be made once in another thread, with this thread's trace."""
    return partial(copy_context().run, call)


def configure(config: Config, role: str, exporter: Any = None) -> None:
    """Sets spans up for this process where they are wanted and can be had. After a fork: it starts a thread. `exporter` is a
    SpanExporter to use in place of OTLP's."""
    global _tracer
    _tracer = None
    if config.otlp_endpoint is None and exporter is None:
        return
    try:
        _tracer = _tracer_for(role, exporter)
    except ImportError:
        log.warning(MISSING)


def shut_down() -> None:
    """Sends what was not sent yet."""
    global _tracer
    if _tracer is not None:
        _tracer, tracer = None, _tracer
        tracer.warmline_provider.shutdown()


def _tracer_for(role: str, exporter: Any) -> Any:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        """A span that has no parent begins the trace that the logs name."""

        def generate_trace_id(self) -> int:
            trace = _trace.get()
            return int(trace, 16) if trace else super().generate_trace_id()

    if exporter is None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        processor: Any = BatchSpanProcessor(OTLPSpanExporter())  # reads OTEL_* itself
    else:
        processor = SimpleSpanProcessor(exporter)
    resource: Mapping[str, str] = {"service.name": f"warmline-{role}"}
    provider = TracerProvider(resource=Resource.create(resource), id_generator=Ids())
    provider.add_span_processor(processor)
    tracer: Any = provider.get_tracer("warmline")
    tracer.warmline_provider = provider
    return tracer


def _failed() -> Any:
    from opentelemetry.trace import Status, StatusCode

    return Status(StatusCode.ERROR)
