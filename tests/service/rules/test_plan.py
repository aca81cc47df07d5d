"""What should exist, compared with what does."""

from __future__ import annotations

import pytest

from integrations.records import TaskStatus
from service.rules.plan import Standing, Step, plan

OPEN, COMPLETED, WITHDRAWN = TaskStatus.OPEN, TaskStatus.COMPLETED, TaskStatus.WITHDRAWN


@pytest.mark.parametrize(
    ("desired", "existing", "answered", "steps"),
    [
        (["a"], [], [], [(Step.CREATE, "a")]),
        (["a"], [Standing("a", OPEN)], [], [(Step.KEEP, "a")]),
        (["a"], [Standing("a", COMPLETED, "rules")], [], [(Step.REOPEN, "a")]),
        (["a"], [Standing("a", WITHDRAWN, "rules")], [], [(Step.REOPEN, "a")]),
        (["a"], [Standing("a", COMPLETED, "crm")], [], []),
        (["a"], [Standing("a", COMPLETED, "user:1")], [], []),
        ([], [Standing("a", OPEN)], ["a"], [(Step.COMPLETE, "a")]),
        ([], [Standing("a", OPEN)], ["b"], [(Step.WITHDRAW, "a")]),
        ([], [Standing("a", COMPLETED, "rules")], ["a"], []),
        ([], [Standing("a", WITHDRAWN, "rules")], ["a"], []),
        ([], [Standing("a", WITHDRAWN, "rules", lingers=True)], ["a"], [(Step.COMPLETE, "a")]),
        ([], [Standing("a", WITHDRAWN, "rules", lingers=True)], ["b"], []),
        ([], [Standing("a", OPEN, reopened=True)], ["a"], []),
        ([], [Standing("a", OPEN, reopened=True)], [], [(Step.WITHDRAW, "a")]),
        (["b"], [Standing("a", OPEN)], ["a"], [(Step.CREATE, "b"), (Step.COMPLETE, "a")]),
    ],
)
def test_the_difference_between_what_should_stand_and_what_does(
    desired: list[str], existing: list[Standing], answered: list[str], steps: list[tuple[Step, str]]
) -> None:
    assert plan(desired, existing, answered=answered) == steps
