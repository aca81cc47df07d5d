"""Keep: takes away texts whose time is past, in every connection of a workspace whatever its state, a bounded batch after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from service import settings
from service.clock import real_now
from service.models import Errand
from service.runtime import Runtime
from service.store import dropping, keeping
from service.store.keeping import Cursor, Limit
from workers.stopping import Turn

log = structlog.get_logger()

EVERY = timedelta(hours=1)
BUDGET = 30.0  # seconds of one job; what is left is taken up at once by the next
Hold = Callable[[Session], Errand | None]


class _OverError(Exception):
    """The job's time is up, or somebody else has the errand."""


class _Pass:
    """One pass over a workspace."""

    def __init__(self, runtime: Runtime, workspace_id: UUID, hold: Hold) -> None:
        self.runtime, self.workspace_id, self._hold = runtime, workspace_id, hold
        self._turn = Turn(BUDGET)
        self.posts = self.people = self.tasks = 0

    def posts_of(self, limit: Limit, by: str, before: datetime) -> None:
        cursor: Cursor | None = keeping.FIRST
        while cursor is not None:
            after = cursor

            def work(session: Session, after: Cursor = after) -> tuple[Cursor | None, int, int]:
                self._holding(session)
                following, authors = keeping.erase_posts(session, self.workspace_id, limit, by, before, after)
                # A text that could not be followed in time says nothing of how long its author is known.
                forgotten = (
                    keeping.forget_authors(session, self.workspace_id, authors) if authors and by == "posted_at" else 0
                )
                return following, len(authors), forgotten

            cursor, touched, forgotten = self.runtime.db.retried(self.workspace_id, work)
            self.posts += touched
            self.people += forgotten

    def closed_tasks(self, limits: Sequence[Limit], values: Mapping[str, Any]) -> None:
        done = keeping.BATCH
        while done >= keeping.BATCH:

            def work(session: Session) -> int:
                self._holding(session)
                return keeping.erase_tasks(session, self.workspace_id, limits, values)

            done = self.runtime.db.retried(self.workspace_id, work)
            self.tasks += done

    def profiles(self, limits: Sequence[Limit], values: Mapping[str, Any]) -> None:
        """Once a day, however their last text went and whatever else kept them. How far it has come stands with the errand."""
        more = True
        while more:

            def work(session: Session) -> tuple[bool, int]:
                errand = self._holding(session)
                if errand.looked_to is None and errand.looked_at and errand.looked_at > real_now() - keeping.LOOK_EVERY:
                    return False, 0
                following, past = keeping.past_profiles(session, self.workspace_id, limits, values, errand.looked_to)
                errand.looked_to, errand.looked_at = following, real_now()
                forgotten = keeping.forget_authors(session, self.workspace_id, past) if past else 0
                return following is not None, forgotten

            more, forgotten = self.runtime.db.retried(self.workspace_id, work)
            self.people += forgotten

    def contacts(self) -> None:
        more = True
        while more:

            def work(session: Session) -> bool:
                self._holding(session)
                return dropping.drop_contacts(session, self.workspace_id)

            more = self.runtime.db.retried(self.workspace_id, work)

    def _holding(self, session: Session) -> Errand:
        row = None if self._turn.over else self._hold(session)
        if row is None:
            raise _OverError
        return row


def keep(runtime: Runtime, workspace_id: UUID, hold: Hold) -> timedelta | None:
    """Erases what the settings and the networks' deadlines let nobody keep. Returns in how long to come again."""
    with runtime.db.tenant(workspace_id) as session:
        values = settings.current(session, workspace_id).values
        limits = keeping.limits(session, workspace_id, values)
    going = _Pass(runtime, workspace_id, hold)
    after = EVERY
    try:
        for limit in limits:
            going.posts_of(limit, "posted_at", limit.before)
            if limit.unfollowed is not None:
                going.posts_of(limit, "checked_at", limit.unfollowed)
        going.closed_tasks(limits, values)
        going.contacts()
        going.profiles(limits, values)
    except _OverError:
        after = timedelta(0)
    if going.posts or going.tasks or going.people:
        log.info(
            "texts erased", workspace=str(workspace_id), authors=going.posts, profiles=going.people, tasks=going.tasks
        )
    return after
