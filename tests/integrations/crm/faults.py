"""What the network does to the calls of a CRM in memory: some of them, at a test's word."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

import requests

Answer = tuple[int, Mapping[str, str], str]
Work = Callable[[], Answer]
Act = Callable[[Work], Answer]


def dated(answer: Answer, now: datetime) -> Answer:
    """An answer of a server whose clock says this."""
    code, headers, text = answer
    return code, {**headers, "Date": format_datetime(now.astimezone(UTC), usegmt=True)}, text


@dataclass
class _Fault:
    method: str
    path: str  # regular expression
    act: Act
    skip: int
    left: int


@dataclass
class Faults:
    """Calls that go wrong, and how."""

    due: list[_Fault] = field(default_factory=list)

    def add(self, method: str, path: str, act: Act, *, skip: int = 0, times: int = 1) -> None:
        """The next calls that match (after `skip` of them) go through `act`, which may do the work, or not."""
        self.due.append(_Fault(method, path, act, skip, times))

    def through(self, method: str, path: str, work: Work) -> Answer:
        """One call: as it should be, or as a fault has it."""
        for fault in self.due:
            if fault.left and fault.method == method and re.search(fault.path, path):
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.left -= 1
                return fault.act(work)
        return work()


def drop_after(work: Work) -> Answer:
    """The work is done, and the answer lost."""
    work()
    raise requests.exceptions.ConnectionError("connection reset by peer")


def drop_before(work: Work) -> Answer:
    """The request is lost."""
    raise requests.exceptions.ConnectionError("connection reset by peer")


def status(code: int, text: str = "", headers: Mapping[str, str] | None = None, *, work_done: bool = False) -> Act:
    """An answer of this kind instead."""

    def act(work: Work) -> Answer:
        if work_done:
            work()
        return code, headers or {"Content-Type": "text/html"}, text

    return act
