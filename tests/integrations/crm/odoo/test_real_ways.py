"""What a real Odoo was found to do (`tests.live.test_odoo`): each of these went wrong once, or would have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from integrations.crm.odoo.meaning import meaning
from integrations.errors import InvalidRequestError, PermissionDeniedError, UnexpectedResponseError
from integrations.records import PushOutcome, Task, TaskKind, TaskState, TaskStatus
from tests.integrations.crm.faults import status
from tests.integrations.crm.odoo.conftest import OLGA, World
from tests.integrations.crm.odoo.server import CALL, KEY, LOGIN, TODO, WEB

Make = Callable[..., World]
TASK = Task(
    "u-1", TaskKind.UNANSWERED, TaskStatus.OPEN, "Answer Ada", "Why?", datetime(2026, 11, 26, 9, tzinfo=UTC), str(OLGA)
)  # fmt: skip
ALL = [11, 14, 17, 18, 19]
CREATED, REFUSED = PushOutcome.CREATED, PushOutcome.REFUSED


def about(world: World, name: str, key: str = "u-1") -> Task:
    return replace(TASK, key=key, contact_id=str(world.server.put("res.partner", {"name": name})))


def pushed(world: World, *tasks: Task) -> list[Any]:
    return list(world.client().push_tasks(tasks))


@pytest.mark.parametrize("version", [11, 12, 14, 15])
def test_activity_types_are_found_whether_they_name_their_model_or_are_linked_to_it(make: Make, version: int) -> None:
    world = make(version=version)

    assert (world.options["types"], world.options["calls"]) == ({"todo": TODO, "call": CALL}, [CALL])
    assert world.client().missing() == []


def test_a_type_with_the_picture_of_a_phone_is_a_call_only_where_no_category_says_so(make: Make) -> None:
    world = make(prepared=False)
    world.server.put(
        "mail.activity.type", {"name": "Wake-up call", "category": "default", "icon": "fa-phone", "res_model": False}
    )
    world.prepare()

    assert world.options["calls"] == [CALL]


@pytest.mark.parametrize(("version", "calls"), [(11, 3), (12, 1)])
def test_before_12_odoo_makes_one_activity_with_each_call(make: Make, version: int, calls: int) -> None:
    world = make(version=version)

    results = pushed(world, *(replace(TASK, key=f"u-{number}") for number in range(3)))

    assert [each.outcome for each in results] == [CREATED] * 3
    assert len(world.server.said("mail.activity", "create")) == calls


def test_a_database_that_is_not_there_is_no_passing_failure(make: Make) -> None:
    world = make(version=17)
    typed = {"api_key": "any", "login": "any@acme.test", "database": "another"}

    for options in ({}, world.options):
        with pytest.raises(InvalidRequestError, match="no database of this name") as raised:
            list(world.client(credentials=typed, options=options).pull("contacts", None))
        assert "connection failed" not in str(raised.value)


def test_a_database_that_json2_does_not_find_is_told_when_connecting_and_says_nothing_about_a_record(
    make: Make,
) -> None:
    world = make(databases=2)
    typed = {"api_key": KEY, "login": LOGIN}
    host = {"web": f"{WEB}.test"}  # an address that names no database

    for database, says in (("another", "no database of this name"), ("", "Name the database")):
        given = {"credentials": {**typed, "database": database}, "hosts": host}
        with pytest.raises(InvalidRequestError, match=says):
            world.client(**given, options={}).prepare()
        with pytest.raises(InvalidRequestError, match=says):
            world.client(**given, options={}).whoami()
        with pytest.raises(UnexpectedResponseError, match="not for this database"):
            world.client(**given).read_tasks(["5"])


def test_an_address_where_no_odoo_is_is_not_asked_for_another_database(make: Make) -> None:
    world = make(prepared=False)
    world.server.faults.add("POST", "", status(404, "<html>404</html>"), times=9)

    with pytest.raises(UnexpectedResponseError, match="does not answer at this address"):
        world.client().prepare()


@pytest.mark.parametrize("version", ALL)
def test_a_contact_that_a_rule_guards_holds_back_no_other_task(make: Make, version: int) -> None:
    world = make(version=version)
    tasks = [about(world, name, f"u-{name}") for name in ("Ada", "Ivo", "Eve")]
    world.server.guarded.add(int(str(tasks[1].contact_id)))

    results = pushed(world, *tasks)

    assert [each.outcome for each in results] == [CREATED, REFUSED, CREATED]
    assert results[1].detail.endswith("A rule keeps you from this. (Document type: Activity, Operation: create)")
    assert [each.outcome for each in pushed(world, tasks[1])] == [REFUSED]  # alone it is about this one too
    moved = replace(TASK, key="u-Ada", external_id=results[0].external_id, contact_id=tasks[1].contact_id)
    assert [each.outcome for each in pushed(world, moved)] == [REFUSED]


@pytest.mark.parametrize("model", ["mail.activity", "res.partner"])
@pytest.mark.parametrize("version", ALL)
def test_a_user_who_may_edit_no_contact_is_told_before_a_task_is_tried(make: Make, version: int, model: str) -> None:
    world = make(version=version)
    task = about(world, "Ada")
    world.server.read_only.add(model)

    assert "Contact Creation" in world.client().missing()[0]
    world.server.guarded.add(int(str(task.contact_id)))
    with pytest.raises(
        PermissionDeniedError, match="Contact Creation"
    ):  # it concerns them all, and Odoo names no right since 16
        pushed(world, task)


def test_an_odoo_that_does_not_say_what_a_user_may_is_taken_at_its_word(make: Make) -> None:
    world = make()
    task = about(world, "Ada")
    world.server.guarded.add(int(str(task.contact_id)))
    world.server.unknown_methods.add("has_access")

    assert world.client().missing() == []
    with pytest.raises(PermissionDeniedError):
        pushed(world, task)


@pytest.mark.parametrize("version", ALL)
def test_a_task_is_moved_to_no_contact_who_is_not_there(make: Make, version: int) -> None:
    world = make(version=version)
    task = about(world, "Ada")
    [made] = pushed(world, task)

    [result] = pushed(world, replace(task, external_id=made.external_id, contact_id="99999", subject="Write to Ada"))

    assert result.outcome is PushOutcome.UPDATED
    row = world.server.rows["mail.activity"][int(made.external_id)]
    assert (row["summary"], row["res_id"]) == ("Write to Ada", int(str(task.contact_id)))


@pytest.mark.parametrize("version", [11, 16])
def test_what_a_person_says_at_the_end_stands_behind_our_reference(make: Make, version: int) -> None:
    world = make(version=version)
    task = about(world, "Ada")
    [made] = pushed(world, task)
    cursor = [page.cursor for page in world.client().pull("tasks", None)][-1]
    world.wait(60)
    world.server.do(int(made.external_id), "Called her, due 2030-01-01 00:00 UTC")

    found = [each for page in world.client().pull("tasks", cursor) for each in page.items]

    assert [(each.key, each.status) for each in found if isinstance(each, TaskState)][-1:] == [
        ("u-1", TaskStatus.COMPLETED)
    ]


@pytest.mark.parametrize("version", [17, 18])
def test_a_version_that_asks_the_type_is_told_to_keep_what_is_done(make: Make, version: int) -> None:
    world = make(version=version, keeps_done=False)

    assert [row["keep_done"] for row in world.server.rows["mail.activity.type"].values()] == [True, True]
    assert world.options["keeps_done"] is True


# --- sentences --------------------------------------------------------------------------------------------------


def test_a_sentence_of_odoos_is_shown_to_its_end_and_its_databases_to_the_first_line_alone() -> None:
    asked = (
        "You may not change this.\nThose may:\n- Extra Rights/Contact Creation\n\n(Document model: res.partner)\nNone"
    )
    told = str(meaning("odoo.exceptions.AccessError", asked))
    assert (
        told
        == "Odoo says: You may not change this. Those may: - Extra Rights/Contact Creation (Document model: res.partner)"
    )

    raw = str(
        meaning(
            "psycopg2.errors.UndefinedColumn", 'column "x" is missing\nLINE 1: UPDATE t SET "note"=\'a secret of hers\''
        )
    )
    assert "a secret" not in raw
    assert len(str(meaning("odoo.exceptions.UserError", "long " * 1000))) < 400


@pytest.mark.parametrize(
    "name", ["DatetimeFieldOverflow", "NumericValueOutOfRange", "UniqueViolation", "CheckViolation"]
)
def test_a_value_that_the_database_refuses_is_refused_for_good(name: str) -> None:
    assert isinstance(meaning(f"psycopg2.errors.{name}", "out of range"), InvalidRequestError)
