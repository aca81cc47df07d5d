"""What a handle is made of: words, offices, places, numbers, and the name in between."""

from __future__ import annotations

import re
from functools import lru_cache

from service.rules import names
from service.rules.matching import addresses, places
from service.rules.matching.fillers import stripped

_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_MOST_PIECES = 20  # of one handle
_SHORTEST_PIECE = 4  # letters
_LONGEST_GIVEN = 12


def plain(value: str) -> str:
    """A handle in lower case, without the @ and without what a copied address trails behind it."""
    return value.strip().lstrip("@").partition("?")[0].partition("#")[0].rstrip("/").casefold()


def last_part(url: str) -> str:
    """What a profile's address ends in, which is its handle on most networks; a handle stays as it is."""
    return url.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]


def of_page(url: str) -> str:
    """The handle that an address of a profile names, also where it goes on to one of its pages (x.com/ana/media). Empty for a page that is no
    profile's."""
    if addresses.is_everybodys(url):
        account = addresses.account_on(url)
        return account[1] if account else ""
    return last_part(url)


@lru_cache(maxsize=65_536)
def letters(handle: str) -> str:
    """A handle's letters and digits, without its server, its domain's suffix and an id at its end."""
    local = plain(handle).partition("@")[0]
    if addresses.is_domain_handle(local):
        local = local.partition(".")[0]
    return names.compact("".join(_without_id(local.split("-"))))


@lru_cache(maxsize=65_536)
def tokens(handle: str) -> tuple[str, ...]:
    """The words that a handle shows by capitals, hyphens, dots and digits, without titles, numbers and ids:
    "RepJSmith" -> "j", "smith"; "jon-conrad-833b4733" -> "jon", "conrad"."""
    local = handle.strip().lstrip("@").partition("?")[0].partition("@")[0]
    parts = _without_id(re.split(r"[^A-Za-z0-9]+", local))
    found = [each.lower() for part in parts for each in _CAMEL.findall(part)]
    return tuple(each for each in found if not each.isdigit() and stripped(each))


def cores(handle: str) -> tuple[str, ...]:
    """What may be the name in a handle, the barest last: without the office before it and the small words after it, and without
    a place or a campaign at its end ("repjohnsmithfortx" -> "johnsmithfortx", "johnsmith")."""
    core = stripped(letters(handle))
    return tuple(dict.fromkeys(each for each in (core, _without_place(core)) if len(each) > 2))


def splits(core: str) -> list[tuple[str, str]]:
    """The ways in which a handle without gaps is a given name and something else: "mikejohnson" -> ("mike", "johnson")."""
    ends = range(2, min(len(core) - 1, _LONGEST_GIVEN + 1))
    before = [(core[:end], core[end:]) for end in ends if names.is_given(core[:end])]
    after = [(core[-end:], core[:-end]) for end in ends if end > 2 and names.is_given(core[-end:])]
    return [*before[::-1], *after[::-1]][:4]


def pieces(handle: str) -> tuple[str, ...]:
    """What a handle begins and ends with: a family name or a firm may be in it. The words that it shows come first, the longest
    pieces next."""
    inside = [each for each in tokens(handle) if len(each) > 2]
    found = list(cores(handle))
    for core in reversed(cores(handle)):
        cut = range(1, len(core) - _SHORTEST_PIECE + 1)
        found += [each for end in cut for each in (core[end:], core[: len(core) - end])]
    return tuple(dict.fromkeys([*inside, *found]))[:_MOST_PIECES]


def server(handle: str) -> str:
    """The host that a handle names after its @, where it does."""
    return plain(handle).partition("@")[2]


def _without_place(core: str) -> str:
    for size in range(min(len(core) - 3, places.LONGEST_SPELLING), 1, -1):
        if core[-size:] in places.SPELLINGS_WITHOUT_SPACES:
            core = core[:-size]
            break
    for each in ("for", "4", "in"):
        if core.endswith(each) and len(core) > len(each) + 2:
            return core[: -len(each)]
    return core


def _without_id(parts: list[str]) -> list[str]:
    """The parts of a handle without the id that some networks put at its end."""
    last = parts[-1]
    digits = sum(char.isdigit() for char in last)
    return parts[:-1] if len(parts) > 1 and len(last) > 4 and 2 * digits >= len(last) else parts
