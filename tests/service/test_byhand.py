"""Posts that people paste in: judged like any other, and refused in a sentence where they cannot be meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from service import byhand
from service.clock import business_now
from service.db import raw
from service.errors import PlainError
from service.models import Author, Connection, Engagement
from service.runtime import Runtime
from service.store import capturing
from service.store.capturing import Outcome
from tests.conftest import Member
from tests.service.handing import LINK, pasted, posts


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
        f"{LINK}#:~:text=3%20colours/sizes",
        f"{LINK}#utm_source=x1",
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


BLOG = "https://blog.example/launch"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{BLOG}#comment-12", f"{BLOG}#comment-13"),
        (f"{BLOG}#comment-12", BLOG),
        ("https://github.example/a/b/issues/7#issuecomment-1", "https://github.example/a/b/issues/7#issuecomment-2"),
        ("https://forum.example/#/topic/12", "https://forum.example/#/topic/13"),
        ("https://forum.example/#/topic/ab", "https://forum.example/#/topic/ac"),
        ("https://forum.example/#!ab", "https://forum.example/#!ac"),
        (f"{LINK}?commentUrn=urn%3Ali%3Acomment%3A%281%2C2%29", f"{LINK}?commentUrn=urn%3Ali%3Acomment%3A%281%2C3%29"),
        ("https://facebook.example/a/posts/1?comment_id=2", "https://facebook.example/a/posts/1?comment_id=3"),
        ("https://reddit.example/r/a/comments/1/b/c1/", "https://reddit.example/r/a/comments/1/b/c2/"),
        ("https://news.example/item?id=1", "https://news.example/item?id=2"),
        ("https://forum.example/show?q=%E8", "https://forum.example/show?q=%E9"),
    ],
)
def test_links_of_two_comments_are_two_posts(held: Runtime, owner: Member, one: str, other: str) -> None:
    byhand.add(held, owner.caller, pasted(link=one))
    assert byhand.add(held, owner.caller, pasted(link=other, text="What does it cost?")) is Outcome.CREATED
    assert {(row[0], row[1]) for row in posts(held, owner)} == {
        ("Do you ship to Faro?", one),
        ("What does it cost?", other),
    }


@pytest.mark.parametrize(
    ("link", "again"),
    [
        (f"{BLOG}#comment-12", f"{BLOG}?utm_source=x#comment-12"),
        (f"{BLOG}#comment-12", f"{BLOG}#comment-12:~:text=Faro"),
        (f"{LINK}?comment_id=2", f"{LINK}?comment_id=2&__cft__[0]=AZX&__tn__=R]-R"),
    ],
)
def test_one_comment_is_one_post_by_whatever_link(held: Runtime, owner: Member, link: str, again: str) -> None:
    byhand.add(held, owner.caller, pasted(link=link))
    assert byhand.add(held, owner.caller, pasted(link=again)) is Outcome.KNOWN


# --- whose it is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("handles", [("@ana", "@ben"), ("", ""), ("@ana", ""), ("", "@ben")])
def test_what_somebody_else_wrote_under_a_link_is_a_post_of_its_own(
    held: Runtime, owner: Member, handles: tuple[str, str]
) -> None:
    ana = pasted(handle=handles[0])
    ben = pasted(name="Ben Costa", handle=handles[1], text="What does it cost?")
    for each in (ana, ben):
        assert byhand.add(held, owner.caller, each) is Outcome.CREATED
    for each in (ana, ben):
        assert byhand.add(held, owner.caller, replace(each, text=f"{each.text} And when?")) is Outcome.KNOWN
    found = posts(held, owner)
    assert {row[0] for row in found} == {"Do you ship to Faro? And when?", "What does it cost? And when?"}
    assert len({row[2] for row in found}) == 2


@pytest.mark.parametrize("handles", [("@ana", "Ana"), ("", "@ana"), ("@ana", "")])
def test_a_handle_that_is_given_but_once_is_kept_and_it_is_the_same_post(
    held: Runtime, owner: Member, handles: tuple[str, str]
) -> None:
    byhand.add(held, owner.caller, pasted(handle=handles[0]))
    assert byhand.add(held, owner.caller, pasted(name="Ana FERRER", handle=handles[1], text="When?")) is Outcome.KNOWN
    assert posts(held, owner) == [("When?", LINK, "ana", "LinkedIn")]


def test_two_of_one_name_and_two_handles_under_one_link_are_two_people(held: Runtime, owner: Member) -> None:
    for handle in ("john1", "john2", ""):  # who the third is, nobody can tell
        assert byhand.add(held, owner.caller, pasted(name="John Smith", handle=handle)) is Outcome.CREATED
    assert len({row[2] for row in posts(held, owner)}) == 3


def test_a_handle_that_is_spelt_like_the_name_is_one_that_was_given(held: Runtime, owner: Member) -> None:
    for handle in ("@ana", "@ana2"):
        assert byhand.add(held, owner.caller, pasted(name="ana", handle=handle)) is Outcome.CREATED
    assert byhand.add(held, owner.caller, pasted(name="ana", handle="@ana", text="When?")) is Outcome.KNOWN
    assert {row[2] for row in posts(held, owner)} == {"ana", "ana2"}


def test_a_post_that_was_stored_under_its_link_alone_is_still_edited(held: Runtime, owner: Member) -> None:
    byhand.add(held, owner.caller, pasted(handle=""))
    with held.db.tenant(owner.workspace_id) as session:
        session.execute(update(Engagement).values(native_id=byhand.key_of(LINK)))
        session.execute(update(Author).values(native_id="ana ferrer"))
    assert byhand.add(held, owner.caller, pasted(handle="", text="When?")) is Outcome.KNOWN
    assert posts(held, owner) == [("When?", LINK, "ana ferrer", "LinkedIn")]


def test_two_people_of_one_name_are_two_people(held: Runtime, owner: Member) -> None:
    for number in (1, 2):
        byhand.add(held, owner.caller, pasted(link=f"{LINK}{number}", name="John Smith", handle=""))
    with held.db.tenant(owner.workspace_id) as session:
        assert session.execute(select(Author.name, Author.handle)).all() == [("John Smith", "John Smith")] * 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{BLOG}#comment-12", f"{BLOG}/#comment-13"),
        (LINK, f"{LINK}?commentUrn=urn%3Ali%3Acomment%3A%281%2C2%29"),
        (f"{LINK}?comment_id=2", f"{LINK}?comment_id=2&reply_comment_id=3"),
        ("https://video.example/watch?v=1&lc=a", "https://video.example/watch?v=1&lc=b"),
    ],
)
def test_who_writes_twice_on_one_page_is_one_person(held: Runtime, owner: Member, one: str, other: str) -> None:
    for link, name in ((one, "John Smith"), (other, "john  smith")):
        byhand.add(held, owner.caller, pasted(link=link, name=name, handle=""))
    found = posts(held, owner)
    assert len(found) == 2
    assert len({row[2] for row in found}) == 1


def test_pages_that_a_router_shows_are_pages(held: Runtime, owner: Member) -> None:
    for number in (12, 13):
        byhand.add(held, owner.caller, pasted(link=f"https://forum.example/#/topic/{number}", handle=""))
    assert len({row[2] for row in posts(held, owner)}) == 2


def test_a_handle_is_one_person_wherever_they_write(held: Runtime, owner: Member) -> None:
    for number, handle in enumerate(("@ana", "Ana")):
        byhand.add(held, owner.caller, pasted(link=f"{LINK}{number}", handle=handle))
    assert {row[2] for row in posts(held, owner)} == {"ana"}


# --- where it is, and what cannot be meant ----------------------------------------------------------------------


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
    [(text, link, who, place)] = posts(held, owner)
    assert (text, link, place) == ("Do you ship?\nTo Faro?", LINK, "LinkedIn")
    assert who.startswith("ana ferrer on page-")


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


def test_what_stands_under_a_link_is_found_by_key_and_not_by_reading_the_place(held: Runtime, owner: Member) -> None:
    byhand.add(held, owner.caller, pasted())
    with held.db.tenant(owner.workspace_id) as session:
        connection = raw(session)
        for way in ("seqscan", "bitmapscan", "sort"):
            connection.execute(f"SET LOCAL enable_{way} = off".encode())
        params = {"w": owner.workspace_id, "c": uuid4(), "start": "link-a", "end": "link-a~"}
        plan = [row[0] for row in connection.execute(f"EXPLAIN {capturing.UNDER}".encode(), params).fetchall()]
        place = session.scalars(select(Connection)).one()
        under = capturing.written_under(session, place, byhand.key_of(LINK))
        elsewhere = capturing.written_under(session, place, byhand.key_of(f"{LINK}5"))
    condition = next(line for line in plan if "Index Cond" in line and "native_id" in line)
    assert "native_id >= " in condition
    assert "native_id < " in condition
    assert ([each.author.handle for each in under], elsewhere) == (["ana"], [])
