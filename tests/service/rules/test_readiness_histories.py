"""Our own histories (`histories/`): the verdict that people would share, and why."""

from __future__ import annotations

import pytest

from service.backtest.call import Judged, judge
from service.backtest.scoring import kappa
from tests.service.rules.histories import Told, table

TABLE = table()
AGREED = 0.8  # kappa; three readers have about 0.9 with each other

# What the reasons of a history say, by the word that its `expect` line has.
WHY = {
    "asked": ("asked to talk", "took it up"),
    "video": ("They prefer a video meeting.",),
    "earned": ("want to get something done", "get no further in writing", "who decides", "name a date", "cannot wait"),
    "declined": ("would rather not have a call",),
    "later": ("leave it for later",),
    "do_not_call": ("must not be called",),
    "unsubscribed": ("unsubscribed",),
    "planned": ("is planned for",),
    "agreed": ("agreed on a time",),
    "talked": ("You talked with them on",),
    "complaint": ("that is still open; settle it first", "answer that first"),
    "silence": ("it is their turn",),
    "one_sided": ("There is no talk to and fro",),
    "cold": ("too long ago",),
    "not_buyer": ("something else than buying",),
    "wrong": ("meant somebody else",),
}
# Nobody could judge these otherwise: each must be right by itself, not only most of them.
EXPLICIT = frozenset(WHY) - {"earned", "cold", "not_buyer", "later"}


def judged(told: Told) -> Judged:
    return judge(told.item, told.id)


def test_the_table_is_large_and_no_history_stands_in_it_twice():
    assert len(TABLE) >= 120
    assert len({told.id for told in TABLE}) == len(TABLE)
    assert {told.why for told in TABLE} <= {*WHY, ""}
    assert sum(told.ready for told in TABLE) >= 40


@pytest.mark.parametrize("told", [told for told in TABLE if told.why in EXPLICIT], ids=lambda told: told.id)
def test_an_explicit_case_is_judged_as_anybody_would_and_says_why(told):
    found = judged(told)
    assert found.ready == told.ready, found.verdict.reasons
    assert any(part in " ".join(found.verdict.reasons) for part in WHY[told.why])


def test_the_whole_table_agrees_with_people():
    pairs = [(judged(told).ready, told.ready) for told in TABLE]
    assert kappa(pairs) >= AGREED


def test_the_stages_agree_with_people():
    named = [(judged(told).stage, told.stage) for told in TABLE if told.stage]
    assert sum(one == other for one, other in named) >= 0.9 * len(named)


def test_where_a_reason_is_named_it_stands_in_the_verdict_of_nearly_all():
    found = [
        any(part in " ".join(judged(told).verdict.reasons) for part in WHY[told.why]) for told in TABLE if told.why
    ]
    assert sum(found) >= 0.9 * len(found)


@pytest.mark.parametrize("told", TABLE, ids=lambda told: told.id)
def test_every_verdict_has_whole_sentences_and_a_score_on_its_side_of_the_threshold(told):
    verdict = judged(told).verdict
    assert 1 <= len(verdict.reasons) <= 4
    name = told.item["author"].get("name") or "Somebody"  # as they spell it
    assert all(reason[0].isupper() or reason.startswith(name) for reason in verdict.reasons)
    assert all(reason.endswith(".") and "!" not in reason for reason in verdict.reasons)
    assert verdict.score is not None
    assert (verdict.score >= 0.5) == (verdict.finding is not None)
