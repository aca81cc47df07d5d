"""The OAuth 2.0 authorization code flow with PKCE, by Authlib. Stateless: who asked, and when, is `service.connect`'s."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from integrations.errors import AuthenticationError, InvalidRequestError, TemporaryError, UnexpectedResponseError
from integrations.http import TIMEOUT, USER_AGENT, error_for, read_limited, redact, transport_error
from integrations.provider import App, OAuth2
from integrations.registry import AnyProvider

# RFC 6749, 5.2: what these say is about the grant, and only this may disconnect somebody.
_GRANT_IS_GONE = {"invalid_grant", "access_denied", "unauthorized_client"}
# How some word a dead token under another code: X says `invalid_request` and "Value passed for the token was invalid".
_TOKEN_IS_GONE = re.compile(r"\b(token|grant|code)\b.*\b(invalid|expired|revoked)\b", re.IGNORECASE | re.DOTALL)
# These are about us: our registration is wrong, the person's grant may be fine.
_OUR_FAULT = {"invalid_client", "invalid_request", "unsupported_grant_type", "invalid_scope"}


def hosts(provider: AnyProvider, app: App) -> dict[str, str]:
    """The provider's hosts with our registration's overrides (a sandbox, a server that a user named)."""
    return {**provider.hosts, **app.hosts}


def authorize_url(provider: AnyProvider, app: App, *, redirect_uri: str, state: str, verifier: str) -> str:
    """Where to send the person's browser. `verifier` is the PKCE secret (RFC 7636), 43 to 128 characters."""
    auth = _auth(provider)
    with _session(provider, app, redirect_uri) as session:
        extra: dict[str, str] = dict(auth.authorize_params)
        if auth.optional_scopes:
            extra["optional_scope"] = " ".join(auth.optional_scopes)
        url, _ = session.create_authorization_url(
            auth.authorize_url.format(**hosts(provider, app)),
            state=state,
            code_verifier=verifier if auth.pkce else None,
            **extra,
        )
    return str(url)


def fetch_token(provider: AnyProvider, app: App, *, redirect_uri: str, code: str, verifier: str) -> dict[str, Any]:
    """Spends an authorization code. Returns credentials: access_token, refresh_token, expires_at (ISO 8601), scope."""
    with _session(provider, app, redirect_uri) as session:
        extra = {"code_verifier": verifier} if _auth(provider).pkce else {}
        return _call(
            session, provider, app, grant_type="authorization_code", code=code, redirect_uri=redirect_uri, **extra
        )


def refresh_token(provider: AnyProvider, app: App, credentials: Mapping[str, Any]) -> dict[str, Any]:
    """Spends the refresh token. Keeps the old one where no new one comes back. A timeout is a TemporaryError: whether
    the token was spent is then unknown, and only the next answer may judge."""
    old = credentials.get("refresh_token")
    if not old:
        raise AuthenticationError(f"{provider.name} gave no refresh token, so the consent has run out")
    with _session(provider, app, None) as session:
        fresh = _call(session, provider, app, grant_type="refresh_token", refresh_token=str(old))
    return {**credentials, **fresh}


def revoke(provider: AnyProvider, app: App, credentials: Mapping[str, Any]) -> None:
    """Tells the provider that we are leaving (RFC 7009), where it has an endpoint for that. Failing is not an error."""
    auth = _auth(provider)
    token = credentials.get("refresh_token") or credentials.get("access_token")
    if auth.revoke_url is None or not token:
        return
    with _session(provider, app, None) as session:
        try:
            revoke_token: Any = session.revoke_token  # Authlib has no type for it
            revoke_token(
                auth.revoke_url.format(**hosts(provider, app)), token=token, timeout=TIMEOUT, allow_redirects=False
            )
        except (requests.RequestException, OAuthError):
            return


def _auth(provider: AnyProvider) -> OAuth2:
    if not isinstance(provider.auth, OAuth2):
        raise TypeError(f"{provider.key} does not use OAuth 2")
    return provider.auth


def _session(provider: AnyProvider, app: App, redirect_uri: str | None) -> OAuth2Session:
    auth = _auth(provider)
    method = auth.client_auth if app.client_secret else "none"
    session = OAuth2Session(
        app.client_id,
        app.client_secret or None,
        scope=" ".join(auth.scopes),
        redirect_uri=redirect_uri,
        code_challenge_method="S256" if auth.pkce else None,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
    )
    session.trust_env = False
    session.headers["User-Agent"] = USER_AGENT
    return session


def _call(session: OAuth2Session, provider: AnyProvider, app: App, **form: str) -> dict[str, Any]:
    url = _auth(provider).token_url.format(**hosts(provider, app))
    client_auth: Any = session.client_auth(session.token_endpoint_auth_method)  # typed too narrowly by Authlib's stubs
    try:
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
    except requests.RequestException as error:
        raise transport_error(error, provider.name, write=False) from None
    body = _json_object(response)
    if response.status_code != 200:
        raise _refusal(provider, response, body, [app.client_secret, *form.values()])
    if not isinstance(body.get("access_token"), str) or not body["access_token"]:
        raise UnexpectedResponseError(f"{provider.name} answered without an access token")
    fresh = {key: body[key] for key in ("access_token", "refresh_token", "scope", "token_type") if body.get(key)}
    if isinstance(body.get("scopes"), list):
        fresh["scope"] = " ".join(map(str, body["scopes"]))
    if body.get("expires_in") is not None:
        try:
            expires_at = datetime.now(UTC) + timedelta(seconds=float(body["expires_in"]))
        except (TypeError, ValueError, OverflowError):
            raise UnexpectedResponseError(f"{provider.name} answered with a lifetime that is not a number") from None
        fresh["expires_at"] = expires_at.isoformat()
    return fresh


def _refusal(
    provider: AnyProvider, response: requests.Response, body: Mapping[str, Any], sent: Sequence[str]
) -> Exception:
    if not body and response.status_code in (400, 401, 403):  # a page by something in between: no word about the grant
        return TemporaryError(f"{provider.name} answered {response.status_code} without saying why")
    code = str(body.get("error") or body.get("status") or "")
    says = redact(str(body.get("error_description") or body.get("message") or code), sent)[:200]
    if response.status_code >= 500 or response.status_code == 429:
        return error_for(response, says=says) or TemporaryError(f"{provider.name} is not answering")
    if code == "invalid_request" and _TOKEN_IS_GONE.search(says):
        return AuthenticationError(f"{provider.name} no longer accepts this consent: {says}")
    if code in _OUR_FAULT:
        return InvalidRequestError(f"{provider.name} does not accept our app registration: {says}")
    if code.lower() in _GRANT_IS_GONE or response.status_code in (400, 401):
        return AuthenticationError(f"{provider.name} no longer accepts this consent: {says}")
    return error_for(response, says=says) or UnexpectedResponseError(f"{provider.name} answered {response.status_code}")


def _json_object(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    if response.status_code == 200 and not body:
        raise UnexpectedResponseError("the token endpoint answered with something that is not a JSON object")
    return body
