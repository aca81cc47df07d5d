"""A server of Mastodon's client API as one connected account."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from integrations.provider import Access
from integrations.records import Author, Engagement, Gone, Page, Unasked
from integrations.social.mastodon import conversations, feeds, lookups
from integrations.social.mastodon.reading import Reader

_Pull = Callable[[Reader, str | None, Sequence[str]], Iterator[Page[Engagement]]]

# Calls of a rate limit's window that are left for streams that cannot wait: Mastodon's has 300, for all streams of a connection.
SPARE = 60
_CAN_WAIT = frozenset({"conversations", "filtered"})
PULLS: dict[str, _Pull] = {
    "mentions": lambda reader, cursor, _: feeds.pull(reader, feeds.mentions(reader), cursor),
    "own": lambda reader, cursor, _: feeds.pull(reader, feeds.own(reader), cursor),
    "messages": lambda reader, cursor, _: feeds.pull(reader, feeds.messages(reader), cursor),
    "filtered": lambda reader, cursor, _: feeds.pull(reader, feeds.filtered(reader), cursor),
    "conversations": conversations.pull,
}


class MastodonClient:
    """A `SocialClient`. Raises `integrations.errors`; never retries, never waits. Not for sharing between threads."""

    def __init__(self, access: Access) -> None:
        self._reader = Reader(access)

    def whoami(self) -> Author:
        """The account that the token belongs to; its handle has the domain that the server says is its own."""
        return self._reader.whoami()

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[Engagement]]:
        """As `SocialClient.pull`. Where the server takes no more calls, what came is yielded and then RateLimitError raised."""
        self._reader.calls.spare = SPARE if stream in _CAN_WAIT else 0
        return PULLS[stream](self._reader, cursor, threads)

    def recheck(self, ids: Sequence[str]) -> Sequence[Engagement | Gone | Unasked]:
        """The posts as they are now. A post that the server no longer shows to the account is Gone. One for which no call was left
        is Unasked."""
        self._reader.calls.spare = SPARE
        return lookups.recheck(self._reader, ids)
