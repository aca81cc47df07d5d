"""How long texts are kept: what is too old, or can no longer be followed at its source, loses its text; the rest of the row stays, so that
figures and verdicts do. What an open task or a waiting conversation rests on is kept until that is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session

from integrations.registry import providers
from service.clock import business_now, real_now
from service.db import raw
from service.models.talk import KNOWN
from service.store import redacting
from service.store.rows import execute

BATCH = 1000
GONE = "Its text is not kept any more"  # the subject of a task whose time is past
FIRST = (datetime.fromisoformat("0001-01-02T00:00:00+00:00"), UUID(int=0))  # where a pass begins


@dataclass(frozen=True)
class Limit:
    """How long the texts of one connection are kept."""

    connection_id: UUID
    before: datetime  # business time: what was posted before goes
    unfollowed: (
        datetime | None
    )  # real time: what its network has not served since goes too; None: it states no deadline


def days_of(values: Mapping[str, Any], provider: str) -> int:
    """For how many days these settings keep what was read from this network."""
    own = dict(each.split(":") for each in values["retention_by_network"])
    return int(own.get(provider, values["retention_days"]))


def limits(session: Session, workspace_id: UUID, values: Mapping[str, Any]) -> list[Limit]:
    """The limits of every social connection, whatever its state, under these settings."""
    rows = execute(
        raw(session),
        "SELECT id, provider FROM connections WHERE workspace_id = %(w)s AND kind = 'social' ORDER BY id",
        {"w": workspace_id},
    )
    return [
        Limit(id_, business_now() - timedelta(days=days_of(values, provider)), _unfollowed(provider))
        for id_, provider in rows
    ]


def _unfollowed(provider: str) -> datetime | None:
    found = providers().get(provider)
    return real_now() - found.follow.within if found and found.follow else None


# --- posts ----------------------------------------------------------------------------------------------------

# Nobody waits there, and no open task is about this talk or its author. (What is still being read for the first time has
# not been looked at: somebody may wait. Where it was disconnected meanwhile, nobody will look.)
_RESTS = """(
    EXISTS (SELECT 1 FROM conversations c WHERE c.workspace_id = e.workspace_id AND c.brand_id = e.brand_id AND c.thread = e.thread
            AND (c.waiting_since IS NOT NULL
                 OR (c.decide_at = 'infinity' AND EXISTS (SELECT 1 FROM connections n
                     WHERE n.workspace_id = e.workspace_id AND n.id = c.connection_id AND n.status <> 'disconnected'))
                 OR EXISTS (SELECT 1 FROM tasks t WHERE t.workspace_id = e.workspace_id AND t.conversation_id = c.id AND t.wanted = 'open')))
    OR EXISTS (SELECT 1 FROM tasks t WHERE t.workspace_id = e.workspace_id AND t.wanted = 'open' AND t.person = 'author:' || e.author_id::text)
    OR EXISTS (SELECT 1 FROM matches m JOIN tasks t ON t.workspace_id = e.workspace_id AND t.wanted = 'open'
               AND t.person = 'contact:' || m.contact_id::text
               WHERE m.workspace_id = e.workspace_id AND m.author_id = e.author_id AND m.state = 'confirmed')
)"""
_KEPT = "e.workspace_id = %(w)s AND e.connection_id = %(c)s AND e.deleted_at IS NULL AND e.text_erased_at IS NULL"
# By age, and by when the network last served it. What we said ourselves is ours to keep up to date.
_BY = {"posted_at": "true", "checked_at": "NOT e.ours"}
_SOME = (
    "SELECT e.{by}, e.id FROM engagements e WHERE {kept} AND e.{by} < %(before)s AND (e.{by}, e.id) > (%(at)s, %(id)s) AND {which}"
    " ORDER BY e.{by}, e.id LIMIT %(n)s"
)
_ERASE = (
    "WITH old AS MATERIALIZED (SELECT e.id, e.text FROM engagements e"  # noqa: S608 - our own words
    f" WHERE e.workspace_id = %(w)s AND e.id = ANY(%(ids)s) AND e.text_erased_at IS NULL AND NOT {_RESTS} ORDER BY e.id FOR UPDATE)"
    " UPDATE engagements e SET text = '', text_erased_at = %(now)s FROM old WHERE e.workspace_id = %(w)s AND e.id = old.id"
    " RETURNING e.author_id, e.brand_id, e.thread, old.text"
)
_COUNT = (
    f"SELECT count(*) FROM engagements e WHERE {_KEPT} AND e.posted_at < %(before)s AND e.text <> '' AND NOT {_RESTS}"  # noqa: S608
)
_OVERDUE = (
    f"SELECT count(*), min(e.checked_at) FROM engagements e WHERE {_KEPT} AND e.checked_at < %(before)s AND NOT e.ours"  # noqa: S608
)

Cursor = tuple[datetime, UUID]


def erase_posts(
    session: Session, workspace_id: UUID, limit: Limit, by: str, before: datetime, after: Cursor
) -> tuple[Cursor | None, set[UUID]]:
    """Erases texts of up to a batch of posts of this connection whose `by` (posted_at or checked_at) lies before `before`, from `after`
    on; where its network wants changes followed, tasks quote them no more either, since from here on nobody does. Returns where to go on
    (None: that was all) and the authors whose texts went."""
    statement = _SOME.format(by=by, kept=_KEPT, which=_BY[by])
    where = {"w": workspace_id, "c": limit.connection_id, "before": before, "at": after[0], "id": after[1], "n": BATCH}
    found = execute(raw(session), statement, where)
    if not found:
        return None, set()
    params = {"w": workspace_id, "ids": [row[1] for row in found], "now": real_now()}
    erased = execute(raw(session), _ERASE, params)
    if limit.unfollowed is not None:
        redacting.redact_lapsed(session, workspace_id, [tuple(row[1:]) for row in erased if row[3]])
    return (found[-1] if len(found) == BATCH else None), {row[0] for row in erased}


def overdue(session: Session, workspace_id: UUID, connection_id: UUID, provider: str) -> int:
    """How many texts of this connection its network has not served for longer than it gives us to follow changes: something open
    rests on them, and they could not be asked for. 0 where it states no deadline."""
    before = _unfollowed(provider)
    if before is None:
        return 0
    [row] = execute(raw(session), _OVERDUE, {"w": workspace_id, "c": connection_id, "before": before})
    return int(row[0])


# --- who wrote them -------------------------------------------------------------------------------------------

LOOK_EVERY = timedelta(days=1)  # all profiles are looked through so often
_PROFILES = f"SELECT id FROM authors WHERE workspace_id = %(w)s AND id > %(after)s AND {KNOWN} ORDER BY id LIMIT %(n)s"  # noqa: S608 - our own words
# One after the other, each by the index over their posts, until one is found for whose sake they stay. Whoever has no post at all has
# been here for as long as a text is kept.
_PAST = """
SELECT a.id FROM authors a LEFT JOIN LATERAL (
    SELECT true AS there FROM engagements e WHERE e.workspace_id = %(w)s AND e.author_id = a.id AND (e.ours OR (e.text_erased_at IS NULL AND e.deleted_at IS NULL)
        OR e.posted_at >= (SELECT l.before FROM unnest(%(connections)s::uuid[], %(befores)s::timestamptz[]) AS l (id, before) WHERE l.id = e.connection_id)) LIMIT 1
) one ON true LEFT JOIN LATERAL (
    SELECT true AS there FROM engagements e WHERE e.workspace_id = %(w)s AND e.author_id = a.id LIMIT 1
) any_one ON true
WHERE a.workspace_id = %(w)s AND a.id = ANY(%(ids)s) AND one.there IS NULL AND (a.created_at < %(created)s OR any_one.there)
"""
_LOCK = "SELECT id FROM authors WHERE workspace_id = %(w)s AND id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE"
_NOBODY = """
SELECT a.id FROM authors a WHERE a.workspace_id = %(w)s AND a.id = ANY(%(ids)s)
  AND NOT EXISTS (SELECT 1 FROM engagements e WHERE e.workspace_id = %(w)s AND e.author_id = a.id AND (e.ours OR (e.text_erased_at IS NULL AND e.deleted_at IS NULL)))
  AND NOT EXISTS (SELECT 1 FROM matches m WHERE m.workspace_id = %(w)s AND m.author_id = a.id AND m.state = 'confirmed')
