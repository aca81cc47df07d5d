"""One post is followed from its network to its task in the CRM by the log alone; spans name the same ids; and how late tasks come
is counted."""

from __future__ import annotations

import gzip
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from typing import Any, ClassVar

import pytest
import structlog
from flask import Flask
from msgspec import structs
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import func, select

from integrations.errors import TemporaryError
from integrations.records import Contact
from service import accounts, logs
from service.clock import real_now
from service.models import Engagement, Freshness
from service.runtime import Runtime
from service.store import pairing
from service.watch import freshness, meters, presence, tracing
from tests.workers.conftest import ANA, World
from workers import scheduler, watched

LONG_AGO = "2020-01-01"
SECRET_TEXT = "Is the zebra-striped parcel ever going to arrive?"


@pytest.fixture
def world(connected: World) -> World:
    """Everything was set up long before: accounts, CRM, settings."""
    connected.look()
    connected.sql(f"UPDATE settings SET created_at = '{LONG_AGO}'")
    connected.sql(f"UPDATE connections SET created_at = '{LONG_AGO}', ready_at = '{LONG_AGO}'")
    meters._begin_anew()
    connected.runtime.redis.flushall()
    return connected


@pytest.fixture
def lines(world: World) -> Iterator[Any]:
    """What was logged so far, as a program reads it."""
    out, root = io.StringIO(), logging.getLogger()
    before = root.handlers, root.level
    logs.configure(replace(world.runtime.config, json_logs=True), out)

    def read() -> list[dict[str, Any]]:
        assert SECRET_TEXT not in out.getvalue()
        assert "zebra" not in out.getvalue()
        return [json.loads(line) for line in out.getvalue().splitlines()]

    yield read
    structlog.reset_defaults()
    root.handlers, root.level = before


def named(lines: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["event"] == event]


def test_one_post_is_followed_from_the_network_to_the_crm(world: World, lines: Any) -> None:
    world.says(SECRET_TEXT, id="p1")
    world.look()
    with world.runtime.db.tenant(world.workspace_id) as session:
        post = session.scalars(select(Engagement.id).filter_by(native_id="p1")).one()
    task = world.task()
    found = lines()
    [stored] = [line for line in named(found, "posts stored") if str(post) in line["posts"]]
    [decided] = [line for line in named(found, "task decided") if str(post) in line["posts"]]
    [pushed] = [line for line in named(found, "task pushed") if line["task"] == decided["task"]]
    assert (stored["job"], stored["provider"]) == ("pull", "fakesocial")
    assert (decided["job"], decided["task"], decided["wanted"]) == ("decide", str(task.id), "open")
    assert (pushed["job"], pushed["outcome"], pushed["external"]) == ("push", "created", task.external_id)
    assert len({each["trace"] for each in (stored, decided, pushed)}) == 3  # a trace for each job, and ids across them
    assert {each["workspace"] for each in (stored, decided, pushed)} == {str(world.workspace_id)}


def test_a_job_carries_the_trace_that_the_scheduler_named(world: World, lines: Any) -> None:
    world.social.script.fail(TemporaryError("chirp.test did not answer in time"), on="pull")
    world.due("mentions")
    [claim] = [each for each in world.claim() if each.job == "pull"]
    world.work(claim)
    [line] = named(lines(), "went down")
    assert line["trace"] == watched.trace("pull", claim.ids)
    assert (line["stream"], line["stream_id"]) == ("mentions", str(claim.ids[1]))


def test_spans_lie_in_the_trace_that_the_logs_name_and_hold_no_words(world: World, lines: Any) -> None:
    exporter = InMemorySpanExporter()
    tracing.configure(world.runtime.config, "worker", exporter)
    try:
        world.says(SECRET_TEXT, id="p1")
        world.look()
    finally:
        tracing.shut_down()
    spans = exporter.get_finished_spans()
    traces = {line["trace"] for line in lines() if "trace" in line}
    assert {f"{span.context.trace_id:032x}" for span in spans} >= traces
    assert {span.name for span in spans} >= {"pull", "decide", "push", "call"}
    [call] = [
        span
        for span in spans
        if span.name == "call" and span.attributes["warmline.provider"] == "fakecrm" and span.parent
    ][:1]
    parents = {span.context.span_id: span.name for span in spans}
    assert parents[call.parent.span_id] in {"push", "pull"}
    assert "zebra" not in json.dumps([span.to_json() for span in spans])


