"""Sorting out patterns finds what trying each of them finds."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.readiness.cues import _SIEVES, folded
from service.rules.readiness.sieve import Sieve, loosened

WORDS = (  # noqa: SIM905
    "call me us you could we talk not now please my director says wants the boss phone a number of before friday 40 seats urgent budget"
    " ruf mich an telefonieren rappelez moi llamame can't don't sure not sure then nonsense our cfo head of sales is stuck still ? , . 20k"
    " straße größe ñandú привет 電話 ٣٠ l'offre o'clock"
).split()
TEXTS = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join) | st.text(max_size=60)


def everything(patterns: list[tuple[int, re.Pattern[str]]], text: str) -> int:
    found = 0
    for key, pattern in patterns:
        found |= key if pattern.search(text) else 0
    return found


@pytest.mark.parametrize("english", [True, False])
@given(text=TEXTS)
def test_no_phrase_is_lost_by_sorting_out(english: bool, text: str) -> None:
    sieve, plain = _SIEVES[english], folded(text)
    assert sieve.found(plain) == everything(sieve._patterns, plain)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"(?<![\w'])(?:talk(?! nonsense))(?!\w)", "we talk nonsense", False),
        (r"(?<![\w'])(?:talk(?! nonsense))(?!\w)", "we talk business", True),
        (r"(?<![\w'])(?:(?<!not )sure)(?!\w)", "not sure", False),
        (r"(?<![\w'])(?:my \w+ says)(?!\w)", "my größe says", True),
        (r"(?<![\w'])(?:\d+ seats)(?!\w)", "٣٠ seats", True),
        (r"(?<![\w'])(?:(?:[\w'-]+ ){0,3}call)(?!\w)", "a b c call", True),
    ],
)
def test_what_is_found_is_what_the_pattern_says(pattern: str, text: str, found: bool) -> None:
    compiled = re.compile(pattern)
    assert bool(compiled.search(text)) is found
    assert Sieve(lambda: [(1, compiled)]).found(text) == found


def test_a_pattern_is_loosened_and_never_tightened() -> None:
    assert loosened(r"(?<![\w'])(?:head (?=wants|says)\w+ \(\d\)\b)(?!\w)") == r"(?:head \S+ \(\pN\))"


def test_two_patterns_of_one_key_say_it_once() -> None:
    patterns = [(4, re.compile("call")), (4, re.compile("ring")), (8, re.compile("never"))]
    assert Sieve(lambda: patterns).found("call or ring") == 4


def test_half_an_emoji_is_no_trouble() -> None:
    assert Sieve(lambda: [(1, re.compile("call"))]).found("call \ud83d") == 1


def test_no_pattern_is_made_before_a_text_is_looked_at() -> None:
    made: list[str] = []

    def patterns() -> Iterator[tuple[int, re.Pattern[str]]]:
        made.append("made")
        yield 1, re.compile("call")

    sieve = Sieve(patterns)
    assert made == []
    assert [sieve.found(text) for text in ("call", "ring")] == [1, 0]
    assert made == ["made"]
