from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from integrations.records import Author, Contact, Handle
from service.rules import names
from service.rules.matching import CONFIRM, Commonness, author_keys, contact_keys, match, placeholders, workplaces
from service.rules.model import Candidate, KnownAuthor, MatchResult, MatchState
from service.rules.names import TITLES

ANA = Contact("1", name="Ana Silva")
CONFIRMED, SUGGESTED = MatchState.CONFIRMED, MatchState.SUGGESTED


def author(network: str = "birdsong", **fields) -> KnownAuthor:
    return KnownAuthor(network, Author(**{"id": "7", "handle": "anasilva", "name": "Ana Silva", **fields}))


def judge(known: KnownAuthor, *contacts: Contact) -> list[MatchResult]:
    return match(known, [Candidate(f"c{number}", contact) for number, contact in enumerate(contacts)])


@pytest.mark.parametrize(
    ("known", "contact", "evidence"),
    [
        (author(handle="AnaSilva"), Contact("1", handles=(Handle("birdsong", "@anasilva"),)), "The handle @AnaSilva is on file in the CRM."),
        (author(), Contact("1", handles=(Handle("birdsong", "https://birdsong.test/AnaSilva/?lang=pt"),)), "The handle @anasilva is on file in the CRM."),
        (author(url="https://x.com/AnaSilva"), Contact("1", handles=(Handle(None, "http://www.twitter.com/anasilva/"),)), "The address of their profile, x.com/anasilva, is on file in the CRM."),
        (author(url="https://x.com/anasilva"), Contact("1", website="twitter.com/anasilva"), "The address of their profile, x.com/anasilva, is on file in the CRM."),
        (author(handle="ana@social.test"), Contact("1", handles=(Handle(None, "@ana@social.test"),)), "The handle @ana@social.test is on file in the CRM."),
        (author(bio="Write to Ana@Acme.com."), Contact("1", emails=("ana@acme.com",)), "The e-mail address ana@acme.com stands in their profile and in the CRM."),
        (author(website="https://www.anasilva.net/"), Contact("1", website="anasilva.net"), "The website anasilva.net is the same."),
        (author(bio="Blog: https://linktr.ee/ana"), Contact("1", website="http://linktr.ee/ana"), "The website linktr.ee/ana is the same."),
        (author(handle="anasilva.net"), Contact("1", website="https://anasilva.net"), "The website anasilva.net is the same."),
        (author(website="https://blog.acme.co.uk/ana"), replace(ANA, website="acme.co.uk"), "Their profile and the CRM both name the domain acme.co.uk."),
        (author(website="https://acme.co.uk/team"), replace(ANA, emails=("ana@acme.co.uk",)), "Their profile and the CRM both name the domain acme.co.uk."),
        (author(name="Ana Goiko", location="Lisbon, Portugal"), Contact("1", name="Ana Goiko", city="Lisbon"), "Both are in Lisbon."),
        (author(name="Ána  GOIKO 🌻", location="São Paulo"), Contact("1", name="Ana Goiko", city="Sao Paulo"), "Both are in Sao Paulo."),
        (author(bio="Head of sales @ Acme"), replace(ANA, company="ACME GmbH"), "Their profile names the company ACME GmbH."),
        (author(name="Ana Silva | Acme"), Contact("1", name="Silva, Dr. Ana", company="Acme"), "Their profile names the company Acme."),
        (author(), Contact("1", name="Ana Silva", handles=(Handle(None, "anasilva"),)), "The handle @anasilva is on file in the CRM."),
    ],
)  # fmt: skip
def test_evidence_that_is_strong_enough_confirms(known, contact, evidence):
    [result] = judge(known, contact)
    assert result.state is CONFIRMED
    assert result.score >= CONFIRM
    assert evidence in result.evidence


@pytest.mark.parametrize(
    ("known", "contact"),
    [
        (author(), ANA),  # a name alone
        (author(name="Ana"), Contact("1", handles=(Handle(None, "anasilva"),))),  # a handle of who knows which network
        (
            author(bio="office@acme.com"),
            Contact("1", name="Rui Costa", emails=("office@acme.com",)),
        ),  # everybody's mailbox
        (author(location="Porto"), replace(ANA, city="Lisbon")),
    ],
)
def test_weaker_evidence_is_suggested(known, contact):
    [result] = judge(known, contact)
    assert result.state is SUGGESTED
    assert 0 < result.score < CONFIRM
    assert result.evidence


