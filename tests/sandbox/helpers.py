"""A small world, and programs that have come through the sandbox's consents."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sandbox.state import Sandbox

NOW = "2026-06-30T12:00:00Z"
CALLBACK = "http://127.0.0.1:1/callback"
VERIFIER = "a-verifier-that-is-long-enough-for-rfc-7636-to-like"
X_SCOPES = "tweet.read users.read dm.read offline.access"
HUBSPOT_SCOPES = (
    "oauth crm.objects.contacts.read crm.objects.contacts.write crm.objects.owners.read crm.schemas.contacts.read "
    "crm.schemas.contacts.write"
)

ACCOUNTS = [
    {
        "id": "1",
        "handle": "Acme",
        "name": "Acme Tools",
        "brand": True,
        "website": "https://acme.example",
        "bio": "Tools.",
    },
    {"id": "2", "handle": "bob", "name": "Bob Rivers", "location": "Lyon"},
    {"id": "3", "handle": "maria", "name": "María López"},
    {"id": "9", "handle": "northwind", "name": "Northwind", "brand": True},
]
# Ids on purpose out of the order of time.
POSTS = [
    {"id": "50", "author_id": "2", "text": "@acme is my drill covered?", "created_at": "2026-06-29T10:00:00Z"},
    {
        "id": "40",
        "author_id": "1",
        "text": "@bob yes, send it in",
        "created_at": "2026-06-29T10:05:00Z",
        "in_reply_to": "50",
    },
    {
        "id": "60",
        "author_id": "2",
        "text": "thanks, will do",
        "created_at": "2026-06-29T10:09:00Z",
        "in_reply_to": "40",
    },
    {"id": "30", "author_id": "3", "text": "same here", "created_at": "2026-06-29T11:00:00Z", "in_reply_to": "50"},
    {"id": "70", "author_id": "3", "text": "look https://x.com/Acme/status/40", "created_at": "2026-06-29T12:00:00Z"},
    {"id": "20", "author_id": "1", "text": "New saws in the shop", "created_at": "2026-06-30T09:00:00Z"},
]
OWNERS = [{"id": "7", "email": "olga@acme.example", "first_name": "Olga", "last_name": "Winter"}]
CONTACTS = [
    {"id": "101", "email": "bob@mail.example", "firstname": "Bob", "lastname": "Rivers", "hubspot_owner_id": "7"},
    {"id": "102", "email": "maria@mail.example", "firstname": "María", "twitterhandle": "maria"},
]


class World:
    """One sandbox, spoken to over its own wire."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client: FlaskClient = app.test_client()
        self.state: Sandbox = app.extensions["sandbox"]
        for provider in ("x", "hubspot"):
            self.register(provider)

    def register(self, provider: str) -> None:
        app = {"client_id": "client", "client_secret": "secret", "redirect_uris": [CALLBACK]}
        assert self.client.put(f"/control/apps/{provider}", json=app).status_code == 200

    def load(self, **parts: Any) -> dict[str, int]:
        answer = self.client.post("/control/load", json=parts)
        assert answer.status_code == 200, answer.text
        return answer.json

    def settings(self, **changes: Any) -> None:
        answer = self.client.put("/control/settings", json=changes)
        assert answer.status_code == 200, answer.text

    def fault(self, **fault: Any) -> None:
        assert self.client.post("/faults", json=fault).status_code == 201

    # -- X

    def x_question(self, **changes: str | None) -> dict[str, str]:
        digest = hashlib.sha256(VERIFIER.encode()).digest()
        question = {
            "response_type": "code", "client_id": "client", "redirect_uri": CALLBACK, "scope": X_SCOPES, "state": "st",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), "code_challenge_method": "S256", **changes,
        }  # fmt: skip
        return {name: value for name, value in question.items() if value is not None}

    def consent(self, path: str, question: dict[str, str], **form: str) -> dict[str, str]:
        answer = self.client.post(path, query_string=question, data={"decision": "allow", **form})
        assert answer.status_code == 302, answer.text
        assert answer.location.startswith(CALLBACK)
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}

    def x_code(self, account: str = "acme", **changes: str | None) -> str:
        return self.consent("/x/i/oauth2/authorize", self.x_question(**changes), account=account)["code"]

    def x_token(self, *, client: str = "client:secret", **form: str) -> TestResponse:
        header = {"Authorization": "Basic " + base64.b64encode(client.encode()).decode()}
        return self.client.post("/x/2/oauth2/token", headers=header, data=form)

    def x_redeem(self, code: str, **changes: str) -> TestResponse:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.x_token(**{**form, **changes})

    def x(self, account: str = "acme", scope: str = X_SCOPES) -> Caller:
        return Caller(self.client, "/x", self.x_redeem(self.x_code(account, scope=scope)).json)

    # -- HubSpot

    def hubspot_question(self, **changes: str) -> dict[str, str]:
        return {"client_id": "client", "redirect_uri": CALLBACK, "scope": HUBSPOT_SCOPES, "state": "st", **changes}

    def hubspot_code(self, **changes: str) -> str:
        return self.consent("/hubspot/oauth/authorize", self.hubspot_question(**changes))["code"]

    def hubspot_token(self, **form: str) -> TestResponse:
        return self.client.post(
            "/hubspot/oauth/2026-03/token",
            data={"client_id": "client", "client_secret": "secret", "redirect_uri": CALLBACK, **form},
        )

    def hubspot(self, scope: str = HUBSPOT_SCOPES) -> Caller:
        code = self.hubspot_code(scope=scope)
        return Caller(self.client, "/hubspot", self.hubspot_token(grant_type="authorization_code", code=code).json)


