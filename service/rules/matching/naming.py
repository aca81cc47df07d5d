"""How far a display name or a handle says the same name as a contact's."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from service.rules import common_names, names
from service.rules.matching import places, rarity
from service.rules.matching.fillers import DISOWNING, stands_beside, stripped, unexplained
from service.rules.matching.person import ContactName
from service.rules.matching.rarity import Commonness


class Level(StrEnum):
    """How much of a name agrees."""

    FULL = "full"  # given and family name
    SHORT = "short"  # a short form of the given name, and the family name
    INITIAL = "initial"  # an initial and the family name
    ROMANISED = "romanised"  # given and family name, as one may be read from another script
    FAMILY = "family"  # the family name alone
    CLIPPED = "clipped"  # the given name, and the first letters of the family name
    GIVEN = "given"  # the given name alone
    FIRM = "firm"  # an organisation's whole name
    PART = "part"  # an organisation's name, with more
    BRANCH = "branch"  # one of the two words of an organisation's name: whoever it is a part of, or a part of it
    FIRMS = "firm's"  # the name of the firm that a person works for, or has
    OTHER_GIVEN = "other given"  # the family name, with another given name
    OTHER_FAMILY = "other family"  # the given name, with another family name
    OTHER = "other"  # two full names that share nothing
    NONE = "none"  # nothing to compare


L = Level
AGREE = frozenset({L.FULL, L.SHORT, L.INITIAL, L.ROMANISED, L.FAMILY, L.CLIPPED, L.GIVEN, L.FIRM, L.PART, L.BRANCH})
WHOLE = frozenset({L.FULL, L.SHORT, L.FIRM})
CONTRADICT = frozenset({L.FIRMS, L.OTHER_GIVEN, L.OTHER_FAMILY, L.OTHER})

# Of the profiles that are a contact's and show so much of a name, the share in which it agrees (m of Fellegi and Sunter, 1969, given
# the form: whether somebody goes by full name or by an initial says nothing about who it is). The rest are nicknames, married names
# and mistakes. Estimates of ours, the same for every workspace; what they are set against, u, is the workspace's own.
DISPLAYED = {L.FULL: 0.85, L.SHORT: 0.12, L.INITIAL: 0.85, L.FAMILY: 0.85, L.CLIPPED: 0.85, L.GIVEN: 0.85}
IN_HANDLE = {L.FULL: 0.80, L.SHORT: 0.12, L.INITIAL: 0.70, L.FAMILY: 0.70, L.CLIPPED: 0.50, L.GIVEN: 0.50}
# In a handle that shows its words, with a further one between them.
SPACED = {level: 0.2 * share for level, share in IN_HANDLE.items()}
# Likelihood ratios of disagreement. Another given name beside the same family name is a relative or a colleague, however
# rare the family; another family name may be a marriage; wholly different words may be a pseudonym.
DISAGREE = {L.FIRMS: 0.3, L.OTHER_GIVEN: 0.05, L.OTHER_FAMILY: 0.1, L.OTHER: 0.02, L.NONE: 1.0}
NOT_IN_HANDLE = 0.5  # a handle that shows nothing of the name
_INITIALS = 12  # an initial is shared by one in twelve
_SHORTS = 3  # so many names go by one short form
_SHORTEST_INSIDE = 3
# What people put before their given name alone, and hardly anybody has for a family name.
_EPITHETS = frozenset("auntie aunty big capt captain chef coach dj its lil mama papa the tia tio uncle".split())  # noqa: SIM905
_LONGEST_INITIALS = 4  # of one family name of several words


class Likeness(Struct, frozen=True):
    """`ratio` is the likelihood ratio; `state` a state that the handle names beside the name."""

    level: Level
    ratio: float
    state: str | None = None


NOTHING = Likeness(L.NONE, 1.0)


class Shown(Struct, frozen=True):
    """How much of a name agrees, and of which given and family name; what that is worth, others who are called so say."""

    level: Level
    given: str = ""
    family: str = ""


_NOT_SHOWN = Shown(L.NONE)


def displayed(
    words: tuple[str, ...], name: ContactName, seen: Commonness, shares: Mapping[Level, float] = DISPLAYED
) -> Likeness:
    """A display name's words against a contact's name. `shares` are the m of each level."""
    return weighed(shown(words, name), seen, shares)


def shown(words: tuple[str, ...], name: ContactName) -> Shown:
    """How much of a contact's name a display name's words show."""
    if not words or not name.words:
        return _NOT_SHOWN
    joined = "".join(words)
    if joined in (name.compact, name.together) and len(name.words) > 1 and name.givens and name.families:
        return Shown(L.FULL, name.givens[0], name.families[0])
    family, others = _family_in(words, joined, name.families)
    level, given = _given_level(others, name)
    return Shown(_level(level, given, family, words, others, name), given, family or "")


def may_be_one(one: ContactName, other: ContactName, *, married: bool = False) -> bool:
    """Whether two contacts bear one name, as far as both say one: in any order, in short, by initials. `married`: or the same given name
    with another family name."""
    if not one.words or not other.words or one.compact == other.compact:
        return True
    if not set(one.organisation).isdisjoint(other.organisation):
        return True
    levels = {shown(one.words, other).level, shown(other.words, one).level}
    if not levels.isdisjoint(WHOLE) or (married and L.OTHER_FAMILY in levels):
        return True
    return not levels.isdisjoint(AGREE) and _initials_fit(one, other)


def _initials_fit(one: ContactName, other: ContactName) -> bool:
    """A. Meyer is no B. Meyer; of whoever goes by one name alone nobody can tell."""
    if not (one.families and other.families):
        return True
    return not {each[0] for each in one.givens}.isdisjoint(each[0] for each in other.givens)


def weighed(found: Shown, seen: Commonness, shares: Mapping[Level, float] = DISPLAYED) -> Likeness:
    """What it is worth that so much of a name is shown."""
    if found.level in DISAGREE:
        return Likeness(found.level, DISAGREE[found.level])
    return Likeness(found.level, shares[found.level] / _by_coincidence(found.level, found.given, found.family, seen))


# What a name that was read from another script says at most. That it differs says nothing: it may be read otherwise.
_ACROSS = {
    L.FULL: L.ROMANISED,
    L.SHORT: L.ROMANISED,
    L.INITIAL: L.FAMILY,
    L.CLIPPED: L.GIVEN,
    **dict.fromkeys(CONTRADICT, L.NONE),
}


def across_scripts(like: Likeness) -> Likeness:
    """How far two names agree of which one was read from another script. Several names are read as one, as several have one short form."""
    level = _ACROSS.get(like.level, like.level)
    if like.level in CONTRADICT:
        return NOTHING
    as_short = DISPLAYED[L.SHORT] / DISPLAYED[L.FULL] / _SHORTS
    return Likeness(level, like.ratio * as_short if like.level is L.FULL else like.ratio, like.state)


def in_halves(shown: Likeness, handle: Likeness) -> Likeness | None:
    """What is said by a display name that has the given name and a handle that has the family name after its initial: Vera M., @vmoser. None where
    the two are not such. The initials say nothing beside what begins with them."""
    if handle.level is not L.INITIAL or shown.level not in _HALVES:
        return None
    ratio = shown.ratio * handle.ratio / _INITIALS ** _HALVES[shown.level]
    return Likeness(handle.level, max(ratio, handle.ratio), handle.state)


_HALVES = {L.GIVEN: 1, L.CLIPPED: 2}  # initials that both halves show


def _family_in(words: tuple[str, ...], joined: str, families: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The fullest family name that stands among the words, and the other words. `joined`: the words without the spaces between them."""
    for family in families:
        if family not in joined:  # most do not, and need no second look
            continue
        for size in (1,) if family in words else (2, 3):
            for at in range(len(words) - size, -1, -1):
                if "".join(words[at : at + size]) == family:
                    return family, words[:at] + words[at + size :]
    return None, words


