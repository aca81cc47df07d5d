"""One thread, read once: who wrote what, and which of our posts speak to whom.

A thread may have thousands of posts and as many people, and each of them has a verdict of their own. What they share is
worked out once and used for all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from integrations.records import Kind
from service.rules.model import Post

# A post of these kinds speaks to us by what it is.
SPEAKS = frozenset({Kind.MENTION, Kind.REPLY, Kind.QUOTE, Kind.DIRECT})
# The clocks of two networks, or of two servers of one, differ by so much at most; what differs by more is a wrong date.
CLOCKS_DIFFER: Final = timedelta(hours=1)
# Replies of one instant that are followed up: more of them go in a circle, or nobody reads them.
MOST_TURNS: Final = 100


class Answer(Struct, frozen=True):
    """A post of ours that speaks to somebody. `at` is when it counts: never before the post that it replies to, and not after
    one that replies to it, because clocks differ. `turn` is its place among what was said at that instant."""

    at: datetime
    post: Post
    turn: int = MOST_TURNS


class Window(Struct, frozen=True):
    """From a message of theirs, at `at`, until `closes_at` the network lets us answer."""

    at: datetime
    closes_at: datetime


class Thread:
    """The posts of one thread by author, ours by whom they speak to. Deleted posts are left out, but for the windows that
    they opened."""

    def __init__(self, posts: Iterable[Post]) -> None:
        held = unique(posts)
        self._by_native = {post.native_id: post for post in held}
        self.ours = frozenset(post.author_id for post in held if post.ours)
        self._heard = self._replied_to(held)
        self._theirs: dict[str, list[Post]] = defaultdict(list)
        self._answers: dict[str, list[Answer]] = defaultdict(list)
        self._direct: list[Answer] = []
        self._windows: dict[str, list[Window]] = defaultdict(list)
        for post in held:
            if post.window_closes_at is not None and not post.ours:
                self._windows[post.author_id].append(Window(post.at, post.window_closes_at))
            if post.deleted:
                continue
            if post.ours:
                self._file(post)
            elif post.kind in SPEAKS or (post.kind is Kind.COMMENT and self._names_us(post)):
                self._theirs[post.author_id].append(post)

    def theirs(self, author_id: str) -> Sequence[Post]:
        """What this person said to us."""
        return self._theirs.get(author_id, ())

    def answers(self, author_id: str) -> Sequence[Answer]:
        """What any of us said to this person: a reply to any post of theirs, a post that names them, and in a private
        talk everything."""
        found = self._answers.get(author_id, [])
        return [*found, *self._direct] if self._direct else found

    def windows(self, author_id: str) -> Sequence[Window]:
        """How long the network lets us answer this person, by each message of theirs, in any order. Whatever it says: a word
        of thanks opens the window anew as a question does, and to take a message back does not close it."""
        return self._windows.get(author_id, ())

    def turn(self, post: Post) -> int:
        """The place of a post among those of one instant, from 0 on: whoever replies to a post of ours has read it. What of
        ours nobody replied to is the last."""
        if post.ours and post.native_id not in self._heard:
            return MOST_TURNS
        turn, at = 0, self._at(post)
        for _ in range(MOST_TURNS):
            parent = self._parent(post)
            if parent is None or self._at(parent) != at:
                break
            turn += parent.ours and not post.ours
            post = parent
        return turn

    def _replied_to(self, held: Iterable[Post]) -> dict[str, datetime]:
        """Our posts to which somebody had replied by the time that they bear, or at it, and the first such reply."""
        heard: dict[str, datetime] = {}
        for post in held:
            parent = None if post.ours else self._parent(post)
            if parent and parent.ours and timedelta() <= parent.at - post.at <= CLOCKS_DIFFER:
                heard[parent.native_id] = min(heard.get(parent.native_id, post.at), post.at)
        return heard

    def _parent(self, post: Post) -> Post | None:
        return self._by_native.get(post.in_reply_to or "")

    def _at(self, post: Post) -> datetime:
        """When a post counts."""
        if not post.ours:
            return post.at
        at, parent = self._heard.get(post.native_id, post.at), self._parent(post)
        return max(at, parent.at) if parent and not parent.ours else at

    def _file(self, post: Post) -> None:
        parent = self._parent(post)
        answer = Answer(self._at(post), post, self.turn(post))
        if post.kind is Kind.DIRECT:
            self._direct.append(answer)
            return
        # A reply to a post that has gone still answers whoever wrote it.
        for author_id in {*post.mentions, post.in_reply_to_author, parent.author_id if parent else None} - {None}:
            self._answers[author_id or ""].append(answer)

    def _names_us(self, post: Post) -> bool:
        """Whether a comment below a post of ours speaks to us, or only to somebody else there. Who goes on below a comment of
        their own speaks to whom that spoke to."""
        for _ in range(MOST_TURNS):
            parent = self._parent(post)
            author = post.in_reply_to_author or (parent.author_id if parent else None)
            if post.in_reply_to is None and author is None:
                return True
            if author in self.ours or not self.ours.isdisjoint(post.mentions):
                return True
            # What answers a post that nobody has seen answers somebody else, or the network had called it a reply.
            if author != post.author_id:
                return False
            if parent is None or parent.kind is not Kind.COMMENT:
                break
            post = parent
        return True


def unique(posts: Iterable[Post]) -> Sequence[Post]:
    """Each post of a network once. Two accounts of ours may both have seen it, one of them as something that does not
    concern it: the copy that speaks to us counts, and a post that is gone for one is gone."""
    posts = posts if isinstance(posts, tuple) else tuple(posts)
    if len({(post.network, post.native_id) for post in posts}) == len(posts):
        return posts
    groups: dict[tuple[str, str], list[Post]] = defaultdict(list)
    for post in posts:
        groups[post.network, post.native_id].append(post)
    return [group[0] if len(group) == 1 else min(group, key=_weight) for group in groups.values()]


def _weight(post: Post) -> tuple[bool, bool, bool, str, str]:
    return not post.deleted, not post.ours, post.kind is Kind.CONTEXT, post.kind.value, post.id


_last: tuple[tuple[Post, ...], Thread] = ((), Thread(()))


def thread_of(posts: tuple[Post, ...]) -> Thread:
    """The thread of these posts. Asked for the same tuple again (everybody in one thread shares it), it is the same."""
    global _last
    known, thread = _last
    if known is not posts:
        thread = Thread(posts)
        _last = posts, thread  # one assignment, so that threads of the process never see half of it
    return thread
