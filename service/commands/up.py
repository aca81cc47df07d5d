"""`warmline up`: everything on this machine, with a sandbox to play in."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

import click

from service import accounts, launcher, processes
from service import config as configuration
from service.clock import real_now
from service.demo import figures, run
from service.demo.scenario import OWNER, scenario
from service.demo.screen import Screen

LOOK = 0.5  # seconds


@click.command()
@click.option("--sandbox-port", type=int, help="Where the sandbox listens, if not at WARMLINE_SANDBOX_PORT or 8790.")
def command(sandbox_port: int | None) -> None:
    """Start everything, connect the sandbox's accounts, and show what happens. Ctrl-C stops all of it."""
    processes.end_on_signals()
    config = configuration.load(follow=False)
    screen = Screen(sys.stderr)
    screen.say("Starting PostgreSQL, Valkey, the sandbox, web, worker and scheduler")
    with launcher.stack(config, sandbox_port=sandbox_port or config.sandbox_port) as stack:
        work = run.Run(
            stack,
            scenario(real_now()),
            screen.say,
            OWNER,
            "Demo",
            {**run.SETTINGS, "first_pull_days": 60, "poll_seconds": 15},
        )
        run.fill(work)
        run.connect_all(work)
        assert work.workspace_id is not None
        _addresses(work)
        with suppress(KeyboardInterrupt):  # that is how it is meant to end
            while True:
                stack.check()
                screen.progress(figures.count(work.runtime, work.workspace_id).line())
                time.sleep(LOOK)
        screen.say("Stopping.")


def _addresses(work: run.Run) -> None:
    config = work.stack.config
    link = accounts.signin_link(work.runtime.db, OWNER, config.base_url)
    work.say("")
    work.say(f"  Console      {link}   (signs you in once; another: {sys.argv[0]} signin {OWNER})")
    work.say(
        f"  API          {config.base_url}/v1   (make a key in the console, under Settings; contract: openapi.yaml)"
    )
    work.say(f"  Sandbox CRM  {work.stack.sandbox_url}/crm   (where the tasks appear)")
    work.say(f"  Network      {work.stack.sandbox_url}/network   (post as a customer, then answer as the brand)")
    work.say("")
    work.say("Ctrl-C stops everything. What it holds is found again next time.")
