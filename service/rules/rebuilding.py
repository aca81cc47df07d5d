"""Which posts belong to one talk, from reply links of which some are missing.

A network serves threads whole; an export, a search or a forum may hold one side of a talk, or lack the post that a reply
names. Posts that answer each other, and posts that answer the same missing one, hang together. What is left without a
beginning goes on with the last talk of the same two, where that is not long ago.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

# Two people who go on within a week are taken to go on with the same matter.
REJOIN = timedelta(days=7)
_ANYBODY = ""  # no author's name


@dataclass(frozen=True, slots=True)
class Sent:
    """A post as it was found. Authors are compared as they are: fold them first."""

    id: str
    author: str
    at: datetime
    ours: bool  # by an account of a brand, whichever
    in_reply_to: str | None = None  # may name a post that is not here
    addressed: tuple[str, ...] = ()  # whom its beginning names


def talks(posts: Iterable[Sent]) -> dict[str, str]:
    """The talk of each post, by its id: the id of the post that the talk begins with, which may be one that is missing.

    The order of `posts` and duplicates make no difference; clocks that run backwards, and replies that go in a circle, do no
    harm."""
    held = {each.id: each for each in posts}
    groups = _Groups()
    for each in held.values():
        groups.join(each.in_reply_to or each.id, each.id)
    members: dict[str, list[Sent]] = defaultdict(list)
    for each in sorted(held.values(), key=_order):
        members[groups.of(each.id)].append(each)
    past = _Past(held.values())
    for own in sorted(members.values(), key=lambda each: _order(each[0])):
        first = own[0]
        if _lacks_beginning(first, held):
            for other in past.nearest(first, {each.id for each in own}):
                groups.join(other, first.id)
    names: dict[str, str] = {}
    for each in sorted(held.values(), key=_order):
        names.setdefault(groups.of(each.id), each.in_reply_to if _missing(each, held) else each.id)  # type: ignore[arg-type]
    return {id_: names[groups.of(id_)] for id_ in held}


def _order(post: Sent) -> tuple[datetime, str]:
    return post.at, post.id


def _missing(post: Sent, held: dict[str, Sent]) -> bool:
    return post.in_reply_to is not None and post.in_reply_to not in held


def _lacks_beginning(first: Sent, held: dict[str, Sent]) -> bool:
    """A reply to what is not here; a post of a brand to somebody, which answers something even where it names no post; or what
    somebody says to nobody in particular, as in a private talk."""
    return _missing(first, held) or (first.in_reply_to is None and first.ours == bool(first.addressed))


def _pairs(post: Sent) -> Iterator[tuple[str, str]]:
    """Who speaks and who is spoken to, the same whoever of the two speaks. What names nobody and replies to nothing may speak to any
    brand, and what a brand tells somebody without a link may answer it."""
    for other in post.addressed:
        yield min(post.author, other), max(post.author, other)
    if post.in_reply_to is None:
        yield from (
            (_ANYBODY, other) for other in (post.addressed if post.ours else () if post.addressed else (post.author,))
        )


class _Past:
    """What any two have said to each other, in order."""

    def __init__(self, posts: Iterable[Sent]) -> None:
        self._said: dict[tuple[str, str], list[Sent]] = defaultdict(list)
        for each in sorted(posts, key=_order):
            for pair in _pairs(each):
                self._said[pair].append(each)

    def nearest(self, post: Sent, besides: set[str]) -> list[str]:
        """The last post between the same two within REJOIN before this one; where there is none, the first within REJOIN after.
        What a brand says without a link answers all that they said since its last word to them."""
        before: list[Sent] = []
        after: list[Sent] = []
        for pair in _pairs(post):
            said = self._said[pair]
            at = bisect_left(said, _order(post), key=_order)
            before += _first((said[number] for number in range(at - 1, -1, -1)), post, besides)
            after += _first((said[number] for number in range(at, len(said))), post, besides)
        if before and _unlinked(post):
            return [each.id for each in before]
        ends = [max(before, key=_order)] if before else [min(after, key=_order)] if after else []
        return [each.id for each in ends]


def _unlinked(post: Sent) -> bool:
    return post.ours and post.in_reply_to is None


def _first(said: Iterable[Sent], post: Sent, besides: set[str]) -> list[Sent]:
    """The first of these that stands in another talk, if it is near enough; none or one. For what a brand says without a link, all
    that others said up to there."""
    found: list[Sent] = []
    for each in said:
        if abs(post.at - each.at) > REJOIN or (found and each.ours):
            break
        if each.id not in besides:
            found.append(each)
        if found and (each.ours or not _unlinked(post)):
            break
    return found


class _Groups:
    """Ids that hang together: union by size, with paths cut short (Tarjan, 1975)."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}
        self._size: dict[str, int] = defaultdict(lambda: 1)

    def of(self, id_: str) -> str:
        parent = self._parent
        while (above := parent.setdefault(id_, id_)) != id_:
            parent[id_] = parent.setdefault(above, above)
            id_ = parent[id_]
        return id_

    def join(self, one: str, other: str) -> None:
        first, second = self.of(one), self.of(other)
        if first == second:
            return
        if self._size[first] < self._size[second]:
            first, second = second, first
        self._parent[second] = first
        self._size[first] += self._size[second]
