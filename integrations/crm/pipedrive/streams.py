"""What is pulled, stream by stream. A cursor is the whole state, the stream's purse too, so that a pull may stop after any page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from integrations.clients import CRMRecord
from integrations.crm.pipedrive import budget, fields, sight
from integrations.crm.pipedrive.api import (
    ACTIVITIES,
    API,
    COSTS,
    IDS,
    ORGANIZATIONS,
    PAGE,
    PERSONS,
    USERS,
    Row,
    listed,
    readable,
)
from integrations.crm.pipedrive.budget import BudgetError, Purse
from integrations.crm.pipedrive.changes import PASSED_OVER, walk
from integrations.crm.pipedrive.fields import Company
from integrations.errors import InvalidRequestError
from integrations.records import Gone, GoneBetween, Page
from integrations.walking import load, position, store

# An activity is found by when it was last changed; a meeting of last week may have been booked long before.
BOOKED_AHEAD = timedelta(days=90)
SWEEP = 3600.0  # seconds between two readings of everybody, which alone show who was deleted or merged away; where that
SWEEP_PART = 0.2  # would take more than this of what the stream may spend, they come less often
_WITHOUT = "Pipedrive no longer has all of the fields that were found when it was connected, so persons are read without. Connect again."
NAMED = 20  # ids of a gap that are told one by one; a wider one (an import that was taken back) is told by its ends
HELD_BACK = 100  # wide gaps, for which all contacts are read: they are told together at the end of the list, or once there are more

Pages = Iterator[Page[CRMRecord]]


@dataclass(frozen=True, slots=True)
class Source:
    """What a stream reads with. `now` tells seconds of real time."""

    api: Callable[[Purse], API]
    company: Company
    share: float
    since: datetime | None
    now: Callable[[], float]


@dataclass
class Reading:
    """One pull of one stream: its calls, its purse, and the rest of its state."""

    source: Source
    api: API
    purse: Purse
    state: dict[str, Any]

    def page(self, items: Sequence[CRMRecord], notes: Sequence[str] = (), **state: Any) -> Page[CRMRecord]:
        """A page, with everything that was known before and `state` to go on from."""
        self.state = {name: value for name, value in {**self.state, **state}.items() if value is not None}
        self.purse.turn()
        return self.put_away(items, notes)

    def put_away(self, items: Sequence[CRMRecord], notes: Sequence[str]) -> Page[CRMRecord]:
        """A page that leaves everything as it is, but for the purse."""
        return Page(tuple(items), store(**{**self.state, "purse": self.purse.dump()}), tuple(notes))


def pull(source: Source, stream: str, cursor: str | None, payer: Purse | None = None) -> Pages:
    """Pages of a stream, paid for by `payer`, or by the stream's own purse in the cursor. Where that is empty, says so in a note and raises
    RateLimitError. Raises KeyError for another stream."""
    read = _STREAMS[stream]
    state = load(cursor)
    own = budget.purse(state.pop("purse", None), stream, source.share, source.now)
    purse = payer or own
    reading = Reading(source, source.api(purse), purse, state)
    try:
        yield from read(reading)
    except BudgetError as error:
        yield reading.put_away((), (str(error),))
        raise


def _owners(reading: Reading) -> Pages:
    """All users; there is no changed-since."""
    rows = listed(reading.api.call("GET", USERS))
    found = readable(rows)
    yield reading.page([fields.user(row) for row in found], [PASSED_OVER] if len(found) < len(rows) else [])


def _contacts(reading: Reading) -> Pages:
    # A pull that was stopped between the two goes on with the second: else the first would begin anew each time.
    if "sweep" not in reading.state:
        yield from _changed_persons(reading)
    if "sweep" in reading.state:
        yield from _sweep(reading)


def _changed_persons(reading: Reading) -> Pages:
    here = reading.source.company
    more: dict[str, str] = {"custom_fields": ",".join(here.custom)} if here.custom else {}
    if here.marketing:
        more["include_fields"] = "marketing_status"
    reading.state.setdefault("swept", reading.source.now())  # the first walk reads everybody anyway
    try:
        yield from _walk_persons(reading, more, ())
    except InvalidRequestError as error:
        if not any(name in str(error) for name in more):
            raise
        # Somebody has removed a field, or left Campaigns: persons are worth reading without.
        yield from _walk_persons(reading, {}, (_WITHOUT,))


def _walk_persons(reading: Reading, more: Mapping[str, str], said: tuple[str, ...]) -> Pages:
    start = position(reading.state.get("changed"))
    for rows, place, notes in walk(reading.api, PERSONS, start, reading.source.now, more):
        organizations = _organizations(reading.api, rows)
        people = [fields.person(row, reading.source.company, organizations) for row in rows]
        top = max([_top(reading), *(row["id"] for row in rows)])
        sweep: dict[str, Any] | None = {} if place.at is None and _due(reading) else None
        some = sight.some(sight.known(reading.state.get("known")), rows)
        yield reading.page(people, (*said, *notes), changed=place.dump(), top=top, sweep=sweep, known=some)


def _organizations(api: API, rows: Sequence[Row]) -> Mapping[str, Row]:
    """The organizations of these persons, by id: a person names only the id."""
    ids = [str(row["org_id"]) for row in rows if row.get("org_id")]
    return {str(row["id"]): row for row in api.by_id(ORGANIZATIONS, ids)} if ids else {}


def _top(reading: Reading) -> int:
    """The highest id that was seen so far."""
    top = reading.state.get("top")
    return top if isinstance(top, int) else 0


def _doubted(reading: Reading) -> int:
    """How often in a row there was doubt about who is gone."""
    times = reading.state.get("doubted")
    return times if isinstance(times, int) else 0


def _swept_ago(reading: Reading) -> float:
    swept = reading.state.get("swept")
    return max(0.0, reading.source.now() - swept) if isinstance(swept, (int, float)) else 0.0


def _due(reading: Reading) -> bool:
    swept = reading.state.get("swept")
    pages = _top(reading) // PAGE + 1
    cost = COSTS["GET", PERSONS] * (pages + (pages > 1))  # where one page is not all, some are asked for by id before
    every = max(SWEEP, budget.DAY * cost / (SWEEP_PART * reading.purse.part))
    return not isinstance(swept, (int, float)) or reading.source.now() - swept >= every


def _sweep(reading: Reading) -> Pages:
    """Everybody by id: who stands in no list any more was deleted, or merged into another. Ids are given one by one in each company,
    so that a gap between two neighbours is who is gone; a person who comes back shows as changed. Where some of those who were seen
    before are only out of sight, nobody is taken for gone, and once they are back, all are read again: what changed meanwhile shows nowhere."""
    begun = reading.state.get("sweep")
    begun = begun if isinstance(begun, dict) else {}
    last, cursor = begun.get("last"), begun.get("cursor")
    last, cursor = (last, cursor) if isinstance(last, int) and isinstance(cursor, str) else (0, None)
    wide = [GoneBetween(*ends) for ends in begun.get("wide", ())] if cursor else []
    some = sight.known(begun.get("known")) if cursor else []
    first = cursor is None
    while True:
        try:
            rows, cursor = reading.api.page(PERSONS, cursor, sort_by="id", sort_direction="asc")
        except InvalidRequestError:
            yield reading.page((), sweep=None)  # should the cursor be refused, the sweep begins anew the next time
            raise
        found = readable(rows)
        if first:
            before, turn = sight.known(reading.state.get("known")), _doubted(reading)
            doubt, deleted = sight.doubt(reading.api, before, found, cursor is None, turn, _swept_ago(reading))
            if doubt:
                kept = [each for each in before if each not in deleted]
                page = reading.page((), [doubt], sweep=None, swept=reading.source.now(), doubted=turn + 1, known=kept)
                yield _over_but(page, [doubt])
                return
        gone, more = _missing(found, last)
        wide, some, first = wide + more, sight.some(some, found), False
        last = max([last, *(row["id"] for row in found)])
        if cursor is None:
            yield _swept(reading, [*gone, *wide], last, some)
            return
        if len(wide) > HELD_BACK:
            gone, wide = [*gone, *wide], []
        ends = [(each.after, each.before) for each in wide]
        yield reading.page(gone, sweep={"last": last, "cursor": cursor, "wide": ends, "known": some})


def _swept(reading: Reading, gone: Sequence[CRMRecord], last: int, some: list[int]) -> Page[CRMRecord]:
    """The last page of a sweep, which has come to `last`, with what is gone before that, and `some` of those who are there."""
    tail, notes = _tail(reading, last)
    top = _top(reading) if notes else last  # what was told is not asked about again
    here = {"sweep": None, "swept": reading.source.now(), "top": top, "doubted": None}
    if _doubted(reading):
        here["changed"] = None
    page = reading.page([*gone, *tail], notes, **here, known=reading.state.get("known") if notes else some)
    return _over_but(page, notes)


def _over_but(page: Page[CRMRecord], notes: Sequence[str]) -> Page[CRMRecord]:
    """The page, which says that of all doubts only what is in `notes` still holds."""
    return replace(page, over=tuple(each for each in sight.DOUBTS if each not in notes))


def _tail(reading: Reading, last: int) -> tuple[Sequence[CRMRecord], Sequence[str]]:
    """Whoever was there after the last one of the list and is gone, and notes for people. A list without anybody, where nothing is known of
    who was there, and one that was cut short say nothing of that: such people would never be read again, as none of them has changed."""
    tail = _between(last, _top(reading) + 1)
    if tail and not last and not sight.known(reading.state.get("known")):
        return (), [sight.NOBODY]
    if last and tail and _stands(reading.api, last, _top(reading)):
        return (), [sight.CUT_SHORT]
    return tail, ()


def _stands(api: API, after: int, top: int) -> bool:
    """Whether somebody after `after`, `top` or some of those before, is there: as many as one call tells of, spread over all of them."""
    number, count = top - after, min(IDS, top - after)
    ids = [str(top - place * number // count) for place in range(count)]
    return any(row.get("is_deleted") is not True for row in api.by_id(PERSONS, ids))


def _missing(found: Sequence[Row], last: int) -> tuple[list[CRMRecord], list[GoneBetween]]:
    """Who is gone of those before these rows and after `last`; and the gaps that are wide, by themselves."""
    gone: list[CRMRecord] = [Gone(str(row["id"])) for row in found if row.get("is_deleted") is True]
    wide: list[GoneBetween] = []
    for row in found:
        for each in _between(last, row["id"]):
            if isinstance(each, GoneBetween) and each.wide:
                wide.append(each)
            else:
                gone.append(each)
        last = max(last, row["id"])
    return gone, wide


def _between(one: int, other: int) -> Sequence[CRMRecord]:
    """Everybody between two neighbours."""
    wide = other - one - 1 > NAMED
    return [GoneBetween(one, other)] if wide else [Gone(str(missing)) for missing in range(one + 1, other)]


def _activities(reading: Reading) -> Pages:
    since = reading.source.since
    first = int((since - BOOKED_AHEAD).timestamp()) if since else 0
    yield from _walk_activities(reading, first, lambda row: fields.activity(row, reading.source.company))


def _tasks(reading: Reading) -> Pages:
    """No field of an activity can hold our key: all activities are looked at, not further back than asked for."""
    since = reading.source.since

    def read(row: Row) -> CRMRecord | None:
        if not fields.may_be_ours(row):
            return None
        state = fields.task_state(row, reading.source.company)
        return state if isinstance(state, Gone) or state.key else None

    yield from _walk_activities(reading, int(since.timestamp()) if since else 0, read)


def _walk_activities(reading: Reading, first: int, read: Callable[[Row], CRMRecord | None]) -> Pages:
    start = position(reading.state.get("changed"), first)
    for rows, place, notes in walk(reading.api, ACTIVITIES, start, reading.source.now, {}):
        found = (read(row) for row in rows)
        yield reading.page([each for each in found if each is not None], notes, changed=place.dump())


_STREAMS: Mapping[str, Callable[[Reading], Pages]] = {
    "owners": _owners,
    "contacts": _contacts,
    "activities": _activities,
    "tasks": _tasks,
}
