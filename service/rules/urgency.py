"""How long somebody may wait, and which of two waits comes first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from integrations.records import Kind
from service.rules.addressing import Window
from service.rules.calendar import add_working_time, working_time
from service.rules.model import Policy, Post
from service.rules.standing import OPEN, WON
from service.rules.words import act, open_act

# Of working time: a network that soon lets nobody answer ends patience this long before.
WINDOW_WARNING: Final = timedelta(hours=6)
# Bands from 0 to 100 that nothing crosses: announcements, what asks for nothing, what asks for something, a closing window.
WINDOW_URGENCY: Final = 90
MOST_FOR_ASKING, MOST_FOR_CHATTER, MOST_FOR_BROADCASTS = 89, 58, 9
NUDGE_URGENCY: Final = 3
DEAL_URGENCY: Final = {OPEN: 12, WON: 6}
# What a longer wait adds to the urgency, by plain time. In steps, so that a verdict changes only at a known instant.
STEPS: Final[tuple[tuple[timedelta, int], ...]] = (
    (timedelta(days=1), 4),
    (timedelta(days=3), 8),
    (timedelta(days=7), 12),
    (timedelta(days=30), 16),
)


def closes(windows: Iterable[Window]) -> datetime | None:
    """When the network lets nobody answer any more: each message opens the window anew."""
    return max((each.closes_at for each in windows), default=None)


def patience_ends(posts: Sequence[Post], windows: Sequence[Window], stage: str, policy: Policy) -> datetime:
    """When the first of these posts of one wait has waited long enough, in working time; sooner where nobody could answer
    any more by then. `windows` are those that this person's messages opened; `stage` is that of the relationship."""
    first: dict[str, Post] = {}
    for post in posts:
        first.setdefault(_kind(post), post)
    due = min(add_working_time(post.at, _patience(kind, stage, policy), policy) for kind, post in first.items())
    began = posts[0].at
    warned = _warned(windows, began, policy)
    return due if warned is None else min(due, max(warned, began))


def closing(end: datetime, began: datetime, policy: Policy) -> datetime:
    """From when on a window that ends at `end` is closing, for a wait that began then. Counted in working time: of a window
    that ends on a Saturday, Friday is the last that anybody has."""
    left = working_time(began, end, policy)
    return add_working_time(began, left - WINDOW_WARNING, policy) if left else end - WINDOW_WARNING


def _warned(windows: Sequence[Window], began: datetime, policy: Policy) -> datetime | None:
    """When the window first came close to its end in a wait that began then. A message after that opens it anew, and patience
    has ended all the same: the task that stands because of it is not taken away and made again."""
    end = closes(each for each in windows if each.at <= began)
    for each in sorted((each for each in windows if each.at > began), key=lambda each: (each.at, each.closes_at)):
        if end is not None and closing(end, began, policy) <= each.at:
            break
        end = each.closes_at if end is None else max(end, each.closes_at)
    return closing(end, began, policy) if end is not None else None


def _kind(post: Post) -> str:
    if post.kind is Kind.DIRECT:
        return "direct"
    if post.signals.problem:
        return "problem"
    return "question" if open_act(post.signals) else "other"


def _patience(kind: str, stage: str, policy: Policy) -> timedelta:
    amount = policy.patience.get(kind, policy.patience["question"])
    return amount * policy.stage_patience.get(stage, 1.0)


def urgency(posts: Sequence[Post], window: datetime | None, deal: str, now: datetime, policy: Policy) -> int:
    """How urgent one wait is, from 0 to 100. `window` is when the network lets nobody answer any more."""
    want = max(_want(post) for post in posts)
    if window is not None and closing(window, posts[0].at, policy) <= now < window:
        return WINDOW_URGENCY + want // 10
    longer = max((more for after, more in STEPS if now - posts[0].at >= after), default=0)
    return min(want + longer + DEAL_URGENCY.get(deal, 0) + (NUDGE_URGENCY if len(posts) > 1 else 0), _most(posts))


def _want(post: Post) -> int:
    """What a post does; of those that do nothing in particular, the more likely to need an answer comes first."""
    weight, _ = act(post)
    return weight if open_act(post.signals) else weight + post.signals.answer_percent // 10


def _most(posts: Sequence[Post]) -> int:
    if all(post.signals.broadcast for post in posts):
        return MOST_FOR_BROADCASTS
    return MOST_FOR_ASKING if any(open_act(post.signals) for post in posts) else MOST_FOR_CHATTER


def steps(since: datetime, window: datetime | None, policy: Policy) -> Iterator[datetime]:
    """When the urgency of a wait that began at `since` may change."""
    yield from (since + after for after, _ in STEPS)
    if window is not None:
        yield from (closing(window, since, policy), window)
