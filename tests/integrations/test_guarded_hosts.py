"""Servers that people name may be anything: what they send is measured in time and size, and where they lead is looked at."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from integrations import consents, http
from integrations.clients import SocialClient
from integrations.deadline import Deadline
from integrations.errors import (
    AmbiguousWriteError,
    IntegrationError,
    InvalidRequestError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.http import Session
from integrations.provider import App, OAuth2, Provider, Setting

HERE = ("127.0.0.1",)
Talk = Callable[[socket.socket, threading.Event], None]


@dataclass
class Server:
    """Speaks on loopback as a test says, a connection at a time; `over` is set when the test ends."""

    talk: Talk
    over: threading.Event = field(default_factory=threading.Event)
    heard: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                self.heard.append(connection.recv(65_536))
                self.talk(connection, self.over)

    def stop(self) -> None:
        self.over.set()
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)


@pytest.fixture
def serve() -> Iterator[Callable[[Talk], Server]]:
    made: list[Server] = []

    def start(talk: Talk) -> Server:
        made.append(Server(talk))
        return made[-1]

    yield start
    for each in made:
        each.stop()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "WITHIN", 0.3)


def says(text: str) -> Talk:
    return lambda connection, over: connection.sendall(text.encode())


def trickles(text: str) -> Talk:
    """A byte at a time, always well within the limit between two bytes, and for ever."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(text.encode())
        while not over.wait(0.02):
            connection.sendall(b"x")

    return talk


ENDLESS = {
    "head": "HTTP/1.1 200 OK\r\nX-Slow: ",
    "body": "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n",
    "body without a length": "HTTP/1.1 200 OK\r\n\r\n",
}


@pytest.mark.parametrize("start", ENDLESS.values(), ids=ENDLESS)
def test_a_host_that_trickles_is_given_up(serve: Callable[[Talk], Server], start: str) -> None:
    session = Session(serve(trickles(start)).url, guarded=True, allow=HERE)
    with session.http, pytest.raises(TemporaryError, match=r"did not send its answer within 0\.3 seconds"):
        session.request("GET", "/")


def test_a_write_that_trickles_may_have_been_done(serve: Callable[[Talk], Server]) -> None:
    session = Session(serve(trickles(ENDLESS["head"])).url, guarded=True, allow=HERE)
    with session.http, pytest.raises(AmbiguousWriteError):
        session.post("/", {})


def test_a_connection_that_is_used_once_more_is_watched_too(serve: Callable[[Talk], Server]) -> None:
    def twice(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        connection.recv(65_536)
        trickles(ENDLESS["head"])(connection, over)

    server = serve(twice)
    session = Session(server.url, guarded=True, allow=HERE)
    with session.http:
        assert session.get("/") == {}
        with pytest.raises(TemporaryError, match="did not send its answer"):
            session.get("/")
    assert len(server.heard) == 1  # one connection served both


def test_calls_within_a_longer_deadline_share_it(serve: Callable[[Talk], Server]) -> None:
    session = Session(serve(trickles(ENDLESS["head"])).url, guarded=True, allow=HERE)
    with session.http, Deadline(0.1) as deadline, pytest.raises(TemporaryError, match=r"0\.1 seconds"):
        session.get("/")
    assert deadline.over


def test_an_answer_without_end_is_cut_by_its_size(
    serve: Callable[[Talk], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    def floods(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2147483648\r\n\r\n[")
        while not over.is_set():
            connection.sendall(b"1," * 32_768)

    monkeypatch.setattr(http, "WITHIN", 30.0)
    monkeypatch.setattr(http, "MAX_ANSWER", 1_000_000)
    session = Session(serve(floods).url, guarded=True, allow=HERE)
    with session.http, pytest.raises(UnexpectedResponseError, match="larger than any we asked for"):
        session.get("/")


@pytest.mark.parametrize(
    "answer",
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<garbage>",
        'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"half": ',
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        "SSH-2.0-OpenSSH_9.9\r\n",
        "",
    ],
)
def test_whatever_a_named_server_says_is_one_of_our_errors(serve: Callable[[Talk], Server], answer: str) -> None:
    server = serve(says(answer))
    session = Session(server.url, guarded=True, allow=HERE)
    with session.http, pytest.raises(IntegrationError):
        session.get("/")
    assert len(server.heard) == 1  # a redirect to itself is not followed


def test_a_server_that_leads_inside_is_never_spoken_to(serve: Callable[[Talk], Server]) -> None:
    server = serve(says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
    session = Session(server.url, guarded=True)
    with session.http, pytest.raises(InvalidRequestError, match="not public"):
        session.get("/")
    assert b"".join(server.heard) == b""


# --- and the same on the way to a token -------------------------------------------------------------------------

PROVIDER: Provider[SocialClient] = Provider(
    key="example", kind="social", name="Example", hosts={}, auth=OAuth2("{web}/authorize", "{web}/token", ("read",), revoke_url="{web}/revoke"),
    client=lambda access: pytest.fail("no client is needed here"), streams=(),
)  # fmt: skip


def setting(server: Server, allow: tuple[str, ...] = HERE) -> Setting:
    return Setting(
        App("client", "secret"),
        {"web": server.url},
        redirect_uri="https://w.example/cb",
        guarded=True,
        allow_hosts=allow,
    )


def test_a_token_endpoint_that_trickles_is_given_up(serve: Callable[[Talk], Server]) -> None:
    found = setting(serve(trickles(ENDLESS["body"])))
    with pytest.raises(TemporaryError, match="Example did not send its answer"):
        consents.finish(consents.way(PROVIDER), found, {"verifier": "v" * 43}, {"code": "c"})


def test_neither_code_nor_token_goes_to_an_address_inside(serve: Callable[[Talk], Server]) -> None:
    server = serve(says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
    way, found = consents.way(PROVIDER), setting(server, ())
    with pytest.raises(InvalidRequestError, match="not public"):
        consents.finish(way, found, {"verifier": "v" * 43}, {"code": "the-code"})
    consents.revoke(way, found, {"refresh_token": "the-token"})  # says nothing, and tells nobody
    assert b"".join(server.heard) == b""
