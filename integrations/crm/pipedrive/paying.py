"""Writing as much as the share of the daily budget pays for; the rest comes back as to be written later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil

from integrations import pushing
from integrations.crm.pipedrive.api import ACTIVITIES, ACTIVITY, COSTS, IDS, PERSON, PERSONS
from integrations.crm.pipedrive.budget import Account
from integrations.records import HandleWrite, PushResult, Task, WriteOutcome, WriteResult

CREATE, CHANGE = COSTS["POST", ACTIVITIES], COSTS["PATCH", ACTIVITY]  # a withdrawal costs less
WHY = "Warmline keeps to its share of Pipedrive's daily budget, so this one waits"


def price(tasks: Sequence[Task]) -> int:
    """What writing these tasks usually costs. A slow answer that is asked for once more comes on top, and is owed."""
    fresh = [task for task in tasks if task.external_id is None]
    known = len(tasks) - len(fresh)
    seeks = COSTS["GET", ACTIVITIES] if any(task.maybe_sent_at for task in fresh) else 0
    looks = _lists(len({task.contact_id for task in fresh if task.contact_id})) * COSTS["GET", PERSONS]
    return seeks + looks + len(fresh) * CREATE + _lists(known) * COSTS["GET", ACTIVITIES] + known * CHANGE


def push(
    account: Account, tasks: Sequence[Task], write: Callable[[Sequence[Task]], Sequence[PushResult]]
) -> list[PushResult]:
    """One result per task. Raises where not one of them can be paid for."""
    number = account.afford(lambda first: price(tasks[:first]), len(tasks))
    written = write(tasks[:number])
    return [*written, *(pushing.unfinished(task, WHY, tried=False) for task in tasks[number:])]


def write_handles(
    account: Account, writes: Sequence[HandleWrite], write: Callable[[Sequence[HandleWrite]], Sequence[WriteResult]]
) -> list[WriteResult]:
    """One result per write. Raises where not one of them can be paid for."""
    number = account.afford(
        lambda first: _lists(first) * COSTS["GET", PERSONS] + first * COSTS["PATCH", PERSON], len(writes)
    )
    rest = [
        WriteResult(each.contact_id, each.network, WriteOutcome.LATER, f"Not written: {WHY}.")
        for each in writes[number:]
    ]
    return [*write(writes[:number]), *rest]


def _lists(ids: int) -> int:
    return ceil(ids / IDS)
