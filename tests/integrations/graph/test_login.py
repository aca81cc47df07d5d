from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from integrations import errors, oauth
from integrations.graph import login
from integrations.provider import Access, Account, App, Setting
from integrations.social.facebook import PROVIDER as FACEBOOK
from integrations.social.instagram import PROVIDER as INSTAGRAM
from integrations.social.instagram.client import PAGE_ID, InstagramClient
from tests.integrations.graph.wire import APP, SHORT_TOKEN, USER_TOKEN, Wire, error

SETTING = Setting(APP, dict(INSTAGRAM.hosts), redirect_uri="https://warmline.example/oauth/facebook/callback")
ACCESS = Access(
    hosts=dict(INSTAGRAM.hosts), credentials={"access_token": USER_TOKEN, "scope": "pages_show_list"}, app=APP
)


@pytest.fixture
def person(wire: Wire) -> Wire:
    """Somebody who has signed in and manages nothing yet."""
    wire.tokens[USER_TOKEN] = wire.put("55")
    wire.put("p1", "55/permissions", permission="pages_show_list", status="granted")
    wire.put("p2", "55/permissions", permission="pages_messaging", status="declined")
    wire.put("p3", "55/permissions", permission="pages_read_engagement", status="granted")
    return wire


def _page(wire: Wire, page_id: str, **row: Any) -> None:
    wire.put(page_id, "55/accounts", **{"name": f"Page {page_id}", "access_token": f"token of {page_id}", **row})


def _accounts(provider: Any, access: Access = ACCESS) -> Sequence[Account]:
    found: Sequence[Account] = provider.accounts(access)
    return found


def test_the_short_token_becomes_a_long_one_with_what_was_granted(person: Wire) -> None:
    kept = login.exchange(SETTING, {"access_token": "short-lived-token", "expires_at": "soon"})
    assert kept["access_token"] == USER_TOKEN
    assert kept["scope"] == "pages_read_engagement pages_show_list"
    until = datetime.fromisoformat(kept["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=59) < until <= timedelta(days=60)
    (sent,) = person.calls("POST", "oauth/access_token")
    assert sent == {
        "grant_type": "fb_exchange_token",
        "client_id": APP.client_id,
        "client_secret": APP.client_secret,
        "fb_exchange_token": "short-lived-token",
    }
    assert "Authorization" not in person.sent[0].headers


@pytest.mark.parametrize("body", ["{}", '{"access_token":""}', '{"access_token":17}', "[]"])
def test_an_exchange_without_a_token_says_so(person: Wire, body: str) -> None:
    person.replies.append((200, {}, body))
    with pytest.raises(errors.UnexpectedResponseError):
        login.exchange(SETTING, {"access_token": "short-lived-token"})


def test_a_short_token_that_is_no_longer_good_is_a_consent_to_be_given_again(person: Wire) -> None:
    person.refused["oauth/access_token"] = error(190, "Error validating access token", 463)
    with pytest.raises(errors.AuthenticationError):
        login.exchange(SETTING, {"access_token": "short-lived-token"})


def test_the_consent_asks_again_for_what_was_left_out_before() -> None:
    for provider in (FACEBOOK, INSTAGRAM):
        assert provider.auth.authorize_params["auth_type"] == "rerequest"  # type: ignore[union-attr]
        assert provider.auth.exchange is login.exchange  # type: ignore[union-attr]


@pytest.mark.parametrize("provider", [FACEBOOK, INSTAGRAM], ids=lambda each: str(each.key))
def test_login_for_business_is_asked_with_the_configuration_and_no_permissions(provider: Any) -> None:
    def query(app: App) -> dict[str, list[str]]:
        url = oauth.authorize_url(provider.auth, replace(SETTING, app=app), state="s1", verifier="v" * 64)
        return parse_qs(urlsplit(url).query)

    plain, business = query(APP), query(replace(APP, options={"config_id": " 4711 "}))
    assert "config_id" not in plain
    assert plain["scope"] == [" ".join(provider.auth.scopes)]
    assert business == {
        "response_type": ["code"], "client_id": [APP.client_id], "redirect_uri": [SETTING.redirect_uri], "state": ["s1"], "config_id": ["4711"]
    }  # fmt: skip
    assert "config_id" in [field.name for field in provider.app_form]


def test_each_page_becomes_an_account_with_a_token_of_its_own(person: Wire) -> None:
    person.page = 2
    for number in range(5):
        _page(person, str(number), username=f"acme{number}" if number else "")
    found = _accounts(FACEBOOK)
    assert {each.author.id for each in found} == set("01234")
    assert {each.author.handle for each in found} == {"0", "acme1", "acme2", "acme3", "acme4"}
    assert [each.credentials for each in found if each.author.id == "3"] == [
        {"access_token": "token of 3", "scope": "pages_show_list"}
    ]
    assert "token of" not in repr(found)


def test_a_page_that_may_not_be_read_is_left_out(person: Wire) -> None:
    _page(person, "1")
    person.put("2", "55/accounts", name="no task there")
    assert [each.author.id for each in _accounts(FACEBOOK)] == ["1"]


def test_somebody_without_a_task_on_any_page_is_told_so(person: Wire) -> None:
    person.put("2", "55/accounts", name="no task there")
    with pytest.raises(errors.PermissionDeniedError, match="no task"):
        _accounts(FACEBOOK)


def test_somebody_without_pages_connects_none(person: Wire) -> None:
    assert _accounts(FACEBOOK) == []


def test_instagram_accounts_are_found_through_their_pages(person: Wire) -> None:
    linked = {"id": "1784", "username": "acme", "name": "Acme", "biography": "We sell boots", "followers_count": 3}
    _page(person, "1", instagram_business_account=linked)
    _page(person, "2")
    (found,) = _accounts(INSTAGRAM)
    assert (found.author.id, found.author.handle, found.author.bio) == ("1784", "acme", "We sell boots")
    assert found.author.url == "https://www.instagram.com/acme/"
    assert found.credentials == {"access_token": "token of 1", "scope": "pages_show_list"}
    assert found.options == {PAGE_ID: "1"}
    access = replace(ACCESS, credentials=found.credentials, options=found.options, account=found.author)
    assert InstagramClient(access).whoami().handle == "acme"


def test_pages_without_an_instagram_account_are_told_from_no_pages_at_all(person: Wire) -> None:
    _page(person, "1")
    with pytest.raises(errors.InvalidRequestError, match="Linked accounts"):
        _accounts(INSTAGRAM)


def test_no_token_that_meta_quotes_back_is_told(person: Wire) -> None:
    person.replies.append((400, {}, json.dumps(error(100, f"Bad token {SHORT_TOKEN}")[1])))
    with pytest.raises(errors.InvalidRequestError, match="Bad token …"):
        login.exchange(SETTING, {"access_token": SHORT_TOKEN})
