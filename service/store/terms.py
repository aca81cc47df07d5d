"""What matching may use: what each network allows, what administrators vouch for, and what people have decided before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.registry import providers
from service import settings
from service.db import raw
from service.rules.matching import Terms
from service.rules.matching.learning import Decided
from service.store.rows import execute

Allowed = Callable[[str], Terms]

_DECIDED = (
    "SELECT pattern, count(*) FILTER (WHERE state = 'confirmed'), count(*) FILTER (WHERE state = 'rejected') FROM matches"
    " WHERE workspace_id = %(w)s AND decided_by <> 'rules' AND pattern <> '' GROUP BY pattern"
)
_MOST_STANDING = 10_000  # more say nothing more
_STANDING = (
    "SELECT p.pattern, (SELECT count(*) FROM (SELECT 1 FROM matches WHERE workspace_id = %(w)s AND state = 'confirmed'"
    " AND decided_by = 'rules' AND pattern = p.pattern LIMIT %(n)s) s) FROM unnest(%(patterns)s::text[]) AS p(pattern)"
)


def of_networks(session: Session, workspace_id: UUID) -> Allowed:
    """The terms of each network, by its provider key."""
    values = settings.current(session, workspace_id).values
    by_handle = frozenset(values.get("confirm_only_by_handle", ()))
    attested = frozenset(
        row[0]
        for row in execute(
            raw(session), "SELECT source FROM attestations WHERE workspace_id = %(w)s", {"w": workspace_id}
        )
    )

    @lru_cache(maxsize=64)
    def terms(network: str) -> Terms:
        provider = providers().get(network)
        return Terms(
            given_or_public_only=provider is not None and provider.given_or_public_only,
            attested=attested,
            confirm_by_handle_only=network in by_handle,
        )

    return terms


def decided(session: Session, workspace_id: UUID) -> Mapping[str, Decided]:
    """What people decided, by the kinds of evidence that each match rested on."""
    connection = raw(session)
    rows = execute(connection, _DECIDED, {"w": workspace_id})
    rejected = [pattern for pattern, _, no in rows if no]
    standing: dict[str, int] = {}
    if rejected:
        params = {"w": workspace_id, "patterns": rejected, "n": _MOST_STANDING}
        standing = dict(execute(connection, _STANDING, params))
    return {pattern: Decided(yes, no, standing.get(pattern, 0)) for pattern, yes, no in rows}
