"""The OAuth 2.0 authorization code flow with PKCE, by Authlib. Stateless: what a step has to remember, it hands back.

`name` is the provider's, for sentences; `setting` says who we are there and where it is.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from integrations import foreign
from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    InvalidRequestError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.guarded import guard
from integrations.http import TIMEOUT, USER_AGENT, answering, error_for, proved, read_limited, redact
from integrations.provider import Begun, Credentials, OAuth2, Setting
from integrations.punctual import punctual

# RFC 6749, 5.2: what these say is about the grant, and only this may disconnect somebody.
_GRANT_IS_GONE = {"invalid_grant", "access_denied"}
# How some word a dead token under another code: X says `invalid_request` and "Value passed for the token was invalid".
_TOKEN_IS_GONE = re.compile(r"\b(token|grant|code)\b.*\b(invalid|expired|revoked)\b", re.IGNORECASE | re.DOTALL)
# These are about us: our registration is wrong, the person's grant may be fine. X says `unauthorized_client` of a client secret that is
# not (any more) ours, Salesforce `invalid_client_id` of an app that was removed.
_OUR_FAULT = {
    "invalid_client",
    "invalid_client_id",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
}
# And these are about nobody: the same call may work later. Salesforce says `unknown_error` with "retry your request".
_LATER = {"rate_limit_exceeded", "server_error", "slow_down", "temporarily_unavailable", "unknown_error"}
_TOO_OFTEN = re.compile(r"\brequest limit reached\b", re.IGNORECASE)
# And how some word that without a code of its own: Meta says `OAuthException` of everything.
_APP_IS_UNKNOWN = re.compile(r"\bvalidating (application|client secret)\b", re.IGNORECASE)
_PORTS = {"https": 443, "http": 80}
_KEPT = ("access_token", "refresh_token", "scope", "token_type")


class RegistrationRefusedError(InvalidRequestError):
    """The provider does not accept our client id and secret."""


class NothingToRenewWithError(AuthenticationError):
    """Nobody was asked: there is nothing to renew with. Why the credentials were refused, their refusal says better."""


def begin(name: str, auth: OAuth2, setting: Setting, state: str) -> Begun:
    """Where to send the person's browser, and the PKCE secret to keep."""
    verifier = secrets.token_urlsafe(64)
    return Begun(authorize_url(auth, setting, state=state, verifier=verifier), {"verifier": verifier})


def authorize_url(auth: OAuth2, setting: Setting, *, state: str, verifier: str) -> str:
    """The consent page's address. `verifier` is the PKCE secret (RFC 7636), 43 to 128 characters."""
    with _session(auth, setting) as session:
        url, _ = session.create_authorization_url(
            auth.authorize_url.format(**setting.hosts),
            state=state,
            code_verifier=verifier if auth.pkce else None,
            **_asked(auth, setting),
        )
    return str(url)


def _asked(auth: OAuth2, setting: Setting) -> dict[str, Any]:
    """Parameters of the consent page beside those that every one has."""
    if instead := auth.asks_instead(setting.app) if auth.asks_instead else None:
        return {"scope": None, **instead}  # None: Authlib leaves it out
    optional = {"optional_scope": " ".join(auth.optional_scopes)} if auth.optional_scopes else {}
    return {**auth.authorize_params, **optional}


def finish(
    name: str, auth: OAuth2, setting: Setting, kept: Mapping[str, Any], params: Mapping[str, str]
) -> Credentials:
    """Credentials for a callback that brings a code. Raises UnexpectedResponseError where it came from another server (RFC 9207)
    or brings neither a code nor an error, AuthenticationError where the consent was not given."""
    if "iss" in params and not _answered(auth, setting, params["iss"]):
        raise UnexpectedResponseError("the answer came from another server than the one you were sent to")
    check_given(params)
    if not params.get("code"):
        raise UnexpectedResponseError(f"{name} came back without an answer")
    found = fetch_token(name, auth, setting, code=params["code"], verifier=str(kept["verifier"]))
    return auth.exchange(setting, found) if auth.exchange else found


def check_given(params: Mapping[str, str]) -> None:
    """Raises AuthenticationError where a callback says that the consent was not given (RFC 6749, 4.1.2.1). To be asked once it is known
    who says so: an error, too, may be another server's (RFC 9207, 2.4)."""
    error = params.get("error")
    if error == "access_denied":
        raise AuthenticationError("the consent was refused. Nothing has changed")
    if error:
        raise AuthenticationError(f"it gave no access ({error[:60]}). Try again, or check our registration there")


