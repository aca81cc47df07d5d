"""Undoing a run of new rules: what they have left of each task is put back as it was remembered (`run_changes.remember`), and their rules stand
undone from then on. See ADR 0015."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import business_now, real_now
from service.db import raw
from service.models import Connection, Run
from service.store import due, runs
from service.store.rows import execute

UNDONE = "The change of the rules that made it was undone."

# What the rules have left of a task is put back; what a person closed stays closed, and so does what was answered: but for what only the
# rules of the run took for answered.
_OURS = "t.closed_by IN ('', 'rules') AND (t.wanted <> 'completed' OR (c.before->>'completes')::boolean)"
_CHANGED = "run_changes c JOIN tasks t ON t.workspace_id = %(w)s AND t.id = c.task_id WHERE c.workspace_id = %(w)s AND c.run_id = %(run)s"
_SINCE = "min(c.kept_at)"  # from when the oldest state is that is put back
_WAITS = f"c.before->>'wanted' = 'open' AND t.kind = 'unanswered' AND {_OURS}"
# Nobody's rules are asked again, but where something came since (see `Conversation.news_at`): what is put back does not know of it, and the
# rules that are undone may have decided it away meanwhile.
_LEAVE_CONVERSATIONS = f"""
UPDATE conversations d SET waiting_since = coalesce(p.waiting_since, d.waiting_since), reasons = coalesce(p.reasons, d.reasons),
       decide_at = CASE WHEN d.news_at > p.since THEN %(now)s::timestamptz END
FROM (SELECT t.conversation_id, {_SINCE} AS since, max(t.since) FILTER (WHERE {_WAITS}) AS waiting_since,
             (array_agg(c.before->'reasons') FILTER (WHERE {_WAITS}))[1] AS reasons FROM {_CHANGED} GROUP BY 1) p
WHERE d.workspace_id = %(w)s AND d.id = p.conversation_id AND d.decide_at IS DISTINCT FROM 'infinity'
"""  # noqa: S608 - our own words
_LEAVE_RELATIONSHIPS = f"""
UPDATE relationships d SET decide_at = CASE WHEN d.news_at > p.since OR EXISTS (
    SELECT 1 FROM conversations k WHERE k.workspace_id = %(w)s AND k.brand_id = d.brand_id AND k.news_at > p.since
    AND (k.author_id = d.author_id OR k.author_id IN (SELECT m.author_id FROM matches m WHERE m.workspace_id = %(w)s
         AND m.contact_id = d.contact_id AND m.state = 'confirmed'))) THEN %(now)s::timestamptz END
