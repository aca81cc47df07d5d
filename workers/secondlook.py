"""A second look at waits: the rules once more over conversations that nothing is due about, to see whether a task was missed.

It is one part of comparing (see `workers.compare`). It decides nothing: what it finds is made due, and decided as anything else is.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.registry import providers
from service import judging, settings
from service.clock import business_now
from service.drafting import Desk, changes, keys_of
from service.models import Connection
from service.runtime import Runtime
from service.store import comparing, deciding, due, people, tasks
from service.tryout import judge

SETTLES = timedelta(minutes=10)
LOOKS_BACK = timedelta(days=7)
SOME = 20  # conversations of either sort


def missing(runtime: Runtime, connection: Connection, again: Collection[UUID]) -> set[UUID]:
    """Conversations of this network in which somebody waits by the rules, of which there is no task in any state and nothing is due: they
    are due now. Those to look at `again` are among those that are looked at."""

    def work(session: Session) -> set[UUID]:
        found = _missing(session, runtime, connection, again)
        if found:
            due.decide_conversations(session, connection.workspace_id, conversation_ids=sorted(found))
            due.decide_soon(session, connection.workspace_id)
        return found

    return runtime.db.retried(connection.workspace_id, work)


def _missing(session: Session, runtime: Runtime, connection: Connection, again: Collection[UUID]) -> set[UUID]:
    workspace_id, now = connection.workspace_id, business_now()
    ids = comparing.conversations(
        session, connection, SOME, settled=now - SETTLES, since=now - LOOKS_BACK, now=now, again=again
    )
    found = deciding.these_conversations(session, workspace_id, ids) if ids else []
    if not found:
        return set()
    row = settings.current(session, workspace_id)
    directory = people.directory(session, workspace_id)
    desk = Desk(runtime.config, workspace_id, directory, settings.policy(row), row.values["text_mode"], now)
    names = {key: each.name for key, each in providers().items()}
    judged = judge(judging.conversations(session, workspace_id, found, names), desk)
    keys = keys_of(judged)
    existing = tasks.standing(session, workspace_id, "conversation_id", [each.id for each in found], keys, lock=False)
    # A task in whatever state was somebody's decision, or is one that is held. (Before `changes`, which alters them.)
    known, told = {task.key for task in existing}, {task.conversation_id for task in existing if task.wanted == "open"}
    changed, _ = changes(desk, judged, existing, keys)
    new = [task for task in changed if task.key not in known]
    return {task.conversation_id for task in new if task.conversation_id and task.conversation_id not in told}
