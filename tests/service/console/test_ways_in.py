"""Servers that people name, registrations that we make with them, second ways in, and one consent for several accounts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
import time_machine
from sqlalchemy import select

from integrations.errors import InvalidRequestError, TemporaryError
from integrations.provider import Access, Account, App, FormField, OAuth2, Provider, Secret, Setting
from integrations.records import Author
from integrations.registry import providers
from service import disconnecting, registrations, speaking
from service.clock import real_now
from service.models import Brand, Connection, OAuthState, ProviderApp, Stream
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import _STREAMS, Browser, _Client, words_of
from tests.service.console.scenes import Scene, busy_day
from tests.service.console.test_every_page import assert_no_inline, assert_usable

SERVER = FormField("server", "Server", "Where your account is.", "host")


@dataclass
class Fedi:
    """A network of many servers, with which programs register themselves."""

    registered: list[Setting] = field(default_factory=list)
    refuses: Exception | None = None
    forgot: set[str] = field(default_factory=set)  # client ids
    asked: list[Setting] = field(default_factory=list)
    accounts: tuple[Author, ...] = (Author("1", "acme", "Acme"),)
    seen: list[Access] = field(default_factory=list)

    def register(self, setting: Setting) -> App:
        if self.refuses is not None:
            raise self.refuses
        self.registered.append(setting)
        return App(f"client-{len(self.registered)}", "made-by-the-server")

    def knows(self, setting: Setting) -> bool:
        self.asked.append(setting)
        return setting.app.client_id not in self.forgot

    def sign_in(self, setting: Setting, typed: Any) -> dict[str, str]:
        return {"session": f"{setting.form['user']} at {setting.hosts['web']}"}

    def list_accounts(self, access: Access) -> Sequence[Account]:
        self.seen.append(access)
        return [Account(who, {"access_token": f"of-{who.id}"}, {"page": who.id}) for who in self.accounts]

    def manifest(self) -> Provider[Any]:
        auth = OAuth2(
            "{web}/authorize",
            "{web}/token",
            ("read",),
            register=self.register,
            knows=self.knows,
            client_auth="client_secret_post",
        )
        return Provider(
            key="fedi", kind="social", name="Fedi", hosts={"web": "https://{server}"}, auth=auth, client=_Client, streams=_STREAMS[:1],
            accounts=self.list_accounts, form=(SERVER,), also=Secret(sign_in=self.sign_in),
            also_form=(replace(SERVER, default="fedi.example"), FormField("user", "User name"), FormField("password", "App password", type="secret")),
            about="Posts of one account.",
        )  # fmt: skip


@pytest.fixture
def fedi(monkeypatch: pytest.MonkeyPatch) -> Fedi:
    made = Fedi()
    monkeypatch.setitem(providers(), "fedi", made.manifest())
    return made


@pytest.fixture
def tokens() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for host in ("fedi.example", "xn--bcher-kva.example"):
            mock.post(f"https://{host}/token", json={"access_token": "acme", "scope": "read"})
        yield mock


def away(browser: Browser, server: str, **more: str) -> str:
    """The consent page's address."""
    ticket = browser.post("/connect/new/fedi", {"server": server, **more})
    assert ticket.status_code == 303, words_of(ticket)
    location: str = browser.get(ticket.location).location
    return location


def back(browser: Browser, consent: str) -> Any:
    query = parse_qs(urlsplit(consent).query)
    path = urlsplit(query["redirect_uri"][0]).path
    return browser.get(path, query_string={"state": query["state"][0], "code": "c"})


def rows(held: Runtime, owner: Member) -> list[Connection]:
    with held.db.tenant(owner.workspace_id) as session:
        return list(session.scalars(select(Connection).order_by(Connection.account_id)))


# --- servers ----------------------------------------------------------------------------------------------------


