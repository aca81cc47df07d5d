"""Rate windows, in real time and in memory: a restart opens them all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    """What a window has left after a call. `reset_at` is in seconds since the epoch."""

    allowed: bool
    limit: int
    remaining: int
    reset_at: float


class Windows:
    """Fixed windows, one per key, each opened by its first call."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._windows: dict[Hashable, tuple[float, int]] = {}
        self._lock = threading.Lock()
        self.enforced = True

    def take(self, key: Hashable, limit: int, seconds: float) -> Room:
        """Spends one call of the window under `key`. Where limits are off every call finds it untouched."""
        now = self._clock()
        if not self.enforced:
            return Room(True, limit, limit, now + seconds)
        with self._lock:
            reset_at, used = self._windows.get(key, (0.0, 0))
            if reset_at <= now:
                reset_at, used = now + seconds, 0
            allowed = used < limit
            self._windows[key] = (reset_at, used + allowed)
            return Room(allowed, limit, limit - used - allowed, reset_at)

    def clear(self) -> None:
        with self._lock:
            self._windows.clear()
