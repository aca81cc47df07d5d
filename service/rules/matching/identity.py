"""Evidence that points to one contact: handles and addresses on file, mail, phone, websites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from integrations.records import Contact
from service.rules import names
from service.rules.evidence import Basis, Evidence, Signal, Source
from service.rules.matching import addresses, handles, mailboxes, naming, rarity
from service.rules.matching.keys import ANY_NETWORK, K, of_kind
from service.rules.matching.naming import AGREE, CONTRADICT, WHOLE, Level
from service.rules.matching.pair import Pair
from service.rules.matching.person import ContactName
from service.rules.matching.profile import Profile
from service.rules.matching.terms import Terms, basis_of
from service.rules.words import at_sign, plain

S = Signal
DECIDING = frozenset({S.HANDLE, S.PROFILE, S.ELSEWHERE, S.EMAIL, S.PHONE})
BY_HANDLE = frozenset({S.HANDLE, S.PROFILE, S.ELSEWHERE})
# How often, per author, an identifier points to a contact of the workspace although it is not that contact's: it is mistyped, handed
# on, or an office's. The chance that it points to one given contact is that over the number of contacts.
_MISTAKEN: Mapping[Signal, float] = {
    S.HANDLE: 0.0005, S.PROFILE: 0.0005, S.ELSEWHERE: 0.001, S.EMAIL: 0.001, S.PHONE: 0.005, S.LOOSE_HANDLE: 0.1,
}  # fmt: skip
# An office's mailbox, a firm's switchboard: so many times likelier where the names say two different people.
_SHARED_BY_OTHERS: Mapping[Signal, float] = {S.EMAIL: 20.0, S.PHONE: 20.0, S.LOOSE_HANDLE: 5.0}
_SHORTEST_TELLING = 5  # letters of a handle that tells its owner on another network
# By whether it is the author's handle now, and whether somebody else may have or have had it.
_ON_FILE_AS: Mapping[tuple[bool, bool], str] = {
    (True, False): "The handle {} is on file in the CRM.",
    (True, True): "The handle {} is on file in the CRM, and somebody else has gone by it too.",
    (False, False): "The handle {}, by which they went before, is on file in the CRM.",
    (False, True): "The handle {}, by which they went before, is on file in the CRM; somebody else may have it now.",
}
_ON_FILE = 0.5  # m: of the profiles that are a contact's, the share whose identifier is on file or shown
# People beside the contact who show the same website or domain and are in no CRM: colleagues, a predecessor, a spouse; next to nobody
# where the site is named after the author; many where it is a server on which they merely have an account.
_SAME_SITE, _SAME_PERSONAL_SITE, _SAME_OWN_SITE, _SAME_DOMAIN, _SAME_SERVER = 1.0, 0.05, 0.001, 3.0, 20.0
_SITE_SHOWN = 0.4  # m
_OTHER_SITE = 0.3  # likelihood ratio of two different sites that are both named after such a person or firm
# Where one works is told by a domain and by a company's name. What they can weigh at most: those who speak to one team work closer
# together than people in general do.
MOST_FOR_WORKPLACE = 300.0


def identity(pair: Pair, terms: Terms, elsewhere: str | None) -> list[Evidence]:
    """The identifiers and sites that author and contact share. Identifiers repeat each other, and a site repeats them: the
    strongest weighs, the others are told."""
    found: list[Evidence] = []
    if pair.shared or elsewhere is not None:
        found += _identifiers(pair, basis_of(pair.contact, terms), elsewhere)
    if not found and pair.contact.handles:
        found += _on_another_network(pair, basis_of(pair.contact, terms))
    if not found and pair.mailbox:
        found += _in_a_mailbox(pair, basis_of(pair.contact, terms))
    sites = list(_sites(pair)) if pair.shared or pair.contact.website else []
    if not found:
        return sites
    best = max(found, key=lambda each: each.ratio)
    return [best, *[replace(each, ratio=1.0) for each in (*found, *sites) if each is not best and each.ratio > 1]]


def is_doubtful(pair: Pair) -> bool:
    """Whether the author's handle, or the address of their profile, is on file with this contact, and somebody else may be meant by it."""
    author = pair.profile.author
    if not pair.doubted or (current := handles.plain(author.handle)) not in pair.doubted:
        return False
    named = {each.partition(":")[2] for each in of_kind(pair.shared, K.HANDLE)}
    return current in named or addresses.own_address(author.url) in of_kind(pair.shared, K.WEBSITE)


def may_be_a_relatives(pair: Pair, shown: Level) -> bool:
    """Whether author and contact meet at a domain or firm that is called after the family, and no given name is shown, or one that begins as
    another one does, so that a relative may be meant: A. Goiko, or Goiko, at goiko.com; Joe of Goiko Ltd, where Joelene is. `shown` is what the
    display name says."""
    unsaid = pair.like.level in (Level.INITIAL, Level.FAMILY) and shown not in (Level.GIVEN, Level.CLIPPED)
    if not unsaid and not (pair.like.level is Level.SHORT and _is_another_given(pair)):
        return False
    given = pair.name.givens[0] if pair.name.givens else ""
    sites = of_kind(pair.shared, K.DOMAIN) or of_kind(pair.shared, K.WEBSITE)
    theirs = [
        *("".join(addresses.domain_words(addresses.domain(each) or each)) for each in sites),
        names.compact(pair.contact.company),
    ]
    families = [each for each in pair.name.families if len(each) > 2]
    return any(family in each and given[:1] + family not in each for each in theirs for family in families)


