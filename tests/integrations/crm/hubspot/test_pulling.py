"""Pulling: nothing is missed, whatever happens between two pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.crm.hubspot.changes import OVERLAP, Position, load, position, walk
from integrations.errors import PermissionDeniedError, RateLimitError, TemporaryError, UnexpectedResponseError
from integrations.records import Activity, Contact, Gone, Owner, Page, TaskState
from tests.integrations.crm.hubspot.conftest import World
from tests.integrations.crm.hubspot.portal import START, garbage_after, iso, status

# The account in memory holds each request and answer against the models of HubSpot's own SDK.
pytestmark = pytest.mark.rule("contract")

HOUR = 3_600_000


def drain(world: World, stream: str, cursor: str | None = None, **access: Any) -> tuple[list[Any], str | None]:
    """Everything that one pull serves, and the cursor it ends with."""
    found: list[Any] = []
    for page in world.client(**access).pull(stream, cursor):
        found += page.items
        cursor = page.cursor
    return found, cursor


def ids(items: Iterable[Any], kind: type = Contact) -> list[str]:
    return [each.id for each in items if isinstance(each, kind)]


def searches(world: World) -> list[Any]:
    return [body for _, path, body in world.portal.calls if path.endswith("/contacts/search")]


def quiet(world: World) -> None:
    """Long enough for search to have shown everything."""
    world.clock.forward(minutes=10)


# --- owners -----------------------------------------------------------------------------------------------------


def test_owners_come_with_those_who_have_left(world: World) -> None:
    world.portal.owners = [
        {
            "id": "1",
            "email": "ada@example.com",
            "firstName": "Ada",
            "lastName": "L",
            "archived": False,
            "type": "PERSON",
        },
        {"id": "2", "email": "gone@example.com", "archived": True, "type": "PERSON"},
    ]

    found, cursor = drain(world, "owners")
    again, _ = drain(world, "owners", cursor)

    assert found == [Owner("1", "ada@example.com", "Ada L"), Owner("2", "gone@example.com", active=False)]
    assert again == found


def test_owners_go_on_after_any_page(world: World) -> None:
    world.portal.owners = [
        {"id": str(n), "email": f"o{n}@example.com", "archived": n % 2 == 0, "type": "PERSON"} for n in range(1, 405)
    ]

    assert sorted(ids(_stop_after_each_page(world, "owners", pulls=6), Owner), key=int) == [
        str(n) for n in range(1, 405)
    ]


# --- contacts ---------------------------------------------------------------------------------------------------


def test_the_first_read_is_a_plain_list_and_the_next_a_search(world: World) -> None:
    made = [world.portal.put("contacts", {"firstname": f"P{n}"}) for n in range(250)]
    first, cursor = drain(world, "contacts")
    quiet(world)
    world.portal.tick(HOUR)
    new = world.portal.put("contacts", {"firstname": "New"})

    second, _ = drain(world, "contacts", cursor)

    assert set(ids(first)) == set(made)
    assert new in ids(second)
    assert (
        len([path for path in world.portal.paths("GET") if path.endswith("/contacts")]) == 4
    )  # three pages, and the deleted


def test_a_change_made_while_the_list_is_read_is_not_missed(world: World) -> None:
    made = [world.portal.put("contacts", {"firstname": "A"}) for _ in range(150)]
    pages = world.client().pull("contacts", None)
    next(pages)
    world.portal.put("contacts", {"firstname": "Changed"}, id=made[0])

    rest = [each for page in pages for each in page.items]

    assert "Changed" in [each.first_name for each in rest if isinstance(each, Contact)]


def test_changes_made_between_pulls_that_each_read_a_page_of_the_list_are_not_missed(world: World) -> None:
    made = [world.portal.put("contacts", {"firstname": "A"}) for _ in range(350)]

    def change(number: int) -> None:
        if number < 3:
            world.portal.put("contacts", {"firstname": f"B{number}"}, id=made[number], at=world.portal.tick(HOUR))

    found = _stop_after_each_page(world, "contacts", 8, change)

    assert {f"B{number}" for number in range(3)} <= {each.first_name for each in found if isinstance(each, Contact)}


def test_a_quiet_account_costs_one_search_and_serves_nothing_again(world: World) -> None:
    for _ in range(300):
        world.portal.put("contacts", {"firstname": "A"}, at=world.portal.tick(HOUR))
    _, cursor = drain(world, "contacts")
    quiet(world)
    _, cursor = drain(world, "contacts", cursor)
    world.portal.calls.clear()

    found, _ = drain(world, "contacts", cursor)

    assert len(found) <= 1  # the newest change stands at the border
    assert len(world.portal.calls) == 1


def test_contacts_of_the_list_are_not_read_again_by_search(world: World) -> None:
    for _ in range(500):
        world.portal.put("contacts", {"firstname": "A"})
    first, cursor = drain(world, "contacts")

    again, _ = drain(world, "contacts", cursor)

    assert len(ids(first)) == 501
    assert len(ids(again)) == 1


def test_a_change_that_search_shows_late_is_found_by_the_overlap(world: World) -> None:
    _, cursor = drain(world, "contacts")
    late = world.portal.put("contacts", {"firstname": "Late"})
    world.portal.hidden.add(late)
    world.portal.put("contacts", {"firstname": "Prompt"}, at=world.portal.tick(60_000))
    _, cursor = drain(world, "contacts", cursor)
    world.portal.hidden.clear()
    world.clock.forward(minutes=4)

    found, _ = drain(world, "contacts", cursor)

    assert late in ids(found)


def test_twenty_five_thousand_changes_pass_the_wall_of_ten_thousand(world: World) -> None:
    _, cursor = drain(world, "contacts")
    made = {world.portal.put("contacts", {"firstname": "A"}, at=START + 10 * n) for n in range(25_000)}

    found, _ = drain(world, "contacts", cursor)

    assert set(ids(found)) == made
    assert len(found) < 26_000  # the seams between pages are read twice, and no more


def test_one_instant_with_more_changes_than_search_serves_is_walked_by_id(world: World) -> None:
    before = world.portal.put("contacts", {"firstname": "Before"})
    _, cursor = drain(world, "contacts")
    instant = world.portal.tick(HOUR)
    crowd = {world.portal.put("contacts", {"firstname": "A"}, at=instant) for _ in range(10_400)}
    after = world.portal.put("contacts", {"firstname": "After"}, at=instant + 1)

    found, cursor = drain(world, "contacts", cursor)
    quiet(world)

    assert {*crowd, before, after} >= set(ids(found)) >= {*crowd, after}
    assert len(ids(found)) < 10_400 + 500
    _, cursor = drain(world, "contacts", cursor)  # once more, for what search may have shown since
    assert ids(drain(world, "contacts", cursor)[0]) == [after]


def test_a_search_that_does_not_move_on_is_not_asked_for_ever(world: World) -> None:
    instant = world.portal.tick(HOUR)
    for _ in range(200):
        world.portal.put("contacts", {}, at=instant)
    rows = list(world.portal.kinds["contacts"].values())
    api = world.client()._api
    world.portal.fault("POST", "/search", lambda work: world.portal._ok({"total": 200, "results": rows}), times=9)

    with pytest.raises(UnexpectedResponseError):
        list(walk(api, "contacts", "lastmodifieddate", (), Position(at=instant), lambda: 0.0))
    assert len(searches(world)) == 3


def test_a_record_that_moves_while_it_is_searched_hides_no_other(world: World) -> None:
    _, cursor = drain(world, "contacts")
    made = [world.portal.put("contacts", {"firstname": "A"}, at=START + HOUR * n) for n in range(1, 601)]

    def last_row_moved(work: Callable[[], Any]) -> Any:
        code, headers, text = work()
        return code, headers, text.replace(iso(START + HOUR * 200), iso(START + HOUR * 9000))

    world.portal.fault("POST", "/contacts/search", last_row_moved)

    found, _ = drain(world, "contacts", cursor)

    assert set(ids(found)) == set(made)


def test_a_deleted_contact_is_reported_within_the_hour(world: World) -> None:
    made = [world.portal.put("contacts", {"firstname": "A"}) for _ in range(3)]
    _, cursor = drain(world, "contacts")
    world.portal.archive("contacts", made[1])
    early, cursor = drain(world, "contacts", cursor)
    world.clock.forward(hours=1)

    found, _ = drain(world, "contacts", cursor)

    assert Gone(made[1]) not in early
    assert Gone(made[1]) in found


def test_a_deleted_contact_is_reported_though_every_pull_stops_after_a_page(world: World) -> None:
    made = [world.portal.put("contacts", {"firstname": "A"}) for _ in range(3)]
    _, cursor = drain(world, "contacts")
    world.portal.archive("contacts", made[1])
    world.clock.forward(hours=1)

    assert Gone(made[1]) in _stop_after_each_page(world, "contacts", pulls=3, cursor=cursor)


def test_a_contact_deleted_behind_the_reader_of_the_list_is_reported_the_next_time(world: World) -> None:
    made = [world.portal.put("contacts", {}) for _ in range(260)]
    for each in made[10:]:
        world.portal.archive("contacts", each)
    _, cursor = drain(world, "contacts")
    world.clock.forward(hours=1)

    def deleted_meanwhile(work: Callable[[], Any]) -> Any:
        world.portal.archive("contacts", made[0])  # stands on the page that was read already
        world.portal.archive("contacts", made[-1])  # and this one, later, on the page that is about to be read
        return work()

    world.portal.fault("GET", "/contacts$", deleted_meanwhile, skip=1)
    first, cursor = drain(world, "contacts", cursor)
    world.clock.forward(hours=1)
    second, _ = drain(world, "contacts", cursor)

    assert Gone(made[0]) not in first
    assert Gone(made[0]) in second


def test_deletions_reported_long_ago_are_not_reported_again(world: World) -> None:
    old = world.portal.put("contacts", {})
    world.portal.archive("contacts", old)
    world.portal.tick(30 * HOUR)
    new = world.portal.put("contacts", {})
    world.portal.archive("contacts", new)
    first, cursor = drain(world, "contacts")
    world.clock.forward(hours=2)

    again, _ = drain(world, "contacts", cursor)

    assert {Gone(old), Gone(new)} <= set(first)
    assert Gone(old) not in again


def test_contacts_merged_into_another_are_gone(world: World) -> None:
    kept = world.portal.put("contacts", {"hs_merged_object_ids": "77;78"})

    found, _ = drain(world, "contacts")

    assert {Gone("77"), Gone("78")} <= set(found)
    assert set(ids(found)) == {kept}


def _stop_after_each_page(
    world: World, stream: str, pulls: int, between: Callable[[int], None] = lambda n: None, cursor: str | None = None
) -> list[Any]:
    found: list[Any] = []
    for number in range(pulls):
        page: Page[Any] = next(iter(world.client().pull(stream, cursor)))
        found += page.items
        cursor = page.cursor
        between(number)
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stamps=st.lists(st.integers(0, 900).map(lambda n: START + n * 1000), min_size=1, max_size=900),
    changes=st.dictionaries(st.integers(0, 40), st.integers(0, 899), max_size=10),
)
def test_stopping_after_any_page_and_coming_back_loses_nothing(
    make_world: Callable[..., World], stamps: list[int], changes: dict[int, int]
) -> None:
    world = make_world()
    made = [world.portal.put("contacts", {"firstname": "A"}, at=stamp) for stamp in stamps]
    world.portal.tick(2000 * 1000)

    def change(number: int) -> None:
        if number in changes:
            world.portal.put("contacts", {"firstname": f"B{number}"}, id=made[changes[number] % len(made)])

    found = _stop_after_each_page(world, "contacts", 60, change)

    latest = {each.id: each for each in found if isinstance(each, Contact)}
    assert {each: row["properties"]["firstname"] for each, row in world.portal.kinds["contacts"].items()} == {
        each: contact.first_name for each, contact in latest.items()
    }


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        '{"v":2,"changed":{}}',
        '{"v":1,"changed":"x"}',
        '{"v":1,"changed":{"high":-1}}',
        '{"v":1,"after":7}',
        "[" * 5000,
    ],
)
@pytest.mark.parametrize("stream", ["owners", "contacts", "activities", "tasks"])
def test_a_cursor_that_is_garbage_starts_over(world: World, stream: str, cursor: str) -> None:
    made = world.portal.put("contacts", {})
    task = world.portal.put("tasks", {"warmline_key": "k", "hs_timestamp": iso(START)})
    call = world.portal.put("calls", {"hs_timestamp": iso(START)})
    world.portal.owners = [{"id": "9", "email": "o@example.com", "archived": False, "type": "PERSON"}]

    found, _ = drain(world, stream, cursor)

    assert {"owners": "9", "contacts": made, "activities": call, "tasks": task}[stream] in [each.id for each in found]


@pytest.mark.parametrize(
    "value", [None, 7, "x", [], {"high": True, "seen": 0, "at": None, "id": None, "floor": 0}, {"high": 1}]
)
def test_a_position_that_is_garbage_is_the_beginning(value: object) -> None:
    assert position(value) == Position()


def test_the_overlap_shrinks_as_time_passes() -> None:
    here = Position(high=OVERLAP * 3, seen=1000.0)

    assert here.started(1000.0).at == OVERLAP * 2
    assert here.started(9_999_999.0).at == OVERLAP * 2  # what came to show since we looked may be as old as that
    for waited, overlap in ((0, OVERLAP), (OVERLAP // 2, OVERLAP // 2), (OVERLAP, 0)):
        looked = replace(here, begun=1000.0 + waited / 1000)
        assert looked.started(9_999_999.0).at == OVERLAP * 3 - overlap
    assert here.started(0.0).at == OVERLAP * 2  # our clock went back


def test_an_old_version_of_a_cursor_is_no_state() -> None:
    assert load('{"v":0,"changed":{}}') == {}


# --- activities -------------------------------------------------------------------------------------------------


def test_activities_of_every_type_come_with_their_contacts(world: World) -> None:
    contact = world.portal.put("contacts", {})
    for kind in ("calls", "meetings", "emails", "communications", "notes"):
        made = world.portal.put(kind, {"hs_timestamp": iso(START)})
        world.portal.link(kind, made, "contacts", contact)

    found, _ = drain(world, "activities")

    assert [each.kind.value for each in found] == ["call", "meeting", "email", "text", "note"]
    assert all(each.contact_ids == (contact,) for each in found)


def test_an_activity_with_many_contacts_has_all_of_them(world: World) -> None:
    call = world.portal.put("calls", {"hs_timestamp": iso(START)})
    for n in range(1, 1201):
        world.portal.link("calls", call, "contacts", str(n))

    [found], _ = drain(world, "activities")

    assert len(found.contact_ids) == 1200


def test_contacts_that_could_not_be_looked_for_are_not_taken_for_none(world: World) -> None:
    world.portal.put("calls", {"hs_timestamp": iso(START)})
    trouble = {"status": "error", "category": "INTERNAL_ERROR", "message": "try again", "context": {}}
    body = {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [trouble]}
    world.portal.fault("POST", "/associations/", lambda work: world.portal._ok(body, 207))

    with pytest.raises(TemporaryError):
        drain(world, "activities")


def test_an_activity_without_a_time_is_passed_over(world: World) -> None:
    world.portal.put("calls", {})

    assert drain(world, "activities")[0] == []


def test_a_first_pull_goes_back_as_far_as_it_is_told_and_as_meetings_are_booked(world: World) -> None:
    since = datetime.fromtimestamp(START / 1000, UTC)
    old = world.portal.put("calls", {"hs_timestamp": iso(START)}, at=START - 91 * 24 * HOUR)
    booked = world.portal.put("meetings", {"hs_timestamp": iso(START)}, at=START - 89 * 24 * HOUR)

    found, cursor = drain(world, "activities", since=since)
    later = world.portal.put("calls", {"hs_timestamp": iso(START)}, at=START + HOUR)

    assert old not in ids(found, Activity)
    assert ids(found, Activity) == [booked]
    assert later in ids(drain(world, "activities", cursor, since=since)[0], Activity)


def test_a_type_that_may_not_be_read_is_noted_and_the_others_come(world: World) -> None:
    world.portal.put("notes", {"hs_timestamp": iso(START)})
    denied = status(403, "no", category="MISSING_SCOPES", context={"requiredGranularScopes": ["sales-email-read"]})
    world.portal.fault("POST", "/emails/search", denied)

    pages = list(world.client().pull("activities", None))

    assert [each.kind.value for page in pages for each in page.items if isinstance(each, Activity)] == ["note"]
    assert any("emails" in note and "sales-email-read" in note for note in pages[-1].notes)


def test_an_account_that_lets_us_read_no_activity_stops_the_stream(world: World) -> None:
    world.portal.fault("POST", "/search", status(403, "no", category="MISSING_SCOPES"), times=9)

    with pytest.raises(PermissionDeniedError):
        drain(world, "activities")


def test_activities_go_on_after_any_page(world: World) -> None:
    made = {world.portal.put(kind, {"hs_timestamp": iso(START)}) for kind in ("calls", "notes") for _ in range(450)}

    assert made == set(ids(_stop_after_each_page(world, "activities", pulls=30), Activity))


# --- tasks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("allowed", [{}, {"unique": False}, {"properties_allowed": False}])
def test_the_tasks_stream_serves_ours_and_no_others(make_world: Callable[..., World], allowed: dict[str, bool]) -> None:
    world = make_world(**allowed)
    ours = {"warmline_key": "k1"} if world.options["key_property"] else {}
    mine = world.portal.put(
        "tasks", {**ours, "hs_task_body": "Hi<br><br>Warmline reference: k1", "hs_task_status": "COMPLETED"}
    )
    world.portal.put("tasks", {"hs_task_body": "Somebody else's"})

    found, cursor = drain(world, "tasks")

    assert [(each.id, each.key) for each in found if isinstance(each, TaskState)] == [(mine, "k1")]
    world.portal.put("tasks", {"hs_task_status": "NOT_STARTED"}, id=mine)
    assert mine in ids(drain(world, "tasks", cursor)[0], TaskState)


# --- what goes wrong --------------------------------------------------------------------------------------------


def test_a_search_that_is_answered_with_garbage_is_not_an_empty_search(world: World) -> None:
    world.portal.fault("POST", "/search", garbage_after)

    with pytest.raises(UnexpectedResponseError):
        drain(world, "tasks")


@pytest.mark.parametrize(
    "body", ['{"total": 0}', '{"results": [{"properties": {}}]}', "[]", '{"results": [7]}', "null", ""]
)
def test_an_answer_without_records_is_said_to_be_unreadable(world: World, body: str) -> None:
    world.portal.fault("POST", "/search", lambda work: (200, {}, body))

    with pytest.raises(UnexpectedResponseError):
        drain(world, "tasks")


@pytest.mark.parametrize(
    ("policy", "headers", "seconds"),
    [
        ("SECONDLY", {}, 1.0),
        ("TEN_SECONDLY_ROLLING", {}, 10.0),
        ("DAILY", {}, 3600.0),
        ("NEW_ONE", {"X-HubSpot-RateLimit-Interval-Milliseconds": "20000"}, 20.0),
        ("DAILY", {"Retry-After": "7"}, 7.0),
    ],
)
def test_a_rate_limit_says_how_long_to_wait(world: World, policy: str, headers: dict[str, str], seconds: float) -> None:
    world.portal.fault("POST", "/search", status(429, "slow down", headers, errorType="RATE_LIMIT", policyName=policy))

    with pytest.raises(RateLimitError) as caught:
        drain(world, "tasks")
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("code", [423, 477, 500, 502, 503, 504])
def test_what_passes_is_temporary(world: World, code: int) -> None:
    world.portal.fault("POST", "/search", status(code, "please wait"))

    with pytest.raises(TemporaryError):
        drain(world, "tasks")


def test_a_missing_scope_is_named(world: World) -> None:
    denied = status(
        403,
        "no",
        category="MISSING_SCOPES",
        errors=[{"context": {"requiredGranularScopes": ["crm.objects.contacts.read"]}}],
    )
    world.portal.fault("GET", "/objects/", denied)

    with pytest.raises(PermissionDeniedError) as caught:
        drain(world, "contacts")
    assert caught.value.scope == "crm.objects.contacts.read"


def test_a_page_of_web_instead_of_an_answer_deletes_nobodys_tasks(world: World) -> None:
    task = world.portal.put("tasks", {"warmline_key": "k"})
    world.portal.fault(
        "POST", "/batch/read", lambda work: (404, {"Content-Type": "text/html"}, "<html>not found</html>")
    )

    with pytest.raises(TemporaryError):
        world.client().read_tasks([task])


def test_tasks_are_read_by_id_and_deleted_ones_are_gone(world: World) -> None:
    made = [world.portal.put("tasks", {"warmline_key": f"k{n}", "hs_task_subject": f"S{n}"}) for n in range(130)]
    world.portal.archive("tasks", made[7])

    found = world.client().read_tasks([*made, "999", "not-an-id"])

    assert [each.id for each in found if isinstance(each, Gone)] == [made[7], "999", "not-an-id"]
    assert found[129] == TaskState(
        made[129],
        "k129",
        found[0].status,  # type: ignore[union-attr]
        "S129",
        updated_at=datetime.fromtimestamp(START / 1000, UTC) + timedelta(milliseconds=130),
        url=f"https://app-eu1.hubspot.com/contacts/8790001/record/0-27/{made[129]}",
        sole=True,
    )


def test_a_record_that_could_not_be_looked_for_is_not_gone(world: World) -> None:
    trouble = {"status": "error", "category": "INTERNAL_ERROR", "message": "try again", "context": {}}
    body = {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [trouble]}
    world.portal.fault("POST", "/batch/read", lambda work: world.portal._ok(body, 207))

    with pytest.raises(TemporaryError):
        world.client().read_tasks(["1"])


PER_DAY = {"X-HubSpot-RateLimit-Daily": "250000", "X-HubSpot-RateLimit-Daily-Remaining": "249000"}
PER_WINDOW = {"X-HubSpot-RateLimit-Max": "110", "X-HubSpot-RateLimit-Interval-Milliseconds": "10000"}


@pytest.mark.parametrize(
    ("headers", "budget"),
    [
        (PER_WINDOW, (None, 110, "calls in 10 seconds")),
        ({**PER_WINDOW, **PER_DAY}, (249_000, 250_000, "calls a day (all private apps share them)")),
        ({}, None), ({**PER_WINDOW, "X-HubSpot-RateLimit-Max": "plenty"}, None), ({**PER_DAY, "X-HubSpot-RateLimit-Daily": "0"}, None),
    ],
)  # fmt: skip
def test_what_hubspot_serves_comes_with_the_page(
    world: World, headers: dict[str, str], budget: tuple[int | None, int, str] | None
) -> None:
    found = '{"results": [{"id": "1", "email": "olga@acme.example"}]}'
    world.portal.fault("GET", "/owners", lambda work: (200, headers, found))
    page = next(world.client().pull("owners", None))
    told = page.budget and (page.budget.left, page.budget.most, page.budget.what)
    assert told == budget
