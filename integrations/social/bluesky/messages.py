"""Direct messages, from Bluesky's chat service, which the account's server passes our calls on to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from integrations.errors import InvalidRequestError, NotFoundError, TemporaryError
from integrations.records import Author, Engagement, Kind, Page
from integrations.social.bluesky import parse
from integrations.social.bluesky.calls import rows
from integrations.social.bluesky.cursors import ChatCursor
from integrations.social.bluesky.reading import Reader

CONVERSATIONS = 20  # on a page: those that changed are read before the next page is asked for
BATCH = 100  # messages in one call
_MESSAGE = "chat.bsky.convo.defs#messageView"


def pull(reader: Reader, cursor: str | None) -> Iterator[Page[Engagement]]:
    """All messages of conversations with news since the cursor, theirs and ours. Conversations come latest news first, and their
    revisions only grow, so the first one without news ends the way."""
    state = ChatCursor.load(cursor)
    more, resumed = True, state.place is not None
    while more:
        body, state = _convos(reader, state, resumed)
        resumed = False
        convos = [each for each in rows(body, "convos") if isinstance(each, dict)]
        changed = [each for each in convos if str(each.get("rev", "")) > state.rev]
        read = parse.together(_conversation(reader, each, state.rev) for each in changed)
        if read.skipped and not read.items:
            raise parse.unreadable(read.skipped)
        place = body.get("cursor")
        more = isinstance(place, str) and place not in ("", state.place) and len(changed) == len(convos)
        state = state.ahead(place if more else None, max((str(each["rev"]) for each in changed), default=""))
        yield Page(read.items, state.dump(), read.notes)


def _convos(reader: Reader, state: ChatCursor, resumed: bool) -> tuple[Mapping[str, Any], ChatCursor]:
    """The page of conversations at the way's place; the first one, where the chat service no longer knows a place of an earlier pull."""
    try:
        return _ask(reader, "listConvos", limit=CONVERSATIONS, cursor=state.place), state
    except (InvalidRequestError, TemporaryError):
        if not resumed:
            raise
    return _ask(reader, "listConvos", limit=CONVERSATIONS), replace(state, place=None)


def _conversation(reader: Reader, convo: Mapping[str, Any], rev: str) -> parse.Read:
    """What was said in one conversation after `rev`, and since we look back at all; nothing, where the account has left it since."""
    people = _people(reader, convo.get("members"))
    read, place, more = parse.Read(()), None, True
    while more:
        try:
            body = _ask(reader, "getMessages", convoId=str(convo.get("id")), limit=BATCH, cursor=place)
        except (InvalidRequestError, NotFoundError):
            break
        page = rows(body, "messages")
        people |= _people(reader, body.get("relatedProfiles"))
        found = parse.some(page, partial(_message, convo=convo, people=people, view=reader.view))
        old = [item for item in found.items if reader.since is not None and item.created_at < reader.since]
        kept = tuple(item for item in found.items if item not in old)
        read = parse.together([read, parse.Read(kept, found.skipped)])
        known = any(isinstance(row, dict) and str(row.get("rev", "")) <= rev for row in page)
        following = body.get("cursor")
        more = isinstance(following, str) and following not in ("", place) and not old and not known
        place = following
    return read


def _message(
    row: Mapping[str, Any], convo: Mapping[str, Any], people: Mapping[str, Author], view: parse.View
) -> Engagement | None:
    """One message; None for those that the account has removed for itself, and for what the service itself says."""
    if row.get("$type", _MESSAGE) != _MESSAGE:
        return None
    sender, thread = str(row["sender"]["did"]), str(convo["id"])
    answered = row.get("replyTo") or {}
    others = [did for did in people if did != sender]
    marked = parse.facets(row.get("facets"))
    return Engagement(
        id=f"{parse.CHAT}{thread}:{row['id']}",
        kind=Kind.DIRECT,
        author=people.get(sender) or parse.author({"did": sender}, view.web),
        text=parse.rich(str(row.get("text") or ""), marked),
        created_at=parse.instant(row["sentAt"]),
        url=f"{view.web}/messages/{thread}",
        thread=parse.CHAT + thread,
        in_reply_to=f"{parse.CHAT}{thread}:{answered['id']}" if answered.get("id") else None,
        in_reply_to_author=others[0] if len(people) == 2 and len(others) == 1 else None,
        mentions=parse.mentions(marked),
    )


def _people(reader: Reader, profiles: Any) -> dict[str, Author]:
    found = {}
    for profile in profiles if isinstance(profiles, list) else ():
        try:
            person = parse.author(profile, reader.view.web)
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
        found[person.id] = person
    return found


def _ask(reader: Reader, method: str, **params: Any) -> Mapping[str, Any]:
    """A query to the chat service, which is known by its DID: that of its host, unless our registration names another one."""
    where = (
        reader.chat if reader.chat.startswith("did:") else f"did:web:{urlsplit(reader.chat).netloc.replace(':', '%3A')}"
    )
    return reader.calls.get(f"chat.bsky.convo.{method}", service=f"{where}#bsky_chat", **params)
