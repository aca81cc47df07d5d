"""Tasks: what the rules want, what stands in the CRM, and what has to be said to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy.orm import Session

from integrations import edits
from integrations.records import TaskStatus
from service.clock import real_now
from service.db import raw
from service.rules.model import RULES_VERSION
from service.rules.plan import Standing
from service.store.rows import execute, insert, packed, records


@dataclass(slots=True)
class TaskRow:
    """One task, as a decision reads and changes it. See `service.models.Task` for what the columns mean."""

    id: UUID
    key: str
    kind: str
    brand_id: UUID
    person: str
    author_id: UUID | None
    contact_id: UUID | None
    conversation_id: UUID | None
    relationship_id: UUID | None
    crm_connection_id: UUID | None
    wanted: str
    state: str
    content: dict[str, Any]
    edited: list[str]
    reasons: list[str]
    urgency: int
    since: datetime
    due_at: datetime
    held_reason: str = ""
    held_until: datetime | None = None
    push_at: datetime | None = None
    external_id: str | None = None
    detail: str = ""
    maybe_sent_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str = ""
    close_reason: str = ""
    written: dict[str, Any] = field(default_factory=dict)
    run_id: UUID | None = None
    ripe_at: datetime | None = None
    erased_at: datetime | None = None
    sent: list[dict[str, Any]] = field(default_factory=list)
    withdrawing_at: datetime | None = None
    speakers: Sequence[
        UUID
    ] = ()  # whose words the content was made of just now, where these are several authors'; in `task_authors`
    only_sought: bool = False  # of another brand than its CRM serves by now, and to end there: it is not made for that

    @property
    def is_new(self) -> bool:
        """Whether nothing of it is there or on its way, so that making it needs no seeking first; as `pushing._IS_NEW`."""
        return self.external_id is None and (self.state != "unknown" or self.maybe_sent_at is None)

    @property
    def in_crm(self) -> bool:
        """Whether it stands there, or may."""
        return self.state in ("open", "unknown", "completed")

    @property
    def lingers(self) -> bool:
        """Whether the rules withdrew it and it stands there all the same: that is not said yet, or somebody had made it theirs."""
        if self.wanted != "withdrawn" or self.closed_by != "rules":
            return False
        return self.state in ("open", "unknown") or (bool(self.edited) and self.external_id is not None)

    @property
    def standing(self) -> Standing:
        return Standing(self.key, TaskStatus(self.wanted), self.closed_by, self.lingers, edits.STATUS in self.edited)


_TYPES = {
    "id": "uuid", "key": "text", "kind": "text", "brand_id": "uuid", "person": "text", "author_id": "uuid", "contact_id": "uuid",
    "conversation_id": "uuid", "relationship_id": "uuid", "crm_connection_id": "uuid", "wanted": "text", "state": "text",
    "content": "jsonb", "edited": "jsonb", "reasons": "jsonb", "urgency": "integer", "since": "timestamptz", "due_at": "timestamptz",
    "held_reason": "text", "held_until": "timestamptz", "push_at": "timestamptz", "external_id": "text", "detail": "text",
    "maybe_sent_at": "timestamptz", "closed_at": "timestamptz", "closed_by": "text", "close_reason": "text", "written": "jsonb", "run_id": "uuid", "ripe_at": "timestamptz",
    "sent": "jsonb",
}  # fmt: skip
_VALUES = attrgetter(*_TYPES)
_NAMES = ", ".join(each.name for each in fields(TaskRow) if each.name not in ("speakers", "only_sought"))
_SELECT = f"SELECT {_NAMES} FROM tasks WHERE workspace_id = %(w)s"  # noqa: S608 - names of our own columns
# What a decision may change in a task that is there already; the rest is the CRM's to say (see `settle`).
_DECIDED = (
    "person", "author_id", "contact_id", "conversation_id", "relationship_id", "crm_connection_id", "wanted", "state", "content",
    "edited", "reasons", "urgency", "held_reason", "held_until", "push_at", "external_id", "closed_at", "closed_by", "close_reason",
    "run_id",
)  # fmt: skip
_SAVE = insert(
    "tasks",
    _TYPES,
    fixed={
        "workspace_id": "%(w)s", "external_url": "''", "settings_version": "%(settings)s", "rules_version": "%(rules)s",
        "decided_at": "%(now)s",
    },
    conflict=(
        "ON CONFLICT (workspace_id, key) DO UPDATE SET settings_version = excluded.settings_version, rules_version = excluded.rules_version,"
        # What the CRM refuses stays parked until something of it changes.
        " parked_at = CASE WHEN excluded.wanted = 'open' AND excluded.state = old.state AND excluded.push_at IS NULL THEN old.parked_at END,"
        " decided_at = excluded.decided_at, " + ", ".join(f"{name} = excluded.{name}" for name in _DECIDED)
    ),
)  # fmt: skip
# By key: a task keeps the id that it was first stored with.
_SPEAKER = {"key": "text", "author_id": "uuid"}
_SAVE_SPEAKERS = (
    "INSERT INTO task_authors (workspace_id, task_id, author_id) SELECT t.workspace_id, t.id, new.author_id"  # noqa: S608 - names of our own columns
    f" FROM {records(_SPEAKER)} JOIN tasks t ON t.workspace_id = %(w)s AND t.key = new.key ON CONFLICT DO NOTHING"
)


def _rows(found: Iterable[Sequence[Any]]) -> list[TaskRow]:
    return [TaskRow(*row) for row in found]


LINGERS = (  # as `TaskRow.lingers`
    "(wanted = 'withdrawn' AND closed_by = 'rules' AND (state IN ('open', 'unknown') OR (external_id IS NOT NULL AND edited <> '[]')))"
)
Scope = Literal["conversation_id", "relationship_id"]
# One by one, and whatever is wanted of them: while a workspace is decided for the first time, the planner takes its tasks for few, and
# would read every open one for each batch.
_FOUND: Mapping[Scope, str] = {
    scope: (
        "SELECT t.id FROM unnest(%(ids)s::uuid[]) AS x(id) CROSS JOIN LATERAL (SELECT id FROM tasks WHERE workspace_id = %(w)s"  # noqa: S608 - names of our own columns
        f" AND {scope} = x.id OFFSET 0) t UNION"
        " SELECT t.id FROM unnest(%(keys)s::text[]) AS x(key) CROSS JOIN LATERAL (SELECT id FROM tasks WHERE workspace_id = %(w)s"
        " AND key = x.key OFFSET 0) t"
    )
    for scope in get_args(Scope)
}


def standing(
    session: Session, workspace_id: UUID, scope: Scope, ids: Sequence[UUID], keys: Sequence[str], *, lock: bool = True
) -> list[TaskRow]:
    """Tasks of these conversations or relationships that are open or linger, and the tasks with these keys, locked until the
    end of the transaction (unless they are only looked at)."""
    params: dict[str, Any] = {"w": workspace_id, "ids": list(ids), "keys": list(keys)}
    found = [row[0] for row in execute(raw(session), _FOUND[scope], params)]
    if not found:
        return []
    return _rows(
        execute(
            raw(session),
            f"{_SELECT} AND id = ANY(%(found)s) AND (({scope} = ANY(%(ids)s) AND (wanted = 'open' OR {LINGERS})) OR key = ANY(%(keys)s))"
            f" ORDER BY id{' FOR UPDATE' if lock else ''}",
            {**params, "found": found},
        )
    )


def save(session: Session, workspace_id: UUID, rows: Sequence[TaskRow], *, settings: int) -> None:
    """Stores what was decided of these tasks, and adds to whose words they may hold."""
    if not rows:
        return
    values = map(_VALUES, sorted(rows, key=lambda row: row.id))
    shared = {"w": workspace_id, "settings": settings, "rules": RULES_VERSION, "now": real_now()}
    execute(raw(session), _SAVE, {**shared, **packed(_TYPES, values)})
    if speakers := [(row.key, author) for row in rows for author in row.speakers]:
        execute(raw(session), _SAVE_SPEAKERS, {"w": workspace_id, **packed(_SPEAKER, speakers)})


# --- admission ------------------------------------------------------------------------------------------------


def to_admit(session: Session, workspace_id: UUID, now: datetime, limit: int) -> list[TaskRow]:
    """Tasks that are not in the CRM and were not answered for yet: new ones, and held ones whose time has come. The most
    urgent first."""
    return _rows(
        execute(
            raw(session),
            _SELECT
            + " AND wanted = 'open' AND state = 'absent' AND external_id IS NULL AND push_at IS NULL AND crm_connection_id IS NOT NULL"
            " AND run_id IS NULL"
            " AND (held_reason = '' OR held_until <= %(now)s) ORDER BY urgency DESC, since, id LIMIT %(n)s FOR UPDATE",
            {"w": workspace_id, "now": now, "n": limit},
        )
    )


def taken_slots(session: Session, workspace_id: UUID, persons: Sequence[str]) -> set[tuple[str, str, str]]:
    """(brand, person, kind) of these people whose open task is in the CRM or on its way there. One in a CRM that is disconnected holds up
    nobody: its end would not be noticed."""
    rows = execute(
        raw(session),
        "SELECT brand_id::text, person, kind FROM tasks WHERE workspace_id = %(w)s AND person = ANY(%(people)s) AND wanted = 'open'"
        " AND (push_at IS NOT NULL OR state IN ('open', 'unknown')) AND NOT EXISTS (SELECT 1 FROM connections n WHERE n.workspace_id = %(w)s"
        " AND n.id = tasks.crm_connection_id AND n.status = 'disconnected')",
        {"w": workspace_id, "people": list(persons)},
    )
    return {(row[0], row[1], row[2]) for row in rows}


def given_since(session: Session, workspace_id: UUID, since: datetime) -> dict[tuple[str, str, str], int]:
    """How many tasks of each kind each owner (CRM connection, owner's id, kind) was given since then, those on their way
    and those that wait for their owner included."""
    rows = execute(
        raw(session),
        "SELECT crm_connection_id::text, coalesce(content->>'owner_id', ''), kind, count(*) FROM tasks WHERE workspace_id = %(w)s"
        " AND admitted_at >= %(since)s GROUP BY 1, 2, 3",
        {"w": workspace_id, "since": since},
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}


ADMISSION = {
    "id": "uuid",
    "held_reason": "text",
    "held_until": "timestamptz",
    "push_at": "timestamptz",
    "due": "text",
}


def save_admissions(
    session: Session,
    workspace_id: UUID,
    rows: Sequence[tuple[UUID, str, datetime | None, datetime | None, str | None]],
) -> None:
    """(id, why it is held, until when, when to push, when it falls due for its owner if that is another day) of each. What waits for its
    owner is a task of the day on which it comes."""
    execute(
        raw(session),
        "UPDATE tasks t SET held_reason = new.held_reason, held_until = new.held_until, push_at = new.push_at,"  # noqa: S608 - names of our own columns
        " content = CASE WHEN new.due IS NULL THEN t.content ELSE t.content || jsonb_build_object('due_at', new.due) END,"
        " admitted_at = new.push_at,"
        " ripe_at = CASE WHEN new.held_reason = '' THEN t.ripe_at END"  # what waits on purpose is not late
        f" FROM {records(ADMISSION)} WHERE t.workspace_id = %(w)s AND t.id = new.id",
        {"w": workspace_id, **packed(ADMISSION, rows)},
    )


def release_slots(session: Session, workspace_id: UUID, persons: Sequence[str]) -> None:
    """A task about these people was closed: what was held behind it may be looked at again."""
    execute(
        raw(session),
        "UPDATE tasks SET held_reason = '', held_until = NULL WHERE workspace_id = %(w)s AND person = ANY(%(people)s) AND wanted = 'open'"
        " AND state = 'absent' AND external_id IS NULL AND push_at IS NULL AND crm_connection_id IS NOT NULL",
        {"w": workspace_id, "people": list(persons)},
    )


def next_release(session: Session, workspace_id: UUID) -> datetime | None:
    """When the next held task is to be looked at again (business time)."""
    rows = execute(
        raw(session),
        "SELECT min(held_until) FROM tasks WHERE workspace_id = %(w)s AND wanted = 'open' AND state = 'absent' AND external_id IS NULL AND push_at IS NULL AND run_id IS NULL"
        " AND crm_connection_id IS NOT NULL",
        {"w": workspace_id},
    )
    found: datetime | None = rows[0][0]
    return found
