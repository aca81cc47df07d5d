"""What is Odoo's own in reading: what is archived, what rules hide, what its history tells."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from integrations.crm.odoo import fields, streams
from integrations.errors import (
    PermissionDeniedError,
)
from integrations.records import (
    Activity,
    ActivityKind,
    Contact,
    Direction,
    Gone,
    Handle,
    TaskKind,
)
from tests.integrations.crm.odoo.asked import TASK, Make, drain, made
from tests.integrations.crm.odoo.conftest import OLGA, OLGAS, World
from tests.integrations.crm.odoo.server import CALL, TODO, WEB


def test_a_contact_has_all_that_matching_and_wording_need(world: World) -> None:
    world.options["partner_fields"] = [*fields.WANTED]
    values = {
        "name": "Ada Lovelace", "email": "ada@example.com", "phone": "+1 555 0100", "mobile": "+1 555 0101", "function": "Analyst",
        "website": "https://example.com", "city": "London", "country_id": [231, "United Kingdom"], "parent_id": [9, "Engines"],
        "user_id": [OLGA, "Olga"], "x_studio_twitter": "@ada", "is_blacklisted": True, "customer_rank": 2,
    }  # fmt: skip
    partner = world.server.put("res.partner", values)

    found, _ = drain(world, "contacts")

    [contact] = [each for each in found if each.id == str(partner)]
    assert contact == Contact(
        id=str(partner), name="Ada Lovelace", emails=("ada@example.com",), phones=("+1 555 0100", "+1 555 0101"), company="Engines",
        title="Analyst", website="https://example.com", city="London", country="United Kingdom", owner_id=str(OLGA),
        handles=(Handle("x", "ada"),), lifecycle="customer", unsubscribed=True, url=f"{WEB}/web#id={partner}&model=res.partner&view_type=form",
        updated_at=world.clock(),
    )  # fmt: skip


def test_a_company_is_a_company_and_an_address_nobody(world: World) -> None:
    company = world.server.put("res.partner", {"name": "Engines", "is_company": True})
    world.server.put("res.partner", {"name": "Dock 4", "type": "delivery"})

    found, _ = drain(world, "contacts")

    assert [(each.name, each.company) for each in found if each.id == str(company)] == [("Engines", "Engines")]
    assert "Dock 4" not in {each.name for each in found}


def test_an_archived_contact_is_gone_and_so_is_a_deleted_one_within_the_hour(world: World) -> None:
    ada, bea = (world.server.put("res.partner", {"name": name}) for name in ("Ada", "Bea"))
    _, cursor = drain(world, "contacts")
    world.wait(60)
    world.server.put("res.partner", {"active": False}, ada)
    world.server.delete("res.partner", bea)

    soon, cursor = drain(world, "contacts", cursor)
    world.wait(3600)
    later, cursor = drain(world, "contacts", cursor)
    world.wait(3600)

    assert Gone(str(ada)) in soon
    assert Gone(str(bea)) in later
    assert Gone(str(bea)) not in drain(world, "contacts", cursor)[0]


def test_who_unsubscribes_is_noticed_within_the_hour_though_odoo_stamps_nobody(make: Make) -> None:
    world = make(prepared=False)
    world.server.fields["res.partner"]["is_blacklisted"] = {"type": "boolean"}
    world.prepare()
    ada = world.server.put("res.partner", {"name": "Ada"})
    world.wait(3600)
    world.server.put("res.partner", {"name": "Bea"})  # the newest alone is read each time
    _, cursor = drain(world, "contacts")
    world.wait(3600)
    _, cursor = drain(world, "contacts")
    for barred in (True, False):
        world.server.rows["res.partner"][ada]["is_blacklisted"] = barred
        world.wait(3600)

        found, cursor = drain(world, "contacts", cursor)

        told = [each.unsubscribed for each in found if isinstance(each, Contact) and each.id == str(ada)]
        assert told == [barred]


def test_a_broken_row_of_a_full_page_ends_no_walk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [str(world.server.put("res.partner", {"name": "Imported"})) for _ in range(450)]
    search = world.server._search_read

    def broken(*asked: Any) -> Any:
        return [{**row, "id": None} if str(row["id"]) == ids[7] else row for row in search(*asked)]

    monkeypatch.setattr(world.server, "_search_read", broken)

    assert {each.id for each in drain(world, "contacts")[0]} >= {*ids} - {ids[7]}


def test_a_broken_row_among_ids_makes_nobody_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "AT_ONCE", 3)
    for _ in range(8):
        world.server.put("res.partner", {"name": "Ada"})
    _, cursor = drain(world, "contacts")
    search = world.server._search_read

    def broken(*asked: Any) -> Any:
        return [{**row, "id": None} if row["id"] == 102 else row for row in search(*asked)]

    monkeypatch.setattr(world.server, "_search_read", broken)
    world.wait(3600)

    assert {each.id for each in drain(world, "contacts", cursor)[0] if isinstance(each, Gone)} <= {"102"}


def test_a_contact_that_a_rule_hid_for_a_while_comes_back(world: World) -> None:
    ada = world.server.put("res.partner", {"name": "Ada"})
    world.wait(1)
    world.server.put("res.partner", {"name": "Bea"})
    _, cursor = drain(world, "contacts")
    world.server.out_of_reach.add(str(ada))
    world.wait(3600)
    found, cursor = drain(world, "contacts", cursor)
    assert Gone(str(ada)) in found

    world.server.out_of_reach.clear()
    world.wait(3600)
    found, cursor = drain(world, "contacts", cursor)
    world.wait(3600)

    assert str(ada) in [each.id for each in found if isinstance(each, Contact)]
    assert str(ada) not in [each.id for each in drain(world, "contacts", cursor)[0]]


def test_a_second_with_more_records_than_a_page_is_walked_by_id(world: World) -> None:
    made_then = {str(world.server.put("res.partner", {"name": "Imported"})) for _ in range(530)}

    assert {each.id for each in drain(world, "contacts")[0]} >= made_then


def test_a_page_from_which_odoo_takes_what_may_not_be_seen_is_not_the_last(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = [
        str(
            world.server.put(
                "mail.message", {"date": world.server.now(), "res_id": 9, "mail_activity_type_id": [CALL, "x"]}
            )
        )
        for _ in range(450)
    ]
    world.wait(60)
    calls.append(
        str(
            world.server.put(
                "mail.message", {"date": world.server.now(), "res_id": 9, "mail_activity_type_id": [CALL, "x"]}
            )
        )
    )
    search = world.server._search_read

    def filtered(*asked: Any) -> Any:  # Odoo looks at access once it has its page
        return [row for row in search(*asked) if str(row["id"]) not in calls[3:5]]

    monkeypatch.setattr(world.server, "_search_read", filtered)

    assert {each.id for each in drain(world, "activities")[0]} == {*calls[:3], *calls[5:]}


@pytest.mark.parametrize(
    ("values", "kind", "outcome"),
    [
        ({"mail_activity_type_id": [CALL, "Call"]}, ActivityKind.CALL, "connected"),
        ({"message_type": "email"}, ActivityKind.EMAIL, "replied"),
        ({"mail_activity_type_id": [TODO, "To-Do"]}, None, ""),
        ({"message_type": "comment"}, None, ""),
    ],
)
def test_the_history_of_a_contact_tells_calls_and_emails(
    world: World, values: dict[str, Any], kind: ActivityKind | None, outcome: str
) -> None:
    world.server.put("mail.message", {"date": "2026-11-24 10:00:00", "res_id": 55, **values})

    found, _ = drain(world, "activities")

    assert {(each.kind, each.outcome, each.contact_ids) for each in found} == (
        {(kind, outcome, ("55",))} if kind else set()
    )


def test_a_meeting_is_held_once_it_has_begun(world: World) -> None:
    for start, active in (("2026-11-24 10:00:00", True), ("2026-12-24 10:00:00", True), ("2026-11-23 10:00:00", False)):
        world.server.put("calendar.event", {"start": start, "stop": start, "partner_ids": [5, 6], "active": active})

    found, _ = drain(world, "activities")

    assert [each.outcome for each in found if isinstance(each, Activity)] == ["held", "scheduled", "cancelled"]
    assert {(each.contact_ids, each.direction) for each in found} == {(("5", "6"), Direction.NONE)}


def test_a_module_that_is_not_installed_is_noted_and_the_others_count(make: Make) -> None:
    world = make(hidden_models={"calendar.event"})
    world.server.put("mail.message", {"date": "2026-11-24 10:00:00", "res_id": 55, "message_type": "email"})

    pages = list(world.client().pull("activities", None))

    assert {each.kind for page in pages for each in page.items} == {ActivityKind.EMAIL}
    assert "calendar.event" in pages[-1].notes[0]


def test_all_that_is_hidden_stops_the_stream(make: Make) -> None:
    world = make(hidden_models={"calendar.event", "mail.message"})

    with pytest.raises(PermissionDeniedError):
        drain(world, "activities")


def test_our_own_tasks_leave_no_talk_behind(make: Make) -> None:
    for keeps in (True, None):
        world = make(version=19 if keeps else 16, keeps_done=keeps)
        row = made(world, replace(TASK, kind=TaskKind.READY_FOR_CALL, contact_id=str(OLGAS)))
        assert row["activity_type_id"] == [CALL, "x"]
        world.server.do(row["id"])

        assert drain(world, "activities")[0] == []
