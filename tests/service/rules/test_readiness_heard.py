"""What is heard in a text about a call, in words that no phrase has."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.readiness.cues import Cue
from service.rules.readiness.heard import FLOOR, LABELS, Heard, above, hear, weighed
from tests.service.rules.histories import table
from training.cue_examples import examples

EXAMPLES = list(examples())
RUN = 6  # words in a row


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("stake", "The old depot shuts in September, 30 drivers move and the directors have left the planning to me"),
        ("need", "our labels curl at the corners whenever it's damp"),
        ("terms", "What would it cost for twelve, and do you fit them too?"),
        ("talk", "could one of you come by and look at it on Thursday?"),
        ("video", "a video call would suit us better than the phone"),
        ("declines", "we've gone with another firm, thanks"),
        ("personal", "my daughter got married on Saturday, we danced until four"),
        ("chatter", "best thing on the internet today haha"),
        ("complaint", "third time you've sent the wrong one and nobody answers"),
        ("done", "that worked, thank you so much"),
        ("other", "I'm a student and looking for an internship this summer"),
    ],
)
def test_a_text_is_heard_for_what_it_is(label: str, text: str) -> None:
    assert getattr(hear(text), label) >= 0.5


@pytest.mark.parametrize(
    "text", ["saw your shop window today", "haha brilliant", "lovely photo", "thanks!", "😍", "", "good morning all"]
)
def test_in_idle_words_nothing_is_at_stake(text: str) -> None:
    found = hear(text)
    assert max(found.stake, found.need, found.terms, found.talk) < FLOOR


@given(st.text(max_size=200))
def test_whatever_is_written_has_probabilities(text: str) -> None:
    found = hear(text)
    assert all(0 <= getattr(found, label) <= 1 for label in LABELS)
    assert hear(text) == found


def test_below_the_floor_nothing_counts() -> None:
    assert above(FLOOR) == above(0.0) == 0
    assert above(1.0) == 1
    assert above(0.6) < above(0.8)


@pytest.mark.parametrize(
    ("cues", "heard", "found"),
    [
        (Cue.TALK, Heard(talk=0.3), Cue.TALK),
        (Cue.TALK, Heard(talk=0.01), Cue.NONE),
        (Cue.NONE, Heard(talk=0.95), Cue.TALK),
        (Cue.NONE, Heard(talk=0.6), Cue.NONE),
        (Cue.NO_TALK, Heard(talk=0.95), Cue.NO_TALK),
        (Cue.NONE, Heard(declines=0.95), Cue.PASSED),
        (Cue.DECLINE, Heard(declines=0.95), Cue.DECLINE),
    ],
)
def test_phrases_and_what_is_heard_are_set_against_each_other(cues: int, heard: Heard, found: int) -> None:
    assert weighed(cues, heard) == found


def test_there_are_many_examples_of_every_label_and_none_twice() -> None:
    assert len(EXAMPLES) >= 10_000
    assert len({each.text.lower() for each in EXAMPLES}) == len(EXAMPLES)
    assert all(sum(label in each.says for each in EXAMPLES) >= 50 for label in LABELS)
    assert 0 < sum(not each.says for each in EXAMPLES) < 0.05 * len(EXAMPLES), "some say nothing of all this"


def test_no_example_is_taken_from_a_history() -> None:
    """Or the histories would measure nothing."""
    told = [post["text"] for each in table() for post in each.item["posts"]]
    runs = {run for text in told for run in _runs(text)}
    assert [each.text for each in EXAMPLES if runs.intersection(_runs(each.text))] == []


def _runs(text: str) -> list[tuple[str, ...]]:
    words = re.findall(r"[\w']+", text.lower())
    return [tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1)]
