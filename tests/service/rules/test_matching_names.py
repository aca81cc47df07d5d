"""What a profile shows of a name, against a contact's name: levels, handles, organisations. People and firms are invented."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.records import Author, Contact
from service.rules import names
from service.rules.matching import author_keys, contact_keys, counted, firms, handles, mailboxes, naming
from service.rules.matching.naming import AGREE, Level
from service.rules.matching.person import contact_name
from service.rules.matching.rarity import Commonness
from service.rules.model import KnownAuthor

L = Level
SEEN = Commonness(contacts=5000)


def person(first: str, last: str, full: str = "") -> Contact:
    return Contact("1", name=full or f"{first} {last}".strip(), first_name=first, last_name=last)


@pytest.mark.parametrize(
    ("shown", "contact", "level"),
    [
        ("Orla Quennell", person("Orla", "Quennell"), L.FULL),
        ("Dr. Orla Quennell, PhD", person("Orla", "Quennell"), L.FULL),
        ("QUENNELL Orla", person("Orla", "Quennell"), L.FULL),
        ("Quennell, Orla", person("Orla", "Quennell"), L.FULL),
        ("Orla M. Quennell | Acme", person("Orla", "Quennell"), L.FULL),
        ("Орла Куэннелл", person("Орла", "Куэннелл"), L.FULL),
        ("Zoë Brontëson", person("Zoe", "Bronteson"), L.FULL),
        ("Joaquín de la Torrevieja", person("Joaquin", "de la Torrevieja"), L.FULL),
        ("Joaquín Torrevieja", person("Joaquin", "de la Torrevieja"), L.FULL),
        ("Ida van der Velthuis", person("Ida", "Velthuis"), L.FULL),
        ("Ida Velthuis", person("Ida", "Okonjo-Velthuis"), L.FULL),
        ("Wangxiaoming", person("Xiaoming", "Wang", "Wang Xiaoming"), L.FULL),
        ("Jim Quennell", person("James", "Quennell"), L.SHORT),
        ("Nav Quennell", person("Navendu", "Quennell"), L.SHORT),
        ("J. Quennell", person("James", "Quennell"), L.INITIAL),
        ("James Quennell", person("J.T.", "Quennell"), L.INITIAL),
        ("Senator Quennell", person("James", "Quennell"), L.FAMILY),
        ("Office of Sen. Quennell", person("James", "Quennell"), L.FAMILY),
        ("Orla", person("Orla", "Quennell"), L.GIVEN),
        ("Orla Q.", person("Orla", "Quennell"), L.CLIPPED),
        ("Orla R.", person("Orla", "Quennell"), L.OTHER_FAMILY),
        ("Mary Quennell", person("James", "Quennell"), L.OTHER_GIVEN),
        ("Virginia Quennell", person("James", "Quennell"), L.OTHER_GIVEN),
        ("Martina Quennell", person("Martin", "Quennell"), L.OTHER_GIVEN),
        ("Victor Quennell", person("Victoria", "Quennell"), L.OTHER_GIVEN),
        ("Max Quennell", person("Maxine", "Quennell"), L.SHORT),
        ("Kristin Quennell", person("Kristina", "Quennell"), L.SHORT),
        ("K. Quennell", person("James", "Quennell"), L.OTHER_GIVEN),
        ("Quennell K", person("James", "Quennell"), L.OTHER_GIVEN),
        ("B. Quennell", person("Robert", "Quennell"), L.FAMILY),
        ("T. Quennell", person("James Tiberius", "Quennell"), L.FAMILY),
        ("James K. Quennell", person("James", "Quennell"), L.FULL),
        ("James T. Quennell", person("James Tiberius", "Quennell"), L.FULL),
        ("James K. Quennell", person("James T.", "Quennell"), L.OTHER_GIVEN),
        ("Itziar Goiko Urrutia", person("Itziar", "Goiko Lasa"), L.OTHER_FAMILY),
        ("Itziar Goiko", person("Itziar", "Goiko Lasa"), L.FULL),
        ("Itziar Goiko Lasa", person("Itziar", "Goiko"), L.FULL),
        ("Goiko Itziar", person("Itziar", "Goiko Lasa"), L.FULL),
        ("Itziar Lasa", person("Itziar", "Goiko Lasa"), L.FULL),
        ("Itziar Goiko Lasa Abogada", person("Itziar", "Goiko Lasa"), L.FULL),
        ("Orla Lindhagen (née Quennell)", person("Orla", "Quennell"), L.FULL),
        ("Orla Lindhagen (née Quennell)", person("Orla", "Lindhagen"), L.FULL),
        ("Orla Lindhagen, geb. Quennell", person("Orla", "Quennell"), L.FULL),
        ("Orla Lindhagen (ask Quennell)", person("Orla", "Quennell"), L.OTHER_FAMILY),
        ("Paco Quennell", person("Francisco", "Quennell"), L.SHORT),
        ("Johannes Quennell", person("Hannes", "Quennell"), L.SHORT),
        ("Gosia Quennell", person("Małgorzata", "Quennell"), L.SHORT),
        ("Sasha Quennell", person("Alexander", "Quennell"), L.SHORT),
        ("Muhammad Quennell", person("Mohamed", "Quennell"), L.SHORT),
        ("Сергей Quennell", person("Sergei", "Quennell"), L.SHORT),
        ("Alexandra Quennell", person("Alexander", "Quennell"), L.OTHER_GIVEN),
        ("Dan Quennell", person("Sanford", "Quennell", "Sanford D. Quennell"), L.OTHER_GIVEN),
        ("Orla Whitlocke", person("Orla", "Quennell"), L.OTHER_FAMILY),
        ("Mary Whitlocke", person("Orla", "Quennell"), L.OTHER),
        ("Mary", person("Orla", "Quennell"), L.OTHER_GIVEN),
        ("Sunflower", person("Orla", "Quennell"), L.NONE),
        ("", person("Orla", "Quennell"), L.NONE),
        ("🌻", person("Orla", "Quennell"), L.NONE),
        ("Q", person("Q", ""), L.NONE),
    ],
)
def test_a_display_name_says_so_much_of_a_contacts_name(shown: str, contact: Contact, level: Level) -> None:
    assert naming.displayed(names.name_words(shown), contact_name(contact), SEEN).level is level


@pytest.mark.parametrize(
    ("handle", "contact", "level"),
    [
        ("orlaquennell", person("Orla", "Quennell"), L.FULL),
        ("quennellorla", person("Orla", "Quennell"), L.FULL),
        ("RepOrlaQuennell", person("Orla", "Quennell"), L.FULL),
        ("orla-quennell-833b4733", person("Orla", "Quennell"), L.FULL),
        ("orla.m.quennell", person("Orla", "Quennell"), L.FULL),
        ("orlaquennelltx", person("Orla", "Quennell"), L.FULL),
        ("Orla4Quennell", person("Orla", "Quennell"), L.FULL),
        ("jimquennell", person("James", "Quennell"), L.SHORT),
        ("navquennell", person("Navendu", "Quennell"), L.SHORT),
        ("oquennell", person("Orla", "Quennell"), L.INITIAL),
        ("quennello", person("Orla", "Quennell"), L.INITIAL),
        ("SenQuennell", person("Orla", "Quennell"), L.FAMILY),
        ("quennellfortexas", person("Orla", "Quennell"), L.FAMILY),
        ("orlafortexas", person("Orla", "Quennell"), L.GIVEN),
        ("michaelquennell", person("Orla", "Quennell"), L.OTHER_GIVEN),
        ("kquennell", person("Orla", "Quennell"), L.OTHER_GIVEN),
        ("k_quennell77", person("Orla", "Quennell"), L.OTHER_GIVEN),
        ("bquennell", person("Robert", "Quennell"), L.FAMILY),
        ("martinquennell", person("Martina", "Quennell"), L.OTHER_GIVEN),
        ("martinaquennell", person("Martin", "Quennell"), L.OTHER_GIVEN),
        ("johnaquennell", person("John", "Quennell"), L.FULL),
        ("notorlaquennell", person("Orla", "Quennell"), L.OTHER),
        ("orlaquennellfans", person("Orla", "Quennell"), L.OTHER),
        ("sunflower77", person("Orla", "Quennell"), L.NONE),
        ("kathleen", person("Xan", "Le"), L.NONE),
        ("", person("Orla", "Quennell"), L.NONE),
    ],
)
def test_a_handle_says_so_much_of_a_contacts_name(handle: str, contact: Contact, level: Level) -> None:
    assert naming.in_handle(handles.letters(handle), contact_name(contact), SEEN).level is level


def test_what_a_handle_leaves_unexplained_weighs_against_it() -> None:
    name = contact_name(person("Orla", "Quennell"))
    ratios = [naming.in_handle(handle, name, SEEN).ratio for handle in ("quennell", "quennellzx", "quennellzxvbk")]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] > 3 * ratios[1]


def test_words_that_a_handle_shows_tell_a_middle_name_and_another_person() -> None:
    name = contact_name(person("Orla", "Quennell"))
    none = naming.NOTHING
    assert naming.spaced(("orla", "hackett", "quennell"), none, name, SEEN).level is L.FULL
    assert naming.spaced(("gayla", "quennell"), none, name, SEEN).level is L.OTHER_GIVEN
    assert naming.spaced(("team", "quennell"), none, name, SEEN).level is not L.OTHER_GIVEN


@pytest.mark.parametrize(
    ("handle", "company", "website", "level"),
    [
        ("Zuverio", "Zuverio Inc.", "", L.FIRM),
        ("zuveriohq", "Zuverio", "", L.FIRM),
        ("getzuverio", "Zuverio", "", L.FIRM),
        ("zuverio_io", "Zuv", "https://zuverio.io", L.FIRM),
        ("CNQ", "Cloud Native Quorum (CNQ)", "", L.FIRM),
        ("cloudnativequorum", "Cloud Native Quorum (CNQ)", "", L.FIRM),
        ("uniofwexmoor", "University of Wexmoor", "", L.PART),
        ("royalbotansoc", "Royal Botanical Society", "", L.PART),
        ("zuveriomirror", "Zuverio", "", L.PART),
        ("elsewhere", "Zuverio", "", L.NONE),
        ("zuverio", "Ledger", "https://zuverio.com/products/ledger", L.NONE),  # a product's page on its maker's site
    ],
)
def test_a_handle_says_so_much_of_a_firms_name(handle: str, company: str, website: str, level: Level) -> None:
    name = contact_name(Contact("1", company=company, website=website))
    assert firms.likeness(handles.letters(handle), name, SEEN).level is level


def test_a_short_firms_name_weighs_less_than_a_long_one() -> None:
    short, long = (
        firms.likeness(each, contact_name(Contact("1", company=each)), SEEN) for each in ("zuv", "zuveriolytics")
    )
    assert long.ratio > 100 * short.ratio


@pytest.mark.parametrize(
    ("handle", "contact"),
    [
        ("RepJQuennell", person("James", "Quennell")),
        ("senjimquennell", person("James", "Quennell")),
        ("sen_orla_quennell_tx", person("Orla", "Quennell")),
        ("orlaquennelltx", person("Orla", "Quennell")),
        ("QuennellforTX", person("Orla", "Quennell")),
        ("DeborahJQuennell", person("Deborah", "Quennell")),
        ("summerlee", person("Summer", "Lee", "Summer L. Lee")),
        ("jquennell", person("James", "Quennell")),
        ("quennell", person("James", "Quennell")),
        ("dunixiforleg", person("Dunixi", "Quennell")),
        ("zuveriohq", Contact("1", company="Zuverio GmbH")),
        ("AsfZuverio", Contact("1", company="Zuverio")),
        ("uniofwexmoor", Contact("1", company="University of Wexmoor")),
    ],
)
def test_a_handle_alone_finds_the_contact_under_equal_keys(handle: str, contact: Contact) -> None:
    assert set(author_keys(KnownAuthor("birdsong", Author("7", handle)))) & contact_keys(contact)


@pytest.mark.parametrize(("name", "other"), [("Bill Quennell", "William Quennell"), ("Quennell, Ana Maria", "Ana Quennell"), ("Ana Quennell Ruizdael", "Ana Quennell"), ("Ida van Velthuis", "Ida Velthuis")])  # fmt: skip
def test_display_names_find_the_contact_under_a_pair_of_its_names(name: str, other: str) -> None:
    sought = {key for key in author_keys(KnownAuthor("birdsong", Author("7", "", name))) if key[0] == "n"}
    assert sought & contact_keys(Contact("1", name=other))


@pytest.mark.parametrize(
    ("one", "other"), [("Paco", "Francisco"), ("Muhammad", "Mohamed"), ("Kees", "Cornelis"), ("Kostas", "Konstantinos")]
)
def test_short_forms_and_spellings_find_each_other_under_equal_keys(one: str, other: str) -> None:
    for shown, held in ((one, other), (other, one)):
        known = KnownAuthor("x", Author("7", "", f"{shown} Quennell"))
        names_of_both = set(author_keys(known)) & contact_keys(person(held, "Quennell"))
        assert any(key.startswith("n:") for key in names_of_both), (shown, held)


def test_a_name_of_nothing_but_gaps_is_read_in_one_go() -> None:
    assert names.name_words(f"Orla ({' ' * 100_000}Quennell") == (
        "orla",
    )  # a pattern that tries every gap anew takes minutes


def test_keys_are_few_and_the_strongest_come_first() -> None:
    busy = Contact(
        "1", name="Mary Ann Okonjo-Velthuis", first_name="Mary Ann", last_name="Okonjo-Velthuis", emails=("m@acme.test",), phones=("+1 202 555 0143",),
        website="https://acme.test/mary", company="Acme",
    )  # fmt: skip
    assert len(contact_keys(busy)) <= 22
    assert len(contact_keys(person("Orla", "Quennell"))) <= 8
    links = " ".join(f"https://site{number}.test/page" for number in range(12))
    keys = author_keys(KnownAuthor("birdsong", Author("7", "orlaquennell", "Orla Quennell", f"{links} orla@acme.test")))
    assert len(keys) <= 48
    assert len(set(keys)) == len(keys)
    assert [key[0] for key in keys[:3]] == ["h", "h", "e"]
    assert len(author_keys(KnownAuthor("birdsong", Author("7", "orlaquennell", "Orla Quennell")))) <= 14


def test_what_is_counted_are_shared_keys_and_the_words_of_rarity() -> None:
    contact = Contact(
        "1", name="Orla Quennell", company="Acme Ltd", city="Porto", region="TX", country="United States", title="Mayor", emails=("o@example.com",)
    )  # fmt: skip
    found = counted(contact)
    assert {
        "f:orla",
        "g:quennell",
        "n:orla quennell",
        "c:acme",
        "y:porto",
        "r:us-tx",
        "l:us",
        "j:mayor",
        "d:example.com",
        "e:o@example.com",
    } <= found
    assert not {key for key in found if key[0] in "his"}


def test_levels_that_agree_and_disagree_are_told_apart() -> None:
    assert not AGREE & set(naming.DISAGREE)
    assert set(naming.DISPLAYED) < AGREE
    assert all(0 < share < 1 for share in (*naming.DISPLAYED.values(), *naming.IN_HANDLE.values()))


_GIVENS = st.sampled_from(["James", "Jim", "Bill", "William", "Liz", "Beth", "Orla", "Al", "Navendu", "Nav", "J.", ""])
_FAMILIES = st.sampled_from(["Quennell", "de la Torre", "Li", "Okonjo-Velthuis", ""])
_HANDLES = st.lists(
    st.sampled_from(
        [
            "james",
            "jim",
            "bill",
            "liz",
            "beth",
            "orla",
            "nav",
            "quennell",
            "torre",
            "li",
            "velthuis",
            "_",
            "-",
            "7",
            "j",
        ]
    ),
    min_size=1,
    max_size=5,
).map("".join)


@given(first=_GIVENS, last=_FAMILIES, handle=_HANDLES)
def test_nobody_is_left_out_at_a_glance_whose_whole_name_a_handle_holds(first: str, last: str, handle: str) -> None:
    name, letters, words = contact_name(person(first, last)), handles.letters(handle), handles.tokens(handle)
    if naming.may_be_whole(letters, words, name):
        return
    found = naming.in_handle(letters, name, SEEN)
    assert found.level not in naming.WHOLE
    if len(words) > 1:
        assert naming.spaced(words, found, name, SEEN).level not in naming.WHOLE


# --- two contacts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "may_be"),
    [
        ("Orla Quennell", "Quennell, Orla", True),
        ("Orla Quennell", "QUENNELL Orla", True),
        ("Orla Quennell", "Dr. Orla Quennell", True),
        ("Orla Quennell", "O. Quennell", True),
        ("Orla Quennell", "Orla Q.", True),
        ("Orla Quennell", "Orla", True),
        ("Orla Quennell", "Frau Quennell", True),
        ("Orla Quennell", "Orla Torre-Quennell", True),
        ("Orla Quennell", "", True),
        ("James Quennell", "Jim Quennell", True),
        ("Орла Куэннелл", "Orla Kuennell", True),
        ("Orla Quennell", "Ida Velthuis", False),
        ("Orla Quennell", "Ida Quennell", False),
        ("Orla Quennell", "I. Quennell", False),
        ("O. Quennell", "I. Quennell", False),
        ("Orla Quennell", "Ida", False),
        ("Orla", "Ida", False),
        ("Orla Quennell", "Empfang Acme", False),
    ],
)
def test_two_contacts_bear_one_name_as_far_as_both_say_one(one: str, other: str, may_be: bool) -> None:
    this, that = (contact_name(Contact("1", name=each)) for each in (one, other))
    assert naming.may_be_one(this, that) is naming.may_be_one(that, this) is may_be


def test_another_family_name_is_another_person_but_for_a_marriage() -> None:
    one, other = (contact_name(person("Orla", each)) for each in ("Quennell", "Velthuis"))
    assert not naming.may_be_one(one, other)
    assert naming.may_be_one(one, other, married=True)


def test_a_firm_and_who_works_there_bear_two_names() -> None:
    firm, twin = (contact_name(Contact("1", name="Acme Ltd", company=each)) for each in ("Acme Ltd", "Acme Ltd"))
    assert naming.may_be_one(firm, twin)
    assert not naming.may_be_one(firm, contact_name(person("Orla", "Quennell")))


@pytest.mark.parametrize(
    "local",
    [
        "info",
        "info2",
        "info+web",
        "No-Reply",
        "customer.service",
        "kontakt",
        "contacto",
        "contact",
        "contatto",
        "contato",
        "kundenservice",
        "vertrieb",
        "ventas",
        "vendas",
        "ventes",
        "vendite",
        "accueil",
        "buero",
        "büro",
        "secretaria",
        "sekretariat",
        "bureau",
        "ufficio",
        "verkoop",
        "klantenservice",
        "salg",
        "försäljning",
        "kundtjänst",
        "biuro",
        "satış",
    ],
)
def test_a_mailbox_of_an_office_is_told_by_its_name(local: str) -> None:
    assert mailboxes.is_offices(f"{local}@acme.test".casefold())


@pytest.mark.parametrize(
    "local", ["orla", "orla.quennell", "orla+info", "orla.info", "7", "o", "ola", "Ola2", "welcome", "bienvenue"]
)
def test_a_mailbox_that_may_be_a_persons_is_none_of_an_office(local: str) -> None:
    assert not mailboxes.is_offices(f"{local}@acme.test")


def test_no_given_name_that_is_known_is_taken_for_an_office() -> None:
    assert [each for each in sorted(names._GIVEN_NAMES) if mailboxes.is_offices(f"{each}@acme.test")] == []
