"""What the contract suite needs to know about X: how to make something happen there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import responses

from integrations.clients import SocialClient
from integrations.provider import Meter
from tests.integrations.social.x.wire import NOW, US, Wire, snowflake, tweet


@dataclass
class XWorld:
    wire: Wire = field(default_factory=lambda: Wire(page=5))
    stream: str = "mentions"
    _serial: int = 0
    _ahead: timedelta = timedelta()

    def client(self) -> SocialClient:
        return self.wire.client(now=lambda: NOW + self._ahead)

    def metered(self, meter: Meter) -> SocialClient:
        """The account, where this counts what is bought."""
        return self.wire.client(now=lambda: NOW + self._ahead, meter=meter, wanted=lambda _: ())

    def speak(self, text: str) -> str:
        """Somebody mentions us. Returns the post's id."""
        return self._post("9", text, {"mentions": [{"username": "acme", "id": US.id}]})

    def answer(self, post_id: str) -> str:
        """We answer natively. Returns our post's id."""
        return self._post(US.id, "thanks", {}, reply_to=(post_id, "9"), conversation_id=post_id)

    def edit(self, post_id: str, text: str) -> None:
        self.wire.posts[post_id]["text"] = text

    def delete(self, post_id: str) -> None:
        del self.wire.posts[post_id]

    def hide(self, post_id: str) -> None:
        """X has the post and does not list it yet."""
        self.wire.hidden.add(post_id)

    def show(self, post_id: str) -> None:
        self.wire.hidden.discard(post_id)

    def rename(self, handle: str) -> None:
        self.wire.users["9"]["username"] = handle

    def skew(self, seconds: float) -> None:
        """Our clock is ahead of X's by so much."""
        self._ahead = timedelta(seconds=seconds)

    def page(self, most: int) -> None:
        """So many posts on a page, if they are asked for."""
        self.wire.page = most

    def refuse(self, status: int, body: str) -> None:
        """The next call is answered with this."""
        self.wire.replies.append((status, {"Content-Type": "application/json"}, body))

    def _post(self, author: str, text: str, entities: object, **more: object) -> str:
        self._serial += 1
        at = NOW - timedelta(minutes=10) + timedelta(seconds=self._serial)
        post_id = snowflake(at)
        self.wire.add(tweet(post_id, author, text, at, entities=entities, **more))
        return post_id


@contextmanager
def world() -> Iterator[XWorld]:
    """X in memory, with nothing on it."""
    found = XWorld()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        found.wire.serve(mock)
        yield found
