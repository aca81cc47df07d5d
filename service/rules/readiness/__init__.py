"""Ready for a call: has the talk earned one, or did they ask?

What counts is the whole relationship with the brand: how often they wrote and we answered, on how many days, how long both
have typed, what they are in the middle of, what the CRM knows (`talk`, `cues`, `score`). An explicit wish is enough by itself.
What stands against a call comes before all that (`refusals`). Nothing that only one side does adds to it, unless it says
something new. A call or meeting that took place, and a call task that was dealt with, begin a new count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from integrations.records import TaskKind
from service.rules.calendar import add_working_time
from service.rules.model import Finding, History, Policy, Verdict
from service.rules.readiness.case import Case
from service.rules.readiness.cues import Cue
from service.rules.readiness.doubts import Doubt, doubts_of
from service.rules.readiness.refusals import DO_NOT_CALL, UNSUBSCRIBED, could_change, last_held, refusal
from service.rules.readiness.score import BASE, REFUSED, Standing, log_odds, probability, shown
from service.rules.readiness.sentences import not_yet, why_now
from service.rules.readiness.stages import AWARE, Reached, milestones, stage_of
from service.rules.readiness.talk import Course, Word, courses, speaks_to_us, words_of, worth_reading
from service.rules.words import name_of, some

ALONE = probability(BASE + REFUSED)  # the score of what nobody can earn alone
ASK_URGENCY, LEAST_URGENCY = 80, 40  # an explicit wish comes before anything earned


class Moment(Struct, frozen=True):
    """The case for a call as it stood at some word."""

    word: Word
    opened: Word  # the newest of theirs by then
    asked: Word | None
    shown: Mapping[str, float]
    odds: float
    two_way: bool  # or asked for: what nobody can earn alone


class Look(Struct, frozen=True):
    """What is to be seen in a history at some instant."""

    case: Case
    standing: Standing
    counts: list[Word]  # what was said since the last talk
    moments: list[Moment]
    chain: list[Moment]  # those that keep them ready, as far as nothing stands against it
    shown: list[Mapping[str, float]]  # what speaks for a call: at first sight, and at each moment that counts
    course: Course
    whole: Course  # over all time, whatever was held or dealt with since
    reached: Reached
    two_way: bool
    changes: list[datetime]  # when there is more to come


def ready_for_call(history: History, *, now: datetime, policy: Policy) -> Verdict:
    """Whether somebody should call this person, as things stand at `now` (aware). What lies after `now` does not count
    yet, except that a call or meeting that is planned does.

    The finding's episode is the post of theirs with which they became ready; more talk does not change it. The verdict's
    score is the probability that people who read the talk would have somebody call."""
    if not worth_reading(history):
        return _unheard(history, now)
    seen = look(history, now, policy)
    case, chain = seen.case, seen.chain
    no = refusal(case)
    against = [] if no is not None else doubts_of(case)
    odds = max([log_odds(each) for each in seen.shown]) - sum(each.takes for each in against)
    held_back = bool(chain) and no is None and bool(_stands_against(case, chain))
    finding = None
    if chain and no is None and not held_back:
        finding = _finding(seen, _ripe(seen), now, policy)
    ready = (finding.since, _why_then(seen, policy)) if finding else None
    ends: list[datetime | None] = [each.until for each in against]
    if finding is not None:
        reasons, score = finding.reasons, probability(odds)
        ends += chain[-1].word.at + policy.call_recent, *could_change(history, case.heard)
    elif no is not None:
        reasons, score, ends = (no.reason,), probability(min(odds, 0.0) + REFUSED), [no.until]
    elif (doubt := _heaviest(against, held_back)) is not None:
        reasons, score = (doubt.reason,), _below(odds, policy)
    else:
        reasons, score = not_yet(seen.course, now, policy), _below(odds, policy)
    return Verdict(
        finding, reasons, look_again_at=_soonest([*ends, *seen.changes], now), score=score if seen.two_way else ALONE,
        stage=stage_of(history.activities, seen.whole, finding is not None, now),
        milestones=milestones(history.activities, seen.reached, ready, now),
    )  # fmt: skip


def _heaviest(against: Iterable[Doubt], held_back: bool) -> Doubt | None:
    """The doubt that is the reason why nobody should call: what they said plainly is always one, what is faintly heard only where they would be
    ready without it."""
    told = [each for each in against if each.plain or held_back]
    return max(told, key=lambda each: (each.plain, each.takes), default=None)


def look(history: History, now: datetime, policy: Policy) -> Look:
    """What is to be seen in a history that is worth reading, as things stand at `now` (aware), before it is weighed."""
    words = words_of(history)
    heard = [word for word in words if word.at <= now]
    held, closed = last_held(history.activities, now), history.last_call_task_closed_at
    since = max((at for at in (held, closed) if at is not None and at <= now), default=None)
    standing = Standing(history.known, history.deal, met=held is not None)
    moments, course, reached, two_way = _followed(heard, standing, now, policy)
    whole = course
    counts = heard if since is None else [word for word in heard if word.at > since]
    if since is not None:
        moments, course, _, two_way = _followed(counts, standing, now, policy)
    chain = _chain(moments, now, policy)
    case = Case(history, heard, since, held, _asked(moments, now, policy), bool(chain), now, policy)
    recent = [each for each in moments if each.word.at + policy.call_recent > now]
    there = [shown(Course(), now, standing), *(each.shown for each in (*chain, *recent))]
    changes = [word.at for word in words if word.at > now]
    return Look(case, standing, counts, moments, chain, there, course, whole, reached, two_way, changes)


def _unheard(history: History, now: datetime) -> Verdict:
    """The verdict about somebody whom nobody has answered, and who has not asked to talk: most people write once."""
    reason = _standing_refusal(history) or "There is no talk to and fro with them yet."
    to_come = (post.at for post in history.posts if speaks_to_us(post) and not post.deleted)
    return Verdict(None, (reason,), look_again_at=_soonest(to_come, now), score=ALONE, stage=AWARE)


def _standing_refusal(history: History) -> str | None:
    return DO_NOT_CALL if history.do_not_call else UNSUBSCRIBED if history.unsubscribed else None


def _followed(
    heard: Sequence[Word], standing: Standing, now: datetime, policy: Policy
) -> tuple[list[Moment], Course, Reached, bool]:
    """The case at each word that added to it and could still count, the course of the talk at the end, when it came to its stages,
    and whether it was ever two-way, or they asked."""
    moments, course, opened, reached, ever = list[Moment](), Course(), None, Reached(), False
    first = _first_that_counts(heard, policy.call_recent, now)
    for number, (word, course, added) in enumerate(courses(heard, policy.call_recent)):
        opened = opened if word.ours else word
        if not added:
            continue
        if word.ours:
            reached.take(course, word.at)
        if opened is not None:
            two_way = course.asked is not None or standing.met or course.exchanges >= policy.call_min_exchanges
            ever = ever or two_way
            if number >= first:
                there = shown(course, word.at, standing)
                moments.append(Moment(word, opened, course.asked, there, log_odds(there), two_way))
    return moments, course, reached, ever


def _first_that_counts(heard: Sequence[Word], recent: timedelta, now: datetime) -> int:
    """The number of the first word at which the case is worth weighing. What made them ready must be recent, and kept so by word after
    word: nothing counts before a longer silence, nor anything at all once the last word is older. (See `_chain`.)"""
    if not heard or heard[-1].at + recent <= now:
        return len(heard)
    silences = (at for at in range(len(heard) - 1, 0, -1) if heard[at].at - heard[at - 1].at > recent)
    return next(silences, 0)


def _chain(moments: Sequence[Moment], now: datetime, policy: Policy) -> list[Moment]:
    """The moments that have kept them ready without a break until now: the first one names the episode."""
    chain: list[Moment] = []
    for each in moments:
        if not each.two_way or probability(each.odds) < policy.call_score:
            continue
        if chain and each.word.at - chain[-1].word.at > policy.call_recent:
            chain = []
        chain.append(each)
    return chain if chain and chain[-1].word.at + policy.call_recent > now else []


def _asked(moments: Sequence[Moment], now: datetime, policy: Policy) -> Word | None:
    """Their newest wish to talk that still counts: more talk after it does not take it away."""
    wishes = (each.asked for each in reversed(moments) if each.word.at + policy.call_recent > now)
    return next((asked for asked in wishes if asked is not None), None)


def _ripe(seen: Look) -> datetime:
    """From when on nothing stood against a call any more, for somebody who has earned one and against whom nothing stands now: what did may
    have ended by time, or by a word."""
    case, at = seen.case, seen.chain[0].word.at
    while untils := _stands_against(_at(case, seen.moments, at), seen.chain):
        ends = (*untils, *(word.at for word in case.heard))
        at = min((each for each in ends if each is not None and at < each <= case.now), default=case.now)
        if at == case.now:
            break
    return at


def _stands_against(case: Case, chain: Sequence[Moment]) -> list[datetime | None]:
    """The ends of what stands against a call (None: until something happens); empty where nothing does."""
    if (no := refusal(case)) is not None:
        return [no.until]
    against = doubts_of(case)
    odds = max(each.odds for each in chain if each.word.at <= case.now) - sum(each.takes for each in against)
    return [] if probability(odds) >= case.policy.call_score else [each.until for each in against]


def _at(case: Case, moments: Sequence[Moment], at: datetime) -> Case:
    """The case as it stood then."""
    asked = _asked([each for each in moments if each.word.at <= at], at, case.policy)
    return replace(case, heard=[word for word in case.heard if word.at <= at], asked=asked, now=at)


def _below(odds: float, policy: Policy) -> float:
    """A score that goes with a no: somebody alone can come near the threshold, and no further."""
    return min(probability(odds), policy.call_score - 0.01)


def _finding(seen: Look, ripe_at: datetime, now: datetime, policy: Policy) -> Finding:
    history, chain, course, standing = seen.case.history, seen.chain, seen.course, seen.standing
    first, asked = chain[0], _asked(chain, now, policy)
    patience = policy.patience["question" if first.asked else "other"]
    needs = [course.said[cue].post.id for cue in course.needs(chain[-1].word.at)]
    evidence = dict.fromkeys([first.opened.post.id, *needs, *([asked.post.id] if asked else [])])
    return Finding(
        TaskKind.READY_FOR_CALL,
        episode=first.opened.post.id,
        since=first.word.at,
        due_at=add_working_time(first.word.at, patience, policy),
        ripe_at=ripe_at,
        reasons=why_now(
            name_of(history.person_name),
            course,
            asked,
            chain[-1].opened,
            standing,
            now,
            policy,
            not_called=history.do_not_call,
        ),
        urgency=_urgency(max(each.odds for each in chain), asked),
        evidence=some(list(evidence)),
        wish=_wish(history, course, asked),
    )


def _why_then(seen: Look, policy: Policy) -> str:
    """Why a call, as the talk stood when they became ready: they may have said more since."""
    history, standing, first = seen.case.history, seen.standing, seen.chain[0]
    then = first.word.at
    _, course, _, _ = _followed([word for word in seen.counts if word.at <= then], standing, then, policy)
    name, no_call = name_of(history.person_name), history.do_not_call
    return why_now(name, course, first.asked, first.opened, standing, then, policy, not_called=no_call)[0]


def _wish(history: History, course: Course, asked: Word | None) -> str:
    """How a finding puts their wish (`Finding.wish`)."""
    if asked is None:
        return ""
    if asked.cues & Cue.VIDEO and (history.do_not_call or asked.cues & Cue.DECLINE):
        return "video"
    return "accepted" if course.accepted else "asked"


def _urgency(odds: float, asked: Word | None) -> int:
    if asked is not None:
        return ASK_URGENCY + round(min(max(odds, 0.0), 10.0))
    return LEAST_URGENCY + round(30 * probability(odds))


def _soonest(instants: Iterable[datetime | None], now: datetime) -> datetime | None:
    return min((at for at in instants if at is not None and at > now), default=None)
