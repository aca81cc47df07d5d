"""What stands against a call, whatever the talk is like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec import Struct

from integrations.records import ActivityKind
from service.rules.model import History, LoggedActivity, Policy
from service.rules.readiness.cues import ANY_NEED, NEED, Cue, no_buyer, wants_no_calls
from service.rules.readiness.score import AGAINST
from service.rules.readiness.talk import CALLED_OFF, LIVE, LULL, NEAR, Word, is_wish
from service.rules.words import day, from_when, moment

DO_NOT_CALL = "The CRM says that they must not be called."
UNSUBSCRIBED = "They have unsubscribed, the CRM says."
# A call or meeting of the past counts as held where the CRM says so, or says nothing: most people never fill that in,
# and asking somebody for a talk that they have just had is the worse mistake.
HELD = frozenset({"connected", "held", "", "scheduled"})
FRESH = timedelta(days=3)  # what has just come up; a talk planned for later than `NEAR` can be too late for it
MOURNING_LASTS = timedelta(weeks=6)
CALM = timedelta(days=14)  # a complaint that we answered, and that they did not repeat, is over by then
AGREED_LASTS = timedelta(
    days=14
)  # a time that was agreed on is past by then, and either a call is logged or none was made
NUDGE = timedelta(hours=12)  # two posts of ours within less are one word in two pieces
PATIENT = 2  # of ours without an answer: then it is their turn
WEIGHTY = 0.7  # how surely something of weight must be heard to be news by itself
LATELY = timedelta(days=45)  # what is faintly heard counts for so long,
FAINT = 0.1  # above this: below it is what any text has
NEWS = 2  # needs that must be new for a second call within the quiet time


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nobody should call, and until when (None: until something happens)."""

    reason: str
    until: datetime | None = None


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


class Case(Struct, frozen=True):
    """What the refusals look at: everything up to `now`, and what is planned."""

    history: History
    heard: Sequence[Word]
    since: datetime | None  # the last talk held, or call task dealt with
    held: datetime | None
    asked: Word | None  # the newest wish since then
    enough: bool  # what they have said since then would be enough
    now: datetime
    policy: Policy

    @property
    def theirs(self) -> list[Word]:
        return [word for word in self.heard if not word.ours]

    def date(self, at: datetime) -> str:
        return day(at, self.policy.timezone, self.now)


def refusal(case: Case) -> Refusal | None:
    """The first thing that stands against a call; None where nothing does. A wish does not outweigh what makes one doubtful otherwise: it
    knows of it, and says so where it takes that back."""
    checks = _CHECKS if case.asked is None else (*_CHECKS, *_DOUBTS.values())
    return next((found for check in checks if (found := check(case)) is not None), None)


def doubts(case: Case) -> list[Doubt]:
    """Everything that speaks against a call without standing against it by itself."""
    refused = [
        Doubt(name, 1.0, found.reason, found.until, plain=True)
        for name, check in _DOUBTS.items()
        if (found := check(case)) is not None
    ]
    return [*refused, *_heard_against(case)]


def last_held(activities: Iterable[LoggedActivity], now: datetime) -> datetime | None:
    """When the last call or meeting with them ended."""
    ends = [each.ends_at or each.at for each in activities if each.kind in LIVE and each.outcome in HELD]
    return max((at for at in ends if at <= now), default=None)


def could_change(history: History, heard: Sequence[Word]) -> list[datetime]:
    """When something that stands against nothing today could stand against a call by time alone: a planned talk comes near,
    or what could not wait for it is no longer fresh."""
    coming = [each.at for each in history.activities if each.kind in LIVE and each.outcome not in CALLED_OFF]
    fresh = [word.at + FRESH for word in heard if not word.ours] if coming else []
    return [*(at - NEAR for at in coming), *fresh]


def takes_back(heard: Iterable[Word], asked: Word) -> bool:
    """Whether somebody who is not to be called asks for a call in knowledge of that: they say so themselves, or we had told them, and they
    ask all the same. A wish by itself takes nothing back: who wrote it may not know what the CRM says."""
    told = any(word.ours and word.cues & Cue.NOT_CALLED and word.at < asked.at for word in heard)
    return told or bool(asked.cues & Cue.NOT_CALLED)


# --- one check each, the gravest first ------------------------------------------------------------------------


def _do_not_call(case: Case) -> Refusal | None:
    """Whoever asks for a video meeting has asked for no telephone call; and it is theirs to take back (`takes_back`)."""
    asked = case.asked
    if not case.history.do_not_call or (
        asked is not None and (asked.cues & Cue.VIDEO or takes_back(case.heard, asked))
    ):
        return None
    return Refusal(DO_NOT_CALL)


