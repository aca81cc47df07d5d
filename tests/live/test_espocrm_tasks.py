"""Against a real EspoCRM: tasks that are made, found, changed, done and taken back, and handles that are written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from msgspec.structs import replace

from integrations import body
from integrations.crm.espocrm.desk import EspoDesk
from integrations.errors import PermissionDeniedError
from integrations.records import Gone, HandleWrite, PushOutcome, TaskKind, TaskState, TaskStatus
from tests.live.espocrm import OLGA, ROLE, SEEN, RealEspo
from tests.live.espocrm_client import BODY, DUE, client, drain, pushed, task

pytestmark = pytest.mark.rule("live", provider="espocrm")


@pytest.fixture(params=["a field for our key, and a plain key", "no such field, and signed calls"])
def way(
    request: pytest.FixtureRequest, espo: RealEspo, espo_options: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """What connecting has found out, and what was typed: the two ways in which tasks are marked, and calls made."""
    plain = request.param.startswith("no")
    if plain and not espo.signs:
        pytest.skip("this EspoCRM is older than signatures as they are made now")
    return ({**espo_options, "key_field": None}, dict(espo.signed)) if plain else (espo_options, {})


def test_a_task_lives_as_it_should(espo: RealEspo, way: tuple[dict[str, Any], dict[str, str]]) -> None:
    options, typed = way
    dora = espo.adds_contact("Dora", emailAddress="dora@example.com")
    wanted = task(espo, f"u-live-{len(typed)}", dora)

    made = pushed(client(espo, options, **typed), wanted)
    again = pushed(client(espo, options, **typed), replace(wanted, maybe_sent_at=datetime.now(UTC)))

    assert (made.outcome, again.outcome, again.external_id) == (
        PushOutcome.CREATED, PushOutcome.FOUND, made.external_id
    )  # fmt: skip
    task_id = str(made.external_id)
    [state] = client(espo, options, **typed).read_tasks([task_id])
    assert isinstance(state, TaskState)
    assert (state.key, state.subject, state.body, state.due_at, state.owner_id) == (
        wanted.key, wanted.subject, BODY, DUE, espo.olga
    )  # fmt: skip
    row = espo.reads("Task", task_id)
    assert (row["parentType"], row["parentId"], row["status"], row["priority"]) == (
        "Contact",
        dora,
        "Not Started",
        "Normal",
    )
    if options["key_field"]:
        assert (row["description"], row[espo.fields["warmlineKey"]]) == (BODY, wanted.key)
    else:
        assert row["description"] == body.mark(BODY, wanted.key)

    _, cursor = drain(client(espo, options, **typed), "tasks")
    espo.sets("Task", task_id, by=OLGA, name="Ring her", dateEnd="2030-06-01 08:00:00", status="Started")
    [edited] = [each for each in drain(client(espo, options, **typed), "tasks", cursor)[0] if each.key == wanted.key]
    assert (edited.subject, edited.due_at, edited.status) == (
        "Ring her",
        datetime(2030, 6, 1, 8, tzinfo=UTC),
        TaskStatus.OPEN,
    )

    changed = replace(wanted, external_id=task_id, subject="Write to her", body="Näher\nbesehen", due_at=None)
    assert pushed(client(espo, options, **typed), changed).outcome is PushOutcome.UPDATED
    [state] = client(espo, options, **typed).read_tasks([task_id])
    assert isinstance(state, TaskState)
    assert (state.key, state.subject, state.body) == (wanted.key, "Write to her", "Näher\nbesehen")
    assert espo.reads("Task", task_id)["status"] == "Started"  # what a person chose

    done = replace(wanted, status=TaskStatus.COMPLETED, external_id=task_id)
    assert pushed(client(espo, options, **typed), done).outcome is PushOutcome.COMPLETED
    assert (row := espo.reads("Task", task_id))["status"] == "Completed"
    assert row["dateCompleted"]
    assert pushed(client(espo, options, **typed), replace(done, status=TaskStatus.OPEN)).outcome is PushOutcome.UPDATED
    assert espo.reads("Task", task_id)["status"] == "Not Started"

    gone = replace(wanted, status=TaskStatus.WITHDRAWN, external_id=task_id)
    assert pushed(client(espo, options, **typed), gone).outcome is PushOutcome.WITHDRAWN
    assert client(espo, options, **typed).read_tasks([task_id]) == [Gone(task_id)]
    assert pushed(client(espo, options, **typed), gone).outcome in (PushOutcome.WITHDRAWN, PushOutcome.GONE)


@pytest.mark.parametrize(
    ("values", "status", "due"),
    [
        ({"status": "Completed"}, TaskStatus.COMPLETED, DUE),
        ({"status": "Canceled"}, TaskStatus.COMPLETED, DUE),
        ({"status": "Deferred"}, TaskStatus.OPEN, DUE),
        ({"dateEndDate": "2030-06-01", "dateEnd": None}, TaskStatus.OPEN, datetime(2030, 6, 1, tzinfo=UTC)),
        ({"dateEnd": None}, TaskStatus.OPEN, None),
    ],
)
def test_what_a_person_does_to_a_task_is_seen(
    espo: RealEspo, espo_options: dict[str, Any], values: dict[str, Any], status: TaskStatus, due: datetime | None
) -> None:
    key = f"u-seen-{'-'.join(map(str, values.values()))}"
    made = pushed(client(espo, espo_options), task(espo, key, espo.adds_contact("Edda")))
    _, cursor = drain(client(espo, espo_options), "tasks")

    espo.sets("Task", str(made.external_id), by=OLGA, **values)

    [found] = [each for each in drain(client(espo, espo_options), "tasks", cursor)[0] if each.key == key]
    assert (found.id, found.status, found.due_at) == (made.external_id, status, due)
    assert (found.completed_at is None) == (values.get("status") != "Completed")
    later = task(espo, key, None, external_id=made.external_id, due_at=datetime(2031, 1, 7, 9, 30, tzinfo=UTC))
    assert pushed(client(espo, espo_options), later).outcome is PushOutcome.UPDATED
    assert espo.reads("Task", str(made.external_id))["dateEnd"] == "2031-01-07 09:30:00"


def test_a_create_whose_answer_is_lost_stands_once(
    espo: RealEspo, way: tuple[dict[str, Any], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    options, typed = way
    wanted = task(espo, f"u-lost-{len(typed)}", espo.adds_contact("Lou"))
    through = requests.adapters.HTTPAdapter.send

    def lost(adapter: Any, request: requests.PreparedRequest, *words: Any, **named: Any) -> requests.Response:
        answer = through(adapter, request, *words, **named)
        if (request.method, request.path_url) == ("POST", "/api/v1/Task"):
            raise requests.ConnectionError("the line went dead")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(requests.adapters.HTTPAdapter, "send", lost)
        first = pushed(client(espo, options, **typed), wanted)
    again = pushed(client(espo, options, **typed), replace(wanted, maybe_sent_at=datetime.now(UTC)))

    assert (first.outcome, first.sent, again.outcome) == (PushOutcome.UNKNOWN, True, PushOutcome.FOUND)
    assert [row["id"] for row in espo.tasks() if row["name"] == wanted.subject] == [again.external_id]


def test_a_task_that_a_person_deletes_is_gone(espo: RealEspo, espo_options: dict[str, Any]) -> None:
    made = pushed(client(espo, espo_options), task(espo, "u-deleted", espo.adds_contact("Gil")))

    espo.deletes("Task", str(made.external_id))

    assert client(espo, espo_options).read_tasks([str(made.external_id)]) == [Gone(str(made.external_id))]
    for status in TaskStatus:
        changed = task(espo, "u-deleted", None, external_id=made.external_id, status=status)
        assert pushed(client(espo, espo_options), changed).outcome is PushOutcome.GONE


def test_a_task_that_a_narrower_role_hides_is_not_gone(espo: RealEspo, espo_options: dict[str, Any]) -> None:
    made = pushed(client(espo, espo_options), task(espo, "u-hidden", espo.adds_contact("Hal")))
    espo.allows(Task={"create": "yes", "read": "own", "edit": "own", "delete": "own"})
    try:
        assert client(espo, espo_options).read_tasks([str(made.external_id)]) == []
        for status in TaskStatus:
            changed = task(espo, "u-hidden", None, external_id=made.external_id, subject="Ours", status=status)
            with pytest.raises(PermissionDeniedError, match="hides this task"):
                pushed(client(espo, espo_options), changed)
    finally:
        espo.allows()
    assert espo.reads("Task", str(made.external_id))["name"] == "Answer u-hidden"


def test_a_task_outlives_its_contact(espo: RealEspo, espo_options: dict[str, Any]) -> None:
    ida = espo.adds_contact("Ida")
    made = pushed(client(espo, espo_options), task(espo, "u-outlives", ida))

    espo.deletes("Contact", ida)

    done = task(espo, "u-outlives", ida, external_id=made.external_id, status=TaskStatus.COMPLETED)
    assert pushed(client(espo, espo_options), done).outcome is PushOutcome.COMPLETED
    late = pushed(client(espo, espo_options), task(espo, "u-late", ida))
    assert (late.outcome, "no longer in EspoCRM" in late.detail) == (PushOutcome.REFUSED, True)


def test_a_contact_who_goes_in_between_holds_nothing_back(
    espo: RealEspo, espo_options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EspoDesk, "alive", lambda self, ids: set(ids))  # they were there when we looked
    monkeypatch.setattr(EspoDesk, "assignable", lambda self, ids: set(ids))
    batch = [
        task(espo, "u-between-1", "nobody"),
        task(espo, "u-between-2", None, owner_id="nobody"),
        task(espo, "u-between-3", None),
    ]
    told = client(espo, espo_options).push_tasks(batch)
    refused, created = PushOutcome.REFUSED, PushOutcome.CREATED
    assert [each.outcome for each in told[1:]] == [refused, created]
    assert told[0].outcome in (refused, created)  # 7.5 looks for no parent

    moved = task(espo, "u-between-3", "nobody", external_id=told[2].external_id, subject="Write to her")
    assert pushed(client(espo, espo_options), moved).outcome is PushOutcome.UPDATED
    assert espo.reads("Task", str(told[2].external_id))["name"] == "Write to her"


def test_a_role_that_may_edit_no_contact_gets_tasks_about_them_all_the_same(
    espo: RealEspo, espo_options: dict[str, Any]
) -> None:
    ivy = espo.adds_contact("Ivy")
    espo.allows(Contact=SEEN)
    try:
        assert client(espo).missing() == []
        made = pushed(client(espo, espo_options), task(espo, "u-no-edit", ivy))
    finally:
        espo.allows()
    assert (made.outcome, espo.reads("Task", str(made.external_id))["parentId"]) == (PushOutcome.CREATED, ivy)


@pytest.mark.parametrize("subject", ["Answer Ana <3", "Answer =Ana=: a > b & c", "Ответить 👩‍👩‍👧‍👦 李 O'Hara"])
def test_no_name_of_anybody_keeps_a_task_out(espo: RealEspo, espo_options: dict[str, Any], subject: str) -> None:
    made = pushed(client(espo, espo_options), task(espo, f"u-named-{len(subject)}", None, subject=subject))

    [state] = client(espo, espo_options).read_tasks([str(made.external_id)])

    assert isinstance(state, TaskState)
    assert (made.outcome, state.subject) == (PushOutcome.CREATED, subject)


def test_two_contacts_that_were_merged_are_one(espo: RealEspo, espo_options: dict[str, Any]) -> None:
    kept, other = (espo.adds_contact("Mia", emailAddress="mia@example.com") for _ in range(2))
    made = pushed(client(espo, espo_options), task(espo, "u-merged", other))
    _, cursor = drain(client(espo, espo_options), "contacts")

    merge = {
        "entityType": "Contact",
        "action": "merge",
        "id": kept,
        "data": {"sourceIdList": [other], "attributes": {}},
    }
    espo.call("POST", "/Action", merge)

    found, _ = drain(client(espo, espo_options, later=3700), "contacts", cursor)
    assert Gone(other) in found
    assert Gone(kept) not in found
    [state] = client(espo, espo_options).read_tasks([str(made.external_id)])
    assert isinstance(state, TaskState)
    row = espo.reads("Task", state.id)
    assert (row["parentType"], row["parentId"]) == ("Contact", kept)


def test_a_task_is_moved_to_another_contact_and_taken_off(espo: RealEspo, espo_options: dict[str, Any]) -> None:
    first, lead = espo.adds_contact("Kim"), espo.adds("Lead", lastName="Lead", emailAddress="kim@example.com")
    made = pushed(client(espo, espo_options), task(espo, "u-moved", first))
    task_id = str(made.external_id)

    moved = task(espo, "u-moved", f"Lead/{lead}", external_id=task_id)
    assert pushed(client(espo, espo_options), moved).outcome is PushOutcome.UPDATED
    row = espo.reads("Task", task_id)
    assert (row["parentType"], row["parentId"]) == ("Lead", lead)

    off = task(espo, "u-moved", None, external_id=task_id, former_contact_id=f"Lead/{lead}")
    assert pushed(client(espo, espo_options), off).outcome is PushOutcome.UPDATED
    row = espo.reads("Task", task_id)
    assert (row["parentType"], row["parentId"]) == (None, None)


def test_one_that_is_refused_is_told_apart(espo: RealEspo, espo_options: dict[str, Any]) -> None:
    ida = espo.adds_contact("Ina")
    batch = [task(espo, f"u-batch-{number}", ida) for number in range(5)]
    batch[1] = replace(batch[1], subject="x" * 300)
    batch[2] = replace(batch[2], kind=TaskKind.READY_FOR_CALL, high_priority=True)
    batch[3] = replace(batch[3], owner_id=None)

    results = client(espo, espo_options).push_tasks(batch)

    created, refused = PushOutcome.CREATED, PushOutcome.REFUSED
    assert [each.outcome for each in results] == [created, refused, created, refused, created]
    assert "the field name is not as EspoCRM wants it (maxLength)" in results[1].detail
    assert "the field assignedUser is not as EspoCRM wants it (required)" in results[3].detail
    assert espo.reads("Task", str(results[2].external_id))["priority"] == "High"


def test_a_role_that_may_give_tasks_to_nobody_is_told_for_the_task(
    espo: RealEspo, espo_options: dict[str, Any]
) -> None:
    espo.sets("Role", espo.role, assignmentPermission="no")
    try:
        result = pushed(client(espo, espo_options), task(espo, "u-assigned", None))
        assert "Assignment Permission" in client(espo).missing()[0]
    finally:
        espo.sets("Role", espo.role, assignmentPermission="all")
    assert client(espo).missing() == []
    assert result.outcome is PushOutcome.REFUSED
    assert "Assignment failure" in result.detail


@pytest.mark.parametrize(("action", "does"), [("create", "made"), ("edit", "changed"), ("delete", "withdrawn")])
def test_a_right_that_was_taken_away_stops_all_tasks(
    espo: RealEspo, espo_options: dict[str, Any], action: str, does: str
) -> None:
    made = pushed(client(espo, espo_options), task(espo, f"u-right-{action}", None))
    wanted = {
        "made": task(espo, "u-right", None),
        "changed": task(espo, f"u-right-{action}", None, external_id=made.external_id, subject="Another"),
        "withdrawn": task(espo, f"u-right-{action}", None, external_id=made.external_id, status=TaskStatus.WITHDRAWN),
    }[does]
    espo.allows(Task={**ROLE["Task"], action: "no"})
    try:
        with pytest.raises(PermissionDeniedError):
            client(espo, espo_options).push_tasks([wanted])
    finally:
        espo.allows()


def test_a_copy_that_a_person_makes_is_not_taken_for_ours(espo: RealEspo, espo_options: dict[str, Any]) -> None:
    wanted = task(espo, "u-copied", espo.adds_contact("Cora"))
    made = pushed(client(espo, espo_options), wanted)
    whole = espo.reads("Task", str(made.external_id))
    copied = {
        name: whole[name]
        for name in ("name", "description", "assignedUserId", "parentType", "parentId", espo.fields["warmlineKey"])
    }
    copy = espo.adds("Task", **copied)

    found = pushed(client(espo, espo_options), replace(wanted, maybe_sent_at=datetime.now(UTC)))

    assert found.external_id == made.external_id != copy


def test_a_duplicate_check_that_somebody_switched_on_makes_no_second_and_holds_none_back(
    espo: RealEspo, espo_options: dict[str, Any]
) -> None:
    wanted = task(espo, "u-twice", None, subject="Answer Twice")
    check = {"duplicateCheckFieldList": ["name"]}
    espo.call("POST", "/EntityManager/action/updateEntity", {"name": "Task", **check})
    try:
        made = pushed(client(espo, espo_options), wanted)
        same = pushed(client(espo, espo_options), wanted)  # nobody noted the first, and nothing was looked for
        other = pushed(client(espo, espo_options), replace(wanted, key="u-another"))
    finally:
        espo.call("POST", "/EntityManager/action/updateEntity", {"name": "Task", "duplicateCheckFieldList": []})
    assert same.external_id == made.external_id
    assert (other.outcome, other.external_id != made.external_id) == (PushOutcome.CREATED, True)
    assert len([row for row in espo.tasks() if row["name"] == wanted.subject]) == 2


def test_a_handle_is_filled_in_once(espo: RealEspo, espo_options: dict[str, Any]) -> None:
    jo, lead = espo.adds_contact("Jo"), espo.adds("Lead", lastName="Jones")
    writes = [
        HandleWrite(jo, "x", "jo"),
        HandleWrite(f"Lead/{lead}", "x", "jones"),
        HandleWrite("999999", "x", "nobody"),
    ]

    told = [[each.outcome for each in client(espo, espo_options).write_handles(writes)] for _ in range(2)]

    assert told == [["written", "written", "refused"], ["kept", "kept", "refused"]]
    assert espo.reads("Contact", jo)[espo.fields["twitterHandle"]] == "jo"
    assert espo.reads("Lead", lead)[espo.fields["twitterHandle"]] == "jones"
