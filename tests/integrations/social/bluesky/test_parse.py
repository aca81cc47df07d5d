from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations import errors
from integrations.records import Author, Kind
from integrations.social.bluesky import parse
from tests.integrations.social.bluesky.wire import ADA, BOB, NOW, US, WEB, Wire, facet, iso, ref, uri

VIEW = parse.View(US.id, WEB)
OURS, HERS, HIS = uri(US.id, "ours"), uri(ADA, "hers"), uri(BOB, "his")


def read(**post: Any) -> Any:
    wire = Wire()
    return parse.post(wire.posts[wire.post(**post)], VIEW)


# --- what kind of post ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("post", "kind"),
    [
        ({"did": US.id}, Kind.OWN),
        ({"did": US.id, "names": [US.id]}, Kind.OWN),
        ({"reply": (OURS, OURS)}, Kind.REPLY),
        ({"reply": (HIS, OURS)}, Kind.REPLY),
        ({"reply": (OURS, HIS)}, Kind.COMMENT),
        ({"reply": (OURS, HIS), "names": [US.id]}, Kind.MENTION),
        ({"names": [BOB, US.id]}, Kind.MENTION),
        ({"quotes": OURS}, Kind.QUOTE),
        ({"quotes": OURS, "reply": (OURS, OURS)}, Kind.REPLY),
        ({"quotes": HIS}, Kind.CONTEXT),
        ({"reply": (HIS, HIS)}, Kind.CONTEXT),
        ({}, Kind.CONTEXT),
    ],
)
def test_whom_a_post_concerns_stands_in_its_addresses(post: dict[str, Any], kind: Kind) -> None:
    assert read(**post).kind is kind


@pytest.mark.parametrize(
    ("reason", "kind"), [("mention", Kind.MENTION), ("reply", Kind.COMMENT), ("quote", Kind.QUOTE)]
)
def test_a_notification_says_what_the_post_alone_does_not(reason: str, kind: Kind) -> None:
    wire = Wire()
    row = {**wire.posts[wire.post(reply=(HIS, HIS))], "reason": reason}
    found = parse.notification(row, VIEW)
    assert found is not None
    assert found.kind is kind


@pytest.mark.parametrize("reason", ["like", "repost", "follow", "starterpack-joined", "subscribed-post"])
def test_other_notifications_are_left_out(reason: str) -> None:
    assert parse.notification({"reason": reason}, VIEW) is None


def test_a_reply_names_thread_parent_and_whom_it_answers() -> None:
    found = read(reply=(OURS, HIS), names=[US.id])
    assert (found.thread, found.in_reply_to, found.in_reply_to_author) == (OURS, HIS, BOB)
    assert found.mentions == (US.id, BOB)
    assert read().thread == read().id


def test_a_quote_names_the_post_also_beside_a_picture() -> None:
    embed = {
        "$type": "app.bsky.embed.recordWithMedia",
        "record": {"$type": "app.bsky.embed.record", "record": ref(HIS)},
        "media": {"$type": "app.bsky.embed.images", "images": []},
    }
    assert read(embed=embed).quotes == HIS
    assert read(quotes=HIS).quotes == HIS


@pytest.mark.parametrize("other", [f"at://{BOB}/app.bsky.feed.generator/x", f"at://{BOB}/app.bsky.graph.list/x"])
def test_a_feed_or_a_list_that_is_embedded_is_no_quote(other: str) -> None:
    assert read(quotes=other).quotes is None


def test_a_post_is_linked_by_its_authors_did_which_a_new_handle_does_not_break() -> None:
    found = read()
    assert found.url == f"{WEB}/profile/{found.author.id}/post/{found.id.rpartition('/')[2]}"


# --- when ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claimed", "seen", "expected"),
    [
        (NOW, NOW + timedelta(seconds=2), NOW),
        (NOW + timedelta(days=400), NOW, NOW),  # a clock that is ahead
        (NOW - timedelta(days=400), NOW, NOW - timedelta(days=400)),  # brought over from elsewhere
    ],
)
def test_a_post_cannot_be_from_after_it_was_seen(claimed: datetime, seen: datetime, expected: datetime) -> None:
    found = read(at=claimed, indexed=seen)
    assert found.created_at == expected
    assert found.created_at.tzinfo is UTC


@pytest.mark.parametrize("claimed", ["", None, "yesterday", "2026-13-45", 5, "0000-01-01T00:00:00Z"])
def test_a_time_that_cannot_be_read_gives_way_to_when_it_was_seen(claimed: Any) -> None:
    assert read(at=NOW, createdAt=claimed).created_at == NOW


def test_a_time_in_another_zone_or_with_nanoseconds_is_read() -> None:
    at = read(indexed=NOW + timedelta(hours=1), createdAt="2026-03-20T13:00:00.123456789+01:00").created_at
    assert at == NOW + timedelta(microseconds=123456)


