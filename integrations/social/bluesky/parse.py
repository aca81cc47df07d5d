"""Bluesky's JSON to our records. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations import concerning, instants
from integrations.errors import UnexpectedResponseError
from integrations.records import Author, Engagement, Kind

POST = "app.bsky.feed.post"
CHAT = "chat:"  # before the id of a direct message, which is one only within its conversation
_POST_URI = re.compile(r"at://(did:[a-z]+:[a-zA-Z0-9._:%-]+)/app\.bsky\.feed\.post/([a-zA-Z0-9._~:-]{1,512})", re.ASCII)
_MENTION, _LINK = "app.bsky.richtext.facet#mention", "app.bsky.richtext.facet#link"
_HIDDEN = ("!hide", "!takedown")  # labels under which Bluesky shows a post to nobody
_SCHEME = re.compile(r"^https?://(www\.)?")
_NO_HANDLE = "handle.invalid"  # what the AppView writes where a handle does not lead back to its account
_UNREADABLE = (AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError)

Json = Mapping[str, Any]
Facet = tuple[int, int, Json]  # the bytes of a text from, up to, and what is said of them


@dataclass(frozen=True)
class View:
    """Whose eyes to read with."""

    did: str  # the connected account
    web: str  # "https://bsky.app"


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
        return (f"Bluesky sent {what} could not be read; the rest of the page was kept",)


def each(rows: Iterable[Any], read: Callable[[Any], Engagement | None]) -> Read:
    """What `read` makes of each row; None from it leaves a row out. Raises UnexpectedResponseError where no row can be read."""
    given = list(rows)
    found = some(given, read)
    if found.skipped and found.skipped == len(given):
        raise unreadable(found.skipped)
    return found


def some(rows: Iterable[Any], read: Callable[[Any], Engagement | None]) -> Read:
    """As `each`, for an answer so small that a row may be all there is of it."""
    items, skipped = [], 0
    for row in rows:
        try:
            item = read(row)
        except _UNREADABLE:
            skipped += 1
            continue
        if item is not None:
            items.append(item)
    return Read(tuple(items), skipped)


def together(reads: Iterable[Read]) -> Read:
    """Several reads as one."""
    listed = list(reads)
    return Read(tuple(item for read in listed for item in read.items), sum(read.skipped for read in listed))


def unreadable(rows: int) -> UnexpectedResponseError:
    """The error for answers with so many rows, of which none could be read."""
    return UnexpectedResponseError("Bluesky sent posts and none of them can be read", sample=f"{rows} rows")


# --- posts -------------------------------------------------------------------------------------------------------


def is_post(uri: str) -> bool:
    """Whether this is the address of a post, as ours are kept."""
    return _POST_URI.fullmatch(uri) is not None


def is_hidden(row: Json) -> bool:
    """Whether moderation has it that nobody is shown this post."""
    labels = row.get("labels")
    if not labels or not isinstance(labels, list):
        return False
    return any(isinstance(label, dict) and label.get("val") in _HIDDEN for label in labels)


def writer(uri: str | None) -> str | None:
    """The DID of whoever wrote the post at this address: it is a part of it."""
    found = _POST_URI.fullmatch(uri) if uri else None
    return found[1] if found else None


# Why a notification came, where the post itself does not say it: an answer to an answer below a post of ours, say.
_REASONS = {"mention": Kind.MENTION, "reply": Kind.COMMENT, "quote": Kind.QUOTE}
REASONS = tuple(_REASONS)


def notification(row: Json, view: View) -> Engagement | None:
    """The post that a notification is about; None where it is about something else (a like, say)."""
    floor = _REASONS.get(row["reason"])
    return post(row, view, floor) if floor else None


def post(row: Json, view: View, floor: Kind = Kind.CONTEXT) -> Engagement | None:
    """One post; a view of it and a notification about it have the same members. `floor` is what it is at least. None for one
    that Bluesky shows to nobody. Raises ValueError and its kin for a row without address, author or time."""
    if is_hidden(row):
        return None
    record, uri = row["record"], str(row["uri"])
    address = _POST_URI.fullmatch(uri)
    if address is None or record.get("$type") != POST:
        raise ValueError("not a post")
    wrote = author(row["author"], view.web)
    reply = record.get("reply") or {}
    parent = _uri(reply.get("parent"))
    root = _uri(reply.get("root")) or parent or uri
    quoted = _quoted(record.get("embed") or {})
    marked = facets(record.get("facets"))
    named = mentions(marked)
    answered = writer(parent)
    kind = _kind(view.did, address[1], answered, quoted, named, root if parent is not None else None, floor)
    return Engagement(
        id=uri,
        kind=kind,
        author=wrote,
        text=_post_text(record, marked),
        created_at=_written(record.get("createdAt"), row["indexedAt"]),
        url=f"{view.web}/profile/{address[1]}/post/{address[2]}",  # by handle it would lead to whoever takes that
        thread=root,
        in_reply_to=parent,
        in_reply_to_author=answered,
        mentions=tuple(dict.fromkeys([did for did in (*named, answered) if did and did != address[1]])),
        quotes=quoted,
        language=next(map(str, record.get("langs") or ()), None),
    )


def _kind(
    us: str, wrote: str, answered: str | None, quoted: str | None, named: tuple[str, ...], begun: str | None, floor: Kind
) -> Kind:  # fmt: skip
    """`answered` is whose post it answers, `begun` the address of the post with which the thread began before it."""
    return concerning.kind(us, wrote, answered, writer(quoted), named, Kind.COMMENT if writer(begun) == us else floor)


def _written(claimed: Any, indexed: str) -> datetime:
    """When a post was written. Its own word for it may be any: Bluesky sorts by the earlier of that and when it saw the post."""
    seen = instant(indexed)
    try:
        return min(instant(claimed), seen)
    except (TypeError, ValueError, OverflowError):
        return seen


def _quoted(embed: Json) -> str | None:
    """The post that is quoted. Lists, feeds and starter packs are embedded the same way, and are none."""
    if not embed:
        return None
    kind, record = embed.get("$type"), embed.get("record") or {}
    uri = _uri(record.get("record") if kind == "app.bsky.embed.recordWithMedia" else record)
    return uri if uri and is_post(uri) else None


def _uri(reference: Any) -> str | None:
    return str(reference["uri"]) if reference else None


def _post_text(record: Json, marked: Sequence[Facet]) -> str:
    """The text with its links in full, and the link of a card that the text does not hold."""
    text = rich(str(record.get("text") or ""), marked)
    embed = record.get("embed")
    if not embed:
        return text
    card = (embed.get("media") or embed).get("external") or {}
    link = str(card.get("uri") or "")
    if not link or link in text:
        return text
    return plain(f"{text}\n{link}" if text else link)


# --- people and words -----------------------------------------------------------------------------------------------


def author(profile: Json, web: str) -> Author:
    """An account, from any of Bluesky's views of one. Raises KeyError and its kin for one without a DID."""
    did, handle = str(profile["did"]), str(profile.get("handle") or "")
    if not did.startswith("did:"):
        raise ValueError("an account without a DID")
    known = handle not in ("", _NO_HANDLE)
    followers = profile.get("followersCount")
    return Author(
        id=did,
        handle=handle if known else did,
        name=_said(profile, "displayName"),
        bio=_said(profile, "description"),
        url=f"{web}/profile/{handle if known else did}",
        website=_said(profile, "website"),
        bot=any(label.get("val") == "bot" for label in profile.get("labels") or ()),
        followers=followers if isinstance(followers, int) else None,
    )