@pytest.mark.parametrize(
    ("known", "contact"),
    [
        (author(), Contact("1", name="Rui Costa")),
        (author("fediverse"), Contact("1", handles=(Handle("birdsong", "anasilva"),))),  # another network's handle
        (author(bot=True), replace(ANA, city="Lisbon")),
        (author(name=""), Contact("1", name="")),
        (author(name="Ana"), Contact("1", name="Ana", city="Lisbon")),
        (author(name="🌻🌻"), Contact("1", name="🌻🌻")),
        (author(name="A B"), Contact("1", name="B A")),
        (author(website="https://linktr.ee"), Contact("1", website="https://linktr.ee")),
        (author(website="https://ana.github.io"), Contact("1", website="https://rui.github.io")),
        (author(bio="ana@gmail.com"), Contact("1", emails=("rui@gmail.com",))),
        (author(handle=""), Contact("1", handles=(Handle(None, "@"),))),
        (
            author(name="", website="https://acme.com"),
            Contact("1", name="Rui Costa", emails=("rui@acme.com",)),
        ),  # any colleague
        (author(website="https://acme.com"), Contact("1", name="Rui Costa", website="acme.com")),  # another name
    ],
)
def test_what_is_no_evidence_is_silence(known, contact):
    assert judge(known, contact) == []


def test_two_contacts_that_tie_are_both_suggested():
    same = (
        Contact("1", handles=(Handle("birdsong", "anasilva"),)),
        Contact("2", handles=(Handle("birdsong", "AnaSilva"),)),
    )
    assert [each.state for each in judge(author(), *same)] == [SUGGESTED, SUGGESTED]
    namesakes = (replace(ANA, city="Lisbon"), replace(ANA, id="2", city="Lisbon"))
    assert [each.state for each in judge(author(location="Lisbon"), *namesakes)] == [SUGGESTED, SUGGESTED]


def test_a_namesake_of_whom_nothing_is_known_prevents_a_match_by_name():
    results = judge(author(location="Lisbon"), replace(ANA, city="Lisbon"), ANA)
    assert [each.state for each in results] == [SUGGESTED, SUGGESTED]
    assert results[0].contact_id == "c0"


def test_a_namesake_who_lives_elsewhere_does_not():
    goiko = Contact("1", name="Ana Goiko")
    results = judge(
        author(name="Ana Goiko", location="Lisbon"), replace(goiko, city="Porto"), replace(goiko, city="Lisbon")
    )
    assert [(each.contact_id, each.state) for each in results] == [("c1", CONFIRMED), ("c0", SUGGESTED)]


def test_a_handle_on_file_decides_between_namesakes():
    results = judge(author(), ANA, replace(ANA, handles=(Handle("birdsong", "anasilva"),)))
    assert [(each.contact_id, each.state) for each in results] == [("c1", CONFIRMED), ("c0", SUGGESTED)]


def test_ten_thousand_namesakes_give_five_suggestions():
    results = judge(
        author(location="Lisbon"), *[replace(ANA, id=str(number), city="Lisbon") for number in range(10_000)]
    )
    assert len(results) == 5
    assert {each.state for each in results} == {SUGGESTED}


@pytest.mark.parametrize(
    "url", ["http://[", "https://", "://", "http://a", "…", "http://user:pw@acme.com:99999/", "https://1.2.3.4/x"]
)
def test_an_address_that_is_none_breaks_nothing(url):
    author_keys(author(website=url, url=url, bio=url))
    contact_keys(Contact("1", website=url, handles=(Handle(None, url), Handle("birdsong", url))))


def test_generic_hosts_and_mail_give_no_domain():
    hosts = [
        "https://linktr.ee/ana",
        "https://ana.github.io",
        "https://facebook.com/ana",
        "https://x.com/ana",
        "https://ana.blogspot.com",
    ]
    keys = set().union(*(author_keys(author(website=host, handle="")) for host in hosts))
    keys |= contact_keys(Contact("1", emails=("ana@gmail.com", "ana@outlook.com")))
    assert not [key for key in keys if key.startswith("d:")]
    assert "d:acme.co.uk" in contact_keys(Contact("1", website="http://shop.acme.co.uk/x?y=z#w"))


