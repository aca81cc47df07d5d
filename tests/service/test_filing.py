"""Where contacts stand for matching: keys and counts are those of the contacts that there are, however they came to be."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, func, select, text, update

from integrations.records import Contact, Gone, GoneBetween, Handle
from service.db import raw
from service.models import Author, AuthorKey, Connection, ContactKey, KeyCount, Match
from service.models import Contact as Row
from service.rules.matching.keys import identifiers
from service.runtime import Runtime
from service.store import filing, matching, mirroring
from service.store.candidates import contacts
from service.store.rows import execute
from tests.conftest import Member
from tests.service.rows import Rows

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
ADA = Contact(
    "1", name="Ada Lovelace", first_name="Ada", last_name="Lovelace", emails=("ada@engine.example",), phones=("+441632960961",), company="Engine Ltd",
    city="London", country="United Kingdom", website="https://www.engine.example", handles=(Handle("fakesocial", "ada"),), source="Form",
)  # fmt: skip
ALAN = Contact("2", name="Alan Turing", first_name="Alan", last_name="Turing", company="Engine Ltd", source="Form")


class Files:
    """A workspace with one CRM."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.crm = rows.connection(provider="fakecrm", kind="crm", brand=False)

    def save(self, *contacts: Contact) -> None:
        with self.session() as session:
            mirroring.save_contacts(session, self.rows.workspace_id, self.crm, contacts)

    def drop(self, *native_ids: str) -> None:
        with self.session() as session:
            mirroring.drop_contacts(session, self.rows.workspace_id, self.crm, [Gone(each) for each in native_ids])

    def refile(self, limit: int = 2) -> int:
        rounds = 0
        while True:
            with self.session() as session:
                if not mirroring.refile(session, self.rows.workspace_id, limit):
                    return rounds
            rounds += 1

    def plan(self, statement: str, params: dict[str, Any] | None = None) -> str:
        """How many rows would be found in a large table: without reading all of it."""
        with self.session() as session:
            for each in ("seqscan", "bitmapscan"):
                session.execute(text(f"SET LOCAL enable_{each} = off"))
            given = {"w": self.rows.workspace_id, "n": 1000, **(params or {})}
            return "\n".join(row[0] for row in execute(raw(session), f"EXPLAIN {statement}", given))

    def session(self) -> Any:
        return self.rows.db.tenant(self.rows.workspace_id)

    def counts(self) -> dict[str, int]:
        with self.session() as session:
            counted = session.execute(select(KeyCount.key, func.sum(KeyCount.contacts)).group_by(KeyCount.key))
            return {key: int(number) for key, number in counted}

    def under(self) -> set[tuple[str, UUID]]:
        with self.session() as session:
            return {(row.key, row.contact_id) for row in session.scalars(select(ContactKey))}

    def due(self) -> set[UUID]:
        with self.session() as session:
            return set(session.scalars(select(Author.id).where(Author.match_due)))


@pytest.fixture
def files(held: Runtime, owner: Member) -> Files:
    return Files(Rows(held.db, owner.workspace_id, NOW))


def told(*contacts: Contact) -> dict[str, int]:
    """What is counted as contacts are stored: not whole names."""
    tokens = (token for each in contacts for token in filing.tokens(each))
    return dict(Counter(token for token in tokens if filing.is_counted(token) and token[0] != "n"))


def test_a_contact_stands_under_its_keys_and_counts_once_for_each_token(files: Files) -> None:
    files.save(ADA, ALAN)
    assert files.counts() == told(ADA, ALAN)
    assert files.counts()["*"] == 2
    assert files.counts()["o:Form"] == 2
    assert {key for key, _ in files.under()} == {
        token for each in (ADA, ALAN) for token in filing.tokens(each) if filing.is_sought(token)
    }


def test_the_same_contact_again_changes_nothing(files: Files) -> None:
    files.save(ADA)
    keys, counts = files.under(), files.counts()
    files.save(ADA)
    assert (files.under(), files.counts()) == (keys, counts)


def test_counts_are_the_same_in_whatever_order_contacts_came_changed_and_went(files: Files) -> None:
    random = Random(7)
    names = ["Ada", "Alan", "Grace"], ["Lovelace", "Turing", "Hopper"], ["Engine Ltd", ""], ["Form", "Import"]

    def somebody(native: str) -> Contact:
        given, family, company, source = (random.choice(each) for each in names)
        return Contact(native, f"{given} {family}", given, family, company=company, source=source)

    there: dict[str, Contact] = {}
    for _ in range(30):
        if there and random.random() < 0.3:
            gone = random.choice(sorted(there))
            files.drop(gone)
            del there[gone]
        else:
            page = [somebody(str(random.randrange(12))) for _ in range(3)]
            files.save(*page)
            there |= {each.id: each for each in page}
        assert files.counts() == told(*there.values())
    assert len(files.under()) == sum(sum(map(filing.is_sought, filing.tokens(each))) for each in there.values())


