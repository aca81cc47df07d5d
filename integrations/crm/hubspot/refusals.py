"""What HubSpot says of the records of a batch that it did not write."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.crm.hubspot.api import Row, lacks_key, message
from integrations.errors import IntegrationError, NotFoundError
from integrations.foreign import objects
from integrations.records import Task

# HubSpot's categories of an error: what says nothing against the record itself, and what says that it is not there.
_PASSING = {"INTERNAL_ERROR", "RATE_LIMIT", "RATE_LIMITS"}
_MISSING = "OBJECT_NOT_FOUND"


def whole(error: IntegrationError) -> Row:
    """The refusal of a batch of one, as a row of a batch's errors."""
    return {"message": str(error), "category": _MISSING if isinstance(error, NotFoundError) else ""}


def is_missing(error: Row) -> bool:
    """Whether the record is not there."""
    return error.get("category") == _MISSING


def passes(error: Row) -> bool:
    """Whether it says nothing against the record itself."""
    return str(error.get("category")) in _PASSING or lacks_key(message(error))


def by_key(answer: Row, group: Sequence[Task]) -> dict[str, Row]:
    """The errors of a batch by our key: by the trace id that we sent, else by the record's id."""
    by_id = {task.external_id: task.key for task in group if task.external_id}
    found: dict[str, Row] = {}
    for error in objects(answer.get("errors")):
        context = error.get("context")
        context = context if isinstance(context, dict) else {}
        traces = _texts(context.get("objectWriteTraceId"))
        ids = _texts(context.get("ids")) + _texts(context.get("id")) + _texts(error.get("id"))
        for key in traces or [by_id[each] for each in ids if each in by_id]:
            found[key] = error
    return found


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(each) for each in value]
    return [str(value)] if value else []
