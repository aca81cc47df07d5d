"""A contact's name in the forms in which profiles show it."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from integrations.records import Contact
from service.rules import names
from service.rules.matching import addresses

_MOST_WORDS = 6  # of one name; more is no name but a sentence


class ContactName(Struct, frozen=True):
    """`givens` are the names that somebody goes by, the usual one first; `families` the spellings of the family name, the
    fullest first; `shorts` every other form of the givens; `organisation` the forms of a firm's name, where it is one;
    `within` whatever of the givens could stand in a handle, cut short as well; `told_apart` what the CRM says in brackets after a firm's
    name, which another one bears too ("iberia")."""

    words: tuple[str, ...] = ()
    givens: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    shorts: tuple[str, ...] = ()
    organisation: tuple[str, ...] = ()
    compact: str = ""  # the words without the spaces between them
    within: tuple[str, ...] = ()
    told_apart: str = ""


def _named(
    words: tuple[str, ...], givens: tuple[str, ...], families: tuple[str, ...], shorts: tuple[str, ...],
    organisation: tuple[str, ...] = (), told_apart: str = "",
) -> ContactName:  # fmt: skip
    cuts = [given[: names.SHORTEST_CUT] for given in givens]
    within = tuple(dict.fromkeys([*cuts, *givens, *shorts]))
    return ContactName(words, givens, families, shorts, organisation, "".join(words), within, told_apart)


def contact_name(contact: Contact) -> ContactName:
    """The forms of a contact's name. A contact that has a company but no name of a person is that company; some of those
    are people all the same, so that their names are read both ways."""
    if names.name_words(contact.first_name) or names.name_words(contact.last_name) or _is_person(contact):
        return _person(contact.name, contact.first_name, contact.last_name)
    return _organisation(contact.name or contact.company, contact.website)


def _is_person(contact: Contact) -> bool:
    return bool(contact.name) and names.words(contact.name) != names.words(contact.company)


@lru_cache(maxsize=16_384)
def _person(name: str, first: str, last: str) -> ContactName:
    full = names.name_words(name)[:_MOST_WORDS]
    family = names.name_words(last)[:_MOST_WORDS] or (full[-1:] if len(full) > 1 else ())
    given = names.name_words(first)[:_MOST_WORDS] or full[: max(len(full) - len(family), 0)] or full[:1]
    usual = [*given, *(each for each in full if each not in family)]
    givens = tuple(dict.fromkeys(each for each in (given[0] if given else "", *usual) if each))
    words = full if len(full) > 1 else (*given, *family)
    shorts = tuple(dict.fromkeys(short for each in givens[:2] for short in names.short_forms(each)))
    return _named(tuple(words), givens, names.family_forms(family) if family else (), shorts)


@lru_cache(maxsize=16_384)
def _organisation(name: str, website: str) -> ContactName:
    words = names.company_words(name)[:_MOST_WORDS]
    if not words:
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
    return _named(words, two[:1], two[1:], (), organisation, told_apart)
