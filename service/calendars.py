"""Calendar feeds as people and programs meet them: adding one, and how each is, in plain sentences."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.calendars import clean_address
from integrations.errors import InvalidRequestError
from service.accounts import normal_email
from service.errors import PlainError
from service.runtime import Runtime
from service.store import feeds
from service.store.paging import Row
from service.when import ago, day


class AddedBeforeError(PlainError):
    """This calendar of this person is there already."""


def add(runtime: Runtime, session: Session, workspace_id: UUID, *, email: str, address: str, by: str) -> UUID:
    """Keeps the address of somebody's calendar; it is read within seconds. Returns the feed's id. Raises PlainError for what
    is no e-mail address or no address to call, AddedBeforeError for one that is there."""
    owner = normal_email(email)
    try:
        url, host = clean_address(address, runtime.config.allow_hosts)
    except InvalidRequestError as error:
        raise PlainError(f"{error}.") from None
    row = feeds.add(session, runtime.vault, workspace_id, email=owner, address=url, host=host, by=by)
    if row is None:
        raise AddedBeforeError(f"This calendar of {owner} is there already.")
    return row.id


def not_shielded_since(row: Row, now: datetime) -> datetime | None:
    """Since when nobody is shielded by this feed (a row of `feeds.CALENDARS`); None where its owner is. `now` is real time."""
    if feeds.is_fresh(row, now) and row["known_owner"]:
        return None
    since: datetime = row["created_at"]
    return since if row["fetched_at"] is None or not row["known_owner"] else row["fetched_at"] + feeds.FRESH


def line(row: Row, now: datetime) -> str:
    """How a feed (a row of `feeds.CALENDARS`) is, in a few sentences. `now` is real time, in the zone in which dates are to
    be written."""
    sentences = [_reading(row, now)]
    if row["fetched_at"] is not None and row["left_out"]:
        number = "1 event" if row["left_out"] == 1 else f"{row['left_out']:,} events"
        sentences.append(
            f"{number} in it could not be read, so nothing is held back for {'that' if row['left_out'] == 1 else 'those'}."
        )
    if not row["known_owner"]:
        sentences.append(f"No CRM has an owner with the address {row['email']}, so it shields nobody.")
    return " ".join(sentences)


def _reading(row: Row, now: datetime) -> str:
    error = f" {row['error']}" if row["error"] else ""
    fetched = row["fetched_at"]
    if fetched is None:
        return f"Nobody is shielded by it yet.{error}" if error else "It is being read for the first time."
    if feeds.is_fresh(row, now):
        number = row["busy_times"]
        times = {0: "nothing in it", 1: "1 busy time"}.get(number, f"{number:,} busy times")
        trouble = f" The last try failed:{error}" if error else ""
        return f"Read {ago(fetched, now)}: {times} until {day(row['covers_until'], now)}.{trouble}"
    since = (fetched + feeds.FRESH).astimezone(now.tzinfo)
    kept = " What it said then still holds tasks back." if row["known_owner"] else ""
    return (
        f"Not shielded by this calendar since {since:%H:%M} on {day(since, now)}; it was last read {ago(fetched, now)}."
        f"{error}{kept}"
    )


def notice(row: Row, now: datetime) -> str:
    """The same for whoever looks after the workspace, of a feed that shields nobody."""
    return f"The calendar of {row['email']} at {row['host']}: {line(row, now)}"