def test_the_first_to_name_a_server_registers_us_there_and_the_others_use_that(
    olga: Browser, fedi: Fedi, tokens: responses.RequestsMock, held: Runtime, owner: Member
) -> None:
    first = away(olga, " https://Fedi.Example/ ")
    assert first.startswith("https://fedi.example/authorize?")
    assert parse_qs(urlsplit(first).query)["client_id"] == ["client-1"]
    assert away(olga, "fedi.example").startswith("https://fedi.example/authorize?")
    [setting] = fedi.registered
    assert (setting.hosts, setting.guarded) == ({"web": "https://fedi.example"}, True)
    assert setting.redirect_uri == "http://warmline.test/oauth/fedi/callback/fedi.example"

    assert back(olga, first).status_code == 303
    [row] = rows(held, owner)
    assert (row.host, row.way, row.options["server"]) == ("fedi.example", "", "fedi.example")
    assert "client_secret=made-by-the-server" in str(tokens.calls[0].request.body)


def test_each_server_has_a_registration_and_a_connection_of_its_own(
    olga: Browser, fedi: Fedi, tokens: responses.RequestsMock, held: Runtime, owner: Member
) -> None:
    for server in ("fedi.example", "bücher.example"):
        assert back(olga, away(olga, server)).status_code == 303
    with held.db.globally() as session:
        assert set(session.scalars(select(ProviderApp.host).where(ProviderApp.provider == "fedi"))) == {
            "fedi.example",
            "xn--bcher-kva.example",
        }
    assert sorted(row.host for row in rows(held, owner)) == ["fedi.example", "xn--bcher-kva.example"]


def test_what_speaks_for_the_connection_later_knows_its_server_and_our_registration(
    olga: Browser, fedi: Fedi, tokens: responses.RequestsMock, held: Runtime, owner: Member
) -> None:
    back(olga, away(olga, "fedi.example"))
    [row] = rows(held, owner)
    access, _ = speaking.access_of(held, row)
    assert access.hosts == {"web": "https://fedi.example"}
    assert (access.guarded, access.app.client_id, access.base_url) == (True, "client-1", "http://warmline.test")
    assert access.credentials["access_token"] == "of-1"


@pytest.mark.parametrize(
    ("server", "sentence"),
    [
        ("", "Server is missing."),
        ("localhost", "localhost is not the name of a server on the internet."),
        ("127.0.0.1", "A server is named, not numbered."),
        ("http://fedi.example", "fedi.example is called over https only."),
        ("fеdi.example", "mixes letters of alphabets that look alike"),
        ("a b", "a b is not a server's name."),
    ],
)
def test_a_name_that_is_none_is_said_beside_the_form_and_nobody_is_called(
    olga: Browser, fedi: Fedi, server: str, sentence: str
) -> None:
    answer = olga.post("/connect/new/fedi", {"server": server})
    assert answer.status_code == 400
    assert sentence in words_of(answer)
    assert fedi.registered == []


def test_what_was_typed_is_still_there_after_a_mistake(olga: Browser, fedi: Fedi) -> None:
    answer = olga.post(
        "/connect/new/fedi", {"way": "also", "user": "ana", "password": "hunter2", "server": "localhost"}
    )
    assert 'value="localhost"' in answer.text
    assert 'value="ana"' in answer.text
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (TemporaryError("fedi.example cannot be reached"), "fedi.example cannot be reached. Check the server's name, or try again in a few minutes."),
        (InvalidRequestError("fedi.example leads to an address that is not public, so it is not called"),
         "Fedi was not connected: fedi.example leads to an address that is not public"),
    ],
)  # fmt: skip
def test_a_server_that_does_not_register_us_is_one_plain_sentence(
    olga: Browser, fedi: Fedi, error: Exception, sentence: str
) -> None:
    fedi.refuses = error
    answer = olga.post("/connect/new/fedi", {"server": "fedi.example"})
    assert answer.status_code == 400
    assert sentence in words_of(answer)


def test_a_registration_that_the_server_forgot_is_made_anew(
    olga: Browser, fedi: Fedi, held: Runtime, owner: Member
) -> None:
    consent = away(olga, "fedi.example")
    with responses.RequestsMock() as mock:
        mock.post("https://fedi.example/token", status=401, json={"error": "invalid_client"})
        answer = back(olga, consent)
    assert "fedi.example no longer knew Warmline. Connect it once more" in words_of(answer)
    assert parse_qs(urlsplit(away(olga, "fedi.example")).query)["client_id"] == ["client-2"]
    assert rows(held, owner) == []


