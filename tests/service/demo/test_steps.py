"""What the demo and `warmline up` are made of: the screen, the sandbox's switches, the way through the consent pages."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.demo import consent
from service.demo.consent import Visitor
from service.demo.sandbox import Load, Sandbox
from service.demo.screen import Screen
from service.errors import PlainError
from service.models import Brand, Connection
from service.runtime import Runtime
from tests.conftest import Member
from tests.sandbox_server import outside

NOW = datetime(2026, 3, 12, 12, tzinfo=UTC)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_progress_changes_in_place() -> None:
    out = Terminal()
    screen = Screen(out)
    for line in ("1 post", "1 post", "2 posts"):
        screen.progress(line)
    screen.say("Done")
    assert out.getvalue() == "1 post\r\x1b[2K2 posts\r\x1b[2KDone\n"


def test_in_a_file_every_change_is_a_line() -> None:
    out = io.StringIO()
    screen = Screen(out)
    for line in ("1 post", "1 post", "2 posts"):
        screen.progress(line)
    assert out.getvalue() == "1 post\n2 posts\n"


def test_what_the_sandbox_refuses_is_its_own_sentence(tmp_path: Path) -> None:
    twins = [{"id": 1, "handle": "acme"}, {"id": 2, "handle": "ACME"}]
    with outside(tmp_path, NOW) as world, pytest.raises(PlainError) as refused:
        Sandbox(world.url).load(Load(accounts=twins))
    assert str(refused.value) == (
        "The sandbox refused /control/load (400): Nothing was kept: two accounts would bear one handle; give each its own."
    )


def test_a_load_twice_is_a_load_once(tmp_path: Path) -> None:
    load = Load(
        accounts=[{"id": 1, "handle": "acme", "brand": True}],
        posts=[{"id": 7, "author_id": 1, "text": "Hello", "created_at": NOW.isoformat()}],
        contacts=[{"id": 5, "firstname": "Ana"}],
    )
    with outside(tmp_path, NOW) as world:
        sandbox = Sandbox(world.url)
        for _ in range(2):
            sandbox.load(load)
        held = sandbox.counts()
    assert (held["accounts"], held["posts"], held["contacts"]) == (1, 1, 1)


def test_a_sandbox_that_is_away_is_one_plain_sentence() -> None:
    with pytest.raises(PlainError, match=r"^The sandbox does not answer \(ConnectionError\)\.$"):
        Sandbox("http://127.0.0.1:1").counts()


def test_the_first_brand_of_a_workspace_is_taken_and_the_next_is_made(held: Runtime, owner: Member) -> None:
    visitor = consent.visit(held, owner.email)
    first, again = (consent.brand(visitor, "Fernhill", ["x:Tomas"]) for _ in range(2))
    second = consent.brand(visitor, "Bolt", [])
    assert first == again != second
    with held.db.tenant(owner.workspace_id) as session:
        assert {row.name: row.colleagues for row in session.query(Brand)} == {"Fernhill": ["x:tomas"], "Bolt": []}


def test_nobody_is_signed_in_who_has_no_account(held: Runtime) -> None:
    with pytest.raises(PlainError, match="Nobody with the address"):
        consent.visit(held, "who@acme.test")


def test_only_what_works_counts_as_connected(held: Runtime, owner: Member) -> None:
    visitor: Visitor = consent.visit(held, owner.email)
    with held.db.tenant(owner.workspace_id) as session:
        for number, status in enumerate(("active", "needs_reauth", "disconnected")):
            row = Connection(
                workspace_id=owner.workspace_id, provider="hubspot", host="", kind="crm", account_id=str(number), handle=status, name="", status=status
            )  # fmt: skip
            session.add(row)
    assert consent.connected(visitor) == {("hubspot", "active")}
