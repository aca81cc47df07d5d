"""Logs: what becomes of a line that cannot be written."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from service import logs

FULL = Path("/dev/full")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


@pytest.mark.skipif(not FULL.exists(), reason="no device here is always full")
@pytest.mark.parametrize("as_json", [True, False])
def test_a_full_disk_below_a_log_ends_nobody_who_writes_there(as_json: bool) -> None:
    out = FULL.open("w", buffering=1)
    logs.write(out, as_json=as_json)
    structlog.get_logger().info("claimed", count=1)
    logging.getLogger("gunicorn").warning("a worker was sent SIGTERM")
    with pytest.raises(OSError, match="No space left"):
        out.close()
