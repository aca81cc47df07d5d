from __future__ import annotations

import json
import time

import pytest
import requests
import responses
from joserfc import jwt
from joserfc.jwk import ECKey

from integrations import errors
from integrations.http import Session
from integrations.social.bluesky.dpop import Proven, asks_for_nonce, new_key, with_nonce
from tests.integrations.social.bluesky.wire import proof_of

HERE, THERE = "https://one.example", "https://two.example"
ASKS = {"WWW-Authenticate": 'DPoP error="use_dpop_nonce"'}


def session(base: str, proven: Proven) -> Session:
    made = Session(base, classify=asks_for_nonce)
    made.http.auth = proven
    return made


def claims(mock: responses.RequestsMock) -> list[dict[str, object]]:
    return [proof_of(call.request) for call in mock.calls]


def test_a_proof_is_for_one_request_at_one_address_now(mock: responses.RequestsMock) -> None:
    mock.get(f"{HERE}/xrpc/a.b.c", json={})
    proven = Proven(new_key(), "the-token")
    for _ in range(2):
        session(HERE, proven).get("/xrpc/a.b.c", cursor="x y", uris=["1", "2"])
    first, second = claims(mock)
    assert first["jti"] != second["jti"]
    assert abs(int(str(first["iat"])) - time.time()) < 60
    # RFC 9449, 4.2, by another implementation of SHA-256 and base64url: the hash of "the-token".
    assert first["ath"] == "wqc_z2HfvcrceaELozCy7162b8Cmc17Wm3lrs8l7l64"
    assert mock.calls[0].request.headers["Authorization"] == "DPoP the-token"


def test_without_a_token_nothing_is_said_about_one(mock: responses.RequestsMock) -> None:
    mock.post(f"{HERE}/token", json={})
    session(HERE, Proven(new_key())).post("/token", {})
    assert "ath" not in claims(mock)[0]
    assert "Authorization" not in mock.calls[0].request.headers


def test_proofs_are_signed_with_the_key_that_they_show(mock: responses.RequestsMock) -> None:
    mock.get(f"{HERE}/", json={})
    key = new_key()
    session(HERE, Proven(key)).get("/")
    token = str(mock.calls[0].request.headers["DPoP"])
    assert jwt.decode(token, ECKey.import_key(key), algorithms=["ES256"]).claims["htm"] == "GET"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (401, ASKS, ""),
        (401, ASKS, "{}"),
        (400, {}, '{"error": "use_dpop_nonce"}'),
        (401, {}, '{"error": "use_dpop_nonce"}'),
    ],
)
def test_a_server_that_wants_a_nonce_gets_the_same_request_with_it(
    mock: responses.RequestsMock, status: int, headers: dict[str, str], body: str
) -> None:
    mock.post(f"{HERE}/token", status=status, headers={**headers, "DPoP-Nonce": "n1"}, body=body)
    mock.post(f"{HERE}/token", json={"it": "works"})
    made = session(HERE, Proven(new_key()))
    answer = with_nonce(lambda: made.request("POST", "/token", data={"code": "c"}))
    assert answer.json() == {"it": "works"}
    assert [each.get("nonce") for each in claims(mock)] == [None, "n1"]
    assert [call.request.body for call in mock.calls] == ["code=c", "code=c"]


def test_a_nonce_is_kept_for_the_next_request_and_replaced_by_a_newer_one(mock: responses.RequestsMock) -> None:
    for nonce in ("n1", "n2", "n3"):
        mock.get(f"{HERE}/", json={}, headers={"DPoP-Nonce": nonce})
    made = session(HERE, Proven(new_key()))
    for _ in range(3):
        made.get("/")
    assert [each.get("nonce") for each in claims(mock)] == [None, "n1", "n2"]


def test_a_nonce_of_one_server_is_not_told_to_another(mock: responses.RequestsMock) -> None:
    mock.get(f"{HERE}/", json={}, headers={"DPoP-Nonce": "n1"})
    mock.get(f"{THERE}/", json={})
    proven = Proven(new_key())
    session(HERE, proven).get("/")
    session(THERE, proven).get("/")
    assert [each.get("nonce") for each in claims(mock)] == [None, None]


def test_a_server_that_is_never_content_is_asked_twice_and_no_more(mock: responses.RequestsMock) -> None:
    mock.get(f"{HERE}/", status=401, headers={**ASKS, "DPoP-Nonce": "n1"}, json={"error": "use_dpop_nonce"})
    made = session(HERE, Proven(new_key()))
    with pytest.raises(errors.TemporaryError):
        with_nonce(lambda: made.get("/"))
    assert len(mock.calls) == 2


@pytest.mark.parametrize("nonce", ["", "n" * 5000])
def test_without_a_nonce_that_can_be_used_nothing_is_sent_again(mock: responses.RequestsMock, nonce: str) -> None:
    mock.get(f"{HERE}/", status=401, headers={**ASKS, "DPoP-Nonce": nonce})
    made = session(HERE, Proven(new_key()))
    with pytest.raises(errors.TemporaryError):
        with_nonce(lambda: made.get("/"))
    assert len(mock.calls) == 1


@pytest.mark.parametrize("body", ["<html>", "[1]", '"use_dpop_nonce"', json.dumps({"error": ["use_dpop_nonce"]})])
def test_another_refusal_is_left_as_it_is(mock: responses.RequestsMock, body: str) -> None:
    mock.get(f"{HERE}/", status=400, headers={"DPoP-Nonce": "n1"}, body=body)
    made = session(HERE, Proven(new_key()))
    with pytest.raises(errors.InvalidRequestError):
        with_nonce(lambda: made.get("/"))
    assert len(mock.calls) == 1


def test_neither_key_nor_token_is_shown() -> None:
    key = new_key()
    proven = Proven(key, "a-token-that-nobody-sees")
    request = requests.Request("GET", HERE, auth=proven).prepare()
    assert key["d"] not in repr(proven) + repr(request)
    assert "a-token-that-nobody-sees" not in repr(proven) + repr(request)
