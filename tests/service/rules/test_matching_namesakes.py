"""Somebody of the same name is often somebody else: what a name confirms, and where a person is asked. People and firms are invented."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from integrations.records import Author, Contact
from service.rules.matching import Commonness, author_keys, contact_keys, match
from service.rules.model import Candidate, KnownAuthor, MatchResult, MatchState

CONFIRMED, SUGGESTED = MatchState.CONFIRMED, MatchState.SUGGESTED
ORLA = Contact("1", name="Orla Quennell", first_name="Orla", last_name="Quennell")
BY_NAME = {"name": "Orla Quennell", "handle": "orlaquennell"}
# In small CRMs, where every name looks rare, and in large ones.
CRMS = (Commonness(500, share=0.6), Commonness(20_000, share=0.6))


def judge(contact: Contact, seen: Commonness = CRMS[0], **profile: str) -> MatchResult | None:
    known = KnownAuthor("birdsong", Author("7", **{"handle": "somebody", **profile}))
    return next(iter(match(known, [Candidate("c", contact)], seen)), None)


def state(contact: Contact, seen: Commonness = CRMS[0], **profile: str) -> MatchState | None:
    found = judge(contact, seen, **profile)
    return found and found.state


@pytest.mark.parametrize("seen", CRMS)
def test_a_rare_name_confirms_where_nothing_speaks_against_it(seen: Commonness) -> None:
    assert state(ORLA, seen, **BY_NAME) is CONFIRMED
    assert state(replace(ORLA, city="Leeds"), seen, **BY_NAME, bio="Tiles and old maps") is CONFIRMED


@pytest.mark.parametrize("seen", CRMS)
def test_a_name_alone_is_asked_about_where_the_profile_names_another_place(seen: Commonness) -> None:
    found = judge(replace(ORLA, city="Leeds"), seen, **BY_NAME, bio="Midwife", location="Graz")
    assert found is not None
    assert found.state is SUGGESTED
    assert "Their profile does not name Leeds." in found.evidence
    assert state(replace(ORLA, city="Leeds"), seen, **BY_NAME, location="Leeds") is CONFIRMED


def test_a_job_or_a_firm_beside_the_name_makes_up_for_another_place() -> None:
    moved = replace(ORLA, city="Leeds", company="Northgate Tiles Ltd")
    assert state(moved, **BY_NAME, bio="Sales at Northgate Tiles", location="Graz") is CONFIRMED


def test_a_name_alone_is_asked_about_where_the_profile_names_a_place_and_the_crm_has_none() -> None:
    assert state(ORLA, **BY_NAME, bio="Retired firefighter", location="Knoxville TN") is SUGGESTED
    # That they are in one country says next to nothing.
    assert state(replace(ORLA, country="USA"), **BY_NAME, location="Knoxville, TN") is SUGGESTED


@pytest.mark.parametrize("town", ["Norfolk", "Ontario", "Lebanon"])
def test_a_town_that_is_called_as_a_county_or_country_elsewhere_is_that_town(town: str) -> None:
    assert state(replace(ORLA, city=town, country="USA"), **BY_NAME, location=town) is CONFIRMED


@pytest.mark.parametrize("bio", ["Head of PR", "Busy PA", "Proud dad, retired MD"])
def test_two_letters_at_the_end_of_a_bio_are_no_state(bio: str) -> None:
    found = judge(replace(ORLA, city="Omaha", region="NE", country="USA"), **BY_NAME, bio=bio)
    assert found is not None
    assert found.evidence == ("The name Orla Quennell is the same.",)


def test_one_country_is_no_place_in_common_where_both_name_towns_in_it() -> None:
    omaha = replace(ORLA, city="Omaha", country="USA")
    found = judge(omaha, **BY_NAME, bio="Attorney", location="Newark, NJ")
    assert found is not None
    assert found.state is SUGGESTED
    assert "Their profile does not name Omaha." in found.evidence
    for country in ("USA", "United States", "NE, USA"):
        assert "Their profile does not name Omaha." not in (judge(omaha, **BY_NAME, location=country) or found).evidence


def test_the_same_trade_in_another_country_is_anothers() -> None:
    bookkeeper = replace(ORLA, city="Albany", country="USA", title="Bookkeeper")
    assert state(bookkeeper, **BY_NAME, bio="Bookkeeper", location="Wellington NZ") is SUGGESTED
    assert state(bookkeeper, **BY_NAME, bio="Bookkeeper", location="Albany") is CONFIRMED


def test_a_firm_may_be_anywhere() -> None:
    firm = Contact("1", company="Quennell Brothers Tiles", website="quennell-tiles.example")
    assert state(firm, name="Quennell Brothers Tiles", handle="quennelltiles", location="Leeds") is CONFIRMED


@pytest.mark.parametrize(
    ("city", "country", "location"),
    [
        ("Halifax", "UK", "Halifax, Nova Scotia"), ("Perth", "UK", "Perth WA"), ("Perth", "UK", "Perth, Western Australia"), ("Bangor", "UK", "Bangor, Maine"),
        ("London", "UK", "London, Ontario"), ("Birmingham", "England", "Birmingham, AL"), ("Frankfurt", "Germany", "Frankfurt, Kentucky"), ("San Jose", "USA", "San José, Costa Rica"), ("Wellington", "UK", "Wellington NZ"),
    ],
)  # fmt: skip
def test_a_town_of_that_name_in_another_country_is_another_town(city: str, country: str, location: str) -> None:
    at = replace(ORLA, city=city, country=country)
    found = judge(at, **BY_NAME, location=location)
    assert found is not None
    assert found.state is SUGGESTED
    assert f"Both are in {city}." not in found.evidence
    assert state(at, **BY_NAME, location=city) is CONFIRMED


@pytest.mark.parametrize(
    ("first", "last", "city"),
    [("Giuseppe", "Esposito", "Napoli"), ("Mehmet", "Yılmaz", "Konya"), ("John", "Smith", "Leeds"), ("Piotr", "Nowak", "Poznań"), ("José", "García", "Sevilla")],
)  # fmt: skip
def test_the_commonest_name_of_a_country_has_several_bearers_in_any_town(first: str, last: str, city: str) -> None:
    contact = Contact(
        "1",
        name=f"{first} {last}",
        first_name=first,
        last_name=last,
        city=city,
        company="Northgate Tiles Ltd",
        title="Buyer",
    )
    named = {"name": f"{first} {last}", "handle": "somebody", "location": city}
    assert state(contact, **named, bio="Barber, football, dogs") is SUGGESTED
    swapped = replace(contact, name="", first_name=last, last_name=first)
    assert state(swapped, **named, bio="Barber, football, dogs") is SUGGESTED
    assert state(contact, **named, bio="Buyer, football, dogs") is CONFIRMED
    assert state(contact, **named, bio="At Northgate Tiles") is CONFIRMED


def test_a_common_name_alone_confirms_nothing_in_a_small_crm() -> None:
    contact = Contact("1", name="Ahmet Kaya", first_name="Ahmet", last_name="Kaya", city="Bursa")
    assert state(contact, name="Ahmet Kaya", handle="ahmet1") is SUGGESTED


def test_another_given_name_is_seen_though_it_is_made_of_the_letters_of_a_country_and_a_state() -> None:
    hira = Contact(
        "1", name="Hira Quennell", first_name="Hira", last_name="Quennell", company="Northgate Tiles Ltd", city="Leeds"
    )
    at_work = {"handle": "usama-quennell", "bio": "QA at Northgate Tiles", "location": "Leeds"}
    assert state(hira, name="Usama Quennell", **at_work) is not CONFIRMED
    assert state(hira, name="Hira Quennell", **at_work) is CONFIRMED


@pytest.mark.parametrize(
    ("theirs", "ours"), [("sen.", "jun."), ("Senior", "Jr."), ("padre", "hijo"), ("Sr.", "Junior")]
)
def test_a_father_of_that_name_is_not_his_son(theirs: str, ours: str) -> None:
    son = Contact(
        "1",
        name=f"Orla Quennell {ours}",
        first_name="Orla",
        last_name="Quennell",
        company="Northgate Tiles Ltd",
        city="Leeds",
    )
    founder = {"handle": "quennell1", "bio": "Founder of Northgate Tiles", "location": "Leeds"}
    assert state(son, name=f"Orla Quennell {theirs}", **founder) is not CONFIRMED
    assert state(son, name=f"Orla Quennell {ours}", **founder) is CONFIRMED


def test_whoever_tells_themselves_from_a_younger_one_of_their_name_may_not_be_the_one_in_the_crm() -> None:
    founder = {
        "name": "Orla Quennell Sr.",
        "handle": "quennell1",
        "bio": "Founded Northgate Tiles",
        "location": "Leeds",
    }
    assert state(replace(ORLA, company="Northgate Tiles Ltd", city="Leeds"), **founder) is SUGGESTED


def test_an_and_may_be_written_as_a_sign() -> None:
    found = judge(replace(ORLA, city="Tyne and Wear"), **BY_NAME, bio="Councillor for Tyne & Wear")
    assert found is not None
    assert "Both are in Tyne and Wear." in found.evidence


@pytest.mark.parametrize(
    ("given", "called"),
    [("Halina", "Halinka"), ("Ralf", "Ralle"), ("Monika", "Moni"), ("Begoña", "Bego"), ("Alessandra", "Ale"), ("Krzysztof", "Krzychu"), ("Vasiliki", "Vicky"), ("Zeinab", "Zainab"), ("Tarek", "Tariq"),
     ("Folasade", "Sade"), ("Nokuthula", "Thuli"), ("Andrey", "Andrii"), ("Asunción", "Asun")],
)  # fmt: skip
def test_what_somebody_is_called_is_short_for_their_name(given: str, called: str) -> None:
    contact = Contact("1", name=f"{given} Quennell", first_name=given, last_name="Quennell", city="Leeds")
    found = judge(contact, name=f"{called} Quennell", handle="somebody", location="Leeds")
    assert found is not None
    assert found.evidence[0] == f"Their name may be short for {given} Quennell."


@pytest.mark.parametrize("handle", ["oq_tiles77", "OQ.Tiles77"])
def test_whoever_goes_by_the_name_of_a_private_mailbox_is_its_owner(handle: str) -> None:
    contact = replace(ORLA, emails=("oqtiles77@gmail.com",))
    found = judge(contact, name="Orla Q.", handle=handle)
    assert found is not None
    assert found.state is CONFIRMED
    assert f"The handle @{handle} is what stands before the @ of an e-mail address in the CRM." in found.evidence
    assert not contact_keys(contact).isdisjoint(author_keys(KnownAuthor("birdsong", Author("7", handle, ""))))
    # By itself, under no name, it is for a person to decide.
    assert state(contact, handle=handle) is SUGGESTED
    # Under another name it is somebody else's.
    assert state(contact, name="Hira Goiko", handle=handle) is not CONFIRMED


def test_a_display_name_that_is_the_handle_and_their_private_mailbox_is_nobody_elses_name() -> None:
    contact = replace(ORLA, emails=("kilnqueen_oh@gmail.com",))
    assert state(contact, name="KilnQueen Oh", handle="kilnqueen_oh") is SUGGESTED
    # But Hira Goiko may have one mailbox with Orla Quennell.
    shared = replace(ORLA, emails=("hira.goiko@gmail.com",))
    assert state(shared, name="Hira Goiko", handle="hiragoiko") is not CONFIRMED


@pytest.mark.parametrize("mail", ["oqtiles77@northgatetiles.com", "info@gmail.com", "oq@gmail.com"])
def test_an_offices_a_firms_and_a_short_mailbox_say_nothing_of_a_handle(mail: str) -> None:
    found = judge(replace(ORLA, emails=(mail,)), name="Orla Q.", handle=mail.partition("@")[0])
    assert found is None or not any("before the @" in each for each in found.evidence)


def test_a_mailbox_that_is_but_the_name_says_no_more_than_the_name() -> None:
    plain, named = judge(ORLA, **BY_NAME), judge(replace(ORLA, emails=("orlaquennell@gmail.com",)), **BY_NAME)
    assert plain is not None
    assert named is not None
    assert named.score == plain.score


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("김민지", "김민지"),
        ("Kim Minji", "Minji Kim"),
        ("Nguyễn Quang Dũng", "Nguyễn Quang Dũng"),
        ("李强", "李强"),
        ("Deepak Joshi", "Deepak Joshi"),
        ("Liam Doherty", "Liam Doherty"),
        ("Fernanda Barbosa", "Fernanda Barbosa"),
    ],
)  # fmt: skip
def test_a_name_that_very_many_bear_is_asked_about_by_itself_whoever_is_in_the_crm(name: str, shown: str) -> None:
    contact = Contact("1", name=name, company="Northgate Tiles", city="Leeds")
    assert state(contact, name=shown) is SUGGESTED
    assert state(contact, name=shown, bio="Sales at Northgate Tiles", location="Leeds") is CONFIRMED


def test_a_country_by_itself_makes_such_a_name_no_rarer_and_a_town_does() -> None:
    contact = Contact("1", name="Liam Doherty", city="Ballycastle", country="Ireland")
    assert state(contact, name="Liam Doherty", location="Ireland") is SUGGESTED
    assert state(contact, name="Liam Doherty", location="Ballycastle, Ireland") is CONFIRMED


def test_the_commonest_name_is_one_in_whatever_order_and_by_whichever_given_name_the_crm_has_it() -> None:
    town = {"city": "Napoli", "country": "Italy"}
    for contact in (
        Contact("1", name="Giovanni Russo", first_name="Gianni", last_name="Russo", **town),
        Contact("1", name="Russo Giovanni", first_name="Russo", last_name="Giovanni", **town),
    ):
        assert state(contact, name="Giovanni Russo", location="Napoli") is SUGGESTED


def test_a_third_name_that_few_bear_tells_the_bearer_of_two_common_ones() -> None:
    contact = Contact("1", name="Pedro Silva Quennellade", first_name="Pedro", last_name="Silva Quennellade")
    assert state(contact, name="Pedro Silva Quennellade") is CONFIRMED


def test_a_father_who_says_so_in_his_handle_alone_is_not_the_son_of_his_name() -> None:
    son = Contact("1", name="Colm Quennell Jr.", city="Leeds")
    assert state(son, name="Colm Quennell", handle="colm.quennell.sr", location="Leeds") is None
    assert state(son, name="Colm Quennell", handle="colm.quennell.jr", location="Leeds") is CONFIRMED


@pytest.mark.parametrize(
    "bio", ["Proud dad of the Harbour Master at Northgate Tiles", "Esposa del Harbour Master, Northgate Tiles lo dirá", "Sohn der Harbour Master"]
)  # fmt: skip
def test_what_a_relative_of_the_author_is_says_nothing_of_the_author(bio: str) -> None:
    found = judge(replace(ORLA, title="Harbour Master"), **BY_NAME, bio=bio)
    assert found is not None
    assert "Both say Harbour Master." not in found.evidence


def test_a_given_name_that_but_begins_as_the_contacts_does_may_be_a_relatives_at_the_familys_firm() -> None:
    contact = Contact("1", "Joelene Quennell", "Joelene", "Quennell", company="Quennell Towing", city="Leeds")
    assert state(contact, name="Joe Quennell", bio="Quennell Towing 24/7", location="Leeds") is SUGGESTED
    assert state(contact, name="Joelene Quennell", bio="Quennell Towing 24/7", location="Leeds") is CONFIRMED
    joseph = replace(contact, name="Joseph Quennell", first_name="Joseph")
    assert state(joseph, name="Joe Quennell", bio="Quennell Towing 24/7", location="Leeds") is CONFIRMED


def test_one_branch_of_a_firm_is_not_confirmed_as_another() -> None:
    branch = Contact("1", "Fellowship of Grell Tilers (Northern Branch)", company="Fellowship of Grell Tilers")
    profile = {"name": "Grell Tilers South West", "bio": "South West branch of the Fellowship of Grell Tilers"}
    assert state(replace(branch, website="grelltilers.org"), **profile, website="https://grelltilers.org/southwest") in (None, SUGGESTED)  # fmt: skip


def test_a_firms_club_is_the_firm_s_and_no_person() -> None:
    club = Contact(
        "1", "Grell Harbour College Rowers", company="Grell Harbour College", website="rowers.grellharbour.edu"
    )
    assert state(club, name="GHC Rowers", website="https://rowers.grellharbour.edu") in (SUGGESTED, CONFIRMED)
    assert (
        state(club, name="grell harbour college memes", handle="ghcmemes", bio="not affiliated. parking is a scam")
        is None
    )


def test_of_two_who_are_called_alike_whoever_spells_the_whole_name_comes_first() -> None:
    segun, whole = (Contact(each, f"{each} Quennell", each, "Quennell") for each in ("Segun", "Olusegun"))
    known = KnownAuthor("birdsong", Author("7", "olusegun.quennell", "Olusegun Quennell"))
    found = match(known, [Candidate(each.id, each) for each in (segun, whole)], CRMS[0])
    assert found[0].contact_id == "Olusegun"


@pytest.mark.parametrize("bio", ["Singer, new album out", "MMA fighter 70 kg", "Futbolista", "gaming and memes"])
def test_a_performer_or_athlete_of_the_name_is_asked_about_unless_the_crm_knows_of_it(bio: str) -> None:
    contact = replace(ORLA, title="Accountant", city="Leeds")
    assert state(contact, **BY_NAME, bio=bio, location="Leeds") is SUGGESTED
    assert state(replace(contact, title=bio), **BY_NAME, bio=bio, location="Leeds") is CONFIRMED
    assert state(contact, **BY_NAME, bio="Accountant by day", location="Leeds") is CONFIRMED


def test_a_widespread_name_in_a_handle_alone_is_asked_about_where_the_display_name_shows_half_of_it() -> None:
    contact = Contact("1", name="Liam Doherty", first_name="Liam", last_name="Doherty")
    assert state(contact, name="Liam", handle="liamdoherty") is SUGGESTED
