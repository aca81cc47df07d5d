"""A network in memory that keeps the contract of `SocialClient`: what a worker's test speaks to instead of a vendor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from integrations.clients import SocialClient
from integrations.errors import (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    TemporaryError,
)
from integrations.provider import Access, Meter, Price, Provider, Secret, Stream
from integrations.records import Author, Engagement, Gone, Page, Unasked
from tests.fakes.script import Script, position

ACCOUNT = Author("brand-1", "brand", "Brand", url="https://social.example/brand")
STREAMS = ("mentions", "own", "messages")
# Nothing was returned, and nothing is billed. (Of a lost answer nobody knows.)
_REFUSED = (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
)


@dataclass
class FakeSocial:
    """Posts come in by `serve`, change by `edit` and vanish by `delete`; `script.fail` makes calls go wrong."""

    account: Author = ACCOUNT
    page_size: int = 100
    streams: tuple[str, ...] = STREAMS
    notes: tuple[str, ...] = ()  # sentences that every page brings
    silent: set[str] = field(default_factory=set)  # ids of which a recheck says nothing
    takes: int | None = (
        None  # ids that a recheck may still ask about, before the network takes no more calls; None: any number
    )
    script: Script = field(default_factory=Script)
    threads_asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    meter: Meter | None = None  # of whoever called last; only where posts have a price
    _log: dict[str, list[Engagement]] = field(default_factory=dict)
    _posts: dict[str, Engagement] = field(default_factory=dict)

    def serve(self, stream: str, *posts: Engagement) -> None:
        """New posts on a stream, oldest first."""
        self._log.setdefault(stream, []).extend(posts)
        self._posts.update((post.id, post) for post in posts)

    def edit(self, post: Engagement) -> None:
        """The author changed a post: only a recheck shows it."""
        self._posts[post.id] = post

    def post(self, post_id: str) -> Engagement:
        """A post as it is now."""
        return self._posts[post_id]

    def delete(self, post_id: str) -> None:
        """The author deleted a post: no stream serves it any more, and only a recheck shows that it is gone."""
        del self._posts[post_id]

    def whoami(self) -> Author:
        self.script.called("whoami")
        return self.account

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[Engagement]]:
        self.script.called("pull", stream, cursor)
        self.threads_asked.append((stream, tuple(threads)))
        log = self._log.get(stream, [])
        start = position(cursor, len(log))
        first = True
        while first or start < len(log):
            size = self.meter.ask("post", self.page_size) if self.meter else self.page_size
            self._page(stream)
            first, group = False, log[start : start + size]
            start += len(group)
            items = tuple(self._posts[post.id] for post in group if post.id in self._posts)
            if self.meter:
                self.meter.tell("post", [item.id for item in items])
            yield Page(items, f"at:{start}", self.notes, {} if self.meter else {"post": len(items)})

    def _page(self, stream: str) -> None:
        try:
            self.script.called("page", stream)
        except (*_REFUSED, TemporaryError) as error:
            if self.meter and (isinstance(error, _REFUSED) or error.refused):
                self.meter.void("post")
            raise

    def recheck(self, ids: Sequence[str]) -> Sequence[Engagement | Gone | Unasked]:
        self.script.called("recheck", tuple(ids))
        if self.takes is not None:
            ids, left = ids[: self.takes], ids[self.takes :]
            if left and not ids:
                raise RateLimitError("later", retry_after=600)
            self.takes -= len(ids)
            return [*self._answers(ids), *map(Unasked, left)]
        return self._answers(ids)

    def _answers(self, ids: Sequence[str]) -> list[Engagement | Gone]:
        if self.meter:
            self.meter.ask("post", len(ids), len(ids))
            self.meter.tell("post", [each for each in ids if each in self._posts])
        return [self._posts.get(each, Gone(each)) for each in ids if each not in self.silent]


def manifest(social: FakeSocial, key: str = "fakesocial", prices: tuple[Price, ...] = ()) -> Provider[SocialClient]:
    """A provider whose every client is this fake."""

    def client(access: Access) -> SocialClient:
        social.meter = access.meter
        return social

    return Provider(
        key=key,
        kind="social",
        name="Example Social",
        hosts={"api": "https://social.example", "web": "https://social.example"},
        auth=Secret(),
        client=client,
        prices=prices,
        streams=tuple(Stream(name, name, timedelta(minutes=5)) for name in social.streams),
    )
