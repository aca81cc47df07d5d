"""Posts, accounts and messages as X's API writes them, whole; what a request leaves out is taken away later."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from sandbox.clock import iso

SHORT = 280  # characters; a longer post comes with `note_tweet`
HANDLE = re.compile(r"(?<![A-Za-z0-9_@/])@([A-Za-z0-9_]{1,50})(?![A-Za-z0-9_@])")
LINK = re.compile(r"https?://[^\s<>\"“”]+[^\s<>\"“”.,;:!?)\]'…]", re.IGNORECASE)
TOKEN = re.compile(f"{LINK.pattern}|{HANDLE.pattern}", re.IGNORECASE)
STATUS = re.compile(r"/(\w{1,50})/status(?:es)?/([0-9]{1,19})(?:[/?#]|$)")
LEADING_HANDLES = re.compile(r"^(?:@\w+\s+)+")

TWEET_FIELDS = frozenset(
    [
        "id",
        "text",
        "author_id",
        "conversation_id",
        "created_at",
        "in_reply_to_user_id",
        "referenced_tweets",
        "entities",
        "lang",
        "edit_history_tweet_ids",
        "note_tweet",
    ]
)
TWEET_DEFAULTS = frozenset({"id", "text", "edit_history_tweet_ids"})
USER_FIELDS = frozenset(
    [
        "id",
        "name",
        "username",
        "description",
        "location",
        "url",
        "entities",
        "public_metrics",
        "verified",
        "verified_type",
        "protected",
        "created_at",
    ]
)
USER_DEFAULTS = frozenset({"id", "name", "username"})
DM_FIELDS = frozenset(
    ["id", "text", "event_type", "created_at", "dm_conversation_id", "sender_id", "participant_ids", "entities"]
)
DM_DEFAULTS = frozenset({"id", "text", "event_type"})


# One encoder for all: json.dumps would make a new one for every record.
dumps: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def escape(text: str) -> str:
    """As X escapes the text of a post."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """Undoes `escape`, once: loaded texts come both ways, and are kept plain."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def handles_in(text: str) -> list[str]:
    """Handles that a text names, lower case, each once, in order; those inside links don't count."""
    found = (match.group(1) for match in TOKEN.finditer(text))
    return list(dict.fromkeys(name.lower() for name in found if name))


def quoted_in(text: str) -> int | None:
    """The post that a text quotes: X takes a link to a post at its end for a quotation."""
    links = LINK.findall(text)
    if not links or not text.rstrip().endswith(links[-1]):
        return None
    status = STATUS.search(links[-1])
    return int(status.group(2)) if status else None


def short_link(url: str) -> str:
    """What X puts in a link's place. The same link always gets the same one; X's own stay as they are."""
    if re.match(r"https?://t\.co/", url, re.IGNORECASE):
        return url
    return "https://t.co/" + blake2b(url.encode(), digest_size=5).hexdigest()


def _display(url: str) -> str:
    bare = re.sub(r"^https?://(?:www\.)?", "", url, flags=re.IGNORECASE)
    return bare if len(bare) <= 30 else bare[:29] + "…"


def _url_entity(url: str, start: int) -> dict[str, Any]:
    short = short_link(url)
    return {
        "start": start, "end": start + len(short), "url": short, "expanded_url": url, "display_url": _display(url)
    }  # fmt: skip


def write(text: str, people: Mapping[str, tuple[int, str]]) -> tuple[str, dict[str, Any]]:
    """`text` escaped and with its links shortened, and its entities. `people`: lower-case handle -> (id, handle).

    Offsets count code points of the text as returned.
    """
    out: list[str] = []
    mentions: list[dict[str, Any]] = []
    urls: list[dict[str, Any]] = []
    length, position = 0, 0

    def add(piece: str) -> None:
        nonlocal length
        out.append(piece)
        length += len(piece)

    for match in TOKEN.finditer(text):
        add(escape(text[position : match.start()]))
        position = match.end()
        name, token = match.group(1), match.group(0)
        if name is None:
            urls.append(_url_entity(token, length))
            add(urls[-1]["url"])
            continue
        person = people.get(name.lower())
        if person is not None:
            mentions.append({"start": length, "end": length + len(token), "username": person[1], "id": str(person[0])})
        add(token)
    add(escape(text[position:]))
    return "".join(out), {**({"mentions": mentions} if mentions else {}), **({"urls": urls} if urls else {})}