# --- laws -----------------------------------------------------------------------------------------------------

NO_NAMES = TITLES | placeholders.NOTHING | {"ne", "nee", "fodd", "fodt"}  # alone, these are not read as names
LETTERS = st.characters(categories=("Lu", "Ll"), max_codepoint=0x24F, exclude_characters="Ŀŀ")
WORDS = st.text(LETTERS, min_size=2, max_size=9).filter(
    lambda word: names.compact(word).isalpha() and len(names.compact(word)) > 1 and names.compact(word) not in NO_NAMES
)
NAMES = st.lists(WORDS, min_size=2, max_size=2)
DRESSED = st.sampled_from([str, str.upper, str.lower, str.title])


def name_keys(keys) -> set[str]:
    return {key for key in keys if key.startswith("n:")}


@given(NAMES, DRESSED, st.randoms(use_true_random=False))
def test_a_name_has_one_key_whatever_its_case_and_order(words, dress, random):
    mixed = list(words)
    random.shuffle(mixed)
    plain, dressed = (
        name_keys(contact_keys(Contact("1", name=name))) for name in (" ".join(words), dress(" ".join(mixed)))
    )
    assert plain & dressed or any(
        dress(each).casefold() != each.casefold() for each in words
    )  # not every letter has a way back
    assert plain <= name_keys(author_keys(KnownAuthor("birdsong", Author("7", "", " ".join(words)))))


@pytest.mark.parametrize(("one", "other"), [("Zoë Dvořák", "zoe dvorak"), ("José  Ñandú", "Nandu, Jose"), ("O’Brien Conor", "Conor O'Brien"), ("Straße Anna", "STRASSE ANNA"), ("Платон Иванов", "иванов платон"), ("Gaŀla Puig", "Gal·la Puig")])  # fmt: skip
def test_accents_punctuation_and_case_make_no_difference(one, other):
    assert name_keys(contact_keys(Contact("1", name=one))) == name_keys(contact_keys(Contact("1", name=other))) != set()


contacts = st.builds(
    Contact, st.just("1"), name=st.sampled_from(["Ana Silva", "Silva Ana", "Rui Costa", "Ana", ""]), city=st.sampled_from(["Lisbon", "Porto", ""]),
    company=st.sampled_from(["Acme", ""]), website=st.sampled_from(["acme.com", "https://linktr.ee/ana", ""]),
    emails=st.sampled_from([(), ("ana@acme.com",), ("ana@gmail.com",)]), handles=st.sampled_from([(), (Handle(None, "anasilva"),), (Handle("birdsong", "anasilva"),)]),
)  # fmt: skip
authors = st.builds(
    author, name=st.sampled_from(["Ana Silva", "Rui Costa", ""]), location=st.sampled_from(["Lisbon", ""]), bio=st.sampled_from(["Acme", "ana@gmail.com", "acme.com", ""]),
    website=st.sampled_from(["https://acme.com", ""]), bot=st.booleans(),
)  # fmt: skip


@given(authors, st.lists(contacts, max_size=8), st.randoms(use_true_random=False))
def test_order_and_duplicates_change_nothing_and_one_at_most_is_confirmed(known, found, random):
    candidates = [Candidate(f"c{number}", contact) for number, contact in enumerate(found)]
    results = match(known, candidates)
    mixed = candidates + candidates
    random.shuffle(mixed)
    assert match(known, mixed) == results
    assert sum(each.state is CONFIRMED for each in results) <= 1
    assert [each.score for each in results] == sorted((each.score for each in results), reverse=True)
    assert len(results) <= 5


@given(authors, contacts)
def test_whoever_is_confirmed_shares_a_key(known, contact):
    if any(each.state is CONFIRMED for each in judge(known, contact)):
        assert set(author_keys(known)) & contact_keys(contact)


