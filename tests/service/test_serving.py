"""What gunicorn says stands in the log as everything else does."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from service import config
from service.serving import Server


@pytest.fixture
def says() -> Iterator[logging.Logger]:
    """Gunicorn's log of errors, set up as a web process does."""
    log = logging.getLogger("gunicorn.error")
    before = log.propagate, log.level, list(log.handlers)
    server = Server(config.load(follow=False))
    yield server.cfg.logger_class(server.cfg).error_log
    log.propagate, log.level, log.handlers = before


def test_a_line_of_gunicorns_is_fields_like_any_other(
    says: logging.Logger, logged: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    says.info("Booting worker with pid: %s", 12)
    try:
        raise ValueError("broken")
    except ValueError:
        says.exception("Exception in worker process")
    booting, broken = logged()
    assert (booting["event"], booting["level"]) == ("Booting worker with pid: 12", "info")
    assert "ValueError: broken" in broken["exception"]
    assert capfd.readouterr() == ("", "")
