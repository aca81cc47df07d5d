from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from integrations import errors, http, oauth
from integrations.provider import App, OAuth2, Setting

APP = App("client-1", "client-secret-of-ours")
AUTH = OAuth2(
    "{web}/authorize", "{api}/token", ("read", "offline"), ("extra",), revoke_url="{api}/revoke",
    authorize_params={"prompt": "consent"},
)  # fmt: skip
HOSTS = {"api": "https://api.example.com", "web": "https://example.com"}
SETTING = Setting(APP, HOSTS, redirect_uri="https://warmline.example/callback")
TOKEN_URL, REVOKE_URL = "https://api.example.com/token", "https://api.example.com/revoke"
VERIFIER = "v" * 64
REGISTERED = replace(SETTING, app=replace(APP, options={"set": "77"}))
CREDENTIALS = {"access_token": "old-access-token", "refresh_token": "old-refresh-token", "scope": "read", "extra": 1}
FRESH = {
    "access_token": "new-access-token",
    "refresh_token": "new-refresh-token",
    "expires_in": 7200,
    "scope": "read offline",
}


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as found:
        yield found


def _form(call: responses.Call) -> dict[str, str]:
    body = call.request.body
    return {name: value[0] for name, value in parse_qs(body.decode() if isinstance(body, bytes) else str(body)).items()}


def _with(**auth: Any) -> OAuth2:
    return replace(AUTH, **auth)


def _fetch(auth: OAuth2 = AUTH, app: App = APP) -> dict[str, Any]:
    setting = replace(SETTING, app=app, hosts={**HOSTS, **app.hosts})
    return oauth.fetch_token("Example", auth, setting, code="the-code-we-got", verifier=VERIFIER)


def _refresh(credentials: dict[str, Any] = CREDENTIALS) -> Any:
    return oauth.refresh("Example", AUTH, SETTING, credentials)


# --- sending the person there --------------------------------------------------------------------------------


@pytest.mark.parametrize(("setting", "asked"), [(REGISTERED, {"set": ["77"]}), (SETTING, None)])
def test_what_is_kept_at_the_provider_is_asked_for_instead_of_scopes(
    setting: Setting, asked: dict[str, list[str]] | None
) -> None:
    auth = _with(asks_instead=lambda app: {name: app.options[name] for name in app.options})
    query = parse_qs(urlsplit(oauth.authorize_url(auth, setting, state="s", verifier=VERIFIER)).query)
    mine = {name: query[name] for name in ("scope", "optional_scope", "prompt", "set") if name in query}
    assert mine == (asked or {"scope": ["read offline"], "optional_scope": ["extra"], "prompt": ["consent"]})
    assert (asked is None) == ("scope" in query)
    assert query["state"] == ["s"]


