"""How a profile speaks of a firm: as where somebody works, as where they worked once, or not of the firm at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache

from service.rules import names


class Named(Enum):
    """From nothing to plainly, so that the most can be taken."""

    NOT = 0  # a word like any other ("what's next"), or denied ("not the one from Acme")
    LEFT = 1  # "ex-Acme"
    PERHAPS = 2  # where capitals tell a name from a word, these do not: "Apple lover", "next big thing"
    PLAINLY = 3


_SENTENCES = re.compile(r"[.!?]+(?=\s|$)|[;:|•·\n()\[\]–—]|\s-\s")
_CLAUSES = re.compile(r"[,/]")
_WORD = re.compile(r"([@#]?)([^\W_]+)")
# In the spelling of `service.rules.names`.
_BEFORE = re.compile(
    r"\b(ex|former|formerly|previous|previously|prev|past|was|worked|left|retired|ehemals|ehemalig\w*|fruher\w*|vormals|ancien|ancienne|anciennement"
    r"|antes|antigu?[ao]|exfuncionari[ao]|gia|voorheen|tidligere|tidigare|dawniej|byl[yaei]|eski)\b"
)
_SINCE = re.compile(r"\b(now|currently|today|jetzt|heute|actuellement|ahora|agora|ora|adesso|nu|teraz)\b")
_ALUMNI = frozenset({"alum", "alumna", "alumni", "alumnus"})
_DENIED = re.compile(
    r"\b(not(?! (?:for profit|just|only)\b)|no longer|no more|never|nicht|kein\w*|pas|jamais|nunca|nao|ya no|no soy|no trabajo|niet|geen|inte|ikke|nie)\b"
)
_OPINIONS = frozenset("mine opinion opinions own posts tweets views".split())  # noqa: SIM905 - not those of Acme, where they work
_AT = frozenset("at bei bij chez hos presso".split())  # noqa: SIM905


@lru_cache(maxsize=4_096)  # colleagues have one firm, and an author's text is asked of each of them
def named(firm: tuple[str, ...], texts: tuple[str, ...]) -> Named:
    """How texts of a profile speak of a firm that stands in them; `firm` are its words. Where it is not found within one clause, such as
    that of a comma in its name, it is taken to be named plainly."""
    found = [each for text in texts for each in _in_text(firm, text)]
    return max(found, key=lambda each: each.value, default=Named.PLAINLY)


def _in_text(firm: tuple[str, ...], text: str) -> Iterator[Named]:
    cased = text not in (text.lower(), text.upper())
    opinions = not _OPINIONS.isdisjoint(names.words(text))
    for sentence in _SENTENCES.split(text):
        yield from _in_sentence(firm, sentence, cased=cased, opinions=opinions)


def _in_sentence(firm: tuple[str, ...], sentence: str, *, cased: bool, opinions: bool) -> Iterator[Named]:
    left = False
    for clause in _CLAUSES.split(sentence):
        words = names.words(clause)
        alone = words == firm
        before = _words_before(firm, words)
        # Of "ex-Grell, Acme" all were left.
        left = (left and alone) or _left(" ".join(words if before is None else before))
        if before is None:
            continue
        if not opinions and _DENIED.search(" ".join(before)):
            yield Named.NOT
        elif left or not _ALUMNI.isdisjoint(words[len(before) + len(firm) :][:1]):
            yield Named.LEFT
        else:
            yield _as_a_name(firm[0], clause, cased) if len(firm) == 1 else Named.PLAINLY


def _words_before(firm: tuple[str, ...], words: tuple[str, ...]) -> tuple[str, ...] | None:
    size = len(firm)
    return next((words[:at] for at in range(len(words) - size + 1) if words[at : at + size] == firm), None)


def _left(said: str) -> bool:
    return any(not _SINCE.search(said, each.end()) for each in _BEFORE.finditer(said))


def _as_a_name(firm: str, clause: str, cased: bool) -> Named:
    """Whether a firm of one word is written as names are: with a capital within a sentence, as @acme, or where somebody is at it."""
    found = [("", ""), *[each.groups() for each in _WORD.finditer(clause)], ("", "")]
    written = [
        _written(mark, word, before, after, cased)
        for (_, before), (mark, word), (_, after) in zip(found, found[1:], found[2:], strict=False)
        if names.words(word) == (firm,)
    ]
    return max(written, key=lambda each: each.value, default=Named.PLAINLY)


def _written(mark: str, word: str, before: str, after: str, cased: bool) -> Named:
    if mark or before.lower() in _AT or word.lower() == word.upper():
        return Named.PLAINLY
    if not cased:
        # FPT by itself is a name; in MIND THE GAP it is a word among others.
        return Named.PLAINLY if word.isupper() and not before and not after else Named.PERHAPS
    if word[0].islower():
        return Named.NOT
    return Named.PERHAPS if not before and after[:1].islower() else Named.PLAINLY
