"""A Facebook page as one connected account."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from integrations.errors import NotFoundError, UnexpectedResponseError
from integrations.graph import messages
from integrations.graph.api import Graph, Json
from integrations.graph.messages import Inbox
from integrations.graph.talks import UNREADABLE, Feed, pull, pull_threads
from integrations.graph.texts import DIRECT, identifier, instant, parts, plain
from integrations.provider import Access
from integrations.records import Author, Engagement, Gone, Page
from integrations.social.facebook import parse
from integrations.social.facebook.parse import COMMENT_FIELDS, POST_FIELDS, View

ACCOUNT_FIELDS = ("id", "name", "username", "link", "about", "website", "followers_count")
# Posts are looked at for new comments for so long. Older ones only where somebody has spoken lately (stream "threads").
REACH = timedelta(days=30)
POSTS, BELOW, MORE = 25, 25, 100  # posts on a page, comments that come along with each, comments on a page of their own
TAGGED_PAGES = 10  # pages of mentions that a recheck looks through

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

    def recheck(self, ids: Sequence[str]) -> Sequence[Engagement | Gone]:
        """Posts, comments and messages as they are now.

        What stands on our page is asked for by id. A post elsewhere is not shown by id, so the list of mentions is looked through: one
        that is not there any more is gone. What Meta does not tell has no answer.
        """
        view = self._view()
        known = [(each, parts(each)) for each in ids if _readable(each)]
        direct = [each for each, (kind, _, _) in known if kind == DIRECT]
        ours = {each: native for each, (kind, thread, native) in known if kind != DIRECT and view.is_ours(thread)}
        elsewhere = {each: thread for each, (kind, thread, _) in known if kind != DIRECT and not view.is_ours(thread)}
        return [
            *self._ours_again(ours, view),
            *self._mentions_again(elsewhere, view),
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
        posts = [each for each in threads if _readable(each) and parts(each)[0] == "" and view.is_ours(each)]
        return pull_threads(self._graph, self._feed("feed"), cursor, posts, since=self._since, now=self._now())

    def _inbox(self) -> Inbox:
        page = self._view().account
        fallback = f"{self._inbox_host}/latest/inbox/all?asset_id={page.id}"
        return Inbox(page.id, "messenger", page, messages.named, self._web, fallback)

    def _view(self) -> View:
        if self._account is None:
            self._account = self.whoami()
        return View(self._account, self._web)

    # --- recheck ----------------------------------------------------------------------------------------------

    def _ours_again(self, wanted: dict[str, str], view: View) -> Iterator[Engagement | Gone]:
        calls = {
            each: (native, {"fields": ",".join(COMMENT_FIELDS if parts(each)[0] else POST_FIELDS)})
            for each, native in wanted.items()
        }
        answers = self._graph.lookups(calls) if calls else {}
        missing = [each for each, answer in answers.items() if isinstance(answer, NotFoundError)]
        if missing and len(missing) == len(answers):
            # Meta says the same of what is gone and of what is not for us. Where it is all of them, whether the page can still be read
            # is asked first: it raises where it can't, and nothing is taken for deleted.
            self._graph.page(f"/{view.account.id}/feed", fields="id", limit="1")
        for each, answer in answers.items():
            if isinstance(answer, NotFoundError):
                yield Gone(each)
            elif isinstance(answer, dict) and (item := _read(each, answer, view)) is not None:
                yield item

    def _mentions_again(self, wanted: dict[str, str], view: View) -> Iterator[Engagement | Gone]:
        """What stands elsewhere, and comments below it, by the list of mentions."""
        left, feed = dict(wanted), self._feed("tagged")
        rows, whole = self._tagged_rows(set(left.values()), feed) if left else ({}, False)
        for thread, row in rows.items():
            try:
                found = parse.entry(row, None, view)
            except UNREADABLE:
                left = {each: other for each, other in left.items() if other != thread}
                continue
            served = {item.id: item for item in found.items}
            for each in [each for each, other in left.items() if other == thread]:
                del left[each]
                if each in served:
                    yield served[each]
                elif not found.branches and not found.skipped:
                    yield Gone(each)
        if whole:
            yield from map(Gone, left)

    def _tagged_rows(self, threads: set[str], feed: Feed) -> tuple[dict[str, Json], bool]:
        """The rows of these posts in the list of mentions, and whether the list was read to its end or to all of them."""
        found: dict[str, Json] = {}
        for count, page in enumerate(self._graph.pages(feed.path, **feed.params), start=1):
            found |= {str(row.get("id")): row for row in page.objects if str(row.get("id")) in threads}
            if threads <= found.keys() or page.after is None:
                return found, True
            if count == TAGGED_PAGES:
                break
        return found, False


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
