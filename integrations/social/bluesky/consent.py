"""atproto's OAuth profile, step by step (https://atproto.com/specs/oauth): pushed request, PKCE, and tokens bound to a key.

What makes it safe beyond plain OAuth 2.0 is done here: the answer must name the server that was asked (`iss`), and the account that
signed in (`sub`) must live on a server that trusts exactly that one.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests

from integrations import oauth
from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.http import parse_json, redact
from integrations.provider import Begun, Credentials, Setting
from integrations.social.bluesky import identity, registration, servers
from integrations.social.bluesky.dpop import Proven, asks_for_nonce, b64url, body_of, new_key, with_nonce

DEFAULT_SERVER = "https://bsky.social"


class ScopesNotUnderstoodError(InvalidRequestError):
    """The server knows scopes of another time."""


# --- the steps ------------------------------------------------------------------------------------------------


def begin(setting: Setting, state: str) -> Begun:
    """See `Consent.begin`. The form's `account` is a handle, a DID, or the address of a server; Bluesky's own if empty."""
    typed = str(setting.form.get("account") or "").strip() or DEFAULT_SERVER
    account, server = _start(setting, typed)
    verifier, key = secrets.token_urlsafe(64), new_key()
    request = {
        "response_type": "code",
        "redirect_uri": setting.redirect_uri,
        "state": state,
        "code_challenge": b64url(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
        **({"login_hint": typed.removeprefix("@")} if account else {}),
    }
    proven = Proven(key)
    try:
        pushed = _push(setting, server, proven, request, registration.SCOPES)
    except ScopesNotUnderstoodError:
        pushed = _push(setting, server, proven, request, registration.OLDER_SCOPES)
    query = urlencode({"client_id": registration.client_id(setting), "request_uri": pushed})
    signing = registration.signing_key(setting)
    kept = {
        "issuer": server.issuer,
        "verifier": verifier,
        "dpop_key": key,
        "did": account.did if account else "",
        "client_key": signing.thumbprint() if signing else "",
    }
    return Begun(f"{server.authorize}{'&' if '?' in server.authorize else '?'}{query}", kept)


def finish(setting: Setting, kept: Mapping[str, Any], query: Mapping[str, str]) -> Credentials:
    """See `Consent.finish`. Raises AuthenticationError for a consent that was refused, that another server answered, or that was
    given by somebody else than was asked for."""
    issuer = str(kept["issuer"])
    if query.get("iss") != issuer:
        raise AuthenticationError("the answer came from another server than the one that was asked")
    oauth.check_given(query)
    if not query.get("code"):
        raise AuthenticationError("it came back without an answer. Start again")
    server = servers.server(setting, issuer)
    body = _token(
        setting,
        server,
        kept,
        grant_type="authorization_code",
        code=query["code"],
        redirect_uri=setting.redirect_uri,
        code_verifier=str(kept["verifier"]),
    )
    _check_kind(body)
    bound = {"dpop_key": kept["dpop_key"], "client_key": kept["client_key"], "issuer": issuer}
    held = {**bound, **_granted(body)}
    try:
        account = _signed_in(setting, str(body.get("sub")), asked_for=str(kept["did"]), issuer=issuer)
    except IntegrationError:
        with suppress(IntegrationError):
            revoke(setting, held)  # nobody will use it
        raise
    return {**held, "did": account.did, "pds": account.pds}


def refresh(setting: Setting, credentials: Credentials) -> Credentials:
    """See `Consent.refresh`. The old token is good for one use: used twice, the server ends the whole session."""
    issuer, did = str(credentials["issuer"]), str(credentials["did"])
    old = credentials.get("refresh_token")
    if not old:
        raise AuthenticationError("the server gave no refresh token, so the consent has run out")
    pds = _home(setting, credentials)
    server = servers.server(setting, issuer)
    body = _token(setting, server, credentials, grant_type="refresh_token", refresh_token=str(old))
    if body.get("sub") != did:
        raise AuthenticationError("the server answered for another account")
    return {**credentials, "pds": pds, **_granted(body)}


def revoke(setting: Setting, credentials: Credentials) -> None:
    """Tells the server that we are leaving (RFC 7009). Raises `integrations.errors` where it does not take notice."""
    server = servers.server(setting, str(credentials["issuer"]))
    if server.revoke is None:
        raise NotFoundError(f"{urlsplit(server.issuer).hostname} has no way of taking a consent back")
    token = str(credentials.get("refresh_token") or credentials["access_token"])
    _post(setting, server, server.revoke, Proven(credentials["dpop_key"]), _key_of(credentials), {"token": token})


# --- who and where ----------------------------------------------------------------------------------------------


def _start(setting: Setting, typed: str) -> tuple[identity.Account | None, servers.Server]:
    """The account that was typed, if one was, and the server that may consent for it."""
    if typed.startswith(("http://", "https://")):
        address = identity.origin(typed, setting.allow_hosts)
        try:
            return None, servers.server(setting, servers.issuer_of(setting, address))
        except (NotFoundError, UnexpectedResponseError):
            return None, servers.server(setting, address)  # Bluesky's own is no PDS: it stands before all of theirs
    who = typed if identity.is_did(typed) else identity.handle(typed)
    if who is None:
        raise NotFoundError(
            "That is neither a handle, such as acme.bsky.social, nor the address of a server, which begins with https://"
        )
    account = _directory(setting).find(who)
    return account, servers.server(setting, servers.issuer_of(setting, account.pds))


def _signed_in(setting: Setting, did: str, *, asked_for: str, issuer: str) -> identity.Account:
    """The account that a server says has signed in: the one that was asked for, if one was, and one that the server may answer for."""
    if asked_for and did != asked_for:
        raise AuthenticationError("you signed in with another account than the one that you typed")
    account = _directory(setting).find(did) if identity.is_did(did) else None
    if account is None or servers.issuer_of(setting, account.pds) != issuer:
        raise AuthenticationError("the account does not live on the server that answered for it")
    return account


def _home(setting: Setting, credentials: Credentials) -> str:
    """Where the account lives now: it may have moved within its server's premises. Nobody to ask is no reason to stop."""
    try:
        account = _directory(setting).find(str(credentials["did"]))
        moved = account.pds != credentials["pds"] and servers.issuer_of(setting, account.pds) != credentials["issuer"]
    except IntegrationError:
        return str(credentials["pds"])
    if moved:
        raise AuthenticationError("the account has moved to another server. Connect it again there")
    return account.pds


