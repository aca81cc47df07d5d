"""Calendar feeds: the book-keeping of addresses that owners gave us, and the busy times read from them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import dict_row
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from service.clock import real_now
from service.db import raw
from service.leases import until
from service.models import CalendarFeed
from service.rules.busy import Span
from service.store import acting, due
from service.store.paging import Listing, Row
from service.store.rows import execute, packed, records
from service.vault import Vault

FRESH = timedelta(minutes=60)  # the shield is claimed for a feed that was read whole no longer ago than this
EVERY = timedelta(minutes=10)  # how often a feed is read

CALENDARS = Listing(
    "calendars",
    "f.id, f.email, f.host, f.tried_at, f.fetched_at, f.covers_until, f.left_out, f.failures, f.error, f.next_fetch_at, f.created_at,"
    " (SELECT count(*) FROM busy_times b WHERE b.workspace_id = f.workspace_id AND b.feed_id = f.id) AS busy_times,"
    " EXISTS (SELECT 1 FROM owners o WHERE o.workspace_id = f.workspace_id AND o.email = f.email) AS known_owner",
    "calendar_feeds f",
    (("f.id", "id", UUID),),
    descending=False,
    filters={"email": "f.email = %(email)s"},
)
_BUSY = {"starts_at": "timestamptz", "ends_at": "timestamptz"}


@dataclass(frozen=True, slots=True)
class Held:
    """A feed whose lease we hold, as it was when we read it."""

    email: str
    host: str
    address: str = field(repr=False)
    failures: int


def _place(workspace_id: UUID, feed_id: UUID) -> tuple[object, ...]:
    return "calendar_feeds", "sealed", workspace_id, feed_id


def add(
    session: Session, vault: Vault, workspace_id: UUID, *, email: str, address: str, host: str, by: str
) -> CalendarFeed | None:
    """Keeps the address of somebody's calendar, sealed; it is read at once. None when it is there already."""
    digest = hashlib.sha256(address.encode()).digest()
    standing = select(CalendarFeed.id).where(
        CalendarFeed.workspace_id == workspace_id, CalendarFeed.email == email, CalendarFeed.address_hash == digest
    )
    if session.scalar(standing):
        return None
    row = CalendarFeed(
        workspace_id=workspace_id, email=email, host=host, sealed=b"", address_hash=digest, added_by=by,
        next_fetch_at=real_now(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    row.sealed = vault.seal({"address": address}, *_place(workspace_id, row.id))
    session.flush()
    acting.audit(session, workspace_id, by, "calendar.added", "calendar", row.id)
    return row


def remove(session: Session, workspace_id: UUID, feed_id: UUID, *, by: str) -> bool:
    """Forgets a feed, its address and its busy times. False when there is none."""
    gone = session.scalar(
        delete(CalendarFeed)
        .where(CalendarFeed.workspace_id == workspace_id, CalendarFeed.id == feed_id)
        .returning(CalendarFeed.id)
    )
    if gone is None:
        return False
    acting.audit(session, workspace_id, by, "calendar.removed", "calendar", feed_id)
    due.decide_soon(session, workspace_id)
    return True


def refresh(session: Session, workspace_id: UUID, feed_id: UUID) -> bool:
    """Has the feed read as soon as a worker is free. False when there is none."""
    found = session.scalar(
        update(CalendarFeed)
        .where(CalendarFeed.workspace_id == workspace_id, CalendarFeed.id == feed_id)
        .values(next_fetch_at=func.least(CalendarFeed.next_fetch_at, real_now()))
        .returning(CalendarFeed.id)
    )
    return found is not None


# --- what a worker does ---------------------------------------------------------------------------------------


def hold(session: Session, vault: Vault, workspace_id: UUID, feed_id: UUID, lease_id: UUID) -> Held | None:
    """The feed with its address opened and its lease renewed; None when somebody else has it, or it was removed. Raises
    SealBrokenError."""
    row = _leased(session, workspace_id, feed_id, lease_id)
    if row is None:
        return None
    row.lease_until = until(session)
    address = vault.open(row.sealed, *_place(workspace_id, feed_id))["address"]
    return Held(row.email, row.host, address, row.failures)


def _leased(session: Session, workspace_id: UUID, feed_id: UUID, lease_id: UUID) -> CalendarFeed | None:
    return session.scalars(
        select(CalendarFeed)
        .where(
            CalendarFeed.workspace_id == workspace_id,
            CalendarFeed.id == feed_id,
            CalendarFeed.lease_id == lease_id,
        )
        .with_for_update()
    ).one_or_none()


def save(
    session: Session, workspace_id: UUID, feed_id: UUID, lease_id: UUID, spans: Sequence[Span], *, covers_until: datetime,
    left_out: int, read_at: datetime,
) -> bool:  # fmt: skip
    """The feed was read whole at `read_at` (real time): these busy times replace those before. Returns whether they differ."""
    row = _leased(session, workspace_id, feed_id, lease_id)
    if row is None:
        return False
    shared = {"w": workspace_id, "f": feed_id}
    before = execute(
        raw(session),
        "SELECT starts_at, ends_at FROM busy_times WHERE workspace_id = %(w)s AND feed_id = %(f)s ORDER BY starts_at",
        shared,
    )
    changed = before != list(spans)
    if changed:
        execute(raw(session), "DELETE FROM busy_times WHERE workspace_id = %(w)s AND feed_id = %(f)s", shared)
        execute(
            raw(session),
            "INSERT INTO busy_times (workspace_id, feed_id, starts_at, ends_at) SELECT %(w)s, %(f)s, new.starts_at, new.ends_at"  # noqa: S608
            f" FROM {records(_BUSY)}",
            {**shared, **packed(_BUSY, spans)},
        )
        due.decide_soon(session, workspace_id)
    row.fetched_at = row.tried_at = read_at
    row.covers_until, row.left_out, row.failures, row.error = covers_until, left_out, 0, ""
    _let_go(session, row, real_now() + EVERY)
    return changed


def fail(
    session: Session, workspace_id: UUID, feed_id: UUID, lease_id: UUID, *, error: str, failed: bool, delay: timedelta
) -> None:
    """The feed could not be read; what it said last stands."""
    row = _leased(session, workspace_id, feed_id, lease_id)
    if row is None:
        return
    row.tried_at = real_now()
    row.failures += failed
    row.error = error or row.error
    _let_go(session, row, real_now() + delay)


def _let_go(session: Session, row: CalendarFeed, next_at: datetime) -> None:
    session.flush()
    session.execute(
        update(CalendarFeed)
        .where(CalendarFeed.workspace_id == row.workspace_id, CalendarFeed.id == row.id)
        .values(next_fetch_at=func.least(CalendarFeed.next_fetch_at, next_at), lease_id=None, lease_until=None)
    )


# --- how far a feed can be relied on --------------------------------------------------------------------------


def is_fresh(row: Row, now: datetime) -> bool:
    """Whether the shield holds by this feed (a row of `CALENDARS`) now (real time)."""
    return row["fetched_at"] is not None and now - row["fetched_at"] <= FRESH


def stale(session: Session, workspace_id: UUID, now: datetime) -> list[Row]:
    """The feeds by which nobody is shielded now (real time), the oldest first."""
    with raw(session).cursor(row_factory=dict_row) as cursor:
        statement = (
            f"{CALENDARS.select} AND (f.fetched_at IS NULL OR f.fetched_at < %(before)s) ORDER BY {CALENDARS.order}"
        )
        return cursor.execute(statement.encode(), {"w": workspace_id, "before": now - FRESH}).fetchall()
