"""How common a token is among those who are not the person sought: what a coincidence is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from integrations.records import Contact
from service.rules import common_names
from service.rules.matching.keys import Key, counted

# Of those who speak to a team with a large CRM, so many are in it, before any author was matched (and what that counts for, in
# authors). A CRM of few contacts knows few of them: half of that at so many contacts.
_SHARE, _SHARE_WEIGHT, _HALF_KNOWN = 0.35, 50, 1000
_MOST_SHARE = 0.9
_UNSHOWN = 0.15  # of those who are in the CRM, the share that shows nothing by which matching could tell


@dataclass(frozen=True, slots=True)
class Commonness:
    """What a workspace says about rarity and coincidence.

    `contacts` is how many contacts there are; `counts` how many of them have each token of `counted(contact)`. A token that
    is not in `counts` is taken to be the candidate's alone. `share` is how many of those who speak to the team are in its CRM
    at all, as `share_known` learns it; None while nothing was learnt."""

    contacts: int
    counts: Mapping[str, int] = field(default_factory=dict)
    share: float | None = None

    @property
    def known(self) -> float:
        """The share of authors who are in the CRM."""
        return _share(self.contacts) if self.share is None else self.share

    @property
    def reach(self) -> float:
        """How many people the prior is spread over: one over the probability that an author is a given contact."""
        return max(self.contacts, 1) / self.known

    def others(self, token: str) -> int:
        """How many contacts besides the one that it was read from have this token."""
        return max(self.counts.get(token, 1) - 1, 0)


def _share(contacts: int) -> float:
    return _SHARE * max(contacts, 1) / (max(contacts, 1) + _HALF_KNOWN)


def share_known(known: float, authors: int, contacts: int) -> float:
    """`Commonness.share` as learnt from a workspace's own authors, without anybody's labels: `known` is the sum of the scores that
    matching gave them (the matches expected), of so many authors, in a CRM of so many contacts. One step of expectation
    maximisation; the next run takes the next."""
    return min((known / (1 - _UNSHOWN) + _share(contacts) * _SHARE_WEIGHT) / (authors + _SHARE_WEIGHT), _MOST_SHARE)


def commonness(contacts: Iterable[Contact]) -> Commonness:
    """The commonness that a whole list of contacts says. A product with stored counts builds `Commonness` from those."""
    counts: Counter[str] = Counter()
    total = 0
    for total, contact in enumerate(contacts, 1):  # noqa: B007 - read below
        counts.update(counted(contact))
    return Commonness(total, counts)


class _Prior(Struct, frozen=True):
    """What is known of names of one kind before a workspace's own contacts are asked: the share expected of one that nothing is known of, and
    how many contacts it takes to outweigh that; the least share of a name that is common somewhere; the share of the very commonest."""

    prefix: str
    expected: float
    weight: float
    common: float
    commonest: float
    is_commonest: Callable[[str], bool]


# How likely two people are to share a name at all: about one pair in a thousand for family names, one in 160 for given names, in the larger
# English-speaking countries. With these weights a name seen once counts for 0.4 of an occurrence, as Good and Turing's estimate has it
# (Good, 1953). A name that is common somewhere is never taken to be rarer than that: authors come from everywhere. The commonest (Smith, Silva,
# Yilmaz; Maria, Mehmet, Michael) have half a percent and more in their countries, and it takes many contacts to say that few speak here.
_FAMILY = _Prior(f"{Key.SURNAME}:", 0.001, 400, 0.001, 0.005, common_names.is_commonest_family)
_GIVEN = _Prior(f"{Key.GIVEN}:", 0.006, 60, 0.005, 0.012, common_names.is_commonest_given)
_COMMONEST_WEIGHT = 2_000


def family(seen: Commonness, name: str) -> float:
    """The probability that somebody else has this family name."""
    return _named(seen, name, _FAMILY)


def given(seen: Commonness, name: str) -> float:
    """The probability that somebody else has this given name."""
    return _named(seen, name, _GIVEN)


def _named(seen: Commonness, name: str, prior: _Prior) -> float:
    others = seen.others(prior.prefix + name)
    share = (others + prior.weight * prior.expected) / (seen.contacts + prior.weight)
    if prior.is_commonest(name):
        share = max(share, (others + _COMMONEST_WEIGHT * prior.commonest) / (seen.contacts + _COMMONEST_WEIGHT))
    return max(share, prior.common) if common_names.is_common(name) else share


def pair(seen: Commonness, given: str, family: str) -> float:
    """The share of contacts who have this very pair of names, beside the one that it was read from. Among few contacts a second
    one is rather the same person entered twice than a sign that the name is common."""
    one, other = sorted((given, family))
    return seen.others(f"{Key.NAME}:{one} {other}") / (seen.contacts + _FAMILY.weight)


# The same for places and titles: the share expected of one that nothing is known of, and what that counts for, in contacts.
_EXPECTED = {Key.CITY: 0.02, Key.REGION: 0.05, Key.COUNTRY: 0.3, Key.TITLE: 0.05}
_EXPECTED_WEIGHT = 50


def share_of(seen: Commonness, kind: Key, value: str) -> float:
    """The share of people who have a city, region, country or title."""
    expected = _EXPECTED_WEIGHT * _EXPECTED[kind]
    return (seen.others(f"{kind}:{value}") + expected) / (seen.contacts + _EXPECTED_WEIGHT)


def strangers(seen: Commonness, token: str, unseen: float) -> float:
    """The probability that somebody else has a token that few share, such as a website or a company. `unseen` is how many have it
    besides the contacts that do: colleagues, a predecessor, a mistake."""
    return min((seen.others(token) + unseen) / seen.reach, 1.0)


# A letter says 3.3 bits where only the two before it are known (Shannon, 1951): coined names keep to spelling, not to a dictionary.
_BITS_A_LETTER = 3.3


def by_chance(word: str, places: int = 1) -> float:
    """The probability that a word of this length stands by mere chance at one of so many places in a handle."""
    return float(min(places * 2.0 ** (-_BITS_A_LETTER * len(word)), 1.0))
