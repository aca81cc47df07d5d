"""Erasing one person: every row of theirs, in bounded batches, each of which may be done twice, and a receipt.

`begin` puts them on the list of people to leave out, so that nothing of them is stored any more; the steps of `STEPS` are then done by a
worker, in this order, each until it finds nothing. Authors and contacts go last: they say whose the rest is, should a worker die.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.clock import real_now
from service.db import raw
from service.errors import PlainError
from service.leases import now as database_now
from service.leases import until
from service.models import PersonRequest
from service.store import acting, due, erasing_tasks, objecting, persons, suppressing
from service.store.rows import execute

KIND, UNDER_WAY, DONE = "erase", "under_way", "done"
BATCH = 1000  # rows of one transaction
SCANNED = 10_000  # posts looked through in one transaction for the ids of somebody
LOOK_AGAIN = timedelta(minutes=1)  # while a CRM has not been told everything


def begin(session: Session, workspace_id: UUID, record_id: UUID, *, by: str) -> PersonRequest | None:
    """This person (found by an author's or a contact's id) is to be erased, for good. From here on nothing of them is stored. Asked
    again while it is under way, it is the same request. None when there is no such person; raises PlainError for an account of the
    team's own."""
    listed = suppressing.changing(session, workspace_id)
    person = persons.of(session, workspace_id, record_id)
    if person is None:
        return None
    if person.ours:
        raise PlainError(objecting.OURS)
    standing = session.scalars(
        select(PersonRequest).where(
            PersonRequest.workspace_id == workspace_id,
            PersonRequest.kind == KIND,
            PersonRequest.state == UNDER_WAY,
            # All of them: who turned out to be the same person since is no part of an older request.
            PersonRequest.author_ids.contains(person.author_ids),
            PersonRequest.contact_ids.contains(person.contact_ids),
        )
    ).first()
    if standing is not None:
        return standing
    row = PersonRequest(
        workspace_id=workspace_id, kind=KIND, state=UNDER_WAY, person=person.key, author_ids=person.author_ids,
        contact_ids=person.contact_ids, asked_by=by, next_at=real_now(),
        counts={"perhaps": len(person.perhaps), "perhaps_authors": len(person.perhaps_authors)},
    )  # fmt: skip
    session.add(row)
    session.flush()
    listed.add(row.id, persons.marks(session, person, workspace_id))
    acting.audit(session, workspace_id, by, "person.erased", "person_request", row.id)
    return row


def hold(session: Session, workspace_id: UUID, request_id: UUID, lease_id: UUID) -> PersonRequest | None:
    """The request, its row locked until the end of the transaction and its lease renewed; None when somebody else has it."""
    row = session.scalars(
        select(PersonRequest)
        .where(
            PersonRequest.workspace_id == workspace_id,
            PersonRequest.id == request_id,
            PersonRequest.lease_id == lease_id,
            PersonRequest.lease_until > database_now(),
        )
        .with_for_update()
    ).one_or_none()
    if row is not None:
        row.lease_until = until(session)
    return row


# --- the steps ------------------------------------------------------------------------------------------------

Step = Callable[
    [Session, PersonRequest], Mapping[str, int]
]  # what went in one batch, by what it is called; {}: nothing is left

_NATIVE = "SELECT provider, host, native_id FROM authors WHERE workspace_id = %(w)s AND id = ANY(%(authors)s)"
_POSTS = (
    "DELETE FROM engagements WHERE workspace_id = %(w)s AND id = ANY(ARRAY(SELECT id FROM engagements WHERE workspace_id = %(w)s"
    " AND author_id = ANY(%(authors)s) LIMIT %(n)s)) RETURNING 1"
)
# Whoever else names them: our answers to them go, and others' posts name them no more. Read through in the order of ids.
_PART = (
    "SELECT id FROM (SELECT id FROM engagements WHERE workspace_id = %(w)s AND id > %(after)s ORDER BY id LIMIT %(n)s) part"
    " ORDER BY id DESC LIMIT 1"
)
_NAMING = (
    "connections n WHERE n.workspace_id = %(w)s AND n.id = e.connection_id AND e.workspace_id = %(w)s AND e.id > %(after)s"
    " AND e.id <= %(last)s AND n.provider = %(provider)s AND n.host = %(host)s"
)
_ANSWERS = f"DELETE FROM engagements e USING {_NAMING} AND e.ours AND e.in_reply_to_author = %(native)s RETURNING 1"  # noqa: S608
_NAMED = (
    "UPDATE engagements e SET mentions = array_remove(e.mentions, %(native)s),"  # noqa: S608 - our own words
    " in_reply_to_author = nullif(e.in_reply_to_author, %(native)s)"
    f" FROM {_NAMING} AND (%(native)s = ANY(e.mentions) OR e.in_reply_to_author = %(native)s) RETURNING 1"
)
# A network may write an author's id into the ids of posts (at://did:plc:…/…). By these others' posts stand in their threads, and a network
# is asked for them: they stay, and are counted.
_ID = "'://' || %(native)s || '/'"
_BELOW = (
    f"SELECT 1 FROM engagements e, {_NAMING}"  # noqa: S608 - our own words
    f" AND strpos(concat_ws(' ', e.thread, e.in_reply_to, e.quotes), {_ID}) > 0"
)
_DIFFERENCES = f"DELETE FROM differences WHERE workspace_id = %(w)s AND strpos(subject, {_ID}) > 0"  # noqa: S608
_CONVERSATIONS = (
    "DELETE FROM conversations WHERE workspace_id = %(w)s AND id = ANY(ARRAY(SELECT id FROM conversations WHERE workspace_id = %(w)s"
    " AND author_id = ANY(%(authors)s) LIMIT %(n)s)) RETURNING 1"
)
_RELATIONSHIPS = "DELETE FROM relationships WHERE workspace_id = %(w)s AND (author_id = ANY(%(authors)s) OR contact_id = ANY(%(contacts)s)) RETURNING 1"
_WRITTEN = (
    "SELECT count(*) FROM matches WHERE workspace_id = %(w)s AND handle_state = 'written'"
    " AND (author_id = ANY(%(authors)s) OR contact_id = ANY(%(contacts)s))"
)
_MATCHES = "DELETE FROM matches WHERE workspace_id = %(w)s AND (author_id = ANY(%(authors)s) OR contact_id = ANY(%(contacts)s)) RETURNING 1"
_LINKS = (
    "DELETE FROM activity_contacts l USING contacts c WHERE l.workspace_id = %(w)s AND c.workspace_id = %(w)s AND c.id = ANY(%(contacts)s)"
    " AND l.connection_id = c.connection_id AND l.contact_native_id = c.native_id RETURNING 1"
)
_CONTACTS = "DELETE FROM contacts WHERE workspace_id = %(w)s AND id = ANY(%(contacts)s) RETURNING 1"
_BOUGHT = "DELETE FROM bought WHERE workspace_id = %(w)s AND place = %(provider)s || ':' || %(host)s AND resource = %(native)s"
_TOTALS = (
    "UPDATE match_totals t SET authors = t.authors - gone.number, likely = greatest(t.likely - gone.likely, 0)"
    " FROM (SELECT count(*) AS number, coalesce(sum(likely), 0) AS likely FROM authors WHERE workspace_id = %(w)s"
    " AND id = ANY(%(authors)s) AND likely IS NOT NULL) gone WHERE t.workspace_id = %(w)s"
)
_AUTHORS = "DELETE FROM authors WHERE workspace_id = %(w)s AND id = ANY(%(authors)s) RETURNING 1"