"""
# By the index over who somebody is to a brand.
_THEIRS = "{0}brand_id = ANY(ARRAY(SELECT id FROM brands WHERE workspace_id = %(w)s)) AND {0}person = ANY(%(people)s)"
_FORGET = [
    "\nDELETE FROM author_keys k USING authors a WHERE k.workspace_id = %(w)s AND a.workspace_id = %(w)s AND a.id = ANY(%(ids)s)\n  AND k.key = ANY(a.filed) AND k.author_id = a.id",
    "\nDELETE FROM matches WHERE workspace_id = %(w)s AND author_id = ANY(%(ids)s) AND decided_by = 'rules'",
    "\nUPDATE authors SET handle = '', former_handles = '{}', name = '', bio = '', url = '', website = '', location = '', followers = NULL, filed = '{}', match_due = false\n  WHERE workspace_id = %(w)s AND id = ANY(%(ids)s)",
    "\nUPDATE conversations SET reasons = '[]'::jsonb WHERE workspace_id = %(w)s AND author_id = ANY(%(ids)s)",
    "\nUPDATE stage_changes s SET reason = '' FROM relationships r WHERE s.workspace_id = %(w)s AND r.workspace_id = %(w)s\n  AND r.id = s.relationship_id AND "
    + _THEIRS.format("r."),
    "\nUPDATE relationships SET reasons = '[]'::jsonb WHERE workspace_id = %(w)s AND " + _THEIRS.format(""),
]


def past_profiles(
    session: Session, workspace_id: UUID, found: Sequence[Limit], values: Mapping[str, Any], after: UUID | None
) -> tuple[UUID | None, list[UUID]]:
    """Looks through up to a batch of profiles, from `after` on (None: from the first). Returns where to go on (None: that was all), and
    those of whom no text is kept and whose last post is older than texts are kept under these limits and settings."""
    some = execute(raw(session), _PROFILES, {"w": workspace_id, "after": after or UUID(int=0), "n": BATCH})
    params = {
        "w": workspace_id,
        "ids": [row[0] for row in some],
        "connections": [each.connection_id for each in found],
        "befores": [each.before for each in found],
        "created": real_now() - timedelta(days=values["retention_days"]),
    }
    past = execute(raw(session), _PAST, params) if some else []
    return (some[-1][0] if len(some) == BATCH else None), [row[0] for row in past]


def forget_authors(session: Session, workspace_id: UUID, ids: Iterable[UUID]) -> int:
    """Of these authors, the profiles of those of whom no text is kept any more and whom no CRM knows, and what was concluded of them;
    counts and the network's ids stay. Returns how many there were."""
    params = {"w": workspace_id, "ids": sorted(ids)}
    execute(raw(session), _LOCK, params)  # a post of theirs that is just being stored is seen, or comes after
    found = [row[0] for row in execute(raw(session), _NOBODY, params)]
    people = [f"author:{each}" for each in found]
    for statement in _FORGET if found else ():
        execute(raw(session), statement, {"w": workspace_id, "ids": found, "people": people})
    return len(found)


