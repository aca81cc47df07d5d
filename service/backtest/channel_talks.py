"""Messages of channels without reply links, where everybody may answer: links come from nicks, turns, times and words. Where there are
two people, each of them answers the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from service.backtest.judged import LIKELY, Context, Judged, needs_answer, probably_line
from service.rules.linking import Message, answered, link

_OF_TWO = "The only other person of this channel wrote after it."


def judge(messages: Iterable[tuple[str, Message]], *, now: datetime) -> Iterator[Judged]:
    """For each message until `now` of these (channel, message) pairs, channel by channel: whether somebody else has
    probably answered it by then."""
    channels: dict[str, dict[str, Message]] = defaultdict(dict)
    for name, message in messages:
        if message.at <= now:
            channels[name][message.id] = message
    for by_id in channels.values():
        held = list(by_id.values())
        other_wrote = _other_of_two(held)
        links = link(held)
        chances = answered(held, links)
        parents = {each.id: each.parent for each in links}
        for each in held:
            parent = by_id.get(parents[each.id] or "")
            needs, why = needs_answer(each.text, Context(parent.text, ours=False) if parent else Context())
            if other_wrote and other_wrote(each):
                yield Judged(each.id, False, needs, (_OF_TWO, *why))
            else:
                yield Judged(each.id, chances[each.id] < LIKELY, needs, (probably_line(chances[each.id]), *why))


def _other_of_two(held: Sequence[Message]) -> Callable[[Message], bool] | None:
    """In a channel of two people, tells whether the other one wrote after a message, which answers it also where it asks back; None in any other channel."""
    last: dict[str, datetime] = {}
    for each in held:
        author = each.author.casefold()
        last[author] = max(each.at, last.get(author, each.at))
    if len(last) != 2:
        return None
    return lambda message: any(at > message.at for author, at in last.items() if author != message.author.casefold())
