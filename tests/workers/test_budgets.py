"""What a provider says that it still serves is kept with what it served."""

from __future__ import annotations

from integrations.errors import RateLimitError
from integrations.records import Budget
from tests.workers.conftest import World


def kept(world: World) -> object:
    return world.stream("contacts").budget.get("left")


def test_it_is_kept_with_a_page_and_where_nothing_new_was_served(connected: World) -> None:
    connected.crm.budget = Budget(500, 1000, "calls a day")
    connected.knows()
    connected.run()
    assert kept(connected) == 500
    connected.crm.budget = Budget(499, 1000, "calls a day")
    connected.look(streams=("contacts",))  # nothing is new
    assert kept(connected) == 499
    connected.crm.budget = None
    connected.look(streams=("contacts",))
    assert kept(connected) == 499


def test_it_is_kept_where_the_page_after_it_was_refused(connected: World) -> None:
    connected.run()
    connected.crm.page_size = 1
    connected.crm.budget = Budget(1, 1000, "calls a day")
    connected.knows()
    connected.knows(id="c2")
    connected.crm.script.fail(RateLimitError("no more today", retry_after=900), on="page", at=2)
    connected.look(streams=("contacts",))
    assert kept(connected) == 1
