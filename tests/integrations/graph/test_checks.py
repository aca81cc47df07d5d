"""The app's subscription and the page's: found, mended, or told."""

from __future__ import annotations

from typing import Any

import pytest

from integrations import errors
from integrations.graph.hooks import verify_token
from integrations.provider import App
from integrations.social.facebook import HOOK_FIELDS, PROVIDER, SCOPES
from integrations.social.instagram import PROVIDER as INSTAGRAM
from tests.integrations.graph.wire import APP, APP_TOKEN, NOW, TOKEN, Wire, error
from tests.integrations.social.facebook.wire import US, Facebook
from tests.integrations.social.instagram.wire import PAGE, Instagram

CALLBACK = "https://warmline.example/hooks/facebook"
PAGE_EDGE = f"{US.id}/subscribed_apps"
APP_EDGE = f"{APP.client_id}/subscriptions"


@pytest.fixture
def page(wire: Wire) -> Facebook:
    """A page whose consent is whole."""
    found = Facebook(wire)
    _token(wire, scopes=list(SCOPES))
    return found


def _token(wire: Wire, **told: Any) -> None:
    wire.put("debug_token", data={"is_valid": True, "data_access_expires_at": 0, **told})


def _check(page: Facebook, **access: Any) -> list[str]:
    assert PROVIDER.check is not None
    return list(PROVIDER.check(page.access(**access)))


def _subscribe(wire: Wire, callback: str = CALLBACK, fields: Any = HOOK_FIELDS, *, active: bool = True) -> None:
    named = [{"name": name, "version": "v25.0"} for name in fields]
    wire.subscriptions.append({"object": "page", "callback_url": callback, "fields": named, "active": active})


def _install(wire: Wire, *fields: str) -> None:
    wire.put(APP.client_id, PAGE_EDGE, subscribed_fields=list(fields))


def test_missing_subscriptions_are_made_and_nothing_is_left_to_do(page: Facebook) -> None:
    assert _check(page) == []
    (installed,) = page.wire.calls("POST", PAGE_EDGE)
    assert set(installed["subscribed_fields"].split(",")) == set(HOOK_FIELDS)
    (subscribed,) = page.wire.calls("POST", APP_EDGE)
    assert (subscribed["object"], subscribed["callback_url"]) == ("page", CALLBACK)
    assert subscribed["verify_token"] == verify_token(APP, "page")
    assert set(subscribed["fields"].split(",")) == set(HOOK_FIELDS)
    sent = len([request for request in page.wire.sent if request.method == "POST"])
    assert _check(page) == []
    writes = [request for request in page.wire.sent if request.method == "POST"][sent:]
    assert [str(request.url).rpartition("/")[2] for request in writes] == [""]  # the batch that looks at the token


def test_the_page_is_asked_with_its_token_and_the_app_with_its_own(page: Facebook) -> None:
    _check(page)
    for request in page.wire.sent:
        ours = APP.client_id in str(request.url) or str(request.url).endswith("/v25.0/")
        assert request.headers["Authorization"] == f"Bearer {APP_TOKEN if ours else TOKEN}"
        assert TOKEN not in str(request.url)


def test_fields_of_others_stay_when_ours_are_added(page: Facebook) -> None:
    _install(page.wire, "leadgen", "feed")
    _subscribe(page.wire, fields=["leadgen", "feed"])
    assert _check(page) == []
    assert set(page.wire.calls("POST", PAGE_EDGE)[0]["subscribed_fields"].split(",")) == {*HOOK_FIELDS, "leadgen"}
    assert set(page.wire.calls("POST", APP_EDGE)[0]["fields"].split(",")) == {*HOOK_FIELDS, "leadgen"}


@pytest.mark.parametrize(
    "wrong", [{"active": False}, {"callback": "https://old.example/hooks/facebook"}, {"fields": HOOK_FIELDS[1:]}]
)
def test_a_subscription_that_is_off_or_leads_to_an_old_address_of_ours_is_mended(page: Facebook, wrong: Any) -> None:
    _subscribe(page.wire, **wrong)
    assert _check(page) == []
    assert page.wire.subscriptions[0]["callback_url"] == CALLBACK
    assert page.wire.subscriptions[0]["active"]


