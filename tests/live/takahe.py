"""A real server of Mastodon's client API on this machine, and people on it: Takahe, which is Python and needs no more than PostgreSQL.

WARMLINE_TAKAHE names a folder with Takahe's source (github.com/jointakahe/takahe) and a virtual environment `.venv` in it that has its
requirements. Nothing leaves this machine: both people are on this one server, on two of its domains.
"""

from __future__ import annotations

import html
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from service import embedded, pgfolder

PASSWORD = "a password for tests alone"
BRAND, CUSTOMER = "team@brand.test", "ada@elsewhere.test"  # what people sign in with, and their handles
FOR_TELLING = 30.0  # seconds: its background process tells people of posts within a few

_PEOPLE = """
from users.models import Domain, User
from users.services import IdentityService
for email in {emails!r}:
    name, _, at = email.partition("@")
    domain = Domain.objects.create(domain=at, local=True, public=True, state="updated")
    IdentityService.create(User.objects.create_user(email, {password!r}), name, domain, name.title())
"""


@dataclass(frozen=True)
class Takahe:
    """The server, and what people do there in their own apps."""

    web: str
    tokens: dict[str, str] = field(default_factory=dict)

    def consents(self, authorize_url: str, who: str) -> str:
        """Signs in and says yes. Returns the address where the browser is sent."""
        browser = requests.Session()
        page = browser.get(authorize_url, timeout=30)
        typed = {"csrfmiddlewaretoken": _hidden(page)["csrfmiddlewaretoken"], "username": who, "password": PASSWORD}
        page = browser.post(page.url, data=typed, headers={"Referer": page.url}, timeout=30)
        identity = re.findall(r'<option value="(\d+)"', page.text)[0]
        answer = browser.post(
            page.url,
            data={**_hidden(page), "identity": identity},
            headers={"Referer": page.url},
            allow_redirects=False,
            timeout=30,
        )
        return str(answer.headers["Location"])

    def writes(self, who: str, text: str, *, to: str | None = None, visibility: str = "public") -> str:
        """A post. Returns its id."""
        body = {"status": text, "in_reply_to_id": to, "visibility": visibility}
        return str(self._as(who, "POST", "", json=body)["id"])

    def edits(self, who: str, status_id: str, text: str) -> None:
        self._as(who, "PUT", f"/{status_id}", json={"status": text})

    def deletes(self, who: str, status_id: str) -> None:
        self._as(who, "DELETE", f"/{status_id}")

    def _as(self, who: str, method: str, path: str, **more: Any) -> Any:
        if who not in self.tokens:
            self.tokens[who] = self._token(who)
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        answer = requests.request(method, f"{self.web}/api/v1/statuses{path}", headers=headers, timeout=30, **more)
        assert answer.ok, answer.text[:500]
        return answer.json()

    def _token(self, who: str) -> str:
        made = {"client_name": "An app of theirs", "redirect_uris": "http://127.0.0.1:9/", "scopes": "read write"}
        app = requests.post(f"{self.web}/api/v1/apps", data=made, timeout=30).json()
        asked = {
            "client_id": app["client_id"],
            "redirect_uri": made["redirect_uris"],
            "response_type": "code",
            "scope": "read write",
        }
        address = requests.Request("GET", f"{self.web}/oauth/authorize", params=asked).prepare().url
        code = self.consents(str(address), who).partition("code=")[2].partition("&")[0]
        spent = {"grant_type": "authorization_code", "code": code, "redirect_uri": made["redirect_uris"]}
        secret = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
        answer = requests.post(f"{self.web}/oauth/token", data={**spent, **secret}, timeout=30)
        assert answer.ok, answer.text[:500]
        return str(answer.json()["access_token"])


def until(what: Callable[[], bool]) -> None:
    """Waits for something that the server does in its own time. Fails where it does not come."""
    deadline = time.monotonic() + FOR_TELLING
    while not what():
        assert time.monotonic() < deadline, "the server did not get round to it"
        time.sleep(0.25)


def _hidden(page: requests.Response) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    return {name: html.unescape(value) for name, value in found}


@contextmanager
def running(server: embedded.Postgres, home: Path) -> Iterator[Takahe]:
    """Starts it with a database of its own on `server`. Skips, saying so, where its source is not here."""
    source = Path(os.environ.get("WARMLINE_TAKAHE") or "/nowhere")
    python = source / ".venv" / "bin" / "python"
    if not python.exists():
        pytest.skip("Takahe is not here (set WARMLINE_TAKAHE to a folder with its source and its .venv)")
    with server.connect(database="postgres") as connection:
        connection.execute("CREATE DATABASE takahe")
    port = _free_port()
    environment = _environment(server, home)
    run = [str(python), "manage.py"]
    people = _PEOPLE.format(emails=[BRAND, CUSTOMER], password=PASSWORD)
    for step in (["migrate", "-v", "0"], ["shell", "-c", people]):
        subprocess.run([*run, *step], cwd=source, env=environment, check=True, capture_output=True, timeout=300)
    with (
        _process([*run, "runserver", f"127.0.0.1:{port}", "--noreload"], source, environment, home / "web.log"),
        _process([*run, "runstator"], source, environment, home / "stator.log"),
    ):
        found = Takahe(f"http://127.0.0.1:{port}")
        until(lambda: _answers(found.web))
        yield found


def _environment(server: embedded.Postgres, home: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PG", "TAKAHE_"))},
        "PGHOST": str(server.socket),
        "PGUSER": pgfolder.SUPERUSER,
        "PGNAME": "takahe",
        "PGPASSWORD": "none",
        "TAKAHE_DEBUG": "true",
        "TAKAHE_ENV_FILE": os.devnull,
        "TAKAHE_SECRET_KEY": "for tests alone",
        "TAKAHE_MAIN_DOMAIN": BRAND.partition("@")[2],
        "TAKAHE_MEDIA_ROOT": str(home / "media"),
        "TAKAHE_CACHES_DEFAULT": "locmem://takahe",
    }


@contextmanager
def _process(command: list[str], folder: Path, environment: Mapping[str, str], log: Path) -> Iterator[None]:
    with (
        log.open("wb") as out,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(web: str) -> bool:
    try:
        return requests.get(f"{web}/api/v1/instance", timeout=5).ok
    except requests.RequestException:
        return False
