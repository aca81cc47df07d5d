from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import requests
import responses
from urllib3.exceptions import MaxRetryError, SSLError

from integrations import deadline, errors, http
from integrations.guarded import is_public
from integrations.http import Session, error_for, parse_json, redact, retry_after_header, told_time

BASE = "https://api.example.com"
TOKEN = "a-token-nobody-may-see"


def _response(status: int, body: bytes = b"", **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url, response._content = status, f"{BASE}/records?token={TOKEN}", body
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


# --- the status table ----------------------------------------------------------------------------------------

READS = {
    200: None,
    201: None,
    204: None,
    207: None,
    301: errors.UnexpectedResponseError,
    304: errors.UnexpectedResponseError,
    400: errors.InvalidRequestError,
    401: errors.AuthenticationError,
    402: errors.PermissionDeniedError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    408: errors.TemporaryError,
    409: errors.InvalidRequestError,
    410: errors.NotFoundError,
    422: errors.InvalidRequestError,
    429: errors.RateLimitError,
    500: errors.TemporaryError,
    502: errors.TemporaryError,
    503: errors.TemporaryError,
    504: errors.TemporaryError,
}


@pytest.mark.parametrize(("status", "expected"), READS.items())
@pytest.mark.parametrize("write", [False, True])
def test_a_status_means_one_error(status: int, expected: type[Exception] | None, write: bool) -> None:
    error = error_for(_response(status), says="No.", write=write)
    if write and expected is errors.TemporaryError:
        expected = errors.AmbiguousWriteError  # the work may have been done before it went wrong
    assert (None if error is None else type(error)) is expected
    if error is not None:
        assert "api.example.com" in str(error)
        assert TOKEN not in str(error)


def test_what_the_provider_says_is_passed_on_and_cut_short() -> None:
    assert "No such owner" in str(error_for(_response(400), says="No such owner"))
    assert len(str(error_for(_response(400), says="x" * 5000))) < 400


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30),
        ("0", 0),
        (" 7 ", 7),
        ("9" * 400, http.LONGEST_WAIT),
        ("²", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", None),
        ("Wed, 21 Oct 9999 07:28:00 GMT", http.LONGEST_WAIT),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_header(_response(429, Retry_After=value)) == seconds


def test_retry_after_as_a_date_counts_from_now() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)
    assert retry_after_header(_response(429, Retry_After=later)) == pytest.approx(120, abs=5)


@pytest.mark.parametrize(
    ("headers", "wait"), [({}, http.WAIT), ({"Retry_After": "0"}, 1.0), ({"Retry_After": "90"}, 90.0)]
)
def test_a_rate_limit_says_when(headers: dict[str, str], wait: float) -> None:
    error = error_for(_response(429, **headers))
    assert isinstance(error, errors.RateLimitError)
    assert error.retry_after == wait


# --- the session ---------------------------------------------------------------------------------------------


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as found:
        yield found


def test_a_call_carries_the_token_and_our_name(mock: responses.RequestsMock) -> None:
    mock.get(f"{BASE}/me", json={"id": 1})
    assert Session(f"{BASE}/", token=TOKEN, headers={"X-Version": "2"}).get("/me", fields="a,b") == {"id": 1}
    sent = mock.calls[0].request
    assert sent.headers["Authorization"] == f"Bearer {TOKEN}"
    assert sent.headers["User-Agent"] == http.USER_AGENT
    assert sent.headers["X-Version"] == "2"
    assert sent.url == f"{BASE}/me?fields=a%2Cb"


def test_an_empty_answer_is_none(mock: responses.RequestsMock) -> None:
    mock.post(f"{BASE}/archive", status=204)
    assert Session(BASE).post("/archive", {"id": 1}) is None


def test_the_provider_of_a_session_may_read_a_status_its_own_way(mock: responses.RequestsMock) -> None:
    mock.get(f"{BASE}/gone", status=404)
    mock.get(f"{BASE}/other", status=404)
    session = Session(
        BASE, classify=lambda answer: errors.AuthenticationError("left") if "gone" in answer.url else None
    )
    with pytest.raises(errors.AuthenticationError):
        session.get("/gone")
    with pytest.raises(errors.NotFoundError):
        session.get("/other")


