"""What every CRM promises of a push that goes wrong: each task stands once in the end, and what was asked for is done."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from msgspec.structs import replace

from integrations import deadline, errors
from integrations.pushing import FRESH
from integrations.records import Gone, PushOutcome, PushResult, Task, TaskState, TaskStatus
from tests.integrations.contract.able import able
from tests.integrations.contract.harnesses import FAKE, HARNESSES, Harness, connected, new, push
from tests.integrations.contract.line import (
    ELSEWHERE,
    GARBAGE,
    OUTAGES,
    PAGE,
    READING,
    REDIRECTS,
    Fault,
    Request,
    Wire,
    Work,
    doubled,
    status,
    tapped,
    worked,
)
from tests.integrations.contract.secrets import refusing, secrets_in, told

ENOUGH = 40  # more calls than a push of one task makes
PATIENCE = 20  # rounds of 20 seconds
FAULTS = {
    "dropped": OUTAGES["dropped"],
    "dropped after the work": OUTAGES["dropped after the work"],
    "502 after the work": Fault(worked(status(502, PAGE)), errors.TemporaryError, work=True),
    "truncated": GARBAGE["truncated"],
    "redirect": REDIRECTS["307"],
}
WHEN_MADE = {
    **FAULTS,
    "timeout": OUTAGES["timeout"],
    "timeout after the work": OUTAGES["timeout after the work"],
    "a web page after the work": Fault(worked(status(200, PAGE)), errors.UnexpectedResponseError, work=True),
    "429": READING["429"],
}
WIRED = [(name, unique) for name in HARNESSES if name != FAKE for unique in (True, False)]


def _settled(crm: Harness, task: Task, result: PushResult | None) -> PushResult:
    """What comes of a task in the end, pushed on as the worker does it."""
    for _ in range(PATIENCE):
        if result is not None and result.outcome not in (PushOutcome.LATER, PushOutcome.UNKNOWN):
            return result
        if result is not None and result.outcome is PushOutcome.UNKNOWN and (result.sent or not task.maybe_sent_at):
            task = replace(task, maybe_sent_at=crm.now())
        crm.wait(20)
        [result] = push(crm, task)
    pytest.fail(f"it is still {result.outcome if result else 'not pushed'} after {PATIENCE} rounds")


def _broken(crm: Harness, wire: Wire, task: Task, fault: Fault, call: int) -> tuple[PushResult | None, bool]:
    """What a push says whose call of this number is broken (None: it raised), and whether there was such a call."""
    wire.fail(fault, after=call)
    before, result = wire.broken, None
    with suppress(errors.IntegrationError):
        [result] = push(crm, task)
    wire.mend()
    return result, wire.broken > before


@contextmanager
def _opened(crm: tuple[str, bool]) -> Iterator[tuple[Harness, Wire]]:
    with connected(crm[0], unique=crm[1]) as harness, tapped() as wire:
        yield harness, wire
        assert ELSEWHERE not in {urlsplit(str(request.url)).hostname for request in wire.sent}


every_crm = pytest.mark.parametrize("crm", WIRED, ids=lambda p: f"{p[0]}-{'unique' if p[1] else 'plain'}")


@pytest.mark.rule("lost_answers")
@every_crm
@pytest.mark.parametrize("what", WHEN_MADE)
def test_whichever_call_breaks_off_while_a_task_is_made_there_is_one(crm: tuple[str, bool], what: str) -> None:
    for call in range(ENOUGH):
        with _opened(crm) as (harness, wire):
            task = new(contact_id=harness.put_contact("Ada"))
            result, broke = _broken(harness, wire, task, WHEN_MADE[what], call)
            end = _settled(harness, task, result)
            [state] = harness.client().read_tasks([str(end.external_id)])
            assert isinstance(state, TaskState)
            assert (state.status, harness.tasks_ever_created()) == (TaskStatus.OPEN, 1)
        if not broke:
            break
    assert call > 0


@pytest.mark.rule("lost_answers")
@every_crm
@pytest.mark.parametrize("then", ["nothing", "dropped"])
def test_a_task_whose_request_arrives_twice_is_never_taken_for_one_that_was_not_sent(
    crm: tuple[str, bool], then: str
) -> None:
    for call in range(ENOUGH):
        with _opened(crm) as (harness, wire):
            task = new(contact_id=harness.put_contact("Ada"))
            breaks = {"nothing": wire.mend, "dropped": partial(wire.fail, OUTAGES["dropped"])}[then]
            result, broke = _broken(harness, wire, task, Fault(doubled(breaks), errors.TemporaryError), call)
            made = harness.tasks_ever_created()
            assert result is None or result.outcome is not PushOutcome.LATER or made == 0
            end = _settled(harness, task, result)
            assert isinstance(harness.client().read_tasks([str(end.external_id)])[0], TaskState)
            assert harness.tasks_ever_created() == max(made, 1)
        if not broke:
            break
    assert call > 0


def _worded(harness: Harness) -> dict[str, Any]:
    return {"subject": "Ours"}


def _given(harness: Harness) -> dict[str, Any]:
    harness.add_owner("8", "else@example.com")
    return {"owner_id": "8"}


def _about(harness: Harness) -> dict[str, Any]:
    return {"contact_id": harness.put_contact("Ada")}


def _about_nobody(harness: Harness) -> dict[str, Any]:
    delete: Callable[[str], None] = able(harness, "delete_contact")
    lost = harness.put_contact("Ada")
    delete(lost)
    return {"contact_id": lost}


CHANGES: dict[str, Callable[[Harness], dict[str, Any]]] = {
    "other words": _worded,
    "another owner": _given,
    "a contact": _about,
    "a contact who is gone": _about_nobody,
    "completed": lambda _: {"status": TaskStatus.COMPLETED},
}


@pytest.mark.rule("edited_task")
@every_crm
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whichever_answer_is_slow_what_a_person_changes_meanwhile_stands(
    crm: tuple[str, bool], change: Callable[[Harness], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two tasks that are changed, and one that is withdrawn before them."""
    at = [0.0]
    monkeypatch.setattr(deadline, "now", lambda: at[0])
    with _opened(crm) as (harness, wire):
        edit: Callable[..., None] = able(harness, "edit")
        wanted = change(harness)
        for call in range(ENOUGH):
            made = [new(f"key-{call}-{number}") for number in range(3)]
            ids = [str(each.external_id) for each in push(harness, *made)]
            ends, *changes = (_changed(task, task_id) for task, task_id in zip(made, ids, strict=True))

            def meanwhile(_: Request, work: Work, ids: Sequence[str] = ids) -> requests.Response:
                answer = work()
                at[0] += FRESH
                for each in ids[1:]:
                    edit(each, subject="Theirs")
                return answer

            wire.fail(Fault(meanwhile, errors.TemporaryError), after=call)
            before = wire.broken
            withdrawn = replace(ends, status=TaskStatus.WITHDRAWN)
            found = push(harness, withdrawn, *(replace(each, **wanted) for each in changes))
            slow = wire.broken > before
            wire.mend()
            _, *states = harness.client().read_tasks(ids)
            assert {getattr(each, "subject", None) for each in states} == {"Theirs" if slow else "Ours"}
            assert {each.outcome for each in found[1:]} <= {PushOutcome.UPDATED, PushOutcome.COMPLETED}
            if not slow:
                break
        assert call > 1


