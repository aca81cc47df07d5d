"""Which contact an author is, if any: probabilities over all candidates at once, and nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from service.rules.evidence import Signal
from service.rules.matching import profile as profiles
from service.rules.matching.context import LEAST_TOLD, OTHER_PLACE
from service.rules.matching.identity import BY_HANDLE, DECIDING
from service.rules.matching.naming import AGREE, CONTRADICT, Level
from service.rules.matching.pair import Met
from service.rules.matching.rarity import Commonness
from service.rules.matching.scoring import Scored, has_commonest_name, has_widespread_name, meet, score
from service.rules.matching.terms import Terms, eligible
from service.rules.model import Candidate, KnownAuthor, MatchResult, MatchState

MOST = 5  # suggestions for one author
CONFIRM = 0.99
SUGGEST = 0.1
_UNKNOWN = Commonness(contacts=1)
# In fewer contacts a name's rarity cannot be seen: there a name confirms nothing by itself.
_ENOUGH_TO_KNOW_NAMES = 100
# A place that fewer than this say tells little: a country, where most contacts are in it.
_NEAR = 8.0
_SAME = 0.1  # of the first one's name ratio: as good a name
# What relatives, or a firm and its branches, have in common, or point to each other by.
_SHARED_IN_A_FAMILY = frozenset({Signal.NAME, Signal.WEBSITE, Signal.DOMAIN, Signal.COMPANY, Signal.LOOSE_HANDLE})
# What colleagues have in common, of whom several may have one given name, or show none.
_SHARED_AT_WORK = frozenset({Signal.NAME, Signal.WEBSITE, Signal.DOMAIN, Signal.COMPANY, Signal.PLACE, Signal.TITLE})
# What somebody of the same name in the same town has in common with a contact.
_OF_ANY_NAMESAKE = frozenset({Signal.NAME, Signal.PLACE})
# And of the same trade in another country.
_OF_A_COLLEAGUE_ABROAD = frozenset({Signal.NAME, Signal.TITLE})
_CONTEXT = (Signal.COMPANY, Signal.PLACE, Signal.TITLE)


def match(
    known: KnownAuthor,
    candidates: Sequence[Candidate],
    commonness: Commonness = _UNKNOWN,
    terms: Terms = Terms(),  # noqa: B008 - frozen
    elsewhere: Mapping[str, str] | None = None,
) -> list[MatchResult]:
    """The contacts that this author may be, the likeliest first: at most five, and at most one of them confirmed. Each
    candidate counts once, in whatever order they come.

    `candidates` are the contacts that share a key with the author; those under a key that very many share may be left out, as
    long as `commonness` counts them. `elsewhere` maps a contact's id to the network on which an account of the same author is
    confirmed to be that contact's. Scores are probabilities: the chance, given everything, that it is this contact and neither
    another nor somebody who is not in the CRM."""
    return weigh(sift(known, candidates, elsewhere), commonness, terms, elsewhere)


def sift(known: KnownAuthor, candidates: Iterable[Candidate], elsewhere: Mapping[str, str] | None = None) -> list[Met]:
    """Those candidates who have something in common with the author that can count, each once: how common the tokens of the others
    are need not be asked."""
    unique = {each.contact_id: each for each in candidates}
    if not unique:
        return []
    profile, known_elsewhere = profiles.read(known), elsewhere or {}
    met = [meet(profile, each, known_elsewhere.get(each.contact_id)) for each in unique.values()]
    return [each for each in met if each is not None]


def weigh(
    met: Iterable[Met],
    commonness: Commonness = _UNKNOWN,
    terms: Terms = Terms(),  # noqa: B008 - frozen
    elsewhere: Mapping[str, str] | None = None,
) -> list[MatchResult]:
    """What `match` answers, of all the candidates of one author who were not sifted out."""
    known_elsewhere = elsewhere or {}
    found = [
        score(each, commonness, terms, known_elsewhere.get(each.candidate.contact_id))
        for each in met
        if eligible(each.candidate.contact, terms)
    ]
    scored = [each for each in found if each is not None]
    if not scored:
        return []
    # Of records that are equally likely, the one with the plainer name comes first.
    if len(scored) > 1:
        scored.sort(key=_rank)
    unseen = _unseen(scored, commonness)
    likely = _probabilities(scored, unseen, commonness)
    first = scored[0]
    confirmed = likely[0] >= CONFIRM and _certain(scored, terms, commonness)
    alike = [number > 0 and _same_name(each, first) for number, each in enumerate(scored)]
    together = likely[0] + sum(chance for chance, same in zip(likely, alike, strict=True) if same) + unseen * likely[0]
    return [
        _result(each, chance, MatchState.CONFIRMED if confirmed and each is first else MatchState.SUGGESTED, commonness)
        for each, chance, same in zip(scored[:MOST], likely, alike, strict=False)
        if each.evidence
        and (chance >= SUGGEST or (together >= SUGGEST and (same or each is first)) or _is_decided(each))
    ]


def _is_decided(scored: Scored) -> bool:
    """Whether something that decides speaks for this contact, so that a person is to see it, however many share it and whatever name is
    shown: a mailbox of a family or an office, say."""
    return any(each.signal in DECIDING and each.ratio > 1 for each in scored.evidence)


def _result(scored: Scored, chance: float, state: MatchState, seen: Commonness) -> MatchResult:
    sentences = [item.sentence for item in scored.evidence]
    if others := seen.others(scored.name_token) if scored.name_token else 0:
        sentences.append(
            "One other contact has this name." if others == 1 else f"{others:,} other contacts have this name."
        )
    return MatchResult(scored.candidate.contact_id, state, round(chance, 4), tuple(sentences), scored.evidence)


def _rank(scored: Scored) -> tuple[float, int, str]:
    contact = scored.candidate.contact
    return -scored.ratio, len(contact.name or contact.company), scored.candidate.contact_id


def _probabilities(scored: Sequence[Scored], unseen: int, seen: Commonness) -> list[float]:
    """Bayes over all candidates, `unseen` contacts of the first one's name that were not looked at, and nobody in the CRM."""
    prior = 1 / seen.reach
    like_first = unseen * min(scored[0].name_ratio, scored[0].ratio)
    total = (1 - seen.known) + prior * (sum([each.ratio for each in scored]) + like_first)
    return [prior * each.ratio / total for each in scored]


