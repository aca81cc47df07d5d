"""What is asked of EspoCRM, and what it is taken to answer, against its own definitions (see `contract`)."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from integrations.records import HandleWrite, Task, TaskKind, TaskStatus
from tests.integrations.crm.espocrm.conftest import World
from tests.integrations.crm.espocrm.contract import Contract
from tests.integrations.crm.espocrm.server import DEFAULTS

pytestmark = pytest.mark.rule("contract")
ADDED = ("cWarmlineKey", "cTwitterHandle", "cMastodonProfileUrl", "cDoNotCall", "cFavouritePlace")
TASK = Task(
    "u-1", TaskKind.UNANSWERED, TaskStatus.OPEN, "Answer Ada", "She asked.", datetime(2026, 12, 1, 9, tzinfo=UTC), "7"
)


@pytest.fixture
def contract() -> Contract:
    folder = Path(os.environ.get("WARMLINE_ESPOCRM", ""))
    if not (folder / "application" / "Espo").is_dir():
        pytest.skip("WARMLINE_ESPOCRM names no folder with EspoCRM's program")
    return Contract(folder)


def _everything(world: World) -> None:
    """Every call that there is."""
    server = world.server
    ada = server.put("Contact", {"firstName": "Ada", "name": "Ada", "emailAddress": "ada@example.com"})
    ben = server.put("Lead", {"firstName": "Ben", "name": "Ben"})
    for kind in ("Call", "Meeting"):
        server.put(
            kind, {"dateStart": "2026-11-25 10:00:00", "status": "Held", "contactsIds": [ada], "leadsIds": [ben]}
        )
    world.prepare()
    client = world.client()
    for stream in ("contacts", "owners", "activities", "tasks"):
        for _ in range(2):
            cursor = [page.cursor for page in client.pull(stream, None)][-1]
            list(client.pull(stream, cursor))
    tasks = [
        replace(TASK, contact_id=ada),
        replace(TASK, key="u-2", kind=TaskKind.READY_FOR_CALL, high_priority=True),
    ]
    made = client.push_tasks(tasks)
    changed = [
        replace(task, external_id=one.external_id, subject="Another") for task, one in zip(tasks, made, strict=True)
    ]
    client.push_tasks(changed)
    client.push_tasks([replace(TASK, contact_id=ada, maybe_sent_at=world.clock())])
    client.read_tasks([str(one.external_id) for one in made])
    client.write_handles([HandleWrite(ada, "x", "ada")])
    client.push_tasks(
        [replace(changed[0], status=TaskStatus.COMPLETED), replace(changed[1], status=TaskStatus.WITHDRAWN)]
    )


def test_everything_that_is_asked_is_defined(world: World, contract: Contract) -> None:
    _everything(world)
    looked = 0
    kinds = set()
    for method, path, sent in world.server.calls:
        kind = path.split("/")[1]
        if kind in DEFAULTS and method != "DELETE":
            looked += contract.check(method, kind, sent, ADDED)
            kinds.add((method, kind))
    assert looked > 60
    assert {("GET", "Contact"), ("GET", "Call"), ("GET", "Meeting"), ("POST", "Task"), ("PUT", "Task")} <= kinds


def test_everything_that_it_is_taken_to_answer_is_defined(world: World, contract: Contract) -> None:
    _everything(world)
    for kind, rows in world.server.kinds.items():
        known = contract.attributes(kind).keys() | set(ADDED)
        assert not {name for row in rows.values() for name in row} - known, kind


def test_what_tasks_and_calls_are_told_apart_by_is_defined(contract: Contract) -> None:
    told = contract.metadata("scopes", "Task")
    assert told["completedStatusList"] == ["Completed"]
    assert {"Completed", "Not Started"} <= set(contract.fields("Task")["status"]["options"])
    assert {"Held", "Planned"} <= set(contract.fields("Call")["status"]["options"])
    assert {"Inbound", "Outbound"} <= set(contract.fields("Call")["direction"]["options"])


@pytest.mark.parametrize(
    ("method", "sent", "why"),
    [
        ("GET", {"select": "id,subject"}, "Task has no ['subject']"),
        ("GET", {"where": {"0": {"type": "resembles", "attribute": "name"}}}, "narrowed by resembles"),
        ("POST", {"dateCompleted": "2026-11-25 12:00:00"}, "not to be written"),
        ("PUT", {"status": "Done"}, "never Done"),
    ],
)
def test_a_call_that_it_would_not_know_is_found(
    contract: Contract, method: str, sent: dict[str, object], why: str
) -> None:
    with pytest.raises(AssertionError) as caught:
        contract.check(method, "Task", sent, ())
    assert why in str(caught.value)
