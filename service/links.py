"""Signed addresses that stand in a CRM task: whoever holds one may say "no reply needed" for that one task."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from service.config import Config

_TAG = 16  # bytes of HMAC-SHA256: 128 bits


def done_link(config: Config, workspace_id: UUID, task_id: UUID) -> str:
    """The address of the page that asks "no reply needed?"."""
    ids = workspace_id.bytes + task_id.bytes
    first = next(iter(config.secret_keys))
    return f"{config.base_url}/t/{_encode(ids + _tag(config.secret_keys[first], ids))}"


def standing_link(config: Config, text: str, workspace_id: UUID, task_id: UUID) -> str | None:
    """The address in this text that `done_link` made for this task under any key that we hold: it stays as it is, so that a new key
    rewrites no task."""
    begin = f"{config.base_url}/t/"
    token = re.match(r"[A-Za-z0-9_-]*", text.partition(begin)[2])
    assert token is not None
    return begin + token[0] if read(config, token[0]) == (workspace_id, task_id) else None


def read(config: Config, token: str) -> tuple[UUID, UUID] | None:
    """(workspace id, task id) of a token that we signed with any key that we hold; None for any other."""
    found = _opened(config, token)
    return found[1:] if found else None


def signed_by(config: Config, token: str) -> str | None:
    """The id of the key that signed this token; None for one that no key of ours did."""
    found = _opened(config, token)
    return found[0] if found else None


def _opened(config: Config, token: str) -> tuple[str, UUID, UUID] | None:
    try:
        blob = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    ids, tag = blob[:32], blob[32:]
    signed = [key_id for key_id, key in config.secret_keys.items() if hmac.compare_digest(tag, _tag(key, ids))]
    return (signed[0], UUID(bytes=ids[:16]), UUID(bytes=ids[16:])) if signed and len(ids) == 32 else None


def _tag(key: bytes, ids: bytes) -> bytes:
    return hmac.digest(key, b"warmline task link" + ids, hashlib.sha256)[:_TAG]


def _encode(blob: bytes) -> str:
    return urlsafe_b64encode(blob).rstrip(b"=").decode()
