"""Runs and the breaker: what one change of settings or rules alters is held back while it is counted, and stays held where
it is more than a person would want to happen unseen.

Only what had been decided before belongs to a run; what was said since goes its usual way. A change that comes while
another one is undecided joins it: the count is always against what stands in the CRM.

Rules that were undone go on judging until others are installed. The run that their undo begins (kind "undo", from the rules of
before to theirs) holds what they alter of all that stood then, and counts it together, whenever and for whatever reason it is
decided again; so does a change of settings that comes after it. See `service.store.undoing` and ADR 0015.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from service import settings
from service.clock import business_now, real_now
from service.db import raw
from service.ids import new_id
from service.models import Run
from service.rules.model import RULES_VERSION
from service.store import due, locks, run_changes
from service.store.locks import Lock
from service.store.rows import execute

LIMIT = 50  # tasks in one CRM that one change may alter without being asked (the design's number)
HELD = "A change of settings or rules would alter many tasks at once. It waits until somebody approves it."
UNDECIDED = ("deciding", "held")
Table = Literal["conversations", "relationships"]


def alone(session: Session, workspace_id: UUID) -> None:
    """For the rest of the transaction nobody else decides here by settings and a run that may be others at its end, or begins or closes a
    run. First of all that a transaction locks (then authors, conversations and so on, see `service.store.acting`): whoever has it waits
    for rows, and nobody who has rows waits for it."""
    locks.alone(raw(session), workspace_id, Lock.RUNS)


def beside(session: Session, workspace_id: UUID) -> None:
    """For the rest of the transaction the settings and the newest run stay what they are: ask for both after this. Batches have it side by
    side. To be taken before what is decided is locked, as `alone` is. (Not the newest run's row: whoever wants that alone would wait as
    long as batches follow each other side by side. Here those that come later stand behind.)"""
    locks.beside(raw(session), workspace_id, Lock.RUNS)


def begin(session: Session, workspace_id: UUID, kind: str, *, settings_version: int, by: str) -> Run:
    """A run from now on. What an undecided one holds joins it, and so does what undone rules have altered. The rules are others
    only for kinds "first" and "rules": a process that serves pages may be of another version than the workers. Batches that are being
    decided are waited for (see `alone`), so that what they hold is taken over too."""
    alone(session, workspace_id)
    newest = latest(session, workspace_id)
    undecided = newest is not None and newest.state in UNDECIDED
    joined = newest if newest is not None and (undecided or undone_since(session, newest) is not None) else None
    rules = RULES_VERSION if newest is None or kind == "rules" else newest.rules_version
    run = Run(
        workspace_id=workspace_id, id=new_id(), kind=kind, state="deciding", settings_version=settings_version, rules_version=rules,
        from_settings_version=settings_version - 1, from_rules_version=rules, started_by=by, counts={},
    )  # fmt: skip
    if newest is not None:
        run.from_settings_version = newest.from_settings_version if undecided else newest.settings_version
        undone = joined is not None or newest.state == "undone"
        run.from_rules_version = newest.from_rules_version if undone else newest.rules_version
    session.add(run)
    session.flush()
    if joined is not None:
        _take_over(session, joined, run)
    # Only the newest run can be undone: what was kept for older ones, texts among it, has served its time.
    execute(
        raw(session), "DELETE FROM run_changes WHERE workspace_id = %(w)s AND run_id <> %(new)s", {"w": workspace_id, "new": run.id}
    )  # fmt: skip
    return run


def _take_over(session: Session, old: Run, run: Run) -> None:
    old.state = "superseded"
    session.flush()
    params = {"w": run.workspace_id, "old": old.id, "new": run.id}
    for table in ("run_changes", "tasks"):
        execute(
            raw(session),
            f"UPDATE {table} SET run_id = %(new)s WHERE workspace_id = %(w)s AND run_id = %(old)s",  # noqa: S608 - names of our own tables
            params,
        )


_UNDONE_SINCE = """
SELECT u.id FROM runs u WHERE u.workspace_id = %(w)s AND u.kind = 'undo' AND u.rules_version = %(rules)s AND u.from_rules_version <> u.rules_version
  AND NOT EXISTS (SELECT 1 FROM runs l WHERE l.workspace_id = %(w)s AND l.id >= u.id AND (l.state = 'approved' OR l.rules_version <> u.rules_version))
