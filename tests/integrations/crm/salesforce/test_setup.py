"""What connecting finds out, makes and removes again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integrations.clients import Cleaner
from integrations.crm.salesforce import PROVIDER
from integrations.errors import TemporaryError
from integrations.provider import IDS_ANYWHERE
from tests.integrations.crm.salesforce.conftest import World
from tests.integrations.crm.salesforce.server import KEY, Answer, drop_after, drop_before, refuse

MakeWorld = Callable[..., World]


def _key(world: World) -> tuple[object, object, object]:
    return world.options["key_field"], world.options["upsert"], world.options["unique"]


@pytest.mark.parametrize(
    ("server", "found"),
    [
        ({}, (KEY, True, True)),
        ({"unique": False}, (KEY, True, False)),
        ({"unique": False, "external_ids": False}, (KEY, False, False)),
        ({"customise": False}, (None, False, False)),
    ],
)
def test_the_best_field_that_the_organisation_allows_is_made(
    make_world: MakeWorld, server: dict[str, bool], found: tuple[object, object, object]
) -> None:
    assert _key(make_world(**server)) == found


def test_a_field_that_nobody_may_see_is_shown_to_our_user_alone(world: World) -> None:
    permissions = world.server.alive("FieldPermissions")
    assigned = world.server.alive("PermissionSetAssignment")

    assert [(each["Field"], each["PermissionsEdit"]) for each in permissions] == [(f"Task.{KEY}", True)]
    assert [each["AssigneeId"] for each in assigned] == ["005000000000001AAA"]


def test_a_field_that_is_there_is_kept_and_nothing_is_made(world: World) -> None:
    world.prepare()

    assert _key(world) == (KEY, True, True)
    assert world.server.paths("POST") == []


def test_a_field_that_stayed_invisible_is_not_believed(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    world.server.fault(
        "POST", "/sobjects/FieldPermissions", lambda work: (403, {}, '[{"errorCode":"INSUFFICIENT_ACCESS"}]')
    )
    world.prepare()

    assert _key(world) == (None, False, False)


def test_the_picklists_are_the_organisations_own(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    rows = world.server.kinds["TaskStatus"]
    for row in rows.values():
        row |= {"IsClosed": row["MasterLabel"] == "Deferred", "IsDefault": row["MasterLabel"] == "In Progress"}
    world.server.kinds["TaskPriority"]["High"] |= {"ApiName": "Urgent"}
    world.prepare()

    assert (world.options["open_status"], world.options["closed_status"]) == ("In Progress", "Deferred")
    assert (world.options["high"], world.options["normal"]) == ("Urgent", "Normal")
    assert world.options["states_open"] is False


def test_custom_fields_that_hold_handles_or_forbid_calls_are_found(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    world.server.add_field("Contact", "Twitter__c", label="X handle")
    world.server.add_field("Lead", "Bluesky_Profile__c", label="Bluesky")
    world.server.add_field("Contact", "Favourite_Place__c", label="Favourite place")
    world.server.add_field("Lead", "DNC__c", label="DNC", type="boolean")
    world.prepare()

    assert world.options["contact_properties"] == [
        {"name": "Bluesky_Profile__c", "network": "bluesky"},
        {"name": "Twitter__c", "network": "x"},
    ]
    assert {"name": "Favourite_Place__c", "label": "Favourite place"} in world.options["text_properties"]
    assert world.options["do_not_call_fields"] == ["DNC__c"]
    assert world.options["custom"]["Lead"] == ["Bluesky_Profile__c", "DNC__c"]


def test_what_the_user_may_not_see_is_not_asked_for(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    world.server.fields["Contact"]["HomePhone"]["visible"] = False
    world.server.fields["Contact"]["AccountId"]["visible"] = False
    world.prepare()
    world.server.calls.clear()

    list(world.client().pull("contacts", None))

    asked = " ".join(str(body) for _, _, body in world.server.calls)
    assert world.options["hidden"]["Contact"] == ["Account.Name", "Account.Type", "Account.Website", "HomePhone"]
    assert "HomePhone" not in asked
    assert "Account." not in asked
    assert len(world.server.calls) == 2  # one for contacts and one for leads: nothing was refused


def test_whoami_names_the_organisation(world: World) -> None:
    found = world.client().whoami()

    assert (found.id, found.name, found.handle) == ("00D000000000001AAA", "Example Ltd", "example.my.salesforce.com")
    assert found.url == "https://example.my.salesforce.com"


# --- steps for a person, and leaving --------------------------------------------------------------------------


def _steps(world: World) -> list[str]:
    assert PROVIDER.check is not None
    return list(PROVIDER.check(world.access()))


def test_nothing_is_left_to_do_where_the_field_stands(world: World) -> None:
    assert _steps(world) == []


def test_an_administrator_is_told_how_to_make_the_field(make_world: MakeWorld) -> None:
    [step] = _steps(make_world(customise=False))

    assert "Object Manager, Activity" in step
    assert "Warmline_Key" in step


def test_a_field_that_somebody_made_since_wants_a_new_connection(make_world: MakeWorld) -> None:
    world = make_world(customise=False)
    world.server.add_field("Task", KEY, externalId=True, unique=True)

    [step] = _steps(world)

    assert "Connect Salesforce again" in step


def test_a_field_that_was_removed_is_made_anew(world: World) -> None:
    del world.server.fields["Task"][KEY]

    assert _steps(world) == []
    assert world.server.fields["Task"][KEY]["unique"] is True


def test_leaving_removes_what_was_made_and_says_so(world: World) -> None:
    client = world.client()
    assert isinstance(client, Cleaner)

    first, second = client.clean(), client.clean()

    assert [each.partition(":")[0] for each in first] == ["Removed from Salesforce"] * 2
    assert KEY not in world.server.fields["Task"]
    assert world.server.alive("PermissionSet") == []
    assert [each.partition(":")[0] for each in second] == ["Not in Salesforce any more"] * 2


@pytest.mark.parametrize(
    "path", ["/sobjects/CustomField/", "/sobjects/PermissionSetAssignment/", "/sobjects/PermissionSet/"]
)
@pytest.mark.parametrize("fault", [refuse(503, "SERVER_UNAVAILABLE", "Busy."), drop_before, drop_after])
def test_what_could_not_be_removed_just_now_is_removed_the_next_time(
    world: World, path: str, fault: Callable[[Callable[[], Answer]], Answer]
) -> None:
    world.server.fault("DELETE", path, fault)
    with pytest.raises(TemporaryError):
        world.client().clean()

    told = world.client().clean()

    assert not any(each.startswith("Still in Salesforce") for each in told)
    assert KEY not in world.server.fields["Task"]
    assert world.server.alive("PermissionSet") == []


def test_an_organisation_has_one_id_under_whatever_name_somebody_signed_in() -> None:
    assert IDS_ANYWHERE in PROVIDER.capabilities  # login.salesforce.com and a My Domain lead to the same organisation


def test_what_may_not_be_removed_is_named(world: World) -> None:
    world.server.customise = False

    told = world.client().clean()

    assert all(each.startswith("Still in Salesforce:") and "Setup" in each for each in told)
