"""Sealing anew what rests under another key than the first one, while everything runs, and counting what rests under which."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Table, and_, bindparam, func, select, tuple_, update
from sqlalchemy.orm import Session

from service import links
from service.models import Base, Task, Workspace
from service.runtime import Runtime
from service.sealed import SEALED, Sealed
from service.vault import SealBrokenError, Vault, key_of, prefix

BATCH = 200  # rows of one transaction: a few milliseconds during which a refresh of one of them waits
LINKS = "links in open tasks"
_LONGEST = 32  # bytes in which an envelope has named its key

Told = Callable[[int, int], None]  # workspaces done, of how many


@dataclass
class Resting:
    """How many rows of each table rest under which key, and links that people may still click. Keys go by their ids."""

    seals: str  # the key that seals now
    held: tuple[str, ...]  # the keys that we have, the sealing one first
    rows: dict[str, Counter[str]] = field(default_factory=dict)

    def under(self, key_id: str) -> int:
        """How many rows and links end with this key."""
        return sum(counts[key_id] for counts in self.rows.values())

    @property
    def lost(self) -> dict[str, int]:
        """Rows under keys that we do not have, by key: they do not open."""
        found = Counter[str]()
        for counts in self.rows.values():
            found.update({key: number for key, number in counts.items() if key not in self.held})
        return dict(found)

    @property
    def may_go(self) -> list[str]:
        """The keys on which nothing rests any more."""
        return [key_id for key_id in self.held[1:] if not self.under(key_id)]


@dataclass
class Rotated:
    """What came of it: rows sealed anew, and rows that do not open, by table."""

    anew: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)


def resting(runtime: Runtime) -> Resting:
    """What rests under which key now."""
    found = Resting(runtime.vault.current, tuple(runtime.config.secret_keys))
    for sealed, workspace_id, session in _parts(runtime):
        counts = found.rows.setdefault(sealed.table, Counter())
        begin = func.substring(_table(sealed).c[sealed.column], 1, _LONGEST)
        for start, number in session.execute(
            _scoped(select(begin, func.count()), sealed, workspace_id).group_by(begin)
        ):
            counts[key_of(start)] += number
    found.rows[LINKS] = _links(runtime)
    return found


def rotate(runtime: Runtime, told: Told = lambda done, of: None) -> Rotated:
    """Seals anew, with the first key, whatever rests under another: batch by batch, each in a transaction of its own. A value that
    somebody stores meanwhile stays as they stored it. Broken off, it goes on where it was: what is done is not looked at again."""
    found, workspaces = Rotated(), _workspaces(runtime)
    for done, workspace_id in enumerate([None, *workspaces]):
        for sealed in SEALED:
            if sealed.tenants == (workspace_id is not None):
                _rotate(runtime, sealed, workspace_id, found)
        told(done, len(workspaces))
    return found


def _rotate(runtime: Runtime, sealed: Sealed, workspace_id: UUID | None, found: Rotated) -> None:
    after: tuple[Any, ...] | None = None
    while True:
        with _session(runtime, workspace_id) as session:
            rows = session.execute(_stale(sealed, workspace_id, runtime.vault, after)).all()
            fresh = [each for each in (_anew(sealed, row, runtime.vault) for row in rows) if each is not None]
            found.broken[sealed.table] += len(rows) - len(fresh)
            found.anew[sealed.table] += _swap(session, sealed, fresh)
        if len(rows) < BATCH:
            return
        after = tuple(rows[-1][:-1])


def _stale(sealed: Sealed, workspace_id: UUID | None, vault: Vault, after: tuple[Any, ...] | None) -> Any:
    table, begin = _table(sealed), prefix(vault.current)
    keys: list[ColumnElement[Any]] = [table.c[name] for name in sealed.keys]
    column = table.c[sealed.column]
    statement = select(*keys, column).where(func.substring(column, 1, len(begin)) != begin)
    if after is not None:  # what did not open is passed over
        statement = statement.where(tuple_(*keys) > tuple_(*after))
    return _scoped(statement, sealed, workspace_id).order_by(*keys).limit(BATCH)


def _anew(sealed: Sealed, row: Row[Any], vault: Vault) -> dict[str, Any] | None:
    keys, envelope = tuple(row)[:-1], row[-1]
    place = sealed.place(*keys)
    try:
        value = vault.open(envelope, *place)
    except SealBrokenError:
        return None
    names = {f"key_{name}": key for name, key in zip(sealed.keys, keys, strict=True)}
    return {**names, "old": envelope, "new": vault.seal(value, *place)}


def _swap(session: Session, sealed: Sealed, fresh: Sequence[Mapping[str, Any]]) -> int:
    """Stores them where the old value still stands; how many that was."""
    if not fresh:
        return 0
    table = _table(sealed)
    here = [table.c[name] == bindparam(f"key_{name}") for name in sealed.keys]
    statement = update(table).where(and_(*here, table.c[sealed.column] == bindparam("old")))
    done = session.connection().execute(statement.values({sealed.column: bindparam("new")}), list(fresh))
    return done.rowcount


# --- links ------------------------------------------------------------------------------------------------------

_LINK = re.compile(r"/t/([A-Za-z0-9_-]+)")


def _links(runtime: Runtime) -> Counter[str]:
    """The keys that signed the links of tasks which are open in a CRM. They end with their tasks, and are not signed anew: that
    would rewrite each of those tasks there."""
    found = Counter[str]()
    body = Task.written["body"].astext
    for workspace_id in _workspaces(runtime):
        with runtime.db.tenant(workspace_id) as session:
            wanted = select(body).where(
                Task.workspace_id == workspace_id, Task.state.in_(("open", "unknown")), body.like("%/t/%")
            )
            for text in session.execute(wanted.execution_options(yield_per=1000)).scalars():
                signed = (links.signed_by(runtime.config, token) for token in _LINK.findall(text))
                found.update({key_id for key_id in signed if key_id})
    return found


# --- rows -------------------------------------------------------------------------------------------------------


def _table(sealed: Sealed) -> Table:
    return Base.metadata.tables[sealed.table]


def _scoped(statement: Any, sealed: Sealed, workspace_id: UUID | None) -> Any:
    table = _table(sealed)
    mine: list[ColumnElement[bool]] = [table.c[sealed.column].is_not(None)]
    if workspace_id is not None:
        mine.append(table.c.workspace_id == workspace_id)
    return statement.where(*mine)


def _parts(runtime: Runtime) -> Iterator[tuple[Sealed, UUID | None, Session]]:
    for workspace_id in [None, *_workspaces(runtime)]:
        with _session(runtime, workspace_id) as session:
            for sealed in SEALED:
                if sealed.tenants == (workspace_id is not None):
                    yield sealed, workspace_id, session


@contextmanager
def _session(runtime: Runtime, workspace_id: UUID | None) -> Iterator[Session]:
    with runtime.db.globally() if workspace_id is None else runtime.db.tenant(workspace_id) as session:
        yield session


def _workspaces(runtime: Runtime) -> list[UUID]:
    with runtime.db.globally() as session:
        return list(session.scalars(select(Workspace.id).order_by(Workspace.id)))
