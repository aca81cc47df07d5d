"""When tests of workers begin, and what their workspaces have set."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from service.settings_parts import AROUND_THE_CLOCK

NOON = datetime(2026, 3, 12, 12, 0, tzinfo=UTC)  # a Thursday
VALUES: dict[str, Any] = {
    "hours": AROUND_THE_CLOCK,
    "patience": {"direct": 60, "question": 60, "other": 60},
    "daily_cap": None,
    "meeting_shield": False,
    "preview": False,
    "first_pull_days": 365,
}
