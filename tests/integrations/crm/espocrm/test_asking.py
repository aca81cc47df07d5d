"""How EspoCRM is asked, and what is made of what it says."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from integrations.crm.espocrm import fields
from integrations.crm.espocrm.api import where
from integrations.errors import (
    InvalidRequestError,
    PermissionDeniedError,
    UnexpectedResponseError,
)
from integrations.records import (
    ActivityKind,
    Gone,
    PushOutcome,
)
from tests.integrations.crm.espocrm.asked import TASK, drain, made
from tests.integrations.crm.espocrm.conftest import World
from tests.integrations.crm.faults import status


def test_conditions_are_written_as_php_reads_them() -> None:
    inner = [("contains", "description", "a b"), ("contains", "description", "c")]

    assert where([("in", "id", ["1", "2"]), ("or", "", inner)]) == {
        "where[0][type]": "in",
        "where[0][attribute]": "id",
        "where[0][value][]": ["1", "2"],
        "where[1][type]": "or",
        "where[1][value][0][type]": "contains",
        "where[1][value][0][attribute]": "description",
        "where[1][value][0][value]": "a b",
        "where[1][value][1][type]": "contains",
        "where[1][value][1][attribute]": "description",
        "where[1][value][1][value]": "c",
    }


def test_no_page_asks_for_more_than_espocrm_gives(world: World) -> None:
    with pytest.raises(PermissionDeniedError, match="Max size should not exceed 200"):
        world.client()._api.page("Contact", ["id"], [], "id", size=201)


def test_a_list_of_which_nothing_can_be_read_says_so(world: World) -> None:
    world.server.faults.add("GET", "Contact", status(200, '{"total": 2, "list": [1, {"name": "no id"}]}'))

    with pytest.raises(UnexpectedResponseError):
        drain(world, "contacts")


def test_an_instant_that_is_none_is_none() -> None:
    assert [fields.instant(each) for each in ("", None, "soon", "2026-13-01", 17)] == [None] * 5


def test_a_call_that_espocrm_refuses_without_a_word_says_its_number(world: World) -> None:
    world.server.faults.add("GET", "Task", status(400))

    with pytest.raises(InvalidRequestError, match="answered 400 and gave no reason"):
        world.client().read_tasks(["a"])


def test_kinds_of_activity_are_ours() -> None:
    assert {shape.kind for shape in fields.ACTIVITIES.values()} == {
        ActivityKind.CALL,
        ActivityKind.MEETING,
        ActivityKind.EMAIL,
    }


def test_a_task_that_a_role_hides_is_not_taken_for_deleted(world: World) -> None:
    hidden, gone, seen = (str(made(world, replace(TASK, key=key))["id"]) for key in ("k-1", "k-2", "k-3"))
    world.server.out_of_reach.add(hidden)
    world.server.delete("Task", gone)

    states = world.client().read_tasks([hidden, gone, seen])
    pushed = world.client().push_tasks(
        [replace(TASK, key=key, external_id=each) for key, each in (("k-1", hidden), ("k-2", gone), ("k-3", seen))]
    )

    assert [each.id for each in states] == [gone, seen]
    assert states[0] == Gone(gone)
    assert [each.outcome for each in pushed] == [PushOutcome.REFUSED, PushOutcome.GONE, PushOutcome.UPDATED]
    assert pushed[0].detail.startswith("EspoCRM hides this task")
