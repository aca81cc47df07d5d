"""One HTTP session for every provider that has no client library of its own.

Classifies a status once, redacts what goes into messages, never follows a redirect with a credential, and for
hosts that a user typed looks at the address before anybody is called.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, quote_plus, urlencode, urlsplit

import msgspec
import requests
from urllib3.exceptions import NewConnectionError, SSLError

from integrations import deadline, foreign
from integrations.errors import (
    AmbiguousWriteError,
    AuthenticationError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    TemporaryError,
    UnexpectedResponseError,
    UnreachableError,
)
from integrations.guarded import PeerNotAllowedError, guard
from integrations.punctual import punctual

TIMEOUT = (5.0, 30.0)  # seconds: to connect, and between two bytes of the answer
WITHIN = 60.0  # seconds for the whole answer of a host that a user typed: it may trickle for ever
MAX_ANSWER = 32 * 1024 * 1024  # bytes; more than this is not an answer to any call we make
_JSON = msgspec.json.Decoder()
USER_AGENT = "Warmline (+https://github.com/warmline/warmline)"
SAMPLE = 300  # characters of an unreadable answer that are kept
WAIT = 60.0  # seconds, where a provider says "later" and not when
LONGEST_WAIT = 7 * 86_400.0  # seconds; what asks for more than a week is a garbled header

_ABOUT_THE_GRANT = (401, 402, 403)

_PROOFS = ("Authorization", "DPoP")
_WORDS = ("authorization_code", "refresh_token")  # sent along with secrets, and fit for a message

RetryAfter = Callable[[requests.Response], float | None]
Classify = Callable[[requests.Response], IntegrationError | None]


def retry_after_header(response: requests.Response) -> float | None:
    """Seconds until `Retry-After` (RFC 9110, 10.2.3: seconds or a date), or None where it is absent or garbled."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_WAIT)
    try:
        seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(0.0, seconds), LONGEST_WAIT)


def told_time(date: str) -> float | None:
    """What a server's clock said as it answered (the header `Date`; RFC 9110, 6.6.1), in seconds since 1970; None where that is absent or garbled."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def error_for(
    response: requests.Response, *, says: str = "", write: bool = False, retry_after: RetryAfter = retry_after_header
) -> IntegrationError | None:
    """The error that this answer means, or None for a success. `says` is the provider's own sentence, if it gave one."""
    status = response.status_code
    if status < 300:
        return None
    host = urlsplit(response.url).hostname or "the provider"
    if status in _ABOUT_THE_GRANT and _is_page(response):
        return TemporaryError(f"{host} answered {status} with a page for people, which says nothing about our access")
    what = f"{host} answered {status}" + (f": {says[:SAMPLE]}" if says else "")
    if status == 401:
        return AuthenticationError(what)
    if status in (402, 403):
        return PermissionDeniedError(what)
    if status in (404, 410):
        return NotFoundError(what)
    if status == 429:
        seconds = retry_after(response)
        return RateLimitError(what, retry_after=WAIT if seconds is None else max(1.0, seconds))
    if status == 408 or status >= 500:
        return AmbiguousWriteError(what) if write else TemporaryError(what, refused=status == 503)
    if status < 400:
        return UnexpectedResponseError(f"{host} sent a redirect, which is never followed with a credential")
    return InvalidRequestError(what)


def _is_page(response: requests.Response) -> bool:
    """Whether this is HTML: a firewall's question, a proxy's sorry. No API that we call refuses a credential in HTML (an empty
    body may say that it is of that kind, though)."""
    return response.content[:256].lstrip().lower().startswith((b"<!doctype html", b"<html"))


