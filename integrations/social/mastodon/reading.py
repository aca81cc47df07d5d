"""What all calls of one connection share: the account, its clock, the places of posts, and how to read them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

from msgspec.structs import replace

from integrations.errors import InvalidRequestError, NotFoundError, UnexpectedResponseError
from integrations.provider import Access
from integrations.records import Author, Engagement
from integrations.social.mastodon import parse, people, server
from integrations.social.mastodon.calls import Calls
from integrations.social.mastodon.threads import Threads

SOFTWARE = "software"  # the option that keeps which kind of server it is


class Reader:
    """Reads a server's answers as one connected account."""

    def __init__(self, access: Access) -> None:
        self.calls = Calls(access)
        self.web = access.hosts["web"].rstrip("/")
        self.since = access.since
        self.now = access.now or (lambda: datetime.now(UTC))
        self._access = access

    @cached_property
    def me(self) -> Author:
        """Who we are there."""
        return self._access.account or self.whoami()

    @cached_property
    def threads(self) -> Threads:
        """Where posts stand."""
        return Threads(self.calls, self.me.id)

    @cached_property
    def view(self) -> parse.View:
        """How to read this server's answers."""
        domain = self.me.handle.rpartition("@")[2]
        software = str(self._access.options.get(SOFTWARE, server.MASTODON))
        return parse.View(self.me, self.web, domain, software, self.threads.places)

    @cached_property
    def server(self) -> server.Server:
        """What the server says about itself."""
        return server.look(self.calls)

    def whoami(self) -> Author:
        """The account that the token belongs to, with its domain in the handle."""
        row = self.calls.get("/api/v1/accounts/verify_credentials")
        try:
            who = people.author(self._shown(row), "", self.web)
            return replace(who, handle=people.handle(who.handle, self.server.domain or urlsplit(self.web).netloc))
        except people.UNREADABLE:
            raise UnexpectedResponseError("The server answered without saying whose token this is") from None

    def _shown(self, row: Any) -> Any:
        """The account as others see it. Takahe, which may have several domains, tells a handle's only there."""
        path = f"/api/v1/accounts/{quote(people.identifier(row['id']), safe='')}"
        try:
            shown = self.calls.get(path)
        except (NotFoundError, InvalidRequestError, UnexpectedResponseError):
            return row
        return shown if isinstance(shown, dict) and str(shown.get("id")) == str(row["id"]) else row

    def statuses(self, rows: Iterable[Any]) -> parse.Read:
        """Posts, each in its thread, and the posts above them that had to be asked for."""
        asked = list(rows)
        above = self.threads.settle(asked)
        return self._with(parse.statuses(asked, self.view), above)

    def notifications(self, rows: Iterable[Any]) -> parse.Read:
        """The posts that notifications bring, as `statuses`."""
        asked = [row for row in rows if parse.brings_post(row)]
        above = self.threads.settle(row.get("status") for row in asked)
        return self._with(parse.notifications(asked, self.view), above)

    def _with(self, read: parse.Read, above: Iterable[Any]) -> parse.Read:
        try:
            more = parse.statuses(above, self.view).items
        except UnexpectedResponseError:
            more = ()  # only the extras cannot be read
        return parse.Read(unique((*read.items, *more)), read.skipped)


def unique(items: Iterable[Engagement]) -> tuple[Engagement, ...]:
    """Each post once, as it came first."""
    found: dict[str, Engagement] = {}
    for item in items:
        found.setdefault(item.id, item)
    return tuple(found.values())
