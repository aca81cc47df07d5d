"""What is due. Everything here only moves instants: `next_pull_at`, `decide_at`, `next_push_at`. `least` ignores NULL in
PostgreSQL, so a row that is being worked on (its instant is NULL) can be made due again meanwhile, and is then not missed.

`news_at` says when something last came to be decided by, for whoever undoes what was decided. It is PostgreSQL's clock at the moment when
the row is had: whoever was deciding it, and was waited for, has not seen what came.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, text
from sqlalchemy.orm import Session

from service.clock import business_now, real_now
from service.db import raw
from service.store.rows import execute

IDS = ARRAY(Uuid())


def decide_soon(session: Session, workspace_id: UUID, at: datetime | None = None) -> None:
    """The workspace has something to decide at `at` (business time; now, if not given). Call it last in a transaction:
    it locks the workspace's one row."""
    session.execute(
        text("UPDATE workspace_schedule SET decide_at = least(decide_at, :at) WHERE workspace_id = :w"),
        {"w": workspace_id, "at": at or business_now()},
    )


def decide_conversations_of(session: Session, workspace_id: UUID, contact_ids: Iterable[UUID]) -> None:
    """Something was logged with these contacts, which may have ended their waits."""
    authors = session.execute(
        text(
            "SELECT author_id FROM matches WHERE workspace_id = :w AND contact_id = ANY(:contacts) AND state = 'confirmed'"
        ).bindparams(bindparam("contacts", type_=IDS)),
        {"w": workspace_id, "contacts": list(contact_ids)},
    ).scalars()
    if ids := sorted(set(authors)):
        decide_conversations(session, workspace_id, author_ids=ids)


def decide_conversations(
    session: Session,
    workspace_id: UUID,
    *,
    author_ids: Iterable[UUID] = (),
    conversation_ids: Iterable[UUID] = (),
    as_decider: bool = False,
) -> None:
    """These conversations are to be decided again. Those of a connection that is still in its first pull stay put.
    `as_decider`: under the lease of whoever decides in the workspace. What is due already is left alone then, since nobody else can be
    about to have decided it without knowing."""
    params = {
        "w": workspace_id, "now": business_now(), "authors": list(author_ids), "ids": list(conversation_ids),
        "as_decider": as_decider,
    }  # fmt: skip
    execute(
        raw(session),
        "UPDATE conversations SET decide_at = least(decide_at, %(now)s), news_at = clock_timestamp() WHERE workspace_id = %(w)s"
        " AND (author_id = ANY(%(authors)s) OR id = ANY(%(ids)s)) AND decide_at IS DISTINCT FROM 'infinity'"
        " AND (NOT %(as_decider)s OR decide_at IS NULL OR decide_at > %(now)s)",
        params,
    )


def open_conversations(session: Session, workspace_id: UUID, connection_id: UUID) -> None:
    """The first pull of a connection is done: what it stored may be decided."""
    session.execute(
        text(
            "UPDATE conversations SET decide_at = :now WHERE workspace_id = :w AND connection_id = :c AND decide_at = 'infinity'"
        ),
        {"w": workspace_id, "c": connection_id, "now": business_now()},
    )


def decide_relationships(
    session: Session,
    workspace_id: UUID,
    *,
    author_ids: Iterable[UUID] = (),
    contact_ids: Iterable[UUID] = (),
    ids: Iterable[UUID] = (),
) -> None:
    """The relationships of these people are to be decided again."""
    params = {
        "w": workspace_id, "now": business_now(), "authors": list(author_ids), "contacts": list(contact_ids), "ids": list(ids)
    }  # fmt: skip
    execute(
        raw(session),
        "UPDATE relationships SET decide_at = least(decide_at, %(now)s), news_at = clock_timestamp() WHERE workspace_id = %(w)s"
        " AND (author_id = ANY(%(authors)s) OR contact_id = ANY(%(contacts)s) OR id = ANY(%(ids)s))",
        params,
    )


def decide_unplaced(session: Session, workspace_id: UUID) -> None:
    """Owners, responders or CRMs changed: tasks that had nobody to go to, or nowhere, are decided again."""
    for table, column in (("conversations", "conversation_id"), ("relationships", "relationship_id")):
        session.execute(
            text(
                f"UPDATE {table} d SET decide_at = least(d.decide_at, :now) FROM tasks t WHERE d.workspace_id = :w"  # noqa: S608
                f" AND t.workspace_id = :w AND t.{column} = d.id AND t.wanted = 'open' AND t.state = 'absent' AND t.external_id IS NULL AND t.push_at IS NULL"
                " AND (t.crm_connection_id IS NULL OR t.content->>'owner_id' IS NULL)"
            ),
            {"w": workspace_id, "now": business_now()},
        )
    decide_soon(session, workspace_id)


