"""Decide: what is due in one workspace. Calls nobody; `now` goes in, desired tasks with their reasons come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial
from typing import TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.registry import providers
from service import judging, queue, settings
from service.clock import business_now, real_instant
from service.drafting import Desk, Subject, changes, keys_of
from service.judging import Case
from service.rules.model import Post, Verdict
from service.rules.readiness.stages import moved
from service.runtime import Runtime
from service.store import (
    deciding,
    due,
    elsewhere,
    matching,
    mirroring,
    people,
    run_changes,
    runs,
    schedule,
    shares,
    stages,
    tasks,
)
from service.store.deciding import DueRelationship
from service.store.tasks import TaskRow
from service.tryout import judge
from service.watch import following
from workers.admitting import admit_waiting
from workers.breaker import hold_back
from workers.lanes import LANES, exhaust
from workers.stopping import Turn

# How many at once: memory stays flat, transactions short.
AUTHORS, CONVERSATIONS, RELATIONSHIPS, CONTACTS = 1000, 500, 500, 2000
SAMPLE = 400  # authors, weighed twice: one in three of them is told apart from four in ten
BUDGET = 30.0  # seconds of one job; what is left is taken up by the next
PASSED_ON = timedelta(seconds=10)  # after which somebody looks again at what is left to workers with newer rules
T = TypeVar("T")


@dataclass(frozen=True)
class _Run:
    runtime: Runtime
    workspace_id: UUID
    lease_id: UUID
    now: datetime
    names: Mapping[str, str]  # providers' names for people, by key


class _Batch(Enum):
    """What came of one batch of a step."""

    NOTHING = auto()  # nothing of its kind was due
    ALL = auto()  # all that was due is done
    MORE = auto()  # there may be more
    NOT_OURS = auto()  # workers with newer rules decide here: nothing was done, and nothing is to be


_Step = Callable[[_Run, Session], _Batch]


def decide(runtime: Runtime, workspace_id: UUID, lease_id: UUID, now: datetime | None = None) -> None:
    """Decides all that is due in the workspace at `now` (business time), and when to look again."""
    run = _Run(
        runtime, workspace_id, lease_id, now or business_now(), {key: each.name for key, each in providers().items()}
    )
    with suppress(_LeaseLostError):
        _work_through(run, Turn(BUDGET))


class _LeaseLostError(Exception):
    """Somebody else decides the workspace now."""


def _work_through(run: _Run, turn: Turn) -> None:
    """Each step to its end, until nothing is due any more or the turn is over. Most of the time most steps have nothing to do: one
    transaction tells that of all of them, and ends the lease where nothing is left."""
    steps = _STEPS
    while (found := _first(run, steps)) is not None:
        number, batch = found
        step, lanes = steps[number]
        done = batch is not _Batch.MORE
        if not done and lanes > 1:
            done = exhaust(partial(_more, run, step), lambda: turn.over, lanes=lanes)
        if not done and turn.over:
            _held(run, partial(_let_go, run, again_at=run.now))
            return
        steps = steps[number + done :]


def _first(run: _Run, steps: _Steps) -> tuple[int, _Batch] | None:
    """One batch of the first of these steps that has something to do: its number, and what came of it. None: there is nothing to do, or
    nothing for us, and the lease is ended."""

    def work(session: Session) -> tuple[int, _Batch] | None:
        for number, (step, _) in enumerate(steps):
            batch = step(run, session)
            if batch is _Batch.NOT_OURS:
                _let_go(run, session, again_at=run.now, not_before=run.now + PASSED_ON)
                return None
            if batch is not _Batch.NOTHING:
                _renew(run, session)
                return number, batch
        _let_go(run, session)
        return None

    return _held(run, work)


def _more(run: _Run, step: _Step) -> bool:
    """One batch of a step: whether there may be more."""

    def work(session: Session) -> bool:
        batch = step(run, session)
        _renew(run, session)
        return batch is _Batch.MORE

    return _held(run, work)


def _held(run: _Run, work: Callable[[Session], T]) -> T:
    """`work` in one transaction, if the lease is ours at its beginning. At its end, `work` renews it or lets it go: then the row is locked
    for a moment only, and nothing is kept that was decided without it."""

    def within(session: Session) -> T:
        if not schedule.holds(session, run.workspace_id, run.lease_id):
            raise _LeaseLostError
        return work(session)

    return run.runtime.db.retried(run.workspace_id, within)


def _renew(run: _Run, session: Session) -> None:
    if not schedule.hold(session, run.workspace_id, run.lease_id):
        raise _LeaseLostError


def _let_go(run: _Run, session: Session, again_at: datetime | None = None, not_before: datetime | None = None) -> None:
    if not schedule.let_go(session, run.workspace_id, run.lease_id, again_at=again_at, not_before=not_before):
        raise _LeaseLostError


def _notice_rules(run: _Run, session: Session) -> _Batch:
    def at_work(rules: int) -> bool:
        return queue.alive(run.runtime.redis, queue.deciders(rules))

    try:
        begun = runs.notice_rules(session, run.workspace_id, at_work=at_work)
    except runs.NewerAtWorkError:
        return _Batch.NOT_OURS
    shares.notice_rules(session, run.workspace_id)
    return _Batch.ALL if begun else _Batch.NOTHING


def _refile(run: _Run, session: Session) -> _Batch:
    """Contacts that older rules have filed stand where these rules seek them."""
    return _Batch.MORE if mirroring.refile(session, run.workspace_id, CONTACTS) else _Batch.NOTHING


def _guess(run: _Run, session: Session) -> _Batch:
    """How many of a workspace's authors its contacts are likely to be, before the first of them is matched."""
    shares.guess_share(session, run.workspace_id, SAMPLE)
    return _Batch.NOTHING


