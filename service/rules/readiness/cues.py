"""What one text says about a call, beyond its signals: a wish, a refusal, a delay, and what its author is in the middle of.

Read from the text where it is still held; where it was erased, the stored signals alone speak (`from_signals`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache, partial
from typing import Final

from service.rules.model import Signals
from service.rules.readiness import circumstances, phrases
from service.rules.readiness.sieve import Sieve
from service.rules.spoken import unaddressed

LONGEST = 2_000  # characters: nobody says more in the part that matters, and time stays in bounds


class Cue:
    """One bit each: plain numbers, because a flag of the `enum` module costs as much as looking for its phrases."""

    NONE: Final = 0
    TALK: Final = 1 << 0  # wishes for a live talk
    NO_TALK: Final = 1 << 1  # speaks of a call that is none of ours: other people's, or a saying
    VIDEO: Final = 1 << 2  # on video
    OFFER: Final = 1 << 3  # offers one (ours) ...
    AGREED: Final = 1 << 4  # confirms a time (ours)
    YES: Final = 1 << 5  # ... or takes up an offer (theirs)
    DECLINE: Final = 1 << 6  # would rather not, or has decided otherwise
    LATER: Final = 1 << 7  # not now
    DEADLINE: Final = 1 << 8  # names a day by which something must be
    SCALE: Final = 1 << 9  # names how many
    AUTHORITY: Final = 1 << 10  # somebody who decides, or the money, is in it
    DECISION: Final = 1 << 11  # wants it, has chosen, is changing something
    STUCK: Final = 1 << 12  # writing does not get them further
    URGENT: Final = 1 << 13
    COMPLAINT: Final = 1 << 14
    NO_BUYER: Final = 1 << 15  # wants something else than to buy
    JOKE: Final = 1 << 16
    WRONG: Final = 1 << 17  # meant somebody else
    PRICE: Final = 1 << 18
    OWN_AFFAIRS: Final = 1 << 19  # tells of themselves, asks, or names a number: no mere remark
    PHONE: Final = 1 << 20  # gives a telephone number
    PASSED: Final = 1 << 21  # lets it pass, in words that no phrase has: heard, never read
    NOT_CALLED: Final = 1 << 22  # speaks of it that they are not to be called (either side)
    BROKEN: Final = 1 << 23  # something does not work that should
    SOLVED: Final = 1 << 24  # what was the matter is over
    MOURNING: Final = 1 << 25  # somebody of theirs has died
    BELATED: Final = 1 << 26  # begs pardon for a late answer
    OF_OTHERS: Final = 1 << 27  # speaks of those who serve them now, or did before
    BOUGHT: Final = 1 << 28  # has signed, ordered or paid without a call


# What shows that more is at stake than a pleasant talk, and what each adds to the case for a call.
NEED = (Cue.DECISION, Cue.AUTHORITY, Cue.DEADLINE, Cue.STUCK, Cue.URGENT, Cue.SCALE, Cue.PRICE)
ANY_NEED: Final = sum(NEED)

_TABLES: Mapping[int, Mapping[str, tuple[str, ...]]] = {
    Cue.VIDEO: phrases.VIDEO,
    Cue.OFFER: phrases.OFFER,
    Cue.AGREED: phrases.AGREED,
    Cue.YES: phrases.YES,
    Cue.DECLINE: phrases.DECLINE,
    Cue.LATER: phrases.LATER,
    Cue.DEADLINE: phrases.DEADLINE,
    Cue.SCALE: phrases.SCALE,
    Cue.AUTHORITY: phrases.AUTHORITY,
    Cue.DECISION: phrases.DECISION,
    Cue.STUCK: phrases.STUCK,
    Cue.URGENT: phrases.URGENT,
    Cue.COMPLAINT: phrases.COMPLAINT,
    Cue.NO_BUYER: phrases.NO_BUYER,
    Cue.JOKE: phrases.JOKE,
    Cue.WRONG: phrases.WRONG,
    Cue.NOT_CALLED: phrases.NOT_CALLED,
    Cue.BROKEN: circumstances.BROKEN,
    Cue.SOLVED: circumstances.SOLVED,
    Cue.BOUGHT: circumstances.BOUGHT,
    Cue.MOURNING: circumstances.MOURNING,
    Cue.BELATED: circumstances.BELATED,
    Cue.OF_OTHERS: circumstances.ABOUT_OTHERS,
}
_MARKS = str.maketrans({"’": "'", "‘": "'", "`": "'", "ß": "ss"})
_NOISE = re.compile(r"https?://\S+|www\.\S+|@[\w.]*\w")
# Behind a country's two letters stands a VAT number or an IBAN.
_PHONE = re.compile(r"(?<!\b[A-Z]{2} )(?<![\w.,])\+?\(?\d[\d ()/.-]{7,}\d(?!\w)")
_OWN = re.compile(
    r"[?\d]|\b(?:i|i'm|i've|my|we|we're|we've|our|us|ich|wir|mein\w*|unser\w*|uns|je|j'|nous|notre|nos|mon|mes|yo|mi|nuestr\w+|nos|tenemos|io|noi|mio|nostr\w+|abbiamo|eu|meu|minha|noss\w+|temos|ik|wij|we|onze|ons|mijn)\b"
)
_LAUGHTER = re.compile("[\U0001f602\U0001f923\U0001f639\U0001f644\U0001f61c\U0001f609\U0001f61d\U0001f436\U0001f43e]")


_GAP = r"(?:[\w'-]+ ){0,3}"


def _compiled(table: Mapping[str, tuple[str, ...]], english: bool) -> re.Pattern[str] | None:
    """The phrases of English, or those of all other languages together."""
    found = [each for language, patterns in table.items() if (language == "en") == english for each in patterns]
    if not found:
        return None
    joined = "|".join(f"(?:{each})" for each in found)
    for name in ("uncounted", "month", "session", "chief", "later", "write", "call", "talk", "you", "day", "us", "n"):
        joined = joined.replace(f"<{name}>", phrases.WORDS[name])
    joined = joined.replace("~", _GAP)
    return re.compile(rf"(?<![\w'])(?:{joined})(?!\w)")


def _patterns(english: bool, *cues: int) -> Iterator[tuple[int, re.Pattern[str]]]:
    tables = {**_TABLES, Cue.TALK: phrases.TALK, Cue.NO_TALK: phrases.NO_TALK}
    for cue in cues or tables:
        if (pattern := _compiled(tables[cue], english)) is not None:
            yield cue, pattern


# The phrases of English, and those of all other languages together; and what we say ourselves, in any.
_SIEVES = {english: Sieve(partial(_patterns, english)) for english in (True, False)}
_SAID_BY_US = (Cue.OFFER, Cue.AGREED, Cue.NOT_CALLED)
_OURS = Sieve(lambda: [*_patterns(True, *_SAID_BY_US), *_patterns(False, *_SAID_BY_US)])
# Words that hold an English sentence together and stand in no other language that there are phrases for.
_ENGLISH = frozenset(
    "the and you it my our with this that are they can could your what how would not but from if when there please about any get".split()  # noqa: SIM905
)
_WORD = re.compile(r"\w+")
_ENGLISH_SHARE = 6  # one word in so many: then it is English, and words of other languages in it are chance


@lru_cache(maxsize=4096)
def read_cues(text: str) -> int:
    """What `text` says, in any of the languages that there are phrases for."""
    plain = folded(text[:LONGEST])
    found = _read(plain, english=True)
    if not _is_english(plain):
        found |= _read(plain, english=False)
    if _PHONE.search(text):
        found |= Cue.PHONE
    if _OWN.search(plain):
        found |= Cue.OWN_AFFAIRS
    return found | Cue.JOKE if _LAUGHTER.search(text) else found


def read_ours(text: str) -> int:
    """What a text of ours says: only whether it offers a call, confirms a time, or speaks of a mark against calls."""
    return _read_ours(unaddressed(text[:LONGEST]))


@lru_cache(maxsize=4096)  # a team answers many people in the same words
def _read_ours(text: str) -> int:
    return _OURS.found(folded(text))


def at_stake(text: str) -> int:
    """How much of what could need a call stands in a text: how many kinds of need."""
    cues = read_cues(text)
    return sum(bool(cues & cue) for cue in NEED)


def may_wish(text: str) -> bool:
    """Whether a text could hold a wish to talk: what is quickly seen, so that most texts need not be read."""
    plain = folded(text[:LONGEST])
    if _stands(Cue.TALK, plain, english=True) or _PHONE.search(plain):
        return True
    return not _is_english(plain) and _stands(Cue.TALK, plain, english=False)


def _stands(cue: int, plain: str, *, english: bool) -> bool:
    return any(key == cue and pattern.search(plain) for key, pattern in _SIEVES[english].may(plain))


def _is_english(plain: str) -> bool:
    return sum(map(_ENGLISH.__contains__, _WORD.findall(plain))) * _ENGLISH_SHARE >= len(plain.split())


def _read(plain: str, *, english: bool) -> int:
    may = dict(_SIEVES[english].may(plain))
    talk, no_talk, mark = may.pop(Cue.TALK, None), may.pop(Cue.NO_TALK, None), may.pop(Cue.NOT_CALLED, None)
    plain, marks = mark.subn(" . ", plain) if mark else (plain, 0)
    found = sum(cue for cue, pattern in may.items() if pattern.search(plain)) | _marked(marks, talk, plain)
    live, others = no_talk.subn(" . ", plain) if no_talk else (plain, 0)
    if talk and talk.search(live):
        return found | Cue.TALK
    return found | Cue.NO_TALK if others else found


def _marked(marks: int, talk: re.Pattern[str] | None, rest: str) -> int:
    """What it says to speak of a mark against calls: a no, unless the rest of the text asks for one."""
    if not marks:
        return Cue.NONE
    return Cue.NOT_CALLED if talk and talk.search(rest) else Cue.NOT_CALLED | Cue.DECLINE


def wants_no_call(text: str) -> bool:
    """Whether a text asks for no call, and for no video meeting instead."""
    return read_cues(text) & (Cue.DECLINE | Cue.VIDEO) == Cue.DECLINE


def from_signals(signals: Signals) -> int:
    """What the signals of a text say, which outlive the text."""
    talk = Cue.TALK if signals.wants_talk else Cue.NONE
    return talk | Cue.PRICE if signals.asks_price else talk


def no_buyer(bio: str) -> bool:
    """Whether a profile says that its owner writes for another reason than to buy: work, study, the press, sales."""
    pattern = _bio() if bio else None
    return pattern is not None and pattern.search(folded(bio)) is not None


def wants_no_calls(bio: str) -> bool:
    """Whether a profile says that its owner takes no calls."""
    pattern = _no_calls() if bio else None
    return pattern is not None and pattern.search(folded(bio)) is not None


def begins_with_no(text: str) -> bool:
    """Whether an answer begins with a no, in any language: to what, only the question tells."""
    plain = folded(text[:LONGEST]).lstrip(" .,!-")
    none, *noes = _noes()
    return none.match(plain) is None and any(pattern.match(plain) is not None for pattern in noes)


def mourns(text: str) -> bool:
    """Whether a text speaks of a death among its author's own."""
    return bool(read_cues(text) & Cue.MOURNING)


