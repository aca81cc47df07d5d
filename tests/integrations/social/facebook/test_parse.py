from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.graph.api import listing
from integrations.graph.cursors import Branch
from integrations.graph.texts import parts
from integrations.records import Kind
from integrations.social.facebook import parse
from tests.integrations.social.facebook.wire import ADA, BEN, PAGE, US

VIEW = parse.View(US, "https://www.facebook.com")
AT = "2026-03-20T11:00:00+0000"
WALL = f"{US.id}_1"  # a post on our page
ELSEWHERE = "9009_1"  # a post of Ada's that tags us
TAG = [{"id": US.id, "name": "Acme", "type": "page", "offset": 0, "length": 4}]


def _post(**row: Any) -> dict[str, Any]:
    return {"id": WALL, "created_time": AT, "from": ADA, "message": "hello", **row}


def _comment(**row: Any) -> dict[str, Any]:
    return {"id": "1_5", "created_time": AT, "from": ADA, "message": "hello", **row}


def _branch(thread: str = WALL, author: str = US.id, start: datetime | None = None) -> Branch:
    return Branch(f"/{thread}/comments", thread, start, author=author, parent=thread, url="https://www.facebook.com/x")


def _below(by: dict[str, Any] | None) -> dict[str, Any]:
    return {"id": "1_4", **({"from": by} if by else {})}


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"from": PAGE}, Kind.OWN),
        ({"from": ADA}, Kind.MENTION),
        ({"from": ADA, "id": ELSEWHERE, "message_tags": TAG}, Kind.MENTION),
    ],
)
def test_a_post_is_ours_or_speaks_to_us(row: dict[str, Any], kind: Kind) -> None:
    assert parse.post(_post(**row), VIEW).kind is kind


@pytest.mark.parametrize(
    ("thread", "row", "kind"),
    [
        (WALL, {}, Kind.COMMENT),
        (WALL, {"from": PAGE}, Kind.OWN),
        (WALL, {"parent": _below(PAGE)}, Kind.REPLY),
        (WALL, {"parent": _below(BEN)}, Kind.COMMENT),
        (WALL, {"parent": _below(BEN), "message_tags": TAG}, Kind.MENTION),
        (WALL, {"parent": _below(PAGE), "from": PAGE}, Kind.OWN),
        (ELSEWHERE, {}, Kind.CONTEXT),
        (ELSEWHERE, {"from": PAGE}, Kind.OWN),
        (ELSEWHERE, {"parent": _below(PAGE)}, Kind.REPLY),
        (ELSEWHERE, {"message_tags": TAG}, Kind.MENTION),
    ],
)
def test_a_comment_is_what_it_answers_and_where_it_stands(thread: str, row: dict[str, Any], kind: Kind) -> None:
    assert parse.comment(_comment(**row), _branch(thread), VIEW).kind is kind


def test_a_comment_answers_the_post_or_the_comment_above_it() -> None:
    first = parse.comment(_comment(), _branch(), VIEW)
    assert (first.in_reply_to, first.in_reply_to_author, first.thread) == (WALL, US.id, WALL)
    reply = parse.comment(_comment(parent=_below(BEN)), _branch(), VIEW)
    assert (reply.in_reply_to, reply.in_reply_to_author) == (f"comment:{WALL}:1_4", "9010")
    hidden = parse.comment(_comment(parent=_below(None)), _branch(), VIEW)
    assert (hidden.in_reply_to, hidden.in_reply_to_author) == (f"comment:{WALL}:1_4", None)


def test_whoever_hides_from_apps_is_nobody_else() -> None:
    row = {name: value for name, value in _comment().items() if name != "from"}
    one = parse.comment(row, _branch(), VIEW).author
    two = parse.comment({**row, "id": "1_6"}, _branch(), VIEW).author
    assert one.id == "hidden:1_5"
    assert one != two
    assert one.name == parse.SOMEBODY
    assert parse.post({"id": WALL, "created_time": AT, "from": None}, VIEW).author.id == f"hidden:{WALL}"


def test_texts_come_as_they_are() -> None:
    odd = "a\x00b \ud83e & <b>&amp;</b> 🦺"
    assert parse.post(_post(message=odd), VIEW).text == "ab ? & <b>&amp;</b> 🦺"
    assert parse.post(_post(message=None), VIEW).text == ""
    assert parse.post({"id": WALL, "created_time": AT}, VIEW).text == ""


