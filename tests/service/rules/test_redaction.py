"""What a deleted post said is taken out of the lines that quote it, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.records import TaskKind
from service.rules.model import Finding, Person, Signals
from service.rules.redaction import GONE, RUN, redact
from service.rules.wording import closing_line, draft
from service.rules.words import clip, moment, plain
from tests.service.rules.making import MONDAY, answer, post

TEXT = "My order number is 4711 and it has not come. Where is it, please?"
BODY = "\n".join((
    "They asked something on X and wait since 12 March.",
    f"Ana Ferrer, 12 March at 09:00: {TEXT}",
    "Brand, 12 March at 10:00: We are looking into it for you right now.",
    "Left open: “Where is it, please?”",
    "Answer here: https://x.example/1",
))  # fmt: skip


def test_the_quote_goes_and_the_rest_of_its_line_and_of_the_body_stays() -> None:
    before, after = BODY.split("\n"), redact(BODY, [TEXT]).split("\n")
    assert after[1] == f"Ana Ferrer, 12 March at 09:00: {GONE}"
    assert after[3] == f"Left open: “{GONE}"
    assert [after[at] for at in (0, 2, 4)] == [before[at] for at in (0, 2, 4)]


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


LONGER = "Hi all, greetings from the coast! My name is Zorba. Is Zorba welcome? Thanks."


@pytest.mark.parametrize("sentence", ["Is Zorba welcome?", "My name is Zorba.", "Thanks."])
def test_a_short_sentence_out_of_a_longer_text_goes_where_it_is_quoted_and_nowhere_else(sentence: str) -> None:
    assert redact(f"Left open: “{sentence}”", [LONGER]) == f"Left open: “{GONE}"
    ours = f"They asked what to do. {sentence}"
    assert redact(ours, [LONGER]) == ours


SAID = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["https://net.test/q1", "https://w.test/d", "+351 555", "Is Zorba welcome?", "We need 30 desks by Friday.", "ok", "Could you call me?", "Thanks! ", "…", "A price?"]),
)  # fmt: skip


@given(st.lists(SAID, max_size=8).map(" ".join))
def test_whatever_a_task_quotes_of_a_text_is_found_nowhere_in_it_afterwards(text: str) -> None:
    asked = post("q1", MONDAY, text, author_name="Ana")
    finding = Finding(TaskKind.READY_FOR_CALL, "q1", MONDAY, MONDAY, MONDAY, ("They keep talking.",), 60, ("q1",))
    person = Person("Ana", handle="ana", network="Birdsong", phone="+351 555", company="Acme", title="Owner")
    body = draft(finding, person, talk=[asked], text_mode="quote", done_url="https://w.test/d", timezone="UTC").body
    labels = (f"Ana, {moment(MONDAY, 'UTC')}: ", "Left open: “", "What matters to them: “")
    for line, left in zip(body.split("\n"), redact(body, [text]).split("\n"), strict=True):
        label = next((each for each in labels if line.startswith(each)), None)
        if label is None:
            assert left == line
        else:
            assert left.endswith(GONE)
            assert label.startswith(left.removesuffix(GONE))


# --- our own lines --------------------------------------------------------------------------------------------

PHONE, DONE_URL, LINK = "+49 30 123456", "https://w.test/done/4711/0123456789", "https://net.test/profile/ana/post/1"
SHORT_LINK = "https://net.test/1"


def drafted(kind: TaskKind, text: str, link: str = LINK, name: str = "Ana") -> str:
    """The body of a task that quotes a post of this text, a question on no tender ground."""
    asked = post("q1", MONDAY, text, author_name=name, url=link, signals=Signals(asks=True))
    finding = Finding(kind, "q1", MONDAY, MONDAY, MONDAY, ("They wait.",), 60, ("q1",))
    person = Person("Ana", handle="ana", network="Birdsong", phone=PHONE)
    return draft(finding, person, talk=[asked], text_mode="quote", done_url=DONE_URL, timezone="UTC").body


@pytest.mark.parametrize("kind", TaskKind)
@pytest.mark.parametrize(
    ("text", "link"),
    [(SHORT_LINK, SHORT_LINK), (LINK, LINK), (f"{LINK}0 says it", LINK), (PHONE, LINK), (f"{DONE_URL}?x=1", LINK)],
)
def test_a_link_or_a_number_that_was_said_goes_where_it_is_quoted_and_not_out_of_our_own_lines(
    kind: TaskKind, text: str, link: str
) -> None:
    body = drafted(kind, text, link)
    before, after = body.split("\n"), redact(body, [text]).split("\n")
    ours = [line for line in before if line.startswith(("Answer here: ", "The talk so far: ", "Phone: ", "No "))]
    assert len(ours) == (2 if kind is TaskKind.UNANSWERED else 3)
    assert [line for line in after if line in ours] == ours
    assert f"Ana, 2 March at 09:00: {text}" in before
    assert f"Ana, 2 March at 09:00: {GONE}" in after
    assert not [line for line in after if text in line and line not in ours]


def test_the_line_that_says_where_somebody_answered_stays_as_well() -> None:
    line = closing_line(answer("a", MONDAY, url=SHORT_LINK), "UTC")
    assert line.endswith(SHORT_LINK)
    assert redact(line, [SHORT_LINK]) == line


CANARY = "Quixotic"
# People may call themselves, and write, what our own lines are made of.
PARTS = ["Answer here: ", "The talk so far:", "Phone: ", "Phone:", "No reply needed? ", "No call needed?", "Answered on 3 May at 09:00: ",
    "Answered", " on 2 March at 09:00", ", 2 March at 09:00: ", ": ", " ", ",", "https://net.test/", "“", "\n", "?", "." ]  # fmt: skip
MIXED = st.lists(st.one_of(st.sampled_from(PARTS), st.text(max_size=5)), max_size=4).map("".join)


@given(st.sampled_from(TaskKind), st.one_of(MIXED, st.text(max_size=80)), MIXED, MIXED)
def test_whatever_somebody_calls_themselves_their_words_are_never_taken_for_a_line_of_ours(
    kind: TaskKind, name: str, before: str, after: str
) -> None:
    text = f"{before}{CANARY}{after}"
    body = drafted(kind, text, name=name)
    assert CANARY in body
    assert CANARY not in redact(body, [text])


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
