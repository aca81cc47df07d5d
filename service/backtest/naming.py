"""Whom a text of a file names: handles behind an "@", and names of several words, as some networks write them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

# A handle may hold points and hyphens, and a server or domain. It may also stand before a word without a space: see `_at`.
_HANDLE = re.compile(r"@(\w+(?:[.@-]\w+)*)")
_PLAIN = re.compile(r"@(\w+)")
_LEADING, _BETWEEN = re.compile(r"\s*\.?"), re.compile(r"[\s,:]*")


class Names:
    """The authors of a file, for whoever looks for them in its texts."""

    def __init__(self, authors: Iterable[str]) -> None:
        self._known = {author.casefold() for author in authors}
        self._spaced: dict[str, list[str]] = defaultdict(list)
        for author in sorted(self._known, key=lambda name: (-len(name), name)):
            if " " in author:
                self._spaced[author.split()[0]].append(author)

    def opening(self, text: str) -> tuple[str, ...]:
        """Whom a text names before it says anything, folded."""
        folded, found = text.casefold(), list[str]()
        start = _LEADING.match(folded)
        at = start.end() if start else 0
        while named := _HANDLE.match(folded, at):
            names, at = self._at(folded, named)
            found += names
            between = _BETWEEN.match(folded, at)
            at = between.end() if between else at
        return tuple(found)

    def named(self, text: str) -> Iterator[str]:
        """Whom a text names anywhere, folded."""
        folded = text.casefold()
        for named in _HANDLE.finditer(folded):
            yield from self._at(folded, named)[0]

    def _at(self, folded: str, named: re.Match[str]) -> tuple[list[str], int]:
        """Who is named here, and where that ends."""
        start = named.start() + 1
        for name in self._spaced.get(named[1], ()):
            end = start + len(name)
            if folded.startswith(name, start) and not folded[end : end + 1].isalnum():
                return [name], end
        return ([named[1]] if named[1] in self._known else _PLAIN.findall(named[0])), named.end()
