"""A crowd of invented people: contacts of a CRM as teams keep them, and authors of whom a third are among them.

Names are made of syllables and as unevenly common as names are: a few of them make up most of a crowd (Zipf and Mandelbrot; of
family names the commonest is had by one in a hundred or so, as in large countries). Always the same crowd for the same seed.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from msgspec.structs import replace

from integrations.records import Author, Contact, Handle
from service.rules.model import KnownAuthor

NETWORK = "x"
_STARTS = (
    "b",
    "br",
    "c",
    "ch",
    "d",
    "dr",
    "f",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "pr",
    "r",
    "s",
    "sh",
    "st",
    "t",
    "tr",
    "v",
    "w",
    "z",
)
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "io")
_ENDS = ("", "", "n", "r", "s", "l", "th", "nd", "ck", "m")
_TITLES = (
    "Sales Manager", "Head of Marketing", "Software Engineer", "Office Manager", "Founder", "Buyer", "Designer", "Teacher", "Operations Lead",
    "Account Executive", "Product Manager", "Accountant", "Consultant", "Director", "Support Lead",
)  # fmt: skip
_SOURCES = (("CRM UI", 50), ("Form", 30), ("Import", 15), ("Integration", 5))
_COUNTRIES = (("Germany", 30), ("France", 25), ("Netherlands", 20), ("United Kingdom", 15), ("Spain", 10))
_FREE_MAIL = "gmail.com"


@dataclass(frozen=True)
class Profile:
    """An author, and the numbers of the contacts that this person is (none for a stranger)."""

    known: KnownAuthor
    contacts: tuple[int, ...]


class Crowd:
    """`contacts` are in the CRM. Two in a hundred were entered twice, spelt a little otherwise."""

    def __init__(self, contacts: int, seed: int = 1) -> None:
        self._random = Random(seed)
        words = _Words(self._random)
        self._given = _Uneven(words.take(3000, 2, 4), 1.1, 6, self._random)
        self._family = _Uneven(words.take(max(2000, min(contacts // 8, 80_000)), 4, 10), 0.95, 12, self._random)
        self._firms = _Uneven(words.take(max(200, contacts // 20), 4, 9), 0.8, 5, self._random)
        self._cities = _Uneven(words.take(400, 4, 8), 1.0, 3, self._random)
        self.contacts: list[Contact] = []
        self._twins: dict[int, int] = {}
        self._taken: set[str] = set()  # nobody has another's handle
        while len(self.contacts) < contacts:
            number = len(self.contacts)
            self.contacts.append(self._contact(number))
            if self._random.random() < 0.02 and number + 1 < contacts:
                self._twins[number] = number + 1
                self.contacts.append(self._again(self.contacts[number], number + 1))

    def profiles(self, number: int, *, known: float = 0.35, first: int = 0) -> list[Profile]:
        """So many authors, a share of them contacts, under ids from `first` on."""
        return [self._profile(first + each, known) for each in range(number)]

    # --- of the CRM -----------------------------------------------------------------------------------------------

    def _contact(self, number: int) -> Contact:
        random = self._random
        given, family, firm = self._given.one(), self._family.one(), self._firms.one()
        at_work = random.random() < 0.7
        local = random.choice((f"{given}.{family}", f"{given[0]}{family}", f"{given}"))
        return Contact(
            id=str(number),
            name=f"{given} {family}".title(),
            first_name=given.title(),
            last_name=family.title(),
            emails=(f"{local}@{firm}.com" if at_work else f"{local}{number}@{_FREE_MAIL}",) if random.random() < 0.9 else (),
            phones=(f"+49{random.randrange(10**9, 10**10)}",) if random.random() < 0.4 else (),
            company=f"{firm} {random.choice(('GmbH', 'Ltd', 'Group', 'BV'))}".title() if at_work else "",
            title=random.choice(_TITLES) if random.random() < 0.6 else "",
            website=f"https://www.{firm}.com" if at_work and random.random() < 0.3 else "",
            city=self._cities.one().title() if random.random() < 0.7 else "",
            country=_weighted(_COUNTRIES, random) if random.random() < 0.8 else "",
            owner_id="71",
            handles=(Handle(NETWORK, self._handle(given, family)),) if random.random() < 0.05 else (),
            source=_weighted(_SOURCES, random),
        )  # fmt: skip

    def _again(self, one: Contact, number: int) -> Contact:
        """The same person once more, as somebody else has typed them in."""
        changed = self._random.randrange(3)
        return replace(
            one,
            id=str(number),
            first_name=one.first_name[:1] if changed == 0 else one.first_name,
            name=f"{one.first_name[:1]} {one.last_name}" if changed == 0 else one.name,
            emails=() if changed == 1 else one.emails,
            company="" if changed == 2 else one.company,
            phones=(),
            handles=(),
            title="",
        )

    # --- of the network -------------------------------------------------------------------------------------------

    def _profile(self, number: int, known: float) -> Profile:
        random = self._random
        if random.random() >= known:
            given, family, firm, city = self._given.one(), self._family.one(), self._firms.one(), self._cities.one()
            stranger = Contact(
                "", first_name=given, last_name=family, company=firm, city=city, title=random.choice(_TITLES)
            )
            return Profile(self._shown(stranger, number), ())
        at = random.randrange(len(self.contacts))
        twin = self._twins.get(at, at)
        first = next((one for one, other in ((at - 1, at), (at, twin)) if self._twins.get(one) == other), at)
        both = (first, self._twins[first]) if first in self._twins else (at,)
        return Profile(self._shown(self.contacts[first], number), both)

    def _handle(self, given: str, family: str) -> str:
        forms = (
            f"{given}{family}",
            f"{given}_{family}",
            f"{given[0]}{family}",
            f"{family}{given[0]}",
            f"{given}{family[0]}",
        )
        handle = wanted = self._random.choice(forms)
        while handle in self._taken:
            handle = f"{wanted}{self._random.randrange(10_000)}"
        self._taken.add(handle)
        return handle

    def _shown(self, who: Contact, number: int) -> KnownAuthor:
        """How somebody shows themselves: by full name mostly, and with some of what the CRM may know."""
        random = self._random
        given, family = who.first_name.lower(), who.last_name.lower()
        handle = who.handles[0].value if who.handles else self._handle(given, family)
        name = random.choices(
            (f"{given} {family}", f"{given[0]}. {family}", given, handle), weights=(75, 8, 9, 8)
        )[0]  # fmt: skip
        firm = who.company.split()[0].lower() if who.company else ""
        bio = [
            f"{who.title} at {firm.title()}" if firm and who.title and random.random() < 0.5 else "",
            f"{firm.title()}" if firm and not who.title and random.random() < 0.3 else "",
            random.choice(("Views are mine", "Runner, reader", "Coffee first", "")),
            who.emails[0] if who.emails and random.random() < 0.05 else "",
        ]
        author = Author(
            id=str(number),
            handle=handle,
            name=name.title(),
            bio=". ".join(each for each in bio if each),
            url=f"https://x.com/{handle}",
            website=f"https://{firm}.com" if firm and random.random() < 0.15 else "",
            location=who.city if random.random() < 0.6 else "",
        )
        return KnownAuthor(NETWORK, author)


class _Words:
    """Invented words, each once."""

    def __init__(self, random: Random) -> None:
        self._random, self._made = random, set[str]()

    def take(self, number: int, shortest: int, longest: int) -> list[str]:
        found = []
        while len(found) < number:
            syllables = self._random.choice((2, 2, 3, 3, 4) if longest > 5 else (1, 2, 2))
            word = "".join(self._random.choice(_STARTS) + self._random.choice(_VOWELS) for _ in range(syllables))
            word += self._random.choice(_ENDS)
            if len(word) >= shortest and word not in self._made:
                self._made.add(word)
                found.append(word)
        return found


class _Uneven:
    """Words of which the first are much commoner: the chance of the n-th is one over (n + shift) to the power of `steep`."""

    def __init__(self, words: Sequence[str], steep: float, shift: float, random: Random) -> None:
        self._words, self._random = words, random
        self._sums = list(itertools.accumulate(1 / (number + shift) ** steep for number in range(1, len(words) + 1)))

    def one(self) -> str:
        return self._random.choices(self._words, cum_weights=self._sums)[0]


def _weighted(options: Sequence[tuple[str, int]], random: Random) -> str:
    return random.choices([each for each, _ in options], weights=[weight for _, weight in options])[0]
