"""Talks out of reply links of which some are missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.rules.rebuilding import REJOIN, Sent, talks

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def theirs(
    id_: str, hours: float, to: str | None = None, author: str = "ana", addressed: tuple[str, ...] = ("us",)
) -> Sent:
    return Sent(id_, author, NOON + hours * HOUR, False, to, addressed)


def ours(
    id_: str, hours: float, to: str | None = None, addressed: tuple[str, ...] = ("ana",), author: str = "us"
) -> Sent:
    return Sent(id_, author, NOON + hours * HOUR, True, to, addressed)


def together(*posts: Sent) -> set[frozenset[str]]:
    found = talks(posts)
    return {frozenset(id_ for id_, talk in found.items() if talk == each) for each in found.values()}


def test_replies_make_one_talk_however_deep_and_it_is_named_for_its_beginning():
    assert talks([theirs("q", 0), ours("a", 1, "q"), theirs("q2", 2, "a"), theirs("other", 3)]) == {
        "q": "q", "a": "q", "q2": "q", "other": "other",
    }  # fmt: skip


def test_answers_to_the_same_missing_post_belong_together():
    assert talks([theirs("b", 1, "gone", author="bob"), ours("a", 2, "gone", addressed=())]) == {
        "a": "gone",
        "b": "gone",
    }


def test_what_has_lost_its_beginning_goes_on_with_the_last_talk_of_the_same_two():
    assert together(theirs("q", 0), ours("a", 1, "gone")) == {frozenset("qa")}
    assert together(theirs("q", 0), ours("a", 1, "q"), theirs("q2", 2, "gone")) == {frozenset({"q", "a", "q2"})}
    assert together(theirs("q", 0), ours("a", 1)) == {frozenset("qa")}  # a brand that names no post


def test_what_a_brand_says_without_a_link_answers_all_that_they_said_since_its_last_word():
    asked = theirs("old", 0), ours("a", 1, "old"), theirs("q", 2), theirs("comment", 3, "post")
    assert together(*asked, ours("b", 4)) == {frozenset({"old", "a"}), frozenset({"q", "comment", "b"})}


def test_what_names_nobody_and_replies_to_nothing_goes_on_with_what_a_brand_tells_them_without_a_link():
    private = theirs("q", 0, addressed=()), ours("a", 1), theirs("q2", 2, addressed=())
    assert together(*private) == {frozenset({"q", "a", "q2"})}
    assert len(together(*private, theirs("other", 3, author="bob", addressed=()))) == 2


def test_where_the_two_had_not_spoken_before_it_belongs_to_their_next_talk():
    assert together(theirs("q", 0, "gone"), theirs("q2", 1), ours("a", 2, "q2")) == {frozenset({"q", "q2", "a"})}
    far = REJOIN / HOUR + 1
    assert len(together(theirs("q", 0, "gone"), theirs("q2", far), ours("a", far + 1, "q2"))) == 2


def test_it_does_not_where_the_two_have_not_spoken_or_not_of_late():
    long = REJOIN / HOUR
    assert len(together(theirs("q", 0), ours("a", 1, "gone", addressed=("bob",)))) == 2
    assert len(together(theirs("q", 0), ours("a", 1, "gone", author="them"))) == 2
    assert len(together(theirs("q", 0), ours("a", long + 1, "gone"))) == 2
    assert len(together(theirs("q", 0), ours("a", long, "gone"))) == 1
    assert len(together(theirs("q", 0), theirs("q2", 1))) == 2  # whoever begins anew has lost nothing


def test_posts_that_answer_each_other_in_a_circle_and_themselves_do_no_harm():
    assert together(theirs("x", 0, "y"), theirs("y", 1, "x"), theirs("z", 2, "z")) == {frozenset("xy"), frozenset("z")}


def test_a_talk_of_twenty_thousand_posts_is_one():
    posts = [theirs(str(n), n / 60, str(n - 1) if n else None) for n in range(20_000)]
    assert set(talks(reversed(posts)).values()) == {"0"}


@st.composite
def files(draw) -> list[Sent]:
    found = []
    for number in range(draw(st.integers(0, 9))):
        to = draw(st.sampled_from([None, "gone", *map(str, range(10))]))
        hours = draw(st.integers(0, 400))
        addressed = draw(st.sampled_from([(), ("us",), ("ana",), ("bob", "us")]))
        make = draw(st.sampled_from([theirs, ours]))
        found.append(make(str(number), hours, to, addressed=addressed))
    return found


@given(files(), st.randoms(use_true_random=False))
def test_order_of_arrival_and_duplicates_change_nothing(posts, random):
    mixed = [*posts, *(random.choices(posts, k=3) if posts else [])]
    random.shuffle(mixed)
    assert talks(mixed) == talks(posts)


@given(files())
def test_a_reply_is_always_in_the_talk_of_what_it_answers(posts):
    found = talks(posts)
    assert set(found) == {each.id for each in posts}
    assert all(found[each.id] == found[each.in_reply_to] for each in posts if each.in_reply_to in found)
