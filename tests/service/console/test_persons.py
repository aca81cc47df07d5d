"""One person's data in the console: found, read, taken along, left alone, erased after a word."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import text

from service.models import PersonRequest
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import Browser, member, words_of
from tests.service.console.scenes import busy_day


@pytest.fixture
def person(held: Runtime, owner: Member) -> str:
    """The id of somebody who waits."""
    scene = busy_day(held, owner.workspace_id)
    with held.db.tenant(owner.workspace_id) as session:
        where = {"id": scene.waiting}
        return str(session.execute(text("SELECT author_id FROM conversations WHERE id = :id"), where).scalar_one())


def test_somebody_is_found_and_all_that_is_held_is_shown_and_taken_along(olga: Browser, person: str) -> None:
    page = words_of(olga.get(f"/persons/{person}"))
    for words in (
        "Posts",
        "Tasks",
        "Relationships",
        "Download all of it (JSON)",
        "Erase them",
        "Never judge them again",
    ):
        assert words in page
    found = json.loads(olga.get(f"/persons/{person}/export").get_data(as_text=True))
    assert found["complete"] is True
    assert found["person"]["author_ids"] == [person]
    handle = found["profiles"][0]["handle"]
    assert f"@{handle}" in words_of(olga.get("/persons", query_string={"q": f"@{handle}"}))
    assert "Nobody of that spelling is held here." in words_of(olga.get("/persons", query_string={"q": "@nobody"}))


def test_erasing_says_what_it_does_and_wants_the_word(olga: Browser, person: str, held: Runtime, owner: Member) -> None:
    asked = words_of(olga.get(f"/persons/{person}/erase"))
    assert "This cannot be undone." in asked
    refused = olga.post(f"/persons/{person}/erase", {"confirm": "yes"})
    assert refused.status_code == 400
    assert "Nothing was erased." in words_of(refused)
    done = olga.post(f"/persons/{person}/erase", {"confirm": "Erase "})
    assert done.status_code == 303
    with held.db.tenant(owner.workspace_id) as session:
        row = session.scalars(text("SELECT id FROM person_requests")).one()
        assert session.get_one(PersonRequest, (owner.workspace_id, row)).state == "under_way"
    assert "Under way. It goes on by itself" in words_of(olga.get(done.location))


def test_an_objection_is_noted_and_taken_back_also_from_the_conversation(
    olga: Browser, person: str, held: Runtime, owner: Member
) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        where = {"a": person}
        talk = session.execute(text("SELECT id FROM conversations WHERE author_id = :a LIMIT 1"), where).scalar_one()
    assert "Never judge them again" in words_of(olga.get(f"/conversations/{talk}"))
    assert olga.post(f"/persons/{person}/objection").status_code == 303
    page = words_of(olga.get(f"/conversations/{talk}"))
    assert "They asked not to be judged" in page
    assert "They object no more" in page
    olga.post(f"/persons/{person}/objection/lift")
    assert "They asked not to be judged" not in words_of(olga.get(f"/conversations/{talk}"))


def test_a_member_may_note_an_objection_and_neither_export_nor_erase(
    olga: Browser, person: str, held: Runtime, owner: Member
) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        session.execute(
            text("UPDATE memberships SET role = 'member' WHERE workspace_id = :w"), {"w": owner.workspace_id}
        )
    page = words_of(olga.get(f"/persons/{person}"))
    assert "Never judge them again" in page
    assert "Erase them" not in page
    assert olga.get(f"/persons/{person}/export").status_code == 403
    assert olga.post(f"/persons/{person}/erase", {"confirm": "erase"}).status_code == 403


def test_what_is_held_is_shown_to_whoever_may_take_it_along_and_to_nobody_else(
    held: Runtime, owner: Member, signed_in: Callable[[str], Browser], olga: Browser, person: str
) -> None:
    assert 'id="s-posts"' in olga.get(f"/persons/{person}").text
    for role in ("member", "viewer"):
        member(held, owner.workspace_id, f"{role}@acme.test", role)
        page = signed_in(f"{role}@acme.test").get(f"/persons/{person}")
        assert page.status_code == 200
        assert 'id="s-' not in page.text
        assert "What is held about them is shown to owners of the workspace." in words_of(page)
