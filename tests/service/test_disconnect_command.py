"""`warmline disconnect`: an account goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from service import accounts, connect
from service.config import Config, parse_keys
from service.runtime import Runtime
from tests.conftest import make_member
from tests.service.commands import KEY, Run, on_the_database
from tests.service.commands import run as run


@pytest.fixture
def forum(config: Config) -> Iterator[tuple[Runtime, str]]:
    """A workspace with one connection, and its id."""
    runtime = Runtime(replace(config, secret_keys=parse_keys(KEY)))
    owner = make_member(runtime, "Acme", "olga@acme.test")
    [made] = connect.connect_with_secret(runtime, owner.caller, "capture", None, {"place": "Rider forum"})
    yield runtime, str(made)
    runtime.db.engine.dispose()


def test_an_account_is_disconnected_by_its_id(run: Run, config: Config, forum: tuple[Runtime, str]) -> None:
    code, out, _ = run("disconnect", forum[1], **on_the_database(config))
    assert (code, out) == (0, "Disconnected. What was read stays here; the credentials are gone.\n")
    workspace_id, _ = accounts.ensure_workspace(forum[0].db, "Acme", "olga@acme.test")
    with forum[0].db.tenant(workspace_id) as session:
        actor = session.scalar(text("SELECT actor FROM audit WHERE action = 'connection.disconnected'"))
    assert actor == "operator"  # whoever runs Warmline


def test_a_purge_prints_its_receipt_and_may_be_asked_for_again(
    run: Run, config: Config, forum: tuple[Runtime, str]
) -> None:
    code, out, _ = run("disconnect", forum[1], "--purge", **on_the_database(config))
    assert code == 0
    assert "- Nothing was ever written there." in out
    assert "- What was read stays in Warmline. Our credentials are deleted here." in out
    assert run("disconnect", forum[1], "--purge", **on_the_database(config))[1] == out


def test_a_purge_that_no_worker_does_says_so_and_loses_nothing(
    run: Run, config: Config, forum: tuple[Runtime, str]
) -> None:
    runtime, connection_id = forum
    workspace_id, _ = accounts.ensure_workspace(runtime.db, "Acme", "olga@acme.test")
    with runtime.db.tenant(workspace_id) as session:
        session.execute(text("UPDATE connections SET kind = 'crm'"))
    code, _, err = run("disconnect", connection_id, "--purge", "--wait", "0", **on_the_database(config))
    assert code == 1
    assert "It is not done yet. Is a worker running? See `warmline doctor`." in err
    with runtime.db.tenant(workspace_id) as session:
        assert session.scalar(text("SELECT status FROM connections")) == "leaving"


def test_an_account_that_there_is_not_is_said_so(run: Run, config: Config, forum: tuple[Runtime, str]) -> None:
    code, _, err = run("disconnect", "0198c0de-0000-7000-8000-000000000000", **on_the_database(config))
    assert code == 1
    assert "There is no such connection." in err
