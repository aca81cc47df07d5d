"""One author against one candidate: likelihood ratios, with the evidence that they rest on (Fellegi and Sunter, 1969).

Evidence that says the same thing twice counts once: of a name, that which the display name or the handle says, whichever is
more; of a place, the closest. Kinds that are independent of each other multiply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from integrations.records import Contact
from service.rules import names
from service.rules.evidence import Basis, Evidence, Signal, Source
from service.rules.matching import addresses, firms, handles, naming, places, rarity
from service.rules.matching.keys import ANY_NETWORK, K, company_token, identifiers, of_kind, phrase
from service.rules.matching.naming import AGREE, CONTRADICT, WHOLE, Level, Likeness
from service.rules.matching.person import ContactName, contact_name
from service.rules.matching.profile import Profile
from service.rules.matching.rarity import Commonness
from service.rules.matching.terms import Terms, basis_of
from service.rules.model import Candidate
from service.rules.words import at_sign, plain

S = Signal
# For an identifier: how often it points to a contact of the workspace although it is not that contact's, per author. It is mistyped,
# handed on, or belongs to an office. The chance that it points to a given contact is that over the number of contacts.
_MISTAKEN: Mapping[Signal, float] = {
    S.HANDLE: 0.0005,
    S.PROFILE: 0.0005,
    S.ELSEWHERE: 0.001,
    S.EMAIL: 0.001,
    S.PHONE: 0.005,
    S.LOOSE_HANDLE: 0.1,
}
# An office's mailbox, a firm's switchboard: so many times likelier where the names say two different people.
_SHARED_BY_OTHERS: Mapping[Signal, float] = {S.EMAIL: 100.0, S.PHONE: 100.0, S.LOOSE_HANDLE: 5.0}
_ON_FILE = 0.5  # m: of the profiles that are a contact's, the share whose identifier is on file or shown
_CONTEXT = frozenset({S.COMPANY, S.PLACE, S.TITLE, S.DOMAIN})
_LEAST_TOLD = 1.5
DECIDING = frozenset({S.HANDLE, S.PROFILE, S.ELSEWHERE, S.EMAIL, S.PHONE})
BY_HANDLE = frozenset({S.HANDLE, S.PROFILE, S.ELSEWHERE})
# People beside the contact who show the same website or domain and are in no CRM: colleagues, a predecessor, a spouse.
_SAME_SITE, _SAME_PERSONAL_SITE, _SAME_OWN_SITE, _SAME_DOMAIN, _SAME_SERVER = 1.0, 0.05, 0.001, 3.0, 20.0
_SITE_SHOWN, _COMPANY_SHOWN, _PLACE_SHOWN, _TITLE_SHOWN = 0.4, 0.3, 0.5, 0.3
# What context can weigh at most. Those who speak to one team live and work closer together than people in general do.
_MOST_COMPANY, _MOST_PLACE, _MOST_TITLE = 300.0, 100.0, 10.0
_OTHER_PLACE, _UNMATCHED_PLACE, _OTHER_OFFICE = 0.1, 0.2, 0.15
_OTHER_SITE = 0.3  # two sites that are both named after such a person or firm


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with the product of its likelihood ratios."""

    candidate: Candidate
    ratio: float
    name: Level
    name_ratio: float
    name_token: str  # under which contacts of the same full name are counted
    evidence: tuple[Evidence, ...]
    settled: frozenset[Signal]  # kinds of context of which the contact says something


def score(
    profile: Profile, candidate: Candidate, seen: Commonness, terms: Terms, elsewhere: str | None
) -> Scored | None:
    """`elsewhere` names the network on which this contact is confirmed to be the same person, if any. None for a candidate that
    has neither a name nor an identifier in common with the author."""
    contact = candidate.contact
    name = contact_name(contact)
    shared = profile.keys & identifiers(contact)
    like = _name(profile, name, seen)
    if not shared and elsewhere is None and like.level not in AGREE:
        return None
    basis = basis_of(contact, terms)
    found = [*_identifiers(profile, shared, seen, basis, elsewhere, like)]
    found += _site(profile, contact, name, shared, seen, like)
    found += _name_evidence(like, name, contact)
    found += _context(profile, contact, name, seen, like)
    ratio = 1.0
    for each in found:
        ratio *= each.ratio
    if like.level in CONTRADICT or like.level is Level.NONE:
        ratio *= like.ratio
    settled = frozenset(
        signal for signal, value in ((S.COMPANY, contact.company), (S.PLACE, contact.city or contact.region), (S.TITLE, contact.title)) if value
    )  # fmt: skip
    shown = tuple(sorted((each for each in found if _tells(each)), key=lambda each: -each.ratio))
    return Scored(
        candidate, ratio, like.level, like.ratio, _name_token(name) if like.level in AGREE else "", shown, settled
    )


