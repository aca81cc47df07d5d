"""What belongs to one workspace is not there for another: every route of openapi.yaml, called with a key of one and what
belongs to the other, wherever it can be put: address, query, body, cursor, idempotency key.

The calls are made from the document, so a new route is tried as well. One with a parameter for which nothing stands below
fails here until somebody says what to put there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import responses
from flask import Flask
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from integrations import registry
from integrations.provider import Hint, Webhook
from integrations.records import Contact
from service import access
from service.api.idempotency import REPLAYED
from service.models import ConnectedAccount, Stream
from service.runtime import Runtime
from service.store import mirroring
from tests.conftest import Member
from tests.service.api.conftest import NOW, Client, World, client_of, populate
from tests.service.api.written import document, documented
from tests.service.rows import Rows
from tests.service.test_tenancy import ISOLATED

# What a parameter that holds an id means: one of these things of the workspace.
IDS: Mapping[str, tuple[str, ...]] = {
    "brand_id": ("brand",),
    "connection_id": ("social", "crm"),
    "crm_connection_id": ("crm",),
    "author_id": ("author",),
    "engagement_id": ("engagement",),
    "conversation_id": ("conversation",),
    "contact_id": ("contact",),
    "match_id": ("match",),
    "task_id": ("task", "held"),
    "run_id": ("run",),
    "calendar_id": ("calendar",),
    "relationship_id": ("relationship",),
    "member_id": ("member",),
    "invitation_id": ("invitation",),
    "session_id": ("session",),
    "person_id": ("author", "contact"),
    "request_id": ("person_request",),
}
# Texts by which something could be named: what one workspace has, and what nobody has.
NAMES: Mapping[str, tuple[str, str]] = {
    "email": ("mia@acme.test", "noone@nowhere.test"),
    "responder_email": ("mia@acme.test", "noone@nowhere.test"),
    "q": ("Ada Lovelace", "Nobody Nowhere"),
    "place": ("Steam club", "Club nowhere"),
    "source": ("Import: acme.csv", "Import: nowhere.csv"),
    "name": ("Acme", "Nowhere"),
    "url": ("https://cal.example/acme.ics", "https://cal.example/nowhere.ics"),
}
# What a body needs besides, and what names nothing of anybody's.
PLAIN: Mapping[str, Any] = {
    "provider": "fakecrm", "form": {"token": "t"}, "fields": {}, "dollars": 1, "role": "viewer", "reason": "Because.", "settings": {}, "person": "n1",
    "colleagues": [], "confirm": "erase", "If-Match": "*", "If-None-Match": "*", "posts": [{"id": "p1", "at": NOW.isoformat(), "author": {"id": "n1"}, "text": "Hello", "direction": "in"}],
}  # fmt: skip
SCHEMES = {
    "date-time",
    "cursor",
    "reference",
}  # formats of texts that name nothing: instants; cursors and references have tests of their own
# Routes that know one kind of connection only.
KIND = {
    "connections.preview": "crm",
    "connections.approve": "crm",
    "connections.purge": "crm",
    "handle_fields.index": "crm",
    "handle_fields.change": "crm",
    "connections.found": "social",
    "engagements.hand_in": "place",
}
# What is sent though the schema does not ask for it; the latter unless the other one is sent.
ALWAYS: Mapping[str, str] = {"form": "", "place": "connection_id"}
# Whole bodies, where the schema cannot say what fits together: by operation, from what the caller is told.
WHOLE = {"settings.replace": "/settings"}


Things = Mapping[str, str]  # noun -> id, of what a workspace has


@dataclass(frozen=True)
class Slot:
    """A place in a call where something of another workspace can be put: that, and what nobody has."""

    where: str  # path, query, header, body
    name: str
    theirs: str
    nobodys: str


@dataclass(frozen=True)
class Operation:
    """One route of the document with one method."""

    id: str
    method: str
    path: str
    doc: Mapping[str, Any] = field(repr=False)

    @property
    def body(self) -> Mapping[str, Any] | None:
        content = self.doc.get("requestBody", {}).get("content", {})
        return resolved(content["application/json"]["schema"]) if content else None

    def parameters(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """(where, name, schema) of whatever a caller can fill in, but for idempotency keys."""
        for each in self.doc.get("parameters", []):
            if "$ref" not in each:
                yield each["in"], each["name"], each["schema"]
        for name, schema in (self.body or {}).get("properties", {}).items():
            yield "body", name, resolved(schema)

    def slots(self, theirs: Things) -> Iterator[Slot]:
        for where, name, schema in self.parameters():
            if schema.get("format") == "uuid":
                for noun in nouns(name, self):
                    yield Slot(where, name, theirs[noun], str(uuid4()))
            elif is_free(schema) and name not in PLAIN and self.id not in WHOLE:
                yield Slot(where, name, *NAMES[name])


def nouns(name: str, operation: Operation) -> tuple[str, ...]:
    """What a parameter of this name is the id of, in this operation."""
    kind = KIND.get(operation.id) if name == "connection_id" else None
    return (kind,) if kind else IDS[name]


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def is_free(schema: Mapping[str, Any]) -> bool:
    """Whether this is a text of one's own choice."""
    kinds = schema.get("type", [])
    return "string" in kinds and "enum" not in schema and schema.get("format") not in SCHEMES


