"""X's hints: a webhook of the app's, and for each account a subscription to each kind of event. Looked at, mended where we can, told where
a person must.

Both belong to the app, so the app's own bearer token is needed besides the account's (docs.x.com/x-api/webhooks and
docs.x.com/x-api/activity, in the contract of version 2.167). Without one, nothing is asked and X is polled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
)
from integrations.provider import Access
from integrations.social.x.calls import Calls, answer
from integrations.social.x.reading import dicts

# What hints at something that is read. "post.create" is our own posts.
EVENTS = (
    "post.mention.create", "post.reply.create", "post.quote.create", "post.create", "dm.received", "dm.sent",
)  # fmt: skip
BEARER = "bearer_token"
_UNREACHABLE = (
    "X could not set up its hints to {callback}: {why}. See that this address can be reached from the internet, and that the API key"
    " secret is the app's; until then X is polled."
)
_STAYS = (
    "X was to stop its hints about this account and did not: {why}. Warmline throws them away; whoever runs it can take the subscriptions"
    " away in X's developer console."
)
SUBSCRIPTIONS = 1000  # on one page, at most
_REFUSED = (InvalidRequestError, NotFoundError, PermissionDeniedError)


def check(access: Access) -> list[str]:
    """One sentence for each step that a person has to take for hints to come. Polling goes on without any of it. Raises
    `integrations.errors` where X is away or the account's consent is gone."""
    app, callback = _app(access), _callback(access)
    if app is None or access.account is None:
        return []
    if urlsplit(callback).scheme != "https":
        return ["X sends hints only to an https address, and this Warmline has none. Until then X is polled."]
    try:
        webhook = _webhook(app, callback)
        missing = _missing(app, webhook, access.account.id)
    except (AuthenticationError, PermissionDeniedError):
        return ["X does not accept the app's bearer token. Set it anew with `warmline providers set x`."]
    except InvalidRequestError as error:
        return [_UNREACHABLE.format(callback=callback, why=str(error).rstrip("."))]
    account = Calls(access.hosts["api"], str(access.credentials.get("access_token") or ""))
    return _subscribe(account, webhook, access.account.id, missing)


def take_back(access: Access) -> list[str]:
    """Takes away the account's subscriptions, and the app's webhook with the last of all; one sentence where X does not let us."""
    app, callback = _app(access), _callback(access)
    if app is None or access.account is None:
        return []
    try:
        row = _standing(app, callback)
        webhook = str(row.get("id") or "") if row else ""
        if not webhook:
            return []
        here = [each for each in _subscriptions(app) if str(each.get("webhook_id")) == webhook]
        ours = [each for each in here if _account(each) == access.account.id]
        for each in ours:
            _delete(app, f"/2/activity/subscriptions/{each.get('subscription_id')}")
        if len(ours) == len(here):
            _delete(app, f"/2/webhooks/{webhook}")
    except IntegrationError as error:
        return [_STAYS.format(why=str(error).rstrip("."))]
    return []


def _delete(app: Calls, route: str) -> None:
    with suppress(NotFoundError):  # somebody else was faster
        app.request("DELETE", route)


def _app(access: Access) -> Calls | None:
    """Calls with the app's own token; None where whoever runs Warmline has given none, so that nothing is set up at X."""
    token = str(access.app.options.get(BEARER) or "")
    return Calls(access.hosts["api"], token) if token else None


def _callback(access: Access) -> str:
    return f"{access.base_url}/hooks/x"


def _standing(app: Calls, callback: str) -> Mapping[str, Any] | None:
    """The app's webhook that leads here, if there is one."""
    rows = dicts(answer(app.request("GET", "/2/webhooks")).rows)
    return next((each for each in rows if each.get("url") == callback), None)


def _webhook(app: Calls, callback: str) -> str:
    """The id of the app's webhook that leads here: found, made, or asked to prove itself again where X has given it up."""
    row = _standing(app, callback)
    if row is None:
        (row,) = dicts(answer(app.request("POST", "/2/webhooks", json={"url": callback})).rows)[:1] or ({},)
    elif row.get("valid") is False:
        app.request("PUT", f"/2/webhooks/{row.get('id')}")
    found = str(row.get("id") or "")
    if not found:
        raise InvalidRequestError("it gave the webhook no id")
    return found


def _missing(app: Calls, webhook: str, account_id: str) -> list[str]:
    """Events that this account's subscriptions lack."""
    standing = {
        str(each.get("event_type"))
        for each in _subscriptions(app)
        if str(each.get("webhook_id")) == webhook and _account(each) == account_id
    }
    return [event for event in EVENTS if event not in standing]


def _subscriptions(app: Calls) -> Iterator[Mapping[str, Any]]:
    params = {"max_results": str(SUBSCRIPTIONS)}
    while True:
        found = answer(app.request("GET", "/2/activity/subscriptions", params=params))
        yield from dicts(found.rows)
        if found.next_token is None:
            return
        params["pagination_token"] = found.next_token


def _account(row: Mapping[str, Any]) -> str:
    chosen = row.get("filter")
    return str(chosen.get("user_id")) if isinstance(chosen, dict) else ""


def _subscribe(account: Calls, webhook: str, account_id: str, events: Sequence[str]) -> list[str]:
    refused: dict[str, list[str]] = {}
    for event in events:
        wanted = {"event_type": event, "filter": {"user_id": account_id}, "webhook_id": webhook, "tag": "warmline"}
        try:
            account.request("POST", "/2/activity/subscriptions", json=wanted)
        except _REFUSED as error:
            refused.setdefault(str(error).rstrip("."), []).append(event)
    return [
        f"X gives no hints about {', '.join(events)}: {why}. Until it does, these are polled."
        for why, events in refused.items()
    ]
