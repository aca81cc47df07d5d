"""`warmline demo`: the main job once, from posts to tasks, and what came of it."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from service import config as configuration
from service import launcher, processes
from service.clock import standing_still
from service.demo import run, tables
from service.demo.sandbox import Load
from service.demo.scenario import OWNER, scenario
from service.demo.screen import Screen
from service.errors import PlainError

JUST_AFTER = timedelta(minutes=2)  # a little more than the demo's patience, so that the last to write waits, too
LAST_POST = datetime(2026, 3, 12, 16, 0, tzinfo=UTC)  # where the built-in scenario ends


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; progress goes to stderr.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="A folder with messages.csv and, if you like, contacts.csv."
)
@click.option(
    "--now", help="When 'now' is for the rules, such as 2026-03-12T16:00:00Z. Without it: just after the last post."
)
@click.option("--sandbox-port", type=int, help="Where the sandbox listens, if not at WARMLINE_SANDBOX_PORT or 8790.")
def command(as_json: bool, data: Path | None, now: str | None, sandbox_port: int | None) -> None:
    """Run the main job on the built-in scenario, or on your own CSV files, and say what came of it."""
    processes.end_on_signals()
    load, last = _load(data)
    at = _instant(now) if now else last + JUST_AFTER
    screen = Screen(sys.stderr)
    screen.say("Starting PostgreSQL, Valkey, the sandbox, web, worker and scheduler")
    config = configuration.load(follow=False)
    config = replace(config, home=config.home / _folder(data))
    # The rules' `now` stands still, here and in every process that is started.
    with standing_still(at), launcher.stack(config, sandbox_port=sandbox_port or config.sandbox_port) as stack:
        days = (at - min(datetime.fromisoformat(post["created_at"]) for post in load.posts)).days + 2
        kept = max(days, 365)  # nothing is read that would not be kept
        values = {
            **run.SETTINGS,
            "first_pull_days": days,
            "retention_days": kept,
            "poll_seconds": 3600,
            "lapse_days": 730,
        }
        work = run.Run(stack, load, screen.say, OWNER, "Demo", values)
        work.sandbox.settings(rate_limits=False, whole_history=True)
        run.fill(work)
        run.connect_all(work)
        found = run.settle(work)
        run.take_back(work)
        if load.deleted:
            found = run.settle(work)
        result = run.report(work, found)
    click.echo(json.dumps(result) if as_json else _in_words(result))


def _load(data: Path | None) -> tuple[Load, datetime]:
    return tables.read(data, OWNER) if data else (scenario(LAST_POST), LAST_POST)


def _folder(data: Path | None) -> str:
    """Each set of files has its own folder below the data folder, so that none counts another's posts."""
    return f"demo-{data.name}-{hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:8]}" if data else "demo"


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise PlainError(f"--now is {text!r}, which is not a time such as 2026-03-12T16:00:00Z.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _in_words(result: dict[str, object]) -> str:
    names = {
        "pulled": "posts pulled",
        "authors": "authors",
        "matched": "matched",
        "suggested": "with suggestions",
        "crm_tasks": "tasks in the CRM",
    }
    return ", ".join(f"{result[key]} {words}" for key, words in names.items()) + "."
