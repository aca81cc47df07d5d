from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.errors import UnexpectedResponseError
from integrations.records import Author, Engagement, Kind
from integrations.social.x import parse
from tests.integrations.social.x.wire import NOW, US, dm, snowflake, tweet

FIXTURES = Path(__file__).parent / "fixtures"
ROOT = "2034567890000000000"
VIEW = parse.View(US, "https://x.com")


def _page(name: str) -> tuple[list[dict[str, Any]], parse.View]:
    body = json.loads((FIXTURES / name).read_text())
    includes = body["includes"]
    referenced = includes.get("tweets") or includes.get("posts")
    view = parse.View(
        US,
        "https://x.com",
        {each["id"]: each for each in includes["users"]},
        {each["id"]: each for each in referenced},
        floor=Kind.MENTION,
    )
    return body["data"], view


def _mentions() -> list[Engagement]:
    return list(parse.posts(*_page("mentions.json")).items)


def test_a_reply_to_us_is_read_whole() -> None:
    reply = _mentions()[0]
    assert (reply.id, reply.kind, reply.thread, reply.in_reply_to) == ("2034567890123456789", Kind.REPLY, ROOT, ROOT)
    assert (reply.in_reply_to_author, reply.mentions, reply.language) == (US.id, (US.id,), "en")
    assert reply.created_at == datetime(2026, 3, 20, 10, 15, 30, tzinfo=UTC)
    assert reply.url == "https://x.com/ada_l/status/2034567890123456789"


def test_entities_are_decoded_and_each_short_link_is_expanded_by_its_own_target() -> None:
    assert _mentions()[0].text == (
        "@acme Are nuts & bolts <2cm in stock? See https://acme.example/bolts?size=2&unit=cm and https://acme.example/nuts"
    )


def test_an_author_brings_bio_website_place_and_followers() -> None:
    assert _mentions()[0].author == Author(
        "9", "ada_l", "Ada & Sons 🔩", "Bolts <3 https://bio.example", "https://x.com/ada_l", "https://ada.example", "Leeds",
        followers=321,
    )  # fmt: skip


def test_a_long_post_is_read_from_its_note_and_so_are_its_mentions() -> None:
    note = _mentions()[1]
    assert note.text.endswith("around here, with regards to @bea & https://letters.example/1")
    assert (note.kind, note.language) == (Kind.MENTION, None)
    assert note.mentions == (US.id,)  # its author, who is @bea, does not mention herself


def test_an_edited_quote_by_a_suspended_author_keeps_its_first_id_and_a_bare_author() -> None:
    quote = _mentions()[2]
    assert (quote.id, quote.kind, quote.quotes) == ("2034567890123456791", Kind.QUOTE, ROOT)
    assert quote.author == Author("11", "")
    assert quote.url == "https://x.com/i/status/2034567890123456795"
    assert (quote.edited_at, quote.language) == (datetime(2026, 3, 20, 10, 20, tzinfo=UTC), "he")
    assert quote.created_at == parse.snowflake_time(quote.id)
    assert quote.text == "\u200fשלום 👋 לכולם"


def test_a_repost_says_so() -> None:
    assert [item.is_repost for item in _mentions()] == [False, False, False, True]


def test_the_names_of_the_newer_contract_are_read_too() -> None:
    (reply,) = parse.posts(*_page("mentions_post_names.json")).items
    assert (reply.kind, reply.in_reply_to, reply.text) == (Kind.REPLY, ROOT, "@acme Not cut off & whole")


OURS = tweet(ROOT, US.id, "New anvils")
THEIRS = tweet("2034567890000000001", "30", "Anvils are heavy")


