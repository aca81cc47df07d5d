"""Pushing: no task twice, whatever gets lost; each record's own answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from integrations import deadline
from integrations.crm.hubspot.api import API, BATCH
from integrations.errors import (
    AuthenticationError,
    PermissionDeniedError,
    RateLimitError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.pushing import FRESH
from integrations.records import Gone, PushOutcome, PushResult, Task, TaskKind, TaskState, TaskStatus
from tests.integrations.crm.hubspot.conftest import World
from tests.integrations.crm.hubspot.portal import (
    drop_after,
    drop_before,
    garbage_after,
    status,
    timeout_after,
)

# The account in memory holds each request and answer against the models of HubSpot's own SDK.
pytestmark = pytest.mark.rule("contract")

DUE = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
CREATE, UPDATE, ARCHIVE, READ = (
    "/tasks/batch/create",
    "/tasks/batch/update",
    "/tasks/batch/archive",
    "/tasks/batch/read",
)
ACCOUNTS = [{}, {"unique": False}, {"properties_allowed": False}]
LOST = [drop_after, timeout_after, garbage_after, drop_before]


def new(key: str = "k1", **more: Any) -> Task:
    fields: dict[str, Any] = {
        "subject": f"Answer {key}",
        "body": "They asked.\nhttps://x.example/1",
        "due_at": DUE,
        **more,
    }
    return Task(key, TaskKind.UNANSWERED, TaskStatus.OPEN, **fields)


def push(world: World, *tasks: Task) -> list[PushOutcome]:
    return [each.outcome for each in results(world, *tasks)]


def results(world: World, *tasks: Task) -> list[PushResult]:
    return list(world.client().push_tasks(tasks))


def standing(world: World, key: str) -> dict[str, Any]:
    """The task under this key, as the account has it."""
    client = world.client()
    [found] = [
        each for each in world.portal.alive("tasks")
        if isinstance(state := client.read_tasks([each["id"]])[0], TaskState) and state.key == key
    ]  # fmt: skip
    return dict(found["properties"])


def sent(world: World, task: Task) -> Task:
    """The same task after its create was lost just now."""
    return replace(task, maybe_sent_at=world.clock())


# --- making -----------------------------------------------------------------------------------------------------


def test_a_task_is_made_with_everything_it_has(world: World) -> None:
    contact = world.portal.put("contacts", {})
    task = replace(new(owner_id="7", contact_id=contact, high_priority=True), kind=TaskKind.READY_FOR_CALL)

    [result] = results(world, task)

    assert result.outcome is PushOutcome.CREATED
    assert result.url == f"https://app-eu1.hubspot.com/contacts/8790001/record/0-27/{result.external_id}"
    values = standing(world, "k1")
    assert values["hs_task_subject"] == "Answer k1"
    assert values["hs_task_body"] == 'They asked.<br><a href="https://x.example/1">https://x.example/1</a>'
    assert (values["hs_task_type"], values["hs_task_priority"], values["hs_task_status"]) == (
        "CALL",
        "HIGH",
        "NOT_STARTED",
    )
    assert (values["hs_timestamp"], values["hubspot_owner_id"]) == ("2026-11-26T09:00:00.000Z", "7")
    assert world.portal.links["tasks", "contacts"] == {result.external_id: [contact]}


def test_an_unanswered_engagement_is_a_to_do(world: World) -> None:
    push(world, new(high_priority=False))

    assert standing(world, "k1")["hs_task_type"] == "TODO"
    assert standing(world, "k1")["hs_task_priority"] == "NONE"


def test_a_task_without_a_due_date_is_due_now(world: World) -> None:
    push(world, new(due_at=None))

    assert standing(world, "k1")["hs_timestamp"] == "2026-11-25T12:00:00.000Z"


def test_many_tasks_go_out_a_hundred_at_a_time(world: World) -> None:
    outcomes = push(world, *(new(f"k{n}") for n in range(250)))

    assert outcomes == [PushOutcome.CREATED] * 250
    assert world.portal.paths().count("/crm/objects/2026-09" + CREATE) == 3
    assert len(world.portal.paths()) == 3


def test_nothing_to_push_calls_nobody(world: World) -> None:
    assert push(world) == []
    assert world.portal.calls == []


@pytest.mark.parametrize("account", ACCOUNTS)
def test_what_was_written_reads_back_the_same(make_world: Callable[..., World], account: dict[str, bool]) -> None:
    world = make_world(**account)
    task = new(body="Hello & <welcome>\n\nSee https://x.example/a?b=1&c=2.", owner_id="7")
    [result] = results(world, task)

    [state] = world.client().read_tasks([str(result.external_id)])

    assert isinstance(state, TaskState)
    assert (state.key, state.subject, state.body, state.due_at, state.owner_id) == (
        "k1",
        task.subject,
        task.body,
        DUE,
        "7",
    )


def test_a_task_without_a_body_carries_its_key_all_the_same(make_world: Callable[..., World]) -> None:
    world = make_world(properties_allowed=False)

    push(world, new(body=None))

    assert standing(world, "k1")["hs_task_body"] == "Warmline reference: k1"


# --- refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "account", [{}, {"unique": False}, {"multi_status": False}, {"multi_status": False, "unique": False}]
)
def test_a_refused_record_does_not_take_the_others_with_it(
    make_world: Callable[..., World], account: dict[str, bool]
) -> None:
    world = make_world(**account)
    world.portal.refusals["Answer k5"] = "The subject is not in the list of allowed subjects."

    found = results(world, *(new(f"k{n}") for n in range(20)))

    assert [each.key for each in found if each.outcome is PushOutcome.REFUSED] == ["k5"]
    assert found[5].detail == "The subject is not in the list of allowed subjects."
    assert sum(each.outcome is PushOutcome.CREATED for each in found) == 19
    assert world.portal.tasks_ever_created == 19


@pytest.mark.parametrize("multi_status", [True, False])
def test_a_task_for_a_deleted_contact_is_refused_in_plain_words(
    make_world: Callable[..., World], multi_status: bool
) -> None:
    world = make_world(multi_status=multi_status)
    contact = world.portal.put("contacts", {})
    world.portal.archive("contacts", contact)

    found = results(world, new("k1", contact_id=contact), new("k2"))

    assert [each.outcome for each in found] == [PushOutcome.REFUSED, PushOutcome.CREATED]
    assert found[0].detail.startswith("The contact is no longer in HubSpot, so the task was not made. HubSpot says: ")


def test_the_sentences_inside_a_validation_error_are_shown(world: World) -> None:
    says = 'Property values were not valid: [{"isValid":false,"message":"7 is not an owner","name":"hubspot_owner_id"}]'
    world.portal.refusals["Answer k1"] = says

    [found] = results(world, new())

    assert found.detail == "Property values were not valid: 7 is not an owner"


def test_an_error_of_hubspots_own_parks_no_task(world: World) -> None:
    task = made(world, "k0")

    def fails(work: Callable[[], Any]) -> Any:
        answer = {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [trouble]}
        return world.portal._ok(answer, 207)

    trouble = {"status": "error", "category": "INTERNAL_ERROR", "message": "Something went wrong"}
    trouble["context"] = {"objectWriteTraceId": ["k0"]}  # type: ignore[assignment]
    world.portal.fault("POST", UPDATE, fails)
    assert push(world, replace(task, subject="Again")) == [PushOutcome.LATER]

    trouble["context"] = {"objectWriteTraceId": ["k1"]}  # type: ignore[assignment]
    world.portal.fault("POST", CREATE, fails)
    assert push(world, new("k1")) == [PushOutcome.UNKNOWN]


# --- lost answers -----------------------------------------------------------------------------------------------


def test_a_contact_that_is_found_after_the_task_was_made_is_put_on_it(make_world: Callable[..., World]) -> None:
    world = make_world()
    [made] = results(world, new())
    contact = world.portal.put("contacts", {})

    for _ in range(2):  # a repeat does no harm
        assert push(world, replace(new(contact_id=contact), external_id=made.external_id)) == [PushOutcome.UPDATED]

    assert world.portal.links["tasks", "contacts"] == {made.external_id: [contact]}


def test_a_contact_that_turns_out_to_be_somebody_else_is_taken_off_the_task(make_world: Callable[..., World]) -> None:
    world = make_world()
    wrong, right = world.portal.put("contacts", {}), world.portal.put("contacts", {})
    [made] = results(world, new(contact_id=wrong))

    for _ in range(2):  # a repeat does no harm
        moved = replace(new(contact_id=right), external_id=made.external_id, former_contact_id=wrong)
        assert push(world, moved) == [PushOutcome.UPDATED]
    assert world.portal.links["tasks", "contacts"] == {made.external_id: [right]}

    nobody = replace(new(), external_id=made.external_id, former_contact_id=right)
    assert push(world, nobody) == [PushOutcome.UPDATED]
    assert world.portal.links["tasks", "contacts"] == {made.external_id: []}


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("loss", LOST)
def test_a_lost_answer_leaves_its_batch_unknown_and_the_rest_for_later(
    make_world: Callable[..., World], account: dict[str, bool], loss: Any
) -> None:
    world = make_world(**account)
    world.portal.fault("POST", CREATE, loss, skip=1)

    outcomes = push(world, *(new(f"k{n}") for n in range(250)))

    assert outcomes == [PushOutcome.CREATED] * 100 + [PushOutcome.UNKNOWN] * 100 + [PushOutcome.LATER] * 50


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("loss", LOST)
@pytest.mark.parametrize("with_contact", [True, False])
def test_a_lost_task_is_found_and_never_made_twice(
    make_world: Callable[..., World], account: dict[str, bool], loss: Any, with_contact: bool
) -> None:
    world = make_world(**account)
    contact = world.portal.put("contacts", {}) if with_contact else None
    task = new(contact_id=contact)
    world.portal.fault("POST", CREATE, loss)
    assert push(world, task) == [PushOutcome.UNKNOWN]
    task = sent(world, task)

    for _ in range(3):
        outcomes = push(world, task)
        if outcomes != [PushOutcome.UNKNOWN]:
            break
        world.clock.forward(seconds=30)

    assert outcomes == [PushOutcome.CREATED if loss is drop_before else PushOutcome.FOUND]
    assert world.portal.tasks_ever_created == 1
    assert standing(world, "k1")


@pytest.mark.parametrize("account", ACCOUNTS[1:])
def test_without_a_unique_key_nothing_is_sent_until_search_has_had_its_time(
    make_world: Callable[..., World], account: dict[str, bool]
) -> None:
    world = make_world(**account)
    world.portal.fault("POST", CREATE, drop_after)
    push(world, new())
    [made] = world.portal.alive("tasks")
    world.portal.hidden.add(made["id"])
    task = sent(world, new())
    world.clock.forward(seconds=29)

    assert push(world, task) == [PushOutcome.UNKNOWN]
    assert world.portal.paths().count("/crm/objects/2026-09" + CREATE) == 1

    world.portal.hidden.clear()
    world.clock.forward(seconds=1)
    assert results(world, task)[0] == PushResult(
        "k1", PushOutcome.FOUND, made["id"], f"https://app-eu1.hubspot.com/contacts/8790001/record/0-27/{made['id']}"
    )


@pytest.mark.parametrize("account", ACCOUNTS[1:])
def test_a_task_with_a_contact_is_found_at_once_though_search_does_not_show_it(
    make_world: Callable[..., World], account: dict[str, bool]
) -> None:
    world = make_world(**account)
    task = new(contact_id=world.portal.put("contacts", {}))
    world.portal.fault("POST", CREATE, drop_after)
    push(world, task)
    world.portal.hidden |= set(world.portal.kinds["tasks"])

    assert push(world, sent(world, task)) == [PushOutcome.FOUND]


def test_where_two_have_our_key_the_older_one_is_ours(make_world: Callable[..., World]) -> None:
    world = make_world(unique=False)
    first, _ = (world.portal.put("tasks", {"warmline_key": "k1"}) for _ in range(2))
    task = replace(new(), maybe_sent_at=world.clock() - timedelta(minutes=1))

    assert results(world, task)[0].external_id == first


def test_where_the_key_is_unique_a_repeat_is_harmless_even_when_nobody_knew_that_it_was_sent(world: World) -> None:
    first = results(world, new("k1"), new("k2"))

    again = results(world, new("k1"), new("k3"), new("k2"))

    assert [each.outcome for each in again] == [PushOutcome.FOUND, PushOutcome.CREATED, PushOutcome.FOUND]
    assert [again[0].external_id, again[2].external_id] == [each.external_id for each in first]
    assert world.portal.tasks_ever_created == 3


def test_a_repeat_is_harmless_where_a_batch_is_refused_as_a_whole(make_world: Callable[..., World]) -> None:
    world = make_world(multi_status=False)
    push(world, *(new(f"k{n}") for n in range(0, 40, 13)))

    outcomes = push(world, *(new(f"k{n}") for n in range(40)))

    assert outcomes == [PushOutcome.CREATED if n % 13 else PushOutcome.FOUND for n in range(40)]
    assert world.portal.tasks_ever_created == 40


def test_a_create_that_was_still_on_its_way_when_it_was_sought_is_found_by_the_refusal(world: World) -> None:
    task = sent(world, new())

    def arrives_late(work: Callable[[], Any]) -> Any:
        answer = work()
        world.portal.put("tasks", {"warmline_key": "k1"})
        return answer

    world.portal.fault("POST", READ, arrives_late, skip=1)

    assert push(world, task) == [PushOutcome.FOUND]
    assert len(world.portal.alive("tasks")) == 1


def test_a_task_that_was_made_and_deleted_before_it_was_sought_is_left_be(world: World) -> None:
    world.portal.fault("POST", CREATE, drop_after)
    push(world, new())
    [made] = world.portal.alive("tasks")
    world.portal.archive("tasks", made["id"])

    assert push(world, sent(world, new())) == [PushOutcome.GONE]
    assert world.portal.tasks_ever_created == 1


def test_a_lost_task_that_is_no_longer_wanted_is_found_and_withdrawn(world: World) -> None:
    world.portal.fault("POST", CREATE, drop_after)
    push(world, new())

    assert push(world, replace(sent(world, new()), status=TaskStatus.WITHDRAWN)) == [PushOutcome.WITHDRAWN]
    assert world.portal.alive("tasks") == []


def test_a_lost_task_that_is_no_longer_wanted_and_not_there_yet_stays_unknown_for_a_while(world: World) -> None:
    task = replace(sent(world, new()), status=TaskStatus.WITHDRAWN)

    assert push(world, task) == [PushOutcome.UNKNOWN]
    world.clock.forward(seconds=30)
    assert push(world, task) == [PushOutcome.WITHDRAWN]


def test_a_task_that_never_was_sent_and_is_no_longer_wanted_needs_no_call(world: World) -> None:
    assert push(world, replace(new(), status=TaskStatus.WITHDRAWN)) == [PushOutcome.WITHDRAWN]
    assert world.portal.calls == []


def test_an_answer_that_leaves_a_record_out_leaves_it_unknown(world: World) -> None:
    def forgetful(work: Callable[[], Any]) -> Any:
        work()
        return world.portal._ok({"status": "COMPLETE", "results": []}, 201)

    world.portal.fault("POST", CREATE, forgetful)

    assert push(world, new()) == [PushOutcome.UNKNOWN]
    assert push(world, sent(world, new())) == [PushOutcome.FOUND]


def test_an_answer_without_trace_ids_is_told_apart_by_our_key(world: World) -> None:
    def untraced(work: Callable[[], Any]) -> Any:
        code, headers, text = work()
        return code, headers, text.replace("objectWriteTraceId", "somethingElse")

    world.portal.fault("POST", CREATE, untraced)

    assert push(world, new("k1"), new("k2")) == [PushOutcome.CREATED] * 2


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    account=st.sampled_from(ACCOUNTS),
    with_contact=st.booleans(),
    luck=st.lists(st.sampled_from([None, None, *LOST, status(429, policyName="SECONDLY"), status(500)]), max_size=6),
    waits=st.lists(st.integers(0, 40), min_size=12, max_size=12),
)
def test_whatever_goes_wrong_every_task_is_made_exactly_once(
    make_world: Callable[..., World], account: dict[str, bool], with_contact: bool, luck: list[Any], waits: list[int]
) -> None:
    """The law of the whole module, driven as a worker drives it: what comes back decides what is sent next."""
    world = make_world(**account)
    contact = world.portal.put("contacts", {}) if with_contact else None
    tasks = {f"k{n}": new(f"k{n}", contact_id=contact) for n in range(3)}
    waiting = dict(tasks)
    bad = list(luck)
    for seconds in waits:
        if not waiting:
            break
        if bad and (fault := bad.pop()):
            world.portal.fault("POST", "/tasks/", fault)
        try:
            answers = results(world, *waiting.values())
        except (RateLimitError, TemporaryError, UnexpectedResponseError):
            answers = []
        for each in answers:
            if each.outcome in (PushOutcome.CREATED, PushOutcome.FOUND):
                del waiting[each.key]
            elif each.outcome is PushOutcome.UNKNOWN and each.sent:
                waiting[each.key] = sent(world, tasks[each.key])
        world.clock.forward(seconds=seconds + 20)

    assert waiting == {}
    assert world.portal.tasks_ever_created == 3


# --- changing, completing, withdrawing ----------------------------------------------------------------------------


def made(world: World, key: str = "k1", **more: Any) -> Task:
    """A task that stands, ready to be changed."""
    [result] = results(world, new(key, **more))
    world.portal.calls.clear()
    return Task(key, TaskKind.UNANSWERED, TaskStatus.OPEN, external_id=result.external_id)


def test_an_edit_changes_what_it_gives_and_nothing_else(world: World) -> None:
    task = made(world, owner_id="7", high_priority=True)
    before = standing(world, "k1")

    assert push(world, replace(task, subject="Another subject")) == [PushOutcome.UPDATED]

    after = standing(world, "k1")
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"hs_task_subject", "hs_lastmodifieddate"}


def test_an_edit_does_not_set_a_task_in_progress_back(world: World) -> None:
    task = made(world)
    world.portal.put("tasks", {"hs_task_status": "IN_PROGRESS"}, id=str(task.external_id))

    push(world, replace(task, subject="Another subject"))

    assert standing(world, "k1")["hs_task_status"] == "IN_PROGRESS"


def test_what_a_person_changes_while_a_slow_answer_is_on_its_way_is_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HubSpot writes without looking: what was read has to be what stands there."""
    task = made(world, subject="Ours")
    at, read = [0.0], API.read
    monkeypatch.setattr(deadline, "now", lambda: at[0])

    def slow(self: API, kind: str, *arguments: Any, **more: Any) -> list[dict[str, Any]]:
        rows = read(self, kind, *arguments, **more)
        if not at[0]:
            at[0] = FRESH
            world.portal.put("tasks", {"hs_task_subject": "Theirs"}, id=str(task.external_id))
        return rows

    monkeypatch.setattr(API, "read", slow)

    [result] = results(world, replace(task, subject="Ours too", ours=({"subject": "Ours"},)))

    assert standing(world, "k1")["hs_task_subject"] == "Theirs"
    assert result.theirs == {"subject": "Theirs"}


