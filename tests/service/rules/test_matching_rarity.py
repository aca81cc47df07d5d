"""How common names, places and firms are in the workspace decides what agreement is worth. People and firms are invented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from integrations.records import Author, Contact, Handle
from service.backtest.matching import Index
from service.rules.evidence import Basis, Signal, Source
from service.rules.matching import CONFIRM, Commonness, Terms, commonness, counted, eligible, match, rarity, share_known
from service.rules.model import Candidate, KnownAuthor, MatchResult, MatchState

ORLA = Contact("1", name="Orla Quennell", first_name="Orla", last_name="Quennell")
JOHN = Contact("1", name="John Smith", first_name="John", last_name="Smith")
CONFIRMED, SUGGESTED = MatchState.CONFIRMED, MatchState.SUGGESTED


def author(name: str = "", handle: str = "somebody", network: str = "birdsong", **fields: str) -> KnownAuthor:
    return KnownAuthor(network, Author("7", handle, name, **fields))


def judge(
    known: KnownAuthor, *contacts: Contact, seen: Commonness | None = None, **options: object
) -> list[MatchResult]:
    candidates = [Candidate(f"c{number}", contact) for number, contact in enumerate(contacts)]
    return match(known, candidates, seen or Commonness(5000, share=0.5), **options)  # type: ignore[arg-type]


def counts(contact: Contact, **others: int) -> Mapping[str, int]:
    """Counts of a contact's tokens: 1, or more for the kinds (first letters) given."""
    return {token: others.get(token[0], 1) for token in counted(contact)}


def test_a_rare_name_alone_is_enough_where_many_authors_are_known_and_a_common_one_is_not() -> None:
    [rare] = judge(author("Orla Quennell"), ORLA)
    assert rare.state is CONFIRMED
    [common] = judge(author("John Smith"), JOHN, seen=Commonness(5000, counts(JOHN, s=40, f=120), share=0.5))
    assert common.state is SUGGESTED
    assert 0.1 < common.score < CONFIRM


@pytest.mark.parametrize(
    "company",
    [
        "Zuverio Cloud (reseller)",
        "Zuveriolytics (Trading)",
        "Zuveriolytics (Iberia)",
        "Zuveriolytics Works Group [old]",
    ],
)
def test_a_firms_name_that_the_crm_tells_apart_in_brackets_is_suggested_where_the_account_says_nothing_of_it(
    company: str,
) -> None:
    plain = company.partition(" (")[0].partition(" [")[0]
    handle = plain.replace(" ", "")
    for known in (author(handle=handle), author(plain, handle), author(handle=f"{handle}hq")):
        [told_apart] = judge(known, Contact("1", company=company))
        [whole] = judge(known, Contact("1", company=plain))
        assert (told_apart.state, whole.state) == (SUGGESTED, CONFIRMED)
        assert 0.1 < told_apart.score < 0.6


@pytest.mark.parametrize(
    ("handle", "company"),
    [
        ("zuveriolytics", "Zuveriolytics (ZLC)"),
        ("zuveriolytics", "Zuveriolytics (Pty) Ltd"),
        ("zuveriolytics", "Zuveriolytics (formerly Ledgerwood)"),
        ("zuveriolytics", "Zuveriolytics (S.A.)"),
        ("zuveriolytics", "Zuveriolytics (d/b/a Ledgerwood)"),
        ("zuveriolytics", "Zuveriolytics (trading as Ledgerwood)"),
        ("zuveriolytics", "Zuveriolytics (früher Ledgerwood)"),
        ("zuveriolyticsiberia", "Zuveriolytics (Iberia)"),
        ("zuverio_cloud_reseller", "Zuverio Cloud (reseller)"),
        ("zuveriocloud", "Zuverio Cloud ()"),
    ],
)
def test_brackets_that_tell_no_firm_apart_or_stand_in_the_handle_too_take_nothing_from_a_name(
    handle: str, company: str
) -> None:
    [found] = judge(author(handle=handle), Contact("1", company=company))
    assert found.state is CONFIRMED


