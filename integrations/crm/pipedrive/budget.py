"""Keeping to a share of the company's daily budget, which all of its tools spend from.

Pipedrive gives a company so many tokens a day (30,000 for each seat of its smallest plan) and stops everybody once they are spent. So
Warmline keeps to a share of them (20 percent, unless the connect form says otherwise; divided by how many connections here are to that company), and each stream to a part of that share. A stream's purse is
filled little by little and stands in its cursor, so that it is the same whichever process reads: a small company is looked at less
often, and none is ever without. What is written has a purse of its own, and so has looking at our open tasks; these are kept with the
connection.

Below a floor nothing is asked for at all: what is left of the day then belongs to the others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from integrations.crm.pipedrive.api import ACTIVITIES, COSTS, IDS, ORGANIZATIONS, PAGE, PERSONS, USERS
from integrations.errors import RateLimitError
from integrations.foreign import is_clock

SHARE = 20  # percent of the company's budget
SMALLEST = 30_000  # tokens a day: the smallest plan with one seat
# Parts of the share: what each stream has, and what is besides. On the smallest plan and at the usual share that is enough for some forty
# tasks a day, written and ended one by one, and for a look at a hundred open ones a little over every hour.
PARTS: Mapping[str, float] = {"contacts": 0.30, "tasks": 0.30, "activities": 0.13, "owners": 0.02}
WRITES, CHECKS, SAMPLES = "writes", "checks", "samples"
BESIDES: Mapping[str, float] = {WRITES: 0.18, CHECKS: 0.05, SAMPLES: 0.02}
HANDFUL = 10  # tasks or handles that an empty purse waits for, as one look at their contacts is for all of them
MOST = 1e12  # tokens: more than any cursor of ours holds
FLOOR = 0.05  # of the company's budget: when no more is left, we ask for nothing
LOOK_AGAIN = 1800.0  # seconds: the budget is renewed at the midnight of a server whose time zone is not told
DAY = 86_400.0
# What may be spent at one go, of a day's part; the rest of it flows in over the day. Together they are the part.
AT_ONCE = 0.25
# What the dearest page of a stream, or the dearest task, costs: nothing of a page is kept before all of it is paid for. A page of persons may be asked for four times
# (its fields are gone, and each time its cursor is not taken back), and each of its rows may be with an organization of its own.
DEAREST: Mapping[str, int] = {
    "contacts": 4 * COSTS["GET", PERSONS] + PAGE // IDS * COSTS["GET", ORGANIZATIONS],
    "activities": 2 * COSTS["GET", ACTIVITIES],
    "tasks": 2 * COSTS["GET", ACTIVITIES],
    "owners": COSTS["GET", USERS],
    # A task that was perhaps made is sought first, and whom it is about is looked at.
    WRITES: COSTS["GET", ACTIVITIES] + COSTS["GET", PERSONS] + COSTS["POST", ACTIVITIES],
    CHECKS: COSTS["GET", ACTIVITIES],
    SAMPLES: 2 * COSTS["GET", ACTIVITIES],  # some of ours, and what stands there as the newest
}
LEAST = 30.0  # tokens that fit into any purse


class BudgetError(RateLimitError):
    """We wait of our own accord. The message is a sentence for people."""


def share(options: Mapping[str, Any], holders: int = 1) -> float:
    """The share that the connect form says, as a fraction: from 1 to 100 percent, divided by how many connections here spend from the
    company's budget."""
    given = str(options.get("daily_share") or SHARE).strip().removesuffix("%").strip()
    percent = int(given) if given.isascii() and given.isdigit() else SHARE
    return min(100, max(1, percent)) / 100 / max(1, holders)


@dataclass
class Till:
    """Pays for calls while connecting: only the floor holds them back."""

    limit: int = 0  # tokens a day; 0: not told yet
    remaining: int | None = None

    def pay(self, tokens: int) -> None:
        if self.remaining is not None and self.remaining < max(tokens, self.limit * FLOOR):
            raise BudgetError(
                "All tools together have nearly used up the day's budget of Pipedrive, so Warmline waits until it is renewed.",
                retry_after=LOOK_AGAIN,
            )

    def learn(self, headers: Mapping[str, str]) -> None:
        """The headers are sometimes absent: then what was known stays."""
        limit = _whole(headers.get("x-daily-ratelimit-token-limit"))
        remaining = _whole(headers.get("x-daily-ratelimit-token-remaining"))
        self.limit = limit or self.limit
        self.remaining = self.remaining if remaining is None else remaining


