"""Decide: what is due in one workspace. Calls nobody; `now` goes in, desired tasks with their reasons come out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.registry import providers
from service import settings
from service.clock import business_now, real_instant
from service.rules.model import Conversation, History, Person, Post, Verdict
from service.rules.readiness import ready_for_call
from service.rules.threads import by_person, unique
from service.rules.unanswered import unanswered
from service.runtime import Runtime
from service.store import deciding, due, matching, people, schedule, tasks
from service.store.deciding import DueConversation, DueRelationship, Talk, Thread
from service.store.people import Known
from workers.admitting import admit_waiting
from workers.drafting import Desk, Subject, changes, keys_of

AUTHORS, CONVERSATIONS, RELATIONSHIPS = 1000, 1000, 500  # how many at once: memory stays flat, transactions short
BUDGET = 30.0  # seconds of one job; what is left is taken up by the next


@dataclass(frozen=True)
class _Run:
    runtime: Runtime
    workspace_id: UUID
    lease_id: UUID
    now: datetime
    names: Mapping[str, str]  # providers' names for people, by key


def decide(runtime: Runtime, workspace_id: UUID, lease_id: UUID, now: datetime | None = None) -> None:
    """Decides all that is due in the workspace at `now` (business time), and when to look again."""
    run = _Run(
        runtime, workspace_id, lease_id, now or business_now(), {key: each.name for key, each in providers().items()}
    )
    deadline = time.monotonic() + BUDGET
    for step in (_match, _conversations, _relationships, _admit):
        while True:
            more = runtime.db.retried(workspace_id, partial(_take, run, step))
            if more is None:
                return
            if not more:
                break
            if time.monotonic() > deadline:
                with runtime.db.tenant(workspace_id) as session:
                    schedule.let_go(session, workspace_id, lease_id, again_at=run.now)
                return
    with runtime.db.tenant(workspace_id) as session:
        schedule.let_go(session, workspace_id, lease_id)


def _take(run: _Run, step: Callable[[_Run, Session], bool], session: Session) -> bool | None:
    """One batch of a step: whether there may be more; None when the lease is somebody else's."""
    return step(run, session) if schedule.hold(session, run.workspace_id, run.lease_id) else None


def _match(run: _Run, session: Session) -> bool:
    return matching.match_due(session, run.workspace_id, AUTHORS) == AUTHORS


def _admit(run: _Run, session: Session) -> bool:
    row = settings.current(session, run.workspace_id)
    return admit_waiting(session, run.workspace_id, settings.policy(row), row.values, run.now) > 0


def _desk(run: _Run, session: Session) -> tuple[Desk, int]:
    row = settings.current(session, run.workspace_id)
    directory = people.directory(session, run.workspace_id)
    desk = Desk(run.runtime.config, run.workspace_id, directory, settings.policy(row), row.values["text_mode"], run.now)
    return desk, row.version


# --- is somebody waiting --------------------------------------------------------------------------------------


def _conversations(run: _Run, session: Session) -> bool:
    found = deciding.due_conversations(session, run.workspace_id, run.now, CONVERSATIONS)
    if not found:
        return False
    desk, version = _desk(run, session)
    posts = deciding.posts_of(session, run.workspace_id, {(each.brand_id, each.thread) for each in found}, run.names)
    threads = {thread: by_person(unique(items)) for thread, items in posts.items()}
    known = people.contacts(session, run.workspace_id, [each.contact_id for each in found if each.contact_id])
    judged: list[tuple[Subject, Verdict]] = []
    for each in found:
        own = threads.get((each.brand_id, each.thread), {}).get(each.native_id, [])
        verdict = unanswered(_conversation(each, own), now=run.now, policy=desk.policy)
        judged.append(
            (_subject(each, known.get(each.contact_id) if each.contact_id else None, own, run.names), verdict)
        )
    deciding.save_conversations(
        session, run.workspace_id,
        [(each.id, verdict.look_again_at, verdict.waiting_since, list(verdict.reasons)) for each, (_, verdict) in zip(found, judged, strict=True)],
        settings=version, now=run.now,
    )  # fmt: skip
    _store(run, session, desk, judged, "conversation_id", [each.id for each in found], version)
    deciding.open_relationships(
        session, run.workspace_id, [(each.brand_id, each.contact_id, each.author_id) for each in found], run.now
    )
    return len(found) == CONVERSATIONS


def _conversation(each: DueConversation, posts: Sequence[Post]) -> Conversation:
    return Conversation(
        author_id=each.native_id, author_name=each.name, author_handle=each.handle, posts=tuple(posts),
        author_is_ours=any(post.ours for post in posts if post.author_id == each.native_id), dealt_with_until=each.dealt_with_until,
    )  # fmt: skip


