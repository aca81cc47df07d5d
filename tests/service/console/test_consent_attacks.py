"""What somebody could try with a consent that is under way: another's state, another's code, another server's answer."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import responses
from sqlalchemy import text, update

from integrations.consents import ForeignServerError
from integrations.registry import providers
from service import accounts, credentials, disconnecting, registrations, speaking
from service.models import Connection, OAuthState, SigninSession
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import CHIRP_API, Browser, words_of
from tests.service.console.test_connecting import TOKEN, back, consent_state
from tests.service.console.test_ways_in import Fedi

ELSEWHERE = "This consent was started in another browser or workspace."


@pytest.fixture(autouse=True)
def _with_registrations(registered: Runtime) -> None:
    pass


@pytest.fixture
def tokens() -> Iterator[responses.RequestsMock]:
    """Every token endpoint takes every code: nothing but us stands in the way."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for host in (CHIRP_API, "https://api.rolodex.test", "https://fedi.example", "https://evil.example"):
            mock.post(f"{host}/token", json=TOKEN)
        yield mock


def nothing_came_of_it(answer: Any, browser: Browser, tokens: responses.RequestsMock) -> None:
    assert answer.status_code == 400
    assert len(tokens.calls) == 0  # the code was shown to nobody
    assert "No account is connected yet." in words_of(browser.get("/connections"))


# --- fixation: the attacker's consent in the victim's browser -----------------------------------------------------


def test_an_attackers_state_in_the_victims_browser_connects_nothing(
    olga: Browser, stranger: Member, signed_in: Callable[[str], Browser], tokens: responses.RequestsMock
) -> None:
    """Else Olga's team would read, and answer, in an account of Rita's."""
    rita = signed_in(stranger.email)
    answer = back(olga, state=consent_state(rita), code="ritas")
    assert ELSEWHERE in words_of(answer)
    nothing_came_of_it(answer, olga, tokens)


def test_a_colleagues_state_connects_nothing_either(
    olga: Browser, owner: Member, held: Runtime, signed_in: Callable[[str], Browser], tokens: responses.RequestsMock
) -> None:
    from tests.service.console.test_every_page import member

    member(held, owner.workspace_id, "mia@acme.test", "owner")
    mia = signed_in("mia@acme.test")
    answer = back(olga, state=consent_state(mia), code="mias")
    assert ELSEWHERE in words_of(answer)
    nothing_came_of_it(answer, olga, tokens)


def test_a_ticket_that_another_browser_has_opened_is_bound_to_that_one(
    olga: Browser, owner: Member, signed_in: Callable[[str], Browser], tokens: responses.RequestsMock
) -> None:
    ticket = olga.post("/connect/new/chirp").location
    elsewhere = signed_in(owner.email)
    state = parse_qs(urlsplit(elsewhere.get(ticket).location).query)["state"][0]
    nothing_came_of_it(back(olga, state=state, code="c"), olga, tokens)


def test_a_state_does_not_outlive_its_session(
    olga: Browser, owner: Member, held: Runtime, tokens: responses.RequestsMock
) -> None:
    """Signing in anew in the same browser: the consent was another session's, perhaps another person's."""
    state = consent_state(olga)
    olga.client.post(accounts.signin_link(held.db, owner.email, ""))
    nothing_came_of_it(back(olga, state=state, code="c"), olga, tokens)


# --- another workspace of the same person -------------------------------------------------------------------------


def test_a_consent_of_one_workspace_connects_nothing_in_another_of_the_same_person(
    olga: Browser, owner: Member, held: Runtime, tokens: responses.RequestsMock
) -> None:
    second, _ = accounts.ensure_workspace(held.db, "Second", owner.email)
    state = consent_state(olga)
    olga.post("/workspace", {"workspace": str(second)})
    answer = back(olga, state=state, code="c")
    assert ELSEWHERE in words_of(answer)
    nothing_came_of_it(answer, olga, tokens)
    with held.db.globally() as session:
        session.execute(update(SigninSession).values(workspace_id=owner.workspace_id))
    assert back(olga, state=state, code="c").status_code == 400  # and it is spent


