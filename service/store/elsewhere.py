"""What a wait may be ended by outside its own talk, and how far the two have come: read for a batch of conversations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from integrations.records import Kind
from integrations.registry import handed_in
from service.db import RawConnection, raw
from service.models import Brand
from service.rules.model import Answered, Post, Signals
from service.store import deciding, knowing, us
from service.store.deciding import DueConversation, DueRelationship
from service.store.rows import execute

# A private message of ours names whom it is for wherever the network tells. Ids of two networks may be the same.
_PRIVATE = """
SELECT x.number, e.thread, e.id::text, e.native_id, s.native_id, e.posted_at, e.url, coalesce(nullif(s.name, ''), s.handle),
       CASE WHEN s.provider = ANY(%(places)s) THEN s.host ELSE s.provider END
FROM unnest(%(brands)s::uuid[], %(authors)s::uuid[]) WITH ORDINALITY AS x(brand_id, author_id, number)
JOIN authors a ON a.workspace_id = %(w)s AND a.id = x.author_id
JOIN engagements e ON e.workspace_id = %(w)s AND e.brand_id = x.brand_id AND e.in_reply_to_author = a.native_id
 AND e.ours AND e.kind = 'direct' AND e.deleted_at IS NULL
JOIN authors s ON s.workspace_id = %(w)s AND s.id = e.author_id AND s.provider = a.provider AND s.host = a.host
"""
# By the index over workspace, brand and thread, once for each thread and other brand, however many of the conversations are in it: left to
# itself, the planner may go through all that the account ever wrote, which is why each step stands by itself.
_BY_THE_ACCOUNT = """
WITH x AS MATERIALIZED (
    SELECT * FROM unnest(%(brands)s::uuid[], %(connections)s::uuid[], %(threads)s::text[], %(authors)s::uuid[]) WITH ORDINALITY
        AS x(brand_id, connection_id, thread, author_id, number)
), said AS MATERIALIZED (
    SELECT t.brand_id AS asked, e.*
    FROM (SELECT DISTINCT brand_id, connection_id, thread FROM x) t JOIN unnest(%(all)s::uuid[]) AS other(brand_id) ON other.brand_id <> t.brand_id
    CROSS JOIN LATERAL (
        SELECT id, native_id, author_id, ours, thread, posted_at, url, kind, connection_id, in_reply_to, in_reply_to_author, mentions FROM engagements
        WHERE workspace_id = %(w)s AND brand_id = other.brand_id AND thread = t.thread AND connection_id = t.connection_id
            AND deleted_at IS NULL OFFSET 0
    ) e
), told AS MATERIALIZED (
    SELECT e.*, s.native_id AS speaker, s.name, s.handle, s.provider, s.host, e.ours AND s.native_id = n.account_id AS by_us
    FROM said e
    JOIN authors s ON s.workspace_id = %(w)s AND s.id = e.author_id
    JOIN connections n ON n.workspace_id = %(w)s AND n.id = e.connection_id
    WHERE e.ours AND s.native_id = n.account_id OR EXISTS (
        SELECT 1 FROM unnest(%(of)s::uuid[], %(at)s::uuid[], %(ids)s::text[], %(handles)s::text[]) AS k(brand_id, connection_id, native_id, handle)
        WHERE k.brand_id = e.asked AND k.connection_id = e.connection_id AND (k.native_id = s.native_id OR k.native_id = '' AND k.handle = lower(s.handle)))
)
SELECT x.number, e.thread, e.id::text, e.native_id, e.speaker, e.posted_at, e.url, coalesce(nullif(e.name, ''), e.handle),
       CASE WHEN e.provider = ANY(%(places)s) THEN e.host ELSE e.provider END, e.kind, a.native_id
FROM told e
JOIN x ON x.brand_id = e.asked AND x.connection_id = e.connection_id AND x.thread = e.thread
JOIN authors a ON a.workspace_id = %(w)s AND a.id = x.author_id
WHERE (e.by_us OR e.author_id <> x.author_id)
  AND (e.kind = 'direct' OR e.in_reply_to_author = a.native_id OR a.native_id = ANY(e.mentions) OR x.author_id = (
    SELECT p.author_id FROM engagements p WHERE p.workspace_id = %(w)s AND p.connection_id = e.connection_id AND p.native_id = e.in_reply_to))
