"""Pausing an account, what reading it may cost, and how it is, over the API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from integrations import registry
from integrations.provider import Cap, Price
from service.clock import real_now
from service.models import Spend
from service.runtime import Runtime
from service.watch import doors
from service.watch.caps import Used
from tests.service.api.conftest import Client, World
from tests.service.rows import Rows


@pytest.fixture
def priced(world: World, rows: Rows, providers: Any, held: Runtime, monkeypatch: pytest.MonkeyPatch) -> World:
    manifest: Any = replace(providers["fakesocial"], prices=(Price("post", 0.005, "the price list", label="post"),))
    monkeypatch.setitem(registry.providers(), "fakesocial", manifest)
    bought = Spend(workspace_id=rows.workspace_id, connection_id=world.social, day=real_now().date(), name="post", reads=214, micros=1_070_000)  # fmt: skip
    with held.db.tenant(rows.workspace_id) as session:
        session.add(bought)
    return world


def test_an_account_is_paused_with_a_reason_and_resumed(client: Client, world: World, providers: Any) -> None:
    path = f"/connections/{world.social}"
    paused = client.post(f"{path}/pause", {"reason": "Olga is away"}).get_json()
    assert paused["condition"]["light"] == "off"
    assert paused["condition"]["frozen"] == paused["health"] == "Paused: Olga is away."
    assert client.get(f"/tasks/{world.task}").get_json()["frozen"] == "Paused: Olga is away."
    assert client.post(f"{path}/pause").get_json()["health"].startswith("Paused. Nothing is read or written")
    resumed = client.post(f"{path}/resume").get_json()
    assert resumed["condition"]["frozen"] == ""
    assert client.get(f"/tasks/{world.task}").get_json()["frozen"] == ""


def test_what_reading_costs_is_told_with_its_ceiling(client: Client, priced: World) -> None:
    path = f"/connections/{priced.social}"
    spend = client.get(path).get_json()["spend"]
    assert (spend["sentence"], spend["dollars"], spend["reads"]) == (
        "This month: $1.07 for 214 posts.",
        1.07,
        {"post": 214},
    )
    assert (spend["ceiling_dollars"], spend["left_dollars"]) == (None, None)
    changed = client.put(f"{path}/ceiling", {"dollars": 2.0}).get_json()  # a whole number, as JSON Schema has it
    assert (changed["monthly_ceiling"], changed["spend"]["ceiling_dollars"], changed["spend"]["left_dollars"]) == (
        2,
        2.0,
        0.93,
    )
    assert client.put(f"{path}/ceiling", {"dollars": None}).get_json()["spend"]["left_dollars"] is None


def test_an_account_that_costs_nothing_says_nothing(client: Client, world: World, providers: Any) -> None:
    assert client.get(f"/connections/{world.crm}").get_json()["spend"] is None


@pytest.mark.parametrize("dollars", [-1, 1.5, "5", 1_000_001, True])
def test_a_ceiling_that_is_none_is_refused(client: Client, world: World, dollars: object) -> None:
    assert client.put(f"/connections/{world.social}/ceiling", {"dollars": dollars}).status_code == 422


def test_nobody_pauses_what_is_not_theirs(rival: Client, reader: Client, world: World, providers: Any) -> None:
    for client, status in ((rival, 404), (reader, 403)):
        for action in ("pause", "resume"):
            assert client.post(f"/connections/{world.social}/{action}").status_code == status
        assert client.put(f"/connections/{world.social}/ceiling", {"dollars": 1}).status_code == status


def test_prices_and_caps_say_when_they_were_read(client: Client) -> None:
    found = {each["key"]: each for each in client.get("/providers").get_json()["items"]}
    assert {price["name"] for price in found["x"]["prices"]} == {"post", "dm_event", "user"}
    assert all(price["read_on"] for price in found["x"]["prices"])
    assert found["x"]["caps"][0]["most"] == 3_000_000


def test_the_api_says_how_much_is_left_of_what_this_installation_may_read(
    client: Client, priced: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = Used("fakesocial", Cap("post", 3_000_000, "the price list"), 42_000)
    monkeypatch.setattr(doors, "capped", lambda: (used,))
    found = client.get(f"/connections/{priced.social}").get_json()["condition"]["budget"]
    assert found.startswith("98 % of the 3,000,000 posts that")
