"""What the contract of all CRMs acts through: an account in memory, and what people do in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import responses

from integrations.provider import CRMClient
from integrations.records import Task
from tests.integrations.crm.hubspot.conftest import World
from tests.integrations.crm.hubspot.portal import Portal, drop_after, drop_before, iso
from tests.integrations.crm.hubspot.sandbox_harness import sandbox_harness


class HubSpotHarness:
    def __init__(self, world: World) -> None:
        self.world = world
        self.now = world.clock

    def client(self) -> CRMClient:
        return self.world.client()

    def connect(self) -> None:
        self.world.prepare()

    def add_owner(self, owner_id: str, email: str) -> None:
        self.world.portal.owners.append({"id": owner_id, "email": email, "archived": False, "type": "PERSON"})

    def put_contact(self, first_name: str, contact_id: str = "") -> str:
        return self.world.portal.put("contacts", {"firstname": first_name}, id=contact_id)

    def put_contacts(self, number: int) -> set[str]:
        return {self.put_contact("Ada") for _ in range(number)}

    def add_call(self, contact_id: str) -> str:
        made = self.world.portal.put("calls", {"hs_timestamp": iso(self.world.portal.tick())})
        self.world.portal.link("calls", made, "contacts", contact_id)
        return made

    def complete(self, task_id: str) -> None:
        self.world.portal.put("tasks", {"hs_task_status": "COMPLETED"}, id=task_id)

    def delete(self, task_id: str) -> None:
        self.world.portal.archive("tasks", task_id)

    def lose_next_create(self, *, work_done: bool) -> None:
        self.world.portal.fault("POST", "/tasks/batch/create", drop_after if work_done else drop_before)

    def refusable(self, task: Task) -> tuple[Task, str]:
        self.world.portal.refusals[str(task.subject)] = "The subject is not allowed."
        return task, "The subject is not allowed."

    def wait(self, seconds: float) -> None:
        self.world.clock.forward(seconds=seconds)

    def tasks_ever_created(self) -> int:
        return self.world.portal.tasks_ever_created


@contextmanager
def harness(*, unique: bool) -> Iterator[HubSpotHarness]:
    """An account that keeps our key unique, or one that can't."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        world = World(Portal(unique=unique))
        world.portal.install(mock)
        yield HubSpotHarness(world)


HARNESSES = {"hubspot": harness, "hubspot in the sandbox": sandbox_harness}
