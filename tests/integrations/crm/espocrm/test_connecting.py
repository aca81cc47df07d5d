"""What is EspoCRM's own in connecting: its signatures, its fields, its roles."""

from __future__ import annotations

import pytest

from integrations.crm.espocrm import PROVIDER, setup
from integrations.crm.espocrm.api import signatures
from integrations.errors import (
    AuthenticationError,
    PermissionDeniedError,
    UnexpectedResponseError,
)
from integrations.provider import Access
from integrations.records import (
    PushOutcome,
)
from tests.integrations.crm.espocrm.asked import TASK, Make, drain
from tests.integrations.crm.espocrm.conftest import World
from tests.integrations.crm.espocrm.server import KEY, WEB
from tests.integrations.crm.faults import status

# --- who we are ------------------------------------------------------------------------------------------------------


def test_a_signed_call_needs_no_key_in_a_header(make: Make) -> None:
    world = make(signed=True)

    assert world.client().whoami().id == "crm.example.com"
    with pytest.raises(AuthenticationError):
        world.client(credentials={"api_key": KEY, "secret_key": "another-secret-altogether"}).whoami()


def test_no_signature_of_a_key_goes_into_a_message(make: Make) -> None:
    world = make(signed=True)
    quoted = (
        world.client()
        ._api.http.http.auth(  # type: ignore[misc,operator]
            __import__("requests").Request("GET", f"{WEB}/api/v1/Contact").prepare()
        )
        .headers["X-Hmac-Authorization"]
    )
    world.server.faults.add("GET", "User", status(403, "", {"X-Status-Reason": f"Not with {quoted}."}))

    with pytest.raises(PermissionDeniedError, match=r"Not with …\.") as raised:
        drain(world, "owners")
    assert quoted not in str(raised.value)
    assert signatures("").search("anything") is None


def test_the_account_is_the_server_that_was_named(world: World) -> None:
    found = world.client().whoami()

    assert (found.handle, found.name, found.url) == ("crm.example.com", "Acme CRM", f"{WEB}/")


@pytest.mark.parametrize("body", ["<html>Welcome</html>", "[]", '{"hello": "world"}'])
def test_what_is_no_espocrm_is_told_from_one(make: Make, body: str) -> None:
    world = make(prepared=False)
    world.server.faults.add("GET", "App/user", status(200, body))

    with pytest.raises(UnexpectedResponseError):
        world.client().whoami()


def test_a_web_servers_404_says_nothing_about_a_record(world: World) -> None:
    world.server.faults.add("GET", "Task", status(404, "<html>nginx</html>"))

    with pytest.raises(UnexpectedResponseError, match="does not answer at this address"):
        world.client().read_tasks(["a"])


# --- what connecting finds out ---------------------------------------------------------------------------------------


def test_connecting_finds_the_fields_that_an_administrator_added(make: Make) -> None:
    options = make().options

    assert options["key_field"] == "cWarmlineKey"
    assert options["contact_properties"] == [
        {"name": "cTwitterHandle", "network": "x"},
        {"name": "cMastodonProfileUrl", "network": "mastodon"},
    ]
    assert options["text_properties"] == [{"name": "cFavouritePlace", "label": "Favourite Place"}]
    assert options["do_not_call"] == {"Contact": ["cDoNotCall"], "Lead": []}
    assert options["done_statuses"] == ["Completed", "Canceled"]


def test_an_espocrm_that_describes_itself_only_as_a_whole_is_read_too(make: Make) -> None:
    world = make(prepared=False)
    whole = '{"entityDefs": {"Task": {"fields": {"warmlineKey": {"type": "varchar"}}}}}'
    world.server.faults.add("GET", "Metadata", status(200, whole), times=9)

    world.prepare()

    assert world.options["key_field"] == "warmlineKey"
    assert world.options["done_statuses"] == ["Completed", "Canceled"]


def test_a_role_that_shows_no_description_leaves_the_standard_fields(make: Make) -> None:
    world = make(prepared=False)
    world.server.faults.add("GET", "Metadata", status(403), times=9)

    world.prepare()

    assert (world.options["key_field"], world.options["contact_properties"]) == (None, [])


def test_each_permission_that_is_missing_is_a_sentence(make: Make) -> None:
    world = make()
    access = Access({"web": WEB}, {"api_key": KEY})
    assert PROVIDER.check is not None
    assert PROVIDER.check(access) == []

    world.server.forbidden.add("Contact")
    world.server.forbidden_actions.add(("Task", "DELETE"))

    found = PROVIDER.check(access)
    assert [each.split(" (")[0] for each in found] == [
        "In EspoCRM, let the role of the API user read all Contact records",
        "In EspoCRM, let the role of the API user delete all Task records",
    ]


@pytest.mark.parametrize(
    ("scope", "level", "told"),
    [("Contact", "own", 0), ("Contact", "team", 0), ("Task", "own", 1), ("Task", "team", 0), ("User", "own", 1)],
)
def test_a_role_that_shows_the_api_user_nothing_but_its_own_is_told_where_that_is_nothing(
    world: World, scope: str, level: str, told: int
) -> None:
    world.server.levels[scope, "read"] = level

    found = world.client().missing()

    assert [each.partition("user ")[2].partition(" (")[0] for each in found] == [f"read all {scope} records"] * told


def test_a_role_that_lets_no_task_be_given_to_others_is_told(make: Make) -> None:
    world = make(assigning="no")

    assert [each.split(" of the role")[0] for each in world.client().missing()] == [
        "In EspoCRM, set Assignment Permission"
    ]
    assert [each.outcome for each in world.client().push_tasks([TASK])] == [PushOutcome.REFUSED]


def test_what_somebody_chose_for_a_field_counts(make: Make) -> None:
    chosen = {"cFavouritePlace": "mastodon", "cTwitterHandle": ""}
    site = setup.site(WEB, {**make().options, "handle_choices": chosen})

    assert dict(site.handle_fields("Contact")) == {"cMastodonProfileUrl": "mastodon", "cFavouritePlace": "mastodon"}
    assert site.handle_fields("Lead") == ()
