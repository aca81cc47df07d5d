"""Where relationships stand, how they came there, and how regular the accounts are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from marshmallow import RAISE

from integrations.records import Kind
from service.api.relationships import RelationshipDetailSchema, RelationshipSchema
from service.api.rhythm import RhythmSchema
from service.clock import business_now
from service.rules.model import Milestone
from service.store import stages
from tests.service.api.conftest import NOW, Client, World
from tests.service.rows import Rows

DAY = timedelta(days=1)

NOBODYS = "01890000-0000-7000-8000-000000000000"  # the same in every process that collects these tests


@pytest.fixture
def related(rows: Rows, world: World) -> Any:
    """Ada, whom nobody knows, has asked to talk."""
    made = rows.relationship(
        f"author:{world.author}", author_id=world.author, stage="ready to talk", stage_at=NOW - DAY, score=0.97,
        reasons=["Ada asked to talk."], decided_at=NOW, settings_version=1, rules_version=2,
    )  # fmt: skip
    steps = [
        Milestone("in contact", NOW - 9 * DAY, "You answered."),
        Milestone("ready to talk", NOW - DAY, "Ada asked to talk."),
    ]
    with rows.db.tenant(rows.workspace_id) as session:
        stages.save_changes(session, rows.workspace_id, [(made, steps)])
        stages.save_changes(session, rows.workspace_id, [(made, steps)])  # a second time changes nothing
    return made


def test_a_relationship_has_its_stage_its_reasons_and_every_change(reader: Client, related: Any) -> None:
    body = reader.get(f"/relationships/{related}").get_json()
    assert RelationshipDetailSchema(unknown=RAISE).validate(body) == {}
    assert (body["stage"], round(body["score"], 2), body["reasons"]) == ("ready to talk", 0.97, ["Ada asked to talk."])
    assert body["author"]["handle"] == "ada"
    assert body["contact"] is None
    assert [(each["stage"], each["reason"]) for each in body["stages"]] == [
        ("in contact", "You answered."),
        ("ready to talk", "Ada asked to talk."),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 1),
        ("?stage=ready%20to%20talk", 1),
        ("?stage=met", 0),
        (f"?brand_id={NOBODYS}", 0),
        (f"?contact_id={NOBODYS}", 0),
    ],
)
def test_relationships_are_listed_by_stage_brand_and_contact(
    reader: Client, related: Any, query: str, found: int
) -> None:
    items = [each for each in reader.get(f"/relationships{query}").get_json()["items"] if each["id"] == str(related)]
    assert len(items) == found
    assert RelationshipSchema(many=True, unknown=RAISE).validate(items) == {}


def test_what_was_not_decided_yet_is_not_shown(reader: Client, rows: Rows, world: World) -> None:
    rows.relationship("author:x", author_id=world.author, stage="", reasons=[])
    assert [each["id"] for each in reader.get("/relationships").get_json()["items"]] == [str(world.relationship)]


def test_somebody_whom_the_crm_knows_meanwhile_is_one_relationship_and_no_longer_two(
    client: Client, related: Any, world: World
) -> None:
    listed = lambda: [each["id"] for each in client.get("/relationships").get_json()["items"]]  # noqa: E731
    assert set(listed()) == {str(related), str(world.relationship)}
    client.post(f"/matches/{world.match}/confirm", json={})
    assert listed() == [str(world.relationship)]


def test_one_that_has_no_stage_yet_is_found_as_aware(reader: Client, rows: Rows, world: World) -> None:
    made = rows.relationship(f"author:{world.author}", author_id=world.author, stage="", reasons=[], decided_at=NOW)
    [item] = reader.get("/relationships?stage=aware").get_json()["items"]
    assert (item["id"], item["stage"]) == (str(made), "aware")


def test_a_contact_is_shown_with_the_author_that_was_found(client: Client, world: World) -> None:
    client.post(f"/matches/{world.match}/confirm", json={})
    body = client.get(f"/relationships/{world.relationship}").get_json()
    assert (body["contact"]["name"], body["author"]["handle"]) == ("Ada Lovelace", "ada")


def test_another_workspace_sees_none_of_it(rival: Client, related: Any) -> None:
    assert rival.get(f"/relationships/{related}").status_code == 404
    assert rival.get("/relationships").get_json()["items"] == []


def test_an_unknown_stage_is_refused(reader: Client) -> None:
    assert reader.get("/relationships?stage=engaged").status_code == 422


def test_the_rhythm_of_an_account_tells_broadcasts_from_talk(reader: Client, rows: Rows, world: World) -> None:
    us, now = rows.author("acme"), business_now()
    for days, changes in (
        (60, {}),
        (40, {"in_reply_to": "1"}),
        (39, {"kind": Kind.DIRECT}),
        (3, {"mentions": ["ada"]}),
        (3, {}),
    ):
        rows.engagement(world.social, us, ours=True, at=now - days * DAY, **{"kind": Kind.OWN, **changes})
    rows.engagement(world.social, us, ours=True, at=now - 200 * DAY, kind=Kind.OWN)
    body = reader.get("/rhythm?days=70").get_json()
    assert RhythmSchema(unknown=RAISE).validate(body) == {}
    [account] = body["accounts"]
    assert (account["posts"], account["broadcasts"], account["broadcast_share"]) == (5, 2, 0.4)
    assert (account["days"], account["weeks"], body["weeks"]) == (4, 3, 10)
    assert account["longest_pause_days"] == pytest.approx(36, abs=1)


def test_an_account_that_wrote_nothing_has_no_share(reader: Client, world: World) -> None:
    [account] = reader.get("/rhythm?days=30").get_json()["accounts"]
    assert (account["posts"], account["broadcast_share"], account["longest_pause_days"]) == (0, None, 30)