# --- two windows --------------------------------------------------------------------------------------------------


def test_two_windows_each_finish_their_own(olga: Browser, tokens: responses.RequestsMock) -> None:
    chirp, rolodex = consent_state(olga), consent_state(olga, "rolodex")
    assert back(olga, "rolodex", state=rolodex, code="r").status_code == 303
    assert back(olga, state=chirp, code="c").status_code == 303
    sent = [dict(parse_qsl(str(call.request.body))) for call in tokens.calls]
    assert [each["code"] for each in sent] == ["r", "c"]
    assert sent[0]["code_verifier"] != sent[1]["code_verifier"]


def test_each_consent_has_a_challenge_of_its_own_and_only_its_verifier_answers_it(
    olga: Browser, tokens: responses.RequestsMock
) -> None:
    queries = []
    for _ in range(2):
        ticket = olga.post("/connect/new/chirp").location
        queries.append(
            {name: values[0] for name, values in parse_qs(urlsplit(olga.get(ticket).location).query).items()}
        )
    assert len({each["code_challenge"] for each in queries}) == 2
    assert len({each["state"] for each in queries}) == 2
    back(olga, state=queries[1]["state"], code="c")
    [call] = tokens.calls
    verifier = parse_qs(str(call.request.body))["code_verifier"][0]
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert made == queries[1]["code_challenge"]
    assert 43 <= len(verifier) <= 128


def test_what_a_consent_under_way_has_to_remember_is_sealed(olga: Browser, held: Runtime) -> None:
    ticket = olga.post("/connect/new/chirp").location
    query = parse_qs(urlsplit(olga.get(ticket).location).query)
    with held.db.globally() as session:
        kept = "".join(session.scalars(text("SELECT t::text FROM oauth_states t")))
    for secret in (ticket.rsplit("/", 1)[1], query["state"][0], query["code_challenge"][0]):
        assert secret not in kept
        assert secret.encode().hex() not in kept


# --- mix-up: one server's answer for another's --------------------------------------------------------------------


def test_another_providers_answer_is_not_taken(olga: Browser, tokens: responses.RequestsMock) -> None:
    for begun, came in (("chirp", "rolodex"), ("rolodex", "chirp")):
        nothing_came_of_it(back(olga, came, state=consent_state(olga, begun), code="c"), olga, tokens)


@pytest.fixture
def fedi(monkeypatch: pytest.MonkeyPatch) -> Fedi:
    made = Fedi()
    monkeypatch.setitem(providers(), "fedi", made.manifest())
    return made


def test_a_server_that_sends_people_on_to_another_one_gets_no_code_of_that(
    olga: Browser, fedi: Fedi, tokens: responses.RequestsMock
) -> None:
    """evil.example passes Olga on to the consent page of fedi.example, under our id there: she consents, and fedi.example answers to the
    address that only it has. Whether evil.example gave it our state or not, the code is not shown to evil.example."""
    ticket = olga.post("/connect/new/fedi", {"server": "evil.example"}).location
    query = parse_qs(urlsplit(olga.get(ticket).location).query)
    assert query["redirect_uri"] == ["http://warmline.test/oauth/fedi/callback/evil.example"]
    answer = olga.get("/oauth/fedi/callback/fedi.example", query_string={"state": query["state"][0], "code": "honest"})
    assert "The answer came from another server than the one you were sent to." in words_of(answer)
    nothing_came_of_it(answer, olga, tokens)


ELSEWHERES = (
    "/oauth/fedi/callback", "/oauth/fedi/callback/", "/oauth/fedi/callback/FEDI.EXAMPLE", "/oauth/fedi/callback/fedi.example.",
    "/oauth/fedi/callback/fedi.example%2F..", "/oauth/chirp/callback/fedi.example",
)  # fmt: skip


