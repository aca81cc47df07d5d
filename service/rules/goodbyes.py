"""A question inside a goodbye that no mark shows: "thanks, when will it ship". Many people write none on a telephone.

The model weighs words wherever they stand, and a goodbye is mostly goodbye. So its words are looked at in their order: English
turns verb and subject round to ask.
"""

from __future__ import annotations

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
