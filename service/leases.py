"""Leases: how long a claimed row stays with whoever claimed it, unless it renews.

They end by PostgreSQL's clock, whoever takes or renews them: hosts' clocks differ and step, and a lease written by one that is
ahead would outlive its holder by as much. How long they are is `Config.lease`, which a `Database` hands to its sessions.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import ColumnElement, DateTime, func
from sqlalchemy.orm import Session

LEASE = timedelta(minutes=5)
INFO = "lease"  # in `Session.info`


class LeaseLostError(Exception):
    """Somebody else has the row now."""


def now() -> ColumnElement[datetime]:
    """PostgreSQL's instant, also in the middle of a transaction (`now()` is when that began)."""
    return func.clock_timestamp(type_=DateTime(timezone=True))


def until(session: Session) -> ColumnElement[datetime]:
    """When a lease ends that is taken or renewed in this statement."""
    return _in(length(session))


@cache  # said at every lease, and a process has one length
def _in(length: timedelta) -> ColumnElement[datetime]:
    return now() + length


def length(session: Session) -> timedelta:
    found: timedelta = session.info[INFO]
    return found
