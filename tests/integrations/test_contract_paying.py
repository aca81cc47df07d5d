"""What every network that bills promises: whoever keeps the ledger is asked before each call, and hears of what it brought before any of
that is handed on."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from integrations.errors import SpendingLimitError
from integrations.provider import Provider
from integrations.records import Engagement
from integrations.registry import providers
from tests.integrations.contract.worlds import SOCIAL, Billed, open_world

BILLS = [each for each in SOCIAL if each.prices]
CRMS = [each for each in providers().values() if each.kind == "crm"]


@dataclass
class Purse:
    """A meter that lets pass so many reads."""

    left: int = 10_000
    asked: int = 0
    names: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)

    def ask(self, name: str, most: int, least: int = 1) -> int:
        self.names.add(name)
        if self.left < least:
            raise SpendingLimitError("The ceiling is reached.", until=datetime(2026, 4, 1, tzinfo=UTC))
        self.asked = min(most, self.left)
        return self.asked

    def tell(self, name: str, ids: Collection[str]) -> None:
        assert len(ids) <= self.asked, "more came than was asked for"
        self.left, self.asked = self.left - len(ids), 0
        self.told |= set(ids)

    def void(self, name: str) -> None:
        self.asked = 0


@pytest.fixture(params=BILLS, ids=lambda provider: provider.key)
def billed(request: pytest.FixtureRequest) -> Iterator[tuple[Provider[Any], Billed]]:
    with open_world(request.param.key) as found:
        yield request.param, cast(Billed, found)


def test_the_ledger_hears_of_every_post_before_it_is_handed_on(billed: tuple[Provider[Any], Billed]) -> None:
    provider, world = billed
    asked = [world.speak(f"number {number}") for number in range(12)]
    answered = world.answer(asked[0])
    purse, seen = Purse(), set[str]()
    for stream in provider.streams:
        for page in world.metered(purse).pull(stream.name, None, ()):
            assert {item.id for item in page.items} <= purse.told
            assert not page.reads  # the meter knows it better
            seen |= {item.id for item in page.items}
    assert seen == {*asked, answered}
    assert purse.names <= {price.name for price in provider.prices}


def test_what_is_asked_again_is_told_too(billed: tuple[Provider[Any], Billed]) -> None:
    _, world = billed
    ids = [world.speak(f"number {number}") for number in range(3)]
    purse = Purse()
    found = [each.id for each in world.metered(purse).recheck(ids) if isinstance(each, Engagement)]
    assert sorted(found) == sorted(ids)
    assert set(ids) <= purse.told


def test_nothing_is_called_that_cannot_be_paid(billed: tuple[Provider[Any], Billed]) -> None:
    _, world = billed
    world.speak("Is it in stock?")
    purse = Purse(left=0)
    with pytest.raises(SpendingLimitError):
        list(world.metered(purse).pull(world.stream, None, ()))
    assert not purse.told


@pytest.mark.parametrize("provider", CRMS, ids=lambda provider: provider.key)
def test_no_crm_bills_what_it_returns(provider: Provider[Any]) -> None:
    """One that does would have to ask a meter, and to join the tests above."""
    assert not provider.prices
