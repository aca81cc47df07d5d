"""What all calls of one connection share: the account, its clock, and how its posts are read."""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import UTC, datetime
from typing import Any

from integrations.errors import UnexpectedResponseError
from integrations.provider import Access
from integrations.records import Author, Engagement
from integrations.social.bluesky import parse
from integrations.social.bluesky.calls import Calls


class Reader:
    """Reads Bluesky as one connected account."""

    def __init__(self, access: Access) -> None:
        self.calls = Calls(access)
        self.did = self.calls.did
        self.since = access.since
        self.now = access.now or (lambda: datetime.now(UTC))
        self.view = parse.View(self.did, access.hosts["web"].rstrip("/"))
        self.chat = access.hosts["chat"]

    def whoami(self) -> Author:
        """The account that the credentials belong to, asked of Bluesky: its handle may have changed."""
        profile = self.calls.get("app.bsky.actor.getProfile", actor=self.did)
        try:
            found = parse.author(profile, self.view.web)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise UnexpectedResponseError("Bluesky answered without saying whose profile this is") from None
        if found.id != self.did:
            raise UnexpectedResponseError("Bluesky answered with somebody else's profile")
        return found

    def extras(self, rows: Iterable[Any], known: Set[str]) -> tuple[Engagement, ...]:
        """Posts that came along, once each, without those that are `known`. What cannot be read of them (deleted, blocked, or
        odd) is asked for by id when it is missed."""
        posts = {
            str(row.get("uri")): row for row in rows if isinstance(row, dict) and isinstance(row.get("record"), dict)
        }
        wanted = [row for uri, row in posts.items() if uri not in known]
        try:
            return parse.each(wanted, lambda row: parse.post(row, self.view)).items
        except UnexpectedResponseError:
            return ()
