"""A real BottleCRM on loopback: installed from its package into a venv of its own, with a PostgreSQL of its own.

It needs Python 3.12 or newer (`WARMLINE_BOTTLECRM_PYTHON` names one; else one is looked for) and a package registry. Venv and database stand in
`build/bottlecrm` and are used again: the first time takes some minutes, since BottleCRM migrates its database.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from psycopg import sql

from service import embedded, pgfolder
from tests.live.bottle_contract import Contract

PACKAGE = "django-crm==1.35.0"
HOME = Path(__file__).parents[2] / "build" / "bottlecrm"
NAMES = ("python3.12", "python3.13", "python3.14", "python3")
TEMPLATE, HERE = "bottle_template", "bottle_here"
PATIENCE = 60.0  # seconds until it answers

# What an administrator does at the web pages: an organization, two members, a token of the administrator's.
SEED = """
import django, json, os
django.setup()
from common.models import Org, PersonalAccessToken, Profile, User
org = Org.objects.create(name="Acme")
made = {}
for role, email, name in (("ADMIN", "admin@acme.test", "Ada Admin"), ("USER", "olga@acme.test", "Olga Owner")):
    user = User.objects.create(email=email, name=name, is_active=True)
    profile = Profile.objects.create(user=user, org=org, role=role, is_active=True)
    made[role] = {"profile": str(profile.id), "token": PersonalAccessToken.generate(profile, "warmline")[0]}
print(json.dumps(made))
"""


@dataclass(frozen=True)
class Bottle:
    """The CRM, and people who act in it through its own API."""

    server: str  # as a person names it
    token: str
    olga: str  # whom tasks are given to
    contract: Contract
    http: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.http.request(method, f"{self.server}/api{path}", headers=headers, timeout=60, **options)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    def adds_field(self, key: str, label: str) -> None:
        """A text field of contacts."""
        values = {"target_model": "Contact", "key": key, "label": label, "field_type": "text"}
        self.call("POST", "/custom-fields/", json=values)

    def adds_contact(self, **values: Any) -> str:
        return str(self.call("POST", "/contacts/", json=values)["id"])

    def tasks(self) -> list[Mapping[str, Any]]:
        """All tasks that there are, whole, the oldest first."""
        rows = self.call("GET", "/tasks/", params={"limit": 1000, "slim": "true"})["tasks"]
        whole = [self.call("GET", f"/tasks/{row['id']}/")["task_obj"] for row in rows]
        return sorted(whole, key=lambda row: str(row["created_at"]))

    def sets(self, task_id: str, **values: Any) -> None:
        """What a person does to a task."""
        self.call("PATCH", f"/tasks/{task_id}/", json=values)

    def deletes(self, task_id: str) -> None:
        self.call("DELETE", f"/tasks/{task_id}/")

    def logs_call(self, contact_id: str) -> None:
        self.call("POST", "/interactions/", json={"kind": "call", "outcome": "connected", "contact": contact_id})


@contextmanager
def running() -> Iterator[Bottle]:
    """A BottleCRM with an organization and two members. Skips where nobody asked for it, or no Python fits."""
    if not (os.environ.get("WARMLINE_BOTTLECRM") or os.environ.get("WARMLINE_BOTTLECRM_PYTHON")):
        pytest.skip("a real BottleCRM is started only by `make test-crm`")
    programs = installed(fitting_python())
    with embedded.postgres(HOME / "data", fsync=False) as database:
        settings = environment(database.socket)
        with psycopg.connect(
            host=str(database.socket), user=pgfolder.SUPERUSER, dbname="postgres", autocommit=True
        ) as admin:
            migrated(admin, programs, settings)
            drop(admin, HERE)
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(HERE), sql.Identifier(TEMPLATE))
            )
        made = json.loads(run(programs, settings, "python", "-c", SEED).splitlines()[-1])
        with served(programs, settings) as address:
            yield Bottle(address, made["ADMIN"]["token"], made["USER"]["profile"], described(programs, settings))


def fitting_python() -> str:
    """A Python that BottleCRM runs on. Skips where there is none."""
    named = os.environ.get("WARMLINE_BOTTLECRM_PYTHON")
    others = [found for name in NAMES if (found := shutil.which(name))]
    kept = sorted(map(str, Path.home().glob(".pyenv/versions/3.*/bin/python")))
    for each in [named] if named else [sys.executable, *others, *kept]:
        asked = [each, "-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))"]
        if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
            return each
    pytest.skip("BottleCRM needs Python 3.12 or newer, and there is none here: name one with WARMLINE_BOTTLECRM_PYTHON")


def installed(python: str) -> Path:
    """The folder of programs of a venv with BottleCRM in it."""
    venv, stamp = HOME / "venv", HOME / "venv" / PACKAGE
    if not stamp.exists():
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(venv)], check=True, capture_output=True)
        subprocess.run([str(venv / "bin" / "pip"), "install", "--quiet", PACKAGE], check=True, capture_output=True)
        stamp.touch()
    return venv / "bin"


def environment(database: Path) -> dict[str, str]:
    """BottleCRM's settings. Its background work is queued in memory, and lost: nothing here waits for an e-mail."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(HOME),
        "DJANGO_SETTINGS_MODULE": "crm.settings",
        "SECRET_KEY": "for-a-test-on-loopback-and-nowhere-else-0123456789",
        "ENV_TYPE": "dev",
        "DBUSER": pgfolder.SUPERUSER,
        "DBPASSWORD": "",
        "DBHOST": str(database),
        "DBPORT": "",
        "DBNAME": HERE,
        "ALLOWED_HOSTS": "127.0.0.1",
        "CELERY_BROKER_URL": "memory://",
        "CELERY_RESULT_BACKEND": "cache+memory://",
    }


