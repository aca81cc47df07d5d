"""What the contract of all CRMs acts through: an account in memory, and what people do in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import pytest
import responses

from integrations.clients import CRMClient
from integrations.crm.hubspot import PROVIDER
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

    def edit(self, task_id: str, *, subject: str) -> None:
        self.world.portal.put("tasks", {"hs_task_subject": subject}, id=task_id)

    def reassign(self, task_id: str, owner_id: str) -> None:
        self.world.portal.put("tasks", {"hubspot_owner_id": owner_id}, id=task_id)

    def copy(self, task_id: str) -> str:
        """Somebody clones a task, which HubSpot does with all properties but unique ones."""
        if self.world.options["unique"]:
            pytest.skip("this account keeps our key unique, so that no task can have it twice")
        portal = self.world.portal
        made = portal.put("tasks", portal.kinds["tasks"][task_id]["properties"])
        for contact in portal.links.get(("tasks", "contacts"), {}).get(task_id, []):
            portal.link("tasks", made, "contacts", contact)
        return made

    def delete_contact(self, contact_id: str) -> None:
        self.world.portal.archive("contacts", contact_id)

    def remove_owner(self, owner_id: str) -> None:
        for row in self.world.portal.owners:
            row["archived"] |= row["id"] == owner_id

    def hide(self, contact_id: str) -> None:
        """Search does not show it yet."""
        self.world.portal.hidden.add(contact_id)

    def show(self, contact_id: str) -> None:
        self.world.portal.hidden.discard(contact_id)

    def skew(self, seconds: float) -> None:
        """The account has a clock of its own."""
        self.world.clock.forward(seconds=seconds)

    def run_ahead(self, seconds: float) -> None:
        portal, now = self.world.portal, self.world.clock().timestamp() + seconds
        portal.tells_time = True
        portal.tick(int(now * 1000) - portal.tick(0))

    def made(self) -> Mapping[str, tuple[Callable[[], object], Callable[[], bool]]]:
        portal = self.world.portal
        take = partial(portal.drop_property, "tasks", "warmline_key")
        return {"Warmline key": (take, lambda: any(row["name"] == "warmline_key" for row in portal.schema["tasks"]))}

    def forbid_making(self) -> None:
        self.world.portal.properties_allowed = False

    def check(self) -> Sequence[str]:
        assert PROVIDER.check is not None
        return PROVIDER.check(self.world.client()._access)

    def minimum_calls(self, tasks: int) -> int:
        return math.ceil(tasks / 100)

    def lose_next_create(self, *, work_done: bool) -> None:
        self.world.portal.fault("POST", "/tasks/batch/create", drop_after if work_done else drop_before)

    def refusable(self, task: Task) -> tuple[Task, str]:
        self.world.portal.refusals[str(task.subject)] = "The subject is not allowed."
        return task, "The subject is not allowed."

    def wait(self, seconds: float) -> None:
        self.world.clock.forward(seconds=seconds)

    def tasks_ever_created(self) -> int:
        return self.world.portal.tasks_ever_created

    def kept(self) -> str:
        return str(self.world.portal.kinds["tasks"])


@contextmanager
def harness(*, unique: bool) -> Iterator[HubSpotHarness]:
    """An account that keeps our key unique, or one that can't."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        world = World(Portal(unique=unique))
        world.portal.install(mock)
        yield HubSpotHarness(world)


HARNESSES = {"hubspot": harness, "hubspot in the sandbox": sandbox_harness}