def test_an_error_marks_its_span_by_kind_alone(world: World) -> None:
    exporter = InMemorySpanExporter()
    tracing.configure(world.runtime.config, "worker", exporter)
    try:
        with pytest.raises(ValueError, match="hush"), tracing.traced("pull", tracing.trace_of("x")):
            raise ValueError("hush")
    finally:
        tracing.shut_down()
    [span] = exporter.get_finished_spans()
    assert span.attributes["error.type"] == "ValueError"
    assert not span.status.is_ok
    assert "hush" not in span.to_json()


def test_without_an_endpoint_there_are_no_spans(world: World) -> None:
    tracing.configure(world.runtime.config, "worker")
    assert tracing._tracer is None


def test_an_endpoint_without_the_packages_is_said_and_changes_nothing(
    world: World, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(role: str, exporter: object) -> object:
        raise ImportError("opentelemetry")

    monkeypatch.setattr(tracing, "_tracer_for", missing)
    tracing.configure(replace(world.runtime.config, otlp_endpoint="http://127.0.0.1:1"), "worker")
    assert tracing._tracer is None
    assert [line["event"] for line in lines()] == [tracing.MISSING]


def test_what_a_library_logs_comes_out_the_same_way_with_the_trace(lines: Any) -> None:
    with tracing.traced("pull", tracing.trace_of("a job"), job="pull"):
        logging.getLogger("somebody.elses").error("gave up after %s", "three tries")
    [line] = lines()
    assert (line["event"], line["level"], line["job"]) == ("gave up after three tries", "error", "pull")
    assert line["trace"] == tracing.trace_of("a job")


def test_a_change_by_the_api_is_followed_by_its_request_to_what_it_changed(
    app: Flask, world: World, lines: Any
) -> None:
    world.says(SECRET_TEXT, id="p1")
    world.look()
    task, who = world.task(), world.owner
    secret = accounts.create_api_key(world.runtime.db, who.workspace_id, who.user_id, "all", ["read", "write"])
    headers = {"Authorization": f"Bearer {secret}", "X-Request-Id": "from-the-proxy-1"}
    answer = app.test_client().post(f"/v1/tasks/{task.id}/dismiss", headers=headers)
    assert (answer.status_code, answer.headers["X-Request-Id"]) == (200, "from-the-proxy-1")
    world.run()
    found = lines()
    [changed] = [line for line in named(found, "changed") if line["subject"] == f"task:{task.id}"]
    [request] = named(found, "request")
    pushed = [line for line in named(found, "task pushed") if line["task"] == str(task.id)]
    assert (changed["action"], changed["request"], request["request"]) == (
        "task.dismissed",
        "from-the-proxy-1",
        "from-the-proxy-1",
    )
    assert (request["route"], changed["trace"]) == ("/v1/tasks/<uuid:task_id>/dismiss", request["trace"])
    assert [line["outcome"] for line in pushed] == ["created", "completed"]
    assert secret not in json.dumps(found)


def test_a_command_keeps_stdout_for_what_a_program_reads(capsys: pytest.CaptureFixture[str]) -> None:
    logs.quiet()
    try:
        structlog.get_logger().info("changed", action="provider.frozen")
        structlog.get_logger().warning("went down", provider="x")
    finally:
        structlog.reset_defaults()
    told = capsys.readouterr()
    assert (told.out, "changed" in told.err, "went down" in told.err) == ("", False, True)


# --- what is counted ------------------------------------------------------------------------------------------


def counted(world: World, name: str) -> dict[tuple[str, ...], float]:
    return {each.labels: each.count for each in meters.read(world.runtime.redis) if each.meter.name == name}


def test_what_jobs_do_is_counted_by_how_it_ended(world: World) -> None:
    world.social.script.fail(TemporaryError("chirp.test did not answer in time"), on="pull")
    world.look(streams=("mentions",))
    assert counted(world, "warmline_pulls")["fakesocial", "mentions", "TemporaryError"] == 1
    world.says(SECRET_TEXT, id="p1")
    world.look()
    assert counted(world, "warmline_pulls")["fakesocial", "mentions", "read"] >= 1
    assert counted(world, "warmline_posts") == {("fakesocial",): 1}
    assert counted(world, "warmline_pushes") == {("fakecrm", "created"): 1}
    assert counted(world, "warmline_jobs")["decide", "done"] >= 1


def windows(world: World) -> freshness.Window:
    with world.runtime.db.globally() as session:
        return freshness.together(freshness.by_kind(session, real_now()))["5m"]


def test_a_task_that_comes_as_soon_as_patience_ends_is_fresh(world: World) -> None:
    world.says(SECRET_TEXT, id="p1", ago=timedelta(minutes=1))
    world.look()  # patience is an hour
    world.passes(timedelta(minutes=59, seconds=30))
    world.run()
    assert windows(world) == freshness.Window(tasks=1, late=0)


def test_a_task_that_comes_an_hour_after_patience_has_ended_is_late(world: World) -> None:
    world.says(SECRET_TEXT, id="p1", ago=timedelta(minutes=1))
    world.passes(timedelta(hours=2))  # nothing was read meanwhile
    world.look()
    assert windows(world) == freshness.Window(tasks=1, late=1)
    assert counted(world, "warmline_task_delay_seconds") == {("fakecrm",): 1}


def calls(world: World) -> freshness.Window:
    with world.runtime.db.globally() as session:
        return freshness.by_kind(session, real_now())["ready_for_call"]["5m"]


def test_a_call_that_is_asked_for_counts_from_the_post_that_asks(world: World) -> None:
    world.says("@brand Can we have a call next week?", id="q1", ago=timedelta(minutes=1))
    world.look()
    assert calls(world) == freshness.Window(tasks=1, late=0)
    world.says(
        "@brand Can we have a call too?", id="q2", ago=timedelta(0), who=structs.replace(ANA, id="a2", handle="ben")
    )
    world.passes(timedelta(hours=2))  # nothing was read meanwhile
    world.look(streams=("mentions",))
    assert calls(world) == freshness.Window(tasks=2, late=1)


def test_a_call_counts_from_when_it_was_known_whose_the_talk_is(world: World) -> None:
    """They asked yesterday. That the two of them are one is decided today: nobody was late before that."""
    world.crm.add(Contact(id="c9", name="Somebody"))
    world.says("@brand Lovely shop", id="q0", ago=timedelta(minutes=2))
    world.look()
    world.says("@brand Can we have a call next week?", id="q1", ago=timedelta(days=1))
    world.set(preview=False)
    world.sql(f"UPDATE settings SET created_at = '{LONG_AGO}'")
    [(author, contact)] = world.sql("SELECT a.id, c.id FROM authors a, contacts c WHERE a.handle = 'ana'")
    with world.runtime.db.tenant(world.workspace_id) as session:
        assert pairing.pair(session, world.workspace_id, author, contact, by=world.owner.caller.actor)
    world.sql(f"UPDATE matches SET decided_at = '{world.now.isoformat()}'")
    world.look()
    assert calls(world) == freshness.Window(tasks=1, late=0)


def test_what_waits_on_purpose_is_not_late(world: World) -> None:
    """Two are ripe at once, one a day may be given: the second comes tomorrow, and that is as it should be."""
    world.set(daily_cap=1)
    world.sql(f"UPDATE settings SET created_at = '{LONG_AGO}'")
    for number in range(2):
        who = structs.replace(ANA, id=f"a{number}", handle=f"ana{number}")
        world.says(f"{SECRET_TEXT} {number}", id=f"p{number}", ago=timedelta(minutes=61), who=who)
    world.look()
    assert windows(world) == freshness.Window(tasks=1, late=0)
    world.passes(timedelta(days=1))
    world.run()
    assert len(world.tasks(state="open")) == 2
    assert windows(world) == freshness.Window(tasks=1, late=0)


def test_how_fast_the_allowance_burns_follows_from_the_windows() -> None:
    full = {name: freshness.Window(100, 0) for name in freshness.WINDOWS}
    assert freshness.burns_too_fast(full) is None
    assert freshness.Window(0, 0).burn == 0.0
    assert freshness.Window(100, 1).burn == pytest.approx(1.0)
    for each in freshness.TOO_FAST:
        late = round(each.rate) + 1
        only_long = full | {each.long: freshness.Window(100, late)}
        assert freshness.burns_too_fast(only_long) is None  # it is over
        assert freshness.burns_too_fast(only_long | {each.short: freshness.Window(100, late)}) == each


def test_slots_fall_out_of_the_windows_as_time_goes_by(held: Runtime) -> None:
    now = real_now()
    ages = {"5m": 0, "30m": 1200, "1h": 3000, "6h": 18_000, "3d": 200_000, "28d": 2_000_000}
    for seconds in ages.values():
        freshness.record(held.db, "unanswered", [1.0, 1000.0], timedelta(minutes=5), now - timedelta(seconds=seconds))
    with held.db.globally() as session:
        found = freshness.together(freshness.by_kind(session, now))
        assert [each.tasks for each in found.values()] == [2, 4, 6, 8, 10, 12]
        assert [each.late for each in found.values()] == [1, 2, 3, 4, 5, 6]
        freshness.sweep(session, now + freshness.PERIOD + timedelta(days=2))
    with held.db.globally() as session:
        assert session.scalar(select(func.count()).select_from(Freshness)) == 0


# --- who is at work -------------------------------------------------------------------------------------------


def test_a_scheduler_says_that_it_is_there_and_says_goodbye(held: Runtime) -> None:
    stop, seen = Event(), []

    def wait(seconds: float) -> None:
        seen.extend(presence.seen(held.redis))
        stop.set()

    scheduler.run(held.config, stop, wait)
    assert [each.role for each in seen] == ["scheduler"]
    assert presence.seen(held.redis) == []


def test_a_worker_says_that_it_is_there_for_as_long_as_its_job_may_take(held: Runtime) -> None:
    watched.say(lambda: held, 300.0)
    [process] = presence.seen(held.redis)
    now = presence.clock(held.redis)
    assert (process.role, process.silent(now + 299), process.silent(now + 301)) == ("worker", False, True)
    watched.leave(lambda: held)
    assert presence.seen(held.redis) == []


def test_who_was_not_heard_of_for_an_hour_is_forgotten(held: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    presence.say(held.redis, presence.WEB)
    clock = presence.clock(held.redis)
    monkeypatch.setattr(presence, "clock", lambda redis: clock + 2 * 3600)
    assert presence.seen(held.redis) == []
    assert held.redis.hlen(presence.KEY) == 0


# --- to a collector -------------------------------------------------------------------------------------------


class _Collector(BaseHTTPRequestHandler):
    got: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        self.got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


def test_spans_reach_a_collector_over_otlp(held: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    _Collector.got.clear()
    with HTTPServer(("127.0.0.1", 0), _Collector) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        tracing.configure(replace(held.config, otlp_endpoint=address), "worker")
        trace = tracing.trace_of("somebody's job")
        with tracing.traced("pull", trace, job="pull"):
            pass
        tracing.shut_down()  # sends what is left
        server.shutdown()
    [(path, body)] = _Collector.got
    assert path == "/v1/traces"
    sent = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    assert bytes.fromhex(trace) in sent
    assert b"warmline-worker" in sent
