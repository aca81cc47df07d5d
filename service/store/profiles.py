"""Whose profile is worth its price: those whose texts could become a task, and of whom no fresh profile is held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.records import Engagement
from service.clock import real_now
from service.db import raw
from service.rules.worth import deserves
from service.store import suppressing
from service.store.rows import execute

FRESH = timedelta(days=30)  # a profile is looked up again after this, when its author writes again: handles change

_KNOWN = (
    "SELECT native_id, handle <> '' AND coalesce(profile_at, created_at) > %(stale)s FROM authors"
    " WHERE workspace_id = %(w)s AND provider = %(provider)s AND host = %(host)s AND native_id = ANY(%(ids)s)"
)
_WAITING = (
    "SELECT DISTINCT a.native_id FROM authors a JOIN conversations c ON c.workspace_id = a.workspace_id AND c.author_id = a.id"
    " WHERE a.workspace_id = %(w)s AND a.provider = %(provider)s AND a.host = %(host)s AND a.native_id = ANY(%(ids)s)"
    " AND c.waiting_since IS NOT NULL"
)
_LOOKED_UP = (
    "UPDATE authors SET profile_at = %(now)s WHERE workspace_id = %(w)s AND provider = %(provider)s AND host = %(host)s"
    " AND native_id = ANY(%(ids)s)"
)


def wanted(session: Session, workspace_id: UUID, provider: str, host: str, posts: Sequence[Engagement]) -> set[str]:
    """Ids of the authors of these posts whose profiles are to be bought now. Each is asked for once in `FRESH`."""
    by_author: dict[str, list[Engagement]] = {}
    for post in posts:
        by_author.setdefault(post.author.id, []).append(post)
    if not by_author:
        return set()
    connection, now = raw(session), real_now()
    params = {
        "w": workspace_id, "provider": provider, "host": host, "ids": sorted(by_author), "stale": now - FRESH, "now": now,
    }  # fmt: skip
    known = {native_id for native_id, fresh in execute(connection, _KNOWN, params) if fresh}
    missing = sorted(by_author.keys() - known)
    if not missing:
        return set()
    # Nothing is bought of somebody who is to be left out.
    out = suppressing.listed_ids(session, workspace_id, provider, host, missing)
    missing = [each for each in missing if each not in out]
    waiting = {row[0] for row in execute(connection, _WAITING, {**params, "ids": missing})}
    chosen = {each for each in missing if each in waiting or any(map(deserves, by_author[each]))}
    if chosen:
        execute(connection, _LOOKED_UP, {**params, "ids": sorted(chosen)})
    return chosen
