"""Which fields of a CRM hold social handles: found by their names on connecting, or chosen by an administrator.

A connection's options say what was found (`contact_properties`: name and network) and what else there is (`text_properties`: name and
label); `handle_choices` says what was chosen, field by field, and is kept when the connection is renewed. A CRM that tells of no
such fields has none to choose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from integrations.registry import providers
from service.db import raw
from service.errors import PlainError
from service.models import Connection
from service.store import acting, due
from service.store.rows import execute

CHOICES = "handle_choices"
ANY, NONE = "*", ""  # a handle on a network that the field does not name; no handle at all


@dataclass(frozen=True)
class Field:
    """One field of the CRM. `network` is a network, ANY or NONE; `chosen` says that somebody chose it."""

    name: str
    label: str
    network: str
    chosen: bool


def networks() -> dict[str, str]:
    """The networks that a field can hold handles of, by key, with their names."""
    return {key: each.name for key, each in sorted(providers().items()) if each.kind == "social" and each.streams}


def fields(options: Mapping[str, Any]) -> list[Field]:
    """The fields of a connection with these options, those that hold handles first."""
    found = {str(each["name"]): each.get("network") or ANY for each in options.get("contact_properties") or ()}
    labels = {
        str(each["name"]): str(each.get("label") or each["name"]) for each in options.get("text_properties") or ()
    }
    chosen = dict(options.get(CHOICES) or {})
    every = [
        Field(name, labels.get(name, name), chosen.get(name, found.get(name, NONE)), name in chosen)
        for name in {**found, **labels}
    ]
    return sorted(every, key=lambda each: (each.network == NONE, each.label.casefold(), each.name))


def of_connection(session: Session, workspace_id: UUID, connection_id: UUID) -> Sequence[Field] | None:
    """The fields of this CRM; None where there is no such CRM."""
    row = _crm(session, workspace_id, connection_id)
    return None if row is None else fields(row.options)


def choose(
    session: Session, workspace_id: UUID, connection_id: UUID, choices: Mapping[str, str], *, by: str
) -> Sequence[Field] | None:
    """Chooses what these fields hold, by name; the others stay as they are. What is chosen as it was found is no choice. All contacts
    are read anew, since the CRM has told nothing of these fields so far. Raises PlainError for a field or network that is not
    there; None where there is no such CRM."""
    row = _crm(session, workspace_id, connection_id)
    if row is None:
        return None
    found = {each.name: each.network for each in fields({**row.options, CHOICES: {}})}
    allowed = {
        *networks(),
        ANY,
        NONE,
        *(each["network"] for each in row.options.get("contact_properties") or () if each.get("network")),
    }
    for name, network in choices.items():
        if name not in found:
            raise PlainError(f"The CRM has no text field {name!r} for contacts.")
        if network not in allowed:
            raise PlainError(f"There is no network {network!r}. Use some of: {', '.join(networks())}.")
    wanted = {**(row.options.get(CHOICES) or {}), **choices}
    kept = {name: network for name, network in wanted.items() if name in found and network != found[name]}
    if kept != (row.options.get(CHOICES) or {}):
        row.options = {**row.options, CHOICES: kept}
        session.flush()
        execute(
            raw(session),
            "UPDATE streams SET cursor = NULL WHERE workspace_id = %(w)s AND connection_id = %(c)s AND name = 'contacts'",
            {"w": workspace_id, "c": connection_id},
        )
        due.pull_soon(session, workspace_id, connection_id, ["contacts"])
        acting.audit(session, workspace_id, by, "connection.handle_fields_chosen", "connection", connection_id)
    return fields(row.options)


def kept_choices(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a connection keeps of these options when it is renewed."""
    return {CHOICES: options[CHOICES]} if options and options.get(CHOICES) else {}


def _crm(session: Session, workspace_id: UUID, connection_id: UUID) -> Connection | None:
    return session.scalars(
        select(Connection)
        .where(Connection.workspace_id == workspace_id, Connection.id == connection_id, Connection.kind == "crm")
        .with_for_update()
    ).one_or_none()
