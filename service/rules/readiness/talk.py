"""The talk between the two sides, word by word, and what has built up in it at each moment."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from integrations.records import ActivityKind, Kind
from service.rules.addressing import SPEAKS, unique
from service.rules.model import History, Post
from service.rules.readiness.asked_back import asked_back
from service.rules.readiness.cues import (
    ANY_NEED,
    NEED,
    Cue,
    begins_with_no,
    from_signals,
    is_errand,
    may_wish,
    read_cues,
    read_ours,
)
from service.rules.readiness.heard import FLOOR, NOTHING, Heard, above, clearest_wish, hear, hears_wish, weighed

LULL = timedelta(days=90)  # a silence this long ends a talk: what lies before it no longer counts
NEED_LASTS = timedelta(days=14)  # what they were in the middle of is over, or was said again, after that
OFFER_LASTS = timedelta(days=14)  # a yes to what was offered earlier is a yes to something else ...
BELATED_LASTS = timedelta(days=60)  # ... unless they beg pardon for having let us wait
NEAR = timedelta(days=7)  # whoever wants a call within so many days wants one now
MERE_YES = 6  # words: whoever means more than a yes to what was asked says more
TAKEN_UP = 0.3  # after an offer of ours, what may be an answer to it is one
# What we write is an offer of a talk, where no phrase says so: "shall we send a sample?" sounds much like one.
OFFERED = 0.85
PLAIN = 0.5  # how clearly a wish to talk must be heard to be enough by itself, and how little of anger with it
IDLE = 0.8  # how clearly chatter or news of their own must be heard, for a wish in it to be none
ACQUAINTED_AFTER = timedelta(days=3)
LINE, LENGTH = 60, 160  # letters: what is no more than a line, and what somebody has sat down to write
APART = timedelta(hours=12)
SOON = timedelta(days=1)  # an answer as quick as this keeps a talk going
LIVE = frozenset({ActivityKind.CALL, ActivityKind.MEETING})
CALLED_OFF = frozenset({"cancelled", "no_answer"})
_ON_VIDEO = Cue.VIDEO | Cue.DECLINE  # "I don't do phones, a video thing works for me"
_OF_A_TALK = Cue.TALK | Cue.DECLINE | Cue.PASSED | Cue.LATER
# How long writing takes: 40 words a minute, five letters and a space each (the mean of 168,000 typists: Dhakal et al., CHI
# 2018, have 52 on a keyboard; Palin et al., MobileHCI 2019, 36 on a telephone), and half a minute to read and to take it up.
LETTERS_A_MINUTE = 240
TAKING_UP = 0.5  # minutes


class Word(Struct, frozen=True):
    """One post in the talk between the two sides."""

    at: datetime  # when it counts: an answer never before what it answers
    ours: bool
    post: Post
    cues: int  # bits of `Cue`
    small: bool  # a last polite word: nothing to exchange, but "yes please" and "not now" may stand in it
    heard: Heard = NOTHING  # what a seller would hear in it, where it is theirs
    due: datetime | None = None  # when they want us to come back to them, where they say so
    returns: bool = False  # no post of its own: the instant has come at which they wanted to hear from us


@dataclass(slots=True)
class Course:
    """What has built up in a talk without a lull, up to some word. Nothing here ever shrinks by one more exchange."""

    exchanges: int = 0  # times that they wrote and we answered
    quick: int = 0  # of these, how often within a day
    occasions: int = 0  # on which they wrote what we answered, half a day apart or more: days, without a time zone
    last_occasion: datetime | None = None
    first: datetime | None = None  # the first exchange
    last: datetime | None = None
    theirs: int = 0  # letters that they wrote and we answered
    ours: int = 0  # letters of our answers
    said: dict[int, Word] = field(default_factory=dict)  # the newest word of theirs for each need
    told: list[Word] = field(
        default_factory=list
    )  # long words of theirs, the longest first, each newer than the one before
    weighty: list[Word] = field(default_factory=list)  # words of theirs in which something is heard, in order
    # For each of these, the logarithm of how likely it is that nothing is at stake in any word up to it: a talk of thousands is weighed at each
    # of them.
    nothing: list[float] = field(default_factory=list)
    keenest: list[Word] = field(default_factory=list)  # the keenest of them first, each newer than the one before
    asked: Word | None = None  # the newest wish to talk
    accepted: bool = False  # the wish was a yes to our offer

    @property
    def asked_plainly(self) -> bool:
        """Whether the wish is so clear that it is enough by itself."""
        return self.asked is not None and (self.accepted or is_plain(self.asked))

    @property
    def weeks(self) -> float:
        return (self.last - self.first) / timedelta(weeks=1) if self.first and self.last else 0.0

    @property
    def their_minutes(self) -> float:
        """What writing to us has cost them, where we answered."""
        return self.theirs / LETTERS_A_MINUTE + self.exchanges * TAKING_UP

    @property
    def minutes(self) -> float:
        """What writing to each other has cost both."""
        return self.their_minutes + self.ours / LETTERS_A_MINUTE + self.exchanges * TAKING_UP

    def needs(self, at: datetime) -> list[int]:
        """What they are in the middle of at this instant, the weightiest first."""
        return [cue for cue in NEED if cue in self.said and self.said[cue].at + NEED_LASTS >= at] if self.said else []

    def stake(self, at: datetime) -> float:
        """How likely it is that something of weight is in motion with them, 0 to 1: that one of their words says so."""
        first = self._first_lately(at)
        before = self.nothing[first - 1] if first else 0.0
        return 1 - math.exp(self.nothing[-1] - before) if first < len(self.weighty) else 0.0

    def interest(self, at: datetime) -> float:
        """How likely it is that they have some need, or ask for terms, 0 to 1."""
        since = at - NEED_LASTS
        return next((_keenness(word) for word in self.keenest if word.at >= since), 0.0)

    def weightiest(self, at: datetime) -> Word | None:
        """The word in which the most is heard to be at stake."""
        return max(self.weighty[self._first_lately(at) :], key=lambda word: word.heard.stake, default=None)

    def _first_lately(self, at: datetime) -> int:
        """The number of the first weighty word that is no older than `NEED_LASTS`."""
        return bisect_left(self.weighty, at - NEED_LASTS, key=attrgetter("at"))

    def weigh(self, word: Word) -> None:
        """Takes in the newest word of theirs in which something is heard."""
        self.weighty.append(word)
        self.nothing.append((self.nothing[-1] if self.nothing else 0.0) + math.log1p(-above(word.heard.stake)))
        self.keenest = [*(each for each in self.keenest if _keenness(each) > _keenness(word)), word]

    def longest(self, at: datetime) -> Word | None:
        """The longest that they have told us lately."""
        return next((word for word in self.told if word.at + NEED_LASTS >= at), None)

    def direct(self, longest: Word | None, needs: Sequence[int]) -> bool:
        """Whether they said in private what they need, asked, or told at length."""
        words = [self.asked, longest, *[self.said[cue] for cue in needs]]
        return Kind.DIRECT in [word.post.kind for word in words if word is not None]

    @staticmethod
    def effort(word: Word) -> float:
        """How much their longest word cost them, 0 to 1: nothing up to a line, everything from four on."""
        return min((len(word.post.text) - LINE) / (LENGTH - LINE), 1.0)

    def came_back(self, needs: Sequence[int]) -> bool:
        """Whether one of these needs came up days after the first exchange."""
        newest = max((self.said[cue].at for cue in needs), default=None)
        return newest is not None and self.first is not None and newest - self.first >= ACQUAINTED_AFTER


def _keenness(word: Word) -> float:
    return above(max(word.heard.need, word.heard.terms))


def words_of(history: History) -> list[Word]:
    """What the two sides said to each other, in order: without deleted posts, tender ones and announcements, and of ours only
    what speaks to this person. At one instant our word is the later."""
    posts = unique(history.posts)
    people = {post.author_id for post in posts if not post.ours}
    native = {(post.network, post.native_id): post for post in posts if not post.ours}
    heard = [
        post
        for post in posts
        if not post.deleted and (_to_them(post, people, native) if post.ours else speaks_to_us(post))
    ]
    words = sorted((_word(post, native) for post in heard), key=_order)
    words = [*_answered(words)]
    return sorted([*words, *_returning(words, history)], key=_order)


def _order(word: Word) -> tuple[datetime, bool, str, bool]:
    return word.at, word.ours, word.post.id, word.returns


def _answered(words: Iterable[Word]) -> Iterator[Word]:
    """The words; where we had just offered a talk and their answer begins with a no, it is one."""
    offered = False
    for word in words:
        if word.ours:
            offered = bool(word.cues & Cue.OFFER)
        elif offered and not word.cues & (Cue.TALK | Cue.PHONE | Cue.YES) and begins_with_no(word.post.text):
            word = replace(word, cues=word.cues | Cue.DECLINE)
        yield word


def _returning(words: Sequence[Word], history: History) -> Iterator[Word]:
    """A wish to talk at each instant at which they wanted us to come back to them, unless they have spoken of a talk since, or it was held."""
    held = [each.at for each in history.activities if each.kind in LIVE and each.outcome not in CALLED_OFF]
    ended = [*held, *([history.last_call_task_closed_at] if history.last_call_task_closed_at else [])]
    spoken: datetime | None = None
    for word in reversed(words):
        if word.ours or not (word.due or word.cues & _OF_A_TALK):
            continue
        due = word.due
        if due and (spoken is None or spoken >= due) and not any(word.at < at <= due for at in ended):
            yield Word(due, False, word.post, Cue.TALK, small=False, returns=True)
        spoken = word.at


def worth_reading(history: History) -> bool:
    """Where we have never answered, nothing but a wish can come of it: most people write once, and reading that once more
    would cost more than the rest of the decision."""
    if history.activities or any(post.ours for post in history.posts):
        return True
    return any(speaks_to_us(post) and _may_wish(post) for post in history.posts)


def _may_wish(post: Post) -> bool:
    """What asks nothing is not listened to: that takes twice as long as looking for phrases."""
    said = post.signals
    return said.wants_talk or may_wish(post.text) or (said.asks and hears_wish(post.text, post.language))


def _word(post: Post, native: dict[tuple[str, str], Post]) -> Word:
    at = _counts_at(post, native)
    if post.ours:
        return Word(at, True, post, _ours(post.text), small=False)
    told = hear(post.text, post.language) if post.text else NOTHING
    cues, due = _cues(post, told), asked_back(post.text, at) if post.text else None
    if due is not None and (cues & Cue.DECLINE or (cues & Cue.TALK and due - at <= NEAR)):
        due = None
    if due is not None:  # until then they want none
        cues = (cues | Cue.LATER) & ~Cue.TALK
    return Word(at, False, post, cues, _is_small(post), told, due)


def _ours(text: str) -> int:
    """What a text of ours says. One that asks them nothing, or for a photo, offers nothing that the phrases do not know."""
    said = read_ours(text)
    if said or "?" not in text or is_errand(text):
        return said
    return Cue.OFFER if hear(text).talk >= OFFERED else Cue.NONE


def _cues(post: Post, told: Heard) -> int:
    read = weighed(read_cues(post.text), clearest_wish(post.text, told, post.language)) if post.text else Cue.NONE
    if read & Cue.OF_OTHERS:
        read &= ~Cue.COMPLAINT
    kept = from_signals(post.signals)
    if _is_mere_yes(post.text):
        return (read | kept) & ~Cue.TALK  # to what, only what was asked before it tells
    # The text knows more than the signals, which take "an hour on a call with my bank" for a wish.
    return read | (kept & ~Cue.TALK if read & Cue.NO_TALK else kept)


def _is_mere_yes(text: str) -> bool:
    """Whether a text is a yes of a few words, and speaks of no talk itself."""
    if not text or len(text.split()) > MERE_YES:
        return False
    return read_cues(text) & (Cue.YES | Cue.TALK | Cue.PHONE) == Cue.YES


def _counts_at(post: Post, native: dict[tuple[str, str], Post]) -> datetime:
    parent = native.get((post.network, post.in_reply_to or "")) if post.ours else None
    return max(post.at, parent.at) if parent else post.at


def speaks_to_us(post: Post) -> bool:
    counts = post.kind in SPEAKS or post.kind is Kind.COMMENT
    return counts and not (post.signals.tender or post.signals.broadcast)


def _is_small(post: Post) -> bool:
    return post.signals.polite_close and not post.signals.wants_talk


def _to_them(post: Post, people: set[str], native: dict[tuple[str, str], Post]) -> bool:
    return (
        post.kind is Kind.DIRECT
        or post.in_reply_to_author in people
        or (post.network, post.in_reply_to or "") in native
        or not people.isdisjoint(post.mentions)
    )


def courses(words: Iterable[Word], wish_lasts: timedelta) -> Iterator[tuple[Word, Course, bool]]:
    """Each word, the course of the talk up to and with it, and whether the word added anything: an answer of ours to what
    waited for one (or to a last polite word, which keeps the talk fresh and is no exchange), or something new that they want. The
    course is one object that grows: read it at once."""
    course = Course()
    waiting: list[Word] = []
    theirs_last = False
    offered: datetime | None = None
    asked_else = False  # after what they wrote to the offer, we asked something else: a mere yes answers that
    before: datetime | None = None
    for word in words:
        if before is not None and word.at - before > LULL:
            course, waiting, offered = Course(), [], None
        before = word.at
        if word.returns:
            course.asked, course.accepted = word, False
            yield word, course, True
            continue
        if course.asked is not None and word.at - course.asked.at >= wish_lasts:
            course.asked = None
        if word.ours:
            added = _answer(course, waiting, word) or theirs_last
            if word.cues & Cue.OFFER:
                offered, asked_else = word.at, False
            elif theirs_last and "?" in word.post.text:
                asked_else = True
        else:
            lasts = BELATED_LASTS if word.cues & Cue.BELATED else OFFER_LASTS
            open_offer = offered is not None and word.at - offered <= lasts
            added = _hear(course, word, open_offer and _takes_up(word, a_yes_will_do=not asked_else))
            if word.cues & Cue.DECLINE:
                offered = None  # it has had its answer: what they write after that is no yes to it
            if not word.small:
                waiting.append(word)
        theirs_last = not word.ours
        yield word, course, added


def _answer(course: Course, waiting: list[Word], word: Word) -> bool:
    if not waiting:
        return False
    course.exchanges += 1
    course.quick += word.at - waiting[-1].at <= SOON
    for each in waiting:
        if course.last_occasion is None or each.at - course.last_occasion >= APART:
            course.occasions, course.last_occasion = course.occasions + 1, each.at
    course.first, course.last = course.first or word.at, word.at
    course.theirs += sum(len(each.post.text) for each in waiting)
    course.ours += len(word.post.text)
    waiting.clear()
    return True


def _hear(course: Course, word: Word, taken: bool) -> bool:
    news = bool(word.cues & ANY_NEED)
    if news:
        course.said.update((cue, word) for cue in NEED if word.cues & cue)
    if max(word.heard.stake, word.heard.need, word.heard.terms) > FLOOR:
        course.weigh(word)
        news = True
    if len(word.post.text) > LINE and word.cues & Cue.OWN_AFFAIRS:
        course.told = [*(each for each in course.told if len(each.post.text) > len(word.post.text)), word]
        news = True
    if taken or is_wish(word):
        course.asked, course.accepted = word, taken
        return True
    return news


def _takes_up(word: Word, *, a_yes_will_do: bool) -> bool:
    """Whether it is a yes to an offer of ours."""
    yes = bool(word.cues & (Cue.YES | Cue.PHONE)) or word.heard.talk >= TAKEN_UP
    told = a_yes_will_do or not _is_mere_yes(word.post.text)
    return yes and told and not word.cues & (Cue.DECLINE | Cue.LATER | Cue.PASSED)


def is_wish(word: Word) -> bool:
    """Whether somebody means it: a wish in a joke is none, unless there is something to talk about, and neither is one that
    is taken back in the same breath."""
    wish = (
        word.cues & Cue.TALK
        or word.cues & _ON_VIDEO == _ON_VIDEO
        or (word.cues & Cue.PHONE and word.post.kind is Kind.DIRECT)
    )
    joking = word.cues & Cue.JOKE and not word.cues & ANY_NEED
    return (
        bool(wish)
        and not joking
        and not _is_idle(word.heard)
        and not word.cues & (Cue.WRONG | Cue.NO_BUYER)
        and not _taken_back(word)
    )


def is_plain(wish: Word) -> bool:
    """Whether a wish to talk is heard clearly, and neither anger nor that they want something else than to buy. Of an erased text its signal
    is all that is left."""
    heard = wish.heard
    return wish.returns or not wish.post.text or heard.talk >= PLAIN > max(heard.other, heard.complaint)


def _is_idle(heard: Heard) -> bool:
    """Whether what is heard is a joke or a story of their own, and neither a need nor, more clearly, a wish to talk."""
    idle = max(heard.chatter, heard.personal)
    return idle >= IDLE and idle > heard.talk and max(heard.stake, heard.need, heard.terms) <= FLOOR


def _taken_back(word: Word) -> bool:
    """ "I'd rather not call, a video meeting is fine" is a wish all the same."""
    return bool(word.cues & Cue.DECLINE) and not word.cues & Cue.VIDEO
