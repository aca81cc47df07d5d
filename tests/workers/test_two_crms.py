"""Two brands with a CRM each, in one workspace: a person who is in both is, for each brand, the contact of its own CRM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from integrations.provider import Access, FormField
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
    PushOutcome,
    PushResult,
    TaskState,
)
from integrations.registry import providers
from service import connect, disconnecting
from service.db import scheduler_engine
from service.models import Brand, Match
from service.models import Contact as ContactRow
from service.rules.model import MatchState
from service.rules.redaction import EDITED, GONE
from service.runtime import Runtime
from service.store import acting, due, erasing, erasing_tasks, listing, people
from service.store.claims import Claim
from tests.conftest import make_member
from tests.fakes import crm as fake_crm
from tests.fakes import social as fake_social
from tests.fakes.crm import FakeCRM
from tests.fakes.social import FakeSocial
from tests.workers.conftest import NOON, VALUES
from tests.workers.test_our_own_words import row
from tests.world import Work
from workers import jobs, saying
from workers.settling import settled

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
def house(held: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
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
    yield made
    scheduler_engine(held.config.need("database_scheduler_url")).dispose()


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
        acting.set_responder(session, house.workspace_id, here, f"{brand}@people.test", by="system")


@pytest.fixture
def bound(house: House) -> House:
    """Each brand is bound to its CRM."""
    for brand in BRANDS:
        house.bind(brand, brand)
    return house


def test_whoever_both_know_is_each_ones_own_contact_and_each_ones_task_goes_to_its_own_crm(bound: House) -> None:
    for brand in BRANDS:
        bound.knows(brand)
        bound.asks(brand, id=f"q-{brand}")
    bound.look()

    assert bound.matches() == {"acme-a1": ("confirmed", "rules"), "rival-a1": ("confirmed", "rules")}
    for brand, other in (BRANDS, BRANDS[::-1]):
        assert bound.stands(brand) == [f"{brand}-a1"]
        written = " ".join(f"{task.subject} {task.body}" for task in bound.crms[brand].tasks.values())
        assert f"Known to {other}" not in written


def test_crms_that_serve_one_brand_each_do_the_same_without_being_bound(house: House) -> None:
    for brand in BRANDS:
        connect.connect_with_secret(
            house.runtime, house.owner.caller, "fakecrm", house.brands[brand], {"account": brand}
        )
        house.knows(brand)
        house.asks(brand, id=f"q-{brand}")
    house.look()

    assert [house.stands(brand) for brand in BRANDS] == [["acme-a1"], ["rival-a1"]]


def test_whom_only_the_other_brand_knows_is_a_stranger(bound: House) -> None:
    bound.knows("rival", company="Secret Ltd", title="Buyer")
    bound.asks("acme", id="q1")
    bound.look()

    assert bound.stands("acme") == [None]
    assert bound.stands("rival") == []
    [task] = bound.crms["acme"].tasks.values()
    assert "Secret Ltd" not in f"{task.subject} {task.body}"
    assert bound.task().contact_id is None


def test_a_call_that_one_brand_logs_ends_nobodys_wait_for_the_other(bound: House) -> None:
    for brand in BRANDS:
        bound.knows(brand)
        bound.asks(brand, id=f"q-{brand}")
    bound.look()
    bound.crms["acme"].add(
        Activity(id="call1", kind=ActivityKind.CALL, at=bound.now, contact_ids=("acme-a1",), direction=Direction.OUT)
    )
    bound.passes(timedelta(minutes=30))
    bound.look()

    assert [bound.stands(brand) for brand in BRANDS] == [[], ["rival-a1"]]


def test_a_brand_that_is_bound_to_none_takes_the_contact_of_the_crm_that_was_connected_first(house: House) -> None:
    for brand in BRANDS:
        house.knows(brand)
    house.asks("rival", id="q1")
    house.look()

    assert [house.stands(brand) for brand in BRANDS] == [["acme-a1"], []]


def test_what_a_person_decides_of_one_crm_leaves_the_other_as_it_is(bound: House) -> None:
    for brand in BRANDS:
        bound.knows(brand)
        bound.knows(brand, who=Author("a2", "ana_f", "Ana Ferrer"))
        bound.asks(brand, id=f"q-{brand}")
    bound.look()
    bound.decide("rival-a1", MatchState.CONFIRMED)
    bound.decide("acme-a2", MatchState.CONFIRMED)
    bound.run()

    mine = ("confirmed", "user:olga")
    assert bound.matches() == {"acme-a1": ("rejected", "user:olga"), "acme-a2": mine, "rival-a1": mine}
    assert [bound.stands(brand) for brand in BRANDS] == [["acme-a2"], ["rival-a1"]]

    with bound.runtime.db.tenant(bound.workspace_id) as session:
        acting.undo_match(session, bound.workspace_id, bound.match_of("acme-a2"), by="user:olga")
    bound.run()
    assert bound.matches()["acme-a1"] == ("confirmed", "rules")
    assert bound.matches()["rival-a1"] == mine
    assert [bound.stands(brand) for brand in BRANDS] == [["acme-a1"], ["rival-a1"]]


def test_a_handle_is_written_only_into_crms_of_brands_that_have_talked_to_its_owner(bound: House) -> None:
    bound.set(write_handles=True)
    for brand in BRANDS:
        bound.crms[brand].add(
            Contact(id=f"{brand}-a1", name=ANA.name, first_name="Ana", last_name="Ferrer", emails=("ana@ferrer.test",))
        )
    told = replace(ANA, bio="Write to ana@ferrer.test")
    bound.asks("acme", id="q1", who=told)
    bound.look()
    assert {state for state, _ in bound.matches().values()} == {"confirmed"}
    assert _written(bound) == {"acme": True, "rival": False}

    bound.asks("rival", id="q2", who=told)
    bound.look()
    assert _written(bound) == {"acme": True, "rival": True}


def _written(house: House) -> dict[str, bool]:
    return {brand: house.crms[brand].script.count("write_handles") > 0 for brand in BRANDS}


def test_a_brand_whose_crm_is_disconnected_writes_into_no_other(bound: House) -> None:
    bound.knows("rival")
    disconnecting.disconnect(bound.runtime, bound.owner.caller, bound.connections["acme"])
    bound.asks("acme", id="q1")
    bound.look()

    assert bound.crms["rival"].tasks == {}
    task = bound.task()
    assert task.held_reason == people.AWAY.reason
    assert (task.crm_connection_id, task.contact_id) == (None, None)


def test_a_crm_that_is_given_to_one_brand_takes_no_more_of_another(house: House) -> None:
    for who in (ANA, BEN):
        house.knows("acme", who=who)
    house.asks("rival", id="q1")
    house.look()
    [before] = house.crms["acme"].tasks.values()

    connect.connect_with_secret(house.runtime, house.owner.caller, "fakecrm", house.brands["acme"], {"account": "acme"})
    house.asks("rival", id="q2", who=BEN)
    old = house.socials["rival"].post("q1")
    house.socials["rival"].edit(replace(old, text="@rival Here is my new number"))
    house.look()
    # Nothing but that words of the old text are gone, as from any task.
    [after] = house.crms["acme"].tasks.values()
    clean = (before.body or "").replace(old.text, EDITED)
    assert clean != before.body
    assert after == replace(before, body=clean, updated_at=after.updated_at)
    assert house.stands("rival") == [None]


def test_a_conversation_is_listed_once_and_shows_its_brands_contact(bound: House) -> None:
    for brand in BRANDS:
        bound.knows(brand)
        bound.asks(brand, id=f"q-{brand}")
    bound.look()
    with bound.runtime.db.tenant(bound.workspace_id) as session:
        rows, _ = listing.conversations(session, bound.workspace_id)
        found, _ = listing.matches(session, bound.workspace_id, filters={"connection_id": bound.connections["rival"]})
    assert {(row["brand_id"], row["contact_company"]) for row in rows} == {
        (bound.brands[brand], f"Known to {brand}") for brand in BRANDS
    }
    assert len(rows) == 2
    assert [(row["contact_company"], row["crm_name"]) for row in found] == [("Known to rival", "Rival")]


# --- a CRM that was shared, and is given to one brand while the other has tasks there ----------------------------------


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


@pytest.fixture
def moved(house: House) -> Moved:
    house.knows("acme")
    house.asks("rival", id="q1")
    house.look()
    [(key, task)] = house.crms["acme"].tasks.items()
    return Moved(house, key, task.body or "")


def test_a_task_that_stays_there_closes_without_a_word_of_the_answer(moved: Moved) -> None:
    moved.gives_away()
    moved.answers()
    moved.house.look()
    assert moved.stands() == ("completed", moved.body)


@pytest.mark.parametrize("answered", [False, True], ids=["an edit", "an answer"])
def test_what_was_decided_before_and_not_said_yet_is_not_said_any_more(moved: Moved, answered: bool) -> None:
    if answered:
        moved.answers()
    else:
        moved.house.socials["rival"].edit(replace(moved.house.socials["rival"].post("q1"), text="@rival A new number?"))
    pushes = moved.decides()
    assert moved.house.task().content["body"] != moved.body
    moved.gives_away()
    for each in pushes:
        moved.house.work(each)
    assert moved.stands() == ("completed" if answered else "open", moved.body)
    moved.house.run()
    assert moved.stands() == ("completed" if answered else "open", moved.body)


def test_a_task_that_was_not_made_yet_goes_to_a_crm_of_its_own_brand(moved: Moved) -> None:
    moved.house.knows("acme", who=BEN)
    moved.house.asks("rival", id="q2", who=BEN)
    pushes = moved.decides()
    assert {task.crm_connection_id for task in moved.house.tasks()} == {moved.house.connections["acme"]}
    moved.gives_away()
    for each in pushes:
        moved.house.work(each)
    assert list(moved.house.crms["acme"].tasks) == [moved.key]
    moved.house.run()
    assert list(moved.house.crms["acme"].tasks) == [moved.key]
    assert moved.house.stands("rival") == [None]


def test_a_wait_that_opens_again_is_a_task_in_its_own_brands_crm(moved: Moved) -> None:
    acme, rival = (moved.house.crms[brand] for brand in BRANDS)
    acme.edit_as_person(moved.key, subject="Ours, by somebody at Acme")
    moved.answers()
    moved.house.look()
    status, body = moved.stands()
    assert (status, "https://social.example/answer" in body) == ("completed", True)
    moved.gives_away()
    moved.house.run()
    moved.takes_back()
    moved.house.look()
    assert moved.stands() == (status, body)
    assert moved.house.stands("rival") == [None]
    [task] = rival.tasks.values()
    assert "Acme" not in f"{task.subject} {task.body}"
    assert moved.house.task().edited == []


def test_a_wait_that_opens_again_before_its_end_was_said_leaves_the_task_as_it_was(moved: Moved) -> None:
    moved.answers()
    pushes = moved.decides()
    moved.gives_away()
    moved.takes_back()
    pushes += moved.decides()
    for each in pushes:
        moved.house.work(each)
    moved.house.run()
    assert moved.stands() == ("open", moved.body)


def test_words_that_are_deleted_at_their_source_go_from_a_task_that_stays_there(house: House) -> None:
    house.knows("acme")
    house.asks("rival", id="q1")
    more = replace(
        house.socials["rival"].post("q1"), id="q2", thread="q1", text="@rival To the Azores as well, all nine of them?"
    )
    house.socials["rival"].serve("mentions", replace(more, created_at=house.now - timedelta(hours=2)))
    house.look()
    [(key, task)] = house.crms["acme"].tasks.items()
    assert "all nine of them" in (task.body or "")

    Moved(house, key, "").gives_away()
    house.run()
    house.socials["rival"].delete("q2")
    house.sql("UPDATE engagements SET checked_at = checked_at - interval '2 hours'")
    house.look()
    task = house.crms["acme"].tasks[key]
    assert (task.status.value, "all nine of them" in (task.body or ""), GONE in (task.body or "")) == (
        "open",
        False,
        True,
    )


# --- a create that was never answered, when its CRM is given to another brand ----------------------------------------


def lose(house: House, *, work_done: bool) -> Moved:
    """Rival's task was sent to the CRM that both share and never answered; then that CRM is Acme's alone."""
    house.knows("acme")
    house.asks("rival", id="q1")
    house.crms["acme"].lose_answer(work_done=work_done)
    lost = Moved(house, "", "")
    for each in lost.decides():
        house.work(each)
    assert (house.task().state, len(house.crms["acme"].tasks)) == ("unknown", int(work_done))
    lost.gives_away()
    return lost


def settles(house: House) -> None:
    """Nothing that was sent can be on its way any more."""
    house.sql("UPDATE tasks SET maybe_sent_at = maybe_sent_at - interval '5 minutes'")
    house.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm'")
    house.run()


def left(house: House) -> tuple[str, str]:
    """Status of Acme's CRM, and the first line of its receipt."""
    [(status, receipt)] = house.sql(
        "SELECT status, receipt FROM connections WHERE id = :c", c=house.connections["acme"]
    )
    return status, (receipt["lines"] or [""])[0]


