"""Whatever people do between two pages of a pull, and wherever it is stopped, nothing that was said is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.graph.texts import COMMENT, made_of
from tests.integrations.graph.wire import NOW
from tests.integrations.social.facebook.wire import ADA, PAGE, Facebook, facebook

# What happens, and to which of the posts that are there: somebody posts, many comment at once, one answers, we answer, a worker reads one
# page of the list or of the older threads, hours go by. Half of it is reading, so that pulls are under way when something is said.
WHAT = ("post", "burst", "reply", "ours", "read", "read", "read", "threads", "hours", "days")
STEPS = st.lists(st.tuples(st.sampled_from(WHAT), st.integers(0, 50)), min_size=15, max_size=40)


class Told:
    """A page, what was said there, and what was read of it."""

    def __init__(self, page: Facebook) -> None:
        self.page = page
        self.posts = [page.post(at=NOW - timedelta(days=days)) for days in (45, 20, 1)]
        self.said: set[str] = set()
        self.below: dict[str, list[str]] = {}
        self.read: set[str] = set()
        self.cursors: dict[str, str | None] = {"posts": None, "threads": None}

    def happens(self, what: str, which: int) -> None:
        post = self.posts[which % len(self.posts)]
        self.page.now += timedelta(minutes=1)
        if what in ("hours", "days"):
            self.page.now += timedelta(**{what: which % 10})
        elif what == "post":
            self.posts.append(self.page.post(ADA, at=self.page.now))
            self.said.add(self.posts[-1])
        elif what in ("read", "threads"):
            self.reads("posts" if what == "read" else what)
        else:
            for _ in range(7 if what == "burst" else 1):
                self.comments(what, post, which)

    def comments(self, what: str, post: str, which: int) -> None:
        above = self.below.get(post, []) if what == "reply" else []
        parent = above[which % len(above)] if above else ""
        native = self.page.comment(post, PAGE if what == "ours" else ADA, at=self.page.now, parent=parent)
        self.below.setdefault(post, []).append(native)
        self.said.add(made_of(COMMENT, post, native))

    def reads(self, stream: str) -> bool:
        """One page of a pull. Whether it brought anything new."""
        before = len(self.read)
        first = next(iter(self.page.client().pull(stream, self.cursors[stream], self.posts)))
        self.cursors[stream] = first.cursor
        self.read |= {item.id for item in first.items}
        return len(self.read) > before

    def drains(self) -> None:
        for stream in self.cursors:
            for _ in range(2):  # the pull in hand to its end, and one more
                for page in self.page.client().pull(stream, self.cursors[stream], self.posts):
                    self.read |= {item.id for item in page.items}
                    self.cursors[stream] = page.cursor


@settings(max_examples=60, deadline=None, derandomize=True)
@given(steps=STEPS, size=st.integers(1, 5))
def test_nothing_that_was_said_is_lost(steps: list[tuple[str, int]], size: int) -> None:
    with facebook(page=size) as page:
        told = Told(page)
        for what, which in steps:
            told.happens(what, which)
        told.drains()
        assert told.said <= told.read
        assert told.read <= told.said | set(told.posts)


@pytest.mark.parametrize("stream", ["posts", "threads"])
def test_a_pull_ends_where_nothing_is_said(stream: str) -> None:
    with facebook(page=1) as page:
        told = Told(page)
        for _ in range(3):
            told.drains()
        page.wire.sent.clear()
        assert not told.reads(stream)
        assert len(page.wire.sent) == 1
