"""The operator's page: open to whoever runs Warmline and to nobody else, over every workspace, without a word that anybody wrote."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest
from click.testing import CliRunner
from flask import Flask

from service import operators, queue, sessions
from service.cli import cli
from service.clock import real_now
from service.config import Config
from service.models import Task
from service.runtime import Runtime
from service.watch import doors, freshness, presence
from tests.conftest import KEY, Member
from tests.service.console.conftest import Browser, words_of
from tests.service.rows import Rows

SignIn = Callable[[str], Browser]


@pytest.fixture
def operator(held: Runtime, owner: Member, signed_in: SignIn, app: Flask) -> Browser:
    """Olga owns Acme, and runs Warmline."""
    operators.mark(held.db, owner.email, True)
    return signed_in(owner.email)


def fresh(app: Flask, browser: Browser) -> str:
    """The page as it is this moment, in words."""
    app.extensions[doors._KEPT].forget()
    return words_of(browser.get("/operator"))


def test_an_owner_is_no_operator_and_the_mark_holds_from_the_next_click(
    held: Runtime, owner: Member, olga: Browser
) -> None:
    assert olga.get("/operator").status_code == 403
    assert olga.post("/operator/retry").status_code == 403
    assert "Operation" not in words_of(olga.get("/tasks"))
    operators.mark(held.db, owner.email, True)
    assert olga.get("/operator").status_code == 200
    assert "Operation" in words_of(olga.get("/tasks"))
    operators.mark(held.db, owner.email, False)
    assert olga.get("/operator").status_code == 403


def test_a_session_that_a_workspaces_owner_could_have_begun_operates_nothing(
    app: Flask, held: Runtime, stranger: Member
) -> None:
    operators.mark(held.db, stranger.email, True)
    with held.db.tenant(stranger.workspace_id) as session:
        cookie = sessions.begin(session, stranger.user_id, stranger.workspace_id, confined=True, browser="")
    browser = app.test_client()
    browser.set_cookie("warmline_session", cookie)
    assert browser.get("/tasks").status_code == 200
    assert browser.get("/operator").status_code == 403


def test_it_shows_all_workspaces_by_number_and_id_and_no_word_that_anybody_wrote(
    app: Flask, held: Runtime, stranger: Member, operator: Browser
) -> None:
    rows = Rows(held.db, stranger.workspace_id, real_now())
    crm = rows.connection(provider="rolodex", kind="crm", brand=False, streams=())
    social = rows.connection(provider="chirp", streams=())
    rows.stream(social, "mentions", failures=7, error="zebra says no", next_pull_at=real_now() - timedelta(hours=2))
    rows.task(crm=crm, state="parked", parked_at=real_now() - timedelta(hours=3), detail="zebra is no owner", content={"subject": "zebra"})  # fmt: skip
    page = fresh(app, operator)
    assert "Rival" in page  # the workspace's name
    assert "zebra" not in operator.get("/operator").text
    assert "Rolodex, refused 3 hours ago" in page
    assert "Chirp, mentions, of Rival: failed 7 times in a row" in page
    assert "Reading1" in page.replace(" ", "")
    assert "behind" in page
    for role in ("web", "worker", "scheduler"):
        assert f"No {role} is at work." in page


def test_one_click_says_a_task_of_any_workspace_once_more(
    app: Flask, held: Runtime, stranger: Member, operator: Browser
) -> None:
    rows = Rows(held.db, stranger.workspace_id, real_now())
    crm = rows.connection(provider="rolodex", kind="crm", brand=False, streams=())
    task = rows.task(crm=crm, state="parked", parked_at=real_now())
    answer = operator.post("/operator/retry", {"workspace": str(stranger.workspace_id), "task": str(task)})
    assert answer.location == "/operator?done=retried"
    row = rows.get(Task, task)
    assert (row.state, row.parked_at, row.push_at is not None) == ("absent", None, True)
    for form in ({}, {"workspace": "x", "task": str(task)}, {"workspace": str(task), "task": str(task)}):
        assert operator.post("/operator/retry", form).status_code == 404


def test_who_is_at_work_and_who_fell_silent_stands_there(app: Flask, held: Runtime, operator: Browser) -> None:
    for role in presence.ROLES:
        presence.say(held.redis, role, patience=60.0)
        assert f"No {role} is at work." not in fresh(app, operator)
        presence.leave(held.redis)
    presence.say(held.redis, presence.WORKER, patience=-1.0)
    page = fresh(app, operator)
    assert "silent" in page
    assert "No worker is at work." in page
    assert "Nobody knows when it was last done." in page
    presence.mark(held.redis, presence.HOUSEKEEPING)
    assert "Last done less than a minute ago." in fresh(app, operator)


def test_the_objective_says_when_tasks_come_too_late_too_often(app: Flask, held: Runtime, operator: Browser) -> None:
    assert "none came" in fresh(app, operator)
    freshness.record(held.db, "unanswered", [1.0] * 80 + [1000.0] * 20, timedelta(minutes=5))
    page = fresh(app, operator)
    assert "Tasks come too late, too often." in page
    assert "80.00 %" in page
    freshness.record(held.db, "ready_for_call", [1.0, 1000.0], timedelta(minutes=5))
    assert "Ready for a call250.00 %" in fresh(app, operator)  # two, of which half came late


def test_jobs_that_failed_are_counted(app: Flask, held: Runtime, operator: Browser) -> None:
    job = queue._queue(held.redis).enqueue("workers.jobs.pull")
    queue._queue(held.redis).failed_job_registry.add(job, ttl=60)
    assert "1 job ended by an error of ours" in fresh(app, operator)


def test_the_command_marks_names_and_unmarks(config: Config, owner: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in KEY.items())
    for name, value in {"DATABASE_URL": config.database_url, "WARMLINE_SECRET_KEYS": keys, "WARMLINE_HOME": str(config.home)}.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    run = CliRunner().invoke
    assert "Nobody is an operator." in run(cli, ["operator", "list"]).output
    assert "is an operator now" in run(cli, ["operator", "add", owner.email]).output
    assert run(cli, ["operator", "list"]).output == f"{owner.email}\n"
    assert "no more" in run(cli, ["operator", "remove", owner.email]).output
    refused = run(cli, ["operator", "add", "nobody@acme.test"])
    assert "Nobody with the address nobody@acme.test has an account here." in str(refused.exception)
