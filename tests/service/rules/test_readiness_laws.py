"""What holds for every history, whatever is in it."""

from __future__ import annotations

import math
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from integrations.records import ActivityKind, Kind
from service.rules.model import History, LoggedActivity, Post, Verdict
from service.rules.readiness import ready_for_call, talk
from service.rules.readiness.heard import Heard, above
from service.rules.readiness.talk import NEED_LASTS, Course, Word
from tests.service.rules.making import DAY, HOUR, MONDAY, POLICY, answer, post, replace

CALL, MEETING = ActivityKind.CALL, ActivityKind.MEETING
CHAT = "saw your shop window today"
TEXTS = (
    CHAT, CHAT, "How do I log in?", "thanks!", "it is broken", "Could you give me a call?", "how much is it", "not now, maybe in January",
    "We have 30 sites and my boss wants a quote by Friday", "this is ridiculous, I want a refund", "please don't call me",
    "the board meets on Monday", "it's complicated, I don't know where to start", "yes please", "oops, wrong account",
    "give me a shout after Easter", "sorry, only just seen this, yes please", "nope, all good", "just ordered it, works now",
)  # fmt: skip
OURS = ("Here you are.", "Shall we give you a call?", "Speak tomorrow at 10 then")
EAGER = replace(POLICY, call_score=0.2, call_recent=10 * DAY)
STANDINGS = st.sampled_from([{}, {"known": True}, {"known": True, "deal": "open"}, {"known": True, "deal": "won"}])

hours = st.integers(0, 24 * 40)
nows = hours.map(lambda number: MONDAY + number * HOUR)


def judge(*posts: Post, now, policy=EAGER, **changes) -> Verdict:
    return ready_for_call(History("Ana", posts, **changes), now=now, policy=policy)


@st.composite
def histories(draw, texts=TEXTS) -> tuple[Post, ...]:
    posts: list[Post] = []
    for number in range(draw(st.integers(0, 14))):
        at = MONDAY + draw(hours) * HOUR
        theirs = [each.id for each in posts if not each.ours]
        if theirs and draw(st.booleans()):
            posts.append(answer(f"x{number}", at, to=draw(st.sampled_from(theirs)), text=draw(st.sampled_from(OURS))))
        else:
            kind = draw(st.sampled_from([Kind.MENTION, Kind.MENTION, Kind.DIRECT]))
            posts.append(post(f"x{number}", at, draw(st.sampled_from(texts)), kind=kind))
    return tuple(posts)


logs = st.lists(
    st.builds(
        LoggedActivity,
        st.sampled_from([CALL, MEETING, ActivityKind.EMAIL]),
        st.integers(-24 * 100, 24 * 60).map(lambda number: MONDAY + number * HOUR),
        outcome=st.sampled_from(["connected", "held", "no_answer", "cancelled", ""]),
    ),
    max_size=2,
).map(tuple)


@given(histories(), logs, nows, STANDINGS, st.randoms(use_true_random=False))
def test_order_of_arrival_and_duplicates_change_nothing(posts, activities, now, standing, random):
    mixed = [*posts, *(random.choices(posts, k=3) if posts else [])]
    random.shuffle(mixed)
    other = [*activities, *activities]
    random.shuffle(other)
    before = judge(*posts, now=now, activities=activities, **standing)
    assert judge(*mixed, now=now, activities=tuple(other), **standing) == before


@given(histories(), logs, nows, STANDINGS, hours)
def test_one_more_exchange_never_makes_anybody_less_ready(posts, activities, now, standing, when):
    """They say something that asks for nothing, and the next thing that anybody says is our answer. It does not come between
    what they said before and our answer to that, which would become a second word of ours in a row. No answer is older than what it
    answers: by clocks that run backwards, an exchange has no instant."""
    assume(_no_answer_is_older_than_its_question(posts))
    at = MONDAY + when * HOUR
    assume(all(abs(each.at - at) >= HOUR for each in posts))
    following = [each for each in sorted(posts, key=lambda each: each.at) if each.at > at]
    assume(not following or not following[0].ours)
    more = (post("t", at, CHAT), answer("o", at + HOUR / 2, to="t"))
    before = judge(*posts, now=now, activities=activities, **standing)
    after = judge(*posts, *more, now=now, activities=activities, **standing)
    if at + HOUR <= now:
        assert after.score >= before.score - 1e-9
        assert after.finding or not before.finding


