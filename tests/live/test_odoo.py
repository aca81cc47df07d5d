"""Against a real Odoo: connecting and reading.

Opt-in (`make test-odoo`); see `tests.live.odoo` for what it needs, and the provider's README for the versions that it was run against.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from integrations.crm.odoo.api import JSON2_SINCE
from integrations.errors import AuthenticationError, InvalidRequestError
from integrations.records import (
    Activity,
    ActivityKind,
    Contact,
    Gone,
    Handle,
    Owner,
)
from tests.live.odoo import BOT, DATABASE, OLGA, RealOdoo
from tests.live.odoo_answers import answers, kept, shape
from tests.live.odoo_client import client, drain, pushed, task

pytestmark = pytest.mark.rule("live", provider="odoo")


# --- connecting -------------------------------------------------------------------------------------------------


def test_all_that_connecting_finds_is_found_again(odoo: RealOdoo) -> None:
    first = client(odoo).prepare()

    assert first == client(odoo).prepare()
    assert (first["uid"], bool(first["model_id"]), bool(first["place"])) == (odoo.bot, True, True)
    assert {"name": "x_twitter", "network": "x"} in first["contact_properties"]
    assert set(first["types"]) == {"todo", "call"}
    assert first["calls"] == [first["types"]["call"]]
    assert client(odoo).whoami().id == f"{urlsplit(odoo.server).netloc}/{DATABASE}"
    assert client(odoo, first).missing() == []


def test_what_was_typed_wrong_is_told(odoo: RealOdoo, options: dict[str, Any]) -> None:
    with pytest.raises(AuthenticationError):
        client(odoo, api_key="a-key-that-nobody-has").prepare()
    if options["version"] < JSON2_SINCE:
        with pytest.raises(AuthenticationError):
            client(odoo, login="nobody@acme.test").prepare()
    else:
        assert client(odoo, login="nobody@acme.test").prepare() == options  # the key alone says whose it is
    with pytest.raises(AuthenticationError):
        drain(client(odoo, options, api_key="a-key-that-nobody-has"), "contacts")
    with pytest.raises(InvalidRequestError, match="no database of this name"):
        client(odoo, database="another").prepare()


def test_a_server_with_one_database_need_not_be_told_which_since_19(odoo: RealOdoo, options: dict[str, Any]) -> None:
    if options["version"] < JSON2_SINCE:
        with pytest.raises(InvalidRequestError, match="Name the database"):
            client(odoo, database="").prepare()
    else:
        assert client(odoo, database="").prepare() == options


def test_a_key_whose_user_was_archived_is_a_consent_that_is_gone(odoo: RealOdoo, options: dict[str, Any]) -> None:
    odoo.sets("res.users", str(odoo.bot), active=False)
    try:
        if options["version"] not in (12, 13):  # which look at the password alone
            with pytest.raises(AuthenticationError):
                drain(client(odoo, options), "contacts")
        with pytest.raises(AuthenticationError):
            client(odoo).prepare()
    finally:
        odoo.sets("res.users", str(odoo.bot), active=True)
    assert drain(client(odoo, options), "contacts")[0]


# --- reading ----------------------------------------------------------------------------------------------------


def test_contacts_are_read_as_they_change(odoo: RealOdoo, options: dict[str, Any]) -> None:
    company = odoo.adds_contact("Bakery", is_company=True)
    invoices = odoo.adds_contact("Invoices", parent_id=int(company), type="invoice")
    person = {"email": "bea@example.com", "phone": "+34 600 000 001", "function": "Baker", "x_twitter": "@bea"}
    bea = odoo.adds_contact("Bea Bäcker", parent_id=int(company), user_id=odoo.olga, **person)
    left = odoo.adds_contact("Lea Left")

    found, cursor = drain(client(odoo, options), "contacts")
    read = {each.id: each for each in found if isinstance(each, Contact)}
    assert {company, bea, left} <= read.keys()
    assert invoices not in read
    assert (read[bea].name, read[bea].emails, read[bea].phones, read[bea].company, read[bea].title) == (
        "Bea Bäcker", ("bea@example.com",), ("+34 600 000 001",), "Bakery", "Baker"
    )  # fmt: skip
    assert (read[bea].handles, read[bea].owner_id) == ((Handle("x", "bea"),), str(odoo.olga))

    odoo.sets("res.partner", bea, function="Head baker")
    odoo.sets("res.partner", left, active=False)
    found, cursor = drain(client(odoo, options), "contacts", cursor)
    assert {each.id: each.title for each in found if isinstance(each, Contact)}[bea] == "Head baker"
    assert Gone(left) in found

    odoo.deletes("res.partner", bea)
    found, cursor = drain(client(odoo, options, later=3700), "contacts", cursor)
    assert Gone(bea) in found


def test_two_contacts_that_were_merged_are_one(odoo: RealOdoo, options: dict[str, Any]) -> None:
    kept, other = (odoo.adds_contact("Mia", email="mia@example.com") for _ in range(2))
    made = pushed(client(odoo, options), task(odoo, "u-merged", other))
    _, cursor = drain(client(odoo, options), "contacts")

    odoo.merges(kept, other)

    found, _ = drain(client(odoo, options, later=3700), "contacts", cursor)
    assert Gone(other) in found
    [state] = client(odoo, options).read_tasks([str(made.external_id)])
    left = [row["res_id"] for row in odoo.tasks() if "u-merged" in row["note"]]
    # Odoo 11 deletes the activities of the contact that goes; where they are kept, they stand under the other.
    assert (left, isinstance(state, Gone)) in (([], True), ([int(kept)], False))


def test_who_is_put_on_the_blacklist_and_taken_off_it_shows_within_the_hour(
    odoo: RealOdoo, options: dict[str, Any]
) -> None:
    if "is_blacklisted" not in options["partner_fields"]:
        pytest.skip("this Odoo has no blacklist")
    contact = str(options["place"])  # one who stands behind another: the newest is read each time
    odoo.adds_contact("Uma")
    _, cursor = drain(client(odoo, options), "contacts")
    _, cursor = drain(client(odoo, options, later=3700), "contacts", cursor)  # what is new is read twice
    listed = str(odoo.adds("mail.blacklist", email=BOT))

    told = []
    for later, active in ((7400, True), (11100, False)):
        odoo.sets("mail.blacklist", listed, active=active)
        found, cursor = drain(client(odoo, options, later=later), "contacts", cursor)
        # Odoo's clock seems to be behind ours, as only ours was moved: then what was read lately is read again.
        told.append({each.unsubscribed for each in found if isinstance(each, Contact) and each.id == contact})

    assert told == [{True}, {False}]


def test_a_first_pull_that_goes_on_page_after_page_loses_nobody(odoo: RealOdoo, options: dict[str, Any]) -> None:
    imported = odoo.act("res.partner", "load", ["name"], [[f"Crowd {number}"] for number in range(230)])
    made = set(map(str, imported["ids"]))

    seen, cursor = set[str](), None
    while not made <= seen and len(seen) < 10_000:
        page = next(iter(client(odoo, options).pull("contacts", cursor)))  # each page by another process
        seen |= {each.id for each in page.items if isinstance(each, Contact)}
        cursor = page.cursor

    assert made <= seen
    odoo.act("res.partner", "unlink", [int(each) for each in made])


def test_owners_are_those_who_work_there(odoo: RealOdoo, options: dict[str, Any]) -> None:
    found = {each.id: each for each in drain(client(odoo, options), "owners")[0] if isinstance(each, Owner)}

    assert (found[str(odoo.olga)].email, found[str(odoo.olga)].active) == (OLGA, True)
    assert str(odoo.guest) not in found


def test_meetings_calls_and_mail_are_read(odoo: RealOdoo, options: dict[str, Any]) -> None:
    contact = odoo.adds_contact("Cleo", email="cleo@example.com")
    partner = int(contact)
    [user] = odoo.act("res.users", "read", [odoo.olga], ["partner_id"])
    times = {"start": "2026-03-02 09:00:00", "stop": "2026-03-02 09:30:00"}
    odoo.adds("calendar.event", name="Coffee", partner_ids=[[6, 0, [partner, user["partner_id"][0]]]], **times)
    called = {"res_model_id": options["model_id"], "res_id": partner, "user_id": odoo.olga, "summary": "Ring"}
    for kind in (options["types"]["call"], options["types"]["todo"]):  # a to-do is no talk
        odoo.ticks_off(str(odoo.adds("mail.activity", activity_type_id=kind, **called)), "She was at home")
    said = {"body": "<p>Hello</p>", "message_type": "email", "author_id": partner}
    odoo.act("res.partner", "message_post", [partner], **said)
    odoo.act("res.partner", "message_post", [partner], body="A note", message_type="comment")

    found, cursor = drain(client(odoo, options), "activities")

    ours = {each.kind: each for each in found if isinstance(each, Activity) and contact in each.contact_ids}
    assert len([each for each in found if contact in each.contact_ids]) == len(ours) == 3
    assert (ours[ActivityKind.MEETING].at, ours[ActivityKind.MEETING].outcome) == (
        datetime(2026, 3, 2, 9, tzinfo=UTC),
        "held",
    )
    assert (ours[ActivityKind.CALL].outcome, ours[ActivityKind.EMAIL].outcome) == ("connected", "replied")
    odoo.sets("calendar.event", ours[ActivityKind.MEETING].id, active=False)
    again, _ = drain(client(odoo, options), "activities", cursor)
    assert [each.outcome for each in again if each.kind is ActivityKind.MEETING and contact in each.contact_ids] == [
        "cancelled"
    ]


def test_the_answers_that_are_kept_for_the_fast_tests_are_still_given(odoo: RealOdoo, options: dict[str, Any]) -> None:
    file = kept(options["version"])
    if not file.exists() and not os.environ.get("WARMLINE_ODOO_KEEP"):
        pytest.skip("no answers of this version are kept")
    told = answers(odoo, options)
    if os.environ.get("WARMLINE_ODOO_KEEP"):
        file.write_text(json.dumps(told, indent=1, ensure_ascii=False, sort_keys=True) + "\n")

    before = json.loads(file.read_text())

    assert shape(told) == shape(before)
    assert _errors(told) == _errors(before)


def _errors(told: dict[str, Any]) -> dict[str, Any]:
    """What Odoo calls its refusals, by either API."""
    errors = {asked: each.get("error", {}).get("data") or each.get("body") for asked, each in told.items()}
    return {asked: each["name"] for asked, each in errors.items() if isinstance(each, dict) and "name" in each}