def test_a_server_that_forgot_us_is_noticed_before_anybody_is_sent_there(
    olga: Browser, fedi: Fedi, tokens: responses.RequestsMock, held: Runtime, owner: Member
) -> None:
    away(olga, "fedi.example")
    fedi.forgot.add("client-1")
    consent = away(olga, "fedi.example")
    assert parse_qs(urlsplit(consent).query)["client_id"] == ["client-2"]
    assert fedi.asked[0].app.client_secret == "made-by-the-server"
    assert back(olga, consent).status_code == 303
    assert "client_id=client-2" in str(tokens.calls[0].request.body)


def test_a_registration_that_a_person_made_is_neither_asked_about_nor_dropped(
    olga: Browser, fedi: Fedi, held: Runtime
) -> None:
    registrations.set_app(held, "fedi", "typed", "secret", host="fedi.example")
    fedi.forgot.add("typed")
    consent = away(olga, "fedi.example")
    assert parse_qs(urlsplit(consent).query)["client_id"] == ["typed"]
    assert fedi.asked == []
    with responses.RequestsMock() as mock:
        mock.post("https://fedi.example/token", status=401, json={"error": "invalid_client"})
        answer = back(olga, consent)
    assert "does not accept our app registration" in words_of(answer)
    assert registrations.app_for(held, providers()["fedi"], "fedi.example").client_id == "typed"


def test_when_our_address_changes_we_register_again(fedi: Fedi, held: Runtime) -> None:
    from integrations import consents

    way, form = consents.way(providers()["fedi"]), {"server": "fedi.example"}
    assert registrations.registered(held, way, form).app.client_id == "client-1"
    moved = Runtime(replace(held.config, base_url="https://warmline.acme.test"))
    found = registrations.registered(moved, way, form)
    assert (found.app.client_id, found.redirect_uri) == (
        "client-2",
        "https://warmline.acme.test/oauth/fedi/callback/fedi.example",
    )
    moved.db.engine.dispose()


def test_of_two_that_register_at_once_one_stands(fedi: Fedi, held: Runtime) -> None:
    from integrations import consents

    way, form = consents.way(providers()["fedi"]), {"server": "fedi.example"}
    register = fedi.register

    def somebody_is_faster(setting: Setting) -> App:
        registrations.set_app(held, "fedi", "theirs", "secret", host="fedi.example")
        return register(setting)

    auth = replace(providers()["fedi"].auth, register=somebody_is_faster)  # type: ignore[type-var]
    slow = consents.way(replace(providers()["fedi"], auth=auth))
    assert registrations.registered(held, slow, form).app.client_id == "theirs"
    assert registrations.registered(held, way, form).app.client_id == "theirs"


# --- the second way ---------------------------------------------------------------------------------------------


def test_the_second_way_stands_below_the_first_with_a_form_of_its_own(
    olga: Browser, fedi: Fedi, held: Runtime, owner: Member
) -> None:
    page = olga.get("/connect/new/fedi")
    assert "Or with credentials that you type" in words_of(page)
    assert_usable(page.text)
    assert_no_inline(page.text)

    made = olga.post("/connect/new/fedi", {"way": "also", "user": "ana", "password": "hunter2", "server": ""})
    assert made.status_code == 303
    [row] = rows(held, owner)
    assert (row.way, row.host) == ("also", "fedi.example")
    assert row.options == {"server": "fedi.example", "user": "ana", "page": "1"}
    assert "hunter2" not in json.dumps(row.options)
    assert fedi.seen[0].credentials == {"session": "ana at https://fedi.example"}


def test_a_way_that_there_is_not_is_not_found(olga: Browser, fedi: Fedi) -> None:
    assert olga.post("/connect/new/chirp", {"way": "also"}).status_code == 404
    assert olga.post("/connect/new/fedi", {"way": "window"}).status_code == 404


def test_renewing_goes_by_the_way_it_came_in_with_what_was_typed_and_no_secret(
    olga: Browser, fedi: Fedi, held: Runtime, owner: Member
) -> None:
    olga.post("/connect/new/fedi", {"way": "also", "user": "ana", "password": "hunter2"})
    [row] = rows(held, owner)
    form = olga.get(olga.post(f"/connections/{row.id}/reconnect").location)
    assert 'value="ana"' in form.text
    assert "hunter2" not in form.text


