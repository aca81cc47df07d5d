"""What a text wants, as probabilities: a linear model over words, pairs of words, parts of words and a few marks.

The model is a table of whole-number weights (`weights/intents.json`, made by `training/train.py`), scored by the standard
library: each word is looked up once, and the weights of all intents lie side by side in one large integer, so that one
addition adds them all. What the phrases say (`spoken.py`) and what the text replies to are marks of the model, beside its
punctuation and length. Whether an answer is wanted also depends on where a word stands ("not yet" contradicts what we said, or
nobody), and words that nobody showed the model are told by their kin in public word vectors: a word's weight holds both.

Words are English. A text in another language is weighed by its marks alone, with weights of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from html import unescape
from importlib.resources import files
from itertools import chain, pairwise
from math import exp, sqrt
from operator import add
from typing import Final, NamedTuple

from service.rules.languages import English, english
from service.rules.packed import Lanes, pack, packed, total
from service.rules.spoken import BIT, fold, in_pieces, spoken, taken_in


class Intents(NamedTuple):  # made for every text: a dataclass takes five times as long
    """Probabilities from 0 to 1, each by itself: a text may be several of these."""

    needs_answer: float  # a good brand would write an answer: a question, an open problem, a request, what it asked for
    question: float
    request: float  # wants the reader to do something
    problem: float  # something does not work, or they complain
    call: float  # asks for, offers or agrees to a talk between the two: a call, a meeting, a meal
    price: float  # asks what something costs, for a quote or a discount
    purchase: float  # wants to buy, or has just bought
    close: float  # a last polite word: nothing is open


NAMES: Final = Intents._fields
_NEEDS_ANSWER, _CALL, _PRICE, _CLOSE = map(NAMES.index, ("needs_answer", "call", "price", "close"))
_ASKING = tuple(map(NAMES.index, ("needs_answer", "question", "request", "problem", "price")))
_OFFERING = (*_ASKING, _CALL)
_NONE = 0.3  # the most
OPENS, TO_SOMEBODY, WE_ASK, WE_TELL = PLACES = ("opens", "to somebody", "we ask", "we tell")  # where a text stands
SPEAKS_OF: Final = "speaks of"  # how the marks of word classes begin
UNSURE = 0.5  # the least for a text that we have no words to judge by: silence is for a goodbye only
_LOWEST = -700.0  # log-odds: below it the exponential is more than a number can hold
LONGEST = 400  # words of a text that are weighed: what is further on says no more about it
_LANES = Lanes(len(NAMES))

_TOKENS = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[?!]+|[.…]+|[:;=]-?[()dp/|]|[\u2600-\u27bf\U0001f300-\U0001faff]")
_EMOJI = re.compile(r"[\u2600-\u27bf\U0001f300-\U0001faff]")
_LETTERED_FACE = re.compile(r"[:;=]-?[dp]")  # for the phrases its letter begins a word: ":personal"
_LINE_ENDS = frozenset("\n。")
_FOUR_DIGITS = re.compile("[0-9]{4}")
_DIGIT, _DIGITS = re.compile("[1-9]"), str.maketrans("123456789", "000000000")
_STRETCHED = re.compile(r"(.)\1{2,}")
_LEADING = re.compile(r"(?:\s*\.?@[\w.]+)*\s*")
_PRIVATE = re.compile(r"\b(?:dm|dms|pm|private message|direct message|inbox)\b", re.IGNORECASE)
_ANSWERS = dict.fromkeys(
    ["yes", "yep", "yeah", "yup", "yea", "ya", "yess", "sure", "absolutely", "definitely", "correct"], "begins with yes"
) | dict.fromkeys(["no", "nope", "nah", "not", "none", "nothing", "neither", "never"], "begins with no")
_LENGTHS = ["1-2 words"] * 3 + ["3-5 words"] * 3 + ["6-10 words"] * 5 + ["11-20 words"] * 10 + ["21-40 words"] * 20
_OVER = BIT["polite_close"] | BIT["solved"]
_FAILED, _UNREACHED, _WANTS_TALK = BIT["failed"], BIT["unreached"], BIT["wants_talk"]
_THANKS = 0.3  # the least for a goodbye, whatever else it says
_PRAISE, _RHETORIC, _PITCH, _KUDOS = (BIT[name] for name in ("praise", "rhetoric", "pitch", "kudos"))
_WANTS = _WANTS_TALK | BIT["asks"] | BIT["requests"] | BIT["problem"] | BIT["asks_price"]
# In the languages that are read by phrases alone: with one of these beside it, praise may be none, irony, or go on to a question.
_SAYING_NO = frozenset(
    """
    nicht nichts kein keine keinen nie aber leider doch pas jamais plus rien mais malheureusement no nunca nada sin pero non mai niente ma purtroppo
    nao nem mas infelizmente niet niets geen nooit maar helaas nur seulement solo alleen wieder schon seit statt encore depuis deja otra vez desde
    ancora dopo outra weer alweer sinds wenn si se als
    wo wann warum wieso welche welcher welches quand comment combien pourquoi donde cuando cuanto dove quando quanto perche onde waar wanneer waarom hoeveel
    gdzie kiedy ile dlaczego kde kdy unde cand mikor
    """.split()  # noqa: SIM905
)
_HEEDED = _UNREACHED | _RHETORIC | _PITCH | _KUDOS
_NUMBER, _PRIVATELY = "long number", "we want a private message"  # two marks
_FEW, _LONG = 5, "000000"
_SHORT = 20  # words: what a longer text says did not help is one thing of several
_KINDS = tuple(
    (bit, f"says {name}")
    for name, bit in BIT.items()
    if name not in ("tender", "broadcast", "failed", "unreached", "praise", "rhetoric", "numbered", "pitch", "kudos")
)


class Text(NamedTuple):
    """A text taken apart. `said` are the bits of its phrases (`spoken`); `words` begins with "^"; `marks` are what is true of the
    text as a whole."""

    said: int
    words: Sequence[str]
    marks: Sequence[str]
    english: bool
    phrased: (
        bool  # its phrases count besides the model: it may be in another language, or is longer than what is weighed
    )
    over: bool  # its phrases say goodbye, that all is solved, or how good something is
    place: str = OPENS  # of PLACES


def intents(
    text: str, reply_to: str | None = None, reply_to_ours: bool | None = None, *, language: str | None = None
) -> Intents:
    """How likely it is that `text` wants each of these. `reply_to` is the text of the post that it replies to, where that
    is known; `reply_to_ours` says whether that post is the brand's. `language` is a BCP 47 tag where the network says one."""
    return weigh(take_apart(text, Before.of(reply_to, reply_to_ours), language))


