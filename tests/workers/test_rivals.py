"""Two rival brands in one workspace, with the same people talking to both: to each of them it is as if the other were not there.

The same three hundred interactions happen three times: to a workspace with both brands, and to two workspaces with one of them
each. What each brand's CRM holds, what is held back, and what was spent must be the same together as alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import select, update

from integrations.provider import Access, FormField, Price
from integrations.records import (
    Activity,
    ActivityKind,
    Author,
    Contact,
    Direction,
    Engagement,
    Handle,
    Kind,
    Owner,
    TaskStatus,
)
from integrations.registry import providers
from service import connect
from service.models import Brand, Connection
from service.runtime import Runtime
from service.store import tending
from service.store.claims import Claim
from tests.conftest import make_member
from tests.fakes import crm as fake_crm
from tests.fakes import social as fake_social
from tests.fakes.crm import FakeCRM
from tests.fakes.social import FakeSocial
from tests.workers.conftest import NOON, VALUES
from tests.workers.house import BRANDS, account_of
from tests.world import Work
from workers import jobs

OTHER = {"acme": "rival", "rival": "acme"}
NAMES = (
    "Ana Ferrer", "Bruno Haas", "Carla Nyman", "Dario Okoye", "Edda Quist", "Farid Lund", "Greta Moss", "Hugo Tanaka", "Ines Vogel", "Jonas Reyes",
    "Kaja Wolff", "Luis Prado", "Mona Adler", "Nils Castro",
)  # fmt: skip
PEOPLE = [Author(f"p{n}", name.lower().replace(" ", "_"), name) for n, name in enumerate(NAMES)]
INTERACTIONS = 300
STEP = timedelta(minutes=17)
ASKS = "@{brand} Do you ship {token} to Porto?"
OF_OURS = re.compile(r"/t/[\w-]+")  # the signed link in a task, which holds ids


@dataclass
class Side:
    """One brand in one workspace: its account on the network and its CRM."""

    brand: str
    social: FakeSocial
    crm: FakeCRM

    def in_crm(self) -> list[tuple[Any, ...]]:
        """What the brand's CRM holds, but for ids."""
        return sorted(
            (task.status.value, task.subject, OF_OURS.sub("", task.body or ""), str(task.owner_id), str(task.due_at), str(self.crm.contact_of.get(key)))
            for key, task in self.crm.tasks.items()
        )  # fmt: skip


@dataclass
class Place:
    """A workspace, and the brands in it."""

    work: Work
    sides: dict[str, Side]

    def decided(self, brand: str) -> list[tuple[Any, ...]]:
        """What was decided for this brand, held tasks among it, but for ids."""
        return sorted(map(tuple, self.work.sql(_DECIDED, brand=brand.title())))

    def spent(self, brand: str) -> int:
        [(micros,)] = self.work.sql(_SPENT, brand=brand.title())
        return int(micros or 0)


_DECIDED = """
SELECT t.kind, t.wanted, t.state, t.urgency, t.held_reason, t.close_reason, t.reasons::text, t.content->>'subject', a.handle
FROM tasks t JOIN brands b ON b.workspace_id = t.workspace_id AND b.id = t.brand_id
LEFT JOIN authors a ON a.workspace_id = t.workspace_id AND a.id = t.author_id WHERE t.workspace_id = :w AND b.name = :brand
"""
_SPENT = """
SELECT sum(s.micros) FROM spend s JOIN connections n ON n.workspace_id = s.workspace_id AND n.id = s.connection_id
JOIN brands b ON b.workspace_id = n.workspace_id AND b.id = n.brand_id WHERE s.workspace_id = :w AND b.name = :brand
"""


