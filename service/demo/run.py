"""The steps of `warmline up` and `warmline demo`, once everything runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from integrations.provider import RECHECK
from service import accounts
from service.demo import consent, figures
from service.demo.consent import Visitor
from service.demo.figures import Figures
from service.demo.sandbox import Load, Sandbox
from service.errors import PlainError
from service.launcher import Stack
from service.models import Connection, Engagement
from service.runtime import Runtime
from service.settings_parts import AROUND_THE_CLOCK
from service.store import due

Say = Callable[[str], None]
GIVE_UP = 900.0  # seconds without anything moving

# A visitor should see something happen: a minute's patience, around the clock, and nothing held back.
SETTINGS: Mapping[str, Any] = {
    "hours": AROUND_THE_CLOCK, "patience": {"direct": 1, "problem": 1, "question": 1, "other": 1}, "daily_cap": None, "meeting_shield": False,
    "preview": False,
}  # fmt: skip


@dataclass
class Run:
    """A workspace on the sandbox."""

    stack: Stack
    load: Load
    say: Say
    email: str
    workspace: str
    values: Mapping[str, Any]
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.runtime = Runtime(self.stack.config)
        self.sandbox = Sandbox(self.stack.sandbox_url)
        self.workspace_id: UUID | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Times a step."""
        begun = time.monotonic()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.monotonic() - begun, 2)


def fill(run: Run) -> bool:
    """Puts the load into the sandbox, unless it is there. Returns whether it had to."""
    with run.step("load"):
        held = run.sandbox.counts()
        if held["posts"] >= len(run.load.posts) - len(run.load.deleted) and held["contacts"] >= len(run.load.contacts):
            return False
        run.say(f"Filling the sandbox: {len(run.load.posts):,} posts, {len(run.load.contacts):,} contacts")
        run.sandbox.load(run.load)
        return True


def connect_all(run: Run) -> Visitor:
    """The workspace, its brands, and a connection for each account of the sandbox, through the real consent pages."""
    with run.step("connect"):
        run.workspace_id, _ = accounts.ensure_workspace(
            run.runtime.db, run.workspace, run.email, values=dict(run.values)
        )
        visitor = consent.visit(run.runtime, run.email)
        spoken = consent.register(run.runtime, run.sandbox)
        brands = {
            handle: consent.brand(visitor, name, run.load.colleagues.get(name, []))
            for handle, name in run.load.brands.items()
        }
        there = consent.connected(visitor)
        kinds = {kind: [each for each in spoken if each.kind == kind] for kind in ("crm", "social")}
        for provider in kinds["crm"]:
            if provider.key not in {key for key, _ in there}:
                run.say(f"Connecting {provider.name}")
                consent.connect_account(visitor, run.sandbox, provider, "portal", None)
        missing = [(p, handle) for p in kinds["social"] for handle in brands if (p.key, handle) not in there]
        for number, (provider, handle) in enumerate(missing, 1):
            run.say(f"Connecting @{handle} on {provider.name} ({number} of {len(missing)})")
            consent.connect_account(visitor, run.sandbox, provider, handle, brands[handle])
        return visitor


def settle(run: Run, name: str = "run") -> Figures:
    """Waits until nothing is under way, saying what is held meanwhile. Raises PlainError when nothing moves any more."""
    assert run.workspace_id is not None
    with run.step(name):
        shown, moved_at = "", time.monotonic()
        quiet = 0
        while quiet < 3:  # three looks in a row, since one step marks the next one due
            run.stack.check()
            quiet = 0 if figures.under_way(run.runtime, run.workspace_id) else quiet + 1
            found = figures.count(run.runtime, run.workspace_id)
            if found.line() != shown:
                shown, moved_at = found.line(), time.monotonic()
                run.say(shown)
            if time.monotonic() - moved_at > GIVE_UP:
                why = "; ".join(figures.troubles(run.runtime, run.workspace_id)) or "see the logs"
                raise PlainError(f"Nothing has moved for {GIVE_UP / 60:.0f} minutes: {why}")
            time.sleep(0.25)
        return found


def take_back(run: Run) -> None:
    """Deletes at their source the posts that the load says are deleted later, and has the network asked about all posts
    again, as happens within a week."""
    if not run.load.deleted:
        return
    for post in run.load.deleted:
        run.sandbox.delete_post(post)
    assert run.workspace_id is not None
    with run.runtime.db.tenant(run.workspace_id) as session:
        session.execute(
            update(Engagement)
            .where(Engagement.workspace_id == run.workspace_id)
            .values(checked_at=Engagement.checked_at - timedelta(weeks=1))
        )
        for connection_id in session.scalars(
            select(Connection.id).where(Connection.workspace_id == run.workspace_id, Connection.kind == "social")
        ):
            due.pull_soon(session, run.workspace_id, connection_id, [RECHECK])


def report(run: Run, found: Figures) -> dict[str, Any]:
    """What `warmline demo --json` prints."""
    assert run.workspace_id is not None
    if troubles := figures.troubles(run.runtime, run.workspace_id):
        raise PlainError("; ".join(troubles))
    with run.step("count"):
        crm_tasks = figures.in_crm(run.runtime, run.workspace_id)
    return {**found.as_json(), "crm_tasks": crm_tasks, "seconds": run.seconds}
