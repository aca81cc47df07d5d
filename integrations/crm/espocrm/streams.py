"""What is pulled, stream by stream. A cursor is the whole state, so that a pull may stop after any page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from integrations.clients import CRMRecord
from integrations.crm.espocrm import fields
from integrations.crm.espocrm.api import API, MOST, Condition, Row
from integrations.crm.espocrm.fields import ACTIVITIES, LEAD, STAMP, Site
from integrations.errors import NotFoundError, PermissionDeniedError
from integrations.records import Gone, Page
from integrations.walking import BROKEN, Question, load, position, store, walk

# An activity is found by when it was last changed; a meeting of last week may have been booked long before.
BOOKED_AHEAD = timedelta(days=90)
SWEEP = 3600.0  # seconds between two looks for contacts and leads that are gone
COMPARED = 5_000  # of them, whose ids a cursor holds at 18 bytes each; with more, sweeps ask about them
_NOT_COMPARED = (
    f"There are more than {COMPARED:,} contacts and leads, so one that is deleted in EspoCRM shows when its turn comes:"
    " up to 8,000 are asked about in an hour."
)


@dataclass(frozen=True, slots=True)
class Source:
    """What a stream reads with: the calls, the CRM, how far back a first pull goes, and real time in seconds."""

    api: API
    site: Site
    kinds: tuple[str, ...]  # of people
    since: datetime | None
    now: Callable[[], float]


Pages = Iterator[Page[CRMRecord]]


@dataclass(frozen=True, slots=True)
class _Part:
    """One of EspoCRM's kinds of record in a stream."""

    kind: str
    names: Sequence[str]
    read: Callable[[Row], CRMRecord | None]
    first: int = 0  # where a first pull begins, in seconds since 1970
    optional: bool = False  # a role that hides it is noted, and the rest goes on


def owners(source: Source, cursor: str | None) -> Pages:
    """Everybody who can own a record. There are few: each pull reads all, by id. EspoCRM shows an API user nobody who was switched off or
    deleted, in no list and not alone: who was there in the last pull and is not any more is gone."""
    state = load(cursor)
    known, seen = (_words(state.get(name)) for name in ("known", "seen"))
    after = state["after"] if isinstance(state.get("after"), str) else ""
    while True:
        rows = source.api.page("User", fields.OWNER_ATTRIBUTES, [("greaterThan", "id", after)] if after else [], "id")
        people = tuple(fields.owner(row) for row in rows if row.get("type", "regular") in fields.OWNER_TYPES)
        seen |= {each.id for each in people}
        if len(rows) < MOST - BROKEN:
            yield Page((*people, *map(Gone, sorted(known - seen))), store(known=" ".join(sorted(seen))))
            return
        after = str(rows[-1]["id"])
        yield Page(people, store(known=" ".join(sorted(known)), seen=" ".join(sorted(seen)), after=after))


def contacts(source: Source, cursor: str | None) -> Pages:
    """Contacts and leads that have changed; and, once an hour, those that are gone, by comparing ids."""
    parts = [
        _Part(kind, fields.person_attributes(kind, source.site), _reader(kind, source.site), optional=kind == LEAD)
        for kind in source.kinds
    ]
    for page in _changed(source, parts, cursor):
        yield page
        cursor = page.cursor
    state = load(cursor)
    swept = state.get("swept")
    if not isinstance(swept, (int, float)) or not 0 <= source.now() - swept < SWEEP:
        with suppress(PermissionDeniedError):  # one that the role hides meanwhile: then nothing is compared
            yield from _compared(source, state)


def _compared(source: Source, state: dict[str, Any]) -> Pages:
    """Those whose ids were there an hour ago and are not any more; and those who are to be seen now and were not, though no stamp tells."""
    before = _words(state.get("known"))
    here: set[str] = set()
    for kind in source.kinds:
        for rows in _ids(source.api, kind):
            here |= {fields.person_id(kind, each) for each in rows}
            if len(here) > COMPARED:
                break
    many = len(here) > COMPARED
    gone = () if many else tuple(Gone(each) for each in sorted(before - here))
    kept = "" if many else " ".join(sorted(here))
    again = () if many or not before else tuple(_read_again(source, here - before))
    items = (*again, *gone)
    yield Page(items, store(**{**state, "known": kept, "swept": source.now()}), (_NOT_COMPARED,) if many else ())


def _words(value: object) -> set[str]:
    return {each for each in value.split() if each.isprintable()} if isinstance(value, str) else set()


