"""Migrations run while the version before serves: what a migration may say, and that nobody notices one."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import StringIO
from pathlib import Path

import psycopg
import pytest
import requests
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as Access
from sqlalchemy import create_engine, text

from integrations.registry import providers
from service import accounts, backups, connect, database_roles, db, embedded
from service.config import Config
from service.errors import PlainError
from service.models import Connection, Stream
from service.processes import Process
from service.runtime import Runtime
from tests.conftest import Member
from tests.processes import PATIENCE, running, wait_for, web
from tests.workers.slow_host import PAGES, manifest

NEXT = Path(__file__).parent / "migrating"
FIRST = "0001"  # makes everything anew, so nobody serves meanwhile

# --- what a migration may say -----------------------------------------------------------------------------------------

# Matters of taste, and what `service.db.migrate` sees to itself (time limits, and that a try which was broken off is rolled back).
TASTE = (
    "prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-identity", "prefer-robust-stmts", "prefer-text-field",
    "prefer-timestamp-tz", "require-timeout-settings", "ban-char-field", "ban-drop-constraint",
)  # fmt: skip
# For a migration that only takes away what no version reads any more, and says so: `contract = "... since version ..."`.
TAKES_AWAY = ("ban-drop-column", "ban-drop-table", "ban-drop-not-null")


def complaints(sql: str, *excluded: str) -> list[str]:
    """The rules that squawk finds broken in these statements."""
    argv = [Path(sys.executable).parent / "squawk", "--reporter", "Json", "--pg-version", "15.0"]
    argv += [f"--exclude={','.join([*TASTE, *excluded])}", "--stdin-filepath", "migration.sql"]
    done = subprocess.run(argv, input=sql, capture_output=True, text=True, check=False)
    assert done.stderr == "", done.stderr
    return sorted({each["rule_name"] for each in json.loads(done.stdout or "[]")})


def written(config: AlembicConfig, since: str, until: str) -> str:
    """A migration's statements, with the transactions around them."""
    config.output_buffer = buffer = StringIO()
    command.upgrade(config, f"{since}:{until}", sql=True)
    return buffer.getvalue()


def verdicts(config: AlembicConfig) -> dict[str, list[str]]:
    """What each migration after the first does that would stop those who serve."""
    found = {}
    for script in ScriptDirectory.from_config(config).walk_revisions():
        if script.revision != FIRST:
            assert isinstance(script.down_revision, str), f"{script.revision}: one after the other"
            excluded = TAKES_AWAY if getattr(script.module, "contract", "") else ()
            sql = written(config, script.down_revision, script.revision)
            found[script.revision] = complaints(sql, *excluded)
    return found


@pytest.fixture
def upcoming(tmp_path: Path) -> AlembicConfig:
    """Our migrations, and two that a next version might bring."""
    config = db._alembic()
    head = ScriptDirectory.from_config(config).get_current_head()
    folder = tmp_path / "versions"
    folder.mkdir()
    for name in ("next_version.py", "next_index.py"):
        said = (NEXT / name).read_text().replace("down_revision = None ", f"down_revision = {head!r} ")
        (folder / name).write_text(said)
    ours = Path(db.__file__).parent / "migrations" / "versions"
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{ours}\n{folder}")
    return config


def test_no_migration_stops_those_who_serve() -> None:
    assert {each: found for each, found in verdicts(db._alembic()).items() if found} == {}


def test_columns_tables_constraints_and_indexes_can_be_added_that_way(upcoming: AlembicConfig) -> None:
    found = verdicts(upcoming)
    assert found["0002_next"] == found["0003_next"] == []
    assert "CREATE INDEX CONCURRENTLY" in written(upcoming, "0002_next", "0003_next")


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("ALTER TABLE tasks ADD COLUMN a text NOT NULL", "adding-required-field"),
        ("ALTER TABLE tasks ADD COLUMN a uuid GENERATED ALWAYS AS (id) STORED", "adding-field-with-default"),
        ("ALTER TABLE tasks ALTER COLUMN key SET NOT NULL", "adding-not-nullable-field"),
        ("ALTER TABLE tasks ALTER COLUMN score TYPE bigint", "changing-column-type"),
        ("ALTER TABLE tasks RENAME COLUMN key TO name", "renaming-column"),
        ("ALTER TABLE tasks RENAME TO todos", "renaming-table"),
        ("ALTER TABLE tasks DROP COLUMN key", "ban-drop-column"),
        ("DROP TABLE tasks", "ban-drop-table"),
        ("CREATE INDEX a ON tasks (key)", "require-concurrent-index-creation"),
        ("DROP INDEX a", "require-concurrent-index-deletion"),
        ("ALTER TABLE tasks ADD CONSTRAINT a CHECK (score > 0)", "constraint-missing-not-valid"),
        (
            "ALTER TABLE tasks ADD CONSTRAINT a FOREIGN KEY (key) REFERENCES other (id)",
            "adding-foreign-key-constraint",
        ),
        ("ALTER TABLE tasks ADD CONSTRAINT a UNIQUE (key)", "disallowed-unique-constraint"),
    ],
)
def test_what_would_stop_them_is_found(statement: str, rule: str) -> None:
    assert rule in complaints(f"BEGIN;\n{statement};\nCOMMIT;\n")


