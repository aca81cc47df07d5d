"""One contract for every CRM, each provider that the registry finds and the fake that workers are tested with: what is read.

What they promise of tasks and handles, where things go wrong, and where people do something in the CRM, is in `test_contract_tasks.py`,
`test_contract_handles.py`, `test_contract_faults.py`, `test_contract_pushing.py` and `test_contract_people.py`. A provider joins by a `harness.py` in its tests folder (see
`tests/integrations/contract/harnesses.py`).
"""

from __future__ import annotations

import json
from itertools import islice

import pytest

from integrations.clients import Cleaner
from integrations.records import (
    Activity,
    Contact,
    Gone,
    PushOutcome,
)
from integrations.registry import providers
from tests.integrations.contract.able import able
from tests.integrations.contract.harnesses import (
    CRMS,
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


@pytest.mark.rule("remade")
def test_what_connecting_made_and_somebody_took_away_is_made_again_or_told(crm: Harness) -> None:
    things, check = able(crm, "made")(), able(crm, "check")
    for thing, (take, stands) in things.items():
        take()
        assert not stands()

        told = list(check())

        if told and not isinstance(crm.client(), Cleaner):  # it makes nothing there: an administrator does
            assert [thing in each for each in told] == [True]
            continue
        assert (told, stands()) == ([], True)
    [made] = push(crm, new())
    assert made.outcome is PushOutcome.CREATED


@pytest.mark.rule("remade")
def test_what_may_not_be_made_again_is_told_with_what_to_do(crm: Harness) -> None:
    things, forbid, check = able(crm, "made")(), able(crm, "forbid_making"), able(crm, "check")
    if not things:
        pytest.skip("nothing was made here")
    assert list(check()) == []
    forbid()
    for thing, (take, _) in things.items():
        take()

        found = [each for each in check() if thing in each]

        assert len(found) == 1
        assert found[0].endswith(".")


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


@pytest.mark.rule("clock_skew")
@pytest.mark.parametrize("waits", [60, 900, 3 * 3600])
def test_a_crms_clock_that_ran_ahead_and_was_put_right_hides_nothing(crm: Harness, waits: int) -> None:
    run_ahead = able(crm, "run_ahead")
    run_ahead(2 * 3600)
    made = {crm.put_contact("Ada")}
    found: set[str] = set()
    cursor = None
    for _ in range(4):
        pages = list(islice(crm.client().pull("contacts", cursor), 100))
        assert len(pages) < 100
        found |= {each.id for page in pages for each in page.items}
        assert found == made
        cursor = pages[-1].cursor
        crm.wait(waits)
        run_ahead(0)
        made.add(crm.put_contact("Bea"))


@pytest.mark.rule("clock_skew")
@pytest.mark.parametrize("jump", [0, 3600])  # up to our clock, or past it
@pytest.mark.parametrize("waits", [60, 900, 3 * 3600])
def test_a_crms_clock_that_is_behind_jumps_and_falls_back_hides_nothing(crm: Harness, waits: int, jump: int) -> None:
    run_ahead, behind = able(crm, "run_ahead"), -2 * 3600
    made: set[str] = set()
    found: set[str] = set()
    cursor = None
    for ways in ([behind], [jump], [behind], [behind], [jump, behind], [behind, jump], [behind], [0], [0]):
        for ahead in ways:
            run_ahead(ahead)
            made.add(crm.put_contact("Ada"))
        pages = list(islice(crm.client().pull("contacts", cursor), 100))
        assert len(pages) < 100
        found |= {each.id for page in pages for each in page.items}
        assert found == made
        cursor = pages[-1].cursor
        crm.wait(waits)


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