class Caller:
    """A program with an access token."""

    def __init__(self, client: FlaskClient, base: str, tokens: dict[str, Any]) -> None:
        self.client, self.base, self.tokens = client, base, tokens
        self.headers = {"Authorization": f"Bearer {tokens['access_token']}"}

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.client.get(self.base + path, headers=self.headers, query_string=query)

    def post(self, path: str, body: Any = None) -> TestResponse:
        return self.client.post(self.base + path, headers=self.headers, json=body)

    def patch(self, path: str, body: Any) -> TestResponse:
        return self.client.patch(self.base + path, headers=self.headers, json=body)

    def delete(self, path: str) -> TestResponse:
        return self.client.delete(self.base + path, headers=self.headers)

    def ids(self, path: str, **query: Any) -> list[str]:
        """The ids of one page's data."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json.get("data", [])]

    def all(self, path: str, token: str = "pagination_token", **query: Any) -> list[str]:
        """The ids of all pages' data."""
        found: list[str] = []
        while True:
            answer = self.get(path, **query)
            assert answer.status_code == 200, answer.text
            found += [one["id"] for one in answer.json.get("data", [])]
            if "next_token" not in answer.json["meta"]:
                return found
            query[token] = answer.json["meta"]["next_token"]

    def tasks(self, *inputs: dict[str, Any], verb: str = "create") -> TestResponse:
        """A batch of tasks, each with a trace id and whatever it must have."""
        filled = [
            {
                "objectWriteTraceId": f"row {number}", **one,
                "properties": {**({"hs_timestamp": "2026-07-01T09:00:00Z"} if verb != "update" else {}), **one.get("properties", {})},
            }
            for number, one in enumerate(inputs)
        ]  # fmt: skip
        return self.post(f"/crm/objects/2026-09/tasks/batch/{verb}", {"inputs": filled})

    def search(self, kind: str, *filters: dict[str, Any], **more: Any) -> TestResponse:
        groups = [{"filters": list(filters)}] if filters else []
        return self.post(f"/crm/objects/2026-09/{kind}/search", {"filterGroups": groups, **more})


def to_contact(contact_id: str) -> list[dict[str, Any]]:
    return [{"to": {"id": contact_id}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204}]}]
