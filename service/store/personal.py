"""All that is held about one person, section by section, a bounded part at a time: what an export is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from service.db import raw
from service.rules.model import Signals
from service.rules.signals import from_mask
from service.store.persons import Person

PART = 500  # rows read in one transaction
_FIRST = UUID(int=0)
Row = dict[str, Any]
Open = Callable[[], AbstractContextManager[Session]]  # a transaction of the workspace


@dataclass(frozen=True)
class Section:
    """One list of an export. The query gets the person's ids (%(authors)s, %(contacts)s, %(people)s), goes on after %(after)s, which is the
    row's `key`, and gives at most %(n)s rows."""

    name: str
    about: str
    query: str
    shape: Callable[[Row], Row] = dict


def _signals(row: Row) -> Row:
    """What was read from a text, by name, instead of the number that holds it."""
    mask = row.pop("mask")
    found = from_mask(mask) if mask is not None else Signals()
    said = [each.name for each in fields(Signals) if getattr(found, each.name) is True]
    return {**row, "signals": said}


SECTIONS = (
    Section(
        "profiles",
        "What the networks show of them, as it was last read.",
        "SELECT id AS key, id, provider, host AS place, native_id, handle, former_handles, name, bio, url, website, location, bot, followers, objected_at,"
        " created_at, updated_at FROM authors WHERE workspace_id = %(w)s AND id = ANY(%(authors)s) AND id > %(after)s ORDER BY key LIMIT %(n)s",
    ),
    Section(
        "contacts",
        "The copy of what the CRM has of them.",
        "SELECT c.id AS key, c.id, n.provider AS crm, c.native_id, c.fields, c.updated_at, c.deleted_at, c.objected_at, c.created_at"
        " FROM contacts c JOIN connections n ON n.workspace_id = %(w)s AND n.id = c.connection_id WHERE c.workspace_id = %(w)s"
        " AND c.id = ANY(%(contacts)s) AND c.id > %(after)s ORDER BY key LIMIT %(n)s",
    ),
    Section(
        "matches",
        "Which profile was taken for which contact, on what evidence, and who decided it.",
        "SELECT id AS key, id, author_id, contact_id, state, score, evidence, decided_by, decided_at, handle_state FROM matches"
        " WHERE workspace_id = %(w)s AND (author_id = ANY(%(authors)s) OR contact_id = ANY(%(contacts)s)) AND id > %(after)s ORDER BY key LIMIT %(n)s",
    ),
    Section(
        "posts",
        "What they wrote, private messages included, and what was read from it.",
        "SELECT e.id AS key, e.id, a.provider, a.host AS place, e.native_id, e.kind, e.thread, e.in_reply_to, e.text, e.url, e.language, e.posted_at, e.edited_at, e.received_at, e.deleted_at, e.text_erased_at, s.mask FROM engagements e JOIN authors a ON a.workspace_id = %(w)s AND a.id = e.author_id"
        " LEFT JOIN signals s ON s.workspace_id = %(w)s AND s.engagement_id = e.id WHERE e.workspace_id = %(w)s"
        " AND e.author_id = ANY(%(authors)s) AND e.id > %(after)s ORDER BY key LIMIT %(n)s",
        _signals,
    ),
    Section(
        "answers",
        "What the team wrote to them.",
        "SELECT e.id AS key, e.id, a.provider, a.host AS place, e.native_id, e.kind, e.thread, e.in_reply_to, e.text, e.url, e.language, e.posted_at, e.edited_at, e.received_at, e.deleted_at, e.text_erased_at FROM engagements e JOIN authors a ON a.workspace_id = %(w)s AND a.id = e.author_id WHERE e.workspace_id = %(w)s AND e.ours"
        " AND (a.provider, a.host, e.in_reply_to_author) IN (SELECT provider, host, native_id FROM authors WHERE workspace_id = %(w)s"
        " AND id = ANY(%(authors)s)) AND e.id > %(after)s ORDER BY key LIMIT %(n)s",
    ),
    Section(
        "conversations",
        "Each thread that they are in: whether they wait, and why.",
        "SELECT id AS key, id, author_id, thread, waiting_since, last_post_at, dealt_with_until, reasons, decided_at FROM conversations"
        " WHERE workspace_id = %(w)s AND author_id = ANY(%(authors)s) AND id > %(after)s ORDER BY key LIMIT %(n)s",
    ),
    Section(
        "relationships",
        "How far you have come with them: stage, score, reasons, and the stages before.",
        "SELECT r.id AS key, r.id, r.brand_id, r.stage, r.stage_at, r.score, r.reasons, r.decided_at, (SELECT coalesce(json_agg(json_build_object("
        "'at', s.at, 'stage', s.stage, 'reason', s.reason) ORDER BY s.at), '[]') FROM stage_changes s WHERE s.workspace_id = %(w)s"
        " AND s.relationship_id = r.id) AS stages FROM relationships r WHERE r.workspace_id = %(w)s"
        " AND (r.author_id = ANY(%(authors)s) OR r.contact_id = ANY(%(contacts)s)) AND r.id > %(after)s ORDER BY key LIMIT %(n)s",
    ),
    Section(
        "tasks",
        "Every task about them or made of their words, with its text, what became of it, and whether a call was held back to compare.",
        "SELECT t.id AS key, t.id, t.kind, n.provider AS crm, t.external_id, t.external_url, t.wanted, t.state, t.content->>'subject' AS subject, t.content->>'body' AS body, t.reasons, t.urgency, t.since, t.due_at, t.held_reason, t.trial, t.created_at, t.pushed_at, t.closed_at, t.closed_by, t.close_reason FROM tasks t LEFT JOIN connections n ON n.workspace_id = %(w)s AND n.id = t.crm_connection_id"
        " WHERE t.workspace_id = %(w)s AND (t.author_id = ANY(%(authors)s) OR t.contact_id = ANY(%(contacts)s) OR t.person = ANY(%(people)s)"
        " OR t.id = ANY(ARRAY(SELECT task_id FROM task_authors WHERE workspace_id = %(w)s AND author_id = ANY(%(authors)s))))"
        " AND t.id > %(after)s ORDER BY key LIMIT %(n)s",
    ),
    Section(
        "activities",
        "Calls, meetings, e-mails, texts and notes that the CRM has logged with them: when and what came of it.",
        "SELECT v.id AS key, v.id, v.native_id, v.kind, v.at, v.ends_at, v.direction, v.outcome, v.owner_id, v.deleted_at FROM activities v"
        " WHERE v.workspace_id = %(w)s AND v.id > %(after)s AND EXISTS (SELECT 1 FROM activity_contacts l JOIN contacts c"
        " ON c.workspace_id = %(w)s AND c.id = ANY(%(contacts)s) AND c.connection_id = l.connection_id AND c.native_id = l.contact_native_id"
        " WHERE l.workspace_id = %(w)s AND l.activity_id = v.id) ORDER BY key LIMIT %(n)s",
    ),
    Section(
        "requests",
        "What was asked for them before: objections, and erasures under way.",
        "SELECT id AS key, id, kind, state, created_at, done_at FROM person_requests WHERE workspace_id = %(w)s"
        " AND (author_ids && %(authors)s::uuid[] OR contact_ids && %(contacts)s::uuid[]) AND id > %(after)s ORDER BY key LIMIT %(n)s",
    ),
)  # fmt: skip


def rows(opened: Open, workspace_id: UUID, person: Person, section: Section) -> Iterator[Row]:
    """The rows of one section, each part in a transaction of its own: nothing is held while somebody reads slowly."""
    params = {"w": workspace_id, **ids_of(person), "n": PART}
    after = _FIRST
    while True:
        with opened() as session, raw(session).cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(section.query.encode(), {**params, "after": after}).fetchall()
        for row in found:
            after = row.pop("key")
            yield section.shape(row)
        if len(found) < PART:
            return


def first(session: Session, workspace_id: UUID, person: Person, section: Section, limit: int) -> tuple[list[Row], bool]:
    """The first rows of one section, and whether there are more."""
    params = {"w": workspace_id, **ids_of(person), "n": limit + 1, "after": _FIRST}
    with raw(session).cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(section.query.encode(), params).fetchall()
    for row in found:
        del row["key"]
    return [section.shape(row) for row in found[:limit]], len(found) > limit


def ids_of(person: Person) -> Mapping[str, Any]:
    """The ids of a person as the queries take them."""
    people = [f"author:{each}" for each in person.author_ids] + [f"contact:{each}" for each in person.contact_ids]
    return {"authors": person.author_ids, "contacts": person.contact_ids, "people": people}