def _unsubscribed(case: Case) -> Refusal | None:
    return Refusal(UNSUBSCRIBED) if case.history.unsubscribed else None


def _planned(case: Case) -> Refusal | None:
    """A talk that is to come, or that they are in now, unless something has come up that cannot wait for it."""
    coming = [
        each
        for each in case.history.activities
        if each.kind in LIVE and each.outcome not in CALLED_OFF and (each.ends_at or each.at) > case.now
    ]
    if not coming:
        return None
    next_one = min(coming, key=lambda each: (each.at, each.kind.value))
    if next_one.at - case.now > NEAR and _news(case, case.now - FRESH):
        return None
    when = moment(next_one.at, case.policy.timezone)
    return Refusal(f"A {next_one.kind.value} with them is planned for {when}.", next_one.ends_at or next_one.at)


def _agreed(case: Case) -> Refusal | None:
    """One of you has told them when: a task would only repeat it, unless something has come up since, or that talk has taken place."""
    for word in case.heard:
        if not (word.ours and word.cues & Cue.AGREED) or (case.held is not None and word.at <= case.held):
            continue
        if _was_missed(case, word.at):
            continue
        if word.at + AGREED_LASTS > case.now and not _news(case, word.at):
            return Refusal(f"You agreed on a time with them on {case.date(word.at)}.", word.at + AGREED_LASTS)
    return None


def _was_missed(case: Case, agreed: datetime) -> bool:
    """Whether we rang as agreed, they did not take it, and have written since: another time has to be found."""
    missed = [
        each.at
        for each in case.history.activities
        if each.kind is ActivityKind.CALL and each.outcome == "no_answer" and agreed <= each.at <= case.now
    ]
    return bool(missed) and any(word.at > max(missed) for word in case.theirs)


def _no_buyer(case: Case) -> Refusal | None:
    """Whoever is in the CRM is there for a reason, whatever else they write about. What somebody wrote about something else is over when a
    talk is (`LULL`): who wrote a thesis last year may buy today."""
    if case.history.known:
        return None
    ends = [word.at + LULL for word in case.theirs if word.cues & Cue.NO_BUYER and word.at + LULL > case.now]
    if ends or no_buyer(case.history.bio):
        return Refusal("They seem to write about something else than buying from you.", max(ends, default=None))
    return None


def _wrong(case: Case) -> Refusal | None:
    """They said that they had meant somebody else, and have not come with anything since."""
    for word in reversed(case.theirs):
        if word.cues & Cue.WRONG:
            return Refusal("They meant somebody else.")
        if is_wish(word) or word.cues & ANY_NEED:
            return None
    return None


def _mourning(case: Case) -> Refusal | None:
    """Whoever has lost somebody lately is left in peace, whatever else they write, unless they have asked for a call since."""
    said = [word.at for word in case.theirs if word.cues & Cue.MOURNING]
    until = max(said, default=case.now) + MOURNING_LASTS
    if (
        not said
        or (case.asked is not None and not case.asked.returns and case.asked.at >= max(said))
        or until <= case.now
    ):
        return None
    return Refusal(f"They are in mourning; leave them in peace until {case.date(until)}.", until)


def _no_calls(case: Case) -> Refusal | None:
    """A profile is older than what they write: whoever asks for a call gets one."""
    if case.asked is not None or not wants_no_calls(case.history.bio):
        return None
    return Refusal("Their profile says that they take no calls.")


def _settled(case: Case) -> Refusal | None:
    """What they wanted was done in writing, and they have not come with anything since: they have bought, or what they asked to talk about
    is over. What was the matter and nobody asked to talk about says nothing of the rest."""
    for word in reversed(case.theirs):
        if word is case.asked or (case.since is not None and word.at <= case.since):
            return None
        over = case.asked is not None and (word.cues & Cue.SOLVED or word.post.signals.solved)
        if (over or word.cues & Cue.BOUGHT) and not _goes_on(word):
            until = word.at + case.policy.call_quiet
            if case.now >= until or _news(case, word.at):
                return None
            return Refusal(f"It was settled in writing on {case.date(word.at)}.", until)
    return None


def _goes_on(word: Word) -> bool:
    """Whether a word that says that something is done brings something else at once."""
    told = word.post.signals
    return bool(is_wish(word) or told.asks or told.requests or word.cues & (ANY_NEED & ~Cue.URGENT))


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
            new = _news(case, word.at)
            return None if new else Refusal(f"{_delay(word, case.now)}, they wrote on {case.date(word.at)}.", until)
    return None


def _delay(word: Word, now: datetime) -> str:
    if word.due is not None:
        return f"They asked you to come back to them {from_when(word.due, now)}"
    return "They asked to leave it for later" if word.cues & Cue.LATER else "They let it pass or have decided otherwise"


