"""An account, read: media and what is said below them, posts that tag us, the inbox, and the recheck."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from integrations import errors
from integrations.records import Engagement, Gone, Kind
from integrations.social.instagram.client import BELOW, REPLIES
from tests.integrations.graph.wire import NOW, error
from tests.integrations.social.instagram.wire import ADA, BEN, PAGE, US, WE, Instagram

DAY = timedelta(days=1)


def _pull(
    account: Instagram, stream: str = "media", cursor: str | None = None, threads: Sequence[str] = ()
) -> tuple[dict[str, Engagement], str | None]:
    pages = list(account.client().pull(stream, cursor, threads))
    return {item.id: item for each in pages for item in each.items}, pages[-1].cursor


def _id(medium: str, native: str) -> str:
    return f"comment:{medium}:{native}"


def test_a_talk_below_a_post_of_ours_is_read_whole(account: Instagram) -> None:
    medium = account.medium("New boots")
    top = account.comment(medium, ADA, "Do they run large?")
    ours = account.reply(top, WE, "@ada.example half a size")
    again = account.reply(top, ADA, "@acme thanks")
    other = account.reply(top, BEN, "Mine were fine")
    found, _ = _pull(account)
    assert {each: item.kind for each, item in found.items()} == {
        medium: Kind.OWN,
        _id(medium, top): Kind.COMMENT,
        _id(medium, ours): Kind.OWN,
        _id(medium, again): Kind.MENTION,
        _id(medium, other): Kind.COMMENT,
    }
    assert {item.thread for item in found.values()} == {medium}
    assert found[_id(medium, ours)].in_reply_to_author == ADA["id"]
    assert found[_id(medium, ours)].mentions == (ADA["id"],)
    assert found[_id(medium, top)].url == found[medium].url


def test_a_reply_below_a_comment_of_ours_answers_us(account: Instagram) -> None:
    medium = account.medium()
    ours = account.comment(medium, WE, "Ask us anything")
    theirs = account.reply(ours, ADA, "Do they run large?")
    found, _ = _pull(account)
    assert found[_id(medium, theirs)].kind is Kind.REPLY
    assert found[_id(medium, theirs)].in_reply_to == _id(medium, ours)


def test_a_new_reply_below_an_old_comment_is_found(account: Instagram) -> None:
    medium = account.medium(at=NOW - 20 * DAY)
    old = account.comment(medium, at=NOW - 19 * DAY)
    account.comment(medium, at=NOW - DAY)
    _, cursor = _pull(account)
    reply = account.reply(old, at=NOW)
    found, _ = _pull(account, cursor=cursor)
    assert _id(medium, reply) in found
    assert _id(medium, old) not in found


def test_all_comments_and_all_their_replies_are_read(account: Instagram) -> None:
    medium = account.medium(at=NOW - DAY)
    comments = [account.comment(medium) for _ in range(2 * BELOW + 1)]
    replies = [account.reply(comments[7]) for _ in range(3 * REPLIES + 1)]
    found, _ = _pull(account)
    assert set(found) == {medium, *(_id(medium, each) for each in comments + replies)}
    assert all(found[_id(medium, each)].in_reply_to == _id(medium, comments[7]) for each in replies)


def test_stopping_after_any_page_loses_no_reply(account: Instagram) -> None:
    account.wire.page = 3
    media = [account.medium(at=NOW - DAY + timedelta(minutes=number)) for number in range(4)]
    comments = {medium: [account.comment(medium) for _ in range(5)] for medium in media}
    replies = {medium: [account.reply(comments[medium][0]) for _ in range(8)] for medium in media}
    seen: set[str] = set()
    cursor: str | None = None
    for _ in range(60):
        first = next(iter(account.client().pull("media", cursor)))
        seen |= {item.id for item in first.items}
        cursor = first.cursor
    assert seen == {*media, *(_id(medium, each) for medium in media for each in comments[medium] + replies[medium])}


def test_posts_that_tag_us_are_read_to_the_empty_page_at_the_end(account: Instagram) -> None:
    account.wire.page = 2
    posts = {account.tag() for _ in range(4)}
    found, _ = _pull(account, "mentions")
    assert set(found) == posts
    assert all(item.kind is Kind.MENTION and item.author.id == "@ada.example" for item in found.values())
    assert len(account.wire.calls("GET", f"{US.id}/tags")) == 3


def test_an_answer_below_a_post_that_tags_us_is_ours(account: Instagram) -> None:
    post = account.tag(ADA)
    ours = account.comment(post, WE, "Thank you")
    found, _ = _pull(account, "mentions")
    assert found[_id(post, ours)].kind is Kind.OWN
    assert (found[_id(post, ours)].in_reply_to, found[_id(post, ours)].in_reply_to_author) == (post, "@ada.example")


def test_older_posts_are_looked_at_where_somebody_has_spoken(account: Instagram) -> None:
    old, young = account.medium(at=NOW - 90 * DAY), account.medium(at=NOW - DAY)
    comment, elsewhere = account.comment(old, at=NOW - DAY), account.tag()
    found, cursor = _pull(account, "threads", None, [old, young, elsewhere, "comment:1:2"])
    assert _id(old, comment) in found
    reply = account.reply(comment, WE, at=NOW)
    account.wire.asked.clear()
    found, _ = _pull(account, "threads", cursor, [old, young, elsewhere])
    assert _id(old, reply) in found
    assert [path for path, _ in account.wire.asked] == [old]


def test_messages_are_read_through_the_page(account: Instagram) -> None:
    talk = account.talk()
    theirs = account.message(talk, ADA, "Are you open?", NOW - timedelta(hours=2))
    ours = account.message(talk, WE, "Until six.", NOW - timedelta(hours=1))
    found, _ = _pull(account, "messages")
    one, two = found[f"dm:{talk}:{theirs}"], found[f"dm:{talk}:{ours}"]
    assert (one.author.id, one.author.handle) == (ADA["id"], "ada.example")
    assert one.window_closes_at == one.created_at + timedelta(hours=24)
    assert (two.author, two.in_reply_to_author, two.window_closes_at) == (US, ADA["id"], None)
    assert account.wire.calls("GET", f"{PAGE}/conversations")[0]["platform"] == "instagram"
    assert one.url == f"https://business.facebook.com/latest/inbox/all?asset_id={PAGE}"


def test_our_messages_are_ours_by_the_name_too(account: Instagram) -> None:
    talk = account.talk()
    native = account.message(talk, {"id": "another id of ours", "username": "Acme"}, at=NOW)
    assert _pull(account, "messages")[0][f"dm:{talk}:{native}"].author == US


def test_the_same_person_has_one_id_in_comments_and_messages(account: Instagram) -> None:
    medium, talk = account.medium(), account.talk()
    account.comment(medium, ADA)
    account.message(talk, ADA)
    people = {item.author.id for stream in ("media", "messages") for item in _pull(account, stream)[0].values()}
    assert people == {US.id, ADA["id"]}


def _again(account: Instagram, *ids: str) -> dict[str, Any]:
    return {each.id: each for each in account.client().recheck(ids)}


def test_a_recheck_follows_edits_and_deletions_below_our_posts(account: Instagram) -> None:
    medium = account.medium("before")
    top, deleted = account.comment(medium, text="before"), account.comment(medium)
    reply = account.reply(top)
    account.wire.nodes[medium]["caption"] = account.wire.nodes[top]["text"] = "after"
    account.wire.drop(deleted)
    found = _again(account, medium, _id(medium, top), _id(medium, reply), _id(medium, deleted))
    assert (found[medium].text, found[_id(medium, top)].text) == ("after", "after")
    assert found[_id(medium, reply)].in_reply_to == _id(medium, top)
    assert found[_id(medium, deleted)] == Gone(_id(medium, deleted))
    assert account.wire.calls("GET", f"{US.id}/tags") == []


def test_a_post_of_ours_that_is_gone_takes_its_comments_along(account: Instagram) -> None:
    medium, other = account.medium(), account.medium()
    comment = account.comment(medium)
    account.wire.drop(comment)
    account.wire.drop(medium)
    found = _again(account, medium, other, _id(medium, comment))
    assert found[medium] == Gone(medium)
    assert found[_id(medium, comment)] == Gone(_id(medium, comment))


def test_posts_that_tag_us_are_sought_in_their_list(account: Instagram) -> None:
    account.wire.page = 2
    posts = [account.tag(at=NOW - number * DAY) for number in range(7)]
    kept, deleted = account.comment(posts[5], WE), account.comment(posts[5], WE)
    account.wire.drop(posts[3])
    account.wire.drop(deleted)
    found = _again(account, posts[1], posts[3], _id(posts[5], kept), _id(posts[5], deleted))
    assert isinstance(found[posts[1]], Engagement)
    assert found[posts[3]] == Gone(posts[3])
    assert found[_id(posts[5], kept)].kind is Kind.OWN
    assert found[_id(posts[5], deleted)] == Gone(_id(posts[5], deleted))


def test_where_nothing_may_be_read_nothing_is_gone(account: Instagram) -> None:
    medium = account.medium()
    account.wire.foreign.add(medium)
    account.wire.refused[f"{US.id}/media"] = error(10, "(#10) requires instagram_basic", status=403)
    with pytest.raises(errors.PermissionDeniedError) as refused:
        _again(account, medium)
    assert refused.value.scope == "instagram_basic"


def test_messages_are_sought_in_their_talk(account: Instagram) -> None:
    talk = account.talk()
    kept, unsent = account.message(talk), account.message(talk)
    account.wire.drop(unsent)
    assert set(_again(account, f"dm:{talk}:{kept}")) == {f"dm:{talk}:{kept}"}
    assert _again(account, f"dm:{talk}:{unsent}") == {f"dm:{talk}:{unsent}": Gone(f"dm:{talk}:{unsent}")}


def test_whoami_names_the_account_that_is_linked_to_the_page(account: Instagram) -> None:
    who = account.client(account=None).whoami()
    assert (who.id, who.handle, who.followers) == (US.id, "acme", 12)
    assert account.client(account=None, options={}).whoami() == who
    account.wire.nodes[PAGE].pop("instagram_business_account")
    with pytest.raises(errors.UnexpectedResponseError, match="linked to the page"):
        account.client(account=None).whoami()


# --- renamed ------------------------------------------------------------------------------------------------------


def _renames_itself(account: Instagram, handle: str) -> None:
    for row in account.wire.nodes.values():
        if row.get("username") == US.handle:
            row["username"] = handle
        row.pop("from", None)  # what is left of who wrote it is the name
        row.pop("user", None)


def test_our_own_comments_stay_ours_when_we_have_renamed_ourselves_and_the_page_tells_the_new_name(
    account: Instagram,
) -> None:
    medium = account.medium("New boots")
    ours = account.comment(medium, WE, "Ask us anything")
    _renames_itself(account, "acme_new")
    *_, page = account.client().pull("media", None, ())
    found = {item.id: item for item in page.items}
    assert {found[medium].kind, found[_id(medium, ours)].kind} == {Kind.OWN}
    assert page.renamed is not None
    assert (page.renamed.account.id, page.renamed.account.handle) == (US.id, "acme_new")
    assert page.renamed.account.url == "https://www.instagram.com/acme_new/"


def test_who_takes_the_name_that_we_gave_up_is_a_stranger(account: Instagram) -> None:
    medium = account.medium("New boots")
    _renames_itself(account, "acme_new")
    theirs = account.comment(medium, {"id": "9100", "username": US.handle}, "Do they run large?")
    found, _ = _pull(account)
    assert found[_id(medium, theirs)].kind is Kind.COMMENT
    assert found[_id(medium, theirs)].author.id == "9100"


def test_an_account_that_kept_its_name_tells_no_other(account: Instagram) -> None:
    account.medium("New boots")
    assert [page.renamed for page in account.client().pull("media", None, ())] == [None]
