"""How many of those who speak to a team are in its CRM: guessed from the first authors, learnt from all of them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from service.db import raw
from service.rules.matching import Commonness, share_known
from service.rules.model import RULES_VERSION
from service.store import filing, terms
from service.store.overlap import Aside
from service.store.rows import execute
from service.store.weighing import AUTHORS, IS_DUE, due_authors, weighed_in_parts

_TOTALS = "SELECT authors, likely, share FROM match_totals WHERE workspace_id = %(w)s FOR UPDATE"
_LEARN = "UPDATE match_totals SET share = %(share)s WHERE workspace_id = %(w)s"
_SAMPLE = f"{AUTHORS} WHERE {IS_DUE} ORDER BY id LIMIT %(n)s"
_START = (
    "INSERT INTO match_totals (workspace_id, authors, likely, share, rules_version) VALUES (%(w)s, 0, 0, %(share)s, %(rules)s)"
    " ON CONFLICT (workspace_id) DO UPDATE SET share = excluded.share"
)
_HOW_MANY_DUE = f"SELECT count(*) FROM authors WHERE {IS_DUE}"  # noqa: S608 - our own words
# Whom nothing speaks for is nobody under any share.
_MATCH_LIKELY = "UPDATE authors SET match_due = true WHERE workspace_id = %(w)s AND likely > 0 AND NOT match_due"
_NOTICE_RULES = "UPDATE match_totals SET rules_version = %(rules)s WHERE workspace_id = %(w)s AND rules_version < %(rules)s RETURNING 1"
_SHIFT = 0.1  # of the share of authors who are in the CRM; a smaller one changes few verdicts
_STEPS = 2  # of expectation maximisation, on a sample: a third moves the share by less than half of that


def guess_share(session: Session, workspace_id: UUID, sample: int) -> None:
    """Before anybody of a workspace is matched: learns from the first so many authors, if there are as many, by which share all of
    them are matched, so that hardly anybody is matched a second time. Nothing else is stored. (`learn_share` has the last word.)"""
    connection = raw(session)
    if execute(connection, "SELECT 1 FROM match_totals WHERE workspace_id = %(w)s", {"w": workspace_id}):
        return
    authors = due_authors(connection, _SAMPLE, {"w": workspace_id, "n": sample})
    if len(authors) < sample:
        return
    contacts = filing.how_many(filing.counts(connection, workspace_id, ()))
    [(everybody,)] = execute(connection, _HOW_MANY_DUE, {"w": workspace_id})
    share = None
    for _ in range(_STEPS):
        # As if all of them were like these: what is taken for granted weighs as little then as it will once they are matched.
        with Aside(sample) as aside:
            parts = weighed_in_parts(
                connection, workspace_id, authors, terms.read(connection, workspace_id, authors), aside
            )
            likely = sum(sum(part.likely.values()) for part in parts) * everybody / sample
        told = round(share_known(likely, everybody, contacts), 2)
        near = abs(told - Commonness(contacts, {}, share).known) < _SHIFT / 2
        share = share if near else told
        execute(connection, _START, {"w": workspace_id, "share": share, "rules": RULES_VERSION})
        if near:
            return


def learn_share(session: Session, workspace_id: UUID) -> bool:
    """Once nobody is due: whether the share of authors who are in the CRM has turned out so different from the one that they
    were matched by that whoever may be somebody is matched again. (By the same share for all: the order in which authors
    come changes nothing.)"""
    connection = raw(session)
    authors, likely, share = next(iter(execute(connection, _TOTALS, {"w": workspace_id})), (0, 0.0, None))
    if not authors:
        return False
    contacts = filing.how_many(filing.counts(connection, workspace_id, ()))
    told = round(share_known(likely, authors, contacts), 2)
    before = Commonness(contacts, {}, share).known
    if abs(told - before) < _SHIFT:
        return False
    execute(connection, _LEARN, {"w": workspace_id, "share": told})
    execute(connection, _MATCH_LIKELY, {"w": workspace_id})
    return True


def notice_rules(session: Session, workspace_id: UUID) -> None:
    """Makes every author due where this program's rules are newer than those by which they were matched."""
    connection = raw(session)
    if execute(connection, _NOTICE_RULES, {"w": workspace_id, "rules": RULES_VERSION}):
        execute(connection, "UPDATE authors SET match_due = true WHERE workspace_id = %(w)s", {"w": workspace_id})
