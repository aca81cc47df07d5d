"""Names in other scripts against names in Latin letters. People are invented, or called by the commonest names that there are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from integrations.records import Author, Contact
from service.rules import romanising
from service.rules.matching import Commonness, author_keys, contact_keys, match
from service.rules.model import Candidate, KnownAuthor, MatchResult, MatchState

CONFIRMED, SUGGESTED = MatchState.CONFIRMED, MatchState.SUGGESTED
MANY = Commonness(contacts=5000, share=0.3)
PORTO = {"city": "Porto"}


def author(name: str, handle: str = "q7x", bio: str = "") -> KnownAuthor:
    return KnownAuthor("birdsong", Author("7", handle, name, bio, location="Porto"))


def judge(known: KnownAuthor, contact: Contact) -> list[MatchResult]:
    """What comes of it where the contact is found at all."""
    found = [Candidate("c", contact)] if contact_keys(contact) & set(author_keys(known)) else []
    return match(known, found, MANY)


PAIRS = [
    ("محمد الشمري", "Mohammed", "Al-Shammari"), ("محمد الشمري", "Muhammad", "Alshammari"), ("عبد الرحمن السعدي", "Abdulrahman", "Al Saadi"), ("سمير مجدلاني", "Samir", "Majdlani"),
    ("رضا کریمی", "Reza", "Karimi"), ("דוד כהן", "David", "Cohen"), ("יעל שפירא", "Yael", "Shapira"), ("נועה בן דוד", "Noa", "Ben David"),
    ("王伟", "Wei", "Wang"), ("欧阳伟明", "Weiming", "Ouyang"), ("陳美玲", "Mei-Ling", "Chen"), ("張志明", "Chih-Ming", "Chang"),
    ("田中太郎", "Taro", "Tanaka"), ("佐藤 健一", "Kenichi", "Sato"), ("たなか たろう", "Taro", "Tanaka"), ("サトウ ヒロシ", "Hiroshi", "Sato"),
    ("김민수", "Minsoo", "Kim"), ("이지훈", "Ji-hoon", "Lee"), ("정현우", "Hyunwoo", "Jung"), ("황보민수", "Minsu", "Hwangbo"),
    ("राजेश कुमार", "Rajesh", "Kumar"), ("पूजा पाटिल", "Pooja", "Patil"), ("ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ", "Gurpreet", "Singh"), ("নরেন্দ্র মোদী", "Narendra", "Modi"), ("రాజేష్ రెడ్డి", "Rajesh", "Reddy"),
    ("முருகன் ராஜன்", "Murugan", "Rajan"),
]  # fmt: skip


@pytest.mark.parametrize(("native", "first", "last"), PAIRS)
def test_a_name_in_another_script_is_suggested_and_never_confirmed_by_itself(
    native: str, first: str, last: str
) -> None:
    latin = Contact("1", name=f"{first} {last}", first_name=first, last_name=last, city="Porto")
    for known, contact in (
        (author(native), latin),
        (author(f"{first} {last}"), Contact("1", name=native, city="Porto")),
        (author("", f"{first}{last}".replace(" ", "").replace("-", "")), Contact("1", name=native, city="Porto")),
    ):
        found = judge(known, contact)
        assert [each.state for each in found] == [SUGGESTED], known.author
        assert f"Their name may be {contact.name}, written in other letters." in found[0].evidence


@pytest.mark.parametrize(("native", "first", "last"), PAIRS)
def test_an_address_beside_such_a_name_confirms(native: str, first: str, last: str) -> None:
    contact = Contact("1", first_name=first, last_name=last, emails=("q@example.org",))
    assert [each.state for each in judge(author(native, bio="q@example.org"), contact)] == [CONFIRMED]


@pytest.mark.parametrize(
    ("native", "first", "last"),
    [
        ("Сергей Достоевский", "Sergey", "Dostoevsky"), ("Фёдор Соловьёв", "Fedor", "Soloviev"), ("Александр Ильин", "Aleksandr", "Ilyin"),
        ("Ксения Алексеева", "Ksenia", "Alekseeva"), ("Сергій Бондаренко", "Serhiy", "Bondarenko"), ("Γιώργος Μπουκουβάλας", "Giorgos", "Boukouvalas"),
        ("Μαρία Μπακογιάννη", "Maria", "Bakogianni"),
    ],
)  # fmt: skip
def test_greek_and_cyrillic_letters_are_read_as_people_spell_them(native: str, first: str, last: str) -> None:
    contact = Contact("1", first_name=first, last_name=last, city="Porto")
    assert [each.state for each in judge(author(native), contact)] == [CONFIRMED]
    assert [each.state for each in judge(author(f"{first} {last}"), Contact("1", name=native, city="Porto"))] == [
        CONFIRMED
    ]


@pytest.mark.parametrize(("one", "other"), [("王薇", "王伟"), ("李娜", "李纳"), ("張偉", "张伟"), ("田中誠", "田中真")])
def test_names_that_sound_alike_in_other_signs_are_not_taken_for_one(one: str, other: str) -> None:
    for contact in (
        Contact("1", name=other, city="Porto"),
        Contact("1", name=f"{other[1:]} {other[0]}", first_name=other[1:], last_name=other[0], city="Porto"),
    ):
        assert CONFIRMED not in [each.state for each in judge(author(one), contact)]


@pytest.mark.parametrize(
    "name", ["王伟", "欧阳伟明", "田中太郎", "김민수", "محمد الشمري", "דוד כהן", "राजेश कुमार", "สมชาย ใจดี"]
)
def test_the_same_name_in_the_same_script_is_the_same(name: str) -> None:
    contact = Contact("1", name=name, city="Porto")
    assert "is the same" in judge(author(name), contact)[0].evidence[0]


def test_two_names_of_one_family_in_another_script_are_not_taken_for_one() -> None:
    contact = Contact("1", first_name="Jihoon", last_name="Kim", company="Acme", city="Porto", title="Engineer")
    assert CONFIRMED not in [each.state for each in judge(author("김민수", bio="Engineer at Acme"), contact)]


def test_a_name_in_latin_letters_has_no_readings_whatever_stands_beside_it() -> None:
    for name in ("Ana Silva", "Jürgen Müller", "Nguyễn Thị Hoa", "Jackie Chan 成龙", "Ana 🌸", "Ana、Silva", ""):
        assert romanising.readings(name) == (), name
        assert romanising.in_another_script(name) == "", name


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(min_codepoint=0x370, max_codepoint=0xD7FF), max_size=30),
    st.text(max_size=8),
    st.text(max_size=8),
)
def test_any_text_has_few_readings_and_breaks_nothing(name: str, first: str, last: str) -> None:
    assert len(romanising.readings(name, first, last)) <= 6
    contact = Contact("1", name=name, first_name=first, last_name=last)
    assert len(contact_keys(contact)) <= 60
    judge(author(name), replace(contact, name=name[::-1]))


def test_a_very_long_name_is_read_in_one_go() -> None:
    for name in ("王" * 50_000, "मन" * 50_000, "김 " * 50_000, "محمد " * 50_000):
        romanising.readings(name)
