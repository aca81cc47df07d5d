"""Rows of an Instagram account's media and comments to our records. Pure.

Who writes a comment is known by an Instagram-scoped id, the same as in messages. Media in which others tag us come with a
user name and without an id: their authors go by the name, and are somebody else once it changes.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from msgspec import structs

from integrations import concerning
from integrations.graph.api import Json, Listing, mapping, nested
from integrations.graph.cursors import Branch
from integrations.graph.talks import UNREADABLE, Found
from integrations.graph.texts import COMMENT, identifier, instant, made_of, parts, plain
from integrations.records import Author, Engagement, Kind

MEDIA_FIELDS = ("id", "timestamp", "caption", "permalink", "username", "owner{id}")
COMMENT_FIELDS = ("id", "timestamp", "text", "username", "from", "user{id}", "parent_id")
HIDDEN = "hidden:"  # before the id of an author whom Meta does not name
NAMED = "@"  # before the name of an author of whom nothing else is known
SOMEBODY = "Somebody on Instagram"
# Replies hang on their comment and do not move it: comments this much older than what is new are read for their replies.
REPLIED_WITHIN = timedelta(days=7)
_HANDLE = re.compile(r"(?<![\w.])@([A-Za-z0-9._]{1,30})", re.ASCII)


@dataclass(frozen=True)
class View:
    """Whose eyes to read with."""

    account: Author
    web: str  # "https://www.instagram.com"
    ours: dict[str, str] = field(
        default_factory=dict, compare=False
    )  # user names beside our id, by lower case, as they were met

    @property
    def renamed(self) -> Author | None:
        """Ourselves, where the last row that says whose it is has another user name than we know: Meta shows the one of the day."""
        handle = next(reversed(self.ours.values()), self.account.handle)
        if handle.lower() == self.account.handle.lower():
            return None
        return structs.replace(self.account, handle=handle, url=f"{self.web}/{handle}/")

    @property
    def names(self) -> dict[str, str]:
        """Our id by the user names, in lower case, that are ours."""
        return dict.fromkeys(self.ours or (self.account.handle.lower(),), self.account.id)

    def _is_ours(self, name: str) -> bool:
        """Whether a user name in lower case is ours: many rows tell no more of who wrote them."""
        return name in self.ours if self.ours else name == self.account.handle.lower()

    def author(self, row: Json, native: str) -> Author:
        """Who wrote a comment or a medium with Meta's id `native`."""
        person, user, owner = mapping(row.get("from")), mapping(row.get("user")), mapping(row.get("owner"))
        handle = plain(person.get("username") or row.get("username"))
        name = handle.lower()
        us = self.account.id
        by_id = us == str(person.get("id")) or us == str(user.get("id")) or us == str(owner.get("id"))
        if by_id and handle:
            self.ours.pop(name, None)
            self.ours[name] = handle
        if by_id or self._is_ours(name):
            return self.account
        known = str(person.get("id") or owner.get("id") or "")
        author_id = identifier(known) if known else f"{NAMED}{name}" if handle else f"{HIDDEN}{native}"
        return Author(author_id, handle, "" if handle else SOMEBODY, url=f"{self.web}/{handle}/" if handle else "")

    def sender(self, person: Json) -> Author:
        """Who wrote a message. Raises ValueError and its kin for nobody."""
        return self.author({"from": person}, identifier(person["id"]))


def entry(row: Json, start: datetime | None, view: View) -> Found:
    """A medium with the newest comments below it: those from `start` on, and the medium where it is from then on or they are."""
    item = medium(row, view)
    came = nested(row.get("comments"))
    if not came.rows and not came.after:
        return Found((item,) if start is None or item.created_at >= start else (), (item.created_at,))
    ours = item.author.id == view.account.id
    branch = Branch(
        f"/{item.id}/comments", item.id, start, author=item.author.id, parent=item.id, url=item.url, ours=ours
    )
    found = comments(branch, came, view)
    if came.after and not found.over:
        found += Found(branches=(replace(branch, after=came.after),))
    fresh = start is None or item.created_at >= start or bool(found.items)
    return Found(items=(item,) if fresh else (), instants=(item.created_at,)) + found