def test_the_authorize_address_carries_state_scopes_and_the_challenge() -> None:
    url = oauth.authorize_url(AUTH, SETTING, state="s1", verifier=VERIFIER)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    assert urlsplit(url)._replace(query="").geturl() == "https://example.com/authorize"
    assert {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()} == {
        "response_type": "code",
        "client_id": "client-1",
        "redirect_uri": "https://warmline.example/callback",
        "scope": "read offline",
        "optional_scope": "extra",
        "prompt": "consent",
        "state": "s1",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    assert VERIFIER not in url
    assert APP.client_secret not in url


def test_a_registration_may_have_scopes_of_its_own() -> None:
    setting = replace(SETTING, app=replace(APP, options={"scopes": "read write"}))
    query = parse_qs(urlsplit(oauth.authorize_url(AUTH, setting, state="s", verifier=VERIFIER)).query)
    assert query["scope"] == ["read write"]


def test_without_pkce_there_is_no_challenge_and_no_verifier(mock: responses.RequestsMock) -> None:
    url = oauth.authorize_url(_with(pkce=False), SETTING, state="s", verifier=VERIFIER)
    assert "code_challenge" not in url
    mock.post(TOKEN_URL, json=FRESH)
    _fetch(_with(pkce=False))
    assert "code_verifier" not in _form(mock.calls[0])


def test_the_app_may_say_where_the_provider_is(mock: responses.RequestsMock) -> None:
    app = replace(APP, hosts={"api": "http://127.0.0.1:8790/x", "web": "http://127.0.0.1:8790/x"})
    setting = replace(SETTING, app=app, hosts={**HOSTS, **app.hosts})
    url = oauth.authorize_url(AUTH, setting, state="s", verifier=VERIFIER)
    assert url.startswith("http://127.0.0.1:8790/x/authorize?")
    mock.post("http://127.0.0.1:8790/x/token", json=FRESH)
    assert _fetch(app=app)["access_token"] == "new-access-token"


# --- spending the code ---------------------------------------------------------------------------------------


def test_a_code_becomes_credentials_that_say_when_they_end(mock: responses.RequestsMock) -> None:
    mock.post(TOKEN_URL, json={**FRESH, "token_type": "bearer", "unknown": "dropped"})
    found = _fetch()
    ends = datetime.fromisoformat(found.pop("expires_at"))
    assert ends - datetime.now(UTC) == pytest.approx(timedelta(hours=2), abs=timedelta(minutes=1))
    assert found == {
        "access_token": "new-access-token",
        "refresh_token": "new-refresh-token",
        "scope": "read offline",
        "token_type": "bearer",
    }
    assert _form(mock.calls[0]) == {
        "grant_type": "authorization_code",
        "code": "the-code-we-got",
        "redirect_uri": "https://warmline.example/callback",
        "code_verifier": VERIFIER,
    }


@pytest.mark.parametrize(
    ("method", "app", "header", "fields"),
    [
        ("client_secret_basic", APP, True, {}),
        ("client_secret_post", APP, False, {"client_id": "client-1", "client_secret": "client-secret-of-ours"}),
        ("client_secret_basic", App("client-1"), False, {"client_id": "client-1"}),
        ("none", App("client-1"), False, {"client_id": "client-1"}),
    ],
)
def test_we_say_who_we_are_as_the_provider_wants_it(
    mock: responses.RequestsMock, method: str, app: App, header: bool, fields: dict[str, str]
) -> None:
    mock.post(TOKEN_URL, json=FRESH)
    mock.post(REVOKE_URL)
    auth = _with(client_auth=method)
    _fetch(auth, app)
    oauth.revoke("Example", auth, replace(SETTING, app=app), CREDENTIALS)
    basic = "Basic " + base64.b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()
    for call in mock.calls:
        assert call.request.headers.get("Authorization") == (basic if header else None)
        form = _form(call)
        assert {name: form[name] for name in ("client_id", "client_secret") if name in form} == fields


def test_scopes_may_come_as_a_list(mock: responses.RequestsMock) -> None:
    mock.post(TOKEN_URL, json={"access_token": "new-access-token", "scopes": ["a", "b"]})
    found = _fetch()
    assert found["scope"] == "a b"
    assert "expires_at" not in found


# --- spending the refresh token ------------------------------------------------------------------------------


def test_a_refresh_keeps_what_does_not_come_back(mock: responses.RequestsMock) -> None:
    mock.post(TOKEN_URL, json={"access_token": "new-access-token", "expires_in": "1800"})
    found = _refresh()
    assert (found["access_token"], found["refresh_token"]) == ("new-access-token", "old-refresh-token")
    assert (found["scope"], found["extra"]) == ("read", 1)
    assert _form(mock.calls[0]) == {"grant_type": "refresh_token", "refresh_token": "old-refresh-token"}


def test_an_end_that_no_longer_comes_is_not_kept(mock: responses.RequestsMock) -> None:
    mock.post(TOKEN_URL, json={"access_token": "new-access-token"})
    renewed = _refresh({**CREDENTIALS, "expires_at": "2020-01-01T00:00:00+00:00"})
    assert "expires_at" not in renewed, "it would be renewed before every call, for ever"


def test_a_refresh_token_that_rotates_is_replaced(mock: responses.RequestsMock) -> None:
    mock.post(TOKEN_URL, json=FRESH)
    assert _refresh()["refresh_token"] == "new-refresh-token"


def test_without_a_refresh_token_the_consent_has_run_out() -> None:
    with pytest.raises(oauth.NothingToRenewWithError, match="Example"):
        _refresh({"access_token": "old-access-token"})


ANSWERS: list[tuple[int, Any, type[Exception]]] = [
    # about the grant
    (400, {"error": "invalid_grant", "error_description": "expired"}, errors.AuthenticationError),
    (400, {"error": "access_denied"}, errors.AuthenticationError),
    (400, {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}, errors.AuthenticationError),
    (400, {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}, errors.AuthenticationError),
    (400, {"error": {"message": "This authorization code has been used.", "type": "OAuthException", "code": 100}}, errors.AuthenticationError),
    # about us
    (400, {"error": {"message": "Error validating client secret.", "type": "OAuthException", "code": 1}}, oauth.RegistrationRefusedError),
    (400, {"error": {"message": "Error validating application.", "type": "OAuthException", "code": 101}}, oauth.RegistrationRefusedError),
    (401, {"error": "invalid_client"}, oauth.RegistrationRefusedError),
    (401, {"error": "unauthorized_client", "error_description": "Missing valid authorization header"}, oauth.RegistrationRefusedError),
    (400, {"error": "invalid_client_id", "error_description": "client identifier invalid"}, oauth.RegistrationRefusedError),
    (400, {"error": "unknown_error", "error_description": "retry your request"}, errors.TemporaryError),
    (400, {"error": "temporarily_unavailable"}, errors.TemporaryError),
    (400, {"error": "rate_limit_exceeded"}, errors.TemporaryError),
    (400, {"error": {"message": "(#4) Application request limit reached", "type": "OAuthException", "code": 4}}, errors.TemporaryError),
    (400, {"error": "invalid_request", "error_description": "Missing required parameter [client_id]."}, oauth.RegistrationRefusedError),
    (400, {"error": "unsupported_grant_type"}, oauth.RegistrationRefusedError),
    # about neither
    (400, "<html>a proxy's page</html>", errors.TemporaryError),
    (401, "", errors.TemporaryError),
    (403, "<html>blocked</html>", errors.TemporaryError),
    (429, {"error": "slow_down"}, errors.RateLimitError),
    (500, {"error": "invalid_grant"}, errors.TemporaryError),
    (503, "", errors.TemporaryError),
    (302, "", errors.UnexpectedResponseError),
    (404, "", errors.NotFoundError),
    (200, "<html>welcome</html>", errors.UnexpectedResponseError),
    (200, "[]", errors.UnexpectedResponseError),
    (200, {"token_type": "bearer"}, errors.UnexpectedResponseError),
    (200, {"access_token": ""}, errors.UnexpectedResponseError),
    (200, {"access_token": 17}, errors.UnexpectedResponseError),
    (200, {"access_token": "new-access-token", "expires_in": "soon"}, errors.UnexpectedResponseError),
    (200, {"access_token": "new-access-token", "expires_in": 1e300}, errors.UnexpectedResponseError),
    (201, {"access_token": "new-access-token"}, errors.UnexpectedResponseError),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "expected"), ANSWERS)
