"""One author against one candidate: likelihood ratios, with the evidence that they rest on (Fellegi and Sunter, 1969).

Evidence that says the same thing twice counts once: of a name, what the display name or the handle says, whichever is more; of
a place, the closest; of a workplace, the company or its domain. Kinds that are independent of each other multiply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from math import prod

from msgspec import Struct
from msgspec.structs import replace

from integrations.records import Contact
from service.rules import common_names, names, romanising
from service.rules.evidence import Basis, Evidence, Signal, Source
from service.rules.matching import context, firms, naming
from service.rules.matching.disowning import OF_FIRMS
from service.rules.matching.fillers import unexplained
from service.rules.matching.identity import DECIDING, identity, is_doubtful, is_own_site, mailbox, may_be_a_relatives
from service.rules.matching.keys import K, company_token, identifiers
from service.rules.matching.naming import AGREE, CONTRADICT, WHOLE, Level, Likeness, Shown
from service.rules.matching.pair import Met, Pair
from service.rules.matching.person import ContactName, contact_name, organisation
from service.rules.matching.profile import Profile
from service.rules.matching.rarity import Commonness
from service.rules.matching.terms import Terms
from service.rules.model import Candidate
from service.rules.words import plain

S = Signal
_WORKPLACE = frozenset({S.COMPANY, S.DOMAIN})
_CONTEXT = frozenset({S.COMPANY, S.PLACE, S.TITLE, S.DOMAIN})
_OF_A_PERSON = frozenset(
    {Level.GIVEN, Level.CLIPPED, Level.FAMILY, Level.INITIAL}
)  # one word of a firm's name is no name of a person
_NOTHING = frozenset[Signal]()
_NOBODYS_OWN = frozenset({Level.NONE, Level.FAMILY})  # a name that is not shown to be one person's


class Scored(Struct, frozen=True):
    """A candidate with the product of its likelihood ratios."""

    candidate: Candidate
    ratio: float
    name: Level
    name_ratio: float
    name_token: str  # under which contacts of the same full name are counted; empty for another name
    evidence: tuple[Evidence, ...]  # what decides first, then the strongest
    settled: frozenset[Signal]  # kinds of context of which the contact says something
    doubtful: bool = False  # by the author's handle, or beside them in the name, somebody else may be meant
    relative: bool = False  # at the family's domain, any of theirs may be meant
    own_site: bool = False  # the website that both name is called after one of them
    says_where: bool = False  # the author's location says something
    fits: frozenset[Signal] = frozenset()  # kinds of context in which the two agree, however little that tells
    on_stage: bool = False  # the author says to be a performer or an athlete, and the CRM does not
    said: tuple[tuple[str, ...], ...] = ()  # the words of the display name, and of its other spellings


def meet(profile: Profile, candidate: Candidate, elsewhere: str | None) -> Met | None:
    """What an author and a candidate have in common; None where that is nothing that could count, however rare it is. `elsewhere`
    names the network on which this contact is confirmed to be the same person, if any."""
    name, its_own = _read(candidate)
    shared = profile.keys & its_own
    shown = _shown(profile, name)
    if shown.level in CONTRADICT:
        if found := _no_other_person(profile, candidate.contact, name, shared):
            shown = found
        elif (
            not shared
            and elsewhere is None
            and not naming.may_be_whole(profile.handle_letters, profile.handle_words, name)
        ):
            return None  # most of those who share a family name
    return Met(profile, candidate, name, shared, shown)


def score(met: Met, seen: Commonness, terms: Terms, elsewhere: str | None) -> Scored | None:
    """`elsewhere` as above. None for a candidate that has neither a name nor an identifier in common with the author."""
    profile, name, contact = met.profile, met.name, met.candidate.contact
    like = _name(profile, name, seen, naming.weighed(met.shown, seen))
    if like.level is Level.FIRMS or (like.level in _NOBODYS_OWN and _goes_by(contact.company, profile, name, seen)):
        like = _as_firms(profile, name, seen)
    box = mailbox(profile, contact)
    if not met.shared and elsewhere is None and like.level not in AGREE and like.ratio <= 1 and not box:
        return None
    pair = Pair(profile, contact, name, met.shared, like, seen, met.doubted, box)
    around = [each for each in (context.company(pair), context.place(pair), context.title(pair)) if each is not None]
    found = _once([*identity(pair, terms, elsewhere), _name_evidence(like, contact), *around])
    told = [each for each in found if _tells(each)]
    if len(told) > 1:
        told.sort(key=_weight)
    return Scored(
        met.candidate,
        prod([each.ratio for each in found]),
        like.level,
        like.ratio,
        _name_token(name) if like.level in AGREE else "",
        tuple(told),
        _settled(bool(contact.company), bool(contact.city or contact.region), bool(contact.title)),
        is_doubtful(pair) or _may_be_two(profile, name),
        may_be_a_relatives(pair, met.shown.level),
        is_own_site(pair),
        bool(profile.author.location),
        frozenset([each.signal for each in around if each.ratio >= 1]) if around else _NOTHING,
        bool(profile.on_stage)
        and not name.organisation
        and profile.on_stage.isdisjoint(names.words(f"{contact.title} {contact.company}")),
        (profile.name_words, *profile.spellings) if profile.spellings else (profile.name_words,),
    )


def _weight(piece: Evidence) -> tuple[bool, float]:
    """What decides comes first, then what is strongest."""
    return piece.signal not in DECIDING, -piece.ratio


def _once(found: list[Evidence]) -> list[Evidence]:
    """The same workplace told twice weighs once."""
    workplace = [each for each in found if each.signal in _WORKPLACE] if len(found) > 1 else ()
    if len(workplace) < 2:
        return found
    best = max(workplace, key=lambda each: each.ratio)
    return [replace(each, ratio=1.0) if each.signal in _WORKPLACE and each is not best else each for each in found]


def _tells(piece: Evidence) -> bool:
    """Whether a piece is worth a sentence: that all contacts share a country is none."""
    if piece.signal in _CONTEXT:
        return not 1.0 <= piece.ratio < context.LEAST_TOLD
    return bool(piece.sentence)


@cache  # there are eight
def _settled(company: bool, place: bool, title: bool) -> frozenset[Signal]:
    """The kinds of context of which a contact says something."""
    told = ((S.COMPANY, company), (S.PLACE, place), (S.TITLE, title))
    return frozenset(signal for signal, said in told if said)


@lru_cache(maxsize=4096)
def _read(candidate: Candidate) -> tuple[ContactName, frozenset[str]]:
    """The name and the identifiers of a candidate, which is the same object for all whom it is weighed against."""
    known = candidate.identifiers
    return contact_name(candidate.contact), identifiers(candidate.contact) if known is None else known


def has_commonest_name(scored: Scored) -> bool:
    """Whether the given and family name of a person, or what the display name shows of them, are both among the very commonest of some country:
    any larger town has several of them."""
    name = _read(scored.candidate)[0]
    if name.organisation or not (name.givens and name.families):
        return False
    if common_names.is_commonest_pair(name.givens[0], name.families[0]):
        return True
    return any(common_names.is_commonest_name(each) for each in _widespread(scored, name))


def has_widespread_name(scored: Scored) -> bool:
    """Whether what a display name shows of a person's name, a given and a family name at least, has many bearers somewhere, all of it."""
    name = _read(scored.candidate)[0]
    if name.organisation or any(_widespread(scored, name)):
        return not name.organisation
    # "Wen" may show the given name, and the handle both.
    usual = (*name.givens[:1], *name.families[:1])
    return len(usual) > 1 and len(scored.said[0]) == 1 and all(map(common_names.is_widespread, usual))


