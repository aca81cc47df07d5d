"""A workspace with one account of a made-up network and one made-up CRM, real PostgreSQL and Valkey, and a clock that is
told what time it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from integrations.records import Activity, ActivityKind, Author, Contact, Direction, Engagement, Handle, Kind, Owner
from integrations.registry import providers
from service import connect, settings
from service.db import scheduler_engine
from service.models import Connection, Conversation, Relationship, Stream, Task
from service.runtime import Runtime
from service.settings import AROUND_THE_CLOCK
from service.store import claims, due
from tests.conftest import Member, make_member
from tests.fakes import crm as fake_crm
from tests.fakes import social as fake_social
from tests.fakes.crm import FakeCRM
from tests.fakes.social import FakeSocial
from workers import jobs

NOON = datetime(2026, 3, 12, 12, 0, tzinfo=UTC)  # a Thursday
ANA = Author("a1", "ana", "Ana Ferrer", url="https://social.example/ana")
BRAND = fake_social.ACCOUNT
VALUES: dict[str, Any] = {
    "hours": AROUND_THE_CLOCK,
    "patience": {"direct": 60, "question": 60, "other": 60},
    "daily_cap": None,
    "meeting_shield": False,
    "preview": False,
    "first_pull_days": 365,
}


@dataclass
class World:
    """Everything at hand; `run` lets the schedulers and workers do all that is due at `now`."""

    runtime: Runtime
    owner: Member
    social: FakeSocial
    crm: FakeCRM
    monkeypatch: pytest.MonkeyPatch
    now: datetime = NOON
    jobs_run: list[str] = field(default_factory=list)

    @property
    def workspace_id(self) -> UUID:
        return self.owner.workspace_id

    # --- what happens outside ---------------------------------------------------------------------------------

    def says(
        self, text: str, *, id: str, who: Author = ANA, ago: timedelta = timedelta(hours=3), to: str | None = None, stream: str = "mentions",
        kind: Kind = Kind.MENTION, thread: str | None = None, **fields: Any,
    ) -> Engagement:  # fmt: skip
        """A post of a customer's, `ago` before now, on a stream of the account."""
        post = Engagement(
            id=id, kind=kind, author=who, text=text, created_at=self.now - ago, url=f"https://social.example/{id}",
            thread=thread or to or id, in_reply_to=to, mentions=(BRAND.id,), **fields,
        )  # fmt: skip
        self.social.serve(stream, post)
        return post

    def answers(
        self,
        text: str,
        *,
        id: str,
        to: str,
        ago: timedelta = timedelta(hours=1),
        thread: str | None = None,
        whom: Author = ANA,
    ) -> Engagement:
        """A reply by the brand."""
        post = Engagement(
            id=id, kind=Kind.OWN, author=BRAND, text=text, created_at=self.now - ago, url=f"https://social.example/{id}", thread=thread or to,
            in_reply_to=to, in_reply_to_author=whom.id, mentions=(whom.id,),
        )  # fmt: skip
        self.social.serve("own", post)
        return post

    def knows(self, who: Author = ANA, *, id: str = "c1", owner: str | None = "o1", **fields: Any) -> Contact:
        """The CRM has this person, with the handle on file."""
        contact = Contact(
            id=id, name=who.name, first_name=who.name.split()[0], last_name=who.name.split()[-1], owner_id=owner,
            handles=(Handle("fakesocial", who.handle),), **fields,
        )  # fmt: skip
        self.crm.add(contact)
        return contact

    def logs(self, kind: ActivityKind, *, id: str, at: datetime, contact: str = "c1", **fields: Any) -> None:
        """Somebody logs a call, say, or puts a meeting into the calendar."""
        self.crm.add(
            Activity(id=id, kind=kind, at=at, contact_ids=(contact,), **{"direction": Direction.NONE, **fields})
        )

    def passes(self, time: timedelta) -> None:
        """Business time goes on."""
        self.now += time
        self.monkeypatch.setenv("WARMLINE_NOW", self.now.isoformat())

    def set(self, **values: Any) -> None:
        """Changes settings."""
        with self.runtime.db.tenant(self.workspace_id) as session:
            settings.change(
                session,
                self.workspace_id,
                {**settings.current(session, self.workspace_id).values, **values},
                by="system",
            )
            due.decide_everything(session, self.workspace_id)

    # --- what Warmline does -----------------------------------------------------------------------------------

    def look(self, *, streams: tuple[str, ...] = ()) -> None:
        """Makes every stream (or these) due, and runs."""
        with self.runtime.db.tenant(self.workspace_id) as session:
            for connection_id in session.scalars(select(Connection.id)):
                due.pull_soon(session, self.workspace_id, connection_id, streams)
        self.run()

    def claim(self) -> list[claims.Claim]:
        """One look of a scheduler."""
        with scheduler_engine(self.runtime.config.need("database_scheduler_url")).begin() as connection:
            return claims.claim(connection, self.now, 100)

    def run(self, *, at_most: int = 60) -> None:
        """Claims and works until nothing is due."""
        for _ in range(at_most):
            found = self.claim()
            if not found:
                return
            for each in found:
                self.work(each)
        raise AssertionError(f"still busy after {at_most} rounds: {self.jobs_run[-10:]}")

    def work(self, claim: claims.Claim) -> None:
        """Does one job, as a worker would."""
        self.jobs_run.append(claim.job)
        getattr(jobs, claim.job)(*map(str, claim.ids))

    # --- what came of it --------------------------------------------------------------------------------------

    def tasks(self, **where: Any) -> list[Task]:
        with self.runtime.db.tenant(self.workspace_id) as session:
            return list(session.scalars(select(Task).filter_by(**where).order_by(Task.since, Task.key)))

    def task(self, **where: Any) -> Task:
        [found] = self.tasks(**where)
        return found

    def in_crm(self, status: str = "open") -> list[str]:
        """Subjects of the CRM's tasks."""
        return sorted(task.subject for task in self.crm.tasks.values() if task.status == status)

    def connection(self, kind: str) -> Connection:
        with self.runtime.db.tenant(self.workspace_id) as session:
            return session.scalars(select(Connection).filter_by(kind=kind)).one()

    def stream(self, name: str) -> Stream:
        with self.runtime.db.tenant(self.workspace_id) as session:
            return session.scalars(select(Stream).filter_by(name=name)).one()

    def conversation(self) -> Conversation:
        with self.runtime.db.tenant(self.workspace_id) as session:
            return session.scalars(select(Conversation)).one()

    def relationship(self) -> Relationship:
        with self.runtime.db.tenant(self.workspace_id) as session:
            return session.scalars(select(Relationship).where(Relationship.contact_id.is_not(None))).one()

    def sql(self, statement: str, **params: Any) -> Any:
        with self.runtime.db.tenant(self.workspace_id) as session:
            result = session.execute(text(statement), {"w": self.workspace_id, **params})
            return result.all() if result.returns_rows else None


@pytest.fixture
def world(held: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    social, crm = FakeSocial(), FakeCRM()
    fakes = {each.key: each for each in (fake_social.manifest(social), fake_crm.manifest(crm))}
    monkeypatch.setattr(jobs, "runtime", lambda: held)
    monkeypatch.setenv("WARMLINE_NOW", NOON.isoformat())
    providers().update(fakes)
    crm.add(Owner("o1", "olga@acme.test", "Olga"))
    owner = make_member(held, "Acme", "olga@acme.test")
    made = World(held, owner, social, crm, monkeypatch)
    made.set(**VALUES)
    try:
        yield made
    finally:
        for key in fakes:
            providers().pop(key)
        scheduler_engine(held.config.need("database_scheduler_url")).dispose()


@pytest.fixture
def connected(world: World) -> World:
    """Both accounts are connected; nothing has been read yet."""
    for key in ("fakecrm", "fakesocial"):
        connect.connect_with_secret(world.runtime, world.owner.caller, key, None, {})
    return world


def edited(post: Engagement, text: str) -> Engagement:
    """The same post with another text."""
    return replace(post, text=text)
