"""What holds of whoever waits, whatever was said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from integrations.records import Kind
from service.rules.model import Post
from tests.service.rules.making import ALWAYS, DAY, HOUR, MONDAY, answer, post, replace, talk
from tests.service.rules.waiting import CALL, PRIVATE, episode, judge

TEXTS = ["How do I log in?", "thanks!", "it is broken", "nice", "never mind, it works now", "Thanks! When do you open?"]


@st.composite
def threads(draw) -> tuple[Post, ...]:
    posts: list[Post] = []
    for number in range(draw(st.integers(0, 9))):
        id_, at = str(number), MONDAY + draw(st.integers(0, 60)) * HOUR
        parent = draw(st.sampled_from([None, *(each.id for each in posts)]))
        open_for = draw(st.sampled_from([None, 4 * HOUR, DAY]))
        if draw(st.booleans()):
            posts.append(
                answer(id_, at, to=parent, mentions=draw(st.sampled_from([(), ("ana",)])), deleted=draw(st.booleans()))
            )
        else:
            kind = draw(st.sampled_from([Kind.MENTION, Kind.REPLY, Kind.COMMENT, Kind.DIRECT, Kind.CONTEXT]))
            author = draw(st.sampled_from(["ana", "ana", "bob"]))
            posts.append(post(id_, at, draw(st.sampled_from(TEXTS)), kind=kind, author_id=author, deleted=draw(st.booleans()),
                              in_reply_to=f"n{parent}" if parent else None, window_closes_at=at + open_for if open_for else None))  # fmt: skip
    return tuple(posts)


nows = st.integers(0, 24 * 120).map(lambda hours: MONDAY + hours * HOUR)


@given(threads(), nows, st.randoms(use_true_random=False))
def test_order_and_duplicates_change_nothing(posts, now, random):
    mixed = [*posts, *(random.choices(posts, k=3) if posts else [])]
    random.shuffle(mixed)
    assert judge(talk(*mixed), now=now) == judge(talk(*posts), now=now)


@given(threads(), nows)
def test_an_answer_now_ends_every_wait(posts, now):
    assert judge(talk(*posts, answer("last", now, mentions=("ana",))), now=now).waiting_since is None


@given(threads(), nows)
def test_a_finding_is_of_somebody_who_waits_and_its_patience_has_ended(posts, now):
    verdict = judge(talk(*posts), now=now)
    if verdict.finding:
        assert verdict.waiting_since == verdict.finding.since <= verdict.finding.due_at <= now
        assert 0 <= verdict.finding.urgency <= 100
    assert verdict.reasons


@given(threads(), nows, st.integers(0, 99))
def test_until_it_says_to_look_again_nothing_changes(posts, now, part):
    verdict = judge(talk(*posts), now=now)
    until = verdict.look_again_at or now + 400 * DAY
    assert until > now
    later = judge(talk(*posts), now=now + (until - now) * part / 100)
    assert (later.finding is None) == (verdict.finding is None)
    assert later.waiting_since == verdict.waiting_since
    if later.finding and verdict.finding:
        assert later.finding.urgency == verdict.finding.urgency
        assert later.finding.episode == verdict.finding.episode


@given(threads(), nows, st.sampled_from(["hello?", "thanks!"]), st.sampled_from([None, 4 * HOUR, DAY]))
def test_a_nudge_never_changes_the_episode(posts, now, text, open_for):
    before = judge(talk(*posts), now=now)
    nudge = post("nudge", now, text, window_closes_at=now + open_for if open_for else None)
    after = judge(talk(*posts, nudge), now=now)
    if before.finding:
        assert episode(after) == episode(before)


@given(threads(), nows)
def test_a_private_message_or_a_call_now_ends_every_wait(posts, now):
    for ending in (replace(PRIVATE, at=now), replace(CALL, at=now)):
        assert judge(talk(*posts, elsewhere=(ending,)), now=now).waiting_since is None


@given(threads(), nows, st.sampled_from([("ana",), ("ana", "us"), ()]), st.sampled_from([None, "n0", "n1"]))
def test_what_another_brand_says_changes_nothing(posts, now, mentions, to):
    rival = post(
        "rival", now, "We can help.", author_id="rival", mentions=mentions, in_reply_to=to, in_reply_to_author="ana"
    )
    assert judge(talk(*posts, rival), now=now) == judge(talk(*posts), now=now)


@given(threads(), nows, st.permutations([PRIVATE, CALL, replace(PRIVATE, id="dm2", at=MONDAY + 20 * HOUR)]))
def test_the_order_of_what_stands_elsewhere_changes_nothing(posts, now, elsewhere):
    ordered = sorted(elsewhere, key=lambda each: (each.at, getattr(each, "id", "")))
    assert judge(talk(*posts, elsewhere=tuple(elsewhere)), now=now) == judge(
        talk(*posts, elsewhere=tuple(ordered)), now=now
    )


@given(threads(), nows, st.sampled_from(["Asia/Tokyo", "America/St_Johns", "Pacific/Kiritimati", "Europe/London"]))
def test_around_the_clock_a_time_zone_changes_nothing_but_the_words(posts, now, zone):
    here, there = (
        judge(talk(*posts), now=now, policy=ALWAYS),
        judge(talk(*posts), now=now, policy=replace(ALWAYS, timezone=zone)),
    )
    assert (here.waiting_since, here.look_again_at, here.answers) == (
        there.waiting_since,
        there.look_again_at,
        there.answers,
    )
    assert (here.finding is None) == (there.finding is None)
    if here.finding and there.finding:
        assert (here.finding.due_at, here.finding.urgency) == (there.finding.due_at, there.finding.urgency)