@pytest.mark.parametrize(
    ("work_done", "line"), [(True, "1 open task was withdrawn."), (False, "No task of ours stood there.")]
)
def test_what_may_stand_in_a_crm_that_is_left_is_sought_there_withdrawn_and_never_made(
    house: House, work_done: bool, line: str
) -> None:
    lose(house, work_done=work_done)
    assert disconnecting.purge(house.runtime, house.owner.caller, house.connections["acme"])
    house.run(at_most=10)  # it is not asked for again and again while a create may be on its way
    assert left(house) == ("leaving", "")
    settles(house)
    acme = house.crms["acme"]
    assert left(house) == ("disconnected", line)
    assert (acme.tasks, acme.tasks_ever_created) == ({}, int(work_done))


def test_what_may_stand_in_a_crm_that_is_left_stays_where_somebody_made_it_theirs(house: House) -> None:
    lose(house, work_done=True)
    [key] = house.crms["acme"].tasks
    house.crms["acme"].edit_as_person(key, subject="Ours, by somebody at Acme")
    assert disconnecting.purge(house.runtime, house.owner.caller, house.connections["acme"])
    settles(house)
    status, line = left(house)
    assert (status, line.partition(",")[0]) == ("disconnected", "1 task was left")
    assert list(house.crms["acme"].tasks) == [key]


