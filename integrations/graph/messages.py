"""Private messages of a page: Messenger's and Instagram's conversations come by one edge, in one form.

developers.facebook.com/documentation/business-messaging/messenger-platform/conversations (read in November 2026).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from integrations.errors import NotFoundError, PermissionDeniedError, RateLimitError
from integrations.graph import texts
from integrations.graph.api import Graph, Json, Listing, mapping, nested
from integrations.graph.cursors import Branch
from integrations.graph.talks import UNREADABLE, Feed, Found
from integrations.records import Author, Engagement, Gone, Kind, Unasked

# A business may answer this long after a person's last message (developers.facebook.com/documentation/business-messaging/
# messenger-platform/policy). A person's own hands, in Meta's inbox, may take up to 7 days.
WINDOW = timedelta(hours=24)
LATEST = 20  # messages of a conversation that Instagram serves with their words

MESSAGE_FIELDS = ("id", "created_time", "from", "to", "message")
CONVERSATION_FIELDS = ("id", "updated_time", "link")


@dataclass(frozen=True)
class Inbox:
    """Whose messages, and how to name who writes."""

    page_id: str
    platform: Literal["messenger", "instagram"]
    account: Author
    author: Callable[[Json], Author]  # of the `from` of a message
    web: str  # "https://www.facebook.com", before a conversation's own link
    fallback: str  # the inbox's address, where a conversation has no link

    def is_us(self, person: Json) -> bool:
        """Whether a message's `from` or `to` is this account."""
        handle = str(person.get("username") or "").lower()
        return person.get("id") in (self.account.id, self.page_id) or (
            bool(handle) and handle == self.account.handle.lower()
        )


def feed(inbox: Inbox) -> Feed:
    """Conversations by their newest message, each with its latest messages, theirs and ours."""
    fields = [*CONVERSATION_FIELDS, f"messages.limit({LATEST}){{{','.join(MESSAGE_FIELDS)}}}"]
    return Feed(
        path=f"/{inbox.page_id}/conversations",
        params={"platform": inbox.platform, "fields": ",".join(fields), "limit": "25"},
        at=lambda row: texts.instant(row["updated_time"]),
        entry=lambda row, start: _conversation(row, start, inbox),
        below=lambda branch, page: _messages(branch, page, inbox),
        branch_params=lambda branch: {"fields": ",".join(MESSAGE_FIELDS), "limit": "50"},
        what="conversations",
    )


def recheck(graph: Graph, inbox: Inbox, ids: Sequence[str]) -> list[Engagement | Gone | Unasked]:
    """Messages as they are now, by the latest hundred of their conversations. One that is not in a conversation that came
    whole is gone; of one in a longer conversation nothing is said."""
    wanted: dict[str, list[str]] = {}
    for each in ids:
        wanted.setdefault(texts.parts(each)[1], []).append(each)
    left = dict(wanted)
    found: list[Engagement | Gone | Unasked] = []
    for thread, asked in wanted.items():
        try:
            page = graph.page(f"/{thread}/messages", fields=",".join(MESSAGE_FIELDS), limit="100")
            found += _told(asked, page, thread, inbox)
        except (NotFoundError, PermissionDeniedError):
            pass  # a conversation that we moved away is not a message that they took back
        except RateLimitError:
            if len(left) == len(wanted):
                raise
            break  # Meta takes two such calls a second; what it did answer is kept
        del left[thread]
    found += [Unasked(each) for asked in left.values() for each in asked]
    return found


def _told(asked: Sequence[str], page: Listing, thread: str, inbox: Inbox) -> Iterator[Engagement | Gone]:
    read = _messages(Branch(f"/{thread}/messages", thread, None, url=inbox.fallback), page, inbox)
    served = {item.id: item for item in read.items}
    named = {texts.made_of(texts.DIRECT, thread, str(row.get("id"))) for row in page.objects}
    yield from (served[each] for each in asked if each in served)
    if page.after is None:
        yield from (Gone(each) for each in asked if each not in named)


def _conversation(row: Json, start: datetime | None, inbox: Inbox) -> Found:
    thread, at = texts.identifier(row["id"]), texts.instant(row["updated_time"])
    came = nested(row.get("messages"))
    branch = Branch(f"/{thread}/messages", thread, start, url=_link(row, inbox))
    found = _messages(branch, came, inbox)
    if came.after and not found.over:
        found += Found(branches=(replace(branch, after=came.after),))
    return found + Found(instants=(at,))


def _messages(branch: Branch, page: Listing, inbox: Inbox) -> Found:
    items, instants, skipped, bare = [], [], 0, False
    for row in page.rows:
        if isinstance(row, dict) and row.get("id") and "created_time" not in row and "from" not in row:
            bare = True  # too far back: Meta names it and says no more, of it and of all before it
            continue
        try:
            item = _message(row, branch, inbox)
        except UNREADABLE:
            skipped += 1
            continue
        instants.append(item.created_at)
        if branch.start is None or item.created_at >= branch.start:
            items.append(item)
    return Found(tuple(items), tuple(instants), (), skipped, bare or _past(instants, branch.start))


def _message(row: Json, branch: Branch, inbox: Inbox) -> Engagement:
    native, at, sender = texts.identifier(row["id"]), texts.instant(row["created_time"]), row["from"]
    ours = inbox.is_us(sender)
    others = [each for each in nested(row.get("to")).objects if not inbox.is_us(each)]
    to = str(others[0]["id"]) if ours and others else None if ours else inbox.account.id
    return Engagement(
        id=texts.made_of(texts.DIRECT, branch.thread, native),
        kind=Kind.DIRECT,
        author=inbox.account if ours else inbox.author(sender),
        text=texts.plain(row.get("message")),
        created_at=at,
        url=branch.url,
        thread=branch.thread,
        in_reply_to_author=to,
        window_closes_at=None if ours else at + WINDOW,
    )


def _link(row: Json, inbox: Inbox) -> str:
    link = str(row.get("link") or "")
    return f"{inbox.web}{link}" if link.startswith("/") else link if link.startswith("https://") else inbox.fallback


def _past(instants: Sequence[datetime], start: datetime | None) -> bool:
    return start is not None and any(at < start for at in instants)


def named(person: Mapping[str, object]) -> Author:
    """A sender of Messenger, who has a name and an id that only this page knows."""
    return Author(texts.identifier(mapping(person)["id"]), "", texts.plain(person.get("name")))