"""
# What the account has told them in private since, in another talk than theirs.
_PRIVATE_BY_THE_ACCOUNT = """
SELECT x.number, e.id::text, e.native_id, s.native_id, e.posted_at, e.url, coalesce(nullif(s.name, ''), s.handle),
       CASE WHEN s.provider = ANY(%(places)s) THEN s.host ELSE s.provider END
FROM unnest(%(brands)s::uuid[], %(connections)s::uuid[], %(threads)s::text[], %(authors)s::uuid[]) WITH ORDINALITY
    AS x(brand_id, connection_id, thread, author_id, number)
JOIN authors a ON a.workspace_id = %(w)s AND a.id = x.author_id
JOIN unnest(%(all)s::uuid[]) AS other(brand_id) ON other.brand_id <> x.brand_id
JOIN engagements e ON e.workspace_id = %(w)s AND e.brand_id = other.brand_id AND e.in_reply_to_author = a.native_id
 AND e.connection_id = x.connection_id AND e.thread <> x.thread AND e.ours AND e.kind = 'direct' AND e.deleted_at IS NULL
JOIN connections n ON n.workspace_id = %(w)s AND n.id = e.connection_id
JOIN authors s ON s.workspace_id = %(w)s AND s.id = e.author_id AND s.native_id = n.account_id
"""
_STAGES = """
SELECT r.brand_id, r.person, r.stage FROM unnest(%(brands)s::uuid[], %(people)s::text[]) AS x(brand_id, person)
JOIN relationships r ON r.workspace_id = %(w)s AND r.brand_id = x.brand_id AND r.person = x.person
"""
_SILENT = Signals()


def answers_elsewhere(
    session: Session, workspace_id: UUID, found: Sequence[DueConversation], names: Mapping[str, str]
) -> dict[UUID, tuple[Answered, ...]]:
    """For each of these conversations that has any, by its id: our private messages to the person in other talks, on any
    network where they are known to be the same, and what the CRM has logged with them. `names` are the providers' names."""
    connection = raw(session)
    contacts = sorted({each.contact_id for each in found if each.contact_id})
    logged = deciding.activities_of(session, workspace_id, contacts) if contacts else {}
    authors = knowing.authors_of(session, workspace_id, _known(found))
    people = {
        each.id: {each.author_id, *(authors.get((each.brand_id, each.contact_id), ()) if each.contact_id else ())}
        for each in found
    }
    private = _private(
        connection, workspace_id, {(each.brand_id, who) for each in found for who in people[each.id]}, names
    )
    answers: dict[UUID, tuple[Answered, ...]] = {}
    for each in found if private or logged else ():  # most people are told everything in one place
        posts = (
            post
            for who in sorted(people[each.id])
            for thread, post in private.get((each.brand_id, who), ())
            if thread != each.thread
        )
        if own := (*posts, *(logged.get(each.contact_id, ()) if each.contact_id else ())):
            answers[each.id] = own
    return answers


def _private(
    connection: RawConnection, workspace_id: UUID, people: set[tuple[UUID, UUID]], names: Mapping[str, str]
) -> dict[tuple[UUID, UUID], list[tuple[str, Post]]]:
    """Our private messages to these (brand, author), each with its thread."""
    ordered = sorted(people)
    params = {
        "w": workspace_id,
        "places": handed_in(),
        "brands": [one for one, _ in ordered],
        "authors": [who for _, who in ordered],
    }
    found: dict[tuple[UUID, UUID], list[tuple[str, Post]]] = defaultdict(list)
    for number, thread, *said in execute(connection, _PRIVATE, params):
        found[ordered[number - 1]].append((thread, _ours(said, names, Kind.DIRECT)))
    return found


@dataclass(frozen=True)
class Moved:
    """What was said by an account while it was another brand's than that for which it brought these conversations, by their ids:
    in the same threads, and in private in others."""

    there: Mapping[UUID, tuple[Post, ...]] = field(default_factory=dict)
    private: Mapping[UUID, tuple[Post, ...]] = field(default_factory=dict)


