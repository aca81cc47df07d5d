"""What connecting finds out once: whether HubSpot keeps our key unique, and where contacts keep their social handles."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from integrations.crm.hubspot import handles as handle_names
from integrations.crm.hubspot.api import API, KEY, PROPERTIES, Row
from integrations.errors import (
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedResponseError,
)
from integrations.foreign import objects
from integrations.handle_names import chosen

_GROUP = "warmline"
_REFUSED = (InvalidRequestError, NotFoundError, PermissionDeniedError)
_LOST = (
    f"HubSpot's task property Warmline key ({KEY}) is gone, and HubSpot did not let us make it again, so nothing new is written there. In"
    " HubSpot's settings, under Properties, Task properties, restore it from the archive. Or connect HubSpot again: then a task is known by a"
    " line in its text."
)
_NOT_UNIQUE = f"HubSpot no longer keeps the task property Warmline key ({KEY}) unique. Connect HubSpot again, so that Warmline goes by that."


def prepare(api: API) -> dict[str, Any]:
    """The options of a connection: `portal_id`, `ui_domain`, `key_property` (None where the account allows none), `unique`
    (proved by reading it back), `contact_properties` (name and network of each handle), `text_properties` (name and label of
    those that may hold one besides), `do_not_call_properties`.
    Safe to repeat: what is there already is kept. Raises what concerns the whole connection."""
    account = api.account()
    key = _key_property(api)
    known = _properties(api, "contacts")
    handles = handle_names.handle_properties(known)
    return {
        "portal_id": str(account["portalId"]),
        "ui_domain": str(account.get("uiDomain") or ""),
        "key_property": KEY if key else None,
        "unique": key.get("hasUniqueValue") is True,
        "contact_properties": [{"name": name, "network": network} for name, network in handles],
        "text_properties": handle_names.text_properties(known),
        "do_not_call_properties": list(handle_names.do_not_call_properties(known)),
    }


def missing(api: API, options: Mapping[str, Any]) -> list[str]:
    """One sentence for each thing that a person has to do. Makes the property for our key again, where there was one as HubSpot was connected."""
    if not options.get("key_property"):
        return []
    found = _key_property(api)
    if not found:
        return [_LOST]
    return [_NOT_UNIQUE] if options.get("unique") and found.get("hasUniqueValue") is not True else []


def clean(api: API) -> list[str]:
    """Deletes the property that `prepare` made. One sentence on what went, or stays and why. Safe to repeat."""
    if not _read(api):
        return ["No property of ours is left in HubSpot."]
    try:
        api.http.request("DELETE", f"{PROPERTIES}/tasks/{KEY}")
    except _REFUSED as error:
        stays = f"The task property Warmline key stays, since HubSpot did not let us delete it ({error})."
        return [f"{stays} An administrator deletes it in HubSpot's settings, under Properties."]
    return ["The task property Warmline key was deleted. HubSpot keeps deleted properties in an archive for a while."]


def handles(options: Mapping[str, Any]) -> tuple[tuple[str, str | None], ...]:
    """The handles in the options that `prepare` returned, and as somebody chose them since (`handle_choices`: property -> network, * for
    any, "" for none); the standard ones before it has run."""
    return chosen(options, handle_names.STANDARD_HANDLES)


def _key_property(api: API) -> Row:
    """The property that holds our key, made where it is missing; {} where the account allows none."""
    if found := _read(api):
        return found
    # Some accounts have used up their unique properties. A plain one still carries the key, so that a task is found again.
    for unique in (True, False):
        try:
            api.http.post(f"{PROPERTIES}/tasks", _definition(_group(api), unique), write=False)
        except _REFUSED:
            continue
        break
    return _read(api)


def _read(api: API) -> Row:
    try:
        found = api.http.get(f"{PROPERTIES}/tasks/{KEY}")
    except _REFUSED:
        return {}
    if not isinstance(found, dict):
        raise UnexpectedResponseError("HubSpot answered about a property with something else")
    return {} if found.get("archived") else found


def _definition(group: str, unique: bool) -> dict[str, Any]:
    return {
        "name": KEY,
        "label": "Warmline key",
        "description": "Keeps Warmline from making the same task twice. Please leave it as it is.",
        "groupName": group,
        "type": "string",
        "fieldType": "text",
        "formField": False,
        "hasUniqueValue": unique,
    }


def _group(api: API) -> str:
    """The group that the subject of a task is in; a group of our own where that cannot be told."""
    for row in _properties(api, "tasks"):
        if row.get("name") == "hs_task_subject" and row.get("groupName"):
            return str(row["groupName"])
    with suppress(*_REFUSED):  # it is there already, or the property will be refused as well
        api.http.post(f"{PROPERTIES}/tasks/groups", {"name": _GROUP, "label": "Warmline"}, write=False)
    return _GROUP


def _properties(api: API, kind: str) -> list[Row]:
    try:
        body = api.http.get(f"{PROPERTIES}/{kind}")
    except _REFUSED:
        return []  # without the schema we read the standard properties only
    return objects(body.get("results")) if isinstance(body, dict) else []
