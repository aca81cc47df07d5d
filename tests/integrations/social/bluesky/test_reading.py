"""Streams, lookups and refusals, against Bluesky in memory."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from integrations import errors
from integrations.records import Engagement, Gone, Kind, Unasked
from integrations.social.bluesky import lookups
from integrations.social.bluesky.cursors import OVERLAP, FeedCursor, Sweep, ThreadsCursor
from tests.integrations.social.bluesky.wire import ADA, BOB, NOW, TOKEN, US, Reply, Wire, uri


def pull(wire: Wire, stream: str = "mentions", cursor: str | None = None, threads: Any = (), **more: Any) -> list[Any]:
    return list(wire.client(**more).pull(stream, cursor, threads))


def ids(pages: list[Any]) -> list[str]:
    return [item.id for page in pages for item in page.items]


# --- lists -------------------------------------------------------------------------------------------------------------


def test_mentions_replies_and_quotes_come_and_likes_do_not(wire: Wire) -> None:
    ours = wire.post(US.id, "new in stock")
    spoken = [
        wire.post(ADA, names=[US.id]),
        wire.post(BOB, reply=(ours, ours)),
        wire.post(BOB, reply=(ours, uri(ADA, "x"))),
        wire.post(ADA, quotes=ours),
    ]
    wire.post(ADA, "about nothing of ours")
    found = {item.id: item.kind for page in pull(wire) for item in page.items}
    assert found == dict(zip(spoken, (Kind.MENTION, Kind.REPLY, Kind.COMMENT, Kind.QUOTE), strict=True))
    assert wire.queries("app.bsky.notification.listNotifications")[0]["reasons"] == ["mention", "reply", "quote"]


def test_the_first_sweep_goes_back_as_far_as_asked_and_no_further(wire: Wire) -> None:
    old, new = (
        wire.post(names=[US.id], at=NOW - timedelta(days=40)),
        wire.post(names=[US.id], at=NOW - timedelta(days=2)),
    )
    assert ids(pull(wire)) == [new]
    assert ids(pull(wire, since=None)) == [new, old]


def test_a_sweep_goes_back_before_what_it_saw_so_that_a_slow_clock_is_not_lost(wire: Wire) -> None:
    seen = wire.post(names=[US.id], at=NOW)
    *_, last = pull(wire)
    slow = wire.post(names=[US.id], at=NOW - OVERLAP + timedelta(minutes=1), indexed=NOW + timedelta(minutes=2))
    found = ids(pull(wire, cursor=last.cursor))
    assert slow in found
    assert seen in found


def test_what_comes_in_hours_late_is_kept_where_it_is_served_all_the_same(wire: Wire) -> None:
    wire.post(names=[US.id], at=NOW)
    *_, last = pull(wire)
    late = wire.post(names=[US.id], at=NOW - timedelta(hours=9), indexed=NOW + timedelta(minutes=2))
    assert late in ids(pull(wire, cursor=last.cursor))


@pytest.mark.parametrize("back", [timedelta(hours=26), timedelta(days=400)], ids=["a day", "longer than we look back"])
def test_what_is_dated_long_ago_and_was_not_there_before_is_told_once(wire: Wire, back: timedelta) -> None:
    """People may date a post as they like, and Bluesky puts it where it says that it belongs."""
    wire.post(names=[US.id], at=NOW)
    known = [wire.post(names=[US.id], at=NOW - timedelta(days=days)) for days in (2, 35)]
    *_, last = pull(wire)
    dated = wire.post(names=[US.id], at=NOW - back, indexed=NOW + timedelta(minutes=2))
    wire.sent = []
    *_, last = found = pull(wire, cursor=last.cursor)
    assert dated in ids(found)
    assert not {*known} & {*ids(found)}
    again = pull(wire, cursor=last.cursor)
    assert dated not in ids(again)
    assert len(wire.sent) == 2  # a page each, as ever


def test_what_is_dated_before_the_first_page_is_met_within_a_day_wherever_the_sweep_is_stopped(wire: Wire) -> None:
    wire.page = 5
    for number in range(12):
        wire.post(names=[US.id], at=NOW - timedelta(minutes=10 * number))
    *_, last = pull(wire)
    dated = wire.post(names=[US.id], at=NOW - timedelta(days=3), indexed=NOW + timedelta(minutes=2))
    *_, last = found = pull(wire, cursor=last.cursor)
    assert dated not in ids(found)
    wire.ahead = timedelta(days=1)
    first = pull(wire, cursor=last.cursor)[0]
    *_, last = found = pull(wire, cursor=first.cursor)  # stopped after a page, and resumed
    assert dated in ids(found)
    wire.sent = []
    *_, last = pull(wire, cursor=last.cursor)
    assert len(wire.sent) < 3  # the overlap, as ever
    wire.ahead = timedelta(days=2, minutes=1)
    assert dated in ids(pull(wire, cursor=last.cursor))


def test_a_daily_sweep_goes_no_further_back_than_the_first_one(wire: Wire) -> None:
    wire.page = 1
    old, new = wire.post(names=[US.id], at=NOW - timedelta(days=3)), wire.post(names=[US.id], at=NOW)
    since = NOW - timedelta(days=2)
    *_, last = pull(wire, since=since)
    wire.ahead = timedelta(days=1)
    found = ids(pull(wire, cursor=last.cursor, since=since))
    assert (new in found, old in found) == (True, False)


def test_our_own_post_that_is_dated_long_ago_is_told_too(wire: Wire) -> None:
    wire.post(US.id, at=NOW)
    *_, last = pull(wire, "own")
    dated = wire.post(US.id, "from the old blog", at=NOW - timedelta(days=9), indexed=NOW + timedelta(minutes=2))
    assert dated in ids(pull(wire, "own", last.cursor))


def test_what_moves_up_because_others_are_deleted_is_not_told_again(wire: Wire) -> None:
    wire.page = 5
    there = [wire.post(names=[US.id], at=NOW - timedelta(days=2 * number)) for number in range(9)]
    *_, last = pull(wire)
    for each in there[1:3]:
        del wire.posts[each]
    dated = wire.post(names=[US.id], at=NOW - timedelta(days=7), indexed=NOW + timedelta(minutes=2))
    assert ids(pull(wire, cursor=last.cursor)) == [there[0], dated]


def test_a_cursor_from_before_tells_nothing_old_as_if_it_were_new(wire: Wire) -> None:
    new, old = wire.post(names=[US.id], at=NOW), wire.post(names=[US.id], at=NOW - timedelta(days=3))
    before = json.dumps({"v": 1, "newest_at": NOW.isoformat(), "sweep": None})
    *_, last = found = pull(wire, cursor=before)
    assert ids(found) == [new]
    assert ids(pull(wire, cursor=last.cursor)) == [new]
    assert old


def test_a_first_page_of_which_nothing_is_shown_leaves_what_was_known(wire: Wire) -> None:
    """Bluesky filters late: a page may be empty, and the list goes on."""
    wire.post(names=[US.id], at=NOW)
    *_, last = pull(wire)
    wire.replies = [(200, {}, json.dumps({"notifications": [], "cursor": "2026-03-20T12:00:00.000Z"}))]
    *_, last = pull(wire, cursor=last.cursor)
    dated = wire.post(names=[US.id], at=NOW - timedelta(days=3))
    assert dated in ids(pull(wire, cursor=last.cursor))


def test_a_sweep_ends_where_it_was_to_go(wire: Wire) -> None:
    for number in range(30):
        wire.post(names=[US.id], at=NOW - timedelta(hours=2 * number))
    *_, last = pull(wire)
    wire.page, wire.sent = 5, []
    pull(wire, cursor=last.cursor)
    assert len(wire.sent) == 1


def test_a_place_that_is_no_longer_known_gives_way_to_the_top_of_the_list(wire: Wire) -> None:
    wire.page = 5
    everything = {wire.post(names=[US.id]) for _ in range(12)}
    first = next(iter(wire.client().pull("mentions", None)))
    wire.forgotten = True
    with pytest.raises(
        errors.TemporaryError
    ):  # the second page of the same sweep, asked for with a fresh place, is an outage
        list(wire.client().pull("mentions", None))
    again = wire.client().pull("mentions", first.cursor)
    top = next(again)
    assert [item.id for item in top.items] == [item.id for item in first.items]
    wire.forgotten = False
    assert {item.id for page in again for item in page.items} | {item.id for item in top.items} == everything


def test_an_outage_while_a_sweep_is_resumed_stays_an_outage(wire: Wire) -> None:
    wire.replies = [(502, {}, "{}")] * 2
    held = FeedCursor(NOW, Sweep(NOW - OVERLAP, "2026-03-20T11:30:00.000Z", NOW)).dump()
    with pytest.raises(errors.TemporaryError):
        pull(wire, cursor=held)
    assert len(wire.sent) == 2


def test_a_page_on_which_nothing_is_for_us_is_not_the_end(wire: Wire) -> None:
    late = wire.post(names=[US.id])
    wire.replies = [(200, {}, json.dumps({"notifications": [], "cursor": "9998"}))]
    assert ids(pull(wire)) == [late]


def test_a_server_that_repeats_its_place_is_at_its_end(wire: Wire) -> None:
    wire.replies = [(200, {}, json.dumps({"notifications": [], "cursor": "same"}))] * 3
    assert len(pull(wire)) == 2


def test_own_posts_bring_the_posts_that_they_answer(wire: Wire) -> None:
    root = wire.post(BOB, "who knows a good vest?")
    hers = wire.post(ADA, "acme does", reply=(root, root))
    ours = wire.post(US.id, "thank you", reply=(root, hers))
    found = {item.id: item.kind for page in pull(wire, "own") for item in page.items}
    assert found == {ours: Kind.OWN, hers: Kind.CONTEXT, root: Kind.CONTEXT}


def test_what_ours_answer_may_be_deleted(wire: Wire) -> None:
    ours = wire.post(US.id, "thank you", reply=(uri(ADA, "gone"), uri(ADA, "gone")))
    assert ids(pull(wire, "own")) == [ours]


def test_reposts_are_not_ours(wire: Wire) -> None:
    theirs = wire.posts[wire.post(ADA)]
    repost = {"post": theirs, "reason": {"$type": "app.bsky.feed.defs#reasonRepost", "by": {}, "indexedAt": "x"}}
    wire.replies = [(200, {}, json.dumps({"feed": [repost]}))]
    assert ids(pull(wire, "own")) == []


# --- threads ---------------------------------------------------------------------------------------------------------------


def test_a_thread_is_read_from_its_beginning_with_all_that_stands_below(wire: Wire) -> None:
    ours = wire.post(US.id, "new in stock")
    asked = wire.post(ADA, "size?", reply=(ours, ours))
    below = wire.post(BOB, "large, I think", reply=(ours, asked))
    found = {item.id: item.kind for page in pull(wire, "conversations", threads=[ours]) for item in page.items}
    assert found == {ours: Kind.OWN, asked: Kind.REPLY, below: Kind.COMMENT}


def test_blocked_and_deleted_posts_leave_the_rest_of_a_thread(wire: Wire) -> None:
    root = wire.post(BOB)
    shown, hidden = wire.post(ADA, reply=(root, root)), wire.post(BOB, reply=(root, root))
    wire.blocked.add(hidden)
    assert sorted(ids(pull(wire, "conversations", threads=[root]))) == sorted([root, shown])


def test_a_thread_that_is_gone_does_not_stop_the_others(wire: Wire) -> None:
    here = wire.post(ADA)
    pages = pull(wire, "conversations", threads=[uri(ADA, "gone"), "no address", here])
    assert ids(pages) == [here]
    assert ThreadsCursor.load(pages[-1].cursor).read.keys() == {uri(ADA, "gone"), here}


def test_a_thread_of_which_nothing_can_be_read_does_not_hold_up_the_others_and_is_told(wire: Wire) -> None:
    odd, here = wire.post(ADA), wire.post(ADA)
    wire.posts[odd]["indexedAt"] = "at noon"
    pages = pull(wire, "conversations", threads=[odd, here])
    assert ids(pages) == [here]
    assert "could not be read" in pages[0].notes[0]
    wire.posts[here]["indexedAt"] = "at noon"
    with pytest.raises(errors.UnexpectedResponseError):
        pull(wire, "conversations", threads=[odd, here])


def test_threads_over_which_bluesky_breaks_every_time_do_not_keep_the_others_from_being_read(wire: Wire) -> None:
    threads = [wire.post(US.id, f"number {number}") for number in range(8)]
    route, odd = wire._route, threads[1:4]

    def breaks(method: str, query: dict[str, list[str]], request: Any) -> tuple[int, Any]:
        if query.get("uri", [""])[0] in odd:
            return 502, {"error": "UpstreamFailure"}
        return route(method, query, request)

    wire._route = breaks  # type: ignore[method-assign]
    found: list[str] = []
    cursor: str | None = None
    with suppress(errors.TemporaryError):
        for page in wire.client().pull("conversations", cursor, threads):
            found += ids([page])
            cursor = page.cursor
        pytest.fail("a server that breaks over three is out of order, and nobody is told")
    assert found == threads[:1]
    odd = threads[1:2]
    pages = pull(wire, "conversations", cursor, threads)
    assert set(ids(pages)) == {*threads} - {*odd}
    assert len([note for page in pages for note in page.notes]) == 1


def test_where_the_only_thread_breaks_its_trouble_is_told(wire: Wire) -> None:
    thread = wire.post(US.id)
    wire.replies = [(502, {}, "")]
    with pytest.raises(errors.TemporaryError):
        pull(wire, "conversations", None, [thread])


def test_threads_take_turns_the_least_recently_read_first(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "THREADS", 3)
    threads = [wire.post(ADA) for _ in range(5)]
    cursor, order = None, []
    for _ in range(3):
        wire.now += timedelta(minutes=15)
        pages = pull(wire, "conversations", cursor, threads)
        order.append([item.id for page in pages for item in page.items])
        cursor = pages[-1].cursor
    one, two, three, four, five = threads
    assert order == [[one, two, three], [four, five, one], [two, three, one]]


def test_threads_that_nobody_asks_for_any_more_are_forgotten(wire: Wire) -> None:
    first, second = wire.post(ADA), wire.post(ADA)
    [*_, last] = pull(wire, "conversations", None, [first, second])
    [again] = pull(wire, "conversations", last.cursor, [second])
    assert ThreadsCursor.load(again.cursor).read.keys() == {second}


def test_a_pull_that_is_stopped_goes_on_with_the_threads_it_did_not_reach(wire: Wire) -> None:
    threads = [wire.post(ADA) for _ in range(4)]
    first = next(iter(wire.client().pull("conversations", None, threads)))
    rest = ids(pull(wire, "conversations", first.cursor, threads))
    assert rest[:3] == threads[1:]


# --- by id -------------------------------------------------------------------------------------------------------------------


def test_ancestors_come_by_the_batch_and_every_id_is_answered(wire: Wire) -> None:
    wanted = [wire.post(ADA) for _ in range(30)]
    asked = [*wanted, uri(BOB, "gone"), "not an address", wanted[0]]
    pages = pull(wire, "ancestors", None, asked)
    assert sorted(ids(pages)) == sorted(wanted)
    assert [each for page in pages for each in page.answered] == list(dict.fromkeys(asked))
    assert [len(query["uris"]) for query in wire.queries("app.bsky.feed.getPosts")] == [25, 6]


def test_ids_that_are_none_cost_no_call(wire: Wire) -> None:
    [page] = pull(wire, "ancestors", None, ["nothing"])
    assert (page.items, page.answered, wire.sent) == ((), ("nothing",), [])


def test_a_recheck_answers_every_post_and_no_message(wire: Wire) -> None:
    kept, blocked = wire.post(ADA), wire.post(BOB)
    wire.blocked.add(blocked)
    gone = [uri(ADA, f"gone{number}") for number in range(30)]
    answers = wire.client().recheck([kept, blocked, *gone, "odd", "chat:c1:m1"])
    assert [each.id for each in answers if isinstance(each, Engagement)] == [kept]
    assert {each.id for each in answers if isinstance(each, Gone)} == {blocked, *gone, "odd"}


def test_a_post_that_an_answer_for_many_leaves_out_is_asked_for_alone_before_it_is_called_gone(wire: Wire) -> None:
    there, passed_over, gone = wire.post(ADA), wire.post(ADA), uri(ADA, "gone")
    wire.passed_over.add(passed_over)
    assert {each.id: type(each) for each in wire.client().recheck([there, passed_over, gone])} == {
        there: Engagement,
        passed_over: Engagement,
        gone: Gone,
    }


@pytest.mark.parametrize("reply", [(502, {}, "<html>"), (400, {}, '{"error": "InvalidRequest"}')])
def test_one_of_which_nothing_is_said_has_no_answer_and_the_others_have(wire: Wire, reply: Reply) -> None:
    there, gone = wire.post(ADA), uri(ADA, "gone")
    wire.refused["app.bsky.feed.getPostThread"] = reply
    assert [each.id for each in wire.client().recheck([there, gone])] == [there]


def test_where_no_more_calls_are_taken_the_others_were_not_asked_about(wire: Wire) -> None:
    gone, there, later = uri(ADA, "gone"), wire.post(ADA), [wire.post(BOB) for _ in range(lookups.BATCH)]
    wire.refused["app.bsky.feed.getPostThread"] = (429, {}, "{}")
    first, second = later[: lookups.BATCH - 2], later[lookups.BATCH - 2 :]
    found, *left = wire.client().recheck([gone, there, *first, "chat:c1:m1", *second])
    assert isinstance(found, Engagement)
    assert found.id == there
    assert {each.id for each in left if isinstance(each, Engagement)} == set(first)
    assert {each.id for each in left if isinstance(each, Unasked)} == {gone, *second}
    assert len(left) == len([gone, *later])


def test_where_no_call_is_taken_at_all_that_is_said(wire: Wire) -> None:
    wire.refused["app.bsky.feed.getPosts"] = (429, {}, "{}")
    with pytest.raises(errors.RateLimitError):
        wire.client().recheck([wire.post(ADA)])


def test_a_row_that_cannot_be_read_is_not_taken_for_a_deleted_post(wire: Wire) -> None:
    good, odd = wire.post(ADA), wire.post(ADA)
    wire.posts[odd]["indexedAt"] = "at noon"
    assert [each.id for each in wire.client().recheck([good, odd])] == [good]
    assert wire.client().recheck([odd]) == []


def test_a_post_that_moderation_hides_from_everybody_is_gone(wire: Wire) -> None:
    hidden = wire.post(ADA)
    wire.posts[hidden]["labels"] = [{"val": "!hide"}]
    assert wire.client().recheck([hidden]) == [Gone(hidden)]


# --- who ------------------------------------------------------------------------------------------------------------------------


def test_the_account_goes_by_its_present_handle(wire: Wire) -> None:
    wire.people[US.id]["handle"] = "renamed.example"
    who = wire.client().whoami()
    assert (who.id, who.handle, who.followers) == (US.id, "renamed.example", 12)


@pytest.mark.parametrize("profile", [{}, {"did": ADA, "handle": "ada.example"}, {"did": 7}])
def test_somebody_else_s_profile_is_not_ours(wire: Wire, profile: dict[str, Any]) -> None:
    wire.replies = [(200, {}, json.dumps(profile))]
    with pytest.raises(errors.UnexpectedResponseError):
        wire.client().whoami()


# --- refusals ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "name", "error"),
    [
        (400, "ExpiredToken", errors.AuthenticationError),
        (400, "InvalidToken", errors.AuthenticationError),
        (401, "AuthMissing", errors.AuthenticationError),
        (401, "invalid_token", errors.AuthenticationError),
        (401, "AccountTakedown", errors.PermissionDeniedError),
        (400, "AccountDeactivated", errors.PermissionDeniedError),
        (400, "NotFound", errors.NotFoundError),
        (400, "InvalidRequest", errors.InvalidRequestError),
        (501, "MethodNotImplemented", errors.PermissionDeniedError),
        (502, "UpstreamFailure", errors.TemporaryError),
        (401, "use_dpop_nonce", errors.TemporaryError),
    ],
)
def test_errors_go_by_their_names(wire: Wire, status: int, name: str, error: type[Exception]) -> None:
    wire.replies = [(status, {}, json.dumps({"error": name, "message": "no"}))]
    with pytest.raises(error):
        pull(wire)


@pytest.mark.parametrize(
    ("error", "header"),
    [
        ("BadJwtSignature", ""),
        ("BadJwtAudience", ""),
        ("JwtExpired", ""),
        ("AuthenticationRequired", 'Bearer error="BadJwtSignature"'),
    ],
)
def test_what_servers_think_of_each_other_is_not_the_end_of_a_consent(wire: Wire, error: str, header: str) -> None:
    """The account's server signs what it passes on; the AppView may not know a key that has just changed."""
    wire.replies = [
        (
            401,
            {"WWW-Authenticate": header} if header else {},
            json.dumps({"error": error, "message": "could not verify jwt signature"}),
        )
    ]
    with pytest.raises(errors.TemporaryError, match="401"):
        pull(wire)


