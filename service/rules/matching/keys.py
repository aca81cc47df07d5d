"""The normalised keys under which contacts are stored and sought, compared by equality alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import lru_cache

from integrations.records import Author, Contact
from service.rules import common_names, names, romanising
from service.rules.matching import addresses, handles, mailboxes, placeholders, places
from service.rules.matching.person import ContactName, contact_name
from service.rules.model import KnownAuthor

ANY_NETWORK = "*"


class Key(StrEnum):
    """Prefixes of keys and of counted tokens."""

    HANDLE = "h"  # network and handle
    EMAIL = "e"
    PHONE = "t"
    WEBSITE = "w"  # a page's address: a site, or a profile on a network
    DOMAIN = "d"  # a registered domain that is not everybody's
    NAME = "n"  # two words of a name, in alphabetical order
    INITIAL = "i"  # an initial and a family name; or that of the family name, and a common given name
    WORD = "s"  # a family name, or an organisation's name without spaces: what a handle begins or ends with
    # Only counted, never sought: too many contacts share them, or they are sought as words.
    SURNAME = "g"  # a family name, or a form of an organisation's name
    GIVEN = "f"
    COMPANY = "c"
    CITY = "y"
    REGION = "r"
    COUNTRY = "l"
    TITLE = "j"


K = Key
# The strongest first: whoever looks keys up may stop after the first kinds that found few contacts.
IDENTIFIERS = frozenset({K.HANDLE, K.EMAIL, K.PHONE, K.WEBSITE, K.DOMAIN})  # the others are names
_ORDER = (K.HANDLE, K.EMAIL, K.PHONE, K.WEBSITE, K.NAME, K.INITIAL, K.WORD, K.DOMAIN)
_RANK = {str(kind): number for number, kind in enumerate(_ORDER)}
_COUNTED_KEYS = frozenset(map(str, (K.EMAIL, K.PHONE, K.WEBSITE, K.DOMAIN, K.NAME)))
_MOST_FORMAL, _MOST_FAMILY, _MOST_FIRM_WORDS = 3, 3, 2  # spellings under which one contact is filed


# Prefixes as plain text: a member of an enumeration is looked up and formatted anew at each use, of which there are twenty in a contact.
_HANDLE = f"{K.HANDLE}:"
_EMAIL = f"{K.EMAIL}:"
_PHONE = f"{K.PHONE}:"
_WEBSITE = f"{K.WEBSITE}:"
_DOMAIN = f"{K.DOMAIN}:"
_NAME = f"{K.NAME}:"
_INITIAL = f"{K.INITIAL}:"
_WORD = f"{K.WORD}:"
_SURNAME = f"{K.SURNAME}:"
_GIVEN = f"{K.GIVEN}:"
_COMPANY = f"{K.COMPANY}:"
_CITY = f"{K.CITY}:"
_REGION = f"{K.REGION}:"
_COUNTRY = f"{K.COUNTRY}:"
_TITLE = f"{K.TITLE}:"
_MOST_KEYS = 48  # of one author; the weakest go


@lru_cache(maxsize=4096)
def author_keys(known: KnownAuthor) -> tuple[str, ...]:
    """The keys under which contacts are sought for an author, each once, the strongest and rarest kinds first: about ten where
    the profile shows a full name, up to thirty-odd where there is but a handle."""
    found = dict.fromkeys((*_author_keys(known.network, known.author), *_former_keys(known)))
    return tuple(sorted(found, key=lambda key: _RANK[key[0]])[:_MOST_KEYS])


def contact_keys(contact: Contact) -> frozenset[str]:
    """The keys under which a contact is found: about ten, seldom more than fifteen."""
    return frozenset((*_identifiers(contact), *_mailboxes(contact), *_filed_names(contact_name(contact))))


def identifiers(contact: Contact) -> frozenset[str]:
    """Those of a contact's keys that are no names: handles, addresses, numbers, sites."""
    return frozenset(_identifiers(contact))


def full_names(contact: Contact) -> frozenset[str]:
    """Those of a contact's keys that are a given and a family name."""
    return frozenset(key for key in _filed_names(contact_name(contact)) if key.startswith(_NAME))


def filed(contact: Contact) -> set[str]:
    """All that a store files a contact under: `contact_keys` and `counted`, read at once."""
    name = contact_name(contact)
    return {*_identifiers(contact), *_mailboxes(contact), *_filed_names(name), *_tokens(contact, name)}