def _given_level(words: tuple[str, ...], name: ContactName) -> tuple[Level, str]:
    for given in name.givens:
        if len(given) > 1 and given in words:
            return L.FULL, given
    for given in name.givens[:2]:
        if len(given) > 1:
            for word in words:
                if len(word) > 1 and names.same_given(word, given):
                    return L.SHORT, given
    if words and name.givens:
        first, given = words[0], name.givens[0]
        if first[0] == given[0] and (len(first) == 1 or len(given) == 1):
            return L.INITIAL, given
    return L.NONE, ""


def _level(
    level: Level, given: str, family: str | None, words: tuple[str, ...], others: tuple[str, ...], name: ContactName
) -> Level:
    if family:
        if _strange_initial(level, others, name):
            return L.OTHER_GIVEN
        if level is not L.NONE:
            if _other_middle_name(given, others, name):
                return L.OTHER_GIVEN
            return L.OTHER_FAMILY if _other_second_surname(family, words, name) else level
        if name.givens:
            for each in others:
                # Virginia and Donald are names, though they are made of what stands beside names as well.
                if len(each) > 1 and (names.is_given(each) or not stands_beside(each)):
                    return L.OTHER_GIVEN
        return L.FAMILY
    if level in (L.FULL, L.SHORT):
        return _beside_a_given(words, name)
    if len(words) == 1 and name.families and not name.organisation and names.is_given(words[0]):
        return L.OTHER_GIVEN
    if level is L.INITIAL and name.families and words[1:] == (name.families[0][0],):
        return L.NONE  # Vera M. may be V. Moser, of whom no more is known
    return L.OTHER if len(words) > 1 and len(name.words) > 1 else L.NONE


