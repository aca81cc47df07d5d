"""Who speaks to whom in a thread: the posts that matter to one person, out of a thread of any size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from integrations.records import Kind
from service.rules.linking import Message, link
from service.rules.model import Post

LIKELY: Final = 0.5


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
    parents = {each.id: each.parents[0] for each in link(said) if each.parents}
    return [_linked(post, *parents[post.native_id]) if post.native_id in parents else post for post in posts]


def _linked(post: Post, parent: str, chance: float) -> Post:
    if post.ours:  # it speaks to somebody: a guess is better than that nobody was answered
        return post if post.mentions else replace(post, in_reply_to=parent, in_reply_to_author=None)
    return replace(post, in_reply_to=parent) if post.kind is Kind.COMMENT and chance >= LIKELY else post


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