def test_a_secret_that_is_typed_is_nowhere_but_sealed(olga: Browser, held: Runtime, owner: Member) -> None:
    olga.post("/connect/new/keyed", {"key": "hunter2", "server": "x"})
    [row] = rows(held, owner)
    assert row.options == {"server": "x"}
    access, _ = speaking.access_of(held, row)
    assert access.credentials == {"key": "hunter2", "server": "x"}


# --- several accounts -------------------------------------------------------------------------------------------

PAGES = (Author("1", "acme", "Acme"), Author("2", "acme-bikes", "Acme Bikes"), Author("3", "shop", "Shop"))


@pytest.fixture
def choosing(olga: Browser, fedi: Fedi, tokens: responses.RequestsMock) -> str:
    """The page on which a person chooses among three accounts."""
    fedi.accounts = PAGES
    location: str = back(olga, away(olga, "fedi.example")).location
    assert location.startswith("/connect/accounts/")
    return location


def test_nothing_is_connected_before_somebody_has_chosen_and_all_are_ticked(
    olga: Browser, choosing: str, held: Runtime, owner: Member
) -> None:
    page = olga.get(choosing)
    assert page.text.count(" checked") == 3
    assert "Acme Bikes" in words_of(page)
    assert "of-2" not in page.text  # a credential
    assert_usable(page.text)
    assert_no_inline(page.text)
    assert rows(held, owner) == []

    made = olga.post(choosing, {"account": ["1", "3"]})
    assert made.location.startswith("/connections?connected=")
    assert [(row.account_id, row.options["page"]) for row in rows(held, owner)] == [("1", "1"), ("3", "3")]
    access, _ = speaking.access_of(held, rows(held, owner)[1])
    assert access.credentials == {"access_token": "of-3"}


def test_choosing_none_asks_again_and_spends_nothing(
    olga: Browser, choosing: str, held: Runtime, owner: Member
) -> None:
    answer = olga.post(choosing, {})
    assert answer.status_code == 400
    assert "Choose at least one account." in words_of(answer)
    assert olga.post(choosing, {"account": "2"}).status_code == 303
    assert [row.account_id for row in rows(held, owner)] == ["2"]


def test_a_choice_is_good_once_and_forgets_the_credentials(olga: Browser, choosing: str, held: Runtime) -> None:
    olga.post(choosing, {"account": "2"})
    again = olga.post(choosing, {"account": "3"})
    assert again.status_code == 400
    assert "was used already" in words_of(again)
    with held.db.globally() as session:
        assert session.scalars(select(OAuthState.sealed).where(OAuthState.used_at.is_not(None))).all() == [None] * 3


def test_a_choice_of_another_persons_is_nobody_elses(
    olga: Browser, choosing: str, signed_in: Callable[[str], Browser], owner: Member, stranger: Member, held: Runtime
) -> None:
    for email in (owner.email, stranger.email):
        other = signed_in(email)
        for answer in (other.get(choosing), other.post(choosing, {"account": "1"})):
            assert answer.status_code == 400
            assert "This consent was given in another browser or workspace." in words_of(answer)
    assert rows(held, owner) == []


def test_a_choice_is_over_after_ten_minutes(olga: Browser, choosing: str) -> None:
    with time_machine.travel(real_now() + timedelta(minutes=11), tick=False):
        assert "took longer than ten minutes" in words_of(olga.get(choosing))


def test_renewing_a_consent_renews_what_was_chosen_and_asks_nothing(
    olga: Browser, choosing: str, held: Runtime, owner: Member
) -> None:
    olga.post(choosing, {"account": ["1", "3"]})
    [first, _] = rows(held, owner)
    ticket = olga.post(f"/connections/{first.id}/reconnect")
    done = back(olga, olga.get(ticket.location).location)
    assert done.location.startswith("/connections?connected=")
    assert done.location.count("-") == 8  # two ids
    assert [row.account_id for row in rows(held, owner)] == ["1", "3"]