# --- tasks ----------------------------------------------------------------------------------------------------

# The connections of the talks that a task is about: its conversation's; those of all of its person's with the brand where it is about
# these as a whole, as a call is, and of those whose words it was made of, matched or not by now. One after the other, each by its index.
_TALKS = """(
    SELECT c.connection_id, c.brand_id, c.thread FROM conversations c WHERE c.workspace_id = %(w)s AND c.id = t.conversation_id
    UNION ALL SELECT c.connection_id, c.brand_id, c.thread FROM (
        SELECT t.author_id AS id UNION ALL SELECT m.author_id FROM matches m
        WHERE m.workspace_id = %(w)s AND m.contact_id = t.contact_id AND m.state = 'confirmed'
        UNION SELECT q.author_id FROM task_authors q WHERE q.workspace_id = %(w)s AND q.task_id = t.id
    ) a JOIN conversations c ON c.workspace_id = %(w)s AND c.brand_id = t.brand_id AND c.author_id = a.id WHERE t.conversation_id IS NULL
)"""
# Of several networks the one that keeps the shortest says for how long. What is still to be said to the CRM is said first, if it is there.
# Where a network wants changes followed, what a task quotes is known by its text here: that stays while something rests on the talk's.
_CLOSED = f"""t.workspace_id = %(w)s AND t.closed_at < %(latest)s AND t.wanted <> 'open' AND t.erased_at IS NULL
    AND (t.push_at IS NULL OR EXISTS (SELECT 1 FROM connections n WHERE n.workspace_id = %(w)s AND n.id = t.crm_connection_id AND n.status = 'disconnected'))
    AND NOT EXISTS (SELECT 1 FROM {_TALKS} talk JOIN engagements e ON e.workspace_id = %(w)s AND e.brand_id = talk.brand_id AND e.thread = talk.thread
        WHERE talk.connection_id = ANY(%(followed)s) AND e.deleted_at IS NULL AND e.text_erased_at IS NULL AND NOT e.ours AND {_RESTS})
    AND t.closed_at < coalesce((SELECT max(l.before) FROM unnest(%(connections)s::uuid[], %(befores)s::timestamptz[]) AS l (id, before)
        JOIN {_TALKS} talk ON talk.connection_id = l.id), %(otherwise)s)"""  # noqa: S608 - our own words
