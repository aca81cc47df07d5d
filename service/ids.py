"""Ids of our rows: UUID version 7 (RFC 9562, 5.7), so that new rows stand beside each other in an index.

The twelve bits behind the milliseconds hold the fraction of the millisecond (6.2, method 3), moved on where the clock has
not: ids of one process come in the order in which they were made. The rest is random, but no secret: whoever knows an id may
do nothing with it.
"""

from __future__ import annotations

import random
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """A new id, greater than every id that this process has made before."""
    global _last
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    with _lock:
        _last = ticks = max(milliseconds << 12 | (rest << 12) // 1_000_000, _last + 1)
    value = (ticks >> 12 & (1 << 48) - 1) << 80 | 7 << 76 | (ticks & 0xFFF) << 64 | 2 << 62 | random.getrandbits(62)
    return UUID(int=value)