def test_a_redirect_is_refused_and_its_target_never_called(mock: responses.RequestsMock) -> None:
    mock.get(f"{BASE}/me", status=302, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(errors.UnexpectedResponseError, match="redirect"):
        Session(BASE, token=TOKEN).get("/me")
    assert len(mock.calls) == 1


def test_an_oversized_answer_is_given_up(mock: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_ANSWER", 100_000)
    mock.get(f"{BASE}/fits", body=b'"' + b"a" * 99_998 + b'"')
    mock.get(f"{BASE}/large", body=b'"' + b"a" * 99_999 + b'"')
    assert len(Session(BASE).get("/fits")) == 99_998
    with pytest.raises(errors.UnexpectedResponseError, match="larger"):
        Session(BASE).get("/large")


@pytest.mark.parametrize("body", [b"<html>", b"{", b"\xff\xfe\xfa", b"[" * 100_000, b"1" * 5000])
def test_an_answer_that_is_not_json_is_unexpected_and_not_quoted(body: bytes) -> None:
    with pytest.raises(errors.UnexpectedResponseError) as caught:
        parse_json(_response(200, body, Content_Type="text/html"))
    assert "<html>" not in str(caught.value) + caught.value.sample
    assert "text/html" in caught.value.sample


FAILURES = [
    (requests.ConnectTimeout("x"), errors.TemporaryError, errors.TemporaryError),
    (requests.ReadTimeout("x"), errors.TemporaryError, errors.AmbiguousWriteError),
    (requests.ConnectionError("x"), errors.TemporaryError, errors.AmbiguousWriteError),
    (requests.exceptions.ChunkedEncodingError("x"), errors.TemporaryError, errors.AmbiguousWriteError),
    (requests.exceptions.InvalidURL("x"), errors.InvalidRequestError, errors.InvalidRequestError),
    (requests.exceptions.InvalidHeader("x"), errors.InvalidRequestError, errors.InvalidRequestError),
    # TLS may break at any time; a certificate is looked at before anything is sent.
    (
        requests.exceptions.SSLError(MaxRetryError(None, "/", SSLError(ssl.SSLEOFError("x")))),  # type: ignore[arg-type]
        errors.TemporaryError,
        errors.AmbiguousWriteError,
    ),
    (
        requests.exceptions.SSLError(MaxRetryError(None, "/", SSLError(ssl.SSLCertVerificationError("x")))),  # type: ignore[arg-type]
        errors.TemporaryError,
        errors.TemporaryError,
    ),
]


@pytest.mark.parametrize(("failure", "read", "write"), FAILURES)
def test_only_a_write_that_may_have_arrived_is_ambiguous(
    mock: responses.RequestsMock, failure: Exception, read: type[Exception], write: type[Exception]
) -> None:
    mock.get(f"{BASE}/things", body=failure)
    mock.post(f"{BASE}/things", body=failure)
    session = Session(BASE, token=TOKEN)
    with pytest.raises(read):
        session.get("/things", secret=TOKEN)
    with pytest.raises(write) as caught:
        session.post("/things", {"a": 1})
    assert "api.example.com" in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_body_that_is_no_json_was_never_sent() -> None:
    with pytest.raises(errors.InvalidRequestError, match="not sent"):
        Session(BASE).post("/things", {"a": float("nan")})


def test_a_token_that_the_provider_quotes_back_is_left_out(mock: responses.RequestsMock) -> None:
    mock.get(f"{BASE}/me", status=401, body=f"token {TOKEN} expired")
    with pytest.raises(errors.AuthenticationError, match="token … expired") as caught:
        Session(BASE, token=TOKEN, says=lambda answer: answer.text).get("/me")
    assert TOKEN not in str(caught.value)


def test_a_secret_that_is_quoted_as_it_stood_in_a_form_or_an_address_is_left_out(mock: responses.RequestsMock) -> None:
    secret = "a secret/with+signs=in it"
    for written in (secret, quote(secret, safe=""), quote_plus(secret)):
        mock.post(f"{BASE}/me", status=400, body=f"you sent key={written}&x=1")
        with pytest.raises(errors.InvalidRequestError, match="key=…&x=1"):
            Session(BASE, secrets=[secret], says=lambda answer: answer.text).request(
                "POST", "/me", data={"key": secret}
            )


def test_a_long_sentence_is_not_cut_in_the_middle_of_a_token(mock: responses.RequestsMock) -> None:
    for at in range(http.SAMPLE - len(TOKEN), http.SAMPLE):
        mock.get(f"{BASE}/me", status=401, body=f"{'x' * at}{TOKEN} expired")
        with pytest.raises(errors.AuthenticationError) as caught:
            Session(BASE, token=TOKEN, says=lambda answer: answer.text).get("/me")
        assert TOKEN[:8] not in str(caught.value)
        assert len(str(caught.value)) <= http.SAMPLE + 50


@pytest.mark.parametrize("status", [401, 402, 403])
@pytest.mark.parametrize(
    "page", ["<html>Just a moment...</html>", "\n <!DOCTYPE html><title>Attention Required</title>"]
)
def test_a_page_by_something_in_between_says_nothing_about_the_grant(
    mock: responses.RequestsMock, status: int, page: str
) -> None:
    mock.get(f"{BASE}/me", status=status, body=page)
    with pytest.raises(errors.TemporaryError, match=f"{status}.*page"):
        Session(BASE, token=TOKEN).get("/me")


def test_a_refusal_without_a_body_is_one_whatever_kind_it_says_it_is(mock: responses.RequestsMock) -> None:
    mock.get(f"{BASE}/me", status=403, content_type="text/html")
    with pytest.raises(errors.PermissionDeniedError):
        Session(BASE, token=TOKEN).get("/me")


def test_short_values_are_words_and_stay() -> None:
    assert redact("the code authorization_code is short", ["code", "authorization_code", ""]) == (
        "the code authorization_code is short"
    )


# --- real sockets --------------------------------------------------------------------------------------------


class _Handler(BaseHTTPRequestHandler):
    """Answers every GET; drops every POST without an answer, after reading it."""

    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(self.path)
        self.close_connection = True

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """A port on loopback where somebody answers, and the paths that were asked for."""
    seen: list[str] = []
    handler = type("Handler", (_Handler,), {"seen": seen})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server.server_address[1], seen
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_a_guarded_session_sends_nothing_to_a_peer_inside(listener: tuple[int, list[str]], host: str) -> None:
    port, seen = listener
    with pytest.raises(errors.InvalidRequestError, match="not public"):
        Session(f"http://{host}:{port}", token=TOKEN, guarded=True).get("/secret")
    assert seen == []


def test_a_guarded_session_says_the_same_of_a_write(listener: tuple[int, list[str]]) -> None:
    port, seen = listener
    with pytest.raises(errors.InvalidRequestError, match="not public"):
        Session(f"http://127.0.0.1:{port}", guarded=True).post("/tasks", {})
    assert seen == []


@pytest.mark.parametrize("allowed", ["127.0.0.1", "localhost"])
def test_a_peer_that_is_allowed_is_reached(listener: tuple[int, list[str]], allowed: str) -> None:
    port, seen = listener
    host = "localhost" if allowed == "localhost" else "127.0.0.1"
    assert Session(f"http://{host}:{port}", guarded=True, allow=(allowed,)).get("/ok") == {}
    assert seen == ["/ok"]


def test_a_session_without_a_guard_reaches_loopback(listener: tuple[int, list[str]]) -> None:
    port, seen = listener
    assert Session(f"http://127.0.0.1:{port}").get("/ok") == {}
    assert seen == ["/ok"]


def test_a_write_that_is_dropped_after_it_arrived_is_ambiguous(listener: tuple[int, list[str]]) -> None:
    port, seen = listener
    with pytest.raises(errors.AmbiguousWriteError):
        Session(f"http://127.0.0.1:{port}").post("/tasks", {"a": 1})
    with pytest.raises(errors.TemporaryError):
        Session(f"http://127.0.0.1:{port}").post("/search", {"a": 1}, write=False)
    assert seen == ["/tasks", "/search"]


def test_a_write_to_a_port_where_nobody_listens_was_never_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(errors.TemporaryError, match="cannot be reached"):
        Session(f"http://127.0.0.1:{port}").post("/tasks", {})


def test_no_proxy_of_the_environment_is_used(listener: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert Session(f"http://127.0.0.1:{listener[0]}").get("/ok") == {}


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_on_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "192.0.0.8", "192.88.99.1", "198.18.0.1", "::1", "::", "::127.0.0.1", "::ffff:10.0.0.1",
     "::ffff:0:127.0.0.1", "fe80::1%eth0", "fd00::1", "ff02::1", "fec0::1", "64:ff9b::7f00:1", "64:ff9b:1::1",
     "2002:7f00:1::", "2001::1", "2001:db8::1"],
)  # fmt: skip
def test_addresses_that_lead_inside_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("written", [r"a\u0000b", r"a\ud800b", r"a\ud83d\ude42\u0000b"])
def test_what_no_database_keeps_is_taken_out_of_an_answer_wherever_it_stands(written: str) -> None:
    answer = requests.Response()
    answer._content = f'{{"id": "{written}", "{written}": [["{written}"], 1, null]}}'.encode()
    found = parse_json(answer)
    [name] = set(found) - {"id"}
    assert name == found["id"] == found[name][0][0]
    assert found[name][1:] == [1, None]
    assert "\x00" not in name
    assert name.encode()


# --- behind a fence -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("guarded", [False, True])
def test_nothing_is_sent_once_somebody_else_may_be_at_it_by_whichever_thread(
    listener: tuple[int, list[str]], guarded: bool
) -> None:
    port, seen = listener
    session = Session(f"http://127.0.0.1:{port}", guarded=guarded, allow=("127.0.0.1",))
    fence = deadline.Fence()
    with deadline.behind(fence), ThreadPoolExecutor(1) as other:
        fence.move(60, since=deadline.now())
        session.request("GET", "/mine")
        other.submit(copy_context().run, session.request, "GET", "/mine-too").result()

        fence.move(60, since=deadline.now() - 61)
        for call in (
            lambda: session.request("POST", "/late", json={}, write=True),
            lambda: other.submit(copy_context().run, session.request, "GET", "/late-too").result(),
        ):
            with pytest.raises(errors.UnreachableError, match="we had been held up for too long"):
                call()
    session.request("GET", "/anybody")
    assert [line.split()[1] if " " in line else line for line in seen] == ["/mine", "/mine-too", "/anybody"]


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("Wed, 25 Nov 2026 12:00:00 GMT", 1_795_608_000.0),
        ("", None),
        ("soon", None),
        ("Wed, 99 Nov 2026 12:00:00 GMT", None),
        ("Wed, 25 Nov 99999999 12:00:00 GMT", None),
    ],
)
def test_what_a_servers_clock_says_is_told_where_it_can_be_read(date: str, told: float | None) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{BASE}/records", json={}, headers={"Date": date} if date else {})
        session = Session(BASE)
        assert session.clock is None
        session.get("/records")

    assert session.clock == told
    assert told_time(date) == told


