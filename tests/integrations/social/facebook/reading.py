"""What tests of reading a page need: a pull as one dictionary, and ids as we spell them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from integrations.graph.texts import COMMENT, made_of
from integrations.records import Engagement, Page
from tests.integrations.social.facebook.wire import Facebook

DAY = timedelta(days=1)


def pages(
    page: Facebook, stream: str = "posts", cursor: str | None = None, threads: Sequence[str] = ()
) -> list[Page[Engagement]]:
    return list(page.client().pull(stream, cursor, threads))


def pull(
    page: Facebook, stream: str = "posts", cursor: str | None = None, threads: Sequence[str] = ()
) -> tuple[dict[str, Engagement], str | None]:
    """What a pull brings, by id, and the last cursor."""
    found = pages(page, stream, cursor, threads)
    return {item.id: item for each in found for item in each.items}, found[-1].cursor


def comment_id(post: str, native: str) -> str:
    return made_of(COMMENT, post, native)
