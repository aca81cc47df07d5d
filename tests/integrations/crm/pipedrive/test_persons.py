"""Persons as Pipedrive serves them, and who is gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.crm.pipedrive import sight
from integrations.crm.pipedrive.api import PERSONS
from integrations.crm.pipedrive.streams import NAMED
from integrations.errors import InvalidRequestError
from integrations.records import Contact, Gone, GoneBetween, Handle
from tests.integrations.crm.faults import Answer, Work
from tests.integrations.crm.pipedrive.conftest import World
from tests.integrations.crm.pipedrive.reading import drain
from tests.integrations.crm.pipedrive.server import TWITTER

MakeWorld = Callable[..., World]


def test_a_person_is_read_with_its_organization(make_world: MakeWorld) -> None:
    world = make_world(prepared=False, campaigns=True)
    world.server.add_field(TWITTER, "X handle")
    world.server.add_field("d" * 40, "No calls", field_type="enum", options=[{"id": 31, "label": "Yes"}])
    world.prepare()
    company = world.server.put("organization", {"name": "Example Ltd", "website": "https://example.com"})
    person = world.server.put(
        "person",
        {
            "name": "Ada Example", "first_name": "Ada", "last_name": "Example", "org_id": company, "owner_id": 7, "job_title": "Owner",
            "emails": [{"value": "b@example.com", "primary": False}, {"value": "a@example.com", "primary": True}],
            "phones": [{"value": "+15550100", "primary": True}], "marketing_status": "unsubscribed",
            "postal_address": {"locality": "Leeds", "admin_area_level_1": "Yorkshire", "country": "UK"},
            "custom_fields": {TWITTER: "@ada", "d" * 40: 31},
        },
    )  # fmt: skip

    [found], _ = drain(world, "contacts")

    assert found == Contact(
        id=str(person), name="Ada Example", first_name="Ada", last_name="Example", emails=("a@example.com", "b@example.com"),
        phones=("+15550100",), company="Example Ltd", title="Owner", website="https://example.com", city="Leeds",
        region="Yorkshire", country="UK", owner_id="7", handles=(Handle("x", "ada"),), do_not_call=True, unsubscribed=True,
        url=f"https://example.pipedrive.com/person/{person}", updated_at=datetime(2026, 11, 25, 12, 0, tzinfo=UTC),
    )  # fmt: skip


def test_an_option_that_allows_calls_forbids_none(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    options = [{"id": 31, "label": "Yes"}, {"id": 32, "label": "No"}]
    world.server.add_field("d" * 40, "Do not call", field_type="enum", options=options)
    world.prepare()
    world.server.put("person", {"name": "Ada", "custom_fields": {"d" * 40: 32}})
    world.server.put("person", {"name": "Bea", "custom_fields": {"d" * 40: None}})

    assert [each.do_not_call for each in drain(world, "contacts")[0]] == [False, False]


def test_persons_are_read_without_a_field_that_somebody_removed(make_world: MakeWorld) -> None:
    world = make_world(prepared=False)
    world.server.add_field(TWITTER, "X handle")
    world.prepare()
    world.server.put("person", {"name": "Ada"})
    world.server.fields.pop()

    pages = list(world.client().pull("contacts", None))

    assert [each.name for page in pages for each in page.items] == ["Ada"]
    assert any("Connect again" in note for page in pages for note in page.notes)


def test_many_organizations_are_asked_for_a_hundred_at_a_time(world: World) -> None:
    for number in range(150):
        company = world.server.put("organization", {"name": f"Company {number}"})
        world.server.put("person", {"name": "Ada", "org_id": company})

    found, _ = drain(world, "contacts")

    assert {each.company for each in found} == {f"Company {number}" for number in range(150)}
    assert world.server.paths("GET").count("/api/v2/organizations") == 2


def test_a_bulk_edit_in_one_second_is_read_whole(world: World) -> None:
    at = datetime(2026, 11, 25, 11, 0, tzinfo=UTC)
    made = {str(world.server.put("person", {"name": "Ada"}, at=at)) for _ in range(1700)}

    seen: set[str] = set()
    cursor = None
    for _ in range(6):
        page = next(iter(world.client().pull("contacts", cursor)))
        seen |= {each.id for each in page.items}
        cursor = page.cursor

    assert seen == made


def test_a_cursor_that_pipedrive_takes_no_more_loses_nothing(world: World) -> None:
    start = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
    made = {str(world.server.put("person", {"name": "Ada"}, at=start + timedelta(seconds=n))) for n in range(1200)}
    first = next(iter(world.client().pull("contacts", None)))
    world.server.cursors_before = world.server.pages + 1

    rest, _ = drain(world, "contacts", first.cursor)

    assert {each.id for each in [*first.items, *rest]} == made


def test_a_list_that_refuses_every_cursor_is_not_asked_for_ever(world: World) -> None:
    at = datetime(2026, 11, 25, 11, 0, tzinfo=UTC)
    for _ in range(600):
        world.server.put("person", {"name": "Ada"}, at=at)
    world.server.cursors_before = 10**6

    with pytest.raises(InvalidRequestError):
        drain(world, "contacts")
    assert len(world.server.calls) < 6


def test_who_was_deleted_or_merged_away_is_missed_within_the_hour(world: World) -> None:
    people = [world.server.put("person", {"name": "Ada"}) for _ in range(700)]
    _, cursor = drain(world, "contacts")
    world.server.delete("person", people[3])
    world.server.delete("person", people[640])
    world.server.delete("person", people[-1])

    world.clock.forward(minutes=55)
    before, cursor = drain(world, "contacts", cursor)
    world.clock.forward(minutes=10)
    after, cursor = drain(world, "contacts", cursor)

    gone = {Gone(str(people[number])) for number in (3, 640, -1)}
    assert not gone & set(before)
    assert {each for each in after if isinstance(each, Gone)} == gone
    assert not any(isinstance(each, Gone) for each in drain(world, "contacts", cursor)[0])


def test_everybody_is_listed_less_often_where_that_would_take_too_much(make_world: MakeWorld) -> None:
    world = make_world(limit=30_000)  # 1,860 tokens a day for persons, a fifth of them for this
    people = [
        world.server.put("person", {"name": "Ada"}) for _ in range(2600)
    ]  # six pages, and some by id: 70 tokens, five times a day
    _, cursor = drain(world, "contacts")
    world.server.delete("person", people[3])

    world.clock.forward(hours=2)
    early, cursor = drain(world, "contacts", cursor)
    world.clock.forward(hours=3)
    late, _ = drain(world, "contacts", cursor)

    assert Gone(str(people[3])) not in early
    assert Gone(str(people[3])) in late


def test_a_sweep_that_is_stopped_goes_on(world: World) -> None:
    people = [world.server.put("person", {"name": "Ada"}) for _ in range(1600)]
    _, cursor = drain(world, "contacts")
    for number in (10, 700, 1300):
        world.server.delete("person", people[number])
    world.clock.forward(days=2)

    gone: set[str] = set()
    for _ in range(9):
        page = next(iter(world.client().pull("contacts", cursor)))
        gone |= {each.id for each in page.items if isinstance(each, Gone)}
        cursor = page.cursor

    assert gone == {str(people[number]) for number in (10, 700, 1300)}


def test_a_sweep_whose_cursor_is_refused_begins_anew(world: World) -> None:
    people = [world.server.put("person", {"name": "Ada"}) for _ in range(800)]
    _, cursor = drain(world, "contacts")
    world.server.delete("person", people[700])
    world.clock.forward(days=2)
    pages = world.client().pull("contacts", cursor)
    cursor = [next(pages).cursor for _ in range(3)][-1]  # two of what has changed, and one of everybody
    world.server.cursors_before = world.server.pages + 1

    [page] = _until_refused(world, cursor)
    cursor = page.cursor

    assert Gone(str(people[700])) in drain(world, "contacts", cursor)[0]


def _until_refused(world: World, cursor: str | None) -> list[Any]:
    pages = []
    try:
        for page in world.client().pull("contacts", cursor):
            pages.append(page)
    except InvalidRequestError:
        return pages
    pytest.fail("nothing was refused")


def test_an_import_that_is_taken_back_is_told_by_its_ends_and_costs_no_more(make_world: MakeWorld) -> None:
    world = make_world(limit=300_000)
    kept = [world.server.put("person", {"name": "Ada"})]
    gone = [world.server.put("person", {"name": "Imported"}) for _ in range(2100)]
    kept.append(world.server.put("person", {"name": "Bea"}))
    _, cursor = drain(world, "contacts")
    last = [world.server.put("person", {"name": "Imported, too"}) for _ in range(NAMED + 1)]
    _, cursor = drain(world, "contacts", cursor)
    for each in [*gone, *last]:
        world.server.delete("person", each)
    world.clock.forward(hours=2)
    before = len(world.server.calls)

    found, cursor = drain(world, "contacts", cursor)

    told = [each for each in found if not isinstance(each, Contact)]
    assert told == [GoneBetween(kept[0], kept[1]), GoneBetween(kept[1], last[-1] + 1)]
    assert (
        len(world.server.calls) - before == 3 + sight.ASKED
    )  # what has changed, all who are left, some who are not, and the list's end

    world.clock.forward(hours=2)
    found, _ = drain(world, "contacts", cursor)
    assert [each for each in found if not isinstance(each, Contact)] == [GoneBetween(kept[0], kept[1])]
    assert len(world.server.calls) - before == 5 + sight.ASKED  # and once is enough


def test_ids_that_nobody_ever_had_take_no_list(world: World) -> None:
    one = world.server.put("person", {"name": "Ada"})
    _, cursor = drain(world, "contacts")
    world.server.put("person", {"name": "Bea"}, id=90_000)
    world.clock.forward(days=2)

    found, _ = drain(world, "contacts", cursor)
    assert "Bea" in [each.name for each in found if isinstance(each, Contact)]
    assert not any(isinstance(each, Gone) for each in found)
    assert GoneBetween(one, 90_000) in found


@pytest.mark.parametrize("nothing", [[], None])
def test_a_list_that_shows_nobody_takes_nobody_for_deleted(world: World, nothing: Any) -> None:
    people = [world.server.put("person", {"name": "Ada"}) for _ in range(3)]
    _, cursor = drain(world, "contacts")
    world.server.delete("person", people[2])
    world.clock.forward(hours=2)
    _list_by_id(world, data=nothing)

    pages = list(world.client().pull("contacts", cursor))
    assert not any(_gone(page.items) for page in pages)
    assert "may still see persons" in pages[-1].notes[0]

    # What has changed is read meanwhile, and the next list tells.
    new = world.server.put("person", {"name": "Bea"})
    found, cursor = drain(world, "contacts", pages[-1].cursor)
    assert str(new) in [each.id for each in found]
    assert not _gone(found)
    world.clock.forward(hours=2)
    assert _gone(drain(world, "contacts", cursor)[0]) == [Gone(str(people[2]))]


@pytest.mark.parametrize("number", [1600, 510], ids=["by many", "by a few"])
def test_a_list_that_is_cut_short_takes_nobody_after_that_for_deleted(world: World, number: int) -> None:
    people = [world.server.put("person", {"name": "Ada"}) for _ in range(number)]
    _, cursor = drain(world, "contacts")
    for each in (people[3], people[-1]):
        world.server.delete("person", each)
    world.clock.forward(days=2)
    _list_by_id(world, additional_data=None)

    pages = list(world.client().pull("contacts", cursor))
    assert not any(_gone(page.items) for page in pages)
    assert "ended before its end" in pages[-1].notes[0]

    world.clock.forward(days=2)
    assert _gone(drain(world, "contacts", pages[-1].cursor)[0]) == [Gone(str(people[number])) for number in (3, -1)]


@pytest.mark.parametrize(("most", "told"), [(100, [0, 0, 2]), (0, [1, 1, 0])])
def test_wide_gaps_are_told_at_the_end_of_the_list_and_together(
    world: World, monkeypatch: pytest.MonkeyPatch, most: int, told: list[int]
) -> None:
    monkeypatch.setattr("integrations.crm.pipedrive.streams.HELD_BACK", most)
    ids = [*range(1, 401), *range(3_000, 3_300), *range(9_000, 9_700)]
    for each in ids:
        world.server.put("person", {"name": "Ada"}, id=each)
    _, cursor = drain(world, "contacts")
    world.clock.forward(days=2)

    found = []
    for _ in range(6):  # three of what has changed, and three of everybody, each by another process
        page = next(iter(world.client().pull("contacts", cursor)))
        found.append(_gone(page.items))
        cursor = page.cursor

    assert [len(each) for each in found] == [0, 0, 0, *told]
    assert [each for some in found for each in some] == [GoneBetween(400, 3_000), GoneBetween(3_299, 9_000)]


def _hours_later(world: World, cursor: str | None, hours: int = 2) -> tuple[list[Any], list[str], str | None]:
    """What one pull brings then: who is gone, what is said, what is over, and its cursor."""
    world.clock.forward(hours=hours)
    pages = list(world.client().pull("contacts", cursor))
    return (
        [each for page in pages for each in _gone(page.items)],
        [n for page in pages for n in page.notes],
        pages[-1].cursor,
    )


@pytest.mark.parametrize("said", [403, 404])
@pytest.mark.parametrize("many", [60, 1200])  # one page of everybody, or several
def test_who_is_out_of_sight_is_kept_and_told_and_read_anew_once_in_sight(world: World, many: int, said: int) -> None:
    people = [world.server.put("person", {"name": "Ada"}) for _ in range(many)]
    _, cursor = drain(world, "contacts")
    world.server.out_of_sight_as = said
    world.server.out_of_sight |= {each for each in people if each % 3}
    for each in people[2:30:3]:  # some of the others are deleted meanwhile
        world.server.delete("person", each)
    for _ in range(3):
        gone, notes, cursor = _hours_later(world, cursor)
        assert gone == []
        assert ["as somebody who sees everybody's" in each for each in notes] == [True]
    world.server.put("person", {"name": "Bea"}, id=people[0])
    drain(world, "contacts", cursor)

    world.server.out_of_sight.clear()

    world.clock.forward(hours=2)
    pages = list(world.client().pull("contacts", cursor))
    assert [each for page in pages for each in _gone(page.items)] == [Gone(str(each)) for each in people[2:30:3]]
    assert notes[0] in pages[-1].over
    again = {each.id for each in drain(world, "contacts", pages[-1].cursor)[0] if isinstance(each, Contact)}
    assert len(again) == many - 10
    assert _hours_later(world, drain(world, "contacts", pages[-1].cursor)[1])[1] == []


def test_of_two_doubts_only_the_later_one_is_told(world: World) -> None:
    people = [world.server.put("person", {"name": "Ada"}) for _ in range(10)]
    _, cursor = drain(world, "contacts")
    world.server.out_of_sight |= set(people)
    world.clock.forward(hours=2)
    pages = list(world.client().pull("contacts", cursor))
    assert pages[-1].notes == (sight.NOBODY,)
    world.server.out_of_sight -= set(people[:3])
    world.clock.forward(hours=2)

    pages = list(world.client().pull("contacts", pages[-1].cursor))

    assert pages[-1].notes == (sight.OUT_OF_SIGHT,)
    assert sight.NOBODY in pages[-1].over


def test_who_was_deleted_while_others_were_out_of_sight_for_months_is_gone_once_those_are_back(world: World) -> None:
    people = [world.server.put("person", {"name": "Ada"}) for _ in range(60)]
    _, cursor = drain(world, "contacts")
    world.server.out_of_sight |= set(people[:30])
    _, notes, cursor = _hours_later(world, cursor)
    deleted = people[40:]
    for each in deleted:
        world.server.delete("person", each)
    for _ in range(10):
        _, notes, cursor = _hours_later(world, cursor, 24)
    assert "as somebody who sees everybody's" in notes[0]
    world.server.erased |= set(deleted)  # after 30 days

    world.server.out_of_sight.clear()

    gone, notes, _ = _hours_later(world, cursor)
    assert (gone, notes) == ([Gone(str(each)) for each in deleted], [])


def test_who_was_deleted_while_nothing_was_read_for_more_than_thirty_days_is_gone(world: World) -> None:
    people = [world.server.put("person", {"name": "Ada"}) for _ in range(40)]
    _, cursor = drain(world, "contacts")
    deleted = people[5:14]
    for each in deleted:
        world.server.delete("person", each)
    world.server.erased |= set(deleted)

    gone, notes, _ = _hours_later(world, cursor, 31 * 24)

    assert (gone, notes) == ([Gone(str(each)) for each in deleted], [])


def test_a_company_that_deleted_everybody_has_nobody_and_may_begin_anew(world: World) -> None:
    people = [world.server.put("person", {"name": "Ada"}) for _ in range(60)]
    _, cursor = drain(world, "contacts")
    for each in people:
        world.server.delete("person", each)

    gone, notes, cursor = _hours_later(world, cursor)

    assert (gone, notes) == ([GoneBetween(0, people[-1] + 1)], [])
    world.server.erased |= set(people)  # after 30 days
    gone, notes, cursor = _hours_later(world, cursor, 24 * 30)
    assert (gone, notes) == ([], [])
    new = world.server.put("person", {"name": "Bea"})
    world.clock.forward(hours=2)
    found, cursor = drain(world, "contacts", cursor)
    assert str(new) in [each.id for each in found if isinstance(each, Contact)]
    gone, notes, cursor = _hours_later(world, cursor)
    assert (gone, notes) == ([GoneBetween(0, new)], [])


def test_a_list_of_nobody_of_whom_nothing_is_known_takes_nobody_for_deleted(world: World) -> None:
    people = [world.server.put("person", {"name": "Ada"}) for _ in range(60)]
    _, cursor = drain(world, "contacts")
    for each in people:
        world.server.delete("person", each)
    world.server.erased |= set(people)

    gone, notes, _ = _hours_later(world, cursor)

    assert gone == []
    assert "may still see persons" in notes[0]


def test_some_who_were_deleted_for_good_are_gone(world: World) -> None:
    people = [world.server.put("person", {"name": "Ada"}) for _ in range(60)]
    _, cursor = drain(world, "contacts")
    for each in people[:5]:
        world.server.delete("person", each)
        world.server.erased.add(each)

    gone, notes, _ = _hours_later(world, cursor)

    assert (gone, notes) == ([Gone(str(each)) for each in people[:5]], [])


@pytest.mark.parametrize("known", [[None, "7", True, -1, 10**30, {}], "garbage", {"1": 2}, 7])
def test_what_a_cursor_says_of_persons_may_be_anything(world: World, known: Any) -> None:
    person = world.server.put("person", {"name": "Ada"})
    _, cursor = drain(world, "contacts")
    world.clock.forward(hours=2)

    found, _ = drain(world, "contacts", json.dumps({**json.loads(cursor or ""), "known": known}))

    assert not any(isinstance(each, Gone) and each.id == str(person) for each in found)


def _gone(items: Sequence[Any]) -> list[Any]:
    return [each for each in items if not isinstance(each, Contact)]


def _list_by_id(world: World, **instead: Any) -> None:
    """The next list of everybody is answered with this in place of what it has."""
    left = [instead]

    def act(work: Work) -> Answer:
        code, headers, text = work()
        by_id = world.server.calls[-1][2].get("sort_by") == "id"
        return code, headers, json.dumps({**json.loads(text), **(left.pop() if by_id and left else {})})

    world.server.faults.add("GET", PERSONS, act, times=20)
