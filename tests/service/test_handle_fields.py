"""Fields of a CRM that hold handles: found by name, chosen by a person, and kept when the connection is renewed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from service.errors import PlainError
from service.models import Audit, Connection, Stream
from service.runtime import Runtime
from service.store import handle_fields
from tests.conftest import Member
from tests.service.rows import Rows

BY = "user:olga"
OPTIONS = {
    "contact_properties": [{"name": "twitterhandle", "network": "x"}],
    "text_properties": [{"name": "place", "label": "Favourite place"}, {"name": "nick", "label": "Nick"}],
}


@pytest.fixture
def rows(held: Runtime, owner: Member) -> Rows:
    return Rows(held.db, owner.workspace_id, datetime(2026, 5, 4, 12, tzinfo=UTC))


@pytest.fixture
def crm(rows: Rows) -> UUID:
    made = rows.connection(provider="hubspot", kind="crm", brand=False, streams=("contacts", "tasks"), options=OPTIONS)
    with rows.db.tenant(rows.workspace_id) as session:
        session.execute(update(Stream).values(cursor="here", next_pull_at=None))
    return made


def choose(rows: Rows, crm: UUID, **choices: str) -> Any:
    with rows.db.tenant(rows.workspace_id) as session:
        return handle_fields.choose(session, rows.workspace_id, crm, choices, by=BY)


def test_what_was_found_comes_first_and_nothing_is_chosen(rows: Rows, crm: UUID) -> None:
    found = handle_fields.fields(OPTIONS)
    assert [(each.name, each.network, each.chosen) for each in found] == [
        ("twitterhandle", "x", False), ("place", "", False), ("nick", "", False),
    ]  # fmt: skip


def test_a_choice_is_stored_and_contacts_are_read_anew(rows: Rows, crm: UUID) -> None:
    found = choose(rows, crm, place="x", twitterhandle="x")
    assert {each.name: (each.network, each.chosen) for each in found} == {
        "twitterhandle": ("x", False), "place": ("x", True), "nick": ("", False),
    }  # fmt: skip
    with rows.db.tenant(rows.workspace_id) as session:
        streams = {row.name: (row.cursor, row.next_pull_at is not None) for row in session.scalars(select(Stream))}
        assert streams == {"contacts": (None, True), "tasks": ("here", False)}
        assert session.get_one(Connection, (rows.workspace_id, crm)).options["handle_choices"] == {"place": "x"}
        done = session.scalars(select(Audit.action).where(Audit.action.not_like("signin.%"))).all()
        assert done == ["connection.handle_fields_chosen"]


def test_the_same_choice_again_reads_nothing_anew(rows: Rows, crm: UUID) -> None:
    choose(rows, crm, place="")
    with rows.db.tenant(rows.workspace_id) as session:
        assert {row.cursor for row in session.scalars(select(Stream))} == {"here"}


@pytest.mark.parametrize("choices", [{"place": "friendster"}, {"shoe_size": "x"}])
def test_what_is_not_there_is_refused_with_a_sentence(rows: Rows, crm: UUID, choices: dict[str, str]) -> None:
    with pytest.raises(PlainError):
        choose(rows, crm, **choices)


def test_a_renewed_connection_keeps_what_was_chosen(rows: Rows, crm: UUID) -> None:
    choose(rows, crm, place="x")
    options = rows.get(Connection, crm).options
    assert handle_fields.kept_choices(options) == {"handle_choices": {"place": "x"}}
    assert handle_fields.kept_choices(OPTIONS) == handle_fields.kept_choices(None) == {}


def test_a_social_account_has_no_such_fields(rows: Rows) -> None:
    assert choose(rows, rows.connection(), place="x") is None
