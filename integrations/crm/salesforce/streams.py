"""What is pulled, stream by stream. A cursor is the whole state, so that a pull may stop after any page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from integrations.clients import CRMRecord
from integrations.crm.salesforce import fields
from integrations.crm.salesforce.activities import ACTIVITIES, MESSAGE_FIELDS, activity_fields, activity_where, told
from integrations.crm.salesforce.api import API, MissingFieldError, NotVisibleError, Row, ShareUsedError, chunks, listed
from integrations.crm.salesforce.fields import PEOPLE, person, person_fields, successor
from integrations.crm.salesforce.org import KEY, Org
from integrations.crm.salesforce.soql import Position, ask, position, since, walk
from integrations.errors import InvalidRequestError, PermissionDeniedError
from integrations.records import Activity, ActivityKind, Contact, Page
from integrations.walking import load, store

# An activity is found by when it was last changed; a meeting of last week may have been booked long before.
BOOKED_AHEAD = timedelta(days=90)
KEY_GONE = (
    f"Salesforce no longer has the field {KEY} for tasks, or the user who connected may not see it."
    " Connect Salesforce again, and it is looked for or made anew"
)


@dataclass(frozen=True, slots=True)
class Source:
    """What a stream reads with: the calls, the organisation, how far back a first pull goes, and real time in seconds."""

    api: API
    org: Org
    since: datetime | None
    now: Callable[[], float]


Pages = Iterator[Page[CRMRecord]]
Read = Callable[[Sequence[Row], bool], tuple[CRMRecord, ...]]  # rows of a page, and whether this is the very first walk


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record of a stream: what to ask for, from where on at first, and how its rows are read."""

    name: str
    names: Sequence[str]
    where: str
    first: Position
    read: Read
    needs: tuple[str, ...] = ()  # fields without which it is not read at all


def owners(source: Source, cursor: str | None) -> Pages:
    """Everybody who can own a record, and those who were deactivated; first all of them, then those that changed."""
    where = "UserType = 'Standard'"  # neither portal users nor Salesforce's own
    state = load(cursor)
    start = position(state.get("User"))
    walked = walk(source.api, "User", fields.OWNER_FIELDS, start, source.now, where=where, everything=False)
    for page, here, notes in walked:
        yield Page(tuple(fields.owner(row) for row in page), store(User=here.dump()), tuple(notes))


def contacts(source: Source, cursor: str | None) -> Pages:
    """Contacts and leads that have changed: deleted, merged and converted ones too."""
    kinds = [Kind(kind, person_fields(kind, source.org), "", Position(), _people(source, kind)) for kind in PEOPLE]
    return _in_turn(source, cursor, kinds, "contacts")


def _people(source: Source, kind: str) -> Read:
    def read(page: Sequence[Row], first: bool) -> tuple[CRMRecord, ...]:
        found = [person(kind, row, source.org) for row in page]
        # On the first walk everybody is read anyway. Later the record that somebody lives on in is named beside the one that goes, so that
        # whatever was known of the one is looked at again with the other.
        heirs = [] if first else [each for row in page if (each := successor(kind, row))]
        return (*_persons(source, heirs), *found)

    return read


def _persons(source: Source, ids: Sequence[str]) -> list[Contact]:
    found: list[Contact] = []
    for kind, prefix in (("Contact", "003"), ("Lead", "00Q")):
        for group in chunks(list(dict.fromkeys(each for each in ids if each.startswith(prefix)))):
            rows = ask(source.api, kind, person_fields(kind, source.org), f"Id IN {listed(group)}")
            found += [each for row in rows if isinstance(each := person(kind, row, source.org), Contact)]
    return found


def activities(source: Source, cursor: str | None) -> Pages:
    """Logged calls and e-mails, and meetings, that have changed; deleted ones too."""
    first, key = since(source.since - BOOKED_AHEAD if source.since else None), source.org.key_field
    kinds = [
        Kind(
            kind,
            activity_fields(kind, source.org),
            activity_where(kind, source.org),
            first,
            _logged(source, kind),
            needs=(key,) if key else (),  # without it a task of ours would look like a call that somebody made
        )
        for kind in ACTIVITIES
    ]
    return _in_turn(source, cursor, kinds, "activities")


