"""What must stand at Meta for hints to come and reading to go on: looked at, mended where we can, told where a person must.

Hints on a page need two subscriptions, the app's (to a kind of object) and the page's (to the app); where either is missing nothing
says so (developers.facebook.com/docs/graph-api/reference/page/subscribed_apps, read in November 2026).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from integrations import foreign
from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
)
from integrations.foreign import words
from integrations.graph.api import Graph, Json, mapping
from integrations.graph.hooks import verify_token
from integrations.provider import Access

SOON = timedelta(days=14)


def sentences(
    access: Access,
    key: str,
    *,
    kind: str,
    fields: Sequence[str],
    page_id: str,
    page_fields: Sequence[str],
    scopes: Sequence[str],
) -> list[str]:
    """One sentence for each step that a person has to take. `kind` is the object whose `fields` the app subscribes to, and
    `page_fields` are those for which the page installs the app. Polling goes on without any of it."""
    token = str(access.credentials.get("access_token") or "")
    page = Graph(access.hosts["api"], token, access.app)
    told = list(_page_subscription(page, access, page_id, page_fields))
    if not access.app.client_id or not access.app.client_secret:
        lacking = "The app's id or secret is not set, so that Meta's hints cannot be verified."
        return [*told, f"{lacking} Set them with `warmline providers set {key}`."]
    # An app speaks for itself with its id and secret (developers.facebook.com/docs/facebook-login/guides/access-tokens).
    ours = Graph(access.hosts["api"], f"{access.app.client_id}|{access.app.client_secret}", access.app)
    return [
        *told,
        *_app_subscription(ours, access, key, kind, fields),
        *_consent(ours, token, access.now() if access.now else datetime.now(UTC), scopes),
        *_approval(ours, access.app.client_id, scopes),
    ]


def take_back(access: Access, page_id: str, fields: Sequence[str], *, alone: bool = False) -> list[str]:
    """Takes `fields` out of what the page tells the app, and the app off the page with the last of them. `alone`: only where there are no
    others, since whoever has those needs ours as well. One sentence where Meta does not let us. (The app's own subscription is for all
    its pages, and stays.)"""
    page = Graph(access.hosts["api"], str(access.credentials.get("access_token") or ""), access.app)
    try:
        standing = _told_of(page, access, page_id)
        others = sorted(standing.difference(fields))
        if not others and standing:
            page.delete(f"/{page_id}/subscribed_apps")
        elif len(others) < len(standing) and not alone:
            page.post(f"/{page_id}/subscribed_apps", subscribed_fields=",".join(others))
    except NotFoundError:
        return []  # the page is gone
    except IntegrationError as error:
        return [_STAYS.format(why=str(error).rstrip("."))]
    return []


_STAYS = (
    "Meta was to stop telling Warmline about this page and did not: {why}. What it tells is thrown away; take the app out at facebook.com"
    " under Settings, Business Integrations."
)


def _told_of(graph: Graph, access: Access, page_id: str) -> set[str]:
    """Of which fields the page tells the app."""
    rows = [row for page in graph.pages(f"/{page_id}/subscribed_apps") for row in page.objects]
    row = next((row for row in rows if str(row.get("id")) == access.app.client_id), {})
    return set(words(row.get("subscribed_fields")))


def _page_subscription(graph: Graph, access: Access, page_id: str, fields: Sequence[str]) -> Iterator[str]:
    try:
        standing = _told_of(graph, access, page_id)
        if set(fields) - standing:
            # A call replaces the list, and another connection of ours may have put its own fields there.
            graph.post(f"/{page_id}/subscribed_apps", subscribed_fields=",".join(sorted({*fields, *standing})))
    except PermissionDeniedError:
        yield (
            "Meta does not let Warmline install itself on the page, so that news is polled and not hinted at. "
            "Connect again as somebody who manages the page, and allow pages_manage_metadata."
        )
    except (InvalidRequestError, NotFoundError) as error:
        yield f"Meta did not install Warmline on the page, so that news is polled and not hinted at: {str(error).rstrip('.')}."


def _app_subscription(graph: Graph, access: Access, key: str, kind: str, fields: Sequence[str]) -> Iterator[str]:
    callback, app = f"{access.base_url}/hooks/{key}", access.app
    if urlsplit(callback).scheme != "https":
        yield "Meta sends hints only to an https address, and this Warmline has none. Until then news is polled."
        return
    try:
        rows = [row for page in graph.pages(f"/{app.client_id}/subscriptions") for row in page.objects]
    except (AuthenticationError, PermissionDeniedError, InvalidRequestError):
        yield f"Meta does not accept the app's id and secret. Set them anew with `warmline providers set {key}`."
        return
    row = next((row for row in rows if row.get("object") == kind), {})
    there = str(row.get("callback_url") or callback)
    if there != callback and not there.endswith(f"/hooks/{key}"):
        yield (
            f"The Meta app sends its {kind} hints to {foreign.address(there).hostname or 'another address'}, and an app has only one address for them. "
            "Use an app of its own for Warmline, or take that address out under Webhooks in the app's dashboard."
        )
        return
    standing = set(_names(row.get("fields")))
    if there == callback and row.get("active", False) and not set(fields) - standing:
        return
    try:
        graph.post(
            f"/{app.client_id}/subscriptions",
            object=kind,
            callback_url=callback,
            fields=",".join(sorted({*fields, *standing})),
            verify_token=verify_token(app, kind),
        )
    except (InvalidRequestError, PermissionDeniedError) as error:
        yield (
            f"Meta could not set up its hints to {callback}: {str(error).rstrip('.')}. "
            "See that this address can be reached from the internet; until then news is polled."
        )


def _names(fields: Any) -> Iterable[str]:
    """Meta lists fields as objects with a version, and once listed bare names."""
    return [
        str(each.get("name")) if isinstance(each, dict) else str(each)
        for each in (fields if isinstance(fields, list) else ())
    ]


def _consent(graph: Graph, token: str, now: datetime, scopes: Sequence[str]) -> Iterator[str]:
    """What Meta says of the page's token: whether it holds, for how long we may read with it, and what it allows."""
    try:
        # In a batch the token stands in the body; in an address it could come into a log.
        answer = graph.lookups({"token": ("debug_token", {"input_token": token})}).get("token")
    except (AuthenticationError, PermissionDeniedError, InvalidRequestError):
        return  # the app's own secret was refused, which the sentence above says
    told: Json = mapping(mapping(answer).get("data"))
    if told.get("is_valid") is False:
        yield "Meta no longer accepts this consent. Connect the account again."
        return
    granted = set(words(told.get("scopes")))
    if granted and (missing := [scope for scope in scopes if scope not in granted]):
        yield f"The consent leaves out {', '.join(missing)}. Connect again and leave every permission ticked."
    until = _day(told.get("data_access_expires_at"))
    if until is not None and until - now < SOON:
        yield f"Meta lets Warmline read with this consent until {until.day} {until:%B %Y}. Connect the account again before then."


def _day(seconds: Any) -> datetime | None:
    """An instant in epoch seconds; None for 0, with which Meta says "for good"."""
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) and 0 < seconds < 1e11 else None


def _approval(graph: Graph, app_id: str, scopes: Sequence[str]) -> Iterator[str]:
    """Permissions that Meta has not approved for everybody: only people with a role in the app are read then, and nothing says so."""
    try:
        rows = [row for page in graph.pages(f"/{app_id}/permissions", limit="200") for row in page.objects]
    except (AuthenticationError, PermissionDeniedError, InvalidRequestError, NotFoundError):
        return
    waiting = {str(row.get("permission")) for row in rows if row.get("status") == "unapproved"}
    if lacking := [scope for scope in scopes if scope in waiting]:
        yield (
            f"Meta has not given the app advanced access to {', '.join(lacking)}, so that it shows what only people with a role in the app write. "
            "Ask for it under App Review in the app's dashboard, and put the app into Live mode."
        )
