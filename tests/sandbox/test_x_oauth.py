"""X's consent and tokens."""

from __future__ import annotations

import threading

import pytest

CALL = "/2/users/me"


def test_the_consent_page_names_the_app_the_account_and_the_scopes_in_words(world):
    page = world.client.get("/x/i/oauth2/authorize", query_string=world.x_question())
    assert page.status_code == 200
    for words in ("Warmline would like access", "@Acme", "@northwind", "Read the account’s direct messages"):
        assert words in page.text
    assert "@bob" not in page.text


def test_the_consent_page_lets_its_form_lead_back_to_the_app_and_runs_no_script(world):
    policy = world.client.get("/x/i/oauth2/authorize", query_string=world.x_question()).headers[
        "Content-Security-Policy"
    ]
    assert "form-action 'self' http://127.0.0.1:1;" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_consent_gives_a_code_and_a_code_gives_tokens(world):
    answer = world.x_redeem(world.x_code())
    assert answer.status_code == 200
    assert answer.json["token_type"] == "bearer"
    assert answer.json["expires_in"] == 7200
    assert answer.json["scope"] == "tweet.read users.read dm.read offline.access"
    assert answer.headers["Cache-Control"] == "no-store"
    assert world.x().get(CALL).json["data"]["username"] == "Acme"


def test_the_account_may_be_named_by_id_and_state_comes_back(world):
    given = world.consent("/x/i/oauth2/authorize", world.x_question(state="a b&c"), account="9")
    assert given["state"] == "a b&c"
    assert world.x("9").get(CALL).json["data"]["id"] == "9"


def test_a_refusal_goes_back_as_access_denied(world):
    given = world.consent("/x/i/oauth2/authorize", world.x_question(), decision="refuse", account="acme")
    assert given == {"error": "access_denied", "state": "st"}


def test_an_account_that_is_not_there_is_asked_for_again(world):
    answer = world.client.post(
        "/x/i/oauth2/authorize", query_string=world.x_question(), data={"decision": "allow", "account": "nobody"}
    )
    assert answer.status_code == 400
    assert "Choose the account to connect." in answer.text


@pytest.mark.parametrize("change", [{"client_id": "other"}, {"redirect_uri": "http://evil.example/"}])
def test_a_wrong_app_or_address_is_told_to_the_person_and_sends_nobody_anywhere(world, change):
    answer = world.client.post(
        "/x/i/oauth2/authorize", query_string=world.x_question(**change), data={"decision": "allow", "account": "1"}
    )
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "can’t be connected" in answer.text


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"response_type": "token"}, "invalid_request"),
        ({"scope": "tweet.read tweet.obliterate"}, "invalid_scope"),
    ],
)
def test_a_wrong_question_goes_back_to_the_app(world, change, error):
    assert world.consent("/x/i/oauth2/authorize", world.x_question(**change), account="1")["error"] == error


@pytest.mark.parametrize(
    "change", [{"code_verifier": "x" * 50}, {"code_verifier": ""}, {"redirect_uri": "http://other.example/"}]
)
def test_a_code_is_worth_nothing_without_its_verifier_and_address(world, change):
    answer = world.x_redeem(world.x_code(), **change)
    assert answer.status_code == 400
    assert answer.json == {
        "error": "invalid_request",
        "error_description": "Value passed for the authorization code was invalid.",
    }


@pytest.mark.parametrize(
    ("client", "error"),
    [("client:wrong", "invalid_client"), ("other:secret", "invalid_client"), ("no-colon", "unauthorized_client")],
)
def test_a_wrong_client_gets_no_token_and_spoils_nothing(world, client, error):
    code = world.x_code()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "x", "code_verifier": "y"}
    refused = world.x_token(client=client, **form)
    assert (refused.status_code, refused.json["error"]) == (401, error)
    assert world.x_redeem(code).status_code == 200