def test_renewing_one_neither_revives_what_was_disconnected_nor_touches_another_brands(
    olga: Browser, choosing: str, held: Runtime, owner: Member
) -> None:
    olga.post(choosing, {"account": ["1", "2", "3"]})
    first, second, third = rows(held, owner)
    with held.db.tenant(owner.workspace_id) as session:
        other = Brand(workspace_id=owner.workspace_id, name="Bikes")
        session.add(other)
        session.flush()
        session.get_one(Connection, (owner.workspace_id, second.id)).brand_id = other.id
        session.get_one(Connection, (owner.workspace_id, third.id)).status = "disconnected"
        brand = other.id

    done = back(olga, olga.get(olga.post(f"/connections/{first.id}/reconnect").location).location)

    assert done.location == f"/connections?connected={first.id}"
    found = {row.account_id: (row.brand_id, row.status) for row in rows(held, owner)}
    assert found == {
        "1": (first.brand_id, "active"),
        "2": (brand, "active"),
        "3": (first.brand_id, "disconnected"),
    }


@pytest.mark.parametrize("others", [PAGES[1:2], PAGES[1:]])
def test_renewing_as_somebody_else_connects_nobody_and_says_whom_it_is_about(
    olga: Browser, fedi: Fedi, tokens: responses.RequestsMock, held: Runtime, owner: Member, others: tuple[Author, ...]
) -> None:
    back(olga, away(olga, "fedi.example"))
    [first] = rows(held, owner)
    fedi.accounts = others
    answer = back(olga, olga.get(olga.post(f"/connections/{first.id}/reconnect").location).location)
    assert answer.status_code == 400
    assert "You signed in to Fedi as @acme-bikes" in words_of(answer)
    assert "@acme was to be renewed" in words_of(answer)
    assert [row.account_id for row in rows(held, owner)] == ["1"]


@pytest.mark.parametrize("scope", ["read dm.read", "read,dm.read", "read, dm.read"])
def test_scopes_may_stand_with_blanks_or_commas_between_them(
    olga: Browser, held: Runtime, owner: Member, fedi: Fedi, tokens: responses.RequestsMock, scope: str
) -> None:
    from service.store import connecting

    back(olga, away(olga, "fedi.example"))
    [row] = rows(held, owner)
    needy = replace(providers()["fedi"], streams=_STREAMS)
    with held.db.tenant(owner.workspace_id) as session:
        connecting._open_streams(session, owner.workspace_id, row.id, needy, scope, real_now())
        found = session.scalars(select(Stream.error).where(Stream.connection_id == row.id)).all()
    assert found == [""] * 3


