"""What the phrases of a text say, before anything is weighed.

A text is read once from left to right, word by word, against the phrases of its language (`phrases.py`), so the time
taken grows with its length and nothing else: no text, however odd, makes it slow. In languages that have no table only
punctuation speaks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Final

from service.rules.phrases import CHAT, IGNORE, LANGUAGES
from service.rules.tender import EVERYDAY, TENDER

KINDS = ("asks", "requests", "problem", "wants_talk", "asks_price", "polite_close", "tender", "broadcast", "solved")
BIT: Final = {name: 1 << number for number, name in enumerate(KINDS)}
_ALL = (1 << len(KINDS)) - 1
_BIT_CHAT, _BIT_IGNORE = _ALL + 1, 0
_ASKS, _CLOSE, _SOLVED, _TENDER = (BIT[name] for name in ("asks", "polite_close", "solved", "tender"))
_OPEN = _ASKS | BIT["requests"] | BIT["problem"] | BIT["wants_talk"] | BIT["asks_price"]
_BROADCAST = BIT["broadcast"]
_KINDS: Final = {**BIT, CHAT: _BIT_CHAT, IGNORE: _BIT_IGNORE}

# Addresses and handles say nothing, and a question mark in an address asks nothing.
NOISE = re.compile(r"https?://\S+|www\.\S+|[@#][\w.]*\w", re.IGNORECASE)
_MENTION = re.compile(r"@[\w.]*\w")
_ADDRESS = re.compile(r"(?:\s*@[\w.]*\w)+")
_TOKENS = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[?!.…。！\n]")
_MARKS = str.maketrans({"’": "'", "‘": "'", "`": "'", "？": "?", "؟": "?", "՞": "?", "\u037e": "?", "፧": "?", "⁇": "?", "⁈": "?", "‽": "?", "¿": "\n", "¡": "\n", "ß": "ss"})  # fmt: skip
_ELIDED = frozenset("l d j m t s c n qu jusqu un all dall dell nell sull".split())  # noqa: SIM905
_ENDS = frozenset("?!.…。！\n")
_TAG = re.compile(r"#(\w+)")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LONG_NUMBER = re.compile(r"\d{4}")  # an order's number, say: somebody asked for it
# Words that a last polite word may hold besides its phrases.
_FILLERS = frozenset(
    """
    a all am an and are as at be been for from guys have help her him his i i'm im in is it it's its me mate man much my now of oh on our quick
    response reply so sir team that that's the their them then there they this to too u ur us very was we were will with you your yours you're y'all
    really just always again today tonight appreciate support service folks everyone he she hi hello hey dear ma'am love
    die der das und fur ihr euch dir sehr hilfe schnelle le la les et pour votre ton de du el los por tu su y il lo per e o voor de het een
    """.split()  # noqa: SIM905
)


def spoken(text: str, language: str | None = None) -> int:
    """The bits (`BIT`) of what the phrases of `text` say. `language` is a BCP 47 tag where the network says one; without
    it, the phrases of every language count."""
    return _spoken(unaddressed(text), language)


@lru_cache(maxsize=1024)  # a team answers many people in the same words
def _spoken(text: str, language: str | None) -> int:
    return _read(text, *_tables(language))


def unaddressed(text: str) -> str:
    """A text without the accounts that it begins by naming. They say nothing (see NOISE), and two people who are told the same
    are told so in one text."""
    named = _ADDRESS.match(text)
    return text[named.end() :] if named else text


@dataclass(slots=True)
class _Node:
    """One word of a phrase; `bits` is not None where a phrase ends here."""

    next: dict[str, _Node] = field(default_factory=dict)
    bits: int | None = None


@dataclass(slots=True)
class _Tally:
    """What has been seen so far of a text."""

    bits: int = 0
    words: int = 0
    left_over: int = 0  # words that belong to no phrase and are no fillers


def _read(text: str, table: _Node, tender: _Node) -> int:
    seen = _Tally()
    tender_bit = _TENDER if any(_tender(words, tender) for words in _tags(text)) else 0
    for sentence, end in _sentences(text):
        bits, chat = _sentence(sentence, table, seen)
        if not tender_bit and _tender([*map(_bare, sentence)], tender):
            tender_bit = _TENDER
        # "How are you?" is a greeting; a lone question mark is somebody who asks again.
        seen.bits |= bits | (_ASKS if end == "?" and not chat else 0)
    return _settled(text, seen) | tender_bit


def is_tender(text: str, language: str | None = None) -> bool:
    """Whether `text` shows what is tender. As `spoken` says it, and several times faster."""
    return _is_tender(unaddressed(text), language)


@lru_cache(maxsize=1024)
def _is_tender(text: str, language: str | None) -> bool:
    _, tender = _tables(language)
    return any(_tender(words, tender) for words in _tags(text)) or any(
        _tender([*map(_bare, sentence)], tender) for sentence, _ in _sentences(text)
    )


def _settled(text: str, seen: _Tally) -> int:
    if not seen.bits & (_OPEN | _CLOSE | _SOLVED) and not seen.words:
        return seen.bits | (_CLOSE if _MENTION.sub("", text).strip() and "://" not in text else 0)
    if seen.bits & _SOLVED and not seen.bits & (_OPEN & ~BIT["problem"]):
        # Whoever says that it is solved needs no answer, however much is told of what the problem was.
        return seen.bits & ~BIT["problem"] | _CLOSE
    return seen.bits & ~_SOLVED if _is_close(text, seen) else seen.bits & ~(_CLOSE | _SOLVED)


def _is_close(text: str, seen: _Tally) -> bool:
    """A friendly word that leaves nothing open: no more than a third of it is about anything else."""
    polite = bool(seen.bits & _CLOSE) and not seen.bits & _OPEN
    return polite and seen.left_over * 3 <= max(seen.words, 6) and not _LONG_NUMBER.search(NOISE.sub(" ", text))


def _sentences(text: str) -> Iterator[tuple[list[str], str]]:
    """The words of each sentence, folded, and the mark that ends it ("" at the end of the text)."""
    words: list[str] = []
    for piece in _TOKENS.findall(fold(text)):
        if piece in _ENDS:
            if words or piece == "?":
                yield words, piece
                words = []
        else:
            words.append(piece)
    if words:
        yield words, ""


def fold(text: str) -> str:
    if "@" in text or "/" in text or "#" in text or "www." in text:
        text = NOISE.sub(" ", text)
    text = text.lower()
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text.translate(_MARKS))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _sentence(words: list[str], table: _Node, seen: _Tally) -> tuple[int, bool]:
    """The bits of one sentence, and whether it is nothing but a greeting or a flourish."""
    bits = chat = covered = closed = 0
    start, begins = table.next.get("^"), table.next
    anything = "*" in begins
    for at, word in enumerate(words):
        # Most words begin no phrase, and this is asked of every word of every text.
        length, found = _longest(words, at, table) if anything or word in begins else (0, 0)
        if at == 0 and start is not None:
            length, found = max((length, found), _longest(words, 0, start), key=lambda each: each[0])
        bits |= found & _BROADCAST  # whatever it stands in
        if at < closed or (at < covered and not found & _OPEN):
            continue
        if length:
            # Within a wish another one counts ("could you | give me a call"); within anything else nothing does.
            bits |= found if at >= covered else found & _OPEN
            chat += length if found & _BIT_CHAT else 0
            covered = max(covered, at + length)
            closed = closed if found & _OPEN else covered
        elif word not in _FILLERS:
            seen.left_over += 1
    seen.words += len(words)
    return bits & _ALL, bool(words) and chat == len(words)


def _tender(words: Sequence[str], table: _Node) -> bool:
    """Whether these words show what is tender, outside the everyday phrases that hold the same words."""
    everyday_until = 0
    for at, word in enumerate(words):
        if word in table.next:
            length, found = _longest(words, at, table)
            if found and at >= everyday_until:
                return True
            if length and not found:
                everyday_until = max(everyday_until, at + length)
    return False


def _tags(text: str) -> Iterator[list[str]]:
    """The words of each hashtag: people also tag what they are. "#BreastCancerAwareness" is three words."""
    if "#" not in text:
        return
    for tag in _TAG.findall(text):
        yield [*map(_bare, _TOKENS.findall(fold(_HUMP.sub(" ", tag).replace("_", " "))))]


def _bare(word: str) -> str:
    """A word without what is glued to it by an apostrophe: "l'hopital", "union's"."""
    if "'" not in word:
        return word
    start, _, rest = word.partition("'")
    if start in _ELIDED:
        return rest
    return start if rest == "s" else word


def _longest(words: Sequence[str], at: int, node: _Node) -> tuple[int, int]:
    """How many words from `at` on the longest phrase below `node` has (0: there is none), and its bits."""
    here = node.next.get(words[at]) or node.next.get("*")
    length = bits = 0
    position = at
    while here is not None:
        position += 1
        if here.bits is not None:
            length, bits = position - at, here.bits
        if position == len(words):
            break
        here = here.next.get(words[position]) or here.next.get("*")
    return length, bits


# --- the tables, built once -----------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _tables(language: str | None) -> tuple[_Node, _Node]:
    """The phrases of a language, and its tender ground."""
    tag = language.partition("-")[0].lower() if language else ""
    return _trees((tag, "en") if tag in LANGUAGES else tuple(LANGUAGES) if not tag or tag == "und" else ("en",))


@cache
def _trees(languages: tuple[str, ...]) -> tuple[_Node, _Node]:
    said, tender = _Node(), _Node()
    # English last: where a phrase means two things in two languages, both hold.
    for language in languages:
        _add(said, LANGUAGES[language])
        _add(tender, {"tender": TENDER[language], IGNORE: EVERYDAY[language]}, _bare)
    return said, tender


def _add(
    root: _Node, phrases: Mapping[str, tuple[str, ...]], written: Callable[[str], str] = lambda word: word
) -> None:
    """Every way to write each phrase: a token of it is one of the words between its bars, or none where there is nothing between them."""
    for kind, texts in phrases.items():
        for text in texts:
            ends = [root]
            for token in text.split():
                words = {written(word) if word else "" for word in token.split("|")}
                ends = list({id(node): node for end in ends for node in _after(end, words)}.values())
            for node in ends:
                if node is not root:
                    node.bits = (node.bits or 0) | _KINDS[kind]


def _after(node: _Node, words: Iterable[str]) -> Iterator[_Node]:
    for word in words:
        yield node.next.setdefault(word, _Node()) if word else node