@given(st.text(), st.text(), st.text())
def test_any_profile_has_keys(name, bio, website):
    keys = author_keys(author(name=name, bio=bio, website=website))
    assert all(key.partition(":")[2] for key in keys)
    contact_keys(
        Contact(
            "1", name=name, emails=(bio,), website=website, handles=(Handle(None, name), Handle("birdsong", website))
        )
    )


# Beside enough contacts, a rare name and where somebody works would confirm.
MANY = Commonness(contacts=5000, share=0.3)


def among_many(known: KnownAuthor, contact: Contact) -> list[MatchResult]:
    return match(known, [Candidate("c", contact)], MANY)


@pytest.mark.parametrize(
    ("first", "name", "handle"),
    [
        ("Martin", "Martina Quennell", "martinaquennell"),
        ("Martina", "Martin Quennell", "martinquennell"),
        ("Daniel", "Daniela Quennell", "danielaquennell"),
        ("Victor", "Victoria Quennell", "victoriaquennell"),
    ],
)
def test_a_sister_whose_name_is_the_womans_form_of_her_brothers_is_somebody_else(
    first: str, name: str, handle: str
) -> None:
    contact = Contact("1", first_name=first, last_name="Quennell", emails=(f"{first.lower()}@quennell.com",))
    known = author(name=name, handle=handle, website="https://quennell.com")
    assert [each.state for each in among_many(known, contact)] in ([], [SUGGESTED])


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("Imre Quennell Sr.", "Quennell Jr."),
        ("Imre Quennell II", "Quennell III"),
        ("Imre Quennell Neto", "Quennell Filho"),
        ("Quennell, Imre, Senior", "Quennell Junior"),
    ],
)
def test_a_father_is_not_the_son_of_his_name(name: str, last: str) -> None:
    contact = Contact("1", first_name="Imre", last_name=last, emails=("imre@quennell.com",))
    known = author(name=name, handle="imrequennell", website="https://quennell.com")
    assert [each.state for each in among_many(known, contact)] in ([], [SUGGESTED])


def test_who_does_not_say_whether_he_is_the_father_or_the_son_may_be_either() -> None:
    contact = Contact("1", first_name="Imre", last_name="Quennell Jr.", emails=("imre@quennell.com",))
    known = author(name="Imre Quennell", handle="imrequennell", website="https://quennell.com")
    assert [each.state for each in among_many(known, contact)] == [CONFIRMED]


def test_an_initial_that_is_not_the_contacts_is_a_relative_on_the_familys_website() -> None:
    contact = Contact("1", first_name="Peter", last_name="Quennell", website="https://quennell.com")
    for name, handle in (("J. Quennell", "quennell_home"), ("Wolfi", "wquennell")):
        known = author(name=name, handle=handle, website="https://quennell.com")
        assert [each.state for each in among_many(known, contact)] in ([], [SUGGESTED]), name


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("A. Goiko", {}),
        ("A. Goiko", {"location": "Bilbao"}),
        ("Goiko", {"location": "Bilbao"}),
        ("", {"handle": "agoiko"}),
    ],
)
@pytest.mark.parametrize("site", ["goiko.com", "goiko-wines.com"])
def test_whoever_shows_no_given_name_on_the_familys_site_may_be_a_relative(
    name: str, fields: dict[str, Any], site: str
) -> None:
    contact = Contact("1", first_name="Ane", last_name="Goiko", emails=(f"ane@{site}",), website=site, city="Bilbao")
    shown = {"name": name, "handle": "q7", **fields}
    for known in (author(**shown, website=f"https://{site}"), author(**shown, bio=f"Write to hi@{site}")):
        assert [each.state for each in among_many(known, contact)] == [SUGGESTED]


@pytest.mark.parametrize("first", ["John B.", "John Brian"])
@pytest.mark.parametrize(
    ("name", "handle"),
    [("John A. Quennell", "q7"), ("John Andrew Quennell", "q7"), ("", "johnaquennell"), ("", "john_a_quennell"), ("", "john-andrew-quennell")],
)  # fmt: skip
def test_another_middle_name_or_initial_is_somebody_else(first: str, name: str, handle: str) -> None:
    contact = Contact("1", first_name=first, last_name="Quennell", website="quennell.com")
    known = author(name=name, handle=handle, website="https://quennell.com")
    assert [each.state for each in among_many(known, contact)] in ([], [SUGGESTED])


