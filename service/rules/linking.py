"""Who answers whom in a channel without reply links: from nicks, turns, times and words.

For each message a log-linear model weighs the messages that it could answer, and that it begins something new (Elsner and
Charniak, "Disentangling Chat", 2010, see messages that way; the weights are learnt by maximum likelihood). What is looked at
are yes-or-no features, so that a score is a sum of weights, which can be read in `linking_weights.py`. One pass from the
first message to the last, a bounded number of candidates for each: the time grows with the length of the channel alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp

from service.rules.channel import Channel, Message
from service.rules.linking_features import names
from service.rules.linking_weights import WEIGHTS

_KEPT = 200_000  # scores remembered at a time

__all__ = ["Link", "Message", "answered", "link"]


@dataclass(frozen=True, slots=True)
class Link:
    """What a message answers. `parents` are the messages it may answer with their probabilities, the likeliest first; what
    they leave of 1 is that it begins something new. `parent` is the likeliest reading of all, None for a beginning."""

    id: str
    parent: str | None
    parents: tuple[tuple[str, float], ...]


def link(messages: Iterable[Message]) -> list[Link]:
    """What each message of one channel answers, in the order of time, each id once; messages of one instant keep the order
    given.

    No later message changes an earlier link, but for three things that are known of the whole channel from the start:
    everybody's nick, how rare each word is, and who is a robot."""
    once = {each.id: each for each in messages}
    channel = Channel(sorted(once.values(), key=lambda each: each.at))
    return [_link(channel, number) for number in range(len(channel.said))]


def _link(channel: Channel, number: int) -> Link:
    said = channel.said
    ranked = sorted(((exp(_score(mask)), at) for at, mask in channel.options(number)), reverse=True)
    total = sum([weight for weight, _ in ranked])
    likeliest = ranked[0][1]
    channel.settle(number, likeliest)
    return Link(
        said[number].message.id,
        None if likeliest == number else said[likeliest].message.id,
        tuple([(said[at].message.id, weight / total) for weight, at in ranked if at != number]),
    )


def answered(messages: Iterable[Message], links: Sequence[Link]) -> dict[str, float]:
    """How likely it is, by message, that somebody else answered it, or what its author went on to say of it. `links` are
    those that `link` found for the same messages."""
    author = {each.id: each.author.casefold() for each in messages}
    open_ = dict.fromkeys(author, 1.0)
    for each in reversed(links):
        for parent, share in each.parents:
            # An answer to what the author went on to say answers the message itself.
            reaches = share if author[each.id] != author[parent] else share * (1.0 - open_[each.id])
            open_[parent] *= 1.0 - reaches
    return {id_: 1.0 - chance for id_, chance in open_.items()}


_scores: dict[int, float] = {}


def _score(mask: int) -> float:
    """The sum of the weights of these features. Of all that could be, few sets ever occur, and each is added up once."""
    found = _scores.get(mask)
    if found is None:
        if len(_scores) >= _KEPT:
            _scores.clear()
        found = _scores[mask] = sum([WEIGHTS.get(name, 0.0) for name in names(mask)])
    return found
