"""What a person decides, each in a transaction of its own, and what tests look at afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update

from service.models import (
    Audit,
    Author,
    Connection,
    Conversation,
    Relationship,
    Stream,
    WorkspaceSchedule,
)
from service.store import acting, ruling, tending
from tests.service.rows import Rows

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
BY = f"user:{uuid4()}"


class Acts:
    """Calls an action in a transaction of its own."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def __getattr__(self, name: str) -> Any:
        def act(*args: Any, **kwargs: Any) -> Any:
            with self.rows.db.tenant(self.rows.workspace_id) as session:
                module = next(each for each in (acting, tending, ruling) if hasattr(each, name))
                return getattr(module, name)(session, self.rows.workspace_id, *args, **kwargs)

        return act


def audits(rows: Rows) -> list[tuple[str, str, str]]:
    with rows.db.tenant(rows.workspace_id) as session:
        found = session.scalars(select(Audit).where(Audit.action.not_like("signin.%")).order_by(Audit.number))
        return [(row.actor, row.action, row.subject) for row in found]


def settle(rows: Rows) -> None:
    """Nothing is due any more."""
    with rows.db.tenant(rows.workspace_id) as session:
        for model in (Conversation, Relationship, WorkspaceSchedule):
            session.execute(update(model).values(decide_at=None))
        session.execute(update(Author).values(match_due=False))
        session.execute(update(Stream).values(next_pull_at=None))
        session.execute(update(Connection).values(next_push_at=None))


def schedule(rows: Rows) -> datetime | None:
    with rows.db.tenant(rows.workspace_id) as session:
        return session.scalar(select(WorkspaceSchedule.decide_at))


class Pair:
    """An author with a conversation, two contacts who may be that author, each with a relationship."""

    def __init__(self, rows: Rows) -> None:
        social, crm = rows.connection(), rows.connection(provider="fakecrm", kind="crm", brand=False)
        self.author = rows.author("ada")
        self.conversation = rows.conversation(social, self.author)
        self.first, self.second = rows.contact(crm, "Ada"), rows.contact(crm, "Ada Byron")
        self.of_first = rows.relationship(f"contact:{self.first}", contact_id=self.first)
        self.of_second = rows.relationship(f"contact:{self.second}", contact_id=self.second)
        self.of_author = rows.relationship(f"author:{self.author}", author_id=self.author)
        self.bystander = rows.conversation(social, rows.author("bob"), thread="t2")
        settle(rows)


class Waiting:
    """Ada waits, and a task says so."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.crm = rows.connection(provider="fakecrm", kind="crm", brand=False)
        self.author = rows.author("ada")
        self.last = NOW - timedelta(hours=1)
        self.conversation = rows.conversation(rows.connection(), self.author, last_post_at=self.last)
        self.relationship = rows.relationship(f"author:{self.author}", author_id=self.author)

    def task(self, **values: Any) -> UUID:
        made = self.rows.task(**{"crm": self.crm, "author": self.author, "conversation": self.conversation, **values})
        settle(self.rows)
        return made
