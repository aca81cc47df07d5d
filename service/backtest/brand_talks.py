"""Messages to brands, with reply links: which of them did a brand answer, going by the same threads as the product."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.records import Kind
from service.backtest.judged import Context, Judged, answered_line, needs_answer, waiting_line
from service.backtest.naming import Names
from service.rules.addressing import MOST_TURNS, Answer, Thread
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
    brands = _Brands.of(each.author for each in messages if not each.inbound)
    held = {each.id: each for each in messages if each.at <= now}
    names = Names(each.author for each in messages)
    talk = talks(_sent(each, held, names, brands.family) for each in held.values())
    together: dict[str, list[Message]] = defaultdict(list)
    for each in held.values():
        together[talk[each.id]].append(each)
    for own in together.values():
        own.sort(key=lambda each: (each.at, each.id))
    found: dict[str, Judged] = {}
    for own in together.values():
        desk = _Desk(own, held, names, brands)
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


def _stem(account: str) -> str:
    """What comes before "help" and the like in the name of an account; "" where it is no such account, or says too little."""
    ending = next((each for each in _DESKS if account.endswith(each)), "")
    stem = account.removesuffix(ending).rstrip("_.- ")
    return stem if ending and len(stem) >= _STEM else ""


@dataclass(frozen=True, slots=True)
class _Brands:
    """The brands' accounts in a file, by their folded names."""

    written: Mapping[str, str]  # as they write themselves
    family: Mapping[str, str]  # what those have in common that belong together: see `_families`
    stems: tuple[str, ...]  # how the names of their accounts begin

    @classmethod
    def of(cls, authors: Iterable[str]) -> _Brands:
        written = {author.casefold(): author for author in authors}
        return cls(written, _families(written), tuple({_stem(account) or account for account in written}))

    def with_kin(self, accounts: Sequence[str]) -> Sequence[str]:
        """These accounts, and those that belong to them."""
        families = {self.family[each] for each in accounts if each in self.family}
        if not families:
            return accounts
        return list(dict.fromkeys([*accounts, *(each for each, name in self.family.items() if name in families)]))

    def may_be(self, name: str) -> bool:
        """Whether this is a brand's account, in the file or not."""
        return name.startswith(self.stems)


def _families(brands: Iterable[str]) -> Mapping[str, str]:
    """What the accounts of one brand have in common, by account: "acme_care" is there for "acmebikes". Most have no such other."""
    found: dict[str, str] = {}
    for stem in filter(None, map(_stem, brands)):
        kin = [other for other in brands if other.startswith(stem)]
        if len(kin) > 1:
            found |= dict.fromkeys(kin, stem)
    return found


class _Desk:
    """One talk, laid out once for all of its messages and for every brand: the time grows with its length alone."""

    def __init__(self, talk: Sequence[Message], held: Mapping[str, Message], names: Names, brands: _Brands) -> None:
        self._held, self._names, self._brands = held, names, brands
        self._present = list(dict.fromkeys(each.author.casefold() for each in talk if not each.inbound))
        self._posts = {each.id: self._post(each) for each in talk}
        self._thread = Thread(self._posts.values())
        self._told: dict[str, Mapping[str, Sequence[Answer]]] = {}
        self._waits: dict[str, Message] = {}  # by author: the last of those judged that needs an answer

    def judge(self, message: Message, now: datetime) -> Judged:
        parent = self._held.get(message.in_reply_to or "")
        asked = self._asked(message, parent)
        answers = [(first, brand) for brand in self._brands.with_kin(asked) if (first := self._first(message, brand))]
        if answers:
            first, brand = min(answers, key=lambda each: _order(each[0]))
            line = answered_line(
                self._brands.written[brand], message.at, first.at, direct=first.post.in_reply_to == message.id
            )
        else:
            line = waiting_line([self._brands.written[brand] for brand in asked], message.at, now)
        needs, why = needs_answer(message.text, self._context(message, asked))
        if needs:
            self._waits[message.author.casefold()] = message
        return Judged(message.id, not answers, needs, (line, *why))

    def _context(self, message: Message, asked: Sequence[str]) -> Context:
        """What a message stands in. Who goes on below what they wrote themselves replies to what that replied to, or to what a brand
        has told them since; so does who replies to nothing and names nobody, as in a private talk."""
        opening = self._names.opening(message.text)
        if opening and not any(map(self._brands.may_be, opening)):
            return Context(to_others=True)
        parent = self._held.get(message.in_reply_to or "")
        mine = parent.author == message.author if parent else not opening
        if not mine:
            return self._reply_to(parent)
        goes_on, told = self._still_waits(message, asked), self._told_last(message, asked)
        if told:
            return Context(told.text, ours=True, goes_on=goes_on)
        return self._reply_to(self._others(parent))._replace(goes_on=goes_on)

    def _reply_to(self, parent: Message | None) -> Context:
        if parent is None:
            return Context()
        to_all = not parent.inbound and parent.in_reply_to is None and not self._names.opening(parent.text)
        return Context(parent.text, not parent.inbound, to_all)

    def _others(self, parent: Message | None) -> Message | None:
        """The first of these posts, up a chain of one person's, that somebody else wrote."""
        first = parent
        for _ in range(MOST_TURNS):
            if parent is None or first is None or parent.author != first.author:
                break
            parent = self._held.get(parent.in_reply_to or "")
        return parent

    def _still_waits(self, message: Message, asked: Sequence[str]) -> bool:
        """Whether its author waits for an answer to what they wrote before."""
        before = self._waits.get(message.author.casefold())
        if before is None:
            return False
        told = [first for brand in self._brands.with_kin(asked) if (first := self._first(before, brand))]
        return all(each.at > message.at for each in told)

    def _told_last(self, message: Message, asked: Sequence[str]) -> Post | None:
        """The last that these brands said to its author before a message."""
        told = self._answers(message.author.casefold())
        last = [
            own[at - 1]
            for brand in self._brands.with_kin(asked)
            if (own := told.get(brand, ())) and (at := bisect_left(own, message.at, key=_instant))
        ]
        return max(last, key=_order).post if last else None

    def _asked(self, message: Message, parent: Message | None) -> list[str]:
        """The brands that a message speaks to: the one that it replies to and those that it names; failing these, those in
        its talk; failing these, the only one that there is."""
        named = list(self._names.named(message.text))
        if parent is not None and not parent.inbound:
            named.insert(0, parent.author.casefold())
        only = list(self._brands.written) if len(self._brands.written) == 1 else []
        return list(dict.fromkeys(name for name in named if name in self._brands.written)) or self._present or only

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
        ours = author in self._brands.written
        return Post(
            id=message.id, native_id=message.id, kind=Kind.OWN if ours else Kind.MENTION, ours=ours, author_id=author, at=message.at,
            text=message.text, signals=_QUIET, in_reply_to=message.in_reply_to, in_reply_to_author=parent.author.casefold() if parent else None,
            mentions=self._names.opening(message.text),
        )  # fmt: skip


def _instant(answer: Answer) -> datetime:
    return answer.at


def _order(answer: Answer) -> tuple[datetime, int, str]:
    return answer.at, answer.turn, answer.post.id
