"""Writing confirmed handles into contacts and leads: only into a field that is empty, and never over what a person wrote.

Salesforce has no "write if empty", so records are read first. Somebody who types one in between those two calls has it overwritten
by the same person's handle; that the wait is milliseconds makes this bearable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

from integrations.crm.salesforce.api import API, Row, chunks, code, message
from integrations.crm.salesforce.fields import PEOPLE
from integrations.crm.salesforce.org import Org
from integrations.crm.salesforce.soql import forgiving
from integrations.errors import IntegrationError
from integrations.foreign import objects
from integrations.records import HandleWrite, WriteOutcome, WriteResult

_GONE = "The contact is no longer in Salesforce."
_NOWHERE = "Salesforce has no field for handles on this network."
_NO_REASON = "Salesforce refused it and gave no reason."
_HOLDS_ADDRESS = re.compile(r"url|link(?!edin)|profile|page", re.IGNORECASE)
_PASSES = {"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "UNKNOWN_EXCEPTION"}

O = WriteOutcome  # noqa: E741


def write_handles(api: API, org: Org, writes: Sequence[HandleWrite]) -> list[WriteResult]:
    """See `integrations.clients.HandleWriter`."""
    standing = _standing(api, org, [each.contact_id for each in writes])
    told: dict[tuple[str, str], WriteResult] = {}
    records: dict[str, dict[str, object]] = {}
    for each in writes:
        kind, row = standing.get(each.contact_id, ("", {}))
        names = [name for name in _names(org, kind, each.network) if name in row]  # what came back is still there
        if not kind:
            told[each.contact_id, each.network] = WriteResult(each.contact_id, each.network, O.REFUSED, _GONE)
        elif not names or any(str(row.get(name) or "").strip() for name in names):
            told[each.contact_id, each.network] = WriteResult(
                each.contact_id, each.network, O.KEPT, "" if names else _NOWHERE
            )
        else:
            record = records.setdefault(each.contact_id, {"attributes": {"type": kind}, "id": each.contact_id})
            record[names[0]] = each.url if each.url and _HOLDS_ADDRESS.search(names[0]) else each.handle
    outcomes = _write(api, records)
    for each in writes:
        outcome, detail = outcomes.get(each.contact_id, (O.LATER, ""))
        told.setdefault((each.contact_id, each.network), WriteResult(each.contact_id, each.network, outcome, detail))
    return [told[each.contact_id, each.network] for each in writes]


def _names(org: Org, kind: str, network: str) -> list[str]:
    """The fields of this kind of record that hold handles on this network; the first one is written."""
    there = org.custom.get(kind, frozenset())
    return [name for name, holds in org.handles if holds == network and name in there]


def _standing(api: API, org: Org, ids: Sequence[str]) -> dict[str, tuple[str, Row]]:
    found: dict[str, tuple[str, Row]] = {}
    for kind, prefix in zip(PEOPLE, ("003", "00Q"), strict=True):
        wanted = [each for each in ids if each.startswith(prefix)]
        names = [name for name, _ in org.handles if name in org.custom.get(kind, frozenset())]
        read = partial(api.read, kind, wanted)
        for row in forgiving(read, ["Id", "IsDeleted", *names]):
            if row.get("IsDeleted") is not True:
                found[str(row["Id"])] = kind, row
    return found


def _write(api: API, records: Mapping[str, Mapping[str, object]]) -> dict[str, tuple[WriteOutcome, str]]:
    """What came of each record. After a batch went out nothing raises: the rest come back as LATER."""
    told: dict[str, tuple[WriteOutcome, str]] = {}
    for group in chunks(sorted(records)):
        try:
            # The same values again do no harm, so that a lost answer is a passing failure.
            results = api.update([records[each] for each in group])
        except IntegrationError as error:
            if not told:
                raise
            why = f"Not written, because the call before it failed: {error}"
            return told | {each: (O.LATER, why) for each in records if each not in told}
        told |= {each: _outcome(result) for each, result in zip(group, results, strict=True)}
    return told


def _outcome(result: Row) -> tuple[WriteOutcome, str]:
    if result.get("success") is True:
        return O.WRITTEN, ""
    errors = objects(result.get("errors"))
    says = "; ".join(filter(None, map(message, errors))) or _NO_REASON
    return (O.LATER if {code(each) for each in errors} & _PASSES else O.REFUSED), says
