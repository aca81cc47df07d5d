"""How names in other scripts are written in Latin letters, as their bearers write them.

`anyascii` spells letter by letter, which is nobody's name where vowels are not written (mhmd), the family name comes first without a gap
(wangwei), or the same signs are read otherwise (kanji). Here are the readings that are usual; what is in no table gets what a rule gives.
One name is romanised in several ways, and several names in one: a reading suggests, and never confirms by itself; Greek and Cyrillic letters are read in one way but for a few spellings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice, product, zip_longest

from anyascii import anyascii

from service.rules import romanising_tables as tables

Name = tuple[str, str]  # given name, family name
_MOST = 6  # readings of one name
_OTHER_SCRIPT = re.compile(r"[\u0370-\u1cff\u2c00-\ud7ff\uf900-\ufdff\ufe70-\ufeff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_READ_LETTER_BY_LETTER = re.compile(
    r"[\u0370-\u052f\u1f00-\u1fff]"
)  # Greek and Cyrillic: there one spelling is as good as the name
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff々]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_ARABIC = re.compile(r"[\u0600-\u06ff\u0750-\u077f]")
_HEBREW = re.compile(r"[\u0590-\u05ff]")
_INDIC = re.compile(r"[\u0900-\u0d7f]")


def in_another_script(name: str) -> str:
    """The letters of a name in a script in which several names are one in Latin letters; empty for any other name."""
    letters = "" if name.isascii() else "".join(each for each in unicodedata.normalize("NFKC", name) if each.isalnum())
    foreign = [each for each in letters if _OTHER_SCRIPT.match(each)]
    return letters if foreign and not _LATIN.search(letters) and not _READ_LETTER_BY_LETTER.match(foreign[0]) else ""


def has_homophones(letters: str) -> bool:
    """Whether such letters sound like others: 王伟 and 王薇 are two people, and both are Wang Wei."""
    return bool(_HAN.search(letters))


@lru_cache(maxsize=16_384)
def readings(name: str, given: str = "", family: str = "") -> tuple[Name, ...]:
    """The ways in which a name is written in Latin letters, the usual one first; none for a name in Latin letters, or of whose script
    nothing is known. `given` and `family` are its parts, where they are told. Of some the family name alone can be read."""
    whole = name or f"{given} {family}"
    if not _OTHER_SCRIPT.search(whole) or _LATIN.search(
        whole
    ):  # of both scripts, the Latin letters are the name already
        return ()
    name, given, family = map(_letters_only, (whole, given, family))
    for script, read in _READERS:
        if script.search(name):
            return tuple(dict.fromkeys(islice(read(name, given, family), _MOST)))
    return ()


def _letters_only(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)
    return " ".join("".join(each if unicodedata.category(each)[0] in "LM" else " " for each in plain).split())


def _paired(given: Iterable[str], family: Iterable[str]) -> Iterator[Name]:
    """Each reading of one with each of the other, those of one system first."""
    givens, families = list(dict.fromkeys(given)), list(dict.fromkeys(family))
    if givens and families:
        last = givens[-1], families[-1]
        yield from ((one or last[0], other or last[1]) for one, other in zip_longest(givens, families))
        yield from product(givens, families)


def _in_order(name: str, given: str, family: str) -> Name:
    """The parts of a name that is written given name first."""
    if given and family:
        return given, family
    words = name.split()
    return (" ".join(words[:-1]), words[-1]) if len(words) > 1 else (name, "")


def _family_first(name: str, given: str, family: str, compounds: frozenset[str]) -> Name:
    """The parts of a name that is written family name first, with a gap or without."""
    if given and family:
        return given, family
    first, _, rest = name.partition(" ")
    if rest:
        return rest, first
    size = 2 if name[:2] in compounds and len(name) > 2 else 1
    return name[size:], name[:size]


# --- Chinese, Japanese, Korean --------------------------------------------------------------------------------


def _han(name: str, given: str, family: str) -> Iterator[Name]:
    yield from _kanji(name, given, family)
    given, family = _family_first(name, given, family, tables.CHINESE_COMPOUNDS)
    if not given or not _HAN.search(family):
        return
    surname = [tables.CHINESE_FAMILIES.get(family) or "".join(map(_pinyin, family))]
    syllables = [_pinyin(each) for each in given if not each.isspace()]
    yield "".join(syllables), surname[0]
    yield " ".join(syllables), surname[0]
    yield " ".join(map(_wade_giles, syllables)), _wade_giles(surname[0])


@lru_cache(maxsize=8_192)
def _pinyin(character: str) -> str:
    return anyascii(character).lower()


@lru_cache(maxsize=1_024)
def _wade_giles(syllable: str) -> str:
    """A syllable as it is spelt in Taiwan."""
    if syllable in tables.WADE_GILES:
        return tables.WADE_GILES[syllable]
    for pattern, spelt in tables.WADE_GILES_PARTS:
        changed = re.sub(pattern, spelt, syllable)
        if changed != syllable and pattern.startswith("^"):
            return _ends(changed)
    return _ends(syllable)


def _ends(syllable: str) -> str:
    for pattern, spelt in tables.WADE_GILES_ENDS:
        syllable = re.sub(pattern, spelt, syllable)
    return syllable


def _kanji(name: str, given: str, family: str) -> Iterator[Name]:
    if not (given and family):
        family = next((name[:size] for size in (3, 2, 1) if name[:size] in tables.JAPANESE_FAMILIES), "")
        given = name[len(family) :].strip()
    if family not in tables.JAPANESE_FAMILIES:
        return
    read = tables.JAPANESE_GIVENS.get(given) or tuple(
        _kana_word(given) if _KANA.search(given) and not _HAN.search(given) else ()
    )
    # Family names of one sign may be Chinese: 林 is Hayashi and Lin.
    if read or len(family) > 1:
        yield from ((each, tables.JAPANESE_FAMILIES[family]) for each in read or ("",))


def _kana(name: str, given: str, family: str) -> Iterator[Name]:
    if _HAN.search(name):
        yield from _kanji(name, given, family)
        return
    given, family = _family_first(name, given, family, frozenset())
    yield from _paired(_kana_word(given), _kana_word(family))


def _kana_word(word: str) -> Iterator[str]:
    read = anyascii(word).lower().replace("-", "")
    yield re.sub(r"(?:ou|oo)(?![aeiou])", "o", read).replace("uu", "u")
    yield read


def _hangul(name: str, given: str, family: str) -> Iterator[Name]:
    given, family = _family_first(name, given, family, tables.KOREAN_COMPOUNDS)
    syllables = [anyascii(each).lower() for each in given if not each.isspace()]
    usual = [tables.KOREAN_SYLLABLES.get(each, each) for each in syllables]
    families = tables.KOREAN_FAMILIES.get(family) or ("".join(anyascii(each).lower() for each in family),)
    yield from product(["".join(syllables), "".join(usual), " ".join(usual), " ".join(syllables)], families)


# --- scripts without vowels, or with vowels that are heard and not written --------------------------------------


def _semitic(table: Mapping[str, tuple[str, ...]], name: str, given: str, family: str) -> Iterator[Name]:
    given, family = _in_order(tables.joined(name), tables.joined(given), tables.joined(family))
    first = given.split()[:1]
    yield from _paired(_listed(table, first[0] if first else ""), _listed(table, family))


def _listed(table: Mapping[str, tuple[str, ...]], word: str) -> tuple[str, ...]:
    plain = "".join(each for each in unicodedata.normalize("NFD", word) if unicodedata.category(each) != "Mn")
    if plain in table:
        return table[plain]
    if plain.startswith("ال") and len(plain) > 3:  # the article
        bare = _listed(table, plain[2:])
        return (*(f"al {each}" for each in bare), *bare)
    return (_with_vowels(plain),) if _ARABIC.search(plain) else ()


def _with_vowels(word: str) -> str:
    """An Arabic word with the vowels that are likeliest where none are written: samir for smyr, khalid for khald."""
    read = "".join(tables.ARABIC_LETTERS.get(each, "") for each in word)
    read = re.sub(r"(?<=A)(kh|sh|gh|dh|th|[^aiuAIU])(?=(?:kh|sh|gh|dh|th|[^aiuAIUh])$)", r"\1i", read)
    read = re.sub(r"^(kh|sh|gh|dh|th|[^aiuAIU])(?=[^aiuAIUh])", r"\1a", read)
    read = re.sub(r"([^aiuAIU])(?=(?:[^aiuAIUh])$)", r"\1a", read)
    return read.lower()


def _arabic(name: str, given: str, family: str) -> Iterator[Name]:
    return _semitic(tables.ARABIC, name, given, family)


def _hebrew(name: str, given: str, family: str) -> Iterator[Name]:
    return _semitic(tables.HEBREW, name, given, family)


def _indic(name: str, given: str, family: str) -> Iterator[Name]:
    given, family = _in_order(name, given, family)
    return _paired(_indic_word(given.split()[0] if given else ""), _indic_word(family))


def _indic_word(word: str) -> Iterator[str]:
    """Of a word in a script of India: with the vowel that is not written where it is heard, short and long vowels apart or not."""
    if not word:
        return
    read = tables.indic(word)
    for pattern, spelt in tables.INDIC_ENDS:
        read = re.sub(pattern, spelt, read)
    heard = re.sub(r"(?<=[aeiouAIU][bcdfghjklmnpqrstvwyz])a$|(?<=[aeiouAIU][bcdgjkpst]h)a$", "", read)
    between = re.sub(r"(?<=[aeiouAIU][bcdfghjklmnpqrstvwyz])a(?=[bcdfghjklmnpqrstvwyz][hrly]?[aeiouAIU])", "", heard)
    for each in (heard, between):
        yield each.lower()
        yield each.replace("I", "ee").replace("U", "oo").lower()
    yield read.lower()


# --- Greek and Cyrillic -----------------------------------------------------------------------------------------


def _letters(name: str, given: str, family: str) -> Iterator[Name]:
    given, family = _in_order(name, given, family)
    if not tables.UKRAINIAN.isdisjoint(name.lower()):
        given, family = (each.lower().replace("г", "h") for each in (given, family))
    for rules in tables.GREEK if re.search(r"[\u0370-\u03ff]", name) else tables.CYRILLIC:
        yield _spelt(given, rules), _spelt(family, rules)


def _spelt(text: str, rules: Iterable[tuple[str, str]]) -> str:
    read = anyascii(text).lower()
    for pattern, spelt in rules:
        read = re.sub(pattern, spelt, read)
    return read.replace("'", "").replace("`", "")


_READERS = (
    (_KANA, _kana), (_HAN, _han), (_HANGUL, _hangul), (_ARABIC, _arabic), (_HEBREW, _hebrew), (_INDIC, _indic), (_READ_LETTER_BY_LETTER, _letters),
)  # fmt: skip
