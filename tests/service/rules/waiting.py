"""Whether somebody waits, as the tests ask it."""

from __future__ import annotations

from integrations.records import ActivityKind, Kind
from service.rules.model import Conversation, LoggedActivity, Verdict
from service.rules.unanswered import unanswered
from tests.service.rules.making import DAY, HOUR, MONDAY, POLICY, answer, post

LATER = MONDAY + 2 * DAY
QUESTION = post("q", MONDAY)
PRIVATE = answer("dm", MONDAY + HOUR, kind=Kind.DIRECT)
CALL = LoggedActivity(ActivityKind.CALL, MONDAY + HOUR, outcome="connected")


def judge(conversation: Conversation, now=LATER, policy=POLICY) -> Verdict:
    return unanswered(conversation, now=now, policy=policy)


def episode(verdict: Verdict) -> str | None:
    return verdict.finding.episode if verdict.finding else None
