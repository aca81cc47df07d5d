"""What is said of one message: was it answered, does it need an answer, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from service.rules.model import Signals
from service.rules.signals import read
from service.rules.words import ACTS
from service.sentences import count_of

COLUMNS = ("message_id", "unanswered", "needs_answer", "reasons")
LIKELY = 0.5  # probabilities are calibrated: from here on, yes is the likelier
_GOES_ON = "It goes on with what its author is waiting for."
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Judged:
    id: str
    unanswered: bool
    needs_answer: bool
    reasons: tuple[str, ...]

    def as_row(self) -> dict[str, object]:
        """The message as a row of COLUMNS."""
        return {
            "message_id": self.id,
            "unanswered": int(self.unanswered),
            "needs_answer": int(self.needs_answer),
            "reasons": " ".join(self.reasons),
        }


class Context(NamedTuple):
    """What a message stands in."""

    reply_to: str = ""  # the text that it replies to, where that is known
    ours: bool | None = None  # whether a brand wrote that
    to_all: bool = False  # and for everybody
    to_others: bool = False  # it begins by naming others, and no brand
    goes_on: bool = False  # with what its author wrote before, which waits for an answer still


def needs_answer(text: str, context: Context) -> tuple[bool, tuple[str, ...]]:
    """Whether a text wants an answer, and why."""
    signals = read(
        text, reply_to=context.reply_to or None, reply_to_ours=context.ours, reply_to_all=context.to_all, to_others=context.to_others
    )  # fmt: skip
    if context.to_others:
        return False, ("It speaks to somebody else.",)
    goes_on = context.goes_on and not (signals.needs_answer or signals.polite_close or signals.solved)
    return signals.needs_answer or goes_on, (*_why(signals), *((_GOES_ON,) if goes_on else ()))


def _why(signals: Signals) -> Iterator[str]:
    did = next((words for name, _, words in ACTS if getattr(signals, name)), None)
    if did:
        yield f"Its author {did}."
    elif signals.polite_close:
        yield "It is a last polite word."
    yield f"That it needs an answer has a probability of {signals.answer_percent} %."


def answered_line(who: str, asked: datetime, at: datetime, *, direct: bool) -> str:
    """Who answered, and how long that took."""
    what = "Answered" if direct else "Answered further on in the talk"
    return f"{what} by {who} after {span(at - asked)}."


def waiting_line(brands: Sequence[str], since: datetime, now: datetime) -> str:
    """Who has not answered."""
    if not brands:
        return "It speaks to no brand that is in the file."
    return f"It speaks to {' or '.join(brands)}, and in {span(now - since)} nobody there has answered."


def probably_line(chance: float) -> str:
    """How sure the links are, in a channel where nobody marked them."""
    return f"That somebody else answered it has a probability of {round(chance * 100)} %."


def span(length: timedelta) -> str:
    """A length of time in its largest unit: "8 minutes", "3 days"."""
    for unit, name in ((_DAY, "day"), (_HOUR, "hour")):
        if length >= unit:
            return count_of(length // unit, name)
    return count_of(max(length, timedelta()) // _MINUTE, "minute")
