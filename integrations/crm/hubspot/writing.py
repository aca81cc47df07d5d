"""Writing confirmed handles into contacts: only into a property that is empty, and never over what a person wrote.

HubSpot has no "write if empty", so contacts are read first. Somebody who types one in between those two calls has it overwritten
by the same person's handle; that the wait is milliseconds makes this bearable.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from integrations.crm.hubspot.api import API, Row, chunks, message, properties, results
from integrations.crm.hubspot.fields import Portal
from integrations.errors import IntegrationError, InvalidRequestError, NotFoundError
from integrations.foreign import objects
from integrations.records import HandleWrite, WriteOutcome, WriteResult

_GONE = "The contact is no longer in HubSpot."
_NOWHERE = "HubSpot has no contact property for handles on this network."
_NO_REASON = "HubSpot refused it and gave no reason."
_HOLDS_ADDRESS = re.compile(r"url|link(?!edin)|profile|page")
_PASSING = {
    "INTERNAL_ERROR",
    "RATE_LIMIT",
    "RATE_LIMITS",
}  # HubSpot's categories of what says nothing against the record

O = WriteOutcome  # noqa: E741


def write_handles(api: API, portal: Portal, writes: Sequence[HandleWrite]) -> list[WriteResult]:
    """See `integrations.clients.HandleWriter`."""
    names = _properties(portal)
    found = api.read(
        "contacts", [each.contact_id for each in writes], sorted({one for each in names.values() for one in each})
    )
    standing = {str(row["id"]): properties(row) for row in found if not row.get("archived")}
    told: dict[tuple[str, str], WriteResult] = {}
    values: dict[str, dict[str, str]] = {}  # contact -> property -> value
    for each in writes:
        if outcome := _settled(each, names, standing):
            told[each.contact_id, each.network] = outcome
        else:
            name = names[each.network][0]
            values.setdefault(each.contact_id, {})[name] = _value(name, each)
    outcomes = _write(api, values)
    for each in writes:
        outcome_, detail = outcomes.get(each.contact_id, (O.LATER, ""))
        told.setdefault((each.contact_id, each.network), WriteResult(each.contact_id, each.network, outcome_, detail))
    return [told[each.contact_id, each.network] for each in writes]


def _properties(portal: Portal) -> dict[str, list[str]]:
    """The properties that hold handles, by network; the first of each is the one that is written."""
    found: dict[str, list[str]] = {}
    for name, network in portal.handles:
        if network is not None:
            found.setdefault(network, []).append(name)
    return found


def _settled(
    write: HandleWrite, names: Mapping[str, Sequence[str]], standing: Mapping[str, Mapping[str, str]]
) -> WriteResult | None:
    """What is known without writing; None where it is to be written."""
    holding = names.get(write.network, ())
    if write.contact_id not in standing:
        return WriteResult(write.contact_id, write.network, O.REFUSED, _GONE)
    if not holding:
        return WriteResult(write.contact_id, write.network, O.KEPT, _NOWHERE)
    if any(standing[write.contact_id].get(name, "").strip() for name in holding):
        return WriteResult(write.contact_id, write.network, O.KEPT)
    return None


def _value(name: str, write: HandleWrite) -> str:
    return write.url if write.url and _HOLDS_ADDRESS.search(name) else write.handle


def _write(api: API, values: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[WriteOutcome, str]]:
    """What came of each contact. After a batch went out nothing raises: the rest come back as LATER."""
    told: dict[str, tuple[WriteOutcome, str]] = {}
    queue = deque(chunks(sorted(values)))
    sent = False
    while queue:
        group = queue.popleft()
        inputs = [{"id": each, "properties": dict(values[each]), "objectWriteTraceId": each} for each in group]
        try:
            # The same values again do no harm, so that a lost answer is a passing failure.
            answer = api.batch("contacts", "update", inputs, write=False)
        except (InvalidRequestError, NotFoundError) as error:
            sent = True
            if len(group) == 1:
                told[group[0]] = (O.REFUSED, str(error) or _NO_REASON)
            else:
                queue.extendleft((group[len(group) // 2 :], group[: len(group) // 2]))
            continue
        except IntegrationError as error:
            if not sent:
                raise
            why = f"Not written, because the call before it failed: {error}"
            return told | {each: (O.LATER, why) for each in values if each not in told}
        sent = True
        told |= {str(row["id"]): (O.WRITTEN, "") for row in results(answer)}
        told |= _refusals(answer, group)
    return told


def _refusals(answer: Row, group: Sequence[str]) -> dict[str, tuple[WriteOutcome, str]]:
    """The contacts of a batch that HubSpot names in its errors, by the trace id that we sent, else by id."""
    found: dict[str, tuple[WriteOutcome, str]] = {}
    for error in objects(answer.get("errors")):
        context = error.get("context")
        named = (
            [_texts(context.get(name)) for name in ("objectWriteTraceId", "ids", "id")]
            if isinstance(context, dict)
            else []
        )
        outcome = O.LATER if str(error.get("category")) in _PASSING else O.REFUSED
        for each in {one for some in named for one in some}.intersection(group):
            found[each] = (outcome, message(error) or _NO_REASON)
    return found


def _texts(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)] if value else []
