"""A workspace with one account of a made-up network and one made-up CRM, real PostgreSQL and Valkey, and a clock that is
told what time it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from integrations.records import Activity, ActivityKind, Author, Contact, Direction, Engagement, Handle, Kind, Owner
from integrations.registry import providers
from service import connect
from service.models import Conversation, Relationship
from service.runtime import Runtime
from service.store import due
from tests.conftest import make_member
from tests.fakes import crm as fake_crm
from tests.fakes import social as fake_social
from tests.fakes.crm import FakeCRM
from tests.fakes.social import FakeSocial
from tests.workers.given import NOON, VALUES
from tests.workers.house import house as house
from tests.workers.leaving import next_crm as next_crm
from tests.workers.paying import clock as clock
from tests.workers.paying import paying as paying
from tests.workers.releases import asked as asked
from tests.workers.releases import undone as undone
from tests.world import Work
from workers import jobs

ANA = Author("a1", "ana", "Ana Ferrer", url="https://social.example/ana")
BRAND = fake_social.ACCOUNT
# A push that takes its time in some other worker, and one that is over.
PUSHES_ELSEWHERE = "UPDATE connections SET push_lease_id = gen_random_uuid(), push_lease_until = now() + interval '1 hour' WHERE kind = 'crm'"
PUSHES_NO_MORE = (
    "UPDATE connections SET push_lease_id = NULL, push_lease_until = NULL, next_push_at = now() WHERE kind = 'crm'"
)


@dataclass(kw_only=True)
class World(Work):
    """Everything at hand."""

    social: FakeSocial
    crm: FakeCRM

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

    # --- what came of it --------------------------------------------------------------------------------------

    def in_crm(self, status: str = "open") -> list[str]:
        """Subjects of the CRM's tasks."""
        return sorted(task.subject for task in self.crm.tasks.values() if task.status == status)

    def conversation(self) -> Conversation:
        with self.runtime.db.tenant(self.workspace_id) as session:
            return session.scalars(select(Conversation)).one()

    def relationship(self) -> Relationship:
        with self.runtime.db.tenant(self.workspace_id) as session:
            return session.scalars(select(Relationship).where(Relationship.contact_id.is_not(None))).one()


@pytest.fixture
def world(held: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    social, crm = FakeSocial(), FakeCRM()
    fakes = {each.key: each for each in (fake_social.manifest(social), fake_crm.manifest(crm))}
    monkeypatch.setattr(jobs, "runtime", lambda: held)
    monkeypatch.setenv("WARMLINE_NOW", NOON.isoformat())
    providers().update(fakes)
    crm.add(Owner("o1", "olga@acme.test", "Olga"))
    owner = make_member(held, "Acme", "olga@acme.test")
    made = World(runtime=held, owner=owner, monkeypatch=monkeypatch, now=NOON, social=social, crm=crm)
    made.set(**VALUES)
    try:
        yield made
    finally:
        for key in fakes:
            providers().pop(key)


@pytest.fixture
def connected(world: World) -> World:
    """Both accounts are connected; nothing has been read yet."""
    for key in ("fakecrm", "fakesocial"):
        connect.connect_with_secret(world.runtime, world.owner.caller, key, None, {})
    return world


def edited(post: Engagement, text: str) -> Engagement:
    """The same post with another text."""
    return replace(post, text=text)


def clock_goes_back(world: World) -> None:
    """To before what was said, so that it is out of sight: its tasks are to be withdrawn, and that is not said yet."""
    world.passes(timedelta(hours=-6))
    with world.runtime.db.tenant(world.workspace_id) as session:
        due.decide_everything(session, world.workspace_id)
    for claim in world.claim():
        world.work(claim)
