"""A real Odoo on loopback, with a PostgreSQL of its own, and people who act in it through its older API.

Which Odoo: `WARMLINE_ODOO` names a folder with a checkout (`odoo-bin`) and a virtual environment `.venv` that has its requirements. Or
`WARMLINE_ODOO_PYTHON` names a Python 3.6: then Odoo 11.0 is installed, the one version that a package registry has (`odoo11.txt`). Database and
venv stand in `build/odoo` and are used again: the first time takes two minutes, since Odoo fills its database.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from psycopg import sql

from service import embedded

HOME = Path(__file__).parents[2] / "build" / "odoo"
PACKAGES = Path(__file__).with_name("odoo11.txt")
MODULES = ("base", "mail", "contacts", "calendar", "crm")
BROUGHT = ("auth_crypt",)  # modules that Odoo 11 installs by itself
ROLE, DATABASE = "odoo", "acme"  # Odoo refuses to be PostgreSQL's superuser
ADMIN, BOT, OLGA, PASSWORD = "admin", "bot@acme.test", "olga@acme.test", "a password for tests alone"
PATIENCE = 120.0  # seconds until it answers

# What an administrator does at the web pages: a user for Warmline as the provider's README has it, one who sells, one of the portal,
# and a key of the first. Before Odoo 14 there are no keys, and the password takes its place.
SEED = f"""
import inspect, json
from datetime import datetime, timedelta
users = env["res.users"].with_context(no_reset_password=True)
groups = "group_ids" if "group_ids" in users._fields else "groups_id"
def member(login, *names):
    values = {{"name": login, "login": login, "email": login, "password": {PASSWORD!r}, "tz": "Europe/Madrid"}}
    return users.create({{**values, groups: [(6, 0, [env.ref(name).id for name in names])]}})
bot = member({BOT!r}, "base.group_user", "base.group_partner_manager", "sales_team.group_sale_salesman_all_leads")
olga = member({OLGA!r}, "base.group_user", "base.group_partner_manager")  # 13 to 16 let nobody else tick off
guest = member("guest@acme.test", "base.group_portal")
key = {PASSWORD!r}
if "res.users.apikeys" in env:
    make = env(user=bot.id)["res.users.apikeys"]._generate
    lives = {{"expiration_date": datetime.now() + timedelta(days=30)}}
    key = make("rpc", "Warmline", **(lives if "expiration_date" in inspect.signature(make).parameters else {{}}))
env.cr.commit()
print(json.dumps({{"key": key, "olga": olga.id, "guest": guest.id, "bot": bot.id}}))
"""


@dataclass(frozen=True)
class RealOdoo:
    """The server, and what people do in it."""

    server: str  # as a person names it
    key: str = field(repr=False)
    bot: int  # the key's own user
    olga: int  # whom tasks are given to
    guest: int  # of the portal: may see nobody
    http: requests.Session = field(default_factory=requests.Session)
    _users: dict[str, int] = field(default_factory=dict)  # who has signed in, by login

    @property
    def form(self) -> dict[str, str]:
        """What a person types to connect it."""
        return {"server": self.server, "login": BOT, "api_key": self.key, "database": DATABASE}

    def rpc(self, service: str, method: str, *words: Any) -> Any:
        params = {"service": service, "method": method, "args": list(words)}
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
        answer = self.http.post(f"{self.server}/jsonrpc", json=body, timeout=60).json()
        assert "error" not in answer, answer["error"].get("data", {}).get("message")
        return answer["result"]

    def act(self, model: str, method: str, *words: Any, by: str = ADMIN, **named: Any) -> Any:
        """A person's click."""
        password = ADMIN if by == ADMIN else PASSWORD
        if by not in self._users:
            self._users[by] = self.rpc("common", "authenticate", DATABASE, by, password, {})
        return self.rpc("object", "execute_kw", DATABASE, self._users[by], password, model, method, list(words), named)

    def adds(self, model: str, **values: Any) -> int:
        made: int = self.act(model, "create", values)
        return made

    def adds_contact(self, name: str, **values: Any) -> str:
        return str(self.adds("res.partner", name=name, **values))

    def sets(self, model: str, record_id: str, **values: Any) -> None:
        self.act(model, "write", [int(record_id)], values)

    def deletes(self, model: str, record_id: str) -> None:
        self.act(model, "unlink", [int(record_id)])

    def ticks_off(self, task_id: str, feedback: str = "") -> None:
        """Olga is done with an activity, and may say how it went."""
        self.act("mail.activity", "action_feedback", [int(task_id)], by=OLGA, feedback=feedback)

    def merges(self, kept: str, other: str) -> None:
        """Two contacts become one, by Odoo's own wizard."""
        ids = [int(kept), int(other)]
        wizard = "base.partner.merge.automatic.wizard"
        made = self.act(
            wizard, "create", {"state": "selection", "partner_ids": [[6, 0, ids]], "dst_partner_id": ids[0]}
        )
        self.act(wizard, "action_merge", [made])

    def model(self, name: str) -> int:
        [found] = self.act("ir.model", "search", [["model", "=", name]])
        return int(found)

    def tasks(self, *fields: str) -> list[dict[str, Any]]:
        """Activities of Warmline's that stand, done ones too where this Odoo keeps them, with those of these fields that it has."""
        ours = [["note", "ilike", "Warmline reference"]]
        asked = {"summary", "note", "res_id", "user_id", *fields} & set(
            self.act("mail.activity", "fields_get", [], ["type"])
        )
        found: list[dict[str, Any]] = self.act(
            "mail.activity", "search_read", ours, sorted(asked), order="id", context={"active_test": False}
        )
        return found


