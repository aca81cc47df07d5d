"""Calendar feeds: an address that serves a calendar in iCalendar form to whoever knows it. The address is a secret, so no
message here holds more of it than the host."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import requests

from integrations import hosts
from integrations.deadline import Deadline
from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.http import Session

MOST = 10 * 1024 * 1024  # bytes; years of a busy calendar are two or three million
WITHIN = 30.0  # seconds for the whole answer
HOPS = 3  # redirects that are followed: publishing services move calendars about
_SCHEMES = {"https": "https", "webcal": "https", "webcals": "https", "http": "http"}
_MOVED = (301, 302, 303, 307, 308)


class _MovedError(IntegrationError):
    def __init__(self, to: str) -> None:
        super().__init__("moved")
        self.to = to


def clean_address(text: str, allow: tuple[str, ...] = ()) -> tuple[str, str]:
    """What a person typed as (address to call, host to show). webcal: is https; plain http is only for hosts in `allow`,
    which may be anywhere; others are names of servers on the internet. Raises InvalidRequestError with a sentence."""
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or any(each.isspace() for each in text.strip()) or not text.isprintable():
        raise InvalidRequestError(
            "That is not an address. Copy it from the calendar's settings; it begins with https://"
        )
    scheme = _SCHEMES.get(parts.scheme.lower())
    if scheme != "https" and not (scheme == "http" and host in allow):
        raise InvalidRequestError("A calendar is read over https only. Use the address that begins with https://")
    if host not in allow:
        hosts.check_public(host, port)
    return parts._replace(scheme=scheme, fragment="").geturl(), f"{host}:{port}" if port else host


def fetch(address: str, *, allow: tuple[str, ...] = (), within: float = WITHIN, most: int = MOST) -> bytes:
    """What the address serves now, at most `most` bytes within `within` seconds. Raises `integrations.errors`."""
    with Deadline(within) as deadline:
        for _ in range(HOPS + 1):
            try:
                return _get(address, allow, deadline, most)
            except _MovedError as moved:
                address, _host = clean_address(urljoin(address, moved.to), allow)
            except IntegrationError as error:
                if deadline.over:
                    raise TemporaryError(f"{_host_of(address)} did not send it all within {within:g} seconds") from None
                raise _in_words(error, _host_of(address)) from None
        raise UnexpectedResponseError(f"{_host_of(address)} sends us from one address to the next")


def _get(address: str, allow: tuple[str, ...], deadline: Deadline, most: int) -> bytes:
    parts = urlsplit(address)
    session = Session(
        f"{parts.scheme}://{parts.netloc}",
        headers={"Accept": "text/calendar, */*;q=0.1"},
        guarded=True,
        allow=allow,
        most=most,
        classify=_moved,
    )
    with session.http:
        path = parts.path or "/"
        content = session.request("GET", f"{path}?{parts.query}" if parts.query else path).content
    if deadline.over:  # a body without a length ends where the connection does
        raise TemporaryError("broken off")
    return content


def _moved(response: requests.Response) -> IntegrationError | None:
    to = response.headers.get("Location", "")
    return _MovedError(to) if response.status_code in _MOVED and to else None


def _in_words(error: IntegrationError, host: str) -> IntegrationError:
    """The same kind of error with a sentence for whoever owns the calendar."""
    if isinstance(error, (AuthenticationError, PermissionDeniedError)):
        return PermissionDeniedError(
            f"{host} does not let us read it. Use the calendar's secret address in iCal format"
        )
    if isinstance(error, NotFoundError):
        return NotFoundError(f"{host} has no calendar at that address. Copy it again from the calendar's settings")
    return error


def _host_of(address: str) -> str:
    return urlsplit(address).hostname or "that host"
