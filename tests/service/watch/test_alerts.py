"""Every alert is tried: quiet while all is well, raised by a page of /metrics under the condition that it is for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy import text

from service import queue
from service.app import create_app
from service.clock import real_now
from service.config import Config
from service.models import Freshness
from service.runtime import Runtime
from service.watch import doors, freshness, meters, presence
from service.watch.presence import Process
from tests.conftest import Member
from tests.service.rows import Rows
from tests.service.watch.promql import Page, fires, scraped

ROOT = Path(__file__).parents[3]
FILE = ROOT / "deploy/prometheus/alerts.yml"
RULES: list[dict[str, Any]] = [rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]]
# Of each alert that waits for something to happen, the counter that it looks at.
COUNTS = {rule["alert"]: found[1] for rule in RULES if (found := re.match(r"increase\((.+)\[", rule["expr"]))}
TOKEN = "a-token-that-only-the-test-knows"
NOBODY = "127.0.0.1:1"  # nothing listens there


@dataclass
class Service:
    """A running Warmline, as Prometheus sees it."""

    config: Config
    app: Flask
    held: Runtime
    rows: Rows
    token: str = TOKEN

    def scrape(self, config: Config | None = None) -> Page:
        app = self.app
        if config is not None:
            app = create_app(config)
        app.extensions[doors._KEPT].forget()
        answer = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {self.token}"})
        if config is not None:
            app.extensions["warmline"].db.engine.dispose()
            app.extensions["warmline"].redis.close()
        return scraped(answer.text, answer.status_code == 200)

    def process(self, role: str, pid: int, **changes: Any) -> None:
        process = Process(role, "host-1", pid, presence.clock(self.held.redis), 3600.0, 0.0, 1, 10)
        self.held.redis.hset(presence.KEY, f"host-1:{pid}", json.dumps(asdict(replace(process, **changes))))

    def well(self) -> None:
        """As it should be: nothing is due, everybody is at work."""
        self.held.redis.flushall()
        meters._begin_anew()
        with self.held.db.tenant(self.rows.workspace_id) as session:
            for table in ("tasks", "streams", "connections"):
                session.execute(text(f"DELETE FROM {table}"))
            session.execute(text("UPDATE workspace_schedule SET decide_at = NULL"))
        with self.held.db.globally() as session:
            session.query(Freshness).delete()
        for pid, role in enumerate(presence.ROLES):
            self.process(role, pid)
        presence.mark(self.held.redis, presence.HOUSEKEEPING)
        self.rows.connection(provider="mastodon", account_id=uuid4().hex)
        freshness.record(self.held.db, "unanswered", [1.0] * 200, timedelta(minutes=5))


@pytest.fixture
def service(config: Config, held: Runtime, owner: Member) -> Iterator[Service]:
    config = replace(config, metrics_token=TOKEN)
    app = create_app(config)
    yield Service(config, app, held, Rows(held.db, owner.workspace_id, real_now()))
    app.extensions["warmline"].db.engine.dispose()
    app.extensions["warmline"].redis.close()


# --- how each condition comes about ---------------------------------------------------------------------------


def gone(service: Service, role: str) -> None:
    service.held.redis.hdel(presence.KEY, f"host-1:{presence.ROLES.index(role)}")


def stream(service: Service, **values: Any) -> None:
    connection = service.rows.connection(provider="mastodon", account_id=uuid4().hex, streams=())
    service.rows.stream(connection, "mentions", **values)


def unread(service: Service) -> None:
    """Its provider has it wait, again and again, for two days."""
    long_ago, soon = real_now() - timedelta(days=2), real_now() + timedelta(minutes=5)
    connection = service.rows.connection(provider="mastodon", account_id=uuid4().hex, streams=(), status_at=long_ago)
    service.rows.stream(connection, "mentions", waits_for="rate_limit", last_pulled_at=long_ago, next_pull_at=soon)


def failed(service: Service) -> None:
    job = queue._queue(service.held.redis).enqueue("workers.jobs.pull")
    queue._queue(service.held.redis).failed_job_registry.add(job, ttl=60)


def late(service: Service, ago: timedelta, share: float, number: int = 100) -> None:
    delays = [1000.0] * round(number * share) + [1.0] * round(number * (1 - share))
    freshness.record(service.held.db, "unanswered", delays, timedelta(minutes=5), real_now() - ago)


def many(meter: meters.Meter, *labels: str) -> Callable[[Service], None]:
    return lambda service: meters.count(meter, *labels, by=50)


def once(meter: meters.Meter, *labels: str) -> Callable[[Service], None]:
    return lambda service: meters.count(meter, *labels)


def away(database: bool = False, states: bool = False, queued: bool = False) -> Callable[[Service], Page]:
    nowhere = f"postgresql+psycopg://u@{NOBODY}/none"

    def scrape(service: Service) -> Page:
        config = service.config
        if database:
            config = replace(config, database_url=nowhere, database_scheduler_url=nowhere)
        if states:
            config = replace(config, database_scheduler_url=None)
        if queued:
            config = replace(config, redis_url=f"redis://{NOBODY}/0")
        return service.scrape(config)

    return scrape


def refused(service: Service) -> Page:
    return replace(service, token="another-one-altogether").scrape()


def crowd(service: Service) -> None:
    queue.enqueue(service.held.redis, [("pull", (uuid4(), uuid4(), uuid4()))] * queue.ENOUGH)


def fast(service: Service) -> None:
    late(service, timedelta(minutes=40), 0.5)
    late(service, timedelta(0), 0.5, 400)


def steady(service: Service) -> None:
    late(service, timedelta(hours=5), 0.2, 10_000)
    late(service, timedelta(minutes=20), 0.2, 10_000)


def slow(service: Service) -> None:
    late(service, timedelta(days=2), 0.02, 10_000)
    late(service, timedelta(hours=5), 0.02, 10_000)


CONDITIONS: Mapping[str, Callable[[Service], Page | None]] = {
    "WarmlineDown": refused,
    "WarmlineDatabaseAway": away(database=True),
    "WarmlineStatesUnread": away(states=True),
    "WarmlineQueueAway": away(queued=True),
    "WarmlineNoWorker": lambda service: gone(service, "worker"),
    "WarmlineNoScheduler": lambda service: gone(service, "scheduler"),
    "WarmlineProcessSilent": lambda service: service.process("worker", 77, patience=-1.0),
    "WarmlineBehind": lambda service: stream(service, next_pull_at=real_now() - timedelta(hours=1)),
    "WarmlineQueueFull": crowd,
    "WarmlineJobsFailed": failed,
    "WarmlineTasksParked": lambda service: service.rows.task(state="parked", parked_at=real_now()) and None,
    "WarmlineReconnect": lambda service: service.rows.connection(provider="mastodon", status="needs_reauth") and None,
    "WarmlineConnectionsFailing": lambda service: stream(service, failures=9),
    "WarmlineNotRead": lambda service: unread(service),
    "WarmlineAtTheCeiling": lambda service: stream(service, waits_for="ceiling"),
    "WarmlineRefreshLost": once(meters.REFRESHES, "mastodon", "LostAnswerError"),
    "WarmlineWebhooksRefused": many(meters.WEBHOOKS, "x", "refused"),
    "WarmlinePushesUnanswered": many(meters.PUSHES, "hubspot", "unknown"),
    "WarmlineErrors": many(meters.REQUESTS, "/v1/tasks", "GET", "5xx"),
    "WarmlineDiffers": once(meters.DIFFERENCES, "hubspot", "task_gone"),
    "WarmlinePoolFull": lambda service: service.process("web", 0, pool_used=10),
    "WarmlineClockOff": lambda service: service.process("worker", 1, skew=30.0),
    "WarmlineNotTidied": lambda service: service.held.redis.hset(presence.MARKS, presence.HOUSEKEEPING, "1000") and None,
    "WarmlineTasksLateFast": fast,
    "WarmlineTasksLate": steady,
    "WarmlineTasksLateSlow": slow,
}  # fmt: skip


def test_every_alert_is_quiet_while_all_is_well_and_raised_by_its_condition(service: Service) -> None:
    assert {rule["alert"] for rule in RULES} == set(CONDITIONS)
    wrong = []
    for rule in RULES:
        service.well()
        before = service.scrape()
        noise = [each["alert"] for each in RULES if fires(each["expr"], before, before)]
        after = CONDITIONS[rule["alert"]](service) or service.scrape()
        if noise or not fires(rule["expr"], before, after):
            wrong.append((rule["alert"], noise))
    assert wrong == []


def test_a_second_condition_of_one_alert_raises_it_too(service: Service) -> None:
    [rule] = [each for each in RULES if each["alert"] == "WarmlineConnectionsFailing"]
    service.well()
    stream(service, status="stopped", error="The plan does not allow it.")
    page = service.scrape()
    assert [dict(labels) for labels in fires(rule["expr"], page, page)] == [{"provider": "mastodon", "condition": "stopped"}]  # fmt: skip
    service.well()
    service.rows.connection(provider="hubspot", kind="crm", brand=False, push_failures=9, next_push_at=real_now() + timedelta(minutes=1))  # fmt: skip
    page = service.scrape()
    assert [dict(labels) for labels in fires(rule["expr"], page, page)] == [{"provider": "hubspot", "condition": "failing"}]  # fmt: skip


def test_what_an_alert_counts_stands_at_nothing_before_it_happens(service: Service) -> None:
    """Prometheus sees how a counter grows, not that it appears."""
    service.well()
    page = service.scrape()
    assert {name for name, counter in COUNTS.items() if fires(f"{counter} == 0", page)} == set(COUNTS)
    assert [name for name, counter in COUNTS.items() if fires(f"{counter} > 0", page)] == []


def test_the_first_after_the_queue_was_emptied_raises_its_alert_as_well(service: Service) -> None:
    quiet = []
    for rule in (each for each in RULES if each["alert"] in COUNTS):
        service.well()
        CONDITIONS[rule["alert"]](service)
        service.scrape()
        service.held.redis.delete(meters.KEY)
        emptied = service.scrape()
        CONDITIONS[rule["alert"]](service)
        if not fires(rule["expr"], emptied, service.scrape()):
            quiet.append(rule["alert"])
    assert quiet == []


def test_what_could_not_be_read_for_a_while_has_not_happened_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 0 meanwhile would look like a restart, and all that was ever counted like what has happened since."""

    def unread(_: object) -> list[meters.Reading]:
        raise RedisError

    service.well()
    for name in COUNTS:
        CONDITIONS[name](service)
    before = service.scrape()
    assert {name for name, counter in COUNTS.items() if fires(f"{counter} > 0", before)} == set(COUNTS)
    with monkeypatch.context() as patch:
        patch.setattr(meters, "read", unread)
        pages = [before, service.scrape(), service.scrape(replace(service.config, redis_url=f"redis://{NOBODY}/0"))]
    pages.append(service.scrape())
    assert [rule["alert"] for rule in RULES if rule["alert"] in COUNTS and fires(rule["expr"], *pages)] == []


def test_the_burn_rates_of_the_alerts_are_those_that_the_page_warns_of() -> None:
    expressions = [rule["expr"] for rule in RULES if "burn_rate" in rule["expr"]]
    assert expressions == [
        f'warmline_freshness_burn_rate{{window="{each.long}"}} > {each.rate:g} and ignoring(window)'
        f' warmline_freshness_burn_rate{{window="{each.short}"}} > {each.rate:g}'
        for each in freshness.TOO_FAST
    ]


def test_every_alert_has_a_paragraph_that_says_what_to_do() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    anchors = {line.removeprefix("### ").strip().lower(): line for line in page.splitlines() if line.startswith("### ")}
    for rule in RULES:
        path, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert path == "docs/operations.md"
        heading = anchors[anchor]
        paragraph = page.partition(heading)[2].strip().splitlines()[0]
        assert len(paragraph) > 60, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"].endswith(".")


def test_prometheus_itself_takes_the_file() -> None:
    """Where its own checker is at hand."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool, which comes with Prometheus, is not installed")
    done = subprocess.run([promtool, "check", "rules", str(FILE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
