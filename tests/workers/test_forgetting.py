"""People of whom nothing is left to keep: they are forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from integrations.provider import Deadline
from service.db import raw
from service.store import keeping
from service.store.rows import execute
from tests.service.rows import Rows
from tests.workers.conftest import World
from tests.workers.keeping import BEN, goes_by, keep, texts, with_deadline


def days_later(world: World, days: int) -> None:
    """So many days later the hour is over."""
    world.passes(timedelta(days=days))
    world.sql("UPDATE errands SET looked_at = looked_at - CAST(:t AS interval)", t=timedelta(days=days))
    keep(world)


def known(world: World) -> list[str]:
    """Handles that are kept, in order."""
    return [row[0] for row in world.sql("SELECT handle FROM authors WHERE handle <> '' ORDER BY handle")]


@pytest.mark.parametrize("how", ["deleted at its source", "not followed in time"])
def test_whoever_has_said_nothing_for_as_long_as_texts_are_kept_is_forgotten_however_the_last_text_went(
    connected: World, how: str
) -> None:
    connected.says("@brand Nice shop in Faro", id="p1", who=BEN, ago=timedelta(days=2))
    connected.answers("Thank you!", id="p2", to="p1", whom=BEN)
    connected.run()
    if how == "deleted at its source":
        connected.social.delete("p1")
        goes_by(connected, timedelta(days=8))
        connected.look(streams=("recheck",))
    else:
        with_deadline(connected, Deadline(timedelta(hours=24), "https://social.example/rules"))
        goes_by(connected, timedelta(hours=25))
    connected.set(retention_days=30)
    keep(connected)
    assert texts(connected)["p1"] == ""
    days_later(connected, 27)
    assert "ben" in known(connected)
    days_later(connected, 2)
    assert "ben" not in known(connected)
    assert connected.sql("SELECT name, bio, url FROM authors WHERE native_id = 'b1'") == [("", "", "")]


def somebody(world: World, handle: str, ago: timedelta = timedelta(days=400), **post: Any) -> UUID:
    """An author with one post, so long ago, that was deleted at its source."""
    rows = Rows(world.runtime.db, world.workspace_id, world.now)
    at = world.now - ago
    author = rows.author(handle, native_id=handle)
    rows.engagement(
        world.connection("social").id, author, at=at, **{"native_id": handle, "text": "", "deleted_at": at, **post}
    )
    return author


def test_profiles_are_looked_through_once_a_day_part_by_part(connected: World, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(connected)
    monkeypatch.setattr(keeping, "BATCH", 2)
    for number in range(5):
        somebody(connected, f"gone{number}")
    somebody(connected, "ours", ours=True)
    somebody(connected, "kept", timedelta(days=3), text="Nice", deleted_at=None)
    keep(connected)
    assert len(known(connected)) == 7
    days_later(connected, 1)
    assert known(connected) == ["kept", "ours"]


def test_a_worker_that_dies_while_profiles_are_looked_through_is_followed_by_one_that_goes_on(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "BATCH", 1)
    connected.run()
    for number in range(3):
        somebody(connected, f"gone{number}")
    looked: list[UUID | None] = []
    look = keeping.past_profiles

    def dies(*args: Any) -> Any:
        looked.append(args[-1])
        if len(looked) == 2:
            raise RuntimeError("the worker dies")
        return look(*args)

    monkeypatch.setattr(keeping, "past_profiles", dies)
    days_later(connected, 1)
    assert known(connected) == ["gone1", "gone2"]
    keep(connected)
    assert known(connected) == []
    assert looked[1] == looked[2] is not None


def test_whom_a_crm_knew_is_forgotten_when_it_knows_them_no_more(connected: World) -> None:
    connected.run()
    rows = Rows(connected.runtime.db, connected.workspace_id, connected.now)
    contact = rows.contact(connected.connection("crm").id, "Ana Ferrer")
    rows.match(somebody(connected, "ana"), contact, state="confirmed")
    days_later(connected, 1)
    assert known(connected) == ["ana"]
    connected.sql("UPDATE contacts SET deleted_at = now() - interval '31 days'")
    days_later(connected, 1)
    assert known(connected) == []


@pytest.mark.own_database
def test_profiles_are_looked_through_by_indexes_under_row_level_security(connected: World) -> None:
    some, social = somebody(connected, "one"), connected.connection("social").id
    connected.sql(
        "INSERT INTO engagements (workspace_id, id, connection_id, brand_id, native_id, kind, ours, author_id, thread, mentions, text, url,"
        " is_repost, posted_at, received_at, checked_at, parent_missing) SELECT e.workspace_id, gen_random_uuid(), e.connection_id, e.brand_id,"
        " n::text, e.kind, e.ours, gen_random_uuid(), n::text, e.mentions, e.text, e.url, false, e.posted_at, e.received_at, e.checked_at, false"
        " FROM engagements e, generate_series(1, 2000) n"
    )
    connected.sql("ANALYZE engagements")  # whatever other tests have left there
    params = {
        "w": connected.workspace_id, "after": UUID(int=0), "n": 1000, "ids": [some], "connections": [social],
        "befores": [connected.now], "created": connected.now,
    }  # fmt: skip
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        for way in ("seqscan", "bitmapscan"):
            session.execute(text(f"SET LOCAL enable_{way} = off"))
        looked, past = (
            "\n".join(row[0] for row in execute(raw(session), f"EXPLAIN {statement}", params))
            for statement in (keeping._PROFILES, keeping._PAST)
        )
    assert "using ix_authors_known" in looked
    assert "id >" in looked.partition("Index Cond")[2]
    assert past.count("using ix_engagements_author") == 2
