"""Two brands of one workspace, each with an account on the network and a CRM."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from integrations.provider import Access, FormField
from integrations.records import (
    Author,
    Contact,
    Engagement,
    Handle,
    Kind,
    Owner,
)
from integrations.registry import providers
from service import connect
from service.models import Brand, Match
from service.models import Contact as ContactRow
from service.rules.model import MatchState
from service.runtime import Runtime
from service.store import acting, due, tending
from service.store.claims import Claim
from tests.conftest import make_member
from tests.fakes import crm as fake_crm
from tests.fakes import social as fake_social
from tests.fakes.crm import FakeCRM
from tests.fakes.social import FakeSocial
from tests.workers.given import NOON, VALUES
from tests.world import Work
from workers import jobs

BRANDS = ("acme", "rival")
BEN = Author("b1", "ben", "Ben Okafor", url="https://social.example/ben")
ANA = Author("a1", "ana", "Ana Ferrer", url="https://social.example/ana")


@dataclass(kw_only=True)
class House(Work):
    """Each brand has an account on the network; each CRM serves all brands, until a test says otherwise."""

    socials: dict[str, FakeSocial]
    crms: dict[str, FakeCRM]
    brands: dict[str, UUID]
    connections: dict[str, UUID]  # of the CRMs, by brand

    def asks(self, brand: str, *, id: str, who: Author = ANA) -> None:
        post = Engagement(
            id=id, kind=Kind.MENTION, author=who, text=f"@{brand} Do you ship to Porto?", created_at=self.now - timedelta(hours=3),
            url=f"https://social.example/{id}", thread=id, mentions=(account_of(brand).id,),
        )  # fmt: skip
        self.socials[brand].serve("mentions", post)

    def knows(self, brand: str, *, who: Author = ANA, id: str | None = None, **fields: str) -> None:
        """The brand's CRM has this person, with the handle on file."""
        first, last = who.name.split()
        self.crms[brand].add(
            Contact(
                id=id or f"{brand}-{who.id}", name=who.name, first_name=first, last_name=last, owner_id=f"{brand}-calls",
                handles=(Handle("fakesocial", who.handle),), **{"company": f"Known to {brand}", **fields},
            )  # type: ignore[arg-type]
        )  # fmt: skip

    def bind(self, brand: str, crm: str | None) -> None:
        with self.runtime.db.tenant(self.workspace_id) as session:
            where = self.connections[crm] if crm else None
            session.execute(update(Brand).where(Brand.id == self.brands[brand]).values(crm_connection_id=where))
            due.decide_everything(session, self.workspace_id)

    def stands(self, brand: str) -> list[str | None]:
        """The contacts of the open tasks in this CRM."""
        crm = self.crms[brand]
        return sorted((crm.contact_of[key] for key, task in crm.tasks.items() if task.status == "open"), key=str)

    def matches(self) -> dict[str, tuple[str, str]]:
        """State and who decided it, by the CRM's id of the contact."""
        with self.runtime.db.tenant(self.workspace_id) as session:
            rows = session.execute(
                select(ContactRow.native_id, Match.state, Match.decided_by).join(
                    Match, Match.contact_id == ContactRow.id
                )
            )
            return {native: (state, by) for native, state, by in rows}

    def match_of(self, contact: str) -> UUID:
        with self.runtime.db.tenant(self.workspace_id) as session:
            query = select(Match.id).join(ContactRow, ContactRow.id == Match.contact_id)
            return session.scalars(query.where(ContactRow.native_id == contact)).one()

    def decide(self, contact: str, state: MatchState) -> None:
        match = self.match_of(contact)
        with self.runtime.db.tenant(self.workspace_id) as session:
            acting.decide_match(session, self.workspace_id, match, state, by="user:olga")  # type: ignore[arg-type]


def account_of(brand: str) -> Author:
    return Author(f"account-{brand}", brand, brand.title(), url=f"https://social.example/{brand}")


@pytest.fixture
def house(held: Runtime, monkeypatch: pytest.MonkeyPatch) -> House:
    socials = {brand: FakeSocial(account=account_of(brand)) for brand in BRANDS}
    crms = {brand: FakeCRM(account=Author(f"crm-{brand}", f"{brand}.crm.example", brand.title())) for brand in BRANDS}
    form = (FormField("account", "Account"),)

    def network(access: Access) -> FakeSocial:
        return socials[access.credentials["account"]]

    social = replace(fake_social.manifest(FakeSocial()), client=network, form=form)
    crm = replace(fake_crm.manifest(FakeCRM()), client=lambda access: crms[access.credentials["account"]], form=form)
    for each in (social, crm):
        monkeypatch.setitem(providers(), each.key, each)
    monkeypatch.setattr(jobs, "runtime", lambda: held)
    monkeypatch.setenv("WARMLINE_NOW", NOON.isoformat())
    owner = make_member(held, "House", "olga@house.test")
    made = House(
        runtime=held, owner=owner, monkeypatch=monkeypatch, now=NOON, socials=socials, crms=crms, brands={}, connections={}
    )  # fmt: skip
    made.set(**VALUES)
    for brand in BRANDS:
        _connect(made, brand)
    return made


def _connect(house: House, brand: str) -> None:
    house.crms[brand].add(Owner(f"{brand}-answers", f"{brand}@people.test", brand.title()))
    house.crms[brand].add(Owner(f"{brand}-calls", f"calls-{brand}@people.test", f"{brand.title()} calls"))
    with house.runtime.db.tenant(house.workspace_id) as session:
        row = Brand(workspace_id=house.workspace_id, name=brand.title())
        session.add(row)
        session.flush()
        house.brands[brand] = row.id
    caller = house.owner.caller
    [crm] = connect.connect_with_secret(house.runtime, caller, "fakecrm", None, {"account": brand})
    [here] = connect.connect_with_secret(house.runtime, caller, "fakesocial", house.brands[brand], {"account": brand})
    house.connections[brand] = crm
    with house.runtime.db.tenant(house.workspace_id) as session:
        tending.set_responder(session, house.workspace_id, here, f"{brand}@people.test", by="system")


@dataclass
class Moved:
    """Rival's task about Ana, in the CRM that both shared; and how it stood there."""

    house: House
    key: str
    body: str

    def gives_away(self) -> None:
        """The CRM serves acme alone from now on."""
        brands = self.house.brands
        connect.connect_with_secret(
            self.house.runtime, self.house.owner.caller, "fakecrm", brands["acme"], {"account": "acme"}
        )

    def answers(self) -> None:
        us = account_of("rival")
        post = Engagement(
            id="answer", kind=Kind.OWN, author=us, text="We do", created_at=self.house.now - timedelta(hours=1), url="https://social.example/answer",
            thread="q1", in_reply_to="q1", in_reply_to_author=ANA.id, mentions=(ANA.id,),
        )  # fmt: skip
        self.house.socials["rival"].serve("own", post)

    def takes_back(self) -> None:
        """The answer is deleted on the network; what we have said ourselves is asked for again after six hours."""
        self.house.socials["rival"].delete("answer")
        self.house.sql("UPDATE engagements SET checked_at = checked_at - interval '7 hours'")

    def decides(self) -> list[Claim]:
        """Everything that is due is done but what is to be said to CRMs, and that is returned."""
        held: list[Claim] = []
        self.house.due()
        while found := self.house.claim():
            held += [each for each in found if each.job == "push"]
            for each in found:
                if each.job != "push":
                    self.house.work(each)
        return held

    def stands(self) -> tuple[str, str]:
        """Status and body of the task in the CRM that was given away."""
        task = self.house.crms["acme"].tasks[self.key]
        return task.status.value, task.body or ""
