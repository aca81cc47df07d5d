"""Two brands with a CRM each, in one workspace: a person who is in both is, for each brand, the contact of its own CRM."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from integrations.records import (
    Activity,
    ActivityKind,
    Author,
    Contact,
    Direction,
)
from service import connect, disconnecting
from service.rules.model import MatchState
from service.rules.redaction import EDITED, GONE
from service.store import acting, listing, people
from tests.workers.house import ANA, BEN, BRANDS, House, Moved


@pytest.fixture
def bound(house: House) -> House:
    """Each brand is bound to its CRM."""
    for brand in BRANDS:
        house.bind(brand, brand)
    return house


def test_whoever_both_know_is_each_ones_own_contact_and_each_ones_task_goes_to_its_own_crm(bound: House) -> None:
    for brand in BRANDS:
        bound.knows(brand)
        bound.asks(brand, id=f"q-{brand}")
    bound.look()

    assert bound.matches() == {"acme-a1": ("confirmed", "rules"), "rival-a1": ("confirmed", "rules")}
    for brand, other in (BRANDS, BRANDS[::-1]):
        assert bound.stands(brand) == [f"{brand}-a1"]
        written = " ".join(f"{task.subject} {task.body}" for task in bound.crms[brand].tasks.values())
        assert f"Known to {other}" not in written


def test_crms_that_serve_one_brand_each_do_the_same_without_being_bound(house: House) -> None:
    for brand in BRANDS:
        connect.connect_with_secret(
            house.runtime, house.owner.caller, "fakecrm", house.brands[brand], {"account": brand}
        )
        house.knows(brand)
        house.asks(brand, id=f"q-{brand}")
    house.look()

    assert [house.stands(brand) for brand in BRANDS] == [["acme-a1"], ["rival-a1"]]


def test_whom_only_the_other_brand_knows_is_a_stranger(bound: House) -> None:
    bound.knows("rival", company="Secret Ltd", title="Buyer")
    bound.asks("acme", id="q1")
    bound.look()

    assert bound.stands("acme") == [None]
    assert bound.stands("rival") == []
    [task] = bound.crms["acme"].tasks.values()
    assert "Secret Ltd" not in f"{task.subject} {task.body}"
    assert bound.task().contact_id is None


def test_a_call_that_one_brand_logs_ends_nobodys_wait_for_the_other(bound: House) -> None:
    for brand in BRANDS:
        bound.knows(brand)
        bound.asks(brand, id=f"q-{brand}")
    bound.look()
    bound.crms["acme"].add(
        Activity(id="call1", kind=ActivityKind.CALL, at=bound.now, contact_ids=("acme-a1",), direction=Direction.OUT)
    )
    bound.passes(timedelta(minutes=30))
    bound.look()

    assert [bound.stands(brand) for brand in BRANDS] == [[], ["rival-a1"]]


def test_a_brand_that_is_bound_to_none_takes_the_contact_of_the_crm_that_was_connected_first(house: House) -> None:
    for brand in BRANDS:
        house.knows(brand)
    house.asks("rival", id="q1")
    house.look()

    assert [house.stands(brand) for brand in BRANDS] == [["acme-a1"], []]


def test_what_a_person_decides_of_one_crm_leaves_the_other_as_it_is(bound: House) -> None:
    for brand in BRANDS:
        bound.knows(brand)
        bound.knows(brand, who=Author("a2", "ana_f", "Ana Ferrer"))
        bound.asks(brand, id=f"q-{brand}")
    bound.look()
    bound.decide("rival-a1", MatchState.CONFIRMED)
    bound.decide("acme-a2", MatchState.CONFIRMED)
    bound.run()

    mine = ("confirmed", "user:olga")
    assert bound.matches() == {"acme-a1": ("rejected", "user:olga"), "acme-a2": mine, "rival-a1": mine}
    assert [bound.stands(brand) for brand in BRANDS] == [["acme-a2"], ["rival-a1"]]

    with bound.runtime.db.tenant(bound.workspace_id) as session:
        acting.undo_match(session, bound.workspace_id, bound.match_of("acme-a2"), by="user:olga")
    bound.run()
    assert bound.matches()["acme-a1"] == ("confirmed", "rules")
    assert bound.matches()["rival-a1"] == mine
    assert [bound.stands(brand) for brand in BRANDS] == [["acme-a1"], ["rival-a1"]]


def test_a_handle_is_written_only_into_crms_of_brands_that_have_talked_to_its_owner(bound: House) -> None:
    bound.set(write_handles=True)
    for brand in BRANDS:
        bound.crms[brand].add(
            Contact(id=f"{brand}-a1", name=ANA.name, first_name="Ana", last_name="Ferrer", emails=("ana@ferrer.test",))
        )
    told = replace(ANA, bio="Write to ana@ferrer.test")
    bound.asks("acme", id="q1", who=told)
    bound.look()
    assert {state for state, _ in bound.matches().values()} == {"confirmed"}
    assert _written(bound) == {"acme": True, "rival": False}

    bound.asks("rival", id="q2", who=told)
    bound.look()
    assert _written(bound) == {"acme": True, "rival": True}


def _written(house: House) -> dict[str, bool]:
    return {brand: house.crms[brand].script.count("write_handles") > 0 for brand in BRANDS}


def test_a_brand_whose_crm_is_disconnected_writes_into_no_other(bound: House) -> None:
    bound.knows("rival")
    disconnecting.disconnect(bound.runtime, bound.owner.caller, bound.connections["acme"])
    bound.asks("acme", id="q1")
    bound.look()

    assert bound.crms["rival"].tasks == {}
    task = bound.task()
    assert task.held_reason == people.AWAY.reason
    assert (task.crm_connection_id, task.contact_id) == (None, None)


def test_a_crm_that_is_given_to_one_brand_takes_no_more_of_another(house: House) -> None:
    for who in (ANA, BEN):
        house.knows("acme", who=who)
    house.asks("rival", id="q1")
    house.look()
    [before] = house.crms["acme"].tasks.values()

    connect.connect_with_secret(house.runtime, house.owner.caller, "fakecrm", house.brands["acme"], {"account": "acme"})
    house.asks("rival", id="q2", who=BEN)
    old = house.socials["rival"].post("q1")
    house.socials["rival"].edit(replace(old, text="@rival Here is my new number"))
    house.look()
    # Nothing but that words of the old text are gone, as from any task.
    [after] = house.crms["acme"].tasks.values()
    clean = (before.body or "").replace(old.text, EDITED)
    assert clean != before.body
    assert after == replace(before, body=clean, updated_at=after.updated_at)
    assert house.stands("rival") == [None]


def test_a_conversation_is_listed_once_and_shows_its_brands_contact(bound: House) -> None:
    for brand in BRANDS:
        bound.knows(brand)
        bound.asks(brand, id=f"q-{brand}")
    bound.look()
    with bound.runtime.db.tenant(bound.workspace_id) as session:
        rows, _ = listing.conversations(session, bound.workspace_id)
        found, _ = listing.matches(session, bound.workspace_id, filters={"connection_id": bound.connections["rival"]})
    assert {(row["brand_id"], row["contact_company"]) for row in rows} == {
        (bound.brands[brand], f"Known to {brand}") for brand in BRANDS
    }
    assert len(rows) == 2
    assert [(row["contact_company"], row["crm_name"]) for row in found] == [("Known to rival", "Rival")]


@pytest.fixture
def moved(house: House) -> Moved:
    house.knows("acme")
    house.asks("rival", id="q1")
    house.look()
    [(key, task)] = house.crms["acme"].tasks.items()
    return Moved(house, key, task.body or "")


def test_a_task_that_stays_there_closes_without_a_word_of_the_answer(moved: Moved) -> None:
    moved.gives_away()
    moved.answers()
    moved.house.look()
    assert moved.stands() == ("completed", moved.body)


@pytest.mark.parametrize("answered", [False, True], ids=["an edit", "an answer"])
def test_what_was_decided_before_and_not_said_yet_is_not_said_any_more(moved: Moved, answered: bool) -> None:
    if answered:
        moved.answers()
    else:
        moved.house.socials["rival"].edit(replace(moved.house.socials["rival"].post("q1"), text="@rival A new number?"))
    pushes = moved.decides()
    assert moved.house.task().content["body"] != moved.body
    moved.gives_away()
    for each in pushes:
        moved.house.work(each)
    assert moved.stands() == ("completed" if answered else "open", moved.body)
    moved.house.run()
    assert moved.stands() == ("completed" if answered else "open", moved.body)


def test_a_task_that_was_not_made_yet_goes_to_a_crm_of_its_own_brand(moved: Moved) -> None:
    moved.house.knows("acme", who=BEN)
    moved.house.asks("rival", id="q2", who=BEN)
    pushes = moved.decides()
    assert {task.crm_connection_id for task in moved.house.tasks()} == {moved.house.connections["acme"]}
    moved.gives_away()
    for each in pushes:
        moved.house.work(each)
    assert list(moved.house.crms["acme"].tasks) == [moved.key]
    moved.house.run()
    assert list(moved.house.crms["acme"].tasks) == [moved.key]
    assert moved.house.stands("rival") == [None]


def test_a_wait_that_opens_again_is_a_task_in_its_own_brands_crm(moved: Moved) -> None:
    acme, rival = (moved.house.crms[brand] for brand in BRANDS)
    acme.edit_as_person(moved.key, subject="Ours, by somebody at Acme")
    moved.answers()
    moved.house.look()
    status, body = moved.stands()
    assert (status, "https://social.example/answer" in body) == ("completed", True)
    moved.gives_away()
    moved.house.run()
    moved.takes_back()
    moved.house.look()
    assert moved.stands() == (status, body)
    assert moved.house.stands("rival") == [None]
    [task] = rival.tasks.values()
    assert "Acme" not in f"{task.subject} {task.body}"
    assert moved.house.task().edited == []


def test_a_wait_that_opens_again_before_its_end_was_said_leaves_the_task_as_it_was(moved: Moved) -> None:
    moved.answers()
    pushes = moved.decides()
    moved.gives_away()
    moved.takes_back()
    pushes += moved.decides()
    for each in pushes:
        moved.house.work(each)
    moved.house.run()
    assert moved.stands() == ("open", moved.body)


def test_words_that_are_deleted_at_their_source_go_from_a_task_that_stays_there(house: House) -> None:
    house.knows("acme")
    house.asks("rival", id="q1")
    more = replace(
        house.socials["rival"].post("q1"), id="q2", thread="q1", text="@rival To the Azores as well, all nine of them?"
    )
    house.socials["rival"].serve("mentions", replace(more, created_at=house.now - timedelta(hours=2)))
    house.look()
    [(key, task)] = house.crms["acme"].tasks.items()
    assert "all nine of them" in (task.body or "")

    Moved(house, key, "").gives_away()
    house.run()
    house.socials["rival"].delete("q2")
    house.sql("UPDATE engagements SET checked_at = checked_at - interval '2 hours'")
    house.look()
    task = house.crms["acme"].tasks[key]
    assert (task.status.value, "all nine of them" in (task.body or ""), GONE in (task.body or "")) == (
        "open",
        False,
        True,
    )
