"""A real server of Mastodon's client API on this machine, and people on it: Takahe, which is Python and needs no more than PostgreSQL.

WARMLINE_TAKAHE names a folder with Takahe's source (github.com/jointakahe/takahe) and a virtual environment `.venv` in it that has its
requirements. Nothing leaves this machine: both people are on this one server, on two of its domains.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from service import embedded, pgfolder
from tests.live.fediverse import PASSWORD, SCOPES, Server, answers, free_port, process, until

BRAND, CUSTOMER = "team@brand.test", "ada@elsewhere.test"

_PEOPLE = """
from users.models import Domain, User
from users.services import IdentityService
for email in {emails!r}:
    name, _, at = email.partition("@")
    domain = Domain.objects.create(domain=at, local=True, public=True, state="updated")
    IdentityService.create(User.objects.create_user(email, {password!r}), name, domain, name.title())
"""


@contextmanager
def running(server: embedded.Postgres, home: Path) -> Iterator[Server]:
    """Starts it with a database of its own on `server`. Skips, saying so, where its source is not here."""
    source = Path(os.environ.get("WARMLINE_TAKAHE") or "/nowhere")
    python = source / ".venv" / "bin" / "python"
    if not python.exists():
        pytest.skip("Takahe is not here (set WARMLINE_TAKAHE to a folder with its source and its .venv)")
    with server.connect(database="postgres") as connection:
        connection.execute("CREATE DATABASE takahe")
    web = f"http://127.0.0.1:{free_port()}"
    environment = _environment(server, home)
    run = [str(python), "manage.py"]
    people = _PEOPLE.format(emails=[BRAND, CUSTOMER], password=PASSWORD)
    for step in (["migrate", "-v", "0"], ["shell", "-c", people]):
        subprocess.run([*run, *step], cwd=source, env=environment, check=True, capture_output=True, timeout=300)
    with (
        process([*run, "runserver", web.partition("://")[2], "--noreload"], source, environment, home / "web.log"),
        process([*run, "runstator"], source, environment, home / "stator.log"),
    ):
        until(lambda: answers(web))
        yield Server("takahe", web, web, f"read {SCOPES}", BRAND, CUSTOMER, _signs_in)


def _signs_in(authorize_url: str, who: str) -> str:
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


def _hidden(page: requests.Response) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    return {name: html.unescape(value) for name, value in found}


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
