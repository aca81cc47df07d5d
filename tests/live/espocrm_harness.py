"""What the contract of all CRMs acts through, bound to a real EspoCRM (see `tests.live.espocrm`): one whose tasks have a field for our key and
whose API user signs, and one without either.

Time that goes by goes by for us alone: the server has its own clock.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache
from math import ceil
from typing import Any
from unittest import mock

import requests
from msgspec.structs import replace
from requests.adapters import HTTPAdapter

from integrations.clients import CRMClient
from integrations.crm.espocrm.client import EspoCRM
from integrations.provider import Access
from integrations.records import Author, Task
from tests.fakes.clock import Clock
from tests.live.espocrm import ADMIN, RealEspo, running

EMPTIED = ("Contact", "Lead", "Task", "Call", "Meeting", "Email", "Note")


class RealHarness:
    batch = 1  # tasks of one create

    def __init__(self, espo: RealEspo, *, signed: bool) -> None:
        self.espo = espo
        self.now = Clock(datetime.now(UTC).replace(microsecond=0))
        self.credentials = dict(espo.signed) if signed else {"api_key": espo.key}
        self.secrets = tuple(self.credentials.values())
        self.options: dict[str, Any] = {}
        self.lost: list[bool] = []  # creates that are to go unanswered: whether their work is done
        self.copies = 0

    def client(self) -> CRMClient:
        access = Access(
            {"web": self.espo.server}, self.credentials, account=Author("127.0.0.1", "127.0.0.1"), options=self.options,
            guarded=True, allow_hosts=("127.0.0.1",), now=self.now,
        )  # fmt: skip
        return EspoCRM(access, clock=self.now)

    def connect(self) -> None:
        self.options = dict(self.client().prepare())

    def add_owner(self, owner_id: str, email: str) -> None:
        name = f"owner{owner_id}"
        made = self.espo.adds("User", userName=name, lastName=email, type="regular", emailAddress=email)
        given = (
            'UPDATE "user" SET id = ? WHERE id = ?',
            "UPDATE entity_email_address SET entity_id = ? WHERE entity_id = ?",
        )
        self.espo.database.run_all([(each, (owner_id, made)) for each in given])

    def remove_owner(self, owner_id: str) -> None:
        self.espo.sets("User", owner_id, isActive=False)

    def put_contact(self, first_name: str, contact_id: str = "") -> str:
        if contact_id:
            self.espo.sets("Contact", contact_id, firstName=first_name)
            return contact_id
        made = self.espo.adds_contact("Ada")
        # As in a database from before 7.2, which takes no < in a name that is typed now.
        self.espo.database.run("UPDATE contact SET first_name = ? WHERE id = ?", first_name, made)
        return made

    def put_contacts(self, number: int) -> set[str]:
        return self.espo.imports("Contact", self.put_contact("Ada"), number)

    def delete_contact(self, contact_id: str) -> None:
        self.espo.deletes("Contact", contact_id)

    def hide(self, contact_id: str) -> None:
        self.espo.database.run("UPDATE contact SET deleted = TRUE WHERE id = ?", contact_id)

    def show(self, contact_id: str) -> None:
        self.espo.database.run("UPDATE contact SET deleted = FALSE WHERE id = ?", contact_id)

    def add_call(self, contact_id: str) -> str:
        times = {"dateStart": "2026-11-25 10:00:00", "dateEnd": "2026-11-25 10:10:00"}
        return self.espo.adds(
            "Call", name="Ring", status="Held", contactsIds=[contact_id], assignedUserId=self.espo.olga, **times
        )

    def complete(self, task_id: str) -> None:
        self.espo.sets("Task", task_id, status="Completed")

    def edit(self, task_id: str, *, subject: str) -> None:
        self.espo.sets("Task", task_id, name=subject)

    def reassign(self, task_id: str, owner_id: str) -> None:
        self.espo.sets("Task", task_id, assignedUserId=owner_id)

    def copy(self, task_id: str) -> str:
        self.copies += 1
        attributes = self.espo.call("POST", "/Task/action/getDuplicateAttributes", {"id": task_id})
        return self.espo.adds("Task", **attributes)

    def delete(self, task_id: str) -> None:
        self.espo.deletes("Task", task_id)

    def lose_next_create(self, *, work_done: bool) -> None:
        self.lost.append(work_done)

    def refusable(self, task: Task) -> tuple[Task, str]:
        return replace(task, subject="x" * 300), "the field name is not as EspoCRM wants it"

    def wait(self, seconds: float) -> None:
        self.now.forward(seconds=seconds)

    def skew(self, seconds: float) -> None:
        self.now.forward(seconds=seconds)

    def tasks_ever_created(self) -> int:
        [row] = self.espo.database.run("SELECT count(*) AS number FROM task")
        return int(row["number"]) - self.copies

    def kept(self) -> str:
        return str(self.espo.database.run("SELECT * FROM task"))

    @staticmethod
    def minimum_calls(number: int) -> int:
        """One each; beside that they are looked for under their keys, 25 at a time, and contacts and owners by their ids."""
        return number + ceil(number / 25) + 2


@contextmanager
def harness(*, unique: bool) -> Iterator[RealHarness]:
    """A real EspoCRM with nobody in it."""
    espo = _server(unique)
    espo.forgets(*EMPTIED)
    owners = ('DELETE FROM "user" WHERE length(id) = 1', "DELETE FROM entity_email_address WHERE length(entity_id) = 1")
    espo.database.run_all([(each, ()) for each in owners])
    made, send = RealHarness(espo, signed=unique and espo.signs), HTTPAdapter.send

    def through(adapter: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        lost = made.lost and (request.method, request.path_url) == ("POST", "/api/v1/Task")
        if not lost:
            return send(adapter, request, **options)
        if made.lost.pop(0):
            send(adapter, request, **options)
        raise requests.exceptions.ConnectionError("connection reset by peer")

    with mock.patch.object(HTTPAdapter, "send", through):
        yield made


@cache
def _server(unique: bool) -> RealEspo:
    """One server for all tests of this process, with nobody to whom a task could be given."""
    stack = ExitStack()
    atexit.register(stack.close)
    espo = stack.enter_context(running("unique" if unique else "plain"))
    if unique:
        espo.adds_field("Task", "warmlineKey")
    for kind in ("Contact", "Lead"):
        espo.adds_field(kind, "twitterHandle")
    espo.sets("User", espo.olga, isActive=False)
    # Nobody but another super-admin is shown one.
    espo.database.run("UPDATE \"user\" SET type = 'super-admin' WHERE user_name = ?", ADMIN)
    return espo
