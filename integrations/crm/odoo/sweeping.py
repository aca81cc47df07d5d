"""Whole numbers in little room: ids that run on without a gap take no more than their ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def pack(ids: Iterable[int]) -> str:
    """Ids as spans, each by how far it is from the end of the one before and how long it is: `1+9.3` is 1 to 10, and 13."""
    return ".".join(_span(gap, more) for gap, more in _spans(sorted(set(ids))))


def _span(gap: int, more: int) -> str:
    return f"{_text(gap)}+{_text(more)}" if more else _text(gap)


def _spans(ids: list[int]) -> Iterator[tuple[int, int]]:
    last = begin = end = 0
    for each in ids:
        if each == end + 1 and end:
            end = each
            continue
        if end:
            yield begin - last, end - begin
            last = end
        begin = end = each
    if end:
        yield begin - last, end - begin


def unpack(text: object) -> set[int]:
    """The ids that `pack` wrote; none for anything else."""
    found: set[int] = set()
    end = 0
    try:
        for span in text.split(".") if isinstance(text, str) and text else ():
            gap, _, more = span.partition("+")
            begin = end + int(gap, 36)
            end = begin + int(more or "0", 36)
            if not 0 < begin <= end < begin + 10**7 or len(found) > 10**7:
                return set()
            found.update(range(begin, end + 1))
    except ValueError:
        return set()
    return found


def _text(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
        if not number:
            return digits
