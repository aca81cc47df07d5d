"""Weights of several outputs, side by side in one large integer: one addition adds them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from struct import Struct
from typing import Final, TypeVar

Name = TypeVar("Name")

LANE: Final = 32  # bits for each output's sum, as `struct` reads them: 400 words of the largest weight stay far below
_HALF: Final = 1 << (LANE - 1)


def pack(weights: Iterable[int]) -> int:
    """One weight for each output, in one integer."""
    return sum(weight << (LANE * number) for number, weight in enumerate(weights))


def packed(table: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """A table of rows of weights, each row packed."""
    return {name: pack(weights) for name, weights in table.items()}


def total(table: Mapping[Name, int], names: Iterable[Name]) -> int:
    """The sum of the rows with these names; what is not in the table weighs nothing."""
    return sum(filter(None, map(table.get, names)))


class Lanes:
    """Reads sums of packed weights of so many outputs."""

    def __init__(self, outputs: int) -> None:
        self._level = sum(_HALF << (LANE * number) for number in range(outputs))  # keeps every lane positive
        self._lanes = Struct(f"<{outputs}i")

    def read(self, sum_: int, scale: float) -> list[float]:
        """The sum of each output, times `scale`."""
        # To flip the highest bit of each lane takes the half off again, for whoever reads it with its sign.
        levelled = (sum_ + self._level ^ self._level).to_bytes(self._lanes.size, "little")
        return [lane * scale for lane in self._lanes.unpack(levelled)]