def is_errand(text: str) -> bool:
    """Whether a text of ours asks them to write, send or look for something."""
    pattern = _errand()
    return pattern is not None and pattern.search(folded(text[:LONGEST])) is not None


@cache
def _errand() -> re.Pattern[str] | None:
    return _compiled(phrases.ERRAND, True)


@cache
def _noes() -> list[re.Pattern[str]]:
    """What begins like a no and is none, and after that what is one."""
    found = (
        _compiled(circumstances.NO_MATTER, True),
        *(_compiled(circumstances.NO_AT_FIRST, en) for en in (True, False)),
    )
    return [pattern for pattern in found if pattern is not None]


@cache
def _no_calls() -> re.Pattern[str] | None:
    return _compiled(circumstances.NO_CALLS_BIO, True)


@cache
def _bio() -> re.Pattern[str] | None:
    return _compiled(phrases.NO_BUYER_BIO, True)


def preload() -> None:
    """Makes ready what reads texts, for a process that is to be forked or will be asked to."""
    for sieve in (*_SIEVES.values(), _OURS):
        sieve.found("")
    _bio()
    _errand()
    _noes()
    _no_calls()


def folded(text: str) -> str:
    if not text.isascii() or "`" in text:
        text = text.translate(_MARKS)
    lowered = " ".join(_NOISE.sub(" ", text.lower()).split())
    if lowered.isascii():
        return lowered
    decomposed = unicodedata.normalize("NFKD", lowered)
    return "".join(char for char in decomposed if not unicodedata.combining(char))