def test_a_firm_that_is_told_apart_in_brackets_is_confirmed_by_what_is_on_file() -> None:
    firm = Contact("1", company="Zuverio Cloud (reseller)", handles=(Handle("birdsong", "zuveriocloud"),))
    [found] = judge(author(handle="zuveriocloud"), firm)
    assert found.state is CONFIRMED


def test_a_common_name_looks_no_rarer_in_a_list_that_holds_it_once() -> None:
    [common] = judge(author("John Smith"), JOHN)
    assert common.state is SUGGESTED


def test_in_a_list_of_a_few_contacts_a_name_alone_is_suggested() -> None:
    for seen in (commonness([ORLA]), Commonness(99, share=0.9)):
        [result] = judge(author("Orla Quennell"), ORLA, seen=seen)
        assert result.state is SUGGESTED
    [result] = judge(
        author("Orla Quennell", location="Porto"), structs.replace(ORLA, city="Porto"), seen=commonness([ORLA])
    )
    assert result.state is CONFIRMED


@pytest.mark.parametrize("others", [1, 10, 9_999])
def test_namesakes_that_were_not_looked_up_count_all_the_same(others: int) -> None:
    seen = Commonness(1_000_000, counts(ORLA, n=others + 1, s=others + 1), share=0.5)
    results = judge(author("Orla Quennell"), ORLA, seen=seen)
    assert all(each.state is SUGGESTED and each.score <= 1 / (others + 1) for each in results)
    sentence = "One other contact has this name." if others == 1 else f"{others:,} other contacts have this name."
    assert all(sentence in each.evidence for each in results)
    assert results


def test_two_of_one_name_are_both_suggested_until_something_decides() -> None:
    lisbon, porto = structs.replace(JOHN, city="Lisbon"), structs.replace(JOHN, id="2", city="Porto")
    pair = [each.state for each in judge(author("John Smith"), lisbon, porto)]
    assert pair == [SUGGESTED, SUGGESTED]
    on_file = structs.replace(porto, handles=(Handle("birdsong", "jsmith99"),))
    results = judge(author("John Smith", "jsmith99"), lisbon, on_file)
    assert (results[0].contact_id, results[0].state) == ("c1", CONFIRMED)
    assert CONFIRMED not in [each.state for each in results[1:]]


def test_relatives_with_a_rare_family_name_are_not_taken_for_each_other() -> None:
    assert judge(author("Liam Quennell", location="Porto"), structs.replace(ORLA, city="Porto")) == []


def test_a_colleague_and_a_successor_are_not_taken_for_each_other() -> None:
    results = judge(
        author("Mary Whitlocke", website="https://acme.com/press"), structs.replace(ORLA, website="acme.com/press")
    )
    assert CONFIRMED not in [each.state for each in results]


def test_who_says_that_it_is_a_parody_is_not_the_person() -> None:
    assert judge(author("Orla Quennell", bio="Parody account."), ORLA) == []
    assert judge(author("", "notorlaquennell"), ORLA) == []


def test_an_organisation_is_confirmed_by_a_distinctive_name_and_not_by_a_short_one() -> None:
    [known] = judge(author("", "zuveriolytics"), Contact("1", company="Zuveriolytics Inc."))
    assert known.state is CONFIRMED
    short = judge(author("", "zuv"), Contact("1", company="ZUV Ltd"))
    assert CONFIRMED not in [each.state for each in short]


def test_an_employee_of_a_firm_is_not_the_firm() -> None:
    results = judge(
        author("Orla Quennell", website="https://acme.com", bio="Developer at Acme"),
        Contact("1", company="Acme", website="acme.com"),
    )
    assert CONFIRMED not in [each.state for each in results]


def test_a_page_on_a_shared_site_is_its_owners_and_not_everybodys_who_links_there() -> None:
    firm = Contact("1", company="Zuverio", website="https://github.com/zuverio/app")
    [own] = judge(author("", "zuverio", "github"), firm)
    assert own.state is CONFIRMED
    assert "The website that the CRM has is a page of @zuverio." in own.evidence
    fan = judge(author("Orla Quennell", bio="I use https://github.com/zuverio/app"), firm)
    assert CONFIRMED not in [each.state for each in fan]
    employee = structs.replace(ORLA, website="https://github.com/zuverio")
    assert CONFIRMED not in [each.state for each in judge(author("", "zuverio", "github"), employee)]


