"""What a deleted post said is taken out of the lines that quote it, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.redaction import GONE, RUN, redact
from service.rules.words import clip, plain

TEXT = "My order number is 4711 and it has not come. Where is it, please?"
BODY = "\n".join((
    "They asked something on X and wait since 12 March.",
    f"Ana Ferrer, 12 March at 09:00: {TEXT}",
    "Brand, 12 March at 10:00: We are looking into it for you right now.",
    "Left open: “Where is it, please?”",
    "Answer here: https://x.example/1",
))  # fmt: skip


def test_the_quote_goes_and_the_rest_of_its_line_and_of_the_body_stays() -> None:
    assert redact(BODY, [TEXT]).split("\n")[1] == f"Ana Ferrer, 12 March at 09:00: {GONE}"
    others = [line for number, line in enumerate(BODY.split("\n")) if number not in (1, 3)]
    assert [line for line in redact(BODY, [TEXT]).split("\n") if GONE not in line] == [
        *others[:2],
        *BODY.split("\n")[3:4],
        *others[2:],
    ]


@pytest.mark.parametrize("limit", [30, 60, 280])
def test_a_quote_that_was_cut_short_goes_too(limit: int) -> None:
    line = f"Ana, 12 March at 09:00: {clip(TEXT, limit)}"
    assert redact(line, [TEXT]) == f"Ana, 12 March at 09:00: {GONE}"


def test_one_sentence_out_of_it_goes_too() -> None:
    line = "What matters to them: “My order number is 4711 and it has not come.”"
    assert "4711" not in redact(line, [TEXT])
    assert redact(line, [TEXT]).startswith("What matters to them: “")


@pytest.mark.parametrize("line", ["Ana, 12 March at 09:00: Thanks", "Left open: “Thanks”"])
def test_a_short_text_goes_where_it_is_the_whole_quote(line: str) -> None:
    assert "Thanks" not in redact(line, ["Thanks"])
    assert redact("Thanks to them the wait is short.", ["Thanks"]) == "Thanks to them the wait is short."


@pytest.mark.parametrize("text", ["", "  \n ", "ا" * 5_000, "👩‍👩‍👧‍👦" * 50])
def test_no_text_is_too_odd(text: str) -> None:
    line = f"Ana, 12 March at 09:00: {clip(plain(text), 280)}"
    assert text.strip() == "" or plain(text)[:RUN] not in redact(line, [text])


@given(st.text(min_size=RUN, max_size=400), st.lists(st.text(max_size=40), max_size=4))
def test_nothing_of_it_that_could_be_told_again_is_left(text: str, others: list[str]) -> None:
    quote = clip(plain(text), 280)
    body = "\n".join([*others, f"Ana, 12 March at 09:00: {quote}"])
    left = redact(body, [text])
    whole = plain(text)
    assert not [at for at in range(len(whole) - RUN + 1) if whole[at : at + RUN] in left]


@given(st.text(max_size=300))
def test_a_body_that_quotes_nothing_is_the_same(body: str) -> None:
    assert redact(body, ["This sentence stands in no body that anybody would ever draw at random."]) == body