@pytest.mark.parametrize(
    ("row", "floor", "kind"),
    [
        (tweet("1", US.id, "@acme to ourselves"), Kind.MENTION, Kind.OWN),
        (tweet("1", US.id, "we reply", reply_to=("2", "9")), Kind.CONTEXT, Kind.OWN),
        (tweet("1", "9", "yes", reply_to=(ROOT, US.id)), Kind.CONTEXT, Kind.REPLY),
        (tweet("1", "9", "yes", reply_to=(ROOT, US.id), quotes=ROOT), Kind.CONTEXT, Kind.REPLY),
        (tweet("1", "9", "look", quotes=ROOT), Kind.CONTEXT, Kind.QUOTE),
        (tweet("1", "9", "@acme look", quotes=THEIRS["id"]), Kind.CONTEXT, Kind.MENTION),
        (tweet("1", "9", "@bea yes", reply_to=("2", "31"), conversation_id=ROOT), Kind.CONTEXT, Kind.COMMENT),
        (tweet("1", "9", "@bea @acme yes", reply_to=("2", "31"), conversation_id=ROOT), Kind.CONTEXT, Kind.MENTION),
        (tweet("1", "9", "yes", reply_to=(THEIRS["id"], "30"), conversation_id=THEIRS["id"]), Kind.CONTEXT, Kind.CONTEXT),
        (tweet("1", "9", "nothing about us"), Kind.CONTEXT, Kind.CONTEXT),
        (tweet("1", "9", "named between the lines"), Kind.MENTION, Kind.MENTION),
    ],
)  # fmt: skip
def test_a_post_is_judged_by_how_it_concerns_us(row: dict[str, Any], floor: Kind, kind: Kind) -> None:
    view = replace(VIEW, posts={each["id"]: each for each in (OURS, THEIRS)}, floor=floor)
    assert parse.post(row, view).kind is kind


def test_a_quote_whose_original_is_left_out_is_known_by_its_link() -> None:
    link = {"url": "https://t.co/aaaaaaaaaa", "expanded_url": f"https://twitter.com/Acme/status/{ROOT}"}
    row = tweet("1", "9", "see https://t.co/aaaaaaaaaa", quotes=ROOT, entities={"urls": [link]})
    assert parse.post(row, VIEW).kind is Kind.QUOTE
    stranger = {**link, "expanded_url": f"https://x.com/somebody/status/{ROOT}"}
    assert parse.post({**row, "entities": {"urls": [stranger]}}, VIEW).kind is Kind.CONTEXT


def test_an_implicit_mention_names_us() -> None:
    assert parse.post(tweet("1", "9", "yes"), replace(VIEW, floor=Kind.MENTION)).mentions == (US.id,)


def test_a_mention_without_an_id_is_known_by_its_handle() -> None:
    row = tweet(
        "1", "9", "hi", entities={"mentions": [{"username": "BEA"}, {"username": "nobody"}, {"username": "Acme"}]}
    )
    view = replace(VIEW, users={"31": {"id": "31", "username": "bea"}})
    assert parse.post(row, view).mentions == ("31", US.id)


@pytest.mark.parametrize(
    "entity",
    [
        {"id": US.id, "username": 'acme" OR url:"evil'},
        {"id": US.id, "username": "acme\x00"},
        {"id": US.id},
        {"id": US.id, "username": "ACME"},
        {"id": "9", "username": "acme_new"},
        "acme_new",
        None,
    ],
)
def test_what_names_us_by_no_other_handle_renames_nobody(entity: Any) -> None:
    rows = [tweet("1", text="hello", entities={"mentions": [entity]}), {"entities": None}, None]
    assert parse.renamed(parse.named(rows, VIEW), VIEW) is None


@pytest.mark.parametrize("name", ["referenced_tweets", "referenced_posts"])
def test_a_repost_of_what_named_us_by_an_older_handle_renames_nobody(name: str) -> None:
    repost = tweet(
        "2",
        text="RT @bea: love @acme_old",
        entities={"mentions": [{"id": US.id, "username": "acme_old"}]},
        **{name: [{"type": "retweeted", "id": "1"}]},
    )
    assert parse.renamed(parse.named([repost], VIEW), VIEW) is None


def test_a_reference_to_an_edited_post_names_its_first_version() -> None:
    edited = tweet("202", US.id, "better", edit_history_tweet_ids=["201", "202"])
    item = parse.post(tweet("300", "9", "yes", reply_to=("202", US.id)), replace(VIEW, posts={"202": edited}))
    assert item.in_reply_to == "201"


