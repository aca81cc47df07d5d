"""Leaving a CRM without a trace: its open tasks are withdrawn like any others, and a receipt says what came of each thing."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from service.clock import business_now, real_now
from service.db import raw
from service.models import Connection
from service.store import acting, due, runs, walls
from service.store.rows import execute
from service.store.tasks import LINGERS

# A task that ends like this was not judged: once the CRM is left, the rules may want it again, elsewhere.
REASON = "Warmline is leaving this CRM."
# What the rules had withdrawn before that, and stood there still: where leaving is given up it ends as it was to, and is not opened again.
ENDS = "Warmline is leaving this CRM, and it had lost its reason."
UNDER_WAY = "under way"
_THEIRS = "(external_id IS NOT NULL AND jsonb_array_length(edited) > 0)"  # a person made it theirs
_STANDS = "(state IN ('open', 'unknown') OR external_id IS NOT NULL OR maybe_sent_at IS NOT NULL)"
_STANDS_OPEN = "state IN ('open', 'unknown')"  # as far as anybody knows
# What is to go: what is open, and what stands there though the rules have withdrawn it, or would end it if the run that holds it were let through.
_TO_GO = f"((wanted = 'open' AND state <> 'completed' AND {_STANDS}) OR (run_id IS NOT NULL AND {_STANDS_OPEN}) OR {LINGERS})"

# What a run had held here, and nobody has decided on yet, waits for that as before. One that is held for other CRMs has let go of what it
# altered here (see `runs.settle`).
_HOLD_AGAIN = f"""
UPDATE tasks t SET run_id = r.id, push_at = NULL, parked_at = NULL, detail = ''
FROM run_changes c JOIN runs r ON r.workspace_id = c.workspace_id AND r.id = c.run_id AND r.state = ANY(%(undecided)s)
WHERE t.workspace_id = %(w)s AND c.workspace_id = %(w)s AND c.task_id = t.id AND t.crm_connection_id = %(c)s
  AND t.close_reason = %(reason)s AND t.{_STANDS_OPEN}
  AND (r.state = 'deciding' OR (SELECT sum(n::integer) FROM jsonb_each_text(r.counts->(%(c)s::uuid)::text) AS steps(step, n)) > %(limit)s)
