"""Who speaks to whom, where the place says nothing of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrations.records import Kind
from service.rules.model import Post
from service.rules.threads import by_person, linked, unique
from service.rules.unanswered import unanswered
from tests.service.rules.making import DAY, MONDAY, POLICY, answer, post, replace, talk


def channel(*lines: tuple[str, str], kind: Kind = Kind.COMMENT) -> list[Post]:
    """Posts half a minute apart; "us" is the brand. Nobody says what they answer."""
    found = []
    for number, (who, text) in enumerate(lines):
        at, name = MONDAY + timedelta(seconds=30 * number), f"{who.capitalize()} Smith"
        made = (
            answer(str(number), at, text=text)
            if who == "us"
            else post(str(number), at, text, author_id=f"id-{who}", kind=kind)
        )
        found.append(replace(made, author_name=name))
    return unique(found)


LINES = (
    ("ana", "my printer stopped working after the update, how do I get it back?"),
    ("bob", "do you sell spare bulbs for the old projector?"),
    ("us", "Bob: we do, the projector bulbs are in the shop"),
)
TALK = channel(*LINES, ("bob", "great, thanks"))


def waiting(posts: list[Post], who: str) -> bool:
    own = by_person(linked(posts)).get(f"id-{who}", [])
    return unanswered(talk(*own, author_id=f"id-{who}"), now=MONDAY + DAY, policy=POLICY).waiting_since is not None


def test_in_a_talk_without_links_our_answer_is_to_whom_it_names_and_nobody_else():
    assert [post.in_reply_to for post in linked(TALK)][2] == "n1"
    assert not waiting(TALK, "bob")
    assert waiting(TALK, "ana")


def test_a_guess_of_whom_we_answered_gives_way_and_what_we_say_that_we_answer_does_not():
    guessed = [replace(each, in_reply_to_author="id-ana") if each.ours else each for each in TALK]
    assert waiting(guessed, "ana")
    told = [replace(each, mentions=("id-ana",)) if each.ours else each for each in TALK]
    assert not waiting(told, "ana")


def test_a_comment_that_answers_another_guest_is_not_for_us():
    posts = channel(
        ("us", "Our new shop opens on Monday."),
        ("ana", "is there a bus to the new shop?"),
        ("bob", "ana: number nine stops right there, which bus do you take now?"),
    )
    assert waiting(posts, "ana")
    assert not waiting(posts, "bob")


def test_threads_with_links_private_talks_and_talks_of_two_stay_as_they_are():
    with_links = [*TALK[:-1], replace(TALK[-1], in_reply_to="n2")]
    private = [replace(each, kind=Kind.DIRECT) for each in TALK]
    alone = [each for each in TALK if each.author_id != "id-bob"] + channel(("ana", "hello?"))
    without_us = [each for each in TALK if not each.ours]
    for posts in (with_links, private, alone, without_us, []):
        assert linked(posts) is posts


def test_deleted_posts_answer_nothing_and_are_not_answered():
    gone = [replace(TALK[1], deleted=True, text="") if each is TALK[1] else each for each in TALK]
    assert all(each.in_reply_to != "n1" for each in linked(gone))


@pytest.mark.parametrize(
    ("question", "asks_back"),
    [
        ("my printer stopped working, how do I get it back?", "which printer is it?"),
        ("mein Drucker geht nicht mehr. wie bekomme ich ihn wieder?", "welcher Drucker ist es denn?"),
        ("mon imprimante ne marche plus, comment la relancer ?", "c'est quelle imprimante ?"),
    ],
)
def test_whom_we_ask_back_was_answered_in_any_language_and_whoever_asks_afterwards_waits(question: str, asks_back: str):
    posts = channel(
        ("bob", "do you sell spare bulbs?"), ("us", "we do, they are in the shop"), ("ana", question), ("us", asks_back)
    )
    assert not waiting(posts, "ana")
    assert not waiting(posts, "bob")
    assert waiting(channel(*LINES[:2], ("us", "one moment"), ("ana", question)), "ana")


def test_two_lines_of_one_answer_of_ours_answer_nobody_who_asks_behind_them():
    posts = channel(*LINES[1:], ("us", "and they are on offer this week"), ("ana", "how do I get my printer back?"))
    assert not waiting(posts, "bob")
    assert waiting(posts, "ana")
