"""Many workspaces with many connections, with everything running as `warmline up` runs it: how soon a post stands in the CRM as a task.

Every account is looked at every so many seconds, as its workspace says. While that goes on, people post: first where the network tells of
each post by a webhook, then where it does not. Both clocks are this machine's.
"""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from urllib.parse import parse_qsl, urlsplit

import psycopg
import requests
from sqlalchemy import make_url

from bench import latency
from bench.figures import Figure
from bench.place import free_port
from bench.rounds import percentile
from bench.scale import Scale
from service import accounts, connect, launcher
from service import config as configuration
from service.accounts import Caller
from service.demo import consent
from service.demo.run import SETTINGS
from service.demo.sandbox import Load, Sandbox
from service.launcher import Stack
from service.runtime import Runtime

WEBHOOK_GOAL, POLLED_GOAL = 120.0, 60.0  # seconds; the latter on top of one interval
HINTED_OVER = 180.0  # seconds in which the posts come of which a webhook tells
GRACE = 180.0  # seconds that a post may be late before the run is given up
PARALLEL = 4  # consents at a time
UPDATES = 3  # of a stream's row by one pull: claimed, renewed, let go


@dataclass(frozen=True)
class Posted:
    """A post: its id on the network, and when it was made (seconds since 1970)."""

    id: str
    at: float


def measure(scale: Scale) -> list[Figure]:
    """Seconds from a post to its task, p95 over all workspaces, by webhook and by polling."""
    with _running() as stack:
        runtime, network = Runtime(stack.config), Sandbox(stack.sandbox_url)
        network.settings(rate_limits=False, token_lifetime_seconds=86_400)
        handles, others = _fill(network, scale), network.counts()["open_tasks"]
        begun = time.monotonic()
        with psycopg.connect(_superuser(stack), autocommit=True) as admin:
            ready = _ready(admin)
        _connect(runtime, network, handles, scale)
        _tell(
            f"{scale.fleet_workspaces * scale.fleet_connections:,} accounts connected in {time.monotonic() - begun:.0f} s"
        )
        with psycopg.connect(_superuser(stack), autocommit=True) as admin:
            _settle(admin, scale, ready)
            customers = iter(range(2 * scale.fleet_posts))
            before = _pulls(admin)
            hinted = _post(network, handles, customers, scale.fleet_posts, min(HINTED_OVER, scale.fleet_poll))
            webhook = _await(admin, hinted, GRACE)
            _tell(f"of posts that a webhook told of, a task stood after {percentile(webhook, 0.95):.0f} s (p95)")
            network.settings(hint_url=None)
            silent = _post(network, handles, customers, scale.fleet_posts, float(scale.fleet_poll))
            polled = _await(admin, silent, scale.fleet_poll + GRACE)
            pulls = (_pulls(admin) - before) / (time.time() - hinted[0].at)
        tasks = network.counts()["open_tasks"] - others
        runtime.db.engine.dispose()
    if tasks != 2 * scale.fleet_posts:
        raise RuntimeError(f"{tasks} tasks stand in the CRM after {2 * scale.fleet_posts} posts")
    size = (
        f"{scale.fleet_workspaces:,} workspaces with {scale.fleet_workspaces * scale.fleet_connections:,} connections, each looked at every"
        f" {scale.fleet_poll} s; one web, two workers, one scheduler, PostgreSQL, Valkey and the network itself on this machine;"
        f" {scale.fleet_posts} posts; patience 0"
    )
    return [
        Figure("fleet: webhook, p95", percentile(webhook, 0.95), "s", size, of="value", at_most=WEBHOOK_GOAL),
        Figure("fleet: webhook, median", percentile(webhook, 0.5), "s", size),
        Figure("fleet: polled, p95", percentile(polled, 0.95), "s", size, of="value", at_most=scale.fleet_poll + POLLED_GOAL),
        Figure("fleet: polled, median", percentile(polled, 0.5), "s", size),
        Figure("fleet: pulls/s meanwhile", pulls, "pulls/s", size),
    ]  # fmt: skip


