"""What a workspace holds, counted; and whether anything is still under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from integrations.records import TaskState
from integrations.registry import providers
from service import speaking
from service.clock import business_now
from service.models import Connection
from service.runtime import Runtime
from service.sentences import count_of

_FIGURES = """
SELECT (SELECT count(DISTINCT (n.provider, n.host, e.native_id)) FROM engagements e JOIN connections n
          ON n.workspace_id = :w AND n.id = e.connection_id WHERE e.workspace_id = :w),
       (SELECT count(*) FROM authors WHERE workspace_id = :w),
       (SELECT count(DISTINCT author_id) FROM matches WHERE workspace_id = :w AND state = 'confirmed'),
       (SELECT count(DISTINCT author_id) FROM matches m WHERE workspace_id = :w AND state = 'suggested' AND NOT EXISTS (
          SELECT 1 FROM matches c WHERE c.workspace_id = :w AND c.author_id = m.author_id AND c.state = 'confirmed')),
       (SELECT count(*) FROM tasks WHERE workspace_id = :w AND kind = 'unanswered' AND state IN ('open', 'completed')),
       (SELECT count(*) FROM tasks WHERE workspace_id = :w AND kind = 'ready_for_call' AND state IN ('open', 'completed')),
       (SELECT count(*) FROM tasks WHERE workspace_id = :w AND wanted = 'open' AND state = 'absent' AND external_id IS NULL AND push_at IS NULL)
"""
_UNDER_WAY = """
SELECT EXISTS (SELECT 1 FROM streams WHERE workspace_id = :w AND status = 'active' AND first_done_at IS NULL)
    OR EXISTS (SELECT 1 FROM streams WHERE workspace_id = :w AND name = 'recheck' AND (next_pull_at <= now() OR lease_until > now()))
    OR EXISTS (SELECT 1 FROM connections WHERE workspace_id = :w AND status = 'active' AND kind = 'social' AND ready_at IS NULL)
    OR EXISTS (SELECT 1 FROM engagements WHERE workspace_id = :w AND parent_missing)
    OR EXISTS (SELECT 1 FROM authors WHERE workspace_id = :w AND match_due)
    OR EXISTS (SELECT 1 FROM conversations WHERE workspace_id = :w AND decide_at <= :now)
    OR EXISTS (SELECT 1 FROM relationships WHERE workspace_id = :w AND decide_at <= :now)
    OR EXISTS (SELECT 1 FROM workspace_schedule WHERE workspace_id = :w AND (decide_at <= :now OR lease_until > now()))
    OR EXISTS (SELECT 1 FROM tasks WHERE workspace_id = :w AND push_at <= :now AND crm_connection_id IS NOT NULL)
    OR EXISTS (SELECT 1 FROM connections WHERE workspace_id = :w AND push_lease_until > now())
"""


@dataclass(frozen=True)
class Figures:
    """Totals held."""

    pulled: int  # posts, each counted once however many accounts were served it
    authors: int
    matched: int  # authors with a confirmed contact
    suggested: int  # authors with suggestions only
    unanswered: int  # tasks that stand in the CRM
    ready_for_call: int
    held: int  # tasks that wait here

    def as_json(self) -> dict[str, Any]:
        return {
            "pulled": self.pulled, "authors": self.authors, "matched": self.matched, "suggested": self.suggested,
            "tasks": {"unanswered": self.unanswered, "ready_for_call": self.ready_for_call, "held": self.held},
        }  # fmt: skip

    def line(self) -> str:
        """For a person who watches."""
        return (
            f"{count_of(self.pulled, 'post')} pulled · {count_of(self.authors, 'author')}, {self.matched:,} matched · "
            f"{count_of(self.unanswered + self.ready_for_call, 'task')} in the CRM"
        )


def count(runtime: Runtime, workspace_id: UUID) -> Figures:
    with runtime.db.tenant(workspace_id) as session:
        return Figures(*session.execute(text(_FIGURES), {"w": workspace_id}).one())


def under_way(runtime: Runtime, workspace_id: UUID) -> bool:
    """Whether something is still to be pulled for the first time, decided or pushed."""
    with runtime.db.tenant(workspace_id) as session:
        return bool(session.execute(text(_UNDER_WAY), {"w": workspace_id, "now": business_now()}).scalar_one())


def troubles(runtime: Runtime, workspace_id: UUID) -> list[str]:
    """What keeps connections from being read or written, in the sentences that their pages show."""
    with runtime.db.tenant(workspace_id) as session:
        rows = session.execute(
            text(
                "SELECT DISTINCT n.handle || ': ' || s.error FROM streams s JOIN connections n ON n.workspace_id = :w AND n.id = s.connection_id"
                " WHERE s.workspace_id = :w AND s.error <> '' UNION SELECT n.handle || ': ' || n.push_error FROM connections n"
                " WHERE n.workspace_id = :w AND n.push_error <> ''"
            ),
            {"w": workspace_id},
        )
        return sorted(row[0] for row in rows)


def in_crm(runtime: Runtime, workspace_id: UUID) -> int:
    """How many of our tasks stand in the workspace's CRMs, counted by asking them."""
    with runtime.db.tenant(workspace_id) as session:
        connections = _crms(session, workspace_id)
    found: set[tuple[UUID, str]] = set()
    for row in connections:
        access, _ = speaking.access_of(runtime, row)
        for page in providers()[row.provider].client(access).pull("tasks", None):
            found |= {(row.id, item.id) for item in page.items if isinstance(item, TaskState)}
    return len(found)


def _crms(session: Session, workspace_id: UUID) -> list[Connection]:
    return list(
        session.scalars(
            select(Connection).where(
                Connection.workspace_id == workspace_id, Connection.kind == "crm", Connection.status == "active"
            )
        )
    )
