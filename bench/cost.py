"""What each step costs for a thousand posts: processor time of the workers, and of PostgreSQL. Where one core of each ends, that limits first."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from bench import network, work
from bench.figures import Figure
from bench.place import OWNER, Place, environment, member, place, sandbox
from bench.scale import Scale
from bench.worker import apart
from service.config import Config
from service.runtime import Runtime
from workers import decide, jobs, pull, push

ROUNDS = 3  # a first pull makes those streams due that wait for the others
STEPS = ("pull", "decide", "push", "reconcile")
# What is due before each step, so that it is measured alone. (Contacts and the like were read before the first.)
_DUE = {
    "pull": "UPDATE streams s SET next_pull_at = CASE WHEN c.kind = 'social' THEN now() END FROM connections c WHERE c.id = s.connection_id",
    "decide": "UPDATE workspace_schedule SET decide_at = now() - interval '1 minute'",
    "push": "UPDATE connections SET next_push_at = now() WHERE kind = 'crm'",
    "reconcile": "UPDATE streams s SET next_pull_at = CASE WHEN c.kind = 'crm' AND s.name = 'tasks' THEN now() END FROM connections c WHERE c.id = s.connection_id",
}
_CRM = _DUE["reconcile"].replace(" AND s.name = 'tasks'", "")


def measure(scale: Scale) -> list[Figure]:
    """Milliseconds of processor time for a thousand posts, by step, of one worker and of its database."""
    with place() as here, sandbox(here.home) as network_:
        config = here.database("cost")
        held = Runtime(config)
        load = network.shops(scale.cost_accounts, scale.cost_posts)
        load.posts = [
            each for number, each in enumerate(load.posts) if number % 8 < 5
        ]  # half of the talks wait for an answer
        load.owners = [{"id": "71", "email": OWNER, "first_name": "Olga", "last_name": "Berg"}]
        network_.load(load)
        network.connect_all(held, member(held), network_, load)
        held.db.engine.dispose()
        _step(here, config, _CRM, "reconcile")
        costs = {step: _step(here, config, _DUE[step], step) for step in STEPS}
        with here.admin("cost") as admin:
            posts, tasks, pushed = admin.execute(
                "SELECT (SELECT count(*) FROM engagements), (SELECT count(*) FROM tasks), (SELECT count(*) FROM tasks WHERE external_id IS NOT NULL)"
            ).fetchone() or (0, 0, 0)
    if not (posts and pushed):
        raise RuntimeError(f"{posts} posts and {pushed} tasks are too few to say anything")
    per_thousand = {step: tuple(1e6 * each / posts for each in cost) for step, cost in costs.items()}
    ours, theirs = (sum(each[side] for each in per_thousand.values()) for side in (0, 1))
    size = f"{posts:,} posts of {scale.cost_accounts} accounts, first read; {tasks:,} tasks, {pushed:,} of them written; one worker"
    first = "the workers' cores limit first" if ours > theirs else "PostgreSQL limits first"
    return [
        *(
            Figure(f"cost: {step}, {whose}", per_thousand[step][side], "ms", size)
            for step in STEPS
            for side, whose in enumerate(("worker", "database"))
        ),
        Figure("cost: posts/s a core of workers carries", 1e6 / ours, "posts/s", f"{size}; {first}"),
        Figure("cost: posts/s a core of PostgreSQL carries", 1e6 / theirs, "posts/s", size),
    ]


def _step(here: Place, config: Config, due: str, step: str) -> tuple[float, float]:
    """Seconds of processor time: of the worker, and of PostgreSQL."""
    with here.admin("cost") as admin:
        admin.execute(due)
    before = _database_seconds(here)
    outcome = apart(once, environment(config), step=step)
    time.sleep(0.2)  # until PostgreSQL has noticed that the worker is gone, and counts what it did
    return float(outcome.result), max(_database_seconds(here) - before, 1 / os.sysconf("SC_CLK_TCK"))  # told no finer


def _database_seconds(here: Place) -> float:
    """Processor time of PostgreSQL so far: of its processes that live and of those that have ended."""
    assert here.server.process
    leader, found = here.server.process.pid, 0.0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(process.name) == leader:
            found += sum(map(int, fields[11:15]))  # and its children's, once they have ended
        elif int(fields[1]) == leader:
            found += sum(map(int, fields[11:13]))
    return found / os.sysconf("SC_CLK_TCK")


# --- what is measured, in a process of its own ----------------------------------------------------------------

_DO: dict[str, tuple[str, Callable[..., None]]] = {
    "pull": ("pull", pull.pull),
    "decide": ("decide", decide.decide),
    "push": ("push", push.push),
    "reconcile": ("pull", pull.pull),
}


def once(step: str) -> float:
    """Does all that is due, as a worker does. Returns its processor time."""
    jobs.preload()
    job, do = _DO[step]
    begun = time.process_time()
    for _ in range(ROUNDS):
        for each in work.claim(job):
            do(work.runtime(), *each.ids)
    return time.process_time() - begun
