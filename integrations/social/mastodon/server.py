"""Which server it is: its domain, its software, and our registration with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from integrations import deadline, foreign
from integrations.errors import (
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.http import Session, parse_json
from integrations.provider import App, Credentials, Setting
from integrations.social.mastodon.calls import Calls, says

SCOPES = ("read:accounts", "read:statuses", "read:notifications")
WHOLE = "read"  # all of these and more: asked for only where a server knows, or honours, nothing finer
_COARSE = frozenset({"takahe"})
CLIENT_NAME = "Warmline"
MASTODON = "mastodon"
MOST = 1024 * 1024  # bytes; a registration has a few hundred
# "4.2.1 (compatible; Akkoma 3.13.2)", "takahe/0.11.0". Mastodon and its forks (Hometown, glitch-soc) give a bare version.
_NAMED = re.compile(r"(?:\(compatible; |^)([a-z]+)[ /]", re.IGNORECASE)
# Where a domain tells of the server for which its handles are, be it by sending on whoever asks (docs.joinmastodon.org/admin/config, WEB_DOMAIN).
_TELLS = ("/.well-known/webfinger?resource=acct:{0}@{0}", "/.well-known/nodeinfo", "/.well-known/host-meta")
ASKED = 10.0  # seconds for all of these
# What is said to a client id that nobody knows: by OAuth's rules, and by GoToSocial, which keeps that word for a wrong secret.
_FORGOTTEN = re.compile(r"^invalid_client$|no application found with client id", re.IGNORECASE)


@dataclass(frozen=True)
class Server:
    """What a server says about itself; empty where it does not."""

    domain: str = ""  # what handles end in, which need not be where the server is
    software: str = MASTODON  # lower case


def look(calls: Calls) -> Server:
    """Asks a server what it is: by the second version of the question, which servers before Mastodon 4 don't know and some answer
    with an error, else by the first. Raises TemporaryError and its kin where neither is answered."""
    for ask in (_newer, _older):
        body = ask(calls)
        if isinstance(body, dict):
            return Server(_domain(body), _software(body))
    return Server()


def _newer(calls: Calls) -> Any:
    try:
        return calls.get("/api/v2/instance")
    except (NotFoundError, InvalidRequestError, UnexpectedResponseError, TemporaryError):
        return None


def _older(calls: Calls) -> Any:
    try:
        return calls.get("/api/v1/instance")
    except (NotFoundError, InvalidRequestError, UnexpectedResponseError):
        return None


def _domain(body: dict[str, Any]) -> str:
    value = body.get("account_domain") or body.get("domain") or body.get("uri")
    if not isinstance(value, str):
        return ""
    return (foreign.address(value).netloc if "://" in value else value).strip("/").lower()


def _software(body: dict[str, Any]) -> str:
    named = _NAMED.search(str(body.get("version") or ""))
    if named:
        return named[1].lower()
    return "gotosocial" if "gotosocial" in str(body.get("source_url") or "").lower() else MASTODON


# --- our registration ------------------------------------------------------------------------------------------


def register(setting: Setting) -> App:
    """Makes our registration with the server that a person named. Raises InvalidRequestError with a sentence that says what to
    check where that is no server that speaks this API, TemporaryError where it does not answer."""
    host = urlsplit(setting.hosts["web"]).netloc
    session = Session(
        setting.hosts["web"], guarded=setting.guarded, allow=setting.allow_hosts, most=MOST, says=says, classify=_no_api
    )
    scopes = " ".join(_scopes(session))
    form = {"client_name": CLIENT_NAME, "redirect_uris": setting.redirect_uri, "scopes": scopes}
    if setting.base_url:
        form["website"] = setting.base_url
    try:
        body = parse_json(session.request("POST", "/api/v1/apps", data=form))
    except (NotFoundError, UnexpectedResponseError):
        raise _no_server(session, host) from None
    if not isinstance(body, dict) or not _told(body, "client_id") or not _told(body, "client_secret"):
        raise _no_server(session, host)
    return App(client_id=body["client_id"], client_secret=body["client_secret"], options={"scopes": scopes})


class _ForgottenError(InvalidRequestError):
    """The server knows nobody by our client id and secret."""


def knows(setting: Setting) -> bool:
    """Whether the server still knows our registration: Mastodon 4.2.0 to 4.2.8 deleted those that nobody had used for a while, and
    a server may have been set up anew. It is asked for a token of our own, which is let go. Any other trouble says nothing about that."""
    app = setting.app
    session = Session(
        setting.hosts["web"],
        secrets=[app.client_secret],
        guarded=setting.guarded,
        allow=setting.allow_hosts,
        most=MOST,
        classify=_forgotten,
    )
    form = {
        "grant_type": "client_credentials",
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "scope": str(app.options.get("scopes") or " ".join(SCOPES)),
        "redirect_uri": setting.redirect_uri,
    }
    try:
        session.request("POST", "/oauth/token", data=form)
    except _ForgottenError:
        return False
    except IntegrationError:
        return True
    return True


def _forgotten(response: requests.Response) -> IntegrationError | None:
    try:
        body = parse_json(response)
    except UnexpectedResponseError:
        return None
    forgotten = isinstance(body, dict) and _FORGOTTEN.search(str(body.get("error")))
    return _ForgottenError("the server does not know us") if forgotten else None


def covered(setting: Setting, credentials: Credentials) -> Credentials:
    """What a consent gave, with its scopes by the names that our streams go by: where a server knows, or honours, nothing finer, it
    granted the whole of them."""
    granted = str(credentials.get("scope") or "").split()
    if WHOLE not in granted:
        return credentials
    return {**credentials, "scope": " ".join(dict.fromkeys([*granted, *SCOPES]))}


def _scopes(session: Session) -> tuple[str, ...]:
    """The least that works there: by what the server says that it knows (RFC 8414), else by what it is."""
    told = _asked(session, "/.well-known/oauth-authorization-server").get("scopes_supported")
    if isinstance(told, list) and WHOLE in told:
        return SCOPES if set(SCOPES) <= set(map(str, told)) else (WHOLE,)
    return (WHOLE,) if _software(_asked(session, "/api/v1/instance")) in _COARSE else SCOPES


def _asked(session: Session, path: str) -> dict[str, Any]:
    try:
        body = session.get(path)
    except IntegrationError:
        return {}  # a server need not answer this; whether it is one at all, registering shows
    return body if isinstance(body, dict) else {}


def _told(body: dict[str, Any], name: str) -> bool:
    return isinstance(body.get(name), str) and bool(body[name])


def _no_server(session: Session, host: str) -> InvalidRequestError:
    """What to say of a host that is none. It may be what handles end in while their server has another name: if so, it is asked which.
    That one is told and not called, as with a redirect."""
    other = _told_by(session, urlsplit(session.base_url).hostname or "")
    if other:
        return InvalidRequestError(
            f"{host} is no Mastodon server itself, and says that its accounts are on {other[:100]}. "
            "If the account is there, type that as the server"
        )
    return InvalidRequestError(
        f"{host} does not answer as a Mastodon server does. Type the server where the account is: the name that stands in the "
        "browser's address bar when you are signed in there"
    )


def _told_by(session: Session, domain: str) -> str:
    """The server on which a domain says that its accounts are; "" where it says nothing of another one."""
    with deadline.at_most(ASKED):
        for path in _TELLS:
            try:
                found = _linked(session.get(path.format(domain)))
            except _MovedError as moved:
                found = moved.host
            except IntegrationError:
                continue
            if found and found != domain:
                return found
    return ""


def _linked(body: Any) -> str:
    """The host to which the first link of a descriptor leads (JRD, RFC 7033), or ""."""
    links = body.get("links") if isinstance(body, dict) else None
    first = next((each for each in links if isinstance(each, dict)), {}) if isinstance(links, list) else {}
    return foreign.address(str(first.get("href") or "")).hostname or ""


class _MovedError(InvalidRequestError):
    """A redirect to another host."""

    def __init__(self, asked: str, host: str) -> None:
        super().__init__(f"{asked} leads to {host[:100]}. If the account is there, type that as the server")
        self.host = host


def _no_api(response: requests.Response) -> IntegrationError | None:
    """What says that the API is not there: a page that takes nothing, or a redirect."""
    if response.status_code == 405:
        return NotFoundError("it takes no registration")
    return _moved(response)


def _moved(response: requests.Response) -> IntegrationError | None:
    """A redirect to another host is not followed: it is told, since the person may have meant that one."""
    if not 300 <= response.status_code < 400:
        return None
    asked, told = (
        foreign.address(each).hostname or "" for each in (response.url, response.headers.get("Location", ""))
    )
    if not told or told == asked:
        return None
    return _MovedError(asked, told)