def _params(row: PersonRequest) -> dict[str, Any]:
    return {"w": row.workspace_id, "authors": row.author_ids, "contacts": row.contact_ids, "n": BATCH}


def _native(session: Session, row: PersonRequest) -> list[dict[str, str]]:
    found = execute(raw(session), _NATIVE, _params(row))
    return [{"provider": provider, "host": host, "native": native} for provider, host, native in found]


def _deleting(noun: str, statement: str) -> Step:
    def step(session: Session, row: PersonRequest) -> Mapping[str, int]:
        gone = len(execute(raw(session), statement, _params(row)))
        return {noun: gone} if gone else {}

    return step


def _tasks(session: Session, row: PersonRequest) -> Mapping[str, int]:
    done = erasing_tasks.erase(session, row, BATCH)
    return {"tasks": done} if done else {}


def _naming(session: Session, row: PersonRequest) -> Mapping[str, int]:
    """One part of all posts; how far it has come is kept with the request, so that a new worker goes on from there."""
    after = UUID(row.counts.get("scanned", str(UUID(int=0))))
    where = {"w": row.workspace_id, "after": after}
    part = execute(raw(session), _PART, {**where, "n": SCANNED})
    if not part:
        return {}
    last = part[0][0]
    answers = named = below = 0
    for each in _native(session, row):
        answers += len(execute(raw(session), _ANSWERS, {**where, **each, "last": last}))
        named += len(execute(raw(session), _NAMED, {**where, **each, "last": last}))
        below += len(execute(raw(session), _BELOW, {**where, **each, "last": last}))
    row.counts = {**row.counts, "scanned": str(last)}
    return {"answers": answers, "named": named, "below": below}


def _matches(session: Session, row: PersonRequest) -> Mapping[str, int]:
    written = execute(raw(session), _WRITTEN, _params(row))[0][0]
    gone = len(execute(raw(session), _MATCHES, _params(row)))
    return {"matches": gone, "written": written} if gone else {}


def _contacts(session: Session, row: PersonRequest) -> Mapping[str, int]:
    objecting.unfile(session, row.workspace_id, row.contact_ids)
    gone = len(execute(raw(session), _CONTACTS, _params(row)))
    return {"contacts": gone} if gone else {}


def _authors(session: Session, row: PersonRequest) -> Mapping[str, int]:
    for each in _native(session, row):
        for statement in (_BOUGHT, _DIFFERENCES):
            execute(raw(session), statement, {"w": row.workspace_id, **each})
    execute(raw(session), _TOTALS, _params(row))
    gone = len(execute(raw(session), _AUTHORS, _params(row)))
    return {"authors": gone} if gone else {}


STEPS: tuple[Step, ...] = (
    _tasks,
    _deleting("posts", _POSTS),
    _naming,
    _deleting("conversations", _CONVERSATIONS),
    _deleting("relationships", _RELATIONSHIPS),
    _matches,
    _deleting("links", _LINKS),
    _contacts,
    _authors,
)


def count(row: PersonRequest, gone: Mapping[str, int]) -> None:
    """Adds what went to what the request has counted."""
    row.counts = {**row.counts, **{noun: row.counts.get(noun, 0) + number for noun, number in gone.items()}}


def end(session: Session, row: PersonRequest, lines: Sequence[str], *, done: bool, more: bool) -> None:
    """Writes the receipt, which is the last one if `done`; otherwise the rest is done at once (`more`), or the CRMs are looked after
    again."""
    row.receipt = list(lines)
    row.lease_id = row.lease_until = None
    if done:
        row.state, row.done_at, row.next_at = DONE, real_now(), None
        row.counts = {noun: number for noun, number in row.counts.items() if noun != "scanned"}
        erasing_tasks.forget(session, row)
    else:
        row.next_at = real_now() + (timedelta(0) if more else LOOK_AGAIN)
    session.flush()
    due.decide_soon(session, row.workspace_id)
