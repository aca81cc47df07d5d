"""What is frozen: a provider for everybody, or one connection, by a person. Nothing is read from it or written to it; what was
read stays, and one switch brings it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from integrations.registry import providers
from service.clock import business_now, real_now
from service.db import raw
from service.models import Connection, Departure, ProviderFreeze
from service.store import due
from service.store.rows import execute

LOOK_AGAIN = timedelta(hours=1)  # a frozen stream that comes up is put off for so long; nobody outside is asked


def reasons(session: Session) -> Mapping[str, str]:
    """The reason for each provider that is frozen for everybody."""
    return {row.provider: row.reason for row in session.scalars(select(ProviderFreeze))}


def why(provider: str, paused: bool, paused_reason: str, frozen: Mapping[str, str]) -> str:
    """Why a connection is frozen, as a sentence; "" where it is not."""
    found = providers().get(provider)
    if found is None:
        return f"This Warmline does not know {provider} any more, so nothing is read or written there. What was read is kept."
    if provider in frozen:
        return f"{found.name} is frozen here: {_sentence(frozen[provider])} What was read is kept."
    if paused:
        return (
            f"Paused: {_sentence(paused_reason)}"
            if paused_reason
            else "Paused. Nothing is read or written until somebody resumes it."
        )
    return ""


def closing(session: Session, workspace_id: UUID) -> str:
    """Why all of a workspace is: somebody wants it deleted, and may still keep it. "" where nobody does, or where it is being
    deleted: then its CRMs are written to once more, to take our tasks back."""
    return _closing(
        session.scalar(
            select(Departure.delete_at).where(Departure.workspace_id == workspace_id, Departure.begun_at.is_(None))
        )
    )


def _closing(at: datetime | None) -> str:
    return (
        f"This workspace is to be deleted on {at.day} {at:%B %Y}. Until then nothing is read or written, and an owner can keep it."
        if at is not None
        else ""
    )


# For whoever reads a connection's row: every page that is stored asks, and a question of its own would cost as much as the page's lease.
CLOSES_AT = (
    select(Departure.delete_at)
    .where(Departure.workspace_id == Connection.workspace_id, Departure.begun_at.is_(None))
    .scalar_subquery()
)
REASON = select(ProviderFreeze.reason).where(ProviderFreeze.provider == Connection.provider).scalar_subquery()
_OF = (
    "SELECT (SELECT delete_at FROM departures WHERE workspace_id = %(w)s AND begun_at IS NULL),"
    " (SELECT reason FROM provider_freezes WHERE provider = %(p)s)"
)


def of(session: Session, row: Connection) -> str:
    """Why this connection is frozen; "" where it is not."""
    [(closes_at, reason)] = execute(raw(session), _OF, {"w": row.workspace_id, "p": row.provider})
    return told(row, closes_at, reason)


def told(row: Connection, closes_at: datetime | None, reason: str | None) -> str:
    """As `of`, where `CLOSES_AT` and `REASON` were read with its row."""
    frozen = {} if reason is None else {row.provider: reason}
    return _closing(closes_at) or why(row.provider, row.paused_at is not None, row.paused_reason, frozen)


def by_connection(session: Session, workspace_id: UUID) -> dict[UUID, str]:
    """Why each connection of the workspace that is frozen is."""
    if closed := closing(session, workspace_id):
        mine = session.scalars(select(Connection.id).where(Connection.workspace_id == workspace_id))
        return dict.fromkeys(mine, closed)
    frozen = reasons(session)
    rows = session.execute(
        select(Connection.id, Connection.provider, Connection.paused_at, Connection.paused_reason).where(
            Connection.workspace_id == workspace_id,
            or_(
                Connection.paused_at.is_not(None),
                Connection.provider.in_(list(frozen)),
                Connection.provider.not_in(list(providers())),
            ),
        )
    )
    return {row[0]: why(row[1], row[2] is not None, row[3], frozen) for row in rows}


def in_tasks(reason: str) -> str:
    """What a task says whose network is frozen: nobody would notice that it was answered."""
    return f"{reason} An answer there is not noticed now, so close this task yourself once you have answered."


def decide_again(session: Session, workspace_id: UUID, *, provider: str | None, connection_id: UUID | None) -> None:
    """Open tasks of what is frozen now, or is no more, are to say so. Call it before the workspace's schedule is locked."""
    session.execute(
        text(
            "UPDATE conversations SET decide_at = least(decide_at, :now) WHERE workspace_id = :w AND decide_at IS DISTINCT FROM 'infinity'"
            " AND connection_id = ANY(ARRAY(SELECT id FROM connections WHERE workspace_id = :w"
            " AND (CAST(:p AS text) IS NULL OR provider = :p) AND (CAST(:c AS uuid) IS NULL OR id = :c)))"
            " AND id = ANY(ARRAY(SELECT conversation_id FROM tasks WHERE workspace_id = :w AND wanted = 'open'))"
        ),
        {"w": workspace_id, "p": provider, "c": connection_id, "now": business_now()},
    )
    due.decide_soon(session, workspace_id)


def freeze(session: Session, provider: str, reason: str) -> None:
    """Freezes a provider for everybody. Safe to repeat: the newest reason stands."""
    row = insert(ProviderFreeze).values(provider=provider, reason=reason)
    session.execute(row.on_conflict_do_update(index_elements=["provider"], set_={"reason": row.excluded.reason}))


def unfreeze(session: Session, provider: str) -> bool:
    """Ends that. Returns whether it was frozen."""
    found = session.scalar(
        delete(ProviderFreeze).where(ProviderFreeze.provider == provider).returning(ProviderFreeze.provider)
    )
    return found is not None


# A refusal counts as a failure. What the consent left out has had none: it was never asked for.
_GOES_ON = "(s.status = 'active' OR s.failures > 0)"


def wake(
    session: Session, workspace_id: UUID, *, provider: str | None = None, connection_id: UUID | None = None
) -> int:
    """Whatever was put off in this workspace, of one provider or one connection, is due now: streams, and what waits to be
    pushed. Streams that a refusal stopped are tried again, since a plan most often ends before somebody freezes it; not those for
    which the consent lacked a scope. Nor is a limit of before waited for. Returns how many connections there are."""
    params = {"w": workspace_id, "p": provider, "c": connection_id, "now": real_now()}
    chosen = "workspace_id = :w AND status = 'active' AND (CAST(:p AS text) IS NULL OR provider = :p) AND (CAST(:c AS uuid) IS NULL OR id = :c)"
    session.execute(
        text(
            "UPDATE streams SET status = 'active', waits_for = '', next_pull_at = least(next_pull_at, :now) FROM (SELECT s.id"  # noqa: S608
            " FROM streams s JOIN connections n ON n.workspace_id = s.workspace_id AND n.id = s.connection_id"
            f" WHERE s.workspace_id = :w AND {_GOES_ON} AND n.id IN (SELECT id FROM connections WHERE {chosen})"
            " ORDER BY s.id FOR UPDATE OF s) AS due WHERE streams.workspace_id = :w AND streams.id = due.id"
        ),
        params,
    )
    rows = session.execute(
        text(
            f"UPDATE connections SET status_at = :now, next_push_at = CASE WHEN kind = 'crm' THEN least(next_push_at, :now) END WHERE {chosen}"  # noqa: S608
            " RETURNING id"
        ),
        params,
    )
    return len(rows.all())


def _sentence(words: str) -> str:
    clean = words.strip().rstrip(".")
    return f"{clean}."