@pytest.mark.parametrize("first", ["John B.", "John Brian", "John"])
@pytest.mark.parametrize(
    "name", ["John Quennell", "John B. Quennell", "John Brian Quennell", 'John "Jack" Quennell', "John Marlo Quennell"]
)
def test_a_middle_name_that_fits_or_is_none_speaks_for_nobody_else(first: str, name: str) -> None:
    contact = Contact("1", first_name=first, last_name="Quennell", website="quennell.com")
    known = author(name=name, handle="q7", website="https://quennell.com")
    assert [each.state for each in among_many(known, contact)] == [CONFIRMED]


@pytest.mark.parametrize(
    ("company", "bio"),
    [
        ("Next", "What's next?"), ("Next", "Always on to the next thing. Runner."), ("Apple", "Apple lover"), ("Orange", "orange cats and long walks"),
        ("Target", "Target reached."), ("Gap", "MIND THE GAP"), ("Acme", "ex-Acme"), ("Acme", "Formerly @acme, now at Grell"), ("Acme", "Ex-Grell, Acme. Runner."),
        ("Acme", "Acme alum"), ("Acme", "Not the one from Acme"), ("Acme Steel", "Former head of sales at Acme Steel"), ("Acme", "No longer at Acme"),
        ("Acme", "früher bei Acme"), ("Acme", "ancienne d'Acme | Paris"), ("Acme", "(formerly Acme)"),
    ],
)  # fmt: skip
def test_a_word_like_any_other_and_where_somebody_has_left_confirm_no_colleague(company: str, bio: str) -> None:
    contact = Contact("1", first_name="Maria", last_name="Lopez", company=company)
    known = author(name="Maria Lopez", handle="q7", bio=bio)
    assert [each.state for each in among_many(known, contact)] in ([], [SUGGESTED])


@pytest.mark.parametrize(
    ("company", "bio"),
    [
        ("Next", "Buyer at Next. What's next?"), ("Apple", "Design @ Apple"), ("Orange", "Ingénieure chez Orange"), ("Acme", "sales at acme"),
        ("Acme", "Acme"), ("Acme", "Acme | Sales"), ("Acme", "Ex-Grell, now Acme"), ("Acme", "Formerly Grell. Acme, sales"), ("Acme", "Former teacher. Sales, Acme"),
        ("Acme", "At Acme. Views are mine and not those of Acme"), ("Smith, Jones & Co", "Ex-army, Smith, Jones & Co"), ("Acme Steel", "acme steel, sales"),
        ("Acme", "@acme | @grell"), ("Яблоко", "Продажи, Яблоко"), ("三菱", "三菱 営業"), ("FPT", "FPT"), ("Acme", "Non-profit lead at Acme"),
    ],
)  # fmt: skip
def test_where_somebody_works_confirms_them(company: str, bio: str) -> None:
    contact = Contact("1", first_name="Maria", last_name="Lopez", company=company)
    known = author(name="Maria Lopez", handle="q7", bio=bio)
    assert [each.state for each in among_many(known, contact)] == [CONFIRMED]


def test_whoever_shows_the_given_name_on_the_familys_site_is_told_by_it() -> None:
    contact = Contact("1", first_name="Ane", last_name="Goiko", website="goiko.com")
    for name, handle, site in (
        ("Ane Goiko", "q7", "goiko.com"), ("Ane", "agoiko", "goiko.com"), ("A. Goiko", "q7", "agoiko.com"), ("A. Goiko", "q7", "wines.com"),
    ):  # fmt: skip
        known = author(name=name, handle=handle, website=f"https://{site}")
        assert [each.state for each in among_many(known, replace(contact, website=site))] == [CONFIRMED], name


def test_whoever_shows_no_given_name_at_the_familys_firm_may_be_a_relative() -> None:
    contact = Contact("1", first_name="Ane", last_name="Goiko", company="Goiko Wines")
    known = author(name="A. Goiko", handle="q7", bio="Sales at Goiko Wines")
    assert [each.state for each in among_many(known, contact)] == [SUGGESTED]