def test_only_a_word_about_the_grant_ends_it(
    mock: responses.RequestsMock, status: int, body: Any, expected: type[Exception]
) -> None:
    content = {"body": body} if isinstance(body, str) else {"json": body}
    mock.post(
        TOKEN_URL, status=status, headers={"Location": "https://elsewhere.example/"} if status == 302 else {}, **content
    )
    with pytest.raises(errors.IntegrationError) as caught:
        _refresh()
    assert type(caught.value) is expected


@pytest.mark.parametrize(
    "failure", [requests.ReadTimeout("x"), requests.ConnectTimeout("x"), requests.ConnectionError("x")]
)
def test_silence_never_ends_a_grant(mock: responses.RequestsMock, failure: Exception) -> None:
    mock.post(TOKEN_URL, body=failure)
    with pytest.raises(errors.TemporaryError, match="Example"):
        _refresh()


def test_an_oversized_answer_is_given_up(mock: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_ANSWER", 1000)
    mock.post(TOKEN_URL, json={**FRESH, "filler": "a" * 1000})
    with pytest.raises(errors.UnexpectedResponseError, match="larger"):
        _fetch()


def test_no_secret_that_a_provider_quotes_back_gets_into_a_message(mock: responses.RequestsMock) -> None:
    basic = base64.b64encode(b"client-1:client-secret-of-ours").decode()
    quoted = f"old-refresh-token and client-secret-of-ours in Basic {basic} are wrong"
    for body in (
        {"error": "invalid_grant", "error_description": quoted},
        {"error": "invalid_client", "error_description": quoted},
    ):
        mock.post(TOKEN_URL, status=400, json=body)
        with pytest.raises(errors.IntegrationError, match="are wrong") as caught:
            _refresh()
        assert "old-refresh-token" not in str(caught.value)
        assert "client-secret-of-ours" not in str(caught.value)
        assert basic not in str(caught.value)


# --- leaving -------------------------------------------------------------------------------------------------


def test_leaving_revokes_the_refresh_token(mock: responses.RequestsMock) -> None:
    mock.post(REVOKE_URL)
    assert oauth.revoke("Example", AUTH, SETTING, CREDENTIALS)
    assert _form(mock.calls[0])["token"] == "old-refresh-token"


@pytest.mark.parametrize(
    "answer", [{"status": 500}, {"body": requests.ConnectionError("x")}, {"status": 400, "json": {"error": "x"}}]
)
def test_leaving_works_though_the_provider_does_not(mock: responses.RequestsMock, answer: dict[str, Any]) -> None:
    mock.post(REVOKE_URL, **answer)
    assert not oauth.revoke("Example", AUTH, SETTING, CREDENTIALS)


def test_leaving_follows_no_redirect(mock: responses.RequestsMock) -> None:
    mock.post(REVOKE_URL, status=307, headers={"Location": "https://elsewhere.example/"})
    oauth.revoke("Example", AUTH, SETTING, CREDENTIALS)
    assert len(mock.calls) == 1


@pytest.mark.parametrize(("auth", "credentials"), [(_with(revoke_url=None), CREDENTIALS), (AUTH, {})])
def test_where_there_is_nothing_to_revoke_nobody_is_called(auth: OAuth2, credentials: dict[str, Any]) -> None:
    oauth.revoke("Example", auth, SETTING, credentials)


# --- whose answer it is (RFC 9207) --------------------------------------------------------------------------------


@pytest.mark.parametrize("iss", ["https://evil.example", "https://chirp.example/", "", "https://CHIRP.example"])
def test_another_servers_answer_is_refused_before_the_code_is_shown_to_anybody(iss: str) -> None:
    auth = replace(AUTH, issuer="https://chirp.example")
    with responses.RequestsMock() as mock:  # nobody is called
        with pytest.raises(errors.UnexpectedResponseError, match="another server than the one you were sent to"):
            oauth.finish("Chirp", auth, SETTING, {"verifier": VERIFIER}, {"code": "c", "iss": iss})
        assert len(mock.calls) == 0


def test_an_answer_that_names_its_server_is_taken() -> None:
    auth = replace(AUTH, issuer="https://chirp.example")
    with responses.RequestsMock() as mock:
        mock.post(TOKEN_URL, json={"access_token": "a"})
        for params in ({"code": "c", "iss": "https://chirp.example"}, {"code": "c"}):
            assert oauth.finish("Chirp", auth, SETTING, {"verifier": VERIFIER}, params)["access_token"] == "a"


@pytest.mark.parametrize(
    "iss", ["https://evil.example", "https://example.com.evil.example", "https://login.example.com", "http://example.com", "https://example.com:8443", "", "example.com",
            "https://example.com@evil.example"],
)  # fmt: skip
def test_where_nobody_told_us_the_issuer_an_answer_from_elsewhere_is_refused_all_the_same(iss: str) -> None:
    with responses.RequestsMock() as mock:
        with pytest.raises(errors.UnexpectedResponseError, match="another server than the one you were sent to"):
            oauth.finish("Chirp", AUTH, SETTING, {"verifier": VERIFIER}, {"code": "c", "iss": iss})
        assert len(mock.calls) == 0


@pytest.mark.parametrize("domains", [(), ("chirp-login.example",)])
def test_where_nobody_told_us_the_issuer_it_is_known_by_where_it_is(domains: tuple[str, ...]) -> None:
    """Mastodon's ends in a slash; Salesforce shows `login.salesforce.com` as a My Domain's."""
    told = [
        HOSTS["web"],
        f"{HOSTS['web']}/",
        f"{HOSTS['api']}:443/tenant",
        *(f"https://acme.{each}" for each in domains),
    ]
    with responses.RequestsMock() as mock:
        mock.post(TOKEN_URL, json={"access_token": "a"})
        for iss in told:
            found = oauth.finish(
                "Chirp", replace(AUTH, domains=domains), SETTING, {"verifier": VERIFIER}, {"code": "c", "iss": iss}
            )
            assert found["access_token"] == "a"
