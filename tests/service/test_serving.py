"""What gunicorn says stands in the log as everything else does."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser

from service import config
from service.serving import Draining, Server


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


# --- requests that cannot be read ---------------------------------------------------------------------------------


SECRET = "wl_SECRETKEY"
UNREADABLE = {
    "a header without its colon": f"GET / HTTP/1.1\r\nHost: a\r\nAuthorization Bearer {SECRET}\r\n\r\n".encode(),
    "a link with a letter too many": f"GET /signin/{SECRET}\u00e9 HTTP/1.1\r\nHost: a\r\n\r\n".encode("latin-1"),
    "a version that is none": f"GET /signin/{SECRET} HTTP/9.9x\r\nHost: a\r\n\r\n".encode(),
    "a method that is none": f"{SECRET}, / HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
}


@pytest.mark.parametrize("sent", UNREADABLE.values(), ids=UNREADABLE)
def test_a_request_that_cannot_be_read_is_logged_without_its_words(
    sent: bytes, says: logging.Logger, logged: Any
) -> None:
    server = Server(config.load(follow=False))
    worker: Any = SimpleNamespace(log=server.cfg.logger_class(server.cfg), cfg=server.cfg)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(sent)
        with pytest.raises(ParseException) as found:
            next(RequestParser(server.cfg, theirs, ("203.0.113.9", 4711)))
        Draining.handle_error(worker, None, theirs, ("203.0.113.9", 4711), found.value)
        assert ours.recv(100).startswith(b"HTTP/1.1 4")
    [line] = logged()
    assert line["event"] == "Invalid request from ip=203.0.113.9"
    assert SECRET not in str(line)


def test_a_request_that_fails_outside_the_application_is_logged_without_its_address(
    says: logging.Logger, logged: Any
) -> None:
    server = Server(config.load(follow=False))
    lines = server.cfg.logger_class(server.cfg)
    try:
        raise ValueError("broken")
    except ValueError:
        lines.exception("Error handling request %s %s", "GET", f"/signin/{SECRET}")
        lines.exception("Exception in worker %s", "process")
    failed, other = logged()
    assert (failed["event"], SECRET in str(failed)) == ("Error handling request", False)
    assert other["event"] == "Exception in worker process"
