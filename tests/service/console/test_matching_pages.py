"""Where contacts come from, who somebody is instead, and where handles are kept, in the console."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from integrations.records import Contact
from service.models import Attestation, Connection, Match
from service.models import Contact as Row
from service.runtime import Runtime
from service.store import mirroring
from tests.conftest import Member
from tests.service.console.conftest import Browser, words_of
from tests.service.console.scenes import Scene, busy_day


@pytest.fixture
def scene(held: Runtime, owner: Member) -> Scene:
    return busy_day(held, owner.workspace_id)


def mirror(held: Runtime, scene: Scene, *contacts: Contact) -> None:
    with held.db.tenant(scene.workspace_id) as session:
        mirroring.save_contacts(session, scene.workspace_id, scene.crm, contacts)


def one(held: Runtime, scene: Scene, statement: Any) -> Any:
    with held.db.tenant(scene.workspace_id) as session:
        return session.scalars(statement).one()


def test_contacts_of_a_list_are_left_out_until_somebody_vouches(held: Runtime, scene: Scene, olga: Browser) -> None:
    mirror(
        held,
        scene,
        Contact("i1", "Ida Ibsen", source="Import: list.csv"),
        Contact("i2", "Ivo Ibsen", source="Import: list.csv"),
    )
    words = words_of(olga.get("/sources"))
    assert "2 contacts are left out on Facebook, Instagram and X" in words
    assert "I vouch for them" in words
    answer = olga.post("/sources/attest", {"source": "Import: list.csv"})
    assert answer.status_code == 303
    assert one(held, scene, select(Attestation.source)) == "Import: list.csv"
    words = words_of(olga.get("/sources"))
    assert "left out on" not in words
    assert "You vouch for them" in words


def test_somebody_else_is_sought_in_the_crm_of_the_match_alone_which_is_named(
    held: Runtime, scene: Scene, olga: Browser
) -> None:
    mirror(held, scene, Contact("i1", "Ida Ibsen", "Ida", "Ibsen", company="Peer Ltd"))
    with held.db.tenant(scene.workspace_id) as session:
        mine = session.get_one(Connection, (scene.workspace_id, scene.crm))
        mine.name = "Acme North"
        other = Connection(
            workspace_id=scene.workspace_id, provider=mine.provider, kind="crm", account_id="other", handle="o", name="Acme South"
        )  # fmt: skip
        session.add(other)
        session.flush()
        south = Contact("i2", "Ida Ibsen", "Ida", "Ibsen", company="Solveig Ltd")
        mirroring.save_contacts(session, scene.workspace_id, other.id, [south])
    words = words_of(olga.get(f"/matches/{scene.suggested}/somebody?q=ida+ibsen"))
    assert "Acme North" in words
    assert "Peer Ltd" in words
    assert "Solveig Ltd" not in words
    assert "Acme North" in words_of(olga.get("/matches"))


def test_somebody_else_is_found_by_name_and_confirmed(held: Runtime, scene: Scene, olga: Browser) -> None:
    mirror(held, scene, Contact("i1", "Ida Ibsen", "Ida", "Ibsen", company="Peer Ltd"))
    page = olga.get(f"/matches/{scene.suggested}/somebody?q=ida+ibsen")
    assert "Peer Ltd" in words_of(page)
    contact = one(held, scene, select(Match.contact_id).where(Match.id == scene.suggested))
    with held.db.tenant(scene.workspace_id) as session:
        ida = session.scalars(select(Row.id).where(Row.native_id == "i1")).one()
    answer = olga.post(f"/matches/{scene.suggested}/somebody", {"contact": str(ida)})
    assert answer.status_code == 303
    with held.db.tenant(scene.workspace_id) as session:
        author = session.get_one(Match, (scene.workspace_id, scene.suggested)).author_id
        states = dict(session.execute(select(Match.contact_id, Match.state).where(Match.author_id == author)).all())
    assert states[ida] == "confirmed"
    assert states[contact] == "rejected"


def test_looking_for_somebody_else_takes_nothing_for_decided_and_says_that_there_is_no_other(
    scene: Scene, olga: Browser
) -> None:
    words = words_of(olga.get(f"/matches/{scene.suggested}/somebody?q=ben+frost"))
    assert "is not Ben Frost, find who it is in" in words
    assert words.index("If @") < words.index("is not Ben Frost")
    assert "No other contact was found." in words


def test_each_piece_of_evidence_says_where_it_came_from_and_on_what_basis(scene: Scene, olga: Browser) -> None:
    assert "From the profile, shown publicly by the person." in words_of(olga.get("/matches"))


def test_a_field_is_chosen_to_hold_handles(held: Runtime, scene: Scene, olga: Browser) -> None:
    with held.db.tenant(scene.workspace_id) as session:
        row = session.get_one(Connection, (scene.workspace_id, scene.crm))
        row.options = {**row.options, "text_properties": [{"name": "place", "label": "Favourite place"}]}
    assert "Favourite place" in words_of(olga.get(f"/connections/{scene.crm}/handles"))
    assert olga.post(f"/connections/{scene.crm}/handles", {"field.place": "x"}).status_code == 303
    assert one(held, scene, select(Connection).where(Connection.id == scene.crm)).options["handle_choices"] == {
        "place": "x"
    }
    assert olga.post(f"/connections/{scene.crm}/handles", {"field.place": "friendster"}).status_code == 400
