"""A listed colleague whose posts are pasted, and handed in: an id that is made from the handle says no more than the handle."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from integrations.records import Author as Profile
from service.models import Brand, Connection, Engagement
from service.runtime import Runtime
from service.store import us
from tests.conftest import Member
from tests.service.handing import LINK, hand_in
from tests.service.handing import paste as paste_post


def list_(held: Runtime, owner: Member, handle: str) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        us.list_as(session.scalars(select(Brand)).one(), [f"capture:{handle}"])


def paste(held: Runtime, owner: Member, number: int, name: str = "Ana Ferrer", handle: str = "@Ana") -> None:
    paste_post(held, owner, link=f"{LINK}{number}", name=name, handle=handle)


def kept(held: Runtime, owner: Member) -> dict[str, str]:
    with held.db.tenant(owner.workspace_id) as session:
        return dict(session.scalars(select(Brand.colleague_ids)).one())


def whose(held: Runtime, owner: Member) -> list[bool]:
    """Whether each post is ours, in the order in which they came."""
    with held.db.tenant(owner.workspace_id) as session:
        return list(session.scalars(select(Engagement.ours).order_by(Engagement.id)))


@pytest.fixture
def held(held: Runtime, owner: Member) -> Runtime:
    """With a place, where nobody is known yet."""
    paste(held, owner, 0, "Ben Costa", "")
    return held


@pytest.mark.parametrize(
    ("handle", "name", "given"),
    [
        pytest.param("ana", "Ana Ferrer", "@Ana", id="by the handle"),
        pytest.param("ana ferrer", "Ana Ferrer", "", id="by the name alone"),
    ],
)
def test_a_colleague_who_was_pasted_is_the_same_when_their_posts_are_handed_in(
    held: Runtime, owner: Member, handle: str, name: str, given: str
) -> None:
    list_(held, owner, handle)
    paste(held, owner, 1, name, given)
    assert kept(held, owner) == {}
    hand_in(held, owner, Profile("17", handle, name))
    assert kept(held, owner) == {f"capture:{handle}|LinkedIn": "17"}
    assert whose(held, owner) == [False, True, True]


def test_an_id_that_was_learned_from_a_handle_once_says_nothing(held: Runtime, owner: Member) -> None:
    list_(held, owner, "ana")
    with held.db.tenant(owner.workspace_id) as session:
        session.scalars(select(Brand)).one().colleague_ids = {"capture:ana|LinkedIn": "ana"}
        assert us.colleagues_without_ids(session, session.scalars(select(Connection)).one()) == ("ana",)
    hand_in(held, owner, Profile("17", "ana", "Ana Ferrer"))
    assert kept(held, owner) == {"capture:ana|LinkedIn": "17"}
    assert whose(held, owner) == [False, True]


def test_a_colleague_whose_id_is_known_is_the_same_when_pasted_by_the_handle(held: Runtime, owner: Member) -> None:
    list_(held, owner, "ana")
    hand_in(held, owner, Profile("17", "ana", "Ana Ferrer"))
    paste(held, owner, 1)
    paste(held, owner, 2, "Ana", "")  # of that name, without a handle: anybody
    hand_in(held, owner, Profile("18", "ana", "Ana Berg"))  # has taken the handle
    hand_in(held, owner, Profile("ana", "ben", "Ben Ana"))
    assert whose(held, owner) == [False, True, True, False, False, False]
    assert kept(held, owner) == {"capture:ana|LinkedIn": "17"}
