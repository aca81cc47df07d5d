"""What both fakes have in common: every call is remembered, and any call can be told to go wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from integrations.errors import IntegrationError


@dataclass
class Script:
    """`calls` holds (method, arguments) in order. A page of a pull counts as a call of "page"."""

    ANY: ClassVar[str] = "any"

    calls: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    failed: int = 0  # how many calls raised what they were told to
    _faults: dict[str, dict[int, IntegrationError]] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)

    def fail(self, error: IntegrationError, *, on: str, at: int = 1) -> None:
        """Raises `error` at the `at`-th coming call of `on` (a method's name, "page", or `ANY` for whatever comes)."""
        self._faults.setdefault(on, {})[self._counts[on] + at] = error

    def forgive(self) -> None:
        """No call goes wrong any more."""
        self._faults.clear()

    def called(self, method: str, *arguments: Any) -> None:
        """Counts a call, and raises what it was told to raise."""
        self.calls.append((method, arguments))
        for name in (method, self.ANY):
            self._counts[name] += 1
        for name in (method, self.ANY):
            error = self._faults.get(name, {}).pop(self._counts[name], None)
            if error is not None:
                self.failed += 1
                raise error

    def count(self, method: str) -> int:
        """How often a method was called."""
        return self._counts[method]


def position(cursor: str | None, length: int) -> int:
    """Where a fake's cursor stands in a log of this length; garbage starts over, as every provider does."""
    digits = (cursor or "").removeprefix("at:")
    return min(int(digits), length) if digits.isascii() and digits.isdigit() else 0


def chunks(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    """The items in groups of at most `size`; no items, no groups."""
    return [items[start : start + size] for start in range(0, len(items), size)]
