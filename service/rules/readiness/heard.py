"""What a seller would hear in one text, as probabilities: a linear model over its words, pairs and parts of words, classes of
words, a few marks, and what the phrases say (`cues`).

The phrases know what their authors have thought of; the model also knows kin of that. Its table (`weights/cues.json`) is learnt
by `training/cues.py` from examples of our own, and scored here by the standard library.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from operator import add
from typing import Any, Final, NamedTuple

from service.rules.intents import Before, normal, parts, take_apart
from service.rules.packed import Lanes, pack, packed, total
from service.rules.readiness.cues import LONGEST, Cue, read_cues


class Heard(NamedTuple):
    """Probabilities from 0 to 1, each by itself: a text may be several of these."""

    stake: float = 0.0  # something of weight is in motion: a date, money, who decides, a choice, growth, being stuck
    need: float = 0.0  # a need, plan or problem of their own that the brand could help with
    terms: float = 0.0  # asks what it would cost, take or mean for them
    talk: float = 0.0  # asks for a live talk, or takes one up
    video: float = 0.0  # on video
    declines: float = 0.0  # no call, not now, or decided otherwise
    personal: float = 0.0  # news and feelings of their own
    chatter: float = 0.0  # praise and jokes without substance
    complaint: float = 0.0
    done: float = 0.0  # solved, or a last word
    other: float = 0.0  # wants something else than to buy: work, an interview, our money, our custom


LABELS: Final = Heard._fields
NOTHING: Final = Heard()
_LANES: Final = Lanes(len(LABELS))
_CUES: Final = tuple(
    (bit, f"phrase {name.lower()}") for name, bit in vars(Cue).items() if name.isupper() and name != "NONE"
)
_CLASSES: Final = "weights/cue_classes.txt"
_WEIGHTS: Final = "weights/cues.json"


# A phrase holds unless next to nothing is heard of it. What is heard holds without a phrase where it is likelier than not;
# a wish to talk, which is enough by itself, where it is heard clearly, and so a no, which stands against everything.
_WITH_PHRASE: Final = 0.04
_WITHOUT: Final[Mapping[int, tuple[str, float]]] = {
    Cue.TALK: ("talk", 0.85),
    Cue.VIDEO: ("video", 0.5),
    Cue.COMPLAINT: ("complaint", 0.7),
    Cue.NO_BUYER: ("other", 0.55),
}
_SENTENCE_ENDS: Final = re.compile(r"(?<=[.!?…])\s+|\n+")
_PASSED: Final = 0.8
FLOOR: Final = 0.3  # below it is what any text has: it adds nothing, however much of it there is


def above(probability: float) -> float:
    """What a probability has above the floor, 0 to 1."""
    return max(0.0, (probability - FLOOR) / (1 - FLOOR))


def clearest_wish(text: str, heard: Heard, language: str | None = None) -> Heard:
    """What was heard in a text, and how clearly a wish to talk stands in one of its sentences, where next to none is heard in the whole: what
    somebody tells before it would drown it."""
    if heard.talk >= _WITH_PHRASE or not read_cues(text) & Cue.TALK:
        return heard
    said = (each for each in _SENTENCE_ENDS.split(text[:LONGEST]) if read_cues(each) & Cue.TALK)
    return heard._replace(talk=max([heard.talk, *(hear(each, language).talk for each in said)]))


def hears_wish(text: str, language: str | None = None) -> bool:
    """Whether a wish to talk is heard so clearly in a text that it holds without a phrase."""
    return hear(text, language).talk >= _WITHOUT[Cue.TALK][1]


def weighed(cues: int, heard: Heard) -> int:
    """The cues of a text, where the model knows of them too."""
    for cue, (name, enough) in _WITHOUT.items():
        likely: float = 0.0 if cue == Cue.TALK and cues & Cue.NO_TALK else getattr(heard, name)
        cues = cues | cue if likely >= (_WITH_PHRASE if cues & cue else enough) else cues & ~cue
    if heard.declines >= _PASSED and not cues & (Cue.DECLINE | Cue.LATER):
        cues |= Cue.PASSED
    return cues


@lru_cache(maxsize=4096)
def hear(text: str, language: str | None = None) -> Heard:
    """What is heard in `text`, in any language; in those that the model has few words of, by phrases and marks. `language` is a
    BCP 47 tag where the network says one."""
    words, marks = apart(text, language)
    if len(words) < 2:
        return NOTHING
    model = _model()
    said = sum(map(model.word, words)) + sum(filter(None, map(model.pairs.get, pairwise(words))))
    told = _LANES.read(said, model.scale / math.sqrt(len(words)))
    shown = _LANES.read(model.bias + total(model.marks, marks), model.scale)
    return Heard._make(map(_probability, map(add, told, shown)))


def apart(text: str, language: str | None = None) -> tuple[Sequence[str], list[str]]:
    """The words of a text, the first one "^", and the marks that it bears, as the model sees them."""
    short = text[:LONGEST]
    taken = take_apart(short, Before(()), language)
    cues = read_cues(short)
    return taken.words, [*taken.marks, *(mark for bit, mark in _CUES if cues & bit)]


def named(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The features of the words, each as the table and the name that it has there."""
    for word in words:
        known = normal(word)
        yield "words", known
        yield from (("parts", part) for part in parts(known))
        yield from (("classes", name) for name in kin().get(known, ()))
    yield from (("pairs", f"{one} {other}") for one, other in pairwise(words))


@cache
def kin() -> Mapping[str, Sequence[str]]:
    """The classes that a word is in."""
    found: dict[str, list[str]] = {}
    for line in files("service.rules").joinpath(_CLASSES).read_text("utf-8").splitlines():
        name, colon, words = line.partition(":")
        if colon and not name.startswith("#"):
            for word in dict.fromkeys(words.split()):
                found.setdefault(word, []).append(name)
    return found


class _Model:
    """The weights, packed, one for each label. A weight times `scale` is in log-odds."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        scale, tables = float(stored["scale"]), stored["weights"]
        if tuple(stored["labels"]) != LABELS:
            raise ValueError(f"{_WEIGHTS} was learnt for other labels; learn it again with training/cues.py.")

        self.scale = scale
        self.bias = pack(stored["bias"])
        self.marks = packed(tables["marks"])
        self.pairs = {tuple(name.split(" ")): weights for name, weights in packed(tables["pairs"]).items()}
        self._tables = {name: packed(tables[name]) for name in ("words", "parts", "classes")}
        self.word = lru_cache(maxsize=1 << 14)(self._word)

    def _word(self, word: str) -> int:
        return sum(self._tables[table].get(name, 0) for table, name in named([word]))


def _probability(odds: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


@cache
def _model() -> _Model:
    return _Model(json.loads(files("service.rules").joinpath(_WEIGHTS).read_text("utf-8")))
