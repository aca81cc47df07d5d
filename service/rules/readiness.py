"""Ready for a call: has the talk earned one, or did they ask?

Reciprocity is what counts: they wrote, we answered, they wrote again, over days and weeks. Nothing that only one side does
adds to it. A call or meeting that took place, and a call task that was dealt with, begin a new count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from integrations.records import ActivityKind, Kind, TaskKind
from service.rules.addressing import SPEAKS, unique
from service.rules.calendar import add_working_time
from service.rules.model import Finding, History, LoggedActivity, Policy, Post, Verdict
from service.rules.words import day, moment, name_of, some, times, where

LULL = timedelta(days=90)  # a silence this long ends a talk: what lies before it no longer counts
ASK_URGENCY = 80
TALK_URGENCY, MOST_TALK_URGENCY, PRICE_URGENCY = 50, 70, 5
WEEK = timedelta(weeks=1)
_LIVE = frozenset({ActivityKind.CALL, ActivityKind.MEETING})
# A call or meeting of the past counts as held where the CRM says so, or says nothing: most people never fill that in,
# and asking somebody for a talk that they have just had is the worse mistake.
_HELD = frozenset({"connected", "held", "", "scheduled"})
_CALLED_OFF = frozenset({"cancelled", "no_answer"})


@dataclass(frozen=True, slots=True)
class _Word:
    """One post in the talk between the two sides."""

    at: datetime
    ours: bool
    post: Post


@dataclass(frozen=True, slots=True)
class _Moment:
    """Something that makes somebody ready from then on, for as long as it is recent."""

    at: datetime
    post: Post  # theirs
    asked: bool


@dataclass(slots=True)
class _Tally:
    """Two-way talk without a lull, up to some instant."""

    exchanges: int = 0
    days: frozenset[date] = frozenset()  # on which they wrote what we answered
    first: datetime | None = None  # the first exchange
    last: datetime | None = None

    @property
    def span(self) -> timedelta:
        return self.last - self.first if self.first and self.last else timedelta()


def ready_for_call(history: History, *, now: datetime, policy: Policy) -> Verdict:
    """Whether somebody should call this person, as things stand at `now` (aware). What lies after `now` does not count
    yet, except that a call or meeting that is planned does.

    The finding's episode is the post of theirs with which they became ready; more talk does not change it."""
    words = _talk(history)
    heard = [word for word in words if word.at <= now]
    held = _last_held(history.activities, now)
    closed = history.last_call_task_closed_at
    reset = max((at for at in (held, closed) if at is not None), default=None)
    moments, tally = _moments([word for word in heard if reset is None or word.at > reset], policy)
    chain = _chain(moments, now, policy.call_recent)
    coming = [word.at for word in words if word.at > now]
    stage = _stage(history.activities, heard, now)
    no = _refusal(history, heard, chain, held, closed, now, policy)
    if no is not None:
        reason, until = no
        return Verdict(None, (reason,), look_again_at=_soonest([until, *coming], now), stage=stage)
    if not chain:
        return Verdict(None, (_not_yet(tally, now, policy),), look_again_at=_soonest(coming, now), stage=stage)
    ends = chain[-1].at + policy.call_recent
    finding = _finding(history, chain, tally, now, policy)
    return Verdict(finding, finding.reasons, look_again_at=_soonest([ends, *coming], now), stage="ready to talk")


# --- the talk -------------------------------------------------------------------------------------------------


def _talk(history: History) -> list[_Word]:
    """What the two sides said to each other, in order: without deleted posts, tender ones, announcements and last polite
    words, and of ours only what speaks to this person. At one instant our word is the later."""
    posts = unique(history.posts)
    people = {post.author_id for post in posts if not post.ours}
    native = {(post.network, post.native_id): post for post in posts if not post.ours}
    words = [
        _Word(_counts_at(post, native), post.ours, post)
        for post in posts
        if not post.deleted and (_to_them(post, people, native) if post.ours else _to_us(post))
    ]
    return sorted(words, key=lambda word: (word.at, word.ours, word.post.id))


