from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
import responses
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.errors import RateLimitError
from integrations.records import Kind
from tests.integrations.social.x.wire import NOW, US, Wire, dm, snowflake, tweet

MESSAGES = "/2/dm_events"
MENTIONS = f"/2/users/{US.id}/mentions"


def _mentions(wire: Wire, count: int, *, every: timedelta = timedelta(minutes=1)) -> list[str]:
    ids = []
    for index in range(count):
        at = wire.now - every * (count - index)
        ids.append(snowflake(at))
        wire.add(tweet(ids[-1], at=at))
    return ids


def test_a_first_pull_goes_back_to_since_and_no_further(wire: Wire) -> None:
    old, young = NOW - timedelta(days=31), NOW - timedelta(days=29)
    wire.add(tweet(snowflake(old), at=old), tweet(snowflake(young), at=young))
    pages = list(wire.client().pull("mentions", None))
    assert [item.id for page in pages for item in page.items] == [snowflake(young)]
    assert wire.queries(MENTIONS)[0]["start_time"] == "2026-02-18T12:00:00Z"


def test_the_next_pull_starts_half_an_hour_before_the_last_look(wire: Wire) -> None:
    ids = _mentions(wire, 3)
    first = list(wire.client().pull("mentions", None))[-1]
    late = NOW - timedelta(minutes=20)
    wire.add(tweet(snowflake(late), at=late))  # X indexed it after the newer ones
    second = list(wire.client().pull("mentions", first.cursor))
    assert snowflake(late) in [item.id for page in second for item in page.items]
    assert wire.queries(MENTIONS)[1]["start_time"] == "2026-03-20T11:30:00Z"
    assert "since_id" not in wire.queries(MENTIONS)[1]
    assert json.loads(first.cursor or "")["newest"] == ids[-1]


def test_what_the_overlap_reads_again_is_not_billed_again_on_the_same_day(wire: Wire) -> None:
    _mentions(wire, 5)
    first = list(wire.client().pull("mentions", None))[-1]
    assert first.reads == {"post": 5}
    again = list(wire.client().pull("mentions", first.cursor))[-1]
    assert (len(again.items), again.reads) == (5, {"post": 0})
    wire.now += timedelta(days=1)
    assert list(wire.client().pull("mentions", first.cursor))[-1].reads == {"post": 5}


def test_more_than_the_newest_800_mentions_are_said_to_be_lost(wire: Wire) -> None:
    _mentions(wire, 830)
    pages = list(wire.client().pull("mentions", None))
    assert sum(len(page.items) for page in pages) == 800
    assert [page.notes for page in pages[:-1]] == [()] * 7
    assert pages[-1].notes == (
        "X serves only the newest 800 mentions; older ones since 18 February 2026 were not read",
    )


def test_all_mentions_there_are_need_no_note(wire: Wire) -> None:
    _mentions(wire, 300)
    assert [page.notes for page in wire.client().pull("mentions", None)] == [()] * 3


def test_a_poll_that_finds_nothing_keeps_its_place(wire: Wire) -> None:
    _mentions(wire, 2)
    first = list(wire.client().pull("mentions", None))[-1]
    wire.posts.clear()
    empty = list(wire.client().pull("mentions", first.cursor))
    assert [page.items for page in empty] == [()]
    assert empty[0].cursor == first.cursor


@pytest.mark.parametrize(
    "cursor",
    ["", "{", "[]", "null", '{"v":0}', '{"v":1}', '{"v":1,"newest":null,"newest_at":"x","day":"","sweep":null}',
     '{"v":1,"newest":"1","newest_at":"2026-03-20T11:00:00","day":"","sweep":null}', '{"v":1,"newest":"1","newest_at":null,"day":"someday","sweep":null}', "[" * 100_000],
)  # fmt: skip
def test_a_cursor_that_cannot_be_read_starts_over(wire: Wire, cursor: str) -> None:
    ids = _mentions(wire, 3)
    assert {item.id for page in wire.client().pull("mentions", cursor) for item in page.items} == set(ids)


def test_what_came_is_yielded_before_the_rate_limit_is_raised(wire: Wire) -> None:
    _mentions(wire, 150)
    wire.left = 1
    pull = wire.client().pull("mentions", None)
    page = next(pull)
    assert len(page.items) == 100
    with pytest.raises(RateLimitError) as caught:
        next(pull)
    assert caught.value.retry_after == pytest.approx(901)
    wire.left = None
    assert sum(len(rest.items) for rest in wire.client().pull("mentions", page.cursor)) == 50


def test_an_empty_window_does_not_matter_after_the_last_page(wire: Wire) -> None:
    _mentions(wire, 20)
    wire.left = 1
    assert len(list(wire.client().pull("mentions", None))) == 1


def test_a_token_that_x_has_forgotten_gives_way_to_the_oldest_id(wire: Wire) -> None:
    ids = _mentions(wire, 250)
    page = next(wire.client().pull("mentions", None))
    wire.forgotten = True
    wire.page = 1000
    pull = wire.client().pull("mentions", page.cursor)
    rest = next(pull)
    assert {item.id for item in (*page.items, *rest.items)} == set(ids[50:])
    assert wire.queries(MENTIONS)[-1]["until_id"] == ids[150]


def test_own_posts_and_the_posts_they_answer_come_together(wire: Wire) -> None:
    asked, answered = snowflake(NOW - timedelta(hours=2)), snowflake(NOW - timedelta(hours=1))
    wire.add(
        tweet(asked, at=NOW - timedelta(hours=2), text="Anyone know a good anvil?"),
        tweet(answered, US.id, "We do", NOW - timedelta(hours=1), reply_to=(asked, "9"), conversation_id=asked),
    )
    (page,) = wire.client().pull("own", None)
    assert [(item.id, item.kind, item.thread) for item in page.items] == [
        (answered, Kind.OWN, asked),
        (asked, Kind.CONTEXT, asked),
    ]
    assert page.reads == {"post": 1}


