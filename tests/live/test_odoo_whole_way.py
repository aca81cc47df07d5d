"""Against a real Odoo: the whole way from a mention to an activity that a person ticks off there."""

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
from tests.live.odoo import RealOdoo
from tests.service.api.conftest import client_of
from tests.story.conftest import Story

pytestmark = pytest.mark.rule("live", provider="odoo")


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, allow_hosts=("127.0.0.1",))


def connects(odoo: RealOdoo, story: Story, app: Flask, held: Runtime) -> tuple[Any, str]:
    story.set(preview=False, hours=AROUND_THE_CLOCK)  # whatever the time of this test
    assert "X is connected as acme." in story.connects("x", "acme")
    api = client_of(app, held, story.owner, *access.SCOPES)
    connected = api.post("/connections", {"provider": "odoo", "form": odoo.form})
    assert connected.status_code == 201, connected.text
    [connection_id] = connected.json["connection_ids"]
    story.run()
    return api, connection_id


def test_a_mention_becomes_an_activity_and_its_end_is_noticed_twice_over(
    odoo: RealOdoo, story: Story, app: Flask, held: Runtime
) -> None:
    before = {row["id"] for row in odoo.tasks()}
    ana = odoo.adds_contact("Ana Ferrer", x_twitter="ana", user_id=odoo.olga)
    api, connection_id = connects(odoo, story, app, held)
    keys = set()

    for text in ("Do you ship to Porto, and what does it cost?", "And to Faro, how long would that take?"):
        story.outside.writes("ana", f"@acme {text}")
        story.passes(timedelta(days=1))
        story.look()
        story.look()  # a second look makes no second activity

        [row] = [each for each in odoo.tasks("active") if each["id"] not in before and each.get("active", True)]
        assert text[:20] in row["note"]
        assert (row["res_id"], row["user_id"][0]) == (int(ana), odoo.olga)
        ours = story.task(external_id=str(row["id"]))
        assert (ours.state, ours.external_url) == (
            "open",
            f"{odoo.server}/web#id={ana}&model=res.partner&view_type=form",
        )
        keys.add(row["note"].partition("Warmline reference: ")[2])

        odoo.ticks_off(str(row["id"]), "Answered her by phone")
        story.passes(timedelta(minutes=10))
        story.look()

        closed = story.task(external_id=str(row["id"]))
        assert (closed.state, closed.closed_by, closed.close_reason) == ("completed", "crm", "completed in the CRM")
        before.add(row["id"])

    story.look()
    assert len(keys) == 2
    assert [each for each in odoo.tasks() if each["id"] not in before] == []
    found = api.get(f"/connections/{connection_id}").json
    assert (found["status"], found["missing_steps"]) == ("active", [])


def test_an_answer_on_the_network_completes_the_activity_there(
    odoo: RealOdoo, story: Story, app: Flask, held: Runtime
) -> None:
    before = {row["id"] for row in odoo.tasks()}
    connects(odoo, story, app, held)
    asked = story.outside.writes("ana", "@acme Do you ship to Braga, and what does it cost?")
    story.passes(timedelta(days=1))
    story.look()
    [row] = [each for each in odoo.tasks() if each["id"] not in before]

    story.outside.writes("acme", "@ana We do, for 9 euros.", to=asked)
    story.passes(timedelta(minutes=10))
    story.look()

    assert story.task(external_id=str(row["id"])).state == "completed"
    told = odoo.act("mail.message", "search_read", [["body", "ilike", "ship to Braga"]], ["mail_activity_type_id"])
    assert [bool(each["mail_activity_type_id"]) for each in told] == [True]
