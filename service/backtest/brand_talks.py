"""Messages to brands, with reply links: which of them did a brand answer, going by the same threads as the product."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from integrations.records import Kind
from service.backtest.judged import Judged, answered_line, needs_answer, waiting_line
from service.rules.addressing import Answer, Thread
from service.rules.model import Post, Signals
from service.rules.rebuilding import Sent, talks

# A handle may hold points and hyphens, and a server or domain. It may also stand before a word without a space: see `_named`.
_OPENING = re.compile(r"\s*\.?((?:@\w+(?:[.@-]\w+)*[\s,:]*)*)")
_HANDLE = re.compile(r"@(\w+(?:[.@-]\w+)*)")
_PLAIN = re.compile(r"@(\w+)")
_QUIET = Signals()


@dataclass(frozen=True, slots=True)
class Message:
    """One row of the file."""

    id: str
    author: str
    inbound: bool  # to a brand; otherwise by one
    at: datetime
    in_reply_to: str | None
    text: str


def judge(messages: Iterable[Message], *, now: datetime) -> Iterator[Judged]:
    """For each inbound message until `now`, in the order given: whether a brand that it speaks to has answered by then."""
    messages = list(messages)
    brands = {each.author.casefold(): each.author for each in messages if not each.inbound}
    held = {each.id: each for each in messages if each.at <= now}
    people = {each.author.casefold() for each in messages}
    talk = talks(_sent(each, people) for each in held.values())
    together: dict[str, list[Message]] = defaultdict(list)
    for each in held.values():
        together[talk[each.id]].append(each)
    for own in together.values():
        own.sort(key=lambda each: (each.at, each.id))
    found: dict[str, Judged] = {}
    for own in together.values():
        desk = _Desk(own, held, brands, people)
        found.update((each.id, desk.judge(each, now)) for each in own if each.inbound)
    yield from (found[each.id] for each in held.values() if each.inbound)


def _sent(message: Message, people: Set[str]) -> Sent:
    return Sent(
        message.id,
        message.author.casefold(),
        message.at,
        not message.inbound,
        message.in_reply_to,
        _opening(message.text, people),
    )


def _opening(text: str, people: Set[str]) -> tuple[str, ...]:
    """Whom a text names before it says anything."""
    found = _OPENING.match(text)
    return tuple(_named(found[1], people)) if found else ()


def _named(text: str, people: Set[str]) -> Iterator[str]:
    """Whom a text names, folded. `people` are the authors of the file."""
    for handle in _HANDLE.findall(text.casefold()):
        if handle in people:
            yield handle
        else:
            yield from _PLAIN.findall(f"@{handle}")


class _Desk:
    """One talk, laid out once for all of its messages and for every brand: the time grows with its length alone."""

    def __init__(
        self, talk: Sequence[Message], held: Mapping[str, Message], brands: Mapping[str, str], people: Set[str]
    ) -> None:
        self._held, self._brands, self._people = held, brands, people
        self._present = list(dict.fromkeys(each.author.casefold() for each in talk if not each.inbound))
        self._posts = {each.id: self._post(each) for each in talk}
        self._thread = Thread(self._posts.values())
        self._told: dict[str, Mapping[str, Sequence[Answer]]] = {}

    def judge(self, message: Message, now: datetime) -> Judged:
        parent = self._held.get(message.in_reply_to or "")
        asked = self._asked(message, parent)
        answers = [(first, brand) for brand in asked if (first := self._first(message, brand))]
        if answers:
            first, brand = min(answers, key=lambda each: _order(each[0]))
            line = answered_line(self._brands[brand], message.at, first.at, direct=first.post.in_reply_to == message.id)
        else:
            line = waiting_line([self._brands[brand] for brand in asked], message.at, now)
        needs, why = needs_answer(message.text, parent.text if parent else None, not parent.inbound if parent else None)
        return Judged(message.id, not answers, needs, (line, *why))

    def _asked(self, message: Message, parent: Message | None) -> list[str]:
        """The brands that a message speaks to: the one that it replies to and those that it names; failing these, those in
        its talk; failing these, the only one that there is."""
        named = list(_named(message.text, self._people))
        if parent is not None and not parent.inbound:
            named.insert(0, parent.author.casefold())
        only = list(self._brands) if len(self._brands) == 1 else []
        return list(dict.fromkeys(name for name in named if name in self._brands)) or self._present or only

    def _first(self, message: Message, brand: str) -> Answer | None:
        """The first that this brand said to the author from this message on; a reply to the message itself counts whenever
        its clock says that it was written."""
        told = self._answers(message.author.casefold()).get(brand, ())
        at = bisect_left(told, (message.at, self._thread.turn(self._posts[message.id]), ""), key=_order)
        return told[at] if at < len(told) else None

    def _answers(self, author: str) -> Mapping[str, Sequence[Answer]]:
        """What each brand said to an author, in order."""
        if author not in self._told:
            told: dict[str, list[Answer]] = defaultdict(list)
            for each in sorted(self._thread.answers(author), key=_order):
                told[each.post.author_id].append(each)
            self._told[author] = told
        return self._told[author]

    def _post(self, message: Message) -> Post:
        author, parent = message.author.casefold(), self._held.get(message.in_reply_to or "")
        ours = author in self._brands
        return Post(
            id=message.id, native_id=message.id, kind=Kind.OWN if ours else Kind.MENTION, ours=ours, author_id=author, at=message.at,
            text=message.text, signals=_QUIET, in_reply_to=message.in_reply_to, in_reply_to_author=parent.author.casefold() if parent else None,
            mentions=_opening(message.text, self._people),
        )  # fmt: skip


def _order(answer: Answer) -> tuple[datetime, int, str]:
    return answer.at, answer.turn, answer.post.id
