"""What the contract of all CRMs acts through: an EspoCRM in memory, and what people do in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import partial
from math import ceil
from typing import Any

import responses

from integrations.clients import CRMClient
from integrations.crm.espocrm import PROVIDER
from integrations.records import Task
from tests.fakes.clock import Clock
from tests.integrations.crm.espocrm.conftest import World
from tests.integrations.crm.espocrm.server import KEY, Server
from tests.integrations.crm.faults import drop_after, drop_before
from tests.live import espocrm, espocrm_harness


class EspoHarness:
    batch = 1  # tasks of one create
    secrets = (KEY,)

    def __init__(self, world: World) -> None:
        self.world = world
        self.server = world.server
        self.now = world.clock

    def client(self) -> CRMClient:
        return self.world.client()

    def connect(self) -> None:
        self.world.prepare()

    def add_owner(self, owner_id: str, email: str) -> None:
        self.server.put("User", {"emailAddress": email, "name": email}, owner_id)

    def remove_owner(self, owner_id: str) -> None:
        self.server.put("User", {"isActive": False}, owner_id)

    def put_contact(self, first_name: str, contact_id: str = "") -> str:
        return self.server.put("Contact", {"firstName": first_name, "name": first_name}, contact_id)

    def put_contacts(self, number: int) -> set[str]:
        return {self.put_contact("Ada") for _ in range(number)}

    def delete_contact(self, contact_id: str) -> None:
        self.server.delete("Contact", contact_id)

    def hide(self, contact_id: str) -> None:
        self.server.hidden.add(contact_id)

    def show(self, contact_id: str) -> None:
        self.server.hidden.discard(contact_id)

    def add_call(self, contact_id: str) -> str:
        values = {"dateStart": "2026-11-25 10:00:00", "status": "Held", "contactsIds": [contact_id]}
        return self.server.put("Call", values)

    def complete(self, task_id: str) -> None:
        self.server.put("Task", {"status": "Completed", "dateCompleted": "2026-11-25 12:00:00"}, task_id)

    def edit(self, task_id: str, *, subject: str) -> None:
        self.server.put("Task", {"name": subject}, task_id)

    def reassign(self, task_id: str, owner_id: str) -> None:
        self.server.put("Task", {"assignedUserId": owner_id}, task_id)

    def copy(self, task_id: str) -> str:
        values = {name: value for name, value in self.server.kinds["Task"][task_id].items() if name != "id"}
        return self.server.put("Task", values)

    def delete(self, task_id: str) -> None:
        self.server.delete("Task", task_id)

    def lose_next_create(self, *, work_done: bool) -> None:
        self.server.faults.add("POST", "^/Task$", drop_after if work_done else drop_before)

    def refusable(self, task: Task) -> tuple[Task, str]:
        self.server.refusals[str(task.subject)] = "name"
        return task, "the field name is not as EspoCRM wants it"

    def wait(self, seconds: float) -> None:
        self.world.wait(seconds)

    def skew(self, seconds: float) -> None:
        self.world.clock.forward(seconds=seconds)

    def run_ahead(self, seconds: float) -> None:
        self.server.clock = Clock(self.world.clock() + timedelta(seconds=seconds))

    def made(self) -> Mapping[str, tuple[Callable[[], object], Callable[[], bool]]]:
        """An administrator made the field, and only an administrator makes fields."""
        if not self.server.key_field:
            return {}
        fields = self.server.fields["Task"]
        return {"cWarmlineKey": (partial(fields.pop, "cWarmlineKey"), lambda: "cWarmlineKey" in fields)}

    def forbid_making(self) -> None:
        pass

    def check(self) -> Sequence[str]:
        assert PROVIDER.check is not None
        return PROVIDER.check(self.world.client()._access)

    def tasks_ever_created(self) -> int:
        return self.server.tasks_ever_created

    def kept(self) -> str:
        return str(self.server.kinds["Task"])

    @staticmethod
    def minimum_calls(number: int) -> int:
        """One each; beside that they are looked for under their keys, 25 at a time, and contacts and owners by their ids."""
        return number + ceil(number / 25) + 2


@contextmanager
def harness(*, unique: bool) -> Iterator[EspoHarness]:
    """An EspoCRM whose tasks have a field for our key, or one whose have none."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        world = World(Server(key_field=unique, signed=unique))
        world.server.install(mock)
        yield EspoHarness(world)


HARNESSES: dict[str, Callable[..., AbstractContextManager[Any]]] = {"espocrm": harness}
if espocrm.named():  # then the same contract is tried on a real one as well
    HARNESSES["espocrm for real"] = espocrm_harness.harness
