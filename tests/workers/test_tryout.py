"""Settings are tried out over what a workspace holds: the diff in tasks first, and nothing stored or sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import text

from integrations.records import Author
from service import config as configuration
from service import settings, tryout
from service.backtest import workspace
from service.errors import PlainError
from service.models import Base, Tenant
from service.store.runs import LIMIT
from service.tryout import Diff
from tests.service.api.checking import check
from tests.service.api.conftest import client_of
from tests.workers.conftest import World
from tests.workers.holding import change, people_ask

HOUR = timedelta(hours=1)
TABLES = sorted(mapper.local_table.name for mapper in Base.registry.mappers if issubclass(mapper.class_, Tenant))


def everything(world: World) -> dict[str, Any]:
    """All rows of all the workspace's tables."""
    with world.runtime.db.tenant(world.workspace_id) as session:
        return {
            table: sorted(map(str, session.execute(text(f"SELECT t::text FROM {table} t")).scalars())) for table in TABLES
        }  # fmt: skip


def tried(world: World, budget: float = 60.0, clock: Callable[[], float] | None = None, **values: Any) -> Diff:
    with world.runtime.db.tenant(world.workspace_id) as session:
        row = settings.tried(settings.current(session, world.workspace_id), values)
    more = {"clock": clock} if clock else {}
    return tryout.tryout(world.runtime, world.workspace_id, row, now=world.now, budget=budget, **more)


@pytest.fixture
def waiting(connected: World) -> World:
    """Three wait and have their tasks; a fourth has asked just now; Ana wishes to talk."""
    people_ask(connected, 3)
    people_ask(connected, 1, start=3, ago=timedelta(minutes=30))
    connected.knows()
    connected.says("@brand Can we have a call next week?", id="w", ago=20 * HOUR)
    connected.answers("Sure.", id="r", to="w", ago=19 * HOUR)
    connected.run()
    return connected


def test_the_settings_that_stand_make_no_difference(waiting: World) -> None:
    diff = tried(waiting)
    assert diff.number == 0
    assert diff.before == diff.after == {"unanswered": 3, "ready_for_call": 1}
    assert diff.complete


def test_less_patience_would_make_a_task_and_says_why(waiting: World) -> None:
    diff = tried(waiting, patience={"question": 20})
    [change_] = diff.examples
    assert (change_.step, change_.kind, change_.task_id) == ("create", "unanswered", None)
    assert "Person 3" in change_.subject
    assert change_.reasons
    assert diff.after["unanswered"] == 4


def test_more_patience_would_withdraw_and_another_wording_would_change(waiting: World) -> None:
    assert tried(waiting, patience={"question": 600}).counts["withdraw"] == {"unanswered": 3}
    diff = tried(waiting, text_mode="link")
    assert diff.counts["change"] == {"unanswered": 3, "ready_for_call": 1}
    assert {each.fields for each in diff.examples} == {("body",)}


def test_nothing_is_stored_and_nobody_is_called(waiting: World) -> None:
    before, calls = everything(waiting), len(waiting.crm.script.calls)
    tried(waiting, text_mode="link", patience={"question": 20})
    assert everything(waiting) == before
    assert len(waiting.crm.script.calls) == calls


def test_what_is_shown_is_what_saving_does(waiting: World) -> None:
    values = {"patience": {"direct": 60, "question": 20, "other": 60}, "text_mode": "link"}
    diff = tried(waiting, **values)
    before = {task.key: task.content for task in waiting.tasks(wanted="open")}
    change(waiting, **values)
    waiting.run()
    after = {task.key: task.content for task in waiting.tasks(wanted="open")}
    assert len(after.keys() - before.keys()) == diff.counts["create"].total()
    assert sum(before[key] != after[key] for key in before) == diff.counts["change"].total()


def test_time_that_runs_out_is_said_and_the_newest_were_looked_at(
    waiting: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tryout, "BATCH", 1)
    seconds = iter(range(100))
    diff = tried(waiting, budget=6, clock=lambda: float(next(seconds)), text_mode="link")
    assert 0 < diff.looked < diff.total
    assert not diff.complete
    assert diff.counts["change"]


