"""The ledger: what reading has cost, and what it may still cost.

Before a call that is billed, what it could cost at most is set aside; afterwards what it did cost takes its place, in one
transaction. So the ledger may say too much for a moment, and never too little: a worker that dies in between leaves what was set
aside, and that counts until the same stream calls again (which serves the same page: charged once a day) or for good.

Vendors bill a thing once a (UTC) day, by their clock. What is bought within `SKEW` of midnight counts for both days; so a call that
may end there has to fit into both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from integrations.errors import SpendingLimitError
from integrations.provider import Price
from service.db import raw
from service.leases import LeaseLostError
from service.models import Bought, Spend, SpendMonth
from service.rules.spending import Entry, dollars, month_name, month_of, next_month
from service.store.rows import execute

SKEW = timedelta(minutes=2)  # more than a clock that is kept by NTP is ever off
CALL = timedelta(minutes=3)  # longer than a call lasts
KEPT = timedelta(days=3)  # how long it is remembered what was bought


@dataclass(frozen=True)
class Payer:
    """Whose reading is paid for: one stream of one connection."""

    workspace_id: UUID
    connection_id: UUID
    stream: str
    place: str  # provider and server: a thing is bought once there, by whichever connection of the workspace
    lease_id: UUID | None = None  # the stream's, of the job that reads; None: no other job can be at it


def micros(price: Price, count: int) -> int:
    """Millionths of a dollar that so many reads cost."""
    return round(price.dollars * 1_000_000) * count


_CEILINGS = """
SELECT (SELECT (values ->> 'monthly_ceiling')::int FROM settings WHERE workspace_id = %(w)s ORDER BY version DESC LIMIT 1),
       (SELECT monthly_ceiling FROM connections WHERE workspace_id = %(w)s AND id = %(c)s)"""
_BEFORE = f"""{_CEILINGS}, h.day, h.reads
FROM (SELECT 1) AS once LEFT JOIN spend_holds h ON h.workspace_id = %(w)s AND h.connection_id = %(c)s AND h.stream = %(stream)s AND h.name = %(name)s
"""
# Whoever has lost the stream takes nobody's place.
_HOLD = """
INSERT INTO spend_holds (workspace_id, connection_id, stream, name, day, reads, micros, made_at)
SELECT %(w)s, %(c)s, %(stream)s, %(name)s, %(day)s, %(reads)s, %(micros)s, %(now)s WHERE %(lease)s::uuid IS NULL OR EXISTS (
    SELECT 1 FROM streams WHERE workspace_id = %(w)s AND connection_id = %(c)s AND name = %(stream)s AND lease_id = %(lease)s)
