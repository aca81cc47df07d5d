"""A channel as `linking` looks at it: what each message says by itself, and the yes-or-no features of every message that it
could answer."""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from math import fsum, log

from service.rules import linking_features as f
from service.rules.languages import SMALL_WORDS

LINES = 12  # how many of the last messages may be answered, whoever wrote them
NAMED = (
    20  # people whom one message can name: more of them is a roll call, which nobody answers by what each said before
)
FURTHER = 3  # and further back, of each: the author's own, those that name the author, those of whom the author names


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a channel. `author` is a nick or handle, as others write it; `called` are other names of theirs."""

    id: str
    author: str
    at: datetime
    text: str
    called: tuple[str, ...] = ()


# --- one message ----------------------------------------------------------------------------------------------

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_FIRST = re.compile(r"\s*[@<]*([^\s:,>]+)([:,>]*)(?=\s|$)")
_TOKEN = re.compile(r"[^\s:,;.!?()\"'@<>]{3,}")
_GREETINGS = frozenset("hi hello hey hiya yo greetings morning evening afternoon howdy all everyone guys folks anyone anybody somebody someone".split())  # noqa: SIM905  # fmt: skip
_ASKS = frozenset("how what why where when which who anyone anybody someone somebody does do is are can could would should help need trying problem".split())  # noqa: SIM905  # fmt: skip
_REPLY_WORDS = frozenset("yes no yeah yep yup nope nah ok okay oh ah ahh hmm right sure true thanks thx thank ty lol haha hehe exactly indeed cool great nice well but so and because then it it's that that's they try use maybe probably".split())  # noqa: SIM905  # fmt: skip
_POLITES = frozenset("thanks thx thank ty cheers thankyou np welcome bye".split())  # noqa: SIM905
_MARKS = ("?", "？", "؟")
# Who goes by one of these is spoken to only where a mark says so ("will: ...", "@will"): most texts that hold it mean the word.
_WORDS = _GREETINGS | _ASKS | _REPLY_WORDS | _POLITES | SMALL_WORDS
_NAMES_SOMEBODY = frozenset("@<:>")


@dataclass(slots=True)
class Said:
    """A message, read once, and what has been settled of it."""

    message: Message
    author: str
    minute: int
    heard_by: str  # whom its beginning names first, "" where nobody
    listeners: frozenset[str]  # all whom its beginning names
    mentioned: frozenset[str]  # whom it names further on
    words: frozenset[str]
    question: bool
    command: bool
    as_new: int  # what the text alone says for a beginning
    as_theirs: int  # and for being answered by somebody else
    begins: bool = False
    answers: int = 0  # by others
    talk: _Talk | None = None


@dataclass(slots=True)
class _Talk:
    """Messages that hang together, as far as they have been settled."""

    people: set[str]
    last: int


@dataclass(slots=True)
class _Person:
    """What one person has said and been told so far, as numbers of messages, and whom they last spoke to."""

    said: deque[int] = field(default_factory=lambda: deque(maxlen=FURTHER))
    told: deque[int] = field(default_factory=lambda: deque(maxlen=FURTHER))
    partner: str = ""


def _nicks(messages: Sequence[Message]) -> dict[str, str]:
    """Whom each name means, in lower case. A name that two people share means neither, unless it is the nick of one."""
    means: dict[str, set[str]] = defaultdict(set)
    for each in messages:
        for name in each.called:
            means[name.casefold()].add(each.author.casefold())
    shared = {name: next(iter(people)) for name, people in means.items() if len(people) == 1}
    return {**shared, **{each.author.casefold(): each.author.casefold() for each in messages}}


def _read(message: Message, nicks: Mapping[str, str]) -> Said:
    text, author = message.text, message.author.casefold()
    named, rest, unknown = _listeners(text, nicks, author)
    listeners = frozenset(named[:NAMED])
    folded = rest.casefold()
    words = _WORD.findall(folded)
    mentioned = _mentioned(folded, nicks) - listeners - {author}
    question = any(mark in rest for mark in _MARKS)
    asks = not _ASKS.isdisjoint(words[:6])
    command = text.startswith("!")
    as_new = f.BIT["new"]
    for name, holds in (
        ("new: names somebody", bool(listeners)), ("new: names somebody unknown", unknown), ("new: mentions somebody", bool(mentioned)),
        ("new: question", question), ("new: request in words", asks and not question), ("new: greeting", not _GREETINGS.isdisjoint(words[:4])),
        ("new: long", len(words) >= 12), ("new: short", len(words) <= 3), ("new: command", command),
        ("new: word of reply", bool(words) and words[0] in _REPLY_WORDS),
    ):  # fmt: skip
        as_new |= f.BIT[name] if holds else 0
    as_theirs = (f.QUESTION if question else f.REQUEST if asks else 0) | (0 if _POLITES.isdisjoint(words) else f.POLITE)
    return Said(
        message, author, int(message.at.timestamp() // 60), named[0] if named else "", listeners, mentioned, frozenset(words), question, command, as_new, as_theirs
    )  # fmt: skip


def _mentioned(folded: str, nicks: Mapping[str, str]) -> frozenset[str]:
    """Whom a text names, wherever that stands."""
    named = (
        nicks[token]
        for token in _TOKEN.findall(folded)
        if token in nicks and (token not in _WORDS or f"@{token}" in folded)
    )
    return frozenset(islice(dict.fromkeys(named), NAMED))


def _listeners(text: str, nicks: Mapping[str, str], author: str) -> tuple[list[str], str, bool]:
    """Whom the beginning of a text speaks to, the text after that, and whether it names somebody unknown."""
    found: list[str] = []
    at = 0
    while match := _FIRST.match(text, at):
        nick = _known(match[1].casefold(), nicks, marked=not _NAMES_SOMEBODY.isdisjoint(match[0]))
        if nick is None or nick == author:
            unknown = not found and bool(match[2]) and match[1].casefold() not in _REPLY_WORDS
            return found, text[at:], unknown
        found.append(nick)
        at = match.end()
    return found, text[at:], False


def _known(name: str, nicks: Mapping[str, str], *, marked: bool) -> str | None:
    """Whom a name means. `marked`: it is written as a name is, whatever word it may be."""
    name = name if name in nicks else name.rstrip("_`.!?")
    return nicks.get(name) if marked or name not in _WORDS else None


def _robots(said: Sequence[Said]) -> set[str]:
    """Who speaks when a command ("!help") was given, and hardly otherwise."""
    spoke, obeyed = Counter[str](), Counter[str]()
    for number, each in enumerate(said):
        spoke[each.author] += 1
        obeyed[each.author] += not each.command and any(one.command for one in said[max(0, number - 3) : number])
    return {author for author, count in spoke.items() if count > 1 and obeyed[author] >= 0.6 * count}


# --- a channel ------------------------------------------------------------------------------------------------


class Channel:
    """The messages of one channel in order, and what each of them could answer.

    For each number from 0 on, ask for its `options`, then `settle` it."""

    def __init__(self, messages: Sequence[Message]) -> None:
        nicks = _nicks(messages)
        self.said = [_read(each, nicks) for each in messages]
        counts = Counter(word for each in self.said for word in each.words)
        self._rarity = {word: log(len(messages) / count) for word, count in counts.items() if count > 1}
        self._robots = _robots(self.said)
        self._people: dict[str, _Person] = defaultdict(_Person)

    def options(self, number: int) -> list[tuple[int, int]]:
        """The numbers of the messages that this one could answer, and its own last, which stands for a beginning; each with
        its features, as bits."""
        said = self.said[number]
        me = self._people[said.author]
        partner = said.heard_by or me.partner
        pairs = [(at, self._pair(number, at, said, me, partner)) for at in self._candidates(number, said, me, partner)]
        return [*pairs, (number, self._beginning(number, said, me))]

    def settle(self, number: int, parent: int) -> None:
        """Takes `parent` (its own number: a beginning) for what this message answers."""
        said, above = self.said[number], self.said[parent]
        me = self._people[said.author]
        me.said.append(number)
        for listener in said.listeners:
            them = self._people[listener]
            them.told.append(number)
            them.partner = them.partner or said.author
        me.partner = said.heard_by or me.partner
        if parent == number or above.talk is None:
            said.begins, said.talk = True, _Talk({said.author}, number)
            return
        said.talk = above.talk
        said.talk.last = number
        above.answers += above.author != said.author
        if said.author in self._robots:
            return  # it speaks to whoever gave the last command, and keeps up with nobody
        said.talk.people.add(said.author)
        if above.author != said.author and not said.listeners:
            me.partner = above.author

    def _candidates(self, number: int, said: Said, me: _Person, partner: str) -> set[int]:
        found = set(range(max(0, number - LINES), number))
        found.update(me.said)
        found.update(me.told)
        for nick in {*said.listeners, *said.mentioned, partner} - {""}:
            found.update(self._people[nick].said)
        return found

    def _pair(self, number: int, at: int, said: Said, me: _Person, partner: str) -> int:
        theirs = self.said[at]
        talk = theirs.talk
        assert talk is not None
        back, shared = number - at, 0.0
        if not said.words.isdisjoint(theirs.words):
            rarity = self._rarity
            shared = fsum([rarity[word] for word in said.words & theirs.words])  # the same in any order
        bits = (
            f.MINUTES_BACK[min(said.minute - theirs.minute, f.LONG_AGO)]
            | f.SHARED_WORDS[min(int(shared + 0.999), f.MUCH)]
        )
        if said.author == theirs.author:
            return bits | f.BACK_OWN[min(back, f.FAR)] | self._own(at, said, theirs, me, talk)
        bits |= theirs.as_theirs
        named = False
        if said.author in theirs.listeners:
            named = True
            bits |= f.NAMES_ME | (f.LAST_TO_ME if me.told[-1] == at else 0)
        elif said.author in theirs.mentioned:
            bits |= f.MENTIONS_ME
        else:
            bits |= f.NAMES_OTHER if theirs.listeners else f.NAMES_NOBODY
        them = self._people[theirs.author]
        last = them.said[-1] == at
        if theirs.author in said.listeners:
            named = True
            bits |= f.I_NAME | (f.I_NAME_LAST if last else 0)
        elif theirs.author in said.mentioned:
            named = True
            bits |= f.I_MENTION
        elif said.listeners:
            bits |= f.I_NAME_OTHER
        else:
            bits |= (0 if theirs.listeners else f.NEITHER) | (f.QUESTION_TO_ALL if theirs.question else 0)
        bits |= f.BACK_NAMED[min(back, f.FAR)] if named else f.BACK_OTHER[min(back, f.FAR)]
        if last:
            bits |= f.THEIR_LAST
        if said.question and theirs.question:
            bits |= f.QUESTIONS
        if theirs.as_new & f.FIRST_WORDS:
            bits |= f.THEIR_FIRST
        robot = said.author in self._robots
        if theirs.command:
            bits |= f.COMMANDS_ROBOT if robot else f.COMMAND
        elif robot:
            bits |= f.ROBOT_OTHERWISE
        if theirs.begins:
            bits |= f.BEGINS if said.listeners or theirs.answers else f.BEGINS | f.BEGINS_OPEN
        if talk.last == at:
            bits |= f.TALK_LAST
        if said.author in talk.people:
            bits |= f.TALK_MINE
        if len(talk.people) == 1:
            bits |= f.TALK_ALONE
        if theirs.answers:
            bits |= f.ANSWERED
        if partner == theirs.author:
            return bits | (f.BOTH if them.partner == said.author else f.MINE)
        return bits | (f.THEIRS if them.partner == said.author else 0)

    def _own(self, at: int, said: Said, theirs: Said, me: _Person, talk: _Talk) -> int:
        bits = f.OWN_LAST if me.said[-1] == at else 0
        if said.listeners:
            bits |= f.OWN_OTHER if said.listeners.isdisjoint(theirs.listeners) else f.OWN_SAME
        if theirs.question and not (me.told and me.told[-1] > at):
            bits |= f.OWN_OPEN
        bits |= f.OWN_TALK_LAST if talk.last == at else 0
        bits |= f.OWN_ALONE if len(talk.people) == 1 else 0
        return bits | (f.OWN_ANSWERED if theirs.answers else 0)

    def _beginning(self, number: int, said: Said, me: _Person) -> int:
        bits = said.as_new | (f.BIT["new: robot"] if said.author in self._robots else 0)
        if number:
            bits |= f.SILENCE[min(said.minute - self.said[number - 1].minute, f.LONG_AGO)]
        if not me.said:
            said.as_new |= f.FIRST_WORDS
            return bits | f.FIRST_WORDS | (f.BIT["new: first words, question"] if said.question else 0)
        before = me.said[-1]
        last = self.said[before]
        bits |= f.SINCE_OWN[min(said.minute - last.minute, f.LONG_AGO)]
        bits |= f.BIT["new: called since"] if me.told and me.told[-1] > before else 0
        bits |= f.BIT["new: spoke just before"] if before == number - 1 else 0
        return bits | (f.BIT["new: own beginning is open"] if last.begins and not last.answers else 0)
