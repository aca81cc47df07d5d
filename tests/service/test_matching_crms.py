"""Several CRMs in one workspace: each is matched by itself, so that being in two of them makes nobody their own namesake."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from integrations.records import Author, Contact
from service.db import raw
from service.models import Contact as Row
from service.models import KeyCount, Match
from service.rules.matching import FEW, PER_KEY, author_keys, commonness, match, weigh
from service.rules.model import Candidate, KnownAuthor
from service.runtime import Runtime
from service.store import mirroring, terms
from service.store.candidates import Gathered, counted, near, sifted
from service.store.matching import match_due
from tests.conftest import Member
from tests.service.rows import Rows

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
QUILLON = Contact(
    "q", "Quillon Vesterby", "Quillon", "Vesterby", company="Tidewater Looms", city="Esbjerg", emails=("q@looms.test",)
)


class Crowd:
    """Two CRMs of three hundred people each; the same people, if `same`."""

    def __init__(self, rows: Rows, *, same: bool) -> None:
        self.rows = rows
        self.crms = [rows.connection(provider="fakecrm", kind="crm", brand=False) for _ in range(2)]
        for number, crm in enumerate(self.crms):
            others = [
                Contact(str(each), f"Given{each} {mark}{each}", f"Given{each}", f"{mark}{each}")
                for each in range(300)
                for mark in [("Family", "Name")[0 if same else number]]
            ]
            with rows.db.tenant(rows.workspace_id) as session:
                mirroring.save_contacts(session, rows.workspace_id, crm, [*others, QUILLON])

    def states(self, author: UUID) -> list[tuple[UUID, str, str]]:
        with self.rows.db.tenant(self.rows.workspace_id) as session:
            match_due(session, self.rows.workspace_id, 10)
            found = session.execute(
                select(Match.connection_id, Row.native_id, Match.state)
                .join(Row, Row.id == Match.contact_id)
                .where(Match.author_id == author)
                .order_by(Match.connection_id)
            )
            return [(crm, native, state) for crm, native, state in found]


def gathered(session: Session, workspace_id: UUID, authors: dict[UUID, KnownAuthor]) -> Gathered:
    keys = {author_id: author_keys(who) for author_id, who in authors.items()}
    by = terms.read(raw(session), workspace_id, ())
    return counted(
        raw(session), workspace_id, sifted(near(raw(session), workspace_id, authors, keys, by.crms)), by.share
    )


@pytest.fixture
def crowd(held: Runtime, owner: Member) -> Crowd:
    return Crowd(Rows(held.db, owner.workspace_id, NOW), same=True)


@pytest.mark.parametrize(
    "profile",
    [
        {"name": "Quillon Vesterby", "bio": "Tidewater Looms, Esbjerg", "location": "Esbjerg"},
        {"name": "Quillon", "bio": "Write to q@looms.test"},
    ],
    ids=["by name and place", "by an address"],
)
def test_whoever_stands_in_two_crms_is_confirmed_in_each(crowd: Crowd, profile: dict[str, str]) -> None:
    author = crowd.rows.author("quillon_v", match_due=True, **profile)
    assert crowd.states(author) == [(crm, "q", "confirmed") for crm in sorted(crowd.crms)]


def test_only_one_contact_of_a_crm_may_be_confirmed_and_one_of_each_may(crowd: Crowd) -> None:
    author = crowd.rows.author("somebody", match_due=False)
    first, second, elsewhere = (
        crowd.rows.contact(crm, name)
        for crm, name in zip((crowd.crms[0], crowd.crms[0], crowd.crms[1]), "abc", strict=True)
    )
    crowd.rows.match(author, first, state="confirmed")
    crowd.rows.match(author, elsewhere, state="confirmed")
    with pytest.raises(IntegrityError, match="uq_matches_confirmed"):
        crowd.rows.match(author, second, state="confirmed")


def test_an_author_is_as_likely_to_be_a_given_contact_however_many_crms_there_are(held: Runtime, owner: Member) -> None:
    """The prior of one contact: what is learnt of all authors, spread over all contacts."""
    crowd = Crowd(Rows(held.db, owner.workspace_id, NOW), same=False)
    who = KnownAuthor("fakesocial", Author("1", "quillon", "Quillon Vesterby"))
    key = UUID(int=1)
    with crowd.rows.db.tenant(crowd.rows.workspace_id) as session:
        found = gathered(session, crowd.rows.workspace_id, {key: who})
    assert sorted(found.commonness) == sorted(crowd.crms)
    assert [each.contacts for each in found.commonness.values()] == [301, 301]
    whole = 602 / (0.35 * 602 / 1602)
    assert [each.reach for each in found.commonness.values()] == pytest.approx([whole, whole])
    assert [each.others("n:quillon vesterby") for each in found.commonness.values()] == [0, 0]
    assert [each.others("e:q@looms.test") for each in found.commonness.values()] == [0, 0]


@pytest.mark.parametrize("crms", [2, 5], ids=["two CRMs", "more than are looked through at once"])
def test_however_many_of_a_name_one_crm_has_they_hide_nobody_in_another(
    held: Runtime, owner: Member, crms: int
) -> None:
    """Of more than fifty under one key, and of more than ten under weak keys, nobody is looked at."""
    rows = Rows(held.db, owner.workspace_id, NOW)
    crowded, quiet, *_ = (rows.connection(provider="fakecrm", kind="crm", brand=False) for _ in range(crms))
    theirs = [Contact(f"t{n}", "John Smith", "John", "Smith") for n in range(60)]
    theirs += [Contact(f"w{n}", f"Given{n} Vesterby", f"Given{n}", "Vesterby") for n in range(20)]
    ours = [
        Contact("smith", "John Smith", "John", "Smith"),
        Contact("vesterby", "Quirin Vesterby", "Quirin", "Vesterby"),
    ]
    with rows.db.tenant(rows.workspace_id) as session:
        for crm, some in ((crowded, theirs), (quiet, ours)):
            mirroring.save_contacts(session, rows.workspace_id, crm, some)
    found = {}
    for name in ("John Smith", "Q. Vesterby"):
        who, key = KnownAuthor("fakesocial", Author("1", "somebody", name)), UUID(int=1)
        with rows.db.tenant(rows.workspace_id) as session:
            crms = terms.read(raw(session), rows.workspace_id, ()).crms
            got = near(raw(session), rows.workspace_id, {key: who}, {key: author_keys(who)}, crms)
        looked_at = [got.contacts[each] for each in got.chosen[key]]
        names = [each.candidate.contact.name for each in looked_at if each.crm == quiet]
        found[name] = names, sum(each.crm == crowded for each in looked_at)
    assert found == {"John Smith": (["John Smith"], 0), "Q. Vesterby": (["Quirin Vesterby"], FEW)}


def test_how_common_names_are_does_not_depend_on_who_is_looked_up_at_the_same_time(
    held: Runtime, owner: Member
) -> None:
    """Of a name that very many share, as many as are looked at are found: that is no count of it."""
    rows = Rows(held.db, owner.workspace_id, NOW)
    crm = rows.connection(provider="fakecrm", kind="crm", brand=False)
    smiths = [Contact(str(each), "John Smith", "John", "Smith") for each in range(PER_KEY + 10)]
    people = {
        UUID(int=number): KnownAuthor("fakesocial", Author(str(number), handle, name))
        for number, (handle, name) in enumerate([("adal", "Ada Lovelace"), ("john", "John Smith")])
    }
    with rows.db.tenant(rows.workspace_id) as session:
        mirroring.save_contacts(
            session, rows.workspace_id, crm, [*smiths, Contact("ada", "Ada Lovelace", "Ada", "Lovelace")]
        )
        found = [
            gathered(session, rows.workspace_id, {each: people[each] for each in ids}).commonness[crm].counts
            for ids in (list(people)[:1], people)
        ]
    alone, together = [{key: number for key, number in each.items() if key[0] == "n"} for each in found]
    assert together == alone != {}


@pytest.mark.parametrize(
    ("name", "handle"),
    [("John Smith", "jsmith"), ("Jon Smith", "x"), ("Smith", "john_smith"), ("Ann Vesterby", "annv"), ("Q. Vesterby", "q"), ("Nobody Known", "nobody")],
)  # fmt: skip
def test_what_is_sifted_out_before_anything_is_counted_changes_nothing(
    held: Runtime, owner: Member, name: str, handle: str
) -> None:
    """Counts are asked for those alone who have something in common with the author."""
    rows = Rows(held.db, owner.workspace_id, NOW)
    crm = rows.connection(provider="fakecrm", kind="crm", brand=False)
    pairs = [("John", "Smith"), ("John", "Smith"), ("Mary", "Smith"), ("Ann", "Vesterby"), ("Quirin", "Vesterby"), ("Bo", "Vesterby")]  # fmt: skip
    pairs += [(f"Given{each}", f"Family{each}") for each in range(120)]
    everybody = [
        Contact(str(each), f"{given} {family}", given, family, city="Esbjerg" if each % 2 else "Ribe")
        for each, (given, family) in enumerate(pairs)
    ]
    who, key = KnownAuthor("fakesocial", Author("1", handle, name, location="Esbjerg")), UUID(int=1)
    with rows.db.tenant(rows.workspace_id) as session:
        mirroring.save_contacts(session, rows.workspace_id, crm, everybody)
        found = gathered(session, rows.workspace_id, {key: who})
        ids = {str(row.id): row.native_id for row in session.scalars(select(Row))}
    got = [each for crm, met in found.met[key].items() for each in weigh(met, found.commonness[crm])]
    whole = match(who, [Candidate(each.id, each) for each in everybody], commonness(everybody))
    assert [(ids[each.contact_id], each.state, each.score, each.evidence) for each in got] == [
        (each.contact_id, each.state, each.score, each.evidence) for each in whole
    ]
    assert bool(whole) == (name != "Nobody Known")


def test_a_crm_whose_last_contact_goes_while_it_is_looked_through_stops_nothing(crowd: Crowd) -> None:
    who, key = KnownAuthor("fakesocial", Author("1", "quillon", "Quillon Vesterby")), UUID(int=1)
    with crowd.rows.db.tenant(crowd.rows.workspace_id) as session:
        found = sifted(near(raw(session), crowd.rows.workspace_id, {key: who}, {key: author_keys(who)}, crowd.crms))
        session.execute(delete(KeyCount).where(KeyCount.connection_id == crowd.crms[0]))
        got = counted(raw(session), crowd.rows.workspace_id, found, share=None)
    assert got.commonness[crowd.crms[0]].counts.get("g:vesterby") is None
    assert got.commonness[crowd.crms[1]].contacts == 301
