"""Reading what has changed, page by page, by SystemModstamp and Id.

No server-side cursor is kept: those last two days and are few. Each page asks for what comes after the last row of the one
before, by stamp and then by id, so that a bulk edit of fifty thousand rows in one second is walked like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from integrations.crm.salesforce.api import API, READ, MissingFieldError, Row, is_id, quoted, readable
from integrations.errors import UnexpectedResponseError
from integrations.foreign import is_clock
from integrations.walking import AHEAD, behind, too_late

T = TypeVar("T")

STAMP = "SystemModstamp"
# A stamp is set when a row is saved, and shows when its transaction ends: that of a long batch may take ten minutes
# (Apex governor limits). Changes this much older than the newest one are read again, until that one was itself this old when the
# walk before began.
OVERLAP = timedelta(minutes=10)
_NEEDED = {"Id", STAMP, "IsDeleted"}
_PASSED_OVER = "Salesforce served a record that could not be read, so it was passed over."


@dataclass(frozen=True, slots=True)
class Position:
    """How far a walk has come. Stamps are Salesforce's own, as ISO 8601 in UTC."""

    high: str = ""  # the newest change that was seen
    seen: float = 0.0  # when we first saw it, in seconds of our own clock
    begun: float | None = None  # when the latest walk began, by the same clock
    behind: float = (
        0.0  # seconds by which Salesforce's clock was behind ours in the latest walk, at most: see `walking.behind`
    )
    at: str | None = None  # inside a walk: the stamp of the last row; None: the walk is done
    id: str = ""  # inside a walk: the id of that row; "": everything from that stamp on

    def started(self, now: float, behind: float = 0.0) -> Position:
        """A walk that goes on, or a new one that begins with the overlap. `now` is in seconds; `behind`: as far as Salesforce has told in this
        walk."""
        high = instant(self.high)
        if self.at is not None:
            return self if self.begun is not None else replace(self, begun=now)
        if high is None:
            return replace(self, begun=now, behind=behind, at="", id="")
        # Only the latest walk tells what had shown: what came to show since may be older than its newest change by the whole overlap.
        seen = min(self.seen, now)  # our clock may have been put back
        waited = timedelta(seconds=(seen if self.begun is None else min(self.begun, now)) - seen)
        # A stamp ahead of our clock, or of Salesforce's own, says nothing about what is still to come: see `walking`.
        late = max(self.behind, behind)
        high = min(high, datetime.fromtimestamp(max(0.0, seen - late), UTC)) if late or self.early else high
        at = high - max(timedelta(0), OVERLAP - waited)
        return replace(self, high=soql_time(high), seen=seen, begun=now, behind=behind, at=soql_time(at), id="")

    def heard(self, behind: float) -> Position:
        """The same place, with Salesforce's clock so far behind ours."""
        return replace(self, behind=max(self.behind, behind))

    def saw(self, stamp: str, now: float) -> Position:
        """The same place, with this change seen."""
        if stamp <= self.high:
            return self
        # Behind a stamp from the future the walk passes over what is saved meanwhile: the first one counts, until the next walk.
        return replace(self, high=stamp, seen=self.seen if self.early else now)

    @property
    def early(self) -> bool:
        """Whether the newest change was seen before its own stamp, by Salesforce's clock or ours, whichever is behind."""
        high = instant(self.high)
        return high is not None and high.timestamp() > max(0.0, self.seen - self.behind) + AHEAD

    def dump(self) -> dict[str, Any]:
        return asdict(self)


def position(value: object) -> Position:
    """The position that `dump` wrote; anything else is the beginning."""
    if not isinstance(value, dict):
        return Position()
    high, seen, begun, at, last = (value.get(name) for name in ("high", "seen", "begun", "at", "id"))
    late = value.get("behind", 0.0)
    sound = (
        _stamp(high)
        and is_clock(seen)
        and is_clock(late)
        and (begun is None or is_clock(begun))
        and (at is None or _stamp(at))
        and isinstance(last, str)
        and (last == "" or is_id(last))
    )
    return Position(str(high), float(seen), begun, float(late), at, str(last)) if sound else Position()  # type: ignore[arg-type]


def _stamp(value: object) -> bool:
    return isinstance(value, str) and (value == "" or (instant(value) is not None and value.endswith("Z")))


def since(start: datetime | None) -> Position:
    """A walk that begins at this instant, or at the beginning of everything."""
    return Position(at=soql_time(start) if start else "")