def _subject(each: DueConversation, contact: Known | None, talk: Sequence[Post], names: Mapping[str, str]) -> Subject:
    words = _words(contact, each.name, each.handle, names.get(each.provider, each.provider), each.followers)
    return Subject(
        each.brand_id, each.person, each.author_id, contact, each.responder_email, words, talk, conversation_id=each.id
    )


def _words(contact: Known | None, name: str, handle: str, network: str, followers: int | None) -> Person:
    record = contact.record if contact else None
    return Person(
        name=(record.name if record else "") or name or handle, handle=handle, network=network, contact_id=str(contact.id) if contact else None,
        company=record.company if record else "", title=record.title if record else "", known=contact is not None,
        phone=record.phones[0] if record and record.phones else "", followers=followers,
    )  # fmt: skip


# --- is it time to talk ---------------------------------------------------------------------------------------


def _relationships(run: _Run, session: Session) -> bool:
    found = deciding.due_relationships(session, run.workspace_id, run.now, RELATIONSHIPS)
    if not found:
        return False
    desk, version = _desk(run, session)
    talks = deciding.talks_of(session, run.workspace_id, found)
    posts = deciding.posts_of(
        session, run.workspace_id, {(talk.brand_id, talk.thread) for own in talks.values() for talk in own}, run.names
    )
    threads = {thread: by_person(unique(items)) for thread, items in posts.items()}
    ids = [each.contact_id for each in found if each.contact_id]
    known, logged = (
        people.contacts(session, run.workspace_id, ids),
        deciding.activities_of(session, run.workspace_id, ids),
    )
    closed = deciding.call_tasks_closed(session, run.workspace_id, [each.id for each in found])
    judged: list[tuple[Subject, Verdict]] = []
    for each in found:
        own, contact = (
            talks.get((each.brand_id, each.person), []),
            known.get(each.contact_id) if each.contact_id else None,
        )
        said = _said(own, threads)
        history = History(
            person_name=_name(contact, own), posts=tuple(said), activities=tuple(logged.get(each.contact_id, ())) if each.contact_id else (),
            do_not_call=bool(contact and contact.record.do_not_call), unsubscribed=bool(contact and contact.record.unsubscribed),
            last_call_task_closed_at=closed.get(each.id),
        )  # fmt: skip
        judged.append(
            (_relation(each, contact, own, said, run.names), ready_for_call(history, now=run.now, policy=desk.policy))
        )
    deciding.save_relationships(
        session, run.workspace_id,
        [(each.id, verdict.look_again_at, verdict.stage or "", list(verdict.reasons)) for each, (_, verdict) in zip(found, judged, strict=True)],
        settings=version, now=run.now,
    )  # fmt: skip
    _store(run, session, desk, judged, "relationship_id", [each.id for each in found], version)
    return len(found) == RELATIONSHIPS


def _said(talks: Sequence[Talk], threads: Mapping[Thread, Mapping[str, Sequence[Post]]]) -> list[Post]:
    """What passed between this person and the brand, over all their threads and networks."""
    return unique(
        post for talk in talks for post in threads.get((talk.brand_id, talk.thread), {}).get(talk.native_id, ())
    )


def _name(contact: Known | None, talks: Sequence[Talk]) -> str:
    if contact is not None and contact.record.name:
        return contact.record.name
    return next((talk.name or talk.handle for talk in talks), "")


def _relation(
    each: DueRelationship, contact: Known | None, talks: Sequence[Talk], said: Sequence[Post], names: Mapping[str, str]
) -> Subject:
    last = next((post.author_id for post in reversed(said) if not post.ours), None)
    newest = next((talk for talk in talks if talk.native_id == last), talks[0] if talks else None)
    words = _words(
        contact, newest.name if newest else "", newest.handle if newest else "",
        names.get(newest.provider, newest.provider) if newest else "", newest.followers if newest else None,
    )  # fmt: skip
    return Subject(
        each.brand_id, each.person, newest.author_id if newest else each.author_id, contact,
        newest.responder_email if newest else "", words, said, relationship_id=each.id,
    )  # fmt: skip


# --- what should exist ----------------------------------------------------------------------------------------


def _store(
    run: _Run, session: Session, desk: Desk, judged: Sequence[tuple[Subject, Verdict]], scope: tasks.Scope,
    ids: Sequence[UUID], version: int,
) -> None:  # fmt: skip
    existing = tasks.standing(session, run.workspace_id, scope, ids, keys_of(judged))
    changed, closed = changes(desk, judged, existing)
    tasks.save(session, run.workspace_id, changed, settings=version)
    if closed:
        tasks.release_slots(session, run.workspace_id, sorted(closed))
    for crm in sorted({row.crm_connection_id for row in changed if row.crm_connection_id and row.push_at}):
        due.push_soon(session, run.workspace_id, crm, real_instant(run.now))
