"""Connections to PostgreSQL as the application keeps them: known to be there before they are used, and with transactions that begin in
one way there and back, their workspace included.

Most transactions are of a few short statements, so what stands around them counts: a question whether the connection is still there, a
BEGIN, and a statement that sets the workspace cost more than many a transaction did itself.
"""

from __future__ import annotations

import select
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import InvalidatePoolError, OperationalError

WORKSPACE, IDLE = "workspace_id", "idle"  # execution options of an engine: see `begins_for`
ASKED_AFTER = 1.0  # seconds that nobody used a connection, after which it is asked whether it is still there
_LEFT = "left"  # in the pool's `info`: when it was given back

# A network that swallows everything says nothing: without these, whoever waits for an answer waits for a quarter of an hour (for
# what was sent) or two hours (for what is to come). An address may say otherwise. Sockets of this machine have no use for them.
_GIVING_UP = {
    "connect_timeout": 10,  # seconds
    "tcp_user_timeout": 30_000,  # milliseconds
    "keepalives_idle": 20,  # seconds, and the two below
    "keepalives_interval": 5,
    "keepalives_count": 4,
}


def giving_up(url: str) -> dict[str, int]:
    """How long a connection to this address waits for a network that has fallen silent."""
    said = make_url(url).query
    return {name: value for name, value in _GIVING_UP.items() if name not in said}


def pooled(url: str, *, size: int, overflow: int) -> Engine:
    """An engine that keeps up to `size` connections and opens `overflow` more when it has to. Opens nothing itself."""
    engine = create_engine(
        url,
        pool_size=size,
        max_overflow=overflow,
        pool_use_lifo=True,  # the one that was used last: it is known to be there, and has these statements ready
        pool_recycle=1800,
        hide_parameters=True,  # an error's words get into logs, and parameters are what people wrote
        # The driver begins nothing by itself, so that BEGIN may travel with what belongs to it.
        connect_args={"autocommit": True, **giving_up(url)},
    )
    event.listen(engine, "checkin", _left)
    event.listen(engine, "checkout", _still_there)
    event.listen(engine, "begin", _begin)
    return engine


def begins_for(engine: Engine, workspace_id: UUID, idle: timedelta) -> Engine:
    """The same engine, whose transactions belong to this workspace and end when they do nothing for `idle`: whoever is stopped, or cut off
    from here, with rows locked would keep everybody from them for as long as it takes the network to notice."""
    return engine.execution_options(**{WORKSPACE: workspace_id, IDLE: idle})


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """The psycopg connection below."""
    found = connection.connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    return found


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    statement = "BEGIN"
    if (
        WORKSPACE in options
    ):  # an id and a number, which need no quoting; parameters would take a way there and back each
        statement = (
            f"BEGIN; SET LOCAL app.workspace_id = '{UUID(str(options[WORKSPACE]))}';"
            f" SET LOCAL idle_in_transaction_session_timeout = '{options[IDLE].total_seconds():.0f}s'"
        )
    try:
        driver(connection).execute(statement.encode(), prepare=False)
    except psycopg.OperationalError as error:  # as any statement through SQLAlchemy
        raise OperationalError(None, None, error) from error


# --- whether a connection is still there ----------------------------------------------------------------------


def _left(_: object, record: Any) -> None:
    record.info[_LEFT] = monotonic()


def _still_there(connection: psycopg.Connection[Any], record: Any, _: object) -> None:
    """A server that ends a connection says so, or closes it: then there is something to read where nothing was asked. That is seen
    without asking; a network that has fallen silent, which cuts off only whoever waits long enough, is not. Raises what makes the pool
    open another."""
    left = record.info.get(_LEFT)  # None: it has just been opened
    if left is None or (monotonic() - left < ASKED_AFTER and not _says_something(connection)):
        return
    try:
        connection.execute(b"")
    except psycopg.Error as error:
        raise InvalidatePoolError from error


def _says_something(connection: psycopg.Connection[Any]) -> bool:
    if connection.closed:
        return True
    watched = select.poll()
    watched.register(connection.fileno(), select.POLLIN)
    return bool(watched.poll(0))