ORDER BY u.id DESC LIMIT 1
"""


def undone_since(session: Session, newest: Run) -> UUID | None:
    """The run since which the rules stand undone: nobody has approved anything of them since, and no others came. None: they do not."""
    if newest.from_rules_version == newest.rules_version:
        return None
    rows = execute(raw(session), _UNDONE_SINCE, {"w": newest.workspace_id, "rules": newest.rules_version})
    return rows[0][0] if rows else None


# Built once: each batch of decisions asks for it.
_LATEST = (
    select(Run)
    .where(Run.workspace_id == bindparam("w"))
    .order_by(Run.id.desc())
    .limit(1)
    .execution_options(populate_existing=True)
)


def latest(session: Session, workspace_id: UUID) -> Run | None:
    """The newest run, as it is now: others may have changed it since it was read in this transaction."""
    return session.scalars(_LATEST, {"w": workspace_id}).one_or_none()


class NewerAtWorkError(Exception):
    """Workers with newer rules have taken this workspace over, and are at work."""


def notice_rules(session: Session, workspace_id: UUID, *, at_work: Callable[[int], bool] = lambda _: False) -> bool:
    """Begins a run where this program's rules are others than those of the last one, and makes every decision due again. Whether it
    did. So whoever decides has the rules of the run. Raises NewerAtWorkError where the last one's are newer and `at_work` says that
    somebody decides by them: two versions beside each other do not take turns. Once nobody does, a version before goes on as any other."""
    if not _are_others(latest(session, workspace_id), at_work):
        return False
    alone(session, workspace_id)
    newest = latest(session, workspace_id)
    if not _are_others(newest, at_work):
        return False
    version = settings.current(session, workspace_id).version
    if newest is None:
        first = begin(session, workspace_id, "first", settings_version=version, by="system")
        first.state, first.from_settings_version = "passed", version
        session.flush()
    else:
        begin(session, workspace_id, "rules", settings_version=version, by="system")
        due.decide_everything(session, workspace_id)
    return True


def _are_others(newest: Run | None, at_work: Callable[[int], bool]) -> bool:
    """Whether a run by our rules has to begin. Raises NewerAtWorkError where that is not for us."""
    if newest is not None and newest.rules_version > RULES_VERSION and at_work(newest.rules_version):
        raise NewerAtWorkError
    return newest is None or newest.rules_version != RULES_VERSION


@dataclass(frozen=True)
class Part:
    """Which of the conversations or relationships that are being decided belong to a run, and when each was decided before (business time)."""

    run: Run
    decided: Mapping[UUID, datetime | None]


def part_of(
    session: Session, workspace_id: UUID, table: Table, ids: Sequence[UUID], settings_version: int
) -> Part | None:
    """Those of `ids` that were decided before under other settings or rules, where a run is being decided under
    `settings_version`; and all that stood when these rules were undone. Asked before the new verdicts are stored, by a transaction that
    has been `beside` others since before it asked for the settings."""
    run = latest(session, workspace_id)
    if run is None or run.settings_version != settings_version:
        return None
    undone, undecided = undone_since(session, run), run.state in UNDECIDED
    if undone is None and not undecided:
        return None
    rows = execute(
        raw(session),
        f"SELECT id, decided_at FROM {table} WHERE workspace_id = %(w)s AND id = ANY(%(ids)s) AND rules_version IS NOT NULL"  # noqa: S608
        " AND (id < %(undone)s::uuid OR (%(undecided)s AND (settings_version < %(settings)s OR rules_version <> %(rules)s)))",
        {
            "w": workspace_id, "ids": list(ids), "settings": run.settings_version, "rules": run.rules_version, "undone": undone,
            "undecided": undecided,
        },
    )  # fmt: skip
    return Part(run, dict(rows)) if rows else None


# --- counting -------------------------------------------------------------------------------------------------


def settle(session: Session, workspace_id: UUID) -> bool:
    """All that a run has to decide is decided: lets go of what it altered, CRM by CRM, unless that is too much at once. Whether there was
    such a run."""
    beside(session, workspace_id)
    run = latest(session, workspace_id)
    if run is None or not _has_to_settle(session, run):
        return False
    _adopt(session, run)
    counts: dict[UUID, Counter[str]] = {}
    for each in run_changes.altered(session, workspace_id, run.id):
        if each.step is not None and each.counts and each.crm is not None:
            counts.setdefault(each.crm, Counter())[each.step] += 1
    by_hand = run.kind == "undo" and run.from_rules_version == run.rules_version  # a person has asked for just that
    held = [] if by_hand else [crm for crm, each in counts.items() if each.total() > LIMIT]
    run.counts = {str(crm): dict(each) for crm, each in counts.items()}
    run.state = "held" if held else "passed"
    session.flush()
    release(session, workspace_id, run.id, but=held)
    execute(
        raw(session),
        "UPDATE tasks SET held_reason = %(why)s, held_until = NULL WHERE workspace_id = %(w)s AND run_id = %(run)s AND wanted = 'open'",
        {"w": workspace_id, "run": run.id, "why": HELD},
    )
    return True


def _has_to_settle(session: Session, run: Run) -> bool:
    """Whether a run that is being decided has come to its end, or rules that were undone have altered something since, or tasks are held
    for a run that is not the newest any more."""
    if run.state == "deciding":
        return not _is_outstanding(session, run)
    if _holds(session, run, "<"):
        return True
    return run.state == "passed" and undone_since(session, run) is not None and _holds(session, run, "=")


def _holds(session: Session, run: Run, which: Literal["<", "="]) -> bool:
    found = f"SELECT 1 FROM tasks WHERE workspace_id = %(w)s AND run_id {which} %(run)s LIMIT 1"  # noqa: S608 - our own words
    return bool(execute(raw(session), found, {"w": run.workspace_id, "run": run.id}))


# Ids of runs ascend. What stood first is what is counted against, so it is what is kept.
_ADOPT = (
    (
        "INSERT INTO run_changes (workspace_id, run_id, task_id, before, kept_at)"
        " SELECT DISTINCT ON (task_id) workspace_id, %(run)s, task_id, before, kept_at"
        " FROM run_changes WHERE workspace_id = %(w)s AND run_id < %(run)s ORDER BY task_id, run_id"
        " ON CONFLICT (workspace_id, run_id, task_id) DO UPDATE SET before = excluded.before, kept_at = excluded.kept_at"
    ),
    "DELETE FROM run_changes WHERE workspace_id = %(w)s AND run_id < %(run)s",
    "UPDATE tasks SET run_id = %(run)s WHERE workspace_id = %(w)s AND run_id < %(run)s",
)


def _adopt(session: Session, run: Run) -> None:
    """What is held for runs before this one is this one's. There is none, but where a worker of a version that did not wait (see `beside`)
    has decided something while the next run began: nobody would ever let go of it."""
    for statement in _ADOPT:
        execute(raw(session), statement, {"w": run.workspace_id, "run": run.id})


_OUTSTANDING = (
    "workspace_id = %(w)s AND (rules_version <> %(rules)s OR (rules_version IS NOT NULL AND settings_version < %(settings)s))"
    " AND decide_at IS DISTINCT FROM 'infinity'"
)


def _is_outstanding(session: Session, run: Run) -> bool:
    """Whether anything still stands as other rules than the run's, or settings of before, have left it: then the run is not decided yet,
    though nobody has found it due. (Somebody may have it locked, say who pauses its account.) It is due from now on."""
    params = {
        "w": run.workspace_id,
        "rules": run.rules_version,
        "settings": run.settings_version,
        "now": business_now(),
    }
    found = False
    for table in ("conversations", "relationships"):
        if execute(raw(session), f"SELECT 1 FROM {table} WHERE {_OUTSTANDING} LIMIT 1", params):  # noqa: S608 - names of our own tables
            found = True
            # What is due already is left alone: nobody waits for whoever has it locked.
            make_due = f"UPDATE {table} SET decide_at = %(now)s WHERE {_OUTSTANDING} AND (decide_at IS NULL OR decide_at > %(now)s)"  # noqa: S608
            execute(raw(session), make_due, params)
    return found


def release(session: Session, workspace_id: UUID, run_id: UUID, *, but: Iterable[UUID] = ()) -> None:
    """Lets go of what a run holds, but for these CRMs: what stands in a CRM is pushed, the rest may be given out."""
    rows = execute(
        raw(session),
        "UPDATE tasks SET run_id = NULL, ripe_at = NULL, held_reason = CASE WHEN held_reason = %(why)s THEN '' ELSE held_reason END,"
        " push_at = CASE WHEN state IN ('open', 'unknown') THEN %(now)s WHEN state = 'completed' AND wanted = 'open' THEN %(now)s ELSE push_at END"
        " WHERE workspace_id = %(w)s AND run_id = %(run)s AND coalesce(crm_connection_id <> ALL(%(but)s), true) RETURNING crm_connection_id",
        {"w": workspace_id, "run": run_id, "but": list(but), "why": HELD, "now": business_now()},
    )
    for crm in sorted({row[0] for row in rows if row[0] is not None}):
        due.push_soon(session, workspace_id, crm)
    if rows:
        due.decide_soon(session, workspace_id)


# --- what a person decides ------------------------------------------------------------------------------------


def get(session: Session, workspace_id: UUID, run_id: UUID) -> Run | None:
    """A run as it is now, and `alone` with it until the end of the transaction."""
    alone(session, workspace_id)
    found = select(Run).where(Run.workspace_id == workspace_id, Run.id == run_id)
    return session.scalars(found.execution_options(populate_existing=True)).one_or_none()


def close(session: Session, run: Run, state: str, by: str, at: datetime | None = None) -> None:
    """Notes who approved or undid a run."""
    run.state, run.decided_by, run.decided_at = state, by, at or real_now()
    session.flush()
