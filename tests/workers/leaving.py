"""What a test does that leaves a CRM without a trace, and what it is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from integrations.records import Owner
from integrations.registry import providers
from service import disconnecting
from tests.fakes import crm as fake_crm
from tests.fakes.crm import FakeCRM

if TYPE_CHECKING:
    from tests.workers.conftest import World

PATIENCE = 20  # seconds: in the way of nothing but a test that fails


def purge(world: World) -> None:
    assert disconnecting.purge(world.runtime, world.owner.caller, world.connection("crm").id)


def receipt(world: World) -> list[str]:
    return list(world.connection("crm").receipt.get("lines", []))


@pytest.fixture
def next_crm() -> Iterator[FakeCRM]:
    """Another CRM, to be connected once the first one is left."""
    crm = FakeCRM(account=replace(fake_crm.ACCOUNT, id="crm-2"))
    crm.add(Owner("o9", "olga@acme.test", "Olga"))
    providers()["nextcrm"] = fake_crm.manifest(crm, "nextcrm")
    yield crm
    providers().pop("nextcrm")
