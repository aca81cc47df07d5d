"""What matching may use: what each network allows, what administrators vouch for, and what people have decided before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import lru_cache
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.registry import providers
from service.db import raw
from service.rules.matching import Terms
from service.rules.matching.learning import Decided, Record
from service.store.rows import execute

Allowed = Callable[[str], Terms]

_TERMS = (
    "SELECT s.values -> 'confirm_only_by_handle', ARRAY(SELECT source FROM attestations WHERE workspace_id = %(w)s) FROM settings s"
    " WHERE s.workspace_id = %(w)s ORDER BY s.version DESC LIMIT 1"
)
_DECIDED = (
    "SELECT connection_id, pattern, count(*) FILTER (WHERE state = 'confirmed'), count(*) FILTER (WHERE state = 'rejected') FROM matches"
    " WHERE workspace_id = %(w)s AND decided_by <> 'rules' AND pattern <> '' GROUP BY connection_id, pattern"
)
_MOST_STANDING = 10_000  # more say nothing more
_STANDING = (
    "SELECT p.crm, p.pattern, (SELECT count(*) FROM (SELECT 1 FROM matches WHERE workspace_id = %(w)s AND connection_id = p.crm"
    " AND state = 'confirmed' AND decided_by = 'rules' AND pattern = p.pattern LIMIT %(n)s) s)"
    " FROM unnest(%(crms)s::uuid[], %(patterns)s::text[]) AS p(crm, pattern)"
)


def of_networks(session: Session, workspace_id: UUID) -> Allowed:
    """The terms of each network, by its provider key."""
    [(networks, sources)] = execute(raw(session), _TERMS, {"w": workspace_id})
    by_handle, attested = frozenset(networks or ()), frozenset(sources)

    @lru_cache(maxsize=64)
    def terms(network: str) -> Terms:
        provider = providers().get(network)
        return Terms(
            given_or_public_only=provider is not None and provider.given_or_public_only,
            attested=attested,
            confirm_by_handle_only=network in by_handle,
        )

    return terms


def decided(session: Session, workspace_id: UUID) -> Mapping[UUID, Record]:
    """What people decided in each CRM, by the kinds of evidence that each match rested on; nothing for one in which nobody did. What was
    decided of one brand's contacts says nothing of another's."""
    connection = raw(session)
    rows = execute(connection, _DECIDED, {"w": workspace_id})
    rejected = [(crm, pattern) for crm, pattern, _, no in rows if no]
    standing: dict[tuple[UUID, str], int] = {}
    if rejected:
        crms, patterns = map(list, zip(*rejected, strict=True))
        params = {"w": workspace_id, "crms": crms, "patterns": patterns, "n": _MOST_STANDING}
        standing = {(crm, pattern): number for crm, pattern, number in execute(connection, _STANDING, params)}
    found: dict[UUID, dict[str, Decided]] = defaultdict(dict)
    for crm, pattern, yes, no in rows:
        found[crm][pattern] = Decided(yes, no, standing.get((crm, pattern), 0))
    return {crm: Record(each) for crm, each in found.items()}