def test_a_code_works_once_and_its_second_use_ends_what_the_first_gave(world):
    code = world.x_code()
    token = world.x_redeem(code).json["access_token"]
    assert world.x_redeem(code).status_code == 400
    assert world.client.get("/x/2/users/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_code_grows_stale(world):
    code = world.x_code()
    world.state.oauth._clock = lambda: 4e9
    assert world.x_redeem(code).status_code == 400


def test_without_offline_access_there_is_no_refresh_token(world):
    assert "refresh_token" not in world.x(scope="tweet.read users.read").tokens


def refresh(world, token):
    return world.x_token(grant_type="refresh_token", refresh_token=token)


def test_a_refresh_rotates(world):
    caller = world.x()
    fresh = refresh(world, caller.tokens["refresh_token"]).json
    assert fresh["refresh_token"] != caller.tokens["refresh_token"]
    assert fresh["access_token"] != caller.tokens["access_token"]
    assert refresh(world, fresh["refresh_token"]).status_code == 200


def test_a_replayed_refresh_token_kills_the_family(world):
    caller = world.x()
    fresh = refresh(world, caller.tokens["refresh_token"]).json
    replay = refresh(world, caller.tokens["refresh_token"])
    assert (replay.status_code, replay.json["error_description"]) == (400, "Value passed for the token was invalid.")
    assert refresh(world, fresh["refresh_token"]).status_code == 400
    caller.headers = {"Authorization": f"Bearer {fresh['access_token']}"}
    assert caller.get(CALL).status_code == 401


def test_of_two_that_refresh_at_once_one_gets_tokens_and_both_lose_them(world):
    token, answers = world.x().tokens["refresh_token"], []
    start = threading.Barrier(2)

    def race():
        client = world.app.test_client()
        start.wait()
        answers.append(client.post(
            "/x/2/oauth2/token", headers={"Authorization": "Basic Y2xpZW50OnNlY3JldA=="},
            data={"grant_type": "refresh_token", "refresh_token": token},
        ))  # fmt: skip

    threads = [threading.Thread(target=race) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 400]
    winner = next(answer for answer in answers if answer.status_code == 200)
    assert refresh(world, winner.json["refresh_token"]).status_code == 400


def test_another_familys_tokens_live_on(world):
    one, other = world.x(), world.x("northwind")
    refresh(world, one.tokens["refresh_token"])
    refresh(world, one.tokens["refresh_token"])
    assert other.get(CALL).status_code == 200


def test_an_access_token_expires_and_a_refresh_helps(world):
    world.settings(token_lifetime_seconds=60)
    caller = world.x()
    assert caller.tokens["expires_in"] == 60
    now = world.state.oauth._clock()
    world.state.oauth._clock = lambda: now + 61
    assert caller.get(CALL).status_code == 401
    fresh = refresh(world, caller.tokens["refresh_token"]).json
    caller.headers = {"Authorization": f"Bearer {fresh['access_token']}"}
    assert caller.get(CALL).status_code == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoking_either_token_ends_the_grant(world, kind):
    caller = world.x()
    answer = world.client.post(
        "/x/2/oauth2/revoke",
        headers={"Authorization": "Basic Y2xpZW50OnNlY3JldA=="},
        data={"token": caller.tokens[kind]},
    )
    assert answer.json == {"revoked": True}
    assert caller.get(CALL).status_code == 401
    assert refresh(world, caller.tokens["refresh_token"]).status_code == 400


def test_scopes_bound_what_a_token_opens(world):
    caller = world.x(scope="tweet.read users.read")
    refused = caller.get("/2/dm_events")
    assert refused.status_code == 403
    assert "dm.read" in refused.json["detail"]
    assert caller.get(CALL).status_code == 200


def test_no_secret_lies_in_the_file(world):
    caller = world.x()
    world.state.store.read().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    held = world.state.store.path.read_bytes()
    for name in ("access_token", "refresh_token"):
        assert caller.tokens[name].encode() not in held
