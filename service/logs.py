"""Logs are fields: never the text of a post, a token or a query string.

What libraries log by the standard library's `logging` comes out the same way, with the trace of the job or request that it belongs to.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO, cast

import structlog
from structlog.typing import Processor

if TYPE_CHECKING:
    from service.config import Config

# In every line, whoever wrote it: what ties it to its job or request, how bad it is, and when it was.
_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure(config: Config, stream: TextIO | None = None) -> None:
    """Structured lines on `stream` (stderr): JSON where `json_logs` is set, readable ones elsewhere."""
    write(stream or sys.stderr, as_json=config.json_logs)


def quiet() -> None:
    """For a command that a person runs: what it has to say stands on its own pages, and warnings alone go to stderr, so that stdout
    stays what a program can read."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


class _Lossy:
    """A stream that loses what it cannot write: a full disk below a log ends no process and no job."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._out.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._out.flush()


def write(out: TextIO, *, as_json: bool) -> None:
    """Structured lines on `out` from now on."""
    final: Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=out.isatty())
    )
    structlog.configure(
        processors=[*_SHARED, structlog.processors.format_exc_info, final],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Lossy(out))),
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, structlog.processors.format_exc_info],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, final],
        )
    )
    root = logging.getLogger()
    root.handlers, root.level = [handler], logging.WARNING
