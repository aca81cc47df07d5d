"""X as one connected account."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from integrations.provider import Access
from integrations.records import Author, Engagement, Gone, Page
from integrations.social.x import feeds, lookups, searching
from integrations.social.x.reading import Reader

_Pull = Callable[[Reader, str | None, Sequence[str]], Iterator[Page[Engagement]]]

PULLS: dict[str, _Pull] = {
    "mentions": lambda reader, cursor, _: feeds.pull(reader, feeds.mentions(reader), cursor),
    "own": lambda reader, cursor, _: feeds.pull(reader, feeds.own(reader), cursor),
    "messages": lambda reader, cursor, _: feeds.pull(reader, feeds.messages(reader), cursor),
    "conversations": searching.pull,
    "ancestors": lambda reader, _, ids: lookups.ancestors(reader, ids),
}


class XClient:
    """A `SocialClient`. Raises `integrations.errors`; never retries, never waits. Not for sharing between threads."""

    def __init__(self, access: Access) -> None:
        self._reader = Reader(access)

    def whoami(self) -> Author:
        """The account that the token belongs to."""
        return self._reader.whoami()

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[Engagement]]:
        """As `SocialClient.pull`. Where X takes no more calls, what came is yielded and then RateLimitError raised.

        For "ancestors", `threads` are ids of posts to fetch, and there is no cursor; each page's `answered` has the ids
        that were asked for, served or not.
        """
        return self._told(PULLS[stream](self._reader, cursor, threads))

    def _told(self, pages: Iterator[Page[Engagement]]) -> Iterator[Page[Engagement]]:
        """Each page with what X said, up to then, that it serves yet."""
        for page in pages:
            yield replace(page, budget=self._reader.calls.budget)

    def recheck(self, ids: Sequence[str]) -> Sequence[Engagement | Gone]:
        """The posts as they are now; an edited one under the id that was asked for, with its newest text.

        Messages ("dm:..." ids) are sought in the list that X serves, thirty days: one that should be in it and is not,
        is Gone. What X does not tell has no answer here: a message older than that list, messages that we may not read, and
        a post that X leaves out without saying that it is gone.
        """
        return lookups.recheck(self._reader, ids)
