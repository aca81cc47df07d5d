"""Whoever shows a given name and no more of the family name than how it begins. People and firms are invented."""

from __future__ import annotations

import pytest

from integrations.records import Author, Contact
from service.rules.matching import Commonness, author_keys, contact_keys, match
from service.rules.model import Candidate, KnownAuthor, MatchResult, MatchState

SEEN = Commonness(500, share=0.6)
ORLA = Contact("1", name="Orla Quennell", first_name="Orla", last_name="Quennell", city="Leeds")
LUIS = Contact("2", name="Luis Goikoa", first_name="Luis", last_name="Goikoa", city="Leeds")


def judge(contact: Contact, **profile: str) -> MatchResult | None:
    """What is said of one contact, if it is found at all."""
    known = KnownAuthor("birdsong", Author("7", **{"handle": "somebody", **profile}))
    if contact_keys(contact).isdisjoint(author_keys(known)):
        return None
    return next(iter(match(known, [Candidate("c", contact)], SEEN)), None)


@pytest.mark.parametrize(
    ("contact", "shown"), [(ORLA, "Orla Q."), (ORLA, "orla q 🌿"), (LUIS, "Luis G."), (LUIS, "Luis G 🏡")]
)
def test_a_given_name_and_an_initial_suggest_whose_names_begin_so(contact: Contact, shown: str) -> None:
    found = judge(contact, name=shown, location="Leeds")
    assert found is not None
    assert found.state is MatchState.SUGGESTED
    assert f"The given name of {contact.name} is the same, and the family name begins as theirs does." in found.evidence


def test_another_initial_is_another_person() -> None:
    assert judge(ORLA, name="Orla R.", location="Leeds") is None
    assert judge(LUIS, name="Luis R.", location="Leeds") is None


def test_a_short_form_and_an_initial_find_a_common_name() -> None:
    found = judge(Contact("1", "Michael Goikoa", "Michael", "Goikoa", city="Leeds"), name="Mikey G", location="Leeds")
    assert found is not None


@pytest.mark.parametrize(
    ("family", "shown"),
    [("Quennell-Moss", "Orla Q-M"), ("quennell-moss", "orla qm"), ("van der Quennel", "Orla vdQ"), ("Ben-Quennel", "orla b-q"), ("Quennell Moss", "Orla M"), ("Moss", "Orla M.")],
)  # fmt: skip
def test_a_family_name_of_several_words_is_shown_by_what_they_begin_with(family: str, shown: str) -> None:
    found = judge(Contact("1", f"Orla {family}", "Orla", family, city="Leeds"), name=shown, location="Leeds")
    assert found is not None
    assert "the family name begins as theirs does" in found.evidence[0]


def test_an_initial_of_a_middle_name_is_none_of_the_family_name() -> None:
    found = judge(
        Contact("1", "Orla Beth Quennell", "Orla", "Quennell", city="Leeds"), name="Orla B.", location="Leeds"
    )
    assert found is not None
    assert "The given name of Orla Beth Quennell is the same." in found.evidence


def test_the_given_name_shown_and_the_family_name_in_the_handle_are_the_whole_name() -> None:
    found = judge(ORLA, name="Orla Q.", handle="oquennell_tiles", location="Leeds")
    assert found is not None
    assert found.state is MatchState.CONFIRMED


@pytest.mark.parametrize("shown", ["Halina Q.", "Halinka Q", "halinka 🌵"])
def test_a_short_form_is_enough_to_be_found_by(shown: str) -> None:
    contact = Contact("1", "Halina Quennell", "Halina", "Quennell", title="Kiln Keeper", city="Leeds")
    assert judge(contact, name=shown, bio="Kiln keeper", location="Leeds") is not None


def test_a_family_name_that_is_cut_short_begins_as_the_contacts_does() -> None:
    assert judge(ORLA, name="Orla Quen", location="Leeds") is not None
    # One letter less is another name, and so is what many are called.
    assert judge(ORLA, name="Orla Quennel", location="Porto") is None
    assert judge(Contact("1", "Orla Martinsdale", "Orla", "Martinsdale", city="Leeds"), name="Orla Martin") is None


def test_of_a_contact_with_an_initial_alone_the_author_may_show_the_given_name() -> None:
    contact = Contact("1", "P. Quennellade", "", "Quennellade", city="Leeds")
    found = judge(contact, name="Petra Q", handle="pquennellade", location="Leeds")
    assert found is not None
    assert judge(contact, name="Petra R", handle="somebody", location="Leeds") is None


@pytest.mark.parametrize("shown", ["Big Orla", "Auntie Orla 🌿", "Coach Orla"])
def test_what_stands_before_a_given_name_alone_is_no_name(shown: str) -> None:
    assert judge(ORLA, name=shown, location="Leeds") is not None


def test_letters_after_a_name_are_none_of_it_and_a_given_name_is() -> None:
    found = judge(Contact("1", "Orla P. Quennell, CMC", city="Leeds"), name="Orla Quennell, SHRM", location="Leeds")
    assert found is not None
    assert found.state is MatchState.CONFIRMED
    turned = judge(Contact("1", "Quennell Moss, ANA", city="Leeds"), name="Ana Quennell Moss", location="Leeds")
    assert turned is not None
    assert turned.state is MatchState.CONFIRMED
