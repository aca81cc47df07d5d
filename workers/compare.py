"""Compare: looks at a sample of posts on the networks and of tasks in the CRMs, beside what is kept here, and publishes what
differs. It finds what every other step has missed, in production and not only in tests.

What differs is brought in line by the ways that posts and tasks come in anyway; what cannot be stands until somebody looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from integrations.errors import IntegrationError
from integrations.provider import HANDED_IN, RECHECK
from integrations.records import Engagement, Gone, TaskState, TaskStatus, Unasked
from integrations.registry import providers
from service import comparing as meaning
from service.clock import business_now, real_now
from service.errors import PlainError
from service.models import Connection, Errand
from service.runtime import Runtime
from service.store import comparing, due, freezing, pulling, pushing, reconciling, suppressing, trail, us
from service.store.comparing import Found, Row
from service.store.rows import clean
from service.watch import meters
from workers import policy, secondlook
from workers.access import Line
from workers.stopping import Turn

log = structlog.get_logger()

BUDGET = 30.0  # seconds of one job
POSTS, TASKS = 20, 25  # of one connection: one call or two, at what most providers give in one
SETTLES = timedelta(minutes=10)  # what is younger than that may still be on its way to the other side
LOOKS_BACK = timedelta(days=2)  # at what the network serves as its newest
CLOSED_WITHIN = timedelta(days=7)
ANSWERED = 100  # tasks that are open though they were answered, in one look
UNSENT = 100  # tasks that were never written, in one look
NOT_FREE = (
    "Reading costs here, so nothing is read twice for comparing. What was edited or deleted is found within its budget."
)
NOTHING_THERE = "Posts are handed in, so there is nothing to compare with."
MISSING = "post_missing"  # the one kind whose subject is a network's id
Hold = Callable[[Session], Errand | None]


@dataclass
class _Look:
    """What one connection was found to be like."""

    found: set[Found] = field(default_factory=set)
    looked: set[Found] = field(default_factory=set)  # what differed before, and was looked at again
    compared: int = 0
    why_not: str = ""


def compare(runtime: Runtime, workspace_id: UUID, hold: Hold) -> timedelta | None:
    """Compares every connection whose turn it is. Returns in how long to come again."""
    turn = Turn(BUDGET)
    with runtime.db.tenant(workspace_id) as session:
        waiting = comparing.due(session, workspace_id, real_now() - meaning.EVERY)
        head = trail.head(session, workspace_id)
    # A log is kept elsewhere: whoever makes the trail anew later has to change that too.
    log.info("audit trail", workspace=str(workspace_id), row=head.number, seal=head.hash)
    for connection in waiting:
        if turn.over:
            return timedelta(0)
        _compare(runtime, connection)
        with runtime.db.tenant(workspace_id) as session:
            if hold(session) is None:
                return None
    return meaning.EVERY


def _compare(runtime: Runtime, connection: Connection) -> None:
    where = {"provider": connection.provider, "connection": str(connection.id)}
    with runtime.db.tenant(connection.workspace_id) as session:
        frozen = freezing.of(session, connection)
    look = _Look(why_not=frozen)
    if not frozen:
        try:
            _WAYS[connection.kind](runtime, connection, look)
        except (IntegrationError, PlainError) as error:
            policy.tell(error, 1, **where)  # the pulls say it, once
            look.why_not = f"It could not be asked. {policy.sentence(error)}"  # what was found before that counts
    with runtime.db.tenant(connection.workspace_id) as session:
        comparing.save(
            session, connection, look.found, looked=look.looked, compared=look.compared, why_not=look.why_not
        )
    meters.count(meters.COMPARED, connection.provider, by=look.compared)
    for kind, subject in sorted(look.found):
        meters.count(meters.DIFFERENCES, connection.provider, kind)
        # A network's id of a post may hold its author's, and nobody is erased from a log: the row has it.
        which = {} if kind == MISSING else {"subject": subject}
        log.warning("differs", kind=kind, **which, **where)
    log.info("compared", compared=look.compared, differing=len(look.found), **where)


# --- a network ------------------------------------------------------------------------------------------------


def _network(runtime: Runtime, connection: Connection, look: _Look) -> None:
    """Posts that are kept here beside what the network serves of them; its newest beside ours; and answers that ended no task."""
    now = real_now()
    provider = providers()[connection.provider]
    with runtime.db.tenant(connection.workspace_id) as session:
        sample = comparing.posts(session, connection, POSTS)
        open_ = comparing.answered(session, connection, settled=now - SETTLES, number=ANSWERED)
    look.found |= {("answered", f"task:{each}") for each in open_}
    stood = {each for each in sample.again if each[0] == "task_missing"}
    missing = secondlook.missing(
        runtime, connection, [UUID(subject.removeprefix("conversation:")) for _, subject in stood]
    )
    look.found |= {("task_missing", f"conversation:{each}") for each in missing}
    look.looked |= {each for each in sample.again if each[0] == "answered"} | stood
    if HANDED_IN in provider.capabilities or provider.prices:
        look.why_not = NOTHING_THERE if HANDED_IN in provider.capabilities else NOT_FREE
        return
    line = Line(runtime, connection, business_now() - LOOKS_BACK)
    _posts(runtime, connection, line, sample, look)
    _newest(runtime, connection, line, look)


def _posts(runtime: Runtime, connection: Connection, line: Line, sample: comparing.Sample, look: _Look) -> None:
    kept = {row["native_id"]: row for row in sample.rows}
    if not kept:
        return
    found: Sequence[Engagement | Gone | Unasked] = line.speak(lambda client: client.recheck(list(kept)))
    answers = [each for each in found if not isinstance(each, Unasked)]
    for answer in answers:
        row = kept.get(answer.id)
        if row is not None:
            look.compared += 1
            look.looked |= {(kind, f"post:{row['id']}") for kind in ("post_gone", "post_edited")}
            look.found |= {(kind, f"post:{row['id']}") for kind in _differs(row, answer)}
    # Those that were erased meanwhile are looked at no more: they differ no more.
    there = {f"post:{row['id']}" for row in sample.rows}
    look.looked |= {each for each in sample.again if each[0] in ("post_gone", "post_edited") and each[1] not in there}
    _take_in(runtime, connection, answers)


def _differs(row: Row, answer: Engagement | Gone) -> list[str]:
    if isinstance(answer, Gone):
        return ["post_gone"]
    return ["post_edited"] if row["text"] and clean(answer.text) != row["text"] else []


def _newest(runtime: Runtime, connection: Connection, line: Line, look: _Look) -> None:
    """The newest page of each stream that needs nothing to begin with: whatever has been there for a while should be here."""
    before = business_now() - SETTLES
    for stream in providers()[connection.provider].streams:
        if stream.wants_threads or stream.wants_parents:
            continue
        served = line.speak(partial(_first_page, stream.name))
        old = [each for each in served if before - LOOKS_BACK < each.created_at < before]
        with runtime.db.tenant(connection.workspace_id) as session:
            source = us.source(session, connection)
            # People who are to be left out are not missing.
            wanted = suppressing.without_authors(
                session, connection.workspace_id, connection.provider, connection.host, old, source.is_ours
            )
            here = comparing.held(session, connection, [each.id for each in wanted])
        look.compared += len(wanted)
        missing = [each for each in wanted if each.id not in here]
        look.found |= {(MISSING, f"post:{each.id}") for each in missing}
        _take_in(runtime, connection, missing)
    with runtime.db.tenant(connection.workspace_id) as session:
        stood = {subject for kind, subject in comparing.standing(session, connection) if kind == MISSING}
        here = comparing.held(session, connection, [each.removeprefix("post:") for each in stood])
    look.looked |= {(MISSING, each) for each in stood if each.removeprefix("post:") in here}


def _first_page(stream: str, client: Any) -> list[Engagement]:
    for page in client.pull(stream, None):
        return [each for each in page.items if isinstance(each, Engagement)]
    return []


def _take_in(runtime: Runtime, connection: Connection, answers: Sequence[Engagement | Gone]) -> None:
    """As a pull or the sweep would have."""

    def work(session: Session) -> None:
        source = us.source(session, connection)
        pulling.erase_gone(session, source, [each for each in answers if isinstance(each, Gone)])
        pulling.save_engagements(session, source, [each for each in answers if isinstance(each, Engagement)])

    if answers:
        runtime.db.retried(connection.workspace_id, work)


# --- a CRM ----------------------------------------------------------------------------------------------------


def _crm(runtime: Runtime, connection: Connection, look: _Look) -> None:
    """Tasks as they stand here beside what the CRM says of them, and tasks there that nobody here knows, or that are there twice."""
    if connection.preview:
        look.why_not = "It is in preview: nothing of ours stands there."
        return
    now = real_now()
    with runtime.db.tenant(connection.workspace_id) as session:
        sample = comparing.tasks(session, connection, TASKS, settled=now - SETTLES, since=now - CLOSED_WITHIN)
        unsent = comparing.unsent(session, connection, settled=now - SETTLES, number=UNSENT)
        pushing.begin_again(session, connection, sorted(unsent))
    look.found |= {("task_unsent", f"task:{each}") for each in unsent}
    look.looked |= {each for each in sample.again if each[0] == "task_unsent"}
    line = Line(runtime, connection, business_now() - LOOKS_BACK, sampling=True)
    try:
        _ours(runtime, connection, line, sample, look)
        _strangers(runtime, connection, line, look)
    finally:
        line.keep_now()
        if look.found:
            with runtime.db.tenant(connection.workspace_id) as session:
                due.pull_soon(session, connection.workspace_id, connection.id, [RECHECK])


def _ours(runtime: Runtime, connection: Connection, line: Line, sample: comparing.Sample, look: _Look) -> None:
    """What the CRM says of tasks of ours."""
    now = real_now()
    kept = {row["external_id"]: row for row in sample.rows}
    strangers = [subject.removeprefix("task:") for kind, subject in sample.again if kind in _OVER_THERE]
    ids = [*kept, *(each for each in strangers if each not in kept)]
    answers: Sequence[TaskState | Gone] = line.speak(lambda client: client.read_tasks(ids)) if ids else []
    for answer in answers:
        row = kept.get(answer.id)
        if row is not None:
            look.compared += 1
            look.looked |= {(kind, f"task:{row['id']}") for kind in ("task_gone", "task_done", "task_open")}
            look.found |= {(kind, f"task:{row['id']}") for kind in _stands_otherwise(row, answer)}
        elif isinstance(answer, Gone) or answer.status is not TaskStatus.OPEN:
            look.looked |= {(kind, f"task:{answer.id}") for kind in _OVER_THERE}
    there = {f"task:{row['id']}" for row in sample.rows}
    look.looked |= {
        each for each in sample.again if each[0] not in (*_OVER_THERE, "task_unsent") and each[1] not in there
    }
    if answers:
        runtime.db.retried(
            connection.workspace_id,
            lambda session: reconciling.take_in(
                session, connection.workspace_id, connection.id, list(answers), read_at=now
            ),
        )


def _stands_otherwise(row: Row, answer: TaskState | Gone) -> list[str]:
    if row["wanted"] == "open":
        there = "task_gone" if isinstance(answer, Gone) else _OPEN_HERE.get(answer.status, "")
    else:
        there = "" if isinstance(answer, Gone) or answer.status is not TaskStatus.OPEN else "task_open"
    return [there] if there else []


_OPEN_HERE: Mapping[TaskStatus, str] = {TaskStatus.COMPLETED: "task_done"}


_OVER_THERE = ("task_unknown", "task_twice")  # about a task of the CRM's that is none of ours


def _strangers(runtime: Runtime, connection: Connection, line: Line, look: _Look) -> None:
    """What the CRM serves as its newest tasks, where it serves tasks: each that carries a key should be known here, and be that one."""
    if all(stream.name != "tasks" for stream in providers()[connection.provider].streams):
        return
    served = {each.id: each for each in line.speak(_first_tasks)}  # as it was told last, where one changed meanwhile
    keyed = [each for each in served.values() if each.key and each.status is TaskStatus.OPEN and not each.bare]
    with runtime.db.tenant(connection.workspace_id) as session:
        known = comparing.known_keys(session, connection, [each.key for each in keyed if each.key])
    look.compared += len(keyed)
    look.looked |= {(kind, f"task:{each.id}") for kind in _OVER_THERE for each in keyed}
    look.found |= {("task_unknown", f"task:{each.id}") for each in keyed if each.key not in known}
    look.found |= {("task_twice", f"task:{each.id}") for each in _doubles(keyed, known, line)}


def _doubles(keyed: Sequence[TaskState], known: Mapping[str, str | None], line: Line) -> list[TaskState]:
    """Those that say the same as the task of ours whose key they carry. One that says something else is somebody's own copy."""
    copies = {each.id: there for each in keyed if (there := known.get(each.key or "")) and there != each.id}
    if not copies:
        return []
    answers: Sequence[TaskState | Gone] = line.speak(lambda client: client.read_tasks(sorted({*copies.values()})))
    subjects = {each.id: each.subject for each in answers if isinstance(each, TaskState)}
    return [each for each in keyed if each.id in copies and subjects.get(copies[each.id]) == each.subject]


def _first_tasks(client: Any) -> list[TaskState]:
    for page in client.pull("tasks", None):
        return [each for each in page.items if isinstance(each, TaskState)]
    return []


_WAYS: Mapping[str, Callable[[Runtime, Connection, _Look], None]] = {"social": _network, "crm": _crm}
