"""What stands against a call, whatever the talk is like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from integrations.records import ActivityKind
from service.rules.model import History, LoggedActivity
from service.rules.readiness.case import WEIGHTY, Case, Refusal
from service.rules.readiness.cues import ANY_NEED, Cue, wants_no_calls
from service.rules.readiness.doubts import CHECKS as DOUBTED
from service.rules.readiness.doubts import complaint
from service.rules.readiness.talk import CALLED_OFF, LIVE, NEAR, Word, is_wish
from service.rules.words import moment

DO_NOT_CALL = "The CRM says that they must not be called."
UNSUBSCRIBED = "They have unsubscribed, the CRM says."
# A call or meeting of the past counts as held where the CRM says so, or says nothing: most people never fill that in,
# and asking somebody for a talk that they have just had is the worse mistake.
HELD = frozenset({"connected", "held", "", "scheduled"})
FRESH = timedelta(days=3)  # what has just come up; a talk planned for later than `NEAR` can be too late for it
MOURNING_LASTS = timedelta(weeks=6)
AGREED_LASTS = timedelta(
    days=14
)  # a time that was agreed on is past by then, and either a call is logged or none was made
NUDGE = timedelta(hours=12)  # two posts of ours within less are one word in two pieces
PATIENT = 2  # of ours without an answer: then it is their turn


def refusal(case: Case) -> Refusal | None:
    """The first thing that stands against a call; None where nothing does. A wish does not outweigh what makes one doubtful otherwise: it
    knows of it, and says so where it takes that back."""
    checks = _CHECKS if case.asked is None else (*_CHECKS, *DOUBTED.values())
    return next((found for check in checks if (found := check(case)) is not None), None)


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
    if next_one.at - case.now > NEAR and case.news_since(case.now - FRESH):
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
        if word.at + AGREED_LASTS > case.now and not case.news_since(word.at):
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


def _complaint_about_us(case: Case) -> Refusal | None:
    """Whoever has nothing of ours may well complain about somebody else, so that theirs is but a doubt."""
    return None if case.has_nothing_of_ours else complaint(case)


def _problem(case: Case) -> Refusal | None:
    """A problem with what they have of us, or about which they ask us, and to which we have said nothing. What is urgent or at stake is no mere
    problem."""
    if case.asked is not None:
        return None
    for word in reversed(case.heard):
        if word.ours or word.at + case.policy.lapse_after <= case.now:
            return None
        told = word.post.signals
        with_ours = told.asks or told.requests or not case.has_nothing_of_ours
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


_CHECKS: tuple[Callable[[Case], Refusal | None], ...] = (
    _do_not_call, _unsubscribed, _mourning, _planned, _agreed, _wrong, _no_calls, _complaint_about_us, _problem, _silence, _lately,
)  # fmt: skip