@pytest.mark.parametrize(
    ("bio", "location", "phone"),
    [
        ("Call +1 (202) 555-0143", "", "202-555-0143"),
        ("Tel. 0151 555 0143", "Liverpool, United Kingdom", "+44 151 555 0143"),
        ("Office: 202.555.0143 ext 5", "", "+12025550143 x5"),
    ],
)
def test_a_phone_number_in_a_bio_finds_the_contact(bio: str, location: str, phone: str) -> None:
    [result] = judge(author("Orla Q", bio=bio, location=location), structs.replace(ORLA, phones=(phone,)))
    assert result.state is CONFIRMED
    assert "The same phone number stands in their profile and in the CRM." in result.evidence


def test_a_handle_of_another_network_counts_unless_it_is_made_of_the_name() -> None:
    kept = structs.replace(JOHN, handles=(Handle("birdsong", "https://birdsong.test/night_kestrel"),))
    before = judge(author("John Smith", "somebody", "fediverse"), kept)
    [after] = judge(author("John Smith", "night_kestrel@social.test", "fediverse"), kept)
    assert after.score > before[0].score
    assert "The handle @night_kestrel@social.test is on file in the CRM for another network." in after.evidence
    made_of_it = structs.replace(JOHN, handles=(Handle("birdsong", "johnsmith"),))
    plain = judge(author("John Smith", "johnsmith@social.test", "fediverse"), JOHN)
    assert judge(author("John Smith", "johnsmith@social.test", "fediverse"), made_of_it)[0].score == plain[0].score


def test_one_workplace_told_twice_weighs_once() -> None:
    acme = structs.replace(ORLA, company="Acme", emails=("orla@acme.com",))
    once = judge(author("O. Quennell", website="https://acme.com/team"), acme)
    twice = judge(author("O. Quennell", website="https://acme.com/team", bio="I work for Acme"), acme)
    assert twice[0].score == pytest.approx(once[0].score, abs=0.005)
    assert {item.signal for item in twice[0].items} >= {Signal.DOMAIN}


def test_a_place_that_all_contacts_share_says_nothing() -> None:
    here = structs.replace(ORLA, city="Porto")
    usual = Commonness(5000, counts(here, y=5000), share=0.5)
    with_place = judge(author("O. Quennell", location="Porto"), here, seen=usual)
    without = judge(author("O. Quennell"), here, seen=usual)
    assert with_place[0].score == without[0].score
    rare = judge(author("O. Quennell", location="Porto"), here)
    assert rare[0].score > without[0].score


@pytest.mark.parametrize(
    ("location", "bio"), [("Austin, TX", ""), ("Deutschland", ""), ("", "Proudly serving Idaho"), ("Leeds", "")]
)
def test_another_place_speaks_against_it(location: str, bio: str) -> None:
    ohio = structs.replace(JOHN, city="Dayton", region="OH", country="US")
    told = judge(author("John Smith", location=location, bio=bio), ohio)
    untold = judge(author("John Smith"), ohio)
    assert not told or told[0].score < untold[0].score


def test_another_office_speaks_against_it() -> None:
    senator = structs.replace(ORLA, title="Senator")
    assert judge(author("Rep. O. Quennell"), senator)[0].score < judge(author("Sen. O. Quennell"), senator)[0].score


def test_the_same_person_confirmed_on_another_network_decides() -> None:
    [result] = judge(author("John Smith"), JOHN, elsewhere={"c0": "Fediverse"})
    assert result.state is CONFIRMED
    assert "Their account on Fediverse is confirmed to be this contact's." in result.evidence
    assert result.items[0].source is Source.PERSON