def _said(profile: Json, name: str) -> str:
    value = profile.get(name)
    return plain(str(value)) if value else ""


def mentions(marked: Iterable[Facet]) -> tuple[str, ...]:
    """The DIDs that a text names."""
    found = [str(feature.get("did") or "") for _, _, feature in marked if feature.get("$type") == _MENTION]
    return tuple(dict.fromkeys([did for did in found if did.startswith("did:")]))


def rich(text: str, marked: Iterable[Facet]) -> str:
    """The text with each link written out: what is shown of one is often cut. Facets count bytes of UTF-8; those that make
    no sense are left aside, as the protocol asks."""
    links = [each for each in marked if each[2].get("$type") == _LINK]
    if not links:
        return plain(text)
    raw = text.encode("utf-8", "replace")
    end, parts = 0, []
    for start, stop, feature in sorted(links, key=_place):
        shown, uri = _slice(raw, start, stop), str(feature.get("uri") or "")
        before = _slice(raw, end, start)
        if shown is None or before is None or not uri:
            continue
        parts += [before, _link(shown, uri)]
        end = stop
    return plain("".join([*parts, raw[end:].decode("utf-8", "replace")]))


def _link(shown: str, uri: str) -> str:
    """A link that is shown by (a part of) its address becomes the address; one below other words stands behind them."""
    bare = _SCHEME.sub("", uri)
    start = _SCHEME.sub("", shown).removesuffix("...").removesuffix("…").strip()
    return uri if start and bare.startswith(start) else f"{shown} ({uri})"


def _slice(raw: bytes, start: int, stop: int) -> str | None:
    """These bytes as text; None where they are not there, or cut a character."""
    if not 0 <= start <= stop <= len(raw):
        return None
    try:
        return raw[start:stop].decode()
    except UnicodeDecodeError:
        return None


def facets(value: Any) -> list[Facet]:
    """The features of all facets of a text that can be read, in their order."""
    found: list[Facet] = []
    for facet in value or ():
        try:
            start, stop = int(facet["index"]["byteStart"]), int(facet["index"]["byteEnd"])
            found += [(start, stop, dict(feature)) for feature in facet["features"]]
        except _UNREADABLE:
            continue
    return found


def _place(facet: Facet) -> tuple[int, int]:
    return facet[:2]


def plain(text: str) -> str:
    """Text without what a database refuses."""
    if text.isascii() and text.isprintable():
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def instant(value: Any) -> datetime:
    """An instant of Bluesky's, in UTC. Raises ValueError and its kin."""
    return instants.of_post(str(value))