def operations() -> list[Operation]:
    """Those that a key opens; the ones that take things away come last."""
    found = []
    for (method, path), doc in documented().items():
        parameters = [*document()["paths"][path].get("parameters", []), *doc.get("parameters", [])]
        if doc["security"]:
            found.append(Operation(doc["operationId"], method, path, {**doc, "parameters": parameters}))
    found.sort(key=lambda each: (["GET", "POST", "PATCH", "PUT", "DELETE"].index(each.method), each.path))
    kept = [each for each in found if each.method != "DELETE"]
    return kept + [each for each in reversed(found) if each.method == "DELETE"]  # sessions before whose they are


@dataclass(frozen=True)
class Caller:
    """Somebody with a key, and what they have themselves."""

    client: Client
    things: Things

    def call(self, operation: Operation, *fill: tuple[Slot, str], key: str = "", body: Any = None) -> TestResponse:
        """The operation with these slots filled; whatever else it needs is the caller's own. `body` instead of one made here."""
        given = {(slot.where, slot.name): value for slot, value in fill}
        path = re.sub(
            r"\{(\w+)\}", lambda found: given.get(("path", found[1])) or self.own(found[1], operation), operation.path
        )
        headers = {name: value for (where, name), value in given.items() if where == "header"}
        headers |= {name: PLAIN[name] for where, name, _ in operation.parameters() if where == "header"}
        headers |= {"Idempotency-Key": key} if key else {}
        query = {name: value for (where, name), value in given.items() if where == "query"}
        return self.client.call(
            operation.method, path.removeprefix("/v1"), query_string=query, headers=headers, json=body or self.body(operation, given)
        )  # fmt: skip

    def body(self, operation: Operation, given: Mapping[tuple[str, str], str]) -> Any:
        if operation.body is None:
            return None
        if operation.id in WHOLE:
            return self.client.get(WHOLE[operation.id]).get_json()["values"]
        wanted = {
            name
            for name, other in ALWAYS.items()
            if name in operation.body["properties"] and ("body", other) not in given
        }
        names = {*operation.body.get("required", ()), *wanted}
        needed = {name: self.fit(name, operation) for name in names}
        return {**needed, **{name: value for (where, name), value in given.items() if where == "body"}}

    def fit(self, name: str, operation: Operation) -> Any:
        if name in PLAIN:
            return PLAIN[name]
        # Another one each time, since many things may be made only once.
        return self.own(name, operation) if name in IDS else NAMES[name][1].replace("nowhere", uuid4().hex)

    def own(self, name: str, operation: Operation) -> str:
        return self.things[nouns(name, operation)[0]]


# --- two workspaces ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Two:
    """Two workspaces with a little of everything, and what would betray the first of them."""

    acme: Caller
    rival: Caller
    marks: frozenset[str]
    held: Runtime
    acme_id: UUID
    rival_id: UUID

    def check(self, answer: TestResponse, *sent: str) -> None:
        """Nothing of Acme's stands in this answer but what its caller has sent."""
        said = answer.get_data(as_text=True) + str(answer.headers)
        found = [mark for mark in self.marks if mark in said and not any(mark in each for each in sent)]
        assert found == [], (answer.request.path, found)

    def standing(self) -> dict[str, Any]:
        """A fingerprint of all that Acme has."""
        found = {}
        with self.held.db.tenant(self.acme_id) as session:
            for table in [*ISOLATED, "memberships", "sessions", "api_keys"]:
                rows = session.scalars(
                    text(f"SELECT t::text FROM {table} t WHERE workspace_id = :w"), {"w": self.acme_id}
                )
                found[table] = sorted(rows)
        return found