def _widespread(scored: Scored, name: ContactName) -> Iterator[tuple[str, ...]]:
    """Of each spelling of a display name the words that are a contact's name as well, where they are two or more and each has many bearers."""
    ours = {*name.words, *name.givens, *name.families}
    for said in scored.said:
        shown = tuple(each for each in said if len(each) > 1 and each in ours)
        if len(shown) > 1 and all(map(common_names.is_widespread, shown)):
            yield shown


# --- names ----------------------------------------------------------------------------------------------------


def _shown(profile: Profile, name: ContactName) -> Shown:
    """What the display name shows, if this is a person who goes by their own name."""
    if profile.says_more and _is_said_to_be_another(profile, name):
        return Shown(Level.OTHER)
    if profile.author.bot:
        return Shown(Level.NONE)
    words = profile.name_words
    if not names.TITLES.isdisjoint(name.words):  # Jack Ma, John Major
        words = tuple(
            each for each in names.with_titles(profile.author.name) if each in name.words or each not in names.TITLES
        )
    found = naming.shown(words, name)
    if name.organisation and found.level in AGREE and _says_more(words, name):
        return Shown(Level.NONE)
    for spelling in profile.spellings:
        if found.level in WHOLE:
            break
        other = naming.shown(spelling, name)
        found = other if other.level in WHOLE or found.level not in AGREE else found
    return found


