"""Seals secrets at rest: AES-256-GCM, with the key's id in the envelope and the row's place as associated data, so
that a sealed value moved to another row does not open."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.errors import PlainError

_VERSION = b"v1"
_NONCE = 12  # bytes, NIST SP 800-38D, 5.2.1.1


class SealBrokenError(Exception):
    """The value was not sealed for this place, or not with a key that we hold."""


class Vault:
    """`keys` by id; the first seals, all open."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise PlainError(
                "WARMLINE_SECRET_KEYS is not set, so nothing can be sealed or opened. Set it to the keys that you have, or make the"
                " first with `warmline keys new`; `warmline up` keeps its own."
            )
        self._keys = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.current = next(iter(keys))  # the id of the key that seals

    def __repr__(self) -> str:
        return f"Vault(keys={list(self._keys)})"

    def seal(self, value: Mapping[str, Any], *place: object) -> bytes:
        """JSON-able `value` sealed for `place` (table, column, row...)."""
        nonce = os.urandom(_NONCE)
        text = json.dumps(value, separators=(",", ":")).encode()
        sealed = self._keys[self.current].encrypt(nonce, text, _associated(place))
        return prefix(self.current) + nonce + sealed

    def open(self, envelope: bytes, *place: object) -> dict[str, Any]:
        """What was sealed for `place`. Raises SealBrokenError."""
        try:
            version, key_id, rest = bytes(envelope).split(b".", 2)
            if version != _VERSION:
                raise SealBrokenError("unknown envelope")
            text = self._keys[key_id.decode()].decrypt(rest[:_NONCE], rest[_NONCE:], _associated(place))
        except (ValueError, KeyError, InvalidTag):
            raise SealBrokenError("a sealed value does not open here: another key, or moved from another row") from None
        opened: dict[str, Any] = json.loads(text)
        return opened


def prefix(key_id: str) -> bytes:
    """How an envelope begins that was sealed with this key."""
    return b".".join((_VERSION, key_id.encode(), b""))


def key_of(envelope: bytes) -> str:
    """The id of the key that sealed this envelope, of which the beginning will do; "?" for what is none of ours."""
    version, _, rest = bytes(envelope).partition(b".")
    key_id, dot, _ = rest.partition(b".")
    return key_id.decode("utf-8", "replace") if version == _VERSION and dot else "?"


def _associated(place: tuple[object, ...]) -> bytes:
    return "|".join(map(str, place)).encode()