def test_what_nobody_reads_any_more_may_go_in_a_migration_that_says_so() -> None:
    sql = "ALTER TABLE tasks DROP COLUMN key;\n"
    assert complaints(sql) == ["ban-drop-column"]
    assert complaints(sql, *TAKES_AWAY) == []


# --- while others serve -----------------------------------------------------------------------------------------------


class Traffic:
    """Somebody who never stops asking. `codes` counts the answers by their status."""

    def __init__(self, address: str, key: str, connection: Connection) -> None:
        self.codes: Counter[int] = Counter()
        self._over = threading.Event()
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.headers["Authorization"] = f"Bearer {key}"
        self._asks: list[Callable[[], requests.Response]] = [
            lambda: self._http.get(f"{address}/v1/engagements?limit=5", timeout=PATIENCE),
            lambda: self._http.get(f"{address}/v1/tasks?limit=5", timeout=PATIENCE),
            lambda: self._http.post(f"{address}/v1/connections/{connection.id}/pull", timeout=PATIENCE),
        ]
        self._thread = threading.Thread(target=self._go)

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._http.close()

    def _go(self) -> None:
        while not self._over.is_set():
            for ask in self._asks:
                self.codes[ask().status_code] += 1


@pytest.fixture
def served(held: Runtime, owner: Member, config: Config, tmp_path: Path) -> Iterator[tuple[str, Process]]:
    """Web, scheduler and workers on two hosts of this version, at work on an account whose network answers at once: the web's address,
    and one of the hosts. They share a PostgreSQL and a Valkey and nothing else."""
    pages = tmp_path / "pages"
    pages.mkdir()
    for number in range(1, PAGES + 1):
        (pages / f"let-{number}").touch()
    providers()["slow"] = manifest(pages)
    connect.connect_with_secret(held, owner.caller, "slow", None, {})
    with ExitStack() as stack:
        _, address = stack.enter_context(web(config))
        hosts = [
            stack.enter_context(
                running(
                    config,
                    "-m",
                    "tests.workers.slow_host",
                    str(pages),
                    WARMLINE_WORKERS="1",
                    WARMLINE_HOME=str(tmp_path / name),
                )
            )
            for name in ("one", "another")
        ]
        scheduler = stack.enter_context(running(config, "-m", "workers", "scheduler"))
        wait_for(lambda: stream(held, owner).items == PAGES, scheduler, "the first pull")
        yield address, hosts[0]
    providers().pop("slow")


def stream(held: Runtime, owner: Member) -> Stream:
    with held.db.tenant(owner.workspace_id) as session:
        return session.query(Stream).filter_by(name="mentions").one()