@pytest.mark.parametrize("work_done", [True, False])
def test_what_may_stand_in_a_crm_that_was_given_away_is_done_without_a_word_of_the_answer_and_never_made(
    house: House, work_done: bool
) -> None:
    lost = lose(house, work_done=work_done)
    before = list(house.crms["acme"].tasks.values())
    lost.answers()
    house.look()
    settles(house)
    acme = house.crms["acme"]
    assert [(task.status, task.body) for task in acme.tasks.values()] == [("completed", task.body) for task in before]
    assert acme.tasks_ever_created == int(work_done)
    assert house.sql("SELECT pushed_at IS NOT NULL FROM tasks") == [(work_done,)]  # when it first stood there
    assert house.sql("SELECT count(*) FROM tasks WHERE push_at IS NOT NULL") == [(0,)]


def test_what_was_deleted_at_its_source_meanwhile_is_kept_nowhere_when_such_a_task_ends(
    house: House,
) -> None:
    lost = lose(house, work_done=True)
    old = house.socials["rival"].post("q1")
    house.socials["rival"].edit(replace(old, text="@rival Here is my new number"))
    house.look()
    lost.answers()
    house.look()
    settles(house)
    assert all(
        task.status == "completed" and old.text not in (task.body or "") for task in house.crms["acme"].tasks.values()
    )
    kept = str(house.sql("SELECT content, written, sent FROM tasks WHERE push_at IS NULL"))
    assert "Porto" not in kept


