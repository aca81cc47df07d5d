"""How regular each account is, and how much of what it writes is talk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from service.db import raw
from service.store.rows import execute

# A post of our own that speaks to nobody in particular: no answer, no quote, no private word, and it names nobody.
_BROADCAST = (
    "e.kind <> 'direct' AND e.in_reply_to IS NULL AND e.quotes IS NULL AND coalesce(cardinality(e.mentions), 0) = 0"
)
_OF_ACCOUNTS = f"""
WITH own AS (
    SELECT e.connection_id, e.posted_at, {_BROADCAST} AS broadcast,
           e.posted_at - lag(e.posted_at, 1, %(since)s) OVER (PARTITION BY e.connection_id ORDER BY e.posted_at) AS pause
    FROM engagements e WHERE e.workspace_id = %(w)s AND e.ours AND e.deleted_at IS NULL AND e.posted_at >= %(since)s AND e.posted_at <= %(until)s
)
SELECT n.id, n.provider, n.handle, count(o.posted_at), count(*) FILTER (WHERE o.broadcast), count(DISTINCT date_trunc('day', o.posted_at AT TIME ZONE %(zone)s)),
       count(DISTINCT floor(extract(epoch FROM o.posted_at - %(since)s) / 604800)), greatest(max(o.pause), %(until)s - coalesce(max(o.posted_at), %(since)s))
FROM connections n LEFT JOIN own o ON o.connection_id = n.id
WHERE n.workspace_id = %(w)s AND n.kind = 'social' AND n.status <> 'disconnected' GROUP BY n.id, n.provider, n.handle ORDER BY n.id
"""  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What one account wrote between two instants."""

    connection_id: UUID
    provider: str
    handle: str
    posts: int
    broadcasts: int  # to nobody in particular; the rest is conversation
    days: int  # on which it wrote, in the workspace's time zone
    weeks: int  # of the weeks since then, those in which it wrote
    longest_pause: timedelta


def rhythms(
    session: Session, workspace_id: UUID, *, since: datetime, until: datetime, timezone: str
) -> Sequence[Rhythm]:
    """One for each social account that is connected. Only what its streams have brought is known: a network that serves no
    own posts shows none."""
    params = {"w": workspace_id, "since": since, "until": until, "zone": timezone}
    return [Rhythm(*row) for row in execute(raw(session), _OF_ACCOUNTS, params)]
