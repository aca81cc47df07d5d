"""Writing tasks so that a repeat is harmless, into a CRM that takes them one by one or in batches that stand or fall as a whole.

1. What has no external id yet is sought under its key: it may stand already. What was perhaps sent before and is not found becomes UNKNOWN
   until the CRM cannot be working on it any more (`Desk.settle`); until then nothing is sent.
2. Withdrawals, completions and edits go out first: they make room. All of these may be repeated. What was read more than a moment ago
   (`FRESH`) is read again before it is written.
3. Creates go out. A lost answer leaves them UNKNOWN; a batch that is refused is halved until the task that was meant is found.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from msgspec.structs import replace

from integrations import deadline
from integrations.edits import Spared
from integrations.errors import (
    AmbiguousWriteError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedResponseError,
)
from integrations.records import PushOutcome, PushResult, Task, TaskState, TaskStatus

T = TypeVar("T")

LONGEST = timedelta(seconds=25)  # of one run, so that nobody waits for a slow server; what is left comes back as LATER
FRESH = 2.0  # seconds: what was read longer ago, or took longer to be read, is read again before it is written
READS = 3  # how often one read is asked for at most: behind a server that is never faster, tasks still get written

_ORDER = (TaskStatus.WITHDRAWN, TaskStatus.COMPLETED, TaskStatus.OPEN)
_ENDED = {TaskStatus.COMPLETED: PushOutcome.COMPLETED, TaskStatus.WITHDRAWN: PushOutcome.WITHDRAWN}


class Desk(Protocol):
    """One CRM's calls about tasks. Each raises `integrations.errors`: InvalidRequestError where the CRM refuses this very task,
    NotFoundError where it, or what it points to, is gone, anything else where it concerns them all. A change that is not permitted is
    about that task, if others are."""

    name: str  # the CRM's, for sentences
    batch: int  # how many tasks one create makes
    reads: int  # how many tasks, or contacts, one call reads
    seeks: int  # for how many tasks it is sought at once
    settle: timedelta  # after a lost answer: for so long the CRM may still be making what was sent

    def read(self, ids: Sequence[str]) -> Mapping[str, TaskState]:
        """Those of these tasks that stand, by id; bare, where one is hidden from us."""
        ...

    def seek(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """The ids of those of these tasks that stand in the CRM under their key, by key."""
        ...

    def alive(self, contact_ids: Collection[str]) -> Collection[str]:
        """Those of these contacts that are in the CRM."""
        ...

    def assignable(self, owner_ids: Collection[str]) -> Collection[str]:
        """Those of these owners who can be given a task."""
        ...

    def create(self, tasks: Sequence[Task]) -> Sequence[str]:
        """Makes them all, or none. Their ids, in the same order."""
        ...

    def update(self, task: Task, standing: TaskState) -> Callable[[], None]:
        """What makes the task as it is wanted, completed or opened again too. All that has to be looked up for it is looked up first, so
        that the call of what is returned writes at once. Where it raises NotFoundError the task or whom it points to is gone."""
        ...

    def withdraw(self, task: Task) -> None:
        """Deletes it; nothing happens where it is gone."""
        ...

    def url(self, task_id: str) -> str:
        """Where a person sees it."""
        ...


def push(desk: Desk, tasks: Sequence[Task], clock: Callable[[], datetime]) -> list[PushResult]:
    """One result per task, in their order. `clock` is real time. Raises what concerns the whole connection, if nothing was sent before."""
    return _Run(desk, clock).run(tasks)


def as_they_stand(read: Callable[[], T]) -> T:
    """What `read` answers of tasks that are about to be written. CRMs write without looking, so what a person changes between this and
    the write is lost: an answer that took long is old by the time it is here, and is asked for again."""
    for _ in range(READS):
        begun = deadline.now()
        found = read()
        if deadline.now() - begun < FRESH:
            break
    return found


def unfinished(task: Task, why: object, *, tried: bool) -> PushResult:
    """What is known of a task that a run did not come to the end with, and `why` (ends a sentence). One that a create was sent for
    (`tried`) may stand there, even if the CRM refused it: what a CRM says of a request that came twice is that the key is taken."""
    if tried:
        return PushResult(
            task.key, PushOutcome.UNKNOWN, detail=f"Sent, and what came of it is not known: {why}.", sent=True
        )
    return PushResult(task.key, PushOutcome.LATER, task.external_id, detail=f"Not sent: {why}.")


class _Run:
    def __init__(self, desk: Desk, clock: Callable[[], datetime]) -> None:
        self._desk = desk
        self._clock = clock
        self._until = clock() + LONGEST
        self._results: dict[str, PushResult] = {}
        self._sent = False  # a write went out: from now on nothing may raise
        self._spared = Spared()
        self._tried: set[str] = set()  # keys of which a create was answered
        self._alive: dict[str, bool] = {}  # contacts, as far as they were asked about
        self._assignable: dict[str, bool] = {}  # owners, likewise
        self._denied: dict[str, PermissionDeniedError] = {}  # changes that the CRM does not let us make, by key

    def run(self, tasks: Sequence[Task]) -> list[PushResult]:
        try:
            self._all(tasks)
        except IntegrationError as error:
            if not self._sent:
                raise
            self._rest(tasks, f"the call before it failed: {error}")
        self._rest(tasks, f"{self._desk.name} took its time, so this one waits for its turn")
        return self._spared.told(tasks, self._results)

    def _rest(self, tasks: Sequence[Task], why: str) -> None:
        for task in tasks:
            self._results.setdefault(task.key, unfinished(task, why, tried=task.key in self._tried))

    def _say(
        self, task: Task, outcome: PushOutcome, task_id: str | None = None, detail: str = "", *, sent: bool = False
    ) -> None:
        task_id = task_id or task.external_id
        url = self._desk.url(task_id) if task_id else ""
        self._results[task.key] = PushResult(task.key, outcome, task_id, url, detail, sent)

    def _late(self) -> bool:
        return self._clock() > self._until

    def _all(self, tasks: Sequence[Task]) -> None:
        known = [task for task in tasks if task.external_id is not None]
        fresh = [task for task in tasks if task.external_id is None]
        known += self._standing([task for task in fresh if task.status is not TaskStatus.OPEN])
        self._change(known)
        # Part by part: what is looked up for all of them before any is made could take all the time there is, each time anew.
        for some in _parts([task for task in fresh if task.status is TaskStatus.OPEN], self._desk.seeks):
            if not self._late():
                self._create(self._missing(some))
        self._tell_denied(known)

    def _standing(self, tasks: Sequence[Task]) -> list[Task]:
        """Those of these, which are to end and have no external id, that stand there after all."""
        found = []
        for some in _parts(tasks, self._desk.seeks):
            if self._late():
                break
            lost = [task for task in some if task.maybe_sent_at]
            sought = self._desk.seek(lost) if lost else {}
            found += [replace(task, external_id=sought[task.key]) for task in some if task.key in sought]
            for task in some:
                if task.key not in sought and not self._is_on_its_way(task):
                    self._say(task, _ENDED[task.status], detail=f"It never stood in {self._desk.name}.")
        return found

    def _missing(self, tasks: Sequence[Task]) -> list[Task]:
        """Those of these that are to be made."""
        sought = self._desk.seek(tasks)
        for task in tasks:
            if task.key in sought:
                self._say(task, PushOutcome.FOUND, sought[task.key])
        return [task for task in tasks if task.key not in sought and not self._is_on_its_way(task)]

    def _is_on_its_way(self, task: Task) -> bool:
        """Whether a create that was never answered may still be at work; then that is said."""
        if task.maybe_sent_at is None or self._clock() - task.maybe_sent_at >= self._desk.settle:
            return False
        self._say(task, PushOutcome.UNKNOWN, detail=f"Whether {self._desk.name} has made it cannot be told yet.")
        return True

    # --- changing what stands -------------------------------------------------------------------------------------

    def _change(self, tasks: Sequence[Task]) -> None:
        left = sorted(tasks, key=lambda each: _ORDER.index(each.status))
        while left and not self._late():
            left = left[self._change_some(left[: self._desk.reads]) :]

    def _change_some(self, tasks: Sequence[Task]) -> int:
        """How many of these were looked after, at least one, before what was read of them was too old to go by."""
        standing, read_at = self._read(tasks)
        for number, task in enumerate(tasks):
            if number and _is_old(read_at):
                return number
            self._change_as_it_stands(task, standing.get(_id(task)), read_at)
        return len(tasks)

    def _read(self, tasks: Sequence[Task]) -> tuple[Mapping[str, TaskState], float]:
        """Those of these tasks that stand, by id, and when they were read."""
        return as_they_stand(lambda: self._desk.read([_id(task) for task in tasks])), deadline.now()

    def _change_as_it_stands(self, task: Task, standing: TaskState | None, read_at: float, tries: int = READS) -> None:
        if standing is None:
            self._say(task, PushOutcome.GONE)
        elif standing.bare:
            says = f"{self._desk.name} hides this task from Warmline. Let its user see and change all tasks."
            self._denied[task.key] = PermissionDeniedError(says)
        else:
            self._change_one(task, standing, read_at, tries)

    def _change_one(self, task: Task, standing: TaskState, read_at: float, tries: int) -> None:
        left = self._spared.change(task, standing)
        if outcome := self._spared.ended(left):
            self._say(task, outcome)
            return
        try:
            write = self._write(left, standing)
            if _is_old(read_at) and tries > 1:  # looking something up took long
                self._change_anew(task, tries - 1)
                return
            write()
        except NotFoundError as error:
            self._not_found(task, error)
        except PermissionDeniedError as error:
            self._denied[task.key] = error  # about this one, perhaps: the others are not to wait behind it for ever
            return
        except InvalidRequestError as error:
            self._say(task, PushOutcome.REFUSED, detail=str(error))
        else:
            self._say(task, _ENDED.get(task.status, PushOutcome.UPDATED))
        self._sent = True

    def _write(self, task: Task, standing: TaskState) -> Callable[[], None]:
        if task.status is TaskStatus.WITHDRAWN:
            return lambda: self._desk.withdraw(task)
        return self._desk.update(task, standing)

    def _change_anew(self, task: Task, tries: int = READS) -> None:
        standing, read_at = self._read([task])
        self._change_as_it_stands(task, standing.get(_id(task)), read_at, tries)

    def _not_found(self, task: Task, error: NotFoundError) -> None:
        """It is gone, or whom it was to point to is: then the rest of the change still counts."""
        if task.contact_id:
            self._change_anew(replace(task, contact_id=None))
        elif task.former_contact_id:
            self._change_anew(replace(task, former_contact_id=None))
        elif not self._desk.read([_id(task)]):
            self._say(task, PushOutcome.GONE)
        else:
            self._say(task, PushOutcome.REFUSED, detail=f"Something that it points to is gone: {error}")

    def _tell_denied(self, tasks: Sequence[Task]) -> None:
        """Where others could be written it was about these tasks; where nothing could, it is about the connection."""
        if self._denied and not self._sent:
            raise next(iter(self._denied.values()))
        for task in tasks:
            if task.key in self._denied:
                self._say(task, PushOutcome.REFUSED, detail=str(self._denied[task.key]))

    # --- making new ones ------------------------------------------------------------------------------------------

    def _create(self, tasks: Sequence[Task]) -> None:
        for some in _parts(tasks, max(self._desk.batch, self._desk.reads)):
            if self._late():
                return
            self._refuse_lost(some)
            queue = deque(_parts([task for task in some if task.key not in self._results], self._desk.batch))
            while queue and not self._late():
                self._create_some(queue.popleft(), queue)

    def _refuse_lost(self, tasks: Sequence[Task]) -> None:
        """A task for a contact who is gone would be a task about nobody, one for an owner who is gone nobody's task."""
        self._learn(self._alive, self._desk.alive, {task.contact_id for task in tasks})
        self._learn(self._assignable, self._desk.assignable, {task.owner_id for task in tasks})
        for task in tasks:
            if task.contact_id and not self._alive[task.contact_id]:
                says = f"The contact is no longer in {self._desk.name}, so the task was not made."
                self._say(task, PushOutcome.REFUSED, detail=says)
            elif task.owner_id and not self._assignable[task.owner_id]:
                says = (
                    f"Who should do it has no active account in {self._desk.name} any more, so the task was not made."
                )
                self._say(task, PushOutcome.REFUSED, detail=says)

    def _learn(
        self, known: dict[str, bool], ask: Callable[[Collection[str]], Collection[str]], ids: Collection[str | None]
    ) -> None:
        """Asks about those of these ids of which nothing is known yet."""
        new = {each for each in ids if each and each not in known}
        there = ask(new) if new else ()
        known.update({each: each in there for each in new})

    def _create_some(self, group: Sequence[Task], queue: deque[Sequence[Task]]) -> None:
        try:
            made = self._desk.create(group)
        except (AmbiguousWriteError, UnexpectedResponseError) as error:
            self._sent = True
            for task in group:
                self._say(task, PushOutcome.UNKNOWN, detail=f"Sent, but not answered: {error}", sent=True)
            raise
        except (InvalidRequestError, NotFoundError) as error:
            self._answered(group)
            if len(group) == 1:
                self._say(group[0], PushOutcome.REFUSED, detail=str(error))
                return
            middle = len(group) // 2
            queue.extendleft((group[middle:], group[:middle]))
            return
        self._answered(group)
        for task, task_id in zip(group, made, strict=True):
            self._say(task, PushOutcome.CREATED, task_id)

    def _answered(self, group: Sequence[Task]) -> None:
        self._sent = True
        self._tried.update(task.key for task in group)


def _parts(tasks: Sequence[Task], size: int) -> Iterator[Sequence[Task]]:
    return (tasks[start : start + size] for start in range(0, len(tasks), size))


def _is_old(read_at: float) -> bool:
    return deadline.now() - read_at >= FRESH


def _id(task: Task) -> str:
    return str(task.external_id)