@dataclass
class Stage:
    """Three workspaces to which the same things happen."""

    together: Place
    alone: dict[str, Place]
    now: datetime = NOON
    told: list[tuple[str, Engagement]] = field(default_factory=list)  # (to which brand, what), by people
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def places(self) -> list[Place]:
        return [self.together, *self.alone.values()]

    def sides(self, brand: str) -> list[Side]:
        return [self.together.sides[brand], self.alone[brand].sides[brand]]

    def post(self, author: Author, text: str, kind: Kind, **fields: Any) -> Engagement:
        id_ = f"post{next(self.numbers)}"
        return Engagement(
            id=id_, kind=kind, author=author, text=text, created_at=self.now, url=f"https://social.example/{id_}",
            thread=fields.pop("thread", id_), **fields,
        )  # fmt: skip

    def serve(self, brand: str, stream: str, post: Engagement) -> None:
        for side in self.sides(brand):
            side.social.serve(stream, post)

    # --- what happens -------------------------------------------------------------------------------------------

    def asks_one(self, dice: random.Random) -> None:
        """Somebody asks one of the two."""
        brand, who = dice.choice(BRANDS), dice.choice(PEOPLE)
        text = ASKS.format(brand=brand, token=token(brand, next(self.numbers)))
        post = self.post(who, text, Kind.MENTION, mentions=(account_of(brand).id,))
        self.serve(brand, "mentions", post)
        self.told.append((brand, post))

    def asks_both(self, dice: random.Random) -> None:
        """One post for both: each has it in its own stream."""
        post = self.post(
            dice.choice(PEOPLE), "@acme @rival Which of you ships to Faro?", Kind.MENTION, mentions=tuple(account_of(each).id for each in BRANDS)
        )  # fmt: skip
        for brand in BRANDS:
            self.serve(brand, "mentions", post)
            self.told.append((brand, post))

    def answers(self, dice: random.Random) -> None:
        """A brand answers somebody; the rival sees it where it was asked as well."""
        if not self.told:
            return
        brand, asked = dice.choice(self.told[-12:])
        self._answer(brand, asked)

    def _answer(self, brand: str, asked: Engagement) -> None:
        both = any(each == (OTHER[brand], asked) for each in self.told)
        mentions = (asked.author.id, *([account_of(OTHER[brand]).id] if both else []))
        # What stands in a talk with both is for both to read: the rival's account is a stranger there like any other.
        word = "certainly" if both else token(brand, next(self.numbers))
        text = f"@{asked.author.handle} We do, {word}."
        post = self.post(
            account_of(brand), text, Kind.OWN, thread=asked.thread, in_reply_to=asked.id, in_reply_to_author=asked.author.id, mentions=mentions
        )  # fmt: skip
        self.serve(brand, "own", post)
        if both:
            self.serve(OTHER[brand], "mentions", structs.replace(post, kind=Kind.REPLY))

    def writes_privately(self, dice: random.Random) -> None:
        """A brand answers in a message that only the two see."""
        brand, who = dice.choice(BRANDS), dice.choice(PEOPLE)
        text = f"Here is how, {token(brand, next(self.numbers))}."
        post = self.post(
            account_of(brand), text, Kind.DIRECT, thread=f"private-{brand}-{who.id}", in_reply_to_author=who.id
        )
        self.serve(brand, "own", post)

    def logs_a_call(self, dice: random.Random) -> None:
        """Somebody of one brand calls a person whom its CRM knows."""
        brand = dice.choice(BRANDS)
        who = dice.choice(known_to(brand))
        for side in self.sides(brand):
            side.crm.add(
                Activity(
                    id=f"call{next(self.numbers)}", kind=ActivityKind.CALL, at=self.now, contact_ids=(f"{brand}-{who.id}",), direction=Direction.NONE
                )
            )  # fmt: skip

    def ticks_off(self, dice: random.Random) -> None:
        """Somebody of one brand ticks a task off in its CRM."""
        brand = dice.choice(BRANDS)
        subjects = sorted(
            task.subject for task in self.together.sides[brand].crm.tasks.values() if task.status == TaskStatus.OPEN
        )
        if not subjects:
            return
        chosen = dice.choice(subjects)
        for side in self.sides(brand):
            for id_, task in list(side.crm.tasks.items()):
                if task.subject == chosen and task.status == TaskStatus.OPEN:
                    side.crm.complete_as_person(id_)
                    break

    def work(self) -> None:
        """Everything that is due is done, in all three."""
        for place in self.places:
            place.work.now = self.now
            place.work.passes(timedelta(0))
            place.work.due()
        self._until_nothing_is_due()

    def _until_nothing_is_due(self) -> None:
        """What is read before anything is decided is chance: a scheduler hands out a share of what is due. Here it is all of it, so that the
        three can be compared."""
        work, behind = self.together.work, list[Claim]()
        for _ in range(400):
            found = work.claim()
            pulls = [each for each in found if each.job == "pull"]
            behind += [each for each in found if each.job != "pull"]
            if not pulls and not behind:
                return
            for each in pulls or behind:
                work.work(each)
            behind = behind if pulls else []
        raise AssertionError("still busy")


def token(brand: str, number: int) -> str:
    """A word that belongs to one brand alone."""
    return f"{brand}word{number}"


def known_to(brand: str) -> list[Author]:
    """Whom this brand's CRM knows: some people are known to one of the two, some to both, some to none."""
    return PEOPLE[:7] if brand == "acme" else PEOPLE[4:11]


EVENTS = (
    *[Stage.asks_one] * 9, *[Stage.asks_both] * 2, *[Stage.answers] * 6, Stage.writes_privately, Stage.logs_a_call, Stage.ticks_off,
)  # fmt: skip


