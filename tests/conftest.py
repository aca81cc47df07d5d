"""What many tests need: a migrated database of their own, a queue, a runtime, a workspace with its owner."""

from __future__ import annotations

import gc
import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import structlog
from flask import Flask
from psycopg import sql

from tests import measured as measured  # isort: skip  # before anything of ours is imported
from service import accounts, embedded, hooks, logs
from service.accounts import Caller
from service.app import create_app
from service.config import Config
from service.db import migrate, scheduler_engine
from service.runtime import Runtime
from service.watch import doors
from tests.databases import Turns, copied
from tests.integrations.contract.recording import Recording


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-standing", action="store_true", help="write integrations/standing.json from this run")


# jsonschema asks for it when it is imported, and it makes forty parsers then, in every process that collects tests, which is a
# fifth of all that collecting costs. They are for IRIs, a format that no contract has which we check against; URIs are checked by another library.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # so it counts as not installed


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Recording(), "standing")
    gc.disable()  # what is collected stays until the end: looking through it again and again finds nothing


def pytest_collection_finish() -> None:
    gc.freeze()  # nor while tests run
    gc.enable()


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What this process logged so far, as a program reads it."""
    out, root = io.StringIO(), logging.getLogger()
    before = root.handlers, root.level
    logs.write(out, as_json=True)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers, root.level = before


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A command that a test runs in this process says how the process logs: not for the tests after it."""
    yield
    if structlog.is_configured():
        structlog.reset_defaults()


KEY = {"test": b"0123456789abcdef0123456789abcdef"}
BASE_URL = "http://warmline.test"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Vendors' contracts, recordings and data, which are not part of the repository. Skips where they are absent."""
    folder = Path(os.environ.get("WARMLINE_SHARED", Path(__file__).parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip("the shared material is not here (set WARMLINE_SHARED to its folder)")
    return folder


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Postgres]:
    """PostgreSQL with a migrated database that tests copy."""
    with embedded.postgres(tmp_path_factory.mktemp("postgres"), fsync=False) as server:
        with server.connect() as connection:
            for role in (embedded.APP, embedded.SCHEDULER):
                connection.execute(sql.SQL("GRANT CONNECT ON DATABASE warmline TO {}").format(sql.Identifier(role)))
        migrate(server.admin_url, server.url(), server.scheduler_url)
        yield server


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded.valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server.url


@pytest.fixture(scope="session")
def turns(template: embedded.Postgres) -> Iterator[Turns]:
    """The database that tests take in turns."""
    made = Turns(template, "in_turns")
    yield made
    made.close()


@pytest.fixture
def database(request: pytest.FixtureRequest, template: embedded.Postgres) -> Iterator[str]:
    """The name of a migrated database without a row, which no other test works on meanwhile. A test that changes more than
    rows is marked `own_database`, and gets one that is dropped after it."""
    if request.node.get_closest_marker("own_database"):
        with copied(template) as name:
            yield name
            scheduler_engine(template.url(embedded.SCHEDULER, name)).dispose()  # kept by its address, as in a process
        return
    turns: Turns = request.getfixturevalue("turns")
    turns.take()
    yield turns.name
    turns.give_back()


@pytest.fixture
def config(template: embedded.Postgres, database: str, valkey_url: str, tmp_path: Path) -> Config:
    return Config(
        home=tmp_path,
        database_url=template.url(database=database),
        database_admin_url=template.url(embedded.OWNER, database),
        database_scheduler_url=template.url(embedded.SCHEDULER, database),
        redis_url=valkey_url,
        base_url=BASE_URL,
        port=0,
        host="127.0.0.1",
        secret_keys=KEY,
        testing=True,
    )


@contextmanager
def opened(config: Config, turns: Turns, who: str) -> Iterator[Runtime]:
    """What one of the processes holds that a test stands for. In the database that tests take in turns it keeps its sessions."""
    runtime = Runtime(config)
    kept = turns.database_of(who, config)
    if kept is not None:
        vars(runtime)["db"] = kept  # as if it had been asked for
    try:
        yield runtime
    finally:
        if runtime.db is not kept:
            runtime.db.engine.dispose()
        runtime.redis.close()


@pytest.fixture
def held(config: Config, turns: Turns) -> Iterator[Runtime]:
    """What a process holds. (`runtime` is the name of the function that finds a web application's.)"""
    with opened(config, turns, "held") as runtime:
        runtime.redis.flushall()
        yield runtime


@dataclass(frozen=True)
class Member:
    """A workspace and its owner."""

    workspace_id: UUID
    user_id: UUID
    email: str
    caller: Caller


def make_member(runtime: Runtime, name: str, email: str) -> Member:
    """A workspace of this name with this owner, as a signed-in browser shows them."""
    workspace_id, user_id = accounts.ensure_workspace(runtime.db, name, email)
    cookie = accounts.sign_in(runtime.db, accounts.signin_link(runtime.db, email, BASE_URL).rsplit("/", 1)[1])
    assert cookie
    caller = accounts.caller_of_session(runtime.db, cookie)
    assert caller
    return Member(workspace_id, user_id, email, caller)


@pytest.fixture
def owner(held: Runtime) -> Member:
    return make_member(held, "Acme", "olga@acme.test")


@pytest.fixture
def stranger(held: Runtime) -> Member:
    """The owner of another workspace."""
    return make_member(held, "Rival", "rita@rival.test")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """One application for all tests: building its routes, document and templates takes longer than most of them. It has no
    database and no queue."""
    nowhere = dict.fromkeys(("database_url", "database_admin_url", "database_scheduler_url", "redis_url"))
    home = tmp_path_factory.mktemp("built")
    return create_app(
        Config(home=home, base_url=BASE_URL, port=0, host="127.0.0.1", secret_keys=KEY, testing=True, **nowhere)
    )


@pytest.fixture
def app(built: Flask, config: Config, turns: Turns) -> Iterator[Flask]:
    """The application with a runtime of this test's own; what a test sets, or the application keeps, ends with the test."""
    settings, extensions = dict(built.config), dict(built.extensions)
    with opened(config, turns, "app") as runtime:
        built.extensions["warmline"] = runtime
        doors.begin_anew(built)
        hooks.begin_anew(built)
        try:
            yield built
        finally:
            doors.teller(built).leave()
            if built.extensions["warmline"] is not runtime:  # a test may have put another one there
                built.extensions["warmline"].db.engine.dispose()
                built.extensions["warmline"].redis.close()
            for kept, before in ((built.config, settings), (built.extensions, extensions)):
                kept.clear()
                kept.update(before)
