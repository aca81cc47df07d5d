"""What every CRM that keeps social handles promises: a confirmed one goes into an empty field, and what is there stays."""

from __future__ import annotations

import pytest

from integrations.clients import HandleWriter
from integrations.provider import WRITE_HANDLES
from integrations.records import (
    Contact,
    HandleWrite,
    WriteOutcome,
    WriteResult,
)
from integrations.registry import providers
from tests.integrations.contract.harnesses import CRMS, Harness


def write(crm: Harness, *writes: HandleWrite) -> list[WriteResult]:
    """Writes handles, twice: a repeat changes nothing and says so."""
    client = crm.client()
    if not isinstance(client, HandleWriter):
        pytest.skip("This CRM keeps no handles.")
    first = list(client.write_handles(writes))
    again = list(client.write_handles(writes))
    assert [each.outcome for each in again] == [
        WriteOutcome.KEPT if each.outcome is WriteOutcome.WRITTEN else each.outcome for each in first
    ]
    assert [(each.contact_id, each.network) for each in first] == [(each.contact_id, each.network) for each in writes]
    return first


def on_file(crm: Harness, contact_id: str) -> set[str]:
    found = [record for page in crm.client().pull("contacts", None) for record in page.items if record.id == contact_id]
    assert isinstance(found[-1], Contact)
    return {each.value for each in found[-1].handles}


@pytest.mark.rule("manifest")
@pytest.mark.parametrize("crm_key", CRMS)
def test_a_crm_that_says_so_can_write_handles(crm_key: str) -> None:
    writer = callable(getattr(providers()[crm_key].client, "write_handles", None))
    assert writer == (WRITE_HANDLES in providers()[crm_key].capabilities)


@pytest.mark.rule("handles")
def test_a_handle_goes_into_a_contact_that_has_none(crm: Harness) -> None:
    ada, bea = crm.put_contact("Ada"), crm.put_contact("Bea")
    told = write(crm, HandleWrite(ada, "x", "ada_l"), HandleWrite(bea, "x", "bea"))
    assert [each.outcome for each in told] == [WriteOutcome.WRITTEN] * 2
    crm.wait(60)
    assert on_file(crm, ada) == {"ada_l"}
    assert on_file(crm, bea) == {"bea"}


@pytest.mark.rule("handles")
def test_what_a_contact_has_is_kept(crm: Harness) -> None:
    ada = crm.put_contact("Ada")
    write(crm, HandleWrite(ada, "x", "ada_l"))
    assert [each.outcome for each in write(crm, HandleWrite(ada, "x", "another"))] == [WriteOutcome.KEPT]
    crm.wait(60)
    assert on_file(crm, ada) == {"ada_l"}


@pytest.mark.rule("handles")
def test_a_contact_that_is_gone_is_told_and_the_others_are_written(crm: Harness) -> None:
    ada = crm.put_contact("Ada")
    told = write(crm, HandleWrite("99999999", "x", "nobody"), HandleWrite(ada, "x", "ada_l"))
    assert [each.outcome for each in told] == [WriteOutcome.REFUSED, WriteOutcome.WRITTEN]
    assert told[0].detail


@pytest.mark.rule("handles")
def test_many_handles_are_written_in_batches(crm: Harness) -> None:
    contacts = sorted(crm.put_contacts(120))
    told = write(crm, *(HandleWrite(each, "x", f"h{each}") for each in contacts))
    assert {each.outcome for each in told} == {WriteOutcome.WRITTEN}
