"""What one text says: a question, a request, a problem, a wish to talk, a last polite word.

Signals are stored in place of the text, so they are all that later decisions see of it. Most are a probability of the
model (`intents.py`) held against a threshold; `tender`, `solved` and `broadcast` are phrases and facts. In a language that
the model has no words of, phrases and punctuation speak, and what they leave unclear counts as needing an answer, with a
low percentage: a person decides.
"""

from __future__ import annotations

import re
from dataclasses import fields, replace
from functools import cache, lru_cache
from typing import Final

from service.rules.goodbyes import after_turn, asks_further
from service.rules.intents import NAMES, Before, Intents, Text, take_apart, weigh
from service.rules.model import Signals
from service.rules.readiness.cues import wants_no_call
from service.rules.spoken import BIT

MANY = 6  # accounts named in one text: more than a talk has, it is an announcement
MANY_HASHTAGS = 5  # likewise: they are for strangers to find it
_HASHTAG: Final = re.compile(r"#\d*[^\W\d]")
# Where a probability becomes a signal: one half, where being wrong either way is as likely. What counts as a request or as
# a wish to buy is wider in the sets that those two are learnt from (a good half of the texts), hence more.
THRESHOLDS: Final = {
    "asks": ("question", 0.5),
    "requests": ("request", 0.7),
    "problem": ("problem", 0.5),
    "wants_talk": ("call", 0.5),
    "asks_price": ("price", 0.5),
    "needs_answer": ("needs_answer", 0.5),
    "buys": ("purchase", 0.8),
}
CLOSE_AT = 0.5  # a text is a last polite word from here on,
OPEN_AT = 0.35  # unless it needs an answer with this probability: silence is only for what is surely closed
SURELY_NOT = 0.2
_PERCENT_AT = 32  # the lowest of the seven bits that hold the percentage
ALONE: Final = 1 << 39  # of a stored mask: what the text replies to was not there when it was read
_BITS: Final = {each.name: 1 << number for number, each in enumerate(fields(Signals)) if each.name != "answer_percent"}
_FLAGS = sum(_BITS.values())
_JUDGED: Final = tuple((NAMES.index(intent), least, _BITS[signal]) for signal, (intent, least) in THRESHOLDS.items())
_PHRASED: Final = {BIT[name]: _BITS[name] for name in ("asks", "requests", "problem", "wants_talk", "asks_price")}
_OPEN = _BITS["asks"] | _BITS["requests"] | _BITS["problem"] | _BITS["wants_talk"] | _BITS["asks_price"]
_CLOSE, _SOLVED, _TENDER, _BROADCAST, _NEEDS_ANSWER, _WANTS_TALK = (
    _BITS[name] for name in ("polite_close", "solved", "tender", "broadcast", "needs_answer", "wants_talk")
)


def read(
    text: str, *, mentions: int = 0, is_repost: bool = False, language: str | None = None, reply_to: str | None = None,
    reply_to_ours: bool | None = None, reply_to_all: bool = False, to_others: bool = False,
) -> Signals:  # fmt: skip
    """What `text` says. `mentions` is how many accounts it names; `language` a BCP 47 tag where the network says one
    (without it, the phrases of every language count); `reply_to` the text of the post that it replies to, where that is
    held, `reply_to_ours` whether the brand wrote that one, and `reply_to_all` whether for everybody; `to_others` says that it names
    others, and none of us, before it says anything: whatever they are asked or told, we are not."""
    apart = take_apart(text, Before.of(reply_to, reply_to_ours, to_all=reply_to_all), language)
    said, found = apart.said, weigh(apart)
    if to_others:
        return from_mask(
            _CLOSE
            | (said & BIT["tender"] and _TENDER)
            | round(100 * min(found.needs_answer, SURELY_NOT)) << _PERCENT_AT
        )
    mask = _judged(found, said, apart) | (said & BIT["tender"] and _TENDER)
    if said & BIT["solved"] and not mask & (_OPEN & ~_BITS["problem"]) and not mask & _NEEDS_ANSWER:
        mask |= _SOLVED
    if mask & _WANTS_TALK and wants_no_call(text):
        mask &= ~_WANTS_TALK  # what it speaks of it does not want
    if is_repost or mentions >= MANY or _many_hashtags(text) or text.startswith("RT @"):
        mask |= _BROADCAST
    if said & BIT["broadcast"] and not mask & _NEEDS_ANSWER:
        mask |= _BROADCAST
    if mask & _CLOSE and (rest := after_turn(text, english=apart.english)):
        meant = read(
            rest, mentions=mentions, is_repost=is_repost, language=language, reply_to=reply_to, reply_to_ours=reply_to_ours,
            reply_to_all=reply_to_all,
        )  # fmt: skip
        if meant.needs_answer or meant.problem:
            return replace(meant, tender=meant.tender or bool(mask & _TENDER))
    return from_mask(mask | round(100 * found.needs_answer) << _PERCENT_AT)


def _many_hashtags(text: str) -> bool:
    """Whether it is for strangers to find. Numbers ("#10023", an order) are no hashtags on any network."""
    return text.count("#") >= MANY_HASHTAGS and len(_HASHTAG.findall(text)) >= MANY_HASHTAGS


def _judged(found: Intents, said: int, text: Text) -> int:
    mask = 0
    for at, least, bit in _JUDGED:
        if found[at] >= least:
            mask |= bit
    if found.needs_answer < SURELY_NOT and not said & BIT["problem"]:
        mask &= ~_BITS["problem"]  # "you never disappoint": what surely needs no answer complains of nothing
    if text.said & BIT["failed"] and mask & _NEEDS_ANSWER:
        mask |= _BITS["problem"]
    if text.phrased:
        for phrase, bit in _PHRASED.items():
            mask |= bit if said & phrase else 0
    if "small talk" in text.marks:
        mask &= ~_BITS["asks"]
    closing = said & BIT["polite_close"] or found.close >= CLOSE_AT
    if closing and found.needs_answer < OPEN_AT and not mask & _OPEN:
        further = text.english and asks_further(text.words)
        mask = mask | _BITS["asks"] if further else (mask | _CLOSE) & ~_BITS["buys"]
    return mask


@lru_cache(maxsize=4096)  # texts say the same few things
def to_mask(signals: Signals) -> int:
    """The signals as a number: a bit for each that is yes or no, the first field lowest, and the percentage above them."""
    flags = sum(bit for name, bit in _BITS.items() if getattr(signals, name))
    return flags | signals.answer_percent << _PERCENT_AT


def from_mask(mask: int) -> Signals:
    """The signals that this number holds. Bits of a newer version are left out."""
    return _from_bits(mask & _FLAGS, min(mask >> _PERCENT_AT & 127, 100))


@cache
def _from_bits(flags: int, percent: int) -> Signals:
    return Signals(**{name: bool(flags & bit) for name, bit in _BITS.items()}, answer_percent=percent)
