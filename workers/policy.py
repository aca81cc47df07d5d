"""What each kind of error leads to: one table, for pulls and pushes alike.

Errors are classified beside the call (`integrations.errors`) and reacted to here, once.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from integrations.errors import (
    AmbiguousWriteError,
    AuthenticationError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    SpendingLimitError,
    TemporaryError,
    UnexpectedResponseError,
)
from service.clock import real_now
from service.credentials import RETRY, BeingRenewedError, RefusedError
from service.errors import PlainError
from service.rules.polling import LONGEST_WAIT

log = structlog.get_logger()

# No longer than the usual time between two looks: whoever was away for an hour is found to be back within two minutes.
FIRST, LONGEST = timedelta(seconds=5), timedelta(seconds=100)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Reaction:
    """What to do. `delay` is from now, and None when nothing happens by itself; `shown` is for the connection's page."""

    delay: timedelta | None
    shown: str
    failed: bool = True  # counts as a failure in a row
    stops: bool = False  # this stream ends until somebody reconnects
    reauth: bool = False  # the whole connection needs a person
    waits: str = ""  # what it waits for, where that is no trouble: rate_limit, ceiling


def backoff(failures: int, rng: Callable[[], float] = random.random) -> timedelta:
    """Doubles with every failure in a row, half of it left to chance, so that a recovered server is not met by everybody
    at once."""
    whole = min(FIRST * (1 << min(failures, 12)), LONGEST)
    return whole / 2 + whole / 2 * rng()


def _never(error: Exception, failures: int) -> None:
    return None


def _soon(error: Exception, failures: int) -> timedelta:
    """Where it turns out that the credentials were others by then. Otherwise the connection needs a person, and nothing is due."""
    return timedelta(seconds=RETRY)


def _as_told(error: Exception, failures: int) -> timedelta:
    seconds = error.retry_after if isinstance(error, RateLimitError) else 60.0
    return min(timedelta(seconds=max(1.0, min(seconds, 1e9))), LONGEST_WAIT)


def _until_then(error: Exception, failures: int) -> timedelta:
    return max(error.until - real_now(), timedelta(seconds=1)) if isinstance(error, SpendingLimitError) else HOUR


def _backed_off(error: Exception, failures: int) -> timedelta:
    return backoff(failures)


def _in_an_hour(error: Exception, failures: int) -> timedelta:
    return HOUR


@dataclass(frozen=True)
class _Rule:
    delay: Callable[[Exception, int], timedelta | None]
    failed: bool = True
    stops: bool = False
    reauth: bool = False
    quiet: bool = False  # nothing to show: it is no trouble
    waits: str = ""


_TABLE: dict[type[Exception], _Rule] = {
    AuthenticationError: _Rule(_soon, stops=False, reauth=True),
    PermissionDeniedError: _Rule(_never, stops=True),
    RateLimitError: _Rule(_as_told, failed=False, quiet=True, waits="rate_limit"),
    BeingRenewedError: _Rule(_as_told, failed=False, quiet=True),  # no limit of the provider's
    SpendingLimitError: _Rule(_until_then, failed=False, waits="ceiling"),
    TemporaryError: _Rule(_backed_off),
    AmbiguousWriteError: _Rule(_backed_off),
    NotFoundError: _Rule(_in_an_hour),
    InvalidRequestError: _Rule(_in_an_hour),
    UnexpectedResponseError: _Rule(_backed_off),
    PlainError: _Rule(_in_an_hour),
}
# The sweep asks for all that is stored, and checks the account: a refusal is of some of that, and must not end the rest for good.
_OF_THE_SWEEP: dict[type[Exception], _Rule] = {**_TABLE, PermissionDeniedError: _Rule(_in_an_hour)}
_OURS = _Rule(_backed_off)


def reaction(error: Exception, failures: int, *, sweep: bool = False) -> Reaction:
    """What this error, after so many failures in a row before it, leads to. `sweep`: it came of looking for edits and deletions."""
    table = _OF_THE_SWEEP if sweep else _TABLE
    rule = next((table[kind] for kind in type(error).__mro__ if kind in table), _OURS)
    return Reaction(
        delay=rule.delay(error, failures),
        shown="" if rule.quiet else sentence(error),
        failed=rule.failed,
        stops=rule.stops,
        reauth=rule.reauth,
        waits=rule.waits,
    )


def refused_version(error: Exception) -> int | None:
    """The version of the credentials that were refused, where the error speaks of one."""
    return error.version if isinstance(error, RefusedError) else None


def nothing_was_sent(error: Exception) -> bool:
    """Whether a push that ended like this is known to have sent nothing."""
    return isinstance(error, (IntegrationError, PlainError)) and not isinstance(error, AmbiguousWriteError)


def sentence(error: Exception) -> str:
    """What a person reads. An error of our own says so, and its details stay in the log."""
    if isinstance(error, PermissionDeniedError) and error.scope:
        return f"{_stop(str(error))} Missing: {error.scope}. Reconnect and allow it."
    if isinstance(error, (IntegrationError, PlainError)):
        return _stop(str(error))
    return "Something went wrong on our side; it is tried again."


def _stop(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."


def tell(error: Exception, failures: int, **where: object) -> None:
    """Logs once going down (and each unreadable answer); never the text of a post, a token or a query string."""
    if isinstance(error, RateLimitError):
        log.debug("later", seconds=error.retry_after, **where)
    elif isinstance(error, SpendingLimitError):
        log.info("the ceiling is reached", until=error.until.isoformat(), **where)
    elif isinstance(error, UnexpectedResponseError):
        log.error("unreadable answer", error=str(error), sample=error.sample, **where)
    elif not isinstance(error, (IntegrationError, PlainError)):
        log.exception("failed on our side", **where)
    elif failures == 0:
        log.warning("went down", kind=type(error).__name__, error=str(error), **where)


def tell_recovered(failures: int, **where: object) -> None:
    """Logs once coming back."""
    if failures:
        log.info("came back", after_failures=failures, **where)
