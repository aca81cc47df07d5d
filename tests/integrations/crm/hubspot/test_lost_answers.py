"""Pushing where an answer is lost: no task twice, and none forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from integrations.errors import (
    RateLimitError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.records import PushOutcome, PushResult, TaskStatus
from tests.integrations.crm.hubspot.conftest import World
from tests.integrations.crm.hubspot.portal import (
    drop_after,
    drop_before,
    status,
)
from tests.integrations.crm.hubspot.pushes import ACCOUNTS, CREATE, LOST, READ, new, push, results, sent, standing

# The account in memory holds each request and answer against the models of HubSpot's own SDK.
pytestmark = pytest.mark.rule("contract")


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
