"""The meter that a client calls around every call that is billed: what it says stands in the ledger before the call goes out,
and what came of it before anything else is done with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from sqlalchemy.orm import Session

from integrations.provider import Price
from service.clock import real_now
from service.runtime import Runtime
from service.store import ledger
from service.store.ledger import Payer


@dataclass
class StreamMeter:
    """An `integrations.provider.Meter` of one stream. Fit for a reader that runs ahead in a thread of its own."""

    runtime: Runtime
    payer: Payer
    prices: Mapping[str, Price]
    _charged: Counter[str] = field(default_factory=Counter, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def ask(self, name: str, most: int, least: int = 1) -> int:
        price, now = self.prices[name], real_now()
        with self.runtime.db.tenant(self.payer.workspace_id) as session:
            return ledger.reserve(session, self.payer, price, most, least, now=now)

    def tell(self, name: str, ids: Collection[str]) -> None:
        price, now = self.prices[name], real_now()
        charged = self.runtime.db.retried(
            self.payer.workspace_id, lambda session: ledger.settle(session, self.payer, price, ids, now=now)
        )
        with self._lock:
            self._charged[name] += charged

    def void(self, name: str) -> None:
        with self.runtime.db.tenant(self.payer.workspace_id) as session:
            ledger.release(session, self.payer, name)

    def free(self, session: Session, ids: Sequence[str]) -> set[str]:
        """Which of these would cost nothing if they were read again now."""
        return ledger.bought_today(session, self.payer, ids, now=real_now())

    def take(self) -> Mapping[str, int]:
        """What was charged since this was last called, by the price's name: for the stream's own count."""
        with self._lock:
            charged, self._charged = self._charged, Counter()
        return charged
