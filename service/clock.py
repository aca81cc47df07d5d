"""The two clocks.

Business time is what the rules call `now`: real, unless WARMLINE_NOW makes it stand still (in `warmline demo`).
Leases, tokens, sessions and back-off always use real time: PostgreSQL's `now()` or `real_now`.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta


def real_now() -> datetime:
    return datetime.now(UTC)


def business_now() -> datetime:
    """Aware, in UTC."""
    fixed = os.environ.get("WARMLINE_NOW")
    return datetime.fromisoformat(fixed).astimezone(UTC) if fixed else real_now()


def real_instant(business: datetime) -> datetime:
    """The real instant at which business time will be `business` (the same one, unless business time stands still)."""
    return real_now() + max(timedelta(0), business - business_now())
