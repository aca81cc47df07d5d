"""What the contract suite needs to know about Mastodon: how to make something happen there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import responses

from integrations.clients import SocialClient
from tests.integrations.social.mastodon.wire import ADA, NOW, US, Wire, html, iso


@dataclass
class MastodonWorld:
    wire: Wire = field(default_factory=lambda: Wire(page=5))
    stream: str = "mentions"

    def client(self) -> SocialClient:
        return self.wire.client()

    def speak(self, text: str) -> str:
        """Somebody mentions us. Returns the post's id."""
        return self.wire.say(ADA, text, names=[US.id])

    def answer(self, post_id: str) -> str:
        """We answer natively. Returns our post's id."""
        return self.wire.say(US.id, "thanks", to=post_id, names=[ADA])

    def edit(self, post_id: str, text: str) -> None:
        self.wire.posts[post_id] |= {"content": html(text), "edited_at": iso(NOW)}

    def delete(self, post_id: str) -> None:
        self.wire.delete(post_id)

    def hide(self, post_id: str) -> None:
        """It has not arrived yet: no list serves it."""
        self.wire.hidden.add(post_id)

    def show(self, post_id: str) -> None:
        self.wire.hidden.discard(post_id)

    def rename(self, handle: str) -> None:
        self.wire.people[ADA] |= {"username": handle, "acct": f"{handle}@elsewhere.example"}

    def skew(self, seconds: float) -> None:
        """Our clock is ahead of the server's by so much."""
        self.wire.ahead = timedelta(seconds=seconds)

    def page(self, most: int) -> None:
        """So many posts on a page, if they are asked for."""
        self.wire.page = most

    def refuse(self, status: int, body: str) -> None:
        """The next call is answered with this."""
        self.wire.replies.append((status, {"Content-Type": "application/json"}, body))


@contextmanager
def world() -> Iterator[MastodonWorld]:
    """A server in memory, with nothing on it."""
    found = MastodonWorld()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        found.wire.serve(mock)
        yield found
