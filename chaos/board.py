"""What chaos says to the processes of one host: a few bytes of shared memory, read at every look at the clock."""

from __future__ import annotations

import mmap
import struct
from enum import IntEnum
from pathlib import Path


class Trap(IntEnum):
    """Where the next process that comes by is killed."""

    CALL_BEFORE = 0  # right before a call to a provider goes out
    CALL_AFTER = 1  # right after its answer came
    COMMIT_BEFORE = 2  # right before a transaction is committed
    COMMIT_AFTER = 3


_CLOCK = struct.Struct("d")
_CUT = _CLOCK.size + len(Trap)
_SIZE = _CUT + 1


class Board:
    """The memory of one host, as a file that its processes map. Made where it is missing."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _SIZE)

    @property
    def clock(self) -> float:
        """Seconds by which the host's clock is ahead of the true one."""
        found: float = _CLOCK.unpack_from(self._memory)[0]
        return found

    @clock.setter
    def clock(self, seconds: float) -> None:
        _CLOCK.pack_into(self._memory, 0, seconds)

    def set(self, trap: Trap) -> None:
        """The next process that comes there is killed."""
        self._memory[_CLOCK.size + trap] = 1

    def sprung(self, trap: Trap) -> bool:
        """Whether a process that has come there is to die. True once for each `set`."""
        at = _CLOCK.size + trap
        if not self._memory[at]:
            return False
        self._memory[at] = 0
        return True

    def disarm(self) -> None:
        """No trap is set any more."""
        for trap in Trap:
            self._memory[_CLOCK.size + trap] = 0

    @property
    def cut(self) -> bool:
        """Whether nothing passes between this host and the others."""
        return bool(self._memory[_CUT])

    @cut.setter
    def cut(self, cut: bool) -> None:
        self._memory[_CUT] = cut
