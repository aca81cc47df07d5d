"""What connecting finds out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integrations.crm.hubspot.client import HubSpot
from integrations.crm.hubspot.handles import (
    STANDARD_HANDLES,
    do_not_call_properties,
    handle_properties,
    text_properties,
)
from integrations.crm.hubspot.setup import handles
from integrations.errors import AuthenticationError, TemporaryError, UnexpectedResponseError
from integrations.provider import Access
from tests.integrations.crm.hubspot.conftest import World
from tests.integrations.crm.hubspot.portal import API, drop_after, garbage_after, status


def test_whoami_names_the_account_and_its_own_domain(world: World) -> None:
    found = world.client().whoami()

    assert (found.id, found.handle) == ("8790001", "app-eu1.hubspot.com")
    assert found.url == "https://app-eu1.hubspot.com/contacts/8790001"


def test_the_key_is_kept_unique_where_the_account_proves_it(world: World) -> None:
    assert world.options["key_property"] == "warmline_key"
    assert world.options["unique"] is True
    assert world.portal.schema["tasks"][-1]["groupName"] == "task"


def test_a_property_that_is_there_already_is_kept(world: World) -> None:
    world.prepare()

    assert world.options["unique"] is True
    assert [row["name"] for row in world.portal.schema["tasks"]].count("warmline_key") == 1


def test_an_account_out_of_unique_properties_keeps_the_key_in_a_plain_one(make_world: Callable[..., World]) -> None:
    options = make_world(unique=False).options

    assert options["key_property"] == "warmline_key"
    assert options["unique"] is False


@pytest.mark.parametrize("unique", [True, False])
def test_where_the_group_of_tasks_cannot_be_told_the_key_goes_into_one_of_our_own(
    make_world: Callable[..., World], unique: bool
) -> None:
    world = make_world(unique=unique, prepared=False)
    world.portal.schema["tasks"].clear()

    world.prepare()

    assert (world.options["key_property"], world.options["unique"]) == ("warmline_key", unique)
    assert world.portal.schema["tasks"][-1]["groupName"] == "warmline"


def test_an_account_that_allows_no_property_has_none(make_world: Callable[..., World]) -> None:
    options = make_world(properties_allowed=False).options

    assert options["key_property"] is None
    assert options["unique"] is False


def test_leaving_deletes_the_property_that_connecting_made_and_may_be_repeated(world: World) -> None:
    assert world.client().clean() == [
        "The task property Warmline key was deleted. HubSpot keeps deleted properties in an archive for a while."
    ]
    assert [row["name"] for row in world.portal.schema["tasks"]] == ["hs_task_subject"]
    assert world.client().clean() == ["No property of ours is left in HubSpot."]


@pytest.mark.parametrize("fault", [status(503, "busy"), drop_after])
def test_a_property_that_could_not_be_deleted_just_now_goes_the_next_time(
    world: World, fault: Callable[..., Any]
) -> None:
    world.portal.fault("DELETE", "/tasks/warmline_key", fault)
    with pytest.raises(TemporaryError):
        world.client().clean()
    world.client().clean()
    assert "warmline_key" not in [row["name"] for row in world.portal.schema["tasks"]]


def test_a_property_that_may_not_be_deleted_stays_and_is_named(world: World) -> None:
    world.portal.properties_allowed = False
    [line] = world.client().clean()
    assert line.startswith("The task property Warmline key stays, since HubSpot did not let us delete it")
    assert "warmline_key" in [row["name"] for row in world.portal.schema["tasks"]]


def test_a_revoked_token_stops_connecting(make_world: Callable[..., World]) -> None:
    world = make_world(prepared=False)
    world.portal.fault("GET", "/tasks/warmline_key", status(401, "expired", category="EXPIRED_AUTHENTICATION"))

    with pytest.raises(AuthenticationError):
        world.prepare()


def test_an_account_that_answers_garbage_is_not_connected(make_world: Callable[..., World]) -> None:
    world = make_world(prepared=False)
    world.portal.fault("GET", "/account-info", garbage_after)

    with pytest.raises(UnexpectedResponseError) as caught:
        world.prepare()
    assert "all is well" not in f"{caught.value} {caught.value.sample}"


@pytest.mark.parametrize(
    ("name", "label", "network"),
    [
        ("x_handle", "X handle", "x"),
        ("custom_7", "X (formerly Twitter) username", "x"),
        ("mastodon", "Mastodon", "mastodon"),
        ("bluesky_profile", "", "bluesky"),
        ("linkedin_url", "LinkedIn", "linkedin"),
        ("instagramusername", "Insta", "instagram"),
        ("facebook_profile_url", "", "facebook"),
        ("social_handle", "Social handle", None),
    ],
)
def test_a_property_that_says_it_holds_a_handle_is_read(name: str, label: str, network: str | None) -> None:
    assert (name, network) in handle_properties([{"name": name, "label": label, "type": "string"}])


@pytest.mark.parametrize(
    ("name", "label", "kind"),
    [
        ("twitterprofilephoto", "Twitter profile photo", "string"),
        ("twitterbio", "Twitter bio", "string"),
        ("followercount", "Twitter followers", "number"),
        ("hs_social_twitter_clicks", "Twitter clicks", "number"),
        ("x_page_views", "X page views", "string"),
        ("user_name", "User name", "string"),
        ("social", "Social", "string"),
        ("x", "X", "string"),
    ],
)
def test_a_property_that_holds_something_else_is_not(name: str, label: str, kind: str) -> None:
    assert name not in dict(handle_properties([{"name": name, "label": label, "type": kind}]))


def test_a_property_that_forbids_calls_is_found_by_its_label() -> None:
    rows = [{"name": "c1", "label": "Do not call"}, {"name": "dnc"}, {"name": "last_called", "label": "Last called"}]

    assert do_not_call_properties(rows) == ("c1", "dnc")


def test_links_lead_to_the_host_that_our_registration_names() -> None:
    access = Access(
        {"api": API, "web": "http://127.0.0.1:8790/hubspot"},
        {"access_token": "t"},
        options={"ui_domain": "a.b", "portal_id": "1"},
    )

    assert HubSpot(access)._portal().url("0-27", "5") == "http://127.0.0.1:8790/hubspot/contacts/1/record/0-27/5"


def test_a_property_that_somebody_chose_is_read_and_one_that_they_took_away_is_not() -> None:
    found = {"contact_properties": [{"name": "twitterhandle", "network": "x"}, {"name": "nick", "network": None}]}
    chosen = {"handle_choices": {"favourite_place": "mastodon", "nick": "", "other": "*"}}
    assert handles({**found, **chosen}) == (("twitterhandle", "x"), ("favourite_place", "mastodon"), ("other", None))
    assert handles({}) == STANDARD_HANDLES


def test_only_text_that_somebody_added_may_be_chosen() -> None:
    known = [
        {"name": "firstname", "label": "First name", "type": "string", "hubspotDefined": True},
        {"name": "place", "label": "Favourite place", "type": "string"},
        {"name": "score", "label": "Score", "type": "number"},
        {"name": "gone", "label": "Gone", "type": "string", "archived": True},
    ]
    assert text_properties(known) == [{"name": "place", "label": "Favourite place"}]