# --- what is asked -------------------------------------------------------------------------------------------


@responses.activate
@pytest.mark.parametrize(
    "params",
    [
        {"q": "Zoë & Søn = 100 % + more", "page": 2, "open": True},
        {"id[]": ["1", "2", 3], "kinds": (), "after": None},
        {"where[0][value]": "a b/c?d#e", "empty": "", "emoji": "🦺"},
        {},
        None,
    ],
)
def test_parameters_stand_in_the_address_as_requests_itself_would_write_them(params: dict[str, Any] | None) -> None:
    responses.get(f"{BASE}/records", json={})
    Session(BASE).request("GET", "/records", params=params)
    assert responses.calls[0].request.url == requests.Request("GET", f"{BASE}/records", params=params).prepare().url


@responses.activate
def test_a_cookie_that_a_provider_sets_is_not_sent_back() -> None:
    responses.get(f"{BASE}/records", json={}, headers={"Set-Cookie": "seen=1; Path=/"})
    session = Session(BASE)
    session.get("/records")
    session.get("/records")
    assert [call.request.headers.get("Cookie") for call in responses.calls] == [None, None]


@pytest.mark.parametrize("base", ["https://[::1", "https://crm.test:port", "https://", ""])
def test_an_address_that_is_none_is_refused_when_it_is_called_and_no_sooner(base: str) -> None:
    session = Session(base)
    with pytest.raises(errors.InvalidRequestError, match="is not an address we can call"):
        session.get("/records")
