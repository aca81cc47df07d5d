"""What is noted of posts that a network was asked for again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.models import Connection, Engagement
from service.runtime import Runtime
from service.store import streams
from tests.conftest import Member
from tests.service.locks import waits_for_a_lock
from tests.service.rows import Rows

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_posts_are_locked_in_the_order_in_which_a_pull_stores_them(held: Runtime, owner: Member) -> None:
    """Else a pull and a sweep of one account, which come upon the same posts, wait for each other."""
    rows = Rows(held.db, owner.workspace_id, NOW)
    connection = rows.connection()
    author = rows.author("ana")
    # As they lie in the table, the last comes first.
    made = {each: rows.engagement(connection, author, at=NOW, native_id=each) for each in ("z", "m", "a")}

    def check() -> None:
        with held.db.tenant(owner.workspace_id) as session:
            streams.checked(session, session.get_one(Connection, (owner.workspace_id, connection)), made, {"z"})

    with ThreadPoolExecutor(1) as pool:
        with held.db.tenant(owner.workspace_id) as session:
            session.execute(select(Engagement).filter_by(id=made["a"]).with_for_update())
            waiting = pool.submit(check)
            while not waits_for_a_lock(held):
                assert not waiting.done()
            # Nothing that comes after it is held by whoever waits.
            session.execute(select(Engagement).filter_by(id=made["z"]).with_for_update(nowait=True))
        waiting.result()
    assert {each: noted(rows, row) for each, row in made.items()} == {
        "z": (True, False),
        "m": (False, True),
        "a": (False, True),
    }


def noted(rows: Rows, row: UUID) -> tuple[bool, bool]:
    """Whether the post counts as checked since, and as asked for without an answer."""
    found: Engagement = rows.get(Engagement, row)
    return found.checked_at > NOW, found.asked_at is not None


def test_where_nobody_was_asked_about_nothing_is_asked_of_the_database(owner: Member) -> None:
    with Session() as nowhere:
        streams.checked(nowhere, Connection(workspace_id=owner.workspace_id), (), ())