@dataclass
class Purse:
    """Pays for one stream's calls. `clock` tells seconds of real time."""

    stream: str
    share: float
    clock: Callable[[], float]
    left: float = 0.0
    at: float = 0.0
    limit: int = SMALLEST
    need: float = 0.0  # with how much the next page is begun at all: the last one could not be paid to its end
    _paid: int = 0  # of this page
    _till: Till = field(default_factory=Till)

    def pay(self, tokens: int) -> None:
        self._till.pay(tokens)
        self._fill()
        if self.left < max(tokens, 0 if self._paid else self.need):
            if self._paid:  # to begin it with less than it may cost would empty the purse for nothing once more
                self.need = DEAREST[self.stream]
            wait = (max(tokens, self.need) - self.left) / self._flow
            raise BudgetError(self._sentence(), retry_after=max(1.0, wait))
        self.left -= tokens
        self._paid += tokens

    def turn(self) -> None:
        """A page has come to its end."""
        self.need, self._paid = 0.0, 0

    def learn(self, headers: Mapping[str, str]) -> None:
        self._till.learn(headers)
        if self._till.limit and self._till.limit != self.limit:
            before, self.limit = self._capacity, self._till.limit
            self.left = max(min(0.0, self.left), self.left + self._capacity - before)  # what is owed stays owed

    def dump(self) -> dict[str, Any]:
        """JSON-able, for a cursor."""
        return {"left": round(self.left, 4), "at": self.at, "limit": self.limit, "need": self.need}

    @property
    def part(self) -> float:
        """Tokens that may be spent in a day."""
        return self.limit * self.share * {**PARTS, **BESIDES}[self.stream]

    @property
    def _capacity(self) -> float:
        # Each page has to fit in, however small the share: else the stream would wait for ever.
        return max(self.part * AT_ONCE, DEAREST[self.stream], LEAST)

    @property
    def _flow(self) -> float:
        return max(self.part * (1 - AT_ONCE) / DAY, 1e-4)

    def _fill(self) -> None:
        now = self.clock()
        self.left = min(self._capacity, self.left + max(0.0, now - self.at) * self._flow)
        self.at = now

    def _sentence(self) -> str:
        minutes = max(1, round(10 / self._flow / 60))
        return (
            f"Pipedrive's daily budget of {self.limit} is shared by all tools. Warmline keeps to {self.share * 100:.3g}% of it,"
            f" so {self.stream} are read about every {minutes} minutes."
        )


_SO: Mapping[str, str] = {
    WRITES: "so what is to be written waits until more may be spent",
    CHECKS: "so open tasks are looked at later",
    SAMPLES: "so both sides are compared less often",
}


class Account(Purse):
    """Pays for what belongs to no stream. How much is begun is asked before; what was begun is paid to its end, out of what flows in later if
    need be: else it would end half-way each time."""

    def afford(self, price: Callable[[int], int], wanted: int) -> int:
        """How many of so many things can be paid for, where so many of them have this `price`. Raises BudgetError where not one can."""
        self._fill()
        number = bisect_right(range(1, wanted + 1), self.left, key=price)
        if wanted and not number:
            enough = max(price(1), min(price(min(wanted, HANDFUL)), self._capacity))
            raise BudgetError(self._sentence(), retry_after=max(1.0, (enough - self.left) / self._flow))
        return number

    def pay(self, tokens: int) -> None:
        self._till.pay(tokens)
        self._fill()
        self.left -= tokens

    def _sentence(self) -> str:
        return (
            f"Pipedrive's daily budget of {self.limit} is shared by all tools. Warmline keeps to {self.share * 100:.3g}% of it,"
            f" {_SO[self.stream]}."
        )


P = TypeVar("P", bound=Purse)


def purse(value: object, stream: str, part: float, clock: Callable[[], float]) -> Purse:
    """The purse that `dump` wrote into a cursor, or a full one."""
    return _opened(Purse, value, stream, part, clock)


def account(value: object, purpose: str, part: float, clock: Callable[[], float], limit: object = None) -> Account:
    """As `purse`, for WRITES or CHECKS; a full one is of the budget `limit`, where that is known."""
    return _opened(Account, value, purpose, part, clock, _whole(limit) or SMALLEST)


def _opened(
    kind: type[P], value: object, stream: str, part: float, clock: Callable[[], float], most: int = SMALLEST
) -> P:
    if isinstance(value, dict):
        left, at, limit, need = (value.get(name) for name in ("left", "at", "limit", "need"))
        if isinstance(left, (int, float)) and abs(left) < MOST and is_clock(at) and _whole(limit):
            return kind(stream, part, clock, float(left), float(at), int(limit), DEAREST[stream] if need else 0.0)  # type: ignore[arg-type]
    full = kind(stream, part, clock, at=clock(), limit=most)
    full.left = full._capacity
    return full


def _whole(value: object) -> int | None:
    text = str(value if value is not None else "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 13 else None