@pytest.fixture
def stage(held: Runtime, monkeypatch: pytest.MonkeyPatch) -> Stage:
    networks: dict[str, FakeSocial] = {}
    crms: dict[str, FakeCRM] = {}
    form = (FormField("account", "Account"),)

    def network(access: Access) -> FakeSocial:
        found = networks[access.credentials["account"]]
        found.meter = access.meter
        return found

    social = replace(
        fake_social.manifest(FakeSocial(), prices=(Price("post", 0.005, "a test"),)), client=network, form=form
    )
    crm = replace(fake_crm.manifest(FakeCRM()), client=lambda access: crms[access.credentials["account"]], form=form)
    for each in (social, crm):
        monkeypatch.setitem(providers(), each.key, each)
    monkeypatch.setattr(jobs, "runtime", lambda: held)
    monkeypatch.setenv("WARMLINE_NOW", NOON.isoformat())

    def place(name: str, *brands: str) -> Place:
        owner = make_member(held, name, f"owner@{name}.test")
        made = Place(Work(runtime=held, owner=owner, monkeypatch=monkeypatch, now=NOON), {})
        made.work.set(**{**VALUES, "daily_cap": 4, "monthly_ceiling": None})
        for brand in brands:
            account = f"{name}-{brand}"
            networks[account] = FakeSocial(account=account_of(brand))
            crms[account] = FakeCRM(account=Author(f"crm-{brand}", f"{brand}.crm.example", brand.title()))
            made.sides[brand] = Side(brand, networks[account], crms[account])
            _connect(made, brand, account)
        return made

    return Stage(place("both", *BRANDS), {brand: place(brand, brand) for brand in BRANDS})


def _connect(place: Place, brand: str, account: str) -> None:
    """The brand with its network account, its CRM, its responder, and whom that CRM knows."""
    work, email = place.work, f"{brand}@people.test"
    crm = place.sides[brand].crm
    crm.add(Owner("answers", email, brand.title()), Owner("calls", f"calls-{email}", f"{brand.title()} calls"))
    for who in known_to(brand):
        crm.add(
            Contact(
                id=f"{brand}-{who.id}", name=who.name, first_name=who.name.split()[0], last_name=who.name.split()[1], owner_id="calls",
                company=f"Known to {brand}", handles=(Handle("fakesocial", who.handle),),
            )
        )  # fmt: skip
    with work.runtime.db.tenant(work.workspace_id) as session:
        row = Brand(workspace_id=work.workspace_id, name=brand.title())
        session.add(row)
        session.flush()
        brand_id = row.id
    caller = work.owner.caller
    [there] = connect.connect_with_secret(work.runtime, caller, "fakecrm", brand_id, {"account": account})
    [here] = connect.connect_with_secret(work.runtime, caller, "fakesocial", brand_id, {"account": account})
    with work.runtime.db.tenant(work.workspace_id) as session:
        session.execute(update(Brand).where(Brand.id == brand_id).values(crm_connection_id=there))
        tending.set_responder(session, work.workspace_id, here, email, by="system")


def test_each_of_two_rivals_is_as_if_the_other_were_not_there(stage: Stage) -> None:
    happens(stage, INTERACTIONS, every=50)

    for brand in BRANDS:
        together, alone = stage.sides(brand)
        assert len(alone.in_crm()) > 10
        assert together.in_crm() == alone.in_crm()
        assert stage.together.decided(brand) == stage.alone[brand].decided(brand)
        # A post that both are served is bought once, so each may have less to pay, never more.
        assert 0 < stage.together.spent(brand) <= stage.alone[brand].spent(brand)
        written = str(together.in_crm()) + str(together.crm.contact_of)
        for foreign in (
            f"{OTHER[brand]}word",
            f"Known to {OTHER[brand]}",
            f"{OTHER[brand]}@people.test",
            f"{OTHER[brand]}-p",
        ):
            assert foreign not in written


def test_a_rival_that_may_spend_nothing_more_stops_nobody_else(stage: Stage) -> None:
    work = stage.together.work
    with work.runtime.db.tenant(work.workspace_id) as session:
        row = session.scalars(select(Connection).filter_by(kind="social", account_id=account_of("rival").id)).one()
        tending.set_ceiling(session, work.workspace_id, row.id, 0, by="system")

    happens(stage, 60, every=20)

    assert stage.together.spent("rival") == 0
    assert stage.together.sides["rival"].in_crm() == []
    together, alone = stage.sides("acme")
    assert len(alone.in_crm()) > 2
    assert together.in_crm() == alone.in_crm()
    assert stage.together.spent("acme") == stage.alone["acme"].spent("acme") > 0


def happens(stage: Stage, interactions: int, *, every: int) -> None:
    """So many interactions, always the same ones; the workers come after each `every` of them."""
    dice = random.Random(20)
    for number in range(1, interactions + 1):
        stage.now += STEP
        dice.choice(EVENTS)(stage, dice)
        if number % every == 0:
            stage.work()
    stage.now += timedelta(hours=3)
    stage.work()
