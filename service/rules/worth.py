"""Whether a text is worth what its author's profile costs: whether it could open a wait, and so become a task."""

from __future__ import annotations

from integrations.records import Engagement, Kind
from service.rules.model import Signals
from service.rules.signals import read

_NOT_TO_US = (Kind.OWN, Kind.CONTEXT)


def deserves(post: Engagement) -> bool:
    """Whether this post by itself could become a task. A last polite word, a repost and a post that names half the world do not,
    nor does what is said to others. What the talk before it changes, the next sweep over open waits sees."""
    if post.kind in _NOT_TO_US:
        return False
    signals = read(post.text, mentions=len(post.mentions), is_repost=post.is_repost, language=post.language)
    if signals.broadcast and post.kind not in (Kind.REPLY, Kind.DIRECT):
        return False
    return not (signals.polite_close or signals.solved) or _open(signals)


def _open(signals: Signals) -> bool:
    return signals.asks or signals.requests or signals.problem or signals.wants_talk or signals.asks_price
