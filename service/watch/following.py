"""The lines by which one post is followed from its network to its task in the CRM, and what is counted on the way.

`posts stored` names posts by our ids, `task decided` the posts that a task is about, `task pushed` the task and the CRM's id of it; each
carries the trace of its job. A line is written once what it says is committed. Ids, kinds and counts; never a word of a post.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import event
from sqlalchemy.orm import Session, object_session

from service.models import Audit
from service.watch import meters

log = structlog.get_logger()

NAMED = 200  # posts that one line names


def on_commit(session: Session, then: Callable[[], None]) -> None:
    """Does this once the session's transaction is committed, and never if it is not."""

    def committed(_: Session) -> None:
        then()

    event.listen(session, "after_commit", committed, once=True)


@event.listens_for(Audit, "after_insert")
def _decided_by_somebody(mapper: object, connection: object, row: Audit) -> None:
    """What somebody did leaves a line beside its row in the trail, with the request that it came by: its job's lines name the same
    ids."""
    session = object_session(row)
    line = {"action": row.action, "subject": row.subject, "by": row.actor, "workspace": str(row.workspace_id)}
    if session is not None:
        on_commit(session, lambda: _say("changed", [line]))


def stored(
    session: Session, *, provider: str, connection_id: UUID, posts: Sequence[tuple[UUID, datetime]], now: datetime, late: bool
) -> None:  # fmt: skip
    """These posts are new: their ids, and when they were posted. `late`: how long they took here says something, since it is not
    the connection's first pull."""
    if posts:
        on_commit(session, lambda: _stored(provider, connection_id, posts, now, late))


def _stored(
    provider: str, connection_id: UUID, posts: Sequence[tuple[UUID, datetime]], now: datetime, late: bool
) -> None:
    label = meters.provider_label(provider)
    meters.count(meters.POSTS, label, by=len(posts))
    for _, posted_at in posts if late else ():
        meters.observe(meters.READ_DELAY, (now - posted_at).total_seconds(), label)
    for start in range(0, len(posts), NAMED):
        ids = [str(post_id) for post_id, _ in posts[start : start + NAMED]]
        log.info("posts stored", provider=provider, connection=str(connection_id), count=len(ids), posts=ids)


def decided(session: Session, tasks: Iterable[Any], about: Mapping[str, Sequence[str]]) -> None:
    """These tasks (rows of `service.store.tasks`) are to be made or changed; `about`: the posts of each, by its key."""
    lines = [
        {
            "task": str(row.id), "kind": row.kind, "wanted": row.wanted, "state": row.state, "posts": list(about.get(row.key, ()))[:NAMED],
            **{name: str(value) for name, value in (("conversation", row.conversation_id), ("relationship", row.relationship_id)) if value},
        }
        for row in tasks
    ]  # fmt: skip
    if lines:
        on_commit(session, lambda: _say("task decided", lines))


def pushed(
    session: Session, *, provider: str, connection_id: UUID, tasks: Sequence[tuple[UUID, str, str | None]]
) -> None:
    """What a CRM answered: of each task its id, the outcome, and the CRM's id of it."""  # fmt: skip
    if tasks:
        on_commit(session, lambda: _pushed(provider, connection_id, tasks))


def _pushed(provider: str, connection_id: UUID, tasks: Sequence[tuple[UUID, str, str | None]]) -> None:
    for outcome, number in Counter(outcome for _, outcome, _ in tasks).items():
        meters.count(meters.PUSHES, meters.provider_label(provider), outcome, by=number)
    say = log.bind(provider=provider, connection=str(connection_id))
    for task_id, outcome, external_id in tasks:
        say.info("task pushed", task=str(task_id), outcome=outcome, external=external_id or "")


def _say(what: str, lines: Iterable[Mapping[str, Any]]) -> None:
    say = log.bind()  # once: putting a logger together takes as long as half a line
    for line in lines:
        say.info(what, **line)
