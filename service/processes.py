"""Child processes that never outlive whoever started them."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_ROOM = 1 << 20  # bytes; with less than that, a disk counts as full

Process = subprocess.Popen[bytes]


@dataclass(frozen=True)
class User:
    """Whose rights a process has, when we are root and it should not be."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Command:
    """How to start a process."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] | None = None  # None: ours
    cwd: Path | None = None
    user: User | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGTERM  # what the kernel sends it when we die without a chance to say so


def die_with_parent(number: signal.Signals = signal.SIGTERM, parent: int | None = None) -> None:
    """Asks the kernel (Linux; elsewhere it does not) to send this process `number` when its parent's thread ends, however it ends.
    The kernel says nothing of one that has ended before: where `parent`, its pid, is known, this process then ends at once. Call it
    in the child, after any change of user: that would clear it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def start(command: Command, log: Path) -> Process:
    """Starts a process in a session of its own (so that Ctrl-C reaches us alone), its output appended to `log`. Call it
    from the main thread: the child dies with the thread that started it. Raises OSError."""
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    parent = os.getpid()

    def bind() -> None:
        die_with_parent(command.orphan_signal, parent)

    user = command.user
    with log.open("ab") as output:
        return subprocess.Popen(
            command.argv,
            env=command.env,
            cwd=command.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=bind,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )


def stop(running: Iterable[tuple[Command, Process]], *, within: float) -> None:
    """Stops processes together: asks each once, and after `within` seconds ends whatever is left of their groups."""
    running = list(running)
    for command, process in running:
        if process.poll() is None:
            process.send_signal(command.stop_signal)
    deadline = time.monotonic() + within
    for _, process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
    for _, process in running:
        process.wait()
        _end_group(process.pid)


def _end_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody is left in it
        os.killpg(leader, signal.SIGKILL)


def last_words(log: Path, lines: int = 1) -> str:
    """The end of a log, for a sentence about why a process ended."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 4096))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])


def why_ended(log: Path) -> str:
    """Why the process that writes this log has ended, for a sentence. Where its disk is full, the log can say nothing of that."""
    with suppress(OSError):
        if shutil.disk_usage(log.parent).free < _ROOM:
            return f"no room is left on the disk of {log.parent}. Make some, and start again"
    return last_words(log) or "no reason given"


def end_on_signals() -> None:
    """From now on SIGTERM and a closed terminal end this process as Ctrl-C does: with KeyboardInterrupt, so that what it
    started is stopped. Ctrl-C is heard even where a shell has told its background jobs to ignore it; `nohup` is respected."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
