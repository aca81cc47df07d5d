"""What a process says of itself, beside its work: what it counted, and that it is there."""

from __future__ import annotations

import os
import time
from threading import Event, Lock, Thread

from redis.exceptions import RedisError

from service.db import Database
from service.queue import SILENCE
from service.runtime import Runtime
from service.watch import meters, presence

EVERY = 5.0  # seconds between two words of a web process


class Teller:
    """For one process. A worker and the scheduler call `say` as they go; a web process, which may have nothing to do for hours,
    has a thread for it."""

    def __init__(self, runtime: Runtime, role: str) -> None:
        self.runtime, self.role = runtime, role
        self._said = -presence.EVERY
        self._lock = Lock()
        self._thread_of: int | None = None  # the process whose thread it is: a fork has none
        self._thread: Thread | None = None
        self._stop = Event()

    def say(self, *, patience: float = SILENCE, now: bool = False) -> None:
        """Hands on what was counted, and says, now and then, that the process is there; `patience` is for how long from now it may
        be silent. Raises nothing."""
        meters.flush(self.runtime.redis)
        if not now and time.monotonic() - self._said < presence.EVERY:
            return
        self._said = time.monotonic()
        try:
            presence.say(self.runtime.redis, self.role, self._db(), patience=patience)
        except RedisError:
            return

    def keep_saying(self) -> None:
        """Starts the thread of this process, unless it runs."""
        with self._lock:
            if self._thread_of == os.getpid():
                return
            self._thread_of, self._stop = os.getpid(), Event()
            self._thread = Thread(target=self._run, args=(self._stop,), name="warmline-teller", daemon=True)
            self._thread.start()

    def leave(self) -> None:
        """The process ends in good order."""
        self._stop.set()
        if self._thread and self._thread_of == os.getpid():
            self._thread.join(EVERY)  # else its last word might come after the process was taken off the list
        meters.flush(self.runtime.redis)
        presence.leave(self.runtime.redis)

    def _run(self, stop: Event) -> None:
        while not stop.is_set():
            self.say()
            stop.wait(EVERY)

    def _db(self) -> Database | None:
        return self.runtime.db if self.runtime.config.database_url else None
