"""Writing confirmed handles into contacts of a CRM that takes them one by one: only into a field that is empty, never over what a
person wrote.

Such a CRM has no "write if empty", so contacts are read first. Somebody who types one in between those two calls has it overwritten
by the same person's handle; that the wait is short makes this bearable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from integrations.errors import IntegrationError, InvalidRequestError, NotFoundError
from integrations.records import HandleWrite, WriteOutcome, WriteResult

_HOLDS_ADDRESS = re.compile(r"url|link(?!edin)|profile|page", re.IGNORECASE)


def write_handles(
    crm: str,
    writes: Sequence[HandleWrite],
    fields: Callable[[str], Sequence[tuple[str, str | None]]],
    read: Callable[[Sequence[str]], Mapping[str, Mapping[str, Any]]],
    put: Callable[[str, Mapping[str, str]], None],
) -> list[WriteResult]:
    """See `integrations.clients.HandleWriter`. `crm` is its name for sentences; `fields` tells a contact's handle fields and their networks,
    by its id; `read` the values of those contacts that are there; `put` writes some fields of one contact."""
    standing = read(list(dict.fromkeys(each.contact_id for each in writes)))
    told: dict[tuple[str, str], WriteResult] = {}
    values: dict[str, dict[str, HandleWrite]] = {}
    for each in writes:
        names = [name for name, network in fields(each.contact_id) if network == each.network]
        if settled := _settled(crm, each, names, standing):
            told[each.contact_id, each.network] = settled
        else:
            values.setdefault(each.contact_id, {})[names[0]] = each
    told |= _put_all(values, put)
    return [told[each.contact_id, each.network] for each in writes]


def _settled(
    crm: str, write: HandleWrite, names: Sequence[str], standing: Mapping[str, Mapping[str, Any]]
) -> WriteResult | None:
    """What is known without writing; None where it is to be written."""
    contact = standing.get(write.contact_id)
    if contact is None:
        gone = f"The contact is no longer in {crm}."
        return WriteResult(write.contact_id, write.network, WriteOutcome.REFUSED, gone)
    if not names:
        nowhere = f"{crm} has no contact field for handles on this network."
        return WriteResult(write.contact_id, write.network, WriteOutcome.KEPT, nowhere)
    if any(str(contact.get(name) or "").strip() for name in names):
        return WriteResult(write.contact_id, write.network, WriteOutcome.KEPT)
    return None


def _put_all(
    values: Mapping[str, Mapping[str, HandleWrite]], put: Callable[[str, Mapping[str, str]], None]
) -> dict[tuple[str, str], WriteResult]:
    """What came of each contact. After a call went out nothing raises: the rest come back as LATER."""
    told: dict[tuple[str, str], WriteResult] = {}
    failed = ""
    for contact_id, writes in values.items():
        outcome, detail = WriteOutcome.LATER, failed
        if not failed:
            try:
                put(contact_id, {name: _value(name, each) for name, each in writes.items()})
                outcome = WriteOutcome.WRITTEN
            except (InvalidRequestError, NotFoundError) as error:
                outcome, detail = WriteOutcome.REFUSED, str(error)
            except IntegrationError as error:
                if not told:
                    raise
                detail = failed = f"Not written, because the CRM did not take it just now: {error}"
        for each in writes.values():
            told[contact_id, each.network] = WriteResult(contact_id, each.network, outcome, detail)
    return told


def _value(name: str, write: HandleWrite) -> str:
    return write.url if write.url and _HOLDS_ADDRESS.search(name) else write.handle
