"""A contact's name in the forms in which profiles show it."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from integrations.records import Contact
from service.rules import names, romanising
from service.rules.matching import addresses, placeholders

_MOST_WORDS = 6  # of one name; more is no name but a sentence


class ContactName(Struct, frozen=True):
    """`givens` are the names that somebody goes by, the usual one first; `families` the spellings of the family name, the
    fullest first; `shortened` those givens whose short forms are sought as well; `organisation` the forms of a firm's name, where it is
    one; `told_apart` what the CRM says in brackets after a firm's name, which another one bears too ("iberia"); `generation` what
    tells a father from a son of his name ("jr")."""

    words: tuple[str, ...] = ()
    givens: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    shortened: tuple[str, ...] = ()
    organisation: tuple[str, ...] = ()
    compact: str = ""  # the words without the spaces between them
    told_apart: str = ""
    generation: str = ""
    together: str = ""  # the family name before the given one and no gap between them, as names are written in Chinese, Japanese and Korean
    # As it stands, without its umlauts (mueller), and read from another script, where it has any: the forms above are of all then.
    spellings: tuple[ContactName, ...] = ()
    native: str = ""  # its letters, in a script of which several names are one in Latin letters

    # Of most contacts nobody asks for these two, so that they are not made with the name.

    @property
    def shorts(self) -> tuple[str, ...]:
        """Every other form of the givens."""
        return _shorts(self.shortened)

    @property
    def initials(self) -> frozenset[str]:
        """What the words of a family name of several begin with, in short: of Ruiz de la Vega "rv", and with its particles "rdlv"."""
        family = [each for each in self.words if each not in self.givens]
        return frozenset(
            "".join(each[0] for each in some)
            for some in (family, [each for each in family if each not in names.PARTICLES])
        )

    @property
    def within(self) -> tuple[str, ...]:
        """What of the givens stands in any handle that one of their forms stands in: where a given name does, its first letters do."""
        return _within(self.givens, self.shortened)


@lru_cache(maxsize=8_192)
def _shorts(givens: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([short for each in givens for short in names.short_forms(each)]))


@lru_cache(maxsize=8_192)
def _within(givens: tuple[str, ...], shortened: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*[given[: names.SHORTEST_CUT] for given in givens], *_shorts(shortened)]))


def contact_name(contact: Contact) -> ContactName:
    """The forms of a contact's name. A contact that has a company but no name of a person is that company; some of those
    are people all the same, so that their names are read both ways."""
    first, last = contact.first_name, contact.last_name
    if first and last and contact.name == f"{first} {last}" and (first + last).isalpha() and contact.name.isascii():
        return _plain_person(first.lower(), last.lower()) or _person(contact.name, first, last)
    if names.name_words(first) or names.name_words(last) or _is_person(contact):
        return _person(contact.name, first, last)
    return organisation(_firms_name(contact), contact.website)


def _is_person(contact: Contact) -> bool:
    return bool(contact.name) and not _is_named_as_firm(names.words(contact.name), contact)


def _is_named_as_firm(words: tuple[str, ...], contact: Contact) -> bool:
    """Whether a contact's name is its company's, or holds that: a branch, or a firm's club. Ana Goiko Lasa may have the firm Ana Goiko."""
    if words == names.words(contact.company):
        return True
    firm = names.company_words(contact.company)
    return len(firm) > 1 and not names.is_given(firm[0]) and names.holds(words, firm)


def _firms_name(contact: Contact) -> str:
    """An organisation's name. What follows the company's name in it tells it from the company, as if it stood in brackets."""
    words, firm = names.words(contact.name), names.company_words(contact.company)
    if len(firm) < 2 or words[: len(firm)] != firm or words == firm or "(" in contact.name:
        return contact.name or contact.company
    return f"{' '.join(firm)} ({' '.join(words[len(firm) :])})"


def _plain_person(given: str, family: str) -> ContactName | None:
    """What `_person` says of one given and one family name in Latin letters, without reading them: most contacts are called so. None where
    one of the two could be a title, or stands where no name is known."""
    if given in names.TITLES or family in names.TITLES or given in placeholders.BEGINS:
        return None
    families = names.family_forms((family,))
    return ContactName((given, family), (given,), families, (given,), (), given + family)


@lru_cache(maxsize=16_384)
def _person(name: str, first: str, last: str) -> ContactName:
    if placeholders.is_no_name(names.words(name or f"{first} {last}")):
        return ContactName()
    read = _as_spelt(name, first, last)
    spelt_out = tuple(map(names.spelt_out, (name, first, last)))
    others = [_as_spelt(*spelt_out)] if spelt_out != (name, first, last) else []
    others += [_romanised(*each) for each in romanising.readings(name, first, last)]
    native = romanising.in_another_script(name or last + first)
    if not others:
        return replace(read, native=native) if native else read
    spellings = (read, *others)
    return replace(
        read,
        givens=tuple(dict.fromkeys(each for spelling in spellings for each in spelling.givens)),
        families=tuple(dict.fromkeys(each for spelling in spellings for each in spelling.families)),
        spellings=spellings,
        native=native,
    )


def _romanised(given: str, family: str) -> ContactName:
    """A name that was read from another script: no word of it is a title."""
    givens, families = names.words(given), names.words(family)
    words = (*givens, *families)
    return ContactName(words, givens, names.family_forms(families) if families else (), givens[:2], (), "".join(words))


def _as_spelt(name: str, first: str, last: str) -> ContactName:
    full = names.name_words(name)[:_MOST_WORDS]
    family = names.name_words(last)[:_MOST_WORDS] or (full[-1:] if len(full) > 1 else ())
    given = names.name_words(first)[:_MOST_WORDS] or full[: max(len(full) - len(family), 0)] or full[:1]
    givens = tuple(dict.fromkeys([*given, *[each for each in full if each not in family]]))
    words = full if len(full) > 1 else (*given, *family)
    families = names.family_forms(family) if family else ()
    generation = names.generation(name) or names.generation(f"{first} {last}")
    together = "" if last.isascii() else names.compact(last + first)
    return ContactName(words, givens, families, givens[:2], (), "".join(words), "", generation, together)


@lru_cache(maxsize=16_384)
def organisation(name: str, website: str) -> ContactName:
    """The forms of a firm's name."""
    words = names.company_words(name)[:_MOST_WORDS]
    if not words or placeholders.is_no_name(names.words(name)):
        return ContactName()
    whole = "".join(words)
    initials = "".join(each[0] for each in words) if len(words) > 2 else ""
    # A page within a site belongs to a part of whoever owns the site.
    own_site = (addresses.address(website) or "").count("/") == 0
    site = addresses.domain_words(domain) if own_site and (domain := addresses.domain(website)) else ()
    forms = [whole, *names.bracketed(name), *site, initials]
    told_apart = names.told_apart(name)
    # A name of two words is also read as a person's is; not one that is only a part of what the CRM says.
    two = words if len(words) == 2 and not told_apart else ()
    organisation = tuple(dict.fromkeys(each for each in forms if len(each) > 2))
    return ContactName(words, two[:1], two[1:], (), organisation, whole, told_apart)
