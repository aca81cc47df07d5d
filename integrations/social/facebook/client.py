"""A Facebook page as one connected account."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from integrations.errors import UnexpectedResponseError
from integrations.graph import messages, rechecks, texts
from integrations.graph.api import Graph, Json
from integrations.graph.messages import Inbox
from integrations.graph.rechecks import Again
from integrations.graph.talks import UNREADABLE, Feed, pull, pull_threads
from integrations.graph.texts import COMMENT, identifier, instant, plain
from integrations.provider import Access
from integrations.records import Author, Engagement, Gone, Page, Unasked
from integrations.social.facebook import parse
from integrations.social.facebook.parse import COMMENT_FIELDS, POST_FIELDS, View

ACCOUNT_FIELDS = ("id", "name", "username", "link", "about", "website", "followers_count")
# Posts are looked at for new comments for so long. Older ones only where somebody has spoken lately (stream "threads").
REACH = timedelta(days=30)
POSTS, BELOW, MORE = 25, 25, 100  # posts on a page, comments that come along with each, comments on a page of their own

_COMMENTS = {"filter": "stream", "order": "reverse_chronological"}  # replies among them, newest first
_NESTED = f"comments.filter(stream).order(reverse_chronological).limit({BELOW}){{{','.join(COMMENT_FIELDS)}}}"
_POSTS = ",".join((*POST_FIELDS, _NESTED))


class FacebookClient:
    """A `SocialClient`. Raises `integrations.errors`; never retries, never waits. Not for sharing between threads."""

    def __init__(self, access: Access) -> None:
        self._graph = Graph(access.hosts["api"], str(access.credentials.get("access_token") or ""), access.app)
        self._web = access.hosts["web"].rstrip("/")
        self._inbox_host = access.hosts["inbox"].rstrip("/")
        self._since = access.since
        self._now = access.now or (lambda: datetime.now(UTC))
        self._account = access.account

    def whoami(self) -> Author:
        """The page that the token belongs to."""
        return author(self._graph.get("/me", fields=",".join(ACCOUNT_FIELDS)), self._web)

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[Engagement]]:
        """As `SocialClient.pull`. Where Meta says that a limit is nearly used up, what came is yielded and then RateLimitError raised."""
        return _PULLS[stream](self, cursor, threads)

    def recheck(self, ids: Sequence[str]) -> Sequence[Engagement | Gone | Unasked]:
        """Posts, comments and messages as they are now. What Meta does not tell has no answer: of a post elsewhere that it shows neither
        by id nor among the newest mentions, and of an old message in a long conversation."""
        direct, public = texts.sorted_out(ids)
        return [
            *(rechecks.recheck(self._graph, self._again(), public) if public else ()),
            *(messages.recheck(self._graph, self._inbox(), direct) if direct else ()),
        ]

    # --- feeds ------------------------------------------------------------------------------------------------

    def _feed(self, edge: str) -> Feed:
        view = self._view()
        return Feed(
            path=f"/{view.account.id}/{edge}",
            params={"fields": _POSTS, "limit": str(POSTS)},
            at=lambda row: instant(row["created_time"]),
            entry=lambda row, start: parse.entry(row, start, view),
            below=lambda branch, page: parse.comments(branch, page, view),
            branch_params=lambda branch: {**_COMMENTS, "fields": ",".join(COMMENT_FIELDS), "limit": str(MORE)},
            reach=REACH,
        )

    def _list(self, feed: Feed, cursor: str | None) -> Iterator[Page[Engagement]]:
        return pull(self._graph, feed, cursor, since=self._since, now=self._now())

    def _threads(self, cursor: str | None, threads: Sequence[str]) -> Iterator[Page[Engagement]]:
        view = self._view()
        posts = [each for each in texts.posts(threads) if view.is_ours(each)]
        return pull_threads(self._graph, self._feed("feed"), cursor, posts, since=self._since, now=self._now())

    def _inbox(self) -> Inbox:
        page = self._view().account
        fallback = f"{self._inbox_host}/latest/inbox/all?asset_id={page.id}"
        return Inbox(page.id, "messenger", page, messages.named, self._web, fallback)

    def _view(self) -> View:
        if self._account is None:
            self._account = self.whoami()
        return View(self._account, self._web)

    def _again(self) -> Again:
        view = self._view()
        return Again(
            fields={"": ",".join(POST_FIELDS), COMMENT: ",".join(COMMENT_FIELDS)},
            read=lambda our_id, row: parse.looked_up(our_id, row, view),
            ours=lambda graph, threads: {thread for thread in threads if view.is_ours(thread)},
            proof=f"/{view.account.id}/feed",
            mentions=self._feed("tagged"),
        )


_PULLS: dict[str, Callable[[FacebookClient, str | None, Sequence[str]], Iterator[Page[Engagement]]]] = {
    "posts": lambda client, cursor, _: client._list(client._feed("feed"), cursor),
    "mentions": lambda client, cursor, _: client._list(client._feed("tagged"), cursor),
    "threads": lambda client, cursor, threads: client._threads(cursor, threads),
    "messages": lambda client, cursor, _: client._list(messages.feed(client._inbox()), cursor),
}


def author(row: Json, web: str) -> Author:
    """A page. Its handle is its user name, or its id where it has none. Raises UnexpectedResponseError for a row without an id."""
    try:
        page_id = identifier(row["id"])
    except UNREADABLE:
        raise UnexpectedResponseError("Facebook answered without saying which page this is") from None
    handle, followers = plain(row.get("username")) or page_id, row.get("followers_count")
    return Author(
        id=page_id,
        handle=handle,
        name=plain(row.get("name")),
        bio=plain(row.get("about")),
        url=plain(row.get("link")) or f"{web}/{handle}",
        website=plain(row.get("website")),
        followers=followers if isinstance(followers, int) else None,
    )
