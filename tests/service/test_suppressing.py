"""The list of people to leave out: by what they are recognised, and who waits for whom."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from integrations.records import Author, Contact, Handle
from service.db import Database
from service.models import PersonRequest, Suppression, SuppressionKey
from service.runtime import Runtime
from service.store import suppressing
from tests.conftest import Member
from tests.processes import PATIENCE
from tests.service.locks import impatient

CRM = uuid4()
ANA = Author("a1", "Ana", "Ana Ferrer", bio="Write to ana@ferrer.test")


def put(held: Runtime, workspace_id: UUID, marks: set[str]) -> None:
    with held.db.tenant(workspace_id) as session:
        listed = suppressing.changing(session, workspace_id)
        row = PersonRequest(workspace_id=workspace_id, kind="erase", state="done", person="author:x", author_ids=[], contact_ids=[], asked_by="system")  # fmt: skip
        session.add(row)
        session.flush()
        listed.add(row.id, marks)


@pytest.mark.parametrize(
    ("contact", "same"),
    [
        (Contact("c1", emails=("ANA@ferrer.test ",)), True),
        (Contact("c2", handles=(Handle("net", "@ana"),)), True),
        (Contact("c3", handles=(Handle("net", "https://net.example/ana"),)), True),
        (Contact("c4", handles=(Handle("other", "ana"),)), False),
        (Contact("c5", handles=(Handle(None, "ana"),)), False),
        (Contact("c6", name="Ana Ferrer", company="Ferrer"), False),
        (Contact("c7", emails=("info@ferrer.test",)), False),
    ],
)
def test_a_contact_is_the_same_person_by_handle_or_address_and_by_nothing_less(
    held: Runtime, owner: Member, contact: Contact, same: bool
) -> None:
    put(held, owner.workspace_id, suppressing.author_marks("net", "", ANA))
    with held.db.tenant(owner.workspace_id) as session:
        assert suppressing.without_contacts(session, owner.workspace_id, CRM, [contact]) == ([] if same else [contact])


def test_the_list_holds_no_name_and_no_two_workspaces_the_same_hash(
    held: Runtime, owner: Member, stranger: Member
) -> None:
    hashes = []
    for who in (owner, stranger):
        put(held, who.workspace_id, suppressing.author_marks("net", "", ANA))
        with held.db.tenant(who.workspace_id) as session:
            rows = session.execute(select(Suppression.hash)).all()
            sealed = session.scalars(select(SuppressionKey.sealed)).one()
        hashes.append({bytes(row[0]) for row in rows})
        assert all(len(each) == 32 for each in hashes[-1])
        assert b"ana" not in b"".join(hashes[-1]).lower() + sealed.lower()
    assert hashes[0].isdisjoint(hashes[1])


def test_whoever_changes_the_list_waits_for_what_is_being_stored_and_is_waited_for(
    held: Runtime, owner: Member, stranger: Member
) -> None:
    with held.db.tenant(owner.workspace_id) as storing:
        suppressing.reading(storing, owner.workspace_id)
        with impatient(held, owner.workspace_id) as another:
            suppressing.reading(another, owner.workspace_id)  # two stores do not wait for each other
        with impatient(held, stranger.workspace_id) as elsewhere:
            suppressing.changing(elsewhere, stranger.workspace_id)
        with pytest.raises(OperationalError, match="lock timeout"), impatient(held, owner.workspace_id) as changing:
            suppressing.changing(changing, owner.workspace_id)
    with held.db.tenant(owner.workspace_id) as changing:
        suppressing.changing(changing, owner.workspace_id)
        with pytest.raises(OperationalError, match="lock timeout"), impatient(held, owner.workspace_id) as storing:
            suppressing.reading(storing, owner.workspace_id)


def test_a_store_that_cannot_tell_who_is_on_the_list_refuses(held: Runtime, owner: Member) -> None:
    put(held, owner.workspace_id, {"x"})
    blind = Database(held.config.need("database_url"))
    try:
        with blind.tenant(owner.workspace_id) as session, pytest.raises(RuntimeError, match="without a vault"):
            suppressing.reading(session, owner.workspace_id)
    finally:
        blind.engine.dispose()


def test_nothing_is_bought_of_whoever_is_on_the_list(held: Runtime, owner: Member) -> None:
    put(held, owner.workspace_id, suppressing.author_marks("net", "", ANA))
    with held.db.tenant(owner.workspace_id) as session:
        assert suppressing.listed_ids(session, owner.workspace_id, "net", "", ["a1", "b1"]) == {"a1"}


def test_whoever_waited_for_a_change_sees_it(held: Runtime, owner: Member) -> None:
    def somebody_is_on_it() -> bool:
        with held.db.tenant(owner.workspace_id) as session:
            return suppressing.reading(session, owner.workspace_id) is not None

    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = :o")
    with ThreadPoolExecutor(1) as other, held.db.globally() as looking:
        with held.db.tenant(owner.workspace_id) as changing:
            suppressing.changing(changing, owner.workspace_id)
            found = other.submit(somebody_is_on_it)
            deadline = time.monotonic() + PATIENCE
            while not looking.scalar(waiting, {"o": owner.workspace_id.int & 0x7FFFFFFF}):
                assert time.monotonic() < deadline
        assert found.result(PATIENCE)