def test_of_a_gap_between_ids_goes_whoever_is_there_in_parts_and_nobody_else(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirroring, "_AT_ONCE", 2)
    kept = [
        "1",
        "9",
        "10",
        "20",
        "99999999999999999999",
        "5x",
        "-5",
        "Ⅴ",
        "08",
        "077",
    ]  # no CRM writes a number with a nought before
    gone = ["2", "3", "8", "11", "12", "19", "21", "5000", "70000", "999999999999999999"]
    files.save(*(Contact(each, name="Ada Lovelace", source="Form") for each in [*kept, *gone]))
    gaps = [GoneBetween(10, 20), GoneBetween(1, 9), GoneBetween(3, 5), GoneBetween(20, 10**30), GoneBetween(7, 7)]
    with files.session() as session:
        dropped = [mirroring.drop_between(session, files.rows.workspace_id, files.crm, each) for each in (gaps, gaps)]
        there = session.scalars(select(Row.native_id).where(Row.deleted_at.is_(None)))
        assert (dropped, set(there)) == ([len(gone), 0], set(kept))
    assert files.counts() == told(*(Contact(each, name="Ada Lovelace", source="Form") for each in kept))


@pytest.mark.own_database  # one without statistics, as they decide on the plan
def test_of_gaps_only_wide_ones_are_sought_among_all_contacts_and_together(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def noted(connection: Any, statement: str, params: Any) -> Any:
        asked.append((statement, params["ids"]))
        return execute(connection, statement, params)

    monkeypatch.setattr(mirroring, "execute", noted)
    gaps = [GoneBetween(100, 2_101), GoneBetween(3_000, 4_500), GoneBetween(5_000, 8_000), GoneBetween(9_000, 90_000)]
    with files.session() as session:
        mirroring.drop_between(session, files.rows.workspace_id, files.crm, gaps)
    *by_id, (_, sought) = asked
    assert [len(ids) for _, ids in by_id] == [2_000, 1_499]
    assert sought == "{(5000,8000),(9000,90000)}"
    for statement, ids in by_id:
        plan = files.plan(statement, {"c": files.crm, "ids": ids, "now": NOW})
        assert "uq_contacts_workspace_id_connection_id_native_id" in plan
        assert "Seq Scan" not in plan


def test_filing_everything_anew_gives_the_same_keys_and_counts(files: Files) -> None:
    files.save(ADA, ALAN, replace(ADA, id="3"), replace(ALAN, id="4"), replace(ALAN, id="5"))
    files.drop("5")
    keys, counts = files.under(), files.counts()
    assert files.refile() == 0  # all of them stand where they should
    with files.session() as session:
        session.execute(update(Row).values(filed_version=0))
        assert filing.waiting(session, files.rows.workspace_id) == 4
    assert files.refile(limit=3) == 2  # bit by bit
    assert (files.under(), files.counts()) == (keys, counts)


def test_contacts_that_other_rules_have_filed_move_to_where_these_seek_them(files: Files) -> None:
    files.save(ADA, ALAN)
    keys, counts = files.under(), files.counts()
    with files.session() as session:
        first = session.scalars(select(Row).where(Row.native_id == "1")).one()
        session.execute(
            text("UPDATE contact_keys SET key = 's:old' WHERE contact_id = :c AND key LIKE 's:lovelace'"),
            {"c": first.id},
        )
        session.execute(text("UPDATE key_counts SET key = 'g:old' WHERE key = 'g:lovelace'"))
        first.filed = [{"s:lovelace": "s:old", "g:lovelace": "g:old"}.get(each, each) for each in first.filed]
        first.filed_version = 0
    files.refile()
    assert (files.under(), files.counts()) == (keys, counts)


def test_who_is_filed_anew_next_is_read_from_the_index_and_not_sorted_out_of_all_of_them(files: Files) -> None:
    files.save(ADA, ALAN)
    plan = files.plan(filing.STALE, {"v": filing.VERSION + 1})
    assert "ix_contacts_filed" in plan
    assert "Sort" not in plan


def test_who_is_matched_next_is_read_from_the_index_and_not_sorted_out_of_all_of_them(files: Files) -> None:
    plan = files.plan(matching.DUE, {"lock": 1, "workspace": 2})
    assert "ix_authors_match_due" in plan
    assert "Sort" not in plan


def test_it_is_told_how_many_share_each_token_of_a_contact_whole_names_included(files: Files) -> None:
    """Whole names are counted as they are asked for: stored, each would be a row of its own for nearly every contact."""
    again = replace(ADA, id="3", city="Ribe")
    files.save(ADA, ALAN, again)
    with files.session() as session:
        [ada] = session.scalars(select(Row.id).where(Row.native_id == "1"))
        [found] = filing.counts(raw(session), files.rows.workspace_id, [str(ada)]).values()
    everybody = Counter(token for each in (ADA, ALAN, again) for token in filing.tokens(each))
    assert found["n:ada lovelace"] == 2
    assert found == {
        token: everybody[token] for token in filing.tokens(ADA) if filing.is_counted(token) or token[0] == "n"
    }
    assert not any(key.startswith("n:") for key in files.counts())


def test_the_identifiers_under_which_a_contact_stands_are_those_that_are_read_from_it(files: Files) -> None:
    files.save(ADA, ALAN)
    with files.session() as session:
        ids = [str(each) for each in session.scalars(select(Row.id))]
        found = contacts(raw(session), files.rows.workspace_id, ids)
    told = {each.candidate.contact.name: each.candidate.identifiers for each in found.values()}
    assert told == {each.name: identifiers(each) for each in (ADA, ALAN)}
    assert {each[0] for each in told["Ada Lovelace"] or ()} == {"h", "e", "t", "w"}


@pytest.mark.parametrize("what", ["contact", "connection"])
def test_a_row_that_goes_takes_its_keys_and_counts_along(files: Files, what: str) -> None:
    files.save(ADA, ALAN)
    with files.session() as session:
        if what == "contact":
            session.execute(delete(Row).where(Row.native_id == "1"))
        else:
            session.execute(delete(Connection).where(Connection.id == files.crm))
    left = (ALAN,) if what == "contact" else ()
    assert {key: number for key, number in files.counts().items() if number or what == "connection"} == told(*left)
    assert {key for key, _ in files.under()} == {
        each for one in left for each in filing.tokens(one) if filing.is_sought(each)
    }


def test_an_author_that_goes_takes_its_keys_along(files: Files) -> None:
    author = files.rows.author("ada", name="Ada Lovelace", match_due=True)
    with files.session() as session:
        matching.match_due(session, files.rows.workspace_id, 10)
        assert session.scalars(select(AuthorKey)).all()
        session.execute(delete(Author).where(Author.id == author))
        assert session.scalars(select(AuthorKey)).all() == []


def test_a_contact_that_changes_makes_due_whom_it_can_touch_and_nobody_else(files: Files) -> None:
    ada, alan, grace = (
        files.rows.author(name.split()[0].lower(), name=name, match_due=True)
        for name in ("Ada Lovelace", "Alan Turing", "Grace Hopper")
    )
    files.save(ADA, ALAN)
    with files.session() as session:
        matching.match_due(session, files.rows.workspace_id, 10)
    assert files.due() == set()
    files.save(replace(ALAN, phones=("+441632960999",)))
    assert files.due() == {alan}
    files.save(replace(ADA, name="Grace Hopper", first_name="Grace", last_name="Hopper"))
    assert files.due() == {alan, ada, grace}  # who it was, and who it is now


def test_ten_thousand_of_one_name_are_passed_over_and_one_with_the_handle_is_found(files: Files) -> None:
    namesakes = [replace(ALAN, id=str(number)) for number in range(60)]
    files.save(*namesakes, replace(ALAN, id="him", handles=(Handle("fakesocial", "alan"),)))
    files.rows.author("alan", name="Alan Turing", match_due=True)
    other = files.rows.author("turing_a", name="Alan Turing", match_due=True)
    with files.session() as session:
        matching.match_due(session, files.rows.workspace_id, 10)
        found = session.execute(
            select(Match.author_id, Match.state, Row.native_id).join(Row, Row.id == Match.contact_id)
        ).all()
    assert ("confirmed", "him") in [(state, native) for _, state, native in found]
    assert not [state for author, state, _ in found if author == other and state == "confirmed"]


def test_two_crms_that_are_read_at_once_give_the_counts_of_both(files: Files) -> None:
    other = files.rows.connection(provider="fakecrm", kind="crm", brand=False)
    ours, theirs = (
        [
            Contact(f"{crm}{n}", f"Ada Nr{n % 7}", "Ada", f"Nr{n % 7}", company=f"Firm {n % 5}", source="Form")
            for n in range(60)
        ]
        for crm in "ab"
    )

    def pull(crm: UUID, contacts: list[Contact]) -> None:
        for start in range(0, len(contacts), 5):
            with files.session() as session:
                mirroring.save_contacts(session, files.rows.workspace_id, crm, contacts[start : start + 5])

    with ThreadPoolExecutor(2) as workers:
        for job in [workers.submit(pull, files.crm, ours), workers.submit(pull, other, theirs)]:
            job.result()
    assert files.counts() == told(*ours, *theirs)


def test_what_a_contact_is_filed_under_is_pinned() -> None:
    # When this changes, raise filing.VERSION, so that every contact is filed anew.
    assert filing.VERSION == 7
    assert filing.tokens(ADA) == PINNED


PINNED = [
    "*", "c:engine", "e:ada@engine.example", "f:ada", "g:lovelace", "h:fakesocial:ada", "i:a lovelace", "l:gb", "n:ada lovelace", "n:adaline lovelace",
    "n:adeline lovelace", "o:Form", "s:ada", "s:adalovelace", "s:lovelace", "t:632960961", "w:engine.example", "y:london",
]  # fmt: skip