def by_the_account(
    session: Session, workspace_id: UUID, found: Sequence[DueConversation], names: Mapping[str, str]
) -> Moved:
    """What was said to the persons of these conversations by the account itself that brought them, while that was another brand's; in the same
    thread also by colleagues of the conversation's own brand, who count as strangers to the other one. That they were answered counts; the
    words, which are the other brand's, are left out."""
    brands = list(session.scalars(select(Brand.id).where(Brand.workspace_id == workspace_id)))
    if len(brands) < 2 or not found:
        return Moved()
    colleagues = us.colleagues(session, workspace_id, (each.connection_id for each in found))
    params = {
        "w": workspace_id,
        "places": handed_in(),
        **{name: [each[place] for each in colleagues] for place, name in enumerate(("of", "at", "ids", "handles"))},
        "all": brands,
        "brands": [each.brand_id for each in found],
        "connections": [each.connection_id for each in found],
        "threads": [each.thread for each in found],
        "authors": [each.author_id for each in found],
    }
    there: dict[UUID, tuple[Post, ...]] = {}
    for number, _, *said, kind, whom in execute(raw(session), _BY_THE_ACCOUNT, params):
        id_ = found[number - 1].id
        there[id_] = (*there.get(id_, ()), _ours(said, names, Kind(kind), whom))
    private: dict[UUID, tuple[Post, ...]] = {}
    for number, *said in execute(raw(session), _PRIVATE_BY_THE_ACCOUNT, params):
        id_ = found[number - 1].id
        private[id_] = (*private.get(id_, ()), _ours(said, names, Kind.DIRECT))
    return Moved(there, private)


def _ours(said: Sequence[Any], names: Mapping[str, str], kind: Kind, whom: str | None = None) -> Post:
    id_, native, sender, at, url, name, network = said
    return Post(
        id=id_, native_id=native, kind=kind, ours=True, author_id=sender, at=at, text="", signals=_SILENT, url=url, author_name=name,
        network=names.get(network, network), in_reply_to_author=whom,
    )  # fmt: skip


def stages(session: Session, workspace_id: UUID, found: Sequence[DueConversation]) -> dict[tuple[UUID, str], str]:
    """How far these people and brands have come, by (brand, person), where that has been decided."""
    people = sorted({(each.brand_id, each.person) for each in found})
    params = {"w": workspace_id, "brands": [brand for brand, _ in people], "people": [person for _, person in people]}
    return {(brand, person): stage for brand, person, stage in execute(raw(session), _STAGES, params)}


_WAIT_AGAIN = """
UPDATE conversations c SET decide_at = least(c.decide_at, %(now)s) FROM unnest(%(brands)s::uuid[], %(authors)s::uuid[]) AS x(brand_id, author_id)
WHERE c.workspace_id = %(w)s AND c.author_id = ANY(%(authors)s) AND c.brand_id = x.brand_id AND c.author_id = x.author_id
  AND c.waiting_since IS NOT NULL RETURNING c.id
"""


def came_further(session: Session, workspace_id: UUID, moved: Sequence[DueRelationship], now: datetime) -> bool:
    """These have come to another stage, at which patience is another: whoever of them waits is decided again. Returns
    whether anybody does."""
    authors = knowing.authors_of(session, workspace_id, _known(moved))
    waits = [
        (each.brand_id, who)
        for each in moved
        for who in (authors.get((each.brand_id, each.contact_id), ()) if each.contact_id else (each.author_id,))
        if who is not None
    ]
    if not waits:
        return False
    params = {
        "w": workspace_id,
        "now": now,
        "brands": [brand for brand, _ in waits],
        "authors": [who for _, who in waits],
    }
    return bool(execute(raw(session), _WAIT_AGAIN, params))


def _known(found: Iterable[DueConversation | DueRelationship]) -> Iterator[tuple[UUID, UUID]]:
    """(brand, contact) of those whom the brand knows."""
    return ((each.brand_id, each.contact_id) for each in found if each.contact_id)
