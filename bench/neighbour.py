"""A quiet workspace beside a noisy one: from a post to its task, alone and while a million posts of somebody else's are decided and
their key asks the API as fast as it answers. Everything runs as `warmline up` runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import requests

from bench import asking, corpus, latency
from bench.figures import Figure
from bench.rounds import in_turns, percentile
from bench.scale import Scale
from service import accounts
from service.demo.run import Run
from service.demo.scenario import HANDLE
from service.embedded import APP, Postgres
from workers.scheduler import TICK

GIVE_UP = 120.0  # seconds until what is under way has stopped, or a post has its task
LOOK = 0.1  # seconds between two looks for a task; when it came stands in it, so this is as coarse as it likes
FIRST_CUSTOMER = 10_000
LOOKS = 5  # at a PostgreSQL that has nothing to do
PUSHED = (
    "SELECT t.pushed_at FROM engagements e JOIN tasks t ON t.workspace_id = e.workspace_id AND t.author_id = e.author_id"
    " WHERE e.workspace_id = %s AND e.native_id = %s AND t.pushed_at IS NOT NULL"
)


@dataclass
class Noisy:
    """A workspace with very much to decide, which a switch turns on and off."""

    admin: psycopg.Connection[Any]
    workspace_id: UUID
    key: str
    url: str
    answers: Counter[str]
    decided: int = 0  # people and conversations

    @contextmanager
    def loud(self) -> Iterator[None]:
        """Everything is to be decided again, and the API is asked without a pause, until the block ends. What was under way is over before it
        begins and after it ends, so that nothing of it is left when the quiet one is alone."""
        self._rest()
        for table in ("conversations", "relationships"):
            self.admin.execute(
                f"UPDATE {table} SET decide_at = %s WHERE workspace_id = %s", [corpus.NOW, self.workspace_id]
            )
        self.admin.execute("UPDATE authors SET match_due = true WHERE workspace_id = %s", [self.workspace_id])
        self._decide("now()")
        self._until("decide_at IS NULL OR decide_at > now()")
        command = [sys.executable, "-m", "bench.asking", f"{self.url}/v1/engagements?limit=50"]
        env = {**os.environ, "BENCH_KEY": self.key}
        with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as caller:
            try:
                yield
            finally:
                told, _ = caller.communicate("")
                self.answers.update(json.loads(told))
                self.decided += self._decided()
                self.hush()
                self._rest()

    def hush(self) -> None:
        """Nothing of it is due. A worker that is at it has lost its lease, and stops with the batch under way."""
        self.admin.execute(
            "UPDATE workspace_schedule SET decide_at = NULL, lease_id = NULL, lease_until = NULL WHERE workspace_id = %s",
            [self.workspace_id],
        )

    def _rest(self) -> None:
        """Waits until no process of ours has had anything to do with PostgreSQL for a while."""
        deadline, quiet = time.monotonic() + GIVE_UP, 0
        while quiet < LOOKS:
            if time.monotonic() > deadline:
                raise RuntimeError("what was under way does not end")
            row = self.admin.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND state <> 'idle'", [APP]
            ).fetchone()
            quiet = 0 if row and row[0] else quiet + 1
            time.sleep(0.1)

    def _decide(self, at: str) -> None:
        self.admin.execute(
            f"UPDATE workspace_schedule SET decide_at = {at} WHERE workspace_id = %s", [self.workspace_id]
        )

    def _decided(self) -> int:
        """How many people were matched and conversations decided since it became loud."""
        row = self.admin.execute(
            "SELECT (SELECT count(*) FROM authors WHERE workspace_id = %(w)s AND NOT match_due) + (SELECT count(*) FROM conversations"
            " WHERE workspace_id = %(w)s AND decide_at IS DISTINCT FROM %(now)s)",
            {"w": self.workspace_id, "now": corpus.NOW},
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


def measure(scale: Scale) -> list[Figure]:
    """The 95th percentile of both, in turns."""
    with latency.running() as work, _noisy(work, scale) as noisy:
        posts = scale.latency_posts
        customers = latency.customers(work, 2 * scale.rounds * posts + 1, FIRST_CUSTOMER)
        arrivals = Random(1)

        def some(_: int) -> list[float]:
            return [_once(work, noisy.admin, next(customers), arrivals) for _ in range(posts)]

        def beside(index: int) -> list[float]:
            with noisy.loud():
                return some(index)

        _once(work, noisy.admin, next(customers), arrivals)  # caches
        theirs, alone = in_turns(scale.rounds, beside, some)
    loud, quiet = ([each for one in side for each in one] for side in (theirs, alone))
    answered = ", ".join(f"{count:,} times {status}" for status, count in sorted(noisy.answers.items()))
    print(f"  the API answered the noisy workspace {answered}", file=sys.stderr, flush=True)
    stored = scale.decide_posts * scale.many_times
    size = (
        f"{len(loud)} posts with a webhook's hint, one after the other, beside {stored:,} posts of another workspace, of which"
        f" {noisy.decided:,} people were matched and conversations decided meanwhile, and {asking.THREADS} connections of its that ask the API"
        " without a pause"
    )
    return [
        Figure("neighbour: post to task, p95", percentile(loud, 0.95), "s", size, percentile(quiet, 0.95), "the same workspace alone, in turns", at_most=1.1),
        Figure("neighbour: post to task, median", percentile(loud, 0.5), "s", size, percentile(quiet, 0.5), "the same workspace alone, in turns", at_most=1.1),
    ]  # fmt: skip


def _once(work: Run, admin: psycopg.Connection[Any], handle: str, arrivals: Random) -> float:
    """Seconds from a post to its task, as our own tables say. The post comes at any instant between two looks of the scheduler, as posts
    do; one that always came right after the last task would find the next look always as far away."""
    time.sleep(arrivals.uniform(0, TICK))
    text = f"@{HANDLE} is the bread box in stock again, and what does it cost?"
    at = time.time()
    answer = requests.post(f"{work.stack.sandbox_url}/control/posts", json={"as": handle, "text": text}, timeout=10)
    answer.raise_for_status()
    while True:
        row = admin.execute(PUSHED, [work.workspace_id, str(answer.json()["id"])]).fetchone()
        if row:
            return float(row[0].timestamp() - at)
        if time.time() > at + GIVE_UP:
            raise RuntimeError(f"a post has no task after {GIVE_UP:.0f} seconds")
        time.sleep(LOOK)


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
