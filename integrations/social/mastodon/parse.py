"""The client API's JSON to our records. Pure.

Reads what Mastodon serves, and what GoToSocial, Takahe, Akkoma, Pleroma and others serve in its place: ids are any text, in no
order, and every field but id, author and time may be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from integrations import concerning, instants
from integrations.errors import UnexpectedResponseError
from integrations.foreign import objects
from integrations.records import Author, Engagement, Kind
from integrations.social.mastodon import people, plain
from integrations.social.mastodon.people import Json

# Notifications that bring a post of somebody's to us, and what the post is to us at least. GoToSocial's `pending.*` wait for an
# approval that only a person can give; the question stands all the same.
WANTED: Mapping[str, Kind] = {
    "mention": Kind.MENTION,
    "quote": Kind.QUOTE,
    "pending.reply": Kind.REPLY,
    "pending.quote": Kind.QUOTE,
}
# Where a person who is signed in on our server can answer a post, wherever it was written. A server of another kind has no such
# page that we know of, and the post's own address is given.
ADDRESSES: Mapping[str, Callable[[View, str, str], str]] = {
    "mastodon": lambda view, acct, status_id: f"{view.web}/@{acct}/{status_id}",
    "pleroma": lambda view, _, status_id: f"{view.web}/notice/{status_id}",
    "akkoma": lambda view, _, status_id: f"{view.web}/notice/{status_id}",
    "takahe": lambda view, acct, status_id: f"{view.web}/@{people.handle(acct, view.domain)}/posts/{status_id}/",
}


class Place(NamedTuple):
    """Where a post stands in its thread."""

    root: str  # the id of the thread's first post, or of the first that the server still knows
    ours: bool  # this post, or one above it, is ours


@dataclass(frozen=True)
class View:
    """Whose eyes to read with, and what is known of threads."""

    account: Author  # the connected account
    web: str  # "https://mastodon.example"
    domain: str  # what handles on this server end in; not always the server's own name
    software: str = "mastodon"
    places: Mapping[str, Place] = field(default_factory=dict)
    authors: dict[str, Author] = field(default_factory=dict, compare=False)  # most write more than once

    def author(self, row: Json) -> Author:
        """The account of this row."""
        author_id = people.identifier(row["id"])
        if author_id not in self.authors:
            self.authors[author_id] = people.author(row, self.domain, self.web)
        return self.authors[author_id]


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
        return (f"The server sent {what} could not be read; the rest of the page was kept",)


def statuses(rows: Iterable[Any], view: View) -> Read:
    """Posts, one for each row that can be read. Raises UnexpectedResponseError where none can."""
    return _each(rows, lambda row: status(row, view))


def notifications(rows: Iterable[Json], view: View) -> Read:
    """The posts that these notifications bring, each of which must (`brings_post`). Raises UnexpectedResponseError where none of them can
    be read."""
    return _each(rows, lambda row: status(row["status"], view, WANTED[row["type"]]))


def brings_post(row: Json) -> bool:
    """Whether a notification is one that we read."""
    kind = row.get("type")
    return isinstance(kind, str) and kind in WANTED and row.get("status") is not None


def _each(rows: Iterable[Any], read: Callable[[Any], Engagement]) -> Read:
    items, skipped = [], 0
    for row in rows:
        try:
            items.append(read(row))
        except people.UNREADABLE:
            skipped += 1
    if skipped and not items:
        raise UnexpectedResponseError("The server sent posts and none of them can be read", sample=f"{skipped} rows")
    return Read(tuple(items), skipped)


# --- posts ---------------------------------------------------------------------------------------------------


def status(row: Json, view: View, floor: Kind = Kind.CONTEXT) -> Engagement:
    """One post. `floor` is what it is to us at least. Raises ValueError and its kin for a row without id, author or time."""
    status_id, wrote = people.identifier(row["id"]), view.author(row["account"])
    shared = row.get("reblog")
    said = shared if isinstance(shared, dict) else row
    parent, answered = reference(row, "in_reply_to_id"), reference(row, "in_reply_to_account_id")
    mentioned: list[Json] = objects(said.get("mentions"))
    ids = [str(each["id"]) for each in mentioned if each.get("id")]
    named = tuple(dict.fromkeys([each for each in (*ids, answered) if each and each != wrote.id]))
    quoted, quoted_writer = _quote(said)
    private = row.get("visibility") == "direct"
    return Engagement(
        id=status_id,
        kind=Kind.DIRECT if private else _kind(view, wrote.id, answered, quoted_writer, named, parent, floor),
        author=wrote,
        text=_text(said, mentioned, view, quoted),
        created_at=_required_instant(row["created_at"]),
        url=_address(row, status_id, view),
        thread=_thread(status_id, parent, view),
        in_reply_to=parent,
        in_reply_to_author=_recipient(answered, wrote.id, named) if private else answered,
        mentions=named,
        quotes=quoted,
        edited_at=instant(row.get("edited_at")),
        language=row.get("language") or None,
        is_repost=said is not row,
    )


def _kind(
    view: View, wrote: str, answered: str | None, quoted_writer: str | None, named: tuple[str, ...], parent: str | None, floor: Kind
) -> Kind:  # fmt: skip
    below_ours = parent is not None and parent in view.places and view.places[parent].ours
    return concerning.kind(
        view.account.id, wrote, answered, quoted_writer, named, Kind.COMMENT if below_ours else floor
    )


def reference(row: Json, name: str) -> str | None:
    """The id that a row gives under this name, or None."""
    value = row.get(name)
    return str(value) if value else None


def instant(value: Any) -> datetime | None:
    """An ISO time as an instant, in UTC where it names no zone; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        return instants.of_post(value)
    except (ValueError, OverflowError):
        return None


