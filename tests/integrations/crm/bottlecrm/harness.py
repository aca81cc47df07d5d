"""What the contract of all CRMs acts through: a BottleCRM in memory, and what people do in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import responses
from msgspec.structs import replace

from integrations.clients import CRMClient
from integrations.crm.bottlecrm import PROVIDER
from integrations.records import Task
from tests.fakes.clock import Clock
from tests.integrations.crm.bottlecrm.conftest import World
from tests.integrations.crm.bottlecrm.server import Server, refuse
from tests.integrations.crm.faults import drop_after, drop_before


class BottleHarness:
    def __init__(self, world: World) -> None:
        self.world = world
        self.server = world.server
        self.now = world.clock

    def client(self) -> CRMClient:
        return self.world.client()

    def connect(self) -> None:
        self.world.prepare()

    def add_owner(self, owner_id: str, email: str) -> None:
        self.server.put_user(owner_id, email)

    def remove_owner(self, owner_id: str) -> None:
        self.server.put_user(owner_id, "gone@example.com", active=False)

    def put_contact(self, first_name: str, contact_id: str = "") -> str:
        return self.server.put_contact({"first_name": first_name}, contact_id)

    def put_contacts(self, number: int) -> set[str]:
        return {self.put_contact("Ada") for _ in range(number)}

    def delete_contact(self, contact_id: str) -> None:
        del self.server.contacts[contact_id]

    def hide(self, contact_id: str) -> None:
        self.server.hidden.add(contact_id)

    def show(self, contact_id: str) -> None:
        self.server.hidden.discard(contact_id)

    def add_call(self, contact_id: str) -> str:
        return self.server.log(contact_id)

    def complete(self, task_id: str) -> None:
        self.server.put_task({"status": "Completed"}, task_id)

    def edit(self, task_id: str, *, subject: str) -> None:
        self.server.put_task({"title": subject}, task_id)

    def reassign(self, task_id: str, owner_id: str) -> None:
        self.server.put_task({"assigned_to": [self.server.users[owner_id]]}, task_id)

    def copy(self, task_id: str) -> str:
        values = {name: value for name, value in self.server.tasks[task_id].items() if name not in ("id", "created_at")}
        return self.server.put_task(values)

    def delete(self, task_id: str) -> None:
        del self.server.tasks[task_id]

    def lose_next_create(self, *, work_done: bool) -> None:
        self.server.faults.add("POST", "^/tasks/$", drop_after if work_done else drop_before)

    def refusable(self, task: Task) -> tuple[Task, str]:
        return replace(task, subject="x" * 201), "title: Ensure this field has no more than 200 characters."

    def wait(self, seconds: float) -> None:
        self.world.wait(seconds)

    def skew(self, seconds: float) -> None:
        self.world.clock.forward(seconds=seconds)

    def run_ahead(self, seconds: float) -> None:
        self.server.clock = Clock(self.world.clock() + timedelta(seconds=seconds))

    def made(self) -> Mapping[str, tuple[Callable[[], object], Callable[[], bool]]]:
        """The field is switched off, since none is deleted; the tag is archived."""
        if not self.server.admin:
            return {}
        rows = {"warmline_key": self.server.definitions[-1], "tag Warmline": self.server.tags[-1]}
        return {
            word: (partial(row.update, is_active=False), partial(row.__getitem__, "is_active"))
            for word, row in rows.items()
        }

    def forbid_making(self) -> None:
        for path in ("custom-fields", "tags"):
            for method in ("PUT", "POST"):
                self.server.faults.add(method, path, lambda work: refuse("Admin access required", 403), times=99)

    def check(self) -> Sequence[str]:
        assert PROVIDER.check is not None
        return PROVIDER.check(self.world.client()._access)

    def tasks_ever_created(self) -> int:
        return self.server.tasks_ever_created

    def kept(self) -> str:
        return str(self.server.tasks)

    def minimum_calls(self, number: int) -> int:
        """One each, and one to find what was made (two where no field holds the key); one for the members, and one for each contact (40)."""
        return number * (2 if self.server.admin else 3) + 1 + 40


@contextmanager
def harness(*, unique: bool) -> Iterator[BottleHarness]:
    """A BottleCRM that an administrator's token opens, or a member's: that one may add neither field nor tag."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        world = World(Server(admin=unique))
        world.server.add_field("twitter_handle")
        world.server.install(mock)
        yield BottleHarness(world)


HARNESSES = {"bottlecrm": harness}
