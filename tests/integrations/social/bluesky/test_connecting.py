"""Bluesky as a person meets it: connected through the service, with the network in memory."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import responses
from flask import Flask
from joserfc.jwk import ECKey
from sqlalchemy import select

from service import connect, registrations
from service.config import Config
from service.models import Connection, Credential, Stream
from service.registrations import ConnectError
from service.runtime import Runtime
from tests.conftest import Member
from tests.integrations.social.bluesky.authority import BASE, Authority
from tests.integrations.social.bluesky.wire import BOB, HOSTS, PDS, TOKEN, US, Wire

PEM = ECKey.generate_key("P-256", private=True).as_pem(private=True).decode()
DOCUMENTS = "/.well-known/warmline/bluesky"


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, base_url=BASE)


@pytest.fixture
def network(held: Runtime, authority: Authority, wire: Wire) -> Authority:
    """Whoever signs people in, and the server that their tokens are good for."""
    registrations.set_app(held, "bluesky", "", "", HOSTS)
    authority.answer = {"access_token": TOKEN}
    return authority


def consents(held: Runtime, owner: Member, network: Authority, typed: str = US.handle, **instead: str) -> None:
    ticket = connect.start(held, owner.caller, provider="bluesky", form={"account": typed})
    away = connect.open_ticket(held, owner.caller, urlsplit(ticket).path.rpartition("/")[2])
    connect.finish(held, owner.caller, "bluesky", network.consent(away, **instead))


def connection(held: Runtime, owner: Member) -> Connection:
    with held.db.tenant(owner.workspace_id) as session:
        return session.scalars(select(Connection)).one()


def test_our_documents_are_served_to_everybody(held: Runtime, app: Flask) -> None:
    browser = app.test_client()
    public = browser.get(f"{DOCUMENTS}/client-metadata.json")
    assert (public.status_code, public.content_type) == (200, "application/json")
    assert public.get_json()["client_id"] == f"{BASE}{DOCUMENTS}/client-metadata.json"
    assert public.get_json()["token_endpoint_auth_method"] == "none"
    assert browser.get(f"{DOCUMENTS}/anything-else").status_code == 404

    registrations.set_app(held, "bluesky", "", "", options={"private_key": PEM})

    document = browser.get(f"{DOCUMENTS}/client-metadata.json").get_json()
    assert document["token_endpoint_auth_method"] == "private_key_jwt"
    [key] = browser.get(urlsplit(document["jwks_uri"]).path).get_json()["keys"]
    assert key["kid"] == ECKey.import_key(PEM).thumbprint()
    assert "d" not in key


def test_a_consent_becomes_a_connection_of_the_account(held: Runtime, owner: Member, network: Authority) -> None:
    consents(held, owner, network)
    row = connection(held, owner)
    assert (row.account_id, row.handle, row.status) == (US.id, US.handle, "active")
    assert "dpop" not in json.dumps(row.options)
    with held.db.tenant(owner.workspace_id) as session:
        assert {stream.status for stream in session.scalars(select(Stream))} == {"active"}


def test_a_server_of_older_scopes_stops_no_stream(held: Runtime, owner: Member, network: Authority) -> None:
    network.older = True
    consents(held, owner, network)
    with held.db.tenant(owner.workspace_id) as session:
        assert {stream.status for stream in session.scalars(select(Stream))} == {"active"}


def test_consenting_again_renews_the_one_connection(held: Runtime, owner: Member, network: Authority) -> None:
    for typed in (US.handle, US.id, PDS):
        consents(held, owner, network, typed)
    with held.db.tenant(owner.workspace_id) as session:
        assert session.scalars(select(Credential.version)).one() == 3


@pytest.mark.parametrize(
    ("instead", "sentence"),
    [
        ({"error": "access_denied"}, "Bluesky was not connected: the consent was refused. Nothing has changed."),
        ({"iss": "https://evil.example"}, "Bluesky was not connected: the answer came from another server than the one that was asked."),
        ({"iss": "https://evil.example", "error": "access_denied"}, "Bluesky was not connected: the answer came from another server than the one that was asked."),
    ],
)  # fmt: skip
def test_a_consent_that_goes_wrong_is_one_sentence(
    held: Runtime, owner: Member, network: Authority, instead: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ConnectError) as raised:
        consents(held, owner, network, **instead)
    assert str(raised.value) == sentence


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("nobody.example", "There is no account with the handle nobody.example. Check the spelling."),
        ("аcme.example", "That is neither a handle, such as acme.bsky.social, nor the address of a server, which begins with https://."),
        ("http://pds.example", "pds.example is not reached by https, so it is not called."),
        ("https://pds.example/xrpc", "That is not the address of a server."),
    ],
)  # fmt: skip
def test_what_nobody_can_sign_in_with_is_one_sentence(
    held: Runtime, owner: Member, network: Authority, mock: responses.RequestsMock, typed: str, sentence: str
) -> None:
    mock.get("https://nobody.example/.well-known/atproto-did", status=404)
    with pytest.raises(ConnectError) as raised:
        consents(held, owner, network, typed)
    assert str(raised.value).endswith(sentence)


def test_somebody_else_s_consent_connects_nobody(held: Runtime, owner: Member, network: Authority) -> None:
    network.signs_in = BOB
    with pytest.raises(ConnectError, match="another account than the one that you typed"):
        consents(held, owner, network)
    with held.db.tenant(owner.workspace_id) as session:
        assert session.scalars(select(Connection)).all() == []


def test_an_app_password_connects_the_same_account_and_is_not_kept(
    held: Runtime, owner: Member, network: Authority, wire: Wire, mock: responses.RequestsMock
) -> None:
    wire.bearer = True
    session_ = {"accessJwt": TOKEN, "refreshJwt": "the-refresh-token-of-a-session", "did": US.id}
    mock.post(f"{PDS}/xrpc/com.atproto.server.createSession", json=session_)
    typed = {"handle": US.handle, "password": "abcd-efgh-ijkl-mnop"}
    connect.connect_with_secret(held, owner.caller, "bluesky", None, typed, way="also")
    row = connection(held, owner)
    assert (row.account_id, row.way, row.options["handle"]) == (US.id, "also", US.handle)
    way, setting = registrations.setting_of(held, row)
    assert "password" not in setting.form
    assert way.renews
    with held.db.tenant(owner.workspace_id) as session:
        sealed = session.scalars(select(Credential)).one()
        values = held.vault.open(sealed.sealed, "credentials", "sealed", owner.workspace_id, row.id)
    assert "abcd-efgh-ijkl-mnop" not in json.dumps(values)
