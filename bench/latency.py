"""From a post on the network to the task in the CRM, with everything running as `warmline up` runs it."""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import requests
from sqlalchemy import select

from bench.figures import Figure
from bench.place import free_port
from bench.rounds import percentile
from bench.scale import Scale
from service import accounts, launcher, speaking
from service import config as configuration
from service.demo import consent, run
from service.demo.run import Run
from service.demo.sandbox import Load
from service.demo.scenario import HANDLE, OWNER, scenario
from service.models import Connection

# No patience, so that the wait is ours alone, and no looking by itself, so that only what is measured makes it look.
VALUES = {
    **run.SETTINGS,
    "patience": {"direct": 0, "problem": 0, "question": 0, "other": 0},
    "first_pull_days": 60,
    "poll_seconds": 3600,
}
LOOK, GIVE_UP = 0.02, 60.0  # seconds


def measure(scale: Scale) -> list[Figure]:
    """Seconds, for a webhook's hint and for "pull now" through the API; one post after the other."""
    with running() as work:
        people = customers(work, 2 * scale.latency_posts)
        ask = asks_the_crm(work)
        pull_now = _puller(work)
        hinted = [once(work, next(people), ask, None) for _ in range(scale.latency_posts)]
        work.sandbox.settings(hint_url=None)
        pulled = [once(work, next(people), ask, pull_now) for _ in range(scale.latency_posts)]
    size = f"{scale.latency_posts} posts by as many people, one after the other, on the built-in scenario; patience 0"
    return [
        figure
        for name, seconds in (("webhook hint", hinted), ("pull now", pulled))
        for figure in (
            Figure(f"latency: {name}, p95", percentile(seconds, 0.95), "s", size),
            Figure(f"latency: {name}, median", percentile(seconds, 0.5), "s", size),
        )
    ]


standing: list[Run] = []  # what is shared, while it is


@contextmanager
def running() -> Iterator[Run]:
    """The whole stack on free ports, its first work done."""
    if not standing:
        with _started() as work:
            yield work
        return
    work = replace(standing[0])  # with connections of its own: this is a fork
    work.workspace_id = standing[0].workspace_id
    consent.register(work.runtime, work.sandbox)  # whoever was here before may have told the network to send no hints
    yield work


@contextmanager
def shared() -> Iterator[None]:
    """Every `running` until the block ends has the same stack: to start it takes ten times as long as what is measured at a tiny size."""
    with _started() as work:
        work.runtime.db.engine.dispose()  # no fork begins with a connection of another process
        work.runtime.redis.close()
        standing.append(work)
        try:
            yield
        finally:
            standing.clear()


@contextmanager
def _started() -> Iterator[Run]:
    home = Path(tempfile.mkdtemp(prefix="warmline-bench-"))
    port = free_port()
    keys = {"bench": secrets.token_bytes(32)}
    config = replace(configuration.load(), home=home, port=port, base_url=f"http://127.0.0.1:{port}", secret_keys=keys)
    try:
        with launcher.stack(config, sandbox_port=free_port()) as stack:
            work = Run(stack, scenario(datetime.now(UTC)), _tell, OWNER, "Bench", VALUES)
            work.sandbox.settings(rate_limits=False)
            run.fill(work)
            run.connect_all(work)
            run.settle(work)
            yield work
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _tell(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def customers(work: Run, number: int, first: int = 0) -> Iterator[str]:
    """People who have not written before: one open task per person and kind would hide a second post. Whoever may share a stack with others
    begins at a number of its own."""
    handles = [f"customer{each}" for each in range(first, first + number)]
    work.sandbox.load(
        Load(
            accounts=[
                {"id": str(800_000 + at), "handle": handle, "name": f"Customer {at}"}
                for at, handle in enumerate(handles, first)
            ]
        )
    )
    return iter(handles)


def once(work: Run, handle: str, ask: Callable[[], int], pull_now: Callable[[], None] | None) -> float:
    """Seconds from the post to the task."""
    before = ask()
    body = {"as": handle, "text": f"@{HANDLE} is the bread box in stock again, and what does it cost?"}
    begun = time.perf_counter()
    _checked(requests.post(f"{work.stack.sandbox_url}/control/posts", json=body, timeout=10))
    if pull_now:
        pull_now()
    while ask() == before:
        if time.perf_counter() - begun > GIVE_UP:
            raise RuntimeError(f"no task stands in the CRM {GIVE_UP:.0f} seconds after a post")
        time.sleep(LOOK)
    return time.perf_counter() - begun


def asks_the_crm(work: Run) -> Callable[[], int]:
    """How many tasks the CRM has, asked through its own API."""
    connection_id = _connection(work, "crm")
    assert work.workspace_id
    with work.runtime.db.tenant(work.workspace_id) as session:
        row = session.get_one(Connection, (work.workspace_id, connection_id))
    access, _ = speaking.access_of(work.runtime, row)
    http, url = requests.Session(), f"{access.hosts['api']}/crm/objects/2026-09/tasks/search"
    http.trust_env = False
    http.headers["Authorization"] = f"Bearer {access.credentials['access_token']}"

    def ask() -> int:
        return int(_checked(http.post(url, json={"filterGroups": [], "limit": 1}, timeout=10)).json()["total"])

    return ask


def _puller(work: Run) -> Callable[[], None]:
    """ "Pull now", as another system asks for it."""
    assert work.workspace_id
    key = accounts.create_api_key(work.runtime.db, work.workspace_id, None, "bench", ["read", "write"])
    url = f"{work.stack.config.base_url}/v1/connections/{_connection(work, 'social')}/pull"
    return lambda: _checked(requests.post(url, headers={"Authorization": f"Bearer {key}"}, timeout=10)) and None


def _connection(work: Run, kind: str) -> UUID:
    assert work.workspace_id
    with work.runtime.db.tenant(work.workspace_id) as session:
        return session.scalars(
            select(Connection.id).where(Connection.workspace_id == work.workspace_id, Connection.kind == kind).limit(1)
        ).one()


def _checked(answer: requests.Response) -> requests.Response:
    answer.raise_for_status()
    return answer