@pytest.mark.parametrize(
    ("known", "fields"),
    [
        # whom a firm's profile names
        (author(name="Velocast", handle="velocast", bio="Press: jane.quennell@velocast.com"), {"emails": ("jane.quennell@velocast.com",), "company": "Velocast Ltd"}),
        (author(name="", handle="VelocastHQ", bio="Call +43 316 9988771"), {"phones": ("+43 316 9988771",), "company": "Velocast"}),
        # an office's mailbox
        (author(name="Backstube", handle="backstube", bio="Brot! info@backstube.com"), {"emails": ("info@backstube.com",)}),
        # a handle in the fediverse is no e-mail address
        (author(name="Wolfi", handle="wolfi_z", bio="married to @jane@quennell.com"), {"emails": ("jane@quennell.com",)}),
        # of a family name only: a husband
        (author(name="Quennell", handle="wolfi_z", bio="my wife: https://birdsong.test/janeq"), {"handles": (Handle("birdsong", "https://birdsong.test/janeq"),)}),
    ],
)  # fmt: skip
def test_whom_a_profile_speaks_of_is_not_confirmed_to_be_its_owner(known: KnownAuthor, fields: dict[str, Any]) -> None:
    contact = Contact("1", first_name="Jane", last_name="Quennell", **fields)
    assert [each.state for each in among_many(known, contact)] in ([], [SUGGESTED])


def test_an_offices_mailbox_beside_the_name_decides_as_ever() -> None:
    contact = Contact("1", first_name="Jane", last_name="Quennell", emails=("info@backstube.com",))
    known = author(name="Jane Quennell", handle="backstube", bio="info@backstube.com")
    assert [each.state for each in among_many(known, contact)] == [CONFIRMED]


@pytest.mark.parametrize(
    ("name", "bio"),
    [
        ("Orla Quennell", "Parody. Not Orla."),
        ("Orla Quennell", "Cuenta PARODIA, sin relación con ella"),
        ("Orla Quennell", "Página não oficial"),
        ("Orla Quennell", "Compte parodique"),
        ("Orla Quennell", "Parodie, inoffizieller Account"),
        ("Orla Quennell", "Fã-clube da Orla"),
        ("Orla Quennell", "неофициальный аккаунт"),
        ("Orla Quennell", "これは非公式アカウントです"),
        ("Orla Quennell (fan)", ""),
        ("Orla Quennell - Commentary", ""),
        ("Orla Quennell Fans", "We love her"),
        ("Not Orla Quennell", ""),
        ("Orla Quennell Foundation", "Grants for young chemists"),
        ("Stiftung Orla Quennell", ""),
    ],
)
def test_what_bears_somebodys_name_and_says_that_it_is_not_theirs_is_somebody_else(name: str, bio: str) -> None:
    contact = Contact("1", first_name="Orla", last_name="Quennell")
    assert among_many(author(name="Orla Quennell", handle="orlaquennell"), contact)[0].state is CONFIRMED
    assert among_many(author(name=name, handle="orlaquennell", bio=bio), contact) == []


@pytest.mark.parametrize(
    ("name", "bio"),
    [
        ("Orla Quennell | Porto fan", ""),
        ("Orla Quennell, Trust manager", ""),
        ("Orla Quennell", "Fan of trams. Official account of my cat."),
        ("Orla Quennell - University of Graz", ""),
    ],
)
def test_what_somebody_says_of_themselves_is_no_parody(name: str, bio: str) -> None:
    contact = Contact("1", first_name="Orla", last_name="Quennell")
    assert [each.state for each in among_many(author(name=name, handle="orlaquennell", bio=bio), contact)] == [
        CONFIRMED
    ]


def test_whoever_is_called_church_or_fan_is_no_church_and_no_admirer() -> None:
    for first, last in (("Orla", "Church"), ("Weiqing", "Fan")):
        contact = Contact("1", first_name=first, last_name=last)
        assert [each.state for each in among_many(author(name=f"{first} {last}", handle="x"), contact)] == [CONFIRMED]