def test_every_piece_of_evidence_says_where_it_came_from_and_on_what_basis() -> None:
    contact = structs.replace(ORLA, city="Porto", source="Web form", handles=(Handle("birdsong", "orlaq"),))
    [result] = judge(author("Orla Quennell", "orlaq", location="Porto"), contact)
    told = {item.signal: (item.source, item.basis) for item in result.items}
    assert told[Signal.HANDLE] == (Source.CRM, Basis.GIVEN)
    assert told[Signal.NAME] == told[Signal.PLACE] == (Source.PROFILE, Basis.PUBLIC)
    assert [item.sentence for item in result.items] == list(result.evidence)


# --- terms ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["Imported list", "IMPORT", "CSV upload 2024", "ZoomInfo", "apollo.io", "Enriched by Clearbit", "LinkedIn Sales Navigator", "purchased", "Importado", "Importación CSV", "Importiert", "Kaltakquise-Liste", "Liste achetée", "Lista comprata", "インポート", "Импорт", "DataEnrichment", "PartnerList", "Data.com"])  # fmt: skip
def test_bought_contacts_stay_out_until_an_admin_attests(source: str) -> None:
    contact = structs.replace(ORLA, source=source, handles=(Handle("birdsong", "orlaq"),))
    strict = Terms(given_or_public_only=True)
    known = author("Orla Quennell", "orlaq")
    assert eligible(contact, Terms())
    assert not eligible(contact, strict)
    assert judge(known, contact, terms=strict) == []
    [result] = judge(known, contact, terms=replace(strict, attested=frozenset({source})))
    assert (result.state, result.items[0].basis) == (CONFIRMED, Basis.ATTESTED)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "Web form",
        "Newsletter",
        "Offline event",
        "Social media",
        "Referral by a listener",
        "People we met",
        "Importante cliente",
        "Kontaktformular",
        "Boletín",
        "紹介",
    ],
)
def test_other_contacts_take_part(source: str) -> None:
    assert eligible(structs.replace(ORLA, source=source), Terms(given_or_public_only=True))


def test_confirmation_can_be_kept_to_handles_on_file() -> None:
    only = Terms(confirm_by_handle_only=True)
    mailed = structs.replace(ORLA, emails=("orla@acme.com",))
    assert judge(author("Orla Quennell", bio="orla@acme.com"), mailed)[0].state is CONFIRMED
    assert judge(author("Orla Quennell", bio="orla@acme.com"), mailed, terms=only)[0].state is SUGGESTED
    filed = structs.replace(ORLA, handles=(Handle("birdsong", "orlaq"),))
    assert judge(author("Orla Quennell", "orlaq"), filed, terms=only)[0].state is CONFIRMED


# --- what is learnt without labels ----------------------------------------------------------------------------


def test_the_share_of_known_authors_moves_from_what_is_expected_to_what_is_seen() -> None:
    expected = share_known(0, 0, 5000)
    assert expected == pytest.approx(Commonness(5000).known)
    assert share_known(5, 500, 5000) < expected < share_known(450, 500, 5000) <= 0.9
    assert share_known(0, 0, 10) < share_known(0, 0, 10_000)


@given(st.integers(0, 2_000_000), st.integers(1, 100_000))
def test_names_are_never_impossible_and_the_more_bear_one_the_likelier_it_is(contacts: int, bearers: int) -> None:
    fewer, more = (
        Commonness(contacts, {"g:quennell": each, "f:orla": each}) for each in (bearers, bearers + 1)
    )  # fmt: skip
    for probability, name in ((rarity.family, "quennell"), (rarity.given, "orla")):
        assert 0 < probability(fewer, name) <= probability(more, name)


# --- laws -----------------------------------------------------------------------------------------------------