def _tells(piece: Evidence) -> bool:
    """Whether a piece is worth a sentence: that all contacts share a country is none."""
    return piece.signal not in _CONTEXT or not 1.0 <= piece.ratio < _LEAST_TOLD


def _name_token(name: ContactName) -> str:
    if not (name.givens and name.families):
        return ""
    one, other = sorted((name.givens[0], name.families[0]))
    return f"{K.NAME}:{one} {other}"


# --- identifiers ----------------------------------------------------------------------------------------------


def _identifiers(
    profile: Profile, shared: frozenset[str], seen: Commonness, basis: Basis, elsewhere: str | None, like: Likeness
) -> Iterator[Evidence]:
    """The strongest identifier: they repeat each other."""
    found: list[Evidence] = []

    def add(signal: Signal, sentence: str, source: Source, token: str = "") -> None:
        rate = _MISTAKEN[signal] * (_SHARED_BY_OTHERS.get(signal, 1.0) if like.level in CONTRADICT else 1.0)
        rate += seen.others(token) if token else 0
        ratio = _ON_FILE * seen.reach / rate
        found.append(Evidence(signal, sentence, source, basis if source is Source.CRM else Basis.PUBLIC, ratio))

    for value in of_kind(shared, K.HANDLE):
        network, _, handle = value.partition(":")
        loose = network == ANY_NETWORK and not addresses.is_domain_handle(handle)
        add(
            S.LOOSE_HANDLE if loose else S.HANDLE,
            f"The handle {at_sign(profile.author.handle or handle)} is on file in the CRM.",
            Source.CRM,
        )
    own = addresses.own_address(profile.author.url)
    for value in of_kind(shared, K.PROFILE):
        if value == own:
            add(S.PROFILE, f"The address of their profile, {value}, is on file in the CRM.", Source.CRM)
        elif f"{K.WEBSITE}:{value}" not in shared:
            # Their profile links to another profile of theirs, and that one is on file.
            add(S.PROFILE, f"Their profile links to {value}, which is on file in the CRM.", Source.PROFILE)
    for value in of_kind(shared, K.EMAIL):
        add(
            S.EMAIL,
            f"The e-mail address {value} stands in their profile and in the CRM.",
            Source.PROFILE,
            f"{K.EMAIL}:{value}",
        )
    for value in of_kind(shared, K.PHONE):
        add(
            S.PHONE,
            "The same phone number stands in their profile and in the CRM.",
            Source.PROFILE,
            f"{K.PHONE}:{value}",
        )
    if elsewhere is not None:
        found.append(Evidence(S.ELSEWHERE, f"Their account on {plain(elsewhere)} is confirmed to be this contact's.", Source.PERSON, Basis.DECIDED,
                              _ON_FILE * seen.reach / _MISTAKEN[S.ELSEWHERE]))  # fmt: skip
    if found:
        best = max(found, key=lambda each: each.ratio)
        yield best
        # The others are told, and weigh nothing more.
        yield from (
            Evidence(each.signal, each.sentence, each.source, each.basis, 1.0) for each in found if each is not best
        )


def _site(
    profile: Profile, contact: Contact, name: ContactName, shared: frozenset[str], seen: Commonness, like: Likeness
) -> Iterator[Evidence]:
    """The website, or else the domain: whose it is, or where they work."""
    sites = of_kind(shared, K.WEBSITE)
    for value in sites[:1]:
        unseen = _strangers(value, profile, name, like)
        ratio = _SITE_SHOWN / rarity.strangers(seen, f"{K.WEBSITE}:{value}", unseen)
        yield Evidence(S.WEBSITE, f"The website {value} is the same.", Source.PROFILE, Basis.PUBLIC, max(ratio, 1.0))
    theirs = addresses.own_address(profile.author.website)
    ours = addresses.own_address(contact.website)
    if not sites and theirs and ours and theirs != ours and _named_after(theirs, name) and _named_after(ours, name):
        yield Evidence(
            S.WEBSITE, f"Their website is {theirs}, the CRM has {ours}.", Source.PROFILE, Basis.PUBLIC, _OTHER_SITE
        )
    if not sites:
        yield from _domain(profile, name, of_kind(shared, K.DOMAIN)[:1], seen, like)


