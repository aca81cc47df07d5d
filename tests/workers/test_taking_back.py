"""What connecting set up at a provider is taken back when nobody here holds the account any more; what stays there is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import event

from integrations.errors import TemporaryError
from integrations.provider import Access
from integrations.registry import providers
from service import connect, departing, disconnecting, health
from service.clock import real_now
from service.models import Connection
from service.store import listing
from tests.conftest import make_member
from tests.workers.conftest import BRAND, World

STAYS = "Example Social goes on sending hints."


@dataclass
class Hints:
    """What a network sends us for an account, until it is told not to."""

    left: Sequence[str] = ()
    away: bool = False
    asked: list[Access] = field(default_factory=list)

    def take_back(self, access: Access) -> Sequence[str]:
        self.asked.append(access)
        if self.away:
            raise TemporaryError("Example Social is not answering")
        return self.left


@pytest.fixture
def hints(connected: World) -> Hints:
    found = Hints()
    providers()["fakesocial"] = replace(providers()["fakesocial"], take_back=found.take_back)
    return found


def disconnect(world: World) -> None:
    assert disconnecting.disconnect(world.runtime, world.owner.caller, world.connection("social").id)


def line(world: World) -> str:
    with world.runtime.db.tenant(world.workspace_id) as session:
        row = listing.connection(session, world.workspace_id, world.connection("social").id)
    assert row is not None
    return health.line(row, real_now())


def test_disconnecting_takes_back_what_was_set_up_for_the_account(connected: World, hints: Hints) -> None:
    disconnect(connected)
    [access] = hints.asked
    assert access.account is not None
    assert access.account.id == BRAND.id
    assert access.base_url == connected.runtime.config.base_url
    assert line(connected).endswith("What was read is kept.")


def test_what_stays_there_is_said_on_the_connection_until_it_is_connected_again(connected: World, hints: Hints) -> None:
    hints.left = [STAYS]
    disconnect(connected)
    assert line(connected).endswith(STAYS)
    connect.connect_with_secret(connected.runtime, connected.owner.caller, "fakesocial", None, {})
    assert STAYS not in line(connected)


def test_a_provider_that_cannot_be_asked_keeps_nobody(connected: World, hints: Hints) -> None:
    hints.away = True
    disconnect(connected)
    assert connected.connection("social").status == "disconnected"
    assert "could not be asked to stop what was set up there" in line(connected)


def test_what_another_workspace_needs_of_the_same_account_stays_until_that_leaves_too(
    connected: World, hints: Hints
) -> None:
    rival = make_member(connected.runtime, "Rival", "rita@rival.test")
    connect.connect_with_secret(connected.runtime, rival.caller, "fakesocial", None, {})
    disconnect(connected)
    assert hints.asked == []
    with connected.runtime.db.tenant(rival.workspace_id) as session:
        [theirs] = session.query(Connection.id).one()
    disconnecting.disconnect(connected.runtime, rival.caller, theirs)
    assert len(hints.asked) == 1


def test_how_many_workspaces_there_are_makes_no_disconnect_dearer(connected: World, hints: Hints) -> None:
    for number in range(5):
        make_member(connected.runtime, f"Neighbour {number}", f"nina{number}@neighbour.test")
    account, begun = connected.connection("social").id, list[object]()
    count = begun.append  # one object, as SQLAlchemy knows listeners by theirs
    event.listen(connected.runtime.db.engine, "begin", count)
    try:
        disconnecting.disconnect(connected.runtime, connected.owner.caller, account)
    finally:
        event.remove(connected.runtime.db.engine, "begin", count)
    assert len(hints.asked) == 1
    assert len(begun) <= 4  # to forget it, our registration, whether anybody else holds it, what came of it


def test_the_receipt_of_an_account_that_is_left_without_a_trace_says_what_stays(connected: World, hints: Hints) -> None:
    hints.left = [STAYS]
    assert disconnecting.purge(connected.runtime, connected.owner.caller, connected.connection("social").id)
    assert STAYS in connected.connection("social").receipt["lines"]


def test_a_workspace_that_is_deleted_takes_back_what_it_set_up_and_its_receipt_says_what_stays(
    connected: World, hints: Hints
) -> None:
    hints.left = [STAYS]
    token, _ = departing.ask(connected.runtime, connected.workspace_id, by="user:olga", purge=False, days=0)
    connected.run()
    receipt = departing.receipt(connected.runtime, token)
    assert receipt is not None
    assert receipt.done_at is not None
    assert len(hints.asked) == 1
    assert any(STAYS in each for each in receipt.lines)