def _required_instant(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError("a post without a time")
    return instants.of_post(value)


def _thread(status_id: str, parent: str | None, view: View) -> str:
    if status_id in view.places:
        return view.places[status_id].root
    if parent is None:
        return status_id
    return view.places[parent].root if parent in view.places else parent


def _recipient(answered: str | None, wrote: str, named: tuple[str, ...]) -> str | None:
    """Whom a private post is for: the one who is answered, else the only one who is named; a group's post is for nobody alone."""
    if answered and answered != wrote:
        return answered
    return named[0] if len(named) == 1 else None


def _quote(row: Json) -> tuple[str | None, str | None]:
    """The id of the quoted post and who wrote it, as far as told: Mastodon wraps the post in a state, Akkoma and Pleroma give it
    bare, older forks only its id."""
    quote = row.get("quote")
    if not isinstance(quote, dict):
        return reference(row, "quote_id"), None
    post = quote.get("quoted_status") if "state" in quote else quote
    if isinstance(post, dict) and post.get("id"):
        wrote = post.get("account")
        return str(post["id"]), str(wrote["id"]) if isinstance(wrote, dict) and wrote.get("id") else None
    return reference(quote, "quoted_status_id"), None


def _address(row: Json, status_id: str, view: View) -> str:
    address = ADDRESSES.get(view.software)
    if address is None:
        return people.web_address(row.get("url")) or people.web_address(row.get("uri")) or view.web
    return address(view, str(row["account"].get("acct") or ""), status_id)


# --- words ---------------------------------------------------------------------------------------------------


def _text(row: Json, mentioned: list[Json], view: View, quoted: str | None) -> str:
    """The content warning, the text and a poll's answers, below one another; of a post without words, what its pictures show."""
    html = row.get("content") or ""
    body = plain.short(html)
    if body is None:
        handles = {
            str(each["url"]): people.handle(str(each.get("acct", "")), view.domain)
            for each in mentioned
            if each.get("url")
        }
        body = plain.text(html, handles, quoted=quoted is not None)
    warning, poll = row.get("spoiler_text"), row.get("poll")
    if not warning and not poll and body:
        return body
    parts = [plain.clean(str(warning or "")).strip(), body, _poll(poll)]
    return "\n\n".join(filter(None, parts)) or _pictures(row)


def _poll(poll: Any) -> str:
    if not isinstance(poll, dict):
        return ""
    titles = [str(each.get("title") or "") for each in objects(poll.get("options"))]
    return plain.clean("\n".join(f"- {title}" for title in titles if title))


def _pictures(row: Json) -> str:
    shown = [each.get("description") for each in objects(row.get("media_attachments"))]
    return plain.clean("\n".join(f"[{each}]" for each in shown if isinstance(each, str) and each.strip()))
