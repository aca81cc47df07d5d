"""Tasks: what should stand in the CRM, what does, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import RAISE, Schema, fields, validate
from sqlalchemy.orm import Session

from integrations.records import TaskKind, TaskStatus
from service.accounts import Caller
from service.api import people
from service.api.answers import (
    Flag,
    Id,
    Instant,
    Number,
    PageQuery,
    Text,
    Texts,
    about,
    answer,
    choice,
    page_of,
    window,
    yes_or_no,
)
from service.api.auth import caller
from service.api.noun import Noun
from service.api.problems import missing
from service.api.words import Line
from service.models import Task
from service.runtime import runtime
from service.store import acting, freezing, listing, paging
from service.store.paging import Row

tasks = Noun("tasks", "What should stand in the CRM because of a finding, what does, and why they differ.")

STATES = ("absent", "open", "completed", "withdrawn", "unknown", "parked")


class OwnerSchema(Schema):
    """Whom the task is given to in the CRM."""

    id = Text(metadata=about("The CRM's own id."))
    email = Text()
    name = Text()


class HeldSchema(Schema):
    """Why a task is not in the CRM yet."""

    reason = Text()
    until = Instant(allow_none=True, metadata=about("When that lapses; null: when somebody acts."))


class LinksSchema(Schema):
    """Where to go from here; null where there is nothing."""

    crm = Text(allow_none=True, metadata=about("The task in the CRM."))
    post = Text(allow_none=True, metadata=about("Where a person answers on the network."))
    contact = Text(allow_none=True, metadata=about("The contact in the CRM."))
    conversation = Text(allow_none=True, metadata=about("The conversation in this API."))


class TaskSchema(Schema):
    id = Id()
    key = Text(metadata=about("Never changes; stands in the CRM too."))
    kind = choice(*TaskKind)
    brand_id = Id()
    author = fields.Nested(people.AuthorSchema, required=True, allow_none=True)
    contact = fields.Nested(people.ContactRefSchema, required=True, allow_none=True)
    conversation_id = Id(allow_none=True)
    crm_connection_id = Id(allow_none=True, metadata=about("null: no CRM yet."))
    wanted = choice(*TaskStatus, metadata=about("What the rules and people want."))
    state = choice(*STATES, metadata=about("What the CRM has, as far as is known."))
    held = fields.Nested(HeldSchema, required=True, allow_none=True)
    run_id = Id(
        allow_none=True,
        metadata=about(
            "The change that alters it and is not let through yet, see runs: what `wanted` says, to take it back say, is not written before. null: none."
        ),
    )
    frozen = Text(metadata=about("Why its network or its CRM is not read or written now, in a sentence; empty: it is."))
    subject = Text()
    body = Text()
    owner = fields.Nested(OwnerSchema, required=True, allow_none=True)
    high_priority = Flag()
    reasons = Texts(metadata=about("Why it exists, in sentences."))
    edited = Texts(
        metadata=about(
            "What a person changed in the CRM: theirs from then on. `status`: it had been answered, and they opened it again."
        )
    )
    urgency = Number(metadata=about("0 to 100; ranks one owner's tasks."))
    since = Instant(metadata=about("When the wait began; of a call, when they became ready."))
    due_at = Instant()
    detail = Text(metadata=about("The CRM's sentence, where it refused the task."))
    parked_at = Instant(
        allow_none=True,
        metadata=about("Since when the CRM refuses it; it is not tried again by itself, see retry. null: it does not."),
    )
    external_id = Text(allow_none=True, metadata=about("The CRM's id of the task."))
    pushed_at = Instant(allow_none=True, metadata=about("When it first stood in the CRM."))
    closed_at = Instant(allow_none=True)
    closed_by = Text(metadata=about("rules, crm, user:<id>, key:<id>, or nothing."))
    close_reason = Text()
    links = fields.Nested(LinksSchema, required=True)
    settings_version = Number()
    rules_version = Number()
    decided_at = Instant()
    created_at = Instant()


class TaskQuery(PageQuery):
    kind = fields.String(validate=validate.OneOf(list(TaskKind)))
    state = fields.String(validate=validate.OneOf(STATES))
    wanted = fields.String(validate=validate.OneOf(list(TaskStatus)))
    held = yes_or_no("Only those that are held back, or only the others.")
    parked = yes_or_no("Only those that the CRM refuses, or only the others.")
    brand_id = fields.UUID()
    contact_id = fields.UUID()
    conversation_id = fields.UUID()
    crm_connection_id = fields.UUID()


class DismissSchema(Schema):
    class Meta:
        unknown = RAISE

    reason = Line(
        longest=200,
        sentence="Give a reason of one line, without blanks around it.",
        metadata=about("Why nothing needs to be done. Without one: no reply needed, or no call needed."),
    )


_PLAIN = (
    "id", "key", "kind", "brand_id", "conversation_id", "crm_connection_id", "run_id", "wanted", "state", "reasons", "edited", "urgency", "since",
    "due_at", "detail", "parked_at", "external_id", "pushed_at", "closed_at", "closed_by", "close_reason", "settings_version", "rules_version",
    "decided_at", "created_at",
)  # fmt: skip


def dump_all(session: Session, who: Caller, rows: Sequence[Row]) -> list[Row]:
    """Rows of `listing.tasks` as the API shows them."""
    owners = listing.owners_of(session, who.workspace_id, rows)
    frozen = freezing.by_connection(session, who.workspace_id)
    return [{**_dump(row, owners), "frozen": _frozen(row, frozen)} for row in rows]


def _frozen(row: Row, frozen: Mapping[UUID, str]) -> str:
    """Why nothing is read or written about an open task, and why the end of one that stands in its CRM is not said there."""
    network, crm = row["network_connection_id"], row["crm_connection_id"]
    places = {"open": (network, crm)}.get(row["wanted"], (crm,) if row["state"] in ("open", "unknown") else ())
    return next((frozen[each] for each in places if each in frozen), "")


def _dump(row: Row, owners: dict[tuple[UUID, str], Row]) -> Row:
    content = row["content"]
    owner = owners.get((row["crm_connection_id"], content.get("owner_id") or ""))
    conversation = row["conversation_id"]
    held = {"reason": row["held_reason"], "until": row["held_until"]} if row["held_reason"] else None
    return {
        **{name: row[name] for name in _PLAIN},
        "author": people.author(row),
        "contact": people.contact(row),
        "held": held,
        "subject": content.get("subject") or "",
        "body": content.get("body") or "",
        "high_priority": bool(content.get("high_priority")),
        "owner": {"id": owner["native_id"], "email": owner["email"], "name": owner["name"]} if owner else None,
        "links": {
            "crm": row["external_url"] or None,
            "post": row["post_url"] or None,
            "contact": row["contact_url"] or None,
            "conversation": f"/v1/conversations/{conversation}" if conversation else None,
        },
    }


def answer_one(session: Session, who: Caller, task_id: UUID) -> Response:
    """One task as a response; 404 where there is none."""
    row = paging.one(session, who.workspace_id, listing.TASKS, task_id)
    return answer(dump_all(session, who, [row])[0] if row else missing("task"))


@tasks.get("", query=TaskQuery, returns=page_of(TaskSchema))
def index(query: dict[str, Any]) -> Response:
    """List tasks, newest first, the held ones among them"""
    filters, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = listing.tasks(session, who.workspace_id, filters=filters, **page)
        return answer({"items": dump_all(session, who, rows), "next_cursor": cursor})


@tasks.get("/<uuid:task_id>", returns=TaskSchema, also={404: "No such task."})
def show(task_id: UUID) -> Response:
    """One task"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        return answer_one(session, who, task_id)


@tasks.post(
    "/<uuid:task_id>/dismiss",
    body=DismissSchema,
    body_required=False,
    returns=TaskSchema,
    also={404: "No such task."},
)
def dismiss(body: dict[str, Any], task_id: UUID) -> Response:
    """No reply needed: complete the task in the CRM, and open none for what was said so far"""
    return _act(task_id, partial(acting.dismiss_task, reason=body.get("reason", "")))


@tasks.post("/<uuid:task_id>/undo", returns=TaskSchema, also={404: "No such task."})
def undo(task_id: UUID) -> Response:
    """Take back that a task was dismissed: it is opened again within seconds where somebody waits still; one that nobody dismissed here stays as it is"""
    return _act(task_id, acting.undo_dismissal)


@tasks.post("/<uuid:task_id>/retry", returns=TaskSchema, also={404: "No such task."})
def retry(task_id: UUID) -> Response:
    """Say a task once more to the CRM that refused it; one that is not parked stays as it is"""
    return _act(task_id, acting.retry_task)


def _act(task_id: UUID, action: Callable[..., Task | None]) -> Response:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        if action(session, who.workspace_id, task_id, by=who.actor) is None:
            missing("task")
        return answer_one(session, who, task_id)
