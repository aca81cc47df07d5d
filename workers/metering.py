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
from service.store.ledger import Payer, Reserved


@dataclass
class StreamMeter:
    """An `integrations.provider.Meter` of one stream, for one job. Fit for a reader that runs ahead in a thread of its own.

    Where no ceiling limits it, what is set aside for the first call stands for all of the job's calls of that day, one after the
    other, until `close`: a crash costs the ledger as much as before, and a page two transactions less."""

    runtime: Runtime
    payer: Payer
    prices: Mapping[str, Price]
    _charged: Counter[str] = field(default_factory=Counter, init=False)
    _standing: dict[str, Reserved] = field(default_factory=dict, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def ask(self, name: str, most: int, least: int = 1) -> int:
        price, now = self.prices[name], real_now()
        standing = self._standing.get(name)
        if standing is not None and most <= standing.count and ledger.same_day(standing.day, now):
            return most
        with self.runtime.db.tenant(self.payer.workspace_id) as session:
            made = ledger.reserve(session, self.payer, price, most, least, now=now)
        self._standing.pop(name, None)
        if not made.limited and ledger.same_day(made.day, now):
            self._standing[name] = made
        return made.count

    def tell(self, name: str, ids: Collection[str]) -> None:
        price, now = self.prices[name], real_now()
        keep = name in self._standing and ledger.same_day(self._standing[name].day, now)
        if not keep:
            self._standing.pop(name, None)
        charged = self.runtime.db.retried(
            self.payer.workspace_id,
            lambda session: ledger.settle(session, self.payer, price, ids, now=now, keep=keep),
        )
        with self._lock:
            self._charged[name] += charged

    def void(self, name: str) -> None:
        if name not in self._standing:
            with self.runtime.db.tenant(self.payer.workspace_id) as session:
                ledger.release(session, self.payer, name)

    def close(self, session: Session) -> None:
        """The job is over, and it is known what every call brought: nothing is set aside any more."""
        for name in self._standing:
            ledger.release(session, self.payer, name)

    def free(self, session: Session, ids: Sequence[str]) -> set[str]:
        """Which of these would cost nothing if they were read again now."""
        return ledger.bought_today(session, self.payer, ids, now=real_now())

    def take(self) -> Mapping[str, int]:
        """What was charged since this was last called, by the price's name: for the stream's own count."""
        with self._lock:
            charged, self._charged = self._charged, Counter()
        return charged
