"""Trying settings out before they are saved: how the tasks would differ. A route of `settings`."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import RAISE, Schema, fields

from integrations.records import TaskKind
from service import tryout
from service.api import settings as stored
from service.api import trial
from service.api.answers import Flag, Id, Number, Text, Texts, about, answer, choice
from service.api.auth import caller
from service.clock import business_now
from service.runtime import runtime
from service.store import keeping
from service.store.runs import LIMIT
from service.tryout import STEPS, Change, Diff

settings = stored.settings  # the noun, to which this module adds a route


class TryoutBody(Schema):
    """Settings to try."""

    class Meta:
        unknown = RAISE

    settings = trial.overrides(required=True)


class KindCountsSchema(Schema):
    """Tasks by kind."""

    unanswered = Number()
    ready_for_call = Number()


class StepCountsSchema(Schema):
    """What would happen to tasks."""

    create = fields.Nested(KindCountsSchema, required=True)
    withdraw = fields.Nested(KindCountsSchema, required=True)
    change = fields.Nested(KindCountsSchema, required=True)


class TryoutChangeSchema(Schema):
    """One task that would be there, be gone, or say something else."""

    step = choice(*STEPS)
    kind = choice(*TaskKind)
    task_id = Id(allow_none=True, metadata=about("null: there is no such task yet."))
    conversation_id = Id(allow_none=True)
    crm_connection_id = Id(allow_none=True)
    subject = Text()
    reasons = Texts(metadata=about("Why it would be there, or why no more."))
    fields_ = Texts(data_key="fields", metadata=about("Of a change: what would differ."))


class HeldBackSchema(Schema):
    """A CRM in which so much would change at once that somebody has to approve it first."""

    crm_connection_id = Id()
    changes = Number()


class ErasedTextsSchema(Schema):
    """Texts that would be erased within an hour of saving, for good."""

    posts = Number()
    tasks = Number(metadata=about("Closed ones, here; what stands in the CRM stays."))


class TryoutSchema(Schema):
    looked = Number(metadata=about("Conversations and relationships that were judged, the newest first."))
    total = Number(metadata=about("How many there are."))
    complete = Flag(metadata=about("false: there was no time for all of them, and the counts are of those looked at."))
    open_before = fields.Nested(KindCountsSchema, required=True, metadata=about("Under the settings that stand."))
    open_after = fields.Nested(KindCountsSchema, required=True, metadata=about("Under those that were tried."))
    counts = fields.Nested(StepCountsSchema, required=True)
    held_back = fields.List(
        fields.Nested(HeldBackSchema),
        required=True,
        metadata=about(f"CRMs in which more than {LIMIT} tasks would change at once: saved, it waits for approval."),
    )
    examples = fields.List(fields.Nested(TryoutChangeSchema), required=True)
    erases = fields.Nested(ErasedTextsSchema, required=True)


_EXAMPLE = {"requestBody": {"content": {"application/json": {"example": {"settings": {"patience": {"question": 60}}}}}}}


@settings.post("/tryout", body=TryoutBody, returns=TryoutSchema, doc=_EXAMPLE)
def try_out(_: dict[str, Any]) -> Response:
    """See how the tasks would differ under other settings; nothing is stored, no CRM is touched"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        tried = trial.chosen(session, who.workspace_id)
        erased = keeping.preview(session, who.workspace_id, tried.values)
    diff = tryout.tryout(runtime(), who.workspace_id, tried, now=business_now())
    return answer({**dump(diff), "erases": {"posts": erased.posts, "tasks": erased.tasks}})


def dump(diff: Diff) -> dict[str, Any]:
    """A diff as JSON."""
    return {
        "looked": diff.looked,
        "total": diff.total,
        "complete": diff.complete,
        "open_before": _kinds(diff.before),
        "open_after": _kinds(diff.after),
        "counts": {step: _kinds(diff.counts[step]) for step in STEPS},
        "held_back": [{"crm_connection_id": crm, "changes": diff.in_crm[crm]} for crm in diff.held_back],
        "examples": [_change(each) for each in diff.examples],
    }


def _kinds(counts: Any) -> dict[str, int]:
    return {kind.value: counts[kind.value] for kind in TaskKind}


def _change(each: Change) -> dict[str, Any]:
    return {
        "step": each.step, "kind": each.kind, "task_id": each.task_id, "conversation_id": each.conversation_id,
        "crm_connection_id": each.crm_connection_id, "subject": each.subject, "reasons": list(each.reasons), "fields": list(each.fields),
    }  # fmt: skip
