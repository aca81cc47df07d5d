"""Is it working? One truthful sentence per connection, and whether the parts of the service are alive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from integrations.provider import RECHECK
from integrations.registry import handed_in, providers
from service import queue
from service.runtime import Runtime

Row = Mapping[str, Any]

QUIET = timedelta(days=1)  # after this long without anything new, the line says since when
ITEM = {"social": "post", "crm": "change"}
_NEVER = datetime.min.replace(tzinfo=UTC)
ITEMS = {"social": "posts", "crm": "records"}


@dataclass(frozen=True)
class Parts:
    """Which parts of the service answered."""

    database: bool
    queue: bool
    worker: bool
    scheduler: bool

    @property
    def well(self) -> bool:
        return self.database and self.queue and self.worker and self.scheduler


def parts(runtime: Runtime) -> Parts:
    """Asks the database and the queue, and looks for the heartbeats of worker and scheduler. Raises nothing."""
    try:
        worker, scheduler = (queue.alive(runtime.redis, who) for who in ("worker", "scheduler"))
        reached = True
    except RedisError:
        worker = scheduler = reached = False
    return Parts(database=_answers(runtime), queue=reached, worker=worker, scheduler=scheduler)


def _answers(runtime: Runtime) -> bool:
    try:
        with runtime.db.globally() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


def line(connection: Row, now: datetime) -> str:
    """How a connection is, in one or two sentences. `connection` is a row of `store.listing.connections`, streams
    included; `now` is real time, in the zone in which dates are to be written."""
    name = provider_name(connection["provider"])
    if connection["status"] == "disconnected":
        return f"Disconnected{_on(connection['status_at'], now)}. What was read is kept."
    if connection["status"] == "needs_reauth":
        return connection["status_reason"] or f"{name} no longer accepts this consent: reconnect."
    streams = [stream for stream in connection["streams"] if stream["name"] != RECHECK]
    sentences = [_reading(connection, streams, name, now), *_stopped(streams)]
    if connection["preview"]:
        sentences.append("It is in preview: nothing is written there until somebody approves.")
    return " ".join(sentences)


def provider_name(key: str) -> str:
    """The provider's name for people; its key where this version has no such provider any more."""
    found = providers().get(key)
    return found.name if found else key


def _reading(connection: Row, streams: Sequence[Row], name: str, now: datetime) -> str:
    active = [stream for stream in streams if stream["status"] == "active"]
    if connection["provider"] in handed_in():
        return "Its posts are handed in through the API; nothing is read here."
    if not active:
        return "Nothing is read from this account."
    looked = max((stream["last_pulled_at"] for stream in active if stream["last_pulled_at"]), default=None)
    if failing := [stream for stream in active if stream["failures"]]:
        return _failing(failing, looked, name, now)
    if connection["ready_at"] is None:
        total = sum(stream["items"] for stream in streams)
        return f"The first pull is under way: {total:,} {ITEMS[connection['kind']]} so far."
    arrived = max((stream["last_item_at"] for stream in streams if stream["last_item_at"]), default=None)
    item = ITEM[connection["kind"]]
    if arrived is not None and now - arrived < QUIET:
        return f"Last {item} arrived {ago(arrived, now)}."
    since = f"since {day(arrived, now)}" if arrived is not None else "yet"
    return (
        f"Nothing has arrived {since}; last looked {ago(looked, now)}." if looked else f"Nothing has arrived {since}."
    )


def _failing(failing: Sequence[Row], looked: datetime | None, name: str, now: datetime) -> str:
    newest = max(failing, key=lambda stream: stream["error_at"] or _NEVER)
    since = f"last answer {ago(looked, now)}" if looked else "no answer yet"
    again = min((stream["next_pull_at"] for stream in failing if stream["next_pull_at"]), default=None)
    when = f" Trying again {_ahead(again, now)}." if again else " Trying again."
    return f"{_sentence(newest['error'] or f'{name} is not answering')[:-1]} ({since}).{when}"


def _stopped(streams: Sequence[Row]) -> list[str]:
    """Why some streams are not read, each reason once."""
    return list(
        dict.fromkeys(
            _sentence(stream["error"]) for stream in streams if stream["status"] == "stopped" and stream["error"]
        )
    )


def _sentence(words: str) -> str:
    clean = words.strip().rstrip(".")
    return f"{clean[:1].upper()}{clean[1:]}."


# --- time in words --------------------------------------------------------------------------------------------

_UNITS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))


def ago(then: datetime, now: datetime) -> str:
    """ "3 minutes ago"; anything in the future, by a clock that is a little off, is just now."""
    words = _span(now - then)
    return f"{words} ago" if words else "less than a minute ago"


def _ahead(then: datetime, now: datetime) -> str:
    words = _span(then - now)
    return f"in {words}" if words else "within a minute"


def _span(span: timedelta) -> str:
    for unit, name in _UNITS:
        if span >= unit:
            count = span // unit
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return ""


def day(then: datetime, now: datetime) -> str:
    """ "3 May", with the year where it is another one, in the zone of `now`."""
    local = then.astimezone(now.tzinfo)
    year = "" if local.year == now.year else f" {local.year}"
    return f"{local.day} {local:%B}{year}"


def _on(then: datetime | None, now: datetime) -> str:
    return f" on {day(then, now)}" if then else ""