FIRST, LAST, CITY = st.sampled_from(["Orla", "Liam", "John"]), st.sampled_from(["Quennell", "Smith", "Whitlocke"]), st.sampled_from(["Porto", "Leeds", ""])  # fmt: skip
CONTACTS = st.builds(
    lambda first, last, city, handle, mail: Contact(
        "1", name=f"{first} {last}", first_name=first, last_name=last, city=city, handles=(Handle("birdsong", handle),) if handle else (),
        emails=(mail,) if mail else (),
    ),
    FIRST, LAST, CITY, st.sampled_from(["", "", "somebody"]), st.sampled_from(["", "", "orla@acme.com"]),
)  # fmt: skip
AUTHORS = st.builds(
    lambda first, last, city, handle, bio: author(f"{first} {last}", handle, location=city, bio=bio),
    FIRST, LAST, CITY, st.sampled_from(["somebody", "orlaquennell", "jsmith"]), st.sampled_from(["", "orla@acme.com"]),
)  # fmt: skip
# Shares nothing with anybody above.
UNRELATED = Contact(
    "1", name="Zebedee Ruizdael", first_name="Zebedee", last_name="Ruizdael", city="Ghent", emails=("z@ruizdael.be",)
)
STRANGERS = [
    structs.replace(UNRELATED, name=f"Mira Ub{n:03}o", first_name="Mira", last_name=f"Ub{n:03}o") for n in range(400)
]


def confirmed(known: KnownAuthor, contacts: list[Contact]) -> str | None:
    index = Index({f"c{number}": contact for number, contact in enumerate([*contacts, *STRANGERS])})
    return next((each.contact_id for each in index.match(known) if each.state is CONFIRMED), None)


@settings(max_examples=40, deadline=None)
@given(AUTHORS, st.lists(CONTACTS, min_size=1, max_size=4))
def test_an_unrelated_contact_changes_no_confirmation(known: KnownAuthor, contacts: list[Contact]) -> None:
    assert confirmed(known, [*contacts, UNRELATED]) == confirmed(known, contacts)


@settings(max_examples=40, deadline=None)
@given(AUTHORS, st.lists(CONTACTS, min_size=1, max_size=3))
def test_a_twin_of_the_confirmed_contact_takes_its_confirmation_away(
    known: KnownAuthor, contacts: list[Contact]
) -> None:
    found = confirmed(known, contacts)
    if found is not None:
        twin = contacts[int(found[1:])]
        assert confirmed(known, [*contacts, twin]) is None


@settings(max_examples=60, deadline=None)
@given(AUTHORS, st.lists(CONTACTS, max_size=6), st.floats(0.01, 0.9))
def test_scores_are_probabilities_of_events_that_exclude_each_other(
    known: KnownAuthor, contacts: list[Contact], share: float
) -> None:
    results = judge(known, *contacts, seen=replace(commonness(contacts), share=share))
    assert all(0 <= each.score <= 1 for each in results)
    assert sum(each.score for each in results) <= 1.001
    assert all(each.score >= CONFIRM for each in results if each.state is CONFIRMED)


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=40), st.text(max_size=40), st.text(max_size=120), st.text(max_size=40),
    st.lists(st.builds(Contact, st.just("1"), name=st.text(max_size=30), first_name=st.text(max_size=5), last_name=st.text(max_size=9), company=st.text(max_size=20), city=st.text(max_size=9)), max_size=3),
)  # fmt: skip
def test_whatever_stands_in_a_profile_and_in_the_crm_nothing_breaks(
    name: str, handle: str, bio: str, location: str, contacts: list[Contact]
) -> None:
    for each in judge(author(name, handle, bio=bio, location=location), *contacts):
        assert each.evidence
        assert 0 <= each.score <= 1


@pytest.mark.parametrize(("name", "contact"), [("אורלה קוונל", Contact("1", name="אורלה קוונל")), ("أورلا كوينيل", Contact("1", name="أورلا كوينيل")), ("田中 太郎", Contact("1", name="田中太郎"))])  # fmt: skip
def test_names_in_any_script_match_themselves(name: str, contact: Contact) -> None:
    assert judge(author(name), contact)


def test_contacts_of_one_letter_or_without_a_name_are_not_confirmed_by_it() -> None:
    for contact in (
        Contact("1"),
        Contact("1", name="A"),
        Contact("1", first_name="A", last_name="B"),
        Contact("1", company="A"),
    ):
        assert not any(each.state is CONFIRMED for each in judge(author("A B", "a"), contact))
