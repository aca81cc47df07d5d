"""Reading what has changed loses nothing, whatever changes meanwhile and wherever it stops."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from random import Random
from typing import Any

import pytest

from integrations.errors import UnexpectedResponseError
from integrations.walking import OVERLAP, Position, Question, Row, load, position, store, walk
from tests.fakes.clock import Clock

SIZE = 5


class Records:
    """What a CRM keeps: records by id with the second of their last change."""

    def __init__(self) -> None:
        self.stamps: dict[str, int] = {}
        self.asked: list[Question] = []

    def ask(self, question: Question) -> Sequence[Row]:
        self.asked.append(question)
        rows = [{"id": key, "stamp": stamp} for key, stamp in self.stamps.items()]
        if question.after is None:
            fitting = [row for row in rows if int(str(row["stamp"])) >= question.at]
            return sorted(fitting, key=lambda row: (row["stamp"], row["id"]))[:SIZE]
        fitting = [row for row in rows if row["stamp"] == question.at and str(row["id"]) > question.after]
        return sorted(fitting, key=lambda row: str(row["id"]))[:SIZE]


def stamp_of(row: Row) -> int | None:
    return int(row["stamp"])


@pytest.mark.parametrize("seed", range(30))
def test_records_that_change_while_they_are_read_are_all_read_at_last(seed: int) -> None:
    random, crm = Random(seed), Records()
    for number in range(60):
        crm.stamps[f"{number:03}"] = 1000 + random.randrange(12)  # many in one second
    found: dict[str, int] = {}
    here, second = Position(at=0), 2000
    for _ in range(8):  # pulls that are stopped after any page, while the CRM goes on
        for rows, following in walk(crm.ask, stamp_of, SIZE, here, lambda: 1e6):
            found |= {str(row["id"]): int(row["stamp"]) for row in rows}
            here = position(load(store(at=following.dump()))["at"])
            second += random.randrange(2)
            crm.stamps[f"{random.randrange(60):03}"] = second
            if random.random() < 0.2:
                break
    for _ in range(2):  # one to come to the end, one after it
        for rows, following in walk(crm.ask, stamp_of, SIZE, here, lambda: 1e6):
            found |= {str(row["id"]): int(row["stamp"]) for row in rows}
            here = following

    assert found == crm.stamps


@pytest.mark.parametrize("until_the_next_walk", [30.0, 300.0, 2.0 * OVERLAP, 86_400.0])
def test_a_change_that_shows_late_is_found_however_long_the_next_walk_waits(until_the_next_walk: float) -> None:
    crm = Records()
    crm.stamps = {"a": 10_000, "long before": 10_000 - OVERLAP - 60}
    [(_, here)] = list(walk(crm.ask, stamp_of, SIZE, Position(at=0), lambda: 10_000.0))
    crm.stamps["slow"] = 10_000 - OVERLAP + 60

    [(rows, here)] = list(walk(crm.ask, stamp_of, SIZE, here, lambda: 10_000 + until_the_next_walk))

    assert [row["id"] for row in rows] == ["slow", "a"]


def test_once_a_walk_has_found_the_newest_change_old_it_costs_one_record_to_ask() -> None:
    crm = Records()
    crm.stamps = {"a": 10_000, "before": 10_000 - 60}
    [(_, here)] = list(walk(crm.ask, stamp_of, SIZE, Position(at=0), lambda: 10_000.0))
    for now in (10_000 + OVERLAP + 1.0, 10_000 + OVERLAP + 2.0):
        [(rows, here)] = list(walk(crm.ask, stamp_of, SIZE, here, lambda now=now: now))  # type: ignore[misc]

    assert [row["id"] for row in rows] == ["a"]


def test_what_shows_behind_a_walk_that_was_stopped_for_long_is_found_by_the_next_one() -> None:
    crm = Records()
    crm.stamps = {f"{number}": 10_000 + number for number in range(SIZE + 1)}
    _, here = next(iter(walk(crm.ask, stamp_of, SIZE, Position(at=0), lambda: 10_000.0 + SIZE)))
    crm.stamps |= {"slow": 10_000, "new": 100_000}  # the one shows behind us
    [*_, (_, here)] = walk(crm.ask, stamp_of, SIZE, position(here.dump()), lambda: 100_000.0)

    assert "slow" in {row["id"] for rows, _ in walk(crm.ask, stamp_of, SIZE, here, lambda: 100_001.0) for row in rows}


def test_a_clock_that_was_put_back_loses_nothing() -> None:
    crm = Records()
    crm.stamps = {"a": 10_000}
    [(_, here)] = list(walk(crm.ask, stamp_of, SIZE, Position(at=0), lambda: 9_999_999.0))
    crm.stamps["b"] = 10_000 - 60

    assert {row["id"] for rows, _ in walk(crm.ask, stamp_of, SIZE, here, lambda: 5.0) for row in rows} == {"a", "b"}


@pytest.mark.parametrize("wide", [1, 3 * SIZE])  # records that were saved while the CRM's clock was ahead
@pytest.mark.parametrize("waits", [60.0, 300.0, 2.0 * OVERLAP, 5000.0])
@pytest.mark.parametrize("pages", [1, 100])  # of each pull, before it is stopped
def test_a_clock_of_the_crms_that_ran_ahead_and_was_put_right_hides_nothing(
    wide: int, waits: float, pages: int
) -> None:
    crm, clock, here = Records(), Clock(), Position(at=0)
    start = int(clock().timestamp())
    crm.stamps = {f"early {number:02}": start + 7200 + number // 4 for number in range(wide)}
    seen: dict[str, int] = {}

    def pull(most: int) -> Position:
        read = list(islice(walk(crm.ask, stamp_of, SIZE, here, lambda: clock().timestamp()), most))
        seen.update({str(row["id"]): int(row["stamp"]) for rows, _ in read for row in rows})
        return position(load(store(at=read[-1][1].dump()))["at"])

    for number in range(int(10_000 / waits)):
        here = pull(pages)
        now = int(clock().timestamp())
        crm.stamps[f"late {number}"] = now + 1  # saved just behind the walk
        if number:  # one that was begun a while before, and shows only now
            crm.stamps[f"slow {number}"] = now - int(min(waits, OVERLAP - 60))
        clock.forward(seconds=waits)
    for _ in range(2):  # one to come to the end, one after it
        here = pull(100)

    assert seen == crm.stamps


def test_a_stamp_that_lies_ahead_for_good_costs_no_more_than_the_overlap() -> None:
    crm, clock, here = Records(), Clock(), Position(at=0)
    now = int(clock().timestamp())
    crm.stamps = {"old": now - 50_000, "older": now - 90_000, "never": now + 10**8}
    found = []
    for _ in range(4):
        [(rows, here)] = list(walk(crm.ask, stamp_of, SIZE, here, lambda: clock().timestamp()))
        found.append([row["id"] for row in rows])
        clock.forward(minutes=1)

    assert found == [["older", "old", "never"], *[["never"]] * 3]


@pytest.mark.parametrize("seed", range(30))
def test_a_clock_of_the_crms_that_is_behind_and_jumps_about_hides_nothing(seed: int) -> None:
    random, crm, clock, here = Random(seed), Records(), Clock(), Position(at=0)
    late, seen, pages = 7200.0, {}, 100

    def theirs() -> float:
        return clock().timestamp() - late

    for number in range(60):
        for jumps in range(random.randrange(3)):  # never back and up again between two walks, which nobody can tell
            late = random.choice([late, late, 7200.0, 0.0, -3600.0]) if jumps or late > 0 else late
            crm.stamps[f"{number} {jumps}"] = int(theirs())
            clock.forward(seconds=random.choice([1.0, 60.0, 400.0]))
        pages = random.choice([1, 100])
        for rows, following in islice(walk(crm.ask, stamp_of, SIZE, here, lambda: clock().timestamp(), theirs), pages):
            seen |= {str(row["id"]): stamp_of(row) for row in rows}
            here = position(load(store(at=following.dump()))["at"])
        clock.forward(seconds=random.choice([1.0, 300.0, 5000.0]))
    for _ in range(2):  # one to come to the end, one after it
        for rows, following in walk(crm.ask, stamp_of, SIZE, here, lambda: clock().timestamp(), theirs):
            seen |= {str(row["id"]): stamp_of(row) for row in rows}
            here = following

    assert seen == crm.stamps


@pytest.mark.parametrize(
    "late", [7200.0, 50.0, 10.0**9]
)  # constantly; as little as an answer may take; a date that cannot be true
def test_a_clock_that_is_behind_costs_no_more_than_one_record_once_the_newest_change_is_old(late: float) -> None:
    crm, clock, here = Records(), Clock(), Position(at=0)
    stamp = int(clock().timestamp() - min(late, 86_400.0))
    crm.stamps = {"a": stamp, "before": stamp - 60, "long before": stamp - 4000}
    asked = []
    for _ in range(4):
        clock.forward(seconds=OVERLAP + 1.0)
        for rows, following in walk(
            crm.ask, stamp_of, SIZE, here, lambda: clock().timestamp(), lambda: clock().timestamp() - late
        ):
            asked.append([row["id"] for row in rows])
            here = following

    assert asked[2:] == [["a"], ["a"]]


def test_a_date_that_cannot_be_true_has_no_more_read_than_a_day() -> None:
    crm, clock, here = Records(), Clock(), Position(at=0)
    now = int(clock().timestamp())
    crm.stamps = {"new": now, "of the day": now - 80_000, "old": now - 90_000}
    for _ in range(3):
        [(rows, here)] = list(walk(crm.ask, stamp_of, SIZE, here, lambda: clock().timestamp(), lambda: 0.0))
        clock.forward(seconds=300)

    assert [row["id"] for row in rows] == ["of the day", "new"]


def test_a_crm_that_serves_the_same_page_for_ever_is_given_up() -> None:
    page = [{"id": "same", "stamp": 5}] * SIZE

    with pytest.raises(UnexpectedResponseError, match="does not move on"):
        list(walk(lambda question: page, stamp_of, SIZE, Position(at=5), lambda: 0.0))


@pytest.mark.parametrize(
    "value",
    [None, [], "7", {}, {"high": -1, "seen": 0, "at": None, "id": None}, {"high": True, "seen": 0}, {"high": 1, "seen": "x"},
     {"high": 1, "seen": 0, "at": 10**12, "id": None}, {"high": 1, "seen": 0, "at": 5, "id": 7}],
)  # fmt: skip
def test_a_position_that_is_none_is_the_beginning(value: Any) -> None:
    assert position(value, 77) == Position(at=77)


@pytest.mark.parametrize("cursor", [None, "", "garbage", "[]", '{"v": 2, "at": 1}', "[" * 100_000])
def test_a_cursor_that_is_none_starts_over(cursor: str | None) -> None:
    assert load(cursor) == {}
