"""Contacts: the first pull of a large CRM, and the most memory that it takes, against a bare loop over the same pages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import requests

from bench import network, work
from bench.figures import Figure
from bench.place import Place, environment, member, place, sandbox
from bench.scale import Scale
from bench.worker import Outcome, apart
from service.demo.sandbox import Load
from service.runtime import Runtime
from workers import jobs, pull

MOST_MB = 300
PAGE = 100  # what the sandbox's API serves at most
STREAM = "contacts"
_BARE_TABLE = """
CREATE TABLE bare_contacts (id text PRIMARY KEY, first_name text, last_name text, email text, phone text, company text, updated_at timestamptz);
GRANT SELECT, INSERT ON bare_contacts TO warmline_app;
"""
_PROPERTIES = ("firstname", "lastname", "email", "phone", "company")
_INSERT = "INSERT INTO bare_contacts VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
_DUE = "UPDATE streams SET next_pull_at = CASE WHEN connection_id = %s AND name = %s THEN now() END"


def measure(scale: Scale) -> list[Figure]:
    """Contacts a second and peak memory of one worker process that reads a CRM for the first time."""
    with place() as here, sandbox(here.home) as crm:
        config = here.database("contacts")
        with here.admin("contacts") as admin:
            admin.execute(_BARE_TABLE)
        crm.load(_people(scale.contacts))
        held = Runtime(config)
        who = member(held)
        [connection] = network.connect_all(held, who, crm, Load())["crm"]
        held.db.engine.dispose()
        with here.admin("contacts") as admin:
            admin.execute(_DUE, [connection, STREAM])
        env = environment(config)
        where = {"workspace": str(who.workspace_id), "connection": str(connection)}
        ours = apart(first_pull, env, **where, expected=scale.contacts)
        theirs = apart(bare_pull, env, **where)
        _same(here, scale.contacts)
    return _figures(ours, theirs, scale.contacts)


def _figures(ours: Outcome, theirs: Outcome, number: int) -> list[Figure]:
    size = f"{number} contacts of a new CRM connection in pages of {PAGE}, one process, once"
    against = "a bare loop of requests.get over the same pages and executemany of a row each into a plain table"
    speed, reference = (number / each.result["seconds"] for each in (ours, theirs))
    return [
        Figure("contacts: first pull, peak memory", ours.peak_mb, "MB", size, theirs.peak_mb, against, of="value", at_most=MOST_MB),
        Figure("contacts: first pull", speed, "contacts/s", size, reference, against),
    ]  # fmt: skip


def _people(number: int) -> Load:
    return Load(
        contacts=[
            {
                "id": str(100_000 + each), "firstname": f"First{each % 4999}", "lastname": f"Last{each}", "email": f"p{each}@c{each % 9973}.test",
                "phone": f"+4930{each:07d}", "company": f"Company {each % 9973}", "jobtitle": "Buyer", "city": "Berlin",
            }
            for each in range(number)
        ],
        owners=[{"id": "71", "email": "olga@acme.test", "first_name": "Olga", "last_name": "Berg"}],
    )  # fmt: skip


def _same(here: Place, number: int) -> None:
    """Both sides must hold all of them, or the comparison says nothing."""
    with here.admin("contacts") as admin:
        ours, theirs = (
            row[0]
            for table in ("contacts", "bare_contacts")
            for row in admin.execute(f"SELECT count(*) FROM {table}").fetchall()
        )
    if ours != number or theirs != number:
        raise RuntimeError(f"ours has {ours} contacts and the reference {theirs}, instead of {number}")


# --- what is timed, in processes of their own -----------------------------------------------------------------


def first_pull(workspace: str, connection: str, expected: int) -> dict[str, float]:
    """Pulls the stream as a worker does, job after job, until all are stored."""
    jobs.preload()
    work.line(UUID(workspace), UUID(connection))
    begun = time.perf_counter()
    while _stored(workspace) < expected:
        leases = work.claim("pull")
        if not leases:
            raise RuntimeError(f"nothing is due, and {_stored(workspace)} of {expected} contacts are stored")
        for each in leases:
            pull.pull(work.runtime(), *each.ids)
    return {"seconds": time.perf_counter() - begun}


def _stored(workspace: str) -> int:
    with psycopg.connect(_dsn()) as connection:
        connection.execute("SELECT set_config('app.workspace_id', %s, false)", [workspace])
        row = connection.execute("SELECT count(*) FROM contacts").fetchone()
        return row[0] if row else 0


def bare_pull(workspace: str, connection: str) -> dict[str, float]:
    """The same pages, read and stored by the shortest loop that does it."""
    _, api, token = work.line(UUID(workspace), UUID(connection))
    begun = time.perf_counter()
    with psycopg.connect(_dsn()) as database:
        for rows in _pages(f"{api}/crm/objects/2026-09/contacts", token):
            with database.cursor() as cursor:
                cursor.executemany(_INSERT, [_row(each) for each in rows])
            database.commit()
    return {"seconds": time.perf_counter() - begun}


def _pages(url: str, token: str) -> Iterator[list[dict[str, Any]]]:
    params = {"limit": str(PAGE), "properties": ",".join(_PROPERTIES)}
    with requests.Session() as http:
        http.trust_env = False
        while True:
            answer = http.get(url, params=params, headers={"Authorization": f"Bearer {token}"}, timeout=60)
            answer.raise_for_status()
            body = answer.json()
            yield body["results"]
            if "paging" not in body:
                return
            params["after"] = body["paging"]["next"]["after"]


def _row(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["id"], *(row["properties"].get(name) for name in _PROPERTIES), row["updatedAt"])


def _dsn() -> str:
    return work.runtime().config.need("database_url").replace("postgresql+psycopg", "postgresql")
