"""When a stream is looked at next: often while something happens there, seldom where nothing does, never all at once.

How long a stream has been silent says best how long it will be: whoever was mentioned an hour ago may be again in a minute,
whoever was not for a week will hardly be. So the interval grows with the silence, and what is seen late is late by a small share
of the silence before it. The provider's own pace (`Stream.every`, chosen by its rate limits) is the shortest interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2s

SHARE = 32  # a stream that has been silent for so many intervals is looked at half as often, and so on
SLOWEST = 8  # times the provider's own pace, and no more
LONGEST = timedelta(minutes=30)  # nobody is looked at less often, unless the provider's own pace is slower
AFTER_A_LIMIT = timedelta(hours=1)  # for so long after a provider asked us to wait, it is asked half as often
# Who is asked to wait for more than a day asks again after one: it is a garbled header, or a period that may end earlier.
LONGEST_WAIT = timedelta(days=1)
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


class Pace(StrEnum):
    """Why a stream is looked at as often as it is."""

    NEW = "new"  # never read to its end yet: it goes on at once
    OPEN = "open"  # somebody waits there, or a task stands open
    BUSY = "busy"  # something came not long ago
    QUIET = "quiet"  # nothing came for a while
    LIMITED = "limited"  # the provider asked us to wait not long ago
    FIXED = "fixed"  # the workspace says how often


@dataclass(frozen=True)
class Seen:
    """What is known of a stream when its next pull is chosen. Instants are aware, in real time."""

    every: timedelta  # the provider's own pace; with `fixed`, the workspace's
    finished: bool = True  # the last pull read to the end of what there is
    fixed: bool = False
    open: bool = False  # somebody waits on this connection (a network), or a task stands open there (a CRM)
    last_item_at: datetime | None = None  # when something new last arrived; at first, when the stream was connected
    limited_at: datetime | None = None  # when the provider last asked us to wait


def pace(seen: Seen, *, now: datetime) -> Pace:
    """What the interval rests on."""
    if not seen.finished:
        return Pace.NEW
    if seen.limited_at is not None and now - seen.limited_at < AFTER_A_LIMIT:
        return Pace.LIMITED
    if seen.fixed:
        return Pace.FIXED
    if seen.open:
        return Pace.OPEN
    return Pace.BUSY if _steps(seen, now) == 0 else Pace.QUIET


def interval(seen: Seen, *, now: datetime) -> timedelta:
    """How long to leave a stream alone, from `every` to `cap(every)`. Newer items never make it longer."""
    found = pace(seen, now=now)
    if found is Pace.NEW:
        return timedelta(0)
    slower = 1 << _steps(seen, now) if found in (Pace.QUIET, Pace.LIMITED) and not (seen.fixed or seen.open) else 1
    if found is Pace.LIMITED:
        slower = max(slower, 2)
    return min(seen.every * slower, cap(seen.every))


def cap(every: timedelta) -> timedelta:
    """The longest interval of a stream with this pace."""
    return max(min(every * SLOWEST, LONGEST), every)


def next_pull(seen: Seen, *, now: datetime, key: bytes) -> datetime:
    """When to look next: at most one interval from `now`, at least half of one.

    `key` is the stream's id. Each stream has instants of its own on the clock, told by its key, so that those which were released in
    one moment (a restart, an outage that ends) do not ask in one second ever after.
    """
    length = interval(seen, now=now)
    if not length:
        return now
    slot = length / 2
    soonest = now + slot
    slots = (soonest - _EPOCH - slot * phase(key)) / slot
    return min(_EPOCH + slot * (math.ceil(slots) + phase(key)), now + length)


def after_wait(wait: timedelta, *, now: datetime, key: bytes, spread: timedelta) -> datetime:
    """When to ask again whom asked us to wait: never before, at most `spread` later, by the stream's key."""
    return now + max(timedelta(seconds=1), wait) + spread * phase(key)


def phase(key: bytes) -> float:
    """0 to 1, even over keys, and always the same for one."""
    return int.from_bytes(blake2s(key, digest_size=6).digest()) / (1 << 48)


def _steps(seen: Seen, now: datetime) -> int:
    """How many times the interval is doubled: while the silence is longer than `SHARE` intervals."""
    if seen.last_item_at is None:
        return SLOWEST.bit_length() - 1
    silence = max(now - seen.last_item_at, timedelta(0))
    ratio = silence / (seen.every * SHARE)
    return min(max(0, math.floor(math.log2(ratio)) + 1) if ratio >= 1 else 0, SLOWEST.bit_length() - 1)
