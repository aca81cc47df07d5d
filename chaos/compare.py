"""Network, tables and CRM held against each other, and what they should all agree on."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from chaos.ledger import Edit, Ledger, Thread
from integrations.records import TaskKind
from service.drafting import PREFIX
from service.runtime import Runtime

_KEY = "warmline_key"
_DONE = "COMPLETED"
_A_KEY = re.compile(rf"\b(?:{'|'.join(PREFIX.values())})-[0-9a-f]{{32}}\b")
EXAMPLES = 5
_NETWORK = "X"  # as people call it: that is what the key is made of


@dataclass(frozen=True)
class CRMTask:
    """A task as the CRM has it."""

    id: str
    key: str
    values: Mapping[str, str]
    made: float  # seconds since the epoch
    deleted: bool

    @property
    def open(self) -> bool:
        return not self.deleted and self.values.get("hs_task_status") != _DONE


@dataclass(frozen=True)
class Ours:
    """What our tables hold."""

    texts: Mapping[str, str]  # of posts that we hold, by the network's id
    gone: frozenset[str]  # ids of those that are gone at their source, as far as we know
    revoked: frozenset[str]  # provider and account, "x:7000", of the connections that ask for a person
    brands: Mapping[str, UUID]  # by the handle of their account


@dataclass(frozen=True)
class Network:
    """What cannot be had from the ledger: whose consents stand."""

    granted: frozenset[str]  # provider and account of every consent that stands


@dataclass
class Differences:
    """What is not as it should be: a few examples of each, and how many there are."""

    found: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, examples: Iterable[str]) -> None:
        self.found[name] += examples

    def counts(self) -> Mapping[str, int]:
        return {name: len(self.found.get(name, ())) for name in NAMES}

    def total(self, names: Sequence[str]) -> int:
        return sum(len(self.found.get(name, ())) for name in names)


LOST, MISSING, TWICE, STALE = "engagements lost", "tasks missing", "tasks twice", "tasks open though answered"
UNASKED = "tasks open though nothing was asked"
OVERWRITTEN, REVOKED = "a person's edit overwritten", "connections wrongly marked as revoked"
UNEDITED, UNDELETED = "edits of posts not followed", "deletions of posts not followed"
NAMES = (LOST, MISSING, TWICE, STALE, UNASKED, OVERWRITTEN, REVOKED, UNEDITED, UNDELETED)


def differences(ledger: Ledger, network: Network, ours: Ours, tasks: Sequence[CRMTask]) -> Differences:
    """What differs between what happened, what we hold and what the CRM has."""
    found = Differences()
    found.add(LOST, sorted(ledger.posted - ours.texts.keys()))
    found.add(LOST, (f"{id_} stands, and is held as deleted" for id_ in sorted(ledger.posted & ours.gone)))
    found.add(UNEDITED, (id_ for id_, words in ledger.texts.items() if ours.texts.get(id_, words) != words))
    found.add(UNDELETED, (id_ for id_ in ledger.deleted if id_ in ours.texts and id_ not in ours.gone))
    found.add(REVOKED, sorted(ours.revoked & network.granted))
    posts = {key_of(ours.brands[each.brand], each, post): post for each in ledger.threads for post in each.openers}
    wanted = _wanted(ledger, ours, tasks)
    standing = {task.key for task in tasks if task.open}
    found.add(MISSING, (f"{key} for post {post}" for key, post in wanted.items() if key not in standing))
    unanswered = frozenset(id_ for thread in ledger.threads for id_, _ in thread.unanswered)
    # Deleted ones do not count: a task whose question was withdrawn is made anew when it is asked again.
    times = Counter(task.key for task in tasks if not task.deleted)
    twice = {key for key, number in times.items() if number > 1}
    found.add(TWICE, sorted(twice))
    theirs = {task.key for task in tasks if task.id in ledger.edits}
    found.add(TWICE, _at_once(ledger, ours, standing - theirs, unanswered))
    # Nobody here knows of a second one, so it stands open when the first is done: one fault, told once.
    done = {task.key for task in tasks if not task.deleted and not task.open} & twice
    stale = (task for task in tasks if task.key not in done and _stale(task, posts, unanswered, ledger))
    found.add(STALE, (f"{task.id} ({task.key})" for task in stale))
    of_waits = (task for task in tasks if task.open and task.key.startswith(PREFIX[TaskKind.UNANSWERED]))
    found.add(UNASKED, (f"{task.id} ({task.key})" for task in of_waits if task.key not in posts))
    by_id = {task.id: task for task in tasks}
    found.add(OVERWRITTEN, (f"{id_} opened again" for id_ in ledger.completed if by_id[id_].open))
    for id_, edits in ledger.edits.items():
        found.add(OVERWRITTEN, (f"{id_} {edit.property}" for edit in edits.values() if _overwritten(by_id[id_], edit)))
    return found


def _at_once(ledger: Ledger, ours: Ours, standing: set[str], unanswered: frozenset[str]) -> Iterable[str]:
    """Of whom more than one wait stands open: every task after the first. (Those about an answered post are told as stale. One that a person
    has edited may stand beside another: if it lost its reason before, it is left to them.)"""
    for thread in ledger.threads:
        keys = (key_of(ours.brands[thread.brand], thread, post) for post in thread.openers if post in unanswered)
        yield from [key for key in keys if key in standing][1:]


def key_of(brand: UUID, thread: Thread, post: str) -> str:
    """Under which key a task about the wait that this post opened stands in the CRM (see `service.drafting.key_of`)."""
    words = f"{brand}|{_NETWORK}|{thread.customer}|{post}"
    return f"{PREFIX[TaskKind.UNANSWERED]}-{hashlib.sha256(words.encode()).hexdigest()[:32]}"


def _wanted(ledger: Ledger, ours: Ours, tasks: Sequence[CRMTask]) -> dict[str, str]:
    """The tasks that should stand open: by key, the post that they are about. What a person has ticked off is dealt with."""
    done = {task.key: at for task in tasks if (at := ledger.completed.get(task.id)) is not None}
    found = {}
    for thread in ledger.threads:
        brand = ours.brands[thread.brand]
        dealt_with = max((done.get(key_of(brand, thread, post), 0.0) for post in thread.openers), default=0.0)
        post = thread.waits_since(dealt_with)
        if post is not None:
            found[key_of(brand, thread, post)] = post
    return found


def _stale(task: CRMTask, posts: Mapping[str, str], unanswered: frozenset[str], ledger: Ledger) -> bool:
    """Whether it stands open though its post was answered, or is gone. One that a person has made theirs is left to them where
    its post is gone. (One about an old post that somebody may have dealt with when they ticked off another is no fault.)"""
    post = posts.get(task.key)
    theirs = task.id in ledger.edits and post in ledger.deleted
    return task.open and post is not None and post not in unanswered and not theirs


def _overwritten(task: CRMTask, edit: Edit) -> bool:
    """What a person made theirs is not deleted either: it is left to them where its question is gone."""
    return task.deleted or task.values.get(edit.property) != edit.value


# --- reading it ------------------------------------------------------------------------------------------------


def read_crm(database: Path) -> list[CRMTask]:
    """Every task that was ever made there. The sandbox's own file, not its API: faults do not meet us."""
    with _open(database) as db:
        rows = db.execute("SELECT id, props, created_at, archived_at FROM records WHERE type = 'tasks'").fetchall()
    found = ((str(row[0]), json.loads(row[1]), row[2] / 1000, row[3] is not None) for row in rows)
    return [CRMTask(id_, values.get(_KEY, ""), values, made, deleted) for id_, values, made, deleted in found]


