from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.records import ActivityKind, Kind, TaskKind
from service.rules.model import History, LoggedActivity, Post, Signals, Verdict
from service.rules.readiness import ready_for_call
from tests.service.rules.making import DAY, HOUR, MONDAY, POLICY, answer, post

CALL, MEETING = ActivityKind.CALL, ActivityKind.MEETING
CHAT = "saw your shop window today"
ASK = "Could you give me a call?"


def exchange(number: int, at, text: str = CHAT, **changes) -> tuple[Post, Post]:
    """They wrote, and an hour later we answered."""
    return post(f"t{number}", at, text, **changes), answer(f"o{number}", at + HOUR, to=f"t{number}")


def exchanges(*days: float) -> tuple[Post, ...]:
    return tuple(each for number, day in enumerate(days) for each in exchange(number, MONDAY + day * DAY))


WARM = exchanges(0, 5, 10, 16)
NOW = MONDAY + 17 * DAY


def judge(*posts: Post, now=NOW, policy=POLICY, **changes) -> Verdict:
    return ready_for_call(History("Ana", posts, **changes), now=now, policy=policy)


def test_going_back_and_forth_over_weeks_makes_ready():
    verdict = judge(*WARM)
    finding = verdict.finding
    assert finding is not None
    assert (finding.kind, finding.episode) == (TaskKind.READY_FOR_CALL, "t3")
    assert finding.since == MONDAY + 16 * DAY + HOUR
    assert verdict.stage == "ready to talk"
    assert verdict.reasons == ("You have gone back and forth 4 times over 2 weeks, last on 18 March.",)
    assert verdict.look_again_at == MONDAY + 37 * DAY + HOUR
    assert set(finding.evidence) == {"t3"}


@pytest.mark.parametrize(
    ("days", "why"),
    [
        ((0, 5, 16), "too few"),
        ((0, 0.1, 0.2, 16), "too few days"),
        ((0, 2, 4, 6), "too short a time"),
        ((0, 100, 105, 110), "a long silence in between"),
    ],
)
def test_less_talk_is_not_enough(days, why):
    verdict = judge(*exchanges(*days), now=MONDAY + days[-1] * DAY + DAY)
    assert verdict.finding is None, why
    assert verdict.stage == "conversing"
    assert "A call is suggested after 4 times on 4 days over 2 weeks." in verdict.reasons[0]


def test_talk_that_is_not_recent_is_not_enough():
    verdict = judge(*WARM, now=MONDAY + 37 * DAY + HOUR)
    assert verdict.finding is None
    assert verdict.look_again_at is None
    assert "too long ago" in verdict.reasons[0]


def test_talk_on_several_networks_counts_together():
    posts = [replace(each, network="Birdsong" if number < 4 else "Fediverse") for number, each in enumerate(WARM)]
    assert judge(*posts).finding


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda p: replace(p, deleted=True),
        lambda p: replace(p, kind=Kind.CONTEXT),
        lambda p: replace(p, signals=Signals(tender=True)),
        lambda p: replace(p, signals=Signals(broadcast=True)),
        lambda p: replace(p, signals=Signals(polite_close=True)),
    ],
)
def test_posts_that_take_no_part_do_not_count(spoiled):
    posts = [spoiled(each) if each.id == "t0" else each for each in WARM]
    assert judge(*posts).finding is None


def test_our_posts_to_everybody_are_no_answer():
    posts = [replace(each, in_reply_to=None) if each.ours else each for each in WARM]
    verdict = judge(*posts)
    assert verdict.finding is None
    assert verdict.stage == "aware"


def test_who_asks_to_talk_is_ready_at_once():
    verdict = judge(post("q", NOW - HOUR, ASK))
    assert verdict.finding
    assert verdict.finding.episode == "q"
    assert verdict.finding.due_at == NOW + 2 * HOUR  # asked before they opened
    assert verdict.reasons == ("Ana asked to talk on Birdsong on 19 March.",)
    assert judge(*WARM).finding.urgency < verdict.finding.urgency


@pytest.mark.parametrize(
    ("asked", "changes"),
    [
        (post("q", NOW - HOUR, "Could you give me a call? I was diagnosed with diabetes"), {}),
        (post("q", NOW - HOUR, ASK, kind=Kind.CONTEXT), {}),
        (post("q", NOW - HOUR, ASK, deleted=True), {}),
        (post("q", NOW - 21 * DAY, ASK), {}),
        (post("q", NOW - DAY, ASK), {"activities": (LoggedActivity(CALL, NOW - HOUR, outcome="connected"),)}),
        (post("q", NOW - DAY, ASK), {"last_call_task_closed_at": NOW - HOUR}),
        (post("q", NOW + HOUR, ASK), {}),
    ],
)
def test_a_wish_that_is_tender_stale_gone_or_granted_does_not_count(asked, changes):
    assert judge(asked, **changes).finding is None


