"""Against a real BottleCRM: the provider itself (`test_whole_way` has the way from a mention to a task there).

Opt-in (`make test-crm`); see `tests.live.bottlecrm` for what it needs.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import structs

from integrations.crm.bottlecrm.client import BottleCRM
from integrations.errors import AuthenticationError
from integrations.provider import Access
from integrations.records import (
    Activity,
    Contact,
    Gone,
    HandleWrite,
    PushOutcome,
    Task,
    TaskKind,
    TaskState,
    TaskStatus,
)
from tests.live.bottle_contract import listening
from tests.live.bottlecrm import Bottle

pytestmark = pytest.mark.rule("live", provider="bottlecrm")

DUE = datetime(2030, 5, 3, 9, 30, tzinfo=UTC)


def client(bottle: Bottle, options: Any = None, token: str = "") -> BottleCRM:
    access = Access({"web": bottle.server}, {"token": token or bottle.token}, options=options or {}, guarded=True)
    return BottleCRM(replace(access, allow_hosts=("127.0.0.1",)))


def test_all_that_connecting_finds_and_makes_is_there_and_found_again(bottle: Bottle) -> None:
    first = client(bottle).prepare()

    assert first == client(bottle).prepare()
    assert (first["key_field"], bool(first["tag"]), first["timezone"]) == (True, True, "UTC")
    assert {"name": "twitter_handle", "network": "x"} in first["contact_properties"]
    assert client(bottle).whoami().name == "Acme"
    assert client(bottle).missing() == []


def test_what_people_do_is_read(bottle: Bottle) -> None:
    options = client(bottle).prepare()
    contact = bottle.adds_contact(first_name="Bea", last_name="Baker", email="bea@example.com", organization="Bakery")
    bottle.logs_call(contact)

    contacts = [each for page in client(bottle, options).pull("contacts", None) for each in page.items]
    calls = [each for page in client(bottle, options).pull("activities", None) for each in page.items]
    owners = [each for page in client(bottle, options).pull("owners", None) for each in page.items]

    [found] = [each for each in contacts if isinstance(each, Contact) and each.id == contact]
    assert (found.name, found.emails, found.company) == ("Bea Baker", ("bea@example.com",), "Bakery")
    assert [each.outcome for each in calls if isinstance(each, Activity) and each.contact_ids == (contact,)] == [
        "connected"
    ]
    assert bottle.olga in {each.id for each in owners}
    bottle.call("DELETE", f"/contacts/{contact}/")


def test_a_task_lives_as_it_should(bottle: Bottle) -> None:
    options = client(bottle).prepare()
    contact = bottle.adds_contact(first_name="Cleo", last_name="Cook", email="cleo@example.com")
    task = Task(
        "u-live",
        TaskKind.UNANSWERED,
        TaskStatus.OPEN,
        "Answer Cleo",
        "She asked: größe?\nhttps://x.example/1",
        DUE,
        bottle.olga,
        contact,
    )
    bad = structs.replace(task, key="u-bad", subject="x" * 201)

    [made, refused] = client(bottle, options).push_tasks([task, bad])
    [state] = client(bottle, options).read_tasks([str(made.external_id)])
    [again] = client(bottle, options).push_tasks([structs.replace(task, maybe_sent_at=datetime.now(UTC))])

    assert (made.outcome, refused.outcome, again.outcome) == (
        PushOutcome.CREATED,
        PushOutcome.REFUSED,
        PushOutcome.FOUND,
    )
    assert "no more than 200 characters" in refused.detail
    assert isinstance(state, TaskState)
    assert (state.key, state.subject, state.body, state.due_at) == (task.key, task.subject, task.body, DUE)
    cursor = [page.cursor for page in client(bottle, options).pull("tasks", None)][-1]
    bottle.sets(str(made.external_id), status="Completed", due_date="2030-06-01")
    [done] = [each for page in client(bottle, options).pull("tasks", cursor) for each in page.items]
    assert isinstance(done, TaskState)
    assert (done.id, done.status, done.due_at) == (
        made.external_id,
        TaskStatus.COMPLETED,
        datetime(2030, 6, 1, 9, 30, tzinfo=UTC),
    )
    gone = structs.replace(task, status=TaskStatus.WITHDRAWN, external_id=made.external_id)
    assert client(bottle, options).push_tasks([gone])[0].outcome is PushOutcome.WITHDRAWN
    assert client(bottle, options).read_tasks([str(made.external_id)]) == [Gone(str(made.external_id))]


def test_a_handle_is_filled_in_once(bottle: Bottle) -> None:
    options = client(bottle).prepare()
    contact = bottle.adds_contact(first_name="Dora", last_name="Dean", email="dora@example.com")
    writes = [
        HandleWrite(contact, "x", "dora"),
        HandleWrite(contact, "linkedin", "dora", "https://www.linkedin.com/in/dora"),
    ]

    told = [each.outcome for _ in range(2) for each in client(bottle, options).write_handles(writes)]

    assert told == ["written", "written", "kept", "kept"]


def test_a_token_that_is_not_known_is_a_consent_that_is_gone(bottle: Bottle) -> None:
    stranger = client(bottle, token="bcrm_pat_not-a-token-that-anybody-has")

    with pytest.raises(AuthenticationError):
        stranger.whoami()
    with pytest.raises(AuthenticationError):
        list(stranger.pull("contacts", None))


def test_what_was_made_is_taken_away_and_made_again(bottle: Bottle) -> None:
    client(bottle).prepare()

    assert len(client(bottle).clean()) == 2
    assert client(bottle).prepare()["key_field"] is True


@pytest.mark.rule("contract", provider="bottlecrm")
def test_all_that_is_asked_and_answered_is_described_by_the_program_itself(bottle: Bottle) -> None:
    client(bottle).prepare()
    client(bottle).clean()  # what other tests have made, so that all of it is made here
    with listening(bottle.server) as heard:
        options = client(bottle).prepare()
        contact = bottle.adds_contact(first_name="Eva", last_name="Ek", email="eva@example.com")
        bottle.logs_call(contact)
        task = Task(
            "u-told", TaskKind.UNANSWERED, TaskStatus.OPEN, "Answer Eva", "She asked.", DUE, bottle.olga, contact
        )
        asked = client(bottle, options)
        [made] = asked.push_tasks([task])
        asked.push_tasks([structs.replace(task, external_id=made.external_id, subject="Answer Eva soon")])
        for stream in ("contacts", "owners", "activities", "tasks"):
            list(asked.pull(stream, None))
        asked.read_tasks([str(made.external_id)])
        asked.write_handles([HandleWrite(contact, "x", "eva")])
        asked.push_tasks([structs.replace(task, external_id=made.external_id, status=TaskStatus.WITHDRAWN)])
        asked.whoami()
        asked.clean()

    told = {(request.method, request.path_url.partition("?")[0].split("/")[2]) for request, _ in heard.calls}
    assert {("POST", "tasks"), ("PATCH", "tasks"), ("DELETE", "tasks"), ("PATCH", "contacts"), ("POST", "tags")} <= told
    for request, answer in heard.calls:
        bottle.contract.check_request(request)
        if answer.status_code < 300:
            bottle.contract.check_answer(request, answer)