@pytest.fixture
def two(app: Flask, held: Runtime, owner: Member, stranger: Member, providers: Any) -> Iterator[Two]:
    theirs, ours = Rows(held.db, owner.workspace_id, NOW), Rows(held.db, stranger.workspace_id, NOW)
    populate(theirs, domain="second.acme.test")  # so that each list has more than one page
    acme = caller(client_of(app, held, owner, *access.SCOPES), populate(theirs), "Steam club")
    with held.db.tenant(owner.workspace_id) as session:
        listed = Contact("listed", "Lena List", source=NAMES["source"][0])
        mirroring.save_contacts(session, owner.workspace_id, UUID(acme.things["crm"]), [listed])
    rival = caller(
        client_of(app, held, stranger, *access.SCOPES),
        populate(ours, person="Bo Berg", asks="Is it waterproof?", company="Berg Boats", domain="rival.test"),
        "Boat forum",
    )
    marks = {"Lovelace", "steam", "Analytical", "acme.test", "Acme", "Steam club", *ids_of(held, owner.workspace_id)}
    with responses.RequestsMock(assert_all_requests_are_fired=False):
        yield Two(acme, rival, frozenset(marks), held, owner.workspace_id, stranger.workspace_id)


def caller(client: Client, world: World, place: str) -> Caller:
    """Somebody with all this, and a place whose posts they hand in."""
    assert client.post("/engagements", {"place": place, "posts": PLAIN["posts"]}).status_code == 200
    listed = client.get("/connections", query_string={"limit": 200}).get_json()["items"]
    [found] = [each["id"] for each in listed if each["name"] == place]
    return Caller(client, {"place": found, **{noun: str(each) for noun, each in asdict(world).items()}})


def ids_of(held: Runtime, workspace_id: UUID) -> set[str]:
    """Every id that stands anywhere in this workspace's rows."""
    with held.db.tenant(workspace_id) as session:
        texts = [
            str(row)
            for table in [*ISOLATED, "memberships", "sessions", "api_keys"]
            for row in session.scalars(
                text(f"SELECT t::text FROM {table} t WHERE workspace_id = :w"), {"w": workspace_id}
            )
        ]
    return set(re.findall(UUID_SHAPE, " ".join(texts)))


UUID_SHAPE = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
VARIES = re.compile(rf'{UUID_SHAPE}|[0-9a-f]{{32}}|\d{{4}}-\d\d-\d\dT[\d:.]+Z|/join/[\w-]+|(?<="lag_seconds":)\d+')


def shape(answer: TestResponse, sent: str) -> tuple[int, str]:
    """What an answer says, but for what was sent, and what differs from one moment to the next."""
    said = answer.get_data(as_text=True).replace(json.dumps(sent)[1:-1], "<sent>")
    return answer.status_code, VARIES.sub("<new>", said)


def test_every_parameter_of_every_route_is_one_that_these_tests_know(two: Two) -> None:
    for operation in operations():
        list(operation.slots(two.acme.things))
        two.acme.body(operation, {})
    assert len(operations()) > 60


def ids_within(schema: Mapping[str, Any], depth: int = 0) -> Iterator[int]:
    """How deep below a body its ids stand."""
    schema = resolved(schema)
    if schema.get("format") == "uuid":
        yield depth
    inside = [*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *filter(None, [schema.get("items")])]
    for each in inside:
        yield from ids_within(each, depth + 1)


def test_no_id_stands_deeper_in_a_body_than_these_tests_look() -> None:
    for operation in operations():
        assert set(ids_within(operation.body or {})) <= {1}, operation


