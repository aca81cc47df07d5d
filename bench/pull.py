"""Pull and store, against a bare loop of `get` and `executemany` over the same pages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import requests

from bench import network, work
from bench.figures import Figure
from bench.place import Place, environment, member, place, sandbox
from bench.rounds import in_turns, median
from bench.scale import Scale
from bench.worker import Outcome, apart
from service.runtime import Runtime
from workers import jobs, pull

FEEDS = {"mentions": "mentions", "own": "tweets"}  # our stream -> X's endpoint
PAGE = 100
_BARE_TABLES = """
CREATE TABLE bare_users (id text PRIMARY KEY, handle text, name text, bio text, location text, url text, followers integer);
CREATE TABLE bare_posts (id text PRIMARY KEY, author_id text, thread text, in_reply_to_author text, in_reply_to text, mentions text[],
                         text text, url text, language text, posted_at timestamptz);
GRANT SELECT, INSERT ON bare_users, bare_posts TO warmline_app;
"""
_DUE = "UPDATE streams SET next_pull_at = now() WHERE connection_id = ANY(%s::uuid[]) AND name = ANY(%s)"
_BARE_USER = "INSERT INTO bare_users VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
_BARE_POST = "INSERT INTO bare_posts VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"


def measure(scale: Scale) -> list[Figure]:
    """Posts a second from the sandbox into PostgreSQL, one process, one page at a time."""
    with place() as here, sandbox(here.home) as network_:
        config = here.database("pull")
        with here.admin("pull") as admin:
            admin.execute(_BARE_TABLES)
        held = Runtime(config)
        load = network.shops(scale.rounds * scale.pull_accounts, scale.pull_posts)
        network_.load(load)
        who = member(held)
        accounts = network.connect_all(held, who, network_, load)["social"]
        held.db.engine.dispose()
        env = environment(config)

        def part(index: int) -> list[str]:
            return [str(each) for each in accounts[index * scale.pull_accounts : (index + 1) * scale.pull_accounts]]

        def due(index: int) -> Outcome:
            with here.admin("pull") as admin:
                admin.execute("UPDATE streams SET next_pull_at = NULL")
                admin.execute(_DUE, [part(index), list(FEEDS)])
            return apart(ours_once, env, workspace=str(who.workspace_id))

        def bare(index: int) -> Outcome:
            return apart(bare_once, env, workspace=str(who.workspace_id), connections=part(index))

        ours, theirs = in_turns(scale.rounds, due, bare)
        _same(here, accounts)
    speed, reference = ([each.result["posts"] / each.result["seconds"] for each in side] for side in (ours, theirs))
    size = (
        f"{scale.rounds} rounds of {scale.pull_accounts} accounts with {scale.pull_posts} posts each, pages of {PAGE}"
    )
    against = "a bare loop of requests.get over the same pages and executemany of the same posts and authors into two plain tables"
    return [
        Figure("pull: posts/s", median(speed), "posts/s", size, median(reference), against, at_least=0.5),
        Figure("pull: peak memory", max(each.peak_mb for each in ours), "MB", size, max(each.peak_mb for each in theirs), against),
    ]  # fmt: skip


def _same(here: Place, accounts: list[UUID]) -> None:
    """Both sides must hold the same posts, or the comparison says nothing."""
    with here.admin("pull") as admin:
        ours, theirs = (
            {row[0] for row in admin.execute(f"SELECT {column} FROM {table}")}
            for table, column in (("engagements", "native_id"), ("bare_posts", "id"))
        )
    if ours != theirs or not ours:
        raise RuntimeError(f"ours has {len(ours)} posts and the reference {len(theirs)}")


# --- what is timed, in processes of their own -----------------------------------------------------------------


def ours_once(workspace: str) -> dict[str, float]:
    """Pulls the feeds that are due, as a worker does."""
    jobs.preload()  # as a worker does before it takes a job
    leases, before = work.claim("pull"), _stored(workspace)
    begun = time.perf_counter()
    for each in leases:
        pull.pull(work.runtime(), *each.ids)
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "posts": _stored(workspace) - before}


def _stored(workspace: str) -> int:
    with psycopg.connect(_dsn("database_url")) as connection:
        connection.execute("SELECT set_config('app.workspace_id', %s, false)", [workspace])
        row = connection.execute("SELECT count(*) FROM engagements").fetchone()
        return row[0] if row else 0


def bare_once(workspace: str, connections: list[str]) -> dict[str, float]:
    """The same pages, read and stored by the shortest loop that does it."""
    lines = [work.line(UUID(workspace), UUID(each)) for each in connections]
    count = 0
    begun = time.perf_counter()
    with psycopg.connect(_dsn("database_url")) as connection:
        for row, api, token in lines:
            for feed in FEEDS.values():
                for body in _pages(f"{api}/2/users/{row.account_id}/{feed}", token):
                    count += _keep(connection, body)
    return {"seconds": time.perf_counter() - begun, "posts": count}


def _pages(url: str, token: str) -> Iterator[dict[str, Any]]:
    from integrations.social.x.calls import TWEETS

    params = {name.replace("_", ".", 1): ",".join(values) for name, values in TWEETS.items()}
    params["max_results"] = str(PAGE)
    while True:
        answer = requests.get(url, params=params, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        answer.raise_for_status()
        body = answer.json()
        yield body
        if "next_token" not in body["meta"]:
            return
        params["pagination_token"] = body["meta"]["next_token"]


def _keep(connection: psycopg.Connection, body: dict[str, Any]) -> int:
    users = [
        (each["id"], each["username"], each["name"], each.get("description"), each.get("location"), each.get("url"),
         each["public_metrics"]["followers_count"])
        for each in body["includes"]["users"]
    ]  # fmt: skip
    posts = [
        (each["id"], each["author_id"], each["conversation_id"], each.get("in_reply_to_user_id"),
         next((one["id"] for one in each.get("referenced_tweets", ()) if one["type"] == "replied_to"), None),
         [one["id"] for one in each.get("entities", {}).get("mentions", ())], each["text"],
         f"https://x.com/{each['author_id']}/status/{each['id']}", each.get("lang"), each["created_at"])
        for each in body["data"]
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(_BARE_USER, users)
        cursor.executemany(_BARE_POST, posts)
    connection.commit()
    return len(posts)


def _dsn(name: str) -> str:
    return work.runtime().config.need(name).replace("postgresql+psycopg", "postgresql")