def _counts_at(post: Post, native: dict[tuple[str, str], Post]) -> datetime:
    parent = native.get((post.network, post.in_reply_to or "")) if post.ours else None
    return max(post.at, parent.at) if parent else post.at


def _to_us(post: Post) -> bool:
    signals = post.signals
    counts = post.kind in SPEAKS or post.kind is Kind.COMMENT
    return counts and not (signals.tender or signals.broadcast or (signals.polite_close and not signals.wants_talk))


def _to_them(post: Post, people: set[str], native: dict[tuple[str, str], Post]) -> bool:
    return (
        post.kind is Kind.DIRECT
        or post.in_reply_to_author in people
        or (post.network, post.in_reply_to or "") in native
        or not people.isdisjoint(post.mentions)
    )


def _moments(words: Sequence[_Word], policy: Policy) -> tuple[list[_Moment], _Tally]:
    """Every moment that makes them ready, and the talk up to the end."""
    zone, moments, tally = ZoneInfo(policy.timezone), list[_Moment](), _Tally()
    days: set[date] = set()
    waiting: set[date] = set()
    theirs: Post | None = None
    answered, before = True, None
    for word in words:
        if before is not None and word.at - before > LULL:
            tally, days, waiting, theirs, answered = _Tally(), set(), set(), None, True
        before = word.at
        if not word.ours:
            theirs, answered = word.post, False
            waiting.add(word.at.astimezone(zone).date())
            if word.post.signals.wants_talk:
                moments.append(_Moment(word.at, word.post, asked=True))
        elif theirs is not None:
            days |= waiting
            waiting.clear()
            tally = _Tally(tally.exchanges + (not answered), frozenset(days), tally.first or word.at, word.at)
            answered = True
            if _enough(tally, policy):
                moments.append(_Moment(word.at, theirs, asked=False))
    return moments, tally


def _enough(tally: _Tally, policy: Policy) -> bool:
    return (
        tally.exchanges >= policy.call_min_exchanges
        and len(tally.days) >= policy.call_min_days
        and tally.span >= policy.call_min_weeks * WEEK
    )


def _chain(moments: Sequence[_Moment], now: datetime, recent: timedelta) -> list[_Moment]:
    """The moments that have kept them ready without a break until now: the first one names the episode."""
    chain: list[_Moment] = []
    for each in moments:
        if chain and each.at - chain[-1].at > recent:
            chain = []
        chain.append(each)
    return chain if chain and chain[-1].at + recent > now else []


# --- what stands against a call -------------------------------------------------------------------------------


def _refusal(
    history: History, heard: Sequence[_Word], chain: Sequence[_Moment], held: datetime | None, closed: datetime | None,
    now: datetime, policy: Policy,
) -> tuple[str, datetime | None] | None:  # fmt: skip
    """Why nobody should call whatever the talk is like, and until when. None: nothing stands against it."""
    zone = policy.timezone
    if history.do_not_call:
        return "The CRM says that they must not be called.", None
    if history.unsubscribed:
        return "They have unsubscribed, the CRM says.", None
    if planned := _planned(history.activities, now):
        return (
            f"A {planned.kind.value} with them is planned for {moment(planned.at, zone)}.",
            planned.ends_at or planned.at,
        )
    if problem := _open_problem(heard, now, policy.lapse_after):
        reason = (
            f"They reported a problem on {day(problem.at, zone, now)} that nobody has answered yet; answer that first."
        )
        return reason, problem.at + policy.lapse_after
    if any(each.asked for each in chain):
        return None  # they asked anew after all that
    for at, what in ((held, "You talked with them"), (closed, "A call task about them was dealt with")):
        if at is not None and now < at + policy.call_quiet:
            until = at + policy.call_quiet
            return f"{what} on {day(at, zone, now)}; no call is suggested before {day(until, zone, now)}.", until
    return None


def _last_held(activities: Iterable[LoggedActivity], now: datetime) -> datetime | None:
    """When the last call or meeting with them ended."""
    ends = [each.ends_at or each.at for each in activities if each.kind in _LIVE and each.outcome in _HELD]
    return max((at for at in ends if at <= now), default=None)