def instant(value: object) -> datetime | None:
    """An instant as Salesforce writes it (2026-11-25T12:00:00.000+0000), in UTC; None for anything else."""
    try:
        found = datetime.fromisoformat(str(value or ""))
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):  # the latter where the time zone leads out of the calendar
        return None


def soql_time(value: datetime) -> str:
    """An instant as SOQL writes it, without quotes."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def walk(
    api: API,
    kind: str,
    fields: Sequence[str],
    start: Position,
    now: Callable[[], float],
    *,
    where: str = "",
    stamp: str = STAMP,
    everything: bool = True,
    needs: Collection[str] = (),
) -> Iterator[tuple[list[Row], Position, list[str]]]:
    """Pages of the `kind` records changed since `start`, oldest change first, each with the position to go on from and
    notes for people. The last page may be empty; its position is at rest. `now` tells seconds of real time. A field that is no longer there
    is left out, with a note; raises MissingFieldError for one of `needs`. `everything`: deleted and archived records too."""
    here, names, first = start.started(now()), list(fields), True
    while here.at is not None:
        rest = f"{_where(here, stamp, where)} ORDER BY {stamp}, Id LIMIT {READ}"
        try:
            page, done = api.query(select(names, kind, rest), everything=everything)
        except MissingFieldError as error:
            if error.name in needs:
                raise
            names = _without(names, error)
            yield [], here, [_lost(error.name)]
            continue
        late = behind(now(), api.clock())
        if first and too_late(start, late):
            here, first = start.started(now(), late), False
            continue
        here, first = here.heard(late), False
        full = not done or len(page) >= READ
        found = readable(page)
        following = _after(here, found, stamp, now())
        if full and (following.at, following.id) == (here.at, here.id):  # else we would ask the same for ever
            raise UnexpectedResponseError("Salesforce's query does not move on")
        here = following if full else replace(following, at=None, id="")
        yield found, here, [_PASSED_OVER] if len(found) < len(page) else []


def ask(api: API, kind: str, fields: Sequence[str], where: str, *, everything: bool = False) -> list[Row]:
    """All `kind` records that fit `where`, by id. A field that is not there is left out."""
    found, last = list[Row](), ""
    while True:
        beyond = f" AND Id > {quoted(last)}" if last else ""
        rest = f"WHERE {where}{beyond} ORDER BY Id LIMIT {READ}"

        def query(names: Sequence[str], rest: str = rest) -> tuple[list[Any], bool]:
            return api.query(select(names, kind, rest), everything=everything)

        page, done = forgiving(query, fields)
        found += readable(page)
        if (done and len(page) < READ) or not page:
            return found
        last = str(found[-1]["Id"])


def forgiving(call: Callable[[Sequence[str]], T], fields: Sequence[str]) -> T:
    """What `call` returns for these fields, or for those of them that are there."""
    names = list(fields)
    while True:
        try:
            return call(names)
        except MissingFieldError as error:
            names = _without(names, error)


def select(fields: Sequence[str], kind: str, rest: str = "") -> str:
    """A query. `rest` is what stands behind the kind; texts in it have gone through `quoted`."""
    return f"SELECT {', '.join(fields)} FROM {kind} {rest.strip()}".rstrip()  # noqa: S608 - SOQL reads only, and nobody's text is in it unquoted


def _where(here: Position, stamp: str, where: str) -> str:
    after = ""
    if here.at and here.id:
        after = f"({stamp} > {here.at} OR ({stamp} = {here.at} AND Id > {quoted(here.id)}))"
    elif here.at:
        after = f"{stamp} >= {here.at}"
    tests = [each for each in (after, where) if each]
    return f"WHERE {' AND '.join(tests)}" if tests else ""


def _after(here: Position, page: Sequence[Row], stamp: str, now: float) -> Position:
    stamped = [(found, str(row["Id"])) for row in page if (found := instant(row.get(stamp)))]
    if not stamped:
        return here
    last, last_id = stamped[-1]
    return replace(here.saw(soql_time(last), now), at=soql_time(last), id=last_id)


def _without(names: Sequence[str], error: MissingFieldError) -> list[str]:
    left = [
        each for each in names if error.name not in (each, *each.split("."))
    ]  # a relation's name takes all behind it along
    if len(left) == len(names) or error.name in _NEEDED:
        raise error
    return left


def _lost(name: str) -> str:
    return f"Salesforce no longer shows the field {name}, so it is read no more. Connect again if it was renamed."
