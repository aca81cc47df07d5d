"""What is pulled, stream by stream. A cursor is the whole state, so that a pull may stop after any page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from integrations.clients import CRMRecord
from integrations.crm.odoo import fields
from integrations.crm.odoo.api import API, EVERYTHING, PAGE, Domain, Row
from integrations.crm.odoo.fields import ACTIVITY, EVENT, MESSAGE, PARTNER, STAMP, USER, Site
from integrations.crm.odoo.sweeping import pack, unpack
from integrations.errors import InvalidRequestError, NotFoundError, PermissionDeniedError
from integrations.records import Gone, Page
from integrations.walking import BROKEN, Position, Question, load, position, store, walk

# An activity is found by when it was last changed; a meeting of last week may have been booked long before.
BOOKED_AHEAD = timedelta(days=90)
SWEEP = 3600.0  # seconds between two looks for contacts that are gone
AT_ONCE = 5_000  # ids in one answer
MOST_TEXT = 100_000  # letters of ids that a cursor holds; contacts that are numbered without gaps take next to none
_HIDDEN = (
    PermissionDeniedError,
    NotFoundError,
    InvalidRequestError,
)  # a module that is not installed is one of these, by version
# Of messages Odoo first takes a page, and then takes out of it what the user may not see: only an empty one is the last.
_SIFTED = 1
_NOT_COMPARED = (
    "There are so many contacts that Warmline does not look for those that were deleted or have unsubscribed in Odoo."
)


@dataclass(frozen=True, slots=True)
class Source:
    """What a stream reads with: the calls, the CRM, how far back a first pull goes, real time in seconds, business time."""

    api: API
    site: Site
    since: datetime | None
    now: Callable[[], float]
    today: Callable[[], datetime]


Pages = Iterator[Page[CRMRecord]]


@dataclass(frozen=True, slots=True)
class _Part:
    """One of Odoo's models in a stream."""

    model: str
    names: Sequence[str]
    domain: Domain
    read: Callable[[Row], CRMRecord | None]
    first: int = 0  # where a first pull begins, in seconds since 1970
    optional: bool = False  # where it is hidden or not installed, that is noted, and the rest goes on
    full: int = PAGE - BROKEN  # rows of a page that may have others behind it


def owners(source: Source, cursor: str | None) -> Pages:
    """Everybody who works in Odoo, and those who no longer do. There are few: each pull reads all, by id."""
    after = load(cursor).get("after")
    after = after if isinstance(after, int) and after > 0 else 0
    while True:
        domain = [["share", "=", False], ["id", ">", after]]
        rows = source.api.search(USER, domain, fields.OWNER_FIELDS, context=EVERYTHING)
        after = int(rows[-1]["id"]) if len(rows) == PAGE else 0
        yield Page(tuple(map(fields.owner, rows)), store(after=after))
        if not after:
            return


# --- contacts ---------------------------------------------------------------------------------------------------


def contacts(source: Source, cursor: str | None) -> Pages:
    """Partners that have changed; and, once an hour, those that are gone, by comparing ids. An archived one is gone too."""
    part = _Part(PARTNER, fields.partner_fields(source.site), fields.PEOPLE, partial(_partner, source.site))
    state: dict[str, Any] = load(cursor)
    for page, walked in _walked(source, part, state):
        state = walked
        yield Page(page, store(**state))
    swept = state.get("swept")
    if not isinstance(swept, (int, float)) or not 0 <= source.now() - swept < SWEEP:
        yield from _compared(source, state)


def _partner(site: Site, row: Row) -> CRMRecord:
    return Gone(str(row["id"])) if row.get("active") is False else fields.contact(row, site)


def _compared(source: Source, state: dict[str, Any]) -> Pages:
    """What no stamp tells, by comparing ids with those of an hour ago: who is gone, who is to be seen again, and who has unsubscribed
    or no longer has (Odoo keeps that apart from the contact)."""
    known, here = unpack(state.get("known")), _ids(source.api, [])
    silent = _unsubscribed(source)
    again = here & ((here - known) | (silent ^ unpack(state.get("silent")))) if known else set()
    for page in _read_again(source, sorted(again)):
        yield Page(page, store(**state))
    texts = {"known": pack(here), "silent": pack(silent)}
    many = max(map(len, texts.values())) > MOST_TEXT
    kept = dict.fromkeys(texts, "") if many else texts
    gone = tuple(Gone(str(each)) for each in sorted(known - here))
    yield Page(gone, store(**{**state, **kept, "swept": source.now()}), (_NOT_COMPARED,) if many else ())


def _unsubscribed(source: Source) -> set[int]:
    if "is_blacklisted" not in source.site.partner_fields:
        return set()
    try:
        return _ids(source.api, [["is_blacklisted", "=", True]])
    except _HIDDEN:
        return set()  # an Odoo that does not search by it: then it shows with the contact's next change


def _ids(api: API, more: Domain) -> set[int]:
    found, after = set[int](), 0
    while True:
        rows = api.search(PARTNER, [*fields.PEOPLE, *more, ["id", ">", after]], ["id"], limit=AT_ONCE)
        found |= {int(row["id"]) for row in rows}
        if not rows:  # a page may lack a row that could not be read: only an empty one is the last
            return found
        after = max(found)


