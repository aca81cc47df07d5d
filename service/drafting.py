"""From findings to tasks: what should exist, compared with what does."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from integrations.records import TaskKind
from service import links
from service.clock import real_now
from service.config import Config
from service.ids import new_id
from service.rules.calendar import next_open
from service.rules.model import Answered, Finding, Held, Person, Policy, Post, Verdict
from service.rules.plan import Step, plan
from service.rules.routing import route
from service.rules.wording import closing_line, draft
from service.store.people import Directory, Known
from service.store.tasks import TaskRow

PREFIX = {TaskKind.UNANSWERED: "unanswered", TaskKind.READY_FOR_CALL: "call"}
HIGH = 70  # urgency from which a CRM shows a task as of high priority


class Subject(Struct, frozen=True):
    """Whom a verdict is about, and where what was decided stands."""

    brand_id: UUID
    person: str  # contact:<id> or author:<id>
    author_id: UUID | None
    contact: Known | None
    responder_email: str
    words: Person
    talk: Sequence[Post]
    conversation_id: UUID | None = None
    relationship_id: UUID | None = None
    speakers: Sequence[UUID] = ()  # of several threads: the authors whose words the talk holds
    frozen: str = ""  # why nothing is read there now, as a sentence for the task


@dataclass(frozen=True)
class Desk:
    """What all drafts of one run share."""

    config: Config
    workspace_id: UUID
    directory: Directory
    policy: Policy
    text_mode: Any
    now: datetime


def key_of(subject: Subject, kind: TaskKind, episode: str) -> str:
    """The task's key in the CRM. It names the post that opened the episode by what the network calls it, and the brand: so
    it is the same after our rows were lost, and no task is made twice. It never changes."""
    opened = next(post for post in subject.talk if post.id == episode)
    words = f"{subject.brand_id}|{opened.network}|{opened.author_id}|{opened.native_id}"
    return f"{PREFIX[kind]}-{hashlib.sha256(words.encode()).hexdigest()[:32]}"


def keys_of(judged: Iterable[tuple[Subject, Verdict]]) -> list[str]:
    """The keys of the tasks that should exist."""
    return [key_of(subject, each.finding.kind, each.finding.episode) for subject, each in judged if each.finding]


def changes(
    desk: Desk,
    judged: Sequence[tuple[Subject, Verdict]],
    existing: Iterable[TaskRow],
    keys: Sequence[str] | None = None,
) -> tuple[list[TaskRow], set[str]]:
    """The tasks to store, and the people about whom a task was closed. `keys` are the `keys_of` what was judged, where they are
    known."""
    by_key = {row.key: row for row in existing}
    by_scope: dict[UUID | None, list[TaskRow]] = defaultdict(list)
    for row in by_key.values():
        by_scope[row.conversation_id or row.relationship_id].append(row)
    changed: dict[str, TaskRow] = {}
    closed: set[str] = set()
    # A match that changes moves a task from one person to another: it is not over because the first has no claim to it.
    wanted = keys_of(judged) if keys is None else keys
    claimed, in_turn = set(wanted), iter(wanted)
    for subject, verdict in judged:
        found = verdict.finding
        desired = {next(in_turn): found} if found else {}
        own = {row.key: row for row in by_scope.get(subject.conversation_id or subject.relationship_id, ())}
        if not desired and not own:
            continue
        ended = verdict.answers.items() if own else ()
        answers = {key_of(subject, TaskKind.UNANSWERED, episode): post for episode, post in ended}
        own.update({key: by_key[key] for key in desired if key in by_key})
        for step, key in plan(desired, [row.standing for row in own.values()], answered=answers):
            if step is Step.WITHDRAW and key in claimed:
                continue
            moved = _TAKE[step](_Move(desk, subject, verdict, key, desired.get(key), own.get(key), answers.get(key)))
            if moved is not None:
                changed[key] = moved
                if moved.wanted != "open":
                    closed.add(moved.person)
    return list(changed.values()), closed


# --- one step each --------------------------------------------------------------------------------------------


class _Move(Struct, frozen=True):
    """What one step works with: what should be there, what is, and the post that ended it."""

    desk: Desk
    subject: Subject
    verdict: Verdict
    key: str
    finding: Finding | None
    row: TaskRow | None
    answer: Answered | None

    @property
    def stands_elsewhere(self) -> bool:
        """Whether the task stands in a CRM that serves another brand alone by now, and is told nothing more of this talk."""
        row = self.row
        return row is not None and row.in_crm and self.desk.directory.is_anothers(row.brand_id, row.crm_connection_id)

    @property
    def clock(self) -> Policy:
        """The policy by the clock of whoever is to act."""
        return self.desk.policy.of(self.subject.responder_email)


def _create(move: _Move) -> TaskRow:
    finding = move.finding
    assert finding is not None
    fresh = TaskRow(
        id=new_id(), key=move.key, kind=finding.kind.value, brand_id=move.subject.brand_id, person=move.subject.person,
        author_id=None, contact_id=None, conversation_id=None, relationship_id=None, crm_connection_id=None, wanted="open",
        state="absent", content={}, edited=[], reasons=[], urgency=0, since=finding.since,
        due_at=next_open(max(finding.due_at, move.desk.now), move.clock),
    )  # fmt: skip
    _fill(move.desk, move.subject, finding, fresh)
    if not fresh.held_reason:
        fresh.ripe_at = finding.ripe_at
    return fresh


def _keep(move: _Move) -> TaskRow | None:
    row, finding = move.row, move.finding
    assert row is not None
    assert finding is not None
    if move.stands_elsewhere:
        return None
    before = _decided(row)
    _fill(move.desk, move.subject, finding, row)
    if row.state == "parked" and row.content != before[0]:
        row.state = "absent"  # what the CRM refused was something else
    return row if _decided(row) != before else None


def _decided(row: TaskRow) -> tuple[Any, ...]:
    return row.content, row.reasons, row.urgency, row.person, row.contact_id, row.crm_connection_id, row.held_reason


def _reopen(move: _Move) -> TaskRow:
    row, finding = move.row, move.finding
    assert row is not None
    assert finding is not None
    lingers = row.lingers
    row.wanted, row.closed_at, row.closed_by, row.close_reason = "open", None, "", ""
    if move.stands_elsewhere and row.push_at is not None:  # its end was not said yet
        row.push_at = None
        return row
    was_left = row.crm_connection_id in move.desk.directory.left
    if move.stands_elsewhere or was_left or (row.state in ("withdrawn", "parked") and not lingers):
        # It does not stand there (any more), or nothing is said there any more: it is made anew.
        row.state, row.external_id, row.edited, row.push_at = "absent", None, [], None
    elif row.state == "withdrawn":
        row.state = "open"
    _fill(move.desk, move.subject, finding, row)
    if row.in_crm:
        row.push_at = move.desk.now
    return row


def _complete(move: _Move) -> TaskRow:
    row = move.row
    assert row is not None
    assert move.answer is not None
    if row.lingers and not row.in_crm:
        row.state = "open"
    line = closing_line(move.answer, move.clock.timezone)
    if row.in_crm and "body" not in row.edited and not move.stands_elsewhere:
        row.content = {**row.content, "body": f"{line}\n\n{row.content.get('body') or ''}".rstrip()}
    return _end(move.desk, row, "completed", line)


def _withdraw(move: _Move) -> TaskRow:
    assert move.row is not None
    return _end(move.desk, move.row, "withdrawn", " ".join(move.verdict.reasons) or "It lost its reason.")


def _end(desk: Desk, row: TaskRow, wanted: str, reason: str) -> TaskRow:
    row.closed_by, row.close_reason, row.closed_at = "rules", reason, real_now()
    row.held_reason, row.held_until = "", None
    if row.in_crm:
        row.wanted, row.push_at = wanted, desk.now
    else:
        row.wanted, row.state, row.push_at = "withdrawn", "withdrawn", None
    return row


_TAKE: Mapping[Step, Callable[[_Move], TaskRow | None]] = {
    Step.CREATE: _create,
    Step.KEEP: _keep,
    Step.REOPEN: _reopen,
    Step.COMPLETE: _complete,
    Step.WITHDRAW: _withdraw,
}


def _done_url(desk: Desk, row: TaskRow) -> str:
    body = row.content.get("body")
    standing = links.standing_link(desk.config, body, desk.workspace_id, row.id) if body else None
    return standing or links.done_link(desk.config, desk.workspace_id, row.id)


def _fill(desk: Desk, subject: Subject, finding: Finding, row: TaskRow) -> None:
    """The finding's words, its place and its owner. What a person edited in the CRM stays theirs."""
    if subject.frozen:
        finding = replace(finding, reasons=(*finding.reasons, subject.frozen))
    contact = subject.contact if subject.contact and desk.directory.shows(subject.brand_id, subject.contact) else None
    place = (
        row.crm_connection_id
        if row.in_crm and row.crm_connection_id
        else desk.directory.place(subject.brand_id, contact)
    )
    crm = None if isinstance(place, Held) else place
    lives_there = contact if contact is not None and contact.connection_id == crm else None
    owner = place if isinstance(place, Held) else route(
        finding.kind, responder_email=subject.responder_email, contact_owner_id=lives_there.record.owner_id if lives_there else None,
        owners=desk.directory.owners.get(place, ()),
    )  # fmt: skip
    words = draft(
        finding, subject.words, talk=subject.talk, text_mode=desk.text_mode, timezone=desk.policy.of(subject.responder_email).timezone,
        done_url=_done_url(desk, row),
    )  # fmt: skip
    fresh = {
        "subject": words.subject, "body": words.body, "due_at": row.content.get("due_at") or row.due_at.isoformat(),
        "owner_id": None if isinstance(owner, Held) else owner.owner_id, "contact_native_id": lives_there.native_id if lives_there else None,
        "high_priority": finding.urgency >= HIGH,
    }  # fmt: skip
    row.content = {**fresh, **{name: row.content[name] for name in row.edited if name in row.content}}
    row.person, row.author_id, row.contact_id = (
        subject.person,
        subject.author_id,
        subject.contact.id if subject.contact else None,
    )
    row.conversation_id, row.relationship_id, row.speakers = (
        subject.conversation_id,
        subject.relationship_id,
        subject.speakers,
    )
    row.crm_connection_id, row.reasons, row.urgency = crm, list(finding.reasons), finding.urgency
    if row.state == "absent" and row.push_at is None:
        row.held_reason, row.held_until = (owner.reason, owner.until) if isinstance(owner, Held) else ("", None)
    if row.in_crm and row.content != row.written and row.state != "unknown":
        row.push_at = desk.now
