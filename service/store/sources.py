"""How contacts came into the CRM, how many came each way, and which of those ways an administrator vouches for.

Some networks allow matching their people to customer records only with consent, or by what the person gave or shows publicly.
Contacts from a bought or imported list stay out there until somebody says that they may take part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.registry import providers
from service.clock import real_now
from service.db import raw
from service.models import Audit
from service.rules.matching import bought
from service.store import due, filing
from service.store.rows import execute

# Sources begin with one prefix, and counts of everything in that range are theirs.
_SOURCES = (
    "SELECT substr(k.key, 3), k.contacts, a.attested_by, a.attested_at FROM (SELECT key, sum(contacts)::int AS contacts FROM key_counts"
    " WHERE workspace_id = %(w)s AND key >= %(first)s AND key < %(last)s GROUP BY key) k LEFT JOIN attestations a"
    " ON a.workspace_id = %(w)s AND a.source = substr(k.key, 3) ORDER BY k.contacts DESC, k.key LIMIT %(n)s"
)
_KNOWN = "SELECT 1 FROM key_counts WHERE workspace_id = %(w)s AND key = %(key)s LIMIT 1"
MOST = 500  # sources shown, those with the most contacts first
_ATTEST = (
    "INSERT INTO attestations (workspace_id, source, attested_by, attested_at) VALUES (%(w)s, %(source)s, %(by)s, %(now)s)"
    " ON CONFLICT DO NOTHING RETURNING source"
)
_WITHDRAW = "DELETE FROM attestations WHERE workspace_id = %(w)s AND source = %(source)s RETURNING source"
_AUTHORS_OF = "SELECT id FROM authors WHERE workspace_id = %(w)s AND provider = ANY(%(networks)s)"


@dataclass(frozen=True)
class Source:
    """One way into the CRM. `bought` says that its words speak of an imported list or of enrichment."""

    source: str  # the CRM's words; "" where it says nothing
    contacts: int
    bought: bool
    attested_by: str = ""
    attested_at: datetime | None = None

    @property
    def left_out(self) -> bool:
        """Whether its contacts stay out of matching on networks that ask for consent."""
        return self.bought and not self.attested_by


def networks() -> list[str]:
    """The networks, by provider key, that leave such contacts out."""
    return sorted(key for key, each in providers().items() if each.given_or_public_only)


def listed(session: Session, workspace_id: UUID) -> Sequence[Source]:
    """Every source, the one with the most contacts first; five hundred at most."""
    prefix = filing.SOURCE
    params = {"w": workspace_id, "first": prefix, "last": prefix[0] + chr(ord(prefix[1]) + 1), "n": MOST}
    return [
        Source(source, contacts, bought(source), by or "", at)
        for source, contacts, by, at in execute(raw(session), _SOURCES, params)
    ]


def known(session: Session, workspace_id: UUID, source: str) -> bool:
    """Whether any contact came this way."""
    return bool(execute(raw(session), _KNOWN, {"w": workspace_id, "key": filing.SOURCE + source}))


def attest(session: Session, workspace_id: UUID, source: str, *, by: str) -> bool:
    """Vouches for the contacts that came this way: they were given with consent, or are shown publicly. Whoever they may be on
    such networks is looked at again. False where somebody has done so before."""
    return _change(session, workspace_id, _ATTEST, source, by, "source.attested")


def withdraw(session: Session, workspace_id: UUID, source: str, *, by: str) -> bool:
    """Vouches for them no longer. False where nobody did."""
    return _change(session, workspace_id, _WITHDRAW, source, by, "source.withdrawn")


def _change(session: Session, workspace_id: UUID, statement: str, source: str, by: str, action: str) -> bool:
    connection = raw(session)
    if not execute(connection, statement, {"w": workspace_id, "source": source, "by": by, "now": real_now()}):
        return False
    session.add(Audit(workspace_id=workspace_id, actor=by, action=action, subject=f"source:{source_id(source)}"))
    session.flush()
    look_again(session, workspace_id, networks())
    return True


def source_id(source: str) -> str:
    """What the audit trail calls a source: its words may hold anything, a name even, and the trail holds none."""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def look_again(session: Session, workspace_id: UUID, on: Sequence[str]) -> None:
    """Everybody on these networks is matched again: what may be used for it has changed."""
    found = execute(raw(session), _AUTHORS_OF, {"w": workspace_id, "networks": list(on)})
    if found:
        due.match_again(session, workspace_id, [row[0] for row in found])
