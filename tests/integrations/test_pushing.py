"""Pushing one by one: what goes wrong with one task is that task's own, and holds back no other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from integrations import pushing
from integrations.errors import IntegrationError, NotFoundError, PermissionDeniedError
from integrations.records import PushOutcome, Task, TaskKind, TaskState, TaskStatus

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LOST = "a contact who is gone"
OPEN, WITHDRAWN = TaskStatus.OPEN, TaskStatus.WITHDRAWN


@dataclass
class Desk:
    """A CRM that keeps tasks by id; `wrong` is what the next change of a task raises, by id."""

    standing: dict[str, TaskState] = field(default_factory=dict)
    wrong: dict[str, IntegrationError] = field(default_factory=dict)
    creating: IntegrationError | None = None
    name: str = "Example"
    batch: int = 1
    reads: int = 2
    seeks: int = 1000
    settle: timedelta = timedelta(minutes=1)

    def read(self, ids: Sequence[str]) -> Mapping[str, TaskState]:
        return {each: self.standing[each] for each in ids if each in self.standing}

    def seek(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        return {}

    def alive(self, contact_ids: Collection[str]) -> Collection[str]:
        return contact_ids

    def assignable(self, owner_ids: Collection[str]) -> Collection[str]:
        return owner_ids

    def create(self, tasks: Sequence[Task]) -> Sequence[str]:
        if self.creating:
            raise self.creating
        return [f"made-{task.key}" for task in tasks]

    def update(self, task: Task, standing: TaskState) -> Callable[[], None]:
        return lambda: self._change(task, standing)

    def _change(self, task: Task, standing: TaskState) -> None:
        if standing.id in self.wrong:
            raise self.wrong[standing.id]
        if task.contact_id == LOST:
            raise NotFoundError("there is no such contact")

    def withdraw(self, task: Task) -> None:
        self._change(task, self.standing[str(task.external_id)])

    def url(self, task_id: str) -> str:
        return f"https://crm.example/{task_id}"


def desk(*ids: str, **given: object) -> Desk:
    return Desk({each: TaskState(each, f"key-{each}", OPEN) for each in ids}, **given)  # type: ignore[arg-type]


def known(task_id: str, status: TaskStatus = OPEN) -> Task:
    return Task(f"key-{task_id}", TaskKind.UNANSWERED, status, "Changed", external_id=task_id)


def fresh(key: str) -> Task:
    return Task(key, TaskKind.UNANSWERED, OPEN, "New")


def outcomes(crm: Desk, *tasks: Task) -> list[PushOutcome]:
    return [each.outcome for each in pushing.push(crm, tasks, lambda: NOW)]


DENIED = PermissionDeniedError("Example did not allow this: not this one")


def test_a_task_that_may_not_be_changed_holds_back_no_other() -> None:
    crm = desk("1", "2", wrong={"1": DENIED})

    results = pushing.push(crm, [known("1", WITHDRAWN), known("2"), fresh("n")], lambda: NOW)

    assert [each.outcome for each in results] == [PushOutcome.REFUSED, PushOutcome.UPDATED, PushOutcome.CREATED]
    assert results[0].detail == str(DENIED)


def test_a_task_that_is_hidden_from_us_is_neither_gone_nor_touched() -> None:
    crm = desk("2", wrong={"1": AssertionError("touched")})  # type: ignore[dict-item]
    crm.standing["1"] = TaskState("1", None, OPEN, bare=True)

    results = pushing.push(crm, [known("1", WITHDRAWN), known("2")], lambda: NOW)

    assert [each.outcome for each in results] == [PushOutcome.REFUSED, PushOutcome.UPDATED]
    assert results[0].detail.startswith("Example hides this task")


def test_where_nothing_at_all_may_be_written_it_concerns_the_connection() -> None:
    with pytest.raises(PermissionDeniedError):
        outcomes(desk("1", "2", wrong={"1": DENIED, "2": DENIED}), known("1"), known("2"))
    with pytest.raises(PermissionDeniedError):
        outcomes(desk("1", wrong={"1": DENIED}, creating=DENIED), known("1"), fresh("n"))


def test_a_change_that_names_a_contact_who_is_gone_still_counts_without_them() -> None:
    assert outcomes(desk("1"), replace(known("1"), contact_id=LOST)) == [PushOutcome.UPDATED]
    completed = replace(known("1", TaskStatus.COMPLETED), contact_id=LOST)
    assert outcomes(desk("1"), completed) == [PushOutcome.COMPLETED]


def test_a_task_is_gone_only_where_it_is_gone_and_not_whom_it_points_to() -> None:
    lost = NotFoundError("there is no such contact")
    crm = desk("1", "2", wrong={"1": lost})

    assert outcomes(crm, known("1"), known("2"), known("3")) == [
        PushOutcome.REFUSED,
        PushOutcome.UPDATED,
        PushOutcome.GONE,
    ]


def test_a_crm_that_is_never_fast_enough_is_written_to_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    crm, reads = desk("1", "2", "3"), []
    monkeypatch.setattr(pushing.deadline, "now", lambda: len(reads) * pushing.FRESH)
    read = crm.read
    crm.read = lambda ids: (reads.append(ids), read(ids))[1]  # type: ignore[method-assign, func-returns-value]

    assert outcomes(crm, known("1"), known("2"), known("3")) == [PushOutcome.UPDATED] * 3
    assert reads == [["1", "2"]] * pushing.READS + [["3"]] * pushing.READS


def test_looking_up_many_contacts_one_by_one_does_not_take_the_time_of_making_tasks() -> None:
    """Else a push would look them all up, be late, and begin anew with the same ones."""
    crm, at = desk(reads=1), [NOW]

    def alive(ids: Collection[str]) -> Collection[str]:
        at[0] += len(ids) * timedelta(seconds=1)
        return ids

    crm.alive = alive  # type: ignore[method-assign]
    tasks = [replace(fresh(f"n{number}"), contact_id=f"c{number % 60}") for number in range(100)]

    found = [each.outcome for each in pushing.push(crm, tasks, lambda: at[0])]

    assert set(found) == {PushOutcome.CREATED, PushOutcome.LATER}
    assert found.count(PushOutcome.CREATED) > 20


def test_seeking_many_lost_tasks_one_by_one_does_not_take_the_time_of_making_them() -> None:
    crm, at = desk(seeks=5), [NOW]

    def seek(tasks: Sequence[Task]) -> Mapping[str, str]:
        at[0] += len(tasks) * timedelta(seconds=1)
        return {}

    crm.seek = seek  # type: ignore[method-assign]
    lost = [replace(fresh(f"n{number}"), maybe_sent_at=NOW - timedelta(hours=1)) for number in range(100)]
    ends = [replace(each, key=f"e{each.key}", status=WITHDRAWN) for each in lost[:3]]

    found = [each.outcome for each in pushing.push(crm, [*ends, *lost], lambda: at[0])]

    assert found[:3] == [PushOutcome.WITHDRAWN] * 3
    assert found.count(PushOutcome.CREATED) == 20
    assert found[-1] is PushOutcome.LATER


def test_a_contact_is_looked_up_once_in_a_push() -> None:
    crm, asked = desk(reads=1), []
    crm.alive = lambda ids: (asked.append(ids), ids)[1]  # type: ignore[method-assign, func-returns-value]

    outcomes(crm, *(replace(fresh(f"n{number}"), contact_id="c") for number in range(5)))

    assert asked == [{"c"}]
