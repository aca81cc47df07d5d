"""Calls, e-mails and meetings as Salesforce has logged them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from integrations.records import Activity, ActivityKind, Direction, Gone
from tests.integrations.crm.salesforce.conftest import World
from tests.integrations.crm.salesforce.reading import drain
from tests.integrations.crm.salesforce.server import KEY

MakeWorld = Callable[..., World]


def test_a_logged_call_says_when_with_whom_and_how_it_went(world: World) -> None:
    contact = world.server.put("Contact", {"Name": "Ada"})
    call = world.server.put(
        "Task",
        {
            "TaskSubtype": "Call", "Status": "Completed", "WhoId": contact, "OwnerId": "005", "CallType": "Outbound",
            "CallDurationInSeconds": 300, "CallDisposition": "Left voicemail", "ActivityDate": "2026-11-25",
        },
    )  # fmt: skip

    [found], _, _ = drain(world, "activities")

    assert isinstance(found, Activity)
    assert (found.id, found.kind, found.contact_ids, found.owner_id) == (call, ActivityKind.CALL, (contact,), "005")
    assert (found.direction, found.outcome) == (Direction.OUT, "no_answer")
    assert found.ends_at == found.at + timedelta(minutes=5)
    assert abs(found.at - world.clock()) < timedelta(seconds=1)


def test_a_call_that_was_logged_later_stands_on_its_own_day(world: World) -> None:
    call = {"TaskSubtype": "Call", "Status": "Completed", "WhoId": "003", "ActivityDate": "2026-11-20"}
    world.server.put("Task", call)

    [found], _, _ = drain(world, "activities")

    assert found.at == datetime(2026, 11, 20, 20, 0, tzinfo=UTC)  # noon in Los Angeles


def test_a_planned_call_counts_once_it_is_done_and_not_before(world: World) -> None:
    call = world.server.put("Task", {"TaskSubtype": "Call", "WhoId": "003", "ActivityDate": "2026-11-24"})
    found, cursor, _ = drain(world, "activities")
    assert found == [Gone(call)]

    world.server.put("Task", {"Status": "Completed"}, id=call)

    assert [each.id for each in drain(world, "activities", cursor)[0] if isinstance(each, Activity)] == [call]


def test_an_email_goes_the_way_that_its_message_tells(world: World) -> None:
    email = {"TaskSubtype": "Email", "Status": "Completed", "WhoId": "003"}
    ours, theirs, neither = (world.server.put("Task", email) for _ in range(3))
    to_many = world.server.put("Task", {**email, "TaskSubtype": "ListEmail"})
    world.server.put("EmailMessage", {"ActivityId": ours, "Incoming": False})
    world.server.put("EmailMessage", {"ActivityId": theirs, "Incoming": True})

    found = {each.id: (each.direction, each.outcome) for each in drain(world, "activities")[0]}

    assert found == {
        ours: (Direction.OUT, "sent"),
        theirs: (Direction.IN, "replied"),
        neither: (Direction.NONE, ""),
        to_many: (Direction.OUT, ""),
    }


def test_emails_are_read_where_their_messages_may_not_be_seen(world: World) -> None:
    world.server.invisible.add("EmailMessage")
    world.server.put("Task", {"TaskSubtype": "Email", "Status": "Completed", "WhoId": "003"})

    assert [each.direction for each in drain(world, "activities")[0]] == [Direction.NONE]


def test_meetings_are_events_and_count_once_for_all_who_are_invited(world: World) -> None:
    meeting = {
        "WhoId": "003",
        "StartDateTime": "2026-11-27T09:00:00.000+0000",
        "EndDateTime": "2026-11-27T09:30:00.000+0000",
    }
    event = world.server.put("Event", meeting)
    world.server.put("Event", {**meeting, "IsChild": True})

    [found], cursor, _ = drain(world, "activities")
    assert (found.id, found.kind, found.ends_at) == (
        event,
        ActivityKind.MEETING,
        datetime(2026, 11, 27, 9, 30, tzinfo=UTC),
    )

    world.server.delete("Event", event)
    assert Gone(event) in drain(world, "activities", cursor)[0]


def test_a_whole_day_is_a_day_of_the_organisations(world: World) -> None:
    day = {
        "IsAllDayEvent": True,
        "ActivityDate": "2026-11-27",
        "StartDateTime": "2026-11-27T00:00:00.000+0000",
        "WhoId": "003",
    }
    world.server.put("Event", day)

    [found], _, _ = drain(world, "activities")

    assert (found.at, found.ends_at) == (datetime(2026, 11, 27, 20, 0, tzinfo=UTC), None)


def test_with_shared_activities_everybody_counts(make_world: MakeWorld) -> None:
    world = make_world(shared_activities=True)
    event = {"WhoId": "0031", "StartDateTime": "2026-11-27T09:00:00.000+0000", "EventWhoRelations": ["0031", "0032"]}
    world.server.put("Event", event)

    assert drain(world, "activities")[0][0].contact_ids == ("0031", "0032")


@pytest.mark.parametrize("customise", [True, False])
def test_our_own_tasks_are_no_activity(make_world: MakeWorld, customise: bool) -> None:
    world = make_world(customise=customise)
    values = {"Type": "Call", "Status": "Completed", "WhoId": "003", "Description": "x\n\nWarmline reference: key-1"}
    world.server.put("Task", {**values, KEY: "key-1"} if customise else values)

    assert drain(world, "activities")[0] == []


def test_activities_go_as_far_back_as_was_asked_for_and_meetings_were_booked(world: World) -> None:
    old = {"StartDateTime": "2026-06-01T09:00:00.000+0000", "WhoId": "003"}
    world.server.put("Event", old, at=datetime(2026, 6, 1, tzinfo=UTC))
    booked = world.server.put("Event", old, at=datetime(2026, 9, 1, tzinfo=UTC))

    found, _, _ = drain(world, "activities", since=datetime(2026, 11, 1, tzinfo=UTC))

    assert [each.id for each in found] == [booked]


def test_where_the_key_field_is_gone_no_task_of_ours_is_taken_for_a_call(world: World) -> None:
    world.server.put("Task", {"Type": "Call", "Status": "Completed", "WhoId": "003", KEY: "key-1"})
    meeting = world.server.put("Event", {"StartDateTime": "2026-11-25T12:00:00.000+0000", "WhoId": "003"})
    del world.server.fields["Task"][KEY]

    found, _, notes = drain(world, "activities")

    assert [each.id for each in found] == [meeting]
    assert any(KEY in each and "Connect Salesforce again" in each for each in notes)
