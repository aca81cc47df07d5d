"""What Salesforce's token answers say beside the token, and how it wants a refresh.

The answer names the server that serves this organisation (`instance_url`) and gives no lifetime. A session that is used goes on as long
as it is used, while the refresh token may have an idle limit (often 30 days) of its own: so the consent is renewed once a day, even
where the session still works. With rotation switched on each refresh token is good for one use; `service.credentials` sees to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests

from integrations import foreign
from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.http import Session, parse_json
from integrations.oauth import RegistrationRefusedError
from integrations.provider import Credentials, Setting

KEEPS = ("instance_url", "id", "issued_at")
RENEW = timedelta(days=1)
TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - an address

# Below these stands every organisation's server: My Domain, the older instances, the government's and China's clouds
# (help.salesforce.com, "My Domain URL Formats").
DOMAINS = ("salesforce.com", "salesforce.mil", "cloudforce.com", "sfcrmproducts.cn")
_PASSES = {
    "unknown_error",
    "server_error",
    "temporarily_unavailable",
}  # 400 "retry your request": says nothing of the grant
_OUR_FAULT = {"invalid_client_id", "invalid_client", "invalid_client_credentials", "unsupported_grant_type"}


def instance(credentials: Credentials, login: str) -> str:
    """The address of the organisation's server, without a slash at the end. `login` is where people sign in. Raises
    UnexpectedResponseError for a server that is neither Salesforce's nor that one: a token is not sent just anywhere."""
    address = str(credentials.get("instance_url") or "").rstrip("/")
    parts, home = foreign.address(address), urlsplit(login)
    if not foreign.beneath(address, DOMAINS) and (parts.scheme, parts.netloc) != (home.scheme, home.netloc):
        raise UnexpectedResponseError("The consent named a server that is not one of Salesforce's, so it is not called")
    return address


def user_id(credentials: Credentials) -> str:
    """The id of the user who connected, from the identity address that came with the token; "" where there is none."""
    return str(credentials.get("id") or "").rstrip("/").rpartition("/")[2]


def exchange(setting: Setting, credentials: Credentials) -> Credentials:
    """What is kept of a consent. Raises UnexpectedResponseError where it leads to a server that is not Salesforce's."""
    instance(credentials, setting.hosts["login"])
    return {**credentials, "expires_at": (datetime.now(UTC) + RENEW).isoformat()}


def refresh(setting: Setting, credentials: Credentials) -> Credentials:
    """Spends the refresh token once. Keeps the old one where no new one comes back. Raises AuthenticationError only where
    Salesforce refuses the grant; a timeout is a TemporaryError."""
    token = credentials.get("refresh_token")
    if not token:
        raise AuthenticationError("Salesforce gave no refresh token, so the consent has run out")
    form = {"grant_type": "refresh_token", "refresh_token": str(token), "client_id": setting.app.client_id}
    if setting.app.client_secret:
        form["client_secret"] = setting.app.client_secret
    session = Session(
        setting.hosts["login"],
        secrets=[form["refresh_token"], setting.app.client_secret],
        classify=_classify,
        guarded=setting.guarded,
        allow=setting.allow_hosts,
    )
    body = parse_json(session.request("POST", TOKEN_PATH, data=form))
    if not isinstance(body, dict) or not isinstance(body.get("access_token"), str) or not body["access_token"]:
        raise UnexpectedResponseError("Salesforce answered without an access token")
    fresh = {name: body[name] for name in ("access_token", "refresh_token", "scope", *KEEPS) if body.get(name)}
    return exchange(setting, {**credentials, **fresh})


def _classify(response: requests.Response) -> IntegrationError | None:
    if response.status_code not in (400, 401, 403):
        return None
    body = _object(response)
    error, says = str(body.get("error") or ""), str(body.get("error_description") or "")[:200]
    if not error or error in _PASSES:
        return TemporaryError(f"Salesforce could not renew the consent now: {says or response.status_code}")
    if error in _OUR_FAULT:
        return RegistrationRefusedError(f"Salesforce does not accept our app registration: {says or error}")
    return AuthenticationError(f"Salesforce no longer accepts this consent: {says or error}")


def _object(response: requests.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
