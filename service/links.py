"""Signed addresses that stand in a CRM task: whoever holds one may say "no reply needed" for that one task."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from service.config import Config

_TAG = 16  # bytes of HMAC-SHA256: 128 bits


def done_link(config: Config, workspace_id: UUID, task_id: UUID) -> str:
    """The address of the page that asks "no reply needed?"."""
    ids = workspace_id.bytes + task_id.bytes
    first = next(iter(config.secret_keys))
    return f"{config.base_url}/t/{_encode(ids + _tag(config.secret_keys[first], ids))}"


def read(config: Config, token: str) -> tuple[UUID, UUID] | None:
    """(workspace id, task id) of a token that we signed with any key that we hold; None for any other."""
    try:
        blob = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    ids, tag = blob[:32], blob[32:]
    if len(ids) != 32 or not any(hmac.compare_digest(tag, _tag(key, ids)) for key in config.secret_keys.values()):
        return None
    return UUID(bytes=ids[:16]), UUID(bytes=ids[16:])


def _tag(key: bytes, ids: bytes) -> bytes:
    return hmac.digest(key, b"warmline task link" + ids, hashlib.sha256)[:_TAG]


def _encode(blob: bytes) -> str:
    return urlsafe_b64encode(blob).rstrip(b"=").decode()
