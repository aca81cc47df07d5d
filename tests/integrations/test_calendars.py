"""A calendar's address is typed by somebody: it is read over https, from the internet, within a time and a size, and it is
a secret."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integrations.calendars import clean_address, fetch
from integrations.errors import (
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    TemporaryError,
    UnexpectedResponseError,
)

LOOPBACK = ("127.0.0.1",)
ICS = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
Handle = Callable[[BaseHTTPRequestHandler], None]


@pytest.mark.parametrize(
    ("typed", "address", "host"),
    [
        (" https://cal.example/private-abc/basic.ics ", "https://cal.example/private-abc/basic.ics", "cal.example"),
        ("webcal://cal.example/abc.ics", "https://cal.example/abc.ics", "cal.example"),
        ("https://cal.example:8443/a?token=s#x", "https://cal.example:8443/a?token=s", "cal.example:8443"),
        ("http://127.0.0.1:8080/a.ics", "http://127.0.0.1:8080/a.ics", "127.0.0.1:8080"),
    ],
)
def test_an_address_is_read_as_people_type_it(typed: str, address: str, host: str) -> None:
    assert clean_address(typed, LOOPBACK) == (address, host)


@pytest.mark.parametrize(
    "typed",
    ["", "my calendar", "ftp://cal.example/a.ics", "file:///etc/passwd", "http://cal.example/a.ics", "https://", "https://a b/c",
     "https://cal.example:99999/a", "https://[::1", "https://cal.example/a\nb"],
)  # fmt: skip
def test_what_is_no_address_to_call_is_refused_in_a_sentence(typed: str) -> None:
    with pytest.raises(InvalidRequestError, match="https"):
        clean_address(typed, LOOPBACK)


@pytest.fixture
def serve() -> Iterator[Callable[[Handle], str]]:
    """Starts a server on loopback that answers as it is told; returns its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(handle: Handle) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                handle(self)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/private-xyz/basic.ics?token=abc"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def answer(status: int = 200, body: bytes = ICS, **headers: str) -> Handle:
    def handle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return handle


def test_a_calendar_is_fetched_whole_with_its_query(serve: Callable[[Handle], str]) -> None:
    seen: list[str] = []

    def handle(request: BaseHTTPRequestHandler) -> None:
        seen.append(request.path)
        answer()(request)

    assert fetch(serve(handle), allow=LOOPBACK) == ICS
    assert seen == ["/private-xyz/basic.ics?token=abc"]


def test_nothing_is_sent_to_a_host_that_is_not_public(serve: Callable[[Handle], str]) -> None:
    seen: list[str] = []
    address = serve(lambda request: seen.append(request.path))
    with pytest.raises(InvalidRequestError, match="not public"):
        fetch(address)
    assert seen == []


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, PermissionDeniedError), (403, PermissionDeniedError), (404, NotFoundError), (410, NotFoundError), (503, TemporaryError)],
)  # fmt: skip
def test_a_refusal_becomes_a_sentence_without_the_address(
    serve: Callable[[Handle], str], status: int, error: type[Exception]
) -> None:
    with pytest.raises(error) as refused:
        fetch(serve(answer(status)), allow=LOOPBACK)
    assert "127.0.0.1" in str(refused.value)
    assert "private-xyz" not in str(refused.value)
    assert "token" not in str(refused.value)


def test_a_redirect_is_followed_and_each_hop_is_checked(serve: Callable[[Handle], str]) -> None:
    there = serve(answer())
    assert fetch(serve(answer(302, b"", Location=there)), allow=LOOPBACK) == ICS
    with pytest.raises(InvalidRequestError, match="https only"):
        fetch(serve(answer(302, b"", Location="http://cal.example/a.ics")), allow=LOOPBACK)
    with pytest.raises(InvalidRequestError, match="not an address"):
        fetch(serve(answer(302, b"", Location="file:///etc/passwd")), allow=LOOPBACK)


def test_redirects_without_an_end_are_given_up(serve: Callable[[Handle], str]) -> None:
    with pytest.raises(UnexpectedResponseError, match="from one address to the next"):
        fetch(serve(answer(302, b"", Location="/again")), allow=LOOPBACK)


def test_a_calendar_that_is_too_large_is_given_up(serve: Callable[[Handle], str]) -> None:
    with pytest.raises(UnexpectedResponseError, match="larger"):
        fetch(serve(answer(body=b"x" * 5000)), allow=LOOPBACK, most=4000)


def endless(part: bytes, before: bytes) -> Handle:
    """Writes `before`, then `part` for as long as anybody listens, each byte in good time for a limit between two bytes."""
    gone = threading.Event()

    def handle(request: BaseHTTPRequestHandler) -> None:
        try:
            request.wfile.write(before)
            while not gone.wait(0.02):
                request.wfile.write(part)
        except OSError:
            gone.set()

    return handle


@pytest.mark.parametrize(
    ("before", "part"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nBEGIN:VCALENDAR\r\n", b"X"),  # a body without a length
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", b"X"),
        (b"HTTP/1.1 200 OK\r\n", b"X"),  # a header without an end
    ],
)
def test_a_calendar_that_trickles_for_ever_is_given_up(
    serve: Callable[[Handle], str], before: bytes, part: bytes
) -> None:
    with pytest.raises(TemporaryError, match="did not send it all within"):
        fetch(serve(endless(part, before)), allow=LOOPBACK, within=0.2)


def test_a_host_where_nobody_listens_cannot_be_reached() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/a.ics"
    with pytest.raises(TemporaryError, match="cannot be reached"):
        fetch(address, allow=LOOPBACK)