def _logged(source: Source, kind: str) -> Read:
    def read(page: Sequence[Row], first: bool) -> tuple[CRMRecord, ...]:
        found = [each for row in page if (each := ACTIVITIES[kind].read(row, source.org)) is not None]
        messages = _messages(source.api, found)
        return tuple(told(each, messages) if isinstance(each, Activity) else each for each in found)

    return read


def _messages(api: API, found: Sequence[CRMRecord]) -> dict[str, Row]:
    """The messages of these e-mails, by the activity's id; none where Salesforce keeps none (Enhanced Email is switched off, the user may
    not see them)."""
    emails = [each.id for each in found if isinstance(each, Activity) and each.kind is ActivityKind.EMAIL]
    messages: list[Row] = []
    try:
        for group in chunks(emails):
            messages += ask(api, "EmailMessage", MESSAGE_FIELDS, f"ActivityId IN {listed(group)}")
    except (InvalidRequestError, PermissionDeniedError):
        return {}
    return {str(row.get("ActivityId")): row for row in messages}


def tasks(source: Source, cursor: str | None) -> Pages:
    """Tasks of ours that have changed; deleted ones too."""
    key = source.org.key_field
    # Without a field of ours every task of the organisation has to be looked at: then not further back than asked for.
    first = since(None if key else source.since)
    kind = Kind("Task", fields.task_fields(source.org), f"{key} != null" if key else "", first, _ours(source))
    try:
        yield from _in_turn(source, cursor, [kind], "tasks")
    except MissingFieldError as error:
        raise InvalidRequestError(KEY_GONE if error.name == key else str(error)) from None


def _ours(source: Source) -> Read:
    def read(page: Sequence[Row], first: bool) -> tuple[CRMRecord, ...]:
        kept = (row for row in page if fields.task_key(row, source.org))
        return tuple(fields.task_state(row, source.org) for row in kept)

    return read


def _in_turn(source: Source, cursor: str | None, kinds: Sequence[Kind], stream: str) -> Pages:
    """Each kind's changes. A kind that the user may not see is noted and passed over; raises PermissionDeniedError
    when that is all of them."""
    state = load(cursor)
    notes: list[str] = []
    names = [kind.name for kind in kinds]
    # A pull that was stopped goes on with the kind whose turn it was: else the first would begin anew each time.
    turn = names.index(state["turn"]) if state.get("turn") in names else 0
    for number, kind in enumerate([*kinds[turn:], *kinds[:turn]], turn + 1):
        start = position(state[kind.name]) if kind.name in state else kind.first
        try:
            pages = walk(source.api, kind.name, kind.names, start, source.now, where=kind.where, needs=kind.needs)
            for page, here, said in pages:
                following = kind.name if here.at is not None else names[number % len(names)]
                first = kind.name not in state or state.get(f"first {kind.name}") is True
                state |= {
                    kind.name: here.dump(),
                    "turn": following,
                    f"first {kind.name}": first and here.at is not None,
                }
                yield Page(kind.read(page, first), store(**state), (*notes, *said))
        except NotVisibleError as error:
            notes.append(f"Salesforce does not let Warmline read {kind.name.lower()}s: {error}")
            if len(notes) == len(kinds):
                raise
        except MissingFieldError as error:
            if error.name not in kind.needs:
                raise
            notes.append(
                f"{KEY_GONE}. Until then calls and e-mails are not read: Warmline's own tasks would be among them."
            )
    if notes:
        yield Page((), store(**state), tuple(notes))


_STREAMS: dict[str, Callable[[Source, str | None], Pages]] = {
    "owners": owners,
    "contacts": contacts,
    "activities": activities,
    "tasks": tasks,
}


def pull(source: Source, stream: str, cursor: str | None) -> Pages:
    """Pages of a stream. Where our share of the day's calls is used up, says so in a note and raises RateLimitError. Raises KeyError for
    another stream."""
    read = _STREAMS[stream]
    try:
        for page in read(source, cursor):
            cursor = page.cursor
            yield replace(page, budget=source.api.budget)
    except ShareUsedError as error:
        yield Page((), cursor, (str(error),), budget=source.api.budget)
        raise