def read_network(database: Path) -> Network:
    with _open(database) as db:
        rows = db.execute("SELECT provider, account_id FROM grants WHERE NOT revoked").fetchall()
    return Network(frozenset(f"{provider}:{account}" for provider, account in rows))


def _open(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)


def read_ours(runtime: Runtime, workspace_id: UUID) -> Ours:
    """Raises sqlalchemy's errors where the database is away."""
    with runtime.db.tenant(workspace_id) as session:
        posts = session.execute(text("SELECT native_id, text, deleted_at IS NOT NULL FROM engagements")).all()
        revoked = session.execute(
            text("SELECT provider || ':' || account_id FROM connections WHERE status = 'needs_reauth'")
        ).scalars()
        brands = session.execute(
            text("SELECT handle, brand_id FROM connections WHERE kind = 'social' AND brand_id IS NOT NULL")
        ).all()
        return Ours(
            texts={row[0]: row[1] for row in posts if not row[2]} | {row[0]: "" for row in posts if row[2]},
            gone=frozenset(row[0] for row in posts if row[2]),
            revoked=frozenset(revoked),
            brands={row[0]: row[1] for row in brands},
        )


_ROW = """SELECT to_jsonb(t) - 'content' - 'written' - 'sent' || jsonb_build_object('sent', jsonb_array_length(t.sent)) AS row,
    (SELECT to_jsonb(c) FROM conversations c WHERE c.workspace_id = t.workspace_id AND c.id = t.conversation_id) AS talk
FROM tasks t WHERE t.workspace_id = :w AND t.key = ANY(:keys) ORDER BY t.key"""


def rows_of(runtime: Runtime, workspace_id: UUID, found: Differences) -> list[str]:
    """How the first tasks about which something differs stand with us, and their conversations, as JSON: where to begin to look. Raises
    sqlalchemy's errors where the database is away."""
    keys = [key for rows in found.found.values() for row in rows for key in _A_KEY.findall(row)][:EXAMPLES]
    with runtime.db.tenant(workspace_id) as session:
        rows = session.execute(text(_ROW), {"w": workspace_id, "keys": keys}).all()
    return [json.dumps({"task": row, "conversation": talk}, default=str) for row, talk in rows]
