"""Posts that were handed in before what they answer: put into its thread once it is here, so that the order in which posts come changes
nothing."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from service.clock import business_now
from service.db import raw
from service.store import due, touching
from service.store.rows import execute
from service.store.us import Source

# What answers these posts, directly or through others, and stands in the thread that was made up for want of them.
_REJOIN = """
WITH RECURSIVE down AS (
  SELECT e.id, e.native_id, t.made_up, t.thread FROM unnest(%(ids)s::text[], %(made_up)s::text[], %(threads)s::text[]) AS t(id, made_up, thread)
    JOIN engagements e ON e.workspace_id = %(w)s AND e.brand_id = %(brand)s AND e.thread = t.made_up AND e.connection_id = %(c)s AND e.in_reply_to = t.id
  UNION
  SELECT e.id, e.native_id, down.made_up, down.thread FROM down
    JOIN engagements e ON e.workspace_id = %(w)s AND e.brand_id = %(brand)s AND e.thread = down.made_up AND e.connection_id = %(c)s
    AND e.in_reply_to = down.native_id
)
UPDATE engagements e SET thread = down.thread FROM down WHERE e.workspace_id = %(w)s AND e.id = down.id
RETURNING e.id, e.native_id, e.thread, e.author_id, e.ours, e.kind, e.posted_at, e.in_reply_to, e.in_reply_to_author, down.made_up
"""

# Talks in these threads of which nothing is left, and that no task tells of.
_EMPTY = """
DELETE FROM conversations c WHERE c.workspace_id = %(w)s AND c.brand_id = %(brand)s AND c.connection_id = %(c)s AND c.thread = ANY(%(threads)s)
  AND NOT EXISTS (SELECT FROM engagements e WHERE e.workspace_id = %(w)s AND e.brand_id = c.brand_id AND e.thread = c.thread)
  AND NOT EXISTS (SELECT FROM tasks t WHERE t.workspace_id = %(w)s AND t.conversation_id = c.id)
"""


def made_up(source: Source, native_id: str) -> str:
    """The thread of what answers a post that is not here."""
    return f"{source.host}/{native_id}"


def rejoin(session: Session, source: Source, threads: Mapping[str, str]) -> None:
    """Moves what was waiting for these posts (their threads, by id) into their threads, and marks due both where it was and where it is. A talk of which
    nothing is left goes, unless a task tells of it."""
    moved = {id_: thread for id_, thread in threads.items() if thread != made_up(source, id_)}
    if not moved:
        return
    connection, ids = raw(session), sorted(moved)
    shared = {"w": source.workspace_id, "c": source.connection_id, "brand": source.brand_id, "provider": source.provider,
              "host": source.host, "at": business_now() if source.ready else "infinity"}  # fmt: skip
    given = {"ids": ids, "made_up": [made_up(source, each) for each in ids], "threads": [moved[each] for each in ids]}
    rows = execute(connection, _REJOIN, {**shared, **given})
    if rows:
        touching.posts(connection, source, shared, rows)
        touching.gone(connection, source, shared, [(row[9], row[6], row[4], None) for row in rows])
        # Their rows are locked since they were marked due: whoever was deciding them has stored its tasks.
        execute(connection, _EMPTY, {**shared, "threads": sorted({row[9] for row in rows})})
        due.decide_soon(session, source.workspace_id)
