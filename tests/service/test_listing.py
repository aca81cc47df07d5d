"""Lists: complete under inserts, in order, from an index, and only with cursors of their own."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.db import raw
from service.models import Brand
from service.runtime import Runtime
from service.store import listing, paging
from tests.conftest import Member
from tests.service.rows import Rows

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def rows(held: Runtime, owner: Member) -> Rows:
    return Rows(held.db, owner.workspace_id, NOW)


def walk(rows: Rows, name: str, *, between: Callable[[], object] = lambda: None, **filters: Any) -> list[UUID]:
    """The ids of all pages of two rows each; `between` happens after each page."""
    found: list[UUID] = []
    after: str | None = None
    for _ in range(50):
        with rows.db.tenant(rows.workspace_id) as session:
            page, after = getattr(listing, name)(session, rows.workspace_id, filters=filters, after=after, limit=2)
        found += [row["id"] for row in page]
        if after is None:
            return found
        between()
    raise AssertionError("the pages never end")


def test_pages_show_every_row_once_though_others_arrive_meanwhile(rows: Rows) -> None:
    connection, author = rows.connection(), rows.author("ada")
    made = [rows.engagement(connection, author, at=NOW + timedelta(minutes=minute)) for minute in range(7)]
    arrivals = iter(range(100))

    def arrive() -> None:
        later = next(arrivals)
        rows.engagement(connection, author, at=NOW + timedelta(hours=1, minutes=later))

    assert walk(rows, "engagements", between=arrive) == made[::-1]


def test_posts_of_the_same_instant_neither_repeat_nor_hide(rows: Rows) -> None:
    connection, author = rows.connection(), rows.author("ada")
    made = {rows.engagement(connection, author, at=NOW) for _ in range(5)}
    found = walk(rows, "engagements")
    assert set(found) == made
    assert len(found) == 5


def test_a_post_that_arrives_late_and_is_older_is_met_on_the_way(rows: Rows) -> None:
    connection, author = rows.connection(), rows.author("ada")
    for minute in range(4):
        rows.engagement(connection, author, at=NOW + timedelta(minutes=minute))
    late: list[UUID] = []

    def arrive() -> None:
        if not late:
            late.append(rows.engagement(connection, author, at=NOW - timedelta(days=1)))

    assert walk(rows, "engagements", between=arrive)[-1:] == late


def test_a_last_page_that_is_just_full_is_the_last(rows: Rows) -> None:
    connection, author = rows.connection(), rows.author("ada")
    for _ in range(2):
        rows.engagement(connection, author, at=NOW)
    with rows.db.tenant(rows.workspace_id) as session:
        page, after = listing.engagements(session, rows.workspace_id, limit=2)
    assert (len(page), after) == (2, None)


def test_every_list_pages_through_all_of_its_rows(rows: Rows) -> None:
    crm = rows.connection(provider="fakecrm", kind="crm", brand=False)
    social = rows.connection()
    authors = [rows.author(f"a{number}") for number in range(5)]
    made: dict[str, list[UUID]] = {
        "connections": [crm, social, *(rows.connection() for _ in range(3))],
        "conversations": [
            rows.conversation(social, author, thread=f"t{index}", last_post_at=NOW - timedelta(hours=index))
            for index, author in enumerate(authors)
        ],
        "contacts": (contacts := [rows.contact(crm, f"c{number}") for number in range(5)])[::-1],
        "matches": [rows.match(author, contact) for author, contact in zip(authors, contacts, strict=True)][::-1],
        "tasks": [rows.task(crm=crm) for _ in range(5)][::-1],
        "brands": [rows.brand, *(rows._add(Brand(name=f"b{number}")) for number in range(4))],
    }
    for name, ids in made.items():
        assert walk(rows, name) == ids, name


def test_those_who_wait_are_paged_longest_first(rows: Rows) -> None:
    social = rows.connection()
    made = [
        rows.conversation(social, rows.author(f"a{hours}"), waiting_since=NOW - timedelta(hours=hours))
        for hours in range(5)
    ]
    assert walk(rows, "conversations", waiting=True) == made[::-1]


def test_a_cursor_of_another_list_is_refused(rows: Rows) -> None:
    connection, author = rows.connection(), rows.author("ada")
    for _ in range(3):
        rows.engagement(connection, author, at=NOW)
    with rows.db.tenant(rows.workspace_id) as session:
        _, cursor = listing.engagements(session, rows.workspace_id, limit=1)
        assert cursor
        with pytest.raises(paging.BadCursorError, match="Start again without a cursor"):
            listing.conversations(session, rows.workspace_id, after=cursor)


def encoded(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "garbage", "é", "=", "AAAA", encoded([]), encoded({}), encoded("engagements"), encoded(7), encoded(["engagements"]),
        encoded(["engagements", NOW.isoformat(), "not-an-id"]), encoded(["engagements", "yesterday", "4c3bcd98-aa82-4608-a6a0-e2e4b8a6b9bb"]),
        encoded(["engagements", "2026-05-04T12:00:00", str(uuid4())]), encoded(["engagements", None, None]),
        encoded(["engagements", NOW.isoformat(), str(uuid4()), "more"]), encoded(["engagements", 5, {}]), "W" * 512,
    ],
)  # fmt: skip
def test_garbage_is_refused_with_a_sentence(cursor: str) -> None:
    with pytest.raises(paging.BadCursorError):
        paging._read_cursor(listing.ENGAGEMENTS, cursor)


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_keeps_its_place(at: datetime, row_id: UUID) -> None:
    cursor = paging._cursor(listing.ENGAGEMENTS, {"posted_at": at, "id": row_id})
    assert cursor.isascii()
    assert "=" not in cursor
    assert paging._read_cursor(listing.ENGAGEMENTS, cursor) == [at, row_id]


@given(st.text(max_size=80))
def test_no_text_gets_past_as_a_cursor(text: str) -> None:
    with pytest.raises(paging.BadCursorError):
        paging._read_cursor(listing.ENGAGEMENTS, text)


@pytest.mark.parametrize(
    ("chosen", "index"),
    [
        (listing.ENGAGEMENTS, "ix_engagements_posted"),
        (listing.CONVERSATIONS, "ix_conversations_last"),
        (listing.WAITING, "ix_conversations_waiting"),
        (listing.TASKS, "ix_tasks_list"),
        (listing.CONTACTS, "pk_contacts"),
        (listing.MATCHES, "pk_matches"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_page_starts_in_the_index_under_row_level_security(rows: Rows, chosen: paging.Listing, index: str) -> None:
    """What makes the last page as cheap as the first: the place is a condition of the index, not a filter on its rows."""
    types = {datetime: "timestamptz", UUID: "uuid"}
    values = {datetime: NOW, UUID: uuid4()}
    params: dict[str, Any] = {"w": rows.workspace_id, "n": 50}
    after = chosen.after
    for number, (_, _, kind) in enumerate(chosen.keys):
        params[f"after_{number}"] = values[kind]
        after = after.replace(f"%(after_{number})s", f"%(after_{number})s::{types[kind]}")
    statement = f"EXPLAIN {chosen.select} AND {chosen.where} AND {after} ORDER BY {chosen.order} LIMIT %(n)s"
    with rows.db.tenant(rows.workspace_id) as session:
        connection = raw(session)
        connection.execute("SET LOCAL enable_seqscan = off")
        connection.execute("SET LOCAL enable_bitmapscan = off")
        connection.execute("SET LOCAL enable_sort = off")
        plan = [row[0] for row in connection.execute(statement.encode(), params).fetchall()]
    start = next(number for number, line in enumerate(plan) if f"using {index}" in line)
    condition = next(line for line in plan[start:] if "Index Cond" in line)
    assert chosen.keys[0][1] in condition
    assert "<" in condition or ">" in condition
