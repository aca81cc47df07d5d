"""Messages to brands, with reply links: which of them did a brand answer, going by the same threads as the product."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.records import Kind
from service.backtest.judged import Judged, answered_line, needs_answer, waiting_line
from service.rules.addressing import Answer, Thread
from service.rules.model import Post, Signals
from service.rules.rebuilding import Sent, talks

_OPENING = re.compile(r"\s*\.?((?:@\w+[\s,:]*)*)")
_HANDLE = re.compile(r"@(\w+)")
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
    talk = talks(_sent(each) for each in held.values())
    together: dict[str, list[Message]] = defaultdict(list)
    for each in held.values():
        together[talk[each.id]].append(each)
    for own in together.values():
        own.sort(key=lambda each: (each.at, each.id))
    desk = _Desk(held, brands, talk, together)
    for each in held.values():
        if each.inbound:
            yield desk.judge(each, now)


def _sent(message: Message) -> Sent:
    return Sent(
        message.id,
        message.author.casefold(),
        message.at,
        not message.inbound,
        message.in_reply_to,
        _opening(message.text),
    )


def _opening(text: str) -> tuple[str, ...]:
    """Whom a text names before it says anything."""
    found = _OPENING.match(text)
    return tuple(name.casefold() for name in _HANDLE.findall(found[1])) if found else ()


class _Desk:
    """All talks of the file; each is laid out for a brand when one of its messages is judged, and kept until the next talk."""

    def __init__(
        self, held: Mapping[str, Message], brands: Mapping[str, str], talk: Mapping[str, str], together: Mapping[str, Sequence[Message]]
    ) -> None:  # fmt: skip
        self._held, self._brands, self._talk, self._together = held, brands, talk, together
        self._threads: dict[tuple[str, str], Thread] = {}

    def judge(self, message: Message, now: datetime) -> Judged:
        parent = self._held.get(message.in_reply_to or "")
        asked = self._asked(message, parent)
        answers = [(first, brand) for brand in asked if (first := self._first(message, brand))]
        if answers:
            first, brand = min(answers, key=lambda each: (each[0].at, each[0].post.id))
            line = answered_line(self._brands[brand], message.at, first.at, direct=first.post.in_reply_to == message.id)
        else:
            line = waiting_line([self._brands[brand] for brand in asked], message.at, now)
        needs, why = needs_answer(message.text, parent.text if parent else None, not parent.inbound if parent else None)
        return Judged(message.id, not answers, needs, (line, *why))

    def _asked(self, message: Message, parent: Message | None) -> list[str]:
        """The brands that a message speaks to: the one that it replies to and those that it names; failing these, those in
        its talk; failing these, the only one that there is."""
        named = [name.casefold() for name in _HANDLE.findall(message.text)]
        if parent is not None and not parent.inbound:
            named.insert(0, parent.author.casefold())
        present = (each.author.casefold() for each in self._together[self._talk[message.id]] if not each.inbound)
        only = list(self._brands) if len(self._brands) == 1 else []
        found = [name for name in named if name in self._brands] or list(present) or only
        return list(dict.fromkeys(found))

    def _first(self, message: Message, brand: str) -> Answer | None:
        """The first that this brand said to the author from this message on; a reply to the message itself counts whenever
        its clock says that it was written."""
        author = message.author.casefold()
        after = [each for each in self._thread(message, brand).answers(author) if each.at >= message.at]
        return min(after, key=lambda each: (each.at, each.post.id), default=None)

    def _thread(self, message: Message, brand: str) -> Thread:
        key = (self._talk[message.id], brand)
        if key not in self._threads:
            self._threads.clear()
            self._threads[key] = Thread([self._post(each, brand) for each in self._together[key[0]]])
        return self._threads[key]

    def _post(self, message: Message, brand: str) -> Post:
        author, parent = message.author.casefold(), self._held.get(message.in_reply_to or "")
        ours = author == brand
        return Post(
            id=message.id, native_id=message.id, kind=Kind.OWN if ours else Kind.MENTION, ours=ours, author_id=author, at=message.at,
            text=message.text, signals=_QUIET, in_reply_to=message.in_reply_to, in_reply_to_author=parent.author.casefold() if parent else None,
            mentions=_opening(message.text),
        )  # fmt: skip