ON CONFLICT (workspace_id, connection_id, stream, name)
DO UPDATE SET day = excluded.day, reads = excluded.reads, micros = excluded.micros, made_at = excluded.made_at
RETURNING 1
"""


@dataclass(frozen=True)
class Reserved:
    """What was set aside: for how many reads, on which day, whether any ceiling says how many, when, which tells it from what
    another job sets aside in its place, and in the place of how many reads of which nobody knows whether they came."""

    count: int
    day: date
    limited: bool
    made_at: datetime
    lost: int


def reserve(
    session: Session, payer: Payer, price: Price, most: int, least: int, *, now: datetime, ahead: int = 1
) -> Reserved:
    """Sets aside what the coming call can cost: for `most` reads, or as many as can be paid; where no ceiling limits that, for `ahead` such
    calls at once. `now` is real time. Raises SpendingLimitError when not even `least` can be paid; its sentence says until when, and what to do;
    and LeaseLostError where another job has the stream by now."""
    connection, key, days = raw(session), _key(payer, price.name), _days(now, ahead=CALL)
    [(ceiling, own, held_on, held)] = execute(connection, _BEFORE, key)
    if held_on is not None and held_on < days[0]:
        # A call of which nobody knows what it brought. On the same day the coming one brings it again, for nothing; one of an
        # earlier day is taken to have brought all that was set aside.
        _charge(session, payer, price, held_on, held)
        release(session, payer, price.name)
        held = None
    count, each = most, micros(price, 1)
    limits = _limits(session, payer, price.name, days, ceiling, own) if each else []
    for limit in limits:
        count = min(count, max(0, limit.left) // each)
        if count < max(1, least):
            raise SpendingLimitError(limit.sentence, until=limit.until)
    count *= 1 if limits else ahead
    aside = max(count, held or 0)  # the coming call may be refused, and then tells nothing of the one before it
    hold = {**key, "lease": payer.lease_id, "day": days[0], "reads": aside, "micros": each * aside, "now": now}
    if not execute(connection, _HOLD, hold):
        raise LeaseLostError
    return Reserved(count, days[0], bool(limits), now, held or 0)


def limited(session: Session, payer: Payer) -> bool:
    """Whether any ceiling says what may be spent: one read, for whoever has set aside where none did."""
    [ceilings] = execute(raw(session), _CEILINGS, {"w": payer.workspace_id, "c": payer.connection_id})
    return any(each is not None for each in ceilings)


# What is new of a call is charged, and what was set aside for it is free: one statement, since it is made for every page.
_SETTLE = """
WITH new AS (
    INSERT INTO bought (workspace_id, place, day, name, resource) SELECT %(w)s, %(place)s, %(day)s, %(name)s, unnest(%(ids)s::text[])
    ON CONFLICT DO NOTHING RETURNING 1
), sum AS (SELECT count(*) AS reads, count(*) * %(each)s AS micros FROM new), month AS (
    INSERT INTO spend_months AS old (workspace_id, month, micros) SELECT %(w)s, %(month)s, micros FROM sum WHERE reads > 0
    ON CONFLICT (workspace_id, month) DO UPDATE SET micros = old.micros + excluded.micros
), day AS (
    INSERT INTO spend AS old (workspace_id, connection_id, day, name, reads, micros)
    SELECT %(w)s, %(c)s, %(day)s, %(name)s, reads, micros FROM sum WHERE reads > 0
    ON CONFLICT (workspace_id, connection_id, day, name) DO UPDATE SET reads = old.reads + excluded.reads, micros = old.micros + excluded.micros
), hold AS (
    DELETE FROM spend_holds WHERE workspace_id = %(w)s AND connection_id = %(c)s AND stream = %(stream)s AND name = %(name)s
       AND made_at = %(made_at)s::timestamptz RETURNING day
) SELECT sum.reads, hold.day FROM sum LEFT JOIN hold ON true
"""


def settle(
    session: Session, payer: Payer, price: Price, ids: Collection[str], *, now: datetime, made: Reserved | None = None
) -> int:
    """The call brought these things: what is new of them today is charged, in place of what was set aside (`made`); without it that stays,
    for the next call, and so does what another job of the stream has set aside in its place. Returns how many were charged. Safe to repeat."""
    connection, charged, held_on = raw(session), 0, None
    found = {
        **_key(payer, price.name),
        "place": payer.place,
        "each": micros(price, 1),
        "ids": sorted(set(ids)),
        "made_at": made and made.made_at,
    }
    days = _days(now)
    for day in days:
        [(reads, hold)] = execute(connection, _SETTLE, {**found, "day": day, "month": month_of(day)})
        charged, held_on = max(charged, reads), held_on or hold
    if held_on is not None and held_on not in days:  # the call began before midnight
        [(reads, _)] = execute(connection, _SETTLE, {**found, "day": held_on, "month": month_of(held_on)})
        charged = max(charged, reads)
    return charged


def release(session: Session, payer: Payer, name: str) -> None:
    """The call was refused and brought nothing."""
    execute(
        raw(session),
        "DELETE FROM spend_holds WHERE workspace_id = %(w)s AND connection_id = %(c)s AND stream = %(stream)s AND name = %(name)s",
        _key(payer, name),
    )


_CUT = """
WITH kept AS (
    UPDATE spend_holds SET reads = %(reads)s, micros = %(micros)s WHERE workspace_id = %(w)s AND connection_id = %(c)s
       AND stream = %(stream)s AND name = %(name)s AND made_at = %(made_at)s AND reads > %(reads)s AND %(reads)s > 0
) DELETE FROM spend_holds WHERE workspace_id = %(w)s AND connection_id = %(c)s
     AND stream = %(stream)s AND name = %(name)s AND made_at = %(made_at)s AND %(reads)s = 0