def _says_more(words: tuple[str, ...], firm: ContactName) -> bool:
    """Whether a display name holds words that are none of a firm's name and say more than it: the chess club of a university."""
    return any(each not in firm.words and unexplained(each, firm=True) for each in words if len(each) > 1)


def _is_said_to_be_another(profile: Profile, name: ContactName) -> bool:
    """Whether a profile of whatever name says that it is not this contact's: a parody, a foundation, or a father of his son's name."""
    beside = profile.beside & OF_FIRMS if name.organisation else profile.beside
    if profile.disowned or not beside.issubset(name.words):
        return True
    return bool(profile.generation and name.generation and profile.generation != name.generation)


def _may_be_two(profile: Profile, name: ContactName) -> bool:
    """Whether an account is that of several people, or of one who tells themselves from a younger one of their name: the CRM may mean either."""
    return (profile.of_several and not name.organisation) or (profile.generation == "sr" and not name.generation)


def _name(profile: Profile, name: ContactName, seen: Commonness, shown: Likeness) -> Likeness:
    """The likeliest reading of display name and handle as this contact's name."""
    if profile.author.bot or (profile.says_more and _is_said_to_be_another(profile, name)):
        return shown
    if _is_across_scripts(profile, name):
        shown = naming.across_scripts(shown)
    handle = naming.in_handle(profile.handle_letters, name, seen)
    if len(profile.handle_words) > 1 and handle.level not in WHOLE:
        handle = naming.spaced(profile.handle_words, handle, name, seen)
    if name.native:
        handle = naming.across_scripts(handle)
    # A handle that spells the display name out (martinahorvat) says that name, and not another that is found in it.
    spelt = (
        (shown.level in CONTRADICT or shown.level is Level.SHORT)
        and len(profile.name_words) > 1
        and "".join(profile.name_words) in profile.handle_letters
    )
    best = shown if spelt else _together(shown, handle)
    if name.organisation:
        if best.level in _OF_A_PERSON:
            best = Likeness(Level.BRANCH, best.ratio, best.state)
        for letters in (profile.name_letters, "" if _is_of_a_person(profile, name) else profile.handle_letters):
            as_firm = firms.likeness(letters, name, seen) if letters else best
            best = as_firm if as_firm.ratio > best.ratio else best
    return best


def _is_across_scripts(profile: Profile, name: ContactName) -> bool:
    """Whether a display name and a contact's name can be compared only as they are read: they stand in two scripts, or in other signs of
    one in which many sound alike."""
    if not (profile.native and name.native):
        return bool(profile.native or name.native)
    return romanising.has_homophones(name.native) and sorted(profile.native) != sorted(name.native)


def _is_of_a_person(profile: Profile, firm: ContactName) -> bool:
    """Whether a handle holds the given name that the profile shows: jane_acme is Jane, who works at Acme."""
    given = profile.name_words[0] if profile.name_words else ""
    return names.is_given(given) and given not in firm.words and given in profile.handle_letters


def _goes_by(company: str, profile: Profile, name: ContactName, seen: Commonness) -> bool:
    """Whether a profile goes by the name of the firm that a person works for: it is the firm's, whomever of theirs it names."""
    if name.organisation or not company:
        return False
    firm = organisation(company, "")
    return any(
        letters and firms.likeness(letters, firm, seen).level is Level.FIRM
        for letters in (profile.name_letters, profile.handle_letters)
    )


