"""What stands in handles beside a name: offices, places, numbers, small words. It neither helps nor hurts a name."""

from __future__ import annotations

from functools import lru_cache

from service.rules import names
from service.rules.matching import places

_BESIDE_PEOPLE = frozenset(
    """
    for 4 of and the real state leg legislature official officially its iam im hey hi ask this is mr mrs ms dr team office press news vote elect reelect campaign house senate
    congress district ward dist ld hd sd cd us usa uk eu assembly citizen coach author writer photo music writes tweets says jr sr
    phd md mba cpa esq hq online web site page tv live media blog
    """.split()  # noqa: SIM905
)
# Beside a name, these say that it is somebody else.
DISOWNING = frozenset(
    [
        "anti",
        "bot",
        "boycott",
        "fake",
        "fan",
        "fanclub",
        "fanpage",
        "fans",
        "fire",
        "not",
        "notthe",
        "parody",
        "quotes",
        "stop",
        "unofficial",
    ]
)
BESIDE_FIRMS = frozenset(
    """
    hq inc ltd llc corp co company group official the get try use go run join hey with my we team labs lab dev devs io ai app apps net org com cloud tech
    data db project proj projects community foundation oss opensource open source software code core docs ui news news global us usa uk eu de
    """.split()  # noqa: SIM905
)
_LONGEST = 16
_PLACES = places.SPELLINGS_WITHOUT_SPACES - places.STATE_LETTERS
PEOPLE = _BESIDE_PEOPLE | (names.TITLES - {"a", "m"}) | _PLACES
FIRMS = BESIDE_FIRMS | _PLACES
# Only whole offices and small words are cut off a handle before names are sought in it: a place may be part of the name.
_CUT_BEFORE = tuple(sorted(
    (each for each in names.TITLES | {"the", "real", "vote", "elect", "team", "iam", "official", "ask", "get", "join", "use", "try"}
     if len(each) > 2 or each in {"dr", "mr", "ms"}), key=len, reverse=True))  # fmt: skip
_CUT_AFTER = tuple(sorted(
    {"official", "hq", "team", "press", "office", "online", "news", "labs", "project", "proj", "dev", "mp", "md", "phd", "mba", "tv", "io",
     "inc", "corp", "app", "community", "foundation", "forcongress", "forsenate", "forhouse", "org"}, key=len, reverse=True))  # fmt: skip


@lru_cache(maxsize=65_536)
def stripped(core: str) -> str:
    """A handle's letters without the office before it, and without the numbers and small words after it. Empty where nothing
    else is left."""
    if core in _CUT_BEFORE:
        return ""
    core = core.strip("0123456789")
    before = after = ""
    if core.startswith(_CUT_BEFORE):  # most do not: one look for all of them
        before = next((each for each in _CUT_BEFORE if core.startswith(each) and len(core) - len(each) > 2), "")
    core = core[len(before) :]
    if core.endswith(_CUT_AFTER):
        after = next((each for each in _CUT_AFTER if core.endswith(each) and len(core) - len(each) > 2), "")
    return core[: len(core) - len(after)].rstrip("0123456789")


def stands_beside(word: str) -> bool:
    """Whether a whole word of a display name is one that stands beside names of people: Usama is none, though it is made of two."""
    return word.isdigit() or word in PEOPLE or word in places.STATE_LETTERS


@lru_cache(maxsize=65_536)
def unexplained(rest: str, firm: bool = False) -> int:
    """How many letters of what stands beside a name in a handle are no filler. Digits are always explained; two letters are a
    state at the end only."""
    known = FIRMS if firm else PEOPLE
    letters = rest.rstrip("0123456789")
    if letters[-2:] in places.STATE_LETTERS:
        return min(_unexplained(letters, known), _unexplained(letters[:-2], known))
    return _unexplained(letters, known)


def _unexplained(rest: str, known: frozenset[str]) -> int:
    least = [0]
    for end in range(1, len(rest) + 1):
        best = least[end - 1] + (not rest[end - 1].isdigit())
        for start in range(max(0, end - _LONGEST), end - 1):
            if least[start] < best and rest[start:end] in known:
                best = least[start]
        least.append(best)
    return least[-1]