@pytest.mark.parametrize(
    ("changes", "until"),
    [
        ({"activities": (LoggedActivity(CALL, MONDAY, outcome="connected"),)}, MONDAY + 90 * DAY),
        (
            {"activities": (LoggedActivity(MEETING, MONDAY, outcome="held", ends_at=MONDAY + HOUR),)},
            MONDAY + 90 * DAY + HOUR,
        ),
        ({"activities": (LoggedActivity(MEETING, NOW + DAY),)}, NOW + DAY),
        ({"activities": (LoggedActivity(MEETING, NOW - HOUR, outcome="scheduled", ends_at=NOW + HOUR),)}, NOW + HOUR),
        ({"last_call_task_closed_at": MONDAY - DAY}, MONDAY + 89 * DAY),
        ({"do_not_call": True}, None),
        ({"unsubscribed": True}, None),
    ],
)
def test_nobody_is_called_who_was_just_talked_to_or_wants_no_calls(changes, until):
    verdict = judge(*WARM, **changes)
    assert verdict.finding is None
    assert verdict.look_again_at == until
    assert verdict.reasons[0].endswith(".")


@pytest.mark.parametrize(
    "activity",
    [
        LoggedActivity(CALL, NOW - DAY, outcome="no_answer"),
        LoggedActivity(MEETING, NOW + DAY, outcome="cancelled"),
        LoggedActivity(ActivityKind.EMAIL, NOW - DAY, outcome="sent"),
        LoggedActivity(ActivityKind.NOTE, NOW - DAY),
    ],
)
def test_what_was_no_talk_stands_against_nothing(activity):
    assert judge(*WARM, activities=(activity,)).finding


def test_whoever_asks_anew_after_a_talk_is_ready():
    held = LoggedActivity(CALL, MONDAY + 16.5 * DAY, outcome="connected")
    assert judge(*WARM, activities=(held,)).finding is None
    again = judge(*WARM, post("q", NOW - HOUR, ASK), activities=(held,))
    assert again.finding
    assert again.finding.episode == "q"


def test_after_the_quiet_time_talk_since_then_counts():
    held = LoggedActivity(CALL, MONDAY - DAY, outcome="connected")
    posts = exchanges(70, 75, 80, 85)
    assert judge(*posts, now=MONDAY + 88 * DAY, activities=(held,)).look_again_at == MONDAY + 89 * DAY
    assert judge(*posts, now=MONDAY + 89 * DAY, activities=(held,)).finding


def test_an_open_problem_comes_first():
    broken = post("p", NOW - HOUR, "it is broken")
    verdict = judge(*WARM, broken)
    assert verdict.finding is None
    assert "answer that first" in verdict.reasons[0]
    assert judge(*WARM, broken, answer("fix", NOW - 0.5 * HOUR, to="p")).finding


def test_more_talk_keeps_the_episode_and_after_a_break_it_is_a_new_one():
    more = exchange(9, MONDAY + 20 * DAY)
    assert judge(*WARM, *more, now=MONDAY + 21 * DAY).finding.episode == "t3"
    late = exchange(9, MONDAY + 60 * DAY)
    assert judge(*WARM, *late, now=MONDAY + 61 * DAY).finding.episode == "t9"


def test_a_wish_before_the_talk_was_enough_names_the_episode():
    asked = post("q", MONDAY + 12 * DAY, ASK)
    assert judge(*WARM, asked).finding.episode == "q"
    assert judge(*WARM, asked, *exchange(9, MONDAY + 16.9 * DAY)).finding.episode == "q"


@pytest.mark.parametrize(
    ("posts", "activities", "stage"),
    [
        ((), (), "aware"),
        ((post("q", MONDAY),), (), "aware"),
        (exchanges(0), (), "in contact"),
        (exchanges(0, 1), (), "conversing"),
        (WARM, (), "ready to talk"),
        (WARM, (LoggedActivity(CALL, MONDAY, outcome="connected"),), "talked"),
        (
            WARM,
            (LoggedActivity(CALL, MONDAY, outcome="connected"), LoggedActivity(MEETING, MONDAY, outcome="held")),
            "met",
        ),
        (
            exchanges(0),
            (LoggedActivity(CALL, MONDAY, outcome="no_answer"), LoggedActivity(MEETING, NOW + DAY)),
            "in contact",
        ),
    ],
)
def test_the_stage_says_where_they_stand(posts, activities, stage):
    assert judge(*posts, activities=activities).stage == stage


# --- laws -----------------------------------------------------------------------------------------------------

hours = st.integers(0, 24 * 40)
TEXTS = [CHAT, CHAT, "How do I log in?", "thanks!", "it is broken", ASK, "how much is it"]