def decide_everything(session: Session, workspace_id: UUID) -> None:
    """The settings changed: every verdict of the workspace is to be made again."""
    for table in ("conversations", "relationships"):
        session.execute(
            text(
                f"UPDATE {table} SET decide_at = least(decide_at, :now)"  # noqa: S608 - names of our own tables
                " WHERE workspace_id = :w AND decide_at IS DISTINCT FROM 'infinity'"
            ),
            {"w": workspace_id, "now": business_now()},
        )
    decide_soon(session, workspace_id)


def match_again(session: Session, workspace_id: UUID, author_ids: Sequence[UUID]) -> None:
    """These authors are to be matched again, and with them their conversations and relationships."""
    session.execute(
        text("UPDATE authors SET match_due = true WHERE workspace_id = :w AND id = ANY(:ids)").bindparams(
            bindparam("ids", type_=IDS)
        ),
        {"w": workspace_id, "ids": list(author_ids)},
    )
    decide_conversations(session, workspace_id, author_ids=author_ids)
    decide_relationships(session, workspace_id, author_ids=author_ids)
    decide_soon(session, workspace_id)


def match_alike(session: Session, workspace_id: UUID, crm: UUID, pattern: str) -> None:
    """Whoever is confirmed by the rules as a contact of this CRM, on the same kinds of evidence, is to be matched again: what people
    decide about one such match says something about the others. Call it before rows of other tables are locked."""
    session.execute(
        text(
            "UPDATE authors SET match_due = true WHERE workspace_id = :w AND id = ANY(ARRAY(SELECT author_id FROM matches"
            " WHERE workspace_id = :w AND connection_id = :c AND pattern = :p AND state = 'confirmed' AND decided_by = 'rules'))"
        ),
        {"w": workspace_id, "c": crm, "p": pattern},
    )


def pull_soon(
    session: Session,
    workspace_id: UUID,
    connection_id: UUID,
    streams: Sequence[str] = (),
    *,
    obey_limits: bool = False,
    urgent: bool = False,
) -> None:
    """Pull these streams of a connection (all of them, if none is named) as soon as a worker is free; `obey_limits`: but for those
    that the provider has asked to wait; `urgent`: somebody waits for it, so it goes before what has merely been due for longer. One
    that is due already, and as urgent, is left alone, so that asking often costs no write. Not for a transaction that holds one of
    them: two such would wait for each other."""
    session.execute(
        text(
            "UPDATE streams SET next_pull_at = least(next_pull_at, :now), urgent = urgent OR :urgent FROM (SELECT id FROM streams"
            " WHERE workspace_id = :w AND connection_id = :c AND status = 'active' AND (cardinality(:names) = 0 OR name = ANY(:names))"
            " AND (next_pull_at IS NULL OR next_pull_at > :now OR (:urgent AND NOT urgent))"
            " AND NOT (:limits AND waits_for = 'rate_limit' AND next_pull_at IS NOT NULL)"
            " ORDER BY id FOR UPDATE) AS chosen WHERE workspace_id = :w AND streams.id = chosen.id"
        ).bindparams(bindparam("names", type_=ARRAY(Text()))),
        {
            "w": workspace_id,
            "c": connection_id,
            "now": real_now(),
            "names": list(streams),
            "limits": obey_limits,
            "urgent": urgent,
        },
    )


def pull_those_at_the_ceiling(session: Session, workspace_id: UUID) -> None:
    """What may be spent has changed: streams that wait for that look whether it is enough."""
    session.execute(
        text(
            "UPDATE streams SET next_pull_at = least(next_pull_at, :now) FROM (SELECT id FROM streams WHERE workspace_id = :w"
            " AND status = 'active' AND waits_for = 'ceiling' ORDER BY id FOR UPDATE) AS chosen WHERE workspace_id = :w"
            " AND streams.id = chosen.id"
        ),
        {"w": workspace_id, "now": real_now()},
    )


def push_soon(session: Session, workspace_id: UUID, connection_id: UUID, at: datetime | None = None) -> None:
    """There is something to push to this CRM at `at` (real time; now, if not given)."""
    session.execute(
        text(
            "UPDATE connections SET next_push_at = least(next_push_at, :at) WHERE workspace_id = :w AND id = :c"
            " AND status IN ('active', 'leaving')"
        ),
        {"w": workspace_id, "c": connection_id, "at": at or real_now()},
    )
