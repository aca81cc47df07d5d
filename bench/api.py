"""The API: a page of engagements out of very many, against a bare route; and the last page against the first."""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
import time
from dataclasses import dataclass, replace
from typing import Any

from bench import corpus
from bench.figures import Figure
from bench.place import Place, environment, free_port, member, place, running
from bench.rounds import in_turns, median
from bench.scale import Scale
from service import accounts
from service.processes import Command
from service.runtime import Runtime

CONNECTIONS = 4
LIMIT = 50
PAGES = 20  # of either end in each round, for the medians


@dataclass(frozen=True)
class _Target:
    port: int
    path: str
    headers: dict[str, str]


def measure(scale: Scale) -> list[Figure]:
    """Requests a second over a few kept connections, the client on the same machine."""
    with place() as here:
        held, key, workspace = _filled(here, scale)
        config = replace(held.config, port=free_port())
        env = {**os.environ, **environment(config, BENCH_WORKSPACE=workspace)}
        bare_port = free_port()
        served = Command("web", (sys.executable, "-m", "service.cli", "web"), env=env)
        bare_argv = (
            "-m",
            "gunicorn",
            "--config",
            "python:service.serving",
            "--bind",
            f"127.0.0.1:{bare_port}",
            "bench.bare_api:create_app()",
        )
        bare = Command("bare", (sys.executable, *bare_argv), env=env)
        with (
            running(served, here.home / "log" / "web.log", f"http://127.0.0.1:{config.port}/livez"),
            running(bare, here.home / "log" / "bare.log", f"http://127.0.0.1:{bare_port}/engagements"),
        ):
            ours = _Target(config.port, f"/v1/engagements?limit={LIMIT}", {"Authorization": f"Bearer {key}"})
            theirs = _Target(bare_port, "/engagements", {})
            for target in (ours, theirs):
                _hammer(target, scale.api_seconds / 3)  # connections and caches
            mine, reference = in_turns(
                scale.rounds + 2,
                lambda _: _hammer(ours, scale.api_seconds),
                lambda _: _hammer(theirs, scale.api_seconds),
            )
            last = replace(ours, path=f"{ours.path}&cursor={_last_cursor(here, ours)}")
            pages = PAGES * scale.rounds
            ends, begins = in_turns(pages, lambda _: _once(last), lambda _: _once(ours))
    stored = scale.decide_posts * scale.many_times
    size = f"GET /v1/engagements?limit={LIMIT} out of {stored:,}, {CONNECTIONS} kept connections, {scale.rounds + 2} rounds of {scale.api_seconds} s"
    against = "a bare Flask route under the same gunicorn settings: same query, role and policy, rows dumped by json; no key, no cursor"
    return [
        Figure("api: requests/s", median(mine), "requests/s", size, median(reference), against, at_least=0.5),
        Figure("api: last page", median(ends) * 1000, "ms", f"one request at a time, {pages} of each in turns", median(begins) * 1000,
               "the first page", at_most=1.25),
    ]  # fmt: skip


def _filled(here: Place, scale: Scale) -> tuple[Runtime, str, str]:
    """Posts as they are stored, a key that may read them, and whose they are."""
    held = Runtime(here.database("api"))
    who = member(held)
    key = accounts.create_api_key(held.db, who.workspace_id, who.caller.user_id, "bench", ["read"])
    held.db.engine.dispose()
    with here.admin("api") as admin:
        corpus.fill(admin, corpus.shop(admin, who.workspace_id), scale.decide_posts)
        corpus.multiply(admin, scale.many_times, ("authors", "engagements"))
    return held, key, str(who.workspace_id)


def _last_cursor(here: Place, target: _Target) -> str:
    """The cursor behind which the last page lies, as the API itself gives it out: that of the post before it."""
    with here.admin("api") as admin:
        row = admin.execute(
            f"SELECT posted_at FROM engagements ORDER BY posted_at, id OFFSET {LIMIT} LIMIT 1"
        ).fetchone()
    assert row
    until = row[0].isoformat().replace("+", "%2B")
    page = _read(replace(target, path=f"/v1/engagements?limit=1&until={until}"))
    return str(page["next_cursor"])


# --- the client -----------------------------------------------------------------------------------------------


def _hammer(target: _Target, seconds: float) -> float:
    """Requests a second over `CONNECTIONS` connections that ask again as soon as they are answered."""
    counts, failures = [0] * CONNECTIONS, []
    until = time.perf_counter() + seconds

    def ask(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
        while time.perf_counter() < until:
            connection.request("GET", target.path, headers=target.headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                failures.append(answer.status)
                return
            counts[number] += 1
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CONNECTIONS)]
    begun = time.perf_counter()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if failures:
        raise RuntimeError(f"{target.path} answered {failures[0]}")
    return sum(counts) / (time.perf_counter() - begun)


def _once(target: _Target) -> float:
    begun = time.perf_counter()
    _read(target)
    return time.perf_counter() - begun


def _read(target: _Target) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    connection.request("GET", target.path, headers=target.headers)
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{target.path} answered {answer.status}: {body}")
    return body