def _answered(auth: OAuth2, setting: Setting, iss: str) -> bool:
    """Whether the server that names itself so is the one that people were sent to. Where nobody has told us
    its issuer it is known by where it is: Salesforce shows `login.salesforce.com` as a My Domain's, and Mastodon's ends in a slash."""
    if auth.issuer:
        return iss == auth.issuer.format(**setting.hosts)
    ours = {_origin(each.format(**setting.hosts)) for each in (auth.authorize_url, auth.token_url)}
    return _origin(iss) in ours or foreign.beneath(iss, auth.domains)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = foreign.address(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def fetch_token(name: str, auth: OAuth2, setting: Setting, *, code: str, verifier: str) -> dict[str, Any]:
    """Spends an authorization code. Returns credentials: access_token, refresh_token, expires_at (ISO 8601), scope, and what
    the manifest `keeps`."""
    extra = {"code_verifier": verifier} if auth.pkce else {}
    return _call(
        name,
        auth,
        setting,
        grant_type="authorization_code",
        code=code,
        redirect_uri=setting.redirect_uri,
        **extra,
    )


def refresh(name: str, auth: OAuth2, setting: Setting, credentials: Credentials) -> Credentials:
    """Spends the refresh token, in the provider's own way if it has one. Keeps what does not come back. A timeout is a
    TemporaryError: whether the token was spent is then unknown, and only the next answer may judge."""
    if auth.refresh is not None:
        return auth.refresh(setting, credentials)
    old = credentials.get("refresh_token")
    if not old:
        raise NothingToRenewWithError(f"{name} gave no refresh token, so the consent has run out")
    fresh = _call(name, auth, setting, grant_type="refresh_token", refresh_token=str(old))
    kept = {name: value for name, value in credentials.items() if name != "expires_at"}
    return {**kept, **fresh}


def revoke(name: str, auth: OAuth2, setting: Setting, credentials: Credentials) -> bool:
    """Tells the provider that we are leaving (RFC 7009), where it has an endpoint for that. Returns whether it took notice: failing
    is not an error."""
    token = credentials.get("refresh_token") or credentials.get("access_token")
    if auth.revoke_url is None or not token:
        return False
    url = auth.revoke_url.format(**setting.hosts)
    with _session(auth, setting) as session:
        try:
            with answering(_host(url), write=False):
                revoke_token: Any = session.revoke_token  # Authlib has no type for it
                response = revoke_token(url, token=token, timeout=TIMEOUT, allow_redirects=False, stream=True)
        except (IntegrationError, OAuthError):
            return False
    return bool(response.status_code < 300)


def _session(auth: OAuth2, setting: Setting) -> OAuth2Session:
    app = setting.app
    method = auth.client_auth if app.client_secret else "none"
    session = OAuth2Session(
        app.client_id,
        app.client_secret or None,
        # What was registered: a server that a person named may know other scopes than its kind.
        scope=str(app.options.get("scopes") or " ".join(auth.scopes)),
        redirect_uri=setting.redirect_uri,
        code_challenge_method="S256" if auth.pkce else None,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
    )
    session.trust_env = False
    session.headers["User-Agent"] = USER_AGENT
    if setting.guarded:
        guard(session, setting.allow_hosts)
    else:
        punctual(session)
    return session


def _call(name: str, auth: OAuth2, setting: Setting, **form: str) -> dict[str, Any]:
    url = auth.token_url.format(**setting.hosts)
    with _session(auth, setting) as session, answering(name, write=False):
        client_auth: Any = session.client_auth(
            session.token_endpoint_auth_method
        )  # typed too narrowly by Authlib's stubs
        response = session.request(
            "POST",
            url,
            data=form,
            withhold_token=True,
            auth=client_auth,
            headers={"Accept": "application/json"},
            timeout=TIMEOUT,
            allow_redirects=False,
            stream=True,
        )
        read_limited(response)
    body = _json_object(response)
    if response.status_code != 200:
        raise _refusal(name, response, body, [setting.app.client_secret, *form.values(), *proved(response)])
    return _credentials(name, body, auth.keeps)


def _credentials(name: str, body: Mapping[str, Any], keeps: Sequence[str]) -> dict[str, Any]:
    if not isinstance(body.get("access_token"), str) or not body["access_token"]:
        raise UnexpectedResponseError(f"{name} answered without an access token")
    fresh = {key: body[key] for key in (*_KEPT, *keeps) if body.get(key)}
    if isinstance(body.get("scopes"), list):
        fresh["scope"] = " ".join(map(str, body["scopes"]))
    if not all(
        str(fresh.get(key, "")).isprintable() for key in _KEPT
    ):  # RFC 6749, appendix A: visible ASCII and blanks
        raise UnexpectedResponseError(f"{name} answered with a token that is none")
    if body.get("expires_in") is not None:
        try:
            expires_at = datetime.now(UTC) + timedelta(seconds=float(body["expires_in"]))
        except (TypeError, ValueError, OverflowError):
            raise UnexpectedResponseError(f"{name} answered with a lifetime that is not a number") from None
        fresh["expires_at"] = expires_at.isoformat()
    return fresh


def _refusal(name: str, response: requests.Response, body: Mapping[str, Any], sent: Sequence[str]) -> Exception:
    if not body and response.status_code in (400, 401, 403):  # a page by something in between: no word about the grant
        return TemporaryError(f"{name} answered {response.status_code} without saying why")
    error = body.get("error")
    if isinstance(error, dict):  # some put an object there, which holds their sentence
        body = {"error": error.get("type"), "message": error.get("message")}
    code = str(body.get("error") or body.get("status") or "")
    says = redact(str(body.get("error_description") or body.get("message") or code), sent)[:200]
    if response.status_code >= 500 or response.status_code == 429:
        return error_for(response, says=says) or TemporaryError(f"{name} is not answering")
    if code == "invalid_request" and _TOKEN_IS_GONE.search(says):
        return AuthenticationError(f"{name} no longer accepts this consent: {says}")
    if code in _LATER or _TOO_OFTEN.search(says):
        return TemporaryError(f"{name} could not answer just now: {says}")
    if code in _OUR_FAULT or _APP_IS_UNKNOWN.search(says):
        return RegistrationRefusedError(f"{name} does not accept our app registration: {says}")
    if code.lower() in _GRANT_IS_GONE or response.status_code in (400, 401):
        return AuthenticationError(f"{name} no longer accepts this consent: {says}")
    return error_for(response, says=says) or UnexpectedResponseError(f"{name} answered {response.status_code}")


def _json_object(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = {}
    if not isinstance(body, dict):
        body = {}
    if response.status_code == 200 and not body:
        raise UnexpectedResponseError("the token endpoint answered with something that is not a JSON object")
    return body


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the provider"
