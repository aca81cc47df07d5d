"""Bluesky as one connected account."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from integrations.provider import Access
from integrations.records import Author, Engagement, Gone, Page, Unasked
from integrations.social.bluesky import feeds, lookups, messages
from integrations.social.bluesky.reading import Reader

_Pull = Callable[[Reader, str | None, Sequence[str]], Iterator[Page[Engagement]]]

PULLS: dict[str, _Pull] = {
    "mentions": lambda reader, cursor, _: feeds.pull(reader, feeds.mentions(), cursor),
    "own": lambda reader, cursor, _: feeds.pull(reader, feeds.own(reader), cursor),
    "messages": lambda reader, cursor, _: messages.pull(reader, cursor),
    "conversations": lookups.conversations,
    "ancestors": lambda reader, _, ids: lookups.ancestors(reader, ids),
}


class BlueskyClient:
    """A `SocialClient`. Raises `integrations.errors`; never retries, never waits. Not for sharing between threads."""

    def __init__(self, access: Access) -> None:
        self._reader = Reader(access)

    def whoami(self) -> Author:
        """The account that the credentials belong to."""
        return self._reader.whoami()

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[Engagement]]:
        """As `SocialClient.pull`. For "ancestors", `threads` are ids of posts to fetch, and there is no cursor; each page's
        `answered` has the ids that were asked for, served or not."""
        return PULLS[stream](self._reader, cursor, threads)

    def recheck(self, ids: Sequence[str]) -> Sequence[Engagement | Gone | Unasked]:
        """The posts as they are now; Gone for those of which Bluesky says that it does not show them to us: deleted, taken down, or by
        somebody who blocks the account. Direct messages have no answer: a sender cannot take them back."""
        return lookups.recheck(self._reader, ids)
