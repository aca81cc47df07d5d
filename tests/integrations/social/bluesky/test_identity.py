from __future__ import annotations

import json
import socket
from typing import Any

import pytest
import responses

from integrations import errors
from integrations.social.bluesky import identity
from integrations.social.bluesky.identity import Directory
from tests.integrations.social.bluesky.authority import Authority
from tests.integrations.social.bluesky.wire import BOB, HOSTS, PDS, US

DIRECTORY = Directory(HOSTS, ())


def test_a_handle_leads_to_the_did_and_to_the_server_of_the_account(authority: Authority) -> None:
    assert DIRECTORY.find(US.handle) == identity.Account(US.id, PDS)


def test_a_did_needs_no_handle(authority: Authority) -> None:
    authority.documents[US.id]["alsoKnownAs"] = []
    assert DIRECTORY.find(US.id).pds == PDS


def test_a_handle_that_its_account_does_not_own_up_to_is_not_believed(authority: Authority) -> None:
    authority.knows["stolen.example"] = BOB
    with pytest.raises(errors.NotFoundError, match="another handle"):
        DIRECTORY.find("stolen.example")


def test_a_handle_that_the_resolver_does_not_know_may_be_in_a_file_of_its_domain(
    authority: Authority, mock: responses.RequestsMock
) -> None:
    mock.get("https://fresh.example/.well-known/atproto-did", body=f"{BOB}\n")
    authority.documents[BOB]["alsoKnownAs"] = ["at://fresh.example"]
    assert DIRECTORY.find("fresh.example").did == BOB


@pytest.mark.parametrize(
    "served",
    [(404, "no"), (200, "<html>a page for everything"), (200, "did:plc:short"), (200, ""), (500, ""), (302, "")],
)
def test_a_handle_that_nobody_knows_is_a_plain_sentence(
    authority: Authority, mock: responses.RequestsMock, served: tuple[int, str]
) -> None:
    mock.get("https://nobody.example/.well-known/atproto-did", status=served[0], body=served[1])
    with pytest.raises(errors.NotFoundError, match=r"no account with the handle nobody\.example"):
        DIRECTORY.find("nobody.example")


def test_a_resolver_that_is_down_is_not_taken_for_a_no(authority: Authority) -> None:
    authority.replies["/xrpc/com.atproto.identity.resolveHandle"] = (503, {}, "")
    with pytest.raises(errors.TemporaryError):
        DIRECTORY.find(US.handle)


def test_a_did_of_the_web_is_asked_of_its_host(mock: responses.RequestsMock) -> None:
    did = "did:web:brand.example"
    document = {"id": did, "service": [{"id": f"{did}#atproto_pds", "serviceEndpoint": "https://pds.brand.example/"}]}
    mock.get("https://brand.example/.well-known/did.json", json=document)
    assert DIRECTORY.find(did) == identity.Account(did, "https://pds.brand.example")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"id": BOB}, errors.UnexpectedResponseError),
        ({"service": []}, errors.NotFoundError),
        ({"service": None}, errors.NotFoundError),
        ({"service": ["pds"]}, errors.NotFoundError),
        ({"service": [{"id": "#atproto_pds"}]}, errors.InvalidRequestError),
        ({"service": [{"id": "#atproto_pds", "serviceEndpoint": "http://pds.example"}]}, errors.InvalidRequestError),
        (
            {"service": [{"id": "#atproto_pds", "serviceEndpoint": "https://u:p@pds.example"}]},
            errors.InvalidRequestError,
        ),
    ],
)
def test_a_document_that_leads_nowhere_says_so(
    authority: Authority, change: dict[str, Any], error: type[Exception]
) -> None:
    authority.documents[US.id] |= change
    with pytest.raises(error):
        DIRECTORY.find(US.id)


def test_an_account_that_is_gone_is_a_plain_sentence(authority: Authority) -> None:
    del authority.documents[US.id]
    with pytest.raises(errors.NotFoundError, match="no account"):
        DIRECTORY.find(US.id)


@pytest.mark.parametrize("body", ["[]", "17", "null", ""])
def test_a_directory_that_talks_nonsense_says_so(authority: Authority, body: str) -> None:
    authority.replies[f"/{US.id}"] = (200, {}, body)
    with pytest.raises(errors.UnexpectedResponseError):
        DIRECTORY.find(US.id)


def test_more_than_any_document_is_not_read(authority: Authority) -> None:
    authority.replies[f"/{US.id}"] = (200, {}, json.dumps({"id": US.id, "x": "x" * identity.MOST}))
    with pytest.raises(errors.UnexpectedResponseError, match="larger"):
        DIRECTORY.find(US.id)


@pytest.mark.parametrize(
    "typed", ["acme.bsky.social", "@acme.bsky.social", " ACME.bsky.social. ", "xn--e1afmkfd.example"]
)
def test_handles_are_names_of_domains(typed: str) -> None:
    assert identity.handle(typed) == typed.strip().strip("@").rstrip(".").lower()


@pytest.mark.parametrize(
    "typed", ["", "acme", "acme.", ".example", "a b.example", "acme.1", "127.0.0.1", "аcme.example", "a/b.example", "x" * 64 + ".example", "a." * 130 + "example"]
)  # fmt: skip
def test_what_is_no_name_of_a_domain_is_no_handle(typed: str) -> None:
    assert identity.handle(typed) is None


@pytest.mark.parametrize(
    "did", ["did:plc:7iza6de2dwap2sbkpav7c6c6", "did:web:brand.example", "did:web:localhost%3A2583"]
)
def test_dids_of_two_kinds_are_known(did: str) -> None:
    assert identity.is_did(did)


@pytest.mark.parametrize(
    "did",
    [
        "",
        "did:plc:",
        "did:plc:UPPERCASEUPPERCASEUPPER1",
        "did:web:a.example:path",
        "did:web:a/b",
        "did:key:z6Mk",
        f"{US.id}\n",
    ],
)
def test_dids_of_other_kinds_are_not(did: str) -> None:
    assert not identity.is_did(did)


def test_plain_http_is_for_hosts_that_are_allowed() -> None:
    assert identity.origin("http://localhost:2583/", ("localhost",)) == "http://localhost:2583"
    with pytest.raises(errors.InvalidRequestError, match="https"):
        identity.origin("http://localhost:2583", ())


def test_a_host_that_is_not_public_is_not_called() -> None:
    """With a real socket: wherever a document of somebody else's leads, it is looked at before anybody is called."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        here = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(errors.InvalidRequestError, match="not public"):
            Directory({**HOSTS, "plc": here}, ()).find(US.id)
        with pytest.raises(BlockingIOError):  # nobody waits to be let in
            server.accept()