@dataclass(frozen=True)
class Post:
    """A post with what its neighbours say about it."""

    id: int
    author_id: int
    text: str
    created_at: int
    in_reply_to: int | None
    quotes: int | None
    reposts: int | None
    lang: str
    root: int
    reply_author: int | None


def tweet(post: Post, people: Mapping[str, tuple[int, str]]) -> dict[str, Any]:
    """The post with every field that we serve."""
    text, entities = write(post.text, people)
    spoken = len(html.unescape(LEADING_HANDLES.sub("", text)))
    note = None
    if spoken > SHORT:  # handles in front of a reply don't count
        cut = len(text) - len(LEADING_HANDLES.sub("", text)) + SHORT - 1
        note = {"text": text, **({"entities": entities} if entities else {})}
        text = text[:cut].rstrip() + "…"
        entities = {
            name: kept for name, found in entities.items() if (kept := [one for one in found if one["end"] <= cut])
        }
    references = (("replied_to", post.in_reply_to), ("quoted", post.quotes), ("retweeted", post.reposts))
    referenced = [{"type": kind, "id": str(target)} for kind, target in references if target is not None]
    id_ = str(post.id)
    doc: dict[str, Any] = {
        "id": id_,
        "text": text,
        "edit_history_tweet_ids": [id_],
        "author_id": str(post.author_id),
        "conversation_id": str(post.root),
        "created_at": iso(post.created_at),
        "lang": post.lang,
    }
    if post.reply_author is not None:
        doc["in_reply_to_user_id"] = str(post.reply_author)
    if referenced:
        doc["referenced_tweets"] = referenced
    if entities:
        doc["entities"] = entities
    if note:
        doc["note_tweet"] = note
    return doc


def user(
    id_: int, handle: str, *, name: str, bio: str, location: str, website: str, followers: int, brand: bool
) -> dict[str, Any]:
    """The account with every field that we serve."""
    doc: dict[str, Any] = {
        "id": str(id_), "username": handle, "name": name, "verified": brand, "protected": False,
        "verified_type": "business" if brand else "none", "created_at": "2015-01-01T00:00:00.000Z",
        "public_metrics": {"followers_count": followers, "following_count": 0, "tweet_count": 0, "listed_count": 0},
    }  # fmt: skip
    entities: dict[str, Any] = {}
    if bio:
        doc["description"], found = write(bio, {})
        if found:
            entities["description"] = found
    if website:
        entity = _url_entity(website, 0)
        doc["url"] = entity["url"]
        entities["url"] = {"urls": [entity]}
    if location:
        doc["location"] = location
    if entities:
        doc["entities"] = entities
    return doc


def message(id_: int, sender: int, recipient: int, text: str, created_at: int) -> dict[str, Any]:
    """The message as an event, with every field that we serve."""
    written, entities = write(text, {})
    low, high = sorted((sender, recipient))
    return {
        "id": str(id_), "event_type": "MessageCreate", "text": written, "sender_id": str(sender),
        "dm_conversation_id": f"{low}-{high}", "created_at": iso(created_at), **entities,
    }  # fmt: skip


def keep(doc: str, fields: frozenset[str], every: frozenset[str]) -> str:
    """`doc` (JSON) with the asked-for fields alone; untouched where all are wanted, which is the fast way."""
    if fields >= every:
        return doc
    return dumps({name: value for name, value in json.loads(doc).items() if name in fields})
