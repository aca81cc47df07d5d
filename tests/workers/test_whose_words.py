"""A call task quotes several profiles of one person: their words are found in it, and taken out, also once nothing links these any more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from integrations.records import Author, Contact, Handle
from service.store import personal
from tests.workers.conftest import ANA, World
from tests.workers.test_shared_addresses import erase, person

ANA2 = Author("a2", "anaferrer2", "Ana Ferrer", url="https://social.example/ana2")
KNOWN = Contact(
    "c1", name="Ana Ferrer", first_name="Ana", last_name="Ferrer", owner_id="o1", handles=(Handle("fakesocial", ANA.handle), Handle("fakesocial", ANA2.handle)),
)  # fmt: skip
WORD, OTHER = "Quixotic", "Zanzibar"


@pytest.fixture
def called(connected: World) -> World:
    """One contact who wrote from two profiles; the call task that quotes both was done by a person in the CRM."""
    connected.crm.add(KNOWN)
    connected.says(f"@brand Can we have a call about the {WORD} velodrome?", id="p1", ago=timedelta(hours=20))
    connected.answers("Sure. When?", id="r1", to="p1", ago=timedelta(hours=19))
    connected.says(f"@brand Please call me about the {OTHER} bridge", id="p2", who=ANA2, ago=timedelta(hours=10))
    connected.answers("Sure. Tomorrow?", id="r2", to="p2", ago=timedelta(hours=9), whom=ANA2)
    connected.run()
    [task_id] = connected.crm.tasks
    connected.crm.complete_as_person(task_id)
    connected.look()
    assert stands(connected, WORD)
    assert stands(connected, OTHER)
    return connected


def stands(world: World, word: str) -> bool:
    """Whether this word stands in the task that was done, here or in the CRM; each profile may have one of its own by now."""
    [(ours,)] = world.sql("SELECT t::text FROM tasks t ORDER BY created_at, id LIMIT 1")
    return word in ours or word in str(next(iter(world.crm.tasks.values())))


def deleted_in_the_crm(world: World) -> None:
    world.crm.delete_contact("c1")


def somebody_else_in_the_crm(world: World) -> None:
    world.crm.add(Contact("c1", name="Bo Carter", first_name="Bo", last_name="Carter", owner_id="o1"))


@pytest.mark.parametrize("change", [deleted_in_the_crm, somebody_else_in_the_crm])
def test_a_post_that_is_deleted_once_its_author_matches_nobody_is_quoted_by_no_closed_call_task(
    called: World, change: Callable[[World], None]
) -> None:
    change(called)
    called.look()
    assert called.sql("SELECT count(*) FROM matches WHERE state = 'confirmed'") == [(0,)]

    called.social.delete("p1")
    called.sql("UPDATE engagements SET checked_at = checked_at - interval '8 days'")
    called.look(streams=("recheck",))

    assert not stands(called, WORD)
    assert stands(called, OTHER)


def test_a_number_that_was_said_and_deleted_stays_in_our_own_line_of_a_call_task_until_they_are_erased(
    connected: World,
) -> None:
    number = "+351 912 345 678"
    connected.crm.add(replace(KNOWN, phones=(number,)))
    connected.says("@brand Can we have a call?", id="p2", ago=timedelta(hours=20))
    connected.says(number, id="p1", to="p2", ago=timedelta(hours=19))
    connected.answers("Sure. When?", id="r1", to="p1", thread="p2", ago=timedelta(hours=18))
    connected.run()
    [task_id] = connected.crm.tasks
    connected.crm.complete_as_person(task_id)
    connected.look()
    assert connected.crm.tasks[task_id].body.count(number) == 2

    connected.social.delete("p1")
    connected.sql("UPDATE engagements SET checked_at = checked_at - interval '8 days'")
    connected.look(streams=("recheck",))
    assert connected.crm.tasks[task_id].body.count(number) == 1
    assert f"\nPhone: {number}\n" in connected.crm.tasks[task_id].body

    erase(connected, "c1")
    assert not stands(connected, number)


@pytest.fixture
def dropped(called: World) -> World:
    """The contact was deleted in the CRM, and is long forgotten here with its matches."""
    deleted_in_the_crm(called)
    called.look()
    called.sql("UPDATE contacts SET deleted_at = deleted_at - interval '31 days'")
    called.sql("UPDATE errands SET next_at = now() WHERE name = 'keep'")
    called.run()
    assert called.sql("SELECT (SELECT count(*) FROM contacts), (SELECT count(*) FROM matches)") == [(0, 0)]
    return called


@pytest.mark.parametrize("profile", ["a1", "a2"])
def test_erasing_somebody_takes_every_call_task_that_quotes_them(dropped: World, profile: str) -> None:
    receipt = erase(dropped, profile, "authors")

    assert not stands(dropped, WORD)
    assert not stands(dropped, OTHER)
    assert any("keeps 1 closed task," in line for line in receipt), receipt
    assert dropped.sql(
        "SELECT count(*) FROM task_authors q JOIN tasks t ON t.id = q.task_id WHERE t.erased_at IS NOT NULL"
    ) == [(0,)]


def test_an_export_holds_every_call_task_that_quotes_them(dropped: World) -> None:
    [section] = [each for each in personal.SECTIONS if each.name == "tasks"]
    them = person(dropped, "a1", "authors")  # who was not the last to speak

    with dropped.runtime.db.tenant(dropped.workspace_id) as session:
        rows, _ = personal.first(session, dropped.workspace_id, them, section, 10)

    assert any(WORD in task["body"] and OTHER in task["body"] for task in rows)


def test_whose_words_a_call_task_holds_is_never_less_than_it_was(connected: World) -> None:
    connected.crm.add(KNOWN)
    connected.says("@brand Can we have a call next week?", id="p1", ago=timedelta(hours=20))
    connected.answers("Sure. When?", id="r1", to="p1", ago=timedelta(hours=19))
    connected.says(f"@brand Please call me about the {OTHER} bridge", id="p2", who=ANA2, ago=timedelta(hours=10))
    connected.answers("Sure. Tomorrow?", id="r2", to="p2", ago=timedelta(hours=9), whom=ANA2)
    connected.run()
    both = connected.sql("SELECT a.native_id FROM task_authors q JOIN authors a ON a.id = q.author_id ORDER BY 1")

    connected.crm.add(Contact("c1", name="Ana Ferrer", owner_id="o1", handles=(Handle("fakesocial", ANA.handle),)))
    connected.run()

    assert both == [("a1",), ("a2",)]
    assert (
        connected.sql("SELECT DISTINCT a.native_id FROM task_authors q JOIN authors a ON a.id = q.author_id ORDER BY 1")
        == both
    )