def _domain(
    profile: Profile, name: ContactName, domains: list[str], seen: Commonness, like: Likeness
) -> Iterator[Evidence]:
    for value in domains:
        on_server = addresses.domain(handles.server(profile.author.handle)) == value
        unseen = _SAME_SERVER if on_server else _SAME_DOMAIN
        ratio = _SITE_SHOWN / rarity.strangers(seen, f"{K.DOMAIN}:{value}", unseen)
        most = float("inf") if name.organisation and like.level in WHOLE else _MOST_COMPANY
        sentence = (
            f"Their account is on a server of {value}."
            if on_server
            else f"Their profile and the CRM both name the domain {value}."
        )
        yield Evidence(S.DOMAIN, sentence, Source.PROFILE, Basis.PUBLIC, min(max(ratio, 1.0), most))


def _strangers(site: str, profile: Profile, name: ContactName, like: Likeness) -> float:
    """How many others show this website: hardly any where it is named after the author, who is not known to be somebody else."""
    letters = names.compact(site)
    if like.level in CONTRADICT:
        return _SAME_SITE
    if len(profile.name_words) > 1 and profile.name_letters in letters:
        return _SAME_OWN_SITE
    if len(profile.handle_letters) > 4 and profile.handle_letters in letters:
        return _SAME_PERSONAL_SITE
    return _SAME_PERSONAL_SITE if like.level in WHOLE and _named_after(site, name) else _SAME_SITE


def _named_after(site: str, name: ContactName) -> bool:
    letters = names.compact(site)
    return any(len(each) > 2 and each in letters for each in (*name.families, *name.organisation))


# --- names ----------------------------------------------------------------------------------------------------


def _name(profile: Profile, name: ContactName, seen: Commonness) -> Likeness:
    shown = naming.displayed(profile.name_words, name, seen)
    handle = naming.in_handle(profile.handle_letters, name, seen) if not profile.author.bot else naming.NOTHING
    if len(profile.handle_words) > 1 and handle.level not in WHOLE:
        handle = naming.spaced(profile.handle_words, handle, name, seen)
    best = _better(shown, handle)
    if name.organisation:
        for letters in {profile.name_letters, profile.handle_letters} - {""}:
            found = firms.likeness(letters, name, seen)
            if found.ratio > best.ratio:
                best = found
    return best


def _better(shown: Likeness, handle: Likeness) -> Likeness:
    """What display name and handle say together. They repeat each other where they agree; a handle that agrees against the
    display name weighs what both say."""
    if shown.level in CONTRADICT:
        level = handle.level if handle.level in WHOLE else shown.level
        ratio = shown.ratio * handle.ratio if handle.level in AGREE else shown.ratio
        return Likeness(
            level if ratio > 1 else shown.level, ratio if handle.level in WHOLE else shown.ratio, handle.state
        )
    if shown.level is Level.NONE:
        return handle
    return Likeness(
        *((handle.level, handle.ratio) if handle.ratio > shown.ratio else (shown.level, shown.ratio)), handle.state
    )


def _name_evidence(like: Likeness, name: ContactName, contact: Contact) -> Iterator[Evidence]:
    if like.level in AGREE and like.ratio > 1:
        shown = plain(contact.name or f"{contact.first_name} {contact.last_name}".strip() or contact.company)
        yield Evidence(S.NAME, _NAME_SENTENCES[like.level].format(name=shown), Source.PROFILE, Basis.PUBLIC, like.ratio)


_NAME_SENTENCES: Mapping[Level, str] = {
    Level.FULL: "The name {name} is the same.",
    Level.SHORT: "Their name may be short for {name}.",
    Level.INITIAL: "An initial and the family name of {name} are the same.",
    Level.FAMILY: "The family name of {name} is the same.",
    Level.GIVEN: "The given name of {name} is the same.",
    Level.FIRM: "They go by the name of {name}.",
    Level.PART: "What they go by contains the name of {name}.",
}


# --- context --------------------------------------------------------------------------------------------------


