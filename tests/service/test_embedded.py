"""The embedded servers: where they listen, what they refuse, how they heal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from service import binaries, embedded, pgfolder
from service.errors import PlainError

ROOT = Path(__file__).parents[2]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can drop its rights")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder below a folder that only its owner may enter, as a clone under /root is."""
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    return closed / "home"


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[embedded.Postgres]:
    with embedded.postgres(home, fsync=False) as running:
        yield running


def scalar(server: embedded.Postgres, query: str) -> object:
    with server.connect() as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row
    return row[0]


@contextmanager
def another(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that runs both servers on `home`, and says when they stand."""
    code = (
        "import sys, time; from pathlib import Path; from service import embedded\n"
        "with embedded.postgres(Path(sys.argv[1]), fsync=False) as pg, embedded.valkey(Path(sys.argv[1])) as vk:\n"
        "    print(pg.process.pid, vk.process.pid, flush=True); sys.stdin.read()"
    )
    argv = [sys.executable, "-c", code, str(home)]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_server_listens_on_a_socket_in_its_folder_and_nowhere_else(server: embedded.Postgres, home: Path) -> None:
    assert scalar(server, "SHOW listen_addresses") == ""
    assert (home / "postgres" / ".s.PGSQL.5432").is_socket()


def test_nobody_else_can_reach_the_socket(server: embedded.Postgres, home: Path) -> None:
    assert (home / "postgres").stat().st_mode & 0o077 == 0


@needs_root
def test_root_hands_the_server_to_an_account_without_rights(server: embedded.Postgres) -> None:
    assert server.process
    assert Path(f"/proc/{server.process.pid}").stat().st_uid != 0


@pytest.mark.parametrize("role", [embedded.OWNER, embedded.APP, embedded.SCHEDULER])
def test_each_role_signs_in_and_none_is_above_row_level_security(server: embedded.Postgres, role: str) -> None:
    with server.connect(role) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert row == (False, False, False)


def test_the_owner_makes_tables_and_the_application_may_not(server: embedded.Postgres) -> None:
    with server.connect(embedded.OWNER) as connection:
        connection.execute("CREATE TABLE owned (id int)")
        connection.execute("DROP TABLE owned")
    with server.connect(embedded.APP) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE theirs (id int)")


def test_a_folder_in_use_is_refused_with_the_holder_named(server: embedded.Postgres, home: Path) -> None:
    with pytest.raises(PlainError, match=rf"in use by another Warmline \(process {os.getpid()}\)"):
        embedded.postgres(home).__enter__()


def test_a_server_that_crashed_starts_again_with_its_data(server: embedded.Postgres) -> None:
    with server.connect(embedded.OWNER) as connection:
        connection.execute("SET synchronous_commit = on")
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert server.process
    os.kill(server.process.pid, signal.SIGQUIT)
    server.process.wait()

    server.start()

    assert scalar(server, "SELECT answer FROM kept") == 42


def test_data_is_found_again_after_its_starter_was_killed(tmp_path: Path) -> None:
    with another(tmp_path) as first:
        assert first.stdout
        pids = first.stdout.readline().split()
        assert len(pids) == 2
        first.kill()
        first.wait()

    with embedded.postgres(tmp_path, fsync=False) as server, embedded.valkey(tmp_path) as valkey:
        assert scalar(server, "SELECT count(*) FROM pg_database WHERE datname = 'warmline'") == 1
        assert Redis.from_url(valkey.url).ping()
        assert server.process
        assert str(server.process.pid) not in pids


def test_a_note_of_a_server_that_is_gone_does_not_stop_the_next_one(tmp_path: Path) -> None:
    with embedded.postgres(tmp_path, fsync=False):
        pass
    alive_but_something_else = os.getppid()
    (tmp_path / "postgres" / "postmaster.pid").write_text(f"{alive_but_something_else}\n/elsewhere\n0\n5432\n\n\n0 0\n")

    with embedded.postgres(tmp_path, fsync=False) as server:
        assert scalar(server, "SELECT 1") == 1


def test_a_set_up_that_was_interrupted_is_begun_anew(tmp_path: Path) -> None:
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    with embedded.postgres(tmp_path, fsync=False) as server:
        assert scalar(server, "SELECT 1") == 1
    assert not half.exists()


def test_a_folder_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir(parents=True)
    (tmp_path / "postgres" / "PG_VERSION").write_text("12\n")

    with pytest.raises(PlainError, match=r"written by PostgreSQL 12, and this is PostgreSQL \d+.*WARMLINE_PG_BIN"):
        embedded.postgres(tmp_path).__enter__()


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "letters.txt").write_text("Dear all")

    with pytest.raises(PlainError, match="is not PostgreSQL's"):
        embedded.postgres(tmp_path).__enter__()


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(PlainError, match=r"is a file, or lies below one\. Set WARMLINE_HOME"):
        embedded.postgres(tmp_path / "file" / "home").__enter__()


def test_a_read_only_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(embedded.os, "open", refuse)

    with pytest.raises(PlainError, match=r"cannot be written to \(Read-only file system\)"):
        embedded.valkey(tmp_path).__enter__()


def test_programs_that_are_not_there_are_refused_by_the_name_of_the_setting(tmp_path: Path) -> None:
    with pytest.raises(PlainError, match="WARMLINE_PG_BIN"):
        embedded.postgres(tmp_path / "home", programs=tmp_path).__enter__()


def test_a_path_too_long_for_a_socket_gets_a_short_name(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)

    with embedded.postgres(home, fsync=False) as server, embedded.valkey(home) as valkey:
        assert scalar(server, "SELECT 1") == 1
        assert Redis.from_url(valkey.url).ping()
    server.socket.unlink()
    Path(valkey.url.removeprefix("unix://")).parent.unlink()


@pytest.fixture
def copies() -> Iterator[Path]:
    """A folder that every account can reach; pytest's own are closed."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@needs_root
def test_programs_under_a_closed_folder_are_copied_to_where_the_account_can_run_them(
    tmp_path: Path, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = pgfolder.server_user(tmp_path / "new")
    assert user
    original = binaries.postgres(None)
    monkeypatch.setattr(binaries, "COPIES", copies)
    (tmp_path / "closed").mkdir(mode=0o700)
    link = tmp_path / "closed" / "pginstall"
    link.symlink_to(original.bin.parent)

    found = binaries.postgres(user, link / "bin")

    assert found.bin.is_relative_to(copies)
    assert found.version == original.version
    subprocess.run([found.bin / "initdb", "--version"], user=user.uid, group=user.gid, extra_groups=[], check=True)


def test_valkey_answers_on_a_socket_that_only_we_can_reach(tmp_path: Path) -> None:
    with embedded.valkey(tmp_path) as server:
        client = Redis.from_url(server.url)
        assert client.ping()
        assert client.config_get("port")["port"] == "0"
        assert (tmp_path / "valkey").stat().st_mode & 0o077 == 0
        client.close()


FULL = """\
running bootstrap script ... 2026-11-28 13:36:01.796 UTC [7] FATAL:  could not extend file "base/1/2691": wrote only 4096 of 8192 bytes at block 9
2026-11-28 13:36:01.796 UTC [7] HINT:  Check free disk space.
2026-11-28 13:36:01.797 UTC [7] PANIC:  cannot abort transaction 1, it was already committed
child process exited with exit code 134
initdb: removing contents of data directory "/proc/self/cwd"
"""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (FULL, 'could not extend file "base/1/2691": wrote only 4096 of 8192 bytes at block 9. Check free disk space.'),
        ("initdb: error: invalid locale name", "invalid locale name"),
        ("Killed\n", "Killed"),
        ("", "no reason given"),
    ],
)
def test_a_folder_that_cannot_be_set_up_says_what_went_wrong_first(tmp_path: Path, said: str, why: str) -> None:
    programs = binaries.PostgresPrograms(tmp_path, "17.1")
    (tmp_path / "initdb").write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\nexit 1\n")
    (tmp_path / "initdb").chmod(0o755)
    with pytest.raises(PlainError) as told:
        pgfolder.initialise(programs, tmp_path / "postgres", None, sync=False)
    assert str(told.value) == f"PostgreSQL could not set up its folder {tmp_path / 'postgres'}: {why}"
