"""What the contract suite needs to know about Instagram: how to make something happen there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from integrations.clients import SocialClient
from integrations.graph.texts import COMMENT, made_of
from tests.integrations.graph.wire import error
from tests.integrations.social.instagram.wire import WE, Instagram, instagram


@dataclass
class InstagramWorld:
    there: Instagram
    stream: str = "mentions"

    def client(self) -> SocialClient:
        return self.there.client()

    def speak(self, text: str) -> str:
        """Somebody tags us in a post. Returns the post's id."""
        return self.there.tag(text=text)

    def answer(self, post_id: str) -> str:
        """We comment below the post. Returns our comment's id."""
        return made_of(COMMENT, post_id, self.there.comment(post_id, WE, "thanks"))

    def edit(self, post_id: str, text: str) -> None:
        self.there.wire.nodes[post_id]["caption"] = text

    def delete(self, post_id: str) -> None:
        self.there.wire.drop(post_id)

    def page(self, most: int) -> None:
        """So many posts on a page, if they are asked for."""
        self.there.wire.page = most

    def refuse(self, status: int, body: str) -> None:
        """The next call is answered with this."""
        self.there.wire.replies.append((status, {"Content-Type": "application/json"}, body))

    def refusal(self, sentence: str) -> str:
        """A refusal as Meta shapes it."""
        return json.dumps(error(100, sentence)[1])

    def hide(self, post_id: str) -> None:
        """There, but not indexed yet."""
        self.there.wire.hidden.add(post_id)

    def show(self, post_id: str) -> None:
        self.there.wire.hidden.discard(post_id)

    def skew(self, seconds: float) -> None:
        """Our clock is ahead of Instagram's."""
        self.there.now += timedelta(seconds=seconds)


@contextmanager
def world() -> Iterator[InstagramWorld]:
    """An account in memory, with nothing on it."""
    with instagram(page=5) as there:
        yield InstagramWorld(there)