def counted(contact: Contact) -> frozenset[str]:
    """The tokens of a contact whose frequency matters: those keys that several contacts can share, and the given and family name,
    company, city, region, country and title. A store keeps, per workspace, how many contacts have each."""
    keys = (key for key in contact_keys(contact) if key[0] in _COUNTED_KEYS)
    return frozenset({*keys, *_tokens(contact, contact_name(contact))})


# --- of an author ---------------------------------------------------------------------------------------------


def _author_keys(network: str, author: Author) -> Iterator[str]:
    handle = handles.plain(author.handle)
    if handle:
        yield f"{_HANDLE}{network}:{handle}"
        yield f"{_HANDLE}{ANY_NETWORK}:{handle}"
        if addresses.is_domain_handle(handle) and "@" not in handle:
            yield from _site_keys(handle)  # the network has checked that the site is theirs
        yield from _domain_key(handles.server(handle))
    if profile := addresses.own_address(author.url):
        yield f"{_WEBSITE}{profile}"
    for mail in addresses.mails(author.bio):
        yield f"{_EMAIL}{mail}"
        yield from _domain_key(mail.partition("@")[2])
    for number in addresses.phones(author.bio, _country(author)):
        yield f"{_PHONE}{number}"
    for url in (author.website, *addresses.links(author.bio)):
        yield from _site_keys(url)
    if not author.bot:
        yield from _sought_names(author)


def _former_keys(known: KnownAuthor) -> Iterator[str]:
    """A CRM goes on having the handle that it was given."""
    for handle in filter(None, map(handles.plain, known.former)):
        yield f"{_HANDLE}{known.network}:{handle}"
        yield f"{_HANDLE}{ANY_NETWORK}:{handle}"


def _country(author: Author) -> str:
    """How a phone number without a country code is read: as in the country that they name, or else in the United States."""
    _, countries = places.read(author.location, location=True) if author.location else (None, frozenset())
    return next(iter(sorted(countries)), "us").upper()


def _sought_names(author: Author) -> Iterator[str]:
    words, cores = names.name_words(author.name), handles.cores(author.handle)
    yield from _name_keys(words)
    for spelling in other_spellings(author.name):
        yield from _name_keys(spelling)
    if len(words) < 3 and (spoken := names.with_titles(author.name)) != words:
        yield from _name_keys(spoken)
    yield from _name_keys(handles.tokens(author.handle))
    for word in dict.fromkeys((names.compact(author.name), handles.letters(author.handle), *cores)):
        if len(word) > 2:
            yield f"{_WORD}{word}"
    for core in cores:
        for given, rest in handles.splits(core):
            yield from _pair(given, rest)
    if len(words) < 2 or len(words[-1]) == 1:
        yield from (f"{_WORD}{piece}" for piece in handles.pieces(author.handle))


def other_spellings(name: str) -> tuple[tuple[str, ...], ...]:
    """The words of a display name without its umlauts, and as they are read from another script; none of most names."""
    if name.isascii():
        return ()
    spelt_out = names.spelt_out(name)
    plain = (names.name_words(spelt_out),) if spelt_out != name else ()
    read = romanising.readings(names.without_aside(name))
    return (*plain, *(names.words(f"{given} {family}") for given, family in read))


def _name_keys(words: tuple[str, ...]) -> Iterator[str]:
    """Every pair of the first or last word with another, formal names included."""
    words = words[:6]
    if not words:
        return
    if len(words) == 1:
        yield from (f"{_WORD}{each}" for each in _sought_formal(words[0]) if len(each) > 1)
        return
    first, *middle, last = words
    for given, family in ((first, last), *((first, each) for each in middle), *((each, last) for each in middle)):
        yield from _pair(given, family)
    yield from _pair(last, first)
    for begun, family in ((first, last), *(((first, "".join(words[1:])),) if middle else ()), (last, first)):
        yield f"{_WORD}{family}"
        yield f"{_INITIAL}{begun[0]} {family}"
    if len(last) == 1:  # Mike B.
        for each in _sought_formal(first)[1:]:
            yield f"{_INITIAL}{last} {each}"
            yield f"{_WORD}{each}"


def _pair(given: str, family: str) -> Iterator[str]:
    if len(given) > 1 and len(family) > 1:
        for each in _sought_formal(given):
            yield _name_key(each, family)


def _sought_formal(given: str) -> tuple[str, ...]:
    """The name itself, then as many of the formal names that it may be short for as an author's keys hold."""
    return _formal(given)[: 2 * _MOST_FORMAL]


@lru_cache(maxsize=16_384)
def _formal(given: str) -> tuple[str, ...]:
    """The name itself, then the formal names that it may be short for."""
    return tuple(sorted(names.formal(given), key=lambda form: (form != given, form)))