# What stands in the CRM is the team's; here the text goes on both sides of the difference, so that nothing is said to the CRM.
_ERASE_TASKS = (
    f"WITH old AS (SELECT t.id FROM tasks t WHERE {_CLOSED} ORDER BY t.closed_at LIMIT %(n)s FOR UPDATE), gone AS (DELETE FROM run_changes"  # noqa: S608
    " WHERE workspace_id = %(w)s AND task_id IN (SELECT id FROM old))"
    " UPDATE tasks t SET content = (t.content - 'body') || %(text)s, written = (t.written - 'body') || %(text)s, sent = '[]'::jsonb, reasons = '[]'::jsonb,"
    " detail = '', close_reason = '', erased_at = %(now)s FROM old WHERE t.workspace_id = %(w)s AND t.id = old.id RETURNING 1"
)
_COUNT_TASKS = f"SELECT count(*) FROM tasks t WHERE {_CLOSED}"  # noqa: S608


def erase_tasks(session: Session, workspace_id: UUID, found: Sequence[Limit], values: Mapping[str, Any]) -> int:
    """Erases the texts of up to a batch of tasks that were closed for longer than the texts they are about are kept under these limits
    and settings. Returns how many."""
    more = {"n": BATCH, "now": real_now(), "text": Jsonb({"subject": GONE})}
    return len(execute(raw(session), _ERASE_TASKS, {**_closed(workspace_id, found, values), **more}))


def _closed(workspace_id: UUID, found: Sequence[Limit], values: Mapping[str, Any]) -> dict[str, Any]:
    """What `_CLOSED` asks for: tasks are closed in real time."""
    befores = [_real(each.before) for each in found]
    otherwise = real_now() - timedelta(days=values["retention_days"])
    return {
        "w": workspace_id,
        "connections": [each.connection_id for each in found],
        "befores": befores,
        "followed": [each.connection_id for each in found if each.unfollowed is not None],
        "otherwise": otherwise,
        "latest": max([*befores, otherwise]),
    }


def _real(business: datetime) -> datetime:
    """The real instant as far back as this one is in business time."""
    return real_now() - (business_now() - business)


# --- contacts -------------------------------------------------------------------------------------------------

# As long as the usual CRMs can bring a deleted contact back, and as somebody may think better of having disconnected a CRM.
CONTACTS_KEPT = timedelta(days=30)


# --- beforehand -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Preview:
    """What would lose its text at once."""

    posts: int
    tasks: int


def preview(session: Session, workspace_id: UUID, values: Mapping[str, Any]) -> Preview:
    """What these settings would erase that is still kept."""
    found, posts = limits(session, workspace_id, values), 0
    for each in found:
        params = {"w": workspace_id, "c": each.connection_id, "before": each.before}
        posts += execute(raw(session), _COUNT, params)[0][0]
    [(tasks,)] = execute(raw(session), _COUNT_TASKS, _closed(workspace_id, found, values))
    return Preview(posts, tasks)
