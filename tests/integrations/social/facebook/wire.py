"""A page on Facebook, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import responses

from integrations.provider import Access
from integrations.records import Author
from integrations.social.facebook import PROVIDER
from integrations.social.facebook.client import FacebookClient
from tests.integrations.graph.wire import APP, NOW, TOKEN, Wire, iso

US = Author("700", "acme", "Acme", url="https://www.facebook.com/acme")
PAGE: dict[str, Any] = {"id": US.id, "name": US.name}
ADA: dict[str, Any] = {"id": "9009", "name": "Ada Example"}
BEN: dict[str, Any] = {"id": "9010", "name": "Ben Example"}


@dataclass
class Facebook:
    """What people do on and around the page, and the Graph API that shows it."""

    wire: Wire = field(default_factory=Wire)
    now: datetime = NOW
    _serial: int = 0

    def __post_init__(self) -> None:
        self.wire.tokens[TOKEN] = US.id
        self.wire.put(US.id, name=US.name, username=US.handle, link=US.url, followers_count=12)

    def access(self, **more: Any) -> Access:
        given: dict[str, Any] = {
            "hosts": dict(PROVIDER.hosts),
            "credentials": {"access_token": TOKEN},
            "account": US,
            "since": NOW - timedelta(days=30),
            "now": lambda: self.now,
            "app": APP,
            "base_url": "https://warmline.example",
        }
        return Access(**{**given, **more})

    def client(self, **more: Any) -> FacebookClient:
        return FacebookClient(self.access(**more))

    def post(
        self, by: dict[str, Any] | None = None, text: str = "hello", at: datetime | None = None, **row: Any
    ) -> str:
        """A post on the page."""
        return self._post(f"{US.id}_{self._number()}", f"{US.id}/feed", by or PAGE, text, at, **row)

    def tag(self, by: dict[str, Any] | None = None, text: str = "hello", at: datetime | None = None, **row: Any) -> str:
        """A post elsewhere that tags the page. Nobody is shown it by its id."""
        writer = by or ADA
        post_id = self._post(f"{writer['id']}_{self._number()}", f"{US.id}/tagged", writer, text, at, **row)
        self.wire.foreign.add(post_id)
        return post_id

    def comment(
        self,
        post_id: str,
        by: dict[str, Any] | None = None,
        text: str = "hello",
        at: datetime | None = None,
        *,
        parent: str = "",
        **row: Any,
    ) -> str:
        """A comment below a post, or a reply to a comment there (by Meta's id). Returns Meta's id."""
        native = f"{post_id.partition('_')[2]}_{self._number()}"
        if parent:
            above = self.wire.nodes[parent]
            row["parent"] = {"id": parent, "from": above.get("from", {}), "message": above["message"]}
        written = self._row(by or ADA, text, at, f"https://www.facebook.com/acme/posts/{post_id}?comment_id={native}")
        self.wire.put(native, f"{post_id}/comments", **{**written, **row})
        return native

    def talk(self, conversation: str = "t_1") -> str:
        """A conversation in the page's inbox."""
        return self.wire.put(
            conversation, f"{US.id}/conversations", link=f"/{US.id}/inbox/{conversation}/", updated_time=iso(NOW)
        )

    def message(
        self, conversation: str, by: dict[str, Any] | None = None, text: str = "hello", at: datetime | None = None
    ) -> str:
        """A message in a conversation with Ada. Returns Meta's id."""
        writer, native = by or ADA, f"m_{self._number()}"
        to = ADA if writer["id"] == US.id else PAGE
        row = {**self._row(writer, text, at), "to": {"data": [to]}}
        self.wire.put(native, f"{conversation}/messages", **row)
        self.wire.nodes[conversation]["updated_time"] = row["created_time"]
        return native

    def _post(self, post_id: str, edge: str, by: dict[str, Any], text: str, at: datetime | None, **row: Any) -> str:
        written = self._row(by, text, at, f"https://www.facebook.com/{by['id']}/posts/{post_id}")
        return self.wire.put(post_id, edge, **{**written, **row})

    def _row(self, by: dict[str, Any], text: str, at: datetime | None, url: str = "") -> dict[str, Any]:
        when = at or NOW - timedelta(hours=1) + timedelta(seconds=self._serial)
        row: dict[str, Any] = {"created_time": iso(when), "message": text, "permalink_url": url}
        return row | ({"from": by} if by["id"] else {})

    def _number(self) -> int:
        self._serial += 1
        return self._serial


@contextmanager
def facebook(**wire: Any) -> Iterator[Facebook]:
    found = Facebook(Wire(**wire))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        found.wire.serve(mock)
        yield found