def test_a_proof_that_is_not_accepted_is_not_the_end_of_a_consent(wire: Wire) -> None:
    wire.replies = [(401, {"WWW-Authenticate": 'DPoP error="invalid_dpop_proof"'}, '{"error": "invalid_token"}')]
    with pytest.raises(errors.TemporaryError):
        pull(wire)


def test_an_app_password_that_may_not_read_messages_is_as_good_as_before_for_the_rest(wire: Wire) -> None:
    wire.replies = [(400, {}, json.dumps({"error": "InvalidToken", "message": "Bad token method"}))]
    with pytest.raises(errors.PermissionDeniedError, match="app password"):
        pull(wire, "messages")


def test_a_missing_scope_is_named(wire: Wire) -> None:
    needed = "rpc:app.bsky.feed.getAuthorFeed?aud=did:web:api.bsky.app%23bsky_appview"
    wire.replies = [
        (403, {}, json.dumps({"error": "ScopeMissingError", "message": f'Missing required scope "{needed}"'}))
    ]
    with pytest.raises(errors.PermissionDeniedError) as raised:
        pull(wire, "own")
    assert raised.value.scope == needed


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17),
        ({"RateLimit-Reset": "1774008090", "Date": "Fri, 20 Mar 2026 12:00:00 GMT"}, 90),
        ({"RateLimit-Reset": "1774008090", "Date": "Fri, 20 Mar 2026 11:00:00 GMT"}, 3690),  # its clock, not ours
        ({"RateLimit-Reset": "1774000000", "Date": "Fri, 20 Mar 2026 12:00:00 GMT"}, 1),
        ({"RateLimit-Reset": "1e300", "Date": "Fri, 20 Mar 2026 12:00:00 GMT"}, 7 * 86_400),
        ({"RateLimit-Reset": "soon", "Date": "Fri, 20 Mar 2026 12:00:00 GMT"}, 60),
        ({"RateLimit-Reset": "1774008090"}, 60),
        ({}, 60),
    ],
)
def test_a_limit_lasts_until_the_server_s_own_clock_says(wire: Wire, headers: dict[str, str], seconds: float) -> None:
    wire.replies = [(429, headers, '{"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}')]
    with pytest.raises(errors.RateLimitError) as raised:
        pull(wire)
    assert raised.value.retry_after == seconds


