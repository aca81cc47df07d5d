from __future__ import annotations

import json
from typing import Any

import pytest
import responses
from joserfc import jwt
from joserfc.jwk import OctKey

from integrations import consents, errors
from integrations.registry import get
from integrations.social.bluesky import passwords
from tests.integrations.social.bluesky.authority import Authority, setting
from tests.integrations.social.bluesky.wire import BOB, PDS, US

TYPED = {"handle": f"@{US.handle}", "password": " abcd-efgh-ijkl-mnop "}
CREATE, REFRESH = (f"{PDS}/xrpc/com.atproto.server.{each}" for each in ("createSession", "refreshSession"))
ENDS = 1_900_000_000


def token(**claims: Any) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key("a-key-of-the-server-that-is-long-enough"))


def session(**instead: Any) -> dict[str, Any]:
    return {
        "accessJwt": token(exp=ENDS),
        "refreshJwt": "refresh-jwt-for-tests",
        "did": US.id,
        "handle": US.handle,
        **instead,
    }


@pytest.fixture(autouse=True)
def _signs_in(authority: Authority) -> None:
    """The account can be looked up."""


def test_an_app_password_becomes_a_session_at_the_account_s_own_server(mock: responses.RequestsMock) -> None:
    mock.post(CREATE, json=session())
    held = passwords.sign_in(setting(), TYPED)
    assert json.loads(mock.calls[-1].request.body or "") == {"identifier": US.id, "password": "abcd-efgh-ijkl-mnop"}
    assert (held["did"], held["pds"], held["refresh_token"]) == (US.id, PDS, "refresh-jwt-for-tests")
    assert held["expires_at"] == "2030-03-17T17:46:40+00:00"
    assert "password" not in json.dumps(held)


@pytest.mark.parametrize("jwt_", ["opaque", "a.b.c", token(), token(exp="soon"), token(exp=1e300), "a.W10.c"])
def test_a_session_that_does_not_say_when_it_ends_is_used_until_it_is_refused(
    mock: responses.RequestsMock, jwt_: str
) -> None:
    mock.post(CREATE, json=session(accessJwt=jwt_))
    held = passwords.sign_in(setting(), TYPED)
    assert held["expires_at"] is None
    mock.post(REFRESH, json=session(accessJwt=jwt_))
    # What was known of the former token says nothing of this one: it would be renewed, and spent, with every call.
    assert passwords.refresh(setting(), {**held, "expires_at": "2020-01-01T00:00:00+00:00"})["expires_at"] is None


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (401, {"error": "AuthenticationRequired", "message": "Invalid identifier or password"}, errors.AuthenticationError, "app password"),
        (401, {"error": "AuthFactorTokenRequired", "message": "A sign in code"}, errors.AuthenticationError, "own password"),
        (401, {"error": "AccountTakedown", "message": "Account has been taken down"}, errors.PermissionDeniedError, "taken down"),
        (400, {"error": "InvalidRequest", "message": "Input/password must be a string"}, errors.InvalidRequestError, "string"),
        (429, {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}, errors.RateLimitError, "Rate"),
        (502, {}, errors.TemporaryError, "502"),
    ],
)  # fmt: skip
def test_each_refusal_to_sign_in_says_what_to_do(
    mock: responses.RequestsMock, status: int, body: dict[str, str], error: type[Exception], words: str
) -> None:
    mock.post(CREATE, status=status, json=body)
    with pytest.raises(error, match=words):
        passwords.sign_in(setting(), TYPED)


def test_a_password_is_never_quoted(mock: responses.RequestsMock) -> None:
    secret = TYPED["password"].strip()
    for error in ("InvalidRequest", "AccountTakedown", "NotFound"):
        mock.post(CREATE, status=400, json={"error": error, "message": f"Not {secret}"})
        with pytest.raises(errors.IntegrationError) as raised:
            passwords.sign_in(setting(), TYPED)
        assert secret not in str(raised.value)


@pytest.mark.parametrize("body", [{"did": US.id}, {"accessJwt": "", "refreshJwt": "r", "did": US.id}, [], 17])
def test_a_success_without_a_session_says_so(mock: responses.RequestsMock, body: Any) -> None:
    mock.post(CREATE, json=body)
    with pytest.raises(errors.UnexpectedResponseError):
        passwords.sign_in(setting(), TYPED)


def test_a_session_of_somebody_else_is_not_used(mock: responses.RequestsMock) -> None:
    mock.post(CREATE, json=session(did=BOB))
    with pytest.raises(errors.AuthenticationError, match="another account"):
        passwords.sign_in(setting(), TYPED)


@pytest.mark.parametrize("handle", ["", "acme", "a b.example"])
def test_what_is_no_handle_is_told_before_anything_is_sent(mock: responses.RequestsMock, handle: str) -> None:
    with pytest.raises(errors.NotFoundError, match="not a handle"):
        passwords.sign_in(setting(), {**TYPED, "handle": handle})
    assert not mock.calls


def test_a_session_is_renewed_with_its_refresh_token(mock: responses.RequestsMock) -> None:
    held = {
        "access_token": "old",
        "refresh_token": "spent-by-this",
        "did": US.id,
        "pds": PDS,
        "expires_at": "2020-01-01T00:00:00+00:00",
    }
    mock.post(REFRESH, json=session(refreshJwt="the-next-one"))
    fresh = passwords.refresh(setting(), held)
    assert mock.calls[-1].request.headers["Authorization"] == "Bearer spent-by-this"
    assert (fresh["refresh_token"], fresh["pds"]) == ("the-next-one", PDS)
    assert fresh["expires_at"] == "2030-03-17T17:46:40+00:00"


@pytest.mark.parametrize(
    ("status", "name", "error"),
    [
        (400, "ExpiredToken", errors.AuthenticationError),
        (400, "InvalidToken", errors.AuthenticationError),
        (401, "AuthMissing", errors.AuthenticationError),
        (401, "", errors.AuthenticationError),
        (400, "AccountTakedown", errors.PermissionDeniedError),
        (400, "InvalidRequest", errors.InvalidRequestError),
        (503, "", errors.TemporaryError),
    ],
)
def test_only_a_word_about_the_session_ends_it(
    mock: responses.RequestsMock, status: int, name: str, error: type[Exception]
) -> None:
    mock.post(REFRESH, status=status, json={"error": name, "message": "no"} if name else {})
    with pytest.raises(error):
        passwords.refresh(setting(), {"refresh_token": "spent-by-this-call", "did": US.id, "pds": PDS})


def test_a_session_is_ended_with_its_refresh_token(mock: responses.RequestsMock) -> None:
    mock.post(f"{PDS}/xrpc/com.atproto.server.deleteSession")
    held = {"access_token": "a", "refresh_token": "the-refresh-token-of-it", "did": US.id, "pds": PDS}
    assert consents.revoke(consents.way(get("bluesky"), consents.ALSO), setting(), held)
    assert mock.calls[-1].request.headers["Authorization"] == "Bearer the-refresh-token-of-it"
    mock.replace(responses.POST, f"{PDS}/xrpc/com.atproto.server.deleteSession", status=503)
    with pytest.raises(errors.TemporaryError):
        passwords.revoke(setting(), held)