def test_a_slow_account_gets_the_rest_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [each.external_id for each in results(world, *(new(f"old-{number}") for number in range(400)))]
    batch = API.batch

    def slow(*arguments: Any, **more: Any) -> Any:
        world.clock.forward(seconds=10)
        return batch(*arguments, **more)

    monkeypatch.setattr(API, "batch", slow)

    created = push(world, *(new(f"k{number}") for number in range(1000)))
    changed = push(world, *(new(f"old-{number}", subject="Anew", external_id=each) for number, each in enumerate(ids)))

    assert Counter(created) == {PushOutcome.CREATED: 300, PushOutcome.LATER: 700}
    assert Counter(changed) == {PushOutcome.UPDATED: 300, PushOutcome.LATER: 100}


@pytest.mark.parametrize("stand", [False, True])
def test_what_may_have_been_sent_to_a_slow_account_is_sought_part_by_part(
    world: World, monkeypatch: pytest.MonkeyPatch, stand: bool
) -> None:
    lost = [new(f"k{number}", maybe_sent_at=world.clock() - timedelta(minutes=5)) for number in range(1000)]
    if stand:
        push(world, *(replace(each, maybe_sent_at=None) for each in lost))
    read = API.read

    def slow(self: API, kind: str, ids: Sequence[str], *arguments: Any, **more: Any) -> Any:
        world.clock.forward(seconds=10 * -(-len(ids) // BATCH))
        return read(self, kind, ids, *arguments, **more)

    monkeypatch.setattr(API, "read", slow)
    began = world.clock()

    came = Counter(push(world, *lost))

    assert world.clock() - began <= timedelta(seconds=40)
    assert came[PushOutcome.FOUND if stand else PushOutcome.CREATED] >= 100
    assert came[PushOutcome.LATER] >= 700


def test_an_edit_keeps_the_marker_where_the_body_holds_the_key(make_world: Callable[..., World]) -> None:
    world = make_world(properties_allowed=False)
    task = made(world)

    push(world, replace(task, body="Another body"))

    assert standing(world, "k1")["hs_task_body"] == "Another body<br><br>Warmline reference: k1"


def test_a_task_is_completed_with_the_line_that_says_why(world: World) -> None:
    task = replace(made(world), status=TaskStatus.COMPLETED, body="Answered on X.")

    assert push(world, task) == [PushOutcome.COMPLETED]
    assert standing(world, "k1")["hs_task_status"] == "COMPLETED"
    assert standing(world, "k1")["hs_task_body"] == "Answered on X."


def test_a_completed_task_is_opened_again(world: World) -> None:
    task = made(world)
    push(world, replace(task, status=TaskStatus.COMPLETED))

    assert push(world, task) == [PushOutcome.UPDATED]
    assert standing(world, "k1")["hs_task_status"] == "NOT_STARTED"


def test_a_task_is_withdrawn_by_deleting_it(world: World) -> None:
    task = made(world)

    assert push(world, replace(task, status=TaskStatus.WITHDRAWN)) == [PushOutcome.WITHDRAWN]
    assert world.client().read_tasks([str(task.external_id)]) == [Gone(str(task.external_id))]


@pytest.mark.parametrize("wanted", TaskStatus)
def test_a_task_that_a_person_deleted_is_gone_and_stays_so(world: World, wanted: TaskStatus) -> None:
    task = made(world)
    world.portal.archive("tasks", str(task.external_id))

    assert push(world, replace(task, status=wanted, subject="Again")) == [PushOutcome.GONE]
    assert world.portal.alive("tasks") == []


def test_a_task_deleted_between_the_look_and_the_edit_is_gone(world: World) -> None:
    task = made(world)

    def deleted_meanwhile(work: Callable[[], Any]) -> Any:
        world.portal.archive("tasks", str(task.external_id))
        return work()

    world.portal.fault("POST", UPDATE, deleted_meanwhile)

    assert push(world, replace(task, subject="Again")) == [PushOutcome.GONE]


@pytest.mark.parametrize("multi_status", [True, False])
def test_a_refused_edit_does_not_take_the_others_with_it(make_world: Callable[..., World], multi_status: bool) -> None:
    world = make_world(multi_status=multi_status)
    tasks = [made(world, f"k{n}") for n in range(8)]
    world.portal.refusals["bad"] = "No."

    outcomes = push(world, *(replace(each, subject="bad" if each.key == "k3" else "good") for each in tasks))

    assert outcomes == [PushOutcome.REFUSED if n == 3 else PushOutcome.UPDATED for n in range(8)]


@pytest.mark.parametrize("wanted", TaskStatus)
@pytest.mark.parametrize("loss", LOST)
def test_a_lost_change_is_safe_to_repeat(world: World, wanted: TaskStatus, loss: Any) -> None:
    task = replace(made(world), status=wanted, subject="Again")
    world.portal.fault("POST", f"{UPDATE}|{ARCHIVE}", loss)
    with suppress(TemporaryError, UnexpectedResponseError):
        assert push(world, task) == [PushOutcome.LATER]
    outcomes = push(world, task)

    ends = {"open": PushOutcome.UPDATED, "completed": PushOutcome.COMPLETED, "withdrawn": PushOutcome.WITHDRAWN}
    assert outcomes in ([ends[wanted.value]], [PushOutcome.GONE])
    assert world.portal.tasks_ever_created == 1


def test_what_makes_room_goes_out_before_what_is_new(world: World) -> None:
    old = made(world)

    push(world, new("k2"), replace(old, status=TaskStatus.WITHDRAWN))

    verbs = [path.rsplit("/", 1)[1] for path in world.portal.paths()]
    assert verbs == ["read", "archive", "create"]


# --- what concerns the whole connection ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (status(429, policyName="TEN_SECONDLY_ROLLING"), RateLimitError),
        (status(401, category="EXPIRED_AUTHENTICATION"), AuthenticationError),
        (status(403, category="MISSING_SCOPES"), PermissionDeniedError),
        (status(477), TemporaryError),
        (lambda work: (404, {}, "<html>"), TemporaryError),
    ],
)
def test_it_is_raised_when_nothing_was_sent_and_noted_when_something_was(
    world: World, fault: Any, error: type[Exception]
) -> None:
    tasks = [new(f"k{n}") for n in range(150)]
    world.portal.fault("POST", CREATE, fault)
    with pytest.raises(error):
        push(world, *tasks)
    assert world.portal.tasks_ever_created == 0

    world.portal.fault("POST", CREATE, fault, skip=1)
    assert push(world, *tasks) == [PushOutcome.CREATED] * 100 + [PushOutcome.LATER] * 50


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_server_that_fails_on_a_create_may_have_made_it(world: World, code: int) -> None:
    world.portal.fault("POST", CREATE, status(code))

    assert push(world, new()) == [PushOutcome.UNKNOWN]


