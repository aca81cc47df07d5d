"""Which of the contacts that share a key with an author are looked at.

Almost everybody shares a family name with somebody. Whoever shares more than that is always looked at; of those who share only
a family name, an initial or an employer, the few under the rarest keys.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from service.rules.matching.keys import K

PER_KEY = 50  # contacts under one key; one that more of them share tells nobody from another
FEW = 10  # contacts that share a weak key only
_WEAK = frozenset(map(str, (K.INITIAL, K.WORD, K.DOMAIN)))

C = TypeVar("C", bound=Hashable)


def choose(keys: Sequence[str], under: Mapping[str, Sequence[C]]) -> list[C]:
    """The contacts to look at for an author with these keys, each once. `under` holds the contacts under each key, each list in an
    order that stays the same; of a key that more than `PER_KEY` share, it may hold any `PER_KEY` + 1 of them."""
    told = [(key, found) for key in keys if 0 < len(found := under.get(key, ())) <= PER_KEY]
    chosen = dict.fromkeys(each for key, found in told if key[0] not in _WEAK for each in found)
    # A stable sort: of keys that are as rare, those of the stronger kind come first.
    for _, found in sorted(((key, found) for key, found in told if key[0] in _WEAK), key=lambda pair: len(pair[1])):
        for each in found:
            if len(chosen) >= FEW:
                return list(chosen)
            chosen[each] = None
    return list(chosen)
