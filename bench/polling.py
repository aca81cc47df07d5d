"""A thousand accounts looked after by one worker host, in simulated time: our pace, beside looking at each at a fixed interval.

Nothing is called and nothing sleeps: a queue of due streams, some workers that each do one pull at a time, and posts that come
at times of their own. Both sides get the same posts, the same streams and the same workers.
"""

from __future__ import annotations

import heapq
import math
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import mean
from uuid import UUID

from bench.figures import Figure
from bench.scale import Scale
from integrations.provider import Stream
from integrations.registry import providers
from service.rules import polling
from workers.recheck import RECHECK_EVERY

CONNECTIONS = 1000
WORKERS = 8  # processes of the one host (WARMLINE_WORKERS)
PULL = 0.25  # seconds of a pull that calls out: a round trip to the network, and two transactions
NO_CALL = 0.03  # seconds of one that finds nothing to ask for
LATE = 30.0  # seconds after it was due
BUSIEST = 2000.0  # posts a day of the busiest account
START = datetime(2026, 11, 26, 8, tzinfo=UTC)

Next = Callable[["_Stream", float], float]


@dataclass
class _Stream:
    key: bytes
    every: float  # seconds
    cost: float
    posts: Sequence[float]  # when they come, in seconds from the start, ascending
    last: float  # when the last one arrived here
    seen: int = 0


@dataclass
class _Outcome:
    late: int = 0
    pulls: int = 0
    asked: Counter[int] = field(default_factory=Counter)
    delays: list[float] = field(default_factory=list)


def measure(scale: Scale) -> list[Figure]:
    """Late pulls, the busiest second, how long until a post is seen, and how many pulls that takes."""
    seconds = scale.polled_hours * 3600.0
    ours, fixed = (_run(_streams(seconds), seconds, first, following) for first, following in (_OURS, _FIXED))
    size = f"{CONNECTIONS} accounts, {WORKERS} workers, {scale.polled_hours} simulated hours"
    against = "the same accounts, each stream at its provider's fixed interval, begun together"
    return [
        Figure(f"polling: pulls more than {LATE:.0f} s late", ours.late, "pulls", size, fixed.late, against, of="value", at_most=0),
        Figure("polling: most in one second", max(ours.asked.values()), "pulls", size, max(fixed.asked.values()), against, at_most=0.1),
        Figure("polling: mean delay of a post", mean(ours.delays), "s", size, mean(fixed.delays), against),
        Figure("polling: pulls an hour", ours.pulls / scale.polled_hours, "pulls", size, fixed.pulls / scale.polled_hours, against),
    ]  # fmt: skip


# --- the two ways to choose the next pull ---------------------------------------------------------------------


def _ours(stream: _Stream, now: float) -> float:
    at = START + timedelta(seconds=now)
    seen = polling.Seen(timedelta(seconds=stream.every), last_item_at=START + timedelta(seconds=stream.last))
    return (polling.next_pull(seen, now=at, key=stream.key) - START).total_seconds()


def _at_a_fixed_interval(stream: _Stream, now: float) -> float:
    return math.floor(now / stream.every + 1) * stream.every


_OURS: tuple[Next, Next] = (_ours, _ours)
_FIXED: tuple[Next, Next] = (lambda stream, now: now, _at_a_fixed_interval)


# --- accounts and posts ---------------------------------------------------------------------------------------


def _streams(seconds: float) -> list[_Stream]:
    """All streams of all accounts. How much comes to an account differs by orders of magnitude, and comes in bursts."""
    rng = random.Random(26)
    manifest = next(each for each in providers().values() if each.prices)
    made = []
    for number in range(CONNECTIONS):
        a_day = min(rng.lognormvariate(math.log(3), 1.8), BUSIEST)
        for index, (every, calls) in enumerate(_kinds(manifest.streams)):
            # Few streams bring most: mentions, then own posts, then messages.
            rate = a_day * (0.7, 0.2, 0.02, 0.08, 0.0, 0.0)[min(index, 5)] / 86_400
            posts = _bursts(rng, rate, seconds)
            silence = min(rng.expovariate(rate), 90 * 86_400.0) if rate else 90 * 86_400.0
            key = UUID(int=number * 16 + index).bytes
            made.append(_Stream(key, every, PULL if calls else NO_CALL, posts, -silence))
    return made


def _kinds(streams: Sequence[Stream]) -> list[tuple[float, bool]]:
    """(seconds between two pulls, whether a pull calls out), the sweep over edits and deletions among them."""
    found = [(each.every.total_seconds(), not each.wants_parents) for each in streams]
    return [*found, (RECHECK_EVERY.total_seconds(), True)]


def _bursts(rng: random.Random, rate: float, seconds: float) -> list[float]:
    """Times of posts: each is followed by another with even odds, some minutes later, as talk is."""
    found: list[float] = []
    at = rng.expovariate(rate / 2) if rate else math.inf
    while at < seconds:
        found.append(at)
        reply = at
        while rng.random() < 0.5:
            reply += rng.expovariate(1 / 300)
            if reply < seconds:
                found.append(reply)
        at += rng.expovariate(rate / 2)
    return sorted(found)


# --- the host -------------------------------------------------------------------------------------------------


def _run(streams: Sequence[_Stream], seconds: float, first: Next, following: Next) -> _Outcome:
    """Every stream is due at `first`; whoever is due longest goes first to the worker that is free first."""
    outcome, free = _Outcome(), [0.0] * WORKERS
    due = [(first(stream, 0.0), index) for index, stream in enumerate(streams)]
    heapq.heapify(due)
    while due and due[0][0] < seconds:
        at, index = heapq.heappop(due)
        stream = streams[index]
        begun = max(at, heapq.heappop(free))
        ended = begun + stream.cost
        heapq.heappush(free, ended)
        outcome.pulls += 1
        outcome.late += begun - at > LATE
        outcome.asked[int(at)] += 1
        _look(stream, begun, outcome)
        heapq.heappush(due, (following(stream, ended), index))
    return outcome


def _look(stream: _Stream, now: float, outcome: _Outcome) -> None:
    until = bisect_right(stream.posts, now, stream.seen)
    if until > stream.seen:
        outcome.delays += [now - each for each in stream.posts[stream.seen : until]]
        stream.seen, stream.last = until, now
