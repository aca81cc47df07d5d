"""One run: the stream and the faults together, then the time until all is as it should be."""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

import requests
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chaos import compare, traffic
from chaos.compare import CRMTask
from chaos.faults import MissedError, strike
from chaos.hosts import can_make_namespaces
from chaos.place import Place, can_mount, place
from chaos.plan import Fault
from chaos.record import Episode, Size
from chaos.traffic import Traffic
from integrations.registry import providers
from service.demo import consent, figures
from service.errors import PlainError

NORMAL_WITHIN = 120.0  # seconds after the last fault
LOOKED_FOR = 300.0  # seconds after it: what comes late is told from what never comes
LOOK, COMPARE_EVERY = 0.05, 2.0  # seconds
# Seconds: what comes round every fifteen minutes comes round this often, as leases are shortened; the more rarely the more there is to ask for.
SWEEP_EVERY, POSTS_A_SECOND = (8.0, 40.0), 1000
PATIENCE = 5.0  # seconds for which a fault waits for something to strike
BRANDS = 4
WORKERS = 2
_DISK, _NETWORK = "fill the disk", "cut a host off"

_WEEK = """UPDATE engagements SET checked_at = checked_at - interval '7 days'
WHERE workspace_id = :w AND native_id = ANY(:changed) AND deleted_at IS NULL AND checked_at > now() - interval '1 day'"""
_ASKING = """SELECT provider, account_id, CASE kind WHEN 'crm' THEN 'portal' ELSE handle END, brand_id FROM connections
WHERE workspace_id = :w AND status = 'needs_reauth'"""
_QUARTER = """UPDATE streams SET next_pull_at = least(next_pull_at, now()) WHERE workspace_id = :w AND name = 'recheck'
AND lease_id IS NULL AND connection_id IN (SELECT id FROM connections WHERE workspace_id = :w AND kind = 'social')"""

Say = Callable[[str], None]


def run(size: Size, deadline: float, say: Say) -> Episode:
    """Runs it all. `deadline` is of the monotonic clock."""
    begun = time.monotonic()
    episode = Episode(size)
    namespaces, own_disk = can_make_namespaces(), can_mount()
    if not namespaces:
        episode.unavailable[_NETWORK] = (
            "no network namespaces here: a proxy on loopback cuts hosts off from database and queue, not from providers"
        )
    if not own_disk:
        episode.unavailable[_DISK] = "no file system of our own may be mounted here: the disk is not filled"
    names = traffic.brands(BRANDS)
    say(f"Seed {size.seed}: {size.faults:,} faults and {size.posts:,} posts in {size.seconds:,.0f} seconds"
        f"{'' if size.unique else ', a CRM without a unique key'}")  # fmt: skip
    with place(
        traffic.world(size.posts, names), lease=size.lease, workers=WORKERS, namespaces=namespaces, own_disk=own_disk, unique=size.unique,
        keep=size.keep, say=say,
    ) as here:  # fmt: skip
        _Run(episode, here, names, deadline, say).all(size.plan(() if own_disk else (_DISK,)))
    episode.seconds = time.monotonic() - begun
    return episode