def _beside_a_given(words: tuple[str, ...], name: ContactName) -> Level:
    """What a display name says beside a given name of the contact's, where the family name does not stand in it: "Orla", "Orla Q.", and of Orla
    Quennell-Moss "Orla QM"."""
    if not name.families:
        return L.GIVEN
    last = words[-1]
    if len(last) > _LONGEST_INITIALS and not name.families[0].startswith(last) and not _is_given(last, name):
        return L.OTHER_FAMILY  # most of all who are asked about
    rest = [each for each in words if each not in _EPITHETS and not _is_given(each, name)]
    if not rest:
        return L.GIVEN
    if rest[-1] in {each[0] for each in name.families} or "".join(rest) in name.initials or _is_cut(rest, name):
        return L.CLIPPED
    # A middle name of theirs, or another person.
    return L.GIVEN if {each[0] for each in name.givens}.issuperset(rest) else L.OTHER_FAMILY


def _is_cut(rest: list[str], name: ContactName) -> bool:
    """Whether what stands beside a given name is a family name that is cut short (Orla Quen), and not one by itself."""
    cut, family = rest[0], name.families[0]
    if len(rest) > 1 or not family.startswith(cut) or common_names.is_widespread(cut):
        return False
    return len(cut) >= _SHORTEST_INSIDE and len(family) - len(cut) >= _SHORTEST_INSIDE  # Lindeman is no Lindemann


def _strange_initial(level: Level, others: tuple[str, ...], name: ContactName) -> bool:
    """Whether an initial stands beside the family name that begins none of the contact's names: J. Bauer is no Peter Bauer. Beside the
    given name it says so only where the contact has a middle name: Peter K. Bauer is no Peter J. Bauer, and may be Peter Bauer."""
    initials = [each for each in others if len(each) == 1 and each not in names.PARTICLES]
    if not initials or not name.givens or (level is not L.NONE and sum(each in name.words for each in name.givens) < 2):
        return False
    begun = {each[0] for each in (*name.words, *name.givens, *name.shorts)}
    return begun.isdisjoint(initials)


def _other_middle_name(given: str, others: tuple[str, ...], name: ContactName) -> bool:
    """Whether the author shows a middle name or initial beside this given name, the contact has one too, and none of them fit: John Andrew
    Bauer is no John B. Bauer. A middle name that is known for none may be a maiden name, which not everybody knows."""
    if len(name.givens) < 2 or len(others) < 2:
        return False
    ours = [each for each in name.givens if _is_middle(each, given)]
    theirs = [each for each in others if _is_middle(each, given)]
    return bool(ours and theirs) and not any(_may_be_one_name(one, other) for one in ours for other in theirs)


def _is_middle(word: str, given: str) -> bool:
    known = (len(word) == 1 and word not in names.PARTICLES) or names.is_given(word)
    return known and not names.same_given(word, given)


