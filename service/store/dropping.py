"""What was read of a CRM goes a while after it was deleted there, or after that CRM was disconnected. Who looks after whom stays by name:
figures of what was done say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.clock import real_now
from service.db import raw
from service.store import due, objecting
from service.store.keeping import CONTACTS_KEPT
from service.store.rows import execute

BATCH = 1000
_DELETED = (
    "DELETE FROM {table} WHERE workspace_id = %(w)s AND id = ANY(ARRAY(SELECT id FROM {table} WHERE workspace_id = %(w)s"
    " AND deleted_at < %(before)s ORDER BY deleted_at LIMIT %(n)s)) RETURNING 1"
)
_OF = "FROM {table} x WHERE x.workspace_id = %(w)s AND x.connection_id = "
_LEFT = (
    "SELECT n.id FROM connections n WHERE n.workspace_id = %(w)s AND n.kind = 'crm' AND n.status = 'disconnected' AND n.status_at < %(before)s"  # noqa: S608 - our own words
    f" AND (EXISTS (SELECT 1 {_OF.format(table='contacts')} n.id) OR EXISTS (SELECT 1 {_OF.format(table='activities')} n.id))"
    " ORDER BY n.id LIMIT 1 FOR NO KEY UPDATE"
)
_SOME_OF = f"SELECT x.id {_OF} %(c)s LIMIT %(n)s"
_DROP = "DELETE FROM {table} WHERE workspace_id = %(w)s AND id = ANY(%(ids)s)"
# Whoever waits is decided anew, as somebody whom that CRM does not know. Nobody else is: what was logged with them there may be why they
# do not wait.
_STILL_OPEN = {
    "conversation_ids": (
        "SELECT c.id FROM matches m JOIN conversations c ON c.workspace_id = %(w)s AND c.author_id = m.author_id AND c.waiting_since IS NOT NULL"
        " WHERE m.workspace_id = %(w)s AND m.contact_id = ANY(%(ids)s) AND m.state = 'confirmed'"
    ),
    "ids": (
        "SELECT t.relationship_id FROM tasks t WHERE t.workspace_id = %(w)s AND t.wanted = 'open' AND t.relationship_id IS NOT NULL"
        " AND t.person = ANY(%(people)s)"
    ),
}
# Connected again, it is read from the beginning.
_ANEW = (
    "UPDATE streams SET cursor = NULL, first_done_at = NULL WHERE workspace_id = %(w)s AND connection_id = %(c)s",
    "UPDATE connections SET ready_at = NULL WHERE workspace_id = %(w)s AND id = %(c)s",
)


def drop_contacts(session: Session, workspace_id: UUID) -> bool:
    """The copies of contacts and activities that were deleted in their CRM a while ago go, or whose CRM was disconnected so long ago, and
    their matches with them: up to a batch of each. Returns whether there may be more."""
    params = {"w": workspace_id, "before": real_now() - CONTACTS_KEPT, "n": BATCH}
    gone = [len(execute(raw(session), _DELETED.format(table=table), params)) for table in ("contacts", "activities")]
    left = execute(raw(session), _LEFT, params)
    for (crm,) in left:
        _drop_those_of(session, {**params, "c": crm})
    return bool(left) or max(gone) == BATCH


def _drop_those_of(session: Session, params: Mapping[str, Any]) -> None:
    """Up to a batch of contacts, and of activities, of this CRM."""
    connection, workspace_id = raw(session), params["w"]
    contacts, activities = (
        [row[0] for row in execute(connection, _SOME_OF.format(table=table), params)]
        for table in ("contacts", "activities")
    )
    about = {"w": workspace_id, "ids": contacts, "people": [f"contact:{each}" for each in contacts]}
    still = {name: [row[0] for row in execute(connection, each, about)] for name, each in _STILL_OPEN.items()}
    objecting.unfile(session, workspace_id, contacts)
    for table, ids in (("contacts", contacts), ("activities", activities)):
        execute(connection, _DROP.format(table=table), {"w": workspace_id, "ids": ids})
    for statement in _ANEW:
        execute(connection, statement, params)
    due.decide_conversations(session, workspace_id, conversation_ids=still["conversation_ids"])
    due.decide_relationships(session, workspace_id, ids=still["ids"])
    due.decide_soon(session, workspace_id)