def _no_answer_is_older_than_its_question(posts: tuple[Post, ...]) -> bool:
    at_of = {each.native_id: each.at for each in posts}
    return all(not each.ours or each.at >= at_of.get(each.in_reply_to, each.at) for each in posts)


@given(histories(), logs, nows, STANDINGS, st.lists(hours, max_size=5))
def test_more_of_theirs_alone_never_makes_anybody_more_ready(posts, activities, now, standing, when):
    """What asks for nothing adds nothing as long as nobody answers it. Whoever answers a nudge of ours is not alone, and by clocks that run
    backwards an answer of ours may come after what they add."""
    assume(_no_answer_is_older_than_its_question(posts))
    ordered = sorted(posts, key=lambda each: each.at)
    assume(not ordered or not ordered[-1].ours)
    last = max((each.at for each in posts), default=MONDAY)
    more = [post(f"m{n}", last + at * HOUR, CHAT) for n, at in enumerate(when, 1)]
    before = judge(*posts, now=now, activities=activities, **standing)
    after = judge(*posts, *more, now=now, activities=activities, **standing)
    assert after.score <= before.score + 1e-9
    assert before.finding or not after.finding


@given(histories(), logs, nows, STANDINGS, st.lists(hours, max_size=5))
def test_more_of_ours_alone_never_makes_anybody_more_ready(posts, activities, now, standing, when):
    """Where the last word is ours already, another one is a monologue."""
    ordered = sorted(posts, key=lambda each: (each.at, each.ours))
    assume(not ordered or ordered[-1].ours)
    last = max((each.at for each in posts), default=MONDAY)
    more = [answer(f"m{n}", last + at * HOUR, mentions=("ana",), text="Anything new?") for n, at in enumerate(when, 1)]
    before = judge(*posts, now=now, activities=activities, **standing)
    after = judge(*posts, *more, now=now, activities=activities, **standing)
    assert after.score <= before.score + 1e-9
    assert before.finding or not after.finding


@given(histories(texts=("Could you give me a call?", *TEXTS)), logs, nows, STANDINGS)
def test_a_call_is_ripe_the_moment_it_would_have_been_asked_for_by_somebody_who_always_looked(
    posts, activities, now, standing
):
    """What counts as late is measured from there."""
    finding = judge(*posts, now=now, activities=activities, **standing).finding
    if finding is None:
        return
    assert finding.since <= finding.ripe_at <= now
    then = judge(*posts, now=finding.ripe_at, activities=activities, **standing)
    assert then.finding
    assert then.finding.ripe_at == finding.ripe_at


settings = st.builds(
    lambda certainty, exchanges, recent, quiet: replace(
        POLICY, call_score=certainty / 100, call_min_exchanges=exchanges, call_recent=recent * DAY, call_quiet=quiet * DAY
    ),
    st.integers(5, 95), st.integers(1, 3), st.integers(1, 365), st.integers(0, 730),
)  # fmt: skip
LONG = "our hallway is narrow and full of shoes, and nobody in this house finds any pair that belongs together. " * 2


@given(histories(texts=(*TEXTS, LONG)), logs, st.integers(0, 24 * 200), STANDINGS, settings)
def test_under_any_settings_a_verdict_has_its_reasons(posts, activities, when, standing, policy):
    verdict = judge(*posts, now=MONDAY + when * HOUR, policy=policy, activities=activities, **standing)
    assert all(verdict.reasons)
    assert verdict.reasons


@given(st.lists(hours, max_size=30), nows, st.booleans(), STANDINGS)
def test_talk_of_one_side_is_never_ready(when, now, ours, standing):
    posts = [
        answer(f"m{n}", MONDAY + at * HOUR, mentions=("ana",)) if ours else post(f"m{n}", MONDAY + at * HOUR, CHAT)
        for n, at in enumerate(when)
    ]
    assert judge(*posts, now=now, **standing).finding is None


