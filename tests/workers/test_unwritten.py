"""A CRM that can be read and takes nothing is seen by whoever runs Warmline and by whoever uses it, until the first push that works."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient

from integrations.errors import IntegrationError, PermissionDeniedError, TemporaryError
from service import accounts, doctor, operators, sessions
from service.app import create_app
from service.clock import real_now
from service.health import A_FEW
from service.watch import doors, overall
from tests.conftest import KEY
from tests.service.watch.promql import fires, scraped
from tests.workers.conftest import World

TOKEN = "a-token-that-only-the-test-knows"
RULES = yaml.safe_load((Path(__file__).parents[2] / "deploy/prometheus/alerts.yml").read_text())["groups"]
[RULE] = [rule["expr"] for group in RULES for rule in group["rules"] if rule["alert"] == "WarmlineConnectionsFailing"]
DOWN, REFUSED = TemporaryError("crm.example answers 503"), PermissionDeniedError("Tasks may not be written", scope="tasks.write")  # fmt: skip


@dataclass
class Seen:
    """All that tells how a CRM is."""

    world: World
    app: Flask
    browser: FlaskClient
    key: str

    def alerts(self) -> list[str]:
        """The conditions for which the alert is raised."""
        self.app.extensions[doors._KEPT].forget()
        answer = self.app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        page = scraped(answer.text, answer.status_code == 200)
        return [f"{dict(labels)['provider']} {dict(labels)['condition']}" for labels in fires(RULE, page, page)]

    def page(self, path: str) -> str:
        """A page of the console, in words."""
        self.app.extensions[doors._KEPT].forget()
        answer = self.browser.get(path)
        assert answer.status_code == 200
        return " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())

    def api(self) -> tuple[str, str, str]:
        """As /v1/health tells it: all of it, and the CRM's light and sentence."""
        found: Any = self.browser.get("/v1/health", headers={"Authorization": f"Bearer {self.key}"}).json
        [crm] = [each for each in found["connections"] if each["kind"] == "crm"]
        return found["status"], crm["condition"]["light"], crm["health"]

    def doctor(self) -> dict[str, str]:
        return {step.name: f"{step.state}: {step.says}" for step in doctor.examine()}

    def conditions(self) -> dict[str, int]:
        """How many CRMs are how."""
        states = overall.look(self.world.runtime).states
        assert states is not None
        return {how: number for (provider, how), number in states.connections.items() if provider == "fakecrm"}

    def unwritten(self) -> bool:
        """Whether anything that is not a count says that writing fails."""
        states = overall.look(self.world.runtime).states
        assert states is not None
        told = "CRMs that take nothing" in self.page("/operator") or "Writing to" in self.page("/connections")
        return told or bool(states.unwritten)


@pytest.fixture
def seen(connected: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Seen]:
    world = connected
    config = replace(world.runtime.config, metrics_token=TOKEN)
    keys = ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in KEY.items())
    for name, value in {
        "WARMLINE_HOME": str(tmp_path), "DATABASE_URL": config.need("database_url"), "REDIS_URL": config.need("redis_url"),
        "DATABASE_ADMIN_URL": config.need("database_admin_url"), "DATABASE_SCHEDULER_URL": config.need("database_scheduler_url"),
        "WARMLINE_SECRET_KEYS": keys, "WARMLINE_URL": "http://127.0.0.1:1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    app = create_app(config)
    operators.mark(world.runtime.db, world.owner.email, True)
    with world.runtime.db.tenant(world.workspace_id) as session:
        cookie = sessions.begin(session, world.owner.user_id, world.workspace_id, confined=False, browser="")
    browser = app.test_client()
    browser.set_cookie("warmline_session", cookie)
    key = accounts.create_api_key(world.runtime.db, world.workspace_id, world.owner.user_id, "seen", ["read"])
    world.look()
    world.says("Where is my parcel?", id="p1")
    yield Seen(world, app, browser, key)
    app.extensions["warmline"].db.engine.dispose()
    app.extensions["warmline"].redis.close()


def fails(world: World, error: IntegrationError, times: int) -> None:
    """The CRM is read as ever, and answers so many pushes with this."""
    for number in range(1, times + 1):
        world.crm.script.fail(error, on="push_tasks", at=number)
    world.look()
    for _ in range(times - 1):
        push_again(world)
    assert world.connection("crm").push_failures == times


def push_again(world: World) -> None:
    world.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm' AND next_push_at IS NOT NULL")
    world.run()


def test_a_crm_that_takes_nothing_is_told_everywhere_until_the_first_push_that_works(seen: Seen) -> None:
    fails(seen.world, REFUSED, A_FEW + 1)

    assert seen.alerts() == ["fakecrm failing"]
    assert "CRMs that take nothing Example CRM, of Acme : writing failed 4 times in a row; again" in seen.page(
        "/operator"
    )
    status, light, line = seen.api()
    assert (status, light) == ("degraded", "trouble")
    shown, steps = seen.page("/connections"), seen.doctor()
    for told in (line, shown, steps["connections"]):
        assert "Writing to Example CRM fails: Tasks may not be written. Missing: tasks.write. Reconnect and allow it. What is due there waits here. Trying again " in told  # fmt: skip
    assert "Tasks go on by themselves once Example CRM takes them." in shown
    assert steps["tasks"].startswith("missing: Writing fails at Example CRM (1), and what is due there waits")

    push_again(seen.world)

    assert seen.world.in_crm() != []
    assert (seen.alerts(), seen.unwritten(), seen.conditions()) == ([], False, {"well": 1})
    assert seen.api()[1:] == ("well", "Last change arrived less than a minute ago.")
    steps = seen.doctor()
    assert steps["tasks"] == "ok: No CRM refuses a task, and no job failed within a day."
    assert steps["connections"].startswith("ok: ")


def test_a_few_failures_are_said_on_the_account_and_raise_nothing(seen: Seen) -> None:
    fails(seen.world, DOWN, A_FEW)
    status, light, line = seen.api()
    assert (status, light, "Writing to Example CRM fails: " in line) == ("degraded", "waiting", True)
    assert (seen.alerts(), seen.conditions()) == ([], {"well": 1})


def wait(world: World) -> timedelta:
    """How long it is until the CRM is tried again."""
    at = world.connection("crm").next_push_at
    assert at is not None
    return at - real_now()


def test_that_a_crm_refuses_to_be_written_is_known_within_a_minute_and_asked_every_hour_then(seen: Seen) -> None:
    fails(seen.world, REFUSED, 1)
    waits = [wait(seen.world)]
    for _ in range(A_FEW):
        seen.world.crm.script.fail(REFUSED, on="push_tasks")
        push_again(seen.world)
        waits.append(wait(seen.world))
    assert sum(waits[:-1], timedelta()) < timedelta(minutes=1)
    assert timedelta(minutes=59) < waits[-1] <= timedelta(hours=1)


def test_what_is_off_or_waits_for_a_person_is_that_and_not_failing_too(seen: Seen) -> None:
    fails(seen.world, DOWN, A_FEW + 1)
    assert seen.conditions() == {"failing": 1}
    for condition, change in (
        ("paused", "paused_at = now()"), ("needs_reauth", "paused_at = NULL, status = 'needs_reauth'"), ("leaving", "status = 'leaving'"),
        ("disconnected", "status = 'disconnected'"),
    ):  # fmt: skip
        seen.world.sql(f"UPDATE connections SET {change} WHERE kind = 'crm'")
        assert (seen.conditions(), seen.alerts(), seen.unwritten()) == ({condition: 1}, [], False)
