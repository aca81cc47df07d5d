"""The line between a client and its provider, which can be told to break.

Everything here speaks HTTP through `requests`, so one place sees each call: above `responses`, above a real socket, and without
help of whoever plays the provider. A fault does the provider's work or doesn't, and then answers in its own way.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Protocol
from unittest import mock

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError

from integrations import errors
from tests.fakes.script import Script

Request = requests.PreparedRequest
Work = Callable[[], requests.Response]
Act = Callable[[Request, Work], requests.Response]

ELSEWHERE = "elsewhere.example"  # where a redirect leads
# Where vendors put the sentence of a refusal.
WORDS = ("error", "errors", "message", "detail", "title", "error_description", "description", "status", "reason")
PAGE = "<html><body><h1>Bad Gateway</h1></body></html>"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one call. `means` is what a reading call raises then. `work`: the provider does what it was asked."""

    act: Act
    means: type[errors.IntegrationError]
    work: bool = False


class Line(Protocol):
    """What a test can do to the calls that a client makes."""

    @property
    def broken(self) -> int:
        """How many calls were broken."""
        ...

    def fail(self, fault: Fault, *, after: int = 0) -> None:
        """The next call is broken, or the one after so many."""
        ...

    def mend(self) -> None:
        """No call is broken any more."""
        ...


@dataclass
class Wire:
    """A `Line` of HTTP. `sent` are all calls, broken or not."""

    sent: list[Request] = field(default_factory=list)
    answers: list[requests.Response] = field(default_factory=list)
    broken: int = 0
    _due: tuple[Fault, int] | None = None
    _always: Fault | None = None

    def fail(self, fault: Fault, *, after: int = 0) -> None:
        self._due = fault, after

    def fail_all(self, fault: Fault) -> None:
        """Every call is broken, until the line is mended."""
        self._always = fault

    def mend(self) -> None:
        self._due = self._always = None

    def call(self, request: Request, work: Work) -> requests.Response:
        """One call: passed on, or broken."""
        self.sent.append(request)
        if self._always is not None:
            self.broken += 1
            return self._always.act(request, work)
        if self._due is None:
            return self._kept(work())
        fault, after = self._due
        if after:
            self._due = fault, after - 1
            return self._kept(work())
        self._due = None
        self.broken += 1
        return fault.act(request, work)

    def _kept(self, response: requests.Response) -> requests.Response:
        self.answers.append(response)
        return response


@dataclass
class Scripted:
    """A `Line` to a fake, which makes no calls: its next step raises what the fault means."""

    script: Script

    @property
    def broken(self) -> int:
        return self.script.failed

    def fail(self, fault: Fault, *, after: int = 0) -> None:
        self.script.fail(raised(fault.means), on=Script.ANY, at=after + 1)

    def mend(self) -> None:
        self.script.forgive()


def raised(kind: type[errors.IntegrationError]) -> errors.IntegrationError:
    """An error of this kind."""
    if kind is errors.RateLimitError:
        return errors.RateLimitError("too many", retry_after=120.0)
    return kind("the line is broken")


@contextmanager
def tapped() -> Iterator[Wire]:
    """Every call of `requests` goes through this line, until the block ends. To be opened after whoever plays the provider."""
    wire, send = Wire(), HTTPAdapter.send

    def through(adapter: HTTPAdapter, request: Request, **options: Any) -> requests.Response:
        return wire.call(request, lambda: send(adapter, request, **options))

    with mock.patch.object(HTTPAdapter, "send", through):
        yield wire


# --- what goes wrong --------------------------------------------------------------------------------------------


def answer(
    request: Request, status: int, body: bytes, headers: Mapping[str, str], *, promised: int = 0
) -> requests.Response:
    """An answer as it comes from a socket. `promised`: the length it says it has, where that is not so."""
    told = {"Content-Length": str(promised or len(body)), **headers}
    raw = HTTPResponse(
        body=io.BytesIO(body), headers=told, status=status, preload_content=False, request_method=request.method
    )
    return HTTPAdapter().build_response(request, raw)


def status(code: int, body: str = "{}", **headers: str) -> Act:
    """The provider does nothing and answers with this status. `Retry_After` becomes a header with a hyphen."""
    kind = "text/html" if body.startswith("<") else "application/json"
    told = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return lambda request, work: answer(request, code, body.encode(), told)


def worked(act: Act) -> Act:
    """The same, after the provider has done what it was asked."""

    def done(request: Request, work: Work) -> requests.Response:
        work()
        return act(request, work)

    return done


