"""Who may do what: every door is in the table of rights, the table is what the doors keep to, and nothing else opens."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from service import access, accounts, sessions
from service.models import Membership, User
from service.runtime import Runtime
from tests.conftest import Member

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
PAGE = Path(__file__).parents[2] / "docs/access.md"
# Doors of other kinds: what a provider signs, what it reads of ours, whether the process lives and can serve, figures that take a token of
# their own, files that anybody may have.
OUTSIDE = {"hooks.challenge", "hooks.hint", "hooks.document", "_alive", "_ready", "_metrics", "console.static"}
# What stands in the place of a part of an address, where the door is shut before anybody looks at it.
PARTS: dict[str, Callable[[str], str]] = {
    "uuid": lambda _: str(uuid4()),
    "any": lambda choice: choice.partition(",")[0],
    "default": lambda _: "nobody",
}
PART = re.compile(r"<(?:(?P<kind>\w+)(?:\((?P<of>[^)]*)\))?:)?\w+>")


@dataclass(frozen=True)
class Door:
    """One route with one method."""

    endpoint: str
    method: str
    path: str

    @property
    def needed(self) -> str | None:
        return access.needed(self.endpoint)


def doors(app: Flask, of: str) -> list[Door]:
    """Every route of the API ("v1.") or the console ("console."), with ids of nothing."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(of) and rule.endpoint not in OUTSIDE:
            found += [Door(rule.endpoint, method, filled(rule)) for method in sorted(METHODS & (rule.methods or set()))]
    return sorted(found, key=lambda door: (door.endpoint == "console.signin.out", door.endpoint, door.method))


def filled(rule: Rule) -> str:
    return PART.sub(lambda found: PARTS[found["kind"] or "default"](found["of"] or ""), rule.rule)


# --- the table ------------------------------------------------------------------------------------------------


def test_every_route_stands_in_one_row_and_every_row_names_routes_that_there_are(app: Flask) -> None:
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    named = Counter(route for right in access.RIGHTS for route in right.routes)
    assert {route for route, count in named.items() if count > 1} == set()
    assert set(named) == routes - OUTSIDE
    assert routes >= OUTSIDE


def test_rows_name_scopes_that_there_are_and_say_each_thing_once() -> None:
    assert {right.scope for right in access.RIGHTS} == {access.ANYBODY, access.OPERATE, *access.SCOPES}
    assert [each for each, count in Counter(right.about for right in access.RIGHTS).items() if count > 1] == []


def test_roles_are_nested_and_a_role_that_there_is_not_may_nothing() -> None:
    assert access.ROLES["viewer"] < access.ROLES["member"] < access.ROLES["owner"] == set(access.SCOPES)
    assert set(access.ABOUT_ROLES) == set(access.ROLES)
    for role in ("admin", "", None, "Owner"):
        assert access.may(role) == frozenset()


def test_what_anybody_may_do_is_little() -> None:
    assert [right.about for right in access.RIGHTS if right.scope == access.ANYBODY] == [
        "Read the description of the API",
        "Sign in by a one-time link",
        "Sign in with a password, or by single sign-on",
        "Finish signing in with a code of one's second factor",
        "Join by an invitation's link",
        "Read the receipt of a workspace that was deleted, by its link",
        "Say that no reply is needed, by a task's signed link",
    ]


def table() -> Iterator[str]:
    """The rows of docs/access.md, from the table."""
    yield "| what | " + " | ".join(access.ROLES) + " | scope of a key |"
    yield "|---|" + "---|" * (len(access.ROLES) + 1)
    for right in access.RIGHTS:
        marks = ["yes" if role in access.roles_with(right.scope) else "" for role in access.ROLES]
        keys = any(route.startswith("v1.") for route in right.routes)
        scope = ("none" if right.scope == access.ANYBODY else f"`{right.scope}`") if keys else "console only"
        if right.scope == access.OPERATE:
            assert not keys, "no key operates"
            scope = "operators alone"
        yield f"| {right.about} | " + " | ".join(marks) + f" | {scope} |"