class _Run:
    def __init__(self, episode: Episode, here: Place, brand_names: list[str], deadline: float, say: Say) -> None:
        self.episode, self.here, self.deadline, self.say = episode, here, deadline, say
        self.system = here.system
        size = episode.size
        self.traffic = Traffic(
            self.system.sandbox.url, here.sandbox_data, seed=size.seed, posts=size.posts, seconds=size.seconds, brand_names=brand_names
        )  # fmt: skip
        self.ends: list[tuple[float, int, Callable[[], None]]] = []  # what is to be ended, and when
        self.began = time.monotonic()
        self.swept = self.told = 0.0
        self.last_told = ""
        self.sweep_every = min(max(SWEEP_EVERY[0], size.posts / POSTS_A_SECOND), SWEEP_EVERY[1])
        self.asked_for: set[tuple[str, str]] = set()
        self.calm = False  # nothing differs: what is made due would only be under way
        self.person = Thread()  # who looks after connections, at a pace of their own
        self.broken_off = set[str]()  # consents that were given again, and of which Warmline never got the token

    @property
    def passed(self) -> float:
        return time.monotonic() - self.began

    def all(self, faults: list[Fault]) -> None:
        self.traffic.start()
        try:
            self._strike_all(faults)
            self._settle()
        except TimeUpError as error:
            self.episode.stopped = str(error)
        finally:
            self.traffic.halt()
            for *_, end in self.ends:
                end()
            self.traffic.join(30)
            self.episode.posts = self.traffic.said
            self.episode.starts = {name: unit.starts for name, unit in self.system.units.items()}

    def _strike_all(self, faults: list[Fault]) -> None:
        """Each at its time, or soon after: what has just been killed is not there to be killed again."""
        coming, due = deque(enumerate(faults)), list[tuple[int, Fault]]()
        while coming or due or self.ends or self.system.under_way or self.traffic.is_alive():
            self._look()
            if self.traffic.failure:
                raise self.traffic.failure
            while coming and coming[0][1].at <= self.passed:
                due.append(coming.popleft())
            due = [each for each in due if not self._strike(*each)]
        for host in self.system.hosts.values():
            host.board.disarm()
        self.system.sandbox.clear_faults()

    def _strike(self, number: int, fault: Fault) -> bool:
        """Whether it is over with: it struck, or there was nothing to strike for too long."""
        try:
            end = strike(self.system, fault)
        except MissedError:
            missed = self.passed - fault.at > PATIENCE
            self.episode.missed[fault.kind] += missed
            return missed
        self.episode.injected[fault.kind] += 1
        if end is not None:
            heapq.heappush(self.ends, (self.passed + fault.lasts, number, end))
            self.episode.at_once = max(self.episode.at_once, len(self.ends))
        return True

    def _look(self) -> None:
        """One look: whatever has ended begins again, faults end, sweeps come round."""
        if time.monotonic() > self.deadline:
            raise TimeUpError("the time for everything is up")
        self.system.tend()
        while self.ends and self.ends[0][0] <= self.passed:
            heapq.heappop(self.ends)[2]()
        if self.passed - self.swept > self.sweep_every:
            self.swept = self.passed
            if not self.calm:
                with suppress(SQLAlchemyError):
                    self._sweep()
            if not self.person.is_alive():
                self.person = Thread(target=self._reconnect, daemon=True)
                self.person.start()
        if self.passed - self.told > 10:
            self.told = self.passed
            self.say(
                f"{self.passed:5.0f} s: {self.traffic.said:,} posts, {self.episode.injected.total():,} faults, {len(self.ends)} going on, {self._made():,} tasks made"
            )
        time.sleep(LOOK)

    def _made(self) -> int:
        return self.system.sandbox.counts()["tasks_ever_created"]

    def _sweep(self) -> None:
        """Rechecks are due again, as after a quarter of an hour, and posts that were changed at their source are to be asked for,
        as all are within a week."""
        ledger, found = self.traffic.ledger, self.episode.differences.found
        changed = {*((id_, "") for id_ in list(ledger.deleted)), *list(ledger.texts.items())}
        again = {*found.get(compare.UNEDITED, ()), *found.get(compare.UNDELETED, ())}
        ids = [id_ for id_, _ in changed - self.asked_for] + sorted(again)
        where = {"w": self.here.workspace_id}
        with self.here.runtime.db.tenant(self.here.workspace_id) as session:
            session.execute(text("SET LOCAL lock_timeout = '200ms'"))
            session.execute(text(_WEEK), {**where, "changed": ids})
            session.execute(text(_QUARTER), where)
        self.asked_for = changed

    def _reconnect(self) -> None:
        """A person connects again what asks for it, where the consent has really ended: a token that is good for one use was spent,
        and the answer with the next one never arrived. Nothing can heal that; it is counted."""
        try:
            with self.here.runtime.db.tenant(self.here.workspace_id) as session:
                asking = session.execute(text(_ASKING), {"w": self.here.workspace_id}).all()
            granted = compare.read_network(self.here.sandbox_data).granted if asking else frozenset()
            for provider, account, handle, brand in asking:
                consented = f"{provider}:{account}"
                if consented not in granted or consented in self.broken_off:
                    self.broken_off.add(consented)  # until it has come to its end: whoever saw it fail tries again
                    visitor = consent.visit(self.here.runtime, self.here.work.email)
                    consent.connect_account(visitor, self.system.sandbox, providers()[provider], handle, brand)
                    self.broken_off.discard(consented)
                    self.episode.reconnected[provider] += 1
        except (PlainError, SQLAlchemyError, requests.RequestException) as error:
            self.say(f"Nobody could be connected again just now ({type(error).__name__})")

    # --- afterwards -------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Looks until all is as it should be and nothing is under way, twice in a row."""
        over, quiet, normal_at, compared = time.monotonic(), 0, None, 0.0
        self.say("The last fault is over")
        while quiet < 2 and time.monotonic() - over < LOOKED_FOR:
            self._look()
            if time.monotonic() - compared < COMPARE_EVERY:
                continue
            compared = time.monotonic()
            with suppress(SQLAlchemyError):
                self.calm = not self._compare()
                still = not self.calm or figures.under_way(self.here.runtime, self.here.workspace_id)
                normal_at = None if still else normal_at or time.monotonic()
                quiet = 0 if still else quiet + 1
        if quiet >= 2 and normal_at is not None:
            after = round(normal_at - over, 1)
            self.episode.back_to_normal, self.episode.late = (after, None) if after <= NORMAL_WITHIN else (None, after)
            return
        with suppress(SQLAlchemyError):
            self._compare()
            self.episode.rows = compare.rows_of(self.here.runtime, self.here.workspace_id, self.episode.differences)

    def _compare(self) -> int:
        data, names = (
            self.here.sandbox_data,
            [each for each in compare.NAMES if self.episode.size.unique or each != compare.TWICE],
        )
        tasks = compare.read_crm(data)
        ours = compare.read_ours(self.here.runtime, self.here.workspace_id)
        self.episode.differences = compare.differences(self.traffic.ledger, compare.read_network(data), ours, tasks)
        self.episode.tasks = len(tasks)
        self.episode.apart = _apart(tasks)
        self._tell(
            ", ".join(f"{number} {name}" for name, number in self.episode.differences.counts().items() if number)
            or "no differences"
        )
        return self.episode.differences.total(names)

    def _tell(self, line: str) -> None:
        """Says what has changed."""
        if line != self.last_told:
            self.last_told = line
            self.say(f"{self.passed:5.0f} s: {line}")


class TimeUpError(Exception):
    """The limit of everything together has passed."""


def _apart(tasks: list[CRMTask]) -> list[float]:
    made: dict[str, list[float]] = {}
    for task in tasks:
        if not task.deleted:
            made.setdefault(task.key, []).append(task.made)
    return sorted(round(max(each) - min(each), 1) for each in made.values() if len(each) > 1)
