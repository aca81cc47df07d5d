from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.graph.api import listing
from integrations.graph.cursors import Branch
from integrations.graph.talks import Found
from integrations.records import Kind
from integrations.social.instagram import parse
from tests.integrations.social.instagram.wire import ADA, BEN, US, WE

VIEW = parse.View(US, "https://www.instagram.com")
AT = "2026-03-20T11:00:00+0000"
MEDIUM = "17900000000000001"
KNOWN = {"ada.example": "9009", "acme": US.id}


def _medium(**row: Any) -> dict[str, Any]:
    link = "https://www.instagram.com/p/abc/"
    return {"id": MEDIUM, "timestamp": AT, "caption": "boots", "permalink": link, "username": "ada.example", **row}


def _comment(**row: Any) -> dict[str, Any]:
    return {"id": "178", "timestamp": AT, "text": "hello", "from": ADA, "username": "ada.example", **row}


def _branch(*, ours: bool = True, author: str = US.id, parent: str = MEDIUM, start: datetime | None = None) -> Branch:
    return Branch(
        f"/{MEDIUM}/comments",
        MEDIUM,
        start,
        author=author,
        parent=parent,
        url="https://www.instagram.com/p/abc/",
        ours=ours,
    )


TOP = f"comment:{MEDIUM}:177"


@pytest.mark.parametrize(
    ("branch", "row", "kind"),
    [
        (_branch(), {}, Kind.COMMENT),
        (_branch(), {"from": WE, "username": "acme"}, Kind.OWN),
        (_branch(), {"text": "hey @acme, hello"}, Kind.MENTION),
        (_branch(parent=TOP, author=US.id), {}, Kind.REPLY),
        (_branch(parent=TOP, author=BEN["id"]), {}, Kind.COMMENT),
        (_branch(parent=TOP, author=BEN["id"]), {"text": "@Acme. what do you say"}, Kind.MENTION),
        (_branch(ours=False, author="@ada.example"), {}, Kind.CONTEXT),
        (_branch(ours=False, author="@ada.example"), {"from": WE}, Kind.OWN),
        (_branch(ours=False, author="@ada.example"), {"text": "@acme"}, Kind.MENTION),
        (_branch(ours=False, parent=TOP, author=US.id), {}, Kind.REPLY),
    ],
)
def test_a_comment_is_what_it_answers_and_whom_it_names(branch: Branch, row: dict[str, Any], kind: Kind) -> None:
    assert parse.comment(_comment(**row), branch, VIEW, KNOWN).kind is kind


@pytest.mark.parametrize(
    ("row", "author_id", "handle"),
    [
        ({}, "9009", "ada.example"),
        ({"from": None}, "@ada.example", "ada.example"),
        ({"from": None, "username": None}, "hidden:178", ""),
        ({"from": {"id": "9009"}, "username": None}, "9009", ""),
        ({"from": None, "username": "Acme"}, US.id, "acme"),
        ({"from": {"id": "1", "username": "x"}, "user": {"id": US.id}}, US.id, "acme"),
    ],
)
def test_an_author_goes_by_an_id_where_there_is_one(row: dict[str, Any], author_id: str, handle: str) -> None:
    found = parse.comment(_comment(**row), _branch(), VIEW, KNOWN).author
    assert (found.id, found.handle) == (author_id, handle)
    assert found.handle or found.name == parse.SOMEBODY


def test_a_medium_is_ours_or_tags_us() -> None:
    theirs = parse.medium(_medium(), VIEW)
    assert (theirs.kind, theirs.author.id, theirs.mentions) == (Kind.MENTION, "@ada.example", (US.id,))
    assert theirs.author.url == "https://www.instagram.com/ada.example/"
    ours = parse.medium(_medium(username="acme", owner={"id": US.id}), VIEW)
    assert (ours.kind, ours.author, ours.mentions) == (Kind.OWN, US, ())
    assert parse.medium(_medium(permalink=None), VIEW).url == "https://www.instagram.com"