@dataclass(frozen=True, slots=True)
class Before:
    """What a text replies to, as the model sees it."""

    marks: tuple[str, ...] = (OPENS,)
    place: str = OPENS

    @classmethod
    def of(cls, text: str | None, ours: bool | None, *, to_all: bool = False) -> Before:
        """Of the text that is replied to: `ours` says whether it is the brand's, `to_all` that it was for everybody. What such a
        post asks, a poll say, it asks nobody in particular."""
        if not text and ours is None:
            return _NOTHING
        if ours is False:
            return _SOMEBODY
        return _TO_ALL if to_all else _ours(text or "")


_NOTHING = Before()
_SOMEBODY = Before((TO_SOMEBODY,), TO_SOMEBODY)
_TO_ALL = Before(("to us", WE_TELL, "we name nobody"), WE_TELL)


def _ours(text: str) -> Before:
    names_nobody = bool(text) and not text.lstrip().startswith("@")
    return _told(spoken(text), _PRIVATE.search(text) is not None, names_nobody)


@cache
def _told(said: int, private: bool, names_nobody: bool) -> Before:
    """`said` are the bits of a text's phrases (`spoken`): there are few different ones."""
    marks = ["to us"]
    if private:
        marks.append(_PRIVATELY)
    elif said & (BIT["asks"] | BIT["requests"]):
        marks.append(WE_ASK)
    elif said & BIT["polite_close"]:
        marks.append("we say goodbye")
    else:
        marks.append(WE_TELL)
    if said & BIT["wants_talk"]:
        marks.append("we offer a talk")
    if names_nobody:
        marks.append("we name nobody")
    return Before(tuple(marks), WE_ASK if WE_ASK in marks else WE_TELL)


def take_apart(text: str, before: Before, language: str | None) -> Text:
    """The features of a text that replies to what `before` says."""
    own, kin = _own(text, language)
    both = [f"{one} & {other}" for one in before.marks for other in own.marks]
    marks = [*before.marks, *own.marks, *both, *kin]
    return Text(own.said, own.words, marks, own.english, own.phrased, own.over, before.place)


