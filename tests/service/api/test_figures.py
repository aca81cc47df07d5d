"""Figures over the API: what they show is what the schema says, and what was counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from marshmallow import RAISE

from service.api.figures import FiguresSchema
from service.clock import real_now
from service.rules.volume import Fared
from service.runtime import Runtime
from service.store import figures
from tests.conftest import Member
from tests.service.api.checking import check
from tests.service.api.conftest import Client, World
from tests.service.rows import Rows

NOTHING = {"suggested": 0, "followed": 0, "talks": 0, "talks_of_followed": 0, "share": None}


def test_a_workspace_without_tasks_has_figures_all_the_same(rival: Client) -> None:
    body = rival.get("/figures").get_json()
    assert FiguresSchema(unknown=RAISE).validate(body) == {}
    assert (body["rules"], body["calls"], body["comparison"], body["notices"]) == ([], NOTHING, None, [])


def test_figures_are_by_rule_and_owner(client: Client, rows: Rows, world: World) -> None:
    given: dict[str, Any] = {"pushed_at": real_now() - timedelta(hours=5), "closed_at": real_now() - timedelta(hours=1)}
    rows.task(crm=world.crm, wanted="completed", state="completed", closed_by="crm", **given)
    rows.task(crm=world.crm, wanted="completed", state="completed", closed_by="link", **given)
    body = client.get("/figures?days=7").get_json()
    assert FiguresSchema(unknown=RAISE).validate(body) == {}
    [waiting] = [row for row in body["rules"] if row["kind"] == "unanswered"]
    assert waiting["owner"] == {"id": "77", "email": "olga@acme.test", "name": "Olga"}
    assert (waiting["acted_on"], waiting["dismissed"], waiting["hours_to_act"]) == (1, 1, 4.0)
    [calls] = [row for row in body["rules"] if row["kind"] == "ready_for_call"]
    assert (calls["held"], calls["hours_to_act"]) == (1, None)


def test_a_rule_that_gives_half_is_a_notice(client: Client, held: Runtime, owner: Member) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        figures.set_volume(session, owner.workspace_id, "ready_for_call", Fared(2, 9), slowed_at=real_now(), usual=4, now=real_now())  # fmt: skip
    [notice] = client.get("/figures").get_json()["notices"]
    assert notice.startswith(
        "Suggestions to call somebody now come at half their number: of 11 closed in two weeks, 9 were"
    )


def test_both_groups_of_a_comparison_are_shown(client: Client, rows: Rows, world: World) -> None:
    at = real_now() - timedelta(days=20)
    shared = {"crm": world.crm, "kind": "ready_for_call", "contact": world.contact, "trial_at": at}
    rows.task(trial="given", admitted_at=at, **shared)
    rows.task(trial="held_back", **shared)
    body = client.get("/figures").get_json()
    one = {"suggested": 1, "followed": 1, "talks": 0, "talks_of_followed": 0, "share": 0.0}
    assert body["comparison"] == {"given": one, "held_back": one}
    assert body["calls"] == one  # what was held back was not suggested


def test_a_time_that_makes_no_sense_is_refused(client: Client) -> None:
    for days in ("0", "-1", "400", "all"):
        check(client.get(f"/figures?days={days}"), 422)
