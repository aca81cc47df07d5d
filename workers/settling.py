"""What came of a task that was said to a CRM: how it stands there now, as far as anybody knows, and whether it stays due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from integrations import edits
from integrations.records import PushOutcome, PushResult
from service.clock import business_now, real_now
from service.store.pushing import Settled
from service.store.reconciling import DONE, perhaps_by_us
from service.store.tasks import TaskRow

# What was known of it, what came of it, and when, in real and in business time.
_Settle = Callable[[Settled, PushResult, datetime, datetime], Settled]


def said(row: TaskRow) -> dict[str, Any]:
    """What a push says of it. One whose answer was lost is said as it was sent: it may stand there like that, and what has changed
    since is said next."""
    lost = row.external_id is None and not row.is_new and row.sent
    return row.sent[-1] if lost else row.content


def settled(row: TaskRow, result: PushResult | None, now: datetime, business: datetime) -> Settled:
    """What this result makes of the task, at `now` (real time) and `business`. Without one, nothing was said because nothing had to be."""
    state = "unknown" if row.is_new and result is not None else row.state
    before = Settled(
        row.id,
        row.wanted,
        said(row),
        state,
        row.external_id,
        "",
        row.written,
        row.detail,
        None,
        None,
        row.maybe_sent_at,
    )
    if result is None:
        return replace(before, state=row.state if row.wanted in ("open", row.state) else "withdrawn")
    if result.outcome in _AWAY and not result.theirs and (row.wanted == "withdrawn" or perhaps_by_us(row)):
        before = replace(before, wanted="withdrawn", taken_back=True)
    found = _OUTCOMES[result.outcome](before, result, now, business)
    if row.only_sought and result.outcome not in _NOT_TOLD:
        return _sought(row, found, business)
    if result.outcome is PushOutcome.GONE:
        return replace(
            found, written=row.content
        )  # what stood there may hold words that were deleted at their source since
    if result.outcome is PushOutcome.FOUND and row.erased_at is not None:
        return replace(found, written=row.written)  # it was said before it was erased: all of it is written over next
    return found


def _sought(row: TaskRow, found: Settled, business: datetime) -> Settled:
    """What came of one that was only sought (see `walls`): where it was found, it stands as it was sent, whatever the CRM says to its end.
    Where nothing of it stands, nothing of what was sent is kept, nor said next."""
    if found.external_id is None or found.state == "withdrawn":
        state = row.wanted if found.state == "completed" else found.state
        return replace(found, state=state, content=row.content, written=row.content)
    if row.erased_at is None:
        return replace(found, written=said(row))
    if found.state != "completed":
        return replace(found, written=row.written)  # all of it is still to be written over
    return replace(found, push_at=business if row.wanted == "withdrawn" else None)


def _stands(before: Settled, result: PushResult, now: datetime, business: datetime) -> Settled:
    """It stands, as we sent it; if it has been closed or worded anew here meanwhile, that is said next. That a create of it was never
    answered stays known: it may arrive yet."""
    return replace(
        before, state="open", external_id=result.external_id or before.external_id, external_url=result.url,
        written=before.content, detail="", written_at=now,
        push_at=None if before.wanted == "open" else business,
    )  # fmt: skip


def _ended(state: str) -> _Settle:
    def settle(before: Settled, result: PushResult, now: datetime, business: datetime) -> Settled:
        found = replace(before, state=state, detail="", external_id=before.external_id or result.external_id)
        if edits.STATUS in result.theirs:  # they ticked it off: nothing was written, unless we were to say the same
            found = replace(found, closed_as=DONE, ticked_off_at=result.theirs.get(edits.COMPLETED_AT))
            if before.wanted != "completed":
                return found
        stood = found.external_id is not None
        return replace(found, written=before.content, written_at=now if stood else None)

    return settle


def _gone(before: Settled, result: PushResult, now: datetime, business: datetime) -> Settled:
    return replace(
        before, state="withdrawn", detail="", closed_as="deleted in the CRM" if before.wanted == "open" else ""
    )


def _refused(before: Settled, result: PushResult, now: datetime, business: datetime) -> Settled:
    """Parked with the CRM's own sentence: trying again cannot help, unless it has changed since (see `pushing.settle`)."""
    stands = before.external_id or result.external_id  # a lost one was found, and may not be ended
    state = "parked" if stands is None else before.state
    detail = result.detail or "The CRM refused this task."
    return replace(before, state=state, external_id=stands, detail=detail, maybe_sent_at=None, refused=True)


def _later(before: Settled, result: PushResult, now: datetime, business: datetime) -> Settled:
    # Safe to try again: it was not sent, or is known not to have been done.
    fresh = before.external_id is None and before.maybe_sent_at is None
    return replace(before, state="absent" if fresh else before.state, detail=result.detail, push_at=business)


def _unknown(before: Settled, result: PushResult, now: datetime, business: datetime) -> Settled:
    return replace(
        before, state="unknown" if before.external_id is None else before.state, detail=result.detail,
        maybe_sent_at=now if result.sent else before.maybe_sent_at or now, push_at=business,
    )  # fmt: skip


_AWAY = (PushOutcome.WITHDRAWN, PushOutcome.GONE)
_NOT_TOLD = (PushOutcome.LATER, PushOutcome.UNKNOWN)
_OUTCOMES: dict[PushOutcome, _Settle] = {
    PushOutcome.CREATED: _stands,
    PushOutcome.FOUND: _stands,  # what a person has made of it since shows when it is read back
    PushOutcome.UPDATED: _stands,
    PushOutcome.COMPLETED: _ended("completed"),
    PushOutcome.WITHDRAWN: _ended("withdrawn"),
    PushOutcome.GONE: _gone,
    PushOutcome.REFUSED: _refused,
    PushOutcome.LATER: _later,
    PushOutcome.UNKNOWN: _unknown,
}


def untouched(row: TaskRow, unsent: bool) -> Settled:
    """The task when its push came to nothing: as it was where it is certainly `unsent`, and else perhaps made where it was to be."""
    makes = row.is_new and row.wanted == "open"
    state = ("absent" if unsent else "unknown") if makes else row.state
    return Settled(
        row.id, row.wanted, row.content, state, row.external_id, "", row.written,
        row.detail, business_now(), None, real_now() if makes and not unsent else row.maybe_sent_at,
    )  # fmt: skip
