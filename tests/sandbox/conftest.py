"""A sandbox of its own for every test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from sandbox.app import create_app
from sandbox.clock import parse_ms
from sandbox.state import Sandbox
from tests.sandbox.helpers import ACCOUNTS, CONTACTS, NOW, OWNERS, POSTS, Caller, World


@pytest.fixture(autouse=True)
def _real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WARMLINE_NOW", raising=False)


@pytest.fixture(scope="session")
def _app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """One application for all tests: building its routes takes longer than most of them."""
    app = create_app(tmp_path_factory.mktemp("first"), now=NOW)
    app.extensions["sandbox"].close()
    return app


@pytest.fixture
def empty(_app: Flask, tmp_path: Path) -> Iterator[World]:
    """A sandbox with nobody in it; its business time stands at NOW."""
    state = Sandbox(tmp_path / "sandbox", frozen_at=parse_ms(NOW))
    _app.extensions["sandbox"] = state
    yield World(_app)
    state.close()


@pytest.fixture
def world(empty: World) -> World:
    """The small world above."""
    empty.load(accounts=ACCOUNTS, posts=POSTS, owners=OWNERS, contacts=CONTACTS)
    return empty


@pytest.fixture
def key_property(world: World) -> Caller:
    """A HubSpot caller in a world where tasks have a unique property `warmline_key`."""
    caller = world.hubspot()
    new = {
        "name": "warmline_key",
        "label": "Key",
        "type": "string",
        "fieldType": "text",
        "groupName": "task",
        "hasUniqueValue": True,
    }
    assert caller.post("/crm/properties/2026-03/tasks", new).status_code == 201
    return caller


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """The small world behind a real socket."""
    server = make_server("127.0.0.1", 0, world.app, threaded=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    world.state.faults.stop()
    server.shutdown()
    thread.join()
    server.server_close()
