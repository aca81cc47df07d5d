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
from service import settings
from service.db import raw
from service.models import Bought, Connection, Spend, SpendHold, SpendMonth
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


def micros(price: Price, count: int) -> int:
    """Millionths of a dollar that so many reads cost."""
    return round(price.dollars * 1_000_000) * count


def reserve(session: Session, payer: Payer, price: Price, most: int, least: int, *, now: datetime) -> int:
    """Sets aside what the coming call can cost: for `most` reads, or as many as can be paid. Returns how many. `now` is real time.
    Raises SpendingLimitError when not even `least` can be paid; its sentence says until when, and what to do."""
    days = _days(now, ahead=CALL)
    _settle_leftover(session, payer, price, days)
    count, each = most, micros(price, 1)
    for limit in _limits(session, payer, price.name, days) if each else ():
        count = min(count, max(0, limit.left) // each)
        if count < max(1, least):
            raise SpendingLimitError(limit.sentence, until=limit.until)
    hold = {"day": days[0], "reads": count, "micros": each * count, "made_at": now}
    session.execute(
        insert(SpendHold)
        .values(
            workspace_id=payer.workspace_id,
            connection_id=payer.connection_id,
            stream=payer.stream,
            name=price.name,
            **hold,
        )
        .on_conflict_do_update(index_elements=["workspace_id", "connection_id", "stream", "name"], set_=hold)
    )
    return count


def settle(session: Session, payer: Payer, price: Price, ids: Collection[str], *, now: datetime) -> int:
    """The call brought these things: what is new of them today is charged, in place of what was set aside. Returns how many were
    charged. Safe to repeat."""
    hold = _own_hold(session, payer, price.name)
    days = sorted({*_days(now), *([hold.day] if hold else [])})
    charged = [_charge(session, payer, price, each, _new_on(session, payer, price.name, each, ids)) for each in days]
    release(session, payer, price.name)
    return max(charged)


def release(session: Session, payer: Payer, name: str) -> None:
    """The call was refused and brought nothing."""
    session.execute(
        delete(SpendHold).where(
            SpendHold.workspace_id == payer.workspace_id,
            SpendHold.connection_id == payer.connection_id,
            SpendHold.stream == payer.stream,
            SpendHold.name == name,
        )
    )


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


def _limits(session: Session, payer: Payer, name: str, days: Sequence[date]) -> list[_Limit]:
    """What the workspace and the connection may still spend in the month of each day. Whoever has a ceiling waits here for others
    who spend under it, until this transaction ends."""
    ceiling: int | None = settings.current(session, payer.workspace_id).values.get("monthly_ceiling")
    own = session.scalar(
        select(Connection.monthly_ceiling).where(
            Connection.workspace_id == payer.workspace_id, Connection.id == payer.connection_id
        )
    )
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


def _days(now: datetime, ahead: timedelta = timedelta(0)) -> list[date]:
    """The day, or two close to midnight, on which a vendor may say that it is now, or will be when a call ends."""
    at = now.astimezone(UTC)
    return sorted({(at - SKEW).date(), (at + ahead + SKEW).date()})


def _own_hold(session: Session, payer: Payer, name: str) -> SpendHold | None:
    key = (payer.workspace_id, payer.connection_id, payer.stream, name)
    return session.get(SpendHold, key, populate_existing=True)


def _settle_leftover(session: Session, payer: Payer, price: Price, days: Sequence[date]) -> None:
    """A call of which nobody knows what it brought. On the same day the coming one brings it again, for nothing; one of an
    earlier day is taken to have brought all that was set aside."""
    hold = _own_hold(session, payer, price.name)
    if hold is not None and hold.day < days[0]:
        _charge(session, payer, price, hold.day, hold.reads)
        release(session, payer, price.name)


def _new_on(session: Session, payer: Payer, name: str, day: date, ids: Collection[str]) -> int:
    """How many of these things were not bought on this day before; from now on they are."""
    if not ids:
        return 0
    rows = execute(
        raw(session),
        "INSERT INTO bought (workspace_id, place, day, name, resource) SELECT %(w)s, %(place)s, %(day)s, %(name)s, unnest(%(ids)s::text[])"
        " ON CONFLICT DO NOTHING RETURNING 1",
        {"w": payer.workspace_id, "place": payer.place, "day": day, "name": name, "ids": sorted(set(ids))},
    )
    return len(rows)


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
