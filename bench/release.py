"""A bad release: rules that are wrong about a third of the people, whether they wait or should be called. How much of it reaches the CRM before somebody has looked, and how
long it takes until all is as it was, by the run's id, once it was let through."""

from __future__ import annotations

import time
import zlib
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from bench import corpus, network, work
from bench.figures import Figure
from bench.place import Place, environment, member, place, sandbox
from bench.scale import Scale
from bench.worker import apart
from service import judging
from service.clock import standing_still
from service.db import raw
from service.demo.sandbox import Load
from service.rules import model
from service.rules.model import Conversation, History, Verdict
from service.rules.readiness import ready_for_call
from service.rules.unanswered import unanswered
from service.runtime import Runtime
from service.store import deciding, due, ruling, runs, tasks
from workers import decide, jobs, push

WRONG = 0.3  # of the people, and so of the verdicts
WITHIN = 600.0  # seconds: the goal is ten minutes
EDITED = 20  # tasks that people have reworded in the CRM
_SILENT = Verdict(None, ("Nothing is open.",))
_STANDING = "SELECT id, wanted, state, content->>'subject', written->>'subject' FROM tasks WHERE workspace_id = %s AND external_id IS NOT NULL ORDER BY id"


def measure(scale: Scale) -> list[Figure]:
    """With a CRM that answers in the wire format of a real one."""
    with place() as here, sandbox(here.home) as crm:
        held = Runtime(here.database("release"))
        crm.load(Load(owners=[{"id": "71", "email": "olga@acme.test", "first_name": "Olga", "last_name": "Berg"}]))
        who = member(held)
        connection = network.connect_all(held, who, crm, Load())["crm"][0]
        held.db.engine.dispose()
        _fill(here, who.workspace_id, connection, scale.released)
        told: dict[str, Any] = apart(
            released, environment(held.config), workspace=str(who.workspace_id), connection=str(connection)
        ).result
        standing = crm.counts()["open_tasks"]
    if not told["as_before"] or standing != told["tasks"]:
        raise RuntimeError(f"not all is as it was: {standing} tasks stand in the CRM, {told}")
    size = (
        f"{told['tasks']:,} tasks in the CRM, rules that find {told['wrong']:,} of them without reason; approved, {told['edited']} of the others"
        " reworded there by people, then undone, all by one process"
    )
    return [
        Figure("release: written before anybody has looked", told["written"], "tasks", size, of="value", at_most=runs.LIMIT),
        Figure("release: undone", told["seconds"], "s", size, of="value", at_most=WITHIN),
    ]  # fmt: skip


def _fill(here: Place, workspace_id: UUID, crm: UUID, number: int) -> None:
    """People who wait, each with one question that was never answered, due to be decided."""
    with here.admin("release") as admin:
        corpus.fill(admin, corpus.shop(admin, workspace_id, crm), number)


# --- what is timed, in a process of its own -------------------------------------------------------------------


def released(workspace: str, connection: str) -> dict[str, Any]:
    """Decides and pushes under good rules, then under bad ones; approves, undoes, and compares."""
    jobs.preload()
    workspace_id, held = UUID(workspace), work.runtime()
    with standing_still(corpus.NOW):
        for _ in range(2):  # what the first decision says of a person may change what a second one says of their talks
            with held.db.tenant(workspace_id) as session:
                due.decide_everything(session, workspace_id)
            _all_of_it()
        good = _standing(held, workspace_id)
        _release()
        with held.db.tenant(workspace_id) as session:  # something is said, and the workspace is decided
            due.decide_soon(session, workspace_id)
        _all_of_it()
        said = {row[:1] + row[2:3] + row[4:] for row in good}  # of each task, what the CRM has heard
        written = len({row[:1] + row[2:3] + row[4:] for row in _standing(held, workspace_id)} - said)
        run, wrong = _run(held, workspace_id)
        _act(held, "approve_run", workspace_id, run)
        _all_of_it()
        edited = _edit(held, workspace_id)
        begun = time.perf_counter()
        _act(held, "undo_run", workspace_id, run)
        _all_of_it()
        seconds = time.perf_counter() - begun
        found = _standing(held, workspace_id)
    theirs = {row[0]: row[3] for row in found if row[0] in edited}
    return {
        "tasks": len(good), "wrong": wrong, "written": written, "edited": len(edited), "seconds": seconds,
        "as_before": all(row[1:3] == ("open", "open") for row in found) and theirs == edited,
    }  # fmt: skip


def _all_of_it() -> None:
    """Decides and pushes until nothing is due."""
    ways = {"decide": decide.decide, "push": push.push}
    while found := [each for job in ways for each in work.claim(job)]:
        for each in found:
            ways[each.job](work.runtime(), *each.ids)


def _standing(held: Runtime, workspace_id: UUID) -> list[tuple[Any, ...]]:
    with held.db.tenant(workspace_id) as session:
        return raw(session).execute(_STANDING, [workspace_id]).fetchall()


def _release() -> None:
    """A version whose rules are newer, and wrong about the same people every time."""

    def waits(conversation: Conversation, **more: Any) -> Verdict:
        return _SILENT if _is_wrong(conversation.author_id) else unanswered(conversation, **more)

    def call(history: History, **more: Any) -> Verdict:
        theirs = next((post.author_id for post in history.posts if not post.ours), "")
        return _SILENT if _is_wrong(theirs) else ready_for_call(history, **more)

    newer = model.RULES_VERSION + 1
    for module in (model, runs, deciding, tasks):
        module.RULES_VERSION = newer  # type: ignore[attr-defined]
    judging.unanswered, judging.ready_for_call = waits, call  # type: ignore[attr-defined]


def _is_wrong(author_id: str) -> bool:
    return zlib.crc32(author_id.encode()) % 100 < WRONG * 100


def _run(held: Runtime, workspace_id: UUID) -> tuple[UUID, int]:
    with held.db.tenant(workspace_id) as session:
        run = runs.latest(session, workspace_id)
        if run is None or (run.kind, run.state) != ("rules", "held"):
            raise RuntimeError(f"the bad rules were not stopped: {run and (run.kind, run.state, run.counts)}")
        return run.id, sum(sum(each.values()) for each in run.counts.values())


def _act(held: Runtime, name: str, workspace_id: UUID, run: UUID) -> None:
    with held.db.tenant(workspace_id) as session:
        getattr(ruling, name)(session, workspace_id, run, by="bench")


def _edit(held: Runtime, workspace_id: UUID) -> dict[UUID, str]:
    """As reconcile leaves tasks whose subject people have changed in the CRM. Returns what they wrote, by task."""
    with held.db.tenant(workspace_id) as session:
        rows = raw(session).execute(
            "UPDATE tasks SET content = content || %s, written = written || %s, edited = '[\"subject\"]' WHERE id IN (SELECT id FROM tasks"
            " WHERE workspace_id = %s AND wanted = 'open' AND state = 'open' ORDER BY id LIMIT %s) RETURNING id, content->>'subject'",
            [Jsonb({"subject": "Mine now"}), Jsonb({"subject": "Mine now"}), workspace_id, EDITED],
        )
        return dict(rows.fetchall())