def _read_again(source: Source, ids: Sequence[int]) -> Iterator[tuple[CRMRecord, ...]]:
    names = fields.partner_fields(source.site)
    for start in range(0, len(ids), PAGE):
        rows = source.api.read(PARTNER, [str(each) for each in ids[start : start + PAGE]], names)
        yield tuple(fields.contact(row, source.site) for row in rows)


# --- activities -------------------------------------------------------------------------------------------------


def activities(source: Source, cursor: str | None) -> Pages:
    """Meetings, calls that were ticked off, and e-mails that came in, with their contacts. What Warmline's own tasks left behind is not read."""
    site, first = source.site, fields.since(source.since, BOOKED_AHEAD)
    of_partners: Domain = [["model", "=", PARTNER], ["body", "not ilike", fields.REFERENCE]]
    told: Domain = [
        *of_partners,
        "|",
        ["mail_activity_type_id", "in", list(site.calls)],
        ["message_type", "=", "email"],
    ]
    parts = [
        _Part(
            EVENT,
            fields.EVENT_FIELDS,
            [],
            lambda row: fields.meeting(row, site, now=source.today()),
            first,
            optional=True,
        ),
        _Part(
            MESSAGE, fields.MESSAGE_FIELDS, told, partial(fields.logged, site=site), first, optional=True, full=_SIFTED
        ),
    ]
    yield from _all(source, parts, cursor)


def tasks(source: Source, cursor: str | None) -> Pages:
    """Activities of ours that have changed, those that were done too; and, where Odoo deletes what is done, what it says of that in the
    contact's history. Deletions do not show: see `read_tasks`."""
    site = source.site
    noted: Domain = [["note", "ilike", fields.REFERENCE]]
    told: Domain = [
        ["model", "=", PARTNER],
        ["body", "ilike", fields.REFERENCE],
        ["mail_activity_type_id", "!=", False],
    ]
    parts = [_Part(ACTIVITY, fields.task_fields(site), noted, partial(_ours, site))]
    if not site.keeps_done:
        names = ("body", "date", "res_id", STAMP)
        parts.append(
            _Part(
                MESSAGE,
                names,
                told,
                partial(fields.done_state, site=site),
                fields.since(source.since),
                optional=True,
            )
        )
    yield from _all(source, parts, cursor)


def _ours(site: Site, row: Row) -> CRMRecord | None:
    state = fields.task_state(row, site)
    return state if state.key else None


# --- walking ----------------------------------------------------------------------------------------------------


def _all(source: Source, parts: Sequence[_Part], cursor: str | None) -> Pages:
    """What has changed of each part in turn. A pull that was stopped goes on with the part whose turn it was. Raises where all parts are
    hidden, or one that is not optional."""
    state: dict[str, Any] = load(cursor)
    names = [part.model for part in parts]
    turn = names.index(state["turn"]) if state.get("turn") in names else 0
    notes: list[str] = []
    for number, part in enumerate([*parts[turn:], *parts[:turn]], turn + 1):
        try:
            for page, walked in _walked(source, part, state):
                under_way = position(walked[part.model]).at is not None
                state = {**walked, "turn": part.model if under_way else names[number % len(names)]}
                yield Page(page, store(**state), tuple(notes))
        except _HIDDEN as error:
            if not part.optional:
                raise
            notes.append(f"Odoo does not serve {part.model}, so that does not count: {error}")
            if len(notes) == len(parts):
                raise
    if notes:
        yield Page((), store(**state), tuple(notes))


def _walked(
    source: Source, part: _Part, state: dict[str, Any]
) -> Iterator[tuple[tuple[CRMRecord, ...], dict[str, Any]]]:
    start: Position = position(state.get(part.model), part.first)
    before: dict[Any, Row] = {}  # by id
    for rows, here in walk(_asker(source.api, part), fields.seconds, part.full, start, source.now, source.api.clock):
        # A page begins where the one before ended: what stood there as well has been served.
        found = [part.read(row) for row in rows if before.get(row["id"]) != row]
        before = _last_second(rows)
        yield tuple(each for each in found if each is not None), {**state, part.model: here.dump()}
        state = {**state, part.model: here.dump()}


def _last_second(rows: Sequence[Row]) -> dict[Any, Row]:
    """The rows of the second in which a page ends, by id."""
    last = fields.seconds(rows[-1]) if rows else None
    return {row["id"]: row for row in rows if fields.seconds(row) == last}


def _asker(api: API, part: _Part) -> Callable[[Question], Sequence[Row]]:
    def ask(question: Question) -> Sequence[Row]:
        domain: Domain = [*part.domain, [STAMP, ">=", _second(question.at)]]
        order = f"{STAMP}, id"
        if question.after is not None:  # Odoo's stamps have parts of a second, which it does not show
            after = int(question.after) if question.after.isdigit() else 0
            domain, order = [*domain, [STAMP, "<", _second(question.at + 1)], ["id", ">", after]], "id"
        return api.search(part.model, domain, part.names, order=order, context=EVERYTHING)

    return ask


def _second(stamp: int) -> str:
    return fields.written(datetime.fromtimestamp(stamp, UTC))


STREAMS: dict[str, Callable[[Source, str | None], Pages]] = {
    "owners": owners,
    "contacts": contacts,
    "activities": activities,
    "tasks": tasks,
}
