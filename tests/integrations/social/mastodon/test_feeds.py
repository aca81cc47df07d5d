"""Lists swept from the newest entry back: paging in every spelling, what is new, and what is not read twice."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from integrations import errors
from integrations.records import Author, Engagement, Kind
from integrations.social.mastodon import feeds
from tests.integrations.social.mastodon.wire import ADA, BEA, NOW, US, WEB, Wire, html, iso

NOTIFICATIONS = "/api/v1/notifications"
LINKS = {
    "as Mastodon": '<{url}>; rel="next", <{back}>; rel="prev"',
    "turned round, without quotes": "<{back}>; rel=prev, <{url}>; rel=next",
    "with other signs": "<{url}>;REL='Next'",
    "none at all": "",
}


def _pull(
    wire: Wire, stream: str = "mentions", cursor: str | None = None, **more: Any
) -> tuple[dict[str, Engagement], str | None]:
    found: dict[str, Engagement] = {}
    for page in wire.client(**more).pull(stream, cursor):
        found |= {item.id: item for item in page.items}
        cursor = page.cursor
    return found, cursor


def _notes(wire: Wire, stream: str = "mentions") -> list[str]:
    return [note for page in wire.client().pull(stream, None) for note in page.notes]


@pytest.mark.parametrize("ids", ["mastodon", "gotosocial", "akkoma"])
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("keeps_filters", [True, False])
def test_every_page_is_read_whatever_the_ids_and_links_look_like(
    wire: Wire, ids: str, link: str, keeps_filters: bool
) -> None:
    wire.page, wire.ids, wire.link, wire.keeps_filters = 5, ids, LINKS[link], keeps_filters
    everything = {wire.say(ADA, f"number {number}", names=[US.id]) for number in range(23)}
    found, _ = _pull(wire)
    assert found.keys() == everything


def test_what_is_asked_for_is_asked_for_on_every_page(wire: Wire) -> None:
    wire.page, wire.keeps_filters = 5, False
    for number in range(12):
        wire.say(ADA, f"number {number}", names=[US.id])
        wire.notify("favourite", None, NOW)
    found, _ = _pull(wire)
    assert len(found) == 12
    asked = wire.queries(NOTIFICATIONS)
    assert len(asked) == 3
    for query in asked:
        assert query["include_filtered"] == ["true"]
        assert "favourite" in query["exclude_types[]"]


def test_likes_that_come_all_the_same_are_not_work(wire: Wire) -> None:
    own = wire.say(US.id, "ours")
    wire.notify("update", wire.posts[own], NOW)
    wire.notify("admin.sign_up", None, NOW)
    assert _pull(wire)[0] == {}


def test_what_our_filters_hold_back_is_read(wire: Wire) -> None:
    wire.filtered.add(ADA)
    held_back = wire.say(ADA, "may I?", names=[US.id])
    assert held_back in _pull(wire)[0]


def test_people_held_back_by_a_server_that_hides_them_anyway_are_found_in_the_queue(wire: Wire) -> None:
    wire.filtered.add(ADA)
    held_back = wire.say(ADA, "may I?", names=[US.id])
    old = wire.say(BEA, "long ago", names=[US.id], at=NOW - timedelta(days=90))
    wire.filtered.add(BEA)
    found, cursor = _pull(wire, "filtered")
    assert found.keys() == {held_back}
    assert found[held_back].kind is Kind.MENTION
    later = wire.say(ADA, "please?", names=[US.id])
    found, _ = _pull(wire, "filtered", cursor)
    assert found.keys() == {later}
    assert old not in found


def test_a_server_without_the_queue_is_no_trouble(wire: Wire) -> None:
    wire.missing = ("/api/v1/notifications/requests",)
    (page,) = wire.client().pull("filtered", "kept")
    assert (page.items, page.cursor, page.notes) == ((), "kept", ())


@pytest.mark.parametrize("software", ["takahe", "gotosocial", "akkoma"])
def test_the_queue_is_not_asked_for_where_no_server_of_its_kind_has_one(wire: Wire, software: str) -> None:
    wire.options = {"software": software}
    (page,) = wire.client().pull("filtered", "kept")
    assert (page.items, page.cursor, page.notes) == ((), "kept", ())
    assert not wire.sent


def test_a_server_without_notifications_is(wire: Wire) -> None:
    wire.missing = (NOTIFICATIONS,)
    with pytest.raises(errors.NotFoundError):
        _pull(wire)


# --- coming back -----------------------------------------------------------------------------------------------


def test_coming_back_asks_for_what_is_newer_and_reads_nothing_twice(wire: Wire) -> None:
    wire.say(ADA, "old", names=[US.id], at=NOW - timedelta(days=2))
    wire.say(ADA, "recent", names=[US.id])
    _, cursor = _pull(wire)
    again, cursor = _pull(wire, cursor=cursor)
    assert again == {}
    later = wire.say(ADA, "later", names=[US.id])
    found, _ = _pull(wire, cursor=cursor)
    assert found.keys() == {later}
    assert [bool(query.get("since_id")) for query in wire.queries(NOTIFICATIONS)] == [False, True, True]


@pytest.mark.parametrize("forgets", [True, False])
def test_a_server_that_has_lost_the_entry_we_go_by_is_asked_for_everything(wire: Wire, forgets: bool) -> None:
    wire.say(ADA, "old", names=[US.id], at=NOW - timedelta(days=2))
    wire.say(ADA, "recent", names=[US.id])
    _, cursor = _pull(wire)
    wire.forgotten = {row["id"] for row in wire.notifications} if forgets else set()
    later = wire.say(ADA, "later", names=[US.id])
    found, cursor = _pull(wire, cursor=cursor)
    assert found.keys() == {later}
    assert len(wire.queries(NOTIFICATIONS)) == (3 if forgets else 2)
    wire.forgotten = set()
    assert _pull(wire, cursor=cursor)[0] == {}


def test_a_server_that_refuses_the_entry_we_go_by_is_asked_for_everything(wire: Wire) -> None:
    wire.say(ADA, "old", names=[US.id], at=NOW - timedelta(days=2))
    wire.say(ADA, "recent", names=[US.id])
    _, cursor = _pull(wire)
    later = wire.say(ADA, "later", names=[US.id])
    wire.replies.append((422, {}, "no such id"))
    assert _pull(wire, cursor=cursor)[0].keys() == {later}


def test_a_server_that_knows_no_bound_is_read_as_far_as_need_be(wire: Wire) -> None:
    wire.page, wire.knows_since = 5, False
    for number in range(40):
        wire.say(ADA, f"number {number}", names=[US.id], at=NOW - timedelta(days=20) + timedelta(hours=number))
    _, cursor = _pull(wire)
    before = len(wire.sent)
    later = wire.say(ADA, "later", names=[US.id])
    found, _ = _pull(wire, cursor=cursor)
    assert found.keys() == {later}
    assert len(wire.sent) - before == 1


def test_notifications_that_the_person_has_cleared_stop_nothing(wire: Wire) -> None:
    wire.say(ADA, "old", names=[US.id], at=NOW - timedelta(days=2))
    wire.say(ADA, "recent", names=[US.id])
    _, cursor = _pull(wire)
    wire.notifications.clear()
    found, cursor = _pull(wire, cursor=cursor)
    assert found == {}
    later = wire.say(ADA, "later", names=[US.id])
    assert _pull(wire, cursor=cursor)[0].keys() == {later}


def test_a_place_that_the_server_has_forgotten_makes_the_sweep_begin_again(wire: Wire) -> None:
    wire.page = 5
    everything = {wire.say(ADA, f"number {number}", names=[US.id]) for number in range(12)}
    first = next(wire.client().pull("mentions", None))
    wire.replies.append((404, {}, ""))
    found, _ = _pull(wire, cursor=first.cursor)
    assert found.keys() == everything


def test_one_new_entry_that_cannot_be_read_does_not_stop_a_list_of_which_the_rest_is_known(wire: Wire) -> None:
    wire.say(ADA, "hello", names=[US.id], at=NOW - timedelta(minutes=5))
    _, cursor = _pull(wire)
    odd = wire.say(ADA, "odd", names=[US.id], at=NOW - timedelta(minutes=4))
    wire.posts[odd]["created_at"] = "yesterday"
    [page] = wire.client().pull("mentions", cursor)
    assert (page.items, page.notes) == (
        (),
        ("The server sent 1 post that could not be read; the rest of the page was kept",),
    )


def test_what_arrives_late_is_read_where_it_stands(wire: Wire) -> None:
    late = wire.say(ADA, "slow", names=[US.id])
    wire.hidden.add(late)
    wire.say(ADA, "quick", names=[US.id])
    _, cursor = _pull(wire)
    wire.hidden.clear()
    assert _pull(wire, cursor=cursor)[0].keys() == {late}


def test_an_edit_of_something_recent_is_read_again(wire: Wire) -> None:
    post = wire.say(ADA, "befor", names=[US.id])
    _, cursor = _pull(wire)
    wire.posts[post] |= {"content": html("before"), "edited_at": iso(NOW)}
    found, _ = _pull(wire, cursor=cursor)
    assert (found[post].text, found[post].edited_at) == ("before", NOW)


def test_a_first_pull_goes_back_as_far_as_it_is_told(wire: Wire) -> None:
    wire.page = 2
    for days in (90, 60, 40, 31):
        wire.say(ADA, "old", names=[US.id], at=NOW - timedelta(days=days))
    kept = wire.say(ADA, "new", names=[US.id], at=NOW - timedelta(days=29))
    found, _ = _pull(wire)
    assert found.keys() == {kept}
    assert len(wire.sent) == 1


def test_one_old_entry_further_up_does_not_end_the_sweep(wire: Wire) -> None:
    wire.page = 3
    everything = {wire.say(ADA, f"number {number}", names=[US.id], at=NOW - timedelta(days=1)) for number in range(4)}
    wire.say(ADA, "backdated", names=[US.id], at=NOW - timedelta(days=300))
    everything |= {wire.say(ADA, "newest", names=[US.id])}
    assert _pull(wire)[0].keys() == everything


def test_a_time_in_the_future_does_not_close_the_door_behind_it(wire: Wire) -> None:
    wire.say(ADA, "from tomorrow", names=[US.id], at=NOW + timedelta(days=400))
    _, cursor = _pull(wire)
    later = wire.say(BEA, "from today", names=[US.id], at=NOW)
    assert later in _pull(wire, cursor=cursor)[0]


def test_pages_that_repeat_end_the_sweep_with_a_note(wire: Wire) -> None:
    post = wire.say(ADA, "hello", names=[US.id])
    row = wire.notifications[0]
    circle = {"Content-Type": "application/json", "Link": f'<{WEB}{NOTIFICATIONS}?max_id=1>; rel="next"'}
    wire.replies += [(200, circle, json.dumps([row]))] * 5
    pages = list(wire.client().pull("mentions", None))
    assert len(pages) == 2
    assert pages[-1].notes == (feeds.REPEATS,)
    assert post in {item.id for item in pages[0].items}


def test_an_account_id_cannot_lead_elsewhere(wire: Wire) -> None:
    with pytest.raises(errors.NotFoundError):
        _pull(wire, "own", account=Author("7/../8?x=1", US.handle))
    assert wire.paths() == ["/api/v1/accounts/7%2F..%2F8%3Fx%3D1/statuses"]


# --- own posts --------------------------------------------------------------------------------------------------


def test_own_posts_are_read_without_boosts(wire: Wire) -> None:
    mine = wire.say(US.id, "new helmets are in")
    found, _ = _pull(wire, "own")
    assert (found[mine].kind, found[mine].author.id) == (Kind.OWN, US.id)
    assert wire.queries(f"/api/v1/accounts/{US.id}/statuses")[0]["exclude_reblogs"] == ["true"]


def test_own_private_posts_are_private(wire: Wire) -> None:
    mine = wire.say(US.id, "your code is 7", names=[ADA], visibility="direct")
    found, _ = _pull(wire, "own")
    assert (found[mine].kind, found[mine].in_reply_to_author) == (Kind.DIRECT, ADA)


def test_quotes_and_replies_that_wait_for_approval_are_read(wire: Wire) -> None:
    mine = wire.say(US.id, "new helmets are in")
    quote = wire.say(ADA, "look", quotes=mine)
    waiting = wire.say(BEA, "how much?", to=mine, tell="pending.reply")
    found, _ = _pull(wire)
    assert (found[quote].kind, found[quote].quotes) == (Kind.QUOTE, mine)
    assert (found[waiting].kind, found[waiting].thread) == (Kind.REPLY, mine)