def test_messages_come_both_ways_with_their_conversation(wire: Wire) -> None:
    wire.write(
        dm(snowflake(NOW - timedelta(hours=2)), "9", NOW - timedelta(hours=2), "Is it in stock?"),
        dm(snowflake(NOW - timedelta(hours=1)), US.id, NOW - timedelta(hours=1), "It is"),
    )
    (page,) = wire.client().pull("messages", None)
    ours, theirs = page.items
    assert (theirs.kind, theirs.author.handle, theirs.text) == (Kind.DIRECT, "ada", "Is it in stock?")
    assert (ours.author.id, ours.in_reply_to_author, theirs.in_reply_to_author) == (US.id, "9", US.id)
    assert {theirs.thread, ours.thread} == {"9-7000"}
    assert theirs.url == "https://x.com/messages/9-7000"
    assert theirs.id.startswith("dm:")
    assert page.reads == {"dm_event": 2}


def test_messages_stop_at_the_newest_seen_and_say_what_30_days_leave_out(wire: Wire) -> None:
    for hours in range(300):
        at = NOW - timedelta(hours=hours)
        wire.write(dm(snowflake(at), "9", at))
    first = list(wire.client(since=NOW - timedelta(days=60)).pull("messages", None))
    assert first[0].notes == (
        "X serves only the last 30 days of direct messages; older ones since 19 January 2026 were not read",
    )
    assert [len(page.items) for page in first] == [100, 100, 100]
    again = list(wire.client().pull("messages", first[-1].cursor))
    assert [item.created_at for page in again for item in page.items] == [NOW]
    assert [query["max_results"] for query in wire.queries(MESSAGES)][-2:] == ["1", "1"]


def test_a_quiet_inbox_costs_one_message_a_day(wire: Wire) -> None:
    for minutes in range(50):
        at = NOW - timedelta(days=3, minutes=minutes)
        wire.write(dm(snowflake(at), "9", at))
    cursor = list(wire.client().pull("messages", None))[-1].cursor
    wire.now += timedelta(days=1)
    assert len(list(wire.client().pull("messages", cursor))) == 1
    assert wire.queries(MESSAGES)[-1]["max_results"] == "1"


def test_a_quiet_account_is_not_read_again_the_next_day(wire: Wire) -> None:
    wire.now += timedelta(minutes=40)
    _mentions(wire, 5)
    cursor = list(wire.client().pull("mentions", None))[-1].cursor
    for hours in (1, 24, 24):
        wire.now += timedelta(hours=hours)
        pages = list(wire.client().pull("mentions", cursor))
        cursor = pages[-1].cursor
    assert [page.items for page in pages] == [()]


def test_a_clock_that_is_ahead_does_not_skip_what_x_has_not_shown_yet(wire: Wire) -> None:
    cursor = list(wire.client(now=lambda: NOW + timedelta(hours=5)).pull("mentions", None))[-1].cursor
    late = NOW - timedelta(minutes=25)
    wire.add(tweet(snowflake(late), at=late))
    assert snowflake(late) in [item.id for page in wire.client().pull("mentions", cursor) for item in page.items]


def test_a_quiet_inbox_has_lost_nothing_and_a_long_absence_may_have(wire: Wire) -> None:
    at = NOW - timedelta(days=20)
    wire.write(dm(snowflake(at), "9", at))
    cursor = list(wire.client().pull("messages", None))[-1].cursor
    for _ in range(3):
        wire.now += timedelta(days=12)
        (page,) = wire.client().pull("messages", cursor)
        cursor = page.cursor
        assert page.notes == ()
    wire.now += timedelta(days=40)
    (page,) = wire.client().pull("messages", cursor)
    assert page.notes == (
        "X serves only the last 30 days of direct messages; older ones since 25 April 2026 were not read",
    )


# --- the law -------------------------------------------------------------------------------------------------

_SECONDS = st.lists(st.integers(0, 5 * 86_400), min_size=0, max_size=60, unique=True)


@settings(deadline=None, max_examples=60)
@given(
    ages=_SECONDS,
    page=st.integers(5, 12),
    stops=st.lists(st.integers(1, 4), max_size=6),
    forgotten=st.booleans(),
    stream=st.sampled_from(["mentions", "own", "messages"]),
)
def test_stopping_after_any_page_and_resuming_loses_nothing(
    ages: Sequence[int], page: int, stops: Sequence[int], forgotten: bool, stream: str
) -> None:
    wire = Wire(page=page)
    for index, age in enumerate(ages):
        at = NOW - timedelta(seconds=age)
        wire.add(tweet(snowflake(at, index), US.id if stream == "own" else "9", at=at))
        wire.write(dm(snowflake(at, index), "9", at))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        wire.serve(mock)
        cursor, seen = None, set()
        for pages in [*stops, None]:
            for number, each in enumerate(wire.client().pull(stream, cursor), 1):
                seen |= {item.id.removeprefix("dm:") for item in each.items}
                cursor = each.cursor
                wire.forgotten = False
                if number == pages:
                    break
            wire.forgotten = forgotten
        # Something comes while nobody looks: the next sweep has it.
        wire.forgotten = False
        new = NOW + timedelta(minutes=1)
        wire.add(tweet(snowflake(new), US.id if stream == "own" else "9", at=new))
        wire.write(dm(snowflake(new), "9", new))
        for each in wire.client().pull(stream, cursor):
            seen |= {item.id.removeprefix("dm:") for item in each.items}
    assert seen == set(wire.posts)
