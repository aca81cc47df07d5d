"""A quiet workspace beside a noisy one: from a post to its task, alone and while a million posts of somebody else's are decided and
their key asks the API as fast as it answers. Everything runs as `warmline up` runs it."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import requests

from bench import corpus, latency
from bench.figures import Figure
from bench.rounds import in_turns, percentile
from bench.scale import Scale
from service import accounts
from service.demo.run import Run
from service.embedded import Postgres

ASKING = 4  # threads of the hot loop
GIVE_UP = 120.0  # seconds until what is under way has stopped


@dataclass
class Noisy:
    """A workspace with very much to decide, which a switch turns on and off."""

    admin: psycopg.Connection[Any]
    workspace_id: UUID
    key: str
    url: str
    answers: Counter[int]
    batches: int = 0

    @contextmanager
    def loud(self) -> Iterator[None]:
        """Everything is to be decided again, and the API is asked without a pause, until the block ends."""
        stop = threading.Event()
        askers = [threading.Thread(target=self._ask, args=(stop,)) for _ in range(ASKING)]
        for table in ("conversations", "relationships"):
            self.admin.execute(
                f"UPDATE {table} SET decide_at = %s WHERE workspace_id = %s", [corpus.NOW, self.workspace_id]
            )
        self._decide("now()")
        for each in askers:
            each.start()
        self._until("decide_at IS NULL OR decide_at > now()")
        try:
            yield
        finally:
            stop.set()
            for each in askers:
                each.join()
            self.batches += self._decided()
            self.hush()

    def hush(self) -> None:
        """Nothing of it is due. A worker that is at it has lost its lease, and stops with the batch under way."""
        self.admin.execute(
            "UPDATE workspace_schedule SET decide_at = NULL, lease_id = NULL, lease_until = NULL WHERE workspace_id = %s",
            [self.workspace_id],
        )

    def _decide(self, at: str) -> None:
        self.admin.execute(
            f"UPDATE workspace_schedule SET decide_at = {at} WHERE workspace_id = %s", [self.workspace_id]
        )

    def _decided(self) -> int:
        row = self.admin.execute(
            "SELECT count(*) FROM conversations WHERE workspace_id = %s AND decided_at IS NOT NULL AND decide_at IS DISTINCT FROM %s",
            [self.workspace_id, corpus.NOW],
        ).fetchone()
        return int(row[0]) if row else 0

    def _until(self, condition: str) -> None:
        deadline = time.monotonic() + GIVE_UP
        while time.monotonic() < deadline:
            found = self.admin.execute(
                f"SELECT {condition} FROM workspace_schedule WHERE workspace_id = %s", [self.workspace_id]
            ).fetchone()
            if found and found[0]:
                return
            time.sleep(0.05)
        raise RuntimeError(f"the noisy workspace is not as it should be: {condition}")

    def _ask(self, stop: threading.Event) -> None:
        with requests.Session() as http:
            http.trust_env = False
            http.headers["Authorization"] = f"Bearer {self.key}"
            while not stop.is_set():
                self.answers[http.get(f"{self.url}/v1/engagements?limit=50", timeout=60).status_code] += 1


def measure(scale: Scale) -> list[Figure]:
    """The 95th percentile of both, in turns."""
    with latency.running() as work, _noisy(work, scale) as noisy:
        posts = max(2, scale.latency_posts // 2)
        customers = latency.customers(work, 2 * scale.rounds * posts + 1)
        ask = latency.asks_the_crm(work)

        def some(_: int) -> list[float]:
            return [latency.once(work, next(customers), ask, None) for _ in range(posts)]

        def beside(index: int) -> list[float]:
            with noisy.loud():
                return some(index)

        latency.once(work, next(customers), ask, None)  # caches
        theirs, alone = in_turns(scale.rounds, beside, some)
    loud, quiet = ([each for one in side for each in one] for side in (theirs, alone))
    answered = ", ".join(f"{count:,} times {status}" for status, count in sorted(noisy.answers.items()))
    print(f"  the API answered the noisy workspace {answered}", file=sys.stderr, flush=True)
    stored = scale.decide_posts * scale.many_times
    size = (
        f"{len(loud)} posts with a webhook's hint, one after the other, beside {stored:,} posts of another workspace, of which those of"
        f" {noisy.batches:,} conversations were decided meanwhile, and {ASKING} threads of its that ask the API without a pause"
    )
    return [
        Figure("neighbour: post to task, p95", percentile(loud, 0.95), "s", size, percentile(quiet, 0.95), "the same workspace alone, in turns", at_most=1.1),
        Figure("neighbour: post to task, median", percentile(loud, 0.5), "s", size, percentile(quiet, 0.5), "the same workspace alone, in turns", at_most=1.1),
    ]  # fmt: skip


@contextmanager
def _noisy(work: Run, scale: Scale) -> Iterator[Noisy]:
    server = next(each for each in work.stack.servers if isinstance(each, Postgres))
    db = work.runtime.db
    workspace_id, user_id = accounts.ensure_workspace(
        db, "Noisy", "nora@noisy.test", values={**latency.VALUES, "lapse_days": 730}
    )
    key = accounts.create_api_key(db, workspace_id, user_id, "bench", ["read"])
    with server.connect(database="warmline") as admin:
        corpus.fill(admin, corpus.shop(admin, workspace_id), scale.decide_posts)
        corpus.multiply(admin, scale.many_times, ("authors", "engagements"), workspace_id)
        noisy = Noisy(admin, workspace_id, key, work.stack.config.base_url, Counter())
        noisy.hush()
        yield noisy
