"""Settings as the rules see them: patience by stage, and people with a clock of their own."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from marshmallow import ValidationError

from service.models import Settings
from service.rules.model import Policy
from service.settings import SCHEMA, policy

OLGA = {"email": "Olga@acme.test", "timezone": "America/New_York"}


def policy_of(**values: Any) -> Policy:
    return policy(Settings(version=1, values=SCHEMA.dump(SCHEMA.load(values))))


def test_a_person_has_the_workspace_s_policy_by_their_own_clock() -> None:
    shared = policy_of(people=[{**OLGA, "hours": ["08:00-12:00"], "days_off": ["friday"], "holidays_country": "US"}])
    own = shared.of(" OLGA@acme.test")
    assert own.timezone == "America/New_York"
    assert own.hours == {day: ((time(8), time(12)),) if day < 4 else () for day in range(7)}
    assert own.holidays
    assert own.patience == shared.patience


def test_what_a_person_does_not_say_is_the_workspace_s_and_so_is_everybody_else() -> None:
    shared = policy_of(people=[OLGA], holidays=["2026-12-24"])
    own = shared.of("olga@acme.test")
    assert (own.hours, own.holidays) == (shared.hours, shared.holidays)
    assert shared.of("tom@acme.test") is shared
    assert shared.of("") is shared


def test_a_person_s_hours_are_for_the_days_on_which_the_workspace_works() -> None:
    own = policy_of(people=[{**OLGA, "hours": ["10:00-14:00", "15:00-24:00"]}]).of("olga@acme.test")
    assert own.hours[0] == ((time(10), time(14)), (time(15), time(0)))
    assert own.hours[6] == ()


def test_the_policy_of_a_person_is_the_same_object_each_time() -> None:
    row = Settings(version=7, values=SCHEMA.dump(SCHEMA.load({"people": [OLGA]})))
    assert policy(row).of("olga@acme.test") is policy(row).of("olga@acme.test")  # opening hours are kept by it


def test_patience_is_a_factor_for_each_stage() -> None:
    found = policy_of(patience={"problem": 5}, patience_by_stage={"in_contact": 80, "met": 10})
    assert found.patience["problem"] == timedelta(minutes=5)
    assert found.stage_patience == {
        "aware": 1.0, "in contact": 0.8, "conversing": 0.5, "ready to talk": 0.5, "talked": 0.5, "met": 0.1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("people", "where", "sentence"),
    [
        ([{**OLGA, "timezone": "Mars"}], "timezone", "Not a time zone's name"),
        ([{**OLGA, "hours": ["13:00-14:00", "09:00-12:00"]}], "hours", "must be in order"),
        ([{**OLGA, "hours": ["late"]}], "hours", "such as 09:00-17:00"),
        ([{**OLGA, "holidays_country": "XX"}], "holidays_country", "No holidays are known"),
        ([{**OLGA, "email": "nobody"}], "email", "Not a valid email"),
        ([{"timezone": "UTC"}], "email", "Missing data"),
        ([OLGA, {**OLGA, "email": "olga@ACME.test"}], "people", "stands here twice"),
    ],
)
def test_a_clock_that_cannot_be_is_refused_in_a_sentence(people: Any, where: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        SCHEMA.load({"people": people})
    assert where in str(refused.value.messages)
    assert sentence in str(refused.value.messages)
