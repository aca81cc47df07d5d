"""Names of people and firms in the one spelling in which they are compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

from anyascii import anyascii
from nicknames import NickNamer, name_triplets

from service.rules import given_names

# What stands before or after a name without being part of it. Offices and professions in general, in the languages that we
# meet most; credentials.
TITLES = frozenset(
    """
    mr mrs ms mx miss dr prof professor doctor sir dame lord lady baroness baron rev reverend fr father pastor rabbi imam hon honorable honourable rt
    rep representative sen senator gov governor lt congressman congresswoman congressmember congress delegate del assemblyman assemblywoman assemblymember
    asm councilman councilwoman councilmember councillor councilor cllr commissioner mayor sheriff judge justice president speaker secretary sec treasurer auditor chair
    mp mep msp mla ms td tds mpp ag atty attorney capt captain col colonel gen general maj major sgt lcdr cmdr
    jr sr ii iii iv phd md mba mpa mph msc bsc ma ba bs ms jd llm llb cpa cfa esq dds dvm rn pe np pmp obe cbe mbe kc qc ra
    herr frau dipl ing mag m mme mlle monsieur madame sra srta senor senora don dona sig signor signora dott avv
    """.split()  # noqa: SIM905
)
# What tells a father from a child of the same name: wherever it stands, and as the last word only, since some are called so.
_GENERATIONS = {"jr": "jr", "jnr": "jr", "ifj": "jr", "sr": "sr", "snr": "sr", "ii": "ii", "iii": "iii", "iv": "iv"}
_GENERATIONS_LAST = _GENERATIONS | {
    "junior": "jr",
    "senior": "sr",
    "jun": "jr",
    "sen": "sr",
    "hijo": "jr",
    "padre": "sr",
    "filho": "jr",
    "neto": "neto",
    "sobrinho": "sobrinho",
    "fils": "jr",
    "pere": "sr",
}
PARTICLES = frozenset(
    "al ap ben bin da das de dei del della den der di do dos du el ibn la las le los mac san st ten ter van vande vanden vander von y zu".split()  # noqa: SIM905
)
_LEGAL = frozenset(
    """
    ab ag bv cic cio co corp corporation company gmbh inc incorporated kg limited llc llp lp ltd nv oy plc pty sa sarl sas spa srl the
    """.split()  # noqa: SIM905
)
_ASIDE = re.compile(r"[|•/(\[{<–—~]| [-·] |,? @|\s@")  # after these a display name goes on about something else
_EMOJI = re.compile(
    "[\u2190-\u2bff\U0001f000-\U0001faff]"
)  # and so does it after one of these, once two words were said
_SHORT_FORM = re.compile(r"[(\[]([A-Z][A-Za-z0-9]*[A-Z][A-Za-z0-9]*)[)\]]")  # (CSI), (KaaS)
# In brackets these begin another name of the same firm.
_ALSO_CALLED = re.compile(
    r"(?:a ?k ?a|also known as|anc|anciennement|antes|d ?b ?a|doing business as|ehem|ehemals|ex|f ?k ?a|former|formerly|fruher|n ?k ?a|now|previously"
    r"|t ?a|trading as|voorheen|vormals)\b"
)
_BRACKETS = re.compile(r"(?<=\S)\s*[(\[](.*?)[)\]]")
_TOKEN = re.compile(r"[a-z0-9]+")
# Before a name that somebody was born with: it is theirs as well, also where it stands in brackets.
_BORN = re.compile(r"(?:[(\[,] ?)?\b(?:née|nee|né|geb\.|geborene?r?|född|født|z domu|roz\.|szül\.)\s", re.IGNORECASE)
_AND = re.compile(
    r"\s(?:&|\+|and|und|et|og|och)\s+(?!(?:the |das |l')?(?:co|company|family|familie|friends|sons|staff|team)\b)",
    re.IGNORECASE,
)
_APOSTROPHES = str.maketrans("", "", "'’ʼ`´")
_UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Å": "Aa", "Ø": "Oe"}
)
_CATALAN = re.compile(r"(?<=l)·(?=l)")  # Gal·la is one word
_NICKNAMES = NickNamer()
_ENGLISH = frozenset(name for each in name_triplets() for name in (each.name1, each.name2))
_WITH_FORMS = _ENGLISH | given_names.SHORTS.keys() | given_names.FORMALS.keys()
_GIVEN_NAMES = frozenset(name for name in _ENGLISH if len(name) > 2)
# What makes a woman's name of a man's, and women's names to which the same endings may be added or not.
_WOMANS = ("a", "e", "elle", "ella", "ette", "ia", "ina", "ine", "la", "le", "na", "ne")
_EITHER_WAY = frozenset(
    "ann carol carolin catherin christin elisabet evelin helen isabel jasmin jean joan joann karin katharin kathrin katrin kristin lilian mirjam roseann vivian".split()  # noqa: SIM905
)
_VOWELS = tuple("aeiouy")
_MOST_EMOJIS = 20  # looked at in one name
_LONGEST_LETTERS = 5  # after a name: SHRM
SHORTEST_CUT = 3  # letters to which a given name is cut short without being in any list
_MOST_FORMS = 12  # of one given name


@lru_cache(maxsize=65_536)
def words(text: str) -> tuple[str, ...]:
    """The words of a text in lower case and Latin letters, without accents; numbers too. Emojis and punctuation are none."""
    if text.isascii():  # most are: two of the apostrophes can stand there, and taking those out is cheap
        return tuple(_TOKEN.findall(text.replace("'", "").replace("`", "").lower()))
    text = text.translate(_APOSTROPHES).casefold()
    if text.isascii():
        return tuple(_TOKEN.findall(text))
    # Only letters, marks and digits are transliterated: an emoji would turn into its English name.
    kept = "".join(
        char if unicodedata.category(char)[0] in "LMN" else " "
        for char in _CATALAN.sub("", unicodedata.normalize("NFKC", text))
    )
    found = (_TOKEN.findall(anyascii(each).casefold().translate(_APOSTROPHES)) for each in kept.split())
    return tuple("".join(each) for each in found if each)


def compact(text: str) -> str:
    """A text's letters and digits, in Latin and lower case, without anything between."""
    return "".join(words(text))


