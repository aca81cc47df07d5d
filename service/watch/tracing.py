"""What ties the lines of one job, or of one request, together: a `trace` in every log line, and spans where OpenTelemetry is set up.

A job's trace follows from its claim (the lease and the row that it claimed), so the scheduler that puts it on the queue and the worker
that does it name the same one without handing anything over. A request's is made from its id.

Spans are off, and cost nothing, unless OTEL_EXPORTER_OTLP_ENDPOINT is set and the packages of the extra `otel` are there. They carry ids,
counts and kinds; an error's words stay out of them, as out of the logs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
_end: Callable[[], None] = lambda: None  # sends what its spans left, and ends it  # noqa: E731

MISSING = "OTEL_EXPORTER_OTLP_ENDPOINT is set, and no spans are sent: OpenTelemetry is not installed. Run `pip install --require-hashes -r requirements-otel.txt` where Warmline was installed from."


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
    global _tracer, _end
    _tracer = None
    if config.otlp_endpoint is None and exporter is None:
        return
    try:
        _tracer, _end = _tracer_for(role, exporter)
    except ImportError:
        log.warning(MISSING)


def shut_down() -> None:
    """Sends what was not sent yet, as far as that takes no more than seconds (`service.watch.spans`)."""
    global _tracer
    if _tracer is not None:
        _tracer = None
        _end()


def _tracer_for(role: str, exporter: Any) -> tuple[Any, Callable[[], None]]:
    from service.watch import spans

    return spans.begin(role, current, exporter)


def _failed() -> Any:
    from opentelemetry.trace import Status, StatusCode

    return Status(StatusCode.ERROR)
