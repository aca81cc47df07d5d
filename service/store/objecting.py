"""Objecting: one switch per person. Whoever objects is never judged again: nothing new of theirs is stored, they are matched with
nobody, no profile is bought, and no task is kept. What was read before stays as it is, so that the switch can be turned back.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import real_now
from service.db import raw
from service.errors import PlainError
from service.models import PersonRequest
from service.store import acting, due, filing, persons, suppressing
from service.store.persons import Person
from service.store.rows import execute

KIND, DONE, LIFTED = "object", "done", "lifted"
OURS = "This is an account of your own. Disconnect it instead."
RECEIPT = (
    "From now on nothing that they write is stored, they are matched with nobody, and nothing about them is bought.",
    "Their open tasks are withdrawn with the next decision.",
    "What was read before stays here until its time is past or they are erased. It is judged no more.",
)

_FLAG = "UPDATE {table} SET objected_at = %(at)s WHERE workspace_id = %(w)s AND id = ANY(%(ids)s)"
_LEAVE_BE = "UPDATE authors SET match_due = false WHERE workspace_id = %(w)s AND id = ANY(%(ids)s)"
_LEAVE_UNMATCHED = (
    "DELETE FROM matches WHERE workspace_id = %(w)s AND state = 'suggested' AND handle_state <> 'written'"
    " AND (author_id = ANY(%(ids)s) OR contact_id = ANY(%(contacts)s))"
)
_FILED = "SELECT id, connection_id, filed FROM contacts WHERE workspace_id = %(w)s AND id = ANY(%(ids)s) ORDER BY id FOR UPDATE"
_FILE_ANEW = "UPDATE contacts SET filed_version = 0 WHERE workspace_id = %(w)s AND id = ANY(%(ids)s)"


def begin(session: Session, workspace_id: UUID, record_id: UUID, *, by: str) -> PersonRequest | None:
    """This person (found by an author's or a contact's id) objects. Repeating it changes nothing. None when there is no such person;
    raises PlainError for an account of the team's own."""
    listed = suppressing.changing(session, workspace_id)
    person = persons.of(session, workspace_id, record_id)
    if person is None:
        return None
    if person.ours:
        raise PlainError(OURS)
    if standing := _standing(session, workspace_id, person):
        return standing
    row = PersonRequest(
        workspace_id=workspace_id, kind=KIND, state=DONE, person=person.key, author_ids=person.author_ids,
        contact_ids=person.contact_ids, asked_by=by, receipt=list(RECEIPT), done_at=real_now(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    listed.add(row.id, persons.marks(session, person, workspace_id))
    _flag(session, workspace_id, row, on=True)
    for statement in (_LEAVE_BE, _LEAVE_UNMATCHED):
        execute(raw(session), statement, {"w": workspace_id, "ids": row.author_ids, "contacts": row.contact_ids})
    unfile(session, workspace_id, row.contact_ids)
    _decide(session, workspace_id, row)
    acting.audit(session, workspace_id, by, "person.objected", "person_request", row.id)
    due.decide_soon(session, workspace_id)
    return row


def lift(session: Session, workspace_id: UUID, record_id: UUID, *, by: str) -> PersonRequest | None:
    """They object no more: they are matched and judged like anybody, from what is here and what is read from now on. None when there
    is no such person, or when they don't object."""
    listed = suppressing.changing(session, workspace_id)
    person = persons.of(session, workspace_id, record_id)
    row = _standing(session, workspace_id, person) if person else None
    if row is None:
        return None
    listed.take_off(row.id)
    row.state = LIFTED
    session.flush()
    _flag(session, workspace_id, row, on=False)
    execute(raw(session), _FILE_ANEW, {"w": workspace_id, "ids": row.contact_ids})
    due.match_again(session, workspace_id, row.author_ids)
    _decide(session, workspace_id, row)
    acting.audit(session, workspace_id, by, "person.objection_lifted", "person_request", row.id)
    due.decide_soon(session, workspace_id)
    return row


def unfile(session: Session, workspace_id: UUID, contact_ids: list[UUID]) -> None:
    """These contacts are found by nobody's matching any more, and counted nowhere."""
    connection, work = raw(session), filing.Refiling()
    for contact_id, crm, filed in execute(connection, _FILED, {"w": workspace_id, "ids": contact_ids}):
        work.change(crm, contact_id, filed, ())
    work.write_keys(connection, workspace_id)
    work.write_counts(connection, workspace_id)


def _standing(session: Session, workspace_id: UUID, person: Person) -> PersonRequest | None:
    """The objection that holds for this person, if they object."""
    if not person.objected:
        return None
    return session.scalars(
        select(PersonRequest)
        .where(
            PersonRequest.workspace_id == workspace_id,
            PersonRequest.kind == KIND,
            PersonRequest.state == DONE,
            PersonRequest.author_ids.overlap(person.author_ids) | PersonRequest.contact_ids.overlap(person.contact_ids),
        )
        .order_by(PersonRequest.id.desc())
        .limit(1)
    ).one_or_none()


def _flag(session: Session, workspace_id: UUID, row: PersonRequest, *, on: bool) -> None:
    for table, ids in (("authors", row.author_ids), ("contacts", row.contact_ids)):
        params = {"w": workspace_id, "ids": ids, "at": real_now() if on else None}
        execute(raw(session), _FLAG.format(table=table), params)


def _decide(session: Session, workspace_id: UUID, row: PersonRequest) -> None:
    due.decide_conversations(session, workspace_id, author_ids=row.author_ids)
    due.decide_relationships(session, workspace_id, author_ids=row.author_ids, contact_ids=row.contact_ids)
