"""Are they waiting: who was answered, rebuilt from real talks, against what is simplest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from bench import shared
from bench.figures import Figure
from bench.scale import Scale
from service.backtest.scoring import Score, score
from service.backtest.unanswered import judge, scored

Rows = Sequence[Mapping[str, str]]

GOALS = {"unanswered_twcs": 0.98, "unanswered_spotify": 0.99, "unanswered_irc": 0.87}


def measure(scale: Scale) -> list[Figure]:
    """F1 of "this was never answered" on each set."""
    figures = []
    for name, goal in GOALS.items():
        where = shared.folder(name)
        if where is None:
            continue
        messages, truth = shared.rows(where / "messages.csv"), shared.rows(where / "truth.csv")
        found = scored(judge(messages, where / "messages.csv", None), truth)["unanswered"]
        simple, what = _SIMPLE[name]
        reference = _of(simple(messages), truth)
        figures.append(
            Figure(f"{name}: F1", found.f1, "", f"{found.there} of its messages were never answered", reference.f1, what, of="value",
                   at_least=goal)
        )  # fmt: skip
    return figures


def _direct(messages: Rows) -> set[str]:
    """Answered is what a brand's post replies to."""
    return {each["in_reply_to"] for each in messages if each["inbound"] == "0" and each["in_reply_to"]}


def _named_soon(messages: Rows) -> set[str]:
    """Answered is whoever is named, by somebody else, in what is written within half an hour."""
    found = set()
    for _, group in groupby(messages, key=lambda each: each["channel_day"]):
        talk = list(group)
        times = [datetime.fromisoformat(each["created_at"]) for each in talk]
        for number, message in enumerate(talk):
            nick = message["author"].casefold()
            for other in range(number + 1, len(talk)):
                if (times[other] - times[number]).total_seconds() > 1800:
                    break
                if talk[other]["author"] != message["author"] and nick in talk[other]["text"].casefold():
                    found.add(message["message_id"])
                    break
    return found


_SIMPLE: dict[str, tuple[Callable[[Rows], set[str]], str]] = {
    "unanswered_twcs": (_direct, "direct replies only"),
    "unanswered_spotify": (_direct, "direct replies only"),
    "unanswered_irc": (_named_soon, "somebody else writes their nick within half an hour"),
}


def _of(answered: set[str], truth: Rows) -> Score:
    return score(
        (row["message_id"] not in answered, row["status"] == "unanswered")
        for row in truth
        if row["status"] in ("answered", "unanswered")
        and row.get("starts_conversation", "1") == "1"
        and row.get("near_end", "0") == "0"
    )