def _no_other_person(profile: Profile, contact: Contact, name: ContactName, shared: frozenset[str]) -> Shown | None:
    """What a display name shows that is no other person's though it is not this contact's: their firm's, or their private mailbox's."""
    # Most firms begin otherwise than any word that the author shows.
    if contact.company and (shared or contact.company[:2].lower() in profile.begun):
        found = _at_firm(profile, company_token(contact.company), name, shared)
        if found:
            return found
    return Shown(Level.NONE) if profile.repeats_handle and mailbox(profile, contact) else None


def _at_firm(profile: Profile, company: str, name: ContactName, shared: frozenset[str]) -> Shown | None:
    """What the words of a display name show beside those of the contact's company; None where they have none of those: that it is the firm's
    account, or, of Orla Quennell of Quennell Tiling at whose site both are, "Orla Q Tiling"."""
    firm, words = company.split(), profile.name_words
    rest = tuple([each for each in words if each not in firm])
    if len(rest) == len(words) or name.organisation or profile.says_more:
        return None
    if len(words) - len(rest) >= min(len(firm), 2) and not any(unexplained(each, firm=True) for each in rest):
        return Shown(Level.FIRMS)
    found = naming.shown(rest, name) if shared else None
    return found if found and found.level in AGREE else None


def _as_firms(profile: Profile, name: ContactName, seen: Commonness) -> Likeness:
    """What it says that an account goes by the name of a contact's firm: any of its people may keep it, and rather whom it names ("ask for Orla")."""
    ratio = naming.DISAGREE[Level.FIRMS]
    named = (each for each in (*name.givens, *name.shorts) if len(each) > 2 and f" {each} " in profile.text)
    if given := next(named, ""):
        ratio *= naming.weighed(Shown(Level.GIVEN, given), seen).ratio
    return Likeness(Level.FIRMS, ratio)


def _together(shown: Likeness, handle: Likeness) -> Likeness:
    """What display name and handle say together. They repeat each other where they agree, so that the one that says more counts;
    a handle with the whole name under another display name weighs what both say."""
    if shown.level is Level.NONE:
        return handle
    if shown.level in CONTRADICT:
        ratio = shown.ratio * handle.ratio if handle.level in WHOLE else shown.ratio
        return Likeness(handle.level if ratio > 1 else shown.level, ratio, handle.state)
    if whole := naming.in_halves(shown, handle):
        return whole
    best = handle if handle.level in AGREE and handle.ratio > shown.ratio else shown
    return Likeness(best.level, best.ratio, handle.state)


def _name_token(name: ContactName) -> str:
    if not (name.givens and name.families):
        return ""
    one, other = sorted((name.givens[0], name.families[0]))
    return f"{K.NAME}:{one} {other}"


_NAME_SENTENCES: Mapping[Level, str] = {
    Level.FULL: "The name {name} is the same.",
    Level.SHORT: "Their name may be short for {name}.",
    Level.INITIAL: "An initial and the family name of {name} are the same.",
    Level.ROMANISED: "Their name may be {name}, written in other letters.",
    Level.FAMILY: "The family name of {name} is the same.",
    Level.CLIPPED: "The given name of {name} is the same, and the family name begins as theirs does.",
    Level.GIVEN: "The given name of {name} is the same.",
    Level.FIRM: "They go by the name of {name}.",
    Level.PART: "What they go by contains the name of {name}, or is short for it.",
    Level.BRANCH: "What they go by is one word of the name of {name}.",
    Level.FIRMS: "They go by the name of the company of {name}.",
    Level.OTHER_GIVEN: "They show another given name than {name}.",
    Level.OTHER_FAMILY: "They show another family name than {name}.",
    Level.OTHER: "They show another name than {name}.",
    Level.NONE: "",
}


def _name_evidence(like: Likeness, contact: Contact) -> Evidence:
    name = plain(contact.name or f"{contact.first_name} {contact.last_name}".strip() or contact.company)
    sentence = _NAME_SENTENCES[like.level].format(name=name)
    return Evidence(S.NAME, sentence if name else "", Source.PROFILE, Basis.PUBLIC, like.ratio)
