"""Unanswered: is somebody waiting for us, since when, and has patience ended?

A wait opens with a post that speaks to us and wants something, or at least is more than a last polite word. Anything that
any of us says to that person in the thread ends it, however late; so does what we tell them elsewhere: in a private message,
on the phone, by e-mail. What they write while they wait is a nudge: the wait, and with it the task, stays the same. How long
the network lets us answer goes by their last message, whatever it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from integrations.records import Kind, TaskKind
from service.rules.addressing import MOST_TURNS, Answer, Thread, Window, thread_of
from service.rules.elsewhere import Elsewhere, endings
from service.rules.model import Answered, Conversation, Finding, Policy, Post, Verdict
from service.rules.standing import OPEN, WON
from service.rules.urgency import closes, patience_ends, steps, urgency
from service.rules.words import act, at_sign, day, ended, moment, name_of, named_act, open_act, some, times, where


@dataclass(slots=True)
class _Wait:
    """Their posts since the last answer, the first of which opened the wait."""

    posts: list[Post]

    @property
    def opener(self) -> Post:
        return self.posts[0]


@dataclass(slots=True)
class _Course:
    """How the talk has gone so far: the open wait, and every wait that was answered."""

    wait: _Wait | None = None
    dealt_with: list[Post] = field(default_factory=list)  # by a person, and not answered yet
    answers: dict[str, Answered] = field(default_factory=dict)
    last_answer: Answered | None = None  # to the last wait, or the one before the open one
    spoke: bool = False  # they said something to us at all


def unanswered(conversation: Conversation, *, now: datetime, policy: Policy) -> Verdict:
    """Whether this person is waiting, as things stand at `now` (aware). What lies after `now` does not count yet.

    The finding's `due_at` is when patience ends, in working time; until then the verdict has `waiting_since` alone.
    `look_again_at` is when time alone could change the answer."""
    if conversation.author_is_ours:
        return Verdict(None, ("One of you wrote this.",))
    if conversation.author_is_bot:
        return Verdict(None, ("Nobody is waiting: the network says that this account is a bot.",))
    policy = policy.of(conversation.responder)
    thread = thread_of(conversation.posts)
    events, windows = _events(thread, conversation), thread.windows(conversation.author_id)
    course = _follow([each for each in events if each.at <= now], conversation.dealt_with_until)
    # What a clock ahead of ours, or a calendar, has put into our future.
    coming = min((each.at for each in (*events, *windows) if each.at > now), default=None)
    if course.wait is None:
        return Verdict(None, _calm(course, conversation, now, policy), look_again_at=coming, ended_by=course.last_answer,
                       answers=course.answers)  # fmt: skip
    # What had closed before this wait began says nothing of it: not of every message is told until when it may be answered.
    opened = [each for each in windows if each.at <= now and each.closes_at > course.wait.opener.at]
    return _waiting(course.wait, course, conversation, opened, coming, now, policy)


# --- following the talk ---------------------------------------------------------------------------------------

_Event = Post | Answer | Elsewhere


def _events(thread: Thread, conversation: Conversation) -> Sequence[_Event]:
    """What they said to us and we to them, in order. At one and the same instant our word is the later, but for what they
    say in reply to it."""
    both: list[_Event] = [*thread.theirs(conversation.author_id), *thread.answers(conversation.author_id)]
    if conversation.elsewhere:
        both += endings(conversation.elsewhere)
    return sorted(both, key=partial(_order, thread))


def _order(thread: Thread, event: _Event) -> tuple[datetime, int, bool, str]:
    if isinstance(event, Post):
        return event.at, thread.turn(event), False, event.id
    turn = event.turn if isinstance(event, Answer) else MOST_TURNS
    return event.at, turn, True, event.post.id if isinstance(event.post, Post) else event.post.kind.value


def _follow(events: Iterable[_Event], dealt_with_until: datetime | None) -> _Course:
    course = _Course()
    for event in events:
        if isinstance(event, Post):
            course.spoke = True
            _hear(course, event, dealt_with_until)
            continue
        # A task about what was dealt with may still stand there, made theirs by somebody: it ends with the answer, as any does.
        course.answers.update((post.id, event.post) for post in course.dealt_with)
        course.dealt_with.clear()
        if course.wait:
            course.answers[course.wait.opener.id] = course.last_answer = event.post
        course.wait = None
    return course


def _hear(course: _Course, post: Post, dealt_with_until: datetime | None) -> None:
    signals = post.signals
    if dealt_with_until is not None and post.at <= dealt_with_until:
        course.dealt_with.append(post)
        return
    if signals.broadcast and post.kind not in (Kind.REPLY, Kind.DIRECT):
        return
    if signals.solved and not open_act(signals):
        course.wait = course.last_answer = None  # they no longer need us, and it was not us who ended it
    elif signals.polite_close and not open_act(signals):
        return
    elif course.wait:
        course.wait.posts.append(post)
    else:
        course.wait = _Wait([post])


# --- judging a wait -------------------------------------------------------------------------------------------


def _waiting(
    wait: _Wait,
    course: _Course,
    conversation: Conversation,
    windows: Sequence[Window],
    coming: datetime | None,
    now: datetime,
    policy: Policy,
) -> Verdict:
    since = wait.opener.at
    lapses = wait.posts[-1].at + policy.lapse_after
    if now >= lapses:
        reason = f"They last wrote on {day(wait.posts[-1].at, policy.timezone, now)}; that is too long ago for a task."
        return Verdict(None, (reason,), look_again_at=coming, answers=course.answers)
    window = closes(windows)
    due = patience_ends(wait.posts, windows, conversation.stage, policy)
    reasons = tuple(_reasons(wait, window, conversation, now, policy))
    finding = None
    if now >= due:
        finding = _finding(wait, due, reasons, urgency(wait.posts, window, conversation.deal, now, policy))
    else:
        reasons = (*reasons, f"There is time until {moment(due, policy.timezone)}.")
    again = [coming, lapses, *((due,) if now < due else steps(since, window, policy))]
    return Verdict(
        finding, reasons, look_again_at=min(at for at in again if at is not None and at > now), ended_by=course.last_answer,
        waiting_since=since, answers=course.answers,
    )  # fmt: skip


def _finding(wait: _Wait, due: datetime, reasons: tuple[str, ...], urgent: int) -> Finding:
    return Finding(
        TaskKind.UNANSWERED,
        episode=wait.opener.id,
        since=wait.opener.at,
        due_at=due,
        ripe_at=due,
        reasons=reasons,
        urgency=urgent,
        evidence=some([post.id for post in wait.posts]),
        tender=any(post.signals.tender for post in wait.posts),
    )


# --- saying it ------------------------------------------------------------------------------------------------


_DEALS = {OPEN: "They have an open deal with you.", WON: "They are a customer of yours."}


def _reasons(
    wait: _Wait, window: datetime | None, conversation: Conversation, now: datetime, policy: Policy
) -> Iterator[str]:
    opener, zone = wait.opener, policy.timezone
    name = name_of(conversation.author_name, at_sign(conversation.author_handle))
    weight, did = act(opener)
    private = " in a direct message" if opener.kind is Kind.DIRECT and named_act(opener.signals) else ""
    yield f"{name} {did}{private}{where(opener.network)} on {day(opener.at, zone, now)} and nobody has answered yet."
    strongest = max(wait.posts, key=lambda post: act(post)[0])
    most, also = act(strongest)
    if most > weight and also != did and named_act(strongest.signals):
        yield f"They also {also} on {day(strongest.at, zone, now)}."
    if conversation.deal in _DEALS:
        yield _DEALS[conversation.deal]
    if len(wait.posts) > 1:
        yield f"They have written {times(len(wait.posts) - 1)} since."
    if window is not None:
        yield (
            f"You can answer there until {moment(window, zone)}."
            if now < window
            else f"Since {moment(window, zone)} nobody can answer there any more; reach them another way."
        )


def _calm(course: _Course, conversation: Conversation, now: datetime, policy: Policy) -> tuple[str, ...]:
    """Why nobody is waiting."""
    if course.last_answer:
        did, at = ended(course.last_answer)
        return (f"Nobody is waiting: you {did} on {day(at, policy.timezone, now)}.",)
    if conversation.dealt_with_until is not None and course.spoke:
        return ("Nobody is waiting: one of you said that no reply is needed.",)
    if course.spoke:
        return ("Nobody is waiting: what they wrote needs no answer.",)
    return ("Nobody is waiting: they have said nothing to you here.",)