def doubled(then: Callable[[], None]) -> Act:
    """The request arrives twice and is done twice; the second answer is the one that comes back. `then` is called before it does."""

    def done(request: Request, work: Work) -> requests.Response:
        work()
        then()
        return work()

    return done


def _timeout(request: Request, work: Work) -> requests.Response:
    raise requests.exceptions.ReadTimeout(ReadTimeoutError(None, request.url, "read timed out"), request=request)  # type: ignore[arg-type]


def _dropped(request: Request, work: Work) -> requests.Response:
    reset = ConnectionResetError(104, "Connection reset by peer")
    raise requests.exceptions.ConnectionError(ProtocolError("Connection aborted.", reset), request=request)


def _refused(request: Request, work: Work) -> requests.Response:
    reason = NewConnectionError(None, "Connection refused")  # type: ignore[arg-type]
    raise requests.exceptions.ConnectionError(MaxRetryError(None, request.url, reason), request=request)  # type: ignore[arg-type]


def _truncated(request: Request, work: Work) -> requests.Response:
    """The first half of the real answer, sent as if it were whole."""
    real = work()
    half = _body(real)[: len(_body(real)) // 2] or b"{"
    return answer(request, real.status_code, half, {"Content-Type": real.headers.get("Content-Type", "")})


def _torn(request: Request, work: Work) -> requests.Response:
    """The first half of the real answer, and then the connection ends."""
    real = work()
    body = _body(real)
    kind = {"Content-Type": real.headers.get("Content-Type", "")}
    return answer(request, real.status_code, body[: len(body) // 2], kind, promised=max(1, len(body)))


def _body(response: requests.Response) -> bytes:
    return response.content or b""


def broken_row(marker: str, instead: Any) -> Act:
    """The real answer, in which the row that has `marker` somewhere in it is something else."""

    def act(request: Request, work: Work) -> requests.Response:
        real = work()
        body = json.dumps(_without(json.loads(_body(real)), marker, instead)).encode()
        return answer(request, real.status_code, body, {"Content-Type": real.headers.get("Content-Type", "")})

    return act


def _without(value: Any, marker: str, instead: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without(each, marker, instead) for name, each in value.items()}
    if isinstance(value, list):
        return [
            instead if isinstance(each, dict) and marker in json.dumps(each, ensure_ascii=False) else each
            for each in value
        ]
    return value


def _soon(seconds: int) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


WAIT = 120  # seconds that a 429 asks for

READING = {
    "400": Fault(status(400), errors.InvalidRequestError),
    "401": Fault(status(401), errors.AuthenticationError),
    "403": Fault(status(403), errors.PermissionDeniedError),
    "429": Fault(status(429), errors.RateLimitError),
    "500": Fault(status(500), errors.TemporaryError),
    "503": Fault(status(503, ""), errors.TemporaryError),
}
NOT_THERE = Fault(status(404), errors.NotFoundError)  # or anything else that says nothing about the consent
LIMITED = {
    "in seconds": Fault(status(429, Retry_After=str(WAIT)), errors.RateLimitError),
    "not told": Fault(status(429), errors.RateLimitError),
    "garbled": Fault(status(429, Retry_After="soon"), errors.RateLimitError),
}
OUTAGES = {
    "502 with a web page": Fault(status(502, PAGE), errors.TemporaryError),
    "504 with a web page": Fault(status(504, PAGE), errors.TemporaryError),
    "timeout": Fault(_timeout, errors.TemporaryError),
    "timeout after the work": Fault(worked(_timeout), errors.TemporaryError, work=True),
    "dropped": Fault(_dropped, errors.TemporaryError),
    "dropped after the work": Fault(worked(_dropped), errors.TemporaryError, work=True),
    "refused": Fault(_refused, errors.TemporaryError),
    "torn": Fault(_torn, errors.TemporaryError, work=True),
}
GARBAGE = {
    "a web page": Fault(status(200, "<html>it works</html>"), errors.UnexpectedResponseError),
    "truncated": Fault(_truncated, errors.UnexpectedResponseError, work=True),
    "a number": Fault(status(200, "17"), errors.UnexpectedResponseError),
    "a list of nothing known": Fault(status(200, '["?"]'), errors.UnexpectedResponseError),
}
REDIRECTS = {
    code: Fault(status(int(code), "", Location=f"https://{ELSEWHERE}/"), errors.UnexpectedResponseError)
    for code in ("301", "302", "307", "308")
}


def limited_until(seconds: int) -> Fault:
    """A 429 that says until when, as a date."""
    return Fault(status(429, Retry_After=_soon(seconds)), errors.RateLimitError)
