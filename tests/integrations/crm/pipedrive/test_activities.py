"""Users, activities and tasks as Pipedrive serves them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.errors import InvalidRequestError
from integrations.records import Activity, ActivityKind, Gone, Owner, TaskState
from tests.integrations.crm.faults import status
from tests.integrations.crm.pipedrive.conftest import World
from tests.integrations.crm.pipedrive.reading import drain

# --- users ------------------------------------------------------------------------------------------------------


def test_a_user_who_was_deactivated_is_told(world: World) -> None:
    world.server.users[7] = {"id": 7, "email": "owner@example.com", "name": "Owner", "active_flag": False}

    assert drain(world, "owners")[0] == [Owner("7", "owner@example.com", "Owner", active=False)]


# --- activities -------------------------------------------------------------------------------------------------


def one_activity(world: World, **values: Any) -> Any:
    activity = world.server.put(
        "activity", {"participants": [{"person_id": 4, "primary": True}], "owner_id": 7, **values}
    )
    [found] = drain(world, "activities")[0] or [None]
    assert found is None or found.id == str(activity)
    return found


def test_a_call_that_is_done_counts_at_its_time(world: World) -> None:
    people = [{"person_id": 5, "primary": False}, {"person_id": 4, "primary": True}]
    found = one_activity(
        world, type="call", done=True, due_date="2026-11-25", due_time="10:00:00", duration="00:20", participants=people
    )

    assert (found.kind, found.at) == (ActivityKind.CALL, datetime(2026, 11, 25, 10, 0, tzinfo=UTC))
    assert found.ends_at == found.at + timedelta(minutes=20)
    assert (found.contact_ids, found.owner_id, found.outcome) == (("4", "5"), "7", "")


def test_a_call_without_a_time_counts_when_it_was_ticked_off_or_at_noon_of_its_day(world: World) -> None:
    today = one_activity(world, type="call", done=True, due_date="2026-11-25")
    assert today.at == datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def test_a_call_that_was_logged_for_another_day_counts_at_noon_of_that_day(world: World) -> None:
    assert one_activity(world, type="call", done=True, due_date="2026-11-20").at == datetime(
        2026, 11, 20, 12, 0, tzinfo=UTC
    )


def test_a_call_that_is_planned_does_not_count(world: World) -> None:
    assert isinstance(one_activity(world, type="call", done=False, due_date="2026-11-25"), Gone)


def test_a_meeting_counts_at_its_time_whether_ticked_off_or_not(world: World) -> None:
    found = one_activity(world, type="meeting", done=False, due_date="2026-11-27", due_time="09:00")
    assert (found.kind, found.at) == (ActivityKind.MEETING, datetime(2026, 11, 27, 9, 0, tzinfo=UTC))


def test_a_deadline_is_no_activity_with_anybody(world: World) -> None:
    assert one_activity(world, type="deadline", done=True, due_date="2026-11-25") is None


def test_our_own_calls_are_no_evidence(world: World) -> None:
    note = "They asked.<br><br>Warmline reference: key-1"
    assert one_activity(world, type="call", done=True, due_date="2026-11-25", note=note) is None


def test_a_note_that_is_html_of_somebody_elses_is_read(world: World) -> None:
    note = "<p>They asked.</p><p>Warmline reference: key-1</p><p>I called twice.</p>"
    world.server.put("activity", {"type": "task", "note": note, "subject": "Answer"})

    [found], _ = drain(world, "tasks")

    assert isinstance(found, TaskState)
    assert (found.key, "I called twice." in found.body) == ("key-1", True)


def test_activities_go_as_far_back_as_was_asked_for_and_meetings_were_booked(world: World) -> None:
    meeting = {"type": "meeting", "due_date": "2026-11-27", "participants": [{"person_id": 4, "primary": True}]}
    world.server.put("activity", meeting, at=datetime(2026, 6, 1, tzinfo=UTC))
    booked = world.server.put("activity", meeting, at=datetime(2026, 9, 1, tzinfo=UTC))

    found, _ = drain(world, "activities", since=datetime(2026, 11, 1, tzinfo=UTC))

    assert [each.id for each in found if isinstance(each, Activity)] == [str(booked)]


def test_an_empty_list_may_be_null(world: World) -> None:
    body = '{"success": true, "data": null, "additional_data": {"next_cursor": null}}'
    world.server.faults.add("GET", "/persons", status(200, body, {"Content-Type": "application/json"}))

    assert drain(world, "contacts")[0] == []


def test_a_success_that_says_it_is_none_is_a_refusal(world: World) -> None:
    body = '{"success": false, "error": "Scope is missing", "data": null}'
    world.server.faults.add("GET", "/users", status(200, body, {"Content-Type": "application/json"}))

    with pytest.raises(InvalidRequestError, match="Scope is missing"):
        drain(world, "owners")
