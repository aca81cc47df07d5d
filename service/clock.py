"""The two clocks.

Business time is what the rules call `now`: real, unless WARMLINE_NOW makes it stand still (in `warmline demo`).
Leases, tokens, sessions and back-off always use real time: PostgreSQL's `now()` or `real_now`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_VARIABLE = "WARMLINE_NOW"


def real_now() -> datetime:
    return datetime.now(UTC)


def business_now() -> datetime:
    """Aware, in UTC."""
    fixed = os.environ.get(_VARIABLE)
    return datetime.fromisoformat(fixed).astimezone(UTC) if fixed else real_now()


@contextmanager
def standing_still(at: datetime) -> Iterator[None]:
    """Business time is `at` in this process until the block ends."""
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = at.isoformat()
    try:
        yield
    finally:
        os.environ.pop(_VARIABLE)
        if before is not None:
            os.environ[_VARIABLE] = before


def real_instant(business: datetime) -> datetime:
    """The real instant at which business time will be `business` (the same one, unless business time stands still)."""
    return real_now() + max(timedelta(0), business - business_now())
