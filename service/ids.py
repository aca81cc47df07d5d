"""Ids of our rows: UUID version 7 (RFC 9562, 5.7), so that new rows stand beside each other in an index."""

from __future__ import annotations

import secrets
import time
from uuid import UUID


def new_id() -> UUID:
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    value = (milliseconds & (1 << 48) - 1) << 80 | 7 << 76 | (random >> 62) << 64 | 2 << 62 | random & (1 << 62) - 1
    return UUID(int=value)
