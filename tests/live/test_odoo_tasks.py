"""Against a real Odoo: tasks that are made, found, changed, done and taken back, and handles that are written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from msgspec.structs import replace

from integrations.errors import PermissionDeniedError
from integrations.records import (
    Gone,
    HandleWrite,
    PushOutcome,
    TaskState,
    TaskStatus,
)
from tests.live.odoo import RealOdoo
from tests.live.odoo_client import BODY, DUE, client, drain, pushed, task

pytestmark = pytest.mark.rule("live", provider="odoo")


def test_a_task_lives_as_it_should(odoo: RealOdoo, options: dict[str, Any]) -> None:
    contact = odoo.adds_contact("Dora", email="dora@example.com")
    wanted = task(odoo, "u-live", contact)

    made = pushed(client(odoo, options), wanted)
    again = pushed(client(odoo, options), replace(wanted, maybe_sent_at=datetime.now(UTC)))

    assert (made.outcome, again.outcome, again.external_id) == (
        PushOutcome.CREATED,
        PushOutcome.FOUND,
        made.external_id,
    )
    assert str(made.external_id)
    [state] = client(odoo, options).read_tasks([str(made.external_id)])
    assert isinstance(state, TaskState)
    assert (state.key, state.subject, state.body, state.due_at, state.owner_id) == (
        wanted.key, wanted.subject, BODY, DUE, str(odoo.olga)
    )  # fmt: skip
    assert [
        (row["date_deadline"], row["res_id"]) for row in odoo.tasks("date_deadline") if row["id"] == int(state.id)
    ] == [("2030-05-04", int(contact))]

    _, cursor = drain(client(odoo, options), "tasks")
    odoo.sets("mail.activity", state.id, summary="Ring her", date_deadline="2030-06-01", user_id=1)
    [edited] = [each for each in drain(client(odoo, options), "tasks", cursor)[0] if each.key == wanted.key]
    assert (edited.subject, edited.owner_id, edited.due_at) == (
        "Ring her",
        "1",
        datetime(2030, 6, 1, 22, 30, tzinfo=UTC),
    )

    changed = replace(wanted, external_id=state.id, subject="Write to her", body="Näher\nbesehen", due_at=None)
    assert pushed(client(odoo, options), changed).outcome is PushOutcome.UPDATED
    [state] = client(odoo, options).read_tasks([state.id])
    assert isinstance(state, TaskState)
    assert (state.key, state.subject, state.body) == (wanted.key, "Write to her", "Näher\nbesehen")

    gone = replace(wanted, status=TaskStatus.WITHDRAWN, external_id=state.id)
    assert pushed(client(odoo, options), gone).outcome is PushOutcome.WITHDRAWN
    assert client(odoo, options).read_tasks([state.id]) == [Gone(state.id)]


def _makes_an_activity(request: requests.PreparedRequest) -> bool:
    """By JSON-2 the address says what is called, by JSON-RPC the body."""
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    return str(request.url).endswith("/mail.activity/create") or (b"mail.activity" in body and b'"create"' in body)


def test_a_create_whose_answer_is_lost_stands_once(
    odoo: RealOdoo, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = task(odoo, "u-lost", odoo.adds_contact("Lou"))
    through = requests.adapters.HTTPAdapter.send

    def lost(adapter: Any, request: requests.PreparedRequest, *words: Any, **named: Any) -> requests.Response:
        answer = through(adapter, request, *words, **named)
        if _makes_an_activity(request):
            raise requests.ConnectionError("the line went dead")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(requests.adapters.HTTPAdapter, "send", lost)
        first = pushed(client(odoo, options), wanted)
    again = pushed(client(odoo, options), replace(wanted, maybe_sent_at=datetime.now(UTC)))

    assert (first.outcome, first.sent, again.outcome) == (PushOutcome.UNKNOWN, True, PushOutcome.FOUND)
    assert [row["id"] for row in odoo.tasks() if "u-lost" in row["note"]] == [int(str(again.external_id))]


def test_a_user_who_may_edit_no_contact_is_told_so(odoo: RealOdoo, options: dict[str, Any]) -> None:
    wanted = task(odoo, "u-no-rights", odoo.adds_contact("Nil"))
    [group] = odoo.act(
        "ir.model.data", "search_read", [["module", "=", "base"], ["name", "=", "group_user"]], ["res_id"]
    )
    [name] = {"groups_id", "group_ids"} & set(odoo.act("res.users", "fields_get", [], ["type"]))
    [before] = odoo.act("res.users", "read", [odoo.bot], [name])
    odoo.sets("res.users", str(odoo.bot), **{name: [[6, 0, [group["res_id"]]]]})
    try:
        assert "Contact Creation" in client(odoo, options).missing()[0]
        with pytest.raises(PermissionDeniedError, match="Contact Creation"):
            client(odoo, options).push_tasks([wanted])
    finally:
        odoo.sets("res.users", str(odoo.bot), **{name: [[6, 0, before[name]]]})
    assert client(odoo, options).missing() == []


@pytest.mark.parametrize("feedback", ["", "She says: größe > 9, and will call back"])
def test_a_person_ticks_a_task_off(odoo: RealOdoo, options: dict[str, Any], feedback: str) -> None:
    contact = odoo.adds_contact("Edda")
    key = f"u-ticked-{len(feedback)}"
    made = pushed(client(odoo, options), task(odoo, key, contact))
    _, cursor = drain(client(odoo, options), "tasks")

    odoo.ticks_off(str(made.external_id), feedback)

    found, cursor = drain(client(odoo, options), "tasks", cursor)
    assert [each.status for each in found if each.key == key] == [TaskStatus.COMPLETED]
    assert [each for each in drain(client(odoo, options), "activities")[0] if contact in each.contact_ids] == []
    [read] = client(odoo, options).read_tasks([str(made.external_id)])
    if options["keeps_done"]:
        assert isinstance(read, TaskState)
        assert read.status is TaskStatus.COMPLETED
        opened = replace(task(odoo, key, contact), external_id=read.id)
        assert pushed(client(odoo, options), opened).outcome is PushOutcome.UPDATED
    else:
        assert read == Gone(str(made.external_id))


def test_where_odoo_keeps_what_is_done_it_is_told_from_what_is_deleted(odoo: RealOdoo, options: dict[str, Any]) -> None:
    if not options["activity_fields"]:
        pytest.skip("this Odoo deletes what is done, always")
    with _keeping(odoo, options):
        kept = dict(client(odoo).prepare())
        tasks = [task(odoo, key, odoo.adds_contact("Ulla")) for key in ("u-kept-done", "u-kept-deleted")]
        done, deleted = (str(each.external_id) for each in client(odoo, kept).push_tasks(tasks))
        odoo.ticks_off(done, "She was at home")
        odoo.deletes("mail.activity", deleted)

        state, gone = client(odoo, kept).read_tasks([done, deleted])
        assert isinstance(state, TaskState)
        assert (kept["keeps_done"], state.status, gone) == (True, TaskStatus.COMPLETED, Gone(deleted))
        found, _ = drain(client(odoo, kept), "tasks")
        assert [each.status for each in found if each.key == "u-kept-done"] == [TaskStatus.COMPLETED]

        assert pushed(client(odoo, kept), replace(tasks[0], external_id=done)).outcome is PushOutcome.UPDATED
        [state] = client(odoo, kept).read_tasks([done])
        assert isinstance(state, TaskState)
        assert state.status is TaskStatus.OPEN
        assert client(odoo, kept).missing() == []
    told = client(odoo, kept).missing()
    assert ["Keep Done" in each for each in told] == ([] if options["keeps_done"] else [True])


@contextmanager
def _keeping(odoo: RealOdoo, options: dict[str, Any]) -> Iterator[None]:
    """An administrator has Odoo keep what is done, where it asks (17 and 18)."""
    asks = "keep_done" in odoo.act("mail.activity.type", "fields_get", [], ["type"])
    types = [str(each) for each in options["types"].values()] if asks else []
    for each in types:
        odoo.sets("mail.activity.type", each, keep_done=True)
    try:
        yield
    finally:
        for each in types:
            odoo.sets("mail.activity.type", each, keep_done=False)


def test_a_task_that_warmline_completes_is_done_there(odoo: RealOdoo, options: dict[str, Any]) -> None:
    made = pushed(client(odoo, options), task(odoo, "u-done", odoo.adds_contact("Finn")))
    done = replace(task(odoo, "u-done", None), status=TaskStatus.COMPLETED, external_id=made.external_id)

    assert pushed(client(odoo, options), done).outcome is PushOutcome.COMPLETED

    found, _ = drain(client(odoo, options), "tasks")
    assert {each.status for each in found if each.key == "u-done"} == {TaskStatus.COMPLETED}
    assert pushed(client(odoo, options), done).outcome in (PushOutcome.COMPLETED, PushOutcome.GONE)


def test_a_task_that_a_person_deletes_is_gone(odoo: RealOdoo, options: dict[str, Any]) -> None:
    made = pushed(client(odoo, options), task(odoo, "u-deleted", odoo.adds_contact("Gil")))

    odoo.deletes("mail.activity", str(made.external_id))

    assert client(odoo, options).read_tasks([str(made.external_id)]) == [Gone(str(made.external_id))]
    changed = replace(task(odoo, "u-deleted", None), external_id=made.external_id)
    assert pushed(client(odoo, options), changed).outcome is PushOutcome.GONE


def test_a_task_goes_with_its_contact(odoo: RealOdoo, options: dict[str, Any]) -> None:
    contact = odoo.adds_contact("Hal")
    made = pushed(client(odoo, options), task(odoo, "u-with-contact", contact))

    odoo.deletes("res.partner", contact)

    assert client(odoo, options).read_tasks([str(made.external_id)]) == [Gone(str(made.external_id))]
    late = pushed(client(odoo, options), task(odoo, "u-late", contact))
    assert (late.outcome, "no longer in Odoo" in late.detail) == (PushOutcome.REFUSED, True)


def test_a_task_is_moved_to_no_contact_who_is_not_there(odoo: RealOdoo, options: dict[str, Any]) -> None:
    contact = odoo.adds_contact("Kim")
    made = pushed(client(odoo, options), task(odoo, "u-moved", contact))

    changed = task(odoo, "u-moved", "999999", external_id=made.external_id, subject="Write to Kim")
    assert pushed(client(odoo, options), changed).outcome is PushOutcome.UPDATED

    assert [(row["summary"], row["res_id"]) for row in odoo.tasks() if "u-moved" in row["note"]] == [
        ("Write to Kim", int(contact))
    ]


def test_one_that_is_refused_is_told_apart(odoo: RealOdoo, options: dict[str, Any]) -> None:
    contact, guarded = odoo.adds_contact("Ida"), odoo.adds_contact("Ivo, whom Warmline may see and not change")
    batch = [task(odoo, f"u-batch-{number}", contact) for number in range(5)]
    batch[1] = replace(batch[1], contact_id=guarded)
    batch[3] = replace(batch[3], contact_id="999999")
    rule = {"domain_force": f"[('id', '!=', {guarded})]", "perm_read": False}
    made = odoo.adds("ir.rule", name="Ivo is left alone", model_id=options["model_id"], **rule)

    results = client(odoo, options).push_tasks(batch)

    told = [each.outcome for each in results]
    created, refused = PushOutcome.CREATED, PushOutcome.REFUSED
    assert told == [created, refused, created, refused, created]
    assert results[1].detail.startswith("Odoo says: ")  # each version in words of its own
    assert "no longer in Odoo" in results[3].detail
    odoo.deletes("ir.rule", str(made))
    again = client(odoo, options).push_tasks(
        [replace(each, maybe_sent_at=datetime(2026, 1, 1, tzinfo=UTC)) for each in batch]
    )
    found = PushOutcome.FOUND
    assert [each.outcome for each in again] == [found, created, found, refused, found]


def test_a_task_about_nobody_stands_with_its_owner(odoo: RealOdoo, options: dict[str, Any]) -> None:
    made = pushed(client(odoo, options), task(odoo, "u-nobody", None))

    [user] = odoo.act("res.users", "read", [odoo.olga], ["partner_id"])
    assert [row["res_id"] for row in odoo.tasks() if row["id"] == int(str(made.external_id))] == [user["partner_id"][0]]


def test_a_handle_is_filled_in_once(odoo: RealOdoo, options: dict[str, Any]) -> None:
    contact = odoo.adds_contact("Jo")
    writes = [HandleWrite(contact, "x", "jo"), HandleWrite("999999", "x", "nobody")]

    told = [each.outcome for _ in range(2) for each in client(odoo, options).write_handles(writes)]

    assert told[0::2] == ["written", "kept"]
    [row] = odoo.act("res.partner", "read", [int(contact)], ["x_twitter"])
    assert row["x_twitter"] == "jo"