def _complaint_about_us(case: Case) -> Refusal | None:
    """Whoever has nothing of ours may well complain about somebody else, so that theirs is but a doubt."""
    return None if _has_nothing_of_ours(case.history) else _complaint(case)


def _complaint(case: Case) -> Refusal | None:
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


def _has_nothing_of_ours(history: History) -> bool:
    """Whether the CRM knows them, and as no customer: what breaks there is their own."""
    return history.known and history.deal != "won"


def _problem(case: Case) -> Refusal | None:
    """A problem with what they have of us, or about which they ask us, and to which we have said nothing. What is urgent or at stake is no mere
    problem."""
    if case.asked is not None:
        return None
    for word in reversed(case.heard):
        if word.ours or word.at + case.policy.lapse_after <= case.now:
            return None
        told = word.post.signals
        with_ours = told.asks or told.requests or not _has_nothing_of_ours(case.history)
        # Of an erased text only the signal is left.
        broken = told.problem and (word.cues & Cue.BROKEN or not word.post.text) and not word.cues & Cue.OF_OTHERS
        if broken and with_ours and word.heard.stake < WEIGHTY:
            reason = f"They reported a problem on {case.date(word.at)} that nobody has answered yet; answer that first."
            return Refusal(reason, word.at + case.policy.lapse_after)
    return None


def _silence(case: Case) -> Refusal | None:
    """After two of ours without an answer we say no more. Our answer to what they wrote is one of them beside another post, and
    none beside a call that they did not take: whoever is answered and then rung has been tried once."""
    last = max((word.at for word in case.theirs), default=None)
    if last is None:
        return None
    posts = _apart(word.at for word in case.heard if word.ours and word.at > last)
    calls = _apart(
        each.at
        for each in case.history.activities
        if each.kind is ActivityKind.CALL and each.outcome == "no_answer" and last < each.at <= case.now
    )
    tries = max(posts, max(posts - 1, 0) + calls)
    if tries < PATIENT:
        return None
    return Refusal(f"You have tried {tries} times since they last wrote, on {case.date(last)}; it is their turn.")


def _apart(instants: Iterable[datetime]) -> int:
    """How many of these there are, those that follow close upon another left out."""
    number, before = 0, None
    for at in sorted(instants):
        if before is None or at - before > NUDGE:
            number, before = number + 1, at
    return number


def _lately(case: Case) -> Refusal | None:
    """Not twice in a quarter, unless something new happened."""
    if case.since is None or case.now >= case.since + case.policy.call_quiet:
        return None
    new = any(word.at > case.since and word.cues & ANY_NEED for word in case.theirs)
    if case.asked is not None or (case.enough and new):
        return None
    until = case.since + case.policy.call_quiet
    what = "You talked with them" if case.since == case.held else "A call task about them was dealt with"
    return Refusal(f"{what} on {case.date(case.since)}; no call is suggested before {case.date(until)}.", until)


def _news(case: Case, since: datetime) -> bool:
    """Whether they have asked to talk, or are in the middle of something new, since then."""
    said = [word for word in case.theirs if word.at > since]
    if any(map(is_wish, said)) or any(word.heard.stake >= WEIGHTY for word in said):
        return True
    return sum(any(word.cues & cue for word in said) for cue in NEED) >= NEWS


def _heard_against(case: Case) -> Iterator[Doubt]:
    """What is heard in their words of late, however faintly, though no check is sure of it."""
    lately = [word for word in case.theirs if word.at + LATELY > case.now and (case.since is None or word.at > case.since)]
    for name, reason in _HEARD.items():
        said = [(_heard(word, name), word.at) for word in lately]
        much = max((each for each, _ in said), default=0.0)
        if much > 0.0:
            yield Doubt(name, much, reason, min(at for each, at in said if each > 0.0) + LATELY)


def _heard(word: Word, name: str) -> float:
    return max(0.0, (float(getattr(word.heard, name)) - FAINT) / (1 - FAINT))


# What is heard in their words, by its name there, and how a reason puts it.
_HEARD: Mapping[str, str] = {
    "other": "They seem to write about something else than buying from you.",
    "done": "What they wrote about seems to be settled.",
    "declines": "They seem to want no call, or not now.",
}
_CHECKS: tuple[Callable[[Case], Refusal | None], ...] = (
    _do_not_call, _unsubscribed, _mourning, _planned, _agreed, _wrong, _no_calls, _complaint_about_us, _problem, _silence, _lately,
)  # fmt: skip
_DOUBTS: Mapping[str, Callable[[Case], Refusal | None]] = {
    "a no": _declined, "no buyer": _no_buyer, "settled": _settled, "a complaint": _complaint,
}  # fmt: skip