def test_somebody_elses_address_is_left_alone_and_told(page: Facebook) -> None:
    _subscribe(page.wire, "https://other.example/facebook")
    (told,) = _check(page)
    assert "other.example" in told
    assert page.wire.calls("POST", APP_EDGE) == []


def test_an_address_that_meta_cannot_reach_is_told(page: Facebook) -> None:
    page.wire.reachable = False
    (told,) = _check(page)
    assert CALLBACK in told
    assert "polled" in told


def test_an_address_without_https_is_told_and_not_tried(page: Facebook) -> None:
    (told,) = _check(page, base_url="http://localhost:8000")
    assert "https" in told
    assert page.wire.calls("GET", APP_EDGE) == []


def test_an_app_without_its_secret_is_told(page: Facebook) -> None:
    (told,) = _check(page, app=App(APP.client_id))
    assert "warmline providers set facebook" in told


def test_an_app_with_a_wrong_secret_is_told_once(page: Facebook) -> None:
    page.wire.refused[APP_EDGE] = error(190, "Invalid OAuth access token signature.")
    page.wire.refused["debug_token"] = error(190, "Invalid OAuth access token signature.")
    page.wire.refused[f"{APP.client_id}/permissions"] = error(190, "Invalid OAuth access token signature.")
    (told,) = _check(page)
    assert "id and secret" in told


def test_a_page_that_may_not_be_installed_on_names_the_permission(page: Facebook) -> None:
    page.wire.refused[PAGE_EDGE] = error(200, "(#200) one of these permissions is needed: pages_manage_metadata")
    (told,) = _check(page)
    assert "pages_manage_metadata" in told


def test_a_field_that_meta_no_longer_knows_is_told(page: Facebook) -> None:
    page.wire.refused[PAGE_EDGE] = error(100, "(#100) Param subscribed_fields[4] must be one of {feed, mention}")
    (told,) = _check(page)
    assert "must be one of" in told


def test_a_consent_that_leaves_something_out_is_told(page: Facebook) -> None:
    _token(page.wire, scopes=[scope for scope in SCOPES if scope != "pages_messaging"])
    (told,) = _check(page)
    assert "pages_messaging" in told


def test_a_consent_that_is_gone_is_told(page: Facebook) -> None:
    _token(page.wire, is_valid=False)
    (told,) = _check(page)
    assert "Connect the account again" in told


@pytest.mark.parametrize(("days", "told"), [(13, True), (15, False)])
def test_the_end_of_data_access_is_told_two_weeks_ahead(page: Facebook, days: int, told: bool) -> None:
    _token(page.wire, scopes=list(SCOPES), data_access_expires_at=int(NOW.timestamp()) + days * 86_400)
    found = _check(page)
    assert bool(found) is told
    assert all("2 April 2026" in each for each in found)


@pytest.mark.parametrize("value", [None, "soon", -1, 10**30, True])
def test_an_end_that_is_no_time_is_none(page: Facebook, value: Any) -> None:
    _token(page.wire, scopes=list(SCOPES), data_access_expires_at=value)
    assert [each for each in _check(page) if "until" in each] == [] or value is True


def test_a_permission_without_advanced_access_is_told(page: Facebook) -> None:
    for number, status in enumerate(["live", "unapproved"]):
        page.wire.put(f"perm{number}", f"{APP.client_id}/permissions", permission=SCOPES[number + 1], status=status)
    page.wire.put("perm9", f"{APP.client_id}/permissions", permission="ads_read", status="unapproved")
    (told,) = _check(page)
    assert SCOPES[2] in told
    assert "advanced access" in told
    assert "ads_read" not in told


def test_a_failure_in_passing_is_no_step_for_anybody(page: Facebook) -> None:
    page.wire.refused[PAGE_EDGE] = error(2, "An unexpected error", status=500)
    with pytest.raises(errors.TemporaryError):
        _check(page)


@pytest.fixture
def account(wire: Wire) -> Instagram:
    found = Instagram(wire)
    _token(wire)
    return found


