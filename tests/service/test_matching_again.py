"""Rules that look at an author again: what they find again keeps its id, and what people decided stays."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from integrations.records import Contact, Handle
from service.models import Author, Match, MatchTotal
from service.rules.model import MatchState
from service.runtime import Runtime
from service.store import acting, mirroring
from service.store.matching import match_due
from service.store.shares import guess_share, learn_share
from tests.conftest import Member
from tests.service.rows import Rows

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
BY = "user:olga"
ADA = Contact("1", name="Ada Lovelace", first_name="Ada", last_name="Lovelace")
OTHER = Contact("2", name="Ada Lovelace", first_name="Ada", last_name="Lovelace")


class Matching:
    """One author whom two contacts share the name of."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.crm = rows.connection(provider="fakecrm", kind="crm", brand=False)
        self.author = rows.author("ada", name="Ada Lovelace", match_due=True)
        self.mirror(ADA, OTHER)

    def mirror(self, *contacts: Contact) -> None:
        with self.rows.db.tenant(self.rows.workspace_id) as session:
            mirroring.save_contacts(session, self.rows.workspace_id, self.crm, contacts)
            session.execute(update(Author).values(match_due=True))
            match_due(session, self.rows.workspace_id, 10)

    def matches(self) -> dict[UUID, tuple[str, str]]:
        with self.rows.db.tenant(self.rows.workspace_id) as session:
            return {row.id: (row.state, row.decided_by) for row in session.scalars(select(Match))}


@pytest.fixture
def matching(held: Runtime, owner: Member) -> Matching:
    return Matching(Rows(held.db, owner.workspace_id, NOW))


def act(matching: Matching, name: str, *args: Any) -> None:
    with matching.rows.db.tenant(matching.rows.workspace_id) as session:
        getattr(acting, name)(session, matching.rows.workspace_id, *args, by=BY)


def test_a_match_that_is_found_again_keeps_its_id(matching: Matching) -> None:
    before = matching.matches()
    assert [state for state, _ in before.values()] == ["suggested", "suggested"]
    matching.mirror()
    assert matching.matches() == before


def test_rules_that_change_their_mind_move_the_confirmation_between_the_same_rows(matching: Matching) -> None:
    before = matching.matches()

    def confirmed() -> list[UUID]:
        return [row_id for row_id, (state, _) in matching.matches().items() if state == "confirmed"]

    handle = (Handle("fakesocial", "ada"),)
    seen = []
    for first, second in (((), handle), (handle, ()), ((), handle)):
        matching.mirror(
            Contact("1", name="Ada Lovelace", first_name="Ada", last_name="Lovelace", handles=first),
            Contact("2", name="Ada Lovelace", first_name="Ada", last_name="Lovelace", handles=second),
        )
        seen += confirmed()
    assert len(seen) == 3
    assert seen[0] == seen[2] != seen[1]
    assert set(seen) <= set(before)


def test_what_a_person_rejected_stays_rejected_and_what_they_undo_is_judged_anew(matching: Matching) -> None:
    first, second = matching.matches()
    act(matching, "decide_match", first, MatchState.REJECTED)
    matching.mirror()
    assert matching.matches()[first] == ("rejected", BY)
    assert matching.matches()[second][1] == "rules"

    act(matching, "undo_match", first)
    matching.mirror()
    assert matching.matches()[first] == ("suggested", "rules")


def test_what_a_person_confirmed_leaves_nothing_to_suggest(matching: Matching) -> None:
    first, _ = matching.matches()
    act(matching, "decide_match", first, MatchState.CONFIRMED)
    matching.mirror()
    assert matching.matches() == {first: ("confirmed", BY)}


def test_a_match_whose_reason_is_gone_is_gone(matching: Matching) -> None:
    matching.mirror(Contact("1", name="Charles Babbage"), Contact("2", name="Mary Somerville"))
    assert matching.matches() == {}


def _shop_of_strangers(rows: Rows, authors: int) -> None:
    """A CRM of a thousand, and so many authors of whom nobody is in it."""
    crm = rows.connection(provider="fakecrm", kind="crm", brand=False)
    with rows.db.tenant(rows.workspace_id) as session:
        mirroring.save_contacts(
            session, rows.workspace_id, crm,
            [Contact(str(number), name=f"Ada Lovelace{number}", first_name="Ada", last_name=f"Lovelace{number}") for number in range(1000)],
        )  # fmt: skip
    for number in range(authors):
        rows.author(f"qx{number}z", name=f"Zq{number}", match_due=True)


def _shares(rows: Rows) -> list[tuple[int, float | None]]:
    with rows.db.tenant(rows.workspace_id) as session:
        return [(row.authors, row.share) for row in session.scalars(select(MatchTotal))]


@pytest.mark.parametrize("sample", [90, 30])
def test_before_anybody_is_matched_a_sample_says_how_many_are_known(held: Runtime, owner: Member, sample: int) -> None:
    rows = Rows(held.db, owner.workspace_id, NOW)
    _shop_of_strangers(rows, 90)

    with held.db.tenant(owner.workspace_id) as session:
        guess_share(session, owner.workspace_id, sample)
    assert _shares(rows) == [(0, pytest.approx(0.06))]  # of 90, none; what was taken for granted weighs 50

    with held.db.tenant(owner.workspace_id) as session:
        assert match_due(session, owner.workspace_id, 100) == 90
        assert not learn_share(session, owner.workspace_id)  # so nobody is matched a second time
        assert match_due(session, owner.workspace_id, 100) == 0


def test_too_few_authors_for_a_sample_say_nothing_beforehand(held: Runtime, owner: Member) -> None:
    rows = Rows(held.db, owner.workspace_id, NOW)
    _shop_of_strangers(rows, 5)

    with held.db.tenant(owner.workspace_id) as session:
        guess_share(session, owner.workspace_id, 60)
    assert _shares(rows) == []


def test_a_guess_does_not_replace_what_was_learnt(held: Runtime, owner: Member) -> None:
    rows = Rows(held.db, owner.workspace_id, NOW)
    _shop_of_strangers(rows, 8)
    with held.db.tenant(owner.workspace_id) as session:
        match_due(session, owner.workspace_id, 100)
    before = _shares(rows)
    rows.author("late", name="Late", match_due=True)

    with held.db.tenant(owner.workspace_id) as session:
        guess_share(session, owner.workspace_id, 1)
    assert _shares(rows) == before
