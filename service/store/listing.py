"""What there is to list of a workspace, for the API and the console: which columns, in which order, by what it can be narrowed.

Each list takes (session, workspace_id, *, filters, after, limit) and returns (rows, cursor of the next page or None).
`filters` are by the names in the list's table; None is no filter. Raises BadCursorError.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from service import settings
from service.store import freezing, keeping, knowing
from service.store.paging import PAGE, Filters, Listing, Page, Row, one, page, rows_of

_AUTHOR = "a.provider, a.handle AS author_handle, a.name AS author_name, a.url AS author_url"
_CONTACT = "m.contact_id, k.name AS contact_name, k.company AS contact_company, k.fields->>'url' AS contact_url"

ENGAGEMENTS = Listing(
    "engagements",
    f"e.id, e.connection_id, e.brand_id, e.native_id, e.kind, e.ours, e.author_id, {_AUTHOR}, e.thread, e.in_reply_to, e.quotes,"
    " e.text, e.url, e.language, e.is_repost, e.posted_at, e.edited_at, e.window_closes_at, e.received_at, e.deleted_at, e.text_erased_at",
    "engagements e JOIN authors a ON a.workspace_id = e.workspace_id AND a.id = e.author_id",
    (("e.posted_at", "posted_at", datetime), ("e.id", "id", UUID)),
    filters={
        "connection_id": "e.connection_id = %(connection_id)s",
        "author_id": "e.author_id = %(author_id)s",
        "since": "e.posted_at >= %(since)s",
        "until": "e.posted_at < %(until)s",
    },
)
_CONVERSATION = (
    f"c.id, c.brand_id, c.connection_id, c.author_id, {_AUTHOR}, {_CONTACT}, c.thread, c.waiting_since, c.last_post_at,"
    " c.dealt_with_until, c.reasons, c.settings_version, c.rules_version, c.decided_at, t.id AS task_id,"
    " p.text AS last_text, p.url AS last_url, p.posted_at AS last_said_at"
)
_CONVERSATIONS = (
    "conversations c JOIN authors a ON a.workspace_id = c.workspace_id AND a.id = c.author_id"  # noqa: S608 - names of our own columns
    f" LEFT JOIN LATERAL {knowing.contact_of('c')} m ON true"
    " LEFT JOIN contacts k ON k.workspace_id = c.workspace_id AND k.id = m.contact_id"
    # What they said last, and the task that stands for it.
    " LEFT JOIN LATERAL (SELECT e.text, e.url, e.posted_at FROM engagements e WHERE e.workspace_id = c.workspace_id"
    " AND e.author_id = c.author_id AND e.brand_id = c.brand_id AND e.thread = c.thread ORDER BY e.posted_at DESC LIMIT 1) p ON true"
    " LEFT JOIN LATERAL (SELECT t.id FROM tasks t WHERE t.workspace_id = c.workspace_id AND t.conversation_id = c.id"
    " AND t.wanted = 'open' ORDER BY t.created_at DESC LIMIT 1) t ON true"
)
_OF_CONVERSATIONS = {
    "brand_id": "c.brand_id = %(brand_id)s",
    "connection_id": "c.connection_id = %(connection_id)s",
    "author_id": "c.author_id = %(author_id)s",
}
CONVERSATIONS = Listing(
    "conversations",
    _CONVERSATION,
    _CONVERSATIONS,
    (("c.last_post_at", "last_post_at", datetime), ("c.id", "id", UUID)),
    filters=_OF_CONVERSATIONS,
)
WAITING = Listing(
    "waiting",
    _CONVERSATION,
    _CONVERSATIONS,
    (("c.waiting_since", "waiting_since", datetime), ("c.id", "id", UUID)),
    descending=False,  # whoever has waited longest stands first
    filters=_OF_CONVERSATIONS,
    where="c.waiting_since IS NOT NULL",
)
CONTACTS = Listing(
    "contacts",
    "k.id, k.connection_id, k.native_id, k.name, k.company, k.owner_id, k.fields, k.updated_at",
    "contacts k",
    # By id, not by name: a contact that is renamed while somebody pages would be missed or come twice.
    (("k.id", "id", UUID),),
    filters={"connection_id": "k.connection_id = %(connection_id)s"},
    where="k.deleted_at IS NULL",
)
MATCHES = Listing(
    "matches",
    f"m.id, m.author_id, {_AUTHOR}, a.location AS author_location, {_CONTACT}, k.fields->>'city' AS contact_city,"
    " k.fields->'emails'->>0 AS contact_email, k.connection_id, n.provider AS crm, n.name AS crm_name, m.state, m.score, m.evidence, m.decided_by, m.decided_at, m.rules_version,"
    " m.handle_state, m.handle_detail",
    "matches m JOIN authors a ON a.workspace_id = m.workspace_id AND a.id = m.author_id"
    " JOIN contacts k ON k.workspace_id = m.workspace_id AND k.id = m.contact_id"
    " JOIN connections n ON n.workspace_id = m.workspace_id AND n.id = k.connection_id",
    (("m.id", "id", UUID),),
    filters={
        "state": "m.state = %(state)s",
        "author_id": "m.author_id = %(author_id)s",
        "contact_id": "m.contact_id = %(contact_id)s",
        "connection_id": "k.connection_id = %(connection_id)s",
    },
)
TASKS = Listing(
    "tasks",
    "t.id, t.key, t.kind, t.brand_id, t.author_id, a.provider, a.handle AS author_handle, a.name AS author_name, a.url AS author_url, t.contact_id,"
    " k.name AS contact_name, k.company AS contact_company, k.fields->>'url' AS contact_url, t.conversation_id, t.crm_connection_id, t.wanted,"
    " t.state, t.content, t.edited, t.reasons, t.urgency, t.since, t.due_at, t.held_reason, t.held_until, t.external_id, t.external_url,"
    " t.detail, t.parked_at, t.pushed_at, t.closed_at, t.closed_by, t.close_reason, t.run_id, t.settings_version, t.rules_version, t.decided_at, t.created_at,"
    " c.connection_id AS network_connection_id, p.url AS post_url",
    "tasks t LEFT JOIN authors a ON a.workspace_id = t.workspace_id AND a.id = t.author_id"
    " LEFT JOIN contacts k ON k.workspace_id = t.workspace_id AND k.id = t.contact_id"
    " LEFT JOIN conversations c ON c.workspace_id = t.workspace_id AND c.id = t.conversation_id"
    # Where a person answers: what they said last in that thread.
    " LEFT JOIN LATERAL (SELECT e.url FROM engagements e WHERE e.workspace_id = c.workspace_id AND e.author_id = c.author_id"
    " AND e.brand_id = c.brand_id AND e.thread = c.thread ORDER BY e.posted_at DESC LIMIT 1) p ON true",
    (("t.created_at", "created_at", datetime), ("t.id", "id", UUID)),
    filters={
        "kind": "t.kind = %(kind)s",
        "state": "t.state = %(state)s",
        "wanted": "t.wanted = %(wanted)s",
        "held": "(t.held_reason <> '' AND t.wanted = 'open') = %(held)s",
        "brand_id": "t.brand_id = %(brand_id)s",
        "contact_id": "t.contact_id = %(contact_id)s",
        "conversation_id": "t.conversation_id = %(conversation_id)s",
        "relationship_id": "t.relationship_id = %(relationship_id)s",
        "crm_connection_id": "t.crm_connection_id = %(crm_connection_id)s",
        "parked": "(t.parked_at IS NOT NULL) = %(parked)s",
    },
)
CONNECTIONS = Listing(
    "connections",
    "n.id, n.brand_id, n.provider, n.kind, n.host, n.account_id, n.handle, n.name, n.url, n.way, n.options, n.status, n.status_reason, n.status_at,"
    " n.missing_steps, n.receipt,"
    " n.push_failures, n.push_error, n.next_push_at, n.push_lease_id IS NOT NULL AS pushing,"
    " n.preview, n.approved_at, n.responder_email, n.ready_at, n.paused_at, n.paused_reason, n.monthly_ceiling, n.created_at",
    "connections n",
    (("n.id", "id", UUID),),
    descending=False,
    filters={"kind": "n.kind = %(kind)s", "brand_id": "n.brand_id = %(brand_id)s", "status": "n.status = %(status)s"},
)
BRANDS = Listing(
    "brands",
    "b.id, b.name, b.crm_connection_id, b.colleagues, b.created_at",
    "brands b",
    (("b.id", "id", UUID),),
    descending=False,
)
RUNS = Listing(
    "runs",
    "r.id, r.kind, r.state, r.settings_version, r.from_settings_version, r.rules_version, r.from_rules_version, r.started_by, r.decided_by,"
    " r.decided_at, r.created_at, r.counts",
    "runs r",
    (("r.id", "id", UUID),),
)
PERSON_REQUESTS = Listing(
    "person_requests",
    "q.id, q.kind, q.state, q.person, q.asked_by, q.counts, q.receipt, q.created_at, q.done_at",
    "person_requests q",
    (("q.id", "id", UUID),),
)
_STREAMS = (
    "SELECT connection_id, name, status, next_pull_at, first_done_at, last_pulled_at, last_item_at, served_at, items, reads, failures, error,"
    " error_at, waits_for, notes, budget FROM streams WHERE workspace_id = %(w)s AND connection_id = ANY(%(ids)s) ORDER BY connection_id, name"
)
_OWNERS = (
    "SELECT o.connection_id, o.native_id, o.email, o.name FROM unnest(%(crms)s::uuid[], %(owners)s::text[]) AS x(crm, owner)"
    " JOIN owners o ON o.workspace_id = %(w)s AND o.connection_id = x.crm AND o.native_id = x.owner"
)


def engagements(
    session: Session, workspace_id: UUID, *, filters: Filters | None = None, after: str | None = None, limit: int = PAGE
) -> Page:
    """Posts, newest first. Filters: connection_id, author_id, since (posted then or later), until (posted before)."""
    return page(session, workspace_id, ENGAGEMENTS, filters=filters or {}, after=after, limit=limit)


def conversations(
    session: Session, workspace_id: UUID, *, filters: Filters | None = None, after: str | None = None, limit: int = PAGE
) -> Page:
    """Conversations, the one that moved last first; with `waiting` true, those where somebody waits, longest first.
    Filters: waiting, brand_id, connection_id, author_id."""
    rest = dict(filters or {})
    listing = WAITING if rest.pop("waiting", None) else CONVERSATIONS
    return page(session, workspace_id, listing, filters=rest, after=after, limit=limit)


def contacts(
    session: Session, workspace_id: UUID, *, filters: Filters | None = None, after: str | None = None, limit: int = PAGE
) -> Page:
    """Contacts that the CRM still has, newest here first; `fields` is the rest of the record. Filters: connection_id."""
    return page(session, workspace_id, CONTACTS, filters=filters or {}, after=after, limit=limit)


def matches(
    session: Session, workspace_id: UUID, *, filters: Filters | None = None, after: str | None = None, limit: int = PAGE
) -> Page:
    """Matches, newest first. Filters: state, author_id, contact_id, connection_id (of the CRM)."""
    return page(session, workspace_id, MATCHES, filters=filters or {}, after=after, limit=limit)


def tasks(
    session: Session, workspace_id: UUID, *, filters: Filters | None = None, after: str | None = None, limit: int = PAGE
) -> Page:
    """Tasks, newest first, the held ones among them. Filters: kind, state, wanted, held and parked (true or false), brand_id,
    contact_id, conversation_id, relationship_id, crm_connection_id."""
    return page(session, workspace_id, TASKS, filters=filters or {}, after=after, limit=limit)


def connections(
    session: Session, workspace_id: UUID, *, filters: Filters | None = None, after: str | None = None, limit: int = PAGE
) -> Page:
    """Connections, oldest first, each with its `streams`. Filters: kind, brand_id, status."""
    rows, cursor = page(session, workspace_id, CONNECTIONS, filters=filters or {}, after=after, limit=limit)
    return with_streams(session, workspace_id, rows), cursor


def connection(session: Session, workspace_id: UUID, connection_id: UUID) -> Row | None:
    """One connection with its `streams`."""
    row = one(session, workspace_id, CONNECTIONS, connection_id)
    return with_streams(session, workspace_id, [row])[0] if row else None


def brands(
    session: Session, workspace_id: UUID, *, filters: Filters | None = None, after: str | None = None, limit: int = PAGE
) -> Page:
    """Brands, oldest first."""
    return page(session, workspace_id, BRANDS, filters=filters or {}, after=after, limit=limit)


def with_streams(session: Session, workspace_id: UUID, rows: list[Row]) -> list[Row]:
    """The same connections, each with its `streams`, how often they are looked at where the workspace says that (`poll_seconds`), why it is `frozen` ("": it is not), and how many of its texts are `overdue`: not
    served for longer than its network gives us to follow changes."""
    found: dict[UUID, list[Row]] = defaultdict(list)
    for stream in rows_of(session, _STREAMS, {"w": workspace_id, "ids": [row["id"] for row in rows]}):
        found[stream.pop("connection_id")].append(stream)
    frozen, closed = freezing.reasons(session), freezing.closing(session, workspace_id)
    pace = settings.current(session, workspace_id).values["poll_seconds"] if rows else None
    return [
        {
            **row,
            "poll_seconds": pace,
            "streams": found[row["id"]],
            "frozen": closed
            or freezing.why(row["provider"], row["paused_at"] is not None, row["paused_reason"], frozen),
            "overdue": keeping.overdue(session, workspace_id, row["id"], row["provider"]),
        }
        for row in rows
    ]


def owners_of(session: Session, workspace_id: UUID, rows: Sequence[Row]) -> dict[tuple[UUID, str], Row]:
    """The owners that rows of `tasks` name, by (CRM connection, the CRM's owner id): native_id, email, name."""
    wanted = {(row["crm_connection_id"], row["content"].get("owner_id")) for row in rows}
    pairs = [(crm, owner) for crm, owner in wanted if crm and owner]
    if not pairs:
        return {}
    params = {"w": workspace_id, "crms": [crm for crm, _ in pairs], "owners": [owner for _, owner in pairs]}
    return {(row["connection_id"], row["native_id"]): row for row in rows_of(session, _OWNERS, params)}


def posts_of(session: Session, workspace_id: UUID, brand_id: UUID, thread: str, *, limit: int = 500) -> list[Row]:
    """The posts of a thread that we hold, oldest first; of a longer thread the newest `limit`."""
    rows = rows_of(
        session,
        f"{ENGAGEMENTS.select} AND e.brand_id = %(brand)s AND e.thread = %(thread)s ORDER BY {ENGAGEMENTS.order} LIMIT %(n)s",
        {"w": workspace_id, "brand": brand_id, "thread": thread, "n": limit},
    )
    return rows[::-1]