@given(histories(), logs, nows, histories(texts=("I was diagnosed with diabetes, call me please",)))
def test_tender_posts_take_no_part(posts, activities, now, tender):
    others = [replace(each, id=f"z{each.id}", native_id=f"z{each.native_id}") for each in tender if not each.ours]
    before = judge(*posts, now=now, activities=activities)
    assert judge(*posts, *others, now=now, activities=activities) == before


@given(histories(), logs, nows, STANDINGS, st.integers(0, 99))
def test_until_it_says_to_look_again_nothing_changes(posts, activities, now, standing, part):
    verdict = judge(*posts, now=now, activities=activities, **standing)
    until = verdict.look_again_at or now + 400 * DAY
    assert until > now
    later = judge(*posts, now=now + (until - now) * part / 100, activities=activities, **standing)
    assert (later.finding is None) == (verdict.finding is None)
    if later.finding and verdict.finding:
        assert later.finding.episode == verdict.finding.episode
        assert later.finding.due_at == verdict.finding.due_at


@given(histories(), logs, nows, st.integers(1, 24 * 9))
def test_what_comes_while_they_are_ready_does_not_change_the_episode(posts, activities, now, more):
    held, then = [each for each in posts if each.at <= now], now + more * HOUR
    before = judge(*held, now=then, activities=activities)
    again = (post("t", then, CHAT), answer("o", then, to="t"))
    after = judge(*held, *again, now=then, activities=activities)
    if before.finding:
        assert after.finding
        assert after.finding.episode == before.finding.episode


@given(histories(), logs, nows, STANDINGS, st.sampled_from(["Pacific/Kiritimati", "America/St_Johns", "Europe/Berlin"]))
def test_a_time_zone_moves_nothing_but_the_hour_when_it_is_due(posts, activities, now, standing, zone):
    around = replace(EAGER, hours={day: ((MONDAY.min.time(), MONDAY.min.time()),) for day in range(7)})
    here = judge(*posts, now=now, activities=activities, policy=around, **standing)
    there = judge(*posts, now=now, activities=activities, policy=replace(around, timezone=zone), **standing)
    assert (here.finding is None, here.score, here.stage, here.look_again_at) == (
        there.finding is None, there.score, there.stage, there.look_again_at,
    )  # fmt: skip
    if here.finding and there.finding:
        assert here.finding.episode == there.finding.episode
        assert abs(here.finding.due_at - there.finding.due_at) <= timedelta(hours=1)


@given(
    st.lists(st.tuples(st.integers(0, 24 * 10), *[st.floats(0, 0.99)] * 3), min_size=1, max_size=12),
    st.integers(0, 24 * 20),
)
def test_what_is_at_stake_is_weighed_as_if_each_word_were_looked_at_anew(told, later):
    course, at = Course(), MONDAY
    for hours, stake, need, terms in told:
        at += hours * HOUR
        course.weigh(Word(at, False, post("w", at), 0, False, Heard(stake=stake, need=need, terms=terms)))
    now = at + later * HOUR
    lately = [word.heard for word in course.weighty if word.at >= now - NEED_LASTS]
    assert course.stake(now) == pytest.approx(1 - math.prod(1 - above(each.stake) for each in lately))
    assert course.interest(now) == max((above(max(each.need, each.terms)) for each in lately), default=0.0)


def test_a_talk_of_thousands_is_weighed_word_by_word_and_not_each_beside_all_the_others(monkeypatch):
    looked = Counter()

    def judged(number: int) -> int:
        monkeypatch.setattr(talk, "above", lambda odds: looked.update([number]) or above(odds))
        posts = [
            (
                post(f"t{n}", MONDAY + n * HOUR / 60, f"We want {n} desks by Friday"),
                answer(f"o{n}", MONDAY + n * HOUR / 60, to=f"t{n}"),
            )
            for n in range(number)
        ]
        judge(*(each for pair in posts for each in pair), now=MONDAY + 2 * DAY)
        return looked[number]

    assert judged(400) < 3 * judged(200)
