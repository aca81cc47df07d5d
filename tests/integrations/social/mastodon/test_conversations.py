"""Threads that we are in: looked into when they are due, told when they have changed. And private talks."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from integrations import errors
from integrations.records import Engagement, Kind, Page
from integrations.social.mastodon.client import SPARE
from integrations.social.mastodon.cursors import Watched
from tests.integrations.social.mastodon.wire import ADA, BEA, NOW, US, Wire


def _pages(
    wire: Wire, threads: list[str], cursor: str | None = None, stream: str = "conversations"
) -> list[Page[Engagement]]:
    return list(wire.client().pull(stream, cursor, threads))


def _items(pages: list[Page[Engagement]]) -> dict[str, Engagement]:
    return {item.id: item for page in pages for item in page.items}


def _asked(wire: Wire) -> list[str]:
    return [path.split("/")[-2] for path in wire.paths() if path.endswith("/context")]


@pytest.mark.parametrize(
    ("quiet", "since_read", "due"),
    [
        (timedelta(minutes=0), timedelta(0), True),
        (timedelta(hours=1), timedelta(minutes=14), False),
        (timedelta(hours=1), timedelta(minutes=15), True),
        (timedelta(days=1), timedelta(hours=5), False),
        (timedelta(days=1), timedelta(hours=6), True),
        (timedelta(days=28), timedelta(days=6), False),
        (timedelta(days=28), timedelta(days=7), True),
        (timedelta(hours=-5), timedelta(0), True),
        (timedelta(days=28), timedelta(days=-1), True),
    ],
)
def test_a_thread_is_due_after_a_quarter_of_its_quiet(quiet: timedelta, since_read: timedelta, due: bool) -> None:
    assert Watched(NOW, NOW - quiet, "").due(NOW + since_read) is due


def test_a_thread_brings_all_of_it_and_then_only_what_changes(wire: Wire) -> None:
    root = wire.say(US.id, "new helmets", at=NOW)
    first = wire.say(ADA, "nice", to=root, at=NOW)
    pages = _pages(wire, [root])
    assert _items(pages).keys() == {first}
    pages = _pages(wire, [root], pages[-1].cursor)
    assert _items(pages) == {}
    second = wire.say(BEA, "agreed", to=first, at=NOW)
    pages = _pages(wire, [root], pages[-1].cursor)
    assert _items(pages).keys() == {first, second}


@pytest.mark.parametrize("happens", ["edited", "deleted"])
def test_an_edit_or_a_deletion_shows_that_a_thread_has_changed(wire: Wire, happens: str) -> None:
    root = wire.say(US.id, "new helmets", at=NOW)
    kept, other = (wire.say(ADA, text, to=root, at=NOW) for text in ("one", "two"))
    pages = _pages(wire, [root])
    if happens == "edited":
        wire.posts[other]["edited_at"] = "2026-03-20T12:00:00.000Z"
    else:
        wire.delete(other)
    found = _items(_pages(wire, [root], pages[-1].cursor))
    assert kept in found
    assert (other in found) is (happens == "edited")


def test_threads_that_are_quiet_are_left_alone_and_the_longest_unread_come_first(wire: Wire) -> None:
    old, busy = wire.say(US.id, "old", at=NOW - timedelta(days=9)), wire.say(US.id, "busy", at=NOW)
    wire.say(ADA, "once", to=old, at=NOW - timedelta(days=8))
    wire.say(ADA, "now", to=busy, at=NOW)
    pages = _pages(wire, [busy, old])
    assert _asked(wire) == [busy, old]
    wire.sent.clear()
    wire.now = NOW + timedelta(minutes=15)
    new = wire.say(US.id, "new", at=NOW)
    _pages(wire, [new, busy, old], pages[-1].cursor)
    assert _asked(wire) == [new, busy]


def test_stopping_between_threads_goes_on_behind_them(wire: Wire) -> None:
    roots = [wire.say(US.id, f"post {number}", at=NOW - timedelta(days=2)) for number in range(25)]
    answers = {wire.say(ADA, "hm", to=root, at=NOW - timedelta(days=2)) for root in roots}
    found: dict[str, Engagement] = {}
    cursor: str | None = None
    for _ in range(3):
        page = next(wire.client().pull("conversations", cursor, roots))
        found |= _items([page])
        cursor = page.cursor
    assert found.keys() == answers
    assert sorted(_asked(wire)) == sorted(roots)


def test_threads_that_nobody_asks_for_any_more_are_forgotten(wire: Wire) -> None:
    kept, left = (wire.say(US.id, text, at=NOW) for text in ("kept", "left"))
    cursor = _pages(wire, [kept, left])[-1].cursor
    after = _pages(wire, [kept], cursor)[-1].cursor
    assert left in str(cursor)
    assert left not in str(after)


def test_a_thread_that_is_gone_is_no_trouble(wire: Wire) -> None:
    (page,) = _pages(wire, ["gone", "a/../b"])
    assert (page.items, page.notes) == ((), ())
    assert wire.paths()[-1] == "/api/v1/statuses/a%2F..%2Fb/context"


def test_one_thread_that_cannot_be_read_is_told_and_the_others_are_read(wire: Wire) -> None:
    bad, good = (wire.say(US.id, text, at=NOW) for text in ("bad", "good"))
    answer = wire.say(ADA, "hm", to=good, at=NOW)
    wire.replies.append((200, {}, "<html>"))
    pages = _pages(wire, [bad, good])
    assert _items(pages).keys() == {answer}
    assert [note[:8] for page in pages for note in page.notes] == ["1 thread"]


def test_threads_over_which_the_server_breaks_every_time_do_not_keep_the_others_from_being_read(wire: Wire) -> None:
    threads = [wire.say(US.id, f"number {number}") for number in range(8)]
    answers = [wire.say(ADA, "an answer", to=each) for each in threads]
    wire.broken = set(threads[1:4])
    cursor: str | None = None
    found: set[str] = set()
    with suppress(errors.TemporaryError):
        for page in wire.client().pull("conversations", cursor, threads):
            found |= {item.id for item in page.items}
            cursor = page.cursor
        pytest.fail("a server that breaks over three is out of order, and nobody is told")
    assert found == {answers[0]}
    wire.broken = {threads[1]}
    pages = _pages(wire, threads, cursor)
    found |= _items(pages).keys()
    assert found == {*answers} - {answers[1]}
    assert len(pages[-1].notes) == 1

    wire.broken.clear()
    assert answers[1] in _items(_pages(wire, threads, pages[-1].cursor))


def test_where_the_only_thread_cannot_be_read_its_trouble_is_told(wire: Wire) -> None:
    wire.broken.add(thread := wire.say(US.id, "hello"))
    with pytest.raises(errors.TemporaryError):
        _pages(wire, [thread])


@pytest.mark.parametrize("status", [403, 422, 500])
def test_a_thread_that_the_server_refuses_is_told_and_the_others_are_read(wire: Wire, status: int) -> None:
    threads = [wire.say(US.id, f"number {number}") for number in range(3)]
    answers = [wire.say(ADA, "an answer", to=each) for each in threads]
    wire.broken.add(threads[1])
    wire.breaks_with = status
    pages = _pages(wire, threads)
    assert _items(pages).keys() == {answers[0], answers[2]}
    assert [note for page in pages for note in page.notes] == [
        f"1 thread could not be read: social.example answered {status}: This cannot be done"
    ]


@pytest.mark.parametrize("status", [403, 500])
def test_a_private_talk_over_which_the_server_breaks_does_not_hold_up_the_others(wire: Wire, status: int) -> None:
    first = wire.say(ADA, "in private", names=[US.id], visibility="direct", tell=None)
    last = wire.say(US.id, "yes?", to=first, names=[ADA], visibility="direct")
    other = wire.say(BEA, "another", names=[US.id], visibility="direct", tell=None)
    wire.broken.add(first)
    wire.breaks_with = status
    assert {last, other} <= _items(_pages(wire, [], stream="messages")).keys()


def test_where_no_thread_can_be_read_that_is_an_error(wire: Wire) -> None:
    wire.contexts = "<html>"
    with pytest.raises(errors.UnexpectedResponseError):
        _pages(wire, [wire.say(US.id, "one"), wire.say(US.id, "two")])


def test_where_calls_run_low_what_came_is_kept_and_the_rest_is_left_for_later(wire: Wire) -> None:
    roots = [wire.say(US.id, f"post {number}", at=NOW - timedelta(days=2)) for number in range(9)]
    answers = [wire.say(ADA, "hm", to=root, at=NOW - timedelta(days=2)) for root in roots]
    wire.left = SPARE + 4
    pulled = wire.client().pull("conversations", None, roots)
    page = next(pulled)
    with pytest.raises(errors.RateLimitError):
        next(pulled)
    assert _items([page]).keys() == set(answers[:4])
    wire.left = None
    assert _items(_pages(wire, roots, page.cursor)).keys() == set(answers[4:])


def test_without_threads_there_is_nothing_to_ask(wire: Wire) -> None:
    (page,) = _pages(wire, [])
    assert page.items == ()
    assert not wire.sent


# --- private talks ----------------------------------------------------------------------------------------------


def _private(wire: Wire, author: str, text: str, to: str | None = None, at: datetime = NOW) -> str:
    return wire.say(author, text, to=to, names=[ADA if author == US.id else US.id], visibility="direct", at=at)


def test_a_private_talk_is_read_whole_both_sides_and_branches(wire: Wire) -> None:
    asked = _private(wire, ADA, "my order?")
    ours = _private(wire, US.id, "which one?", asked)
    first, second = _private(wire, ADA, "the red one", ours), _private(wire, ADA, "from May", ours)
    found = _items(_pages(wire, [], stream="messages"))
    assert found.keys() == {asked, ours, first, second}
    assert {item.kind for item in found.values()} == {Kind.DIRECT}
    assert {item.thread for item in found.values()} == {asked}
    assert found[ours].in_reply_to_author == ADA


def test_talks_without_news_are_not_read_again(wire: Wire) -> None:
    old = _private(wire, ADA, "hello", at=NOW - timedelta(days=3))
    asked = _private(wire, ADA, "my order?")
    _private(wire, US.id, "which one?", asked)
    cursor = _pages(wire, [], stream="messages")[-1].cursor
    wire.sent.clear()
    pages = _pages(wire, [], cursor, stream="messages")
    assert (_items(pages), len(wire.sent)) == ({}, 1)
    later = _private(wire, US.id, "hello yourself", old)
    assert later in _items(_pages(wire, [], pages[-1].cursor, stream="messages"))


def test_talks_are_read_page_by_page(wire: Wire) -> None:
    wire.page = 2
    everything = {_private(wire, ADA, f"talk {number}", at=NOW - timedelta(minutes=number)) for number in range(5)}
    assert _items(_pages(wire, [], stream="messages")).keys() == everything


def test_a_talk_whose_newest_post_is_gone_is_passed_over(wire: Wire) -> None:
    wire.replies.append((200, {}, '[{"id": "1", "last_status": null}, {"id": "2"}]'))
    assert _items(_pages(wire, [], stream="messages")) == {}


def test_a_server_without_private_talks_says_so(wire: Wire) -> None:
    wire.missing = ("/api/v1/conversations",)
    (page,) = _pages(wire, [], "kept", stream="messages")
    assert (page.items, page.cursor) == ((), "kept")
    assert page.notes[0].startswith("This server keeps no list of private talks")