def test_what_was_deleted_at_its_source_meanwhile_is_kept_nowhere_when_such_a_task_is_withdrawn(house: House) -> None:
    lose(house, work_done=True)
    house.socials["rival"].delete("q1")
    house.sql("UPDATE engagements SET checked_at = checked_at - interval '7 hours'")
    house.look()
    assert house.task().wanted == "withdrawn"
    settles(house)
    task = house.task()
    assert (task.state, task.push_at, house.crms["acme"].tasks) == ("withdrawn", None, {})
    assert task.content["subject"]
    assert "Porto" not in str((task.content, task.written, task.sent))


@pytest.mark.parametrize("said_before", ["refused", "ticked off"])
def test_what_may_stand_in_a_crm_that_was_given_away_keeps_its_content_however_it_is_found(
    house: House, said_before: str
) -> None:
    lost = lose(house, work_done=True)
    [task_id] = house.crms["acme"].tasks
    task = house.task()
    content = task.content
    if said_before == "refused":
        house.crms["acme"].refuse(task.key, "No.")
        lost.answers()
    else:
        house.crms["acme"].complete_as_person(task_id)
        assert disconnecting.purge(house.runtime, house.owner.caller, house.connections["acme"])
    house.look()
    settles(house)
    task = house.task()
    assert (task.external_id, task.written, task.content) == (task_id, content, content)
    if said_before == "refused":
        assert task.parked_at is not None
        house.crms["acme"].take_after_all(task.key)
        with house.runtime.db.tenant(house.workspace_id) as session:
            acting.retry_task(session, house.workspace_id, task.id, by="user:olga")
        house.run()
        assert (house.task().state, house.task().content) == ("completed", content)
        assert house.crms["acme"].tasks[task_id].status == "completed"


