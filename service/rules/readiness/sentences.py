"""Why now, in sentences that a salesperson understands: what they want, how the talk went, what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from service.rules.model import Policy
from service.rules.readiness.cues import Cue
from service.rules.readiness.score import Standing
from service.rules.readiness.talk import Course, Word
from service.rules.words import day, from_when, times, where

CALL_MINUTES: Final = 10
TAKEN_BACK: Final = (
    "The CRM says that they must not be called, but they know that and ask all the same: put it right there first."
)
LIKELY: Final = 0.5  # how likely it must be that something is at stake, for a sentence to say so
_SAID: Final[Mapping[int, str]] = {
    Cue.DECISION: "want to get something done",
    Cue.STUCK: "get no further in writing",
    Cue.AUTHORITY: "speak of who decides or of the money",
    Cue.DEADLINE: "name a date",
    Cue.URGENT: "have something that cannot wait",
    Cue.SCALE: "say how many they need",
    Cue.PRICE: "ask for a price",
}
_DEALS: Final[Mapping[str, str]] = {
    "open": "They have an open deal with you.",
    "won": "They are a customer of yours.",
    "lost": "An earlier deal with them was lost.",
}


def why_now(
    name: str,
    course: Course,
    asked: Word | None,
    wrote: Word,
    standing: Standing,
    now: datetime,
    policy: Policy,
    *,
    not_called: bool = False,
) -> tuple[str, ...]:
    """One to three sentences for a finding (four where they prefer video, or were `not_called`: the CRM says that they must not be, and
    they have taken it back). `wrote` is the newest word of theirs that counts."""
    said = [
        *_wish(name, course, asked, now, policy),
        *_need(course, now, policy),
        *_rhythm(course, now, policy),
        *_typing(course),
    ] or [*_wrote(name, wrote, standing, now, policy)]
    found = [*said, *([_DEALS[standing.deal]] if standing.deal in _DEALS else [])]
    video = ["They prefer a video meeting."] if wants_video(course, asked) else []
    marked = [TAKEN_BACK] if not_called and not video else []
    return (*found[:1], *video, *marked, *found[1:3])


def wants_video(course: Course, asked: Word | None) -> bool:
    return asked is not None and bool(asked.cues & Cue.VIDEO)


def not_yet(course: Course, now: datetime, policy: Policy) -> tuple[str, ...]:
    """Why nobody has to call, where nothing stands against it."""
    if not course.exchanges:
        return ("There is no talk to and fro with them yet.",)
    last = max((at for at in (course.last, *(word.at for word in course.said.values())) if at), default=now)
    if last + policy.call_recent <= now:
        return (*_rhythm(course, now, policy), "That is too long ago to suggest a call.")
    so_far = [*_need(course, now, policy), *_rhythm(course, now, policy)]
    return (*so_far, "Nothing in it needs a call yet.")


def _wish(name: str, course: Course, asked: Word | None, now: datetime, policy: Policy) -> Iterator[str]:
    if asked is None:
        return
    if asked.returns:
        yield f"{name} asked you to come back to them {from_when(asked.at, now)}."
        return
    on = f"{where(asked.post.network)} on {day(asked.at, policy.timezone, now)}"
    yield f"You offered a call and {name} took it up{on}." if course.accepted else f"{name} asked to talk{on}."


def _wrote(name: str, word: Word, standing: Standing, now: datetime, policy: Policy) -> Iterator[str]:
    """For a case that rests on what they told at length since you talked, or before a lull."""
    yield f"{name} wrote to you{where(word.post.network)} on {day(word.at, policy.timezone, now)}."
    if standing.met:
        yield "You have talked with them before."


def _need(course: Course, now: datetime, policy: Policy) -> Iterator[str]:
    cues = course.needs(now)[:3]
    if cues:
        last = max(course.said[cue].at for cue in cues)
        what = [_SAID[cue] for cue in cues]
        joined = " and ".join([", ".join(what[:-1]), what[-1]] if what[1:] else what)
        yield f"They {joined}, last on {day(last, policy.timezone, now)}."
    elif (word := course.weightiest(now)) is not None and course.stake(now) >= LIKELY:
        yield f"Something that matters to them is under way, they wrote on {day(word.at, policy.timezone, now)}."


def _rhythm(course: Course, now: datetime, policy: Policy) -> Iterator[str]:
    if course.exchanges and course.last:
        weeks = round(course.weeks)
        over = f" over {weeks} weeks" if weeks > 1 else ""
        yield f"You have gone back and forth {times(course.exchanges)}{over}, last on {day(course.last, policy.timezone, now)}."


def _typing(course: Course) -> Iterator[str]:
    minutes = round(course.minutes)
    if minutes >= CALL_MINUTES:
        yield f"Writing has taken the two of you about {minutes} minutes; a call takes {CALL_MINUTES}."
