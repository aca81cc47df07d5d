"""The whole way from a mention to a task that a person completes in a real CRM (`make test-crm`, `test-odoo`, `test-espocrm`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from service import access
from service.config import Config
from service.runtime import Runtime
from service.settings_parts import AROUND_THE_CLOCK
from tests.live.whole_way import InBottleCRM, InEspoCRM, InOdoo, Stands, There
from tests.service.api.conftest import client_of
from tests.story.conftest import Story

PLACES: dict[str, tuple[str, Any]] = {  # the provider -> the fixture that starts it
    "bottlecrm": ("bottle", InBottleCRM),
    "espocrm": ("espo", InEspoCRM),
    "odoo": ("odoo", InOdoo),
}


@pytest.fixture(params=[pytest.param(key, marks=pytest.mark.rule("live", provider=key)) for key in PLACES])
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def there(provider: str, request: pytest.FixtureRequest) -> There:
    fixture, place = PLACES[provider]
    made: There = place(request.getfixturevalue(fixture))
    return made


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, allow_hosts=("127.0.0.1",))


def connects(provider: str, there: There, story: Story, app: Flask, held: Runtime) -> tuple[Any, str]:
    story.set(preview=False, hours=AROUND_THE_CLOCK)  # whatever the time of this test
    assert "X is connected as acme." in story.connects("x", "acme")
    api = client_of(app, held, story.owner, *access.SCOPES)
    connected = api.post("/connections", {"provider": provider, "form": there.form})
    assert connected.status_code == 201, connected.text
    [connection_id] = connected.json["connection_ids"]
    story.run()
    return api, connection_id


def new(there: There, before: set[str]) -> Stands:
    """The one open task that was not there before."""
    [found] = [each for each in there.tasks() if each.id not in before]
    return found


def test_a_mention_becomes_a_task_and_its_completion_is_noticed_twice_over(
    provider: str, there: There, story: Story, app: Flask, held: Runtime
) -> None:
    before = there.ever()
    ana = there.adds_ana()
    api, connection_id = connects(provider, there, story, app, held)
    made: list[Stands] = []

    for text in ("Do you ship to Porto, and what does it cost?", "And to Faro, how long would that take?"):
        story.outside.writes("ana", f"@acme {text}")
        story.passes(timedelta(days=1))
        story.look()
        story.look()  # a second look makes no second task

        task = new(there, before)
        made.append(task)
        assert text[:20] in task.body
        assert (task.contact, task.owner) == (ana, there.owner)
        ours = story.task(external_id=task.id)
        assert (ours.state, ours.external_url) == ("open", task.link)

        there.completes(task)
        story.passes(timedelta(minutes=10))
        story.look()

        closed = story.task(external_id=task.id)
        assert (closed.state, closed.closed_by, closed.close_reason) == ("completed", "crm", "completed in the CRM")

    story.look()
    assert there.ever() - before <= {each.id for each in made}
    assert len({each.key for each in made}) == 2
    assert all(map(there.was_completed, made))
    found = api.get(f"/connections/{connection_id}").json
    assert (found["status"], found["missing_steps"]) == ("active", [])


def test_an_answer_on_the_network_completes_the_task_there(
    provider: str, there: There, story: Story, app: Flask, held: Runtime
) -> None:
    before = there.ever()
    connects(provider, there, story, app, held)
    asked = story.outside.writes("ana", "@acme Do you ship to Braga, and what does it cost?")
    story.passes(timedelta(days=1))
    story.look()
    task = new(there, before)

    story.outside.writes("acme", "@ana We do, for 9 euros.", to=asked)
    story.passes(timedelta(minutes=10))
    story.look()

    assert there.was_completed(task)
    assert story.task(external_id=task.id).state == "completed"
