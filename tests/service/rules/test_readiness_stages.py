"""Where a relationship stands, and since when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given

from integrations.records import ActivityKind
from service.rules.model import LoggedActivity, Milestone
from service.rules.readiness.stages import STAGES, moved
from tests.service.rules.making import DAY, HOUR, MONDAY, answer, post
from tests.service.rules.test_readiness_laws import STANDINGS, histories, judge, logs, nows

CALL, MEETING = ActivityKind.CALL, ActivityKind.MEETING
TALK = (
    post("a", MONDAY, "saw your shop window"), answer("b", MONDAY + HOUR, to="a"),
    post("c", MONDAY + DAY, "and the door"), answer("d", MONDAY + DAY + HOUR, to="c"),
    post("e", MONDAY + 2 * DAY, "Could you give me a call?"),
)  # fmt: skip
HELD = (
    LoggedActivity(CALL, MONDAY + 3 * DAY, outcome="connected"),
    LoggedActivity(MEETING, MONDAY + 9 * DAY, outcome="held", ends_at=MONDAY + 9 * DAY + HOUR),
)


def test_each_stage_has_its_instant_and_its_reason():
    assert judge(*TALK, now=MONDAY + 2 * DAY).milestones == (
        Milestone("in contact", MONDAY + HOUR, "You answered them for the first time."),
        Milestone("conversing", MONDAY + DAY + HOUR, "You had gone back and forth twice."),
        Milestone("ready to talk", MONDAY + 2 * DAY, "Ana asked to talk on Birdsong on 4 March."),
    )
    later = judge(*TALK, now=MONDAY + 10 * DAY, activities=HELD).milestones
    assert [(each.stage, each.at) for each in later] == [
        ("in contact", MONDAY + HOUR),
        ("conversing", MONDAY + DAY + HOUR),
        ("talked", MONDAY + 3 * DAY),
        ("met", MONDAY + 9 * DAY + HOUR),
    ]


def test_whoever_asks_again_came_to_their_stage_when_they_first_asked():
    again = post("f", MONDAY + 6 * DAY, "Could you ring me on my office number?")
    verdict = judge(*TALK, answer("e2", MONDAY + 2 * DAY + HOUR, to="e"), again, now=MONDAY + 7 * DAY)
    assert verdict.reasons[0] == "Ana asked to talk on Birdsong on 8 March."
    assert verdict.milestones[-1] == Milestone(
        "ready to talk", MONDAY + 2 * DAY, "Ana asked to talk on Birdsong on 4 March."
    )


def test_only_what_is_new_since_the_last_decision_has_changed():
    first = judge(*TALK[:4], now=MONDAY + 1.5 * DAY)
    steps = moved("", None, first, MONDAY + 1.5 * DAY)
    assert [each.stage for each in steps] == ["in contact", "conversing"]
    assert moved("conversing", steps[-1].at, first, MONDAY + 1.5 * DAY) == []
    asked = judge(*TALK, now=MONDAY + 2 * DAY)
    assert moved("conversing", steps[-1].at, asked, MONDAY + 2 * DAY) == [asked.milestones[-1]]


def test_who_is_no_longer_ready_goes_back_with_the_reason_of_the_day():
    now = MONDAY + 30 * DAY
    [step] = moved("ready to talk", MONDAY + 2 * DAY, judge(*TALK, now=now), now)
    assert (step.stage, step.at) == ("conversing", now)
    assert step.reason.endswith(".")


def test_a_call_before_the_first_post_is_where_it_begins():
    early = replace(HELD[0], at=MONDAY - DAY)
    assert [each.stage for each in judge(*TALK, now=MONDAY + 2 * DAY, activities=(early,)).milestones] == ["talked"]


@given(histories(), logs, nows, STANDINGS)
def test_the_last_change_is_where_they_stand_and_a_second_look_finds_none(posts, activities, now, standing):
    verdict = judge(*posts, now=now, activities=activities, **standing)
    steps = moved("", None, verdict, now)
    assert (steps[-1].stage if steps else "aware") == verdict.stage
    assert all(each.at <= now and each.reason.endswith(".") for each in steps)
    assert [each.at for each in steps] == sorted(each.at for each in steps)
    order = [STAGES.index(each.stage) for each in verdict.milestones]
    assert order == sorted(set(order))
    if steps:
        assert moved(steps[-1].stage, steps[-1].at, verdict, now + timedelta(0)) == []
