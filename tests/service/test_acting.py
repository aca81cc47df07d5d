"""What a person decides, and what follows from it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from marshmallow import ValidationError
from sqlalchemy import select, text, update

from service.errors import PlainError
from service.models import (
    Audit,
    Author,
    Connection,
    Conversation,
    Match,
    Relationship,
    Settings,
    Stream,
    Task,
    WorkspaceSchedule,
)
from service.rules.model import MatchState
from service.runtime import Runtime
from service.store import acting
from tests.conftest import Member
from tests.service.rows import Rows

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
BY = f"user:{uuid4()}"


@pytest.fixture
def rows(held: Runtime, owner: Member, monkeypatch: pytest.MonkeyPatch) -> Rows:
    monkeypatch.setenv("WARMLINE_NOW", NOW.isoformat())
    return Rows(held.db, owner.workspace_id, NOW)


class Acts:
    """Calls an action in a transaction of its own."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def __getattr__(self, name: str) -> Any:
        def act(*args: Any, **kwargs: Any) -> Any:
            with self.rows.db.tenant(self.rows.workspace_id) as session:
                return getattr(acting, name)(session, self.rows.workspace_id, *args, **kwargs)

        return act


@pytest.fixture
def act(rows: Rows) -> Acts:
    return Acts(rows)


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


# --- matches --------------------------------------------------------------------------------------------------


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


@pytest.fixture
def pair(rows: Rows) -> Pair:
    return Pair(rows)


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


# --- tasks ----------------------------------------------------------------------------------------------------


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


@pytest.fixture
def waiting(rows: Rows) -> Waiting:
    return Waiting(rows)


@pytest.mark.parametrize(
    "standing",
    [{"state": "open", "external_id": "501"}, {"state": "unknown"}, {"state": "parked", "external_id": "501"},
     {"state": "absent", "maybe_sent_at": NOW}],
)  # fmt: skip
def test_a_task_that_stands_in_the_crm_is_completed_there(
    rows: Rows, act: Acts, waiting: Waiting, standing: dict[str, Any]
) -> None:
    task = waiting.task(**standing)

    act.dismiss_task(task, by=BY)

    row = rows.get(Task, task)
    assert (row.wanted, row.state, row.push_at) == ("completed", standing["state"], NOW)
    assert (row.closed_by, row.close_reason) == (BY, "no reply needed")
    assert row.closed_at is not None
    assert rows.get(Connection, waiting.crm).next_push_at is not None
    assert audits(rows) == [(BY, "task.dismissed", f"task:{task}")]


@pytest.mark.parametrize("state", ["absent", "parked"])
def test_a_task_that_never_stood_there_is_withdrawn_here(rows: Rows, act: Acts, waiting: Waiting, state: str) -> None:
    task = waiting.task(state=state, held_reason="Olga has 5 new tasks today.", held_until=NOW, push_at=NOW)

    act.dismiss_task(task, by=BY, reason="spoke on the phone")

    row = rows.get(Task, task)
    assert (row.wanted, row.state, row.push_at) == ("completed", "withdrawn", None)
    assert (row.held_reason, row.held_until) == ("", None)
    assert row.close_reason == "spoke on the phone"
    assert rows.get(Connection, waiting.crm).next_push_at is None


def test_what_was_said_until_now_is_dealt_with_and_decided_again(rows: Rows, act: Acts, waiting: Waiting) -> None:
    act.dismiss_task(waiting.task(relationship=waiting.relationship), by=BY)

    assert rows.get(Conversation, waiting.conversation).dealt_with_until == NOW
    assert rows.get(Conversation, waiting.conversation).decide_at == NOW
    assert rows.get(Relationship, waiting.relationship).decide_at == NOW
    assert schedule(rows) == NOW


def test_a_post_from_after_business_time_is_dealt_with_too(rows: Rows, act: Acts) -> None:
    waiting = Waiting(rows)
    ahead = NOW + timedelta(minutes=5)
    with rows.db.tenant(rows.workspace_id) as session:
        session.execute(update(Conversation).values(last_post_at=ahead))

    act.dismiss_task(waiting.task(), by=BY)

    assert rows.get(Conversation, waiting.conversation).dealt_with_until == ahead


def test_dealing_with_a_call_says_nothing_of_a_waiting_question(rows: Rows, act: Acts, waiting: Waiting) -> None:
    act.dismiss_task(waiting.task(kind="ready_for_call", relationship=waiting.relationship), by=BY)

    assert rows.get(Conversation, waiting.conversation).dealt_with_until is None
    assert rows.get(Relationship, waiting.relationship).decide_at == NOW


def test_dismissing_twice_changes_nothing(rows: Rows, act: Acts, waiting: Waiting) -> None:
    task = waiting.task(state="open", external_id="501")
    act.dismiss_task(task, by=BY)
    closed_at = rows.get(Task, task).closed_at
    settle(rows)

    assert act.dismiss_task(task, by="user:somebody-else", reason="again").id == task

    row = rows.get(Task, task)
    assert (row.closed_by, row.close_reason, row.closed_at) == (BY, "no reply needed", closed_at)
    assert schedule(rows) is None
    assert len(audits(rows)) == 1


def test_a_task_without_conversation_or_crm_can_be_dismissed(rows: Rows, act: Acts) -> None:
    task = rows.task()
    assert act.dismiss_task(task, by=BY).state == "withdrawn"


