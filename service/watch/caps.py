"""How much of what a provider lets this installation's registration read in a month is used up, over all workspaces (`integrations.provider.Cap`).

The figure is the installation's. Whoever belongs to a workspace is told it in whole percents, so that nobody reads out of it what another
workspace spends. A thing that two workspaces bought counts twice, though the provider may count it once; what a workspace bought that was
deleted since counts no more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from threading import Lock

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from integrations.provider import Cap
from integrations.registry import providers
from service.clock import real_now
from service.errors import PlainError
from service.rules.spending import month_name, month_of
from service.runtime import Runtime
from service.watch.overall import engine_of
from service.watch.states import WITHIN

KEPT = 300.0  # seconds for which an answer is given again: the question reads all that was bought in this month
_READS = """
SELECT c.provider, s.name, sum(s.reads) FROM spend s JOIN connections c ON c.workspace_id = s.workspace_id AND c.id = s.connection_id
WHERE s.day >= :month GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Used:
    """What was read in the running month (UTC) of what one provider caps."""

    provider: str
    cap: Cap
    reads: int

    @property
    def percent_left(self) -> int:
        """Whole percents, rounded down: no more is promised than is left."""
        return max(0, (self.cap.most - self.reads) * 100 // self.cap.most)


def look(engine: Engine) -> tuple[Used, ...]:
    """All that is capped at the providers there are. `engine` signs in as the scheduler's role. Raises SQLAlchemyError."""
    month = month_of(real_now().astimezone(UTC).date())
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL statement_timeout = '{WITHIN}'"))
        found = connection.execute(text(_READS), {"month": month})
        reads = {(provider, name): int(number) for provider, name, number in found}
    return tuple(
        Used(each.key, cap, reads.get((each.key, cap.name), 0)) for each in providers().values() for cap in each.caps
    )


class Kept:
    """The last answer, for a few minutes; nothing while it cannot be read."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._answer: tuple[Used, ...] = ()
        self._until = 0.0

    def look(self, runtime: Runtime) -> tuple[Used, ...]:
        with self._lock:
            if time.monotonic() >= self._until:
                try:
                    self._answer = look(engine_of(runtime))
                except (SQLAlchemyError, PlainError):
                    self._answer = ()
                self._until = time.monotonic() + KEPT
            return self._answer


def in_words(found: Sequence[Used], provider: str) -> str:
    """What is left at this provider, in a sentence for each of its caps."""
    return " ".join(_sentence(each) for each in found if each.provider == provider)


def _sentence(used: Used) -> str:
    provider = providers()[used.provider]
    label = next((price.label for price in provider.prices if price.name == used.cap.name), "") or used.cap.name
    month = month_name(month_of(real_now().astimezone(UTC).date()))
    return (
        f"{used.percent_left} % of the {used.cap.most:,} {label}s that {provider.name} lets this installation read in {month} are left,"
        " for all of its workspaces together."
    )