def _read_again(source: Source, ids: Set[str]) -> Iterator[CRMRecord]:
    for kind in source.kinds:
        wanted = [record_id for each, record_id in map(fields.person, sorted(ids)) if each == kind]
        read = _reader(kind, source.site)
        rows = source.api.read(kind, wanted, fields.person_attributes(kind, source.site))
        yield from (each for row in rows if (each := read(row)) is not None)


def _ids(api: API, kind: str) -> Iterator[list[str]]:
    after = ""
    while True:
        rows = api.page(kind, ("id",), [("greaterThan", "id", after)] if after else [], "id")
        if not rows:  # a page may lack a row that could not be read: only an empty one is the last
            return
        yield [str(row["id"]) for row in rows]
        after = str(rows[-1]["id"])


def _reader(kind: str, site: Site) -> Callable[[Row], CRMRecord | None]:
    def read(row: Row) -> CRMRecord | None:
        if kind == LEAD and row.get("status") == fields.CONVERTED:
            return Gone(fields.person_id(kind, str(row["id"])))
        return fields.contact(row, kind, site)

    return read


def activities(source: Source, cursor: str | None) -> Pages:
    """Calls, meetings and e-mails that have changed, with their contacts."""
    first = int((source.since - BOOKED_AHEAD).timestamp()) if source.since else 0
    parts = [
        _Part(kind, shape.names, partial(fields.activity, shape=shape), first, optional=True)
        for kind, shape in ACTIVITIES.items()
    ]
    yield from _changed(source, parts, cursor)


def tasks(source: Source, cursor: str | None) -> Pages:
    """Tasks of ours that have changed. Deletions do not show: see `read_tasks`."""
    site = source.site

    def read(row: Row) -> CRMRecord | None:
        state = fields.task_state(row, site)
        return state if state.key else None

    # Without a field of ours every task of the CRM has to be looked at: then not further back than asked for.
    first = 0 if site.key_field or source.since is None else int(source.since.timestamp())
    ours: list[Condition] = [("isNotNull", site.key_field, "")] if site.key_field else []
    yield from _changed(source, [_Part(fields.TASK, fields.task_attributes(site), read, first)], cursor, ours)


def _changed(source: Source, parts: Sequence[_Part], cursor: str | None, ours: Sequence[Condition] = ()) -> Pages:
    """What has changed of each part in turn. A pull that was stopped goes on with the part whose turn it was: else the first would
    begin anew each time. Raises PermissionDeniedError where the role hides all of them, or one that is not optional."""
    state = load(cursor)
    names = [part.kind for part in parts]
    turn = names.index(state["turn"]) if state.get("turn") in names else 0
    notes: list[str] = []
    for number, part in enumerate([*parts[turn:], *parts[:turn]], turn + 1):
        start = position(state.get(part.kind), part.first)
        try:
            asker = _asker(source.api, part, ours)
            for rows, here in walk(asker, fields.seconds, MOST - BROKEN, start, source.now, source.api.clock):
                following = part.kind if here.at is not None else names[number % len(names)]
                state = {**state, part.kind: here.dump(), "turn": following}
                found = (part.read(row) for row in rows)
                yield Page(tuple(each for each in found if each is not None), store(**state), tuple(notes))
        except (PermissionDeniedError, NotFoundError) as error:
            notes.append(
                f"EspoCRM does not let Warmline read records of the kind {part.kind}, so they do not count: {error}"
            )
            if not part.optional or len(notes) == len(parts):
                raise
    if notes:
        yield Page((), store(**state), tuple(notes))


def _asker(api: API, part: _Part, ours: Sequence[Condition]) -> Callable[[Question], Sequence[Row]]:
    def ask(question: Question) -> Sequence[Row]:
        begin = _second(question.at)
        if question.after is None:
            return api.page(part.kind, part.names, [("greaterThanOrEquals", STAMP, begin), *ours], STAMP)
        inside: list[Condition] = [("equals", STAMP, begin)]
        if question.after:
            inside.append(("greaterThan", "id", question.after))
        return api.page(part.kind, part.names, [*inside, *ours], "id")

    return ask


def _second(stamp: int) -> str:
    return fields.written(datetime.fromtimestamp(stamp, UTC))


STREAMS: dict[str, Callable[[Source, str | None], Pages]] = {
    "owners": owners,
    "contacts": contacts,
    "activities": activities,
    "tasks": tasks,
}
