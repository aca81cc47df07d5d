"""What the API says of a task that is to be taken back and stands in its CRM yet."""

from __future__ import annotations

from service.models import Run
from tests.service.api.conftest import NOW, Client, World
from tests.service.rows import Rows

TAKEN_BACK = {
    "wanted": "withdrawn", "state": "open", "external_id": "t9", "closed_by": "rules", "close_reason": "Your patience is longer now.",
    "closed_at": NOW,
}  # fmt: skip


def test_a_withdrawal_that_a_held_change_waits_with_names_the_change(client: Client, rows: Rows, world: World) -> None:
    run = rows._add(
        Run(
            kind="settings", state="held", settings_version=2, rules_version=1, from_settings_version=1, from_rules_version=1,
            started_by="user:x", counts={},
        )
    )  # fmt: skip
    task = rows.task(crm=world.crm, author=world.author, run_id=run, **TAKEN_BACK)
    found = client.get(f"/tasks/{task}").get_json()
    assert (found["wanted"], found["state"], found["run_id"]) == ("withdrawn", "open", str(run))
    assert client.get(f"/tasks/{world.task}").get_json()["run_id"] is None


def test_a_withdrawal_that_waits_for_a_frozen_crm_says_so_and_one_that_was_written_does_not(
    client: Client, rows: Rows, world: World
) -> None:
    waits = rows.task(crm=world.crm, author=world.author, **TAKEN_BACK)
    over = rows.task(crm=world.crm, author=world.author, **{**TAKEN_BACK, "state": "withdrawn"})
    said = client.get(f"/connections/{world.crm}").get_json()["condition"]["frozen"]
    assert said != ""  # nothing knows this CRM
    assert client.get(f"/tasks/{waits}").get_json()["frozen"] == said
    assert client.get(f"/tasks/{over}").get_json()["frozen"] == ""