def _is_another_given(pair: Pair) -> bool:
    """Whether the given name that is shown is short for other names, and but begins as the contact's does."""
    shown = [each for each in pair.profile.name_words if names.is_given(each)]
    formal = {given for each in shown for given in names.formal(each)}
    return bool(shown) and formal.isdisjoint(pair.name.givens)


def is_own_site(pair: Pair) -> bool:
    """Whether a website that both name is called after the contact, or the author, and so is no workplace's."""
    sites = of_kind(pair.shared, K.WEBSITE) if pair.shared else ()
    return any(_named_after(each, pair.name) or _strangers(each, pair) < _SAME_SITE for each in sites)


def _identifiers(pair: Pair, basis: Basis, elsewhere: str | None) -> Iterator[Evidence]:
    profile, contact, shared, seen, like = pair.profile, pair.contact, pair.shared, pair.seen, pair.like

    def piece(signal: Signal, sentence: str, source: Source, basis: Basis, others: int = 0) -> Evidence:
        mistaken = _MISTAKEN[signal] * (_SHARED_BY_OTHERS.get(signal, 1.0) if like.level in CONTRADICT else 1.0)
        return Evidence(signal, sentence, source, basis, _ON_FILE * seen.reach / (mistaken + others))

    # People link to whom they admire, are married to or work for as well: a link by itself decides nothing.
    same_name = _has_own_name(pair)
    current = handles.plain(profile.author.handle)
    doubtful = current in pair.doubted
    on_file_as = of_kind(shared, K.HANDLE)
    page = ":".join(addresses.account_on(contact.website) or ()) if on_file_as else ""
    for value in on_file_as:
        network, _, handle = value.partition(":")
        at = at_sign(profile.author.handle if handle == current else handle)
        if value == page:
            # The website that the CRM has for a person can be their employer's page.
            own_page = (bool(pair.name.organisation) or same_name) and handle not in pair.doubted
            sentence = f"The website that the CRM has is a page of {at}."
            yield piece(S.PROFILE if own_page else S.LOOSE_HANDLE, sentence, Source.CRM, basis)
            continue
        loose = network == ANY_NETWORK and not addresses.is_domain_handle(handle)
        sentence = _ON_FILE_AS[handle == current, handle in pair.doubted].format(at)
        yield piece(S.LOOSE_HANDLE if loose or handle in pair.doubted else S.HANDLE, sentence, Source.CRM, basis)
    own = addresses.own_address(profile.author.url)
    on_file = {addresses.own_address(each.value) for each in contact.handles if "/" in each.value}
    for value in of_kind(shared, K.WEBSITE):
        if value == own:
            signal = S.LOOSE_HANDLE if doubtful else S.PROFILE
            yield piece(signal, f"The address of their profile, {value}, is on file in the CRM.", Source.CRM, basis)
        elif value in on_file:
            sentence = f"Their profile links to {value}, which is on file in the CRM."
            yield piece(S.PROFILE if same_name else S.LOOSE_HANDLE, sentence, Source.PROFILE, Basis.PUBLIC)
    for kind, signal, sentence in (
        (K.EMAIL, S.EMAIL, "The e-mail address {value} stands in their profile and in the CRM."),
        (K.PHONE, S.PHONE, "The same phone number stands in their profile and in the CRM."),
    ):
        for value in of_kind(shared, kind):
            told = kind is not K.EMAIL or same_name or not _is_offices(value, pair)
            yield piece(
                signal if told else S.LOOSE_HANDLE,
                sentence.format(value=value),
                Source.PROFILE,
                Basis.PUBLIC,
                seen.others(f"{kind}:{value}"),
            )
    if elsewhere is not None:
        whose = "Their account" if same_name else "An account that theirs links to, or that links to theirs,"
        sentence = f"{whose} on {plain(elsewhere)} is confirmed to be this contact's."
        told = same_name and not doubtful  # who links to an address may mean whoever had it before
        yield piece(S.ELSEWHERE if told else S.LOOSE_HANDLE, sentence, Source.PERSON, Basis.DECIDED)


def _has_own_name(pair: Pair) -> bool:
    """Whether the author goes by the contact's name and not by that of a whole family, which relatives share."""
    if pair.like.level is Level.FAMILY:
        return set(pair.name.givens).issubset(pair.name.families)  # of whom one name alone is known
    return pair.like.level in AGREE


def _is_offices(mail: str, pair: Pair) -> bool:
    """Whether this is but an office's mailbox, at which others than the contact are reached as well; where the names say that they are two
    people, that weighs already."""
    return not pair.name.organisation and pair.like.level not in CONTRADICT and mailboxes.is_offices(mail)


