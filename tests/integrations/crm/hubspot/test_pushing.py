"""Pushing new tasks: each record's own answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from integrations.errors import (
    AuthenticationError,
    PermissionDeniedError,
    RateLimitError,
    TemporaryError,
)
from integrations.records import PushOutcome, TaskKind, TaskState
from tests.integrations.crm.hubspot.conftest import World
from tests.integrations.crm.hubspot.portal import (
    garbage_after,
    status,
)
from tests.integrations.crm.hubspot.pushes import ACCOUNTS, CREATE, DUE, UPDATE, made, new, push, results, standing

# The account in memory holds each request and answer against the models of HubSpot's own SDK.
pytestmark = pytest.mark.rule("contract")


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
