"""Runs: one change of settings or rules each, what it altered, and whether it was let through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields

from integrations.records import TaskKind
from service.api.answers import (
    Id,
    Instant,
    Number,
    PageQuery,
    Text,
    Texts,
    about,
    answer,
    choice,
    listed,
    page_of,
    window,
)
from service.api.auth import caller
from service.api.noun import Noun
from service.api.problems import missing
from service.models import Run
from service.runtime import runtime
from service.store import listing, paging, ruling, run_changes
from service.store.paging import Row

noun = Noun(
    "runs", "Changes of settings or rules, each with what it altered. One that alters too much at once is held."
)


class RunCountSchema(Schema):
    """What a run alters in one CRM."""

    crm_connection_id = Id()
    create = Number()
    withdraw = Number()
    change = Number()


class RunSchema(Schema):
    id = Id()
    kind = choice(
        "first",
        "settings",
        "rules",
        "undo",
        metadata=about(
            "What changed. undo: it was changed back; with two rules_versions, what undone rules alter since."
        ),
    )
    state = choice(
        "deciding", "passed", "held", "approved", "undone", "superseded",
        metadata=about("held: nothing of it is written until somebody approves. superseded: a later change took it in."),
    )  # fmt: skip
    settings_version = Number()
    from_settings_version = Number()
    rules_version = Number()
    from_rules_version = Number()
    started_by = Text(metadata=about("user:<id>, key:<id> or system."))
    decided_by = Text(metadata=about("Who approved or undid it; empty: nobody."))
    decided_at = Instant(allow_none=True)
    created_at = Instant()
    counts = fields.List(fields.Nested(RunCountSchema), required=True)


class RunChangeSchema(Schema):
    """One task that a run altered."""

    task_id = Id()
    step = choice("create", "withdraw", "change")
    kind = choice(*TaskKind)
    crm_connection_id = Id(allow_none=True)
    subject = Text()
    reasons = Texts(metadata=about("Why it is there, or why no more."))


class WholeRunSchema(RunSchema):
    """A run with examples of what it altered."""

    changes = fields.List(fields.Nested(RunChangeSchema), required=True, metadata=about("The first fifty."))


_NONE = {404: "No such run."}


@noun.get("", query=PageQuery, returns=page_of(RunSchema))
def index(query: dict[str, Any]) -> Response:
    """List runs, newest first"""
    _, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = paging.page(session, who.workspace_id, listing.RUNS, filters={}, **page)
    return listed(rows, cursor, _dump)


@noun.get("/<uuid:run_id>", returns=WholeRunSchema, also=_NONE)
def show(run_id: UUID) -> Response:
    """One run and what it altered"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        row = paging.one(session, who.workspace_id, listing.RUNS, run_id)
        if row is None:
            missing("run")
        changes = run_changes.examples(session, who.workspace_id, run_id)
    return answer({**_dump(row), "changes": changes})


@noun.post("/<uuid:run_id>/approve", returns=RunSchema, also=_NONE)
def approve(run_id: UUID) -> Response:
    """Let a held run through: what it altered is written to the CRMs"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        return _one(ruling.approve_run(session, who.workspace_id, run_id, by=who.actor))


@noun.post("/<uuid:run_id>/undo", returns=RunSchema, also=_NONE)
def undo(run_id: UUID) -> Response:
    """Undo the newest run: the settings of before stand again, and the tasks with them"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        return _one(ruling.undo_run(session, who.workspace_id, run_id, by=who.actor))


def _one(run: Run | None) -> Response:
    if run is None:
        missing("run")
    return answer(_dump({name: getattr(run, name) for name in RunSchema._declared_fields}))


def _dump(row: Mapping[str, Any]) -> Row:
    counts = [
        {"crm_connection_id": crm, **{step: each.get(step, 0) for step in ("create", "withdraw", "change")}}
        for crm, each in sorted(row["counts"].items())
    ]
    return {**row, "counts": counts}
