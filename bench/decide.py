"""Decide: from scratch, against a bare loop over the same rows; and an hour's posts on top of few and of very many."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text

from bench import corpus, work
from bench.corpus import NOW
from bench.figures import Figure
from bench.place import Place, environment, member, place
from bench.rounds import in_turns, median
from bench.scale import Scale
from bench.worker import Outcome, apart, processor_seconds
from service.config import Config
from service.models import Connection
from service.runtime import Runtime
from service.store import pulling, us
from workers import decide, jobs

POSTS_PER_SECOND, MEGABYTES = 5000, 300
# As push would leave what decide wants: it stands in the CRM.
_PUSHED = (
    "UPDATE tasks SET state = 'open', push_at = NULL, written = content, external_id = key, written_at = now(), pushed_at = now()"
    " WHERE state = 'absent' AND wanted = 'open'"
)


def measure(scale: Scale) -> list[Figure]:
    """Posts a second, peak memory, and whether an hour costs what is new in it or what is stored."""
    with place() as here:
        return [*_from_scratch(here, scale), *_an_hour(here, scale)]


def _from_scratch(here: Place, scale: Scale) -> list[Figure]:
    _, where = _stored(here, "posts", scale.decide_posts)

    def round_of(function: Any) -> Any:
        def run(index: int) -> Outcome:
            name = f"{function.__name__}_{index}"
            return apart(function, _env(here.database(name, "posts")), workspace=str(where.workspace_id))

        return run

    ours, theirs = in_turns(scale.rounds, round_of(everything), round_of(bare))
    speed, reference = ([scale.decide_posts / each.result["seconds"] for each in side] for side in (ours, theirs))
    tasks = ours[0].result["tasks"]
    size = f"{scale.decide_posts:,} posts in threads of 2 to 6, {tasks:,} tasks come of them, one process, {scale.rounds} rounds"
    against = "a bare loop that reads the same rows, looks who spoke last, and writes one verdict a conversation with executemany"
    return [
        Figure("decide: posts/s from scratch", median(speed), "posts/s", size, median(reference), against, of="value",
               at_least=POSTS_PER_SECOND),
        Figure("decide: posts per processor second", median([scale.decide_posts / each.result["busy"] for each in ours]), "posts/s",
               f"{size}; its own time and that of its PostgreSQL backend, which a busy machine stretches less than the clock"),
        Figure("decide: peak memory", max(each.peak_mb for each in ours), "MB", size, max(each.peak_mb for each in theirs), against,
               of="value", at_most=MEGABYTES),
    ]  # fmt: skip


def _an_hour(here: Place, scale: Scale) -> list[Figure]:
    few, many = (
        _decided(here, "few", scale.few_posts, 1),
        _decided(here, "many", scale.decide_posts, scale.many_times),
    )

    def round_of(where: tuple[Config, corpus.Shop, int]) -> Any:
        config, shop, authors = where

        def run(index: int) -> Outcome:
            return apart(
                an_hour, _env(config), shop=shop.as_json(), number=scale.hour_posts, hour=index, authors=authors
            )

        return run

    on_many, on_few = in_turns(scale.hours, round_of(many), round_of(few))
    much, little = ([each.result["seconds"] * 1000 for each in side] for side in (on_many, on_few))
    stored = scale.decide_posts * scale.many_times
    return [
        Figure(
            "decide: an hour's new posts", median(much), "ms",
            f"{scale.hour_posts} new posts stored and decided on top of {stored:,} decided ones, {scale.hours} rounds", median(little),
            f"the same on top of {scale.few_posts:,}", at_most=2.0,
        )
    ]  # fmt: skip


def _stored(here: Place, name: str, posts: int) -> tuple[Config, corpus.Shop]:
    """A database with this many posts, none of them decided."""
    config = here.database(name)
    held = Runtime(config)
    who = member(held)
    held.db.engine.dispose()
    with here.admin(name) as admin:
        where = corpus.shop(admin, who.workspace_id)
        corpus.fill(admin, where, posts)
        admin.execute("UPDATE workspace_schedule SET decide_at = %s", [NOW])
    return config, where


def _decided(here: Place, name: str, posts: int, times: int) -> tuple[Config, corpus.Shop, int]:
    """A database with `posts` times `times` posts, all decided, and how many authors are known by number in it."""
    config, where = _stored(here, name, posts)
    apart(everything, _env(config), workspace=str(where.workspace_id))
    with here.admin(name) as admin:
        admin.execute(_PUSHED)
        corpus.multiply(admin, times)
        row = admin.execute("SELECT count(*) FROM authors WHERE native_id NOT LIKE '%%-%%'").fetchone()
    return config, where, row[0] - 1 if row else 0


def _env(config: Config) -> dict[str, str]:
    return environment(config, WARMLINE_NOW=NOW.isoformat())


# --- what is timed, in processes of their own -----------------------------------------------------------------


def everything(workspace: str) -> dict[str, float]:
    """Decides all that is due, as a worker does."""
    jobs.preload()  # as a worker does before it takes a job
    with work.runtime().db.globally() as session:
        server = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
    begun, busy = time.perf_counter(), processor_seconds(server)
    _decide()
    seconds, busy = time.perf_counter() - begun, processor_seconds(server) - busy
    with work.runtime().db.tenant(UUID(workspace)) as session:
        left, tasks = session.execute(text(
            "SELECT (SELECT count(*) FROM conversations WHERE decided_at IS NULL), (SELECT count(*) FROM tasks)"
        )).one()  # fmt: skip
    if left:
        raise RuntimeError(f"{left} conversations were not decided")
    return {"seconds": seconds, "busy": busy, "tasks": tasks}


def _decide() -> None:
    while leases := work.claim("decide"):
        for each in leases:
            decide.decide(work.runtime(), *each.ids)


def bare(workspace: str) -> dict[str, float]:
    """The least that an answer to "who waits" could cost."""
    verdicts = []
    begun = time.perf_counter()
    with psycopg.connect(
        work.runtime().config.need("database_url").replace("postgresql+psycopg", "postgresql")
    ) as connection:
        connection.execute("SELECT set_config('app.workspace_id', %s, false)", [workspace])
        with connection.cursor("posts") as cursor:
            cursor.execute(
                "SELECT e.thread, e.ours, e.posted_at, e.text, a.handle, a.name FROM engagements e JOIN authors a ON a.id = e.author_id"
                " AND a.workspace_id = e.workspace_id ORDER BY e.thread, e.posted_at"
            )
            last = None
            for row in cursor:
                if last is not None and last[0] != row[0]:
                    verdicts.append((None if last[1] else last[2], last[0]))
                last = row
            if last is not None:
                verdicts.append((None if last[1] else last[2], last[0]))
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE conversations SET waiting_since = %s, decide_at = NULL WHERE thread = %s"
                               " AND brand_id = (SELECT id FROM brands LIMIT 1)", verdicts)  # fmt: skip
        connection.commit()
    return {"seconds": time.perf_counter() - begun}


def an_hour(shop: dict[str, str], number: int, hour: int, authors: int) -> dict[str, float]:
    """Stores new posts as a pull does, and decides."""
    jobs.preload()
    where = corpus.Shop(**{name: UUID(value) for name, value in shop.items()})
    posts = corpus.an_hour(number, hour, authors)
    held = work.runtime()
    with held.db.tenant(where.workspace_id) as session:  # the first use of a connection is no part of what is measured
        source = us.source(session, session.get_one(Connection, (where.workspace_id, where.account)))
    work.claim("push")
    begun = time.perf_counter()
    with held.db.tenant(where.workspace_id) as session:
        pulling.save_engagements(session, source, posts)
    _decide()
    return {"seconds": time.perf_counter() - begun}
