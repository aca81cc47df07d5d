"""Against a real EspoCRM: the whole way from a mention to a task that a person completes there."""

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
from tests.live.espocrm import RealEspo
from tests.service.api.conftest import client_of
from tests.story.conftest import Story

pytestmark = pytest.mark.rule("live", provider="espocrm")


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, allow_hosts=("127.0.0.1",))


def connects(espo: RealEspo, story: Story, app: Flask, held: Runtime) -> tuple[Any, str]:
    story.set(preview=False, hours=AROUND_THE_CLOCK)  # whatever the time of this test
    assert "X is connected as acme." in story.connects("x", "acme")
    api = client_of(app, held, story.owner, *access.SCOPES)
    connected = api.post("/connections", {"provider": "espocrm", "form": espo.form})
    assert connected.status_code == 201, connected.text
    [connection_id] = connected.json["connection_ids"]
    story.run()
    return api, connection_id


def test_a_mention_becomes_a_task_and_its_completion_is_noticed_twice_over(
    espo: RealEspo, story: Story, app: Flask, held: Runtime
) -> None:
    before = {row["id"] for row in espo.tasks()}
    ana = espo.adds_contact("Ana", assignedUserId=espo.olga, **{espo.fields["twitterHandle"]: "ana"})
    api, connection_id = connects(espo, story, app, held)

    def stand() -> list[dict[str, Any]]:
        return [row for row in espo.tasks(espo.fields["warmlineKey"]) if row["id"] not in before]

    for number, text in enumerate(
        ("Do you ship to Porto, and what does it cost?", "And to Faro, how long would that take?")
    ):
        story.outside.writes("ana", f"@acme {text}")
        story.passes(timedelta(days=1))
        story.look()
        story.look()  # a second look makes no second task

        assert len(stand()) == number + 1
        [row] = [each for each in stand() if each["status"] == "Not Started"]
        assert text[:20] in row["description"]
        assert (row["parentType"], row["parentId"], row["assignedUserId"]) == ("Contact", ana, espo.olga)
        ours = story.task(external_id=row["id"])
        assert (ours.state, ours.external_url) == ("open", f"{espo.server}/#Task/view/{row['id']}")

        espo.completes(row["id"])
        story.passes(timedelta(minutes=10))
        story.look()

        closed = story.task(external_id=row["id"])
        assert (closed.state, closed.closed_by, closed.close_reason) == ("completed", "crm", "completed in the CRM")

    story.look()
    assert [row["status"] for row in stand()] == ["Completed"] * 2
    assert len({row[espo.fields["warmlineKey"]] for row in stand()}) == 2
    found = api.get(f"/connections/{connection_id}").json
    assert (found["status"], found["missing_steps"]) == ("active", [])


def test_an_answer_on_the_network_completes_the_task_there(
    espo: RealEspo, story: Story, app: Flask, held: Runtime
) -> None:
    before = {row["id"] for row in espo.tasks()}
    connects(espo, story, app, held)
    asked = story.outside.writes("ana", "@acme Do you ship to Braga, and what does it cost?")
    story.passes(timedelta(days=1))
    story.look()
    [row] = [each for each in espo.tasks() if each["id"] not in before]

    story.outside.writes("acme", "@ana We do, for 9 euros.", to=asked)
    story.passes(timedelta(minutes=10))
    story.look()

    assert espo.reads("Task", row["id"])["status"] == "Completed"
    assert story.task(external_id=row["id"]).state == "completed"
