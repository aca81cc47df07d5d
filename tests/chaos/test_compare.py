"""Each difference between what happened, what we hold and what the CRM has is found, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from chaos import compare
from chaos.compare import CRMTask, Network, Ours, differences, key_of
from chaos.ledger import Edit, Ledger, Thread

BRAND = UUID(int=7)
WAITING = Thread("1", "acme", ["11"], [("11", 100.0)], ["11"])
ANSWERED = Thread("2", "acme", ["21"], [], ["21"])
DEALT_WITH = Thread("3", "acme", ["31", "32"], [("31", 100.0), ("32", 110.0)], ["31", "32"])
TAKEN_BACK = Thread("4", "acme", ["41"], [], ["41"])
CALM = dict.fromkeys(compare.NAMES, 0)


def task(
    thread: Thread, post: str, id_: str, *, status: str = "NOT_STARTED", deleted: bool = False, **values: str
) -> CRMTask:
    return CRMTask(id_, key_of(BRAND, thread, post), {"hs_task_status": status, **values}, 200.0, deleted)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(
        [WAITING, ANSWERED, DEALT_WITH, TAKEN_BACK], {"11", "21", "31", "32"}, {"11": "@acme And now?"}, {"41"},
        {"t1": {"hs_task_subject": Edit("hs_task_subject", "Ring them", 150.0)}}, {"t3": 120.0},
    )  # fmt: skip


@pytest.fixture
def ours() -> Ours:
    texts = {"11": "@acme And now?", "21": "a", "31": "b", "32": "c", "41": ""}
    return Ours(texts, frozenset({"41"}), frozenset(), {"acme": BRAND})


NETWORK = Network(frozenset({"x:7000"}))
TASKS = [
    task(WAITING, "11", "t1", hs_task_subject="Ring them"),
    task(ANSWERED, "21", "t2", status="COMPLETED"),
    task(DEALT_WITH, "31", "t3", status="COMPLETED"),
    task(TAKEN_BACK, "41", "t4", deleted=True),
]


def found(ledger: Ledger, ours: Ours, tasks: list[CRMTask] = TASKS) -> dict[str, int]:
    return {name: number for name, number in differences(ledger, NETWORK, ours, tasks).counts().items() if number}


def test_where_all_is_as_it_should_be_nothing_is_found(ledger: Ledger, ours: Ours) -> None:
    assert found(ledger, ours) == {}


def test_a_post_that_we_do_not_hold_is_lost(ledger: Ledger, ours: Ours) -> None:
    texts = {id_: text for id_, text in ours.texts.items() if id_ != "21"}
    assert found(ledger, replace(ours, texts=texts)) == {compare.LOST: 1}


def test_a_wait_without_an_open_task_misses_one(ledger: Ledger, ours: Ours) -> None:
    ledger.edits.clear()
    assert found(ledger, ours, [replace(TASKS[0], deleted=True), *TASKS[1:]]) == {compare.MISSING: 1}


def test_what_was_written_after_a_person_ticked_it_off_is_a_wait_of_its_own(ledger: Ledger, ours: Ours) -> None:
    ledger.completed["t3"] = 105.0
    assert found(ledger, ours) == {compare.MISSING: 1}
    assert found(ledger, ours, [*TASKS, task(DEALT_WITH, "32", "t5")]) == {}


def test_two_tasks_under_one_key_are_one_too_many(ledger: Ledger, ours: Ours) -> None:
    assert found(ledger, ours, [*TASKS, replace(TASKS[1], id="t9")]) == {compare.TWICE: 1}


def test_a_second_task_that_stands_open_when_the_first_is_done_is_told_as_one_too_many_and_no_more(
    ledger: Ledger, ours: Ours
) -> None:
    still_open = replace(TASKS[1], id="t9", values={"hs_task_status": "NOT_STARTED"})
    assert found(ledger, ours, [*TASKS, still_open]) == {compare.TWICE: 1}
    assert found(ledger, ours, [TASKS[0], still_open, *TASKS[2:], replace(still_open, id="t8")]) == {
        compare.TWICE: 1,
        compare.STALE: 2,
    }


def test_a_task_that_stands_open_though_somebody_answered_is_found(ledger: Ledger, ours: Ours) -> None:
    still_open = replace(TASKS[1], values={"hs_task_status": "NOT_STARTED"})
    assert found(ledger, ours, [TASKS[0], still_open, *TASKS[2:]]) == {compare.STALE: 1}


def test_a_task_that_a_person_edited_is_left_to_them_where_its_post_is_gone_and_only_there(
    ledger: Ledger, ours: Ours
) -> None:
    edit = {"hs_task_status": Edit("hs_task_status", "NOT_STARTED", 1.0)}
    ledger.edits |= {"t4": edit, "t2": edit}
    still_open = {"hs_task_status": "NOT_STARTED"}
    theirs, answered = replace(TASKS[3], values=still_open, deleted=False), replace(TASKS[1], values=still_open)
    assert found(ledger, ours, [*TASKS[:3], theirs]) == {compare.OVERWRITTEN: 1}  # of t2, which is not as they left it
    assert found(ledger, ours, [TASKS[0], answered, TASKS[2], theirs]) == {compare.STALE: 1}


def test_an_edit_that_is_gone_was_overwritten(ledger: Ledger, ours: Ours) -> None:
    ours_again = replace(TASKS[0], values={"hs_task_status": "NOT_STARTED", "hs_task_subject": "Answer Ana"})
    assert found(ledger, ours, [ours_again, *TASKS[1:]]) == {compare.OVERWRITTEN: 1}


def test_what_a_person_edited_is_not_deleted_even_to_be_made_anew(ledger: Ledger, ours: Ours) -> None:
    gone, anew = replace(TASKS[0], deleted=True), replace(TASKS[0], id="t9", values={"hs_task_status": "NOT_STARTED"})
    assert found(ledger, ours, [gone, anew, *TASKS[1:]]) == {compare.OVERWRITTEN: 1}


def test_who_puts_back_what_stood_there_has_changed_nothing(ledger: Ledger, ours: Ours) -> None:
    for value, was in (("72", "71"), ("71", "72")):
        ledger.edited("t4", Edit("hubspot_owner_id", value, 1.0, was))
        assert found(ledger, ours) == ({} if value == "71" else {compare.OVERWRITTEN: 1})  # of t4, which is deleted
    ledger.edited("t1", Edit("hs_task_subject", "Ring them again", 160.0, "Ring them"))
    assert ledger.edits["t1"]["hs_task_subject"].value == "Ring them again"


def test_what_a_person_ticked_off_is_not_opened_again(ledger: Ledger, ours: Ours) -> None:
    again = replace(TASKS[2], values={"hs_task_status": "NOT_STARTED"})
    assert found(ledger, ours, [*TASKS[:2], again, TASKS[3]]) == {compare.OVERWRITTEN: 1}


def test_a_second_open_task_for_one_wait_is_one_too_many_under_another_key_too(ledger: Ledger, ours: Ours) -> None:
    del ledger.completed["t3"]
    still_open = replace(TASKS[2], values={"hs_task_status": "NOT_STARTED"})
    tasks = [*TASKS[:2], still_open, TASKS[3]]
    assert found(ledger, ours, tasks) == {}
    second = task(DEALT_WITH, "32", "t9", hubspot_owner_id="72")
    assert found(ledger, ours, [*tasks, second]) == {compare.TWICE: 1}
    ledger.edits["t9"] = {"hubspot_owner_id": Edit("hubspot_owner_id", "72", 1.0)}
    assert found(ledger, ours, [*tasks, second]) == {}  # left to whoever edited it


def test_a_task_about_what_wants_no_answer_is_found(ledger: Ledger, ours: Ours) -> None:
    assert found(ledger, ours, [*TASKS, task(WAITING, "12", "t9")]) == {compare.UNASKED: 1}


def test_a_post_that_stands_and_is_held_as_deleted_is_lost(ledger: Ledger, ours: Ours) -> None:
    gone = replace(ours, texts={**ours.texts, "21": ""}, gone=ours.gone | {"21"})
    assert found(ledger, gone) == {compare.LOST: 1}


def test_a_connection_that_asks_for_a_person_though_its_consent_stands_is_wrong(ledger: Ledger, ours: Ours) -> None:
    assert found(ledger, replace(ours, revoked=frozenset({"x:7000"}))) == {compare.REVOKED: 1}
    assert found(ledger, replace(ours, revoked=frozenset({"x:7001"}))) == {}  # that one has really ended


def test_edits_and_deletions_of_posts_are_to_be_followed(ledger: Ledger, ours: Ours) -> None:
    stale = replace(ours, texts={**ours.texts, "11": "@acme Hello?"}, gone=frozenset())
    assert found(ledger, stale) == {compare.UNEDITED: 1, compare.UNDELETED: 1}


def test_all_of_these_count() -> None:
    assert dict(compare.Differences().counts()) == CALM
