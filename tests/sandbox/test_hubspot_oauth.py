"""HubSpot's consent and tokens."""

from __future__ import annotations

import pytest

CALL = "/account-info/2026-03/details"


def test_the_consent_page_names_the_portal_and_the_scopes_in_words(world):
    page = world.client.get("/hubspot/oauth/authorize", query_string=world.hubspot_question())
    assert page.status_code == 200
    assert "Sandbox portal 8790001" in page.text
    assert "Create and change contacts and tasks" in page.text


def test_consent_leads_to_tokens_for_the_portal(world):
    caller = world.hubspot()
    assert caller.tokens["expires_in"] == 1800
    assert caller.tokens["hub_id"] == 8790001
    assert "crm.objects.contacts.write" in caller.tokens["scopes"]
    assert caller.get(CALL).json["portalId"] == 8790001


def test_optional_scopes_are_granted_too(world):
    code = world.hubspot_code(scope="oauth", optional_scope="crm.schemas.contacts.write")
    tokens = world.hubspot_token(grant_type="authorization_code", code=code).json
    assert tokens["scopes"] == ["oauth", "crm.schemas.contacts.write"]


def test_a_refresh_token_stays_the_same_and_works_again(world):
    caller = world.hubspot()
    for _ in range(2):
        fresh = world.hubspot_token(grant_type="refresh_token", refresh_token=caller.tokens["refresh_token"]).json
        assert fresh["refresh_token"] == caller.tokens["refresh_token"]
        assert fresh["access_token"] != caller.tokens["access_token"]


def test_an_unknown_refresh_token_is_named_in_hubspots_words(world):
    answer = world.hubspot_token(grant_type="refresh_token", refresh_token="nonsense")
    assert answer.status_code == 400
    assert (answer.json["status"], answer.json["error"]) == ("BAD_REFRESH_TOKEN", "invalid_grant")


def test_a_wrong_secret_gets_nothing(world):
    answer = world.hubspot_token(grant_type="authorization_code", code=world.hubspot_code(), client_secret="wrong")
    assert (answer.status_code, answer.json["status"]) == (401, "BAD_CLIENT_ID")


def test_an_expired_token_and_a_foreign_one_are_told_apart(world):
    caller = world.hubspot()
    world.state.oauth.expire_all("hubspot")
    assert caller.get(CALL).json["category"] == "EXPIRED_AUTHENTICATION"
    caller.headers = {"Authorization": "Bearer nonsense"}
    answer = caller.get(CALL)
    assert (answer.status_code, answer.json["category"]) == (401, "INVALID_AUTHENTICATION")
    assert answer.json["status"] == "error"
    assert answer.json["correlationId"]


def test_a_token_of_x_opens_nothing_here(world):
    caller = world.hubspot()
    caller.headers = world.x().headers
    assert caller.get(CALL).status_code == 401


@pytest.mark.parametrize(
    ("scope", "method", "path", "needed"),
    [
        ("oauth", "get", "/crm/objects/2026-09/contacts", "crm.objects.contacts.read"),
        (
            "oauth crm.objects.contacts.read",
            "post",
            "/crm/objects/2026-09/tasks/batch/create",
            "crm.objects.contacts.write",
        ),
        ("oauth", "get", "/crm/owners/2026-03", "crm.objects.owners.read"),
        ("oauth crm.objects.contacts.write", "post", "/crm/properties/2026-03/tasks", "crm.schemas.contacts.write"),
    ],
)
def test_a_missing_scope_is_named(world, scope, method, path, needed):
    caller = world.hubspot(scope)
    answer = caller.get(path) if method == "get" else caller.post(path, {})
    assert (answer.status_code, answer.json["category"]) == (403, "MISSING_SCOPES")
    assert needed in answer.json["context"]["requiredGranularScopes"]
    assert needed in answer.json["errors"][0]["context"]["requiredGranularScopes"]


def test_revoking_ends_the_grant(world):
    caller = world.hubspot()
    answer = world.client.post(
        "/hubspot/oauth/2026-03/token/revoke",
        data={"client_id": "client", "client_secret": "secret", "token": caller.tokens["refresh_token"]},
    )
    assert answer.status_code == 204
    assert caller.get(CALL).status_code == 401
