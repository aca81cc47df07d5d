"""What the contract suite needs to know about Bluesky: how to make something happen there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import responses

from integrations.clients import SocialClient
from tests.integrations.social.bluesky.wire import ADA, US, Wire


@dataclass
class BlueskyWorld:
    wire: Wire = field(default_factory=lambda: Wire(page=5))
    stream: str = "mentions"

    def client(self) -> SocialClient:
        return self.wire.client()

    def speak(self, text: str) -> str:
        """Somebody mentions us. Returns the post's address."""
        return self.wire.post(ADA, text, names=[US.id])

    def answer(self, post_id: str) -> str:
        """We answer natively. Returns our post's address."""
        return self.wire.post(US.id, "thanks", reply=(post_id, post_id))

    def edit(self, post_id: str, text: str) -> None:
        self.wire.posts[post_id]["record"]["text"] = text

    def delete(self, post_id: str) -> None:
        del self.wire.posts[post_id]

    def hide(self, post_id: str) -> None:
        self.wire.hidden.add(post_id)

    def show(self, post_id: str) -> None:
        self.wire.hidden.discard(post_id)

    def rename(self, handle: str) -> None:
        self.wire.people[ADA]["handle"] = f"{handle}.example"

    def skew(self, seconds: float) -> None:
        self.wire.ahead = timedelta(seconds=seconds)

    def page(self, most: int) -> None:
        """So many posts on a page, if they are asked for."""
        self.wire.page = most

    def refuse(self, status: int, body: str) -> None:
        """The next call is answered with this."""
        self.wire.replies.append((status, {"Content-Type": "application/json"}, body))


@contextmanager
def world() -> Iterator[BlueskyWorld]:
    """Bluesky in memory, with nothing on it."""
    found = BlueskyWorld()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        found.wire.serve(mock)
        yield found