class Session:
    """A `requests.Session` with a base address. `token` goes out as a bearer token; `secrets` are what else is sent in confidence.

    `guarded` is for a host that a user typed: it is reached only if the peer's address is public (or the host is in `allow`), and
    has WITHIN seconds for an answer, or as long as the `Deadline` says within which the call is made.
    `classify` reads the statuses that a provider uses its own way; None from it means the usual reading. `most` is how many
    bytes an answer may have, MAX_ANSWER if not given.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        secrets: Iterable[str] = (),
        headers: Mapping[str, str] | None = None,
        guarded: bool = False,
        allow: tuple[str, ...] = (),
        most: int | None = None,
        says: Callable[[requests.Response], str] = lambda response: "",
        retry_after: RetryAfter = retry_after_header,
        classify: Classify = lambda response: None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._host = foreign.address(self.base_url).hostname or ""
        self._says = says
        self._retry_after = retry_after
        self._classify = classify
        self._most = most
        self._date = ""  # as its latest answer has it
        self.http = requests.Session()
        self.http.trust_env = False  # no proxy, no .netrc: what we send goes where we said
        self.http.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json", **(headers or {})})
        self._secrets = [*secrets, *([token] if token else [])]
        if token is not None:
            self.http.headers["Authorization"] = f"Bearer {token}"
        if guarded:
            guard(self.http, allow)
        else:
            punctual(self.http)

    @property
    def clock(self) -> float | None:
        """What the server's clock said with its latest answer, in seconds since 1970; None where it did not say."""
        return told_time(self._date)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Mapping[str, str] | None = None,
        write: bool = False,
    ) -> requests.Response:
        """One call, answered or raised. `write` says that repeating it could do it twice: a lost answer is then an
        AmbiguousWriteError; a refused connection never is, since nothing was sent."""
        with answering(self._host, write=write):
            # Not `http.request`: it merges what the session has with what the call has, though neither has what the other does, and
            # that is more than a quarter of what a call costs us. It would send cookies too, which no API that we call wants.
            call = requests.Request(
                method,
                self.base_url + path,
                headers=self.http.headers,
                params=_query(params) if params else None,
                json=json,
                data=data,
                auth=self.http.auth,
                hooks=self.http.hooks,
            ).prepare()
            response = self.http.send(call, timeout=TIMEOUT, allow_redirects=False, stream=True)
            read_limited(response, self._most)
        self._date = response.headers.get("Date", "")
        if response.status_code < 300:
            return response
        # Redacted before `error_for` cuts it: half a token is not found any more.
        secrets = [*self._secrets, *proved(response)]
        says = redact(self._says(response), secrets)
        refusal = self._classify(response) or error_for(response, says=says, write=write, retry_after=self._retry_after)
        assert refusal is not None  # no status above is a success
        # Some providers quote back what was sent to them, and each of them words its refusals itself.
        refusal.args = tuple(redact(str(each), secrets) for each in refusal.args)
        raise refusal

    def get(self, path: str, **params: Any) -> Any:
        """GET, parsed as JSON."""
        return parse_json(self.request("GET", path, params=params or None))

    def post(self, path: str, body: Any, *, write: bool = True) -> Any:
        """POST of JSON, answered in JSON (None for an empty answer)."""
        return parse_json(self.request("POST", path, json=body, write=write))


