"""A CRM with so many contacts that its stream does not show who was deleted: sweeps ask about some of them, round and round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from integrations.errors import TemporaryError
from integrations.records import Contact, Gone, Owner
from integrations.registry import providers
from service import connect
from tests.fakes import crm as fake_crm
from tests.fakes.crm import FakeCRM
from tests.workers.conftest import World


@dataclass
class LargeCRM(FakeCRM):
    """A CRM that has to be asked for those who are gone."""

    compared: int = 3
    contacts_a_sweep: int = 2
    gone: set[str] = field(default_factory=set)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def gone_contacts(self, ids: Sequence[str]) -> Sequence[Gone]:
        self.script.called("gone_contacts")
        self.asked.append(tuple(ids))
        return [Gone(each) for each in ids if each in self.gone]


@pytest.fixture
def large(world: World) -> LargeCRM:
    """One that is connected and has been read."""
    crm = LargeCRM()
    providers()["fakecrm"] = fake_crm.manifest(crm)
    world.crm = crm
    crm.add(Owner("o1", "olga@acme.test", "Olga"))
    crm.add(*(Contact(id=f"c{number}", name=f"Ada Nr{number}") for number in range(5)))
    connect.connect_with_secret(world.runtime, world.owner.caller, "fakecrm", None, {})
    world.run()
    crm.asked.clear()
    return crm


def stand(world: World) -> set[str]:
    return {row[0] for row in world.sql("SELECT native_id FROM contacts WHERE deleted_at IS NULL")}


def sweep(world: World) -> None:
    world.look(streams=("recheck",))


def test_each_is_asked_about_in_its_turn_and_whoever_is_gone_goes(world: World, large: LargeCRM) -> None:
    large.gone = {"c1", "c4"}
    for _ in range(4):
        sweep(world)
    assert stand(world) == {"c0", "c2", "c3"}
    assert max(map(len, large.asked)) == 2
    assert {each for some in large.asked for each in some} == {f"c{number}" for number in range(5)}


def test_few_are_not_asked_about(world: World, large: LargeCRM) -> None:
    large.compared = 5
    sweep(world)
    assert large.asked == []


def test_a_crm_that_is_away_loses_nobody_their_turn_nor_a_task_its_answer(world: World, large: LargeCRM) -> None:
    large.gone = {"c0", "c1", "c2", "c3", "c4"}
    for at in range(1, 9):
        large.script.fail(TemporaryError("Example CRM is not answering"), on="gone_contacts", at=at)
    sweep(world)
    assert len(stand(world)) == 5
    large.script.forgive()
    for _ in range(4):
        sweep(world)
    assert len(stand(world)) <= large.compared


def test_an_import_that_is_taken_back_takes_along_only_whom_we_have(world: World, large: LargeCRM) -> None:
    large.add(*(Contact(id=f"{number}", name=f"Bea Nr{number}") for number in (7, 8, 4_000, 9_000)))
    large.delete_contacts_between(7, 9_000)
    world.look(streams=("contacts",))
    assert stand(world) == {"7", "9000", *(f"c{number}" for number in range(5))}