@lru_cache(maxsize=65_536)
def name_words(name: str) -> tuple[str, ...]:
    """The words of a person's name, the given name first, without titles, emojis and what is said after the name."""
    name = _BORN.sub(" ", name.strip())
    cut = without_aside(name)
    family, comma, given = cut.partition(",")
    found = [each for each in words(cut) if not each.isdigit()]
    if comma and _are_letters_after(family, given):
        found = [*words(family)]  # Ana Silva, CMC
    elif comma and (rest := [each for each in words(given) if each not in TITLES and not each.isdigit()]):
        found = [*rest, *words(family)]  # Silva, Dr. Ana
    # What only sounds like a title (عمر is spelt mr) is none.
    sounds = frozenset() if cut.isascii() else _transliterated(cut)
    kept = tuple(each for at, each in enumerate(found) if each in sounds or each not in TITLES or (at and each == "m"))
    # Don Smith and Ma Long are called so; "Dr. Smith" is not. Only before a name is an m a title: Vera M. shows an initial.
    return kept or tuple(found)


def _are_letters_after(name: str, said: str) -> bool:
    """Whether what follows a comma is an office or degree in capitals after a whole name, of which there are more than anybody knows."""
    letters = said.split()
    short = all(each.isupper() and len(each) <= _LONGEST_LETTERS and not is_given(each.lower()) for each in letters)
    return bool(letters) and short and not name.isupper() and len(words(name)) > 1


def with_titles(name: str) -> tuple[str, ...]:
    """The words of a person's name as they stand there: of Jack Ma and John Major, a title is the family name."""
    return words(without_aside(name))


@lru_cache(maxsize=65_536)
def without_aside(name: str) -> str:
    """A display name without what it says after the name."""
    return name[: _end(name)]


def _end(name: str) -> int:
    """Where a display name goes on about something else, or ends."""
    said_after = _ASIDE.search(name)
    end = said_after.start() if said_after else len(name)
    if name.isascii():
        return end
    emojis = (each.start() for each in islice(_EMOJI.finditer(name, 0, end), _MOST_EMOJIS))
    return next((at for at in emojis if len(words(name[:at])) > 1), end)


def _transliterated(text: str) -> frozenset[str]:
    """The words of a text that are not in Latin letters, as they are spelt in those."""
    tokens = unicodedata.normalize("NFKC", text).split()
    return frozenset(
        word for each in tokens if any(char > "\u024f" and char.isalpha() for char in each) for word in words(each)
    )


def spelt_out(name: str) -> str:
    """A name as it is written where there are no umlauts: Mueller for Müller, Haakon for Håkon. The same where it has none."""
    return name if name.isascii() else unicodedata.normalize("NFC", name).translate(_UMLAUTS)


def of_several(name: str) -> bool:
    """Whether a display name is that of two people ("Kathrin & Uwe Pfundtner")."""
    return bool(_AND.search(without_aside(name)))


