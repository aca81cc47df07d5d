"""How whoever does long jobs gives way to everybody else on the machine: its own process, and what works for it in PostgreSQL."""

from __future__ import annotations

import os
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, event

NICE = 10  # of 19, for workers that do long jobs
AUTOGROUP = Path("/proc/self/autogroup")  # how nice the whole session is; Linux has it where it groups by sessions
TRIES = 50  # to say so: of all who are not root, Linux hears one in a tenth of a second and has the others come again
_PEER = struct.Struct("3i")  # process, user, group: Linux's `struct ucred`


def give_way() -> None:
    """From now on this process works where nobody else wants the processor. As a session of its own: Linux shares processors out among
    sessions first (sched(7), autogroups), so that in its pool's session it would use up what is due to those who do short jobs, and how nice
    it is would count for nothing against any other process of ours."""
    with suppress(OSError):  # it is the first of one already
        if AUTOGROUP.exists():  # elsewhere, a closed terminal would end its pool and not reach it any more
            os.setsid()
    with suppress(OSError):  # some places let nobody, and then it is as urgent as the others
        os.nice(NICE)
        for _ in range(TRIES):
            with suppress(BlockingIOError):
                AUTOGROUP.write_text(str(NICE))
                return
            time.sleep(0.1)


def have_servers_give_way(engine: Engine) -> None:
    """So does PostgreSQL's process at the other end of each connection that this engine opens from now on, where it runs on this machine
    and may be told so: it does the larger half of a long job, and is in one session with those that answer everybody else."""
    event.listen(engine, "connect", _let_pass)


def _let_pass(connection: psycopg.Connection[Any], _: object) -> None:
    with suppress(OSError, ValueError, IndexError):  # not told: it is as urgent as the others
        server = connection.info.backend_pid
        # Its number is one of its machine's, and may be somebody else's on this one.
        if _parent(server) == _listener(connection):
            os.setpriority(os.PRIO_PROCESS, server, NICE)


def _listener(connection: psycopg.Connection[Any]) -> int:
    """The process that listens where this connection goes to. Raises OSError where it is not on this machine."""
    with socket.socket(fileno=os.dup(connection.fileno())) as same:
        if same.family != socket.AF_UNIX:
            raise OSError("its process is not known")
        return int(_PEER.unpack(same.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))[0])


def _parent(process: int) -> int:
    """Raises OSError for a process that is not there."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
