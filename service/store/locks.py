"""What transactions of one workspace take turns at, where locks on rows do not do: who waits for whom, and what nobody has stored yet.

Each is had until the transaction ends, alone or side by side with others, and is taken before rows that whoever has it may want.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any
from uuid import UUID

from service.db import RawConnection
from service.store.rows import execute


class Lock(IntEnum):
    """Any numbers that no other advisory lock of ours has (see `service.db.migrate`)."""

    SUPPRESSIONS = 7261636  # the list of people who are to be left out, beside whatever stores people
    RUNS = 7261637  # settings and the newest run, beside whatever decides by them
    KEYS = 7261638  # whoever matches authors, beside whatever stores contacts that these may turn out to be
    HANDED_IN = 7261639  # posts that are handed in: each may be what another one answers


ALONE = "pg_advisory_xact_lock(%(lock)s, %(workspace)s)"  # in a statement that has what `named` makes


def alone(connection: RawConnection, workspace_id: UUID, lock: Lock) -> None:
    """Waits until nobody else in this workspace has it."""
    execute(connection, f"SELECT {ALONE}", named(workspace_id, lock))


def beside(connection: RawConnection, workspace_id: UUID, lock: Lock) -> None:
    """Waits until nobody in this workspace has it alone."""
    # A statement of its own, as above: what is read behind it is read after the lock is had.
    execute(connection, "SELECT pg_advisory_xact_lock_shared(%(lock)s, %(workspace)s)", named(workspace_id, lock))


def named(workspace_id: UUID, lock: Lock) -> dict[str, Any]:
    """The parameters that say which lock it is."""
    return {"lock": int(lock), "workspace": workspace_id.int & 0x7FFFFFFF}  # 31 bits, since PostgreSQL's are signed