def test_the_page_about_rights_says_what_the_table_says() -> None:
    stands = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    assert stands == list(table()), "\n".join(table())


# --- the doors ------------------------------------------------------------------------------------------------


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stands in the table."""
    monkeypatch.setattr(access, "_by_route", dict)


def somebody(held: Runtime, workspace_id: UUID, role: str) -> UUID:
    """A new person with this role."""
    with held.db.globally() as session:
        user = User(email=f"{role}-{uuid4().hex[:8]}@acme.test")
        session.add(user)
        session.flush()
        session.add(Membership(workspace_id=workspace_id, user_id=user.id, role=role))
        return user.id


@dataclass(frozen=True)
class Browser:
    """Somebody who is signed in."""

    http: FlaskClient
    csrf: str

    def open(self, door: Door) -> TestResponse:
        data = {"csrf_token": self.csrf} if door.method == "POST" else None
        return self.http.open(door.path, method=door.method, data=data)


def browser(app: Flask, held: Runtime, workspace_id: UUID, user_id: UUID) -> Browser:
    with held.db.globally() as session:
        cookie = sessions.begin(session, user_id, workspace_id, confined=False, browser="")
    who = accounts.caller_of_session(held.db, cookie)
    assert who
    http = app.test_client()
    http.set_cookie("warmline_session", cookie)
    return Browser(http, who.csrf_token)


def call(app: Flask, secret: str, door: Door) -> TestResponse:
    body = {} if door.method != "GET" else None
    return app.test_client().open(
        door.path, method=door.method, json=body, headers={"Authorization": f"Bearer {secret}"}
    )


def test_a_route_that_stands_in_no_row_is_closed_to_everybody(
    app: Flask, held: Runtime, owner: Member, closed: None
) -> None:
    secret = accounts.create_api_key(held.db, owner.workspace_id, owner.user_id, "all", access.SCOPES)
    olga = browser(app, held, owner.workspace_id, owner.user_id)
    for door in doors(app, "v1."):
        assert call(app, secret, door).status_code == 403, door
    for door in doors(app, "console."):
        assert olga.open(door).status_code == 403, door


@pytest.mark.parametrize("role", [*access.ROLES, "superuser"])
def test_a_page_opens_to_the_roles_of_its_row_and_to_no_other(
    app: Flask, held: Runtime, owner: Member, role: str
) -> None:
    who = browser(app, held, owner.workspace_id, somebody(held, owner.workspace_id, role))
    for door in doors(app, "console."):
        opens = door.needed == access.ANYBODY or role in access.roles_with(door.needed or "")
        assert (who.open(door).status_code != 403) == opens, (door, role)


@pytest.mark.parametrize("scope", access.SCOPES)
def test_a_key_opens_the_routes_of_its_scope_and_no_other(app: Flask, held: Runtime, owner: Member, scope: str) -> None:
    secret = accounts.create_api_key(held.db, owner.workspace_id, owner.user_id, scope, [scope])
    for door in doors(app, "v1."):
        assert (call(app, secret, door).status_code != 403) == (door.needed in (scope, access.ANYBODY)), door


@pytest.mark.parametrize("role", access.ROLES)
def test_a_key_may_no_more_than_whoever_made_it(app: Flask, held: Runtime, owner: Member, role: str) -> None:
    made_by = somebody(held, owner.workspace_id, role)
    secret = accounts.create_api_key(held.db, owner.workspace_id, made_by, "all", access.SCOPES)
    for door in doors(app, "v1."):
        opens = door.needed == access.ANYBODY or role in access.roles_with(door.needed or "")
        assert (call(app, secret, door).status_code != 403) == opens, door


def test_without_signing_in_only_what_anybody_may_do_opens(app: Flask) -> None:
    for door in doors(app, "console."):
        status = app.test_client().open(door.path, method=door.method).status_code
        assert (status == 401) == (door.needed != access.ANYBODY), (door, status)
    for door in doors(app, "v1."):
        status = app.test_client().open(door.path, method=door.method).status_code
        assert (status == 401) == (door.needed != access.ANYBODY), (door, status)
