"""From the connect button to the provider and back, and every way in which that goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
import time_machine
from flask.testing import FlaskClient

from service import connect, registrations
from service.clock import real_now
from service.runtime import Runtime
from tests.service.console.conftest import CHIRP_API, Browser, words_of

TOKEN = {"access_token": "acme", "refresh_token": "r", "expires_in": 7200, "scope": "read dm.read"}


@pytest.fixture(autouse=True)
def _with_registrations(registered: Runtime) -> None:
    pass


def consent_state(browser: Browser, provider: str = "chirp") -> str:
    """Presses the connect button and goes to the consent page; returns the state that it was given."""
    ticket = browser.post(f"/connect/new/{provider}")
    assert (ticket.status_code, ticket.location[:9]) == (303, "/connect/")
    away = browser.get(ticket.location)
    assert away.status_code == 302
    query = parse_qs(urlsplit(away.location).query)
    return query["state"][0]


def back(browser: Browser | FlaskClient, provider: str = "chirp", **params: str) -> Any:
    return browser.get(f"/oauth/{provider}/callback", query_string=params)


@pytest.fixture
def token_endpoint() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(f"{CHIRP_API}/token", json=TOKEN)
        yield mock


def test_the_consent_page_is_asked_for_by_our_registration_with_pkce(olga: Browser) -> None:
    ticket = olga.post("/connect/new/chirp")
    url = urlsplit(olga.get(ticket.location).location)
    query = parse_qs(url.query)
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://chirp.test/authorize"
    assert query["client_id"] == ["chirp-client"]
    assert query["redirect_uri"] == ["http://warmline.test/oauth/chirp/callback"]
    assert query["code_challenge_method"] == ["S256"]


def test_a_consent_makes_a_connection_and_says_so(olga: Browser, token_endpoint: Any) -> None:
    answer = back(olga, state=consent_state(olga), code="c")
    assert answer.status_code == 303
    assert answer.location.startswith("/connections?connected=")
    page = olga.get(answer.location)
    assert "Chirp is connected as acme. The first pull is on its way." in words_of(page)
    assert "The first pull is under way: 0 posts so far." in words_of(page)
    assert "Only the newest 800 mentions are served." in words_of(page)
    assert "acme" not in token_endpoint.calls[0].request.url


def test_no_page_ever_shows_a_token(olga: Browser) -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{CHIRP_API}/token", json={**TOKEN, "refresh_token": "very-secret-refresh"})
        back(olga, state=consent_state(olga), code="c")
    assert "very-secret-refresh" not in olga.get("/connections").text


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"error": "access_denied"}, "Chirp was not connected: the consent was refused. Nothing has changed."),
        (
            {"error": "server_error"},
            "Chirp was not connected: it gave no access (server_error). Try again, or check our registration there.",
        ),
        (
            {"error": "access_denied", "iss": "https://evil.example"},
            "Chirp was not connected: the answer came from another server than the one you were sent to.",
        ),
        ({}, "Chirp was not connected: Chirp came back without an answer."),
    ],
)
def test_a_consent_that_was_not_given_is_one_plain_sentence(
    olga: Browser, params: dict[str, str], sentence: str
) -> None:
    answer = back(olga, state=consent_state(olga), **params)
    assert answer.status_code == 400
    assert sentence in words_of(answer)
    assert "Try Chirp again" in words_of(answer)


@pytest.mark.parametrize("state", ["", "forged", "a" * 43, "é"])
def test_a_state_that_we_never_gave_connects_nothing(olga: Browser, state: str) -> None:
    answer = back(olga, state=state, code="c")
    assert answer.status_code == 400
    assert "This consent was not started here, or was used already. Start again from Connections." in words_of(answer)


def test_a_state_is_good_once(olga: Browser, token_endpoint: Any) -> None:
    state = consent_state(olga)
    assert back(olga, state=state, code="c").status_code == 303
    again = back(olga, state=state, code="c")
    assert again.status_code == 400
    assert "was used already" in words_of(again)
    assert len(token_endpoint.calls) == 1


def test_a_state_that_a_refusal_has_spent_is_spent(olga: Browser, token_endpoint: Any) -> None:
    state = consent_state(olga)
    back(olga, state=state, error="access_denied")
    assert back(olga, state=state, code="c").status_code == 400
    assert len(token_endpoint.calls) == 0


def test_a_callback_in_another_browser_of_the_same_person_connects_nothing(
    olga: Browser, signed_in: Callable[[str], Browser], owner: Any, token_endpoint: Any
) -> None:
    answer = back(signed_in(owner.email), state=consent_state(olga), code="c")
    assert answer.status_code == 400
    assert "This consent was started in another browser or workspace." in words_of(answer)
    assert len(token_endpoint.calls) == 0


def test_a_callback_in_another_workspace_connects_nothing(
    olga: Browser, signed_in: Callable[[str], Browser], stranger: Any, token_endpoint: Any
) -> None:
    rita = signed_in(stranger.email)
    assert back(rita, state=consent_state(olga), code="c").status_code == 400
    assert len(token_endpoint.calls) == 0
    assert "Chirp is connected" not in rita.get("/connections").text


def test_a_callback_for_another_network_connects_nothing(olga: Browser, token_endpoint: Any) -> None:
    answer = back(olga, "rolodex", state=consent_state(olga), code="c")
    assert answer.status_code == 400
    assert "This consent was for another network. Start again from Connections." in words_of(answer)


def test_a_callback_in_a_browser_that_is_not_signed_in_says_so(olga: Browser, nobody: FlaskClient) -> None:
    state = consent_state(olga)
    answer = back(nobody, state=state, code="c")
    assert answer.status_code == 401
    assert "Nothing was connected, because this browser is not signed in." in words_of(answer)
    with responses.RequestsMock() as mock:  # and the state is still good where it belongs
        mock.post(f"{CHIRP_API}/token", json=TOKEN)
        assert back(olga, state=state, code="c").status_code == 303


def test_a_consent_that_took_too_long_is_over(olga: Browser) -> None:
    state = consent_state(olga)
    with time_machine.travel(real_now() + timedelta(minutes=11), tick=False):
        answer = back(olga, state=state, code="c")
    assert answer.status_code == 400
    assert "This consent took longer than ten minutes." in words_of(answer)


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (401, {"error": "invalid_client", "error_description": "unknown client"},
         "Chirp does not accept our app registration: unknown client. Check the client id and secret with `warmline providers set chirp`."),
        (400, {"error": "invalid_grant", "error_description": "code expired"}, "Chirp no longer accepts this consent: code expired"),
        (503, {}, "Chirp is not answering at the moment. Try again in a few minutes."),
        (200, {"surprise": True}, "Chirp answered without an access token"),
    ],
)  # fmt: skip
def test_a_token_endpoint_that_refuses_is_one_plain_sentence(
    olga: Browser, status: int, body: dict[str, Any], sentence: str
) -> None:
    state = consent_state(olga)
    with responses.RequestsMock() as mock:
        mock.post(f"{CHIRP_API}/token", status=status, json=body)
        answer = back(olga, state=state, code="c")
    assert answer.status_code == 400
    assert sentence in words_of(answer)


def test_a_ticket_opened_before_signing_in_is_still_good_afterwards(olga: Browser, nobody: FlaskClient) -> None:
    ticket = olga.post("/connect/new/chirp").location
    answer = nobody.get(ticket)
    assert answer.status_code == 401
    assert "Sign in first, then open this link again." in words_of(answer)
    assert olga.get(ticket).status_code == 302


def test_a_ticket_is_good_once(olga: Browser) -> None:
    ticket = olga.post("/connect/new/chirp").location
    olga.get(ticket)
    answer = olga.get(ticket)
    assert answer.status_code == 400
    assert "was used already" in words_of(answer)


def test_a_ticket_of_another_workspace_leads_nowhere(
    olga: Browser, signed_in: Callable[[str], Browser], stranger: Any
) -> None:
    answer = signed_in(stranger.email).get(olga.post("/connect/new/chirp").location)
    assert answer.status_code == 400
    assert "This link belongs to another workspace." in words_of(answer)


def test_after_a_form_a_browser_leaves_by_a_page_of_its_own(olga: Browser) -> None:
    """Browsers hold the redirects that follow a form's post to form-action, which names only us."""
    ticket = olga.post("/connect/new/chirp").location
    answer = olga.get(ticket, headers={"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 200
    assert answer.headers["Refresh"].startswith("0; url=https://chirp.test/authorize?")
    assert "Continue to chirp.test" in words_of(answer)


def test_a_provider_that_is_not_registered_says_who_registers_it(olga: Browser, held: Runtime) -> None:
    from service.models import ProviderApp

    with held.db.globally() as session:
        session.query(ProviderApp).delete()
    answer = olga.post("/connect/new/chirp")
    assert answer.status_code == 400
    assert "Chirp is not set up here yet. Whoever runs Warmline registers it" in words_of(answer)


def test_a_brand_of_nobody_is_refused(olga: Browser) -> None:
    for brand in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        answer = olga.post("/connect/new/chirp", {"brand": brand})
        assert answer.status_code == 400
        assert "There is no such brand in this workspace." in words_of(answer)


def test_a_provider_with_a_key_is_connected_by_a_form(olga: Browser) -> None:
    form = olga.get("/connect/new/keyed")
    assert 'type="password"' in form.text
    missing = olga.post("/connect/new/keyed", {"key": "", "server": "example.org"})
    assert missing.status_code == 400
    assert "App password is missing." in words_of(missing)
    assert 'value="example.org"' in missing.text
    made = olga.post("/connect/new/keyed", {"key": "hunter2"})
    assert made.location.startswith("/connections?connected=")


def test_what_was_typed_into_a_secret_field_never_comes_back(olga: Browser, held: Runtime, monkeypatch: Any) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise registrations.ConnectError("Keyed does not know this password.", "keyed")

    monkeypatch.setattr(connect, "connect_with_secret", refuse)
    answer = olga.post("/connect/new/keyed", {"key": "hunter2"})
    assert "Keyed does not know this password." in words_of(answer)
    assert "hunter2" not in answer.text


def test_an_unknown_network_is_not_found(olga: Browser) -> None:
    assert olga.get("/connect/new/nosuch").status_code == 404
    assert olga.post("/connect/new/nosuch").status_code == 404


def test_before_the_consent_the_page_says_what_is_read_and_what_it_costs(olga: Browser) -> None:
    words = words_of(olga.get("/connect/new/chirp"))
    assert "The first pull goes back 90 days" in words
    assert "$0.005 for one post, $5.00 for a thousand (Chirp's price list)" in words
    assert "Only the newest 800 mentions are served." in words


@pytest.fixture
def connected(olga: Browser, token_endpoint: Any) -> str:
    """The id of a connection that stands."""
    location: str = back(olga, state=consent_state(olga), code="c").location
    return location.rpartition("=")[2]


def test_reconnecting_leads_to_the_same_consent_and_renews_the_same_connection(
    olga: Browser, connected: str, token_endpoint: Any
) -> None:
    ticket = olga.post(f"/connections/{connected}/reconnect").location
    state = parse_qs(urlsplit(olga.get(ticket).location).query)["state"][0]
    assert back(olga, state=state, code="c2").location == f"/connections?connected={connected}"


def test_disconnecting_asks_first(olga: Browser, connected: str) -> None:
    asked = olga.get(f"/connections/{connected}/disconnect")
    assert "Disconnect Chirp acme?" in words_of(asked)
    assert "Connected" in words_of(olga.get("/connections"))
    answer = olga.post(f"/connections/{connected}/disconnect")
    assert answer.location == "/connections?done=disconnected"
    assert "What was read is kept." in words_of(olga.get("/connections"))


def test_a_pull_can_be_asked_for(olga: Browser, connected: str) -> None:
    assert olga.post(f"/connections/{connected}/pull").location == "/connections?done=pulling"


def test_the_responder_is_an_address_or_nobody(olga: Browser, connected: str) -> None:
    saved = olga.post(f"/connections/{connected}/responder", {"email": " Rosa@Acme.test "})
    assert saved.location == "/connections?done=responder"
    assert 'value="rosa@acme.test"' in olga.get("/connections").text
    wrong = olga.post(f"/connections/{connected}/responder", {"email": "rosa"})
    assert wrong.status_code == 400
    assert "not an e-mail address" in words_of(wrong)


@pytest.mark.parametrize("action", ["pull", "responder", "disconnect", "reconnect", "approve"])
def test_a_connection_of_another_workspace_is_not_found(
    olga: Browser, connected: str, signed_in: Callable[[str], Browser], stranger: Any, action: str
) -> None:
    rita = signed_in(stranger.email)
    assert rita.post(f"/connections/{connected}/{action}").status_code == 404
    assert rita.get(f"/connections/{connected}/disconnect").status_code == 404
    assert rita.get(f"/connections/{connected}/preview").status_code == 404


def test_a_place_that_is_handed_in_is_connected_by_its_name_and_offers_nothing_to_read(olga: Browser) -> None:
    asked = words_of(olga.get("/connect/new/capture"))
    assert "or another system hands them in" in asked
    assert "The first pull" not in asked
    assert olga.post("/connect/new/capture", {"place": "Rider forum"}).status_code == 303
    page = olga.get("/connections")
    assert "Rider forum" in words_of(page)
    assert "Its posts are handed in through the API" in words_of(page)
    assert "Pull now" not in words_of(page)
    assert "Renew consent" not in words_of(page)
