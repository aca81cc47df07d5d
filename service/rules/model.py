"""What the rules read and what they answer. Plain frozen data; every instant is aware, in UTC.

What there is one of for every post, person or candidate is a struct of msgspec's: a first decision makes hundreds of thousands, and a
frozen dataclass takes more than ten times as long to make. (`msgspec.structs.replace` alters one.)

`now` is an argument of every rule. Reasons are whole sentences that a salesperson understands: the CRM task, the API
and the console show the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

import msgspec
from msgspec import Struct

from integrations.records import ActivityKind, Author, Contact, Direction, Kind, TaskKind
from service.rules.evidence import Evidence

RULES_VERSION = 11  # goes up when the same input could be judged otherwise


@dataclass(frozen=True, slots=True)
class Signals:
    """What was read from one text. Stored with the rule version, so that decisions survive the text's retention."""

    asks: bool = False  # a question that waits for an answer
    requests: bool = False  # wants something done
    problem: bool = False  # something does not work, or they complain
    wants_talk: bool = False  # asks for a call, a meeting, a demo
    asks_price: bool = False
    polite_close: bool = False  # thanks, an emoji, "will do": nothing is open
    tender: bool = False  # touches health, belief, union, politics or orientation: link only, never readiness
    broadcast: bool = False  # names many accounts at once, or is a repost
    solved: bool = False  # says that nothing is open any more: "never mind", "it works now"
    needs_answer: bool = False  # a good brand would write an answer: what is open above, and what the brand asked for
    buys: bool = False  # wants to buy, or has just bought
    answer_percent: int = 0  # how likely it is that it needs an answer, 0 to 100: for ranking


@dataclass(frozen=True, slots=True)
class Policy:
    """The workspace's settings as the rules see them."""

    version: int  # of the settings; each verdict keeps it
    timezone: str  # IANA
    hours: Mapping[
        int, tuple[tuple[time, time], ...]
    ]  # weekday (Monday is 0) -> opening spans; all days full = around the clock
    holidays: frozenset[date]
    # In business time; keys: "direct", "problem" (without one, as "question"), "question", "other".
    patience: Mapping[str, timedelta]
    lapse_after: timedelta  # plain time: an older wait makes no task
    call_score: float = 0.5  # the least probability, 0 to 1, that people who read the talk would have somebody call
    call_min_exchanges: int = 1  # two-way exchanges (their post, then ours), unless they ask for a call
    call_recent: timedelta = timedelta(days=21)  # what made them ready must be this fresh
    call_quiet: timedelta = timedelta(days=90)  # after a call, a meeting, or a call task that was dealt with
    stage_patience: Mapping[str, float] = field(default_factory=dict)  # stage -> times patience; 1 if missing
    people: Mapping[str, Policy] = field(default_factory=dict)  # e-mail, lower case -> this policy by their clock

    def of(self, email: str) -> Policy:
        """The policy by the clock of this person (any case): their time zone, hours and holidays where they have their own."""
        return self.people.get(email.strip().lower(), self) if self.people else self


class Post(Struct, frozen=True):
    """One engagement as the rules see it."""

    id: str  # ours
    native_id: str
    kind: Kind
    ours: bool  # written by an account of this brand (connected, or a colleague's listed handle)
    author_id: str  # the network's
    at: datetime
    text: str
    signals: Signals
    in_reply_to: str | None = None  # native post id
    in_reply_to_author: str | None = None
    mentions: tuple[str, ...] = ()
    url: str = ""
    deleted: bool = False
    window_closes_at: datetime | None = None
    author_name: str = ""
    network: str = ""  # the provider's name, for people
    language: str | None = None  # BCP 47, as the network says


class Conversation(Struct, frozen=True):
    """One author and one thread with one brand, and everything of the thread that we hold (others' posts included)."""

    author_id: str  # the network's id of the person
    author_name: str
    author_handle: str
    author_is_ours: bool
    posts: tuple[Post, ...]  # of the whole thread, any order
    dealt_with_until: datetime | None = None  # a person said "no reply needed" or closed the task for posts up to here
    elsewhere: tuple[Answered, ...] = ()  # our private messages to them in other talks; what the CRM has logged
    author_is_bot: bool = False  # the network says so
    deal: str = ""  # open, won, or "": see `standing`
    stage: str = ""  # of the relationship; "" where nobody knows yet
    responder: str = ""  # e-mail of whoever is to answer: whose clock patience runs by


