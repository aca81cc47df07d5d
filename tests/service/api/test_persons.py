"""One person by the API: found, exported as the document says, erased after a word, left alone."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from service import access
from service.api.person_shown import PersonExportSchema
from service.models import Author, Match, PersonRequest
from service.runtime import Runtime
from service.store import personal
from tests.conftest import Member
from tests.service.api.conftest import NOW, Client, World, client_of
from tests.service.rows import Rows


@pytest.fixture
def ada(world: World, rows: Rows) -> World:
    """Ada's profile is confirmed to be the contact's; she was answered, and came to a stage."""
    match = rows.get(Match, world.match)
    with rows.db.tenant(rows.workspace_id) as session:
        match.state = "confirmed"
        session.merge(match)
    native = rows.get(Author, world.author).native_id
    us = rows.author("acme")
    rows.engagement(world.social, us, at=NOW, text="It does.", ours=True, kind="own", in_reply_to_author=native)
    return world


def test_somebody_is_found_by_handle_address_or_name_whatever_the_capitals(client: Client, ada: World) -> None:
    for query in ("@Ada", "ada lovelace"):
        [found] = client.get("/persons", query_string={"q": query}).get_json()["items"]
        assert found["author_ids"] == [str(ada.author)]
        assert found["contact_ids"] == [str(ada.contact)]
        assert found["id"] == f"contact:{ada.contact}"
    assert client.get("/persons", query_string={"q": "Lovelace"}).get_json()["items"] == []


def test_any_id_of_theirs_names_all_of_them(client: Client, ada: World) -> None:
    shown = [client.get(f"/persons/{each}").get_json() for each in (ada.author, ada.contact)]
    assert shown[0] == shown[1]
    assert client.get(f"/persons/{uuid4()}").status_code == 404


def test_an_export_holds_what_is_held_and_is_what_the_document_says(client: Client, ada: World) -> None:
    answer = client.get(f"/persons/{ada.author}/export")
    assert answer.is_streamed
    found = json.loads(answer.get_data(as_text=True))
    assert PersonExportSchema().validate(found) == {}
    assert found["complete"] is True
    assert list(found)[2:-1] == [each.name for each in personal.SECTIONS]
    assert [each["text"] for each in found["posts"]] == ["Does it run on steam? 🚂"]
    assert [each["text"] for each in found["answers"]] == ["It does."]
    assert [each["handle"] for each in found["profiles"]] == ["ada"]
    assert found["contacts"][0]["fields"]["name"] == "Ada Lovelace"
    assert found["matches"][0]["evidence"][0]["sentence"] == "The names are the same."
    assert len(found["tasks"]) == 2
    assert found["relationships"][0]["stage"] == "conversing"


def test_a_long_export_is_read_part_by_part(
    client: Client, ada: World, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal, "PART", 3)
    for number in range(8):
        rows.engagement(ada.social, ada.author, at=NOW, text=f"Number {number}")
    found: dict[str, Any] = json.loads(client.get(f"/persons/{ada.author}/export").get_data(as_text=True))
    assert sorted(each["text"] for each in found["posts"] if each["text"].startswith("N")) == [
        f"Number {n}" for n in range(8)
    ]


def test_erasing_wants_the_word_and_answers_with_its_receipt_to_come(
    client: Client, ada: World, held: Runtime, owner: Member
) -> None:
    assert client.post(f"/persons/{ada.author}/erase").status_code == 422
    assert client.post(f"/persons/{ada.author}/erase", {"confirm": "yes"}).status_code == 422
    with held.db.tenant(owner.workspace_id) as session:
        assert session.scalars(select(PersonRequest).filter_by(kind="erase")).all() == []
    answer = client.post(f"/persons/{ada.author}/erase", {"confirm": "erase"})
    assert answer.status_code == 202
    made = answer.get_json()
    assert (made["kind"], made["state"]) == ("erase", "under_way")
    assert client.get(f"/person-requests/{made['id']}").get_json() == made
    assert client.post(f"/persons/{ada.contact}/erase", {"confirm": "erase"}).get_json()["id"] == made["id"]
    assert made["id"] in [each["id"] for each in client.get("/person-requests").get_json()["items"]]
    assert client.post(f"/persons/{uuid4()}/erase", {"confirm": "erase"}).status_code == 404


def test_an_objection_is_noted_once_and_can_be_lifted(client: Client, ada: World) -> None:
    first = client.post(f"/persons/{ada.author}/objection").get_json()
    assert client.post(f"/persons/{ada.contact}/objection").get_json()["id"] == first["id"]
    assert client.get(f"/persons/{ada.author}").get_json()["objects"] is True
    assert client.delete(f"/persons/{ada.author}/objection").status_code == 204
    assert client.delete(f"/persons/{ada.author}/objection").status_code == 404
    assert client.get(f"/persons/{ada.author}").get_json()["objects"] is False


def test_a_viewer_and_a_member_may_neither_export_nor_erase(
    app: Flask, held: Runtime, owner: Member, ada: World
) -> None:
    for role in (access.VIEWER, access.MEMBER):
        key = client_of(app, held, owner, *access.may(role))
        assert key.get(f"/persons/{ada.author}/export").status_code == 403
        assert key.post(f"/persons/{ada.author}/erase", {"confirm": "erase"}).status_code == 403
    viewer = client_of(app, held, owner, *access.may(access.VIEWER))
    assert viewer.post(f"/persons/{ada.author}/objection").status_code == 403


def test_an_account_of_the_teams_own_is_refused_with_a_sentence(client: Client, ada: World, rows: Rows) -> None:
    rows.connection(account_id="us-1")
    ours = rows.author("acme", native_id="us-1")
    answer = client.post(f"/persons/{ours}/erase", {"confirm": "erase"})
    assert (answer.status_code, answer.get_json()["detail"]) == (
        409,
        "This is an account of your own. Disconnect it instead.",
    )


def test_what_settings_would_erase_is_said_before_they_are_saved(client: Client, ada: World) -> None:
    tried = client.post("/settings/tryout", {"settings": {"retention_days": 1}}).get_json()
    assert set(tried["erases"]) == {"posts", "tasks"}
