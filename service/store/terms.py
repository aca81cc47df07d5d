"""What all authors of a workspace are matched by: what each network allows, what administrators vouch for, what people have decided before,
and which CRMs there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from uuid import UUID

from msgspec import Struct

from integrations.registry import providers
from service.db import RawConnection
from service.rules.matching import Terms
from service.rules.matching.learning import Decided, Record
from service.store import filing
from service.store.rows import each_of, execute, listed

Allowed = Callable[[str], Terms]

_DECIDED = (
    "SELECT connection_id, pattern, count(*) FILTER (WHERE state = 'confirmed') AS yes, count(*) FILTER (WHERE state = 'rejected') AS no"
    " FROM matches WHERE workspace_id = %(w)s AND decided_by <> 'rules' AND pattern <> '' GROUP BY connection_id, pattern"
)
_STOOD = "author_id, contact_id, connection_id, state = 'confirmed', decided_by <> 'rules', handle_state = 'written'"
# All at once: who comes alone waits for every way to the database.
_TERMS = (
    "SELECT s.values -> 'confirm_only_by_handle', coalesce((s.values -> 'write_handles')::boolean, false),"  # noqa: S608 - our own words
    " ARRAY(SELECT source FROM attestations WHERE workspace_id = %(w)s),"
    f" ARRAY(SELECT connection_id FROM key_counts WHERE workspace_id = %(w)s AND key = '{filing.EVERYBODY}' AND contacts > 0),"
    " (SELECT share FROM match_totals WHERE workspace_id = %(w)s),"
    f" (SELECT json_agg(json_build_array(connection_id, pattern, yes, no)) FROM ({_DECIDED}) d),"
    f" (SELECT json_agg(json_build_array({_STOOD})) FROM matches WHERE workspace_id = %(w)s AND author_id = ANY(ARRAY{each_of('ids', 'uuid')}))"
    " FROM settings s WHERE s.workspace_id = %(w)s ORDER BY s.version DESC LIMIT 1"
)
_MOST_STANDING = 10_000  # more say nothing more
_STANDING = (
    "SELECT p.crm, p.pattern, (SELECT count(*) FROM (SELECT 1 FROM matches WHERE workspace_id = %(w)s AND connection_id = p.crm"
    " AND state = 'confirmed' AND decided_by = 'rules' AND pattern = p.pattern LIMIT %(n)s) s)"
    " FROM unnest(%(crms)s::uuid[], %(patterns)s::text[]) AS p(crm, pattern)"
)


class Premises(Struct, frozen=True):
    """`allowed` tells the terms of a network, by its provider key. `writes_handles`: whether confirmed handles are to be written into the
    CRMs. `crms` are those that have any contacts; `share` is which share of the authors the CRMs are taken to know, None where it has not been
    learnt. `decided` is what people decided in each CRM, by the kinds of evidence that each match rested on; nothing for one in which nobody
    did. (What was decided of one brand's contacts says nothing of another's.) `stood` are the matches of some authors: author, contact, CRM,
    whether it is confirmed, whether a person decided, whether we wrote the handle there."""

    allowed: Allowed
    writes_handles: bool
    crms: Sequence[UUID]
    share: float | None
    decided: Mapping[UUID, Record]
    stood: Sequence[tuple[str, str, str, bool, bool, bool]]


def read(connection: RawConnection, workspace_id: UUID, author_ids: Iterable[UUID]) -> Premises:
    """As they are now, with what stands of these authors."""
    params = {"w": workspace_id, "ids": listed(author_ids)}
    [(by_handle, writes, sources, crms, share, decided, stood)] = execute(connection, _TERMS, params)
    allowed = _of_networks(frozenset(by_handle or ()), frozenset(sources))
    record = _record(connection, workspace_id, decided) if decided else {}
    return Premises(allowed, writes, sorted(crms), share, record, stood or ())


def _of_networks(by_handle: frozenset[str], attested: frozenset[str]) -> Allowed:
    @lru_cache(maxsize=64)
    def terms(network: str) -> Terms:
        provider = providers().get(network)
        return Terms(
            given_or_public_only=provider is not None and provider.given_or_public_only,
            attested=attested,
            confirm_by_handle_only=network in by_handle,
        )

    return terms


def _record(
    connection: RawConnection, workspace_id: UUID, decided: Sequence[tuple[str, str, int, int]]
) -> dict[UUID, Record]:
    """`decided`: CRM, pattern of evidence, how often people confirmed and how often they rejected."""
    rows = [(UUID(crm), pattern, yes, no) for crm, pattern, yes, no in decided]
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
