"""Messages of channels without reply links, where everybody may answer: links come from nicks, turns, times and words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from service.backtest.judged import LIKELY, Context, Judged, needs_answer, probably_line
from service.rules.linking import Message, answered, link


def judge(messages: Iterable[tuple[str, Message]], *, now: datetime) -> Iterator[Judged]:
    """For each message until `now` of these (channel, message) pairs, channel by channel: whether somebody else has
    probably answered it by then."""
    channels: dict[str, dict[str, Message]] = defaultdict(dict)
    for name, message in messages:
        if message.at <= now:
            channels[name][message.id] = message
    for by_id in channels.values():
        held = list(by_id.values())
        links = link(held)
        chances = answered(held, links)
        parents = {each.id: each.parent for each in links}
        for each in held:
            parent = by_id.get(parents[each.id] or "")
            needs, why = needs_answer(each.text, Context(parent.text, ours=False) if parent else Context())
            yield Judged(each.id, chances[each.id] < LIKELY, needs, (probably_line(chances[each.id]), *why))