def migrated(admin: psycopg.Connection, programs: Path, settings: Mapping[str, str]) -> None:
    """Makes the database that others are copied from, once."""
    names = [row[0] for row in admin.execute("SELECT datname FROM pg_database").fetchall()]
    if TEMPLATE in names:
        return
    making = f"{TEMPLATE}_making"  # a migration that was broken off is begun anew
    drop(admin, making)
    admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(making)))
    run(programs, {**settings, "DBNAME": making}, "django-admin", "migrate", "--verbosity", "0")
    admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(TEMPLATE)))


def drop(admin: psycopg.Connection, name: str) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def run(programs: Path, settings: Mapping[str, str], program: str, *words: str) -> str:
    """What a program of BottleCRM's says."""
    done = subprocess.run(
        [str(programs / program), *words], env=dict(settings), cwd=HOME, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def described(programs: Path, settings: Mapping[str, str]) -> Contract:
    """The contract that the program makes of itself; it takes half a minute, once."""
    path = HOME / "venv" / f"{PACKAGE}.json"
    if not path.exists():
        path.write_text(run(programs, settings, "django-admin", "spectacular", "--format", "openapi-json"))
    return Contract(json.loads(path.read_text()))


@contextmanager
def served(programs: Path, settings: Mapping[str, str]) -> Iterator[str]:
    """BottleCRM's address, on a port that was free."""
    with socket.create_server(("127.0.0.1", 0)) as listening, (HOME / "server.log").open("ab") as log:
        listening.set_inheritable(True)
        words = [
            "crm.wsgi:application",
            "--bind",
            f"fd://{listening.fileno()}",
            "--threads",
            "4",
            "--no-control-socket",
        ]
        server = subprocess.Popen(
            [str(programs / "gunicorn"), *words],
            env=dict(settings),
            cwd=HOME,
            stdout=log,
            stderr=log,
            pass_fds=[listening.fileno()],
        )
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            wait_for(f"{address}/healthz/", server)
            yield address
        finally:
            server.terminate()
            server.wait(20)


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Until it answers."""
    until = time.monotonic() + PATIENCE
    while True:
        assert server.poll() is None, f"BottleCRM did not start; see {HOME / 'server.log'}"
        try:
            requests.get(url, timeout=PATIENCE)
        except requests.RequestException:
            assert time.monotonic() < until, "BottleCRM does not answer"
            time.sleep(0.2)
        else:
            return
