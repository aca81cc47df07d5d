"""Releases with rules of another kind: what a test installs, and what it sees of that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from integrations.records import Author, TaskStatus
from service import judging
from service.rules import model
from service.rules.model import Conversation, Verdict
from service.store import deciding, runs, tasks, tending
from tests.fakes.crm import FakeCRM
from tests.workers.holding import act, change, newest, people_ask

if TYPE_CHECKING:
    from tests.workers.conftest import World

NEWER = 99
LIMIT, MANY = 2, 6
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
Rule = Callable[..., Verdict]


@pytest.fixture
def asked(connected: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """More people wait than one change may alter, each with a task in the CRM."""
    monkeypatch.setattr(runs, "LIMIT", LIMIT)
    people_ask(connected, MANY)
    connected.run()
    assert len(connected.in_crm()) == MANY
    return connected


def install(patch: pytest.MonkeyPatch, rule: Rule, version: int = NEWER) -> None:
    """This program is another version from here on."""
    for module in (model, runs, deciding, tasks):
        patch.setattr(module, "RULES_VERSION", version)
    patch.setattr(judging, "unanswered", rule)


def blind(conversation: Conversation, **_: Any) -> Verdict:
    """Rules for which nobody ever waits."""
    return Verdict(None, ("Nothing is open.",))


def credulous(conversation: Conversation, **_: Any) -> Verdict:
    """Rules that take what people ask for its own answer."""
    return Verdict(None, ("Nothing is open.",), answers={post.id: post for post in conversation.posts if not post.ours})


JUDGE = judging.unanswered


def heard(world: World) -> None:
    """Somebody says something, so that the workspace is decided."""
    number = len(world.jobs_run)
    world.says("@brand And to Faro?", id=f"late{number}", who=Author(f"late{number}", f"late{number}", "Late"))
    world.look()


def asks_again(world: World, person: int) -> None:
    who = Author(f"p{person}", f"person{person}", f"Person {person}")
    world.says("@brand Hello?", id=f"again{person}", who=who, to=f"q{person}", ago=MINUTE)
    world.look()


def answered(world: World, person: int) -> None:
    who = Author(f"p{person}", f"person{person}", f"Person {person}")
    world.answers("Yes.", id=f"a{person}", to=f"q{person}", whom=who, ago=MINUTE)
    world.look()


def open_for_those_who_asked(crm: FakeCRM) -> int:
    return sum("Porto" in task.body for task in crm.tasks.values() if task.status == TaskStatus.OPEN)


@pytest.fixture
def undone(asked: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A bad release was held and undone, and nothing else is installed yet."""
    install(monkeypatch, blind)
    heard(asked)
    assert (newest(asked).state, list(newest(asked).counts.values())) == ("held", [{"withdraw": MANY}])
    act(asked, "undo_run")
    asked.run()
    assert open_for_those_who_asked(asked.crm) == MANY
    return asked


def settings_change(world: World) -> None:
    change(world, monthly_ceiling=77)
    world.run()


def pausing(world: World) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        tending.pause(session, world.workspace_id, world.connection("social").id, "Holiday.", by="user:olga")
    world.run()


def resuming(world: World) -> None:
    with world.runtime.db.tenant(world.workspace_id) as session:
        tending.resume(session, world.workspace_id, world.connection("social").id, by="user:olga")
    world.run()


def time_passing(world: World) -> None:
    world.passes(2 * DAY)
    world.run()