# --- words ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "facets", "expected"),
    [
        ("see acme.example/a/very-lo...", [("acme.example/a/very-lo...", "https://acme.example/a/very-long-path")], "see https://acme.example/a/very-long-path"),
        ("see acme.example/a… now", [("acme.example/a…", "https://www.acme.example/a/b")], "see https://www.acme.example/a/b now"),
        ("read this, please", [("this", "https://acme.example/")], "read this (https://acme.example/), please"),
        ("🦺 größe: acme.example 🦺", [("acme.example", "https://acme.example")], "🦺 größe: https://acme.example 🦺"),
        ("a.example b.example", [("b.example", "https://b.example/2"), ("a.example", "https://a.example/1")], "https://a.example/1 https://b.example/2"),
        ("no links", [], "no links"),
    ],
)  # fmt: skip
def test_links_are_written_out(text: str, facets: list[tuple[str, str]], expected: str) -> None:
    assert parse.rich(text, parse.facets([facet(text, part, link=link) for part, link in facets])) == expected


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "facet",
        {},
        {"index": {"byteStart": 0, "byteEnd": 4}},
        {"index": {"byteStart": "x", "byteEnd": 4}, "features": []},
        {"index": {"byteStart": 5, "byteEnd": 99}, "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://x.example"}]},
        {"index": {"byteStart": -3, "byteEnd": 2}, "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://x.example"}]},
        {"index": {"byteStart": 4, "byteEnd": 2}, "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://x.example"}]},
        {"index": {"byteStart": 1, "byteEnd": 3}, "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://x.example"}]},
        {"index": {"byteStart": 0, "byteEnd": 4}, "features": [{"$type": "app.bsky.richtext.facet#link"}]},
        {"index": {"byteStart": 0, "byteEnd": 4}, "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "x"}]},
        {"index": {"byteStart": 0, "byteEnd": 4}, "features": ["link"]},
    ],
)  # fmt: skip
def test_a_facet_that_makes_no_sense_changes_nothing(bad: Any) -> None:
    assert parse.rich("🦺 hello", parse.facets([bad])) == "🦺 hello"


def test_facets_that_overlap_are_read_once() -> None:
    text = "see acme.example now"
    both = [
        facet(text, "acme.example", link="https://acme.example/1"),
        facet(text, "acme.example now", link="https://acme.example/2"),
    ]
    assert parse.rich(text, parse.facets(both)) == "see https://acme.example/1 now"


def test_a_card_s_link_stands_below_a_text_that_does_not_hold_it() -> None:
    card = {"$type": "app.bsky.embed.external", "external": {"uri": "https://acme.example/shop", "title": "Shop"}}
    assert read(text="look", embed=card).text == "look\nhttps://acme.example/shop"
    assert read(text="", embed=card).text == "https://acme.example/shop"
    assert read(text="https://acme.example/shop is open", embed=card).text == "https://acme.example/shop is open"
    beside = {"$type": "app.bsky.embed.recordWithMedia", "record": {"record": ref(HIS)}, "media": card}
    assert read(text="look", embed=beside).text == "look\nhttps://acme.example/shop"


def test_the_first_language_is_taken() -> None:
    assert read(langs=["pt-BR", "en"]).language == "pt-BR"
    assert read(langs=[]).language is None


# --- people -----------------------------------------------------------------------------------------------------------------


def test_an_account_is_read_whole() -> None:
    profile = {
        "did": ADA, "handle": "ada.example", "displayName": "Ada\x00", "description": "Rides.", "website": "https://ada.example",
        "followersCount": 7, "labels": [{"val": "bot"}],
    }  # fmt: skip
    assert parse.author(profile, WEB) == Author(
        ADA, "ada.example", "Ada", "Rides.", f"{WEB}/profile/ada.example", "https://ada.example", bot=True, followers=7
    )


@pytest.mark.parametrize("handle", ["handle.invalid", "", None])
def test_an_account_whose_handle_does_not_lead_back_to_it_goes_by_its_did(handle: Any) -> None:
    found = parse.author({"did": ADA, "handle": handle}, WEB)
    assert (found.handle, found.url) == (ADA, f"{WEB}/profile/{ADA}")


def test_posts_by_moderation_s_leave_show_nothing() -> None:
    wire = Wire()
    row = {**wire.posts[wire.post()], "labels": [{"val": "!hide"}]}
    assert parse.post(row, VIEW) is None
    for labels in ([{"val": "porn"}], [7, None, {}], "!hide", None, {"val": "!hide"}):
        assert parse.post({**row, "labels": labels}, VIEW) is not None


# --- rows that cannot be read ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"uri": "at://handle.example/app.bsky.feed.post/x"},
        {"uri": f"at://{ADA}/app.bsky.feed.like/x"},
        {"record": {"$type": "app.bsky.feed.like"}},
        {"record": None},
        {"author": {}},
        {"author": {"did": "ada"}},
        {"indexedAt": None},
    ],
)
def test_one_odd_row_does_not_spoil_the_page(change: dict[str, Any]) -> None:
    wire = Wire()
    good, odd = (wire.posts[wire.post()] for _ in range(2))
    found = parse.each([{**odd, **change}, good, 7, None], lambda row: parse.post(row, VIEW))
    assert [item.id for item in found.items] == [good["uri"]]
    assert found.skipped == 3
    assert found.notes == ("Bluesky sent 3 posts that could not be read; the rest of the page was kept",)


def test_a_page_of_which_nothing_can_be_read_says_so() -> None:
    with pytest.raises(errors.UnexpectedResponseError):
        parse.each([{}, {}], lambda row: parse.post(row, VIEW))
    assert parse.each([], lambda row: parse.post(row, VIEW)).items == ()


def test_instants_are_written_as_bluesky_does() -> None:
    assert parse.instant(iso(NOW)) == NOW