@dataclass(frozen=True, slots=True)
class LoggedActivity:
    kind: ActivityKind
    at: datetime
    direction: Direction = Direction.NONE
    outcome: str = ""
    ends_at: datetime | None = None


Answered = Post | LoggedActivity  # what can end a wait: a post of ours, or a talk or message that the CRM has logged


class History(Struct, frozen=True):
    """Everything between one person and one brand, over all threads and networks, and what the CRM has logged."""

    person_name: str
    posts: tuple[Post, ...]  # theirs, and ours in their conversations; any order
    activities: tuple[LoggedActivity, ...] = ()  # past and coming
    do_not_call: bool = False
    unsubscribed: bool = False
    last_call_task_closed_at: datetime | None = None
    known: bool = False  # the CRM has them
    deal: str = ""  # open, won, lost, or "" where there is none or nobody knows
    bio: str = ""  # of their profiles


class Finding(Struct, frozen=True):
    """What a rule concludes: a task of `kind` should exist, for this episode, for these reasons."""

    kind: TaskKind
    episode: str  # id of the engagement that opened the wait, or that made the person ready; the task's key holds it
    since: datetime  # when the wait began
    due_at: datetime  # when patience ends (business time)
    # Since when this has been so: had everything been read and judged at once, the task would have stood there then (business time).
    ripe_at: datetime
    reasons: tuple[str, ...]
    urgency: int  # 0 lowest ... 100: ranks tasks of one owner
    evidence: tuple[str, ...] = ()  # ids of the engagements that count
    tender: bool = False  # link only
    answered_at: datetime | None = None
    answer_url: str = ""
    # Ready for a call: "asked" for one, "accepted" one that we had offered, or "video": on video alone, never by telephone; "" where it is earned.
    wish: str = ""


class Milestone(Struct, frozen=True):
    """A stage that a relationship came to."""

    stage: str  # aware, in contact, conversing, ready to talk, talked, met
    at: datetime  # of the post, call or meeting that brought it there
    reason: str  # a sentence


class Verdict(Struct, frozen=True):
    """A rule's answer: a finding or none, why, and when the same input could be judged otherwise by time alone."""

    finding: Finding | None
    reasons: tuple[str, ...]  # why a finding, or why none
    look_again_at: datetime | None = None
    # unanswered: the answer that ended the last wait, where there is one: its task is completed with a line saying so
    ended_by: Answered | None = None
    stage: str | None = None  # ready_for_call: aware, in contact, conversing, ready to talk, talked, met
    milestones: tuple[
        Milestone, ...
    ] = ()  # ready_for_call: the stages reached so far, each once, in order; aware is none
    score: float | None = None  # ready_for_call: the probability that people who read the talk would have somebody call
    waiting_since: datetime | None = None  # unanswered: somebody waits since then, whether patience has ended or not
    # unanswered: the answer to every wait that was ended, by episode. A task whose episode is not in here and not in
    # the finding has lost its reason (the question was deleted, say): nobody answered it.
    answers: Mapping[str, Answered] = msgspec.field(default_factory=dict)


class MatchState(StrEnum):
    SUGGESTED = "suggested"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class MatchResult(Struct, frozen=True):
    contact_id: str  # ours
    state: MatchState
    score: float  # probability that it is the same person, 0 to 1
    evidence: tuple[str, ...]  # sentences
    items: tuple[Evidence, ...] = ()  # each with kind, source, basis and weight


class Candidate(Struct, frozen=True, eq=False):
    """A contact that an author may be; one object for all the authors of a batch."""

    contact_id: str  # ours
    contact: Contact
    identifiers: frozenset[str] | None = None  # those of its keys that are no names, where whoever keeps it knows them


class KnownAuthor(Struct, frozen=True):
    network: str  # provider key
    author: Author
    former: tuple[str, ...] = ()  # handles that they went by before, lower case


@dataclass(frozen=True, slots=True)
class OwnerRef:
    """Somebody whom a task can be given to in the CRM."""

    owner_id: str  # the CRM's
    email: str
    name: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Held:
    """Why something is not done now, for people, and when that ends (None: when somebody acts)."""

    reason: str
    until: datetime | None = None


class Person(Struct, frozen=True):
    """The subject of a task, for its wording."""

    name: str  # the contact's, or the author's display name
    handle: str = ""
    network: str = ""  # the provider's name
    contact_id: str | None = None  # ours
    company: str = ""
    title: str = ""
    phone: str = ""
    known: bool = False  # in the CRM
    followers: int | None = None
    extra: Mapping[str, str] = msgspec.field(default_factory=dict)