@pytest.mark.parametrize(
    ("known", "contact"),
    [
        (author("x", handle="none", name=""), Contact("1", name="Orla Quennell", handles=(Handle("x", "none"),))),
        (author("x", handle="a", name=""), Contact("1", name="Orla Quennell", handles=(Handle("x", "n/a"),))),
        (author("x", handle="media", name=""), Contact("1", name="Orla Quennell", handles=(Handle("x", "https://x.com/orla/media"),))),
        (author("x", handle="home", name=""), Contact("1", name="Orla Quennell", website="https://x.com/home")),
        (
            author("facebook", handle="", name="", url="https://www.facebook.com/profile.php?id=100"),
            Contact("1", name="Orla Quennell", website="https://facebook.com/profile.php?id=222"),
        ),
        (author(name="Unknown Unknown", handle="unknown"), Contact("1", first_name="Unknown", last_name="Unknown")),
        (author(name="Test Test", handle="test"), Contact("1", name="Test Test")),
    ],
)  # fmt: skip
def test_what_stands_in_a_crm_where_nothing_is_known_matches_nobody(known: KnownAuthor, contact: Contact) -> None:
    assert among_many(known, contact) == []


def test_a_page_of_a_profile_names_its_owner() -> None:
    contact = Contact("1", name="Orla Quennell", handles=(Handle("x", "https://x.com/orla/status/12"),))
    assert [each.state for each in among_many(author("x", handle="orla", name=""), contact)] == [CONFIRMED]


@pytest.mark.parametrize(
    ("company", "bio"),
    [("Freelance", "freelance writer"), ("Self-employed", "Self employed, mum of two"), ("Retired", "retired teacher"), ("Particular", "nada en particular")],
)  # fmt: skip
def test_whoever_has_no_employer_is_told_by_none(company: str, bio: str) -> None:
    contact = Contact("1", first_name="Sarah", last_name="Jones", company=company)
    [result] = among_many(author(name="Sarah Jones", handle="sj", bio=bio), contact)
    assert result.state is SUGGESTED
    assert "company" not in " ".join(result.evidence)


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("Jürgen", "Brüggel", "Juergen Brueggel"),
        ("Juergen", "Brueggel", "Jürgen Brüggel"),
        ("Jürgen", "Brüggel", "Jürgen K. Brueggel"),
        ("Åse", "Håkonstveit", "Aase Haakonstveit"),
        ("Bjoern", "Soerrevik", "Bjørn Sørrevik"),
        ("Itziar", "Goiko Brüggel", "Itziar Goiko Brueggel"),
    ],
)
def test_a_name_is_the_same_with_its_umlauts_and_spelt_out(first: str, last: str, name: str) -> None:
    contact, known = Contact("1", first_name=first, last_name=last), author(name=name, handle="x1")
    assert not contact_keys(contact).isdisjoint(each for each in author_keys(known) if each.startswith("n:"))
    assert [each.state for each in among_many(known, contact)] == [CONFIRMED]


def test_bauer_is_not_baur() -> None:
    known = author(name="Ida Baur", handle="idabaur")
    assert [each.state for each in among_many(known, Contact("1", first_name="Ida", last_name="Bauer"))] in (
        [],
        [SUGGESTED],
    )


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("伟明", "欧阳", "欧阳伟明"),
        ("민수", "황보", "황보민수"),
        ("太郎", "田中丸", "田中丸太郎"),
        ("太郎", "田中丸", "田中丸 太郎"),
        ("عمر", "خطيباني", "عمر خطيباني"),
        ("Jianyu", "Ma", "Ma Jianyu"),
        ("Orlanda", "Major", "Orlanda Major"),
    ],
)
def test_a_name_is_the_same_without_a_gap_and_where_a_title_is_part_of_it(first: str, last: str, name: str) -> None:
    contact, known = Contact("1", first_name=first, last_name=last), author(name=name, handle="x1")
    assert not contact_keys(contact).isdisjoint(author_keys(known))
    assert f"The name {first} {last} is the same." in among_many(known, contact)[0].evidence


def test_a_firm_is_not_confirmed_as_its_branch() -> None:
    branch = Contact("1", company="Velocastq Iberia", website="https://velocastq.com/es")
    [result] = among_many(author(name="Velocastq", handle="velocastq", website="https://velocastq.com"), branch)
    assert result.state is SUGGESTED
    assert "What they go by is one word of the name of Velocastq Iberia." in result.evidence