def test_what_is_anothers_is_answered_like_what_nobody_has(two: Two) -> None:
    before, tried = two.standing(), 0
    for operation in operations():
        for slot in operation.slots(two.acme.things):
            tried += 1
            theirs = two.rival.call(operation, (slot, slot.theirs))
            nobodys = two.rival.call(operation, (slot, slot.nobodys))
            assert shape(theirs, slot.theirs) == shape(nobodys, slot.nobodys), (operation, slot)
            two.check(theirs, slot.theirs)
            if slot.where == "path":
                assert theirs.status_code == 404, (operation, slot)
            elif slot.where == "query":
                assert theirs.get_json()["items"] == [], (operation, slot)
            elif slot.name in IDS:
                assert theirs.status_code in (404, 422), (operation, slot)
    assert tried > 80
    assert two.standing() == before


def test_whoever_it_belongs_to_finds_it_by_the_same_calls(two: Two) -> None:
    """Without this, the test above would hold for calls that find nothing for anybody."""
    for operation in operations():
        for slot in operation.slots(two.acme.things):
            answer = two.acme.call(operation, (slot, slot.theirs))
            assert answer.status_code in (200, 201, 202, 204, 409), (operation, slot, answer.get_data(as_text=True))


def test_another_workspaces_cursor_shows_ones_own_rows_alone(two: Two) -> None:
    pages = 0
    for operation in operations():
        if "cursor" not in {name for _, name, _ in operation.parameters()}:
            continue
        first = two.acme.call(operation, (Slot("query", "limit", "", ""), "1")).get_json()
        if first["next_cursor"] is None:
            continue
        pages += 1
        answer = two.rival.call(operation, (Slot("query", "cursor", "", ""), first["next_cursor"]))
        assert answer.status_code == 200
        two.check(answer, first["next_cursor"])
    assert pages > 10


def test_another_workspaces_idempotency_key_replays_nothing(two: Two) -> None:
    for operation in operations():
        if operation.method == "GET":
            continue
        key, body = f"key-{operation.id}", two.acme.body(operation, {})
        first = two.acme.call(operation, key=key, body=body)
        again = two.acme.call(operation, key=key, body=body)
        assert (REPLAYED in again.headers) == (first.status_code < 300), operation
        same = replace(two.acme, client=two.rival.client).call(operation, key=key, body=body)  # the very same request
        assert REPLAYED not in same.headers, operation
        two.check(same, same.request.path, str(body))
        if "{" in operation.path:
            assert same.status_code in (404, 422), operation


def test_lists_and_everything_else_that_is_read_hold_ones_own_alone(two: Two) -> None:
    for operation in operations():
        if operation.method == "GET":
            two.check(two.rival.call(operation))


def test_a_webhook_wakes_the_accounts_it_names_and_tells_nobody_which_there_are(
    two: Two, held: Runtime, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hints(_: Any, headers: Mapping[str, str], body: bytes) -> list[Hint] | None:
        return [Hint(body.decode())] if headers.get("x-signature") == "good" else None

    known = replace(registry.providers()["fakesocial"], webhook=Webhook(lambda *_: None, hints))
    monkeypatch.setitem(registry.providers(), "fakesocial", known)
    accounts = {"acme": two.acme.things["social"], "rival": two.rival.things["social"]}
    with held.db.globally() as session:
        for name, workspace_id in (("acme", two.acme_id), ("rival", two.rival_id)):
            place = {"workspace_id": workspace_id, "connection_id": UUID(accounts[name])}
            session.add(ConnectedAccount(provider="fakesocial", account_id=f"account-of-{name}", **place))

    def due(name: str, workspace_id: UUID) -> datetime | None:
        with held.db.tenant(workspace_id) as session:
            return session.scalars(select(Stream.next_pull_at).filter_by(connection_id=UUID(accounts[name]))).one()

    before = due("acme", two.acme_id), due("rival", two.rival_id)

    def send(account: str, signature: str = "good") -> tuple[int, str]:
        answer = app.test_client().post(
            "/hooks/fakesocial", data=account, headers={"X-Signature": signature}, content_type="application/json"
        )
        return answer.status_code, answer.get_data(as_text=True)

    assert send("account-of-acme", "bad")[0] == 401
    assert (due("acme", two.acme_id), due("rival", two.rival_id)) == before
    assert send("account-of-rival") == send("account-of-nobody") == (204, "")
    assert due("acme", two.acme_id) == before[0]
    assert due("rival", two.rival_id) != before[1]
