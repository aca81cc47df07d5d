"""What reading costs, put together for the API and the console alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from integrations.registry import providers
from service import settings
from service.rules import spending
from service.rules.spending import MILLION, RECENT, Month, month_of
from service.store import ledger

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Spending:
    """The running month of one connection. Money is millionths of a US dollar."""

    month: Month
    sentence: str  # "This month: $3.40 for 214 posts."
    ceiling: int | None  # its own, else the workspace's
    left: int | None  # until the nearer of the two ceilings is reached; None: there is none

    @property
    def outlook(self) -> str:
        """What the month is going to cost, and what is left, in a sentence or two; "" where nothing can be said."""
        said = []
        if self.month.forecast is not None:
            said.append(f"At this pace the month ends at {spending.dollars(self.month.forecast)}.")
        if self.left is not None and self.ceiling is not None:
            said.append(f"{spending.dollars(max(0, self.left))} of {spending.dollars(self.ceiling)} is left.")
        return " ".join(said)


def of(session: Session, workspace_id: UUID, rows: Sequence[Row], *, now: datetime) -> dict[UUID, Spending]:
    """The spending of these connections (rows of `listing.connections`) whose reading costs something. `now` is real time."""
    found = {row["id"]: providers().get(row["provider"]) for row in rows}
    priced = [row for row in rows if (each := found[row["id"]]) is not None and each.prices]
    if not priced:
        return {}
    today = now.astimezone(UTC).date()
    since = min(month_of(today), today - timedelta(days=RECENT))
    entries = ledger.entries(session, workspace_id, [row["id"] for row in priced], since)
    ceiling = settings.current(session, workspace_id).values.get("monthly_ceiling")
    together = ledger.spent_in(session, workspace_id, month_of(today)) if ceiling is not None else 0
    made = {}
    for row in priced:
        provider = found[row["id"]]
        assert provider is not None
        settled = row["ready_at"].astimezone(UTC).date() if row["ready_at"] else today
        month = spending.month(entries[row["id"]], now=now, settled=settled)
        labels = {price.name: price.label for price in provider.prices}
        limits = [
            (dollars * MILLION, dollars * MILLION - spent)
            for dollars, spent in ((row["monthly_ceiling"], month.micros), (ceiling, together))
            if dollars is not None
        ]
        made[row["id"]] = Spending(
            month,
            spending.this_month(month, labels),
            limits[0][0] if limits else None,
            min(left for _, left in limits) if limits else None,
        )
    return made
