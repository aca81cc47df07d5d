"""What speaks against a call, and gives way to a case that is strong enough: what was said once and may be over, or is but faintly heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.rules.readiness.case import WEIGHTY, Case, Refusal
from service.rules.readiness.cues import ANY_NEED, Cue, no_buyer
from service.rules.readiness.score import AGAINST
from service.rules.readiness.talk import LULL, Word, is_wish
from service.rules.words import from_when

CALM = timedelta(days=14)  # a complaint that we answered, and that they did not repeat, is over by then
LATELY = timedelta(days=45)  # what is faintly heard counts for so long,
FAINT = 0.1  # above this: below it is what any text has


@dataclass(frozen=True, slots=True)
class Doubt:
    """What speaks against a call, and gives way to a case that is strong enough. `name` is what the table of weights calls it."""

    name: str
    much: float  # 0 to 1
    reason: str
    until: datetime | None = None
    plain: bool = False  # they said so, as far as a check can tell

    @property
    def takes(self) -> float:
        """How much it takes from the case, in log-odds."""
        return AGAINST.get(self.name, 0.0) * self.much


def doubts_of(case: Case) -> list[Doubt]:
    """Everything that speaks against a call without standing against it by itself."""
    refused = [
        Doubt(name, 1.0, found.reason, found.until, plain=True)
        for name, check in CHECKS.items()
        if (found := check(case)) is not None
    ]
    return [*refused, *_heard_against(case)]


# --- what they said ------------------------------------------------------------------------------------------


def _declined(case: Case) -> Refusal | None:
    """The last thing that they said about talking was no, or not now. A no holds for as long as a call would have counted, or until
    they take up another offer; a delay, and what was let pass, end when something new comes up."""
    for word in reversed(case.theirs):
        until = word.due or word.at + case.policy.call_quiet
        if (
            word is case.asked
            or is_wish(word)
            or case.now >= until
            or (case.since is not None and word.at <= case.since)
        ):
            return None
        if word.cues & Cue.DECLINE:
            return Refusal(f"They would rather not have a call, they wrote on {case.date(word.at)}.", until)
        if word.due is not None or word.cues & (Cue.LATER | Cue.PASSED):
            new = case.news_since(word.at)
            return None if new else Refusal(f"{_delay(word, case.now)}, they wrote on {case.date(word.at)}.", until)
    return None


def _delay(word: Word, now: datetime) -> str:
    if word.due is not None:
        return f"They asked you to come back to them {from_when(word.due, now)}"
    return "They asked to leave it for later" if word.cues & Cue.LATER else "They let it pass or have decided otherwise"


def _no_buyer(case: Case) -> Refusal | None:
    """Whoever is in the CRM is there for a reason, whatever else they write about. What somebody wrote about something else is over when a
    talk is (`LULL`): who wrote a thesis last year may buy today."""
    if case.history.known:
        return None
    ends = [word.at + LULL for word in case.theirs if word.cues & Cue.NO_BUYER and word.at + LULL > case.now]
    if ends or no_buyer(case.history.bio):
        return Refusal("They seem to write about something else than buying from you.", max(ends, default=None))
    return None


def _settled(case: Case) -> Refusal | None:
    """What they wanted was done in writing, and they have not come with anything since: they have bought, or what they asked to talk about
    is over. What was the matter and nobody asked to talk about says nothing of the rest."""
    for word in reversed(case.theirs):
        if word is case.asked or (case.since is not None and word.at <= case.since):
            return None
        over = case.asked is not None and (word.cues & Cue.SOLVED or word.post.signals.solved)
        if (over or word.cues & Cue.BOUGHT) and not _goes_on(word):
            until = word.at + case.policy.call_quiet
            if case.now >= until or case.news_since(word.at):
                return None
            return Refusal(f"It was settled in writing on {case.date(word.at)}.", until)
    return None


def _goes_on(word: Word) -> bool:
    """Whether a word that says that something is done brings something else at once."""
    told = word.post.signals
    return bool(is_wish(word) or told.asks or told.requests or word.cues & (ANY_NEED & ~Cue.URGENT))


def complaint(case: Case) -> Refusal | None:
    """A complaint that is not over: it is over with a last polite word, or when they have been answered and ask what something would cost or
    take. A customer who asks to talk about theirs is to be called all the same."""
    if case.asked is not None and case.history.deal:
        return None
    over, moved_on, answered = False, False, None
    for word in reversed(case.heard):
        if word.ours:
            answered, over = word.at, over or moved_on
        elif word.cues & Cue.COMPLAINT:
            until = answered + CALM if answered else word.at + case.policy.lapse_after
            if over or until <= case.now:
                return None
            return Refusal(f"They complained on {case.date(word.at)} and that is still open; settle it first.", until)
        elif word.small or word.post.signals.solved:
            over = True
        else:
            moved_on = moved_on or word.heard.terms >= WEIGHTY
    return None


CHECKS: Mapping[str, Callable[[Case], Refusal | None]] = {
    "a no": _declined, "no buyer": _no_buyer, "settled": _settled, "a complaint": complaint,
}  # fmt: skip


# --- what is faintly heard ------------------------------------------------------------------------------------

# By its name among what is heard, and how a reason puts it.
_HEARD: Mapping[str, str] = {
    "other": "They seem to write about something else than buying from you.",
    "done": "What they wrote about seems to be settled.",
    "declines": "They seem to want no call, or not now.",
}


def _heard_against(case: Case) -> Iterator[Doubt]:
    """What is heard in their words of late, however faintly, though no check is sure of it. A wish to talk knows of what they wrote before."""
    before = (case.now - LATELY, case.since, case.asked.at if case.asked is not None else None)
    since = max(each for each in before if each is not None)
    lately = [word for word in case.theirs if word.at > since]
    for name, reason in _HEARD.items():
        said = [(_heard(word, name), word.at) for word in lately]
        much = max((each for each, _ in said), default=0.0)
        if much > 0.0:
            yield Doubt(name, much, reason, min(at for each, at in said if each > 0.0) + LATELY)


def _heard(word: Word, name: str) -> float:
    return max(0.0, (float(getattr(word.heard, name)) - FAINT) / (1 - FAINT))
