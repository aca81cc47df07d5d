"""The database of a real EspoCRM: PostgreSQL, as Warmline itself has it, or a MariaDB (`WARMLINE_ESPOCRM_DATABASE=mariadb`, whose programs
`mariadbd` and `mariadb-install-db` are then on the path). Either listens on a socket in a folder of ours, and nowhere else."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service import embedded, pgfolder

NAME, PASSWORD = "espocrm", "-"  # a password that nobody asks for
PATIENCE = 60.0  # seconds until it answers

# PHP reaches whatever EspoCRM reaches. `"` is around names in both.
ASKING = """
$in = json_decode(file_get_contents("php://stdin"), true);
$db = new PDO($in["source"], $in["user"], $in["password"], [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
if (str_starts_with($in["source"], "mysql")) $db->exec("SET sql_mode = 'ANSI_QUOTES'");
foreach ($in["statements"] as [$statement, $words]) {
    $done = $db->prepare($statement);
    $done->execute($words);
}
echo json_encode($done->columnCount() ? $done->fetchAll(PDO::FETCH_ASSOC) : []);
"""


@dataclass(frozen=True)
class Database:
    php: Sequence[str]  # how PHP is called so that it reaches this
    platform: str  # as EspoCRM's installer names it
    host: str  # likewise
    user: str

    def run(self, statement: str, *words: Any, name: str = NAME) -> list[Mapping[str, Any]]:
        """The rows of one statement."""
        return self.run_all([(statement, words)], name)

    def run_all(self, statements: Sequence[tuple[str, Sequence[Any]]], name: str = NAME) -> list[Mapping[str, Any]]:
        """The rows of the last of these statements."""
        kind, more = {"Postgresql": ("pgsql", ""), "Mysql": ("mysql", ";charset=utf8mb4")}[self.platform]
        source = f"{kind}:host={self.host};dbname={name}{more}"
        asked = {"source": source, "user": self.user, "password": PASSWORD, "statements": statements}
        done = subprocess.run(
            [*self.php, "-r", ASKING], input=json.dumps(asked), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr or done.stdout
        found: list[Mapping[str, Any]] = json.loads(done.stdout)
        return found

    def copies(self, table: str, record_id: str, number: int) -> set[str]:
        """Makes so many copies of a row. Returns their ids."""
        names = [each for each in self.run(f'SELECT * FROM "{table}" WHERE id = ?', record_id)[0] if each != "id"]
        columns = ", ".join(f'"{name}"' for name in names)
        start = record_id[:12]
        self.run(
            f'INSERT INTO "{table}" (id, {columns}) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number})'
            f""" SELECT concat('{start}', 10000 + i), {columns} FROM "{table}", n WHERE id = ?""",
            record_id,
        )
        return {f"{start}{10000 + each}" for each in range(1, number + 1)}


@contextmanager
def empty(php: str, home: Path) -> Iterator[Database]:
    """A database without a table."""
    opened = {"": _postgres, "postgresql": _postgres, "mariadb": _mariadb}[
        os.environ.get("WARMLINE_ESPOCRM_DATABASE", "")
    ]
    with opened(php, home) as database:
        yield database


@contextmanager
def _postgres(php: str, home: Path) -> Iterator[Database]:
    with embedded.postgres(home / "postgres", fsync=False) as server:
        with server.connect(database="postgres") as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
            admin.execute(f"CREATE DATABASE {NAME}")
        yield Database((php,), "Postgresql", str(server.socket), pgfolder.SUPERUSER)


@contextmanager
def _mariadb(php: str, home: Path) -> Iterator[Database]:
    program = shutil.which("mariadbd")
    if not program:
        pytest.skip("there is no `mariadbd` here")
    folder, socket = home / "mariadb", home / "mariadb.socket"
    if not folder.exists():
        install = ["mariadb-install-db", "--no-defaults", f"--datadir={folder}", f"--user={getpass.getuser()}"]
        subprocess.run(install, check=True, capture_output=True)
    options = {"datadir": folder, "socket": socket, "user": getpass.getuser(), "innodb-flush-log-at-trx-commit": 0}
    words = [f"--{name}={value}" for name, value in options.items()]
    with (home / "mariadb.log").open("wb") as log:
        # Whoever reaches the socket may do anything.
        free = ("--no-defaults", "--skip-networking", "--skip-grant-tables")
        server = subprocess.Popen([program, *free, *words], stdout=log, stderr=log)
        try:
            reaching = (php, "-d", f"pdo_mysql.default_socket={socket}")
            database = Database(reaching, "Mysql", "localhost", "root")
            _wait_for(database, server)
            database.run(f"DROP DATABASE IF EXISTS {NAME}", name="mysql")
            database.run(f"CREATE DATABASE {NAME}", name="mysql")
            yield database
        finally:
            server.terminate()
            server.wait(60)


def _wait_for(database: Database, server: subprocess.Popen[bytes]) -> None:
    """Until it answers."""
    until = time.monotonic() + PATIENCE
    while True:
        assert server.poll() is None, "MariaDB did not start; see mariadb.log"
        try:
            database.run("SELECT 1", name="mysql")
        except AssertionError:
            assert time.monotonic() < until, "MariaDB does not answer; see mariadb.log"
            time.sleep(0.2)
        else:
            return
