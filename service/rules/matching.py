"""Who is it: a network's author against the contacts of a CRM.

Author and contact each have keys; what they share is the evidence. A match is confirmed by itself only where being wrong
is very unlikely and no second contact is as likely; everything else is suggested to a person, with its evidence, or
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from integrations.records import Author, Contact
from service.rules import names
from service.rules.model import Candidate, KnownAuthor, MatchResult, MatchState
from service.rules.words import at_sign, plain

MOST = 5  # suggestions for one author
CONFIRM = 0.95
SUGGEST = 0.2
ANY_NETWORK = "*"


class Evidence(StrEnum):
    """Kinds of evidence. The value is the prefix of the keys that show it, where keys do."""

    HANDLE = "h"
    PROFILE = "u"
    EMAIL = "e"
    WEBSITE = "w"
    DOMAIN = "d"
    NAME = "n"
    LOOSE_HANDLE = "loose handle"  # on file without a network
    CITY = "city"
    COMPANY = "company"
    OTHER_NAME = "other name"  # both have a full name, and no word of it is the same


E = Evidence
# How likely it is the same person, given all of this. The first row whose evidence is there counts. These are careful
# estimates, not measurements: what a person typed into the CRM is nearly always right, a name alone is a coin's toss.
TABLE: tuple[tuple[frozenset[Evidence], float], ...] = (
    (frozenset({E.PROFILE}), 0.99),
    (frozenset({E.HANDLE}), 0.99),
    (frozenset({E.EMAIL, E.OTHER_NAME}), 0.80),  # an office's mailbox, say
    (frozenset({E.EMAIL}), 0.98),
    (frozenset({E.LOOSE_HANDLE, E.NAME}), 0.98),
    (frozenset({E.WEBSITE, E.NAME}), 0.98),
    (frozenset({E.DOMAIN, E.NAME}), 0.97),
    (frozenset({E.WEBSITE, E.OTHER_NAME}), 0.40),  # a colleague
    (frozenset({E.WEBSITE}), 0.96),
    (frozenset({E.NAME, E.COMPANY}), 0.96),
    (frozenset({E.NAME, E.CITY}), 0.95),
    (frozenset({E.LOOSE_HANDLE, E.OTHER_NAME}), 0.30),
    (frozenset({E.LOOSE_HANDLE}), 0.70),
    (frozenset({E.NAME}), 0.50),
    (frozenset({E.DOMAIN, E.OTHER_NAME}), 0.10),
    (frozenset({E.DOMAIN}), 0.25),
)
# Evidence that settles it although somebody of the same name is in the CRM too.
DECIDING = frozenset({E.HANDLE, E.PROFILE, E.EMAIL})


@dataclass(frozen=True, slots=True)
class _Scored:
    candidate: Candidate
    score: float
    found: frozenset[Evidence]
    sentences: tuple[str, ...]


# --- keys -----------------------------------------------------------------------------------------------------


def author_keys(known: KnownAuthor) -> frozenset[str]:
    """The normalised keys under which contacts are sought for an author."""
    return frozenset(_author_keys(known.network, known.author))


def contact_keys(contact: Contact) -> frozenset[str]:
    """The normalised keys under which a contact is found. The same spelling of case, accents and order on both sides."""
    return frozenset(_contact_keys(contact))


def _author_keys(network: str, author: Author) -> Iterator[str]:
    if handle := _handle(author.handle):
        yield f"{E.HANDLE}:{network}:{handle}"
        yield f"{E.HANDLE}:{ANY_NETWORK}:{handle}"
        if names.is_domain_handle(handle) and "@" not in handle:
            yield from _site_keys(handle)  # the network has checked that the site is theirs
    if profile := names.own_address(author.url):
        yield f"{E.PROFILE}:{profile}"
    for mail in names.mails(author.bio):
        yield f"{E.EMAIL}:{mail}"
        yield from _domain_key(mail.partition("@")[2])
    for url in (author.website, *names.links(author.bio)):
        yield from _link_keys(url)
    if not author.bot and (name := names.full_name(author.name)):
        yield f"{E.NAME}:{name}"


def _contact_keys(contact: Contact) -> Iterator[str]:
    for each in contact.handles:
        yield from _handle_keys(each.network or ANY_NETWORK, each.value)
    for mail in contact.emails:
        if "@" in mail:
            yield f"{E.EMAIL}:{mail.strip().casefold()}"
            yield from _domain_key(mail.rpartition("@")[2])
    yield from _link_keys(contact.website)
    for name in {contact.name, f"{contact.first_name} {contact.last_name}"}:
        if found := names.full_name(name):
            yield f"{E.NAME}:{found}"


def _handle_keys(network: str, value: str) -> Iterator[str]:
    value = value.strip()
    is_link = "://" in value or "/" in value
    if is_link and (profile := names.own_address(value)):
        yield f"{E.PROFILE}:{profile}"
    # A profile's address ends in the handle; which network it is of must be known from elsewhere.
    handle = _handle(_last_part(value) if is_link else value)
    if handle and not (is_link and network == ANY_NETWORK):
        yield f"{E.HANDLE}:{network}:{handle}"


def _last_part(url: str) -> str:
    return url.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]


def _link_keys(url: str) -> Iterator[str]:
    """A link may be a site, or a profile on a network: it is filed under both."""
    if found := names.own_address(url):
        yield f"{E.PROFILE}:{found}"
    yield from _site_keys(url)


def _site_keys(url: str) -> Iterator[str]:
    if found := names.own_address(url):
        yield f"{E.WEBSITE}:{found}"
    yield from _domain_key(url)


def _domain_key(url: str) -> Iterator[str]:
    if found := names.domain(url):
        yield f"{E.DOMAIN}:{found}"


def _handle(value: str) -> str:
    return value.strip().lstrip("@").casefold()


# --- matching -------------------------------------------------------------------------------------------------


def match(known: KnownAuthor, candidates: Sequence[Candidate]) -> list[MatchResult]:
    """The contacts that this author may be, the likeliest first: at most five, and at most one of them confirmed. Each
    candidate counts once, in whatever order they come."""
    if not candidates:
        return []
    keys = author_keys(known)
    unique = {each.contact_id: each for each in candidates}
    scored = [_score(known.author, keys, each) for each in unique.values()]
    best = sorted(
        (each for each in scored if each.score >= SUGGEST), key=lambda each: (-each.score, each.candidate.contact_id)
    )
    confirmed = bool(best) and _certain(best)
    return [
        MatchResult(
            each.candidate.contact_id,
            MatchState.CONFIRMED if confirmed and number == 0 else MatchState.SUGGESTED,
            each.score,
            each.sentences,
        )
        for number, each in enumerate(best[:MOST])
    ]


def _score(author: Author, keys: frozenset[str], candidate: Candidate) -> _Scored:
    shared = keys & contact_keys(candidate.contact)
    sentences = dict(_shown(author, candidate.contact, shared))
    found = frozenset(sentences) | _contradiction(author, candidate.contact, E.NAME in sentences)
    score = next((likely for needed, likely in TABLE if needed <= found), 0.0)
    return _Scored(candidate, score, found, tuple(sentences.values()))


def _shown(author: Author, contact: Contact, shared: frozenset[str]) -> Iterator[tuple[Evidence, str]]:
    """The kinds of evidence, each with its sentence, the strongest first."""
    by_kind: dict[str, list[str]] = {}
    for key in sorted(shared):
        kind, _, value = key.partition(":")
        by_kind.setdefault(kind, []).append(value)
    for value in by_kind.get(E.HANDLE, ()):
        network, _, handle = value.partition(":")
        loose = network == ANY_NETWORK and not names.is_domain_handle(handle)
        yield (E.LOOSE_HANDLE if loose else E.HANDLE), f"The handle {at_sign(author.handle)} is on file in the CRM."
    profile = names.own_address(author.url)
    if profile in by_kind.get(E.PROFILE, ()):
        yield E.PROFILE, f"The address of their profile, {profile}, is on file in the CRM."
    elif by_kind.get(E.PROFILE) and E.WEBSITE not in by_kind:
        # Their profile links to another profile of theirs, and that one is on file.
        yield E.WEBSITE, _SENTENCES[E.WEBSITE].format(value=by_kind[E.PROFILE][0])
    for kind, sentence in _SENTENCES.items():
        for value in by_kind.get(kind, ())[:1]:
            yield kind, sentence.format(value=value)
    if by_kind.get(E.NAME):
        yield E.NAME, f"The name {plain(contact.name or author.name)} is the same."
        yield from _in_common(author, contact)


_SENTENCES: Mapping[Evidence, str] = {
    E.EMAIL: "The e-mail address {value} stands in their profile and in the CRM.",
    E.WEBSITE: "The website {value} is the same.",
    E.DOMAIN: "Their profile and the CRM both name the domain {value}.",
}


def _in_common(author: Author, contact: Contact) -> Iterator[tuple[Evidence, str]]:
    company = names.company_words(contact.company)
    if len("".join(company)) > 2 and names.holds(names.words(f"{author.bio} | {_aside(author.name)}"), company):
        yield E.COMPANY, f"Their profile names the company {plain(contact.company)}."
    city = names.words(contact.city)
    if len("".join(city)) > 2 and names.holds(names.words(author.location), city):
        yield E.CITY, f"Both are in {plain(contact.city)}."


def _aside(name: str) -> str:
    """What a display name says after the name ("Ana Silva | Acme")."""
    return name[len(name.split("|")[0].split("@")[0].split("(")[0]) :]


def _contradiction(author: Author, contact: Contact, same_name: bool) -> frozenset[Evidence]:
    theirs = set(names.name_words(author.name)) if names.full_name(author.name) else set()
    ours = set(names.name_words(contact.name or f"{contact.first_name} {contact.last_name}"))
    other = not same_name and len(theirs) > 1 and len(ours) > 1 and theirs.isdisjoint(ours)
    return frozenset({E.OTHER_NAME}) if other else frozenset()


def _certain(best: Sequence[_Scored]) -> bool:
    """Whether the first is likely enough, and no other is a rival to it."""
    first, *others = best
    if first.score < CONFIRM:
        return False
    if first.found & DECIDING:
        # Another contact with such evidence, or a second record of the same person.
        return not any(each.found & DECIDING and each.score >= CONFIRM for each in others)
    return not any(each.score >= CONFIRM or _namesake(each, first) for each in others)


def _namesake(other: _Scored, first: _Scored) -> bool:
    """Whether somebody of the same name could just as well be meant: nothing that the CRM holds of them says otherwise."""
    if E.NAME not in other.found or E.NAME not in first.found:
        return False
    told = {E.CITY: other.candidate.contact.city, E.COMPANY: other.candidate.contact.company}
    settled = [kind for kind in (E.CITY, E.COMPANY) if kind in first.found]
    return not any(told[kind] and kind not in other.found for kind in settled)
