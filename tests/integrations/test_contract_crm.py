"""One contract for every CRM, each provider that the registry finds and the fake that workers are tested with: what is read, and what
comes of a task.

What they promise where things go wrong, or where people do something in the CRM, is in `test_contract_faults.py`,
`test_contract_pushing.py` and `test_contract_people.py`. A provider joins by a `harness.py` in its tests folder (see
`tests/integrations/contract/harnesses.py`).
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice

import pytest

from integrations.provider import WRITE_HANDLES, HandleWriter
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
    WriteOutcome,
    WriteResult,
)
from integrations.registry import providers
from tests.integrations.contract.able import able
from tests.integrations.contract.harnesses import (
    CRMS,
    DUE,
    HARNESSES,
    STREAMS,
    Harness,
    drain,
    new,
    push,
    several_pages,
)

ENOUGH = 20  # more pages than anything here fills


@pytest.mark.parametrize("crm_key", CRMS)
def test_every_crm_has_a_harness(crm_key: str) -> None:
    assert any(name.split(" ")[0] == crm_key for name in HARNESSES)


# --- the manifest -----------------------------------------------------------------------------------------------


@pytest.mark.rule("manifest")
@pytest.mark.parametrize("crm_key", CRMS)
def test_a_manifest_offers_every_stream_of_a_crm(crm_key: str) -> None:
    provider = providers()[crm_key]

    assert tuple(sorted(stream.name for stream in provider.streams)) == tuple(sorted(STREAMS))
    assert all(stream.label and stream.every.total_seconds() >= 30 for stream in provider.streams)
    assert provider.name
    assert provider.about.endswith(".")


# --- reading ----------------------------------------------------------------------------------------------------


@pytest.mark.rule("whoami")
def test_the_account_is_always_the_same_one(crm: Harness) -> None:
    first, second = crm.client().whoami(), crm.client().whoami()

    assert first == second
    assert first.id
    assert first.url.startswith("http")


@pytest.mark.rule("options")
def test_what_connecting_finds_out_can_be_stored_and_found_out_again(crm: Harness) -> None:
    first = crm.client().prepare()

    assert json.loads(json.dumps(first)) == first
    assert crm.client().prepare() == first


@pytest.mark.rule("full_pull")
@pytest.mark.parametrize("stream", [stream for stream in STREAMS if stream != "owners"])
def test_an_empty_crm_serves_no_record_and_a_cursor(crm: Harness, stream: str) -> None:
    pages = list(crm.client().pull(stream, None))

    assert [each for page in pages for each in page.items] == []
    assert pages[-1].cursor


@pytest.mark.rule("full_pull")
def test_every_stream_serves_its_own_kind_of_record(crm: Harness) -> None:
    contact = crm.put_contact("Ada")
    call = crm.add_call(contact)
    [made] = push(crm, new())

    found = {stream: drain(crm, stream)[0] for stream in STREAMS}

    assert [(each.id, each.email, each.active) for each in found["owners"]] == [("7", "owner@example.com", True)]
    assert {each.id for each in found["contacts"] if isinstance(each, Contact)} == {contact}
    assert [(each.id, each.contact_ids) for each in found["activities"] if isinstance(each, Activity)] == [
        (call, (contact,))
    ]
    assert {(each.id, each.key) for each in found["tasks"]} == {(made.external_id, "key-1")}


@pytest.mark.rule("news")
def test_a_change_comes_after_the_cursor(crm: Harness) -> None:
    contact = crm.put_contact("Ada")
    _, cursor = drain(crm, "contacts")
    crm.wait(3600)
    crm.put_contact("Augusta", contact)

    found, _ = drain(crm, "contacts", cursor)

    assert [each.first_name or each.name for each in found if isinstance(each, Contact)][-1] == "Augusta"


@pytest.mark.rule("resume")
def test_stopping_after_each_page_loses_nothing(crm: Harness) -> None:
    made = several_pages(crm)
    found: set[str] = set()
    cursor = None
    for _ in range(ENOUGH):
        page = next(iter(crm.client().pull("contacts", cursor)))
        found |= {each.id for each in page.items}
        cursor = page.cursor

    assert found >= made


@pytest.mark.rule("replayed_page")
def test_a_page_that_is_read_again_brings_the_same_records(crm: Harness) -> None:
    several_pages(crm)
    cursors = [None, *(page.cursor for page in crm.client().pull("contacts", None))]
    for cursor in cursors:
        first, second = ([page.items for page in crm.client().pull("contacts", cursor)] for _ in range(2))
        assert first == second


@pytest.mark.rule("overlap")
@pytest.mark.parametrize("stream", STREAMS)
def test_coming_back_when_nothing_is_new_ends_and_invents_nothing(crm: Harness, stream: str) -> None:
    crm.add_call(crm.put_contact("Ada"))
    push(crm, new(), new("key-2"))
    everything = {each.id for each in drain(crm, stream)[0]}
    cursor = None
    for _ in range(4):
        pages = list(islice(crm.client().pull(stream, cursor), 100))
        assert len(pages) < 100
        assert {each.id for page in pages for each in page.items} <= everything
        cursor = pages[-1].cursor


@pytest.mark.rule("late_item")
def test_what_is_indexed_late_is_found_behind_the_newest(crm: Harness) -> None:
    hide, show = able(crm, "hide"), able(crm, "show")
    crm.put_contact("Ada")
    _, cursor = drain(crm, "contacts")
    late = crm.put_contact("Slow")
    hide(late)
    crm.put_contact("Quick")
    crm.wait(30)
    before, cursor = drain(crm, "contacts", cursor)
    assert late not in {each.id for each in before}

    show(late)

    assert late in {each.id for each in drain(crm, "contacts", cursor)[0]}


@pytest.mark.rule("clock_skew")
@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_that_is_hours_off_loses_nothing(crm: Harness, hours: int) -> None:
    able(crm, "skew")(hours * 3600)
    first = crm.put_contact("Ada")
    found, cursor = drain(crm, "contacts")
    assert first in {each.id for each in found}
    second = crm.put_contact("Bea")
    assert second in {each.id for each in drain(crm, "contacts", cursor)[0]}


@pytest.mark.rule("resume")
def test_a_pull_goes_on_from_any_cursor_that_was_saved(crm: Harness) -> None:
    made = several_pages(crm)
    seen: set[str] = set()
    for page in list(crm.client().pull("contacts", None)):
        seen |= {each.id for each in page.items}
        assert seen | {each.id for each in drain(crm, "contacts", page.cursor)[0]} >= made


@pytest.mark.rule("deleted_contact")
def test_a_contact_that_is_deleted_is_gone_within_two_hours(crm: Harness) -> None:
    delete = able(crm, "delete_contact")
    kept, gone = crm.put_contact("Ada"), crm.put_contact("Bea")
    _, cursor = drain(crm, "contacts")
    delete(gone)
    crm.wait(2 * 3600)

    found, _ = drain(crm, "contacts", cursor)

    assert Gone(gone) in found
    assert Gone(kept) not in found


@pytest.mark.rule("any_cursor")
@pytest.mark.parametrize("cursor", ["garbage", '{"v":99}', "[]"])
def test_garbage_for_a_cursor_starts_over(crm: Harness, cursor: str) -> None:
    contact = crm.put_contact("Ada")

    assert contact in [each.id for each in drain(crm, "contacts", cursor)[0]]


# --- writing ----------------------------------------------------------------------------------------------------


@pytest.mark.rule("tasks")
def test_a_task_is_made_and_reads_back_as_it_was_written(crm: Harness) -> None:
    task = new(contact_id=crm.put_contact("Ada"))
    [made] = push(crm, task)

    [state] = crm.client().read_tasks([str(made.external_id)])

    assert made.outcome is PushOutcome.CREATED
    assert isinstance(state, TaskState)
    assert (state.key, state.subject, state.body) == (task.key, task.subject, task.body)
    assert (state.due_at, state.owner_id, state.status) == (DUE, "7", TaskStatus.OPEN)
    assert made.url == state.url != ""


@pytest.mark.rule("unicode")
@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Ответить 👩‍👩‍👧‍👦 сегодня", "שלום\n‏مرحبا\nhttps://x.example/1"),
        ("a < b & c > d", '<b>not bold</b> &amp; "quoted"\nhttps://x.example/?a=1&b=2'),
        ("é" * 60, "ا" * 3000),
    ],
    ids=["scripts", "markup", "long"],
)
def test_no_text_of_a_task_is_too_odd(crm: Harness, subject: str, body: str) -> None:
    [made] = push(crm, new(subject=subject, body=body))

    [state] = crm.client().read_tasks([str(made.external_id)])

    assert isinstance(state, TaskState)
    assert (state.subject, state.body) == (subject, body)


@pytest.mark.rule("unicode")
def test_no_name_is_too_odd(crm: Harness) -> None:
    names = {crm.put_contact(name): name for name in ("Zoë", "李", "🦺 Safety", "O'Hara & <Sons>")}

    found = {each.id: each.first_name or each.name for each in drain(crm, "contacts")[0] if isinstance(each, Contact)}

    assert found == names


@pytest.mark.rule("tasks")
def test_there_is_one_answer_for_each_task_that_is_read(crm: Harness) -> None:
    [made] = push(crm, new())

    found = crm.client().read_tasks([str(made.external_id), "424242"])

    assert [type(each) for each in found] == [TaskState, Gone]
    assert crm.client().read_tasks([]) == []


@pytest.mark.rule("tasks", "edited_task")
def test_an_edit_leaves_alone_what_it_does_not_give(crm: Harness) -> None:
    [made] = push(crm, new())
    edit = Task("key-1", TaskKind.UNANSWERED, TaskStatus.OPEN, subject="Another", external_id=made.external_id)

    [changed] = push(crm, edit)
    [state] = crm.client().read_tasks([str(made.external_id)])

    assert changed.outcome is PushOutcome.UPDATED
    assert isinstance(state, TaskState)
    assert (state.subject, state.body, state.due_at) == ("Another", new().body, DUE)


@pytest.mark.rule("tasks")
def test_a_task_is_completed_opened_again_and_withdrawn(crm: Harness) -> None:
    [made] = push(crm, new())
    task = Task("key-1", TaskKind.UNANSWERED, TaskStatus.COMPLETED, external_id=made.external_id)

    for status, outcome in (
        (TaskStatus.COMPLETED, PushOutcome.COMPLETED),
        (TaskStatus.OPEN, PushOutcome.UPDATED),
    ):
        assert push(crm, replace(task, status=status))[0].outcome is outcome
        [state] = crm.client().read_tasks([str(made.external_id)])
        assert isinstance(state, TaskState)
        assert state.status is status

    assert push(crm, replace(task, status=TaskStatus.WITHDRAWN))[0].outcome is PushOutcome.WITHDRAWN
    assert crm.client().read_tasks([str(made.external_id)]) == [Gone(str(made.external_id))]


@pytest.mark.rule("completed")
def test_what_a_person_completes_shows_on_the_stream(crm: Harness) -> None:
    [made] = push(crm, new())
    _, cursor = drain(crm, "tasks")
    crm.complete(str(made.external_id))

    found, _ = drain(crm, "tasks", cursor)

    assert found[-1].status is TaskStatus.COMPLETED


@pytest.mark.rule("deleted_task")
@pytest.mark.parametrize("status", TaskStatus)
def test_what_a_person_deleted_is_left_be(crm: Harness, status: TaskStatus) -> None:
    [made] = push(crm, new())
    crm.delete(str(made.external_id))

    [again] = push(crm, replace(new(), status=status, external_id=made.external_id))

    assert again.outcome is PushOutcome.GONE
    assert crm.tasks_ever_created() == 1


@pytest.mark.rule("partial_failure")
def test_a_refused_task_says_why_and_the_others_are_made(crm: Harness) -> None:
    bad, sentence = crm.refusable(new("key-2"))

    found = push(crm, new("key-1"), bad, new("key-3"))

    assert [each.outcome for each in found] == [PushOutcome.CREATED, PushOutcome.REFUSED, PushOutcome.CREATED]
    assert sentence in found[1].detail


@pytest.mark.rule("lost_answers")
@pytest.mark.parametrize("with_contact", [True, False])
@pytest.mark.parametrize("work_done", [True, False])
def test_a_create_that_was_never_answered_ends_as_one_task(crm: Harness, work_done: bool, with_contact: bool) -> None:
    task = new(contact_id=crm.put_contact("Ada") if with_contact else None)
    crm.lose_next_create(work_done=work_done)
    [lost] = push(crm, task)
    assert (lost.outcome, lost.sent) == (PushOutcome.UNKNOWN, True)
    task = replace(task, maybe_sent_at=crm.now())

    found = []
    while not found or found[-1].outcome is PushOutcome.UNKNOWN:
        found += push(crm, task)
        crm.wait(20)

    assert not any(each.sent for each in found)
    assert found[-1].outcome is (PushOutcome.FOUND if work_done else PushOutcome.CREATED)
    assert crm.tasks_ever_created() == 1


@pytest.mark.rule("lost_answers")
def test_only_the_batch_without_an_answer_is_unknown(crm: Harness) -> None:
    crm.lose_next_create(work_done=True)

    found = [each.outcome for each in push(crm, *(new(f"key-{n}") for n in range(250)))]

    batch = found.index(PushOutcome.LATER)
    assert found == [PushOutcome.UNKNOWN] * batch + [PushOutcome.LATER] * (250 - batch)
    assert batch > 0


@pytest.mark.rule("tasks")
def test_a_task_that_never_stood_and_is_no_longer_wanted_is_not_made(crm: Harness) -> None:
    [found] = push(crm, replace(new(), status=TaskStatus.WITHDRAWN))

    assert found.outcome is PushOutcome.WITHDRAWN
    assert crm.tasks_ever_created() == 0


# --- handles --------------------------------------------------------------------------------------------------


def write(crm: Harness, *writes: HandleWrite) -> list[WriteResult]:
    """Writes handles, twice: a repeat changes nothing and says so."""
    client = crm.client()
    if not isinstance(client, HandleWriter):
        pytest.skip("This CRM keeps no handles.")
    first = list(client.write_handles(writes))
    again = list(client.write_handles(writes))
    assert [each.outcome for each in again] == [
        WriteOutcome.KEPT if each.outcome is WriteOutcome.WRITTEN else each.outcome for each in first
    ]
    assert [(each.contact_id, each.network) for each in first] == [(each.contact_id, each.network) for each in writes]
    return first


def on_file(crm: Harness, contact_id: str) -> set[str]:
    found = [record for page in crm.client().pull("contacts", None) for record in page.items if record.id == contact_id]
    assert isinstance(found[-1], Contact)
    return {each.value for each in found[-1].handles}


@pytest.mark.rule("manifest")
@pytest.mark.parametrize("crm_key", CRMS)
def test_a_crm_that_says_so_can_write_handles(crm_key: str) -> None:
    writer = callable(getattr(providers()[crm_key].client, "write_handles", None))
    assert writer == (WRITE_HANDLES in providers()[crm_key].capabilities)


@pytest.mark.rule("handles")
def test_a_handle_goes_into_a_contact_that_has_none(crm: Harness) -> None:
    ada, bea = crm.put_contact("Ada"), crm.put_contact("Bea")
    told = write(crm, HandleWrite(ada, "x", "ada_l"), HandleWrite(bea, "x", "bea"))
    assert [each.outcome for each in told] == [WriteOutcome.WRITTEN] * 2
    crm.wait(60)
    assert on_file(crm, ada) == {"ada_l"}
    assert on_file(crm, bea) == {"bea"}


@pytest.mark.rule("handles")
def test_what_a_contact_has_is_kept(crm: Harness) -> None:
    ada = crm.put_contact("Ada")
    write(crm, HandleWrite(ada, "x", "ada_l"))
    assert [each.outcome for each in write(crm, HandleWrite(ada, "x", "another"))] == [WriteOutcome.KEPT]
    crm.wait(60)
    assert on_file(crm, ada) == {"ada_l"}


@pytest.mark.rule("handles")
def test_a_contact_that_is_gone_is_told_and_the_others_are_written(crm: Harness) -> None:
    ada = crm.put_contact("Ada")
    told = write(crm, HandleWrite("99999999", "x", "nobody"), HandleWrite(ada, "x", "ada_l"))
    assert [each.outcome for each in told] == [WriteOutcome.REFUSED, WriteOutcome.WRITTEN]
    assert told[0].detail


@pytest.mark.rule("handles")
def test_many_handles_are_written_in_batches(crm: Harness) -> None:
    contacts = sorted(crm.put_contacts(120))
    told = write(crm, *(HandleWrite(each, "x", f"h{each}") for each in contacts))
    assert {each.outcome for each in told} == {WriteOutcome.WRITTEN}
