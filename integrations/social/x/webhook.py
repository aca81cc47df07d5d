"""The X Activity webhook: X's proof-of-ownership question, and deliveries, which are hints and no more."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from integrations.provider import App, Hint

SIGNATURE = "x-twitter-webhooks-signature"
# What an event is about, by the first words of its name; anything else means: look everywhere. A search of all our threads
# takes many calls, so only what no other stream brings asks for one.
_STREAMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("tweet_create_events", ("mentions", "own")),
    ("post.create", ("own",)),
    ("post.mention", ("mentions",)),
    ("post.reply", ("mentions",)),
    ("post.quote", ("mentions", "conversations")),
    ("direct_message_", ("messages",)),
    ("dm.", ("messages",)),
)


def challenge(app: App, query: Mapping[str, str]) -> Mapping[str, Any] | None:
    """The answer to `crc_token`; None without one, or without a secret to answer with."""
    token = query.get("crc_token")
    if not token or not _secret(app):
        return None
    return {"response_token": _sign(app, token.encode())}


def verify(app: App, headers: Mapping[str, str], body: bytes) -> Sequence[Hint] | None:
    """The hints of a delivery; None where the signature is missing or wrong. What cannot be read hints at nothing."""
    given = headers.get(SIGNATURE, "")
    if not _secret(app) or not hmac.compare_digest(given.encode(), _sign(app, body).encode()):
        return None
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(event, dict):
        return ()
    account = _account(event)
    return (Hint(account, _streams(event)),) if account else ()


def _account(event: Mapping[str, Any]) -> str | None:
    """Whom it concerns: `for_user_id`, or in an X Activity delivery the user of the subscription's filter."""
    data = event.get("data")
    chosen = data.get("filter") if isinstance(data, dict) else None
    found = event.get("for_user_id") or (chosen.get("user_id") if isinstance(chosen, dict) else None)
    return str(found) if isinstance(found, str | int) and found else None


def _streams(event: Mapping[str, Any]) -> tuple[str, ...]:
    data = event.get("data")
    names = [*map(str, event), str(data.get("event_type", "")) if isinstance(data, dict) else ""]
    found = [streams for prefix, streams in _STREAMS for name in names if name.startswith(prefix)]
    return tuple(dict.fromkeys(stream for streams in found for stream in streams))


def _secret(app: App) -> str:
    """X signs with the app's consumer secret (its API key secret), which is not the OAuth 2.0 client secret."""
    return str(app.options.get("consumer_secret") or app.client_secret)


def _sign(app: App, content: bytes) -> str:
    return "sha256=" + base64.b64encode(hmac.new(_secret(app).encode(), content, hashlib.sha256).digest()).decode()
