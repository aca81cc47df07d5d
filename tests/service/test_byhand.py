"""Posts that people paste in: judged like any other, and refused in a sentence where they cannot be meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from service import byhand
from service.byhand import Pasted
from service.clock import business_now
from service.errors import PlainError
from service.models import Author, Connection, Engagement
from service.runtime import Runtime
from service.store.capturing import Outcome
from tests.conftest import Member

LINK = "https://www.linkedin.example/posts/ana-1234"


def pasted(**change: Any) -> Pasted:
    whole = Pasted(LINK, "LinkedIn", "Ana Ferrer", "@ana", "Do you ship to Faro?", business_now() - timedelta(hours=2))
    return replace(whole, **change)


def posts(held: Runtime, owner: Member) -> list[tuple[str, str, str, str]]:
    with held.db.tenant(owner.workspace_id) as session:
        rows = session.execute(
            select(Engagement.text, Engagement.url, Author.native_id, Connection.host)
            .join(Author, Author.id == Engagement.author_id)
            .join(Connection, Connection.id == Engagement.connection_id)
        )
        return [tuple(row) for row in rows]  # type: ignore[misc]


def test_a_pasted_post_is_stored_like_any_other_and_the_place_is_made(held: Runtime, owner: Member) -> None:
    assert byhand.add(held, owner.caller, pasted()) is Outcome.CREATED
    assert posts(held, owner) == [("Do you ship to Faro?", LINK, "ana", "LinkedIn")]
    with held.db.tenant(owner.workspace_id) as session:
        assert session.scalars(select(Connection.responder_email)).one() == owner.email


@pytest.mark.parametrize(
    "link",
    [
        LINK,
        f"{LINK}/",
        f"{LINK}?utm_source=share&utm_medium=member",
        f"{LINK}#comments",
        "http://linkedin.example/posts/ana-1234?fbclid=abc",
        f"  {LINK.replace('www.linkedin', 'WWW.LinkedIn')} ",
    ],
)
def test_the_same_link_twice_is_one_post_as_it_was_pasted_last(held: Runtime, owner: Member, link: str) -> None:
    byhand.add(held, owner.caller, pasted())
    assert byhand.add(held, owner.caller, pasted(link=link, text="Do you ship to Faro? And when?")) is Outcome.KNOWN
    [(text, *_)] = posts(held, owner)
    assert text == "Do you ship to Faro? And when?"


def test_what_a_query_says_tells_posts_apart(held: Runtime, owner: Member) -> None:
    for number in (1, 2):
        byhand.add(held, owner.caller, pasted(link=f"https://forum.example/show?id={number}&utm_source=x"))
    assert len(posts(held, owner)) == 2


def test_the_place_goes_by_its_name_whatever_its_capitals(held: Runtime, owner: Member) -> None:
    byhand.add(held, owner.caller, pasted())
    byhand.add(held, owner.caller, pasted(place=" linkedin ", link=f"{LINK}5"))
    assert {row[3] for row in posts(held, owner)} == {"LinkedIn"}


def test_whoever_may_not_connect_pastes_into_places_that_there_are(held: Runtime, owner: Member) -> None:
    member = replace(owner.caller, scopes=frozenset({"read", "write"}))
    with pytest.raises(PlainError, match="No place named LinkedIn is connected here"):
        byhand.add(held, member, pasted())
    byhand.add(held, owner.caller, pasted())
    assert byhand.add(held, member, pasted(link=f"{LINK}6")) is Outcome.CREATED


def test_what_no_database_can_keep_is_left_out(held: Runtime, owner: Member) -> None:
    byhand.add(held, owner.caller, pasted(text="Do you\x00 ship?\r\nTo Faro\ud83d?", handle=""))
    assert posts(held, owner) == [("Do you ship?\nTo Faro?", LINK, "ana ferrer", "LinkedIn")]


BAD: list[tuple[dict[str, Any], str]] = [
    *(
        ({"link": link}, "Paste the link of the post itself")
        for link in ("", "linkedin", "ftp://a.example/1", "javascript:alert(1)", "https://", "https://nowhere/1", "https://a.example/1 2",
                     "https://me:pw@a.example/1", "https://[bad", "https://a.example:99999/1", "https://a.example:x/1", f"https://a.example/{'x' * 2000}", "https://a.example/\x00")
    ),
    ({"place": "  "}, "Give the name of the place"),
    ({"place": "x" * 61}, "A place needs a name of 1 to 60 letters"),
    ({"name": ""}, "Give the name of who wrote it"),
    ({"name": "a\x00b"}, "Give the name of who wrote it in one line"),
    ({"handle": "@" + "a" * 201}, "Give the handle in one line"),
    ({"text": " \n\x00"}, "Paste a few lines"),
    ({"text": "a" * 10_001}, "more than 10,000 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), BAD)
def test_bad_input_is_one_plain_sentence_and_stores_nothing(
    held: Runtime, owner: Member, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(PlainError, match=sentence):
        byhand.add(held, owner.caller, pasted(**change))
    assert posts(held, owner) == []


@pytest.mark.parametrize(
    ("shift", "sentence"), [(timedelta(hours=1), "in the future"), (timedelta(days=-366), "more than a year ago")]
)
def test_when_it_was_written_has_to_be_possible(held: Runtime, owner: Member, shift: timedelta, sentence: str) -> None:
    now: datetime = business_now()
    with pytest.raises(PlainError, match=sentence):
        byhand.add(held, owner.caller, pasted(at=now + shift))
