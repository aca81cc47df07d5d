"""An address that contacts or profiles of different names carry tells nobody apart: erasing one of them touches no other, now or later."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import pytest
from msgspec.structs import replace

from integrations.records import Author, Contact, Handle
from service.rules.model import MatchState
from service.store import acting, erasing, objecting, persons, sharing
from tests.workers.conftest import ANA, World

OFFICE = "zentralruf@firma.de"  # in no table of words
SWITCHBOARD = "+49 30 123456"
BEN = Author("b1", "ben", "Ben Okafor", bio=f"Write to {OFFICE}", url="https://social.example/ben")
EVA = Author("e1", "eva", "Eva Lund", bio=f"Write to {OFFICE}", url="https://social.example/eva")


def contact(native_id: str, name: str, *emails: str, **more: object) -> Contact:
    return Contact(native_id, name=name, owner_id="o1", emails=emails, phones=(SWITCHBOARD,), **more)  # type: ignore[arg-type]


ANNA = contact("k0", "Anna Meyer", "anna@firma.de", OFFICE)
BERND = contact("k1", "Bernd Schulz", "bernd@firma.de", OFFICE)
CLARA = contact("k2", "Clara Vogt", OFFICE)
DORA = contact("k3", "Dora Neu", OFFICE)


@pytest.fixture
def firm(connected: World) -> World:
    reads(connected, ANNA, BERND, CLARA)
    return connected


def reads(world: World, *contacts: Contact) -> None:
    world.crm.add(*contacts)
    world.look()


def row_id(world: World, native_id: str, table: str = "contacts") -> UUID:
    [(found,)] = world.sql(f"SELECT id FROM {table} WHERE native_id = :n", n=native_id)
    return UUID(str(found))


def person(world: World, native_id: str, table: str = "contacts") -> persons.Person:
    with world.runtime.db.tenant(world.workspace_id) as session:
        found = persons.of(session, world.workspace_id, row_id(world, native_id, table))
    assert found is not None
    return found


def erase(world: World, native_id: str, table: str = "contacts") -> Sequence[str]:
    """Erases them and returns the receipt."""
    with world.runtime.db.tenant(world.workspace_id) as session:
        made = erasing.begin(session, world.workspace_id, row_id(world, native_id, table), by="system")
    assert made is not None
    for _ in range(2):
        world.run()
        world.sql("UPDATE person_requests SET next_at = now() WHERE next_at IS NOT NULL")
    [(receipt,)] = world.sql("SELECT receipt FROM person_requests WHERE id = :i AND state = 'done'", i=made.id)
    return list(receipt)


def stored(world: World) -> list[str]:
    return [each for (each,) in world.sql("SELECT native_id FROM contacts WHERE deleted_at IS NULL ORDER BY 1")]


# --- erasing one of them --------------------------------------------------------------------------------------


def test_colleagues_with_one_mailbox_stay_when_one_of_them_is_erased_and_new_ones_come(firm: World) -> None:
    erase(firm, "k0")
    reads(firm, DORA, contact("k1", "Bernd Schulz", "bernd@firma.de", OFFICE, title="CEO"))
    assert stored(firm) == ["k1", "k2", "k3"]
    assert firm.sql("SELECT fields ->> 'title' FROM contacts WHERE native_id = 'k1'") == [("CEO",)]


def test_whoever_was_erased_stays_out_by_what_was_theirs_alone_and_by_the_mailbox_beside_their_name(
    firm: World,
) -> None:
    erase(firm, "k0")
    reads(firm, ANNA, contact("k8", "A. Meyer", "ANNA@firma.de"), contact("k9", "Meyer, Anna", OFFICE))
    assert stored(firm) == ["k1", "k2"]


def test_the_last_of_those_who_shared_it_makes_it_nobodys_own(firm: World) -> None:
    for each in ("k0", "k1", "k2"):
        erase(firm, each)
    reads(firm, DORA)
    assert stored(firm) == ["k3"]


def test_an_address_that_was_theirs_alone_keeps_out_who_comes_with_it_later_and_the_receipt_says_so(
    connected: World,
) -> None:
    reads(connected, ANNA)
    receipt = erase(connected, "k0")
    reads(connected, DORA)
    assert stored(connected) == []
    assert any("Whoever comes later with one that was theirs alone is left out." in line for line in receipt)


def test_whoever_objects_leaves_colleagues_with_one_mailbox_alone(firm: World) -> None:
    with firm.runtime.db.tenant(firm.workspace_id) as session:
        made = objecting.begin(session, firm.workspace_id, row_id(firm, "k0"), by="system")
    assert made is not None
    assert len(made.contact_ids) == 1
    reads(firm, DORA)
    assert "k3" in stored(firm)


def test_an_account_of_a_firm_that_its_contacts_name_joins_nobody(connected: World) -> None:
    firms = (Handle("fakesocial", "firma"),)
    reads(connected, contact("k0", "Anna Meyer", handles=firms), contact("k1", "Bernd Schulz", handles=firms))
    erase(connected, "k0")
    assert stored(connected) == ["k1"]


def test_an_author_who_shows_the_address_of_others_takes_nobody_along(firm: World) -> None:
    firm.says("@brand Is the red one back?", id="q1", who=BEN)
    firm.says("@brand And the blue one?", id="q2", who=EVA)
    firm.look()
    erase(firm, "b1", "authors")
    firm.says("@brand Hello?", id="q3", who=EVA)
    reads(firm, DORA)
    assert stored(firm) == ["k0", "k1", "k2", "k3"]
    assert firm.sql("SELECT native_id FROM engagements WHERE native_id LIKE 'q%' ORDER BY 1") == [("q2",), ("q3",)]


# --- an office's mailbox, by its name -------------------------------------------------------------------------

INFO = "info@firma.de"


def test_whoever_was_erased_stays_out_by_the_mailbox_of_an_office_beside_their_name_and_nobody_else_does(
    connected: World,
) -> None:
    reads(connected, contact("k0", "Anna Meyer", INFO), contact("k1", "Bernd Schulz", INFO))
    erase(connected, "k0")
    assert stored(connected) == ["k1"]
    again = contact("k7", "Meyer, Anna", INFO)
    namesake, nameless = contact("k8", "Anna Meyer", "info@another.de"), contact("k9", "", INFO)
    reads(connected, again, namesake, nameless, contact("k1", "Bernd Schulz", INFO, title="CEO"))
    assert stored(connected) == ["k1", "k8", "k9"]
    assert connected.sql("SELECT fields ->> 'title' FROM contacts WHERE native_id = 'k1'") == [("CEO",)]


def test_the_mailbox_of_an_office_is_nobodys_own_though_one_contact_alone_carries_it(connected: World) -> None:
    reads(connected, contact("k0", "Anna Meyer", INFO))
    erase(connected, "k0")
    reads(connected, contact("k9", "A. Meyer", INFO))
    assert stored(connected) == ["k9"]


def test_who_stands_twice_with_the_mailbox_of_an_office_and_one_full_name_is_one_person(connected: World) -> None:
    reads(
        connected, *(contact(f"k{n}", each, INFO) for n, each in enumerate(("Anna Meyer", "Meyer, Anna", "Eva Lund")))
    )
    assert {each["native_id"] for each in person(connected, "k0").contacts} == {"k0", "k1"}


# --- a profile and a contact that carry one -------------------------------------------------------------------

AGENTS = "bob.miller@agency.de"
STELLA = Author("s1", "stella", "Stella Nova", bio=f"Bookings: {AGENTS}", url="https://social.example/stella")
BOBS = Author("b9", "bobby", "Bob Miller", bio=f"Agent. {AGENTS}", url="https://social.example/bob")
BOB = contact("kb", "Bob Miller", AGENTS)


@pytest.fixture
def agency(connected: World) -> World:
    """Stella shows the address of Bob, who looks after her."""
    reads(connected, BOB)
    connected.says("@brand Do you ship to Faro before Christmas?", id="q1", who=STELLA)
    connected.look()
    return connected


def posts(world: World) -> list[str]:
    return [each for (each,) in world.sql("SELECT native_id FROM engagements ORDER BY 1")]


def decide(world: World, state: MatchState) -> None:
    """What a person says of the only match."""
    [(match_id,)] = world.sql("SELECT id FROM matches")
    with world.runtime.db.tenant(world.workspace_id) as session:
        acting.decide_match(session, world.workspace_id, UUID(str(match_id)), state, by=world.owner.caller.actor)  # type: ignore[arg-type]


def test_whose_address_a_profile_shows_stays_when_whoever_shows_it_is_erased(agency: World) -> None:
    receipt = erase(agency, "s1", "authors")
    assert any("1 contact that may be the same person" in line for line in receipt)
    reads(agency, replace(BOB, title="CEO"))
    agency.says("@brand I have a question, who helps?", id="q2", who=BOBS)
    agency.look()
    assert agency.sql("SELECT fields ->> 'title' FROM contacts") == [("CEO",)]
    assert posts(agency) == ["q2"]


def test_whoever_shows_the_address_of_somebody_who_is_erased_stays_and_is_named(agency: World) -> None:
    assert list(person(agency, "kb").perhaps_authors) == [row_id(agency, "s1", "authors")]
    receipt = erase(agency, "kb")
    assert any("1 profile that may be the same person" in line for line in receipt)
    agency.says("@brand Hello? Nobody answers me. Why?", id="q2", who=STELLA)
    reads(agency, replace(BOB, id="k8"))
    assert posts(agency) == ["q1", "q2"]
    assert stored(agency) == []


def test_whose_account_it_was_said_not_to_be_is_not_held_by_its_handle(connected: World) -> None:
    carter = contact("c1", "Bo Carter", "bo@x.de", handles=(Handle("fakesocial", "ana"),))
    reads(connected, carter)
    connected.says("@brand Do you ship to Faro before Christmas?", id="q1", who=replace(ANA, name="Bo Carter"))
    connected.look()
    decide(connected, MatchState.REJECTED)
    found = person(connected, "a1", "authors")
    assert (found.contacts, list(found.perhaps)) == ([], [])
    erase(connected, "a1", "authors")
    reads(connected, replace(carter, title="CEO"))
    assert connected.sql("SELECT fields ->> 'title' FROM contacts") == [("CEO",)]


def test_a_match_that_was_rejected_after_an_objection_joins_nobody(connected: World) -> None:
    connected.knows()
    connected.says("@brand Do you ship to Faro before Christmas?", id="q1")
    connected.look()
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        objecting.begin(session, connected.workspace_id, row_id(connected, "a1", "authors"), by="system")
    assert len(person(connected, "a1", "authors").contacts) == 1
    decide(connected, MatchState.REJECTED)
    assert person(connected, "a1", "authors").contacts == []
    assert person(connected, "c1").authors == []


def test_a_profile_by_another_name_that_is_confirmed_to_be_a_contact_parts_nobody(connected: World) -> None:
    star = Author("s2", "stargirl", "Stargirl", bio="anna@firma.de", url="https://social.example/star")
    reads(connected, ANNA, contact("k9", "A. Meyer", "anna@firma.de"))
    connected.says("@brand Do you ship to Faro before Christmas?", id="q1", who=star)
    connected.look()
    shared = ["e:anna@firma.de"]
    records = [sharing.Record(row_id(connected, "k9"), contact("k9", "A. Meyer"), shared)]
    found = []
    for state in ("suggested", "confirmed"):
        connected.sql("DELETE FROM matches")
        connected.sql(
            "INSERT INTO matches (workspace_id, id, author_id, contact_id, connection_id, state, score, evidence, rules_version, decided_by, decided_at)"
            " SELECT c.workspace_id, gen_random_uuid(), a.id, c.id, c.connection_id, :s, 0.5, '[]', 1, 'rules', now() FROM contacts c, authors a"
            " WHERE c.native_id = 'k0' AND a.native_id = 's2'",
            s=state,
        )
        with connected.runtime.db.tenant(connected.workspace_id) as session:
            found.append(sharing.look(session, connected.workspace_id, (), records).theirs)
    assert found == [set(), {row_id(connected, each) for each in ("k0", "k9")}]


# --- who is one person ----------------------------------------------------------------------------------------


def test_one_person_who_stands_twice_is_one_however_the_name_is_written(connected: World) -> None:
    names = ("Anna Meyer", "Meyer, Anna", "Frau Dr. A. Meyer", "anna@firma.de", "")
    reads(connected, *(contact(f"k{n}", each, "anna@firma.de", company="Firma") for n, each in enumerate(names)))
    assert len(person(connected, "k0").contacts) == len(names)


@pytest.mark.parametrize("name", ["B. Meyer", "Firma"])
def test_a_name_of_somebody_else_beside_one_address_is_somebody_else(connected: World, name: str) -> None:
    reads(connected, ANNA, contact("k9", name, "anna@firma.de", company="Firma"))
    found = person(connected, "k0")
    assert (len(found.contacts), list(found.perhaps)) == (1, [])


def test_a_shared_mailbox_beside_one_full_name_is_one_person(firm: World) -> None:
    reads(firm, contact("k9", "Meyer, Anna", OFFICE))
    assert {each["native_id"] for each in person(firm, "k0").contacts} == {"k0", "k9"}


def test_who_may_be_the_same_person_by_a_shared_address_is_named_and_left(connected: World) -> None:
    reads(connected, ANNA, contact("k9", "Anna Schulz", "anna@firma.de"))
    assert list(person(connected, "k0").perhaps) == [row_id(connected, "k9")]
    assert any("1 contact that may be the same person" in line for line in erase(connected, "k0"))
    assert stored(connected) == ["k9"]


def test_what_two_records_share_that_are_known_to_be_one_persons_is_theirs_alone(connected: World) -> None:
    """As after a marriage, where people have confirmed both."""
    married = contact("k9", "Anna Schulz", "anna@firma.de")
    reads(connected, ANNA, married)
    mail = ["e:anna@firma.de"]
    records = [sharing.Record(row_id(connected, each.id), each, mail) for each in (ANNA, married)]
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        shared = [sharing.look(session, connected.workspace_id, (), each).shared for each in (records[:1], records)]
    assert shared == [set(mail), set()]


def test_what_more_carry_than_one_person_has_records_is_nobodys_whatever_they_are_called(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "MOST", 3)
    reads(connected, *(contact(f"k{n}", "", OFFICE) for n in range(4)))
    assert len(person(connected, "k0").contacts) == 1