@pytest.mark.own_database
def test_nobody_notices_a_migration(
    held: Runtime, owner: Member, config: Config, served: tuple[str, Process], upcoming: AlembicConfig, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    key = accounts.create_api_key(held.db, owner.workspace_id, owner.user_id, "test", ["read", "write"])
    with held.db.tenant(owner.workspace_id) as session:
        account = session.query(Connection).one()
    monkeypatch.setattr(db, "_alembic", lambda: upcoming)
    monkeypatch.setattr(db, "LOCK_WAIT", "300ms")
    waits: list[float] = []
    address, host = served
    with psycopg.connect(_dsn(config)) as report, Traffic(address, key, account) as traffic:
        report.execute("SELECT count(*) FROM engagements").fetchone()  # a long report, in the way of the first try

        def pause(seconds: float) -> None:
            waits.append(seconds)
            report.commit()

        db.migrate(config.need("database_admin_url"), config.database_url, config.database_scheduler_url, pause=pause)
        before = stream(held, owner).last_pulled_at
        _until(lambda: stream(held, owner).last_pulled_at != before)  # they go on afterwards
        _until(lambda: sum(traffic.codes.values()) > 30)
        host.terminate()  # and its upgrade begins
        assert host.wait(PATIENCE) == 0
        before = stream(held, owner).last_pulled_at
        _until(lambda: stream(held, owner).last_pulled_at != before)  # the other one goes on alone
        assert waits
        assert report.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'engagements_by_speech'::regclass").fetchone() == (True,)  # fmt: skip
    assert set(traffic.codes) <= {200, 202}, traffic.codes
    assert (stream(held, owner).failures, stream(held, owner).error) == (0, "")


def _dsn(config: Config) -> str:
    return config.need("database_admin_url").replace("+psycopg", "")


def _until(met: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(PATIENCE * 20):
        if met():
            return
        waiting.wait(0.05)
    raise AssertionError("it never came")


@pytest.mark.own_database
def test_a_table_that_stays_in_use_is_left_as_it_is_and_said(
    config: Config, upcoming: AlembicConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "_alembic", lambda: upcoming)
    monkeypatch.setattr(db, "LOCK_WAIT", "20ms")
    monkeypatch.setattr(db, "ATTEMPTS", 3)
    waits: list[float] = []
    with psycopg.connect(_dsn(config)) as backup:
        backup.execute("SELECT count(*) FROM tasks").fetchone()
        with pytest.raises(PlainError, match="stayed in use"):
            db.migrate(config.need("database_admin_url"), pause=waits.append)
        assert backup.execute("SELECT version_num FROM alembic_version").fetchone() == (FIRST,)
        assert backup.execute("SELECT to_regclass('speeches')").fetchone() == (None,)
    assert len(waits) == 2


# --- versions side by side --------------------------------------------------------------------------------------------


ROLES = {"database_url": database_roles.application, "database_scheduler_url": database_roles.scheduler}


@pytest.mark.parametrize("role", ROLES)
def test_a_newer_version_does_not_start_before_its_migration(
    config: Config, upcoming: AlembicConfig, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    engine = create_engine(config.need(role))
    db.check_at_start(engine, ROLES[role])
    monkeypatch.setattr(db, "_alembic", lambda: upcoming)
    with pytest.raises(PlainError, match=r"is older than this Warmline\. Run `warmline migrate`"):
        db.check_at_start(engine, ROLES[role])
    engine.dispose()


@pytest.mark.own_database
def test_the_version_before_starts_beside_a_newer_schema(
    config: Config, upcoming: AlembicConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(db, "_alembic", lambda: upcoming)
        db.migrate(config.need("database_admin_url"))
    engine = create_engine(config.need("database_url"))
    db.check_at_start(engine, database_roles.application)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0003_next"
    engine.dispose()


def test_a_database_that_is_away_is_waited_for(config: Config, tmp_path: Path) -> None:
    engine = create_engine(f"postgresql+psycopg://nobody@/nowhere?host={tmp_path}")
    db.check_at_start(engine, database_roles.application)


@pytest.mark.parametrize(
    ("check", "user", "why"),
    [
        (database_roles.scheduler, embedded.APP, "sees more than the schedule"),
        (database_roles.scheduler, embedded.OWNER, "sees more than the schedule"),
        (database_roles.scheduler, "postgres", "sees more than the schedule"),
        (database_roles.application, embedded.OWNER, "row-level security does not hold"),
        (database_roles.application, "postgres", "row-level security does not hold"),
    ],
)
def test_a_process_that_nobody_watches_does_not_start_as_another_role_than_its_own(
    template: embedded.Postgres, database: str, check: Callable[[Access], str], user: str, why: str
) -> None:
    engine = create_engine(template.url(user, database))
    with pytest.raises(PlainError, match=why):
        db.check_at_start(engine, check)
    engine.dispose()


def test_a_database_that_is_away_when_it_is_to_be_migrated_is_called_by_the_owners_address(tmp_path: Path) -> None:
    with pytest.raises(PlainError, match=r"Start it, or check DATABASE_ADMIN_URL\.$"):
        db.migrate(f"postgresql+psycopg://nobody@/nowhere?host={tmp_path}")


def test_a_database_that_is_away_when_it_is_to_be_saved_is_called_by_its_own_address(tmp_path: Path) -> None:
    with pytest.raises(PlainError, match=r"Start it, or check DATABASE_BACKUP_URL\.$"):
        backups.Snapshot(f"postgresql+psycopg://nobody@/nowhere?host={tmp_path}").__enter__()