def _may_be_one_name(one: str, other: str) -> bool:
    return names.same_given(one, other) or (1 in (len(one), len(other)) and one[0] == other[0])


def _other_second_surname(family: str, words: tuple[str, ...], name: ContactName) -> bool:
    """Whether the first of a contact's two surnames is followed by another word than the second: Itziar Goiko Urrutia is no Itziar Goiko Lasa."""
    surnames = [each for each in name.words if each not in name.givens and each not in names.PARTICLES]
    if len(surnames) < 2 or family not in surnames or family not in words:
        return False
    after = [each for each in words[words.index(family) + 1 :] if each not in names.PARTICLES and len(each) > 1]
    return (
        bool(after)
        and after[0] not in (*name.words, *name.families)
        and not _is_given(after[0], name)
        and unexplained(after[0]) > 0
    )


def _is_given(word: str, name: ContactName) -> bool:
    for given in name.givens:  # noqa: SIM110 - asked of every candidate, and a generator takes twice as long
        if names.same_given(word, given):
            return True
    return False


def _by_coincidence(level: Level, given: str, family: str, seen: Commonness) -> float:
    """u: how often somebody else shows this much of the name."""
    if level is L.FULL:
        return _full(given, family, seen)
    if level is L.SHORT:
        return min(_SHORTS * rarity.given(seen, given), 1.0) * rarity.family(seen, family)
    if level is L.INITIAL:
        return rarity.family(seen, family) / _INITIALS
    if level is L.CLIPPED:
        return rarity.given(seen, given) / _INITIALS
    return rarity.family(seen, family) if level is L.FAMILY else rarity.given(seen, given)


def _full(given: str, family: str, seen: Commonness) -> float:
    independent = rarity.given(seen, given) * rarity.family(seen, family)
    if common_names.is_commonest_pair(family, given):  # in whichever order
        independent = max(independent, rarity.given(seen, family) * rarity.family(seen, given))
    # Given and family names go together (Mohammed Khan): where this very pair was counted, that holds.
    return max(independent, rarity.pair(seen, given, family))


# --- handles --------------------------------------------------------------------------------------------------


def in_handle(letters: str, name: ContactName, seen: Commonness) -> Likeness:
    """A handle's letters and digits against a contact's name: the name's own parts are sought in it, and what is left over must
    be explained."""
    if not letters or not name.words:
        return NOTHING
    best = Likeness(L.NONE, NOT_IN_HANDLE)
    for family in name.families:
        if len(family) < 2 or (at := letters.find(family)) < 0:
            continue
        last = letters.rfind(family)
        for place in {at, last} if last != at else (at,):
            found = _around(letters[:place], letters[place + len(family) :], family, letters, name, seen)
            if found.ratio > best.ratio or best.level is L.NONE:
                best = found
    if best.level is L.NONE:
        best = _given_alone(letters, name, seen)
    return best


def may_be_whole(letters: str, words: tuple[str, ...], name: ContactName) -> bool:
    """Whether a handle (its letters, and its words as far as it shows them) could hold a given and a family name of this contact's:
    quickly seen, and True whenever `in_handle` or `spaced` finds it so."""
    if name.organisation:
        return True
    if not _any_in(letters, name.families):
        return False
    if _any_in(letters, name.within):
        return True
    for word in words:
        for given in name.givens[:2]:
            if names.same_given(word, given):
                return True
    return False


def _any_in(letters: str, forms: tuple[str, ...]) -> bool:
    for form in forms:  # noqa: SIM110 - asked of every candidate, and a generator takes twice as long
        if form in letters:
            return True
    return False


