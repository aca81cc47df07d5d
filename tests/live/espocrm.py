"""A real EspoCRM on loopback, with a database of its own, and people who act in it through its own API.

`WARMLINE_ESPOCRM_SERVER` names a folder with EspoCRM's program as it is released (with its `vendor`). It is only read: a copy in
`build/espocrm` is installed anew for each run, by EspoCRM's own installer, in some seconds. PHP is called `php`, or what `WARMLINE_PHP`
names, and needs pdo_pgsql (pdo_mysql for a MariaDB, see `tests.live.espocrm_database`) beside what EspoCRM needs.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3

from tests.live.espocrm_database import NAME, Database, empty
from tests.live.espocrm_database import PASSWORD as ON_SOCKET

HOME = Path(__file__).parents[2] / "build" / "espocrm"
ADMIN, OLGA, PASSWORD = "admin", "olga", "a-Password-4-tests"
UNUSED = ("client", "node_modules", "tests", ".git")  # of the program: what its web pages and its makers need
PATIENCE = 60.0  # seconds until it answers

SEEN = {"create": "no", "read": "all", "edit": "no", "delete": "no"}
FILLED_IN = {**SEEN, "edit": "all"}
# The role of the API user, as the provider's README has it.
ROLE: Mapping[str, Mapping[str, str]] = {
    "Contact": FILLED_IN,
    "Lead": FILLED_IN,
    "Task": {"create": "yes", "read": "all", "edit": "all", "delete": "all"},
    **dict.fromkeys(("Call", "Meeting", "Email"), SEEN),
    "User": {"read": "all", "edit": "no"},
}
SELLS = {kind: dict.fromkeys(("read", "edit", "delete"), "all") | {"create": "yes"} for kind in ("Contact", "Task")}


@dataclass
class RealEspo:
    """The server, and what people do in it."""

    server: str  # as a person names it
    database: Database
    site: Path  # its program
    version: tuple[int, ...]
    role: str = ""
    bot: str = ""  # the API user with a key
    key: str = field(default="", repr=False)
    signed: Mapping[str, str] = field(default_factory=dict, repr=False)  # key and secret of the one that signs
    olga: str = ""  # whom tasks are given to
    fields: dict[str, str] = field(default_factory=dict)  # of those added: as typed -> as EspoCRM has it
    http: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)  # whatever befalls `requests`
    _tokens: dict[str, str] = field(default_factory=dict)  # who has signed in, by name

    @property
    def signs(self) -> bool:
        """Whether it knows signatures as they are made now."""
        return self.version >= (8, 4, 1)

    @property
    def form(self) -> dict[str, str]:
        """What a person types to connect it."""
        return {"server": self.server, "api_key": self.key}

    def call(self, method: str, path: str, values: Any = None, *, by: str = ADMIN, **params: Any) -> Any:
        """A person's click. Doubles are no matter to who clicks here."""
        if by not in self._tokens:
            self._tokens[by] = self._send("GET", "/App/user", f"{by}:{PASSWORD}", create=True)["token"]
        return self._send(method, path, f"{by}:{self._tokens[by]}", values, params)

    def _send(
        self, method: str, path: str, who: str, values: Any = None, params: Any = None, create: bool = False
    ) -> Any:
        headers = {
            "Espo-Authorization": base64.b64encode(who.encode()).decode(),
            "X-Skip-Duplicate-Check": "true",
            **({"Espo-Authorization-Create-Token": "true"} if create else {}),
        }
        url = f"{self.server}/api/v1{path}?{urlencode(params or {})}"
        answer = self.http.request(method, url, headers=headers, json=values, timeout=60)
        said = answer.headers.get("X-Status-Reason") or answer.data[:300].decode(errors="replace")
        assert answer.status < 300, f"{method} {path}: {answer.status} {said}; see {self.site / 'data' / 'logs'}"
        return answer.json()

    def adds(self, kind: str, **values: Any) -> str:
        return str(self.call("POST", f"/{kind}", values)["id"])

    def adds_contact(self, first_name: str, **values: Any) -> str:
        return self.adds("Contact", **{"firstName": first_name, "lastName": "Ferrer", **values})

    def adds_field(self, kind: str, name: str, type_: str = "varchar") -> None:
        """What an administrator does in the Entity Manager; since 8.1 EspoCRM puts a c before the name."""
        self.call("POST", f"/Admin/fieldManager/{kind}", {"name": name, "type": type_, "label": name})
        self.fields[name] = f"c{name[0].upper()}{name[1:]}" if self.version >= (8, 1) else name

    def sets(self, kind: str, record_id: str, *, by: str = ADMIN, **values: Any) -> None:
        self.call("PUT", f"/{kind}/{record_id}", values, by=by)

    def deletes(self, kind: str, record_id: str) -> None:
        self.call("DELETE", f"/{kind}/{record_id}")

    def reads(self, kind: str, record_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/{kind}/{record_id}")
        return found

    def tasks(self, *names: str) -> list[dict[str, Any]]:
        """The tasks that stand, the oldest first."""
        select = ",".join(("name", "status", "description", "parentType", "parentId", "assignedUserId", *names))
        asked = {"select": select, "orderBy": "createdAt", "order": "asc", "maxSize": "200"}
        found: list[dict[str, Any]] = self.call("GET", "/Task", **asked)["list"]
        return found

    def completes(self, task_id: str) -> None:
        """Olga is done with a task."""
        self.sets("Task", task_id, by=OLGA, status="Completed")

    def allows(self, **scopes: Any) -> None:
        """The administrator changes these parts of the role of the API user."""
        self.sets("Role", self.role, data={**ROLE, **scopes})

    def imports(self, kind: str, record_id: str, number: int) -> set[str]:
        """Makes so many copies of a record, all of the same second. Returns their ids."""
        return self.database.copies(kind.lower(), record_id, number)

    def forgets(self, *kinds: str) -> None:
        """As if no such record had ever been."""
        self.database.run_all([(f'DELETE FROM "{kind.lower()}"', ()) for kind in kinds])

    def settles(self) -> None:
        """Makes the people and roles that the tests need."""
        self.role = self.adds("Role", name="Warmline", assignmentPermission="all", data=ROLE)
        sells = self.adds("Role", name="Sales", assignmentPermission="all", data=SELLS)
        api = {"type": "api", "rolesIds": [self.role]}
        made = self.call("POST", "/User", {"userName": "warmline", "authMethod": "ApiKey", **api})
        self.bot, self.key = made["id"], made["apiKey"]
        made = self.call("POST", "/User", {"userName": "warmline-signed", "authMethod": "Hmac", **api})
        self.signed = {"api_key": made["apiKey"], "secret_key": made["secretKey"]}
        person = {"firstName": "Olga", "lastName": "Owner", "emailAddress": "olga@acme.test", "password": PASSWORD}
        self.olga = self.adds("User", userName=OLGA, type="regular", rolesIds=[sells], **person)


@contextmanager
def running(name: str = "here") -> Iterator[RealEspo]:
    """An EspoCRM with an administrator, two API users and Olga; servers of other names may run beside it. Skips where nobody named one."""
    program, php = _program(), _php()
    home = HOME / f"{name}{os.environ.get('PYTEST_XDIST_WORKER', '')}"
    home.mkdir(parents=True, exist_ok=True)
    with empty(php, home) as database:
        site = _copied(program, home / "site")
        with _served(database.php, site, home / "server.log") as address:
            _installed(database, site, address)
            espo = RealEspo(address, database, site, _version(site))
            espo.settles()
            yield espo


def named() -> bool:
    """Whether somebody named an EspoCRM to start."""
    return bool(os.environ.get("WARMLINE_ESPOCRM_SERVER"))


def _program() -> Path:
    if not named():
        pytest.skip("a real EspoCRM is started only where WARMLINE_ESPOCRM_SERVER names its folder (make test-espocrm)")
    folder = Path(os.environ["WARMLINE_ESPOCRM_SERVER"])
    for part in ("install/cli.php", "vendor/autoload.php"):
        assert (folder / part).is_file(), f"WARMLINE_ESPOCRM_SERVER names no EspoCRM as it is released: no {part} there"
    return folder


def _version(site: Path) -> tuple[int, ...]:
    defaults = (site / "application/Espo/Resources/defaults/config.php").read_text()
    found = re.search(r"'version' => '([\d.]+)'", defaults)
    assert found, "this EspoCRM does not say which one it is"
    return tuple(map(int, found[1].split(".")))


def _php() -> str:
    named_php = os.environ.get("WARMLINE_PHP") or shutil.which("php")
    if not named_php:
        pytest.skip("EspoCRM needs PHP, and there is none here: name one with WARMLINE_PHP")
    return named_php


def _copied(program: Path, site: Path) -> Path:
    """A copy of the program that was never installed."""
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(program, site, ignore=shutil.ignore_patterns(*UNUSED), symlinks=True)
    for left in ("data", "install/config.php"):  # of an installation in the folder that was named
        path = site / left
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    (site / "data").mkdir()
    return site


def _installed(database: Database, site: Path, address: str) -> None:
    """Installs it, as its documentation says for the command line."""
    place = {"db-platform": database.platform, "host-name": database.host, "db-name": NAME}
    reached = {**place, "db-user-name": database.user, "db-user-password": ON_SOCKET}
    steps: Sequence[tuple[str, Mapping[str, Any]]] = (
        ("step1", {"user-lang": "en_US"}),
        ("setupConfirmation", reached),
        ("saveSettings", {"site-url": address}),
        ("buildDatabase", {}),
        ("createUser", {"user-name": ADMIN, "user-pass": PASSWORD}),
        ("finish", {}),
    )
    for step, values in steps:
        words = ["-d", f"session.save_path={site / 'data'}", "install/cli.php", "-a", step]
        done = subprocess.run(
            [*database.php, *words, *(["-d", urlencode(values)] if values else [])], cwd=site, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert (done.returncode, "Error" in done.stdout) == (0, False), f"{step}: {done.stdout}{done.stderr}"


@contextmanager
def _served(php: Sequence[str], site: Path, log_path: Path) -> Iterator[str]:
    """The address of PHP's own web server, on a port that was free a moment ago: it takes no socket that listens already."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with log_path.open("wb") as log:
        server = subprocess.Popen([*php, "-S", f"127.0.0.1:{port}", "-t", "public"], cwd=site, stdout=log, stderr=log)
        try:
            _wait_for(port, server, log_path)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until it listens."""
    until = time.monotonic() + PATIENCE
    while True:
        assert server.poll() is None, f"PHP did not start; see {log}"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < until, f"PHP does not answer; see {log}"
            time.sleep(0.05)
        else:
            return
