"""What comes with a token, and how it is renewed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from integrations import consents, forms, hosts
from integrations.crm.salesforce import PROVIDER, signing
from integrations.errors import AuthenticationError, TemporaryError, UnexpectedResponseError
from integrations.oauth import RegistrationRefusedError
from integrations.provider import App, OAuth2, Setting
from tests.integrations.crm.salesforce.conftest import World
from tests.integrations.crm.salesforce.server import BASE, LOGIN

TOKEN_URL = f"{LOGIN}/services/oauth2/token"
SETTING = Setting(App("key", "the-secret-of-nobody"), {"login": LOGIN})
OLD = {
    "access_token": "old",
    "refresh_token": "5Aep861-old-refresh-token",
    "instance_url": BASE,
    "id": f"{LOGIN}/id/00D/005",
}


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as found:
        yield found


@pytest.mark.parametrize(
    "address",
    [
        "https://example.my.salesforce.com",
        "https://example--uat.sandbox.my.salesforce.com/",
        "https://na1.salesforce.com",
        "https://agency.my.salesforce.mil",
        "https://login.example.com",
    ],
)
def test_a_server_of_salesforce_or_the_one_that_was_typed_is_called(address: str) -> None:
    assert signing.instance({"instance_url": address}, "https://login.example.com") == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://example.my.salesforce.com",
        "https://example.my.salesforce.com.attacker.example",
        "https://attackersalesforce.com.example",
        "https://notsalesforce.com",
        "https://example.my.salesforce.com:8443",
        "https://10.0.0.1",
    ],
)
def test_any_other_server_is_not(address: str) -> None:
    with pytest.raises(UnexpectedResponseError, match="not one of Salesforce's"):
        signing.instance({"instance_url": address}, LOGIN)


def test_a_consent_to_another_server_is_turned_down() -> None:
    with pytest.raises(UnexpectedResponseError):
        signing.exchange(SETTING, {**OLD, "instance_url": "https://attacker.example"})


def test_a_consent_is_renewed_every_day_so_that_no_idle_limit_ends_it() -> None:
    kept = signing.exchange(SETTING, OLD)

    ends = datetime.fromisoformat(kept["expires_at"])
    assert timedelta(hours=23) < ends - datetime.now(UTC) <= timedelta(days=1)
    assert kept["instance_url"] == BASE


def test_a_rotated_refresh_token_replaces_the_old_one(mock: responses.RequestsMock) -> None:
    body = {"access_token": "new", "refresh_token": "rotated", "instance_url": BASE, "issued_at": "1795600000000"}
    mock.post(TOKEN_URL, json=body)

    fresh = signing.refresh(SETTING, OLD)

    assert (fresh["access_token"], fresh["refresh_token"], fresh["id"]) == ("new", "rotated", OLD["id"])
    assert fresh["expires_at"]
    sent = parse_qs(str(mock.calls[0].request.body))
    assert sent == {
        "grant_type": ["refresh_token"],
        "refresh_token": [OLD["refresh_token"]],
        "client_id": ["key"],
        "client_secret": ["the-secret-of-nobody"],
    }


def test_without_rotation_the_old_refresh_token_stays(mock: responses.RequestsMock) -> None:
    mock.post(TOKEN_URL, json={"access_token": "new", "instance_url": BASE})
    assert signing.refresh(SETTING, OLD)["refresh_token"] == OLD["refresh_token"]


@pytest.mark.parametrize(
    ("body", "means"),
    [
        ({"error": "invalid_grant", "error_description": "expired access/refresh token"}, AuthenticationError),
        ({"error": "inactive_user", "error_description": "user is inactive"}, AuthenticationError),
        ({"error": "unknown_error", "error_description": "retry your request"}, TemporaryError),
        ({"error": "invalid_client_id", "error_description": "client identifier invalid"}, RegistrationRefusedError),
        ("<html>maintenance</html>", TemporaryError),
    ],
)
def test_only_what_is_said_of_the_grant_ends_it(
    mock: responses.RequestsMock, body: Any, means: type[Exception]
) -> None:
    if isinstance(body, str):
        mock.post(TOKEN_URL, body=body, status=400)
    else:
        mock.post(TOKEN_URL, json=body, status=400)

    with pytest.raises(means):
        signing.refresh(SETTING, OLD)


def test_a_refusal_that_quotes_the_refresh_token_does_not_tell_it(mock: responses.RequestsMock) -> None:
    says = f"no such token {OLD['refresh_token']}"
    mock.post(TOKEN_URL, json={"error": "invalid_grant", "error_description": says}, status=400)

    with pytest.raises(AuthenticationError) as raised:
        signing.refresh(SETTING, OLD)

    assert OLD["refresh_token"] not in str(raised.value)


def test_without_a_refresh_token_the_consent_has_run_out() -> None:
    with pytest.raises(AuthenticationError):
        signing.refresh(SETTING, {"access_token": "old", "instance_url": BASE})


def test_a_client_speaks_to_no_server_that_is_not_salesforces(world: World) -> None:
    with pytest.raises(UnexpectedResponseError):
        world.client(credentials={"access_token": "t", "instance_url": "https://attacker.example"})


@pytest.mark.parametrize("typed", ["", "test.salesforce.com", "example.my.salesforce.com"])
def test_a_person_signs_in_where_they_said_with_a_proof_key(mock: responses.RequestsMock, typed: str) -> None:
    app, login = App("key", "the-secret-of-nobody"), f"https://{typed or 'login.salesforce.com'}"
    form = forms.read(PROVIDER.form, {"login": typed})
    setting = Setting(
        app, hosts.resolve(PROVIDER, app, form), form, redirect_uri="https://warmline.example/x", guarded=True
    )
    way = consents.way(PROVIDER)
    mock.post(
        f"{login}/services/oauth2/token", json={**OLD, "scope": "refresh_token api", "issued_at": "1795600000000"}
    )

    begun = consents.begin(way, setting, "state-1")
    kept = consents.finish(way, setting, begun.kept, {"code": "c", "state": "state-1"})

    asked = parse_qs(urlsplit(begun.authorize_url).query)
    assert begun.authorize_url.startswith(f"{login}/services/oauth2/authorize?")
    assert (asked["code_challenge_method"], asked["scope"]) == (["S256"], ["api refresh_token"])
    assert parse_qs(str(mock.calls[0].request.body))["code_verifier"][0] == begun.kept["verifier"]
    assert (kept["instance_url"], kept["id"]) == (BASE, OLD["id"])
    assert kept["expires_at"]


def test_the_manifest_asks_for_pkce_and_keeps_what_the_token_brings() -> None:
    assert isinstance(PROVIDER.auth, OAuth2)
    assert PROVIDER.auth.pkce
    assert "instance_url" in PROVIDER.auth.keeps
    assert PROVIDER.form[0].default == "login.salesforce.com"
    assert set(PROVIDER.install.scopes) == set(PROVIDER.auth.scopes)
