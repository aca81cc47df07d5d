"""An Instagram professional account that is linked to a page, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import responses

from integrations.provider import Access
from integrations.records import Author
from integrations.social.instagram import PROVIDER
from integrations.social.instagram.client import PAGE_ID, InstagramClient
from tests.integrations.graph.wire import APP, NOW, TOKEN, Wire, iso

PAGE = "700"
US = Author("17841400000000700", "acme", "Acme", url="https://www.instagram.com/acme/")
WE: dict[str, Any] = {"id": US.id, "username": US.handle}
ADA: dict[str, Any] = {"id": "9009", "username": "ada.example"}
BEN: dict[str, Any] = {"id": "9010", "username": "ben.example"}


@dataclass
class Instagram:
    """What people do around the account, and the Graph API that shows it."""

    wire: Wire = field(default_factory=Wire)
    now: datetime = NOW
    _serial: int = 0

    def __post_init__(self) -> None:
        self.wire.bare.add("tags")
        self.wire.tokens[TOKEN] = PAGE
        account = {"id": US.id, "username": US.handle, "name": US.name, "followers_count": 12}
        self.wire.put(US.id, **{name: value for name, value in account.items() if name != "id"})
        self.wire.put(PAGE, name="Acme", instagram_business_account=account)

    def access(self, **more: Any) -> Access:
        given: dict[str, Any] = {
            "hosts": dict(PROVIDER.hosts),
            "credentials": {"access_token": TOKEN},
            "account": US,
            "options": {PAGE_ID: PAGE},
            "since": NOW - timedelta(days=30),
            "now": lambda: self.now,
            "app": APP,
            "base_url": "https://warmline.example",
        }
        return Access(**{**given, **more})

    def client(self, **more: Any) -> InstagramClient:
        return InstagramClient(self.access(**more))

    def medium(self, text: str = "hello", at: datetime | None = None) -> str:
        """A post of ours."""
        return self._medium(f"{US.id}/media", US.handle, text, at, owner={"id": US.id})

    def tag(self, by: dict[str, Any] | None = None, text: str = "hello", at: datetime | None = None) -> str:
        """A post of somebody else that tags us. Meta names its author by user name alone, and shows it to nobody by id."""
        media_id = self._medium(f"{US.id}/tags", (by or ADA)["username"], text, at)
        self.wire.foreign.add(media_id)
        return media_id

    def comment(
        self,
        media_id: str,
        by: dict[str, Any] | None = None,
        text: str = "hello",
        at: datetime | None = None,
        **row: Any,
    ) -> str:
        """A comment below a post. Returns Meta's id."""
        return self._comment(f"{media_id}/comments", media_id, by or ADA, text, at, **row)

    def reply(
        self, comment_id: str, by: dict[str, Any] | None = None, text: str = "hello", at: datetime | None = None
    ) -> str:
        """A reply to a comment. Returns Meta's id."""
        media_id = self.wire.nodes[comment_id]["media"]["id"]
        return self._comment(f"{comment_id}/replies", media_id, by or ADA, text, at, parent_id=comment_id)

    def talk(self, conversation: str = "aWdfY29udmVyc2F0aW9u") -> str:
        return self.wire.put(conversation, f"{PAGE}/conversations", updated_time=iso(NOW))

    def message(
        self, conversation: str, by: dict[str, Any] | None = None, text: str = "hello", at: datetime | None = None
    ) -> str:
        """A message in a conversation with Ada. Returns Meta's id."""
        writer, native = by or ADA, f"aWdfbWVzc2FnZQ{self._number()}"
        to = ADA if writer["id"] == US.id else WE
        row = {"created_time": iso(self._when(at)), "from": writer, "to": {"data": [to]}, "message": text}
        self.wire.put(native, f"{conversation}/messages", **row)
        self.wire.nodes[conversation]["updated_time"] = row["created_time"]
        return native

    def _medium(self, edge: str, username: str, text: str, at: datetime | None, **row: Any) -> str:
        media_id = f"1790000000000{self._number():04}"
        link = f"https://www.instagram.com/p/{media_id}/"
        given = {"timestamp": iso(self._when(at)), "caption": text, "permalink": link, "username": username, **row}
        return self.wire.put(media_id, edge, **given)

    def _comment(self, edge: str, media_id: str, by: dict[str, Any], text: str, at: datetime | None, **row: Any) -> str:
        native = f"1785000000000{self._number():04}"
        medium = self.wire.nodes[media_id]
        media: dict[str, Any] = {"id": media_id} | {
            name: medium[name] for name in ("permalink", "owner") if name in medium
        }
        given = {"timestamp": iso(self._when(at)), "text": text, "from": by, "username": by["username"], "media": media}
        self.wire.put(native, edge, **given, **row)
        if media_id in self.wire.foreign:
            self.wire.foreign.add(native)
        return native

    def _when(self, at: datetime | None) -> datetime:
        return at or NOW - timedelta(hours=1) + timedelta(seconds=self._serial)

    def _number(self) -> int:
        self._serial += 1
        return self._serial


@contextmanager
def instagram(**wire: Any) -> Iterator[Instagram]:
    found = Instagram(Wire(**wire))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        found.wire.serve(mock)
        yield found
