"""Sources and matches that somebody makes, by the API."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from flask import Flask

from integrations.records import Contact
from service.runtime import Runtime
from service.store import mirroring
from tests.conftest import Member
from tests.service.api.checking import check
from tests.service.api.conftest import Client, World, client_of
from tests.service.rows import Rows


def mirror(rows: Rows, world: World, *contacts: Contact) -> None:
    with rows.db.tenant(rows.workspace_id) as session:
        mirroring.save_contacts(session, rows.workspace_id, world.crm, contacts)


def sources(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/sources").get_json()
    return found


def test_sources_say_how_many_are_left_out_until_somebody_vouches(client: Client, rows: Rows, world: World) -> None:
    mirror(
        rows,
        world,
        *(Contact(f"i{n}", f"Ida {n}", source="IMPORT: list.csv") for n in range(3)),
        Contact("f", "Finn", source="FORM"),
    )
    before = sources(client)
    assert before["left_out"] == 3
    assert "x" in before["networks"]
    assert [(each["source"], each["contacts"], each["left_out"]) for each in before["items"]] == [
        ("IMPORT: list.csv", 3, True), ("FORM", 1, False),
    ]  # fmt: skip
    attested = client.post("/sources/attest", {"source": "IMPORT: list.csv"}).get_json()
    assert attested["left_out"] == 0
    assert attested["items"][0]["attested_by"].startswith("key:")
    assert client.post("/sources/withdraw", {"source": "IMPORT: list.csv"}).get_json() == before


def test_only_an_administrator_vouches(app: Flask, held: Runtime, owner: Member, world: World) -> None:
    writer = client_of(app, held, owner, "read", "write")
    check(writer.post("/sources/attest", {"source": "IMPORT"}), 403)


def test_nobody_vouches_by_a_slip_of_the_pen_for_a_source_that_there_is_not(
    client: Client, rows: Rows, world: World
) -> None:
    mirror(rows, world, Contact("i", "Ida", source="IMPORT: list.csv"))
    assert "Spell it" in check(client.post("/sources/attest", {"source": "IMPORT: lsit.csv"}), 404)


def test_contacts_that_wait_to_be_filed_are_counted(client: Client, world: World) -> None:
    assert sources(client)["to_file"] == 1  # the world's own contact was put there by hand


def test_somebody_is_said_to_be_a_contact_that_no_rule_suggests(client: Client, rows: Rows, world: World) -> None:
    contact = rows.contact(world.crm, "Augusta King")
    made = client.post("/matches", {"author_id": str(world.author), "contact_id": str(contact)})
    assert made.status_code == 201
    body = made.get_json()
    assert (body["state"], body["contact"]["id"]) == ("confirmed", str(contact))
    assert body["evidence"][0]["basis"] == "decided by a person of the workspace"
    assert client.get(made.headers["Location"].removeprefix("/v1")).get_json() == body
    check(client.post("/matches", {"author_id": str(world.author), "contact_id": str(uuid4())}), 404)
