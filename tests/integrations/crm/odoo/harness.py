"""What the contract of all CRMs acts through: an Odoo in memory, and what people do in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from math import ceil

import responses

from integrations.clients import CRMClient
from integrations.crm.odoo import PROVIDER
from integrations.records import Task
from tests.fakes.clock import Clock
from tests.integrations.crm.faults import drop_after, drop_before
from tests.integrations.crm.odoo.conftest import World
from tests.integrations.crm.odoo.server import BOT, BOT_PARTNER, CALL, KEY, TODO, Server


class OdooHarness:
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
        self.world.put_user(int(owner_id), email)

    def remove_owner(self, owner_id: str) -> None:
        self.server.put("res.users", {"active": False}, int(owner_id))

    def put_contact(self, first_name: str, contact_id: str = "") -> str:
        return str(self.server.put("res.partner", {"name": first_name}, int(contact_id or 0)))

    def put_contacts(self, number: int) -> set[str]:
        return {self.put_contact("Ada") for _ in range(number)}

    def delete_contact(self, contact_id: str) -> None:
        self.server.delete("res.partner", int(contact_id))

    def hide(self, contact_id: str) -> None:
        self.server.hidden.add(contact_id)

    def show(self, contact_id: str) -> None:
        self.server.hidden.discard(contact_id)

    def add_call(self, contact_id: str) -> str:
        values = {"date": "2026-11-25 10:00:00", "res_id": int(contact_id), "mail_activity_type_id": [CALL, "Call"]}
        return str(self.server.put("mail.message", values))

    def complete(self, task_id: str) -> None:
        self.server.do(int(task_id))

    def edit(self, task_id: str, *, subject: str) -> None:
        self.server.put("mail.activity", {"summary": subject}, int(task_id))

    def reassign(self, task_id: str, owner_id: str) -> None:
        self.server.put("mail.activity", {"user_id": [int(owner_id), "x"]}, int(task_id))

    def copy(self, task_id: str) -> str:
        row = self.server.rows["mail.activity"][int(task_id)]
        return str(self.server.put("mail.activity", {name: value for name, value in row.items() if name != "id"}))

    def delete(self, task_id: str) -> None:
        self.server.delete("mail.activity", int(task_id))

    def lose_next_create(self, *, work_done: bool) -> None:
        self.server.faults.add("POST", "^mail.activity/create$", drop_after if work_done else drop_before)

    def refusable(self, task: Task) -> tuple[Task, str]:
        self.server.refusals[str(task.subject)] = "The subject is not allowed."
        return task, "The subject is not allowed."

    def wait(self, seconds: float) -> None:
        self.world.wait(seconds)

    def skew(self, seconds: float) -> None:
        self.world.clock.forward(seconds=seconds)

    def run_ahead(self, seconds: float) -> None:
        self.server.clock = Clock(self.world.clock() + timedelta(seconds=seconds))

    def made(self) -> Mapping[str, tuple[Callable[[], object], Callable[[], bool]]]:
        """Versions 17 and 18 were asked to keep what is done; others always do, or never."""
        if self.server.version != 17:
            return {}
        types = self.server.rows["mail.activity.type"]
        take = partial(self.server.put, "mail.activity.type", {"keep_done": False}, TODO)
        return {"Keep Done": (take, lambda: bool(types[TODO]["keep_done"]))}

    def forbid_making(self) -> None:
        self.server.read_only.add("mail.activity.type")

    def check(self) -> Sequence[str]:
        assert PROVIDER.check is not None
        return PROVIDER.check(self.world.client()._access)

    def tasks_ever_created(self) -> int:
        return self.server.tasks_ever_created

    def kept(self) -> str:
        return str(self.server.rows["mail.activity"])

    def history(self) -> str:
        return str(self.server.rows.get("mail.message"))

    @staticmethod
    def minimum_calls(number: int) -> int:
        """A hundred with one call; before, they are looked for under their keys, 50 at a time, and contacts, owners and their time zones."""
        return ceil(number / 100) + ceil(number / 50) + 3


@contextmanager
def harness(*, unique: bool) -> Iterator[OdooHarness]:
    """An Odoo 19 (JSON-2), or an Odoo 17 (JSON-RPC). Neither can keep a key unique."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        world = World(Server(version=19 if unique else 17))
        # An empty CRM has no contacts: its own are nobody's.
        world.server.put("res.partner", {"type": "private"}, BOT_PARTNER)
        world.server.put("res.users", {"share": True}, BOT)  # and the key's own user owns nothing
        world.server.install(mock)
        yield OdooHarness(world)


HARNESSES = {"odoo": harness}