def _query(params: Mapping[str, Any]) -> str:
    """Parameters as requests would write them: it takes three times as long, since it merges them with the session's, of which there
    are none. A list stands as often as it has values, None not at all."""
    return urlencode([(name, value) for name, value in params.items() if value is not None], doseq=True)


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` without what was sent in confidence: some providers quote it back, as it is or as it stood in a form or an address. Short
    values are words, not secrets."""
    for secret in secrets:
        if len(secret) >= 12 and secret not in _WORDS:
            for written in {secret, quote(secret, safe=""), quote_plus(secret)}:
                text = text.replace(written, "…")
    return text


def proved(response: requests.Response) -> list[str]:
    """What the request of this answer proved itself with, as it went over the line: the client's id and secret in one, say."""
    sent: list[Any] = [response.request.headers.get(name) or "" for name in _PROOFS]  # some libraries put bytes there
    return [part for value in sent for part in (value.decode() if isinstance(value, bytes) else value).split()]


def read_limited(response: requests.Response, most: int | None = None) -> None:
    """Reads the body of a streamed answer. Raises UnexpectedResponseError once it grows over `most` bytes (MAX_ANSWER,
    if not given), unpacked."""
    most = MAX_ANSWER if most is None else most
    body = bytearray()
    for chunk in response.iter_content(64 * 1024):
        body += chunk
        if len(body) > most:
            response.close()
            host = urlsplit(response.url).hostname or "the provider"
            raise UnexpectedResponseError(f"{host} sent an answer larger than any we asked for")
    response._content = bytes(body)
    if "Content-Length" in response.headers or getattr(response.raw, "chunked", False):
        deadline.answered_whole()  # a shorter one would have failed above


@contextmanager
def answering(host: str, *, write: bool) -> Iterator[None]:
    """Around one exchange with `host`: what goes wrong on the way is raised as `transport_error` has it, and a guarded host
    that takes longer than it may is given up. Where time was over before the call went out, that is an UnreachableError; an
    answer that is whole is taken, however late it is: there may be no second one."""
    with deadline.at_most(WITHIN) as limit:
        limit.whole = False
        try:
            yield
        except requests.RequestException as error:
            if limit.late:
                raise UnreachableError(f"{host} was not asked any more: we had been held up for too long") from None
            if not limit.over:
                raise transport_error(error, host, write=write) from None
        except ValueError:  # requests reads where a redirect leads, though nobody follows it
            raise UnexpectedResponseError(f"{host or 'the provider'} leads to an address that cannot be read") from None
        if limit.over and not limit.whole:  # a body without a length ends where the connection does
            sentence = f"{host} did not send its answer within {limit.seconds:g} seconds"
            raise AmbiguousWriteError(sentence) if write else TemporaryError(sentence)


def transport_error(error: requests.RequestException, host: str, *, write: bool) -> IntegrationError:
    """What a failed exchange means. Only a write that may have reached the other side is ambiguous."""
    reason = _reason(error)
    if isinstance(reason, PeerNotAllowedError):
        return InvalidRequestError(f"{host} leads to an address that is not public, so it is not called")
    if isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return UnreachableError(f"{host} cannot be reached")
    if _certificate_refused(reason):
        return UnreachableError(f"{host} cannot be reached: its certificate is not one that we trust")
    if isinstance(error, _BAD_ADDRESS):
        return InvalidRequestError(f"{host or 'that'} is not an address we can call")
    if isinstance(error, (requests.exceptions.InvalidHeader, requests.exceptions.InvalidJSONError)):
        return InvalidRequestError(f"the request to {host} could not be written, so it was not sent")
    sentence = (
        f"{host} did not answer in time" if isinstance(error, requests.Timeout) else f"{host} broke off the connection"
    )
    return AmbiguousWriteError(sentence) if write else TemporaryError(sentence)


_BAD_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
)


def _reason(error: requests.RequestException) -> object:
    """What urllib3 says went wrong: requests wraps it, and urllib3 wraps it once more when it gives up."""
    inner: object = error.args[0] if error.args else None
    return getattr(inner, "reason", inner)


def _certificate_refused(reason: object) -> bool:
    """TLS that fails on the certificate fails before a byte of ours is sent; any other TLS failure may come later."""
    inner = reason.args[0] if isinstance(reason, SSLError) and reason.args else reason
    return isinstance(inner, ssl.SSLCertVerificationError)


def parse_json(response: requests.Response) -> Any:
    """The answer's JSON, its texts such that a database keeps them; None for an empty answer. Raises UnexpectedResponseError for
    anything else."""
    if not response.content:
        return None
    try:
        found = _JSON.decode(response.content)
        return _storable(found) if _NUL in response.content else found
    except (ValueError, RecursionError):
        pass  # not strictly JSON: half an emoji, say, which the standard library lets pass
    try:
        return _storable(json.loads(response.content))
    except (ValueError, RecursionError):
        host = urlsplit(response.url).hostname or "the provider"
        kind = response.headers.get("Content-Type", "no content type")
        raise UnexpectedResponseError(
            f"{host} answered {response.status_code} with something that is not JSON ({kind[:60]})",
            sample=f"{len(response.content)} bytes of {kind[:60]}",
        ) from None


_NUL = b"\\u0000"  # as JSON writes it; any other way of writing it is no JSON


def _storable(value: Any) -> Any:
    """The same without NUL and halves of characters, which no database keeps."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(each) for name, each in value.items()}
    return value
