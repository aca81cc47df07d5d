"""Writing tasks into a CRM that takes them in batches and answers for each record: in which groups changes go out, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from integrations.pushing import LONGEST, unfinished
from integrations.records import PushResult, Task, TaskStatus


class Stint:
    """How long one run may go on, by `clock` (real time): for `LONGEST`, and until it has written something. However slow a CRM is, each
    run gets somewhere, and none outlives its lease."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._until = clock() + LONGEST
        self.written = False  # a batch of writes went out: from now on nothing may raise

    @property
    def over(self) -> bool:
        return self.written and self._clock() > self._until

    def parts(self, tasks: Sequence[Task], size: int | None) -> Iterator[Sequence[Task]]:
        """These, for as long as the run may go on, in the parts in which they are sought under our key: `size` at a time where that takes no
        more calls (what is sought for all of them before one is made could take all the time there is, each time anew), else, with None,
        all at once."""
        step = size or max(1, len(tasks))
        for start in range(0, len(tasks), step):
            if self.over:
                return
            yield tasks[start : start + step]


def changes(tasks: Sequence[Task], size: int) -> Iterator[Sequence[Task]]:
    """These changes of tasks that stand, in the groups in which they go out: withdrawals first, since they make room, and apart from
    others, since what those go by would be old after them."""
    ends = [task for task in tasks if task.status is TaskStatus.WITHDRAWN]
    others = [task for task in tasks if task.status is not TaskStatus.WITHDRAWN]
    for group in (ends, others):
        yield from (group[start : start + size] for start in range(0, len(group), size))


def put_off(task: Task, crm: str, *, tried: bool) -> PushResult:
    """What is known of a task that a run did not come to, since it was over before. As `integrations.pushing.unfinished`."""
    return unfinished(task, f"{crm} took its time, so this one waits for its turn", tried=tried)