@contextmanager
def running() -> Iterator[RealOdoo]:
    """An Odoo with an administrator and three users. Skips where nobody named one."""
    command = _command()
    HOME.mkdir(parents=True, exist_ok=True)
    with embedded.postgres(HOME / "data", fsync=False) as database:
        with database.connect(database="postgres") as admin:
            _made(admin, command, database.socket)
            _drop(admin, DATABASE)
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(*_names(DATABASE, _template(command), ROLE))
            )
        options = _options(database.socket, DATABASE)
        made = json.loads(_run([*command, "shell", *options], SEED).splitlines()[-1])
        with _served(command, options) as address:
            yield RealOdoo(address, made["key"], made["bot"], made["olga"], made["guest"])


def _command() -> list[str]:
    """How Odoo is called."""
    if folder := os.environ.get("WARMLINE_ODOO"):
        here = Path(folder)
        return [str(here / ".venv" / "bin" / "python"), str(here / "odoo-bin")]
    if python := os.environ.get("WARMLINE_ODOO_PYTHON"):
        return [str(_installed(python)), "-c", "import odoo.cli; odoo.cli.main()"]
    pytest.skip("a real Odoo is started only where WARMLINE_ODOO or WARMLINE_ODOO_PYTHON names one (make test-odoo)")


def _installed(python: str) -> Path:
    """The Python of a venv with Odoo 11.0 in it."""
    venv = HOME / "venv"
    inside, stamp = venv / "bin" / "python", venv / "whole"
    if not stamp.exists():
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(venv)], check=True, capture_output=True)
        pip = [str(inside), "-m", "pip", "install", "--quiet", "--no-deps"]
        # The last of each that Python 3.6 can run, and that still make what comes without a wheel.
        subprocess.run([*pip, "pip==21.3.1", "setuptools==57.5.0", "wheel==0.37.1"], check=True, capture_output=True)
        subprocess.run([*pip, "--requirement", str(PACKAGES)], check=True, capture_output=True)
        [addons] = venv.glob("lib/python*/site-packages/odoo/addons")
        _without_halves(addons)
        stamp.touch()
    return inside


def _without_halves(addons: Path) -> None:
    """Takes out the modules that ours do not need: Odoo loads the pages of all that it finds, and some need packages that are not here."""
    wanted, asked = set[str](), [*MODULES, *BROUGHT, "web"]
    while asked:
        name = asked.pop()
        manifest = addons / name / "__manifest__.py"
        if name not in wanted and manifest.exists():
            wanted.add(name)
            asked += ast.literal_eval(manifest.read_text()).get("depends", [])
    for each in addons.iterdir():
        if each.is_dir() and each.name not in wanted:
            shutil.rmtree(each)


def _options(database: Path, name: str) -> list[str]:
    words = {"db_host": database, "db_user": ROLE, "data-dir": HOME / "files", "max-cron-threads": 0}
    words["limit-time-real"] = 3600  # else it begins anew in the midst where the machine has much to do
    return [*(f"--{word}={value}" for word, value in words.items()), f"--database={name}"]


def _template(command: Sequence[str]) -> str:
    """The database that others are copied from: one for each Odoo."""
    return f"template_{hashlib.sha256(' '.join(command).encode()).hexdigest()[:12]}"


def _names(*names: str) -> list[sql.Identifier]:
    return [sql.Identifier(name) for name in names]


def _made(admin: psycopg.Connection, command: Sequence[str], database: Path) -> None:
    """Makes the role and the template, once."""
    if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone():
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(*_names(ROLE)))
    template = _template(command)
    if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (template,)).fetchone():
        return
    making = f"{template}_making"  # one that was broken off is begun anew
    _drop(admin, making)
    admin.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(*_names(making, ROLE)))
    _run(
        [
            *command,
            "server",
            *_options(database, making),
            f"--init={','.join(MODULES)}",
            "--without-demo=all",
            "--stop-after-init",
        ]
    )
    admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*_names(making, template)))


def _drop(admin: psycopg.Connection, name: str) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(*_names(name)))


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "HOME": str(HOME), "LANG": "C.UTF-8"}


def _run(words: Sequence[str], typed: str = "") -> str:
    """What Odoo prints, given what is typed into it."""
    done = subprocess.run(
        words, env=_environment(), cwd=HOME, capture_output=True, text=True, check=False, input=typed
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@contextmanager
def _served(command: Sequence[str], options: Sequence[str]) -> Iterator[str]:
    """Odoo's address, on a port that was free a moment ago: it takes no socket that listens already."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    words = [*command, "server", *options, "--http-interface=127.0.0.1", f"--http-port={port}"]
    with (HOME / "server.log").open("wb") as log:
        server = subprocess.Popen(words, env=_environment(), cwd=HOME, stdout=log, stderr=log)
        try:
            _wait_for(f"http://127.0.0.1:{port}/web/webclient/version_info", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Until it answers."""
    until = time.monotonic() + PATIENCE
    while True:
        assert server.poll() is None, f"Odoo did not start; see {HOME / 'server.log'}"
        try:
            if requests.post(url, json={}, timeout=PATIENCE).ok:
                return
        except requests.ConnectionError:
            pass
        assert time.monotonic() < until, f"Odoo does not answer; see {HOME / 'server.log'}"
        time.sleep(0.3)
