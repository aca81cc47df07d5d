"""Business time, which may stand still, and stamps that never go backwards."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

MILLISECOND = 1
SECOND = 1000 * MILLISECOND
DAY = 24 * 60 * 60 * SECOND


def to_ms(moment: datetime) -> int:
    """Milliseconds since the epoch of an aware `moment`."""
    return round(moment.timestamp() * 1000)


def parse_ms(text: str) -> int:
    """Milliseconds since the epoch of an ISO 8601 `text`; a text without a zone is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text.strip())
    return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def iso(ms: int) -> str:
    """`ms` as both vendors write an instant: 2026-01-31T09:00:00.000Z."""
    seconds, rest = divmod(ms, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:03d}Z"


class Clock:
    """What the network and the CRM take for "now". `frozen_at` (ms) makes it stand still.

    Tokens, codes, rate windows and delays never use it: they live in real time.
    """

    def __init__(self, frozen_at: int | None = None) -> None:
        self._frozen_at = frozen_at

    @property
    def frozen(self) -> bool:
        return self._frozen_at is not None

    def stand_at(self, frozen_at: int) -> None:
        """Stands still at another instant (ms)."""
        self._frozen_at = frozen_at

    def now(self) -> int:
        return time.time_ns() // 1_000_000 if self._frozen_at is None else self._frozen_at


class Stamps:
    """Strictly increasing instants at or after now, so that "changed since" works even while time stands still."""

    def __init__(self, clock: Clock, *, after: int = 0) -> None:
        self._clock = clock
        self._last = after
        self._lock = threading.Lock()

    def next(self) -> int:
        with self._lock:
            self._last = max(self._clock.now(), self._last + 1)
            return self._last

    def many(self, count: int, *, per_stamp: int = 100) -> list[int]:
        """`count` instants in order, `per_stamp` records to one, as a bulk import leaves them."""
        stamps = [self.next() for _ in range(-(-count // per_stamp))]
        return [stamps[number // per_stamp] for number in range(count)]