def _around(left: str, right: str, family: str, letters: str, name: ContactName, seen: Commonness) -> Likeness:
    level, given, left, right = _given_beside(left, right, name)
    if level is L.OTHER_GIVEN:  # johnabauer is no John B. Bauer
        return Likeness(level, DISAGREE[level])
    if level is L.FAMILY and (names.is_given(stripped(left)) or names.is_given(stripped(right))):
        return Likeness(L.OTHER_GIVEN, DISAGREE[L.OTHER_GIVEN])  # colinschmitt is no Daryl Schmitt
    if (
        level is L.FAMILY
        and not right.rstrip("0123456789")
        and left.isalpha()
        and _strange_initial(L.NONE, (left,), name)
    ):
        return Likeness(L.OTHER_GIVEN, DISAGREE[L.OTHER_GIVEN])  # kbauer
    if left in DISOWNING or right in DISOWNING:
        return Likeness(L.OTHER, DISAGREE[L.OTHER])
    odd = unexplained(left) + unexplained(right)
    if len(family) < _SHORTEST_INSIDE and (odd or level not in (L.FULL, L.SHORT)):
        return NOTHING
    chance = _by_coincidence(level, given, family, seen)
    share = IN_HANDLE[level]
    if odd:
        said = len(family) + (len(given) if level is L.FULL else 1 if level is L.INITIAL else 0)
        chance += rarity.by_chance("x" * said, len(letters))
        share *= 0.3 * 0.8**odd
    return Likeness(level, share / chance, places.state_in_handle(right))


def _given_beside(left: str, right: str, name: ContactName) -> tuple[Level, str, str, str]:
    """The level, the given name that it rests on, and what is left on both sides."""
    for level in (L.FULL, L.SHORT):
        forms = name.givens if level is L.FULL else name.shorts
        if left.endswith(forms) or right.startswith(forms):  # seldom, so that most names cost one look
            for given in [each for each in forms if len(each) > 1]:
                own = given if level is L.FULL else name.givens[0]
                if left.endswith(given):
                    return level, own, left[: -len(given)], right
                if right.startswith(given):
                    return level, own, left, right[len(given) :]
    for given in [each for each in name.givens if len(each) > 2 and each in left]:
        before, _, between = left.partition(given)
        initial = len(between) == 1 and not (
            names.is_given(given + between) and names.is_womans_form(given, given + between)
        )
        if initial or between in name.words:  # a middle name or initial
            other = initial and _other_middle_name(given, (given, between), name)
            return (L.OTHER_GIVEN if other else L.FULL), given, before, right
    for given in name.givens[:1]:
        for size in range(len(given) - 1, names.SHORTEST_CUT - 1, -1):
            if not left.endswith(given[:size]) or names.is_womans_form(given[:size], given):
                continue
            if not unexplained(left[:-size]):
                return L.SHORT, given, left[:-size], right
        first = given[0]
        initials = "".join(each[0] for each in name.givens)
        for lead in dict.fromkeys((initials, first)):
            if left.endswith(lead) and not unexplained(left[: -len(lead)]):
                return L.INITIAL, given, left[: -len(lead)], right
            if right.startswith(lead) and not unexplained(right[len(lead) :]):
                return L.INITIAL, given, left, right[len(lead) :]
    return L.FAMILY, "", left, right


def _given_alone(letters: str, name: ContactName, seen: Commonness) -> Likeness:
    for given in name.givens:
        if len(given) >= _SHORTEST_INSIDE and given in letters:
            left, _, right = letters.partition(given)
            initial = name.families[0][0] if name.families else ""
            followed = bool(initial) and right.rstrip("0123456789") == initial
            if not unexplained(left) and (followed or not unexplained(right)):
                level = L.CLIPPED if followed else L.GIVEN
                chance = _by_coincidence(level, given, "", seen)
                return Likeness(level, IN_HANDLE[level] / chance, places.state_in_handle(right))
    return Likeness(L.NONE, NOT_IN_HANDLE)


def spaced(words: tuple[str, ...], letters: Likeness, name: ContactName, seen: Commonness) -> Likeness:
    """A handle that shows its words, after what its letters alone say: a middle name does not hide the others
    (gina-hackett-curry), and another given name is another person (gayla-mckenzie)."""
    found = displayed(words, name, seen, SPACED)
    if found.level in AGREE and found.ratio > letters.ratio:
        return found
    before = words[0]
    other = (
        found.level is L.OTHER_GIVEN and len(before) > 2 and bool(unexplained(before)) and words[-1] in name.families
    )
    return Likeness(L.OTHER_GIVEN, DISAGREE[L.OTHER_GIVEN]) if other else letters