def test_a_token_that_another_workspace_holds_as_well_is_given_back_by_the_last_one(
    olga: Browser, signed_in: Callable[[str], Browser], fedi: Fedi, tokens: responses.RequestsMock, held: Runtime,
    owner: Member, stranger: Member, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Mastodon gives the same token for each consent of a person to the same app."""
    manifest = fedi.manifest()
    auth = replace(manifest.auth, revoke_url="{web}/revoke", reuses_token=True)  # type: ignore[type-var]
    monkeypatch.setitem(providers(), "fedi", replace(manifest, auth=auth))
    revoked = tokens.post("https://fedi.example/revoke")
    for browser in (olga, signed_in(stranger.email)):
        back(browser, away(browser, "fedi.example"))
    [ours], [theirs] = rows(held, owner), rows(held, stranger)

    disconnecting.disconnect(held, owner.caller, ours.id)
    assert revoked.call_count == 0
    assert rows(held, owner)[0].status == "disconnected"
    disconnecting.disconnect(held, stranger.caller, theirs.id)
    assert revoked.call_count == 1


# --- what it means ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["x", "hubspot", "capture", "chirp", "fedi"])
def test_everybody_may_read_what_connecting_means(olga: Browser, fedi: Fedi, key: str) -> None:
    page = olga.get(f"/connections/{key}/about")
    assert page.status_code == 200
    assert_usable(page.text)
    assert_no_inline(page.text)
    words = words_of(page)
    assert "What is read" in words
    assert "How to stop, and how to remove everything" in words


def test_a_crms_page_names_every_scope_the_field_it_makes_and_the_way_out(olga: Browser) -> None:
    words = words_of(olga.get("/connections/hubspot/about"))
    for scope, why in providers()["hubspot"].install.scopes.items():
        assert scope in words
        assert why.split()[0] in words
    assert "warmline_key" in words
    assert "nothing is written until an owner approves" in words
    assert "--purge" in words


# --- by hand ----------------------------------------------------------------------------------------------------


def test_a_post_is_added_by_hand_and_the_same_link_is_the_same_post(
    olga: Browser, held: Runtime, owner: Member
) -> None:
    form = olga.get("/add")
    assert_usable(form.text)
    now = form.text.split('type="datetime-local" value="')[1].split('"')[0]
    typed = {
        "link": "https://linkedin.example/1",
        "place": "LinkedIn",
        "name": "Ana Ferrer",
        "text": "Do you ship?",
        "at": now,
    }
    assert olga.post("/add", typed).location == "/add?done=added"
    assert olga.post("/add", typed).location == "/add?done=known"
    assert [row.name for row in rows(held, owner)] == ["LinkedIn"]

    wrong = olga.post("/add", {**typed, "at": "yesterday", "text": "Kept as typed"})
    assert wrong.status_code == 400
    assert "Give the day and time when it was written." in words_of(wrong)
    assert "Kept as typed" in wrong.text


@pytest.mark.parametrize(
    "link",
    ["https://a.example:port/1", "https://a.example:99999/1", "https://a.example:-1/", "https://[a.example/1", "https://[::1.x]/"],
)  # fmt: skip
def test_a_link_whose_host_or_port_cannot_be_read_is_refused_in_a_sentence(olga: Browser, link: str) -> None:
    at = olga.get("/add").text.split('type="datetime-local" value="')[1].split('"')[0]
    typed = {"link": link, "place": "LinkedIn", "name": "Ana Ferrer", "text": "Do you ship?", "at": at}
    answer = olga.post("/add", typed)
    assert answer.status_code == 400
    assert "Paste the link of the post itself." in words_of(answer)


# --- what is missing there, and the way out -----------------------------------------------------------------------


@pytest.fixture
def scene(held: Runtime, owner: Member) -> Scene:
    return busy_day(held, owner.workspace_id, preview=False)


def put(held: Runtime, scene: Scene, connection_id: Any, **values: Any) -> None:
    with held.db.tenant(scene.workspace_id) as session:
        row = session.get_one(Connection, (scene.workspace_id, connection_id))
        for name, value in values.items():
            setattr(row, name, value)


def test_what_a_person_still_has_to_do_stands_on_the_card(olga: Browser, held: Runtime, scene: Scene) -> None:
    put(held, scene, scene.social, missing_steps=["Subscribe the page to messages."])
    page = olga.get("/connections")
    assert "Subscribe the page to messages." in words_of(page)
    assert_usable(page.text)


def test_a_crm_is_left_without_a_trace_by_a_box_and_its_receipt_stays(
    olga: Browser, held: Runtime, scene: Scene
) -> None:
    asked = olga.get(f"/connections/{scene.crm}/disconnect")
    assert "Withdraw our open tasks and remove what we made there" in words_of(asked)
    assert " checked" not in asked.text
    assert "Withdraw our open tasks" not in words_of(olga.get(f"/connections/{scene.social}/disconnect"))

    done = olga.post(f"/connections/{scene.crm}/disconnect", {"purge": "yes"})
    assert done.location == "/connections?done=leaving"
    page = olga.get("/connections")
    assert "Leaving" in words_of(page)
    assert "Our open tasks there are being withdrawn; then it is disconnected." in words_of(page)
    assert_usable(page.text)

    put(
        held,
        scene,
        scene.crm,
        status="disconnected",
        receipt={"state": "done", "lines": ["3 open tasks were withdrawn."]},
    )
    page = olga.get("/connections")
    assert "What was removed there, and what stays" in words_of(page)
    assert "3 open tasks were withdrawn." in words_of(page)
    again = olga.post(f"/connections/{scene.crm}/disconnect", {"purge": "yes"})
    assert again.status_code == 409
    assert "It is disconnected already" in words_of(again)