@contextmanager
def _running() -> Iterator[Stack]:
    if latency.standing:
        yield latency.standing[0].stack
        return
    home = Path(tempfile.mkdtemp(prefix="warmline-bench-"))
    port = free_port()
    keys = {"bench": secrets.token_bytes(32)}
    config = replace(configuration.load(), home=home, port=port, base_url=f"http://127.0.0.1:{port}", secret_keys=keys)
    try:
        with launcher.stack(config, sandbox_port=free_port()) as stack:
            yield stack
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _tell(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


# --- the fleet ------------------------------------------------------------------------------------------------


def _fill(network: Sandbox, scale: Scale) -> list[list[str]]:
    """Accounts of each workspace, and people who have not written yet: one open task per person and kind would hide a second post."""
    handles = [
        [f"shop{team}_{each}" for each in range(scale.fleet_connections - 1)] for team in range(scale.fleet_workspaces)
    ]
    shops = [handle for team in handles for handle in team]
    people = [f"passer_by{each}" for each in range(2 * scale.fleet_posts)]
    network.load(
        Load(
            accounts=[
                {
                    "id": str(1_000_000 + number),
                    "handle": handle,
                    "name": handle.title(),
                    "brand": handle.startswith("shop"),
                }
                for number, handle in enumerate([*shops, *people])
            ],
            # Each workspace's tasks go to whom has connected it: somebody whom the CRM does not know would get none.
            owners=[
                {
                    "id": str(100_000 + team),
                    "email": f"owner{team}@bench.test",
                    "first_name": "Olga",
                    "last_name": "Berg",
                }
                for team in range(scale.fleet_workspaces)
            ],
        )
    )
    return handles


def _connect(runtime: Runtime, network: Sandbox, handles: Sequence[Sequence[str]], scale: Scale) -> None:
    spoken = {each.kind: each.key for each in consent.register(runtime, network)}

    def team(number: int) -> None:
        caller = _owner(runtime, number, scale.fleet_poll)
        browser = Sandbox(network.url)
        for kind, account in [("crm", "portal"), *(("social", handle) for handle in handles[number])]:
            _consent(runtime, browser, caller, spoken[kind], account)

    with ThreadPoolExecutor(PARALLEL) as threads:
        for done, _ in enumerate(threads.map(team, range(len(handles))), 1):
            if done % 50 == 0:
                _tell(f"{done} of {len(handles)} workspaces connected")


def _owner(runtime: Runtime, number: int, poll: int) -> Caller:
    email = f"owner{number}@bench.test"
    values = {
        **SETTINGS,
        "patience": dict.fromkeys(SETTINGS["patience"], 0),
        "poll_seconds": poll,
        "first_pull_days": 1,
    }
    workspace_id, _ = accounts.ensure_workspace(runtime.db, f"Team {number}", email, values=values)
    cookie = accounts.sign_in(runtime.db, accounts.signin_link(runtime.db, email, "").rsplit("/", 1)[1])
    caller = accounts.caller_of_session(runtime.db, cookie or "")
    assert caller
    return replace(caller, workspace_id=workspace_id)


def _consent(runtime: Runtime, browser: Sandbox, caller: Caller, provider: str, account: str) -> None:
    ticket = connect.start(runtime, caller, provider=provider, brand_id=None).rsplit("/", 1)[1]
    back = browser.consent(connect.open_ticket(runtime, caller, ticket), account)
    connect.finish(runtime, caller, provider, dict(parse_qsl(urlsplit(back).query)))


def _superuser(stack: Stack) -> str:
    url = make_url(stack.config.need("database_backup_url")).set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def _number(admin: psycopg.Connection, query: str, *params: object) -> int:
    row = admin.execute(query.encode(), params).fetchone()
    return int(row[0]) if row else 0


def _ready(admin: psycopg.Connection) -> int:
    return _number(admin, "SELECT count(*) FROM connections WHERE ready_at IS NOT NULL")


def _settle(admin: psycopg.Connection, scale: Scale, before: int) -> None:
    """Until every account has been read once, beside so many that were before."""
    connections = scale.fleet_workspaces * scale.fleet_connections
    begun = time.monotonic()
    while ready := connections + before - _ready(admin):
        if time.monotonic() - begun > 60 + connections:
            raise RuntimeError(
                f"{ready} of {connections} connections have not been read after {time.monotonic() - begun:.0f} s"
            )
        time.sleep(1)
    _tell(f"all of them read once, {time.monotonic() - begun:.0f} s later")


def _pulls(admin: psycopg.Connection) -> int:
    """How many pulls there were so far, as PostgreSQL counts what every pull writes."""
    return _number(admin, "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'streams'") // UPDATES


# --- what is timed --------------------------------------------------------------------------------------------


def _post(
    network: Sandbox, handles: Sequence[Sequence[str]], customers: Iterator[int], number: int, seconds: float
) -> list[Posted]:
    """So many posts, each by somebody else, at random accounts, spread over so many seconds."""
    random, found = Random(number), []
    begun = time.monotonic()
    with requests.Session() as http:
        http.trust_env = False
        for each in range(number):
            time.sleep(max(0.0, begun + seconds * each / number - time.monotonic()))
            handle = random.choice(random.choice(handles))
            body = {
                "as": f"passer_by{next(customers)}",
                "text": f"@{handle} is the bread box in stock again, and what does it cost?",
            }
            at = time.time()
            answer = http.post(f"{network.url}/control/posts", json=body, timeout=60)
            answer.raise_for_status()
            found.append(Posted(str(answer.json()["id"]), at))
    return found


def _await(admin: psycopg.Connection, posts: Sequence[Posted], within: float) -> list[float]:
    """Seconds from each post to its task in the CRM. Raises RuntimeError when one does not come."""
    ids = [each.id for each in posts]
    query = (
        "SELECT e.native_id, t.pushed_at FROM engagements e JOIN tasks t ON t.workspace_id = e.workspace_id AND t.author_id = e.author_id"
        " WHERE e.native_id = ANY(%s) AND t.pushed_at IS NOT NULL"
    )
    deadline = posts[-1].at + within
    while True:
        came: dict[str, datetime] = dict(admin.execute(query, [ids]).fetchall())
        if len(came) == len(ids):
            return [max(0.0, came[each.id].astimezone(UTC).timestamp() - each.at) for each in posts]
        if time.time() > deadline:
            raise RuntimeError(
                f"{len(ids) - len(came)} of {len(ids)} posts have no task {within:.0f} seconds after the last"
            )
        time.sleep(0.5)