@pytest.mark.parametrize("work_done", [True, False])
def test_what_may_stand_of_somebody_who_is_erased_is_written_over_before_it_goes_and_never_made(
    house: House, work_done: bool
) -> None:
    lose(house, work_done=work_done)
    before = [task.body or "" for task in house.crms["acme"].tasks.values()]
    [(ana,)] = house.sql("SELECT id FROM authors WHERE handle = 'ana'")
    with house.runtime.db.tenant(house.workspace_id) as session:
        assert erasing.begin(session, house.workspace_id, ana, by="user:olga")
    house.run()
    settles(house)
    settles(house)
    acme = house.crms["acme"]
    task = house.task()
    assert (acme.tasks, acme.tasks_ever_created) == ({}, int(work_done))
    assert (task.wanted, task.state, task.push_at) == ("withdrawn", "withdrawn", None)
    assert "Porto" not in str((task.content, task.written, task.sent))
    bodies = [state.body for state in acme._log["tasks"] if isinstance(state, TaskState)]
    assert bodies == [*before, *[erasing_tasks.SUBJECT] * work_done]


def test_what_was_refused_of_somebody_who_is_erased_is_written_over_when_the_crm_takes_it_after_all() -> None:
    erased = row(state="unknown", wanted="withdrawn", maybe_sent_at=NOON, erased_at=NOON, only_sought=True)
    refused = settled(erased, PushResult(erased.key, PushOutcome.REFUSED, "t1"), NOON, NOON)
    assert (refused.external_id, refused.written) == ("t1", {})
    next_said = saying.as_task(replace(erased, external_id="t1", written=refused.written))
    assert next_said is not None
    assert next_said.subject == erased.content["subject"]
