"""What it costs to work out a recurrence, before it is worked out: a rule may never end, or never come to anything."""

from __future__ import annotations

import re
from datetime import datetime

MOST = 3_000_000  # steps in all: some seconds
_STEPS_A_YEAR = {"YEARLY": 1, "MONTHLY": 12, "WEEKLY": 53, "DAILY": 366, "HOURLY": 8784}
_TO_THE_END = 8_000  # years until the calendar's last one, which a rule that is never met is followed to
# Conditions under which a rule of this frequency may never be met.
_NARROW = {"BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"}
_OFTEN = ("BYHOUR", "BYMINUTE", "BYSECOND")
_MOST_A_DAY = 48


class TooCostlyError(ValueError):
    """A rule that repeats too often or never gets on, or a calendar whose rules take too long together."""


class Costs:
    """Counts the steps that the rules of one calendar take up to `end`."""

    def __init__(self, end: datetime) -> None:
        self._end, self._spent = end, 0

    def charge(self, rule: str, start: str) -> None:
        """Notes an RRULE of an event with this DTSTART. Raises TooCostlyError."""
        pairs = [part.split("=", 1) for part in rule.upper().split(";") if "=" in part]
        parts: dict[str, str] = dict(pairs)
        if len(parts) < len(pairs):
            raise TooCostlyError("says something twice")  # and which of the two counts is anybody's guess
        a_year = _STEPS_A_YEAR.get(parts.get("FREQ", ""))
        a_day = 1
        for name in _OFTEN:
            a_day *= parts[name].count(",") + 1 if name in parts else 1
        step = parts.get("INTERVAL", "1")
        # A step of nothing would never get anywhere.
        if a_year is None or a_day > _MOST_A_DAY or not step.isdigit() or int(step) == 0:
            raise TooCostlyError("repeats more often than meetings do")
        first = re.search(r"\d{4}", start)
        years = max(1, self._end.year - int(first[0]) + 1) if first else 1
        if parts.keys() & _NARROW and a_year > 1 and not (parts["FREQ"] == "MONTHLY" and "BYMONTH" not in parts):
            years = _TO_THE_END
        self._spent += years * a_year * a_day
        if self._spent > MOST:
            self._spent -= years * a_year * a_day
            raise TooCostlyError("takes too long to work out")