@pytest.mark.parametrize("name", ["Jane", "Jane Dorran"])
def test_who_works_for_a_firm_is_not_the_firm(name: str) -> None:
    firm = Contact("1", company="Velocastq", website="https://velocastq.com")
    known = author(name=name, handle="jane_velocastq", bio="at Velocastq", website="https://velocastq.com")
    assert [each.state for each in among_many(known, firm)] in ([], [SUGGESTED])


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("Mehmet", "Yılmaz"),
        ("Gurpreet", "Singh"),
        ("Minh", "Nguyễn"),
        ("Jón", "Sigurðsson"),
        ("Ольга", "Иванова"),
        ("László", "Nagy"),
    ],
)
def test_a_name_that_is_common_where_it_comes_from_does_not_confirm_in_a_city(first: str, last: str) -> None:
    contact = Contact("1", first_name=first, last_name=last, city="Leeds")
    known = author(name=f"{first} {last}", handle="x1", location="Leeds")
    many_in_leeds = Commonness(contacts=5000, counts={"y:leeds": 1000}, share=0.3)
    [result] = match(known, [Candidate("c", contact)], many_in_leeds)
    assert result.state is SUGGESTED


def test_a_given_name_and_where_somebody_works_may_be_any_colleagues() -> None:
    contact = Contact("1", first_name="Ane", last_name="Goiko", emails=("ane@kletterwelt.com",), company="Kletterwelt")
    known = author(name="Ane", handle="ane_climbs", bio="at Kletterwelt", website="https://kletterwelt.com")
    assert [each.state for each in among_many(known, contact)] == [SUGGESTED]


@pytest.mark.parametrize("name", ["Anna", "Anna B.", "🌸", ""])
def test_a_given_name_or_none_on_the_firms_website_may_be_any_colleagues(name: str) -> None:
    contact = Contact("1", first_name="Anna", last_name="Brandelli", company="Grellton", website="grellton.com", city="Porto", title="Head of Growth")  # fmt: skip
    known = author(name=name, handle="q7", bio="Head of Growth at Grellton", website="https://grellton.com", location="Porto")  # fmt: skip
    assert [each.state for each in among_many(known, contact)] == [SUGGESTED]


def test_a_given_name_on_a_website_of_their_own_is_theirs() -> None:
    contact = Contact(
        "1", first_name="Ruperta", last_name="Brandelli", company="Grellton", website="rupertabrandelli.com"
    )
    known = author(name="Ruperta", handle="q7", website="https://rupertabrandelli.com")
    assert [each.state for each in among_many(known, contact)] == [CONFIRMED]


def test_what_belongs_to_a_firm_of_two_words_is_not_the_firm() -> None:
    contact = Contact("1", company="Grell University", website="https://grell.edu")
    for name in ("Grell University Chess Club", "Grell University Press Shop", "Friends of Grell University"):
        found = among_many(author(name=name, handle="q7"), contact)
        assert CONFIRMED not in [each.state for each in found], name
        assert not [each for each in found if "The name" in each.evidence[0]], name
    assert [each.state for each in among_many(author(name="Grell University", handle="grelluniversity"), contact)] == [
        CONFIRMED
    ]


@pytest.mark.parametrize(
    "name", ["Kathrin & Uwe Pfundtner", "Uwe und Kathrin Pfundtner", "Uwe Lasker and Kathrin Pfundtner"]
)
def test_an_account_of_two_is_confirmed_for_neither_of_them(name: str) -> None:
    contact = Contact("1", first_name="Kathrin", last_name="Pfundtner", city="Graz", emails=("kp@example.org",))
    known = author(name=name, handle="q7", location="Graz")
    assert [each.state for each in among_many(known, contact)] == [SUGGESTED]
    for own in ("Kathrin Pfundtner & Team", "Kathrin Pfundtner | Wine and Cheese"):
        assert [each.state for each in among_many(author(name=own, handle="q7", location="Graz"), contact)] == [
            CONFIRMED
        ]


def test_a_long_text_about_a_firm_is_read_in_one_go() -> None:
    for text in ("ex-Acme, Acme " * 10_000, "Acme, " * 20_000, "was now " * 10_000 + "acme"):
        workplaces.named(("acme",), (text,))  # reading all of it anew for each clause takes minutes
