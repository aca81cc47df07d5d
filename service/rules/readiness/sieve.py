"""Which of many patterns stand in a text: those that cannot are sorted out first, the others are looked for.

The standard library tries pattern after pattern and, at each word, one way to write it after the other, so that most of the time
goes into phrases that are not there. RE2 (https://github.com/google/re2) looks once for the words that the patterns cannot do
without, and tries only those whose words are there. It has no look-around, and its classes are ASCII; hence each pattern is
loosened for it, and whatever it lets through is looked for again as it was written. What is found is the same with it and without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

import re2

_LOOK_AROUND = ("(?=", "(?!", "(?<=", "(?<!")
# Wider, whatever the script: for sorting out, letting too much through costs a moment and too little an answer.
_WIDER = {r"\w": r"\S", r"\d": r"\pN", r"\b": ""}


class Sieve:
    """Patterns by key, over texts without line breaks. `patterns` makes them when the first text is looked at: that is a third of what it
    costs to import the rules, and most programs read no text."""

    def __init__(self, patterns: Callable[[], Iterable[tuple[int, re.Pattern[str]]]]) -> None:
        self._made = patterns

    @cached_property
    def _patterns(self) -> list[tuple[int, re.Pattern[str]]]:
        return list(self._made())

    @cached_property
    def _filter(self) -> re2.Filter:
        found = re2.Filter()
        for _, pattern in self._patterns:
            found.Add(loosened(pattern.pattern))
        found.Compile()
        return found

    def may(self, text: str) -> Iterator[tuple[int, re.Pattern[str]]]:
        """The patterns, with their keys, that may stand in `text`: all that do, and hardly any other."""
        there: Sequence[int] | None = self._filter.Match(text.encode("utf-8", "replace"))  # half an emoji
        return (self._patterns[number] for number in sorted(there or ()))

    def found(self, text: str) -> int:
        """The keys of the patterns that stand in `text`, as bits of one number."""
        found = 0
        for key, pattern in self.may(text):
            if not found & key and pattern.search(text):
                found |= key
        return found


def loosened(pattern: str) -> str:
    """A pattern that RE2 can read and that matches wherever this one does."""
    pieces: list[str] = []
    at = 0
    while at < len(pattern):
        if pattern.startswith(_LOOK_AROUND, at):
            at = _closed(pattern, at)
        elif pattern[at] == "\\":
            escape = pattern[at : at + 2]
            pieces.append(_WIDER.get(escape, escape))
            at += 2
        else:
            pieces.append(pattern[at])
            at += 1
    return "".join(pieces)


def _closed(pattern: str, at: int) -> int:
    """The place after the parenthesis that closes the one at `at`. No class in these patterns holds a parenthesis that does not pair."""
    depth = 0
    while True:
        if pattern[at] == "\\":
            at += 2
            continue
        depth += (pattern[at] == "(") - (pattern[at] == ")")
        at += 1
        if not depth:
            return at