def _context(
    profile: Profile, contact: Contact, name: ContactName, seen: Commonness, like: Likeness
) -> Iterator[Evidence]:
    yield from _company(profile, contact, name, seen)
    yield from _place(profile, contact, seen, like.state)
    yield from _title(profile, contact, seen)


def _public(signal: Signal, sentence: str, ratio: float) -> Evidence:
    return Evidence(signal, sentence, Source.PROFILE, Basis.PUBLIC, ratio)


def _company(profile: Profile, contact: Contact, name: ContactName, seen: Commonness) -> Iterator[Evidence]:
    token = company_token(contact) or (" ".join(name.words) if name.organisation else "")
    if len(token) > 2 and f" {token} " in profile.text:
        ratio = _COMPANY_SHOWN / max(
            rarity.strangers(seen, f"{K.COMPANY}:{token}", 2.0),
            seen.others(f"{K.COMPANY}:{token}") / (seen.contacts + 1),
        )
        if name.organisation:
            ratio = min(ratio, _COMPANY_SHOWN / (rarity.by_chance(token.replace(" ", "")) + 0.01))
        yield _public(S.COMPANY, f"Their profile names {'' if name.organisation else 'the company '}{plain(contact.company or contact.name)}.",
                      min(max(ratio, 1.0), _MOST_COMPANY))  # fmt: skip


def _place(profile: Profile, contact: Contact, seen: Commonness, handle_state: str | None) -> Iterator[Evidence]:
    city, region, country = (
        phrase(contact.city),
        places.region(contact.region, contact.country),
        places.country(contact.country),
    )
    in_handle = {handle_state} if handle_state else frozenset()
    states = profile.states | in_handle
    found: list[tuple[float, str]] = []
    if len(city) > 2 and f" {city} " in profile.text:
        found.append((rarity.share_of(seen, K.CITY, city), contact.city))
    if region and (
        region in states or (not region.startswith("us-") and len(region) > 2 and f" {region} " in profile.text)
    ):
        found.append((rarity.share_of(seen, K.REGION, region), contact.region))
    if country and country in profile.countries:
        found.append((rarity.share_of(seen, K.COUNTRY, country), contact.country))
    elsewhere = (states if region.startswith("us-") else frozenset()) - {region}
    abroad = profile.said_countries - {country} if country else frozenset()
    share, where = min(found, default=(1.0, ""))
    if (not where or where == contact.country) and (
        (elsewhere and region not in states) or (abroad and country not in profile.said_countries)
    ):
        yield _public(
            S.PLACE, f"Their profile names another place than {plain(contact.region or contact.country)}.", _OTHER_PLACE
        )
    elif where:
        yield _public(S.PLACE, f"Both are in {plain(where)}.", min(max(_PLACE_SHOWN / share, 1.0), _MOST_PLACE))
    elif profile.author.location and (city or region):
        yield _public(
            S.PLACE, f"Their profile does not name {plain(contact.city or contact.region)}.", _UNMATCHED_PLACE
        )


_OFFICES: Mapping[str, str] = {
    "rep": "representative", "congressman": "representative", "congresswoman": "representative", "representative": "representative",
    "assemblyman": "representative", "assemblywoman": "representative", "assemblymember": "representative", "delegate": "representative", "sen": "senator",
    "senator": "senator", "gov": "governor", "governor": "governor", "mayor": "mayor", "mp": "mp", "msp": "msp", "cllr": "councillor", "councillor": "councillor",
    "dr": "doctor", "doctor": "doctor", "prof": "professor", "professor": "professor", "rev": "reverend", "reverend": "reverend", "judge": "judge",
    "sheriff": "sheriff", "attorney": "attorney", "atty": "attorney", "esq": "attorney",
}  # fmt: skip


def _title(profile: Profile, contact: Contact, seen: Commonness) -> Iterator[Evidence]:
    title = phrase(contact.title)
    if not title:
        return
    theirs = {_OFFICES[each] for each in profile.titles if each in _OFFICES}
    ours = {_OFFICES[each] for each in title.split() if each in _OFFICES}
    if (theirs & ours) or f" {title} " in profile.text:
        ratio = _TITLE_SHOWN / rarity.share_of(seen, K.TITLE, title)
        yield _public(S.TITLE, f"Both say {plain(contact.title)}.", min(max(ratio, 1.0), _MOST_TITLE))
    elif theirs and ours:
        yield _public(S.TITLE, f"Their profile says another office than {plain(contact.title)}.", _OTHER_OFFICE)
