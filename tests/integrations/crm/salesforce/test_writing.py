"""What is odd about writing handles into Salesforce, beside the contract."""

from __future__ import annotations

from collections.abc import Callable

from integrations.records import HandleWrite, WriteOutcome
from tests.integrations.crm.salesforce.conftest import World

MakeWorld = Callable[..., World]


def test_leads_have_fields_of_their_own(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    world.server.add_field("Contact", "Bluesky__c", label="Bluesky")
    world.server.add_field("Lead", "X_Profile__c", label="X profile", type="url")
    world.prepare()
    contact, lead = world.server.put("Contact", {"Name": "Ada"}), world.server.put("Lead", {"Name": "Bea"})

    found = world.client().write_handles(
        [
            HandleWrite(contact, "x", "ada", "https://x.com/ada"),
            HandleWrite(contact, "bluesky", "ada.example", "https://bsky.app/profile/ada.example"),
            HandleWrite(lead, "x", "bea", "https://x.com/bea"),
        ]
    )

    assert [each.outcome for each in found] == [WriteOutcome.KEPT, WriteOutcome.WRITTEN, WriteOutcome.WRITTEN]
    assert "no field for handles on this network" in found[0].detail
    assert world.server.kinds["Contact"][contact]["Bluesky__c"] == "ada.example"
    assert world.server.kinds["Lead"][lead]["X_Profile__c"] == "https://x.com/bea"


def test_a_record_that_somebody_is_saving_comes_later(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    world.server.add_field("Contact", "Twitter__c", label="Twitter handle")
    world.prepare()
    contact = world.server.put("Contact", {"Name": "Ada"})
    world.server.locked.add(contact)

    [found] = world.client().write_handles([HandleWrite(contact, "x", "ada")])

    assert found.outcome is WriteOutcome.LATER


def test_a_field_that_is_no_longer_there_disturbs_no_task(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    world.server.add_field("Contact", "Twitter__c", label="Twitter handle")
    world.prepare()
    contact = world.server.put("Contact", {"Name": "Ada"})
    del world.server.fields["Contact"]["Twitter__c"]

    [found] = world.client().write_handles([HandleWrite(contact, "x", "ada")])

    assert (found.outcome, world.server.kinds["Contact"][contact].get("Twitter__c")) == (WriteOutcome.KEPT, None)