def test_batches_change_nothing(waiting: World, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tried(waiting, text_mode="link")
    monkeypatch.setattr(tryout, "BATCH", 2)
    parts = tried(waiting, text_mode="link")
    assert (parts.counts, parts.looked, parts.complete) == (whole.counts, whole.looked, True)


def test_a_crm_that_the_breaker_would_hold_is_named(connected: World) -> None:
    people_ask(connected, LIMIT + 1)
    connected.run()
    assert tried(connected, text_mode="link").held_back == [connected.connection("crm").id]
    assert tried(connected).held_back == []


# --- API and command ------------------------------------------------------------------------------------------


def test_the_api_shows_the_diff_and_saves_nothing(waiting: World, app: Flask) -> None:
    client = client_of(app, waiting.runtime, waiting.owner, "read", "admin")
    found = client.post("/settings/tryout", {"settings": {"patience": {"question": 20}}}).get_json()
    assert found["counts"]["create"] == {"unanswered": 1, "ready_for_call": 0}
    assert (found["open_before"]["unanswered"], found["open_after"]["unanswered"]) == (3, 4)
    assert found["examples"][0]["subject"].startswith("Answer Person 3")
    assert client.get("/settings").get_json()["version"] == 2


def test_settings_that_cannot_be_are_refused_by_name(world: World, app: Flask) -> None:
    client = client_of(app, world.runtime, world.owner, "admin")
    response = client.post("/settings/tryout", {"settings": {"timezone": "Nowhere"}})
    check(response, 422)
    assert [error["field"] for error in response.get_json()["errors"]] == ["settings.timezone"]


@pytest.fixture
def command(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr(configuration, "load", lambda: world.runtime.config)

    def run(*words: str, workspace_id: object = None) -> Any:
        arguments = ["--workspace", str(workspace_id or world.workspace_id), *words]
        return CliRunner().invoke(workspace.command, arguments, catch_exceptions=False)

    return run


def test_the_command_says_what_is_wanted_now(waiting: World, command: Callable[..., Any]) -> None:
    assert command().stdout.splitlines() == [
        "Looked at all conversations and relationships.",
        "Tasks, unanswered: 3 are wanted now.",
        "Tasks, ready for a call: 1 are wanted now.",
    ]


def test_the_command_tries_settings_out_with_examples_and_reasons(waiting: World, command: Callable[..., Any]) -> None:
    said = command("--set", "patience.question=20", "--set", "text_mode=link").stdout
    assert "1 would be made." in said
    assert "4 would change." in said
    assert "would be made: Answer Person 3" in said


def test_the_commands_json_stands_alone_on_stdout(waiting: World, command: Callable[..., Any]) -> None:
    answer = command("--set", "patience.question=20", "--json")
    assert json.loads(answer.stdout)["counts"]["create"]["unanswered"] == 1
    assert "looked at" in answer.stderr


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ("patience", "sets nothing"),
        ("=3", "sets nothing"),
        ("colour=red", "colour: There is nothing of this name here."),
        ("patience.question=soon", "patience.question: Give a whole number."),
        ("timezone=Nowhere", "timezone: Not a time zone's name"),
    ],
)
def test_what_cannot_be_tried_is_one_sentence(world: World, command: Callable[..., Any], pair: str, says: str) -> None:
    with pytest.raises(PlainError, match=says):
        command("--set", pair)


def test_a_workspace_that_is_not_there_is_one_sentence(world: World, command: Callable[..., Any]) -> None:
    with pytest.raises(PlainError, match="There is no workspace"):
        command(workspace_id=uuid4())


def test_a_run_is_listed_shown_approved_and_undone_over_the_api(connected: World, app: Flask) -> None:
    people_ask(connected, LIMIT + 1)
    connected.run()
    client = client_of(app, connected.runtime, connected.owner, "read", "write", "admin")
    change(connected, text_mode="link")
    connected.run()

    newest = client.get("/runs").get_json()["items"][0]
    assert (newest["kind"], newest["state"], newest["counts"][0]["change"]) == ("settings", "held", LIMIT + 1)
    shown = client.get(f"/runs/{newest['id']}").get_json()["changes"]
    assert len(shown) == 50
    assert {each["step"] for each in shown} == {"change"}
    assert client.post(f"/runs/{newest['id']}/approve").get_json()["state"] == "approved"
    assert client.post(f"/runs/{newest['id']}/undo").get_json()["state"] == "undone"
    older = client.get("/runs").get_json()["items"][-1]
    assert "rest on this one" in check(client.post(f"/runs/{older['id']}/undo"), 422)
    assert client.get("/settings").get_json()["values"]["text_mode"] == "quote"


def test_an_author_of_no_name_does_no_harm(connected: World) -> None:
    connected.says("@brand Do you ship?", id="q", who=Author("x", ""))
    connected.run()
    assert tried(connected, text_mode="link").counts["change"].total() == 1