def comments(branch: Branch, page: Listing, view: View) -> Found:
    """Comments below one medium with the replies to each, or replies to one comment. What Meta sends first is the newest."""
    total, tops = Found(), []
    known = _known(page, view) if page.rows else {}
    for row in page.rows:
        try:
            item = comment(row, branch, view, known)
            replies = nested(row.get("replies"))
        except UNREADABLE:
            total += Found(skipped=1)
            continue
        tops.append(item.created_at)
        below = replace(branch, path=f"/{row['id']}/replies", after=None, author=item.author.id, parent=item.id)
        total += _kept(item, branch.start)
        for reply in replies.rows:
            try:
                total += _kept(comment(reply, below, view, known), branch.start)
            except UNREADABLE:
                total += Found(skipped=1)
        if replies.after:
            total += Found(branches=(replace(below, after=replies.after),))
    old = branch.start is not None and any(at < branch.start - REPLIED_WITHIN for at in tops)
    return total + Found(over=old)


def _kept(item: Engagement, start: datetime | None) -> Found:
    return Found((item,) if start is None or item.created_at >= start else (), (item.created_at,))


def medium(row: Json, view: View) -> Engagement:
    """One photo, video or album: ours, or one in which somebody tags us. Raises ValueError and its kin for a row without id or time."""
    native = identifier(row["id"])
    author = view.author(row, native)
    ours = author.id == view.account.id
    return Engagement(
        id=native,
        kind=Kind.OWN if ours else Kind.MENTION,
        author=author,
        text=plain(row.get("caption")),
        created_at=instant(row["timestamp"]),
        url=_url(row, view),
        thread=native,
        mentions=() if ours else (view.account.id,),
    )


def comment(row: Json, branch: Branch, view: View, known: Mapping[str, str]) -> Engagement:
    """One comment, or one reply to a comment. Below a comment all replies stand on one level: whom each of them answers, its text
    says with an @ or not at all. `known` are ids by user name, of those who have spoken there."""
    native = identifier(row["id"])
    author = view.author(row, native)
    text = plain(row.get("text"))
    if row.get("parent_id") and branch.parent == branch.thread:  # a reply that is listed among the comments
        branch = replace(branch, parent=made_of(COMMENT, branch.thread, identifier(row["parent_id"])), author="")
    named = tuple(known[name] for name in _handles(text) if name in known)
    reply = branch.parent.startswith(f"{COMMENT}:")
    return Engagement(
        id=made_of(COMMENT, branch.thread, native),
        kind=_kind(view, author.id, branch, reply, named),
        author=author,
        text=text,
        created_at=instant(row["timestamp"]),
        url=branch.url or view.web,
        thread=branch.thread,
        in_reply_to=branch.parent or None,
        in_reply_to_author=branch.author or None,
        mentions=tuple(each for each in dict.fromkeys(named) if each != author.id),
    )


def looked_up(our_id: str, row: Json, view: View) -> Engagement:
    """A medium or comment that was asked for by our id."""
    kind, thread, _ = parts(our_id)
    if not kind:
        return medium(row, view)
    holder = mapping(row.get("media"))
    ours = mapping(holder.get("owner")).get("id") == view.account.id
    branch = Branch(
        f"/{thread}/comments",
        thread,
        None,
        author=view.account.id if ours else "",
        parent=thread,
        url=_url(holder, view),
        ours=ours,
    )
    return comment(row, branch, view, view.names)


def _kind(view: View, author_id: str, branch: Branch, reply: bool, named: Container[str]) -> Kind:
    answered = branch.author if reply else None
    return concerning.kind(
        view.account.id, author_id, answered, None, named, Kind.COMMENT if branch.ours else Kind.CONTEXT
    )


def _known(page: Listing, view: View) -> dict[str, str]:
    """Ids by user name in lower case, of everybody on a page, and ours."""
    rows = [each for row in page.objects for each in (row, *nested(row.get("replies")).objects)]
    people = [mapping(row.get("from")) for row in rows]
    found = {
        str(each["username"]).lower(): str(each["id"]) for each in people if each.get("username") and each.get("id")
    }
    return {**found, **view.names}


def _handles(text: str) -> list[str]:
    return [found.rstrip(".").lower() for found in _HANDLE.findall(text)] if "@" in text else []


def _url(row: Json, view: View) -> str:
    url = str(row.get("permalink") or "")
    return url if url.startswith("https://") else view.web
