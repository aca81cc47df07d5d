"""The plan of faults comes from the seed alone, and every kind of it can strike."""

from __future__ import annotations

import itertools

import pytest

from chaos import faults
from chaos.board import Board, Trap
from chaos.plan import KINDS, plan
from sandbox.faults import KINDS as ANSWERS


def test_a_seed_makes_the_same_plan_again() -> None:
    assert plan(7, 200, 60.0, 12) == plan(7, 200, 60.0, 12)
    assert plan(7, 200, 60.0, 12) != plan(8, 200, 60.0, 12)


def test_every_kind_comes_where_there_are_enough() -> None:
    assert {fault.kind for fault in plan(3, len(KINDS), 60.0, 12)} == set(KINDS)


def test_faults_overlap_and_come_in_order() -> None:
    found = plan(5, 300, 100.0, 12)
    assert [fault.at for fault in found] == sorted(fault.at for fault in found)
    assert any(later.at < before.ends for before, later in itertools.pairwise(found))


def test_what_is_stopped_stays_so_for_twice_a_lease() -> None:
    stops = [fault for fault in plan(1, 500, 60.0, 12) if fault.kind.startswith("stop a")]
    assert stops
    assert {fault.lasts for fault in stops} == {24.0}


def test_what_cannot_be_had_here_is_left_out() -> None:
    assert "fill the disk" not in {fault.kind for fault in plan(1, 500, 60.0, 12, ("fill the disk",))}


def test_every_kind_is_known_to_whoever_strikes() -> None:
    assert set(faults._KINDS) == set(KINDS)
    assert {
        "drop_after",
        "drop_before",
        "slow",
        "twice",
        "garbage",
        "expire_tokens",
        *faults.NO_ANSWER.values(),
    } <= set(ANSWERS)


@pytest.mark.parametrize("trap", Trap)
def test_a_trap_kills_once(trap: Trap, tmp_path) -> None:
    here, there = Board(tmp_path / "board"), Board(tmp_path / "board")
    here.set(trap)
    assert [there.sprung(each) for each in Trap] == [each is trap for each in Trap]
    assert not there.sprung(trap)


def test_a_clock_that_is_stepped_is_stepped_for_every_process_of_the_host(tmp_path) -> None:
    here, there = Board(tmp_path / "board"), Board(tmp_path / "board")
    here.clock += 12.5
    here.cut = True
    assert (there.clock, there.cut) == (12.5, True)
    here.clock -= 12.5
    assert there.clock == 0.0
