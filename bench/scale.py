"""How much is measured: `full` is what the goals are about, `small` shows in seconds that everything runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    apart: bool  # servers and programs of its own for each benchmark: none is measured after another, or beside what it has left
    rounds: int  # of ours and of the reference, in turns
    pull_accounts: int  # of one round
    pull_posts: int  # of one account, half of them its own
    decide_posts: int
    hours: int  # rounds of it
    hour_posts: int  # new ones in an hour
    few_posts: int  # stored when that hour begins
    many_times: int  # copies of `decide_posts` that make the big store
    push_tasks: int  # of one round
    released: int  # posts, of which a bad release finds a third of the tasks without reason
    mapped: int  # records of each provider
    mapped_seconds: float  # of one round
    contacts: int  # of a first pull
    polled_hours: int  # simulated
    api_seconds: float  # of one round
    latency_posts: int
    match_contacts: int
    match_authors: int
    match_singles: int  # authors who come one by one
    match_import: int  # contacts that are stored, and as many that are filed anew
    due_connections: int
    due_rounds: int
    cost_accounts: int
    cost_posts: int  # of one account
    fleet_workspaces: int
    fleet_connections: int  # of one workspace, its CRM among them
    fleet_posts: int  # of either way to hear of them
    fleet_poll: int  # seconds
    texts: int
    learn: bool  # models anew, for figures out of fold: a minute of work
    linked: tuple[
        tuple[str, int], ...
    ]  # libraries that link records, each with the most contacts that it does in two minutes


SCALES = {
    "full": Scale(
        apart=True, rounds=3, pull_accounts=8, pull_posts=1400, decide_posts=100_000, hours=5, hour_posts=100, few_posts=1000, many_times=10,
        push_tasks=6000, released=90_000, mapped=1000, mapped_seconds=0.05, contacts=200_000, polled_hours=6, api_seconds=3.0, latency_posts=40,
        match_contacts=1_000_000, match_authors=10_000, match_singles=200, match_import=40_000, due_connections=100_000, due_rounds=3, cost_accounts=8, cost_posts=1400,
        fleet_workspaces=500, fleet_connections=10, fleet_posts=400, fleet_poll=900, texts=20_000, learn=True,
        linked=(("rapidfuzz", 30_000), ("recordlinkage", 100_000), ("splink", 500_000)),
    ),
    "small": Scale(
        apart=False, rounds=1, pull_accounts=2, pull_posts=60, decide_posts=400, hours=1, hour_posts=20, few_posts=100, many_times=3,
        push_tasks=60, released=5000, mapped=50, mapped_seconds=0.005, contacts=600, polled_hours=1, api_seconds=0.1, latency_posts=1,
        match_contacts=2000, match_authors=200, match_singles=5, match_import=900, due_connections=500, due_rounds=1, cost_accounts=2, cost_posts=60,
        fleet_workspaces=2, fleet_connections=2, fleet_posts=1, fleet_poll=5, texts=200, learn=False, linked=(),
    ),
}  # fmt: skip