def _directory(setting: Setting) -> identity.Directory:
    return identity.Directory(setting.hosts, setting.allow_hosts)


# --- calls -------------------------------------------------------------------------------------------------------


def _key_of(kept: Mapping[str, Any]) -> str:
    return str(kept.get("client_key") or "")


def _push(
    setting: Setting, server: servers.Server, proven: Proven, form: Mapping[str, str], scopes: Sequence[str]
) -> str:
    body = _post(setting, server, server.pushed, proven, "", {**form, "scope": " ".join(scopes)})
    if not isinstance(body, dict) or not isinstance(body.get("request_uri"), str):
        raise UnexpectedResponseError("the server took the request for a consent and did not say under which name")
    return str(body["request_uri"])


def _token(setting: Setting, server: servers.Server, kept: Mapping[str, Any], **form: str) -> Mapping[str, Any]:
    body = _post(setting, server, server.token, Proven(kept["dpop_key"]), _key_of(kept), form)
    if not isinstance(body, dict) or not isinstance(body.get("access_token"), str) or not body["access_token"]:
        raise UnexpectedResponseError("the server answered without an access token")
    return body


def _check_kind(body: Mapping[str, Any]) -> None:
    """Of a new consent only: when one is renewed, what was given for it is spent, and what came is all there is."""
    if str(body.get("token_type")).lower() != "dpop" or "atproto" not in str(body.get("scope")).split():
        raise PermissionDeniedError("the server gave a token of another kind than was asked for", scope="atproto")


def _granted(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of an answer. A token that does not say when it ends is used until it is refused."""
    found = {name: body[name] for name in ("access_token", "refresh_token") if body.get(name)}
    if body.get("scope"):
        found["scope"] = registration.covered(str(body["scope"]))
    try:
        expires_at = datetime.now(UTC) + timedelta(seconds=float(body["expires_in"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return {**found, "expires_at": None}
    return {**found, "expires_at": expires_at.isoformat()}


def _post(setting: Setting, server: servers.Server, url: str, proven: Proven, kid: str, form: Mapping[str, str]) -> Any:
    """One form, with who we are. That is signed anew where the form is sent again: a server may take each signature once."""
    parts = urlsplit(url)
    secret = [form[name] for name in _SECRET if name in form]
    classify = partial(_refusal, secrets=secret)
    session = servers.session(setting, f"{parts.scheme}://{parts.netloc}", secrets=secret, classify=classify)
    session.http.auth = proven
    path = parts.path + (f"?{parts.query}" if parts.query else "")

    def send() -> requests.Response:
        return session.request("POST", path, data={**registration.authentication(setting, server.issuer, kid), **form})

    return parse_json(with_nonce(send))


_SECRET = ("code", "code_verifier", "refresh_token", "token")


def _refusal(response: requests.Response, secrets: Sequence[str]) -> IntegrationError | None:
    """What a refusal of RFC 6749, 5.2 means; None for one that the status tells."""
    host = urlsplit(response.url).hostname
    if response.status_code == 429 or response.status_code >= 500:
        return None
    if wanted := asks_for_nonce(response):
        return wanted
    body = body_of(response)
    code = body.get("error")
    if not isinstance(code, str):  # by something in between: no word about the grant
        return TemporaryError(f"{host} answered {response.status_code} without saying why")
    says = redact(str(body.get("error_description") or code), secrets)[:200]
    kind, words = _REFUSALS.get(code, (InvalidRequestError, "does not accept Warmline as it is set up here"))
    return kind(f"{host} {words}: {says}")


# Only the first two are about the consent; what is not listed is about us, and the consent may be fine.
_REFUSALS: Mapping[str, tuple[type[IntegrationError], str]] = {
    "invalid_grant": (AuthenticationError, "no longer accepts this consent"),
    "access_denied": (AuthenticationError, "no longer accepts this consent"),
    "invalid_scope": (ScopesNotUnderstoodError, "does not know what we ask for"),
}
