"""The way in: from the consent page to credentials, and how they are renewed."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from integrations import consents, hosts
from integrations.crm.pipedrive import PROVIDER
from integrations.errors import AuthenticationError, UnexpectedResponseError
from integrations.provider import App, Setting
from tests.integrations.crm.pipedrive.server import BASE

WAY = consents.way(PROVIDER)
APP = App("id", "the-secret-of-nobody")
SETTING = Setting(
    APP, hosts.resolve(PROVIDER, APP, {}), redirect_uri="https://warmline.example/oauth/pipedrive/callback"
)
TOKEN_URL = "https://oauth.pipedrive.com/oauth/token"
ANSWER = {
    "access_token": "v1u:new", "refresh_token": "7:refresh", "expires_in": 3599, "token_type": "Bearer", "api_domain": BASE,
    "scope": "base,contacts:full,activities:full,users:read",
}  # fmt: skip


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as found:
        yield found


def _finished(mock: responses.RequestsMock, **answer: Any) -> dict[str, Any]:
    mock.post(TOKEN_URL, json={**ANSWER, **answer})
    begun = consents.begin(WAY, SETTING, "state-1")
    return dict(consents.finish(WAY, SETTING, begun.kept, {"code": "c", "state": "state-1"}))


def test_the_consent_page_is_pipedrives() -> None:
    url = urlsplit(consents.begin(WAY, SETTING, "state-1").authorize_url)

    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://oauth.pipedrive.com/oauth/authorize"
    asked = parse_qs(url.query)
    assert (asked["client_id"], asked["state"], asked["redirect_uri"]) == (["id"], ["state-1"], [SETTING.redirect_uri])


def test_a_consent_keeps_the_companys_address_and_scopes_that_streams_can_be_held_against(
    mock: responses.RequestsMock,
) -> None:
    kept = _finished(mock)

    assert kept["api_domain"] == BASE
    assert {scope for stream in PROVIDER.streams for scope in stream.scopes} <= set(kept["scope"].split())
    sent = mock.calls[0].request
    assert sent.headers["Authorization"] == f"Basic {base64.b64encode(b'id:the-secret-of-nobody').decode()}"


def test_a_consent_to_another_server_is_turned_down(mock: responses.RequestsMock) -> None:
    with pytest.raises(UnexpectedResponseError):
        _finished(mock, api_domain="https://pipedrive.com.attacker.example")


def test_a_refresh_takes_over_an_address_that_has_changed(mock: responses.RequestsMock) -> None:
    mock.post(TOKEN_URL, json={**ANSWER, "api_domain": "https://renamed.pipedrive.com"})

    fresh = consents.refresh(WAY, SETTING, {"refresh_token": "7:old", "access_token": "old", "api_domain": BASE})

    assert (fresh["api_domain"], fresh["refresh_token"]) == ("https://renamed.pipedrive.com", "7:refresh")


def test_a_refresh_token_that_was_not_used_for_sixty_days_ends_the_consent(mock: responses.RequestsMock) -> None:
    mock.post(
        TOKEN_URL,
        json={"success": False, "message": "Invalid grant: refresh token is invalid", "error": "invalid_grant"},
        status=400,
    )

    with pytest.raises(AuthenticationError):
        consents.refresh(WAY, SETTING, {"refresh_token": "7:old"})
