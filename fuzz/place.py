"""The application with a little of everything in one workspace, on a database and a queue of its own."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import responses
import structlog
from flask import Flask

from service import access, embedded
from service.app import create_app
from service.config import Config
from service.db import migrate, scheduler_engine
from service.runtime import Runtime
from tests.conftest import BASE_URL, KEY, make_member
from tests.service.api.conftest import NOW, client_of, populate, set_up
from tests.service.rows import Rows


@dataclass(frozen=True)
class Place:
    """The application, what it holds, and an API key that may do everything in its workspace."""

    app: Flask
    held: Runtime
    key: str


@contextmanager
def place() -> Iterator[Place]:
    """Starts all of it, calls nobody outside, and leaves nothing behind."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        home = Path(folder)
        home.chmod(0o755)
        with embedded.postgres(home / "postgres", fsync=False) as server, embedded.valkey(home / "valkey") as queue:
            migrate(server.admin_url, server.url(), server.scheduler_url)
            config = Config(
                home, server.url(), server.admin_url, server.scheduler_url, queue.url, BASE_URL, 0, "127.0.0.1", secret_keys=KEY, testing=True,
            )  # fmt: skip
            app = create_app(config)
            held: Runtime = app.extensions["warmline"]
            owner = make_member(held, "Acme", "olga@acme.test")
            set_up(held, patch)
            populate(Rows(held.db, owner.workspace_id, NOW))
            key = client_of(app, held, owner, *access.SCOPES).key
            try:
                with responses.RequestsMock(assert_all_requests_are_fired=False):
                    yield Place(app, held, key)
            finally:
                held.db.engine.dispose()
                held.redis.close()
                scheduler_engine(server.scheduler_url).dispose()
