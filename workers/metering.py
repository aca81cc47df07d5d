"""The meter that a client calls around every call that is billed: what it may bring is set aside in the ledger before the call goes
out, and what came of it is charged before any of it is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock

from sqlalchemy.orm import Session

from integrations.provider import Price
from service.clock import real_now
from service.runtime import Runtime
from service.store import due, ledger
from service.store.ledger import Payer, Reserved

AHEAD = 10  # calls for which is set aside at once where no ceiling limits it: as many as come before what they brought is stored


@dataclass
class _Told:
    """What calls of one price brought that does not stand in the ledger yet."""

    now: datetime
    ids: set[str] = field(default_factory=set)


@dataclass
class StreamMeter:
    """An `integrations.provider.Meter` of one stream, for one job. Fit for a reader that runs ahead in a thread of its own.

    Where no ceiling limits it, what is set aside for some calls stands for all of the job's calls of that day, until `end`, and
    what those brought is charged together, in `flush`: a page writes nothing of its own. Before each of them it is looked whether there
    is a ceiling by now: one that is set meanwhile holds from the next call on. However a job ends, nothing stays aside but a call whose
    answer was lost. A crash leaves the ledger too high by no more than what was set aside."""

    runtime: Runtime
    payer: Payer
    prices: Mapping[str, Price]
    _charged: Counter[str] = field(default_factory=Counter, init=False)
    _standing: dict[str, Reserved] = field(default_factory=dict, init=False)
    _single: dict[str, Reserved] = field(default_factory=dict, init=False)  # what stands for the last call alone
    _told: dict[str, _Told] = field(default_factory=dict, init=False)
    _open: dict[str, int] = field(
        default_factory=dict, init=False
    )  # what a call may bring of which nothing is known yet
    _lost: dict[str, int] = field(
        default_factory=dict, init=False
    )  # what one before it may have brought whose answer was lost
    _lock: Lock = field(default_factory=Lock, init=False)
    _charging: Lock = field(default_factory=Lock, init=False)

    def ask(self, name: str, most: int, least: int = 1) -> int:
        count = self._set_aside(name, most, least)
        self._open[name] = count
        return count

    def _set_aside(self, name: str, most: int, least: int) -> int:
        price, now = self.prices[name], real_now()
        if self._standing and price.dollars and self._limited():
            self._give_back()
        standing = self._standing.get(name)
        if standing is not None and most <= standing.count and ledger.same_day(standing.day, now):
            if self._untold(name) + most > standing.count:
                self.flush()
            self._lost[name] = self._unknown(name)
            return most
        self.flush()  # what stood so far is about to be replaced
        with self.runtime.db.tenant(self.payer.workspace_id) as session:
            if standing is not None:  # what its calls brought is charged, but of one whose answer was lost
                ledger.cut(session, self.payer, price, standing, self._unknown(name))
            made = ledger.reserve(session, self.payer, price, most, least, now=now, ahead=AHEAD)
        self._lost[name] = made.lost
        self._standing.pop(name, None)
        stands = not made.limited and ledger.same_day(made.day, now)
        (self._standing if stands else self._single)[name] = made
        return min(most, made.count)

    def _limited(self) -> bool:
        with self.runtime.db.tenant(self.payer.workspace_id) as session:
            return ledger.limited(session, self.payer)

    def end(self) -> None:
        """The job is over, however it ended: what its calls brought is charged, and nothing stands aside for calls that it did not make.
        To be called while the job still has its lease: whoever comes next must not find it."""
        self.flush()
        if self._standing:
            self._give_back()

    def _give_back(self) -> None:
        """Nothing stands for ten calls any more. Where there is a ceiling by now, that counted against other streams too, so those that
        were refused meanwhile look again."""
        self.flush()

        def work(session: Session) -> None:
            self._close(session)
            if ledger.limited(session, self.payer):
                due.pull_those_at_the_ceiling(session, self.payer.workspace_id)

        self.runtime.db.retried(self.payer.workspace_id, work)
        self._standing.clear()

    def tell(self, name: str, ids: Collection[str]) -> None:
        now = real_now()
        if name in self._standing and ledger.same_day(self._standing[name].day, now):
            with self._lock:
                self._told.setdefault(name, _Told(now)).ids.update(ids)
        else:
            self.flush()
            self._settle(name, ids, now, self._standing.get(name) or self._single.get(name))
            self._standing.pop(name, None)
        self._open.pop(name, None)
        self._lost.pop(name, None)  # what came is what would have come

    def _unknown(self, name: str) -> int:
        """How many reads may have been bought of which nobody told us."""
        return max(self._open.get(name, 0), self._lost.get(name, 0))

    def flush(self) -> None:
        """Charges what calls have brought so far. To be called before any of it is stored, and at the end of the job. Once this returns
        all of it is charged: whoever asks what is left, while another thread stores, must not find it neither set aside nor spent."""
        with self._charging:
            with self._lock:
                told, self._told = self._told, {}
            try:
                while told:
                    name, each = next(iter(told.items()))
                    self._settle(name, each.ids, each.now)
                    del told[name]
            finally:
                self._not_charged(told)

    def _not_charged(self, told: Mapping[str, _Told]) -> None:
        """The database was away, say: it is still to be charged, or what was set aside for it would be given back at the end."""
        with self._lock:
            for name, each in told.items():
                each.ids.update(self._told[name].ids if name in self._told else ())
                self._told[name] = each

    def _untold(self, name: str) -> int:
        with self._lock:
            return len(self._told[name].ids) if name in self._told else 0

    def _settle(self, name: str, ids: Collection[str], now: datetime, made: Reserved | None = None) -> None:
        charged = self.runtime.db.retried(
            self.payer.workspace_id,
            lambda session: ledger.settle(session, self.payer, self.prices[name], ids, now=now, made=made),
        )
        with self._lock:
            self._charged[name] += charged

    def void(self, name: str) -> None:
        standing, lost = self._standing.get(name), self._lost.get(name, 0)
        made = standing or self._single[name]
        left = max(made.count - self._open.get(name, 0), lost) if standing else lost
        with self.runtime.db.tenant(self.payer.workspace_id) as session:
            ledger.cut(session, self.payer, self.prices[name], made, left)
        if standing:
            self._standing[name] = replace(standing, count=left)
        self._open.pop(name, None)

    def _close(self, session: Session) -> None:
        """What calls brought is charged: of what stood for ten of them stays what one may have brought whose answer was lost."""
        for name, made in self._standing.items():
            ledger.cut(session, self.payer, self.prices[name], made, self._unknown(name))

    def free(self, session: Session, ids: Sequence[str]) -> set[str]:
        """Which of these would cost nothing if they were read again now."""
        return ledger.bought_today(session, self.payer, ids, now=real_now())

    def take(self) -> Mapping[str, int]:
        """What was charged since this was last called, by the price's name: for the stream's own count."""
        with self._lock:
            charged, self._charged = self._charged, Counter()
        return charged