def _match(run: _Run, session: Session) -> _Batch:
    return _of(matching.match_due(session, run.workspace_id, AUTHORS), AUTHORS)


def _of(number: int, most: int) -> _Batch:
    """A batch in which so many were found, and at most so many looked for."""
    return _Batch.MORE if number >= most else _Batch.ALL if number else _Batch.NOTHING


def _learn(run: _Run, session: Session) -> _Batch:
    """Everybody has been matched: what that says about all of them together, and about each of them again, until it stands. (It looks at
    the totals with their row locked; nobody asks for more with that in hand.)"""
    again = matching.match_due(session, run.workspace_id, AUTHORS) > 0 or shares.learn_share(session, run.workspace_id)
    return _Batch.MORE if again else _Batch.ALL


def _let_through(run: _Run, session: Session) -> _Batch:
    """All is decided: what a change of settings or rules altered may go, unless it is too much at once."""
    return _Batch.ALL if runs.settle(session, run.workspace_id) else _Batch.NOTHING


def _admit(run: _Run, session: Session) -> _Batch:
    row = settings.current(session, run.workspace_id)
    found = admit_waiting(session, run.workspace_id, settings.policy(row), row.values, run.now)
    return _Batch.MORE if found else _Batch.NOTHING


def _desk(run: _Run, session: Session) -> tuple[Desk, int]:
    row = settings.current(session, run.workspace_id)
    directory = people.directory(session, run.workspace_id)
    desk = Desk(run.runtime.config, run.workspace_id, directory, settings.policy(row), row.values["text_mode"], run.now)
    return desk, row.version


# --- what there is to judge -----------------------------------------------------------------------------------


def _conversations(run: _Run, session: Session) -> _Batch:
    """Is somebody waiting? First how far they have come, on which their patience depends."""
    runs.beside(session, run.workspace_id)
    found = deciding.due_conversations(session, run.workspace_id, run.now, CONVERSATIONS)
    if not found:
        return _Batch.NOTHING
    desk, version = _desk(run, session)
    threads = judging.Threads(session, run.workspace_id, run.names)
    deciding.open_relationships(
        session, run.workspace_id, [(each.brand_id, each.contact_id, each.author_id) for each in found], run.now
    )
    people = [(each.brand_id, each.person) for each in found]
    moved_on = _judge_people(
        run, session, desk, version, deciding.due_relationships_of(session, run.workspace_id, people, run.now), threads
    )
    cases = judging.conversations(session, run.workspace_id, found, run.names, threads)
    judged = judge(cases, desk)
    ids = [each.id for each in found]
    part = runs.part_of(session, run.workspace_id, "conversations", ids, version)
    deciding.save_conversations(
        session, run.workspace_id,
        [(id_, verdict.look_again_at, verdict.waiting_since, list(verdict.reasons)) for id_, (_, verdict) in zip(ids, judged, strict=True)],
        settings=version, now=run.now,
    )  # fmt: skip
    _store(run, session, desk, cases, judged, "conversation_id", ids, version, part)
    return _Batch.MORE if moved_on else _of(len(found), CONVERSATIONS)


