"""Countries and states by the names and letters that profiles use."""

from __future__ import annotations

import re
from functools import lru_cache

from service.rules import names

_STATES = {
    "al": "alabama", "ak": "alaska", "az": "arizona", "ar": "arkansas", "ca": "california", "co": "colorado", "ct": "connecticut", "de": "delaware",
    "fl": "florida", "ga": "georgia", "hi": "hawaii", "id": "idaho", "il": "illinois", "in": "indiana", "ia": "iowa", "ks": "kansas", "ky": "kentucky",
    "la": "louisiana", "me": "maine", "md": "maryland", "ma": "massachusetts", "mi": "michigan", "mn": "minnesota", "ms": "mississippi", "mo": "missouri",
    "mt": "montana", "ne": "nebraska", "nv": "nevada", "nh": "new hampshire", "nj": "new jersey", "nm": "new mexico", "ny": "new york",
    "nc": "north carolina", "nd": "north dakota", "oh": "ohio", "ok": "oklahoma", "or": "oregon", "pa": "pennsylvania", "pr": "puerto rico",
    "ri": "rhode island", "sc": "south carolina", "sd": "south dakota", "tn": "tennessee", "tx": "texas", "ut": "utah", "vt": "vermont",
    "va": "virginia", "wa": "washington", "wv": "west virginia", "wi": "wisconsin", "wy": "wyoming", "dc": "district of columbia",
}  # fmt: skip
_COUNTRIES = {
    "us": ("united states", "usa", "united states of america", "america"), "gb": ("united kingdom", "uk", "great britain", "england", "scotland", "wales", "northern ireland"),
    "ie": ("ireland",), "ca": ("canada",), "au": ("australia",), "nz": ("new zealand", "nz"), "de": ("germany", "deutschland"), "at": ("austria", "osterreich"),
    "ch": ("switzerland", "schweiz", "suisse"), "fr": ("france",), "be": ("belgium", "belgique", "belgie"), "nl": ("netherlands", "the netherlands", "nederland", "holland"),
    "lu": ("luxembourg",), "es": ("spain", "espana"), "pt": ("portugal",), "it": ("italy", "italia"), "gr": ("greece",), "dk": ("denmark", "danmark"),
    "se": ("sweden", "sverige"), "no": ("norway", "norge"), "fi": ("finland", "suomi"), "is": ("iceland",), "pl": ("poland", "polska"), "cz": ("czech republic", "czechia"),
    "sk": ("slovakia",), "hu": ("hungary",), "ro": ("romania",), "bg": ("bulgaria",), "hr": ("croatia",), "rs": ("serbia",), "si": ("slovenia",), "ee": ("estonia",),
    "lv": ("latvia",), "lt": ("lithuania",), "ua": ("ukraine",), "ru": ("russia",), "tr": ("turkey", "turkiye"), "il": ("israel",), "ae": ("united arab emirates", "uae"),
    "sa": ("saudi arabia",), "eg": ("egypt",), "ma": ("morocco",), "ng": ("nigeria",), "ke": ("kenya",), "gh": ("ghana",), "za": ("south africa",), "in": ("india",),
    "pk": ("pakistan",), "bd": ("bangladesh",), "lk": ("sri lanka",), "cn": ("china",), "hk": ("hong kong",), "tw": ("taiwan",), "jp": ("japan",), "kr": ("south korea", "korea"),
    "sg": ("singapore",), "my": ("malaysia",), "id": ("indonesia",), "th": ("thailand",), "vn": ("vietnam",), "ph": ("philippines",), "br": ("brazil", "brasil"),
    "mx": ("mexico",), "ar": ("argentina",), "cl": ("chile",), "co": ("colombia",), "pe": ("peru",), "uy": ("uruguay",),
    "cr": ("costa rica",), "gt": ("guatemala",), "hn": ("honduras",), "ni": ("nicaragua",), "sv": ("el salvador",), "do": ("dominican republic", "republica dominicana"),
    "cu": ("cuba",), "ec": ("ecuador",), "bo": ("bolivia",), "py": ("paraguay",), "ve": ("venezuela",), "jm": ("jamaica",), "tt": ("trinidad and tobago", "trinidad"),
    "mt": ("malta",), "cy": ("cyprus", "zypern"), "al": ("albania",), "ba": ("bosnia and herzegovina", "bosnia"), "mk": ("north macedonia",), "md": ("moldova",), "by": ("belarus",),
    "kz": ("kazakhstan",), "uz": ("uzbekistan",), "am": ("armenia",), "az": ("azerbaijan",), "iq": ("iraq",), "ir": ("iran",), "lb": ("lebanon",), "kw": ("kuwait",), "qa": ("qatar",),
    "om": ("oman",), "dz": ("algeria", "algerie"), "tn": ("tunisia", "tunisie"), "et": ("ethiopia",), "ug": ("uganda",), "tz": ("tanzania",), "rw": ("rwanda",), "zm": ("zambia",),
    "zw": ("zimbabwe",), "mz": ("mozambique",), "ao": ("angola",), "cm": ("cameroon", "cameroun"), "ci": ("cote d ivoire", "ivory coast"), "sn": ("senegal",), "np": ("nepal",),
    "mm": ("myanmar",), "kh": ("cambodia",),
}  # fmt: skip
# Parts of countries by which people say where they are: Halifax, Nova Scotia.
_PARTS = {
    "ca": "alberta, british columbia, manitoba, new brunswick, newfoundland, nova scotia, ontario, quebec, saskatchewan",
    "au": "new south wales, nsw, queensland, south australia, tasmania, western australia",
    "gb": "cornwall, devon, essex, kent, lancashire, norfolk, suffolk, surrey, sussex, yorkshire",
    "de": "baden wurttemberg, bayern, bavaria, hessen, niedersachsen, nrw, nordrhein westfalen, rheinland pfalz, sachsen, schleswig holstein, thuringen",
}  # fmt: skip
_STATE_OF = {name: code for code, name in _STATES.items()}
_COUNTRY_OF = {name: code for code, spellings in _COUNTRIES.items() for name in spellings}
_PART_OF = {part: code for code, parts in _PARTS.items() for part in parts.split(", ")}
STATE_LETTERS = frozenset(_STATES)
SPELLINGS_WITHOUT_SPACES = frozenset(
    {*_STATES, *(each.replace(" ", "") for each in _STATE_OF), *(each.replace(" ", "") for each in _COUNTRY_OF if len(each) > 3)}
)  # fmt: skip
LONGEST_SPELLING = max(map(len, SPELLINGS_WITHOUT_SPACES))
_BY_SPELLING = {each.replace(" ", ""): code for each, code in _STATE_OF.items()} | {code: code for code in _STATES}
# Two capital letters after a comma, a slash or nothing, or with a district's number: "Concord, NC", "(R-TX 10)", "#PA03".
_LETTERS = re.compile(r"(?:^|[,/(#]\s?|[RDI]-)([A-Z]{2})(?![A-Za-z])")
_LAST = re.compile(r"[a-z] ([A-Z]{2})$")  # "Concord NC"; elsewhere than in a location it is "Head of PR"
_LONGEST = 4  # words in the name of a country
_NO_TOWNS = frozenset((*_STATE_OF, *_COUNTRY_OF, *_PART_OF, *_STATES, *_COUNTRIES))
_FIRST_WORDS = frozenset(each.partition(" ")[0] for each in (*_STATE_OF, *_COUNTRY_OF, *_PART_OF))