# --- connections ----------------------------------------------------------------------------------------------


def test_approving_a_crm_ends_its_preview_and_makes_it_due(rows: Rows, act: Acts, owner: Member) -> None:
    crm = rows.connection(provider="fakecrm", kind="crm", brand=False, preview=True)
    act.approve_crm(crm, by=BY, user_id=owner.user_id)

    row = rows.get(Connection, crm)
    assert (row.preview, row.approved_by) == (False, owner.user_id)
    assert row.approved_at is not None
    assert row.next_push_at is not None
    first = row.approved_at
    act.approve_crm(crm, by=BY, user_id=None)
    assert rows.get(Connection, crm).approved_at == first
    assert audits(rows) == [(BY, "connection.approved", f"connection:{crm}")]


def test_a_social_account_has_nothing_to_approve(rows: Rows, act: Acts) -> None:
    assert act.approve_crm(rows.connection(), by=BY, user_id=None) is None


def test_pulling_now_makes_running_streams_due_and_leaves_stopped_ones(rows: Rows, act: Acts) -> None:
    connection = rows.connection(streams=())
    running, stopped = rows.stream(connection, "mentions"), rows.stream(connection, "messages", status="stopped")

    assert act.pull_now(connection)

    assert rows.get(Stream, running).next_pull_at is not None
    assert rows.get(Stream, running).urgent  # somebody sits before the page
    assert rows.get(Stream, stopped).next_pull_at is None


def test_a_new_responder_gets_what_waits_now(rows: Rows, act: Acts, waiting: Waiting) -> None:
    social = rows.get(Conversation, waiting.conversation).connection_id
    with rows.db.tenant(rows.workspace_id) as session:
        session.execute(update(Conversation).values(waiting_since=NOW))
    call = waiting.task(kind="ready_for_call", relationship=waiting.relationship)

    act.set_responder(social, "  Otto@Acme.test ", by=BY)

    assert rows.get(Connection, social).responder_email == "otto@acme.test"
    assert rows.get(Conversation, waiting.conversation).decide_at == NOW
    assert rows.get(Relationship, waiting.relationship).decide_at == NOW
    assert schedule(rows) == NOW
    assert rows.get(Task, call).wanted == "open"
    assert act.set_responder(social, "", by=BY).responder_email == ""


def test_a_responder_needs_an_address(rows: Rows, act: Acts) -> None:
    with pytest.raises(PlainError, match="not an e-mail address"):
        act.set_responder(rows.connection(), "otto", by=BY)


# --- settings -------------------------------------------------------------------------------------------------


def test_new_settings_are_a_new_version_under_which_everything_is_decided_again(
    rows: Rows, act: Acts, pair: Pair
) -> None:
    row = act.change_settings({"daily_cap": 9}, by=BY)

    assert (row.version, row.values["daily_cap"], row.changed_by) == (2, 9, BY)
    assert rows.get(Conversation, pair.bystander).decide_at == NOW
    assert rows.get(Relationship, pair.of_second).decide_at == NOW
    assert audits(rows) == [(BY, "settings.changed", "settings:2")]


def test_whoever_has_seen_an_older_version_changes_nothing(rows: Rows, act: Acts) -> None:
    act.change_settings({"daily_cap": 9}, by=BY, expected=1)
    with pytest.raises(acting.StaleVersionError) as refused:
        act.change_settings({"daily_cap": 3}, by=BY, expected=1)

    assert refused.value.current == 2
    with rows.db.tenant(rows.workspace_id) as session:
        assert session.scalars(select(Settings.version).order_by(Settings.version)).all() == [1, 2]


def test_settings_that_cannot_be_used_change_nothing(rows: Rows, act: Acts) -> None:
    with pytest.raises(ValidationError):
        act.change_settings({"timezone": "Mars/Olympus"}, by=BY)
    assert audits(rows) == []


def test_two_people_who_change_the_same_version_at_once_are_told_apart(rows: Rows, act: Acts) -> None:
    start, stale = threading.Barrier(2), []

    def change(cap: int) -> None:
        start.wait()
        try:
            act.change_settings({"daily_cap": cap}, by=BY, expected=1)
        except acting.StaleVersionError:
            stale.append(cap)

    threads = [threading.Thread(target=change, args=(cap,)) for cap in (3, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(stale) == 1


# --- another workspace ----------------------------------------------------------------------------------------


def test_another_workspace_reaches_nothing(
    rows: Rows, held: Runtime, stranger: Member, waiting: Waiting, pair: Pair
) -> None:
    match, task = rows.match(pair.author, pair.first), waiting.task()
    with held.db.tenant(stranger.workspace_id) as session:
        theirs = stranger.workspace_id
        assert acting.decide_match(session, theirs, match, MatchState.CONFIRMED, by=BY) is None
        assert acting.undo_match(session, theirs, match, by=BY) is None
        assert acting.dismiss_task(session, theirs, task, by=BY) is None
        assert acting.approve_crm(session, theirs, waiting.crm, by=BY, user_id=None) is None
        assert acting.set_responder(session, theirs, waiting.crm, "rita@rival.test", by=BY) is None
        assert not acting.pull_now(session, theirs, waiting.crm)
        assert session.scalar(text("SELECT count(*) FROM audit WHERE action NOT LIKE 'signin.%'")) == 0
    assert rows.get(Match, match).state == "suggested"
    assert rows.get(Task, task).wanted == "open"