def test_no_result_shows_a_token_or_the_text_of_a_post(world: World) -> None:
    world.portal.fault("POST", CREATE, garbage_after)

    [found] = results(world, new(body="Something private"))

    assert "token" not in found.detail
    assert "private" not in found.detail


def test_maybe_sent_long_ago_and_not_there_is_made(make_world: Callable[..., World]) -> None:
    world = make_world(properties_allowed=False)
    task = replace(new(), maybe_sent_at=world.clock() - timedelta(days=2))

    assert push(world, task) == [PushOutcome.CREATED]


@pytest.mark.parametrize("maybe_sent", [False, True])
def test_while_our_property_is_gone_nothing_is_refused_and_once_it_is_made_again_the_task_is(
    make_world: Callable[..., World], maybe_sent: bool
) -> None:
    for unique in (True, False):
        world = make_world(unique=unique)
        world.portal.drop_property("tasks", "warmline_key")
        task = replace(new(), maybe_sent_at=world.clock() - timedelta(minutes=5) if maybe_sent else None)
        with pytest.raises(TemporaryError, match="is gone from HubSpot"):
            push(world, task)
        assert world.portal.tasks_ever_created == 0

        assert world.client().missing() == []

        assert push(world, task) == [PushOutcome.CREATED]


def test_a_task_among_others_that_is_refused_for_our_lost_property_is_sent_again(world: World) -> None:
    problem = {"message": 'Property "warmline_key" does not exist', "category": "VALIDATION_ERROR", "status": "error"}
    refused = {**problem, "context": {"objectWriteTraceId": ["k1"]}, "errors": []}
    body = {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [refused]}
    world.portal.fault("POST", CREATE, lambda work: (207, {"Content-Type": "application/json"}, json.dumps(body)))

    assert push(world, new("k1")) == [PushOutcome.UNKNOWN]


def test_a_property_that_is_no_longer_unique_wants_a_new_connection(world: World) -> None:
    world.portal.drop_property("tasks", "warmline_key")
    world.portal.unique = False

    [told] = world.client().missing()

    assert "Connect HubSpot again" in told
    world.prepare()
    assert world.client().missing() == []
