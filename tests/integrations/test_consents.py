"""Every kind of way in, through the one door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from integrations import consents
from integrations.clients import SocialClient
from integrations.errors import AuthenticationError, UnexpectedResponseError
from integrations.provider import Access, App, Begun, Consent, Credentials, FormField, OAuth2, Provider, Secret, Setting

HOSTS = {"web": "https://a.example"}
SETTING = Setting(
    App("client", "secret-of-our-app"),
    HOSTS,
    form={"user": "ana", "password": "typed"},
    redirect_uri="https://w.example/cb",
)
PLAIN = OAuth2("{web}/authorize", "{web}/token", ("read",), ("more",), issuer="{web}")
PROVIDER: Provider[SocialClient] = Provider(
    key="example", kind="social", name="Example", hosts=HOSTS, auth=PLAIN, client=lambda access: pytest.fail("no client is needed here"), streams=(),
)  # fmt: skip


def way(auth: Any, **more: Any) -> consents.Way:
    return consents.way(replace(PROVIDER, auth=auth, **more))


def test_a_provider_may_have_a_second_way_with_a_form_of_its_own() -> None:
    password = FormField("password", "App password", type="secret")
    found = consents.ways(replace(PROVIDER, also=Secret(), also_form=(password,)))
    assert [(each.key, each.on_page, each.form) for each in found] == [("", True, ()), ("also", False, (password,))]
    assert len(consents.ways(PROVIDER)) == 1
    with pytest.raises(KeyError):
        consents.way(PROVIDER, "also")


# --- OAuth 2 --------------------------------------------------------------------------------------------------


def test_what_begin_keeps_is_what_finish_needs() -> None:
    begun = consents.begin(way(PLAIN), SETTING, "the-state")
    query = parse_qs(urlsplit(begun.authorize_url).query)
    assert begun.authorize_url.startswith("https://a.example/authorize?")
    assert query["state"] == ["the-state"]
    assert "verifier" not in repr(begun)
    with responses.RequestsMock() as mock:
        mock.post("https://a.example/token", json={"access_token": "token-1"})
        found = consents.finish(way(PLAIN), SETTING, begun.kept, {"code": "c", "iss": "https://a.example"})
        assert f"code_verifier={begun.kept['verifier']}" in str(mock.calls[0].request.body)
    assert found == {"access_token": "token-1"}


@pytest.mark.parametrize("params", [{}, {"code": ""}, {"code": "c", "iss": "https://evil.example"}])
def test_an_answer_without_a_code_or_from_another_server_spends_nothing(params: Mapping[str, str]) -> None:
    with pytest.raises(UnexpectedResponseError):
        consents.finish(way(PLAIN), SETTING, {"verifier": "v" * 43}, params)


def test_what_the_manifest_keeps_stays_and_what_was_given_is_exchanged() -> None:
    def longer(setting: Setting, credentials: Credentials) -> Credentials:
        assert setting.app.client_id == "client"
        return {**credentials, "access_token": f"longer-{credentials['access_token']}"}

    auth = replace(PLAIN, keeps=("instance_url",), exchange=longer)
    with responses.RequestsMock() as mock:
        mock.post(
            "https://a.example/token", json={"access_token": "t", "instance_url": "https://i.example", "noise": 1}
        )
        found = consents.finish(way(auth), SETTING, {"verifier": "v" * 43}, {"code": "c"})
    assert found == {"access_token": "longer-t", "instance_url": "https://i.example"}


def test_a_provider_may_renew_in_a_way_of_its_own() -> None:
    auth = replace(PLAIN, refresh=lambda setting, credentials: {"access_token": credentials["access_token"] + "+"})
    assert consents.refresh(way(auth), SETTING, {"access_token": "t"}) == {"access_token": "t+"}


def test_a_token_that_never_ends_and_is_refused_asks_for_a_person() -> None:
    with pytest.raises(AuthenticationError, match="Example gave no refresh token"):
        consents.refresh(way(PLAIN), SETTING, {"access_token": "t"})


def test_only_a_provider_that_registers_itself_needs_nobody_to_do_it() -> None:
    assert way(PLAIN).needs_app
    assert not way(replace(PLAIN, register=lambda setting: App("made"))).needs_app
    assert way(PLAIN).scopes == ("read", "more")


# --- servers that people name -----------------------------------------------------------------------------------

NAMED = {"hosts": {"web": "https://{server}"}, "form": (FormField("server", "Server", type="host"),)}
ELSEWHERE = replace(SETTING, form={"server": "a.example"})  # whose registration is for all servers
OWN = Consent(
    begin=lambda setting, state: pytest.fail("somebody was asked"),
    finish=lambda setting, kept, params: pytest.fail("somebody was asked"),
    refresh=lambda setting, credentials: pytest.fail("somebody was asked"),
    revoke=lambda setting, credentials: pytest.fail("somebody was asked"),
    needs_app=True,
)


@pytest.mark.parametrize("auth", [PLAIN, OWN, replace(PLAIN, domains=("b.example",))])
def test_where_a_manifest_says_nothing_a_registration_for_all_servers_is_for_none(auth: Any) -> None:
    found = way(auth, **NAMED)
    with responses.RequestsMock():  # nobody is called
        for step in (
            lambda: consents.begin(found, ELSEWHERE, "s"),
            lambda: consents.finish(found, ELSEWHERE, {"verifier": "v" * 43}, {"code": "c"}),
            lambda: consents.refresh(found, ELSEWHERE, {"refresh_token": "r"}),
            lambda: consents.revoke(found, ELSEWHERE, {"refresh_token": "r"}),
        ):
            with pytest.raises(consents.ForeignServerError, match=r"not for a\.example"):
                step()


def test_every_server_of_an_address_counts() -> None:
    two = (FormField("server", "Server", type="host"), FormField("login", "Login", type="host", default="b.example"))
    found = way(PLAIN, hosts={"web": "https://{server}", "login": "https://{login}"}, form=two)
    with pytest.raises(consents.ForeignServerError, match=r"not for b\.example"):
        consents.check_server(found, replace(ELSEWHERE, registered_with="a.example"))


# --- the provider's own consent, and what is typed --------------------------------------------------------------


def test_a_consent_of_the_providers_own_goes_its_own_steps() -> None:
    steps: list[str] = []
    own = Consent(
        begin=lambda setting, state: Begun(f"https://a.example/par?state={state}", {"nonce": "n"}),
        finish=lambda setting, kept, params: {"access_token": f"{kept['nonce']}-{params['code']}"},
        refresh=lambda setting, credentials: {"access_token": "fresh"},
        revoke=lambda setting, credentials: steps.append(str(credentials["access_token"])),
        scopes=("atproto",),
        needs_app=True,
    )
    found = way(own)
    begun = consents.begin(found, SETTING, "s")
    assert begun.authorize_url == "https://a.example/par?state=s"
    assert consents.finish(found, SETTING, begun.kept, {"code": "c"}) == {"access_token": "n-c"}
    assert consents.refresh(found, SETTING, {}) == {"access_token": "fresh"}
    assert consents.revoke(found, SETTING, {"access_token": "gone"})
    assert steps == ["gone"]
    assert (found.on_page, found.renews, found.needs_app, found.scopes) == (True, True, True, ("atproto",))


def test_what_is_typed_is_kept_as_it_is_or_becomes_a_session_that_can_be_renewed() -> None:
    typed = way(Secret())
    assert consents.finish(typed, SETTING, {}, {}) == {"user": "ana", "password": "typed"}
    assert not typed.renews
    assert not consents.revoke(typed, SETTING, {"password": "typed"})  # nobody takes a password back

    session = way(
        Secret(
            sign_in=lambda setting, given: {"token": f"{setting.form['user']}:{given['password']}"},
            refresh=lambda setting, credentials: {"token": credentials["token"] + "+"},
        )
    )
    made = consents.finish(session, SETTING, {}, {})
    assert made == {"token": "ana:typed"}
    assert session.renews
    assert consents.refresh(session, SETTING, made) == {"token": "ana:typed+"}


def test_no_key_of_a_registration_is_shown() -> None:
    app = App("client", "the-secret-of-it", options={"private_key": "a-private-key"})
    for held in (app, Setting(app, {}), Access({}, {}, app=app)):
        assert "the-secret-of-it" not in repr(held)
        assert "a-private-key" not in repr(held)