FROM (SELECT t.relationship_id, {_SINCE} AS since FROM {_CHANGED} GROUP BY 1) p
WHERE d.workspace_id = %(w)s AND d.id = p.relationship_id
"""  # noqa: S608 - our own words
# What the rules withdrew is gone from the CRM, but where a person had edited it: that was left to them, and stands there (`TaskRow.lingers`).
_BACK = "t.state = 'withdrawn' AND c.before->>'wanted' = 'open'"
_STANDS = "t.edited <> '[]' AND t.external_id IS NOT NULL"
_LEFT_TO_THEM, _MADE_ANEW = f"{_BACK} AND {_STANDS}", f"{_BACK} AND NOT ({_STANDS})"
# A CRM that is being left without a trace, or was, has a receipt, and is written to no more: what would stand open there again has no place for
# now. But for what is still to be ended there: that goes on, or nobody would end it. What is closed there keeps its place until the CRM is
# left (see `leaving.end`): should that be given up, it is opened again there.
_LEFT = "EXISTS (SELECT 1 FROM connections n WHERE n.workspace_id = %(w)s AND n.id = t.crm_connection_id AND n.receipt <> '{}')"
_LEAVING = _LEFT.replace("n.receipt <> '{}'", "n.status = 'leaving'")
_STILL_ENDS = f"t.state IN ('open', 'unknown') AND {_LEAVING}"
_NOWHERE = f"c.before->>'wanted' = 'open' AND {_LEFT} AND NOT (t.state = 'completed' AND {_LEAVING})"
_NO_PLACE = f"({_MADE_ANEW}) OR ({_NOWHERE})"
# `edited` names fields of the content: theirs are laid over what was before. What stood in the CRM is made there again at once: it was
# given out once, and no limit of the day keeps it out.
_PUT_BACK = f"""
UPDATE tasks t SET wanted = c.before->>'wanted', reasons = c.before->'reasons', urgency = (c.before->>'urgency')::integer,
       closed_by = c.before->>'closed_by', close_reason = c.before->>'close_reason',
       closed_at = CASE WHEN c.before->>'closed_by' <> '' THEN coalesce((c.before->>'closed_at')::timestamptz, t.closed_at, %(real)s) END,
       content = (c.before->'content') || coalesce((SELECT jsonb_object_agg(name, t.content->name) FROM jsonb_array_elements_text(t.edited) AS name
           WHERE t.content ? name), '{{}}'),
       external_id = CASE WHEN {_NO_PLACE} THEN NULL ELSE t.external_id END, edited = CASE WHEN {_NOWHERE} THEN '[]' ELSE t.edited END,
       state = CASE WHEN {_NO_PLACE} THEN 'absent' WHEN {_LEFT_TO_THEM} THEN 'open' ELSE t.state END,
       crm_connection_id = CASE WHEN {_NOWHERE} THEN NULL ELSE t.crm_connection_id END,
       held_reason = '', held_until = NULL, run_id = NULL, push_at = CASE WHEN {_NOWHERE} THEN NULL WHEN t.state IN ('open', 'unknown', 'completed')
           OR (t.state = 'withdrawn' AND c.before->>'wanted' = 'open' AND c.before->>'state' IN ('open', 'unknown')) THEN %(now)s END
FROM run_changes c WHERE c.workspace_id = %(w)s AND c.run_id = %(run)s AND t.workspace_id = %(w)s AND t.id = c.task_id
  AND c.before <> '{{}}' AND {_OURS} AND NOT ({_STILL_ENDS})
"""  # noqa: S608 - our own words
_TAKE_AWAY = """
UPDATE tasks t SET wanted = 'withdrawn', closed_by = 'rules', close_reason = %(why)s, closed_at = %(real)s, run_id = NULL, parked_at = NULL,
       held_reason = '', held_until = NULL, state = CASE WHEN t.state IN ('open', 'unknown') THEN t.state ELSE 'withdrawn' END,
       push_at = CASE WHEN t.state IN ('open', 'unknown') THEN %(now)s END
FROM run_changes c WHERE c.workspace_id = %(w)s AND c.run_id = %(run)s AND t.workspace_id = %(w)s AND t.id = c.task_id
  AND c.before = '{}' AND t.wanted = 'open'
"""
_HOLDS_NOTHING = "UPDATE tasks SET run_id = NULL WHERE workspace_id = %(w)s AND run_id = %(run)s"


def put_back(session: Session, workspace_id: UUID, run_id: UUID) -> None:
    """Tasks as they were before a run of new rules. What people edited in the CRM since stays theirs; what they closed stays closed,
    and so does what was answered. Nothing of it is decided again because of that, but where something came since."""
    params = {"w": workspace_id, "run": run_id, "why": UNDONE, "now": business_now(), "real": real_now()}
    for statement in (_LEAVE_CONVERSATIONS, _LEAVE_RELATIONSHIPS, _PUT_BACK, _TAKE_AWAY, _HOLDS_NOTHING):
        execute(raw(session), statement, params)
    crms = session.scalars(
        select(Connection.id).where(Connection.workspace_id == workspace_id, Connection.kind == "crm")
    )
    for crm in sorted(crms):
        due.push_soon(session, workspace_id, crm)


def stand_undone(session: Session, run: Run, *, settings_version: int, by: str) -> Run:
    """From here on the rules of `run` stand undone: what they alter of what stands now belongs to the run that begins here. Nothing
    is decided again because of it."""
    began = runs.begin(session, run.workspace_id, "undo", settings_version=settings_version, by=by)
    began.state, began.from_settings_version = "passed", settings_version
    session.flush()
    return began
