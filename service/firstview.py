"""The first view of a connection: what has been read so far and what that cost, and the tasks that the rules would make of it.

It is judged anew whenever somebody looks, so there is something to see while the first pull is still under way, before any
CRM is connected, and whatever the CRM's preview says. Nothing is stored.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.registry import providers
from service import judging, settings
from service.db import raw
from service.drafting import Desk
from service.runtime import Runtime
from service.store import deciding, knowing, listing, people
from service.store.rows import execute
from service.tryout import judge, outcome

BATCH = 500  # conversations at once
BUDGET = 8.0  # seconds, so that a page still opens at once
EXAMPLES = 10  # of each kind


@dataclass(frozen=True, slots=True)
class Example:
    """One task that would be made."""

    kind: str
    subject: str
    reasons: tuple[str, ...]
    urgency: int
    conversation_id: UUID | None


@dataclass
class FirstView:
    """`looked` of `total` conversations were judged, the newest first."""

    connection: Mapping[str, Any]  # a row of `listing.connections`, streams included
    posts: int = 0
    theirs: int = 0
    ours: int = 0
    people: int = 0
    known: int = 0  # of these people, how many the brand's CRM knows
    oldest_at: datetime | None = None
    dollars: float | None = None  # None: reading costs nothing here
    looked: int = 0
    total: int = 0
    tasks: Counter[str] = field(default_factory=Counter)  # that would be made, by kind
    examples: list[Example] = field(default_factory=list)  # the most urgent of each kind

    @property
    def complete(self) -> bool:
        return self.looked >= self.total


_READ = """
SELECT count(*), count(*) FILTER (WHERE NOT ours AND kind <> 'context'), count(*) FILTER (WHERE ours), min(posted_at)
FROM engagements WHERE workspace_id = %(w)s AND connection_id = %(c)s AND deleted_at IS NULL
"""
_PEOPLE = f"""
SELECT count(DISTINCT c.author_id), count(DISTINCT c.author_id) FILTER (WHERE m.contact_id IS NOT NULL), count(*) FROM conversations c
LEFT JOIN LATERAL {knowing.contact_of("c")} m ON true WHERE c.workspace_id = %(w)s AND c.connection_id = %(c)s
"""  # noqa: S608 - names of our own columns


def first_view(
    runtime: Runtime, workspace_id: UUID, connection_id: UUID, *, now: datetime, budget: float = BUDGET,
    clock: Callable[[], float] = time.monotonic,
) -> FirstView | None:  # fmt: skip
    """The first view of this social connection at `now` (business time); None when the workspace has no such connection."""
    began = clock()
    with runtime.db.tenant(workspace_id) as session:
        row = listing.connection(session, workspace_id, connection_id)
        if row is None or row["kind"] != "social":
            return None
        view = FirstView(row, dollars=_dollars(row))
        params = {"w": workspace_id, "c": connection_id}
        [(view.posts, view.theirs, view.ours, view.oldest_at)] = execute(raw(session), _READ, params)
        [(view.people, view.known, view.total)] = execute(raw(session), _PEOPLE, params)
    before: UUID | None = None
    seen: set[str] = set()
    found: list[Example] = []
    while clock() - began < budget:
        with runtime.db.tenant(workspace_id) as session:
            before, looked = _batch(session, runtime, workspace_id, connection_id, now, before, seen, found, view)
            session.rollback()  # signals of texts that nobody had read yet were stored on the way
        if looked < BATCH:
            break
    view.examples = _most_urgent(found)
    return view


def _batch(
    session: Session, runtime: Runtime, workspace_id: UUID, connection_id: UUID, now: datetime, before: UUID | None, seen: set[str],
    found: list[Example], view: FirstView,
) -> tuple[UUID | None, int]:  # fmt: skip
    """Judges some conversations that are older than `before`, and the people in them who were not `seen` yet. Returns the
    last one's id and how many there were."""
    talks = deciding.conversations_of(session, workspace_id, connection_id, before, BATCH)
    if not talks:
        return before, 0
    row = settings.current(session, workspace_id)
    directory, policy = people.directory(session, workspace_id), settings.policy(row)
    desk = Desk(runtime.config, workspace_id, directory, policy, row.values["text_mode"], now)
    names = {key: each.name for key, each in providers().items()}
    fresh = [each for each in deciding.people_of(talks) if each.person not in seen]
    seen.update(each.person for each in fresh)
    cases = [
        *judging.conversations(session, workspace_id, talks, names),
        *judging.relationships(session, workspace_id, fresh, names),
    ]
    for task in outcome(desk, judge(cases, desk), []).values():
        view.tasks[task.kind] += 1
        found.append(
            Example(
                task.kind,
                str(task.content.get("subject") or ""),
                tuple(task.reasons),
                task.urgency,
                task.conversation_id,
            )
        )
    view.looked += len(talks)
    return min(each.id for each in talks), len(talks)


def _most_urgent(found: list[Example]) -> list[Example]:
    kept: Counter[str] = Counter()
    chosen = []
    for each in sorted(found, key=lambda example: (-example.urgency, example.subject)):
        if kept[each.kind] < EXAMPLES:
            chosen.append(each)
            kept[each.kind] += 1
    return chosen


def spent(provider: str, reads: Mapping[str, int]) -> float | None:
    """US dollars that these billed reads have cost, by the manifest's prices; None where reading costs nothing."""
    found = providers().get(provider)
    prices = {price.name: price.dollars for price in found.prices} if found else {}
    return float(sum(prices.get(name, 0.0) * number for name, number in reads.items())) if prices else None


def _dollars(connection: Mapping[str, Any]) -> float | None:
    costs = [spent(connection["provider"], stream["reads"]) for stream in connection["streams"]]
    known = [each for each in costs if each is not None]
    return sum(known) if known else None
