"""What connecting finds out. Nothing is made."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integrations.clients import Cleaner
from integrations.crm.pipedrive.client import HOSTS, company_address, exchange
from integrations.errors import UnexpectedResponseError
from integrations.provider import App, Setting
from tests.integrations.crm.faults import status
from tests.integrations.crm.pipedrive.conftest import World
from tests.integrations.crm.pipedrive.server import BASE

MakeWorld = Callable[..., World]


def test_whoami_names_the_company(world: World) -> None:
    found = world.client().whoami()

    assert (found.id, found.name, found.handle, found.url) == ("7700", "Example Ltd", "example.pipedrive.com", BASE)


def test_types_are_known_by_their_icons_whatever_they_are_called(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    world.server.types[:] = [
        {"name": "Anruf", "key_string": "anruf", "icon_key": "call", "active_flag": True},
        {"name": "Aufgabe", "key_string": "aufgabe", "icon_key": "task", "active_flag": True},
        {"name": "Essen", "key_string": "essen", "icon_key": "lunch", "active_flag": True},
        {"name": "Task", "key_string": "task", "icon_key": "car", "active_flag": False},
    ]
    world.prepare()

    assert (world.options["task_type"], world.options["call_type"]) == ("aufgabe", "anruf")
    assert world.options["types"] == {"anruf": "call", "essen": "meeting"}


def test_a_company_without_a_type_for_tasks_gets_them_as_its_first(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    world.server.types[:] = [{"key_string": "deadline", "icon_key": "deadline", "active_flag": True}]
    world.prepare()

    assert (world.options["task_type"], world.options["call_type"]) == ("deadline", "deadline")


def test_fields_that_hold_handles_or_forbid_calls_are_found_by_their_names(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    yes_no = [{"id": 31, "label": "Yes"}, {"id": 32, "label": "No"}]
    world.server.add_field("b" * 40, "Bluesky handle")
    world.server.add_field("c" * 40, "Favourite place")
    world.server.add_field("d" * 40, "Do not call", field_type="enum", options=yes_no)
    world.server.add_field("e" * 40, "Mastodon", field_type="date")
    world.prepare()

    assert world.options["contact_properties"] == [{"name": "b" * 40, "network": "bluesky"}]
    assert {"name": "c" * 40, "label": "Favourite place"} in world.options["text_properties"]
    assert world.options["do_not_call_fields"] == {"d" * 40: ["31"]}


def test_the_marketing_status_is_asked_for_where_there_is_one(make_world: MakeWorld) -> None:
    assert make_world(campaigns=True).options["marketing"] is True
    assert make_world().options["marketing"] is False


def test_a_priority_that_is_not_there_is_not_set(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    world.server.faults.add("GET", "/activityFields", status(403, "{}", {"Content-Type": "application/json"}))
    world.prepare()

    assert world.options["high_priority"] is None


def test_connecting_makes_nothing_and_has_nothing_to_remove(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    world.prepare()

    assert {method for method, _, _ in world.server.calls} == {"GET"}
    assert not isinstance(world.client(), Cleaner)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://example.pipedrive.com",
        "https://pipedrive.com.attacker.example",
        "https://notpipedrive.com",
        "https://x.pipedrive.com:1",
    ],
)
def test_a_server_that_is_not_pipedrives_is_not_called(address: str) -> None:
    with pytest.raises(UnexpectedResponseError, match="not one of Pipedrive's"):
        exchange(Setting(App(), HOSTS), {"access_token": "t", "api_domain": address})


def test_our_registration_may_name_another_server() -> None:
    assert company_address({"api_domain": BASE}, {"api": "http://127.0.0.1:1/"}) == "http://127.0.0.1:1"
    assert company_address({"api_domain": f"{BASE}/"}, HOSTS) == BASE
