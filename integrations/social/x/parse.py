"""X's JSON to our records. Pure. Reads the tweet names of contract 2.166 and the post names of 2.167."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from msgspec.structs import replace

from integrations import concerning, instants
from integrations.errors import UnexpectedResponseError
from integrations.records import Author, Engagement, Kind, Renamed

DM = "dm:"  # before the id of a direct message, which X numbers apart from posts
_EPOCH_MS = 1288834974657  # an id above 2^40 holds milliseconds since then, in its bits from 22 up (X's "snowflake")
_SHORT = re.compile(r"https?://t\.co/\w+", re.ASCII)
_STATUS = re.compile(r"^https?://(?:www\.|mobile\.)?(?:x|twitter)\.com/(\w+)/status/(\d+)", re.ASCII)
_HANDLE = re.compile(r"\w+", re.ASCII)
_REPOSTED = frozenset(("retweeted", "reposted"))
# X escapes these three and nothing else, in texts and in names; the ampersand goes last.
_ESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
# Language codes that say nothing, and two that BCP 47 has retired.
_LANGUAGES: dict[str, str | None] = {"und": None, "zxx": None, "in": "id", "iw": "he"} | dict.fromkeys(
    ("qam", "qct", "qht", "qme", "qst")
)
_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, OverflowError)

Json = Mapping[str, Any]


@dataclass(frozen=True)
class View:
    """Whose eyes to read with, and what else the answer holds."""

    account: Author  # the connected account
    web: str  # "https://x.com"
    users: Mapping[str, Json] = field(default_factory=dict)
    posts: Mapping[str, Json] = field(default_factory=dict)  # what the rows refer to
    writers: Mapping[str, str] = field(default_factory=dict)  # post id -> author id, as far as known
    floor: Kind = Kind.CONTEXT  # what a row is, at least: the mentions feed serves nothing but mentions
    authors: dict[str, Author] = field(
        default_factory=dict, compare=False
    )  # those read so far: most write more than once

    @cached_property
    def handles(self) -> Mapping[str, str]:
        """The ids of everybody in the answer, and ours, by handle in lower case."""
        found = {str(user.get("username", "")).lower(): user_id for user_id, user in self.users.items()}
        found[self.account.handle.lower()] = self.account.id
        found.pop("", None)
        return found

    def author(self, user_id: str) -> Author:
        """The author with this id; bare where X leaves them out (suspended, or protected since)."""
        if user_id == self.account.id and user_id not in self.users:
            return self.account
        if user_id not in self.authors:
            self.authors[user_id] = (
                author(self.users[user_id], self.web) if user_id in self.users else Author(user_id, "")
            )
        return self.authors[user_id]

    def writer(self, post_id: str | None) -> str | None:
        """The id of who wrote a post, where the answer or earlier ones tell."""
        if post_id is None:
            return None
        return self.posts.get(post_id, {}).get("author_id") or self.writers.get(post_id)


@dataclass(frozen=True)
class Read:
    """What could be read of some rows, and how many could not."""

    items: tuple[Engagement, ...]
    skipped: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        if not self.skipped:
            return ()
        what = "1 post that" if self.skipped == 1 else f"{self.skipped} posts that"
        return (f"X sent {what} could not be read; the rest of the page was kept",)


def posts(rows: Iterable[Any], view: View) -> Read:
    """Posts, one for each row that can be read. Raises UnexpectedResponseError where none can."""
    return _each(rows, lambda row: post(row, view))


def messages(rows: Iterable[Any], view: View) -> Read:
    """Direct messages. Other events of a conversation (somebody joined) are left out and not counted."""
    return _each((row for row in rows if _is_message(row)), lambda row: message(row, view))


def _is_message(row: Any) -> bool:
    return not isinstance(row, dict) or row.get("event_type", "MessageCreate") == "MessageCreate"


def _each(rows: Iterable[Any], read: Callable[[Any], Engagement]) -> Read:
    items, skipped = [], 0
    for row in rows:
        try:
            items.append(read(row))
        except _UNREADABLE:
            skipped += 1
    if skipped and not items:
        raise UnexpectedResponseError("X sent posts and none of them can be read", sample=f"{skipped} rows")
    return Read(tuple(items), skipped)


# --- posts ---------------------------------------------------------------------------------------------------


def post(row: Json, view: View) -> Engagement:
    """One post, under the id of its first version. Raises ValueError and its kin for a row without id, author or time."""
    version = _id(row["id"])
    history = edit_history(row)
    first = history[0]
    author_id = _id(row["author_id"])
    wrote = view.author(author_id)
    references = {str(each["type"]): _id(each["id"]) for each in _references(row)}
    parent, quoted = references.get("replied_to"), references.get("quoted")
    answered = row.get("in_reply_to_user_id") or view.writer(parent)
    served_at = _instant(row.get("created_at")) or snowflake_time(version)
    if served_at is None:
        raise ValueError("a post without a time")
    thread = str(row.get("conversation_id") or first)
    entities, note = row.get("entities") or {}, row.get("note_tweet") or row.get("note_post") or {}
    both = (entities, note["entities"]) if note.get("entities") else (entities,)
    named = _mentions(both, view, author_id, answered)
    edited = version != first
    return Engagement(
        id=first,
        kind=_kind(view, author_id, answered, _quoted_writer(entities, quoted, view), named, thread, first),
        author=wrote,
        # The long text where there is one (`text` is then cut at 280).
        text=plain(note.get("text") or row.get("text") or "", [url for each in both for url in each.get("urls") or ()]),
        created_at=(snowflake_time(first) or served_at) if edited else served_at,
        url=f"{view.web}/{wrote.handle or 'i'}/status/{version}",
        thread=thread,
        in_reply_to=_first_version(parent, view),
        in_reply_to_author=answered or None,
        mentions=named,
        quotes=_first_version(quoted, view),
        edited_at=served_at if edited else None,
        language=_LANGUAGES.get(row.get("lang") or "und", row.get("lang")),
        is_repost=not _REPOSTED.isdisjoint(references),
    )


def _references(row: Json) -> Iterable[Json]:
    return row.get("referenced_tweets") or row.get("referenced_posts") or ()


def edit_history(row: Json) -> list[str]:
    """The ids of all versions of a post, oldest first; its own id alone where it was never edited."""
    versions = row.get("edit_history_tweet_ids") or row.get("edit_history_post_ids") or [row["id"]]
    return [_id(each) for each in versions]


def snowflake_time(post_id: str) -> datetime | None:
    """When a post with this id was written, or None for an id that holds no time."""
    number = int(post_id)
    if not 1 << 40 < number < 1 << 63:
        return None
    return datetime.fromtimestamp(((number >> 22) + _EPOCH_MS) / 1000, UTC)


def _kind(
    view: View, author_id: str, answered: str | None, quoted_writer: str | None, named: tuple[str, ...], thread: str, own_id: str
) -> Kind:  # fmt: skip
    us = view.account.id
    below_ours = thread != own_id and view.writer(thread) == us
    return concerning.kind(us, author_id, answered, quoted_writer, named, Kind.COMMENT if below_ours else view.floor)


def _mentions(entities: Iterable[Json], view: View, author_id: str, answered: str | None) -> tuple[str, ...]:
    """Author ids: those whom the text names, the one who is answered, and us where the feed says so."""
    found = [
        each.get("id") or view.handles.get(str(each.get("username", "")).lower())
        for part in entities
        for each in part.get("mentions") or ()
    ]
    found.append(answered)
    if view.floor is Kind.MENTION:
        found.append(view.account.id)
    return tuple(dict.fromkeys([str(each) for each in found if each and each != author_id]))


def named(rows: Iterable[Any], view: View) -> dict[str, Renamed]:
    """Whom these posts name, by id, each by the newest handle among them, at no price. (Those whose profiles came along are in the
    posts.)"""
    newest: dict[str, Renamed] = {}
    for row in rows:
        at, mentions = _names(row)
        for id_, handle in mentions:
            known = newest.get(id_)
            if known is None or known.at < at:
                newest[id_] = Renamed(Author(id_, handle, url=f"{view.web}/{handle}"), at)
    return newest


def renamed(names: Mapping[str, Renamed], view: View) -> Renamed | None:
    """Ourselves, where the newest of these posts that names us does so by another handle than the one we know. It costs nothing, which a
    profile does; and whoever wrote it had to write the handle that we had then."""
    us = names.get(view.account.id)
    if us is None or us.account.handle.lower() == view.account.handle.lower():
        return None
    return replace(us, account=replace(view.account, handle=us.account.handle, url=us.account.url))


def others(names: Mapping[str, Renamed], view: View) -> tuple[Renamed, ...]:
    """Whoever is named and is not us, and whose profile did not come along."""
    return tuple(each for id_, each in sorted(names.items()) if id_ != view.account.id and id_ not in view.users)


def _names(row: Any) -> tuple[datetime, list[tuple[str, str]]]:
    """Ids and handles of everybody whom a post names, as they were called when it was written. Nobody, where it cannot be read."""
    try:
        mentions = [(_id(each["id"]), str(each["username"])) for each in row["entities"]["mentions"] if "id" in each]
        # A repost is of the day of its reposting, with the handles of the day on which it was written.
        if not mentions or any(each["type"] in _REPOSTED for each in _references(row)):
            return instants.EARLIEST, []
        # What is no handle stays out: it goes into queries.
        return instants.of_post(row["created_at"]), [each for each in mentions if _HANDLE.fullmatch(each[1])]
    except _UNREADABLE:
        return instants.EARLIEST, []


def _quoted_writer(entities: Json, quoted: str | None, view: View) -> str | None:
    """Who wrote the quoted post; where X leaves it out, the link to it still names the handle."""
    if quoted is None or view.writer(quoted):
        return view.writer(quoted)
    for each in entities.get("urls") or ():
        link = _STATUS.match(str(each.get("expanded_url", "")))
        if link and link[2] == quoted and link[1].lower() == view.account.handle.lower():
            return view.account.id
    return None


def _first_version(post_id: str | None, view: View) -> str | None:
    """Posts are kept under the id of their first version, so that is what a reference must name too."""
    return edit_history(view.posts[post_id])[0] if post_id and post_id in view.posts else post_id


# --- direct messages -----------------------------------------------------------------------------------------


def message(row: Json, view: View) -> Engagement:
    """One direct message, theirs or ours."""
    event, thread, sender = _id(row["id"]), str(row["dm_conversation_id"]), _id(row["sender_id"])
    at = _instant(row.get("created_at")) or snowflake_time(event)
    if at is None:
        raise ValueError("a message without a time")
    urls = [*(row.get("urls") or ()), *((row.get("entities") or {}).get("urls") or ())]
    return Engagement(
        id=DM + event,
        kind=Kind.DIRECT,
        author=view.author(sender),
        text=plain(row.get("text") or "", urls),
        created_at=at,
        url=f"{view.web}/messages/{thread}",
        thread=thread,
        in_reply_to_author=_other_side(thread, sender),
    )


def _other_side(thread: str, sender: str) -> str | None:
    """Whom a message is for. A conversation of two is named by both ids; a group's name tells nobody."""
    sides = thread.split("-")
    return next((side for side in sides if side != sender), None) if len(sides) == 2 and sender in sides else None


