"""Whoever was erased, or objects, stays out when they are pasted again, and nobody of their name or handle elsewhere does."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select, text

from integrations.records import Author as Profile
from service.models import Author, Engagement
from service.runtime import Runtime
from service.store import erasing, objecting
from service.store.capturing import Outcome
from tests.conftest import Member
from tests.service.handing import LINK, hand_in, paste, posts

JOHN: dict[str, Any] = {"link": f"{LINK}1", "name": "John Smith", "handle": ""}
SECOND_JOHN = {**JOHN, "link": f"{LINK}2"}
ANA: dict[str, Any] = {"link": f"{LINK}3", "name": "Ana Ferrer", "handle": "@ana"}
FORUM: dict[str, Any] = {"place": "Rider forum", "link": "https://forum.example/t/9"}


def erase(held: Runtime, owner: Member, **post: Any) -> None:
    """Whoever wrote the post of this link."""
    with held.db.tenant(owner.workspace_id) as session:
        who = session.scalars(
            select(Author.id).join(Engagement, Engagement.author_id == Author.id).where(Engagement.url == post["link"])
        ).one()
        assert erasing.begin(session, owner.workspace_id, who, by="system") is not None


def gone(held: Runtime, owner: Member) -> None:
    """All that is here, as the worker does that erases."""
    with held.db.tenant(owner.workspace_id) as session:
        for kind in (Engagement, Author):
            session.execute(delete(kind))


@pytest.mark.parametrize(
    "stranger",
    [
        pytest.param({**JOHN, **FORUM}, id="of that name elsewhere"),
        pytest.param({**JOHN, "link": f"{LINK}4"}, id="of that name on another page"),
        pytest.param({**FORUM, "name": "Anatol Berg", "handle": "@ana"}, id="of that handle elsewhere"),
        pytest.param({**FORUM, "name": "Ana Ferrer", "handle": "@ana"}, id="of both elsewhere"),
    ],
)
def test_erasing_whom_somebody_pasted_leaves_out_no_stranger(
    held: Runtime, owner: Member, stranger: dict[str, Any]
) -> None:
    for each in (JOHN, SECOND_JOHN, ANA):
        paste(held, owner, **each)
    for each in (JOHN, ANA):
        erase(held, owner, **each)
    assert paste(held, owner, **stranger) is Outcome.CREATED


def test_a_namesake_who_is_here_already_is_followed(held: Runtime, owner: Member) -> None:
    for each in (JOHN, SECOND_JOHN):
        paste(held, owner, **each)
    erase(held, owner, **JOHN)
    assert paste(held, owner, **SECOND_JOHN, text="Still waiting. Do you ship?") is Outcome.KNOWN
    assert "Still waiting. Do you ship?" in {row[0] for row in posts(held, owner)}


@pytest.mark.parametrize(
    ("who", "again"),
    [
        (JOHN, {}),
        (JOHN, {"link": f"{LINK}1#comment-2", "name": "john smith"}),
        (ANA, {}),
        (ANA, {"link": f"{LINK}5", "handle": "Ana", "name": "Ana Berg"}),
    ],
)
def test_whoever_was_erased_stays_out_at_their_place(
    held: Runtime, owner: Member, who: dict[str, Any], again: dict[str, Any]
) -> None:
    paste(held, owner, **who)
    erase(held, owner, **who)
    gone(held, owner)
    assert paste(held, owner, **{**who, **again}) is Outcome.LEFT_OUT
    assert posts(held, owner) == []


@pytest.mark.parametrize(
    ("who", "again"),
    [
        pytest.param(JOHN, {"handle": "@john"}, id="first without a handle, then with one"),
        pytest.param(JOHN, {"handle": "@john", "link": f"{LINK}1#comment-2"}, id="under another comment of the page"),
        pytest.param(ANA, {"handle": ""}, id="first with a handle, then without"),
        pytest.param(
            ANA,
            {"handle": "", "link": f"{LINK}3?lc=5", "name": "ana ferrer"},
            id="under another comment, spelt otherwise",
        ),
    ],
)
def test_whoever_was_erased_stays_out_on_the_page_on_which_they_wrote_with_a_handle_or_without(
    held: Runtime, owner: Member, who: dict[str, Any], again: dict[str, Any]
) -> None:
    paste(held, owner, **who)
    erase(held, owner, **who)
    gone(held, owner)
    assert paste(held, owner, **{**who, **again}) is Outcome.LEFT_OUT
    assert posts(held, owner) == []


@pytest.mark.parametrize(
    ("erased", "stays"), [(JOHN, {**JOHN, "handle": "@john2"}), ({**JOHN, "handle": "@john2"}, JOHN)]
)
def test_a_namesake_on_the_same_page_who_was_here_already_is_followed(
    held: Runtime, owner: Member, erased: dict[str, Any], stays: dict[str, Any]
) -> None:
    there = f"{LINK}1#comment-2"
    paste(held, owner, **{**stays, "link": there})
    paste(held, owner, **erased)
    erase(held, owner, **erased)
    assert paste(held, owner, **{**stays, "link": there}, text="Still waiting. Do you ship?") is Outcome.KNOWN


def test_another_handle_on_the_same_page_is_somebody_else(held: Runtime, owner: Member) -> None:
    paste(held, owner, **ANA)
    erase(held, owner, **ANA)
    gone(held, owner)
    assert paste(held, owner, **{**ANA, "handle": "@ana2"}) is Outcome.CREATED


def test_the_address_of_a_profile_keeps_its_owner_out_at_its_place(held: Runtime, owner: Member) -> None:
    paste(held, owner, **JOHN)
    profile = "https://linkedin.example/in/ana-ferrer-1"
    hand_in(held, owner, Profile("17", "ana", "Ana Ferrer", url=profile))
    with held.db.tenant(owner.workspace_id) as session:
        who = session.scalars(select(Author.id).where(Author.native_id == "17")).one()
        erasing.begin(session, owner.workspace_id, who, by="system")
    assert hand_in(held, owner, Profile("18", "ana_new", "Ana F.", url=f"{profile}/")) is Outcome.LEFT_OUT
    assert hand_in(held, owner, Profile("19", "ana_b", "Ana Berg", url=f"{profile}2")) is Outcome.CREATED


def test_a_handle_at_its_place_keeps_them_out_whatever_id_they_come_by(held: Runtime, owner: Member) -> None:
    paste(held, owner, **ANA)
    erase(held, owner, **ANA)
    assert hand_in(held, owner, Profile("17", "Ana", "Ana Ferrer")) is Outcome.LEFT_OUT
    assert hand_in(held, owner, Profile("18", "ana2", "Ana Ferrer")) is Outcome.CREATED


@pytest.mark.parametrize("name", ["ana", "Ana", "Ana Ferrer"])
@pytest.mark.parametrize("erased", ["ana", "Ana Ferrer"])
def test_a_handle_that_is_spelt_like_the_name_keeps_them_out_too(
    held: Runtime, owner: Member, erased: str, name: str
) -> None:
    paste(held, owner, **{**ANA, "name": erased})
    erase(held, owner, **ANA)
    assert hand_in(held, owner, Profile("17", "ana", name)) is Outcome.LEFT_OUT


def test_a_name_that_was_pasted_without_a_handle_is_nobodys_handle(held: Runtime, owner: Member) -> None:
    paste(held, owner, **{**JOHN, "name": "Ana"})
    erase(held, owner, **JOHN)
    assert hand_in(held, owner, Profile("17", "ana", "Ana Ferrer")) is Outcome.CREATED
    assert paste(held, owner, **{**ANA, "name": "Ana"}) is Outcome.CREATED


def test_a_name_that_was_handed_in_without_a_handle_is_nobodys_handle(held: Runtime, owner: Member) -> None:
    paste(held, owner, **ANA)
    hand_in(held, owner, Profile("17", "John Smith", "John Smith"))  # as the API has it: the name stands for the handle
    with held.db.tenant(owner.workspace_id) as session:
        john = session.scalars(select(Author.id).where(Author.native_id == "17")).one()
        assert erasing.begin(session, owner.workspace_id, john, by="system") is not None
    assert hand_in(held, owner, Profile("18", "John Smith", "John Smith")) is Outcome.CREATED
    assert hand_in(held, owner, Profile("17", "John Smith", "John Smith")) is Outcome.LEFT_OUT


def test_whose_handle_is_erased_is_nobody_who_is_pasted_by_that_name_alone(held: Runtime, owner: Member) -> None:
    paste(held, owner, **{**ANA, "name": "ana"})
    erase(held, owner, **ANA)
    assert paste(held, owner, **{**SECOND_JOHN, "name": "Ana"}) is Outcome.CREATED


def test_a_handle_that_two_people_have_at_one_place_keeps_out_neither(held: Runtime, owner: Member) -> None:
    paste(held, owner, **ANA)
    assert hand_in(held, owner, Profile("17", "ana", "Anatol Berg")) is Outcome.CREATED
    with held.db.tenant(owner.workspace_id) as session:  # as the worker does that looks for them in the CRM
        session.execute(
            text(
                "INSERT INTO author_keys (workspace_id, key, author_id) SELECT workspace_id, 'h:capture:ana', id FROM authors"
            )
        )
    erase(held, owner, **ANA)
    assert hand_in(held, owner, Profile("17", "ana", "Anatol Berg")) is Outcome.KNOWN
    assert paste(held, owner, **ANA) is Outcome.LEFT_OUT


def test_a_text_that_is_dropped_is_not_said_to_be_taken_over(held: Runtime, owner: Member) -> None:
    paste(held, owner, **ANA)
    with held.db.tenant(owner.workspace_id) as session:
        who = session.scalars(select(Author.id)).one()
        objecting.begin(session, owner.workspace_id, who, by="system")
    assert paste(held, owner, **ANA, text="And when?") is Outcome.LEFT_OUT
    assert {row[0] for row in posts(held, owner)} == {"Do you ship to Faro?"}


@pytest.mark.parametrize(
    "link", ["https://[forum]/t/9", "https://forum.example:99999/t/9", "topic [9]", "//[", "topic 9"]
)
def test_a_link_that_is_none_keeps_nobody_from_being_erased_and_no_post_from_being_stored(
    held: Runtime, owner: Member, link: str
) -> None:
    paste(held, owner, **JOHN)
    ana = Profile("17", "ana", "Ana Ferrer")
    assert hand_in(held, owner, ana, url=link) is Outcome.CREATED
    erase(held, owner, link=link)
    gone(held, owner)
    assert hand_in(held, owner, ana, url=link) is Outcome.LEFT_OUT
    assert hand_in(held, owner, Profile("18", "bea", "Bea Falk"), url=link) is Outcome.CREATED
