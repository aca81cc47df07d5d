"""`warmline person`: somebody is found, exported, erased after a word, and left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import text

from service.clock import real_now
from service.config import Config, parse_keys
from service.models import PersonRequest
from service.runtime import Runtime
from service.store import trail
from tests.conftest import make_member
from tests.service.commands import KEY, Run, on_the_database
from tests.service.commands import run as run
from tests.service.rows import Rows
from workers import persons

__all__ = ["run"]  # a fixture


@pytest.fixture
def ada(config: Config) -> Iterator[tuple[Runtime, str]]:
    """Somebody who wrote once, and her id."""
    runtime = Runtime(replace(config, secret_keys=parse_keys(KEY)))
    rows = Rows(runtime.db, make_member(runtime, "Acme", "olga@acme.test").workspace_id, real_now())
    author = rows.author("ada", name="Ada Lovelace")
    rows.engagement(rows.connection(), author, at=rows.now, text="Does it run on steam?")
    yield runtime, str(author)
    runtime.db.engine.dispose()


def test_somebody_is_found_and_exported(run: Run, config: Config, ada: tuple[Runtime, str]) -> None:
    env = on_the_database(config)
    code, out, _ = run("person", "find", "@Ada", "--json", **env)
    assert (code, [each["author_ids"] for each in json.loads(out)]) == (0, [[ada[1]]])
    assert "Nobody of that spelling is held here.\n" in run("person", "find", "@nobody", **env)[2]
    found = json.loads(run("person", "export", ada[1], **env)[1])
    assert [each["text"] for each in found["posts"]] == ["Does it run on steam?"]
    assert found["complete"] is True


def test_erasing_wants_the_word_or_yes_and_prints_the_receipt(
    run: Run, config: Config, ada: tuple[Runtime, str], capsys: pytest.CaptureFixture[str]
) -> None:
    env, runtime = on_the_database(config), ada[0]
    code, _, err = run("person", "erase", ada[1], "--yes", "--wait", "0", **env)
    assert code == 1
    assert "It is not done yet. Is a worker running" in err
    with runtime.db.globally() as session:
        workspace_id = session.scalar(text("SELECT id FROM workspaces"))
    assert workspace_id is not None
    for _ in range(2):
        lease = uuid4()
        with runtime.db.tenant(workspace_id) as session:
            session.execute(
                text("UPDATE person_requests SET lease_id = :l, lease_until = now() + interval '1 minute'"),
                {"l": lease},
            )
            row = session.get_one(PersonRequest, (workspace_id, session.scalar(text("SELECT id FROM person_requests"))))
        persons.person(runtime, workspace_id, row.id, lease)
    capsys.readouterr()
    code, out, _ = run("person", "receipt", str(row.id), **env)
    assert code == 0
    assert out.startswith(f"Request {row.id}: done.\n- Erased here: 1 post of theirs")
    assert json.loads(run("person", "receipt", str(row.id), "--json", **env)[1])["state"] == "done"
    assert "There is no such person." in run("person", "erase", ada[1], "--yes", **env)[2]


def test_somebody_is_left_alone_and_no_more(run: Run, config: Config, ada: tuple[Runtime, str]) -> None:
    env = on_the_database(config)
    assert run("person", "object", ada[1], **env)[1] == "They are left alone from now on.\n"
    assert run("person", "object", ada[1], "--lift", **env)[1] == "They are matched and judged like anybody again.\n"
    assert run("person", "object", ada[1], "--lift", **env)[0] == 1
    assert "There is no such person." in run("person", "export", str(uuid4()), **env)[2]


def test_the_trail_says_that_whoever_runs_warmline_did_it(run: Run, config: Config, ada: tuple[Runtime, str]) -> None:
    env, runtime = on_the_database(config), ada[0]
    with runtime.db.globally() as session:
        [workspace_id] = session.scalars(text("SELECT id FROM workspaces")).all()
    for *arguments, code in (
        ("person", "export", ada[1], 0),
        ("person", "object", ada[1], 0),
        ("person", "object", ada[1], "--lift", 0),
        ("person", "erase", ada[1], "--yes", "--wait", "0", 1),  # no worker is running
        ("leave", str(workspace_id), 0),
        ("leave", str(workspace_id), "--keep", 0),
    ):
        assert run(*arguments, **env)[0] == code
    with runtime.db.tenant(workspace_id) as session:
        wrote = trail.since(session, workspace_id)
    ours = [each.action for each in wrote if each.actor == "operator"]
    assert sorted(ours) == [
        "person.erased",
        "person.exported",
        "person.objected",
        "person.objection_lifted",
        "workspace.kept",
        "workspace.leaving",
    ]
    assert not any(each.actor == "system" for each in wrote)
