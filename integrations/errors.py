"""Errors named for what to do next. Classified once, beside the call; reacted to once, in `workers.policy`.

    IntegrationError
    ├── AuthenticationError       the grant is gone: ask the person to reconnect
    ├── PermissionDeniedError     a scope or plan is missing: this stream stops, the others go on
    ├── RateLimitError            later, and not a failure
    ├── SpendingLimitError        what may be spent is spent: later, and not a failure
    ├── TemporaryError            back off; never "revoked"
    │   └── UnreachableError      nothing was sent
    ├── NotFoundError             that record is gone
    ├── InvalidRequestError       trying again can't help
    ├── UnexpectedResponseError   a 2xx that we can't read: their API changed or our parser is wrong
    └── AmbiguousWriteError       sent, no answer: look before sending again

Messages are sentences for people. They never hold a token, a query string or the text of a post.
"""

from __future__ import annotations

from datetime import datetime


class IntegrationError(Exception):
    """Anything that goes wrong between us and a third party."""


class AuthenticationError(IntegrationError):
    """The credential was answered for and refused: revoked, expired for good, or never valid."""


class PermissionDeniedError(IntegrationError):
    """The credential is good but not for this. `scope` names what is missing where the provider says so."""

    def __init__(self, message: str, *, scope: str | None = None) -> None:
        super().__init__(message)
        self.scope = scope


class RateLimitError(IntegrationError):
    """Too many calls. `retry_after` is in seconds from now."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SpendingLimitError(IntegrationError):
    """The next call could cost more than is left of what may be spent. `until` is when that changes by itself (aware)."""

    def __init__(self, message: str, *, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class TemporaryError(IntegrationError):
    """Timeouts on reads, 5xx, connection refused: the same call may work later. `refused`: the answer was that no calls are taken now
    (503), so nothing was done; of a 500, or of what stands between us and them (502, 504), nobody knows."""

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


class UnreachableError(TemporaryError):
    """No connection came about, or none in time: the other side has seen nothing of the call."""


class NotFoundError(IntegrationError):
    """The record that was asked for is not there."""


class InvalidRequestError(IntegrationError):
    """The provider refused the content of the call, in its own sentence."""


class UnexpectedResponseError(IntegrationError):
    """A successful answer that cannot be read. `sample` is redacted and short."""

    def __init__(self, message: str, *, sample: str = "") -> None:
        super().__init__(message)
        self.sample = sample


class AmbiguousWriteError(IntegrationError):
    """A write was sent and no answer came: it may or may not have been done."""
