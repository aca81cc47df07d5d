from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from integrations import errors
from integrations.records import Engagement, Kind
from tests.integrations.social.bluesky.wire import ADA, BOB, NOW, US, WEB, Wire, facet, iso


def pull(wire: Wire, cursor: str | None = None) -> list[Any]:
    return list(wire.client().pull("messages", cursor))


def items(pages: list[Any]) -> list[Engagement]:
    return [item for page in pages for item in page.items]


def test_messages_of_both_sides_are_read_with_whom_they_are_for(wire: Wire) -> None:
    hers = wire.message("c1", ADA, "is it in stock?", NOW - timedelta(minutes=3))
    ours = wire.message("c1", US.id, "it is", NOW - timedelta(minutes=2), replyTo={"id": hers, "rev": "x"})
    found = {item.id: item for item in items(pull(wire))}
    one, two = found[f"chat:c1:{hers}"], found[f"chat:c1:{ours}"]
    assert {one.kind, two.kind} == {Kind.DIRECT}
    assert (one.author.handle, one.in_reply_to_author) == ("ada.example", US.id)
    assert (two.author.id, two.in_reply_to_author, two.in_reply_to) == (US.id, ADA, one.id)
    assert one.thread == two.thread == "chat:c1"
    assert one.url == f"{WEB}/messages/c1"
    assert one.created_at == NOW - timedelta(minutes=3)


def test_only_what_is_new_is_read_again(wire: Wire) -> None:
    for convo in ("c1", "c2", "c3"):
        wire.message(convo, ADA, "hello", NOW - timedelta(hours=1))
    *_, last = pull(wire)
    new = wire.message("c2", ADA, "and?", NOW)
    wire.sent = []
    assert new in {item.id.rpartition(":")[2] for item in items(pull(wire, last.cursor))}
    assert [query["convoId"] for query in wire.queries("chat.bsky.convo.getMessages")] == [["c2"]]


def test_nothing_new_costs_one_call(wire: Wire) -> None:
    wire.message("c1", ADA, "hello", NOW)
    *_, last = pull(wire)
    wire.sent = []
    assert items(pull(wire, last.cursor)) == []
    assert len(wire.sent) == 1


def test_stopping_after_any_page_and_coming_back_loses_nothing(wire: Wire) -> None:
    wire.page = 2
    everything = {wire.message(f"c{number}", ADA, "hello", NOW - timedelta(minutes=number)) for number in range(7)}
    everything |= {wire.message("c3", ADA, f"more {number}", NOW) for number in range(5)}
    seen: set[str] = set()
    cursor: str | None = None
    for _ in range(10):
        page = next(iter(wire.client().pull("messages", cursor)))
        seen |= {item.id.rpartition(":")[2] for item in page.items}
        cursor = page.cursor
    assert seen == everything


def test_what_comes_in_while_a_way_is_under_way_comes_with_the_next(wire: Wire) -> None:
    wire.page = 2
    for number in range(5):
        wire.message(f"c{number}", ADA, "hello", NOW - timedelta(minutes=number))
    pages = wire.client().pull("messages", None)
    cursor = next(pages).cursor
    late = wire.message("c0", ADA, "late", NOW)
    for page in pages:
        cursor = page.cursor
    assert late in {item.id.rpartition(":")[2] for item in items(pull(wire, cursor))}


def test_messages_from_before_we_look_back_are_left_out(wire: Wire) -> None:
    wire.message("c1", ADA, "long ago", NOW - timedelta(days=400))
    new = wire.message("c1", ADA, "today", NOW)
    assert [item.id for item in items(pull(wire))] == [f"chat:c1:{new}"]


@pytest.mark.parametrize("kind", ["deletedMessageView", "systemMessageView"])
def test_what_was_removed_or_was_said_by_the_service_is_left_out(wire: Wire, kind: str) -> None:
    wire.message("c1", ADA, "", NOW, **{"$type": f"chat.bsky.convo.defs#{kind}"})
    kept = wire.message("c1", ADA, "hello", NOW)
    assert [item.id for item in items(pull(wire))] == [f"chat:c1:{kept}"]


def test_links_in_messages_are_written_out(wire: Wire) -> None:
    text = "see acme.example/a..."
    wire.message("c1", ADA, text, NOW, facets=[facet(text, "acme.example/a...", link="https://acme.example/a/b")])
    assert [item.text for item in items(pull(wire))] == ["see https://acme.example/a/b"]


def test_in_a_group_nobody_in_particular_is_answered(wire: Wire) -> None:
    wire.message("c1", ADA, "hello all", NOW)
    wire.convos["c1"]["members"] = [wire.people[each] for each in (US.id, ADA, BOB)]
    assert [item.in_reply_to_author for item in items(pull(wire))] == [None]


def test_a_message_that_cannot_be_read_is_passed_over_and_told(wire: Wire) -> None:
    kept = wire.message("c1", ADA, "hello", NOW)
    wire.messages["c1"].append({"id": "m9", "rev": "229", "sentAt": iso(NOW)})
    pages = pull(wire)
    assert [item.id for item in items(pages)] == [f"chat:c1:{kept}"]
    assert "1 post that could not be read" in pages[0].notes[0]


def test_a_conversation_that_was_left_in_between_does_not_stop_the_others(wire: Wire) -> None:
    kept = wire.message("c1", ADA, "hello", NOW)
    wire.message("c2", ADA, "hello", NOW)
    wire.left.add("c2")
    assert [item.id for item in items(pull(wire))] == [f"chat:c1:{kept}"]


def test_where_nothing_can_be_read_that_is_said(wire: Wire) -> None:
    for convo in ("c1", "c2"):
        wire.message(convo, ADA, "hello", NOW, sentAt="at noon")
    with pytest.raises(errors.UnexpectedResponseError):
        pull(wire)
    wire.message("c3", ADA, "hello", NOW)
    [page] = pull(wire)
    assert len(page.items) == 1
    assert "2 posts that could not be read" in page.notes[0]


@pytest.mark.parametrize("cursor", ["", "garbage", "{}", "null", "-1", "🦺", '{"v":1,"rev":null}'])
def test_a_cursor_that_cannot_be_read_starts_over(wire: Wire, cursor: str) -> None:
    kept = wire.message("c1", ADA, "hello", NOW)
    assert [item.id for item in items(pull(wire, cursor))] == [f"chat:c1:{kept}"]


@pytest.mark.parametrize(("status", "error"), [(400, "InvalidRequest"), (502, "UpstreamFailure")])
def test_a_place_that_is_no_longer_known_gives_way_to_the_top_of_the_list(wire: Wire, status: int, error: str) -> None:
    wire.page = 2
    everything = {wire.message(f"c{number}", ADA, "hello", NOW - timedelta(minutes=number)) for number in range(5)}
    cursor = next(iter(wire.client().pull("messages", None))).cursor
    wire.replies = [(status, {}, json.dumps({"error": error}))]
    assert {item.id.rpartition(":")[2] for item in items(pull(wire, cursor))} == everything


def test_an_outage_while_a_way_is_resumed_stays_an_outage(wire: Wire) -> None:
    wire.page = 2
    for number in range(5):
        wire.message(f"c{number}", ADA, "hello", NOW - timedelta(minutes=number))
    cursor = next(iter(wire.client().pull("messages", None))).cursor
    wire.replies = [(502, {}, "")] * 2
    with pytest.raises(errors.TemporaryError):
        pull(wire, cursor)
