"""Against a real EspoCRM: connecting and reading.

Opt-in (`make test-espocrm`); see `tests.live.espocrm` for what it needs, and the provider's README for the versions that it was run against.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from integrations.crm.espocrm.api import MOST
from integrations.errors import AuthenticationError, UnexpectedResponseError
from integrations.records import Activity, ActivityKind, Contact, Direction, Gone, Handle, Owner
from tests.live.espocrm import PASSWORD, SEEN, RealEspo
from tests.live.espocrm_client import client, drain

pytestmark = pytest.mark.rule("live", provider="espocrm")


# --- connecting -------------------------------------------------------------------------------------------------


def test_all_that_connecting_finds_is_found_again(espo: RealEspo) -> None:
    first = client(espo).prepare()

    assert first == client(espo).prepare()
    if espo.signs:
        assert first == client(espo, **espo.signed).prepare()
    handle = espo.fields["twitterHandle"]
    assert first["key_field"] == espo.fields["warmlineKey"]
    assert first["contact_properties"] == [{"name": handle, "network": "x"}]
    assert first["known_fields"] == {"Contact": [handle], "Lead": [handle]}
    assert (first["done_statuses"], first["kinds"]) == (["Completed", "Canceled"], ["Contact", "Lead"])
    assert client(espo).whoami().id == urlsplit(espo.server).netloc
    assert client(espo, first).missing() == []


def test_what_was_typed_wrong_is_told(espo: RealEspo, espo_options: dict[str, Any]) -> None:
    wrong = (
        {"api_key": "a-key-that-nobody-has"},
        {**espo.signed, "secret_key": "another secret"},
        {"secret_key": "x" * 32},
    )
    for typed in wrong:
        with pytest.raises(AuthenticationError):
            client(espo, **typed).prepare()
        with pytest.raises(AuthenticationError):
            drain(client(espo, espo_options, **typed), "contacts")
    with pytest.raises(UnexpectedResponseError):
        client(espo, server=f"{espo.server}/crm").prepare()


def test_a_key_whose_user_was_switched_off_is_a_consent_that_is_gone(
    espo: RealEspo, espo_options: dict[str, Any]
) -> None:
    espo.sets("User", espo.bot, isActive=False)
    try:
        with pytest.raises(AuthenticationError):
            drain(client(espo, espo_options), "contacts")
    finally:
        espo.sets("User", espo.bot, isActive=True)
    assert drain(client(espo, espo_options), "owners")[0]


def test_each_right_that_the_role_lacks_is_told(espo: RealEspo) -> None:
    nothing = dict.fromkeys(("create", "read", "edit", "delete"), "no")
    lacking = {
        "Contact": nothing,
        "Task": {**nothing, "read": "own"},
        "Lead": False,
        "User": {"read": "own", "edit": "no"},
    }
    espo.allows(**lacking)
    try:
        told = client(espo).missing()
        options = client(espo).prepare()
    finally:
        espo.allows()
    assert [each.partition("user ")[2].partition(" (")[0] for each in told] == [
        "read all Contact records",
        "create all Task records",
        "read all Task records",
        "edit all Task records",
        "delete all Task records",
        "read all User records",
    ]
    assert options["kinds"] == ["Contact"]
    assert client(espo).missing() == []


# --- reading ----------------------------------------------------------------------------------------------------


def test_contacts_are_read_as_they_change(espo: RealEspo, espo_options: dict[str, Any]) -> None:
    bakery = espo.adds("Account", name="Bakery", type="Customer")
    person = {"lastName": "Bäcker", "title": "Baker", "addressCity": "Braga", "addressCountry": "Portugal"}
    reached = {"emailAddress": "bea@example.com", "phoneNumber": "+34600000001", "doNotCall": True}
    bea = espo.adds_contact(
        "Bea", accountId=bakery, assignedUserId=espo.olga, **{espo.fields["twitterHandle"]: "@bea"}, **person, **reached
    )
    left = espo.adds_contact("Lea")

    found, cursor = drain(client(espo, espo_options), "contacts")
    read = {each.id: each for each in found if isinstance(each, Contact)}
    assert {bea, left} <= read.keys()
    assert (read[bea].name, read[bea].first_name, read[bea].last_name) == ("Bea Bäcker", "Bea", "Bäcker")
    assert (read[bea].emails, read[bea].phones) == (("bea@example.com",), ("+34600000001",))
    assert (read[bea].company, read[bea].title, read[bea].lifecycle) == ("Bakery", "Baker", "Customer")
    assert (read[bea].city, read[bea].country, read[bea].do_not_call) == ("Braga", "Portugal", True)
    assert (read[bea].handles, read[bea].owner_id) == ((Handle("x", "bea"),), espo.olga)

    espo.sets("Contact", bea, title="Head baker")
    espo.deletes("Contact", left)
    found, cursor = drain(client(espo, espo_options), "contacts", cursor)
    assert {each.id: each.title for each in found if isinstance(each, Contact)}[bea] == "Head baker"
    found, cursor = drain(client(espo, espo_options, later=3700), "contacts", cursor)
    assert (Gone(left) in found, Gone(bea) in found) == (True, False)
    assert client(espo, espo_options).gone_contacts([bea, left]) == [Gone(left)]


def test_an_address_that_somebody_opts_out_of_is_noticed(espo: RealEspo, espo_options: dict[str, Any]) -> None:
    contact = espo.adds_contact("Opa", emailAddress="opa@example.com")
    _, cursor = drain(client(espo, espo_options), "contacts")

    espo.sets("Contact", contact, emailAddressIsOptedOut=True)

    found, _ = drain(client(espo, espo_options), "contacts", cursor)
    assert [each.unsubscribed for each in found if each.id == contact] == [True]


def test_a_lead_is_read_until_it_is_converted(espo: RealEspo, espo_options: dict[str, Any]) -> None:
    person = {"firstName": "Leo", "lastName": "Lead", "emailAddress": "leo@example.com", "accountName": "Leads & Co"}
    lead = espo.adds("Lead", **person, **{espo.fields["twitterHandle"]: "leo"}, website="https://leo.example")
    found, cursor = drain(client(espo, espo_options), "contacts")
    [read] = [each for each in found if each.id == f"Lead/{lead}"]
    assert (read.name, read.emails, read.company, read.handles) == (
        "Leo Lead", ("leo@example.com",), "Leads & Co", (Handle("x", "leo"),)
    )  # fmt: skip

    made = {"Contact": {"firstName": "Leo", "lastName": "Lead", "emailAddress": "leo@example.com"}}
    espo.call("POST", "/Lead/action/convert", {"id": lead, "records": made, "skipDuplicateCheck": True})

    found, _ = drain(client(espo, espo_options), "contacts", cursor)
    assert Gone(f"Lead/{lead}") in found
    assert [each.emails for each in found if isinstance(each, Contact) and each.name == "Leo Lead"] == [
        ("leo@example.com",)
    ]


def test_a_second_with_more_records_than_a_page_loses_nobody(espo: RealEspo, espo_options: dict[str, Any]) -> None:
    made = espo.imports("Contact", espo.adds_contact("Crowd"), MOST + 30)

    seen, cursor = set[str](), None
    for _ in range(20):
        page = next(iter(client(espo, espo_options).pull("contacts", cursor)))  # each page by another process
        seen |= {each.id for each in page.items}
        cursor = page.cursor

    assert made <= seen
    espo.forgets("Contact")


def test_owners_are_those_who_work_there(espo: RealEspo, espo_options: dict[str, Any]) -> None:
    people = {"type": "regular", "password": PASSWORD}
    leaves, goes = (espo.adds("User", userName=name, lastName=name.title(), **people) for name in ("leaves", "goes"))
    found, cursor = drain(client(espo, espo_options), "owners")
    read = {each.id: each for each in found if isinstance(each, Owner)}
    assert {espo.olga, leaves, goes} <= read.keys()
    assert (read[espo.olga].name, read[espo.olga].email, read[espo.olga].active) == (
        "Olga Owner",
        "olga@acme.test",
        True,
    )
    assert espo.bot not in read

    espo.sets("User", leaves, isActive=False)  # an API user sees such a user no more, in no list and not alone
    espo.deletes("User", goes)

    found, cursor = drain(client(espo, espo_options), "owners", cursor)
    assert {each for each in found if isinstance(each, Gone)} == {Gone(leaves), Gone(goes)}
    assert espo.olga in {each.id for each in found if isinstance(each, Owner)}
    espo.sets("User", leaves, isActive=True)
    found, _ = drain(client(espo, espo_options), "owners", cursor)
    assert leaves in {each.id for each in found if isinstance(each, Owner)}
    assert not [each for each in found if isinstance(each, Gone)]


def test_calls_meetings_and_e_mails_are_read(espo: RealEspo, espo_options: dict[str, Any]) -> None:
    cleo = espo.adds_contact("Cleo", emailAddress="cleo@example.com")
    lead = espo.adds("Lead", lastName="Lead", emailAddress="lea@example.com")
    times = {"dateStart": "2026-03-02 09:00:00", "dateEnd": "2026-03-02 09:30:00"}
    held = {"status": "Held", "assignedUserId": espo.olga, **times}
    call = espo.adds("Call", name="Ring", direction="Inbound", contactsIds=[cleo], leadsIds=[lead], **held)
    meeting = espo.adds("Meeting", name="Coffee", parentType="Contact", parentId=cleo, **held)
    sent = {"subject": "Hello", "from": "cleo@example.com", "to": "olga@acme.test", "dateSent": "2026-03-02 10:00:00"}
    email = espo.adds("Email", name="Hello", body="Text", status="Archived", parentType="Lead", parentId=lead, **sent)
    espo.adds("Email", name="Not yet", body="Text", status="Draft", parentType="Contact", parentId=cleo, **sent)

    found, cursor = drain(client(espo, espo_options), "activities")

    ours = {
        each.id: each for each in found if isinstance(each, Activity) and {cleo, f"Lead/{lead}"} & {*each.contact_ids}
    }
    assert ours.keys() == {call, meeting, email}
    assert (ours[call].kind, ours[call].direction, ours[call].outcome) == (
        ActivityKind.CALL, Direction.IN, "connected"
    )  # fmt: skip
    assert (set(ours[call].contact_ids), ours[call].owner_id) == ({cleo, f"Lead/{lead}"}, espo.olga)
    assert (ours[meeting].at, ours[meeting].outcome) == (datetime(2026, 3, 2, 9, tzinfo=UTC), "held")
    assert (ours[email].kind, ours[email].contact_ids) == (ActivityKind.EMAIL, (f"Lead/{lead}",))

    espo.sets("Meeting", meeting, status="Not Held")
    again, _ = drain(client(espo, espo_options), "activities", cursor)
    assert [each.outcome for each in again if each.id == meeting] == ["cancelled"]


def test_a_kind_that_the_role_hides_is_told_and_the_others_are_read(
    espo: RealEspo, espo_options: dict[str, Any]
) -> None:
    eve = espo.adds_contact("Eve")
    times = {"dateStart": "2026-03-02 09:00:00", "dateEnd": "2026-03-02 09:30:00", "status": "Held"}
    meeting = espo.adds("Meeting", name="Lunch", contactsIds=[eve], assignedUserId=espo.olga, **times)
    espo.allows(Call=False, Lead={**SEEN, "read": "no"})
    try:
        pages = list(client(espo, espo_options).pull("activities", None))
        people = list(client(espo, espo_options).pull("contacts", None))
    finally:
        espo.allows()
    assert meeting in {each.id for page in pages for each in page.items}
    assert any("kind Call" in note for page in pages for note in page.notes)
    assert eve in {each.id for page in people for each in page.items}
    assert any("kind Lead" in note for page in people for note in page.notes)
