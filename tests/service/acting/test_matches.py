"""What a person decides of matches, and what follows from it."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest

from service.models import (
    Author,
    Conversation,
    Match,
    Relationship,
)
from service.rules.model import MatchState
from tests.service.acting.acts import BY, NOW, Acts, Pair, audits, schedule, settle
from tests.service.rows import Rows


@pytest.mark.parametrize("state", [MatchState.CONFIRMED, MatchState.REJECTED])
def test_a_decision_stands_with_its_name_and_makes_due_what_rests_on_it(
    rows: Rows, act: Acts, pair: Pair, state: MatchState
) -> None:
    match = rows.match(pair.author, pair.first)

    assert act.decide_match(match, state, by=BY).id == match

    row = rows.get(Match, match)
    assert (row.state, row.decided_by) == (state, BY)
    assert rows.get(Author, pair.author).match_due
    assert rows.get(Conversation, pair.conversation).decide_at == NOW
    assert rows.get(Relationship, pair.of_first).decide_at == NOW
    assert rows.get(Relationship, pair.of_author).decide_at == NOW
    assert schedule(rows) == NOW
    assert rows.get(Conversation, pair.bystander).decide_at is None
    assert rows.get(Relationship, pair.of_second).decide_at is None
    assert audits(rows) == [(BY, f"match.{state}", f"match:{match}")]


def test_confirming_one_contact_rejects_the_other_that_was_confirmed(rows: Rows, act: Acts, pair: Pair) -> None:
    before = rows.match(pair.author, pair.first, state="confirmed")
    match = rows.match(pair.author, pair.second)

    act.decide_match(match, MatchState.CONFIRMED, by=BY)

    other = rows.get(Match, before)
    assert (other.state, other.decided_by) == ("rejected", BY)
    assert rows.get(Match, match).state == "confirmed"
    assert rows.get(Relationship, pair.of_first).decide_at == NOW
    assert rows.get(Relationship, pair.of_second).decide_at == NOW


def test_undoing_it_gives_both_back_to_the_rules(rows: Rows, act: Acts, pair: Pair) -> None:
    before = rows.match(pair.author, pair.first, state="confirmed")
    match = rows.match(pair.author, pair.second)
    act.decide_match(match, MatchState.CONFIRMED, by=BY)
    settle(rows)

    assert act.undo_match(match, by=BY).state == "suggested"

    for each in (match, before):
        row = rows.get(Match, each)
        assert (row.state, row.decided_by) == ("suggested", "rules")
    assert rows.get(Author, pair.author).match_due
    assert rows.get(Relationship, pair.of_first).decide_at == NOW
    assert rows.get(Relationship, pair.of_second).decide_at == NOW
    assert rows.get(Conversation, pair.conversation).decide_at == NOW


def test_undoing_leaves_what_was_decided_on_another_occasion(rows: Rows, act: Acts, pair: Pair) -> None:
    first, second = rows.match(pair.author, pair.first), rows.match(pair.author, pair.second)
    act.decide_match(first, MatchState.REJECTED, by=BY)
    act.decide_match(second, MatchState.CONFIRMED, by=BY)

    act.undo_match(second, by=BY)

    assert rows.get(Match, first).state == "rejected"


def test_a_match_that_nobody_decided_has_nothing_to_undo(rows: Rows, act: Acts, pair: Pair) -> None:
    match = rows.match(pair.author, pair.first, state="confirmed")
    assert act.undo_match(match, by=BY).state == "confirmed"
    assert audits(rows) == []


def test_deciding_the_same_twice_changes_nothing_and_keeps_the_first_name(rows: Rows, act: Acts, pair: Pair) -> None:
    match = rows.match(pair.author, pair.first)
    act.decide_match(match, MatchState.CONFIRMED, by=BY)
    settle(rows)

    act.decide_match(match, MatchState.CONFIRMED, by="user:somebody-else")

    assert rows.get(Match, match).decided_by == BY
    assert schedule(rows) is None
    assert len(audits(rows)) == 1


def test_confirming_what_the_rules_had_confirmed_makes_it_final(rows: Rows, act: Acts, pair: Pair) -> None:
    match = rows.match(pair.author, pair.first, state="confirmed")
    act.decide_match(match, MatchState.CONFIRMED, by=BY)
    assert rows.get(Match, match).decided_by == BY


def test_two_people_who_confirm_different_contacts_at_once_leave_one_confirmed(
    rows: Rows, act: Acts, pair: Pair
) -> None:
    matches = [rows.match(pair.author, pair.first), rows.match(pair.author, pair.second)]
    start, failures = threading.Barrier(2), []

    def confirm(match: UUID) -> None:
        start.wait()
        try:
            act.decide_match(match, MatchState.CONFIRMED, by=BY)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=confirm, args=(match,)) for match in matches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert sorted(rows.get(Match, match).state for match in matches) == ["confirmed", "rejected"]