def test_instagram_needs_its_page_to_install_the_app(account: Instagram) -> None:
    assert INSTAGRAM.check is not None
    assert list(INSTAGRAM.check(account.access())) == []
    assert account.wire.calls("POST", f"{PAGE}/subscribed_apps")[0]["subscribed_fields"] == "feed"
    (subscribed,) = account.wire.calls("POST", APP_EDGE)
    assert subscribed["object"] == "instagram"
    assert subscribed["callback_url"] == "https://warmline.example/hooks/instagram"
    assert subscribed["verify_token"] == verify_token(APP, "instagram")


def test_the_two_providers_do_not_undo_each_other(page: Facebook) -> None:
    account = Instagram(page.wire)
    _token(page.wire)
    assert INSTAGRAM.check is not None
    for _ in range(2):
        assert _check(page) == []
        assert list(INSTAGRAM.check(account.access())) == []
    assert {row["object"]: row["callback_url"].rpartition("/")[2] for row in page.wire.subscriptions} == {
        "page": "facebook",
        "instagram": "instagram",
    }
    assert set(page.wire.nodes[APP.client_id]["subscribed_fields"]) == set(HOOK_FIELDS)


def _take_back(provider: Any, access: Any) -> list[str]:
    return list(provider.take_back(access))


def test_with_the_last_field_of_ours_the_app_is_taken_off_the_page(page: Facebook) -> None:
    _check(page)
    assert _take_back(PROVIDER, page.access()) == []
    (sent,) = page.wire.calls("DELETE", PAGE_EDGE)
    assert sent.keys() == {"appsecret_proof"}  # the token travels in a header, not in an address
    assert page.wire.edges[PAGE_EDGE] == []
    assert _take_back(PROVIDER, page.access()) == []  # twice does no harm, and is not asked for
    assert len(page.wire.calls("DELETE", PAGE_EDGE)) == 1


def test_fields_of_others_stay_when_ours_are_taken_back(page: Facebook) -> None:
    _install(page.wire, "leadgen", *HOOK_FIELDS)
    assert _take_back(PROVIDER, page.access()) == []
    assert page.wire.nodes[APP.client_id]["subscribed_fields"] == ["leadgen"]
    _take_back(PROVIDER, page.access())
    assert len(page.wire.calls("POST", PAGE_EDGE)) == 1  # nothing of ours is left


def test_an_instagram_account_leaves_a_page_alone_that_is_read_itself(page: Facebook) -> None:
    account = Instagram(page.wire)
    assert INSTAGRAM.check is not None
    _token(page.wire)
    INSTAGRAM.check(account.access())
    page.wire.nodes[APP.client_id]["subscribed_fields"] = list(HOOK_FIELDS)
    assert _take_back(INSTAGRAM, account.access()) == []
    assert set(page.wire.nodes[APP.client_id]["subscribed_fields"]) == set(HOOK_FIELDS)
    page.wire.nodes[APP.client_id]["subscribed_fields"] = ["feed"]
    assert _take_back(INSTAGRAM, account.access()) == []
    assert page.wire.edges[f"{PAGE}/subscribed_apps"] == []


def test_what_meta_does_not_take_back_is_said_with_what_a_person_can_do(page: Facebook) -> None:
    page.wire.refused[PAGE_EDGE] = error(200, "(#200) needs a permission.")
    (told,) = _take_back(PROVIDER, page.access())
    assert told.startswith("Meta was to stop telling Warmline about this page and did not: ")
    assert told.endswith("take the app out at facebook.com under Settings, Business Integrations.")


def test_a_page_that_is_gone_tells_nothing_any_more(page: Facebook) -> None:
    page.wire.refused[PAGE_EDGE] = error(803, "Some of the aliases you requested do not exist")
    assert _take_back(PROVIDER, page.access()) == []


def test_each_step_is_told_in_whole_sentences(page: Facebook) -> None:
    page.wire.reachable = False
    page.wire.refused[PAGE_EDGE] = error(200, "(#200) needs a permission.")
    _token(page.wire, scopes=["public_profile"])
    told = _check(page)
    assert len(told) == 3
    assert all(each.endswith(".") and not each.endswith("..") and "!" not in each for each in told)
