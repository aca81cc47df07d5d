"""Reading what has changed by search, past everything that search hides.

HubSpot's search serves at most 10,000 rows of one question, sorts by one property, shows a change some time after it was
made, and moves a record that changes meanwhile to another page. So no page is asked for by number. Each page starts
at the stamp where the last one ended; where one instant holds more rows than a page, they are walked by id.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from integrations.crm.hubspot.api import API, SEARCH, Row, properties
from integrations.crm.hubspot.fields import milliseconds
from integrations.errors import UnexpectedResponseError
from integrations.foreign import is_clock
from integrations.walking import AHEAD, behind, too_late

# Search lags behind writes, mostly by seconds; nobody promises how much. Changes this much older than the newest one are
# read again, until that newest one was itself this old when the walk before began: then everything before it has been read.
OVERLAP = 5 * 60 * 1000  # milliseconds
# A record that changes while it is searched stands at its old place with its new stamp. Were it the last row of a page, the
# next page would start too late; so a page ends at the oldest of its last rows.
_TAIL = 5


@dataclass(frozen=True, slots=True)
class Position:
    """How far a walk has come. All stamps are the CRM's own, in milliseconds since 1970."""

    high: int = 0  # the newest change that was seen
    seen: float = 0.0  # when we first saw it, in seconds of our own clock
    begun: float | None = None  # when the latest walk began, by the same clock
    behind: float = (
        0.0  # seconds by which HubSpot's clock was behind ours in the latest walk, at most: see `walking.behind`
    )
    at: int | None = None  # inside a walk: the stamp where the next page starts; None: the walk is done
    id: int | None = None  # inside one crowded instant: the last id read
    floor: int = 0  # everything up to here is known from a list, so that no overlap goes below it

    def started(self, now: float, behind: float = 0.0) -> Position:
        """A walk that goes on, or a new one that begins with the overlap. `now` is in seconds; `behind`: as far as HubSpot has told in this
        walk."""
        if self.at is not None:
            return self if self.begun is not None else replace(self, begun=now)
        # Only the latest walk tells what had shown: what came to show since may be older than its newest change by the whole overlap.
        seen = min(self.seen, now)  # our clock may have been put back
        waited = int(((seen if self.begun is None else min(self.begun, now)) - seen) * 1000)
        # A stamp ahead of our clock, or of HubSpot's own, says nothing about what is still to come: see `walking`.
        late = max(self.behind, behind)
        high = max(0, min(self.high, int((seen - late) * 1000))) if late or self.early else self.high
        floor = self.floor if high == self.high else max(0, min(self.floor, high - OVERLAP))
        at = high - max(0, OVERLAP - waited)
        return replace(self, high=high, seen=seen, begun=now, behind=behind, at=max(floor, at), id=None, floor=floor)

    def heard(self, behind: float) -> Position:
        """The same place, with HubSpot's clock so far behind ours."""
        return replace(self, behind=max(self.behind, behind))

    def saw(self, stamp: int, now: float) -> Position:
        """The same place, with this change seen."""
        if stamp <= self.high:
            return self
        # Behind a stamp from the future the walk passes over what is saved meanwhile: the first one counts, until the next walk.
        return replace(self, high=stamp, seen=self.seen if self.early else now)

    @property
    def early(self) -> bool:
        """Whether the newest change was seen before its own stamp, by HubSpot's clock or ours, whichever is behind."""
        return self.high > (max(0.0, self.seen - self.behind) + AHEAD) * 1000

    def dump(self) -> dict[str, Any]:
        return asdict(self)


def position(value: object) -> Position:
    """The position that `dump` wrote; anything else is the beginning."""
    if not isinstance(value, dict):
        return Position()
    high, seen, begun, at, last, floor = (value.get(name) for name in ("high", "seen", "begun", "at", "id", "floor"))
    late = value.get("behind", 0.0)
    sound = (
        _whole(high)
        and is_clock(seen)
        and is_clock(late)
        and (begun is None or is_clock(begun))
        and (at is None or _whole(at))
        and (last is None or _whole(last))
        and _whole(floor)
    )
    return Position(high, float(seen), begun, float(late), at, last, floor) if sound else Position()  # type: ignore[arg-type]


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def load(cursor: str | None) -> dict[str, Any]:
    """What `store` wrote; garbage, another version and None are an empty state, so that reading starts over."""
    try:
        state = json.loads(cursor or "{}")
    except (ValueError, RecursionError):
        return {}
    return state if isinstance(state, dict) and state.get("v") == 1 else {}


def store(**state: Any) -> str:
    """A cursor: versioned JSON."""
    return json.dumps({"v": 1, **state}, separators=(",", ":"))


def newest(api: API, kind: str, stamp: str) -> int:
    """The newest `stamp` that search shows, in milliseconds: as close to HubSpot's own clock as one can get. 0: nothing yet."""
    sort = {"propertyName": stamp, "direction": "DESCENDING"}
    found, _ = api.search(kind, {"filterGroups": [], "sorts": [sort], "properties": [stamp], "limit": 1})
    return max((milliseconds(properties(row).get(stamp)) or 0 for row in found), default=0)


def walk(
    api: API,
    kind: str,
    stamp: str,
    names: Sequence[str],
    start: Position,
    now: Callable[[], float],
    filters: Sequence[Row] = (),
) -> Iterator[tuple[list[Row], Position]]:
    """Pages of the `kind` records whose property `stamp` is not older than `start`, oldest change first, each with the
    position to go on from. The last page may be empty; its position is at rest. `now` tells seconds of real time."""
    here, first = start.started(now()), True
    while (at := here.at) is not None:
        crowded = here.id is not None
        page, full = api.search(kind, _question(here, stamp, names, filters))
        late = behind(now(), api.clock())
        if first and too_late(start, late):
            here, first = start.started(now(), late), False
            continue
        first = False
        stamps = [milliseconds(properties(row).get(stamp)) or at for row in page]
        here = here.heard(late).saw(max(stamps, default=0), now())
        here = _after_instant(here, page, full) if crowded else _after_page(here, stamps, full)
        yield page, here


def _question(here: Position, stamp: str, names: Sequence[str], filters: Sequence[Row]) -> dict[str, Any]:
    crowded = here.id is not None
    where: list[Row] = [{"propertyName": stamp, "operator": "EQ" if crowded else "GTE", "value": str(here.at)}]
    if crowded:
        where.append({"propertyName": "hs_object_id", "operator": "GT", "value": str(here.id)})
    return {
        "filterGroups": [{"filters": [*where, *filters]}],
        "sorts": [{"propertyName": "hs_object_id" if crowded else stamp, "direction": "ASCENDING"}],
        "properties": [*names, stamp],
        "limit": SEARCH,
    }


def _after_page(here: Position, stamps: Sequence[int], full: bool) -> Position:
    assert here.at is not None
    if not full:
        return replace(here, at=None)
    following = min(stamps[-_TAIL:])
    # A page that does not leave its first instant says nothing about how far that instant goes: walk it by id.
    return replace(here, at=following) if following > here.at else replace(here, id=0)


def _after_instant(here: Position, page: Sequence[Row], full: bool) -> Position:
    assert here.at is not None
    assert here.id is not None
    if not full:
        return replace(here, at=here.at + 1, id=None)
    last = max(int(row["id"]) if str(row["id"]).isdigit() else 0 for row in page)
    if last <= here.id:  # else we would ask the same question for ever
        raise UnexpectedResponseError("HubSpot's search does not move on")
    return replace(here, id=last)
