"""A page of a CRM that holds a deletion and the same record, in either order."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from integrations.records import Contact, Gone
from service.clock import real_now
from service.models import Connection
from tests.workers.conftest import World
from workers import reconcile

ADA = Contact(id="c1", name="Ada Lovelace")


@pytest.mark.parametrize(
    ("page", "stands"),
    [([Gone("c1"), ADA], True), ([ADA, Gone("c1")], False), ([ADA, Gone("c1"), ADA], True), ([Gone("c1")], False)],
    ids=["brought back", "deleted", "deleted and brought back", "deleted alone"],
)
def test_what_a_page_says_last_of_a_record_counts(connected: World, page: list[Contact | Gone], stands: bool) -> None:
    connected.knows()
    connected.run()
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        crm = session.scalars(select(Connection).where(Connection.kind == "crm")).one()
        reconcile.save(session, crm, "contacts", page, read_at=real_now())
    [(deleted,)] = connected.sql("SELECT deleted_at FROM contacts WHERE native_id = 'c1'")
    assert (deleted is None) is stands