def test_instants_are_in_utc() -> None:
    assert parse.post(_post(created_time="2026-03-20T13:00:00+0200"), VIEW).created_at == datetime(
        2026, 3, 20, 11, tzinfo=UTC
    )
    assert parse.post(_post(created_time="2026-03-20T11:00:00"), VIEW).created_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("tags", "named"),
    [
        (None, (US.id,)),
        (TAG, (US.id,)),
        ([{"id": "5", "name": "x"}, {"name": "no id"}, 17], ("5", US.id)),
        ({"0": [{"id": "5"}], "9": [{"id": US.id}]}, ("5", US.id)),
    ],
)
def test_tags_are_read_in_both_forms(tags: Any, named: tuple[str, ...]) -> None:
    assert parse.post(_post(message_tags=tags), VIEW).mentions == named


def test_we_do_not_mention_ourselves() -> None:
    assert parse.post(_post(**{"from": PAGE}, message_tags=[*TAG, {"id": "5"}]), VIEW).mentions == ("5",)


@pytest.mark.parametrize("url", [None, "", "/relative", "javascript:alert(1)"])
def test_an_address_that_is_none_is_made(url: Any) -> None:
    assert parse.post(_post(permalink_url=url), VIEW).url == f"https://www.facebook.com/{WALL}"
    assert parse.comment(_comment(permalink_url=url), _branch(), VIEW).url == "https://www.facebook.com/x"


@pytest.mark.parametrize(
    "row",
    [{}, {"id": WALL}, {"id": 17, "created_time": AT}, {"id": "a b", "created_time": AT}, {"id": "a:b", "created_time": AT},
     {"id": "../me", "created_time": AT}, {"id": WALL, "created_time": 17}, {"id": WALL, "created_time": "soon"}],
)  # fmt: skip
def test_a_row_without_an_id_or_a_time_is_none(row: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        parse.post(row, VIEW)


def test_a_broken_comment_is_counted_and_the_others_are_kept() -> None:
    rows = [_comment(), None, 17, {"id": "1_6"}, _comment(id="1_7")]
    found = parse.comments(_branch(), listing({"data": rows}), VIEW)
    assert [item.id for item in found.items] == [f"comment:{WALL}:1_5", f"comment:{WALL}:1_7"]
    assert found.skipped == 3


def test_old_comments_end_a_branch_and_are_left_out() -> None:
    start = datetime(2026, 3, 20, 10, tzinfo=UTC)
    old = _comment(id="1_6", created_time="2026-03-20T09:59:59+0000")
    found = parse.comments(_branch(start=start), listing({"data": [_comment(), old]}), VIEW)
    assert [item.id for item in found.items] == [f"comment:{WALL}:1_5"]
    assert found.over
    assert not parse.comments(_branch(start=start), listing({"data": [_comment()]}), VIEW).over


def test_an_old_post_comes_along_with_a_new_comment_only() -> None:
    start = datetime(2026, 3, 20, 10, tzinfo=UTC)
    old = _post(created_time="2026-03-01T00:00:00+0000", **{"from": PAGE})
    assert parse.entry(old, start, VIEW).items == ()
    found = parse.entry({**old, "comments": {"data": [_comment()]}}, start, VIEW)
    assert [item.kind for item in found.items] == [Kind.OWN, Kind.COMMENT]


def test_what_was_asked_for_by_our_id_is_read_by_it() -> None:
    assert parse.looked_up(WALL, _post(), VIEW).id == WALL
    found = parse.looked_up(f"comment:{WALL}:1_5", _comment(parent=_below(PAGE)), VIEW)
    assert (found.id, found.kind, found.thread) == (f"comment:{WALL}:1_5", Kind.REPLY, WALL)
    assert parse.looked_up(f"comment:{WALL}:1_5", _comment(), VIEW).in_reply_to == WALL


def test_ids_say_what_they_are() -> None:
    assert parts(WALL) == ("", WALL, WALL)
    assert parts(f"comment:{WALL}:1_5") == ("comment", WALL, "1_5")
    for odd in ("", "like:1:2", "comment:1", "comment::2", "comment:1:2?fields=x", "1/feed", "1&2"):
        with pytest.raises(ValueError):
            parts(odd)
