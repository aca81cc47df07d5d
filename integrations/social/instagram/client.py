"""An Instagram professional account as one connected account, through the Facebook page that it is linked to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from integrations.errors import NotFoundError, UnexpectedResponseError
from integrations.graph import messages
from integrations.graph.api import Graph, Json, mapping
from integrations.graph.messages import Inbox
from integrations.graph.talks import UNREADABLE, Feed, pull, pull_threads
from integrations.graph.texts import COMMENT, DIRECT, identifier, instant, parts, plain
from integrations.provider import Access
from integrations.records import Author, Engagement, Gone, Page
from integrations.social.instagram import parse
from integrations.social.instagram.parse import COMMENT_FIELDS, MEDIA_FIELDS, View

PAGE_ID = "page_id"  # option: the Facebook page that the account is linked to
ACCOUNT_FIELDS = ("id", "username", "name", "biography", "website", "followers_count")
# Media are looked at for new comments for so long. Older ones only where somebody has spoken lately (stream "threads").
REACH = timedelta(days=30)
MEDIA, BELOW = 25, 50  # media on a page, comments that come along (50 is the most that Meta serves of comments)
TAGGED_PAGES = 10  # pages of mentions that a recheck looks through

_COMMENT = ",".join(COMMENT_FIELDS)
_COMMENTS = f"{_COMMENT},replies.limit({BELOW}){{{_COMMENT}}}"
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

    def whoami(self) -> Author:
        """The Instagram account that is linked to the page."""
        fields = f"instagram_business_account{{{','.join(ACCOUNT_FIELDS)}}}"
        return author(
            mapping(self._graph.get(f"/{self._page_id}", fields=fields).get("instagram_business_account")), self._web
        )

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[Engagement]]:
        """As `SocialClient.pull`. Where Meta says that a limit is nearly used up, what came is yielded and then RateLimitError raised."""
        return _PULLS[stream](self, cursor, threads)

    def recheck(self, ids: Sequence[str]) -> Sequence[Engagement | Gone]:
        """Media, comments and messages as they are now. What is not shown by its id, because it is gone or because it is not below
        our media, is sought in the list of mentions. What Meta does not tell has no answer."""
        known = [(each, parts(each)) for each in ids if _readable(each)]
        direct = [each for each, (kind, _, _) in known if kind == DIRECT]
        public = {each: (thread, native) for each, (kind, thread, native) in known if kind != DIRECT}
        return [
            *(self._public_again(public) if public else ()),
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
        return pull(self._graph, feed, cursor, since=self._since, now=self._now())

    def _threads(self, cursor: str | None, threads: Sequence[str]) -> Iterator[Page[Engagement]]:
        media = [each for each in threads if _readable(each) and parts(each)[0] == ""]
        return pull_threads(self._graph, self._feed("media"), cursor, media, since=self._since, now=self._now())

    def _inbox(self) -> Inbox:
        us = self._view()
        fallback = f"{self._inbox_host}/latest/inbox/all?asset_id={self._page_id}"
        return Inbox(self._page_id, "instagram", us.account, us.sender, self._web, fallback)

    def _view(self) -> View:
        if self._account is None:
            self._account = self.whoami()
        return View(self._account, self._web)

    # --- recheck ----------------------------------------------------------------------------------------------

    def _public_again(self, wanted: dict[str, tuple[str, str]]) -> Iterator[Engagement | Gone]:
        """`wanted`: thread and Meta's id by ours."""
        view = self._view()
        calls = {each: (native, {"fields": _LOOKUP[parts(each)[0]]}) for each, (_, native) in wanted.items()}
        missing: dict[str, str] = {}
        for each, answer in self._graph.lookups(calls).items():
            if isinstance(answer, NotFoundError):
                missing[each] = wanted[each][0]
            elif isinstance(answer, dict) and (item := _read(each, answer, view)) is not None:
                yield item
        if missing:
            yield from self._missing_again(missing, view)

    def _missing_again(self, missing: dict[str, str], view: View) -> Iterator[Engagement | Gone]:
        """Of these (thread by our id) Meta says that they are gone, or not for us. Those below a medium of ours that is there are gone;
        the others are sought in the list of mentions."""
        media = {thread: (thread, {"fields": "id,owner{id}"}) for each, thread in missing.items() if each != thread}
        standing = {
            thread for thread, answer in self._graph.lookups(media).items()
            if isinstance(answer, dict) and mapping(answer.get("owner")).get("id") == view.account.id
        }  # fmt: skip
        yield from (Gone(each) for each, thread in missing.items() if thread in standing)
        left = {each: thread for each, thread in missing.items() if thread not in standing}
        rows, whole = self._tagged_rows(set(left.values())) if left else ({}, False)
        for thread, row in rows.items():
            asked = [each for each, other in left.items() if other == thread]
            left = {each: other for each, other in left.items() if other != thread}
            try:
                found = parse.entry(row, None, view)
            except UNREADABLE:
                continue
            served = {item.id: item for item in found.items}
            yield from (served[each] for each in asked if each in served)
            if not found.branches and not found.skipped:
                yield from (Gone(each) for each in asked if each not in served)
        if whole:
            yield from map(Gone, left)

    def _tagged_rows(self, threads: set[str]) -> tuple[dict[str, Json], bool]:
        """The rows of these media in the list of mentions, and whether the list was read to its end or to all of them."""
        feed, found = self._feed("tags", bare=True), dict[str, Json]()
        for count, page in enumerate(self._graph.pages(feed.path, bare=True, **feed.params), start=1):
            found |= {str(row.get("id")): row for row in page.objects if str(row.get("id")) in threads}
            if threads <= found.keys() or page.after is None:
                return found, True
            if count == TAGGED_PAGES:
                break
        return found, False


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


def _read(our_id: str, row: Json, view: View) -> Engagement | None:
    try:
        return parse.looked_up(our_id, row, view)
    except UNREADABLE:
        return None


def _readable(our_id: str) -> bool:
    try:
        parts(our_id)
    except ValueError:
        return False
    return True
