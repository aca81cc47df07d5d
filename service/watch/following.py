"""The lines by which one post is followed from its network to its task in the CRM, and what is counted on the way.

`posts stored` names posts by our ids and the conversation of each, `task decided` the posts that a task is about, the one that ended it
included, `task pushed` the task and the CRM's id of it, and `task changed in CRM` both of one that somebody changed there; each carries
the trace of its job. A line is written once what it says is committed. Ids, kinds and counts; never a word of a post.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import event
from sqlalchemy.orm import Session, object_session

from service.models import Audit, Task
from service.watch import meters

log = structlog.get_logger()

NAMED = 200  # posts that one line names


@dataclass(frozen=True, slots=True)
class New:
    """A post that was not here before."""

    id: UUID
    posted_at: datetime
    conversation_id: UUID | None  # None: it is in nobody's yet, or nobody can tell in whose


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
    session: Session, *, provider: str, connection_id: UUID, posts: Sequence[New], now: datetime, late: bool
) -> None:
    """These posts are new. `late`: how long they took here says something, since it is not
    the connection's first pull."""
    if posts:
        on_commit(session, lambda: _stored(provider, connection_id, posts, now, late))


def _stored(provider: str, connection_id: UUID, posts: Sequence[New], now: datetime, late: bool) -> None:
    label = meters.provider_label(provider)
    meters.count(meters.POSTS, label, by=len(posts))
    for each in posts if late else ():
        meters.observe(meters.READ_DELAY, (now - each.posted_at).total_seconds(), label)
    say = log.bind(provider=provider, connection=str(connection_id))
    for start in range(0, len(posts), NAMED):
        some = posts[start : start + NAMED]
        # Two lists in one order, and no mapping: what collects logs makes a column of each name.
        talks = [str(each.conversation_id or "") for each in some]
        say.info("posts stored", count=len(some), posts=[str(each.id) for each in some], conversations=talks)


def decided(session: Session, tasks: Iterable[Any], about: Mapping[str, Sequence[str]]) -> None:
    """These tasks (rows of `service.store.tasks`) are to be made or changed; `about`: the posts of each, the oldest first, by its
    key."""
    lines = [
        {**_task(row), "wanted": row.wanted, "state": row.state, **_named(about.get(row.key, ()))} for row in tasks
    ]
    if lines:
        on_commit(session, lambda: _say("task decided", lines))


def _task(row: Any) -> dict[str, str]:
    about = ("conversation", row.conversation_id), ("relationship", row.relationship_id)
    return {"task": str(row.id), "kind": row.kind, **{name: str(value) for name, value in about if value}}


def _named(posts: Sequence[str]) -> dict[str, Any]:
    """As many of a task's posts as a line holds: the first, which began it, and the newest, which may have ended it."""
    left_out = len(posts) - NAMED
    if left_out <= 0:
        return {"posts": list(posts)}
    return {"posts": [posts[0], *posts[1 - NAMED :]], "left_out": left_out}


def changed_in_crm(row: Task, outcome: str, fields: Collection[str] = ()) -> None:
    """Somebody completed, deleted, reopened or edited this task in its CRM; `fields`: the names of what they edited."""
    session = object_session(row)
    line: dict[str, Any] = {
        **_task(row),
        "outcome": outcome,
        "connection": str(row.crm_connection_id),
        "external": row.external_id or "",
    }
    if fields:
        line["fields"] = sorted(fields)
    if session is not None:
        on_commit(session, lambda: _say("task changed in CRM", [line]))


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
