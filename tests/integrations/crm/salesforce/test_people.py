"""Contacts and leads as Salesforce serves them; fields, permissions and limits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from integrations.crm.salesforce.soql import OVERLAP
from integrations.errors import InvalidRequestError, PermissionDeniedError, RateLimitError, TemporaryError
from integrations.provider import App
from integrations.records import Budget, Contact, Gone, Handle
from tests.integrations.crm.salesforce.conftest import World
from tests.integrations.crm.salesforce.reading import drain
from tests.integrations.crm.salesforce.server import KEY, refuse

MakeWorld = Callable[..., World]


def test_a_contact_is_read_with_its_account(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    world.server.add_field("Contact", "Twitter__c", label="Twitter handle")
    world.prepare()
    values = {
        "FirstName": "Ada", "LastName": "Example", "Name": "Ada Example", "Email": "ada@example.com", "Phone": "+15550100",
        "MobilePhone": "+15550101", "Title": "Owner", "MailingCity": "Leeds", "MailingCountry": "UK", "LeadSource": "Web",
        "OwnerId": "005000000000009AAA", "DoNotCall": True, "HasOptedOutOfEmail": True, "Twitter__c": "@ada",
        "Account": {"Name": "Example Ltd", "Website": "https://example.com", "Type": "Customer"},
    }  # fmt: skip
    contact_id = world.server.put("Contact", values)

    [found], _, _ = drain(world, "contacts")

    assert found == Contact(
        id=contact_id, name="Ada Example", first_name="Ada", last_name="Example", emails=("ada@example.com",),
        phones=("+15550100", "+15550101"), company="Example Ltd", title="Owner", website="https://example.com", city="Leeds",
        country="UK", owner_id="005000000000009AAA", handles=(Handle("x", "ada"),), source="Web", lifecycle="Customer",
        do_not_call=True, unsubscribed=True, url=f"https://example.my.salesforce.com/lightning/r/Contact/{contact_id}/view",
        updated_at=found.updated_at,
    )  # fmt: skip
    assert found.updated_at.tzinfo is UTC


def test_leads_are_people_too(world: World) -> None:
    lead = world.server.put("Lead", {"FirstName": "Bea", "Name": "Bea", "Company": "Bea & Sons", "Status": "Working"})

    [found], _, _ = drain(world, "contacts")

    assert (found.id, found.company, found.lifecycle) == (lead, "Bea & Sons", "Working")


def test_a_deleted_contact_goes(world: World) -> None:
    contact = world.server.put("Contact", {"Name": "Ada"})
    _, cursor, _ = drain(world, "contacts")
    world.server.delete("Contact", contact)

    assert Gone(contact) in drain(world, "contacts", cursor)[0]


def test_a_converted_lead_goes_and_its_contact_comes_in_the_same_page(world: World) -> None:
    contact = world.server.put("Contact", {"Name": "Ada"})
    lead = world.server.put("Lead", {"Name": "Ada"})
    _, cursor, _ = drain(world, "contacts")
    world.clock.forward(hours=2)
    world.server.put("Lead", {"IsConverted": True, "ConvertedContactId": contact}, id=lead)

    pages = [page.items for page in world.client().pull("contacts", cursor)]

    [items] = [items for items in pages if Gone(lead) in items]
    assert [each.id for each in items if isinstance(each, Contact)] == [contact]


def test_a_merged_contact_goes_and_the_one_it_lives_on_in_comes_along(world: World) -> None:
    kept, merged = (world.server.put("Contact", {"Name": "Ada"}) for _ in range(2))
    _, cursor, _ = drain(world, "contacts")
    world.clock.forward(hours=2)
    world.server.put("Contact", {"IsDeleted": True, "MasterRecordId": kept}, id=merged)

    found, _, _ = drain(world, "contacts", cursor)

    assert Gone(merged) in found
    assert kept in [each.id for each in found if isinstance(each, Contact)]


def test_a_bulk_edit_in_one_instant_is_read_whole(world: World) -> None:
    at = datetime(2026, 11, 25, 11, 0, tzinfo=UTC)
    made = {world.server.put("Contact", {"Name": "Ada"}, at=at) for _ in range(4300)}

    seen: set[str] = set()
    cursor = None
    for _ in range(8):
        page = next(iter(world.client().pull("contacts", cursor)))
        seen |= {each.id for each in page.items}
        cursor = page.cursor

    assert seen == made


def test_a_page_that_salesforce_cuts_short_is_gone_on_with(world: World) -> None:
    world.server.page = 250
    made = {world.server.put("Contact", {"Name": "Ada"}) for _ in range(700)}

    assert {each.id for each in drain(world, "contacts")[0]} == made


def test_the_overlap_is_not_read_for_ever(world: World) -> None:
    world.server.put("Contact", {"Name": "Ada"})
    _, cursor, _ = drain(world, "contacts")
    for clock in (world.clock, world.server.clock):
        clock.forward(seconds=OVERLAP.total_seconds() + 60)
    world.server.put("Contact", {"Name": "Slow"}, at=datetime(2026, 11, 25, 11, 55, tzinfo=UTC))  # it shows only now
    found, cursor, _ = drain(world, "contacts", cursor)
    assert [each.name for each in found] == ["Slow", "Ada"]

    # What is as old as the newest is read again, and nothing before it.
    world.server.put("Contact", {"Name": "Old"}, at=datetime(2026, 11, 25, 11, 55, tzinfo=UTC))
    assert [each.name for each in drain(world, "contacts", cursor)[0]] == ["Ada"]


# --- fields and permissions ---------------------------------------------------------------------------------


def test_a_renamed_field_is_left_out_with_a_note(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    world.server.add_field("Contact", "Twitter__c", label="Twitter handle")
    world.prepare()
    world.server.put("Contact", {"Name": "Ada"})
    del world.server.fields["Contact"]["Twitter__c"]

    found, _, notes = drain(world, "contacts")

    assert [each.name for each in found] == ["Ada"]
    assert any("Twitter__c" in note and "Connect again" in note for note in notes)


def test_a_key_field_that_was_renamed_says_what_to_do(world: World) -> None:
    del world.server.fields["Task"][KEY]

    with pytest.raises(InvalidRequestError, match="Connect Salesforce again"):
        drain(world, "tasks")


def test_a_kind_that_the_user_may_not_see_is_passed_over_with_a_note(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    world.server.invisible.add("Lead")
    world.prepare()
    contact = world.server.put("Contact", {"Name": "Ada"})

    found, _, notes = drain(world, "contacts")

    assert [each.id for each in found] == [contact]
    assert any("leads" in note for note in notes)


def test_a_user_who_may_see_nobody_is_told(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    world.server.invisible |= {"Lead", "Contact"}
    world.prepare()

    with pytest.raises(PermissionDeniedError):
        drain(world, "contacts")


@pytest.mark.parametrize(
    ("status", "code", "means"),
    [
        (403, "REQUEST_LIMIT_EXCEEDED", RateLimitError),
        (403, "API_DISABLED_FOR_ORG", PermissionDeniedError),
        (400, "QUERY_TIMEOUT", TemporaryError),
        (400, "MALFORMED_QUERY", InvalidRequestError),
        (410, "UNSUPPORTED_API_VERSION", InvalidRequestError),
        (503, "SERVER_UNAVAILABLE", TemporaryError),
    ],
)
def test_a_refusal_means_what_its_code_says(world: World, status: int, code: str, means: type[Exception]) -> None:
    world.server.fault("GET", "/queryAll", refuse(status, code, "TotalRequests Limit exceeded."))

    with pytest.raises(means):
        drain(world, "contacts")


def test_the_newest_version_is_asked_for_where_ours_is_retired(world: World) -> None:
    world.server.fault("GET", "/queryAll", refuse(410, "UNSUPPORTED_API_VERSION", "gone"))

    with pytest.raises(InvalidRequestError, match="api_version"):
        drain(world, "contacts")


# --- limits ---------------------------------------------------------------------------------------------------


def test_once_our_share_of_the_days_calls_is_used_up_the_next_one_is_not_made_and_people_are_told(world: World) -> None:
    world.server.usage = (13_500, 15_000)
    notes: list[str] = []

    def read() -> None:
        for page in world.client().pull("contacts", None):
            notes.extend(page.notes)

    with pytest.raises(RateLimitError) as raised:
        read()

    assert len(world.server.calls) == 1
    assert raised.value.retry_after == 900
    assert "90 percent of the calls" in notes[-1]


def test_pages_say_how_many_calls_of_the_day_are_left_also_once_we_wait(world: World) -> None:
    world.server.usage = (2_600, 15_000)
    assert [page.budget for page in world.client().pull("contacts", None)][-1] == Budget(
        12_400, 15_000, "calls a day (all tools share them)"
    )
    world.server.usage = (16_000, 15_000)
    told: list[Budget | None] = []

    def read() -> None:
        for page in world.client().pull("contacts", None):
            told.append(page.budget)

    with pytest.raises(RateLimitError):
        read()
    assert told[-1] == Budget(0, 15_000, "calls a day (all tools share them)")


def test_a_pull_that_waits_goes_on_where_it_was(world: World) -> None:
    made = {world.server.put("Contact", {"Name": "Ada"}) for _ in range(2500)}
    world.server.usage = (14_000, 15_000)
    pages = world.client().pull("contacts", None)
    first, told = next(pages), next(pages)
    world.server.usage = (0, 15_000)

    rest, _, _ = drain(world, "contacts", told.cursor)

    assert {each.id for each in [*first.items, *rest]} == made
    assert len(rest) < len(made)


def test_the_share_is_whoever_registers_us_to_say(world: World) -> None:
    world.server.usage = (6_000, 15_000)

    drain(world, "contacts", app=App(options={"daily_share": "50 %"}))
    with pytest.raises(RateLimitError):
        drain(world, "contacts", app=App(options={"daily_share": "40"}))


def test_the_api_version_is_whoever_registers_us_to_say(world: World) -> None:
    assert world.client(app=App(options={"api_version": "v68"}))._api._root == "/services/data/v68.0"
    assert world.client(app=App(options={"api_version": "../x"}))._api._root == "/services/data/v66.0"
