"""What the contract of all CRMs acts through: an organisation in memory, and what people do in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest
import responses

from integrations.clients import CRMClient
from integrations.crm.salesforce import PROVIDER
from integrations.crm.salesforce.org import KEY
from integrations.records import Task
from tests.fakes.clock import Clock
from tests.integrations.crm.salesforce.conftest import World
from tests.integrations.crm.salesforce.server import Server, drop_after, drop_before


class SalesforceHarness:
    def __init__(self, world: World) -> None:
        self.world = world
        self.server = world.server
        self.now = world.clock

    def client(self) -> CRMClient:
        return self.world.client()

    def connect(self) -> None:
        self.world.prepare()

    def add_owner(self, owner_id: str, email: str) -> None:
        self.server.put("User", {"Email": email, "Name": email, "IsActive": True, "UserType": "Standard"}, id=owner_id)

    def remove_owner(self, owner_id: str) -> None:
        self.server.put("User", {"IsActive": False}, id=owner_id)

    def put_contact(self, first_name: str, contact_id: str = "") -> str:
        return self.server.put("Contact", {"FirstName": first_name, "Name": first_name}, id=contact_id)

    def put_contacts(self, number: int) -> set[str]:
        return {self.put_contact("Ada") for _ in range(number)}

    def delete_contact(self, contact_id: str) -> None:
        self.server.delete("Contact", contact_id)

    def hide(self, contact_id: str) -> None:
        """The transaction that made it has not ended."""
        self.server.hidden.add(contact_id)

    def show(self, contact_id: str) -> None:
        self.server.hidden.discard(contact_id)

    def add_call(self, contact_id: str) -> str:
        call = {"WhoId": contact_id, "TaskSubtype": "Call", "Status": "Completed", "OwnerId": "7"}
        return self.server.put("Task", call)

    def complete(self, task_id: str) -> None:
        self.server.put("Task", {"Status": "Completed"}, id=task_id)

    def edit(self, task_id: str, *, subject: str) -> None:
        self.server.put("Task", {"Subject": subject}, id=task_id)

    def reassign(self, task_id: str, owner_id: str) -> None:
        self.server.put("Task", {"OwnerId": owner_id}, id=task_id)

    def copy(self, task_id: str) -> str:
        """Somebody clones a task, which Salesforce refuses where a unique value would stand there twice."""
        if self.world.options["unique"]:
            pytest.skip("this organisation keeps our key unique, so that no task can have it twice")
        row = self.server.kinds["Task"][task_id]
        return self.server.put("Task", {name: row[name] for name in row if name not in ("Id", "CreatedDate")})

    def delete(self, task_id: str) -> None:
        self.server.delete("Task", task_id)

    def lose_next_create(self, *, work_done: bool) -> None:
        act = drop_after if work_done else drop_before
        self.server.fault(
            "PATCH" if self.world.options["upsert"] else "POST", r"^/composite/sobjects(/Task/\w+)?$", act
        )

    def refusable(self, task: Task) -> tuple[Task, str]:
        self.server.refusals[str(task.subject)] = "The subject is not allowed."
        return task, "The subject is not allowed."

    def wait(self, seconds: float) -> None:
        self.world.clock.forward(seconds=seconds)
        self.server.clock.forward(seconds=seconds)

    def skew(self, seconds: float) -> None:
        """Salesforce has a clock of its own."""
        self.world.clock.forward(seconds=seconds)

    def run_ahead(self, seconds: float) -> None:
        self.server.clock = Clock(self.world.clock() + timedelta(seconds=seconds))

    def made(self) -> Mapping[str, tuple[Callable[[], object], Callable[[], bool]]]:
        if not self.server.customise:
            return {}
        fields = self.server.fields["Task"]
        return {
            "field for Warmline's key": (partial(fields.pop, KEY), lambda: KEY in fields),
            "Warmline's key": (self._drop_permission, lambda: bool(fields[KEY]["visible"])),
        }

    def _drop_permission(self) -> None:
        """The permission set is deleted, and with it the field is out of sight."""
        for row in self.server.alive("PermissionSet"):
            self.server.delete("PermissionSet", row["Id"])
        if KEY in self.server.fields["Task"]:
            self.server.fields["Task"][KEY] |= {"visible": False, "createable": False, "updateable": False}

    def forbid_making(self) -> None:
        self.server.customise = False

    def check(self) -> Sequence[str]:
        assert PROVIDER.check is not None
        return PROVIDER.check(self.world.client()._access)

    def minimum_calls(self, tasks: int) -> int:
        return math.ceil(tasks / 200)

    def tasks_ever_created(self) -> int:
        return self.server.tasks_ever_created

    def kept(self) -> str:
        return str(self.server.kinds["Task"])


@contextmanager
def _harness(server: Server) -> Iterator[SalesforceHarness]:
    server.add_field("Contact", "Twitter__c", label="Twitter handle")
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        server.install(mock)
        yield SalesforceHarness(World(server))


@contextmanager
def harness(*, unique: bool) -> Iterator[SalesforceHarness]:
    """An organisation that keeps our key unique, or whose user may make no field at all."""
    with _harness(Server(Clock(), customise=unique)) as found:
        yield found


@contextmanager
def not_unique(*, unique: bool) -> Iterator[SalesforceHarness]:
    """An organisation that allows an external id which is not unique, or a plain text only."""
    with _harness(Server(Clock(), unique=False, external_ids=unique)) as found:
        yield found


HARNESSES = {"salesforce": harness, "salesforce with a field that is not unique": not_unique}