def test_an_answer_at_any_other_address_is_not_taken(olga: Browser, fedi: Fedi, tokens: responses.RequestsMock) -> None:
    for path in ELSEWHERES:
        ticket = olga.post("/connect/new/fedi", {"server": "fedi.example"}).location
        state = parse_qs(urlsplit(olga.get(ticket).location).query)["state"][0]
        assert olga.get(path, query_string={"state": state, "code": "c"}).status_code in (400, 404), path
    assert len(tokens.calls) == 0


def test_a_provider_with_one_address_takes_no_answer_at_a_servers(
    olga: Browser, tokens: responses.RequestsMock
) -> None:
    state = consent_state(olga)
    answer = olga.get("/oauth/chirp/callback/evil.example", query_string={"state": state, "code": "c"})
    nothing_came_of_it(answer, olga, tokens)


def test_a_registration_that_a_person_made_with_a_server_has_that_servers_address(
    olga: Browser, fedi: Fedi, held: Runtime, tokens: responses.RequestsMock
) -> None:
    registrations.set_app(held, "fedi", "typed", "secret", host="fedi.example")
    ticket = olga.post("/connect/new/fedi", {"server": "fedi.example"}).location
    query = parse_qs(urlsplit(olga.get(ticket).location).query)
    assert query["redirect_uri"] == ["http://warmline.test/oauth/fedi/callback/fedi.example"]
    answer = olga.get(urlsplit(query["redirect_uri"][0]).path, query_string={"state": query["state"][0], "code": "c"})
    assert answer.status_code == 303


# --- mix-up: one registration for all the servers that people name -------------------------------------------------

SECRET = "the-consumer-secret-of-the-installation"


@pytest.fixture
def look_alike(held: Runtime) -> Iterator[responses.RequestsMock]:
    """A server that looks like Salesforce and takes whatever it is shown; our registration with Salesforce is one for all of its servers."""
    registrations.set_app(held, "salesforce", "our-consumer-key", SECRET)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for path in ("token", "revoke"):
            mock.post(f"https://evil.example/services/oauth2/{path}", status=400, json={"error": "server_error"})
        yield mock


def sent_on(browser: Browser, server: str) -> dict[str, str]:
    """What the consent page at this server of Salesforce's is asked with."""
    ticket = browser.post("/connect/new/salesforce", {"login": server})
    assert ticket.status_code == 303, words_of(ticket)
    away = browser.get(ticket.location).location
    assert away.startswith(f"https://{server}/services/oauth2/authorize?")
    return {name: values[0] for name, values in parse_qs(urlsplit(away).query).items()}


@pytest.mark.parametrize(
    "server", ["evil.example", "salesforce.com.evil.example", "notsalesforce.com", "login.salesforce.com:8443"]
)
def test_a_server_that_is_not_the_providers_is_not_shown_the_installations_secret(
    olga: Browser, held: Runtime, look_alike: responses.RequestsMock, server: str
) -> None:
    """Else any customer had it, by naming a server of theirs and consenting there."""
    answer = olga.post("/connect/new/salesforce", {"login": server})
    assert f"our registration with Salesforce is not for {server}, so nothing was sent there" in words_of(answer)
    with held.db.globally() as session:
        assert session.query(OAuthState).count() == 0  # there is nothing to go on with
    nothing_came_of_it(answer, olga, look_alike)


def test_a_look_alike_that_sends_people_on_to_the_real_one_gets_no_code_of_that(
    olga: Browser, held: Runtime, look_alike: responses.RequestsMock
) -> None:
    """Whoever runs Warmline had registered it with evil.example, and took that back while a consent was on its way. The real Salesforce, to
    which evil.example sent the browser under our id, answers to the one address there is: its code is not shown to evil.example."""
    registrations.set_app(held, "salesforce", "theirs", "a-secret-of-theirs", host="evil.example")
    state = sent_on(olga, "evil.example")["state"]
    registrations.forget_app(held, "salesforce", "evil.example", by_a_person=True)
    answer = back(olga, "salesforce", state=state, code="a-code-of-the-real-one")
    assert "our registration with Salesforce is not for evil.example" in words_of(answer)
    nothing_came_of_it(answer, olga, look_alike)