@st.composite
def histories(draw, texts=tuple(TEXTS)) -> tuple[Post, ...]:
    posts: list[Post] = []
    for number in range(draw(st.integers(0, 14))):
        at = MONDAY + draw(hours) * HOUR
        theirs = [each.id for each in posts if not each.ours]
        if theirs and draw(st.booleans()):
            posts.append(answer(f"x{number}", at, to=draw(st.sampled_from(theirs))))
        else:
            posts.append(post(f"x{number}", at, draw(st.sampled_from(texts))))
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
nows = hours.map(lambda number: MONDAY + number * HOUR)
EAGER = replace(POLICY, call_min_exchanges=2, call_min_days=2, call_min_weeks=1, call_recent=10 * DAY)


@given(histories(), logs, nows, st.randoms(use_true_random=False))
def test_order_and_duplicates_change_nothing(posts, activities, now, random):
    mixed = [*posts, *(random.choices(posts, k=3) if posts else [])]
    random.shuffle(mixed)
    other = [*activities, *activities]
    random.shuffle(other)
    assert judge(*mixed, now=now, policy=EAGER, activities=tuple(other)) == judge(
        *posts, now=now, policy=EAGER, activities=activities
    )


@given(histories(), logs, nows, st.tuples(hours, hours))
def test_one_more_exchange_never_makes_anybody_less_ready(posts, activities, now, when):
    theirs, ours = sorted(when)
    more = (post("t", MONDAY + theirs * HOUR, CHAT), answer("o", MONDAY + ours * HOUR, to="t"))
    before = judge(*posts, now=now, policy=EAGER, activities=activities)
    if before.finding and ours * HOUR + MONDAY <= now:
        assert judge(*posts, *more, now=now, policy=EAGER, activities=activities).finding


@given(histories(), logs, nows, st.lists(hours, max_size=5), st.booleans())
def test_posts_of_one_side_alone_never_make_anybody_more_ready(posts, activities, now, when, ours):
    last = max((each.at for each in posts), default=MONDAY)
    more = [
        answer(f"m{n}", last + at * HOUR) if ours else post(f"m{n}", last + at * HOUR, CHAT)
        for n, at in enumerate(when)
    ]
    before = judge(*posts, now=now, policy=EAGER, activities=activities)
    after = judge(*posts, *more, now=now, policy=EAGER, activities=activities)
    assert before.finding or not after.finding


@given(st.lists(hours, max_size=30), nows, st.booleans())
def test_talk_of_one_side_is_never_ready(when, now, ours):
    posts = [
        answer(f"m{n}", MONDAY + at * HOUR, mentions=("ana",)) if ours else post(f"m{n}", MONDAY + at * HOUR, CHAT)
        for n, at in enumerate(when)
    ]
    assert judge(*posts, now=now, policy=EAGER).finding is None


@given(histories(), logs, nows, histories(texts=("I was diagnosed with diabetes, call me please",)))
def test_tender_posts_take_no_part(posts, activities, now, tender):
    others = [replace(each, id=f"z{each.id}", native_id=f"z{each.native_id}") for each in tender if not each.ours]
    assert judge(*posts, *others, now=now, activities=activities) == judge(*posts, now=now, activities=activities)


@given(histories(), logs, nows, st.integers(0, 99))
def test_until_it_says_to_look_again_nothing_changes(posts, activities, now, part):
    verdict = judge(*posts, now=now, policy=EAGER, activities=activities)
    until = verdict.look_again_at or now + 400 * DAY
    assert until > now
    later = judge(*posts, now=now + (until - now) * part / 100, policy=EAGER, activities=activities)
    assert (later.finding is None) == (verdict.finding is None)
    if later.finding and verdict.finding:
        assert later.finding.episode == verdict.finding.episode
        assert later.finding.due_at == verdict.finding.due_at


@given(histories(), logs, nows, st.integers(1, 24 * 9))
def test_what_comes_while_they_are_ready_does_not_change_the_episode(posts, activities, now, more):
    held, then = [each for each in posts if each.at <= now], now + more * HOUR
    before = judge(*held, now=then, policy=EAGER, activities=activities)
    again = (post("t", then, CHAT), answer("o", then, to="t"))
    after = judge(*held, *again, now=then, policy=EAGER, activities=activities)
    if before.finding:
        assert after.finding
        assert after.finding.episode == before.finding.episode


def test_days_are_those_of_the_workspace():
    # 23:00 and 00:30 in Berlin are two days there, and one in UTC.
    zone = ZoneInfo("Europe/Berlin")
    late = MONDAY.astimezone(zone).replace(hour=23)
    posts = [*exchange(0, late), *exchange(1, late + 1.5 * HOUR)]
    needed = replace(POLICY, call_min_exchanges=2, call_min_days=2, call_min_weeks=0)
    assert judge(*posts, policy=replace(needed, timezone="Europe/Berlin")).finding
    assert judge(*posts, policy=needed).finding is None