def _on_another_network(pair: Pair, basis: Basis) -> Iterator[Evidence]:
    """The same handle on file for another network. Many keep theirs; but one that is made of the name says no more than the name."""
    letters = pair.profile.handle_letters
    if len(letters) < _SHORTEST_TELLING or pair.like.level in CONTRADICT:
        return
    if all(handles.letters(handles.last_part(each.value)) != letters for each in pair.contact.handles):
        return
    if _says_no_name(letters, pair):
        sentence = f"The handle {at_sign(pair.profile.author.handle)} is on file in the CRM for another network."
        yield Evidence(
            S.LOOSE_HANDLE, sentence, Source.CRM, basis, _ON_FILE * pair.seen.reach / _MISTAKEN[S.LOOSE_HANDLE]
        )


def mailbox(profile: Profile, contact: Contact) -> str:
    """The author's handle, where a private address of the contact begins with it; else empty."""
    letters = profile.handle_letters
    if not letters or not contact.emails:
        return ""
    for each in contact.emails:
        # Of most it is seen at their first and last letter that they are none.
        box = each.partition("@")[0]
        if box[:1].casefold() != letters[0] or (box[-1:].casefold() != letters[-1] and "+" not in box):
            continue
        if mailboxes.telling(each) == letters:
            return letters
    return ""


def _in_a_mailbox(pair: Pair, basis: Basis) -> Iterator[Evidence]:
    """The handle is the name of the contact's mailbox. Where both are but the contact's name, they say no more than that."""
    if pair.like.level in CONTRADICT or not (pair.mailbox[-2:].isdigit() or _says_no_name(pair.mailbox, pair)):
        return
    sentence = (
        f"The handle {at_sign(pair.profile.author.handle)} is what stands before the @ of an e-mail address in the CRM."
    )
    yield Evidence(S.LOOSE_HANDLE, sentence, Source.CRM, basis, _ON_FILE * pair.seen.reach / _MISTAKEN[S.LOOSE_HANDLE])


def _says_no_name(letters: str, pair: Pair) -> bool:
    return naming.in_handle(letters, pair.name, pair.seen).level is Level.NONE


def _sites(pair: Pair) -> Iterator[Evidence]:
    """The website, or else the domain: whose it is, or where they work."""
    profile, name, seen, shared = pair.profile, pair.name, pair.seen, pair.shared
    own = addresses.own_address(profile.author.url) if shared else None
    for value in [each for each in of_kind(shared, K.WEBSITE) if each != own][:1] if shared else ():
        ratio = _SITE_SHOWN / rarity.strangers(seen, f"{K.WEBSITE}:{value}", _strangers(value, pair))
        yield _shown(S.WEBSITE, f"The website {value} is the same.", max(ratio, 1.0))
        return
    if profile.author.website and pair.contact.website:
        theirs, ours = addresses.own_address(profile.author.website), addresses.own_address(pair.contact.website)
        if theirs and ours and theirs != ours and _named_after(theirs, name) and _named_after(ours, name):
            yield _shown(S.WEBSITE, f"Their website is {theirs}, the CRM has {ours}.", _OTHER_SITE)
    for value in of_kind(shared, K.DOMAIN)[:1] if shared else ():
        on_server = addresses.domain(handles.server(profile.author.handle)) == value
        ratio = _SITE_SHOWN / rarity.strangers(seen, f"{K.DOMAIN}:{value}", _SAME_SERVER if on_server else _SAME_DOMAIN)
        most = float("inf") if name.organisation and pair.like.level in WHOLE else MOST_FOR_WORKPLACE
        sentence = (
            "Their account is on a server of {}." if on_server else "Their profile and the CRM both name the domain {}."
        )
        yield _shown(S.DOMAIN, sentence.format(value), min(max(ratio, 1.0), most))


def _shown(signal: Signal, sentence: str, ratio: float) -> Evidence:
    return Evidence(signal, sentence, Source.PROFILE, Basis.PUBLIC, ratio)


def _strangers(site: str, pair: Pair) -> float:
    """How many others show this website: hardly any where it is named after the author, who is not known to be somebody else."""
    letters, profile = names.compact(site), pair.profile
    if pair.like.level in CONTRADICT:
        return _SAME_SITE
    if account := addresses.account_on(site):  # linktr.ee/ana
        own = names.compact(account[1])
        return _SAME_OWN_SITE if own and own in f"{profile.handle_letters} {profile.name_letters}" else _SAME_SITE
    if len(profile.name_words) > 1 and profile.name_letters in letters:
        return _SAME_OWN_SITE
    if len(profile.handle_letters) > 4 and profile.handle_letters in letters:
        return _SAME_PERSONAL_SITE
    return _SAME_PERSONAL_SITE if pair.like.level in WHOLE and _named_after(site, pair.name) else _SAME_SITE


def _named_after(site: str, name: ContactName) -> bool:
    letters = names.compact(site)
    return any(len(each) > 2 and each in letters for each in (*name.families, *name.organisation))