def _name_key(one: str, other: str) -> str:
    return f"{_NAME}{min(one, other)} {max(one, other)}"


# --- of a contact ---------------------------------------------------------------------------------------------


def _identifiers(contact: Contact) -> Iterator[str]:
    for each in contact.handles:
        yield from _handle_keys(each.network or ANY_NETWORK, each.value)
    for mail in contact.emails:
        if "@" in mail:
            yield f"{_EMAIL}{mail.strip().casefold()}"
            yield from _domain_key(mail.rpartition("@")[2])
    for number in contact.phones:
        if found := addresses.phone(number):
            yield f"{_PHONE}{found}"
    if contact.website:
        if account := addresses.account_on(contact.website):
            yield f"{_HANDLE}{account[0]}:{account[1]}"
        yield from _site_keys(contact.website)


def _mailboxes(contact: Contact) -> Iterator[str]:
    """What stands before the @ of private addresses: many go by the same elsewhere."""
    yield from (f"{_WORD}{word}" for mail in contact.emails if (word := mailboxes.telling(mail)))


def _filed_names(name: ContactName) -> Iterator[str]:
    for each in name.spellings or (name,):
        yield from _filed_spelling(each)


def _filed_spelling(name: ContactName) -> Iterator[str]:
    usual, *others = name.givens[:2] or ("",)
    for family in name.families[:_MOST_FAMILY]:
        yield f"{_WORD}{family}"
        if usual:
            yield f"{_INITIAL}{usual[0]} {family}"
            yield from (_name_key(each, family) for each in _formal(usual)[:_MOST_FORMAL] if len(each) > 1)
    for family in name.families[:1]:
        yield from (_name_key(each, family) for each in others if len(each) > 1)
        if len(whole := usual + family) > 2:
            yield f"{_WORD}{whole}"
    if len(name.together) > 2:
        yield f"{_WORD}{name.together}"
    if len(usual) > 2 and not common_names.is_common(usual):
        yield f"{_WORD}{usual}"
    elif usual and name.families:  # of a common name only those are found who show an initial
        yield f"{_INITIAL}{name.families[0][0]} {usual}"
    for form in name.organisation:
        yield f"{_WORD}{form}"
    if name.organisation:
        # A firm is found by its longest words too: the others are often shortened.
        long = sorted((each for each in name.words if len(each) > 4), key=lambda each: (-len(each), each))
        yield from (f"{_WORD}{word}" for word in long[:_MOST_FIRM_WORDS])


def _handle_keys(network: str, value: str) -> Iterator[str]:
    value = value.strip()
    if placeholders.is_no_handle(value):
        return
    is_link = "://" in value or "/" in value
    if is_link and (profile := addresses.own_address(value)):
        yield f"{_WEBSITE}{profile}"
    # A profile's address ends in the handle; which network it is of must be known from elsewhere.
    handle = handles.plain(handles.of_page(value) if is_link else value)
    if handle and not (is_link and network == ANY_NETWORK):
        yield f"{_HANDLE}{network}:{handle}"


def _site_keys(url: str) -> Iterator[str]:
    if not url:
        return
    if found := addresses.own_address(url):
        yield f"{_WEBSITE}{found}"
    yield from _domain_key(url)


def _domain_key(url: str) -> Iterator[str]:
    if found := addresses.domain(url):
        yield f"{_DOMAIN}{found}"


# --- what is only counted -------------------------------------------------------------------------------------


def _tokens(contact: Contact, name: ContactName) -> Iterator[str]:
    for given in name.givens[:2]:
        yield f"{_GIVEN}{given}"
    for surname in (*name.families[:_MOST_FAMILY], *name.organisation):
        yield f"{_SURNAME}{surname}"
    for prefix, value in (
        (_COMPANY, company_token(contact.company)), (_CITY, phrase(contact.city)), (_TITLE, phrase(contact.title)),
        (_REGION, places.region(contact.region, contact.country)), (_COUNTRY, places.country(contact.country)),
    ):  # fmt: skip
        if value:
            yield prefix + value


def company_token(company: str) -> str:
    """A company's name as it is counted."""
    return _company_token(company) if company else ""


@lru_cache(maxsize=16_384)  # colleagues have the same
def _company_token(company: str) -> str:
    words = names.company_words(company)
    return "" if placeholders.is_no_firm(words) else " ".join(words)


def phrase(text: str) -> str:
    return " ".join(names.words(text))


def of_kind(keys: Iterable[str], kind: Key) -> list[str]:
    """The values of the keys of one kind."""
    prefix = f"{kind}:"
    return sorted(key[len(prefix) :] for key in keys if key.startswith(prefix))