def _unseen(scored: Sequence[Scored], seen: Commonness) -> int:
    """How many contacts of the first one's name are not among the candidates."""
    token = scored[0].name_token
    return max(seen.others(token) + 1 - sum([each.name_token == token for each in scored]), 0) if token else 0


def _certain(scored: Sequence[Scored], terms: Terms, seen: Commonness) -> bool:
    """Whether nothing speaks against confirming the first: the terms allow it, it rests on more than a name where rarity cannot be
    seen, and no namesake could just as well be meant."""
    first, *others = scored
    signals = frozenset(each.signal for each in first.evidence if each.ratio > LEAST_TOLD)
    if signals & BY_HANDLE:
        return True
    if terms.confirm_by_handle_only or first.name in CONTRADICT:
        return False
    if first.name in (Level.FAMILY, Level.BRANCH) and signals <= _SHARED_IN_A_FAMILY:
        return False
    if first.relative and signals <= _SHARED_IN_A_FAMILY | {Signal.PLACE}:
        return False
    if first.name in (Level.NONE, Level.GIVEN, Level.CLIPPED) and signals <= _SHARED_AT_WORK and not first.own_site:
        return False
    if first.name is Level.ROMANISED and not signals & DECIDING:  # others are read alike
        return False
    if first.doubtful and not signals & DECIDING:  # a handle is often made of the name, and says it again
        return False
    if _rests_on_a_name(first, signals) and (seen.contacts < _ENOUGH_TO_KNOW_NAMES or _lives_elsewhere(first)):
        return False
    if signals <= _OF_A_COLLEAGUE_ABROAD and any(
        each.ratio <= OTHER_PLACE for each in first.evidence if each.signal is Signal.PLACE
    ):
        return False
    if first.on_stage and signals <= _OF_ANY_NAMESAKE:
        return False
    if first.fits <= {Signal.PLACE} and signals <= _OF_ANY_NAMESAKE and _has_many_namesakes(first, signals):
        return False
    return bool(signals & DECIDING) or not any(_namesake(each, first) for each in others)


def _has_many_namesakes(scored: Scored, signals: frozenset[Signal]) -> bool:
    """Whether there are several of a name in one town, or many in the world where it says no town."""
    return has_commonest_name(scored) or (_rests_on_a_name(scored, signals) and has_widespread_name(scored))


def _rests_on_a_name(scored: Scored, signals: frozenset[Signal]) -> bool:
    """Whether nothing but the name speaks for this contact, or a place that half of all contacts share."""
    near = any(each.signal is Signal.PLACE and each.ratio >= _NEAR for each in scored.evidence)
    return signals <= ({Signal.NAME} if near else {Signal.NAME, Signal.PLACE})


def _lives_elsewhere(scored: Scored) -> bool:
    """Whether the profile says where its owner is, and that is another place than the contact's, or the CRM has none to compare: people move,
    but as often somebody else of that name is meant, however rare it is among a team's contacts."""
    if any(each.signal is Signal.PLACE and each.ratio < 1 for each in scored.evidence):
        return True
    return scored.says_where and Signal.PLACE not in scored.settled and scored.name not in (Level.FIRM, Level.PART)


def _same_name(other: Scored, first: Scored) -> bool:
    return other.name in AGREE and other.name_ratio >= _SAME * first.name_ratio


def _namesake(other: Scored, first: Scored) -> bool:
    """Whether somebody of the same name could just as well be meant: nothing that the CRM holds of them says otherwise."""
    if not _same_name(other, first):
        return False
    told = frozenset(each.signal for each in first.evidence if each.ratio > 1)
    same = frozenset(each.signal for each in other.evidence if each.ratio > 1)
    return not any(kind in told and kind not in same and kind in other.settled for kind in _CONTEXT)