@lru_cache(maxsize=4096)  # whoever reads signals reads cues of the same texts next: those of one batch
def _own(text: str, language: str | None) -> tuple[Text, list[str]]:
    """The features of a text by itself, and the marks of what its words speak of."""
    said, folded, pieces = taken_in(text, language)
    # What it begins with (accounts, white space) holds no word. It only decides whether "WWW.", in capitals, is seen as an address.
    if "&" in text or "www." in folded:
        text = unescape(text)
        folded = fold(text)
        pieces = in_pieces(folded)
    words = ["^", *_weighed(folded, pieces)]
    long = len(words) > LONGEST
    if long:
        words = words[: LONGEST // 2] + words[-LONGEST // 2 :]
    marks = _marks(text, folded, words, said)
    kin = list(dict.fromkeys(chain.from_iterable(map(_speaks_of, words))))
    tongue = english(words, language)
    phrased = long or tongue is not English.YES
    over = bool(said & _OVER) or (bool(said & _PRAISE) and _praises(said, words))
    return Text(said, words, marks, tongue is not English.NO, phrased, over), kin


def _praises(said: int, words: Sequence[str]) -> bool:
    """Whether a short text that praises neither asks for anything nor says no, counts or goes on to anything."""
    return not said & _WANTS and len(words) <= _SHORT and _SAYING_NO.isdisjoint(words) and "0" not in "".join(words)


def _weighed(folded: str, pieces: Sequence[str]) -> Sequence[str]:
    """The pieces of a folded text as the model knows them: without the ends of lines, its faces whole, every digit a 0."""
    # Most texts hold no colon and the like, no line end and no digit, and to see that is cheaper than to rewrite what there is.
    if (":" in folded or ";" in folded or "=" in folded) and _LETTERED_FACE.search(folded):
        pieces = _TOKENS.findall(folded)
    elif "\n" in folded or "。" in folded:
        pieces = [piece for piece in pieces if piece[0] not in _LINE_ENDS]
    if _DIGIT.search(folded):
        pieces = [piece if piece.isalpha() else piece.translate(_DIGITS) for piece in pieces]
    return pieces


def _led(text: str) -> int:
    """How many accounts a text begins by naming, as whoever speaks to somebody does on some networks."""
    start = _LEADING.match(text)
    return text.count("@", 0, start.end()) if start else 0


def _marks(text: str, folded: str, words: Sequence[str], said: int) -> list[str]:
    marks = [*_says(said)]
    if len(words) > 1 and words[1] in _ANSWERS:
        marks.append(_ANSWERS[words[1]])
    count = len(words) - 1
    marks.append(_LENGTHS[count] if count < len(_LENGTHS) else "41 words or more")
    if "?" in folded:
        # The phrases know small talk ("how are you?"), which is no question.
        marks.append("?" if said & BIT["asks"] else "small talk")
        if words[-1].startswith("?"):
            marks.append("? at the end")
    if "!" in folded:
        marks.append("!")
    if "http" in text:
        marks.append("link")
    if "#" in text:
        marks.append("hashtag")
    if "@" in text and text.count("@") > _led(text):
        marks.append("names somebody")
    if not folded.isascii() and _EMOJI.search(folded):
        marks.append("emoji")
    if _FOUR_DIGITS.search(folded) and any(word.startswith("0000") for word in words):
        marks.append(_NUMBER)
    return marks


@cache
def _says(said: int) -> tuple[str, ...]:
    """The marks of what the phrases say."""
    return tuple(mark for bit, mark in _KINDS if said & bit)


def weigh(text: Text) -> Intents:
    """The model's verdict."""
    model = _model()
    scores = _at_home(model, text) if text.english else _abroad(model, text)
    found = [1 / (1 + exp(-score)) if score > _LOWEST else 0.0 for score in scores]
    if text.said & _HEEDED:
        _heed(text, found)
    # What marks leave unclear is for a person to decide, and so is a goodbye or a reply to us that leaves something open.
    sure = text.english or text.over
    if sure and (text.said & _FAILED or text.place is not OPENS):
        sure = not _leaves_open(text, found)
    # Whoever asks for a call or a price waits for an answer, however friendly the rest of it sounds.
    found[_NEEDS_ANSWER] = max(found[_NEEDS_ANSWER], found[_CALL], found[_PRICE], 0.0 if sure else UNSURE)
    return Intents._make(found)


def _heed(text: Text, found: list[float]) -> None:
    """Takes back what the words seemed to want, where a phrase says that they do not."""
    if text.said & _UNREACHED and not text.said & _WANTS_TALK:
        found[_CALL] = 0.0  # they speak of a call that nobody took
    for intent in _wanted_by_none(text):
        found[intent] = min(found[intent], _NONE)


def _wanted_by_none(text: Text) -> Sequence[int]:
    """What a text does not want of us though its words look so: a question that is none, praise for whoever has mended something, what
    somebody asks in order to sell."""
    if text.said & _PITCH:
        return _OFFERING
    rhetoric = text.said & _RHETORIC and not text.said & _WANTS
    kudos = text.said & _KUDOS and not text.said & (_WANTS & ~BIT["problem"])
    return _ASKING if (rhetoric or kudos) and len(text.words) <= _SHORT else ()


def _leaves_open(text: Text, found: Sequence[float]) -> bool:
    """Whether a short text thanks or answers us, and says that what was tried or promised did not help; or gives us the number that we
    asked for, with thanks or without."""
    if len(text.words) > _SHORT:
        return False
    if text.said & _FAILED:
        return text.place in (WE_ASK, WE_TELL) or found[_CLOSE] >= _THANKS
    if WE_ASK not in text.marks and _PRIVATELY not in text.marks:
        # Little else than the number of something, which nobody writes for themselves.
        return "to us" in text.marks and len(text.words) <= _FEW and any(_LONG in word for word in text.words)
    return bool(text.said & BIT["numbered"]) or any("0000" in word for word in text.words)


def _at_home(model: Model, text: Text) -> Iterable[float]:
    """The log-odds by words and marks."""
    words = text.words
    said = sum(map(model.words[text.place], words)) + total(model.pairs, pairwise(words))
    told = _LANES.read(said, model.scale / sqrt(len(words)))
    return map(add, told, _LANES.read(model.bias + total(model.marks, text.marks), model.scale))


def _abroad(model: Model, text: Text) -> Iterable[float]:
    """The log-odds by marks alone."""
    return _LANES.read(model.abroad_bias + total(model.abroad, text.marks), model.scale)


def why(
    text: str,
    reply_to: str | None = None,
    reply_to_ours: bool | None = None,
    *,
    intent: str = "needs_answer",
    language: str | None = None,
    most: int = 5,
) -> list[str]:
    """The words of a text that speak most for an intent, the strongest first, for people who ask why."""
    apart = take_apart(text, Before.of(reply_to, reply_to_ours), language)
    if not apart.english:
        return []
    model, lane = _model(), NAMES.index(intent)
    weight = model.words[apart.place]
    told = [(_LANES.read(weight(word), 1.0)[lane], word) for word in apart.words]
    told += [(_LANES.read(model.pairs.get(pair, 0), 1.0)[lane], " ".join(pair)) for pair in pairwise(apart.words)]
    found = sorted({(weight, words) for weight, words in told if weight > 0 and words != "^"}, reverse=True)
    return [words.replace("^ ", "") for _, words in found[:most]]


# --- the weights ----------------------------------------------------------------------------------------------


def normal(word: str) -> str:
    """A word as the model knows it: letters that are drawn out count twice ("sooo" is "soo"), long numbers alike."""
    return _STRETCHED.sub(r"\1\1", word) if not word.startswith("0000") else "0000"


def parts(word: str) -> list[str]:
    """The parts of a word, 3 and 4 letters long, its ends marked. A word of three letters or fewer has none."""
    if len(word) < 4:
        return []
    ended = f"<{word[:30]}>"
    return [ended[at : at + size] for size in (3, 4) for at in range(len(ended) - size + 1)]


@cache
def classes() -> dict[str, list[str]]:
    """The classes of meaning (`weights/classes.txt`) that a word is in."""
    found: dict[str, list[str]] = {}
    for line in files("service.rules").joinpath("weights/classes.txt").read_text("utf-8").splitlines():
        name, colon, words = line.partition(":")
        if colon and not name.startswith("#"):
            for word in dict.fromkeys(words.split()):
                found.setdefault(word, []).append(name)
    return found


@lru_cache(maxsize=1 << 15)
def _speaks_of(word: str) -> tuple[str, ...]:
    return tuple(f"{SPEAKS_OF} {name}" for name in classes().get(normal(word), ()))


class Model:
    """The weights, packed. A weight times `scale` is in log-odds."""

    def __init__(self, stored: Mapping[str, object]) -> None:
        tables: dict[str, dict[str, list[int]]] = stored["weights"]  # type: ignore[assignment]
        self.scale = float(stored["scale"])  # type: ignore[arg-type]
        self.bias, self.abroad_bias = pack(stored["bias"]), pack(stored["abroad bias"])  # type: ignore[arg-type]
        self.marks, self.abroad = packed(tables["marks"]), packed(tables["abroad"])
        self.pairs = {tuple(name.split(" ")): weight for name, weight in packed(tables["pairs"]).items()}
        self._words, self._parts = packed(tables["words"]), packed(tables["parts"])
        self._classes, self._here, self._kin = packed(tables["classes"]), packed(tables["here"]), packed(tables["kin"])
        # A word's weight, by the place of the text that it stands in.
        self.words = {place: lru_cache(maxsize=1 << 15)(partial(self._word, place)) for place in PLACES}

    def _word(self, place: str, word: str) -> int:
        known = normal(word)
        alike = classes().get(known, ())
        anywhere = self._words.get(known, 0) + total(self._parts, parts(known)) + total(self._classes, alike)
        return anywhere + self._kin.get(known, 0) + total(self._here, here(place, known, alike))


def here(place: str, word: str, alike: Iterable[str]) -> list[str]:
    """The names, in the table of that name, of a word (as the model knows it) and of its classes in a text that stands there."""
    return [f"{place}: {word}", *[f"{place}: {SPEAKS_OF} {name}" for name in alike]]


@cache
def _model() -> Model:
    return Model(json.loads(files("service.rules").joinpath("weights/intents.json").read_text("utf-8")))
