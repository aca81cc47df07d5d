"""Leaving a CRM without a trace: what was opened there is withdrawn, what was made there is removed, and a receipt says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs

from integrations.errors import TemporaryError
from integrations.provider import IDS_ANYWHERE, FormField
from integrations.records import Owner, TaskState, TaskStatus
from integrations.registry import providers
from service import connect, disconnecting
from service.clock import real_now
from service.errors import PlainError
from service.models import Connection
from service.runtime import Runtime
from service.store import connecting
from tests.conftest import Member, make_member
from tests.fakes import crm as fake_crm
from tests.fakes.crm import FakeCRM
from tests.workers.conftest import World
from tests.workers.leaving import purge, receipt
from workers import leave


@dataclass
class TidyCRM(FakeCRM):
    """A CRM in which connecting makes a field."""

    fields: list[str] = field(default_factory=lambda: ["warmline_key"])
    cleaned: int = 0

    def prepare(self) -> Mapping[str, Any]:
        self.fields = ["warmline_key"]
        return super().prepare()

    def clean(self) -> Sequence[str]:
        self.script.called("clean")
        self.cleaned += 1
        lines = [f"The field {name} was deleted." for name in self.fields] or ["No field of ours is left."]
        self.fields.clear()
        return lines


@pytest.fixture
def tidy(world: World) -> Iterator[TidyCRM]:
    """The CRM that is connected, which can be cleaned."""
    crm = TidyCRM()
    providers()["fakecrm"] = fake_crm.manifest(crm)
    world.crm = crm
    crm.add(Owner("o1", "olga@acme.test", "Olga"))
    world.knows()
    for key in ("fakecrm", "fakesocial"):
        connect.connect_with_secret(world.runtime, world.owner.caller, key, None, {})
    world.says("@brand Do you ship to Faro?", id="p1")
    world.run()
    assert len(world.in_crm()) == 1
    return crm


def once(world: World) -> None:
    """What is due now is done once, whatever comes of it."""
    for claim in world.claim():
        world.work(claim)


@pytest.fixture
def rival(world: World, tidy: TidyCRM) -> Member:
    """Another workspace, which has connected the same account of the CRM."""
    member = make_member(world.runtime, "Rival", "rita@rival.test")
    connect.connect_with_secret(world.runtime, member.caller, "fakecrm", None, {})
    world.run()
    return member


def crm_of(world: World, member: Member) -> Connection:
    with world.runtime.db.tenant(member.workspace_id) as session:
        return session.query(Connection).filter_by(kind="crm").one()


def purge_of(world: World, member: Member) -> None:
    assert disconnecting.purge(world.runtime, member.caller, crm_of(world, member).id)


def receipt_of(world: World, member: Member) -> list[str]:
    return list(crm_of(world, member).receipt["lines"])


def test_open_tasks_are_withdrawn_then_the_field_goes_then_the_consent(world: World, tidy: TidyCRM) -> None:
    purge(world)
    assert world.connection("crm").status == "leaving"
    world.run()

    assert tidy.tasks == {}
    assert (tidy.fields, tidy.cleaned) == ([], 1)
    crm = world.connection("crm")
    assert crm.status == "disconnected"
    assert world.sql("SELECT count(*) FROM credentials WHERE connection_id = :c", c=crm.id) == [(0,)]
    assert receipt(world) == [
        "1 open task was withdrawn.",
        "The field warmline_key was deleted.",
        disconnecting.STAYS_OF_A_CRM,
        "Example CRM was not told that we left. Remove Warmline there, or the key that you made for it.",
    ]
    assert crm.receipt["by"] == world.owner.caller.actor
    assert crm.receipt["state"] == "done"


def test_nothing_new_is_made_or_read_there_meanwhile(world: World, tidy: TidyCRM) -> None:
    tidy.script.fail(TemporaryError("the CRM is being moved"), on="push_tasks")
    purge(world)
    world.says("@brand Anybody there?", id="p2", ago=timedelta(hours=2))
    world.due("mentions", "contacts")
    reads = tidy.script.count("pull")
    for _ in range(3):
        once(world)
    assert len(tidy.tasks) == tidy.tasks_ever_created == 1  # it could not be withdrawn yet
    assert tidy.script.count("pull") == reads
    assert len(world.tasks(wanted="open")) == 1  # whoever asked last waits here


def test_a_crm_that_is_away_loses_nothing_and_is_asked_again(world: World, tidy: TidyCRM) -> None:
    tidy.script.fail(TemporaryError("the CRM is away"), on="push_tasks")
    purge(world)
    once(world)
    crm = world.connection("crm")
    assert (crm.status, crm.push_error) == ("leaving", "the CRM is away.")
    assert len(tidy.tasks) == 1

    purge(world)  # asking again does no harm
    world.run()
    assert tidy.tasks == {}
    assert world.connection("crm").status == "disconnected"
    assert receipt(world)[0] == "1 open task was withdrawn."


def test_a_clean_that_fails_is_done_again_and_the_tasks_are_not(world: World, tidy: TidyCRM) -> None:
    tidy.script.fail(TemporaryError("the CRM is away"), on="clean")
    purge(world)
    for _ in range(3):
        once(world)
    assert world.connection("crm").status == "leaving"
    assert tidy.tasks == {}

    purge(world)
    world.run()
    assert (world.connection("crm").status, tidy.fields) == ("disconnected", [])


def test_what_people_made_theirs_stays_and_is_counted(world: World, tidy: TidyCRM) -> None:
    [task_id] = tidy.tasks
    tidy.edit_as_person(task_id, subject="Mine now")
    world.look(streams=("tasks",))
    purge(world)
    world.run()
    assert [task.subject for task in tidy.tasks.values()] == ["Mine now"]
    assert receipt(world)[0].startswith("1 task was left, because people had changed what stands there")


def test_what_the_crm_refuses_to_withdraw_stays_and_is_counted(world: World, tidy: TidyCRM) -> None:
    [task] = tidy.tasks.values()
    assert task.key
    tidy.refuse(task.key, "A workflow forbids deleting tasks.")
    purge(world)
    world.run()
    assert len(tidy.tasks) == 1
    assert receipt(world)[0].startswith("1 open task was left, because the CRM refused")
    assert world.connection("crm").status == "disconnected"


def test_what_is_done_stays_as_history(world: World, tidy: TidyCRM) -> None:
    world.answers("Yes, we do.", id="r1", to="p1")
    world.look(streams=("own",))
    assert world.in_crm("completed")
    purge(world)
    world.run()
    assert len(tidy.tasks) == 1
    assert receipt(world)[0] == "1 closed task was left as your history."


def test_whoever_waits_still_gets_a_task_in_the_next_crm(world: World, tidy: TidyCRM) -> None:
    purge(world)
    world.run()
    after = FakeCRM(account=structs.replace(fake_crm.ACCOUNT, id="crm-2"))
    after.add(Owner("o9", "olga@acme.test", "Olga"))
    providers()["aftercrm"] = fake_crm.manifest(after, "aftercrm")
    try:
        connect.connect_with_secret(world.runtime, world.owner.caller, "aftercrm", None, {})
        world.run()
        assert after.tasks_ever_created == 1
        assert tidy.tasks == {}
    finally:
        providers().pop("aftercrm")


def test_what_was_withdrawn_when_it_was_left_before_is_not_on_the_receipt_again(world: World, tidy: TidyCRM) -> None:
    world.answers("Yes, we do.", id="a1", to="p1")
    purge(world)
    world.look()
    assert receipt(world)[0] == "1 open task was withdrawn."
    connect.connect_with_secret(world.runtime, world.owner.caller, "fakecrm", None, {})
    world.says("@brand And to Lagos?", id="p2", ago=timedelta(hours=2))
    world.look()
    assert len(world.in_crm()) == 1  # at once, and not when whoever left it would have given up
    purge(world)
    world.run()
    assert receipt(world)[0] == "1 open task was withdrawn."


def test_connecting_again_before_it_is_over_keeps_the_tasks(world: World, tidy: TidyCRM) -> None:
    purge(world)
    connect.connect_with_secret(world.runtime, world.owner.caller, "fakecrm", None, {})
    world.run()
    assert world.connection("crm").status == "active"
    assert len(world.in_crm()) == 1
    assert tidy.cleaned == 0
    assert world.connection("crm").receipt == {}


def test_disconnecting_it_as_it_is_after_all_leaves_the_tasks_that_stand(world: World, tidy: TidyCRM) -> None:
    tidy.script.fail(TemporaryError("the CRM is away"), on="push_tasks")
    purge(world)
    once(world)
    assert disconnecting.disconnect(world.runtime, world.owner.caller, world.connection("crm").id)
    world.run()
    crm = world.connection("crm")
    assert (crm.status, crm.receipt, tidy.cleaned) == ("disconnected", {}, 0)
    assert len(tidy.tasks) == 1
    assert [task.wanted for task in world.tasks()] == ["open"]


@pytest.mark.parametrize("ended", [False, True], ids=["while it is left", "once it is left"])
def test_what_is_wanted_open_again_after_a_crm_closed_it_is_made_in_the_next_one(
    world: World, tidy: TidyCRM, next_crm: FakeCRM, ended: bool
) -> None:
    world.answers("Yes, we do.", id="r1", to="p1")
    world.look(streams=("own",))
    purge(world)
    if ended:
        world.run()
    world.social.delete("r1")
    world.sql("UPDATE engagements SET checked_at = checked_at - interval '7 hours'")
    world.look()
    world.run()
    assert receipt(world)[0] == "1 closed task was left as your history."
    connect.connect_with_secret(world.runtime, world.owner.caller, "nextcrm", None, {})
    world.run()
    assert [task.status for task in tidy.tasks.values()] == [TaskStatus.COMPLETED]
    assert [task.status for task in next_crm.tasks.values()] == [TaskStatus.OPEN]


@pytest.mark.parametrize(
    ("happens", "line"),
    [
        (
            lambda crm, task: crm.edit_as_person(task.id, subject="Mine now"),
            "1 task was left, because people had changed",
        ),
        (
            lambda crm, task: crm.refuse(task.key, "A workflow forbids it."),
            "1 open task was left, because the CRM refused",
        ),
    ],
    ids=["theirs", "refused"],
)
def test_what_was_left_there_before_is_on_the_receipt_too(
    world: World, tidy: TidyCRM, happens: Callable[[TidyCRM, TaskState], None], line: str
) -> None:
    [task] = tidy.tasks.values()
    happens(tidy, task)
    world.look(streams=("tasks",))
    world.social.delete("p1")  # nobody waits any more, so the rules have it withdrawn
    world.sql("UPDATE engagements SET checked_at = checked_at - interval '7 hours'")
    world.passes(timedelta(hours=1))
    world.look()
    assert world.task().wanted == "withdrawn"
    purge(world)
    world.run()
    assert list(tidy.tasks) == [task.id]
    assert receipt(world)[0].startswith(line)


# --- others who have the same account -------------------------------------------------------------------------


def test_what_connecting_made_stays_while_another_workspace_has_the_account_and_goes_with_the_last(
    world: World, tidy: TidyCRM, rival: Member
) -> None:
    purge(world)
    world.run()
    assert world.connection("crm").status == "disconnected"
    assert (tidy.cleaned, tidy.fields) == (0, ["warmline_key"])
    assert receipt(world)[:2] == ["1 open task was withdrawn.", leave.SHARED.format(name="Example CRM")]
    assert leave.COPY.format(host="") not in receipt(world)

    purge_of(world, rival)
    world.run()
    assert (tidy.cleaned, tidy.fields) == (1, [])
    assert receipt_of(world, rival)[1] == "The field warmline_key was deleted."


def test_of_two_workspaces_that_leave_at_the_same_moment_one_removes_what_connecting_made(
    world: World, tidy: TidyCRM, rival: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    purge(world)
    purge_of(world, rival)
    claims, asked, ask = world.claim(), list[UUID](), disconnecting.held_elsewhere

    def and_the_other_leaves(runtime: Runtime, row: Connection) -> bool:
        found = ask(runtime, row)
        asked.append(row.workspace_id)
        while claims:  # what the other does, before anything comes of what was found
            world.work(claims.pop())
        return found

    monkeypatch.setattr(disconnecting, "held_elsewhere", and_the_other_leaves)
    while claims:
        world.work(claims.pop())
    assert {asked[0], asked[1]} == {world.workspace_id, rival.workspace_id}
    assert (tidy.cleaned, tidy.fields) == (1, [])


def test_another_workspace_that_has_disconnected_the_account_needs_nothing_there(
    world: World, tidy: TidyCRM, rival: Member
) -> None:
    assert disconnecting.disconnect(world.runtime, rival.caller, crm_of(world, rival).id)
    purge(world)
    world.run()
    assert (tidy.cleaned, tidy.fields) == (1, [])


def test_another_workspace_that_was_leaving_and_has_connected_the_account_again_needs_what_was_made(
    world: World, tidy: TidyCRM, rival: Member
) -> None:
    tidy.script.fail(TemporaryError("the CRM is away"), on="clean")
    assert disconnecting.disconnect(world.runtime, world.owner.caller, world.connection("crm").id)
    purge_of(world, rival)
    for _ in range(3):
        once(world)
    assert crm_of(world, rival).push_error == "the CRM is away."
    for caller in (rival.caller, world.owner.caller):
        connect.connect_with_secret(world.runtime, caller, "fakecrm", None, {})
    purge(world)
    world.run()
    assert (tidy.cleaned, tidy.fields) == (0, ["warmline_key"])


@pytest.mark.parametrize(("ids", "cleaned"), [(frozenset[str](), 1), (frozenset({IDS_ANYWHERE}), 0)])
@pytest.mark.parametrize("whose", ["theirs", "another of ours"])
def test_an_id_on_another_server_is_another_account_unless_ids_are_the_same_on_all(
    world: World, ids: frozenset[str], cleaned: int, whose: str
) -> None:
    crm = TidyCRM()
    plain = fake_crm.manifest(crm)
    server = FormField("server", "Server", type="host")
    providers()["fakecrm"] = replace(plain, form=(server,), capabilities=plain.capabilities | ids)
    theirs = make_member(world.runtime, "Rival", "rita@rival.test").caller if whose == "theirs" else world.owner.caller
    [left] = connect.connect_with_secret(world.runtime, world.owner.caller, "fakecrm", None, {"server": "one.example"})
    connect.connect_with_secret(world.runtime, theirs, "fakecrm", None, {"server": "two.example"})

    assert disconnecting.purge(world.runtime, world.owner.caller, left)
    world.run()
    assert crm.cleaned == cleaned
    lines = disconnecting.receipt(world.runtime, world.workspace_id, left)[1]["lines"]
    assert [leave.COPY.format(host="one.example") in lines, leave.SHARED.format(name="Example CRM") in lines] == [
        not cleaned
    ] * 2


def test_connecting_it_again_while_what_was_made_is_being_removed_keeps_it_connected(
    world: World, tidy: TidyCRM, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = tidy.clean

    def and_it_is_connected_again() -> Sequence[str]:
        connect.connect_with_secret(world.runtime, world.owner.caller, "fakecrm", None, {})
        return clean()

    monkeypatch.setattr(tidy, "clean", and_it_is_connected_again)
    purge(world)
    world.run()
    crm = world.connection("crm")
    assert (crm.status, crm.receipt, crm.push_lease_id) == ("active", {}, None)
    assert tidy.fields == ["warmline_key"]
    assert world.sql("SELECT count(*) FROM connected_accounts WHERE connection_id = :c", c=crm.id) == [(1,)]


@pytest.mark.parametrize("who", ["the same workspace", "another one"])
def test_what_connecting_found_there_is_made_again_where_it_was_removed_before_the_connection_stood(
    world: World, tidy: TidyCRM, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    """Whoever leaves is done between the moment at which the field is found there and the moment at which others know that it is needed."""
    member = world.owner if who == "the same workspace" else make_member(world.runtime, "Rival", "rita@rival.test")
    save = connecting.save

    def once_it_is_left(*arguments: Any, **more: Any) -> UUID:
        monkeypatch.setattr(connecting, "save", save)
        world.run()
        assert (world.connection("crm").status, tidy.fields) == ("disconnected", [])
        return save(*arguments, **more)

    purge(world)
    monkeypatch.setattr(connecting, "save", once_it_is_left)
    connect.connect_with_secret(world.runtime, member.caller, "fakecrm", None, {})
    world.run()

    assert crm_of(world, member).status == "active"
    assert tidy.fields == ["warmline_key"]


def test_connecting_it_again_right_before_it_is_ended_keeps_it_connected(
    world: World, tidy: TidyCRM, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = disconnecting.end

    def but_it_is_connected_again(*arguments: Any, **more: Any) -> None:
        monkeypatch.setattr(disconnecting, "end", end)
        connect.connect_with_secret(world.runtime, world.owner.caller, "fakecrm", None, {})
        end(*arguments, **more)

    monkeypatch.setattr(disconnecting, "end", but_it_is_connected_again)
    purge(world)
    world.run()

    assert (world.connection("crm").status, world.connection("crm").receipt) == ("active", {})
    assert tidy.fields == ["warmline_key"]


def test_another_workspace_that_connects_while_what_was_made_is_being_removed_gets_it_back(
    world: World, tidy: TidyCRM, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean, theirs = tidy.clean, make_member(world.runtime, "Rival", "rita@rival.test")

    def and_somebody_connects() -> Sequence[str]:
        connect.connect_with_secret(world.runtime, theirs.caller, "fakecrm", None, {})
        return clean()

    monkeypatch.setattr(tidy, "clean", and_somebody_connects)
    purge(world)
    world.run()
    assert world.connection("crm").status == "disconnected"
    assert tidy.fields == ["warmline_key"]
    assert "still needs it for its tasks" in receipt(world)[1]


def test_a_crm_in_preview_is_left_at_once(world: World) -> None:
    world.set(preview=True)
    connect.connect_with_secret(world.runtime, world.owner.caller, "fakecrm", None, {})
    purge(world)
    world.run()
    assert receipt(world)[0] == "No task of ours stood there."
    assert world.connection("crm").status == "disconnected"


def test_an_account_of_a_network_has_nothing_to_withdraw(connected: World) -> None:
    found = connected.connection("social")
    assert disconnecting.purge(connected.runtime, connected.owner.caller, found.id)
    after = connected.connection("social")
    assert (after.status, after.receipt["lines"][0]) == ("disconnected", "Nothing was ever written there.")


def _ends_consent(row: Connection) -> None:
    row.status = "needs_reauth"


def _is_gone(row: Connection) -> None:
    row.status = "disconnected"


def _is_paused(row: Connection) -> None:
    row.paused_at = real_now()


@pytest.mark.parametrize(
    ("happens", "sentence"),
    [(_ends_consent, "Reconnect it first"), (_is_gone, "Connect it again first"), (_is_paused, "Bring it back first")],
)
def test_a_crm_that_cannot_be_asked_is_said_so(
    connected: World, happens: Callable[[Connection], None], sentence: str
) -> None:
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        row = session.get_one(Connection, (connected.workspace_id, connected.connection("crm").id))
        happens(row)
    with pytest.raises(PlainError, match=sentence):
        disconnecting.purge(connected.runtime, connected.owner.caller, row.id)
