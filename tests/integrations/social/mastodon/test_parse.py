"""JSON to records, in the shapes of the different servers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.errors import UnexpectedResponseError
from integrations.records import Kind
from integrations.social.mastodon import parse
from integrations.social.mastodon.parse import Place, View
from tests.integrations.social.mastodon.shapes import ADDRESSES, AKKOMA, GOTOSOCIAL, MASTODON, SHAPES, TEXT
from tests.integrations.social.mastodon.wire import DOMAIN, US, WEB

VIEW = View(US, WEB, DOMAIN)


def _view(**more: Any) -> View:
    return replace(VIEW, authors={}, **more)


@pytest.mark.parametrize("software", SHAPES)
def test_an_answer_to_us_reads_the_same_from_every_server(software: str) -> None:
    row = SHAPES[software]
    item = parse.status(row, _view(software=software))
    assert (item.id, item.kind, item.text) == (row["id"], Kind.REPLY, TEXT)
    assert item.created_at == datetime(2026, 3, 20, 11, tzinfo=UTC)
    assert item.created_at.tzinfo is UTC
    assert item.in_reply_to == str(row["in_reply_to_id"])
    assert item.in_reply_to_author == US.id
    assert item.mentions == (US.id,)
    assert item.url == ADDRESSES[software]
    assert (item.author.id, item.author.handle) == (row["account"]["id"], "ada@elsewhere.example")
    assert item.author.name == "Ada Fell"
    assert not item.is_repost


@pytest.mark.parametrize(
    ("more", "address"),
    [
        ({"url": None}, "https://elsewhere.example/users/ada/statuses/1"),
        ({"url": "javascript:alert(1)"}, "https://elsewhere.example/users/ada/statuses/1"),
        ({"url": "javascript:alert(1)", "uri": "tag:elsewhere.example,2026:1"}, WEB),
        ({"url": 17, "uri": None}, WEB),
    ],
)
def test_nobody_is_sent_to_what_is_no_page(more: dict[str, Any], address: str) -> None:
    row = {**GOTOSOCIAL, **more, "account": {**GOTOSOCIAL["account"], "url": more["url"]}}
    item = parse.status(row, _view(software="gotosocial"))
    assert item.url == address
    assert item.author.url == f"{WEB}/@ada@elsewhere.example"


def test_edits_and_languages_are_told_where_the_server_tells_them() -> None:
    first, second = parse.status(MASTODON, _view()), parse.status(GOTOSOCIAL, _view())
    assert (first.edited_at, first.language) == (datetime(2026, 3, 20, 11, 5, tzinfo=UTC), "en")
    assert (second.edited_at, second.language) == (None, None)


def test_a_profile_is_read_with_its_verified_link_its_place_and_plain_words() -> None:
    wrote = parse.status(MASTODON, _view()).author
    assert (wrote.website, wrote.location, wrote.bio) == ("https://fell.example", "Graz", "Walks & maps. #hiking")
    assert (wrote.followers, wrote.bot, wrote.url) == (321, False, "https://elsewhere.example/@ada")


def test_a_hidden_number_of_followers_is_unknown() -> None:
    wrote = parse.status(AKKOMA, _view()).author
    assert (wrote.followers, wrote.website, wrote.location, wrote.bio) == (
        None,
        "https://fell.example",
        "Graz",
        "Walks\nMaps",
    )


def test_people_of_our_own_server_get_its_domain_even_where_it_is_not_the_servers_name() -> None:
    row = {**MASTODON, "account": {**MASTODON["account"], "acct": "bea", "username": "bea"}}
    item = parse.status(row, _view(domain="brand.example"))
    assert item.author.handle == "bea@brand.example"
    assert item.text.startswith("@acme@brand.example")
    assert item.url == f"{WEB}/@bea/{row['id']}"


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"in_reply_to_account_id": "12"}, Kind.MENTION),
        ({"in_reply_to_account_id": "12", "mentions": []}, Kind.CONTEXT),
        ({"account": {"id": US.id, "acct": "acme"}}, Kind.OWN),
        ({"account": {"id": US.id, "acct": "acme"}, "visibility": "direct"}, Kind.DIRECT),
        ({"visibility": "direct"}, Kind.DIRECT),
        ({"visibility": "private"}, Kind.REPLY),
        (
            {
                "in_reply_to_account_id": "12",
                "quote": {"state": "accepted", "quoted_status": {"id": "1", "account": {"id": US.id}}},
            },
            Kind.QUOTE,
        ),
        ({"in_reply_to_account_id": "12", "mentions": [], "quote": {"id": "1", "account": {"id": US.id}}}, Kind.QUOTE),
    ],
)
def test_what_a_post_is_to_us(more: dict[str, Any], kind: Kind) -> None:
    assert parse.status({**MASTODON, **more}, _view()).kind is kind


@pytest.mark.parametrize(("ours", "kind"), [(True, Kind.COMMENT), (False, Kind.CONTEXT)])
def test_what_is_said_to_others_below_a_post_of_ours_is_a_comment(ours: bool, kind: Kind) -> None:
    parent = str(MASTODON["in_reply_to_id"])
    row = {**MASTODON, "in_reply_to_account_id": "12", "mentions": []}
    item = parse.status(row, _view(places={parent: Place("root", ours)}))
    assert (item.kind, item.thread) == (kind, "root")


@pytest.mark.parametrize(
    ("quote", "quoted"),
    [
        ({"quote": {"state": "accepted", "quoted_status": {"id": "5", "account": {"id": "12"}}}}, "5"),
        ({"quote": {"state": "accepted", "quoted_status_id": "5"}}, "5"),
        ({"quote": {"state": "pending", "quoted_status": None}}, None),
        ({"quote": {"id": "5", "account": {"id": "12"}}, "quote_id": "5"}, "5"),
        ({"quote": None, "quote_id": "5"}, "5"),
        ({}, None),
    ],
)
def test_quotes_are_told_in_several_shapes(quote: dict[str, Any], quoted: str | None) -> None:
    assert parse.status({**MASTODON, **quote}, _view()).quotes == quoted


@pytest.mark.parametrize(
    ("answered", "names", "whom"),
    [
        ("12", ["12", "13"], "12"),
        (None, ["12"], "12"),
        (US.id, ["12"], "12"),
        (None, ["12", "13"], None),
        (None, [], None),
    ],
)
def test_a_private_post_of_ours_says_whom_it_is_for(answered: str | None, names: list[str], whom: str | None) -> None:
    row = {
        **MASTODON,
        "account": {"id": US.id, "acct": "acme"},
        "visibility": "direct",
        "in_reply_to_account_id": answered,
        "mentions": [{"id": each, "acct": "x", "url": f"https://x.example/{each}"} for each in names],
    }
    assert parse.status(row, _view()).in_reply_to_author == whom


def test_a_boost_is_a_repost_with_the_words_of_the_other() -> None:
    row = {**MASTODON, "id": "8", "content": "", "reblog": {**MASTODON, "content": "<p>theirs</p>"}}
    item = parse.status(row, _view())
    assert (item.id, item.is_repost, item.text) == ("8", True, "theirs")


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"spoiler_text": "food & drink"}, "food & drink\n\nyes"),
        ({"poll": {"options": [{"title": "red"}, {"title": "blue"}, "odd"]}}, "yes\n\n- red\n- blue"),
        (
            {"content": "", "media_attachments": [{"description": "A cracked helmet"}, {"description": None}]},
            "[A cracked helmet]",
        ),
        ({"media_attachments": [{"description": "A cracked helmet"}]}, "yes"),
        ({"content": None}, ""),
    ],
)
def test_warnings_polls_and_pictures_have_words_too(more: dict[str, Any], text: str) -> None:
    assert parse.status({**MASTODON, "content": "<p>yes</p>", **more}, _view()).text == text


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("mention", Kind.MENTION),
        ("quote", Kind.QUOTE),
        ("pending.reply", Kind.REPLY),
        ("favourite", None),
        ("status", None),
        ("pleroma:emoji_reaction", None),
        (None, None),
        (["mention"], None),
    ],
)
def test_of_notifications_only_those_that_speak_to_us_are_read(kind: Any, read: Kind | None) -> None:
    row = {"id": "1", "type": kind, "status": {**MASTODON, "in_reply_to_account_id": None, "mentions": []}}
    asked = [row] if parse.brings_post(row) else []
    assert [item.kind for item in parse.notifications(asked, _view()).items] == ([read] if read else [])


def test_a_notification_whose_post_is_gone_is_left_out() -> None:
    assert not parse.brings_post({"id": "1", "type": "mention", "status": None})


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {**MASTODON, "id": None},
        {**MASTODON, "id": True},
        {**MASTODON, "account": None},
        {**MASTODON, "account": {"acct": "ada"}},
        {**MASTODON, "created_at": "yesterday"},
        {**MASTODON, "created_at": None},
        {**MASTODON, "content": 17},
        None,
        17,
        [],
    ],
)
def test_one_broken_row_is_skipped_and_none_that_reads_is_an_error(broken: Any) -> None:
    read = parse.statuses([broken, MASTODON], _view())
    assert [item.id for item in read.items] == [MASTODON["id"]]
    assert len(read.notes) == 1
    with pytest.raises(UnexpectedResponseError):
        parse.statuses([broken], _view())


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2026-03-20T11:00:00.000Z", datetime(2026, 3, 20, 11, tzinfo=UTC)),
        ("2026-03-20T12:00:00+01:00", datetime(2026, 3, 20, 11, tzinfo=UTC)),
        ("2026-03-20T11:00:00", datetime(2026, 3, 20, 11, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", datetime(1970, 1, 1, tzinfo=UTC)),
        ("soon", None),
        (None, None),
        (17, None),
    ],
)
def test_times_are_instants_in_utc(value: Any, at: datetime | None) -> None:
    assert parse.instant(value) == at
