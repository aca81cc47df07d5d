"""Rows of a page's posts and comments to our records. Pure.

Who writes is known by an id that only this page sees ("page-scoped"). Meta leaves `from` out where a person's settings
hide them from apps: such a post has an author of its own, since nothing tells who else it might be.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from integrations import concerning
from integrations.graph.api import Json, Listing, mapping, nested
from integrations.graph.cursors import Branch
from integrations.graph.talks import UNREADABLE, Found
from integrations.graph.texts import COMMENT, identifier, instant, made_of, parts, plain
from integrations.records import Author, Engagement, Kind

POST_FIELDS = ("id", "created_time", "from", "message", "message_tags", "permalink_url")
COMMENT_FIELDS = ("id", "created_time", "from", "message", "message_tags", "permalink_url", "parent{id,from}")
HIDDEN = "hidden:"  # before the id of an author whom Meta does not name
SOMEBODY = "Somebody on Facebook"


@dataclass(frozen=True)
class View:
    """Whose eyes to read with."""

    account: Author  # the page
    web: str  # "https://www.facebook.com"

    def is_ours(self, post_id: str) -> bool:
        """Whether a post stands on our page: its id begins with the page's."""
        return post_id.startswith(f"{self.account.id}_")

    def author(self, row: Json, native: str) -> Author:
        """Who wrote a post or a comment with Meta's id `native`."""
        person = mapping(row.get("from"))
        if not person.get("id"):
            return Author(f"{HIDDEN}{native}", "", SOMEBODY)
        if person["id"] == self.account.id:
            return self.account
        return Author(identifier(person["id"]), "", plain(person.get("name")))


def entry(row: Json, start: datetime | None, view: View) -> Found:
    """A post with the newest comments below it: those from `start` on, and the post where it is from then on or they are."""
    item = post(row, view)
    came = nested(row.get("comments"))
    if not came.rows and not came.after:
        return Found((item,) if start is None or item.created_at >= start else (), (item.created_at,))
    branch = Branch(f"/{item.id}/comments", item.id, start, author=item.author.id, parent=item.id, url=item.url)
    found = comments(branch, came, view)
    if came.after and not found.over:
        found += Found(branches=(replace(branch, after=came.after),))
    fresh = start is None or item.created_at >= start or bool(found.items)
    return Found(items=(item,) if fresh else (), instants=(item.created_at,)) + found


def comments(branch: Branch, page: Listing, view: View) -> Found:
    """Comments below one post, replies to comments among them, newest first."""
    items, instants, skipped = [], [], 0
    for row in page.rows:
        try:
            item = comment(row, branch, view)
        except UNREADABLE:
            skipped += 1
            continue
        instants.append(item.created_at)
        if branch.start is None or item.created_at >= branch.start:
            items.append(item)
    over = branch.start is not None and any(at < branch.start for at in instants)
    return Found(tuple(items), tuple(instants), (), skipped, over)


def post(row: Json, view: View) -> Engagement:
    """One post: ours, one that somebody else wrote on our page, or one elsewhere that tags us. Raises ValueError and its kin for a
    row without id or time."""
    native = identifier(row["id"])
    author = view.author(row, native)
    ours = author.id == view.account.id
    tagged = _tagged(row)
    return Engagement(
        id=native,
        kind=Kind.OWN if ours else Kind.MENTION,
        author=author,
        text=plain(row.get("message")),
        created_at=instant(row["created_time"]),
        url=_url(row, f"{view.web}/{native}"),
        thread=native,
        mentions=_without(author.id, tagged if ours else (*tagged, view.account.id)),
    )


def comment(row: Json, branch: Branch, view: View) -> Engagement:
    """One comment or reply to one. Of a tree of them, Facebook names the comment that is answered, and its author where it may."""
    native = identifier(row["id"])
    author = view.author(row, native)
    parent = mapping(row.get("parent"))
    answered = str(mapping(parent.get("from")).get("id") or "") if parent else branch.author
    tagged = _tagged(row)
    return Engagement(
        id=made_of(COMMENT, branch.thread, native),
        kind=_kind(view, branch.thread, author.id, answered if parent else "", tagged),
        author=author,
        text=plain(row.get("message")),
        created_at=instant(row["created_time"]),
        url=_url(row, branch.url or f"{view.web}/{native}"),
        thread=branch.thread,
        in_reply_to=made_of(COMMENT, branch.thread, identifier(parent["id"])) if parent else branch.thread,
        in_reply_to_author=answered or None,
        mentions=_without(author.id, tagged),
    )


def looked_up(our_id: str, row: Json, view: View) -> Engagement:
    """A post or comment that was asked for by our id. Who wrote the post that a comment stands below is not asked for."""
    kind, thread, _ = parts(our_id)
    return post(row, view) if not kind else comment(row, Branch(f"/{thread}/comments", thread, None), view)


def _kind(view: View, thread: str, author_id: str, answered: str, tagged: Container[str]) -> Kind:
    otherwise = Kind.COMMENT if view.is_ours(thread) else Kind.CONTEXT
    return concerning.kind(view.account.id, author_id, answered, None, tagged, otherwise)


def _tagged(row: Json) -> tuple[str, ...]:
    """Ids of the pages and people whom a text tags. Meta lists tags, and once kept them by their place in the text."""
    tags: Any = row.get("message_tags")
    if not tags:
        return ()
    listed = [each for value in tags.values() for each in value] if isinstance(tags, dict) else tags
    return tuple(str(each["id"]) for each in listed if isinstance(each, dict) and each.get("id"))


def _without(author_id: str, named: Iterable[str]) -> tuple[str, ...]:
    return tuple([each for each in dict.fromkeys(named) if each != author_id])


def _url(row: Json, fallback: str) -> str:
    url = str(row.get("permalink_url") or "")
    return url if url.startswith("https://") else fallback