def test_replies_answer_the_comment_above_and_name_others_with_an_at() -> None:
    reply = _comment(id="179", text="@ben.example @acme see below", timestamp=AT)
    rows = [_comment(id="177", **{"from": BEN}, replies={"data": [reply]})]
    top, below = parse.comments(_branch(), listing({"data": rows}), VIEW).items
    assert (top.in_reply_to, top.in_reply_to_author) == (MEDIUM, US.id)
    assert (below.in_reply_to, below.in_reply_to_author) == (TOP, BEN["id"])
    assert below.mentions == (BEN["id"], US.id)
    assert below.kind is Kind.MENTION


@pytest.mark.parametrize("text", ["mail me at ada@acme.example", "@acme.example is another", "@@acmeshop", "a@acme"])
def test_an_at_that_is_not_ours_names_nobody(text: str) -> None:
    assert parse.comment(_comment(text=text), _branch(), VIEW, KNOWN).kind is Kind.COMMENT


def test_comments_are_read_for_replies_a_week_behind_what_is_new() -> None:
    start = datetime(2026, 3, 20, 10, tzinfo=UTC)

    def older(**by: float) -> Found:
        at = (start - timedelta(**by)).isoformat()
        return parse.comments(
            _branch(start=start),
            listing({"data": [_comment(timestamp=at, replies={"data": [_comment(id="9")]})]}),
            VIEW,
        )

    assert [item.id for item in older(days=3).items] == [f"comment:{MEDIUM}:9"]
    assert not older(days=6).over
    assert older(days=8).over
    assert [item.id for item in older(days=8).items] == [f"comment:{MEDIUM}:9"]


def test_a_reply_that_is_listed_among_the_comments_keeps_its_place() -> None:
    (found,) = parse.comments(_branch(), listing({"data": [_comment(parent_id="177")]}), VIEW).items
    assert (found.in_reply_to, found.in_reply_to_author, found.kind) == (TOP, None, Kind.COMMENT)


def test_more_replies_are_a_branch_of_their_own() -> None:
    replies = {"data": [_comment(id="9")], "paging": {"cursors": {"after": "c"}, "next": "https://x/"}}
    (branch,) = parse.comments(_branch(), listing({"data": [_comment(replies=replies)]}), VIEW).branches
    assert (branch.path, branch.after, branch.thread) == ("/178/replies", "c", MEDIUM)
    assert (branch.parent, branch.author, branch.ours) == (f"comment:{MEDIUM}:178", "9009", True)


def test_a_broken_comment_or_reply_is_counted_and_the_others_are_kept() -> None:
    rows = [
        _comment(replies={"data": [None, _comment(id="9"), {"id": "10"}]}),
        None,
        17,
        {"id": "11"},
        _comment(id="12", replies=17),
    ]
    found = parse.comments(_branch(), listing({"data": rows}), VIEW)
    assert [item.id.rpartition(":")[2] for item in found.items] == ["178", "9", "12"]
    assert found.skipped == 5


@pytest.mark.parametrize(
    ("row", "parent", "author", "kind"),
    [
        (
            {"media": {"id": MEDIUM, "owner": {"id": US.id}, "permalink": "https://x.example/p"}},
            MEDIUM,
            US.id,
            Kind.COMMENT,
        ),
        ({"media": {"id": MEDIUM}}, MEDIUM, None, Kind.CONTEXT),
        ({"media": {"id": MEDIUM, "owner": {"id": US.id}}, "parent_id": "177"}, TOP, None, Kind.COMMENT),
        ({}, MEDIUM, None, Kind.CONTEXT),
    ],
)
def test_a_comment_that_was_asked_for_keeps_its_place(
    row: dict[str, Any], parent: str, author: str | None, kind: Kind
) -> None:
    found = parse.looked_up(f"comment:{MEDIUM}:178", _comment(**row), VIEW)
    assert (found.in_reply_to, found.in_reply_to_author, found.kind, found.thread) == (parent, author, kind, MEDIUM)


@pytest.mark.parametrize("row", [{}, {"id": MEDIUM}, {"id": 17, "timestamp": AT}, {"id": MEDIUM, "timestamp": "soon"}])
def test_a_row_without_an_id_or_a_time_is_none(row: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        parse.medium(row, VIEW)


def test_a_message_by_nobody_is_none() -> None:
    with pytest.raises((KeyError, ValueError)):
        VIEW.sender({"username": "ghost"})
    assert VIEW.sender(ADA).handle == "ada.example"
