"""An Instagram professional account as one connected account, through the Facebook page that it is linked to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from integrations.errors import UnexpectedResponseError
from integrations.graph import messages, rechecks, texts
from integrations.graph.api import Graph, Json, mapping
from integrations.graph.messages import Inbox
from integrations.graph.rechecks import Again
from integrations.graph.talks import UNREADABLE, Feed, pull, pull_threads
from integrations.graph.texts import COMMENT, identifier, instant, plain
from integrations.provider import Access
from integrations.records import Author, Engagement, Gone, Page, Renamed, Unasked
from integrations.social.instagram import parse
from integrations.social.instagram.parse import COMMENT_FIELDS, MEDIA_FIELDS, View

PAGE_ID = "page_id"  # option: the Facebook page that the account is linked to
ACCOUNT_FIELDS = ("id", "username", "name", "biography", "website", "followers_count")
# Media are looked at for new comments for so long. Older ones only where somebody has spoken lately (stream "threads").
REACH = timedelta(days=30)
# Media on a page, comments that come along with each (50 is the most that Meta serves), replies that come along with a comment.
MEDIA, BELOW, REPLIES = 25, 50, 10

_COMMENT = ",".join(COMMENT_FIELDS)
_COMMENTS = f"{_COMMENT},replies.limit({REPLIES}){{{_COMMENT}}}"
_MEDIA = ",".join((*MEDIA_FIELDS, f"comments.limit({BELOW}){{{_COMMENTS}}}"))
_LOOKUP = {"": ",".join(MEDIA_FIELDS), COMMENT: f"{_COMMENT},media{{id,permalink,owner{{id}}}}"}


class InstagramClient:
    """A `SocialClient`. Raises `integrations.errors`; never retries, never waits. Not for sharing between threads."""

    def __init__(self, access: Access) -> None:
        self._graph = Graph(access.hosts["api"], str(access.credentials.get("access_token") or ""), access.app)
        self._web = access.hosts["instagram"].rstrip("/")
        self._inbox_host = access.hosts["inbox"].rstrip("/")
        self._page_id = str(access.options.get(PAGE_ID) or "me")
        self._since = access.since
        self._now = access.now or (lambda: datetime.now(UTC))
        self._account = access.account
        self._seen: View | None = None

    def whoami(self) -> Author:
        """The Instagram account that is linked to the page."""
        fields = f"instagram_business_account{{{','.join(ACCOUNT_FIELDS)}}}"
        return author(
            mapping(self._graph.get(f"/{self._page_id}", fields=fields).get("instagram_business_account")), self._web
        )

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[Engagement]]:
        """As `SocialClient.pull`. Where Meta says that a limit is nearly used up, what came is yielded and then RateLimitError raised."""
        return _PULLS[stream](self, cursor, threads)

    def recheck(self, ids: Sequence[str]) -> Sequence[Engagement | Gone | Unasked]:
        """Media, comments and messages as they are now. What Meta does not tell has no answer: of a post elsewhere that it shows neither
        by id nor among the newest that tag us, and of an old message in a long conversation."""
        direct, public = texts.sorted_out(ids)
        return [
            *(rechecks.recheck(self._graph, self._again(), public) if public else ()),
            *(messages.recheck(self._graph, self._inbox(), direct) if direct else ()),
        ]

    # --- feeds ------------------------------------------------------------------------------------------------

    def _feed(self, edge: str, *, bare: bool = False) -> Feed:
        view = self._view()
        return Feed(
            path=f"/{view.account.id}/{edge}",
            params={"fields": _MEDIA, "limit": str(MEDIA)},
            at=lambda row: instant(row["timestamp"]),
            entry=lambda row, start: parse.entry(row, start, view),
            below=lambda branch, page: parse.comments(branch, page, view),
            branch_params=lambda branch: {
                "fields": _COMMENT if branch.path.endswith("/replies") else _COMMENTS,
                "limit": str(BELOW),
            },
            reach=REACH,
            bare=bare,
        )

    def _list(self, feed: Feed, cursor: str | None) -> Iterator[Page[Engagement]]:
        return self._told(pull(self._graph, feed, cursor, since=self._since, now=self._now()))

    def _told(self, pages: Iterator[Page[Engagement]]) -> Iterator[Page[Engagement]]:
        """These pages, with what we are called now where one tells."""
        for page in pages:
            account = self._view().renamed
            yield page if account is None else replace(page, renamed=Renamed(account, self._now()))

    def _threads(self, cursor: str | None, threads: Sequence[str]) -> Iterator[Page[Engagement]]:
        return self._told(
            pull_threads(
                self._graph, self._feed("media"), cursor, texts.posts(threads), since=self._since, now=self._now()
            )
        )

    def _inbox(self) -> Inbox:
        us = self._view()
        fallback = f"{self._inbox_host}/latest/inbox/all?asset_id={self._page_id}"
        return Inbox(self._page_id, "instagram", us.account, us.sender, self._web, fallback)

    def _view(self) -> View:
        if self._account is None:
            self._account = self.whoami()
        if self._seen is None:
            self._seen = View(self._account, self._web)
        return self._seen

    def _again(self) -> Again:
        view = self._view()
        return Again(
            fields=_LOOKUP,
            read=lambda our_id, row: parse.looked_up(our_id, row, view),
            ours=lambda graph, threads: _owned(graph, threads, view.account.id),
            proof=f"/{view.account.id}/media",
            mentions=self._feed("tags", bare=True),
        )


_PULLS: dict[str, Callable[[InstagramClient, str | None, Sequence[str]], Iterator[Page[Engagement]]]] = {
    "media": lambda client, cursor, _: client._list(client._feed("media"), cursor),
    "mentions": lambda client, cursor, _: client._list(client._feed("tags", bare=True), cursor),
    "threads": lambda client, cursor, threads: client._threads(cursor, threads),
    "messages": lambda client, cursor, _: client._list(messages.feed(client._inbox()), cursor),
}


def author(row: Json, web: str) -> Author:
    """A professional account. Raises UnexpectedResponseError for a row without an id."""
    try:
        account_id = identifier(row["id"])
    except UNREADABLE:
        raise UnexpectedResponseError(
            "Meta answered without naming an Instagram account that is linked to the page"
        ) from None
    handle, followers = plain(row.get("username")) or account_id, row.get("followers_count")
    return Author(
        id=account_id,
        handle=handle,
        name=plain(row.get("name")),
        bio=plain(row.get("biography")),
        url=f"{web}/{handle}/",
        website=plain(row.get("website")),
        followers=followers if isinstance(followers, int) else None,
    )


def _owned(graph: Graph, media: Set[str], account_id: str) -> set[str]:
    """Those of these media that are there and this account's: their owner is shown to nobody else."""
    answers = graph.lookups({each: (each, {"fields": "id,owner{id}"}) for each in sorted(media)})
    return {
        each
        for each, answer in answers.items()
        if isinstance(answer, dict) and mapping(answer.get("owner")).get("id") == account_id
    }
