"""What the intents are learnt from: examples of our own (`training/examples/*.tsv`), and four public sets whose licences
allow it (see NOTICE). A text that also stands in a set kept for evaluation is left out."""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from service.rules.intents import NAMES

EXAMPLES = Path(__file__).parent / "examples"
# The words of the examples' first column, by the intent that each means. What is not said is not meant.
SAYS = {"answer": "needs_answer"} | {name: name for name in NAMES if name != "needs_answer"}
KEPT_FOR_EVALUATION = ("text_call_intent", "text_needs_answer", "text_needs_answer_400")

# Intents of the assistant's set that are last words, and those that a customer would bring to a brand.
_LAST_WORDS = {"thank_you", "goodbye"}
_TO_A_BRAND = {
    "order_status", "report_lost_card", "international_fees", "interest_rate", "credit_limit", "application_status", "exchange_rate",
    "how_busy", "restaurant_reservation", "car_rental", "rollover_401k", "schedule_maintenance", "apr",
}  # fmt: skip
_PAGE = 3000  # lines of chat: enough for the words that questions are made of


@dataclass(frozen=True, slots=True)
class Sample:
    """A text and what is known of it: an intent that `truth` does not name was not asked about."""

    text: str
    truth: Mapping[str, bool]
    source: str
    reply_to: str = ""
    reply_to_ours: bool | None = None
    weight: float = 1.0
    language: str | None = field(default=None)


def samples(shared: Path | None) -> list[Sample]:
    """Everything to learn from; only our own examples where `shared` is None."""
    found = list(own())
    if shared is not None:
        data = shared / "data"
        kept = {_plain(row["text"]) for name in KEPT_FOR_EVALUATION for row in _rows(data / name / "messages.csv")}
        found += [each for each in _public(data) if _plain(each.text) not in kept]
    return found


def own() -> Iterator[Sample]:
    """Our own examples. A brand's answer names whom it answers on some networks and not on others; both are shown."""
    for path in sorted(EXAMPLES.glob("*.tsv")):
        for number, row in enumerate(_rows(path, "excel-tab")):
            by, before = row["written_by"], row["in_reply_to"]
            if by == "brand" and number % 3:
                before = f"@customer {before}"
            language = "en" if path.stem != "languages" else None
            yield Sample(
                row["text"], _truth(row), "own", before, None if not by else by != "customer", language=language
            )


def _truth(row: Mapping[str, str]) -> dict[str, bool]:
    """A word with a question mark ("problem?") was not asked about. Whatever needs an answer and has a question mark is a
    question; whether one that needs none is a question (a joke, an advertisement) was not asked about."""
    said = set(row["says"].split())
    if "?" in row["text"]:
        said |= {"question" if "answer" in said else "question?"}
    return {name: word in said for word, name in SAYS.items() if f"{word}?" not in said}


def _public(data: Path) -> Iterator[Sample]:
    talks = _talks()
    for row in _rows(data / "text_requests_email" / "messages.csv"):
        truth = {"request": row["label"] == "request"}
        if talks.get(row["id"]) != "unclear":
            truth["call"] = row["id"] in talks
        yield Sample(row["text"], truth, "mail", language="en")
    for row in _rows(data / "text_purchase_tweets" / "messages.csv"):
        if row["label"] != "unclear":
            yield Sample(row["text"], {"purchase": row["label"] == "purchase_intent"}, "phones", language="en")
    for row in _rows(data / "text_intents_assistant" / "messages.csv"):
        if row["label"] in _LAST_WORDS:
            yield Sample(
                row["text"],
                {"needs_answer": False, "close": True, "problem": False},
                "assistant",
                weight=0.3,
                language="en",
            )
        elif row["label"] in _TO_A_BRAND:
            yield Sample(row["text"], {"needs_answer": True, "close": False}, "assistant", weight=0.3, language="en")
    yield from _chat(data / "unanswered_irc" / "messages.csv")


def _talks() -> dict[str, str]:
    """What we say of single sentences of the mail set, by their number."""
    found: dict[str, str] = {}
    for line in (EXAMPLES / "mail_talks.txt").read_text("utf-8").splitlines():
        said, colon, numbers = line.partition(":")
        if colon and not line.startswith("#"):
            found |= dict.fromkeys(numbers.split(), said)
    return found


def _chat(path: Path) -> Iterator[Sample]:
    """Lines of a help channel: one that ends in a question mark is a question, also when the mark is left out, as people
    often do. A line without one is none, unless it begins like one."""
    lines = [row["text"] for row in _rows(path) if 3 <= len(row["text"].split()) <= 30]
    chance = random.Random(7)  # noqa: S311 - which lines are shown, the same each time
    for text in chance.sample(lines, min(_PAGE, len(lines))):
        text = re.sub(r"^[\w|`\[\]-]+[:,]\s+", "", text)
        if asks := text.rstrip().endswith("?"):
            text = text.rstrip("? ") if chance.random() < 0.5 else text
        elif "?" in text or re.match(
            r"(?:so |hi |hey )?(?:how|what|why|where|when|who|which|is|are|do|does|can|could|any)\b",
            text,
            re.IGNORECASE,
        ):
            continue
        yield Sample(text, {"question": asks}, "chat", weight=0.3, language="en")


def _rows(path: Path, dialect: str = "excel") -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        quoting = csv.QUOTE_NONE if dialect == "excel-tab" else csv.QUOTE_MINIMAL
        return list(csv.DictReader(file, dialect=dialect, quoting=quoting))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w]+", " ", text.lower()).split())
