"""What a person does with connections, and what follows from it."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from service.errors import PlainError
from service.models import (
    Connection,
    Conversation,
    Relationship,
    Stream,
    Task,
)
from tests.conftest import Member
from tests.service.acting.acts import BY, NOW, Acts, Waiting, audits, schedule
from tests.service.rows import Rows


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