def test_a_server_s_nonce_is_given_back_and_asked_for_once(wire: Wire) -> None:
    wire.nonce, wire.page = "nonce-of-the-server", 5
    everything = {wire.post(names=[US.id]) for _ in range(12)}
    assert set(ids(pull(wire))) == everything
    assert len(wire.sent) == 4  # three pages, and one refusal for want of a nonce


def test_an_app_password_s_session_reads_the_same(wire: Wire) -> None:
    wire.bearer = True
    post = wire.post(names=[US.id])
    assert ids(pull(wire)) == [post]
    assert wire.sent[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert "DPoP" not in wire.sent[0].headers


@pytest.mark.parametrize("body", [{}, {"thread": None}, {"thread": []}])
def test_an_answer_without_its_thread_says_so(wire: Wire, body: Any) -> None:
    wire.replies = [(200, {}, json.dumps(body))]
    with pytest.raises(errors.UnexpectedResponseError):
        pull(wire, "conversations", threads=[wire.post()])


@pytest.mark.parametrize("body", [{}, {"notifications": None}, {"notifications": {}}, []])
def test_an_answer_without_its_list_says_so(wire: Wire, body: Any) -> None:
    wire.replies = [(200, {}, json.dumps(body))]
    with pytest.raises(errors.UnexpectedResponseError):
        pull(wire)
