"""What the phrases of a text say, before anything is weighed.

A text is read once from left to right, word by word, against the phrases of its language (`phrases.py`), so the time
taken grows with its length and nothing else: no text, however odd, makes it slow. In languages that have no table only
punctuation speaks.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import repeat
from typing import Final, NamedTuple

from service.rules.phrases import CHAT, IGNORE, LANGUAGES
from service.rules.phrases_abroad import ABROAD
from service.rules.tender import EVERYDAY, TENDER

KINDS = (
    "asks", "requests", "problem", "wants_talk", "asks_price", "polite_close", "tender", "broadcast", "solved", "failed", "unreached", "praise", "rhetoric", "numbered", "pitch", "kudos",
)  # fmt: skip
BIT: Final = {name: 1 << number for number, name in enumerate(KINDS)}
_ALL = (1 << len(KINDS)) - 1
_BIT_CHAT, _BIT_IGNORE = _ALL + 1, 0
_ASKS, _CLOSE, _SOLVED, _TENDER = (BIT[name] for name in ("asks", "polite_close", "solved", "tender"))
_OPEN = _ASKS | BIT["requests"] | BIT["problem"] | BIT["wants_talk"] | BIT["asks_price"] | BIT["failed"]
_RHETORIC = BIT["rhetoric"]
_AFTER = 3  # words behind a rhetorical question that belong to it: "how good is | this new bike"
_BROADCAST = BIT["broadcast"]
_PROBLEM, _FAILED = BIT["problem"], BIT["failed"]
_KINDS: Final = {**BIT, CHAT: _BIT_CHAT, IGNORE: _BIT_IGNORE}

# Addresses and handles say nothing, and a question mark in an address asks nothing.
# What they begin with stands first, by itself: so the search leaps from one such letter to the next.
NOISE = re.compile(r"[hHwW@#](?i:(?<=h)ttps?://\S+|(?<=w)ww\.\S+|(?<=[@#])[\w.]*\w)")
_MENTION = re.compile(r"@[\w.]*\w")
_ADDRESS = re.compile(r"(?:\s*@[\w.]*\w)+")
_PIECES = re.compile(
    r"[^\W_]++(?:'[^\W_]++)*+|[?!]+|[.…]+|[:;=]-?[()/|]|[\u2600-\u27bf\U0001f300-\U0001faff]|[。！\n]+"
)
_ASCII_PIECES = re.compile(r"[A-Za-z0-9]++(?:'[A-Za-z0-9]++)*+|[?!]+|\.+|[:;=]-?[()/|]|\n+")  # the same, and faster
_MARKS = str.maketrans({"’": "'", "‘": "'", "`": "'", "？": "?", "؟": "?", "՞": "?", "\u037e": "?", "፧": "?", "⁇": "?", "⁈": "?", "‽": "?", "¿": "\n", "¡": "\n", "ß": "ss"})  # fmt: skip
_ELIDED = frozenset("l d j m t s c n qu jusqu un all dall dell nell sull".split())  # noqa: SIM905
_ENDS = frozenset("?!.…。！\n")
_TAG = re.compile(r"#(\w+)")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_KEPT = 2_000  # characters of a text whose pieces are kept
_NUMBERED: Final = re.compile(r"#\d{4,}\b")  # likewise, written as an order's number is
_LONG_NUMBER = re.compile(r"\d{4}")  # an order's number, say: somebody asked for it
# Who begins with "thanks for" praises what they thank for, unless they say something else besides.
_THANKING = frozenset(
    """
    merci danke gracias grazie obrigado obrigada bedankt dankjewel dzieki dziekuje dziekujemy tack tak takk kiitos dekuji diky multumesc koszonom
    tesekkurler ευχαριστω спасибо дякую
    """.split()  # noqa: SIM905
)
_FOR = frozenset("pour fur por per pela pelo pelas pelos voor za for till pentru για за".split())  # noqa: SIM905
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
    return taken_in(text, language).said


class TakenIn(NamedTuple):
    """A text without the accounts that it begins by naming: what its phrases say, the text folded, and its pieces."""

    said: int
    folded: str
    pieces: Sequence[str]


def taken_in(text: str, language: str | None = None) -> TakenIn:
    """What `spoken` says of a text, with what whoever weighs its words needs next."""
    text = unaddressed(text)
    # What is longer than posts are would take memory for as long as it is kept, and nobody writes it twice.
    return (_taken_in if len(text) <= _KEPT else _taken_in.__wrapped__)(text, language)


@lru_cache(maxsize=1024)  # a team answers many people in the same words
def _taken_in(text: str, language: str | None) -> TakenIn:
    folded = fold(text)
    pieces = in_pieces(folded)
    return TakenIn(_read(text, pieces, _tables(language)), folded, pieces)


def in_pieces(folded: str) -> list[str]:
    """The words of a folded text and its marks: runs of full stops, of question and exclamation marks, faces, emoji, ends of lines."""
    return (_ASCII_PIECES if folded.isascii() else _PIECES).findall(folded)


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
    open: bool = False  # a phrase ends here, or goes on with any word

    def paths(self) -> Iterator[tuple[tuple[str, ...], int]]:
        """The words of each phrase below, and its bits."""
        for word, node in self.next.items():
            if node.bits is not None:
                yield (word,), node.bits
            yield from (((word, *words), bits) for words, bits in node.paths())


class _Tables(NamedTuple):
    """The phrases of a language, its tender ground, and words of which every tender phrase holds one."""

    said: _Node
    tender: _Node
    telling: frozenset[str]


@dataclass(slots=True)
class _Tally:
    """What has been seen so far of a text."""

    bits: int = 0
    words: int = 0
    loose: list[str] = field(default_factory=list)  # words that belong to no phrase


def _read(text: str, pieces: Sequence[str], tables: _Tables) -> int:
    seen = _Tally()
    for sentence, end in _sentences(pieces):
        bits, chat = _sentence(sentence, tables.said, seen)
        # "How are you?" is a greeting; a lone question mark is somebody who asks again.
        seen.bits |= bits | (_ASKS if end == "?" and not chat else 0)
    if len(pieces) > 1 and pieces[0] in _THANKING and pieces[1] in _FOR:
        seen.bits |= BIT["praise"]
    if "#" in text and _NUMBERED.search(text):
        seen.bits |= BIT["numbered"]
    return _settled(text, seen) | (_TENDER if _shows_tender(text, pieces, tables) else 0)


def is_tender(text: str, language: str | None = None) -> bool:
    """Whether `text` shows what is tender. As `spoken` says it, and several times faster."""
    return _is_tender(unaddressed(text), language)


@lru_cache(maxsize=1024)
def _is_tender(text: str, language: str | None) -> bool:
    return _shows_tender(text, in_pieces(fold(text)), _tables(language))


def _shows_tender(text: str, pieces: Sequence[str], tables: _Tables) -> bool:
    # Most texts hold no telling word, and to see that is many times faster than to look for phrases.
    quiet = tables.telling.isdisjoint
    for each in (pieces, *_tags(text)):
        bare = [_bare(piece) if "'" in piece else piece for piece in each]
        if quiet(bare):
            continue
        if any(not quiet(words) and _tender(words, tables.tender) for words, _ in _sentences(bare)):
            return True
    return False


def _settled(text: str, seen: _Tally) -> int:
    if not seen.bits & (_OPEN | _CLOSE | _SOLVED) and not seen.words and not seen.bits & BIT["numbered"]:
        return seen.bits | (_CLOSE if _MENTION.sub("", text).strip() and "://" not in text else 0)
    if seen.bits & _SOLVED and not seen.bits & (_OPEN & ~(_PROBLEM | _FAILED)):
        # Whoever says that it is solved needs no answer, however much is told of what the problem was.
        return seen.bits & ~(_PROBLEM | _FAILED) | _CLOSE
    return seen.bits & ~_SOLVED if _is_close(text, seen) else seen.bits & ~(_CLOSE | _SOLVED)


def _is_close(text: str, seen: _Tally) -> bool:
    """A friendly word that leaves nothing open: no more than a third of it is about anything else."""
    polite = bool(seen.bits & _CLOSE) and not seen.bits & _OPEN
    if not polite:
        return False
    left_over = sum(word not in _FILLERS for word in seen.loose)
    return (
        left_over * 3 <= max(seen.words, 6)
        and not seen.bits & BIT["numbered"]
        and not _LONG_NUMBER.search(NOISE.sub(" ", text))
    )


def _sentences(pieces: Iterable[str]) -> Iterator[tuple[list[str], str]]:
    """The words of each sentence, and the mark that ends it ("" at the end of the text)."""
    words: list[str] = []
    for piece in pieces:
        if piece.isalnum() or "'" in piece:
            words.append(piece)
        elif piece[0] in _ENDS:
            for mark in piece:
                if words or mark == "?":
                    yield words, mark
                    words = []
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
    if not words:  # as in each question mark of a hundred but the first
        return 0, False
    bits = chat = covered = closed = 0
    for at, length, found in _phrases(words, table):
        bits |= found & _BROADCAST  # whatever it stands in
        if at < closed or (at < covered and not found & _OPEN):
            continue
        # Within a wish another one counts ("could you | give me a call"); within anything else nothing does.
        bits |= found if at >= covered else found & _OPEN
        chat += length if found & _BIT_CHAT else 0
        seen.loose += words[covered:at]
        covered = max(covered, at + length)
        closed = closed if found & _OPEN else covered
    seen.loose += words[covered:]
    seen.words += len(words)
    if bits & _RHETORIC and (bits & _OPEN or len(words) - covered > _AFTER):
        bits &= ~_RHETORIC  # it goes on to something else
    return bits & _ALL, chat == len(words) or bool(bits & _RHETORIC)


def _phrases(words: Sequence[str], table: _Node) -> list[tuple[int, int, int]]:
    """The phrases in a sentence (`_begun`), with those that count at its beginning only."""
    begun, start = [*_begun(words, table)], table.next.get("^")
    opening = start.next.get(words[0], start.next.get("*")) if start else None
    if opening is None:
        return begun
    length, bits = _longest(words, 0, opening)
    at_once = begun[0][1] if begun and begun[0][0] == 0 else 0
    if length <= at_once:
        return begun
    return [(0, length, bits), *(begun[1:] if at_once else begun)]


def _tender(words: Sequence[str], table: _Node) -> bool:
    """Whether these words show what is tender, outside the everyday phrases that hold the same words."""
    everyday_until = 0
    for at, length, found in _begun(words, table):
        if found and at >= everyday_until:
            return True
        if not found:
            everyday_until = max(everyday_until, at + length)
    return False


def _tags(text: str) -> Iterator[list[str]]:
    """The pieces of each hashtag: people also tag what they are. "#BreastCancerAwareness" is three words."""
    if "#" not in text:
        return
    for tag in _TAG.findall(text):
        yield in_pieces(fold(_HUMP.sub(" ", tag).replace("_", " ")))


def _bare(word: str) -> str:
    """A word without what is glued to it by an apostrophe: "l'hopital", "union's"."""
    if "'" not in word:
        return word
    start, _, rest = word.partition("'")
    if start in _ELIDED:
        return rest
    return start if rest == "s" else word


def _begun(words: Sequence[str], table: _Node) -> Iterator[tuple[int, int, int]]:
    """Where phrases begin, in order; how many words the longest one there has; its bits."""
    nodes = map(table.next.get, words, repeat(table.next.get("*")))
    for at, (node, following) in enumerate(zip(nodes, [*words[1:], ""], strict=False)):
        # Most words begin no phrase together with the next one, and this is asked of every word of every text.
        if node is not None and (node.open or following in node.next):
            length, bits = _longest(words, at, node)
            if length:
                yield at, length, bits


def _longest(words: Sequence[str], at: int, node: _Node | None) -> tuple[int, int]:
    """How many words from `at` on the longest phrase has (0: there is none) that goes on from `node`, that of the first of them;
    and its bits."""
    length = bits = 0
    position, end = at, len(words)
    while node is not None:
        position += 1
        if node.bits is not None:
            length, bits = position - at, node.bits
        if position == end or not node.next:
            break
        node = node.next.get(words[position]) or node.next.get("*")
    return length, bits


# --- the tables, built once -----------------------------------------------------------------------------------

_SPOKEN: Final = {**ABROAD, **LANGUAGES}
_AS: Final = {"nb": "no", "nn": "no"}
_TENDER_AS: Final = {"no": "da"}  # one table tells what is tender in both


@lru_cache(maxsize=256)
def _tables(language: str | None) -> _Tables:
    """The phrases of a language, and its tender ground."""
    tag = language.partition("-")[0].lower() if language else ""
    tag = _AS.get(tag, tag)
    return _trees((tag, "en") if tag in _SPOKEN else tuple(_SPOKEN) if not tag or tag == "und" else ("en",))


@cache
def _trees(languages: tuple[str, ...]) -> _Tables:
    said, tender = _Node(), _Node()
    # English last: where a phrase means two things in two languages, both hold.
    for language in languages:
        _add(said, _SPOKEN[language], fold)
        table = _TENDER_AS.get(language, language)
        if table in TENDER:
            _add(tender, {"tender": TENDER[table], IGNORE: EVERYDAY[table]}, _bare)
    return _Tables(said, tender, _telling([words for words, bits in tender.paths() if bits], said.next.keys()))


def _telling(phrases: Sequence[Sequence[str]], ordinary: Set[str]) -> frozenset[str]:
    """Words of which each of these phrases holds one, and few other texts do: "sober", say, for all the ways to say since when.
    Which one of a phrase's words it is changes no verdict. `ordinary` are words that many texts hold."""
    shared = Counter(word for words in phrases for word in words)

    def tells(word: str) -> tuple[bool, bool, bool, int, int]:
        return word != "*", word not in _FILLERS, word not in ordinary, shared[word], len(word)

    return frozenset(max(words, key=tells) for words in phrases)


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
                    node.bits, node.open = (node.bits or 0) | _KINDS[kind], True


def _after(node: _Node, words: Iterable[str]) -> Iterator[_Node]:
    for word in words:
        node.open |= word == "*"
        yield node.next.setdefault(word, _Node()) if word else node
