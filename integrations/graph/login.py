"""Signing in with Facebook, for pages and for what hangs on them.

A person's consent gives a token for an hour or two; exchanged, one for about 60 days; and the tokens of their pages that are read
with that one do not run out (developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived). Only those are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.errors import PermissionDeniedError, UnexpectedResponseError
from integrations.graph.api import Graph, Json, mapping
from integrations.provider import Access, App, Credentials, FormField, OAuth2, Setting

HOSTS = {
    "api": "https://graph.facebook.com",
    "web": "https://www.facebook.com",
    "inbox": "https://business.facebook.com",
}
CONFIGURATION = "config_id"
APP_FORM = (
    FormField(
        "version",
        "Graph API version",
        help="As v25.0. Empty: the one that Warmline was made for.",
        required=False,
    ),
    FormField(
        CONFIGURATION,
        "Configuration id",
        help="Of a configuration with user access tokens, where the app uses Facebook Login for Business. Empty: it uses Facebook Login.",
        required=False,
    ),
)


def oauth(scopes: tuple[str, ...]) -> OAuth2:
    """Facebook Login with these permissions; one that somebody left out before is asked for again. Or Facebook Login for Business, with
    the configuration that holds them."""
    return OAuth2(
        authorize_url="{web}/dialog/oauth",
        token_url="{api}/oauth/access_token",  # noqa: S106 (an address)
        scopes=scopes,
        pkce=False,
        client_auth="client_secret_post",
        authorize_params={"auth_type": "rerequest"},
        asks_instead=_configuration,
        exchange=exchange,
    )


def _configuration(app: App) -> dict[str, str]:
    """Facebook Login for Business takes an id of permissions and assets that are kept with the app, and no permissions; whoever consents
    grants all of them (developers.facebook.com/docs/facebook-login/facebook-login-for-business, read in November 2026)."""
    found = str(app.options.get(CONFIGURATION) or "").strip()
    return {CONFIGURATION: found} if found else {}


def exchange(setting: Setting, credentials: Credentials) -> Credentials:
    """The long-lived token for a short-lived one, with the permissions that the person left ticked."""
    short = str(credentials.get("access_token") or "")
    told = Graph(setting.hosts["api"], "", setting.app, [short]).post(
        "/oauth/access_token",
        grant_type="fb_exchange_token",
        client_id=setting.app.client_id,
        client_secret=setting.app.client_secret,
        fb_exchange_token=short,
    )
    token = told.get("access_token")
    if not isinstance(token, str) or not token:
        raise UnexpectedResponseError("Meta exchanged the consent's token and sent none back")
    kept: dict[str, Any] = {
        "access_token": token,
        "scope": " ".join(_granted(Graph(setting.hosts["api"], token, setting.app))),
    }
    seconds = told.get("expires_in")
    if isinstance(seconds, int | float) and 0 < seconds < 1e9:
        kept["expires_at"] = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    return kept


def _granted(graph: Graph) -> list[str]:
    rows = [row for page in graph.pages("/me/permissions", limit="200") for row in page.objects]
    return sorted(str(row["permission"]) for row in rows if row.get("status") == "granted" and row.get("permission"))


def pages(access: Access, *fields: str) -> Iterator[tuple[Json, dict[str, str]]]:
    """Each page that the person lets us act for, with these fields, and the credentials of that page. Raises PermissionDeniedError
    where the person manages pages and has no say in any of them."""
    graph = Graph(access.hosts["api"], str(access.credentials.get("access_token") or ""), access.app)
    names = ",".join(dict.fromkeys(("id", "name", "access_token", *fields)))
    scope, kept, refused = str(access.credentials.get("scope") or ""), 0, 0
    for page in graph.pages("/me/accounts", fields=names, limit="100"):
        for row in page.objects:
            token = row.get("access_token")
            if not isinstance(token, str) or not row.get("id"):
                refused += 1
                continue
            kept += 1
            yield row, {"access_token": token, "scope": scope}
    if refused and not kept:
        raise PermissionDeniedError("the person who connects has no task on these pages that lets an app read them")


def linked_instagram(row: Json) -> Json:
    """The Instagram professional account that is linked to a page; empty where there is none."""
    return mapping(row.get("instagram_business_account"))
