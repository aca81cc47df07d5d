"""How far a display name or a handle says an organisation's name."""

from __future__ import annotations

from service.rules.matching import rarity
from service.rules.matching.fillers import unexplained
from service.rules.matching.keys import K
from service.rules.matching.naming import NOTHING, Level, Likeness
from service.rules.matching.person import ContactName
from service.rules.matching.rarity import Commonness

# m: of the accounts that are an organisation's, the share that shows its name as it is, with a small word beside it, shortened word by
# word, and with something unexplained beside it.
_WHOLE, _WITH_FILLER, _SHORTENED, _WITH_MORE = 0.40, 0.20, 0.05, 0.10
# How many accounts that are not the organisation's own go by such a name: a squatter, a local branch, an admirer, a product of theirs.
_RELATED, _RELATED_WITH_FILLER, _RELATED_SHORTENED, _RELATED_WITH_MORE = 0.001, 0.003, 0.05, 0.10
# And by a name that the CRM tells apart in brackets, "Acme (reseller)": whoever it is told apart from.
_RELATED_TOLD_APART = 1.0
_A_LETTER = 0.8  # each unexplained letter makes it less likely that the rest is meant
_MOST_LETTERS = 6
_SHORTEST_INSIDE = 4


def likeness(letters: str, name: ContactName, seen: Commonness) -> Likeness:
    """A handle or display name, as letters and digits, against an organisation's name. The likeliest reading counts."""
    best = max(
        (_containing(letters, form, name.told_apart, seen) for form in name.organisation),
        key=lambda each: each.ratio,
        default=NOTHING,
    )
    shortened = _shortened(letters, name, seen)
    return shortened if shortened.ratio > best.ratio else best


def _containing(letters: str, form: str, told_apart: str, seen: Commonness) -> Likeness:
    at = letters.find(form)
    if at < 0:
        return NOTHING
    before, after = letters[:at], letters[at + len(form) :]
    # What the CRM says in brackets is no filler, and tells which of those who bear the name is meant.
    beside = [each for each in (before, after) if each != told_apart]
    unsaid = bool(told_apart) and len(beside) == 2 and told_apart not in form
    odd = sum(unexplained(each, firm=True) for each in beside)
    if odd and len(form) < _SHORTEST_INSIDE:
        return NOTHING
    if odd:
        m, related = _WITH_MORE * _A_LETTER ** min(odd, _MOST_LETTERS), _RELATED_WITH_MORE
    else:
        m, related = (_WITH_FILLER, _RELATED_WITH_FILLER) if before or after else (_WHOLE, _RELATED)
    related = _RELATED_TOLD_APART if unsaid else related
    chance = rarity.by_chance(form, len(letters) if odd else 1) + rarity.strangers(seen, f"{K.SURNAME}:{form}", related)
    return Likeness(Level.PART if odd or unsaid else Level.FIRM, m / min(chance, 1.0))


def _shortened(letters: str, name: ContactName, seen: Commonness) -> Likeness:
    """A name whose words are cut short one by one: "uniofaberdeen", "royalastrosoc"."""
    cut = _cut_short(letters, name.words)
    if cut is None:
        return NOTHING
    # Where each word was cut could have been otherwise.
    chance = rarity.by_chance(letters, 2 ** len(name.words)) + rarity.strangers(seen, "", _RELATED_SHORTENED)
    return Likeness(Level.PART, _SHORTENED / min(chance, 1.0))


def _cut_short(letters: str, words: tuple[str, ...]) -> int | None:
    """How many words a handle cuts short, where it is made of beginnings of these words in their order and one of them is long
    enough to be recognised. None where it is not."""
    if len(words) < 2 or not letters.startswith(words[0][0]):
        return None
    rest, cut, longest = letters, 0, 0
    for word in words:
        size = _common_start(rest, word)
        if size == 0 and len(word) > 3:
            return None
        cut += size < len(word)
        longest = max(longest, size)
        rest = rest[size:]
    return cut if not rest and cut and longest >= _SHORTEST_INSIDE else None


def _common_start(one: str, other: str) -> int:
    size = 0
    while size < min(len(one), len(other)) and one[size] == other[size]:
        size += 1
    return size
