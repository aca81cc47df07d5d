"""What a wait may be ended by outside its own talk, and how far the two have come: read for a batch of conversations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.records import Kind
from integrations.registry import handed_in
from service.db import RawConnection, raw
from service.rules.model import Answered, Post, Signals
from service.store import deciding, knowing
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
    for number, thread, id_, native, sender, at, url, name, network in execute(connection, _PRIVATE, params):
        post = Post(
            id=id_, native_id=native, kind=Kind.DIRECT, ours=True, author_id=sender, at=at, text="", signals=_SILENT, url=url,
            author_name=name, network=names.get(network, network),
        )  # fmt: skip
        found[ordered[number - 1]].append((thread, post))
    return found


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
