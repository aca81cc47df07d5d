"""Backups: whole, checked, without keys; and a restore that loses nothing of what was there until it stands."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import sql
from sqlalchemy import text

from service import accounts, backups, binaries, database_roles, db, embedded, pgtools, rekeying, restoring
from service.backups import DUMP, MANIFEST, PEOPLE
from service.clock import real_now
from service.commands import backup
from service.config import Config
from service.errors import PlainError
from service.runtime import Runtime
from tests.conftest import KEY, Member, make_member
from tests.service.demo.conftest import warmline

pytestmark = pytest.mark.own_database  # a restore puts another schema in the place of the one that is there


@pytest.fixture
def config(config: Config, template: embedded.Postgres, database: str) -> Config:
    return replace(config, database_backup_url=template.url("postgres", database))


@pytest.fixture
def saved(held: Runtime, owner: Member, config: Config, tmp_path: Path) -> Path:
    """A backup of a database with one workspace."""
    made = save(config, tmp_path / "backups")
    held.db.engine.dispose()
    return made


@pytest.fixture
def elsewhere(config: Config, template: embedded.Postgres) -> Iterator[Config]:
    """An empty database, as another machine has it."""
    name = f"t_{uuid4().hex}"
    with template.connect(database="postgres") as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(embedded.OWNER))
        )
        yield replace(
            config,
            database_url=template.url(database=name),
            database_admin_url=template.url(embedded.OWNER, name),
            database_scheduler_url=template.url(embedded.SCHEDULER, name),
            database_backup_url=template.url("postgres", name),
        )
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def save(config: Config, folder: Path, *, people_only: bool = False) -> Path:
    return backups.make(
        folder, config.need("database_backup_url"), config.need("database_url"), people_only=people_only
    )


def one(config: Config, query: str) -> object:
    """As a superuser, who sees all."""
    with psycopg.connect(config.need("database_backup_url").replace("+psycopg", "")) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row and row[0]


# --- saving -----------------------------------------------------------------------------------------------------------


def test_a_backup_says_what_it_is_and_counts_every_row(saved: Path, config: Config) -> None:
    made = backups.read(saved)
    assert made.schema in db.revisions()
    assert made.rows["workspaces"] == made.rows["users"] == 1
    assert made.rows["settings"] == one(config, "SELECT count(*) FROM settings") != 0
    assert set(made.sha256) == {DUMP, PEOPLE}
    assert {path.stat().st_mode & 0o077 for path in (saved, *saved.iterdir())} == {0}


def test_no_key_is_in_it(saved: Path) -> None:
    [secret] = KEY.values()
    assert not any(
        secret in path.read_bytes() or secret.hex().encode() in path.read_bytes() for path in saved.iterdir()
    )


def test_it_is_one_instant_though_others_write_meanwhile(
    held: Runtime, owner: Member, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = pgtools.dump

    def slow(*arguments: object) -> None:
        make_member(held, "Late", "lena@late.test")  # after the count, before the dump
        dump(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(pgtools, "dump", slow)
    made = save(config, tmp_path / "backups")
    assert backups.read(made).rows["workspaces"] == 1
    held.db.engine.dispose()
    restoring.restore(config, made, force=True)  # counts what came back
    assert one(config, "SELECT count(*) FROM workspaces") == 1


def test_a_role_that_does_not_see_everything_is_refused(
    held: Runtime, owner: Member, config: Config, tmp_path: Path
) -> None:
    with pytest.raises(PlainError, match=r"would not be whole.*BYPASSRLS"):
        save(replace(config, database_backup_url=config.database_admin_url), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_that_breaks_off_leaves_nothing_behind(
    held: Runtime, owner: Member, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise PlainError("pg_dump failed: No space left on device")

    monkeypatch.setattr(pgtools, "dump", full)
    with pytest.raises(PlainError, match="No space left"):
        save(config, tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_disk_that_is_full_for_the_list_of_people_is_told_in_a_sentence(
    held: Runtime, owner: Member, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(backups, "_write", full)
    with pytest.raises(PlainError, match=r"/backups cannot be written to \(No space left on device\)"):
        save(config, tmp_path / "backups", people_only=True)
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_folder_that_is_none_is_not_taken_for_another_backup_that_runs(tmp_path: Path) -> None:
    with pytest.raises(PlainError, match=r"^/dev/null is no folder\. Name another one\.$"):
        backups.make(Path("/dev/null"), "postgresql://x", "postgresql://x")


def test_a_password_is_not_on_the_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "pg_dump"
    program.write_text(
        '#!/bin/sh\ncase "$1" in --version) echo "pg_dump (PostgreSQL) 99.1";; *) echo "$@" "$PGPASSWORD" >&2; exit 1;; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("WARMLINE_PG_BIN", str(tmp_path))
    with pytest.raises(PlainError) as refusal:
        pgtools.dump("postgresql+psycopg://me:secret@db.example/warmline", 18, "snapshot", tmp_path / "x")
    said = str(refusal.value)
    assert said.endswith("secret")  # in the environment
    assert said.count("secret") == 1


def test_a_dump_that_fails_names_the_folder_and_what_the_program_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\necho 'pg_dump: error: could not write: No space left on device' >&2\nexit 1\n")
    program.chmod(0o700)
    monkeypatch.setattr(binaries, "tool", lambda *_: program)
    with pytest.raises(PlainError) as raised:
        pgtools.dump("postgresql+psycopg://me@db.example/warmline", 18, "snapshot", tmp_path / "saved" / "x")
    said = f"pg_dump failed while it wrote to {tmp_path}/saved: could not write: No space left on device"
    assert str(raised.value) == said


def test_older_programs_than_the_server_are_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WARMLINE_PG_BIN", str(tmp_path))
    with pytest.raises(PlainError, match="No pg_dump of PostgreSQL 18 or newer was found"):
        binaries.tool("pg_dump", 18)


def test_backups_age_out_and_the_newest_whole_one_stays(saved: Path, config: Config, tmp_path: Path) -> None:
    folder = saved.parent
    (folder / "notes").mkdir()
    older = folder / "older"
    os.rename(saved, older)
    said = json.loads((older / MANIFEST).read_text())
    (older / MANIFEST).write_text(json.dumps({**said, "made_at": (real_now() - timedelta(days=40)).isoformat()}))
    assert backups.prune(folder, timedelta(days=35)) == []
    newer = save(config, folder)
    assert backups.prune(folder, timedelta(days=35)) == [older]
    assert {path.name for path in folder.iterdir()} == {"notes", newer.name}


def test_backups_that_may_be_kept_for_no_day_go_but_for_what_was_just_made(
    held: Runtime, owner: Member, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for earlier, people_only in ((2, False), (1, True)):
        monkeypatch.setattr(backups, "real_now", lambda earlier=earlier: real_now() - timedelta(minutes=earlier))
        made.append(save(config, tmp_path, people_only=people_only))
    monkeypatch.undo()
    assert backups.prune(tmp_path, timedelta(0)) == []
    newest = save(config, tmp_path)
    assert backups.prune(tmp_path, timedelta(0)) == made
    assert list(tmp_path.iterdir()) == [newest]


@pytest.mark.parametrize(
    ("typed", "env", "days"),
    [
        ((), {}, 35),
        ((), {"WARMLINE_BACKUP_DAYS": "7"}, 7),
        ((), {"WARMLINE_BACKUP_DAYS": "0"}, 0),
        (("--keep", "3"), {"WARMLINE_BACKUP_DAYS": "7"}, 3),
        (("--keep", "0"), {"WARMLINE_BACKUP_DAYS": "7"}, 0),
    ],
)
def test_backups_are_kept_for_as_long_as_was_said_though_that_be_no_day(
    typed: tuple[str, ...], env: dict[str, str], days: int, saved: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []

    def prune(_: Path, keep: timedelta) -> list[Path]:
        kept.append(keep)
        return []

    monkeypatch.setattr(backups, "make", lambda *_, **__: saved)
    monkeypatch.setattr(backups, "prune", prune)
    urls = {"DATABASE_URL": config.need("database_url"), "DATABASE_BACKUP_URL": config.need("database_backup_url")}
    done = CliRunner().invoke(backup.command, [str(saved.parent), *typed], env={**urls, **env})
    assert done.exit_code == 0, done.output
    assert kept == [timedelta(days=days)]


def test_backups_cannot_be_kept_for_less_than_no_day(tmp_path: Path) -> None:
    done = CliRunner().invoke(backup.command, [str(tmp_path), "--keep", "-1"])
    assert (done.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "-1 is not in the range 0<=x<=3650" in done.output


# --- restoring --------------------------------------------------------------------------------------------------------


def test_everything_comes_back_on_another_machine_and_stays_apart(
    saved: Path, config: Config, elsewhere: Config, owner: Member
) -> None:
    said = restoring.restore(elsewhere, saved)
    assert said[0].startswith("Restored as of ")
    runtime = Runtime(elsewhere)
    runtime.db.check_role()
    with runtime.db.globally() as session:
        assert session.execute(text("SELECT count(*) FROM settings")).scalar() == 0  # without a workspace
    with runtime.db.tenant(owner.workspace_id) as session:
        assert session.execute(text("SELECT count(*) FROM settings")).scalar() == 1
    runtime.db.engine.dispose()
    owners = "SELECT string_agg(DISTINCT tableowner, ',') FROM pg_tables WHERE schemaname = 'public'"
    assert one(elsewhere, owners) == one(config, owners) == embedded.OWNER
    grants = (
        "SELECT md5(string_agg(concat_ws(' ', table_name, column_name, grantee, privilege_type), '|' ORDER BY 1, table_name, column_name, grantee,"
        " privilege_type)) FROM information_schema.column_privileges WHERE grantee LIKE 'warmline%'"
    )
    assert one(elsewhere, grants) == one(config, grants)
    policies = "SELECT md5(string_agg(concat_ws(' ', tablename, policyname, roles, qual, with_check), '|' ORDER BY tablename, policyname)) FROM pg_policies"
    assert one(elsewhere, policies) == one(config, policies)
    again = save(elsewhere, saved.parent / "again")
    restoring.restore(elsewhere, again, force=True)  # and once more, from what came back
    assert one(elsewhere, policies) == one(config, policies)


def test_what_stands_there_is_not_overwritten_unless_asked(saved: Path, config: Config) -> None:
    with pytest.raises(PlainError, match=r"holds 1 workspace,.*--force"):
        restoring.restore(config, saved)
    assert one(config, "SELECT count(*) FROM workspaces") == 1


def test_a_database_in_use_is_left_alone(saved: Path, config: Config, held: Runtime) -> None:
    with held.db.engine.connect(), pytest.raises(PlainError, match=r"in use \(1 connection\)\. Stop web"):
        restoring.restore(config, saved, force=True)


def test_a_newer_versions_backup_is_refused(saved: Path, config: Config) -> None:
    said = json.loads((saved / MANIFEST).read_text())
    (saved / MANIFEST).write_text(json.dumps({**said, "schema": "9999", "warmline": "9.0"}))
    with pytest.raises(PlainError, match=r"newer Warmline \(9\.0, schema 9999\)"):
        restoring.restore(config, saved, force=True)
    (saved / MANIFEST).write_text(json.dumps({**said, "format": 2, "warmline": "9.0"}))
    with pytest.raises(PlainError, match=r"newer Warmline \(9\.0\)"):
        restoring.restore(config, saved, force=True)


def test_a_damaged_one_is_refused(saved: Path, config: Config) -> None:
    with (saved / DUMP).open("r+b") as file:
        file.seek(200)
        file.write(b"x")
    with pytest.raises(PlainError, match="missing or damaged"):
        restoring.restore(config, saved, force=True)
    (saved / MANIFEST).unlink()
    with pytest.raises(PlainError, match="is no backup of Warmline's"):
        restoring.restore(config, saved, force=True)


def test_one_that_is_not_whole_leaves_what_was_there(saved: Path, config: Config, held: Runtime) -> None:
    accounts.ensure_workspace(held.db, "Since", "sam@since.test")
    held.db.engine.dispose()
    said = json.loads((saved / MANIFEST).read_text())
    said["rows"]["users"] += 1
    (saved / MANIFEST).write_text(json.dumps(said))
    with pytest.raises(PlainError, match="not whole: users came back"):
        restoring.restore(config, saved, force=True)
    assert one(config, "SELECT count(*) FROM workspaces") == 2


def test_one_that_was_killed_in_the_middle_is_taken_back_by_the_next(
    saved: Path, config: Config, held: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.ensure_workspace(held.db, "Since", "sam@since.test")
    held.db.engine.dispose()
    with psycopg.connect(config.need("database_admin_url").replace("+psycopg", "")) as killed:
        killed.execute(f"ALTER SCHEMA public RENAME TO {db.BEFORE_RESTORE}".encode())
        killed.execute(b"CREATE SCHEMA public")
    with pytest.raises(PlainError, match="holds 2 workspaces"):
        restoring.restore(config, saved)
    assert one(config, "SELECT count(*) FROM workspaces") == 2


def test_one_that_fails_at_its_last_step_leaves_what_was_there(
    saved: Path, config: Config, held: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.ensure_workspace(held.db, "Since", "sam@since.test")
    held.db.engine.dispose()

    def away(_: Runtime) -> None:
        raise PlainError("PostgreSQL cannot be reached")

    monkeypatch.setattr(rekeying, "resting", away)
    with pytest.raises(PlainError, match="cannot be reached"):
        restoring.restore(config, saved, force=True)
    assert one(config, "SELECT count(*) FROM workspaces") == 2


def test_whoever_hangs_up_as_a_restore_begins_is_waited_for(
    saved: Path, config: Config, held: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    still_there = held.db.engine.connect()

    def hang_up(_: float) -> None:
        still_there.close()
        held.db.engine.dispose()

    monkeypatch.setattr(time, "sleep", hang_up)
    restoring.restore(config, saved, force=True)
    assert one(config, "SELECT count(*) FROM workspaces") == 1


def test_nothing_works_on_half_a_restore_or_takes_it_back_from_under_whoever_does(
    saved: Path, config: Config, held: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "HANGS_UP", 0.0)
    with psycopg.connect(config.need("database_admin_url").replace("+psycopg", "")) as killed:
        killed.execute(f"CREATE SCHEMA {db.BEFORE_RESTORE}".encode())
    with pytest.raises(PlainError, match="A restore is under way, or was broken off"):
        db.check_at_start(held.db.engine, database_roles.application)
    with held.db.engine.connect(), pytest.raises(PlainError, match="The database is in use"):
        restoring.restore(config, saved, force=True)
    assert one(config, "SELECT count(*) FROM workspaces") == 1


def test_what_has_to_be_done_afterwards_is_said(saved: Path, config: Config, owner: Member, tmp_path: Path) -> None:
    assert one(config, "SELECT count(*) FROM sessions") == 1
    with psycopg.connect(config.need("database_backup_url").replace("+psycopg", "")) as connection:
        sealed = "INSERT INTO provider_apps (provider, host, client_id, sealed, hosts) VALUES ('x', '', 'id', 'v1.gone.abc', '{}')"
        connection.execute(sealed.encode())
        factor = "INSERT INTO second_factors (id, user_id, link_by, sealed, last_step) SELECT gen_random_uuid(), id, '', 'v1.test.x', 0 FROM users"
        connection.execute(factor.encode())
        waits = (
            "INSERT INTO pending_signins (token_hash, user_id, factor_id, workspace_id, confined, began, link_by, onward, expires_at)"
            " SELECT 'x', u.id, f.id, w.id, false, 'password', '', '', now() + interval '1 day' FROM users u, second_factors f, workspaces w"
        )
        connection.execute(waits.encode())
        connection.commit()
        made = save(config, tmp_path / "more")
        connection.execute("DELETE FROM workspaces")
        connection.execute("INSERT INTO workspaces (id, name) VALUES (gen_random_uuid(), 'Another')")
    *_, again, keys, deleted = restoring.restore(config, made, force=True)
    assert "sealed under keys that are not here (gone)" in keys
    assert f"stand there again: {owner.workspace_id}" in deleted
    assert "second factors are those of that day" in again
    assert one(config, "SELECT count(*) FROM second_factors") == 1
    assert one(config, "SELECT count(*) FROM sessions") == one(config, "SELECT count(*) FROM pending_signins") == 0


# --- the commands -----------------------------------------------------------------------------------------------------


def test_a_folder_in_which_nothing_is_kept_is_not_saved_and_no_server_is_made_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = warmline(home, "backup", str(tmp_path / "saved"))
    assert made.returncode == 1
    assert f"Nothing is kept in {home} yet." in made.stderr
    assert not (home / "postgres").exists()
    assert not (tmp_path / "saved").exists()


def test_the_data_folder_is_saved_and_restored_by_two_commands(tmp_path: Path) -> None:
    """Nothing runs: the commands start the folder's own server."""
    home = tmp_path / "home"
    with embedded.postgres(home, fsync=False) as server:
        db.migrate(server.admin_url, server.url(), server.scheduler_url)
        database = db.Database(server.url())
        accounts.ensure_workspace(database, "Acme", "olga@acme.test")
        database.engine.dispose()
    made = warmline(home, "backup", str(tmp_path / "saved"), "--json")
    assert made.returncode == 0, made.stderr
    done = warmline(home, "restore", json.loads(made.stdout)["folder"], "--force")
    assert done.returncode == 0, done.stderr
    assert "1 workspace," in done.stdout