def aside(name: str) -> str:
    """What a display name says after the name ("Ana Silva | Acme")."""
    name = name.strip()
    return name[_end(name) + 1 :].strip()


def titles(text: str) -> frozenset[str]:
    """The titles among the words of a text."""
    return TITLES.intersection(words(text))


def generation(name: str) -> str:
    """Which of those who bear one name in a family somebody is, in one spelling: "jr" for Junior and Filho. Empty where a name does not say."""
    found = words(without_aside(name))
    if len(found) < 3:  # a given and a family name
        return ""
    return next((_GENERATIONS[each] for each in found if each in _GENERATIONS), _GENERATIONS_LAST.get(found[-1], ""))


def generation_in_handle(tokens: tuple[str, ...]) -> str:
    """The same of a handle's words (ana.silva.jr), of which the last says it: a señor's is the first."""
    return _GENERATIONS.get(tokens[-1], "") if len(tokens) > 2 else ""


def company_words(company: str) -> tuple[str, ...]:
    """A company's name without its legal form and what stands in brackets after it."""
    found = words(_BRACKETS.sub(" ", company)) or words(company)
    return tuple(each for each in found if each not in _LEGAL) or found


def bracketed(name: str) -> tuple[str, ...]:
    """Short forms that a name gives in brackets: "Container Storage Interface (CSI)"."""
    return tuple(compact(each) for each in _SHORT_FORM.findall(name))


def told_apart(name: str) -> str:
    """What stands in brackets after a firm's name and tells it from others who bear it, without spaces: "(reseller)", "(Iberia)". Empty
    where that is a legal form, another name, or short for the name: its letters stand there in their order, from the first one on."""
    whole = "".join(company_words(name))
    for said in map(words, _BRACKETS.findall(name)):
        short = "".join(said)
        if not said:
            continue
        is_other = _ALSO_CALLED.match(" ".join(said)) or short in _LEGAL or said[0] in _LEGAL
        if not is_other and not _short_for(short, whole):
            return short
    return ""


def _short_for(short: str, whole: str) -> bool:
    rest = iter(whole)
    return whole[:1] == short[0] and all(letter in rest for letter in short)


def holds(text: Iterable[str], phrase: Iterable[str]) -> bool:
    """Whether these words stand in that text, next to each other."""
    return f" {' '.join(phrase)} " in f" {' '.join(text)} "


@lru_cache(maxsize=32_768)
def formal(given: str) -> frozenset[str]:
    """A given name and the formal names that it may be short for: "jim" -> "jim", "james"."""
    return frozenset(
        {given, *given_names.FORMALS.get(given, ()), *sorted(_NICKNAMES.canonicals_of(given))[:_MOST_FORMS]}
    )


@lru_cache(maxsize=32_768)
def short_forms(given: str) -> tuple[str, ...]:
    """What somebody with this given name may be called or write: formal and short forms, without the name itself, in order."""
    formals = formal(given)
    shorts = (each for name in sorted(formals) for each in sorted(_NICKNAMES.nicknames_of(name)))
    others = (each for name in formals for each in given_names.SHORTS.get(name, ()))
    return tuple(sorted({*formals, *list(shorts)[: 2 * _MOST_FORMS], *others} - {given}))


def same_given(one: str, other: str) -> bool:
    """Whether two given names can be one person's: one is short for the other, or both for a third."""
    if one == other:
        return True
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    if len(short) >= SHORTEST_CUT and long.startswith(short) and not is_womans_form(short, long):
        return True
    # Most words have no other forms, and hardly two meet a second time.
    return one in _WITH_FORMS and other in _WITH_FORMS and not formal(one).isdisjoint(formal(other))


def is_womans_form(one: str, other: str) -> bool:
    """Whether `other` is the woman's form of the man's name `one` (martin, martina): two people's names, and neither is short for the other."""
    if not other.startswith(one) or one.endswith(_VOWELS) or one in _EITHER_WAY:
        return False
    return other[len(one) :] in _WOMANS


def is_given(word: str) -> bool:
    """Whether a word is known to be a given name (of those that have a short form or are one)."""
    return word in _GIVEN_NAMES


@lru_cache(maxsize=32_768)
def family_forms(family: tuple[str, ...]) -> tuple[str, ...]:
    """The spellings of a family name, the fullest first: with particles, without, and each part of a double name."""
    rest = tuple(each for each in family if each not in PARTICLES)
    return tuple(dict.fromkeys(each for each in ("".join(family), "".join(rest), *rest[::-1]) if len(each) > 1))
