"""Who speaks to whom in a thread: the posts that matter to one person, out of a thread of any size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from integrations.records import Kind
from service.rules.linking import Message, link
from service.rules.model import Post
from service.rules.words import open_act

LIKELY: Final = 0.5
GOES_ON: Final = timedelta(minutes=5)  # from one line of ours to the next of the same answer


def unique(posts: Iterable[Post]) -> list[Post]:
    """Each post once, in the order of time. Two accounts of a brand may both have been served the same one."""
    kept: dict[str, Post] = {}
    for post in posts:
        other = kept.get(post.native_id)
        if other is None or (other.kind is Kind.CONTEXT, other.id) > (post.kind is Kind.CONTEXT, post.id):
            kept[post.native_id] = post
    return sorted(kept.values(), key=lambda post: (post.at, post.native_id))


def linked(posts: list[Post]) -> list[Post]:
    """The same posts with links where the place gave none: in a talk of several people in which no post says what it
    answers, our posts answer what they most likely do, and a comment that most likely answers another guest says so.
    Private messages and any thread that has links stay as they are. `posts` are unique, in the order of time."""
    if len(posts) < 3 or any(post.in_reply_to or post.kind is Kind.DIRECT for post in posts):
        return posts
    if not any(post.ours for post in posts) or len({post.author_id for post in posts if not post.ours}) < 2:
        return posts
    said = [
        Message(
            post.native_id,
            post.author_id,
            post.at,
            post.text,
            tuple({post.author_name, *post.author_name.split()[:1]} - {""}),
        )
        for post in posts
        if not post.deleted
    ]
    found = {each.id: each for each in link(said)}
    turns = _Turns({post.native_id: post for post in posts})
    return [turns.linked(each, found[each.native_id].parents) if each.native_id in found else each for each in posts]


class _Turns:
    """Whose turn it was, as far as the talk has been linked. Ask for its posts in order."""

    def __init__(self, by_id: Mapping[str, Post]) -> None:
        self._by_id = by_id
        self._answered: dict[str, str] = {}  # what each post of ours answers
        self._asked: dict[str, Post] = {}  # by guest: what they asked since we last answered them
        self._last: Post | None = None  # of ours

    def linked(self, post: Post, parents: Sequence[tuple[str, float]]) -> Post:
        """The post with what it answers. `parents` are what it may answer with their probabilities, the likeliest first."""
        if not post.ours:
            if open_act(post.signals):
                self._asked[post.author_id] = post
            likely = bool(parents) and post.kind is Kind.COMMENT and parents[0][1] >= LIKELY
            return replace(post, in_reply_to=parents[0][0]) if likely else post
        # It speaks to somebody: a guess is better than that nobody was answered.
        parent = None if post.mentions else self._spoken_to(post, [id_ for id_, _ in parents])
        self._last = post
        for author_id in post.mentions:
            self._asked.pop(author_id, None)
        if parent is None:
            return post
        self._answered[post.native_id] = parent
        self._asked.pop(self._by_id[parent].author_id, None)
        return replace(post, in_reply_to=parent, in_reply_to_author=None)

    def _spoken_to(self, post: Post, parents: Sequence[str]) -> str | None:
        """What a post of ours answers. Where it most likely goes on from one of ours, it answers whoever has asked since: with a
        question of its own, in any language. Where nobody has, it speaks to whom that one spoke to, if that was just now."""
        if not parents or not self._by_id[parents[0]].ours:
            return parents[0] if parents else None
        since = [each for each in self._asked.values() if self._last is None or each.at >= self._last.at]
        if since:
            return max(since, key=lambda each: each.at).native_id
        before = self._answered.get(parents[0])
        if before is not None and post.at - self._by_id[parents[0]].at <= GOES_ON:
            return before
        return next((id_ for id_ in parents if not self._by_id[id_].ours), before)


def by_person(posts: Sequence[Post]) -> dict[str, list[Post]]:
    """For each author who is not us: their posts, ours that speak to them, and ours that they answered. Linear in the
    length of the thread, however many people take part. `posts` are unique, in the order of time."""
    by_id = {post.native_id: post for post in posts}
    theirs = {post.author_id for post in posts if not post.ours}
    found: dict[str, dict[str, Post]] = defaultdict(dict)
    for post in posts:
        for person in _concerned(post, by_id, theirs):
            found[person][post.native_id] = post
        parent = by_id.get(post.in_reply_to or "")
        if not post.ours and parent is not None and parent.ours:
            found[post.author_id][parent.native_id] = parent
    return {person: sorted(own.values(), key=lambda post: (post.at, post.native_id)) for person, own in found.items()}


def _concerned(post: Post, by_id: Mapping[str, Post], theirs: set[str]) -> Iterable[str]:
    if not post.ours:
        return (post.author_id,)
    if post.kind is Kind.DIRECT:
        return theirs
    parent = by_id.get(post.in_reply_to or "")
    spoken_to = {post.in_reply_to_author, *post.mentions, parent.author_id if parent is not None else None}
    return theirs.intersection(person for person in spoken_to if person)