def _changed(task: Task, task_id: str) -> Task:
    ours = {name: getattr(task, name) for name in ("subject", "body", "due_at", "owner_id", "status")}
    return replace(task, subject="Ours", external_id=task_id, ours=(ours,))


@pytest.mark.rule("deleted_task")
@every_crm
@pytest.mark.parametrize("contact", [False, True], ids=["", "about somebody"])
def test_a_task_that_somebody_deletes_while_it_is_changed_is_gone(
    crm: tuple[str, bool], contact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = [0.0]
    monkeypatch.setattr(deadline, "now", lambda: at[0])
    for call in range(ENOUGH):
        with _opened(crm) as (harness, wire):
            whom = harness.put_contact("Ada") if contact else None
            [made] = push(harness, new(contact_id=whom))
            task_id = str(made.external_id)

            def meanwhile(
                _: Request, work: Work, harness: Harness = harness, task_id: str = task_id
            ) -> requests.Response:
                answer = work()
                at[0] += FRESH
                harness.delete(task_id)
                return answer

            wire.fail(Fault(meanwhile, errors.TemporaryError), after=call)
            [result] = push(harness, replace(_changed(new(), task_id), contact_id=whom))
            if not wire.broken:
                break
            assert result.outcome in (PushOutcome.GONE, PushOutcome.UPDATED)
    assert call > 0


@pytest.mark.rule("lost_answers")
@every_crm
@pytest.mark.parametrize("what", FAULTS)
@pytest.mark.parametrize("status", [TaskStatus.OPEN, TaskStatus.COMPLETED, TaskStatus.WITHDRAWN])
def test_whichever_call_breaks_off_while_a_task_is_changed_it_is_done(
    crm: tuple[str, bool], what: str, status: TaskStatus
) -> None:
    with _opened(crm) as (harness, wire):
        for call in range(ENOUGH):
            [made] = push(harness, new(f"key-{call}"))
            task = replace(new(f"key-{call}"), status=status, subject="Changed", external_id=made.external_id)
            result, broke = _broken(harness, wire, task, FAULTS[what], call)
            _settled(harness, task, result)
            [state] = harness.client().read_tasks([str(made.external_id)])
            if status is TaskStatus.WITHDRAWN:
                assert state == Gone(str(made.external_id))
            else:
                assert isinstance(state, TaskState)
                assert (state.status, state.subject) == (status, "Changed")
            if not broke:
                break
        assert call > 0
        assert harness.tasks_ever_created() == call + 1


@pytest.mark.rule("push_twice")
def test_the_same_task_pushed_twice_stands_once(crm: Harness) -> None:
    task = new(contact_id=crm.put_contact("Ada"))
    [made] = push(crm, task)
    [changed] = push(crm, replace(task, external_id=made.external_id))

    assert (made.outcome, changed.outcome) == (PushOutcome.CREATED, PushOutcome.UPDATED)
    assert made.external_id == changed.external_id
    assert crm.tasks_ever_created() == 1


@pytest.mark.rule("crash")
@pytest.mark.parametrize("with_contact", [True, False])
def test_a_process_that_dies_before_it_notes_what_it_made_leaves_one_task(crm: Harness, with_contact: bool) -> None:
    tasks = [new(f"key-{n}", contact_id=crm.put_contact("Ada") if with_contact else None) for n in range(3)]
    sent_at = crm.now()
    made = push(crm, *tasks)  # and nobody hears of it: before it was sent, each was noted as perhaps sent

    found = [_settled(crm, task, PushResult(task.key, PushOutcome.UNKNOWN)) for task in _perhaps(tasks, sent_at)]

    assert [each.outcome for each in found] == [PushOutcome.FOUND] * 3
    assert [each.external_id for each in found] == [each.external_id for each in made]
    assert crm.tasks_ever_created() == 3


@pytest.mark.rule("crash")
def test_a_process_that_dies_before_it_sends_anything_makes_the_task_later(crm: Harness) -> None:
    [task] = _perhaps([new(contact_id=crm.put_contact("Ada"))], crm.now())

    end = _settled(crm, task, PushResult(task.key, PushOutcome.UNKNOWN))

    assert end.outcome is PushOutcome.CREATED
    assert crm.tasks_ever_created() == 1


def _perhaps(tasks: list[Task], at: datetime) -> list[Task]:
    return [replace(task, maybe_sent_at=at) for task in tasks]


@pytest.mark.rule("statuses")
@pytest.mark.parametrize("name", ["401", "429"])
def test_what_concerns_the_whole_connection_is_raised_while_nothing_was_sent(
    wired_crm: Harness, crm_wire: Wire, name: str
) -> None:
    crm_wire.fail(READING[name])
    with pytest.raises(READING[name].means):
        push(wired_crm, new(), new("key-2"))
    assert wired_crm.tasks_ever_created() == 0


@pytest.mark.rule("secrets")
@pytest.mark.parametrize("code", [400, 401, 403, 500])
def test_no_secret_is_told_of_a_task_that_was_not_made(
    wired_crm: Harness, crm_wire: Wire, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    caplog.set_level(logging.DEBUG)
    push(wired_crm, new("key-1"))
    secrets = secrets_in(crm_wire.sent, wired_crm)
    body = refusing(wired_crm, f"Not with {' and '.join(sorted(secrets))}")
    crm_wire.fail_all(Fault(status(code, body), errors.IntegrationError))
    try:
        said = [repr(each) for each in push(wired_crm, new("key-2"), new("key-3"))]
    except errors.IntegrationError as error:
        said = list(told(error))
    assert not [secret for secret in secrets for text in (*said, caplog.text) if secret in text]


@pytest.mark.rule("fewest_calls")
def test_tasks_are_made_in_as_few_calls_as_the_crm_allows(wired_crm: Harness, crm_wire: Wire) -> None:
    fewest: Callable[[int], int] = able(wired_crm, "minimum_calls")
    contacts = sorted(wired_crm.put_contacts(40))
    tasks = [new(f"key-{n}", contact_id=contacts[n % 40]) for n in range(400)]
    client = wired_crm.client()
    before = len(crm_wire.sent)

    found = client.push_tasks(tasks)

    assert {each.outcome for each in found} == {PushOutcome.CREATED}
    assert len(crm_wire.sent) - before == fewest(400)
