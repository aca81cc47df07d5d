"""What a goodbye says besides: a question that no mark shows ("thanks, when will it ship"), since many people write none on a
telephone, and what is meant behind a "but".

The model weighs words wherever they stand, and a goodbye is mostly goodbye. So its words are looked at in their order: English
turns verb and subject round to ask.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_ASKING = frozenset("how what when where why which who".split())  # noqa: SIM905
_OF_THINGS = frozenset("is are was were does can could will would should".split())  # noqa: SIM905
_OF_PEOPLE = _OF_THINGS | frozenset("do did have has".split())  # noqa: SIM905 - "did that", "has the best" are no questions
_PEOPLE = frozenset("i we you u they he she anyone anybody".split())  # noqa: SIM905
_THINGS = frozenset("it this that there the my your".split())  # noqa: SIM905
_ANY = frozenset("news update updates eta word chance idea ideas".split())  # noqa: SIM905
# What a question of its own follows upon, besides a mark or an emoji.
_PAUSES = frozenset("thanks thx ty cheers ok okay great cool nice perfect awesome lovely good brilliant and but also".split())  # noqa: SIM905  # fmt: skip
_TURNS = frozenset("and but".split())  # noqa: SIM905
_SAID: Final = frozenset(
    [("what", "can", "i"), ("what", "would", "i"), ("how", "is", "it"), ("how", "are", "you")]
)  # and expect no answer

_A_FEW = {True: 3, False: 2}  # words behind a "but" that say something by themselves, in English and otherwise
# Where whoever thanks goes on to what is wrong.
_TURN = {
    True: re.compile(r"\b(?:but|however|unfortunately|sadly)\b,?", re.IGNORECASE),
    False: re.compile(
        r"\b(?:aber|leider|allerdings|jedoch|mais|malheureusement|cependant|pero|lamentablemente|desafortunadamente|ma|però|purtroppo"
        r"|mas|porém|infelizmente|maar|helaas|men|tyvärr|dessverre|desværre|mutta|valitettavasti|ale|niestety|bohužel|ama|maalesef|dar|din păcate"
        r"|но|однако|к сожалению|але|на жаль|tapi|sayangnya|but)\b,?",
        re.IGNORECASE,
    ),
}


def after_turn(text: str, *, english: bool) -> str:
    """What is meant where somebody thanks and goes on: the words behind the last "but", if they are any to speak of."""
    before, *rest = _TURN[english].split(text)
    last = rest[-1].strip() if rest and before.strip() else ""
    return last if len(last.split()) >= _A_FEW[english] else ""


def asks_further(words: Sequence[str]) -> bool:
    """Whether a goodbye asks something besides. `words` are those of the model, in order: folded, the first is "^"."""
    padded = [*words, "", ""]
    return any(_asks(padded[max(0, at - 2) : at], padded[at : at + 3]) for at in range(1, len(words)))


def _asks(before: Sequence[str], here: Sequence[str]) -> bool:
    first, second, third = here
    if first in _ASKING:
        turned = _turned(second, third) and tuple(here) not in _SAID
        return turned or (not second and before[-1] in _TURNS)
    return _pauses(before) and (_turned(first, second) or (first == "any" and second in _ANY))


def _turned(verb: str, subject: str) -> bool:
    return (verb in _OF_PEOPLE and subject in _PEOPLE) or (verb in _OF_THINGS and subject in _THINGS)


def _pauses(before: Sequence[str]) -> bool:
    last = before[-1]
    return last in _PAUSES or (not last[0].isalnum() and last != "^") or tuple(before) == ("thank", "you")
