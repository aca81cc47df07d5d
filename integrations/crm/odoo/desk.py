"""Odoo's calls about tasks, as `integrations.pushing` wants them. A hundred activities are made with one call, all or none (one, before 12)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from integrations import body
from integrations.crm.odoo import fields
from integrations.crm.odoo.api import API, EVERYTHING, PAGE, Domain, Row
from integrations.crm.odoo.fields import ACTIVITY, PARTNER, USER, Site
from integrations.crm.odoo.meaning import LACKS_A_RIGHT
from integrations.errors import InvalidRequestError, NotFoundError, PermissionDeniedError
from integrations.records import Task, TaskState, TaskStatus

_KEYS = 50  # keys in one question
_SOUGHT = ("note", "res_model", "res_id")
_NO_MODEL = (
    "Odoo did not let Warmline learn how to make activities of contacts. Give its user more rights, and connect again."
)


class OdooDesk:
    """Implements `integrations.pushing.Desk`. `place` is the partner under whom stands what is about nobody and nobody's."""

    name = "Odoo"
    reads = 100  # though a call takes more: each is written with one of its own, by what was read a moment ago
    seeks = 1000
    settle = timedelta(minutes=3)  # Odoo ends a request after two (`limit_time_real`)

    def __init__(self, api: API, site: Site, place: int) -> None:
        self.batch = api.at_once
        self._api = api
        self._site = site
        self._place = place
        self._rows: dict[str, Row] = {}
        self._partners: dict[str, int] = {}  # of users

    def read(self, ids: Sequence[str]) -> Mapping[str, TaskState]:
        """Those of these activities that stand, done ones too where Odoo keeps them, by id; bare, where a rule of Odoo's hides one."""
        rows = self._api.read(ACTIVITY, ids, fields.task_fields(self._site), context=EVERYTHING)
        self._rows |= {str(row["id"]): row for row in rows}
        states = {str(row["id"]): fields.task_state(row, self._site) for row in rows}
        hidden = [each for each in dict.fromkeys(ids) if each not in states and self._api.hides(ACTIVITY, each)]
        return {**states, **{each: TaskState(each, None, TaskStatus.OPEN, bare=True) for each in hidden}}

    def seek(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Activities by the marker in their note. Were there two, the older one is ours."""
        found: dict[str, str] = {}
        for start in range(0, len(tasks), _KEYS):
            keys = [task.key for task in tasks[start : start + _KEYS]]
            noted: Domain = [["note", "ilike", body.reference(key)] for key in keys]
            domain = ["|"] * (len(noted) - 1) + noted
            for row in self._api.search(ACTIVITY, domain, _SOUGHT, limit=PAGE, context=EVERYTHING):
                key = fields.task_key(row)
                self._rows[str(row["id"])] = row
                if key in keys:
                    found.setdefault(str(key), str(row["id"]))
        return found

    def alive(self, contact_ids: Collection[str]) -> Collection[str]:
        """Those of these partners that are there and not archived."""
        return {str(row["id"]) for row in self._api.read(PARTNER, sorted(contact_ids), ("id",))}

    def assignable(self, owner_ids: Collection[str]) -> Collection[str]:
        """Those of these users who are active."""
        rows = self._api.read(USER, sorted(owner_ids), ("active", "partner_id"))
        self._partners |= {str(row["id"]): fields.link(row, "partner_id") or 0 for row in rows}
        return {str(row["id"]) for row in rows if row.get("active") is not False}

    def create(self, tasks: Sequence[Task]) -> Sequence[str]:
        """Makes them all, or none."""
        if not self._site.model_id:
            raise InvalidRequestError(_NO_MODEL)
        values = [fields.new_task_values(task, self._site, self._under(task)) for task in tasks]
        with self._told_apart("create"):
            made = [str(each) for each in self._api.create(ACTIVITY, values)]
        self._rows |= {
            each: {"res_model": PARTNER, "res_id": row["res_id"]} for each, row in zip(made, values, strict=True)
        }
        return made

    def _under(self, task: Task) -> int:
        """The partner under whom a task stands that is about nobody in the CRM: its owner's own."""
        return self._partners.get(str(task.owner_id)) or self._place

    def update(self, task: Task, standing: TaskState) -> Callable[[], None]:
        """What changes what the task gives; completes it by Odoo's own button, or takes it out of the archive."""
        values: dict[str, Any] = fields.task_values(task, self._site, standing)
        if task.contact_id and not self._is_about(standing.id, task.contact_id) and not self.alive([task.contact_id]):
            raise NotFoundError(
                "The contact is no longer in Odoo."
            )  # which writes down the number of one that is not there
        if task.former_contact_id and not task.contact_id and self._is_about(standing.id, task.former_contact_id):
            self.assignable([standing.owner_id] if standing.owner_id else [])
            values["res_id"] = self._partners.get(str(standing.owner_id)) or self._place
        if task.status is TaskStatus.OPEN and standing.status is TaskStatus.COMPLETED:
            values["active"] = True
        done = task.status is TaskStatus.COMPLETED and standing.status is TaskStatus.OPEN
        return lambda: self._update(int(standing.id), values, done)

    def _update(self, task_id: int, values: Row, done: bool) -> None:
        with self._told_apart("write"):
            if values:
                self._api.write(ACTIVITY, task_id, values)
            if done:
                self._api.call(ACTIVITY, "action_feedback", [task_id])

    def _is_about(self, task_id: str, contact_id: str) -> bool:
        return str(self._rows.get(task_id, {}).get("res_id")) == contact_id

    def withdraw(self, task: Task) -> None:
        """Deletes it."""
        with self._told_apart("unlink"):
            self._api.unlink(ACTIVITY, int(str(task.external_id)))

    @contextmanager
    def _told_apart(self, operation: str) -> Iterator[None]:
        """Odoo denies by one name what our user may do to nothing and what a rule keeps her from doing to one record: the latter is about
        the task that was to be written, and no other is to wait behind it. The former is told in our words: since 16, if not before, Odoo's name no right."""
        try:
            yield
        except PermissionDeniedError as error:
            rights = {self._api.may(ACTIVITY, operation), self._api.may(PARTNER, "write")}
            if rights == {True}:
                raise InvalidRequestError(str(error)) from error
            if False in rights:
                raise PermissionDeniedError(LACKS_A_RIGHT) from error
            raise

    def url(self, task_id: str) -> str:
        """Where a person sees it."""
        row = self._rows.get(task_id, {})
        return self._site.url(str(row.get("res_model") or ACTIVITY), row.get("res_id") or task_id)