def test_a_post_without_a_time_has_it_from_its_id() -> None:
    row = tweet(snowflake(NOW), "9", "hi")
    del row["created_at"]
    assert parse.post(row, VIEW).created_at == NOW


@pytest.mark.parametrize("text", ["", "🦺" * 5000, "ا" * 10_000, "a" * 10_000, "\u200fמה? \u202e\u200f", "1\n2\t3"])
def test_any_text_is_kept_as_it_is(text: str) -> None:
    assert parse.post(tweet("1", "9", text), VIEW).text == text


def test_what_somebody_wrote_as_an_escape_stays_one() -> None:
    assert parse.plain("&amp;lt;b&amp;gt; &amp;amp; &amp;copy; &copy;") == "&lt;b&gt; &amp; &copy; &copy;"


def test_what_a_database_refuses_is_taken_out() -> None:
    text = parse.post(tweet("1", "9", "a\x00b\ud83d"), VIEW).text
    assert text == "ab?"


@pytest.mark.parametrize("missing", ["text", "lang", "conversation_id", "edit_history_tweet_ids"])
def test_what_x_may_leave_out_may_be_missing(missing: str) -> None:
    row = tweet("77", "9", "hello")
    del row[missing]
    item = parse.post(row, VIEW)
    assert (item.id, item.thread) == ("77", "77")


BROKEN: list[Any] = [
    None,
    "a string",
    [],
    {},
    {"id": "1"},
    {"id": None, "author_id": "9"},
    {"id": "drop table", "author_id": "9", "created_at": "2026-03-20T10:00:00Z"},
    {"id": "1", "author_id": "9", "created_at": "yesterday"},
    {"id": "1", "author_id": "9", "text": "no time"},
    tweet("1", "9", entities="oops"),
    tweet("1", "9", referenced_tweets=[{"type": "quoted"}]),
    {**tweet("1", "9"), "text": 5},
]


@pytest.mark.parametrize("row", BROKEN)
def test_one_broken_row_is_skipped_with_a_note(row: Any) -> None:
    read = parse.posts([tweet("1", "9"), row, tweet("2", "9")], VIEW)
    assert [item.id for item in read.items] == ["1", "2"]
    assert read.notes == ("X sent 1 post that could not be read; the rest of the page was kept",)


def test_rows_of_which_none_can_be_read_are_an_unexpected_response() -> None:
    with pytest.raises(UnexpectedResponseError, match="none of them can be read"):
        parse.posts([{}, None], VIEW)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*tweet("1"), "users", "urls", "type"]), inner),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(_JSON, max_size=4), st.dictionaries(st.sampled_from(["entities", "text", "lang", "note_tweet"]), _JSON))
def test_no_row_whatever_it_holds_stops_the_others(rows: list[Any], more: dict[str, Any]) -> None:
    good = tweet("1", "9")
    assert good["id"] in {item.id for item in parse.posts([*rows, {**good, **more}, good], VIEW).items}


def test_a_message_in_a_group_is_for_nobody_in_particular() -> None:
    item = parse.message(dm("5", "9", NOW, conversation="1234567890"), VIEW)
    assert (item.thread, item.in_reply_to_author, item.author) == ("1234567890", None, Author("9", ""))


def test_links_of_a_message_are_expanded_under_either_name() -> None:
    urls = [{"url": "https://t.co/dmdmdmdmdm", "expanded_url": "https://acme.example"}]
    row = dm("5", "9", NOW, "see https://t.co/dmdmdmdmdm")
    for more in ({"urls": urls}, {"entities": {"urls": urls}}):
        assert parse.message({**row, **more}, VIEW).text == "see https://acme.example"


def test_people_who_join_a_conversation_are_no_messages() -> None:
    rows = [{"id": "4", "event_type": "ParticipantsJoin", "participant_ids": ["9"]}, dm("5", "9", NOW)]
    read = parse.messages(rows, VIEW)
    assert ([item.id for item in read.items], read.skipped) == (["dm:5"], 0)


def test_our_own_message_has_us_as_author_even_where_x_leaves_us_out() -> None:
    assert parse.message(dm("5", US.id, NOW), VIEW).author == US
