"""What the contract of all CRMs acts through: a company in memory, and what people do in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import responses

from integrations.clients import CRMClient
from integrations.records import Task
from tests.fakes.clock import Clock
from tests.integrations.crm.faults import drop_after, drop_before
from tests.integrations.crm.pipedrive.conftest import World
from tests.integrations.crm.pipedrive.server import TWITTER, Server


class PipedriveHarness:
    def __init__(self, world: World) -> None:
        self.world = world
        self.server = world.server
        self.now = world.clock

    def client(self) -> CRMClient:
        return self.world.client()

    def connect(self) -> None:
        self.world.prepare()

    def add_owner(self, owner_id: str, email: str) -> None:
        number = int(owner_id)
        self.server.users[number] = {
            "id": number,
            "email": email,
            "name": email,
            "active_flag": True,
            "is_deleted": False,
        }

    def remove_owner(self, owner_id: str) -> None:
        self.server.users[int(owner_id)]["active_flag"] = False

    def put_contact(self, first_name: str, contact_id: str = "") -> str:
        values = {"first_name": first_name, "name": first_name}
        return str(self.server.put("person", values, id=int(contact_id or 0)))

    def put_contacts(self, number: int) -> set[str]:
        return {self.put_contact("Ada") for _ in range(number)}

    def delete_contact(self, contact_id: str) -> None:
        self.server.delete("person", int(contact_id))

    def hide(self, contact_id: str) -> None:
        """No list shows it yet."""
        self.server.hidden.add(int(contact_id))

    def show(self, contact_id: str) -> None:
        self.server.hidden.discard(int(contact_id))

    def add_call(self, contact_id: str) -> str:
        people = [{"person_id": int(contact_id), "primary": True}]
        call = {"type": "call", "done": True, "due_date": "2026-11-25", "participants": people}
        return str(self.server.put("activity", call))

    def complete(self, task_id: str) -> None:
        self.server.put("activity", {"done": True}, id=int(task_id))

    def edit(self, task_id: str, *, subject: str) -> None:
        self.server.put("activity", {"subject": subject}, id=int(task_id))

    def reassign(self, task_id: str, owner_id: str) -> None:
        self.server.put("activity", {"owner_id": int(owner_id)}, id=int(task_id))

    def copy(self, task_id: str) -> str:
        """Somebody duplicates an activity, note and all."""
        row = self.server.rows["activity"][int(task_id)]
        return str(self.server.put("activity", {name: row[name] for name in row if name not in ("id", "add_time")}))

    def delete(self, task_id: str) -> None:
        self.server.delete("activity", int(task_id))

    def lose_next_create(self, *, work_done: bool) -> None:
        self.server.faults.add("POST", "/api/v2/activities$", drop_after if work_done else drop_before)

    def refusable(self, task: Task) -> tuple[Task, str]:
        self.server.refusals[str(task.subject)] = "The subject is not allowed."
        return task, "The subject is not allowed."

    def wait(self, seconds: float) -> None:
        self.world.clock.forward(seconds=seconds)

    def skew(self, seconds: float) -> None:
        """Pipedrive has a clock of its own."""
        self.server.clock = Clock(self.world.clock())
        self.world.clock.forward(seconds=seconds)

    def run_ahead(self, seconds: float) -> None:
        self.server.clock = Clock(self.world.clock() + timedelta(seconds=seconds))

    def minimum_calls(self, tasks: int) -> int:
        """One for each task, and one that asks which of the contacts are still there."""
        return tasks + 1

    def tasks_ever_created(self) -> int:
        return self.server.tasks_ever_created

    def kept(self) -> str:
        return str(self.server.rows["activity"])


@contextmanager
def harness(*, unique: bool) -> Iterator[PipedriveHarness]:
    """A company account. None can keep our key unique, so that both kinds are the same; one has a field for handles that is called Twitter."""
    clock = Clock()
    server = Server(clock)
    server.add_field(TWITTER, "Twitter" if unique else "X handle")
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        server.install(mock)
        yield PipedriveHarness(World(server, clock))


HARNESSES = {"pipedrive": harness}