def test_a_server_that_was_registered_by_itself_has_its_own_secret_and_its_own_address(
    olga: Browser, held: Runtime, look_alike: responses.RequestsMock
) -> None:
    registrations.set_app(held, "salesforce", "theirs", "a-secret-of-theirs", host="login.partner.example")
    look_alike.post("https://login.partner.example/services/oauth2/token", status=400, json={"error": "server_error"})
    query = sent_on(olga, "login.partner.example")
    assert query["client_id"] == "theirs"
    assert query["redirect_uri"] == "http://warmline.test/oauth/salesforce/callback/login.partner.example"
    nothing_came_of_it(back(olga, "salesforce", state=query["state"], code="c"), olga, look_alike)
    query = sent_on(olga, "login.partner.example")
    olga.get(urlsplit(query["redirect_uri"]).path, query_string={"state": query["state"], "code": "c"})
    [call] = look_alike.calls
    assert "client_secret=a-secret-of-theirs" in str(call.request.body)


@pytest.mark.parametrize(
    "server", ["login.salesforce.com", "test.salesforce.com", "acme--uat.sandbox.my.salesforce.com"]
)
def test_the_providers_own_servers_are_asked_as_before(
    olga: Browser, look_alike: responses.RequestsMock, server: str
) -> None:
    query = sent_on(olga, server)
    assert query["client_id"] == "our-consumer-key"
    assert query["redirect_uri"] == "http://warmline.test/oauth/salesforce/callback"


def test_a_connection_from_before_is_neither_renewed_nor_given_back_at_such_a_server(
    owner: Member, held: Runtime, look_alike: responses.RequestsMock
) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        row = Connection(
            workspace_id=owner.workspace_id, provider="salesforce", host="evil.example", kind="crm", account_id="1", handle="acme", name="Acme",
            options={"login": "evil.example"},
        )  # fmt: skip
        session.add(row)
        session.flush()
        kept = {"access_token": "t", "refresh_token": "r", "instance_url": "https://evil.example"}
        credentials.store_new(session, held.vault, owner.workspace_id, row.id, kept)
        session.expunge(row)
    with pytest.raises(ForeignServerError):
        speaking.access_of(held, row, refused=1)
    assert disconnecting.disconnect(held, disconnecting.operator(owner.workspace_id), row.id)
    assert len(look_alike.calls) == 0


def test_a_registration_for_all_servers_is_not_used_where_each_has_one_of_its_own(
    olga: Browser, fedi: Fedi, held: Runtime
) -> None:
    registrations.set_app(held, "fedi", "for-all-of-them", "secret")
    ticket = olga.post("/connect/new/fedi", {"server": "fedi.example"}).location
    query = parse_qs(urlsplit(olga.get(ticket).location).query)
    assert query["client_id"] == ["client-1"]
    assert query["redirect_uri"] == ["http://warmline.test/oauth/fedi/callback/fedi.example"]


# --- whose answer it is (RFC 9207) --------------------------------------------------------------------------------


def test_an_answer_that_names_another_server_is_not_taken(olga: Browser, tokens: responses.RequestsMock) -> None:
    answer = back(olga, state=consent_state(olga), code="c", iss="https://evil.example")
    assert "the answer came from another server than the one you were sent to" in words_of(answer)
    nothing_came_of_it(answer, olga, tokens)


def test_an_answer_that_names_the_server_is_taken(olga: Browser, tokens: responses.RequestsMock) -> None:
    assert back(olga, state=consent_state(olga), code="c", iss="https://chirp.test/").status_code == 303
