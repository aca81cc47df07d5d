"""How a connection is, for programs: a light, what proves it, how far behind it may be, and what its reading costs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from service import health, spending
from service.api.answers import Fraction, Free, Instant, Number, Text, about, choice
from service.clock import real_now
from service.health import Light
from service.rules.spending import MILLION
from service.spending import Spending
from service.store.paging import Row
from service.watch import caps, doors


class ConditionSchema(Schema):
    """How a connection is."""

    light = choice(
        *Light,
        metadata=about(
            "well: something arrived lately, or known things were served again. waiting: nothing is wrong, and nothing proves that all"
            " is well. trouble: something is not read that should be. off: ended, paused or frozen."
        ),
    )
    advice = Text(metadata=about("What to do, in a sentence; empty: nothing."))
    frozen = Text(metadata=about("Why nothing is read or written there now, in a sentence; empty: it is."))
    proven_at = Instant(
        allow_none=True, metadata=about("When something last arrived or was served again; null: never yet.")
    )
    lag_seconds = Number(
        allow_none=True,
        metadata=about("What is younger than this may not have been read yet; null: that cannot be said."),
    )
    next_pull_at = Instant(allow_none=True, metadata=about("null: being read now, or not read."))
    budget = Text(
        metadata=about(
            'How many calls the provider still serves, by its own count, such as "12,400 of 15,000 calls a day (all tools share them)'
            ' are left."; of several such counts, the one of which least is left; empty: it has not said so since it last began to'
            " count anew. Where it caps what this installation may read in a month, the share that is left for all of its workspaces follows."
        )
    )


class SpendSchema(Schema):
    """What reading an account has cost in the running calendar month (UTC)."""

    month = Text(metadata=about("Such as 2026-11."))
    sentence = Text(metadata=about('Such as "This month: $3.40 for 214 posts."'))
    dollars = Fraction()
    reads = Free(
        values=fields.Integer(), metadata=about("What was bought, by the price's name: each thing once a day.")
    )
    forecast_dollars = Fraction(
        allow_none=True,
        metadata=about("At the month's end, if it goes on as in the last week; null: too early to say."),
    )
    ceiling_dollars = Fraction(allow_none=True, metadata=about("null: there is none."))
    left_dollars = Fraction(
        allow_none=True, metadata=about("Until reading that costs stops; null: there is no ceiling.")
    )


def with_spending(session: Session, workspace_id: UUID, rows: Sequence[Row]) -> list[Row]:
    """The same rows of `listing.connections`, each with its `spending` (None where reading costs nothing) and what is left of its
    provider's `cap` for all of this installation ("" where there is none). For a request."""
    found, capped = spending.of(session, workspace_id, rows, now=real_now()), doors.capped()
    return [{**row, "spending": found.get(row["id"]), "cap": caps.in_words(capped, row["provider"])} for row in rows]


def dump(row: Row, now: datetime) -> Row:
    """`health`, `condition` and `spend` of a row; `now` is real time in the zone in which dates are to be written."""
    found = health.of(row, now, row.get("cap", ""))
    condition = {
        "light": found.light.value,
        "advice": found.advice,
        "frozen": row["frozen"],
        "proven_at": found.proven_at,
        "lag_seconds": None if found.lag is None else int(found.lag.total_seconds()),
        "next_pull_at": found.next_pull_at,
        "budget": found.budget,
    }
    return {"health": found.line, "condition": condition, "spend": _spend(row.get("spending"))}


def _spend(found: Spending | None) -> Row | None:
    if found is None:
        return None
    return {
        "month": f"{found.month.first:%Y-%m}",
        "sentence": found.sentence,
        "dollars": found.month.micros / MILLION,
        "reads": dict(found.month.reads),
        "forecast_dollars": _dollars(found.month.forecast),
        "ceiling_dollars": _dollars(found.ceiling),
        "left_dollars": None if found.left is None else max(0.0, found.left / MILLION),
    }


def _dollars(micros: int | None) -> float | None:
    return None if micros is None else micros / MILLION
