"""Accounts that go by the name of a firm, or of somebody and their trade: who of the CRM is asked about. People and firms are invented."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from integrations.records import Author, Contact
from service.rules.matching import Commonness, author_keys, contact_keys, match
from service.rules.model import Candidate, KnownAuthor, MatchResult, MatchState

SEEN = Commonness(500, share=0.6)
ORLA = Contact("1", "Orla Quennell", "Orla", "Quennell", company="Quennell Tiling", website="quenntiles.com")
HIRA = Contact("2", "Hira Goiko", "Hira", "Goiko", company="Quennell Tiling", emails=("hira@quenntiles.com",))
SITE = "https://quenntiles.com"


def judge(*contacts: Contact, **profile: str) -> list[MatchResult]:
    """What is said of those of the contacts that are found."""
    known = KnownAuthor("birdsong", Author("7", **{"handle": "somebody", **profile}))
    keys = author_keys(known)
    found = [Candidate(each.id, each) for each in contacts if not contact_keys(each).isdisjoint(keys)]
    return match(known, found, SEEN)


def test_an_account_of_a_contacts_firm_at_its_site_is_asked_about_and_never_confirmed() -> None:
    (found,) = judge(ORLA, name="Quennell Tiling", website=SITE)
    assert found.state is MatchState.SUGGESTED
    assert "They go by the name of the company of Orla Quennell." in found.evidence
    (named,) = judge(ORLA, name="Quennell Tiling 🧱", bio="Ask for Orla, orla@quenntiles.com", website=SITE)
    assert named.state is MatchState.SUGGESTED
    assert named.score > found.score


def test_of_several_at_a_firm_whoever_its_account_names_comes_first() -> None:
    both = (replace(ORLA, website="", emails=("o@quenntiles.com",)), HIRA)
    assert judge(*both, name="Quennell Tiling", bio="Bathrooms by Hira", website=SITE)[0].contact_id == HIRA.id
    assert judge(*both, name="Quennell Tiling", bio="Orla & family", website=SITE)[0].contact_id == ORLA.id


def test_a_given_name_and_the_firms_trade_show_the_given_name() -> None:
    (found,) = judge(ORLA, HIRA, name="Orla Q Tiling", website=SITE)
    assert found.contact_id == ORLA.id
    assert judge(ORLA, HIRA, name="Hira Tiling", website=SITE)[0].contact_id == HIRA.id


def test_a_colleague_who_goes_by_their_name_and_the_firms_is_no_account_of_the_firm() -> None:
    assert judge(ORLA, name="Petra Lindqvist Quennell Tiling", website=SITE) == []


def test_a_firm_of_that_name_that_shares_nothing_with_the_contact_is_nobodys() -> None:
    assert judge(ORLA, name="Quennell Tiling", website="https://elsewhere.example") == []


def test_without_a_site_a_firms_account_in_their_town_that_names_them_is_asked_about() -> None:
    owner = replace(ORLA, website="", city="Leeds")
    (found,) = judge(owner, name="Quennell Tiling", bio="Bathrooms. Ask for Orla", location="Leeds")
    assert found.state is MatchState.SUGGESTED
    assert judge(owner, name="Quennell Tiling", bio="Bathrooms", location="Porto") == []


@pytest.mark.parametrize("bio", ["Bathrooms. quenntiles.com", "quenntiles.com/orla, Leeds", "see www.quenntiles.com!"])
def test_a_site_in_a_bio_needs_no_scheme(bio: str) -> None:
    (found,) = judge(ORLA, name="Orla 🧱", bio=bio)
    assert any("quenntiles.com" in each for each in found.evidence)


@pytest.mark.parametrize(
    "bio", ["orla@sub.quenntiles.com", "notquenntiles.com", "quenntiles.commerce", "Tiles.In all of Leeds"]
)
def test_what_only_looks_like_a_site_is_none(bio: str) -> None:
    assert not any(key.endswith(":quenntiles.com") and key[0] == "w" for key in author_keys(KnownAuthor("birdsong", Author("7", "o", "Orla", bio=bio))))  # fmt: skip


def test_what_follows_an_emoji_is_said_after_the_name() -> None:
    (found,) = judge(replace(ORLA, title="Tiler"), name="Orla Q. ✨ Twin Rivers Tiler", website=SITE)
    assert "The given name of Orla Quennell is the same, and the family name begins as theirs does." in found.evidence
    assert judge(ORLA, name="Orla ✨ Quennell ✨", website=SITE)[0].state is MatchState.CONFIRMED


def test_a_name_of_very_many_emojis_takes_no_time() -> None:
    assert judge(ORLA, name="✨" * 20_000 + "Orla", website=SITE) is not None
