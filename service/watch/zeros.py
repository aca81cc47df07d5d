"""What stands on the page of figures as 0 before it has happened for the first time, because an alert waits for it to happen.

Prometheus's `increase` sees how a counter grows, not that it appears: one that first stands there at 1 has not grown. So whatever an
alert counts is named here with all the labels that it can have, each from where it is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product

from integrations import consents
from integrations.records import PushOutcome
from integrations.registry import AnyProvider, providers
from service import comparing
from service.credentials import LostAnswerError
from service.hooks import VERDICTS
from service.watch import meters
from service.watch.meters import Meter

Series = tuple[Meter, tuple[str, ...]]


def expected(routes: Iterable[tuple[str, str, str]]) -> Iterator[Series]:
    """Every counter that an alert looks at, with each choice of labels; `routes` are those of requests that went wrong."""
    yield from ((meters.REQUESTS, labels) for labels in routes)
    for meter, may_say in _BY_PROVIDER.items():
        for provider in providers().values():
            yield from ((meter, labels) for labels in product((provider.key,), may_say(provider)))


def _lost(provider: AnyProvider) -> Iterable[str]:
    return (LostAnswerError.__name__,) if any(way.renews for way in consents.ways(provider)) else ()


def _refused(provider: AnyProvider) -> Iterable[str]:
    return (VERDICTS[401],) if provider.webhook is not None else ()


def _unanswered(provider: AnyProvider) -> Iterable[str]:
    return (PushOutcome.UNKNOWN.value,) if provider.kind == "crm" else ()


def _differs(provider: AnyProvider) -> Iterable[str]:
    return comparing.FOUND_AT[provider.kind]


# Of each counter, what its second label can be at a provider.
_BY_PROVIDER: Mapping[Meter, Callable[[AnyProvider], Iterable[str]]] = {
    meters.REFRESHES: _lost,
    meters.WEBHOOKS: _refused,
    meters.PUSHES: _unanswered,
    meters.DIFFERENCES: _differs,
}
