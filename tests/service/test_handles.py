"""Which confirmed handles wait to be written into a CRM, and what finding them costs."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from service.db import raw
from service.runtime import Runtime
from service.store import handles
from tests.conftest import Member
from tests.service.rows import Rows

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_what_waits_for_one_crm_is_found_without_a_look_at_what_waits_for_others(held: Runtime, owner: Member) -> None:
    """A CRM that keeps no handles leaves all of its matches waiting, for good."""
    params = {"w": owner.workspace_id, "c": uuid4(), "n": 100, "after": handles.NOBODY}
    with held.db.tenant(owner.workspace_id) as session:
        connection = raw(session)
        for way in ("seqscan", "bitmapscan", "sort"):
            connection.execute(f"SET LOCAL enable_{way} = off".encode())
        plan = [row[0] for row in connection.execute(f"EXPLAIN {handles._WAITING}".encode(), params).fetchall()]
    start = next(number for number, line in enumerate(plan) if "using ix_matches_handle" in line)
    condition = next(line for line in plan[start:] if "Index Cond" in line)
    assert "connection_id = " in condition
    assert "id > " in condition


def test_a_match_with_another_crm_is_not_written_here(held: Runtime, owner: Member) -> None:
    rows = Rows(held.db, owner.workspace_id, NOW)
    social = rows.connection()
    crms = [rows.connection(provider="fakecrm", kind="crm", brand=False) for _ in range(2)]
    author = rows.author("ana")
    rows.conversation(social, author)
    matches = [rows.match(author, rows.contact(crm, "Ana"), state="confirmed") for crm in crms]
    with held.db.tenant(owner.workspace_id) as session:
        found = [handles.waiting(session, owner.workspace_id, crm, 10) for crm in crms]
    assert [[each.match_id for each in some] for some in found] == [[match] for match in matches]