def _relationships(run: _Run, session: Session) -> _Batch:
    """Is it time to talk? Those who have not just written: time has gone by, or something was logged."""
    runs.beside(session, run.workspace_id)
    found = deciding.due_relationships(session, run.workspace_id, run.now, RELATIONSHIPS)
    if not found:
        return _Batch.NOTHING
    desk, version = _desk(run, session)
    _judge_people(run, session, desk, version, found, judging.Threads(session, run.workspace_id, run.names))
    return _of(len(found), RELATIONSHIPS)


def _judge_people(
    run: _Run, session: Session, desk: Desk, version: int, found: Sequence[DueRelationship], threads: judging.Threads
) -> bool:
    """Whether somebody has come so far that their waits are to be decided again."""
    if not found:
        return False
    cases = judging.relationships(session, run.workspace_id, found, run.names, threads)
    judged = judge(cases, desk)
    ids = [each.id for each in found]
    part = runs.part_of(session, run.workspace_id, "relationships", ids, version)
    steps = [
        moved(each.stage, each.stage_at, verdict, run.now) for each, (_, verdict) in zip(found, judged, strict=True)
    ]
    deciding.save_relationships(
        session, run.workspace_id,
        [
            (each.id, verdict.look_again_at, verdict.stage or "", step[-1].at if step else each.stage_at, verdict.score, list(verdict.reasons))
            for each, step, (_, verdict) in zip(found, steps, judged, strict=True)
        ],
        settings=version, now=run.now,
    )  # fmt: skip
    stages.save_changes(session, run.workspace_id, zip(ids, steps, strict=True))
    _store(run, session, desk, cases, judged, "relationship_id", ids, version, part)
    patience = desk.policy.stage_patience
    further = [
        each
        for each, (_, verdict) in zip(found, judged, strict=True)
        if patience.get(each.stage, 1.0) != patience.get(verdict.stage or "", 1.0)
    ]
    return elsewhere.came_further(session, run.workspace_id, further, run.now)


# --- what should exist ----------------------------------------------------------------------------------------


def _store(
    run: _Run, session: Session, desk: Desk, cases: Sequence[Case], judged: Sequence[tuple[Subject, Verdict]], scope: tasks.Scope,
    ids: Sequence[UUID], version: int, part: runs.Part | None,
) -> None:  # fmt: skip
    keys = keys_of(judged)
    existing = tasks.standing(session, run.workspace_id, scope, ids, keys)
    before = {row.key: replace(row) for row in existing}
    changed, closed = changes(desk, judged, existing, keys)
    altered = hold_back(session, part, desk, cases, judged, scope, before, changed)
    tasks.save(session, run.workspace_id, changed, settings=version)
    following.decided(session, changed, _posts(changed, judged, keys))
    if part is not None and altered:
        run_changes.remember(session, part.run, altered)
    if closed:
        tasks.release_slots(session, run.workspace_id, sorted(closed))
    for crm in sorted({row.crm_connection_id for row in changed if row.crm_connection_id and row.push_at}):
        due.push_soon(session, run.workspace_id, crm, real_instant(run.now))


def _posts(
    changed: Sequence[TaskRow], judged: Sequence[tuple[Subject, Verdict]], keys: Sequence[str]
) -> dict[str, list[str]]:
    """The ids of the posts that each of these tasks is about, by its key, in the order of time: what it rests on and all that was said
    since, so what ended it is there as well, wherever it was said. `keys` are the `keys_of` what was judged."""
    rests = dict(zip(keys, (each.finding.evidence for _, each in judged if each.finding), strict=True))
    scopes = {subject.conversation_id or subject.relationship_id: (subject, verdict) for subject, verdict in judged}
    found = {}
    for row in changed:
        on, both = frozenset(rests.get(row.key, ())), scopes.get(row.conversation_id or row.relationship_id)
        said = _said(*both) if both else ()
        ids = (post.id for post in said if post.at >= row.since or post.id in on)
        found[row.key] = list(dict.fromkeys(ids)) or list(rests.get(row.key, ()))
    return found


def _said(subject: Subject, verdict: Verdict) -> list[Post]:
    """Their talk, and what we told them elsewhere that ended a wait of theirs."""
    answers = (each for each in verdict.answers.values() if isinstance(each, Post))
    return sorted((*subject.talk, *answers), key=lambda post: post.at)


# In this order, each to its end. Batches that claim rows of their own may be under way side by side.
_Steps = tuple[tuple[_Step, int], ...]
_STEPS: _Steps = (
    (_notice_rules, 1),
    (_refile, 1),
    (_guess, 1),
    (_match, LANES),
    (_learn, 1),
    (_conversations, LANES),
    (_relationships, LANES),
    (_let_through, 1),
    (_admit, 1),
)