"""


def cut(session: Session, payer: Payer, price: Price, made: Reserved, count: int) -> None:
    """Of what was set aside only `count` reads stay so. What another job of the stream has set aside in its place stays whole."""
    found = {**_key(payer, price.name), "made_at": made.made_at, "reads": count, "micros": micros(price, count)}
    execute(raw(session), _CUT, found)


def _key(payer: Payer, name: str) -> dict[str, object]:
    return {"w": payer.workspace_id, "c": payer.connection_id, "stream": payer.stream, "name": name}


def bought_today(session: Session, payer: Payer, ids: Sequence[str], *, now: datetime) -> set[str]:
    """Which of these things would cost nothing if they were read again now."""
    days = _days(now)
    rows = session.execute(
        select(Bought.resource)
        .where(
            Bought.workspace_id == payer.workspace_id,
            Bought.place == payer.place,
            Bought.day.in_(days),
            Bought.resource.in_(list(ids)),
        )
        .group_by(Bought.resource)
        .having(func.count(Bought.day.distinct()) == len(days))
    )
    return {row[0] for row in rows}


def sweep(session: Session, workspace_id: UUID, *, now: datetime) -> None:
    """Forgets what was bought days ago; the ledger itself stays."""
    before = now.astimezone(UTC).date() - KEPT
    session.execute(delete(Bought).where(Bought.workspace_id == workspace_id, Bought.day < before))


# --- what is left ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Limit:
    left: int  # micros; may be negative
    until: datetime
    sentence: str


def _limits(
    session: Session, payer: Payer, name: str, days: Sequence[date], ceiling: int | None, own: int | None
) -> list[_Limit]:
    """What the workspace (`ceiling`) and the connection (`own`) may still spend in the month of each day. Whoever has a ceiling waits
    here for others who spend under it, until this transaction ends."""
    if ceiling is None and own is None:
        return []
    found = []
    for month in sorted({month_of(day) for day in days}):
        spent = _locked(session, payer.workspace_id, month)
        if ceiling is not None:
            spent += _held(session, payer, name, month)
            found.append(_limit(ceiling, spent, month, "The ceiling", "in Settings"))
        if own is not None:
            mine = spend_of(session, payer.workspace_id, payer.connection_id, month)
            mine += _held(session, payer, name, month, only=payer.connection_id)
            found.append(_limit(own, mine, month, "This account's ceiling", "on its card in Connections"))
    return found


def _limit(ceiling: int, spent: int, month: date, whose: str, where: str) -> _Limit:
    until = next_month(month)
    back = f"{until.day} {until:%B}"
    sentence = (
        f"{whose} of {dollars(ceiling * 1_000_000)} for {month_name(month)} is reached; reading goes on on {back}. Raise it {where}."
        if ceiling
        else f"{whose} is $0, so nothing that costs is read. Raise it {where}."
    )
    return _Limit(ceiling * 1_000_000 - spent, until, sentence)


def _locked(session: Session, workspace_id: UUID, month: date) -> int:
    """What the workspace has spent in this month; its row is locked until the transaction ends."""
    row = insert(SpendMonth).values(workspace_id=workspace_id, month=month, micros=0)
    statement = row.on_conflict_do_update(
        index_elements=["workspace_id", "month"], set_={"micros": SpendMonth.__table__.c.micros}
    ).returning(SpendMonth.micros)
    return int(session.execute(statement).scalar_one())


def _held(session: Session, payer: Payer, name: str, month: date, only: UUID | None = None) -> int:
    """What is set aside in this month for other calls: our own hold of before is about to be replaced."""
    rows = execute(
        raw(session),
        "SELECT coalesce(sum(micros), 0) FROM spend_holds WHERE workspace_id = %(w)s AND made_at + %(ahead)s >= %(from)s"
        " AND made_at - %(skew)s < %(to)s AND (connection_id, stream, name) <> (%(c)s, %(stream)s, %(name)s)"
        " AND (%(only)s::uuid IS NULL OR connection_id = %(only)s)",
        {
            "w": payer.workspace_id,
            "c": payer.connection_id,
            "stream": payer.stream,
            "name": name,
            "only": only,
            "ahead": CALL + SKEW,
            "skew": SKEW,
            "from": datetime(month.year, month.month, 1, tzinfo=UTC),
            "to": next_month(month),
        },
    )
    return int(rows[0][0])


def spent_in(session: Session, workspace_id: UUID, month: date) -> int:
    """Micros that the whole workspace has spent in this month."""
    found = session.scalar(
        select(SpendMonth.micros).where(SpendMonth.workspace_id == workspace_id, SpendMonth.month == month)
    )
    return int(found or 0)


def spend_of(session: Session, workspace_id: UUID, connection_id: UUID, month: date) -> int:
    """Micros that one connection has spent in this month."""
    found = session.scalar(
        select(func.coalesce(func.sum(Spend.micros), 0)).where(
            Spend.workspace_id == workspace_id,
            Spend.connection_id == connection_id,
            Spend.day >= month,
            Spend.day < next_month(month).date(),
        )
    )
    return int(found or 0)


# --- charging -------------------------------------------------------------------------------------------------


def same_day(day: date, now: datetime) -> bool:
    """Whether a call that is made now can be on no other day than this."""
    return _days(now, ahead=CALL) == [day]


def _days(now: datetime, ahead: timedelta = timedelta(0)) -> list[date]:
    """The day, or two close to midnight, on which a vendor may say that it is now, or will be when a call ends."""
    at = now.astimezone(UTC)
    return sorted({(at - SKEW).date(), (at + ahead + SKEW).date()})


def _charge(session: Session, payer: Payer, price: Price, day: date, count: int) -> int:
    if not count:
        return 0
    cost = micros(price, count)
    for table, keys in (
        (SpendMonth, {"month": month_of(day)}),
        (Spend, {"connection_id": payer.connection_id, "day": day, "name": price.name}),
    ):
        values: dict[str, object] = {"micros": cost, **({"reads": count} if table is Spend else {})}
        statement = insert(table).values(workspace_id=payer.workspace_id, **keys, **values)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["workspace_id", *keys],
                set_={name: table.__table__.c[name] + statement.excluded[name] for name in values},
            )
        )
    return count


def entries(
    session: Session, workspace_id: UUID, connection_ids: Sequence[UUID], since: date
) -> Mapping[UUID, list[Entry]]:
    """What each of these connections bought since that day, oldest first."""
    found: dict[UUID, list[Entry]] = {each: [] for each in connection_ids}
    rows = session.scalars(
        select(Spend)
        .where(Spend.workspace_id == workspace_id, Spend.connection_id.in_(list(found)), Spend.day >= since)
        .order_by(Spend.day, Spend.name)
    )
    for row in rows:
        found[row.connection_id].append(Entry(row.day, row.name, row.reads, row.micros))
    return found
