"""Reading what has changed, from a CRM that can be asked for "changed since" and sorts by it, and keeps stamps to the second.

No page is asked for by number: a record that changes meanwhile would move to another page, and its neighbour be skipped. Each page
starts at the second where the last one ended; where one second holds more rows than a page (an import, a bulk edit), that second is
walked by id. A stamp is made when a transaction begins and shows when it ends, so each walk begins a while before the newest
change that was seen, until that one was itself old enough when the walk before began. A stamp ahead of our clock says
nothing about what is still to come, since the CRM's clock may be put back: the next walk begins where ours stood as it was first seen.

Nor does a stamp ahead of the CRM's own present, which it tells with each answer: a clock that is behind ours may jump up to it and fall
back. So a walk begins no later than where that clock stood as the newest change was first seen, by how far it is behind now, or was
in the walk before, whichever is more. What nobody can tell is a clock that falls back and jumps up again between two walks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from integrations.errors import UnexpectedResponseError
from integrations.foreign import is_clock

OVERLAP = (
    600  # seconds: no request of a CRM lasts longer (servers end them after two or three minutes), with room for clocks
)

AHEAD = 5.0  # seconds by which clocks that are right may differ; the overlap has room for them

# Seconds by which a CRM's clock may be behind ours: less is what an answer takes on its way, and the overlap has room for it. More than a
# day is taken for a day, since a header that is wrong would otherwise have everything read each time.
BEHIND, BEHIND_AT_MOST = 60.0, 86_400.0

BROKEN = 10  # rows that a full page may lack, since they could not be read

Row = Mapping[str, Any]


class Place(Protocol):
    """A place in any walk."""

    @property
    def at(self) -> object: ...
    @property
    def behind(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Position:
    """How far a walk has come. Stamps are the CRM's own, in seconds since 1970."""

    high: int = 0  # the newest change that was seen
    seen: float = 0.0  # when we first saw it, in seconds of our own clock
    begun: float | None = None  # when the latest walk began, by the same clock
    behind: float = 0.0  # seconds by which the CRM's clock was behind ours in the latest walk, at most: see `behind`
    at: int | None = None  # inside a walk: the second where the next page starts; None: the walk is done
    id: str | None = None  # inside one crowded second: the last id read ("" before the first)

    def started(self, now: float, behind: float = 0.0) -> Position:
        """A walk that goes on, or a new one that begins with the overlap. `now` is in seconds; `behind`: as far as the CRM has told in this
        walk."""
        if self.at is not None:
            return self if self.begun is not None else replace(self, begun=now)
        # Only the latest walk tells what had shown: what came to show since may be older than its newest change by the whole overlap.
        seen = min(self.seen, now)  # our clock may have been put back
        waited = int((seen if self.begun is None else min(self.begun, now)) - seen)
        late = max(self.behind, behind)
        high = min(self.high, int(seen - late)) if late or self.early else self.high
        at = high - max(0, OVERLAP - waited)
        return replace(self, high=max(0, high), seen=seen, begun=now, behind=behind, at=max(0, at), id=None)

    def heard(self, behind: float) -> Position:
        """The same place, with the CRM's clock so far behind ours."""
        return replace(self, behind=max(self.behind, behind))

    def saw(self, stamp: int, now: float) -> Position:
        """The same place, with this change seen."""
        if stamp <= self.high:
            return self
        # Behind a stamp from the future the walk passes over what is saved meanwhile: the first one counts, until the next walk.
        return replace(self, high=stamp, seen=self.seen if self.early else now)

    @property
    def early(self) -> bool:
        """Whether the newest change was seen before its own stamp, by the CRM's clock or ours, whichever is behind."""
        return self.high > max(0.0, self.seen - self.behind) + AHEAD

    def dump(self) -> dict[str, Any]:
        """JSON-able, for a cursor."""
        return asdict(self)


def position(value: object, first: int = 0) -> Position:
    """The position that `dump` wrote; anything else is the beginning, `first` (in seconds since 1970)."""
    if isinstance(value, dict):
        high, seen, begun, at, last = (value.get(name) for name in ("high", "seen", "begun", "at", "id"))
        late = value.get("behind", 0.0)
        if (
            _whole(high)
            and is_clock(seen)
            and is_clock(late)
            and (begun is None or is_clock(begun))
            and (at is None or _whole(at))
            and (last is None or isinstance(last, str))
        ):
            return Position(high, float(seen), begun, float(late), at, last)  # type: ignore[arg-type]
    return Position(at=max(0, first))


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**11


def behind(ours: float, theirs: float | None) -> float:
    """How far a CRM's clock is behind ours, in seconds, as both stood with its answer: 0 for as little as an answer may take, for a clock that
    is ahead, and where the CRM does not tell."""
    late = 0.0 if theirs is None else min(ours - theirs, BEHIND_AT_MOST)
    return late if late > BEHIND else 0.0


def too_late(start: Place, late: float) -> bool:
    """Whether a walk that has begun at `start` has to begin again, further back, as the CRM's clock turns out to be so far behind."""
    return start.at is None and late > start.behind + AHEAD


def load(cursor: str | None) -> dict[str, Any]:
    """What `store` wrote; garbage, another version and None are an empty state, so that reading starts over."""
    try:
        state = json.loads(cursor or "{}")
    except (ValueError, RecursionError):
        return {}
    return state if isinstance(state, dict) and state.pop("v", None) == 1 else {}


def store(**state: Any) -> str:
    """A cursor: versioned JSON."""
    return json.dumps({"v": 1, **state}, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Question:
    """What a page holds: everything not older than the second `at`, by stamp and then by id; or, with `after`, what is of that very
    second and has a greater id, by id ("": from the first)."""

    at: int
    after: str | None = None


def walk(
    ask: Callable[[Question], Sequence[Row]],
    stamp: Callable[[Row], int | None],
    size: int,
    start: Position,
    now: Callable[[], float],
    theirs: Callable[[], float | None] = lambda: None,
) -> Iterator[tuple[Sequence[Row], Position]]:
    """Pages of rows, oldest change first, each with the position to go on from; the last one's is at rest. `size` is how many rows a full
    page has at least (BROKEN less than were asked for, where some may have been left out), each with an `id`; `stamp` tells a row's second, and `theirs` what the
    CRM's clock said with its latest answer. Raises UnexpectedResponseError where the CRM does not move on."""
    here, first = start.started(now()), True
    while here.at is not None:
        rows = ask(Question(here.at, here.id))
        late = behind(now(), theirs())
        if first and too_late(start, late):
            here, first = start.started(now(), late), False
            continue
        here, first = here.heard(late), False
        stamps = [found for row in rows if (found := stamp(row)) is not None]
        here = here.saw(max(stamps, default=0), now())
        here = _after_second(here, rows, size) if here.id is not None else _after_page(here, rows, stamps, size)
        yield rows, here


def _after_page(here: Position, rows: Sequence[Row], stamps: Sequence[int], size: int) -> Position:
    assert here.at is not None
    if len(rows) < size:
        return replace(here, at=None)
    following = max(stamps, default=here.at)
    # A page that does not leave its first second says nothing about how far that second goes: walk it by id.
    return replace(here, at=following) if following > here.at else replace(here, id="")


def _after_second(here: Position, rows: Sequence[Row], size: int) -> Position:
    assert here.at is not None
    if len(rows) < size:
        return replace(here, at=here.at + 1, id=None)
    last = str(rows[-1].get("id") or "")
    if last in ("", here.id):  # else we would ask the same question for ever
        raise UnexpectedResponseError("The CRM's list does not move on.")
    return replace(here, id=last)
