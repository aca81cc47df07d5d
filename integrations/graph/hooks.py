"""Meta's webhooks: its question whether an address is ours, and deliveries, which are hints and no more.

developers.facebook.com/docs/graph-api/webhooks/getting-started (read in November 2026).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from integrations.provider import App, Hint, Webhook

SIGNATURE = "x-hub-signature-256"
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)

_SECONDS = 100_000_000_000  # the year 5138; as milliseconds, 1973

Streams = Mapping[str, tuple[str, ...]]  # by the field that changed; "messaging" stands for all that Messenger sends


def webhook(kind: str, streams: Streams) -> Webhook:
    """The webhook of one kind of object ("page", "instagram")."""
    return Webhook(
        challenge=lambda app, query: challenge(app, kind, query),
        verify=lambda app, headers, body: verify(app, kind, streams, headers, body),
    )


def verify_token(app: App, kind: str) -> str:
    """What Meta repeats when it asks whether an address is ours. Made from the app's secret, so that nobody has to keep one."""
    return hmac.new(app.client_secret.encode(), f"warmline hints on {kind}".encode(), hashlib.sha256).hexdigest()


def challenge(app: App, kind: str, query: Mapping[str, str]) -> str | None:
    """The text to send back; None where the question is not about a subscription of ours."""
    asked, token = query.get("hub.challenge", ""), query.get("hub.verify_token", "")
    ours = bool(app.client_secret) and hmac.compare_digest(token.encode(), verify_token(app, kind).encode())
    return asked if ours and query.get("hub.mode") == "subscribe" and _CHALLENGE.fullmatch(asked) else None


def verify(app: App, kind: str, streams: Streams, headers: Mapping[str, str], body: bytes) -> Sequence[Hint] | None:
    """The hints of a delivery; None where the signature is missing or wrong. What cannot be read hints at nothing."""
    given = headers.get(SIGNATURE, "")
    right = "sha256=" + hmac.new(app.client_secret.encode(), body, hashlib.sha256).hexdigest()
    if not app.client_secret or not hmac.compare_digest(given.encode(), right.encode()):
        return None
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(event, dict) or event.get("object") != kind:
        return ()
    entries = event.get("entry")
    found: dict[str, Hint] = {}
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("id"), str | int):
            hint = Hint(str(entry["id"]), tuple(_streams(entry, streams)), _sent_at(entry))
            found[hint.account_id] = _both(found.get(hint.account_id, hint), hint)
    return tuple(hint for hint in found.values() if hint.streams)


def _both(one: Hint, other: Hint) -> Hint:
    """One hint for two entries about an account; the later one says when."""
    sent = [each.sent_at for each in (one, other) if each.sent_at]
    return Hint(one.account_id, tuple(dict.fromkeys((*one.streams, *other.streams))), max(sent, default=None))


def _sent_at(entry: Mapping[str, Any]) -> datetime | None:
    """When Meta sent this entry: seconds since 1970 from pages' feeds, milliseconds from Messenger."""
    time = entry.get("time")
    if not isinstance(time, int) or isinstance(time, bool):
        return None
    with suppress(OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(time / 1000 if time > _SECONDS else time, UTC)
    return None


def _streams(entry: Mapping[str, Any], streams: Streams) -> list[str]:
    """What an entry is about. Fields that we did not ask for hint at nothing."""
    changes = entry.get("changes")
    fields = [each.get("field") for each in changes if isinstance(each, dict)] if isinstance(changes, list) else []
    messaging = ["messaging"] if entry.get("messaging") or entry.get("standby") else []
    return [name for field in (*fields, *messaging) for name in streams.get(str(field), ())]
