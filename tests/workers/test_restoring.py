"""Work goes on from a restored backup: what happened since comes again, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from msgspec import structs
from sqlalchemy import text

from integrations.records import Author
from integrations.registry import providers
from service import backups, embedded, restoring
from service.config import Config
from service.db import scheduler_engine
from service.errors import PlainError
from service.store import erasing, objecting
from tests.fakes import crm as fake_crm
from tests.workers.conftest import World

pytestmark = pytest.mark.own_database  # a restore puts another schema in the place of the one that is there

BEN, CLEO = Author("a2", "ben", "Ben Okafor"), Author("a3", "cleo", "Cleo Marin")


@pytest.fixture
def config(config: Config, template: embedded.Postgres, database: str) -> Config:
    return replace(config, database_backup_url=template.url("postgres", database))


def saved(world: World, config: Config, folder: Path) -> Path:
    made = backups.make(folder, config.need("database_backup_url"), config.need("database_url"))
    world.runtime.db.engine.dispose()
    return made


def restored(world: World, config: Config, made: Path) -> None:
    world.runtime.db.engine.dispose()
    scheduler_engine(config.need("database_scheduler_url")).dispose()
    world.runtime.redis.flushall()
    restoring.restore(config, made, force=True)


def asks(world: World, who: Author, number: int) -> None:
    world.knows(who, id=f"c-{who.id}")
    world.says(f"Is the red one in stock, and do you ship to Spain? {number}", id=f"p{number}", who=who)


@pytest.mark.parametrize("unique", [True, False], ids=["a key that the CRM keeps apart", "no such key"])
def test_no_task_comes_twice_and_no_post_is_lost(
    connected: World, config: Config, tmp_path: Path, unique: bool
) -> None:
    connected.crm.unique = unique
    providers()["fakecrm"] = fake_crm.manifest(connected.crm)
    asks(connected, structs.replace(CLEO, id="a1", handle="ana"), 1)
    connected.look()
    made = saved(connected, config, tmp_path)
    asks(connected, BEN, 2)
    connected.look()
    asks(connected, CLEO, 3)
    connected.look()
    assert connected.crm.tasks_ever_created == 3

    restored(connected, config, made)
    assert len(connected.tasks()) == 1
    connected.run()  # nobody marks anything due
    connected.look()

    assert connected.crm.tasks_ever_created == 3
    assert sorted(task.external_id or "" for task in connected.tasks(state="open")) == sorted(connected.crm.tasks)
    assert {row[0] for row in connected.sql("SELECT native_id FROM engagements WHERE NOT ours")} == {"p1", "p2", "p3"}


def test_what_is_new_after_a_restore_is_not_sought(connected: World, config: Config, tmp_path: Path) -> None:
    asks(connected, BEN, 1)
    connected.look()
    made = saved(connected, config, tmp_path)
    restored(connected, config, made)
    with connected.runtime.db.tenant(
        connected.workspace_id
    ) as session:  # business time stands still, real time does not
        session.execute(text("UPDATE connections SET restored_at = :at WHERE kind = 'crm'"), {"at": connected.now})
    connected.passes(timedelta(hours=5))
    asks(connected, CLEO, 2)
    connected.look()
    *_, (_, (sent,)) = [call for call in connected.crm.script.calls if call[0] == "push_tasks"]
    assert [task.maybe_sent_at for task in sent] == [None]


def test_what_was_under_way_when_it_was_saved_is_due_and_belongs_to_nobody(
    connected: World, config: Config, tmp_path: Path
) -> None:
    connected.claim()  # and never done
    made = saved(connected, config, tmp_path)
    restored(connected, config, made)
    rows = connected.sql(
        "SELECT lease_id, lease_until, next_pull_at <= now() FROM streams UNION ALL SELECT lease_id, lease_until, decide_at IS NOT NULL"
        " FROM workspace_schedule"
    )
    assert rows
    assert {(row[0], row[1]) for row in rows} == {(None, None)}
    assert all(row[2] for row in rows)


def test_who_was_erased_since_is_erased_again(connected: World, config: Config, tmp_path: Path) -> None:
    asks(connected, BEN, 1)
    asks(connected, CLEO, 2)
    connected.look()
    made = saved(connected, config, tmp_path)
    [(ben,)] = connected.sql("SELECT id FROM authors WHERE native_id = 'a2'")
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        assert erasing.begin(session, connected.workspace_id, ben, by="system")
    connected.run()
    assert names(connected) == {"Cleo Marin"}

    restored(connected, config, made)
    assert names(connected) == {"Ben Okafor", "Cleo Marin"}  # an older backup holds them
    connected.run()
    connected.look()
    assert names(connected) == {"Cleo Marin"}


def test_the_list_of_people_outlives_the_database(connected: World, config: Config, tmp_path: Path) -> None:
    asks(connected, BEN, 1)
    connected.look()
    made = saved(connected, config, tmp_path)
    [(ben,)] = connected.sql("SELECT id FROM authors WHERE native_id = 'a2'")
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        assert objecting.begin(session, connected.workspace_id, ben, by="system")
    connected.run()
    url, app = config.need("database_backup_url"), config.need("database_url")
    people = backups.make(tmp_path / "people", url, app, people_only=True)
    connected.sql("DELETE FROM suppressions")  # the database is gone, and with it what it knew
    connected.sql("DELETE FROM person_requests")

    with pytest.raises(PlainError, match="nothing else"):
        restoring.restore(config, people, force=True)
    _lose_the_workspaces(connected, config)
    connected.runtime.db.engine.dispose()
    restoring.restore(config, made, people=people)
    [(objected,)] = connected.sql("SELECT objected_at IS NOT NULL FROM authors WHERE native_id = 'a2'")
    assert objected
    connected.run()
    assert connected.in_crm() == []


def _lose_the_workspaces(world: World, config: Config) -> None:
    world.runtime.db.engine.dispose()
    scheduler_engine(config.need("database_scheduler_url")).dispose()
    with psycopg.connect(config.need("database_backup_url").replace("+psycopg", "")) as connection:
        connection.execute("DELETE FROM workspaces")


def names(world: World) -> set[str]:
    return {row[0] for row in world.sql("SELECT name FROM authors WHERE name <> 'Brand'")}