def _planned(activities: Iterable[LoggedActivity], now: datetime) -> LoggedActivity | None:
    """The next call or meeting that is still to come, or that they are in now."""
    coming = [
        each
        for each in activities
        if each.kind in _LIVE and each.outcome not in _CALLED_OFF and (each.ends_at or each.at) > now
    ]
    return min(coming, key=lambda each: (each.at, each.kind.value), default=None)


def _open_problem(heard: Sequence[_Word], now: datetime, lapse_after: timedelta) -> Post | None:
    """The last problem that they told us of, where we have said nothing to them since."""
    for word in reversed(heard):
        if word.ours or word.at + lapse_after <= now:
            return None
        if word.post.signals.problem:
            return word.post
    return None


# --- what comes of it -----------------------------------------------------------------------------------------


def _stage(activities: Iterable[LoggedActivity], heard: Sequence[_Word], now: datetime) -> str:
    done = {each.kind for each in activities if each.outcome in _HELD and (each.ends_at or each.at) <= now}
    if ActivityKind.MEETING in done:
        return "met"
    if ActivityKind.CALL in done:
        return "talked"
    turns = _turns(heard)
    return "aware" if turns == 0 else "in contact" if turns == 1 else "conversing"


def _turns(words: Iterable[_Word]) -> int:
    """How often they wrote and we answered, over all time."""
    turns, waiting = 0, False
    for word in words:
        turns += word.ours and waiting
        waiting = not word.ours
    return turns


def _finding(history: History, chain: Sequence[_Moment], tally: _Tally, now: datetime, policy: Policy) -> Finding:
    first, asks = chain[0], [each for each in chain if each.asked]
    patience = policy.patience["question" if first.asked else "other"]
    evidence = dict.fromkeys(each.post.id for each in (*asks, *chain))
    return Finding(
        TaskKind.READY_FOR_CALL,
        episode=first.post.id,
        since=first.at,
        due_at=add_working_time(first.at, patience, policy),
        reasons=tuple(_reasons(name_of(history.person_name), asks, tally, now, policy)),
        urgency=_urgency(chain, tally, policy),
        evidence=some(list(evidence)),
    )


def _urgency(chain: Sequence[_Moment], tally: _Tally, policy: Policy) -> int:
    price = PRICE_URGENCY if any(each.post.signals.asks_price for each in chain) else 0
    if any(each.asked for each in chain):
        return ASK_URGENCY + price
    return min(TALK_URGENCY + 2 * (tally.exchanges - policy.call_min_exchanges), MOST_TALK_URGENCY) + price


def _reasons(name: str, asks: Sequence[_Moment], tally: _Tally, now: datetime, policy: Policy) -> Iterator[str]:
    if asks:
        yield f"{name} asked to talk{where(asks[-1].post.network)} on {day(asks[-1].at, policy.timezone, now)}."
    if tally.exchanges and tally.last:
        yield _so_far(tally, now, policy)


def _so_far(tally: _Tally, now: datetime, policy: Policy) -> str:
    weeks = round(tally.span / WEEK)
    over = f" over {weeks} weeks" if weeks > 1 else ""
    last = day(tally.last, policy.timezone, now) if tally.last else ""
    return f"You have gone back and forth {times(tally.exchanges)}{over}, last on {last}."


def _not_yet(tally: _Tally, now: datetime, policy: Policy) -> str:
    if not tally.exchanges:
        return "There is no talk to and fro with them yet."
    if _enough(tally, policy):
        return f"{_so_far(tally, now, policy)} That is too long ago to suggest a call."
    weeks = f" over {_count(policy.call_min_weeks, 'week')}" if policy.call_min_weeks else ""
    return (
        f"{_so_far(tally, now, policy)} They wrote on {_count(len(tally.days), 'day')}. A call is suggested after"
        f" {_count(policy.call_min_exchanges, 'time')} on {_count(policy.call_min_days, 'day')}{weeks}."
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _soonest(instants: Iterable[datetime | None], now: datetime) -> datetime | None:
    return min((at for at in instants if at is not None and at > now), default=None)
