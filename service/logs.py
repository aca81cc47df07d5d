"""Logs are fields: never the text of a post, a token or a query string."""

from __future__ import annotations

import logging
import sys

import structlog

from service.config import Config


def configure(config: Config) -> None:
    """Structured lines on stderr: JSON where `json_logs` is set, readable ones elsewhere."""
    final = (
        structlog.processors.JSONRenderer()
        if config.json_logs
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            final,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
