"""Reconcile: what the CRM served, sorted by what it is. Contacts, owners and activities are mirrored; tasks are followed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.provider import RECHECK
from integrations.records import Activity, Contact, Gone, GoneBetween, Owner, TaskState
from service.models import Connection
from service.store import mirroring, reconciling

_Save = Callable[[Session, UUID, UUID, Sequence[Any]], int]
_Record = type[Owner] | type[Contact] | type[Activity] | type[TaskState]
_SAVERS: dict[type, _Save] = {
    Contact: mirroring.save_contacts,
    Owner: mirroring.save_owners,
    Activity: mirroring.save_activities,
}
# A `Gone` carries an id only: what it was is told by the stream that served it.
_GONE: dict[str, tuple[_Record, _Save]] = {
    "owners": (Owner, mirroring.drop_owners),
    "contacts": (Contact, mirroring.drop_contacts),
    "activities": (Activity, mirroring.drop_activities),
}
_TASKS = ("tasks", RECHECK)


def save(session: Session, connection: Connection, stream: str, items: Sequence[Any], *, read_at: datetime) -> int:
    """Stores a page of a CRM's stream, whose reading began at `read_at`. Returns how many records were new or had changed."""
    where = session, connection.workspace_id, connection.id
    found = 0
    for kind, saver in _SAVERS.items():
        if some := [item for item in items if isinstance(item, kind)]:
            found += saver(*where, some)
    record, drop = _GONE.get(stream, (TaskState, None))
    gone = _still_gone(items, record)
    if gone and drop is not None:
        found += drop(*where, gone)
    if gaps := [item for item in items if isinstance(item, GoneBetween)]:
        found += mirroring.drop_between(*where, gaps)
    states = [item for item in items if isinstance(item, TaskState)]
    if stream in _TASKS:
        found += reconciling.take_in(*where, [*states, *gone], read_at=read_at, current=stream == RECHECK)
    return found


def _still_gone(items: Sequence[Any], record: _Record) -> list[Gone]:
    """What is gone at the end of a page: a record that stands after its deletion was brought back."""
    last = {item.id: item for item in items if type(item) in (Gone, record)}
    return [item for item in last.values() if isinstance(item, Gone)]