"""  # noqa: S608 - our own words
# What differs there is said, as it may not have been said before the CRM was left; that it would not be withdrawn is no refusal any more.
_OPEN_AGAIN = f"""
UPDATE tasks SET wanted = 'open', closed_by = '', closed_at = NULL, close_reason = '', push_at = %(now)s, parked_at = NULL, detail = ''
WHERE workspace_id = %(w)s AND crm_connection_id = %(c)s AND close_reason = %(reason)s AND run_id IS NULL AND erased_at IS NULL AND {_STANDS_OPEN}
"""  # noqa: S608 - our own words
# What is wanted open, and is closed there or was never made: it goes to another CRM.
_LET_GO = """
UPDATE tasks SET state = 'absent', external_id = NULL, edited = '[]', crm_connection_id = NULL, push_at = NULL
WHERE workspace_id = %(w)s AND crm_connection_id = %(c)s AND wanted = 'open' AND state NOT IN ('open', 'unknown')
"""


def begin(session: Session, row: Connection, *, by: str) -> None:
    """From now on nothing is read from this CRM and nothing new is sent there; what is open there is withdrawn. Safe to repeat."""
    where = {"w": row.workspace_id, "c": row.id}
    execute(
        raw(session),
        "UPDATE tasks SET wanted = 'withdrawn', closed_by = %(by)s, closed_at = %(real)s, held_reason = '',"  # noqa: S608 - our own words
        f" close_reason = CASE WHEN run_id IS NULL AND {LINGERS} THEN %(ends)s ELSE %(reason)s END,"
        " held_until = NULL, run_id = NULL, parked_at = NULL, push_at = %(now)s WHERE workspace_id = %(w)s AND crm_connection_id = %(c)s"
        f" AND {_TO_GO}",
        {**where, "by": by, "real": real_now(), "reason": REASON, "ends": ENDS, "now": business_now()},
    )
    # What is not there yet goes to another CRM, if there is one, or waits for one. What is closed there, and wanted open again, does so once
    # this one is left.
    execute(
        raw(session),
        "UPDATE tasks SET push_at = NULL WHERE workspace_id = %(w)s AND crm_connection_id = %(c)s AND wanted = 'open' AND state <> 'completed'",
        where,
    )
    if row.status != "leaving":
        row.status, row.status_reason, row.status_at = "leaving", "", real_now()
        row.receipt = {"by": by, "begun_at": real_now().isoformat(), "state": UNDER_WAY, "lines": []}
        acting.audit(session, row.workspace_id, by, "connection.leaving", "connection", row.id)
    session.flush()
    due.push_soon(session, row.workspace_id, row.id)
    due.decide_everything(session, row.workspace_id)


def nothing_is_left(session: Session, row: Connection) -> bool:
    """Whether everything that is to be said to this CRM, and may be (see `pushing.take`), has been said."""
    waiting = execute(
        raw(session),
        f"SELECT 1 FROM tasks WHERE workspace_id = %(w)s AND crm_connection_id = %(c)s AND push_at IS NOT NULL AND wanted <> 'open' AND {walls.SPEAKS} LIMIT 1",  # noqa: S608 - our own words
        {"w": row.workspace_id, "c": row.id, "only": row.brand_id},
    )
    return not waiting


def tasks_in_words(session: Session, row: Connection) -> list[str]:
    """What became of the tasks, in sentences."""
    counts = _counts(session, row.workspace_id, row.id)
    sentences = (
        ("withdrawn", "{n} open {tasks} withdrawn."),
        (
            "theirs",
            "{n} {tasks} left, because people had changed what stands there: delete by hand what is not wanted.",
        ),
        ("refused", "{n} open {tasks} left, because the CRM refused to withdraw what stands there: delete it by hand."),
        ("done", "{n} closed {tasks} left as your history."),
    )
    lines = [
        words.format(n=n, tasks="task was" if n == 1 else "tasks were")
        for key, words in sentences
        if (n := counts[key])
    ]
    return lines or ["No task of ours stood there."]


def _counts(session: Session, workspace_id: UUID, connection_id: UUID) -> dict[str, int]:
    """By what stands there, whoever was to end it and why; only what was withdrawn is counted by whose doing it was, and
    not what was withdrawn when this CRM was left before: the rules have that since (`_release`)."""
    [row] = execute(
        raw(session),
        f"SELECT count(*) FILTER (WHERE close_reason = ANY(%(reasons)s) AND closed_by <> 'rules' AND state = 'withdrawn' AND external_id IS NOT NULL AND NOT {_THEIRS}),"  # noqa: S608 - our own words
        f" count(*) FILTER (WHERE wanted = 'withdrawn' AND state <> 'completed' AND closed_by <> 'crm' AND {_THEIRS}),"
        f" count(*) FILTER (WHERE {_STANDS_OPEN} AND NOT (wanted = 'withdrawn' AND {_THEIRS})),"
        " count(*) FILTER (WHERE state = 'completed' AND external_id IS NOT NULL)"
        " FROM tasks WHERE workspace_id = %(w)s AND crm_connection_id = %(c)s",
        {"w": workspace_id, "c": connection_id, "reasons": [REASON, ENDS]},
    )
    return dict(zip(("withdrawn", "theirs", "refused", "done"), row, strict=True))


def end(session: Session, row: Connection, lines: Sequence[str], *, by: str) -> None:
    """It is left. What the rules want still may be wanted elsewhere."""
    row.receipt = {"by": by, **row.receipt, "state": "done", "ended_at": real_now().isoformat(), "lines": list(lines)}
    row.push_lease_id = row.push_lease_until = (
        None  # whoever has it is done: a CRM that is connected again waits for nobody
    )
    session.flush()
    execute(raw(session), _LET_GO, {"w": row.workspace_id, "c": row.id})
    _release(session, row, f"state = 'withdrawn' AND NOT {_THEIRS}")


def give_up(session: Session, row: Connection) -> None:
    """The CRM is connected again, or disconnected as it is, before it was left: nothing is withdrawn because of that any more, and
    what a run had held is held again. For a transaction that has been `beside` whoever decides on runs since its beginning."""
    row.receipt = {}
    session.flush()
    params = {
        "w": row.workspace_id,
        "c": row.id,
        "reason": REASON,
        "undecided": list(runs.UNDECIDED),
        "limit": runs.LIMIT,
        "now": business_now(),
    }
    execute(raw(session), _HOLD_AGAIN, params)
    # What stands there is open again as it was, and not for the rules to open: they may be undone, and would never. They end what has
    # lost its reason.
    execute(raw(session), _OPEN_AGAIN, params)
    _release(session, row, "true")


def replace_line(row: Connection, line: str, lines: Sequence[str]) -> bool:
    """On the receipt of a connection whose row is locked, these lines stand in the place of that one. False where it says no such thing."""
    said = row.receipt.get("lines", [])
    if line not in said:
        return False
    at = said.index(line)
    row.receipt = {**row.receipt, "lines": [*said[:at], *lines, *said[at + 1 :]]}
    return True


def _release(session: Session, row: Connection, which: str) -> None:
    """The rules may open these again."""
    execute(
        raw(session),
        "UPDATE tasks SET closed_by = 'rules' WHERE workspace_id = %(w)s AND crm_connection_id = %(c)s AND close_reason = ANY(%(reasons)s)"  # noqa: S608 - our own words
        f" AND {which}",
        {"w": row.workspace_id, "c": row.id, "reasons": [REASON, ENDS]},
    )
    due.decide_everything(session, row.workspace_id)