@lru_cache(maxsize=16_384)
def region(text: str, country_: str = "") -> str:
    """A state or region in one spelling: "us-tx" for Texas and TX, else its words. Empty where there is none."""
    found = " ".join(names.words(text))
    if country(country_) in ("us", ""):
        code = found if found in _STATES and (country_ or text.isupper()) else _STATE_OF.get(found)
        if code:
            return f"us-{code}"
    return found


@lru_cache(maxsize=4_096)
def country(text: str) -> str:
    """A country's two letters, or its words where it is not in the list."""
    found = " ".join(names.words(text))
    return found if found in _COUNTRIES else _COUNTRY_OF.get(found, found)


def state_in_handle(rest: str) -> str | None:
    """The state whose letters or name ends what stands beside a name in a handle, as `region` spells it."""
    rest = rest.rstrip("0123456789")
    for known in (rest, rest.removeprefix("for"), rest.removeprefix("4")):
        if code := _BY_SPELLING.get(known):
            return f"us-{code}"
    return None


@lru_cache(maxsize=16_384)  # most people live where others do, and many say nothing
def read(text: str, *, location: bool) -> tuple[frozenset[str], frozenset[str]]:
    """The states and the countries that a text names. `location` says whether it is nothing but a place, so that two letters at its end
    count as a state."""
    words = names.words(text)
    # Most words begin no place's name.
    begun = [start for start, word in enumerate(words) if word in _FIRST_WORDS]
    phrases = {" ".join(words[start : start + size]) for start in begun for size in range(1, _LONGEST + 1)}
    states = {_STATE_OF[each] for each in phrases & _STATE_OF.keys()}
    if "va" in states and "wv" in states and words.count("virginia") == 1:
        states.discard("va")
    found = [*_LETTERS.findall(text), *(_LAST.findall(text.strip()) if location else ())]
    states |= {each.lower() for each in found} & STATE_LETTERS
    countries = {_COUNTRY_OF[each] for each in phrases & _COUNTRY_OF.keys()} | ({"us"} if states else set())
    countries |= {_PART_OF[each] for each in phrases & _PART_OF.keys()}
    return frozenset(f"us-{each}" for each in states), frozenset(countries)


@lru_cache(maxsize=16_384)
def names_a_town(location: str) -> bool:
    """Whether a location says more than states and countries: "Newark, NJ", and neither "NJ, USA" nor "Great Britain"."""
    words = names.words(location)
    left = " ".join(words)
    for size in range(_LONGEST, 0, -1):
        for start in range(len(words) - size + 1):
            phrase = " ".join(words[start : start + size])
            if phrase in _NO_TOWNS:
                left = f" {left} ".replace(f" {phrase} ", " ").strip()
    return bool(left)