# --- people and words ----------------------------------------------------------------------------------------


def author(user: Json, web: str) -> Author:
    """An account. Raises ValueError and its kin for one without an id."""
    entities = user.get("entities") or {}
    handle = str(user.get("username") or "")
    links = (entities.get("url") or {}).get("urls") or ()
    described = (entities.get("description") or {}).get("urls") or ()
    followers = (user.get("public_metrics") or {}).get("followers_count")
    user_id = _id(user["id"])
    return Author(
        id=user_id,
        handle=handle,
        name=plain(user.get("name") or ""),
        bio=plain(user.get("description") or "", described),
        url=f"{web}/{handle}" if handle else f"{web}/i/user/{user_id}",
        website=plain(str(user.get("url") or ""), links),
        location=plain(user.get("location") or ""),
        followers=followers if isinstance(followers, int) else None,
    )


def plain(text: str, urls: Iterable[Json] = ()) -> str:
    """Text as a person reads it: short links expanded, X's three escapes undone, nothing that a database refuses."""
    if "&" in text:
        for escaped, character in _ESCAPES:
            text = text.replace(escaped, character)
    if "://" in text:
        targets = {each.get("url"): each.get("expanded_url") for each in urls}
        text = _SHORT.sub(lambda short: str(targets.get(short[0]) or short[0]), text)
    if text.isascii() and text.isprintable():
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _id(value: Any) -> str:
    text = str(value)
    if not (text.isascii() and text.isdigit()):
        raise ValueError("an id that is not a number")
    return text


def _instant(value: Any) -> datetime | None:
    if not value:
        return None
    return instants.of_post(str(value))
