"""Messages to brands, with reply links: which of them did a brand answer, going by the same threads as the product."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.records import Kind
from service.backtest.judged import Judged, answered_line, needs_answer, waiting_line
from service.backtest.naming import Names
from service.rules.addressing import Answer, Thread
from service.rules.model import Post, Signals
from service.rules.rebuilding import Sent, talks

_QUIET = Signals()
# How accounts end that a brand has beside its own, to help people.
_DESKS = ("care", "cares", "help", "helps", "service", "support")
_STEM = 5  # letters that two accounts of one brand share, at least


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
    names = Names(each.author for each in messages)
    family = _families(brands)
    talk = talks(_sent(each, held, names, family) for each in held.values())
    together: dict[str, list[Message]] = defaultdict(list)
    for each in held.values():
        together[talk[each.id]].append(each)
    for own in together.values():
        own.sort(key=lambda each: (each.at, each.id))
    found: dict[str, Judged] = {}
    for own in together.values():
        desk = _Desk(own, held, brands, names, family)
        found.update((each.id, desk.judge(each, now)) for each in own if each.inbound)
    yield from (found[each.id] for each in held.values() if each.inbound)


def _sent(message: Message, held: Mapping[str, Message], names: Names, family: Mapping[str, str]) -> Sent:
    """The message, with a brand's accounts under one name."""
    author = message.author.casefold()
    spoken_to = names.opening(message.text) or (_spoken_to(message, held, names) if message.inbound else ())
    return Sent(
        message.id, family.get(author, author), message.at, not message.inbound, message.in_reply_to,
        tuple(family.get(each, each) for each in spoken_to),
    )  # fmt: skip


def _spoken_to(message: Message, held: Mapping[str, Message], names: Names) -> tuple[str, ...]:
    """Whom somebody speaks to who does not begin with a name: whom they name further on, or whoever wrote what they reply to."""
    parent = held.get(message.in_reply_to or "")
    return tuple(names.named(message.text)) or ((parent.author.casefold(),) if parent else ())


def _families(brands: Iterable[str]) -> Mapping[str, str]:
    """What the accounts of one brand have in common, by account: "acme_care" is there for "acmebikes". Most have no such other."""
    found: dict[str, str] = {}
    for desk in brands:
        ending = next((each for each in _DESKS if desk.endswith(each)), "")
        stem = desk.removesuffix(ending).rstrip("_.- ")
        kin = [other for other in brands if other.startswith(stem)] if ending and len(stem) >= _STEM else ()
        if len(kin) > 1:
            found |= dict.fromkeys(kin, stem)
    return found


class _Desk:
    """One talk, laid out once for all of its messages and for every brand: the time grows with its length alone."""

    def __init__(
        self,
        talk: Sequence[Message],
        held: Mapping[str, Message],
        brands: Mapping[str, str],
        names: Names,
        family: Mapping[str, str],
    ) -> None:
        self._held, self._brands, self._names, self._family = held, brands, names, family
        self._present = list(dict.fromkeys(each.author.casefold() for each in talk if not each.inbound))
        self._posts = {each.id: self._post(each) for each in talk}
        self._thread = Thread(self._posts.values())
        self._told: dict[str, Mapping[str, Sequence[Answer]]] = {}

    def judge(self, message: Message, now: datetime) -> Judged:
        parent = self._held.get(message.in_reply_to or "")
        asked = self._asked(message, parent)
        answers = [(first, brand) for brand in self._with_kin(asked) if (first := self._first(message, brand))]
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
        named = list(self._names.named(message.text))
        if parent is not None and not parent.inbound:
            named.insert(0, parent.author.casefold())
        only = list(self._brands) if len(self._brands) == 1 else []
        return list(dict.fromkeys(name for name in named if name in self._brands)) or self._present or only

    def _with_kin(self, asked: Sequence[str]) -> Sequence[str]:
        """These brands, and the other accounts that they have."""
        families = {self._family[brand] for brand in asked if brand in self._family}
        if not families:
            return asked
        return list(dict.fromkeys([*asked, *(each for each, name in self._family.items() if name in families)]))

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
            mentions=self._names.opening(message.text),
        )  # fmt: skip


def _order(answer: Answer) -> tuple[datetime, int, str]:
    return answer.at, answer.turn, answer.post.id
