"""Tasks that quote posts which are gone at their source, say something else there, or can no longer be followed: the quotes go too, also
where a task is long closed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from service.clock import business_now
from service.db import raw
from service.rules.redaction import GONE, LAPSED, redact
from service.store import due
from service.store.rows import execute, packed, records

_TASKS = """
WITH talks AS (
    SELECT c.id, c.author_id FROM conversations c WHERE c.workspace_id = %(w)s AND c.brand_id = %(brand)s AND c.thread = ANY(%(threads)s)
), about AS (
    SELECT t.id FROM tasks t WHERE t.workspace_id = %(w)s AND t.conversation_id = ANY(ARRAY(SELECT id FROM talks))
    UNION SELECT q.task_id FROM task_authors q WHERE q.workspace_id = %(w)s AND q.author_id = ANY(ARRAY(SELECT author_id FROM talks))
)
SELECT t.id, t.content, t.written, t.state IN ('open', 'unknown', 'completed'), t.external_id IS NOT NULL AND (t.state = 'completed' OR (
       t.state = 'open' AND EXISTS (SELECT 1 FROM connections n WHERE n.workspace_id = %(w)s AND n.id = t.crm_connection_id AND n.brand_id <> t.brand_id))),
       t.crm_connection_id, EXISTS (SELECT 1 FROM connections n WHERE n.workspace_id = %(w)s AND n.id = t.crm_connection_id AND n.status = 'disconnected')
FROM tasks t WHERE t.workspace_id = %(w)s AND t.id = ANY(ARRAY(SELECT id FROM about)) AND t.brand_id = %(brand)s AND NOT t.edited ? 'body' ORDER BY t.id FOR UPDATE
"""
# Of these threads, those of whose people any task may quote something.
_QUOTED = """
SELECT DISTINCT c.thread FROM conversations c WHERE c.workspace_id = %(w)s AND c.brand_id = %(brand)s AND c.thread = ANY(%(threads)s) AND (
    EXISTS (SELECT 1 FROM tasks t WHERE t.workspace_id = %(w)s AND t.conversation_id = c.id AND t.erased_at IS NULL)
    OR EXISTS (SELECT 1 FROM task_authors q JOIN tasks t ON t.workspace_id = %(w)s AND t.id = q.task_id AND t.erased_at IS NULL
        WHERE q.workspace_id = %(w)s AND q.author_id = c.author_id AND t.brand_id = c.brand_id))
"""
_REDACTED = {"id": "uuid", "content": "jsonb", "written": "jsonb", "push": "boolean"}
_SAVE = (
    "UPDATE tasks t SET content = new.content, written = new.written, redacted = true,"  # noqa: S608 - names of our own columns
    " push_at = CASE WHEN new.push THEN %(now)s ELSE t.push_at END"
    f" FROM {records(_REDACTED)} WHERE t.workspace_id = %(w)s AND t.id = new.id"
)


def redact_tasks(
    session: Session,
    workspace_id: UUID,
    brand_id: UUID,
    threads: Sequence[str],
    texts: Sequence[str],
    *,
    mark: str = GONE,
) -> int:
    """Takes what tasks of these threads' people quote of these texts out of them: here at once, and in the CRM where the
    task is closed there, or the CRM serves another brand by now. (Another that is open there is written anew when its conversation is
    decided; a text that somebody has made theirs in the CRM is left to them.) `mark` stands in each quote's place. Returns how many tasks quoted them."""
    found = execute(raw(session), _TASKS, {"w": workspace_id, "brand": brand_id, "threads": list(threads)})
    changed, crms = [], set()
    for id_, content, written, stands, left_alone, crm, left in found:
        body = str(content.get("body") or "")
        clean = redact(body, texts, mark)
        if clean == body:
            continue
        # What stands in the CRM is known by what was written: the difference is pushed, and nobody's edit is read out of it.
        kept = written if stands else {**written, "body": redact(str(written.get("body") or ""), texts, mark)}
        if left:  # nobody knows when, or whether, it can be said there: until then no word of it stands here either
            kept = {name: value for name, value in written.items() if name != "body"}
        changed.append((id_, {**content, "body": clean}, kept, left_alone))
        if left_alone and crm is not None:
            crms.add(crm)
    _redact_remembered(session, workspace_id, [row[0] for row in found], texts, mark)
    if changed:
        execute(raw(session), _SAVE, {"w": workspace_id, "now": business_now(), **packed(_REDACTED, changed)})
    for crm in sorted(crms):
        due.push_soon(session, workspace_id, crm)
    return len(changed)


def redact_lapsed(session: Session, workspace_id: UUID, posts: Iterable[tuple[UUID, str, str]]) -> None:
    """As `redact_tasks`, of posts (brand, thread, text) that are kept no longer and so are not followed any more."""
    texts: dict[UUID, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for brand_id, thread, text in posts:
        texts[brand_id][thread].append(text)
    for brand_id, threads in sorted(texts.items()):
        params = {"w": workspace_id, "brand": brand_id, "threads": list(threads)}
        for (thread,) in sorted(execute(raw(session), _QUOTED, params)):
            redact_tasks(session, workspace_id, brand_id, [thread], threads[thread], mark=LAPSED)


def _redact_remembered(
    session: Session, workspace_id: UUID, task_ids: Sequence[UUID], texts: Sequence[str], mark: str
) -> None:
    """What is kept so that a run can be undone holds the same quotes."""
    rows = execute(
        raw(session),
        "SELECT run_id, task_id, before FROM run_changes WHERE workspace_id = %(w)s AND task_id = ANY(%(ids)s) FOR UPDATE",
        {"w": workspace_id, "ids": list(task_ids)},
    )
    for run_id, task_id, before in rows:
        body = str((before.get("content") or {}).get("body") or "")
        clean = redact(body, texts, mark)
        if clean != body:
            execute(
                raw(session),
                "UPDATE run_changes SET before = jsonb_set(before, '{content,body}', to_jsonb(%(body)s::text))"
                " WHERE workspace_id = %(w)s AND run_id = %(run)s AND task_id = %(task)s",
                {"w": workspace_id, "run": run_id, "task": task_id, "body": clean},
            )
