"""The field in which a task carries our key: looked for, made, proved and removed.

Custom fields of tasks belong to `Activity`. A field that is made through the API is at first visible to nobody, so that a
permission set of our own shows it to the user who connected, and to nobody else.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from integrations.crm.salesforce.api import API, Row, quoted, readable
from integrations.crm.salesforce.org import KEY
from integrations.crm.salesforce.soql import select
from integrations.errors import (
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedResponseError,
)
from integrations.foreign import objects

LABEL = "Warmline Key"
PERMISSION = "Warmline_Key"  # the permission set's name
_REFUSED = (InvalidRequestError, NotFoundError, PermissionDeniedError)
_LENGTH = 255
# What is asked for, best first: an organisation may be out of external ids, or of unique fields.
_WISHES = (
    {"externalId": True, "unique": True},
    {"externalId": True, "unique": False},
    {"externalId": False, "unique": False},
)

BY_HAND = (
    f"In Salesforce open Setup, Object Manager, Activity, Fields & Relationships, New: type Text, label {LABEL}, length {_LENGTH},"
    f" name {KEY.removesuffix('__c')}, with Unique and External ID ticked, and let the user who connected see and edit it. Then connect"
    " Salesforce again. Until then tasks carry their reference in the last line of their comments."
)


def find(api: API) -> dict[str, Any]:
    """The field as the user sees it: `key_field` (None where there is none that may be written), `upsert`, `unique`."""
    found: Row = next((row for row in objects(api.describe("Task").get("fields")) if row.get("name") == KEY), {})
    usable = found.get("createable") is True and found.get("updateable") is True
    return {
        "key_field": KEY if usable else None,
        "upsert": usable and found.get("externalId") is True,
        "unique": usable and found.get("unique") is True,
    }


def ensure(api: API, user: str) -> dict[str, Any]:
    """As `find`, after making the field, and showing it to `user` (an id), where the organisation allows it. Only what reads
    back is believed. Safe to repeat."""
    found = find(api)
    if found["key_field"]:
        return found
    _make(api)
    with suppress(*_REFUSED):
        _show(api, user)
    return find(api)


def steps(api: API, user: str, options: Any) -> list[str]:
    """What a person has to do so that tasks carry their key in a field: one sentence each; none where all is well. A field that was
    there when Salesforce was connected is made anew if need be."""
    found = ensure(api, user) if options.get("key_field") else find(api)
    if not found["key_field"]:
        return [f"Salesforce has no field for Warmline's key. {BY_HAND}"]
    if found != {name: options.get(name) for name in found}:
        return ["The field for Warmline's key has changed in Salesforce. Connect Salesforce again, so that it is used."]
    return []


def remove(api: API) -> list[str]:
    """Removes the field and the permission set. One sentence for each thing that was removed, or that stays and why. Raises what
    passes: then it is to be done again, and what is gone already is no harm."""
    return [
        _removed(f"the field {KEY} of activities", lambda: _delete_field(api)),
        _removed(f"the permission set {PERMISSION}", lambda: _delete_permission(api)),
    ]


def _make(api: API) -> None:
    for wish in _WISHES:
        metadata = {
            "type": "Text",
            "label": LABEL,
            "length": _LENGTH,
            "caseSensitive": True,
            "required": False,
            "description": "Keeps Warmline from making the same task twice. Please leave it as it is.",
            **wish,
        }
        if not wish["unique"]:
            del metadata["caseSensitive"]
        try:
            api.call(
                "POST", "/tooling/sobjects/CustomField", json={"FullName": f"Activity.{KEY}", "Metadata": metadata}
            )
        except _REFUSED:
            continue
        return


def _show(api: API, user: str) -> None:
    found = _permission(api)
    if found is None:
        body = {
            "Name": PERMISSION,
            "Label": "Warmline",
            "Description": "Shows Warmline the key of the tasks that it made.",
        }
        found = _made(api.call("POST", "/sobjects/PermissionSet", json=body))
    field = {"SobjectType": "Task", "Field": f"Task.{KEY}", "PermissionsRead": True, "PermissionsEdit": True}
    with suppress(InvalidRequestError):  # it is shown already
        api.call("POST", "/sobjects/FieldPermissions", json={"ParentId": found, **field})
    with suppress(InvalidRequestError):
        api.call("POST", "/sobjects/PermissionSetAssignment", json={"AssigneeId": user, "PermissionSetId": found})


def _permission(api: API) -> str | None:
    found, _ = api.query(select(["Id"], "PermissionSet", f"WHERE Name = {quoted(PERMISSION)}"))
    return str(kept[0]["Id"]) if (kept := readable(found)) else None


def _made(answer: Row | None) -> str:
    if not isinstance(answer, dict) or not answer.get("id"):
        raise UnexpectedResponseError("Salesforce made a record and did not say which")
    return str(answer["id"])


def _removed(what: str, delete: Any) -> str:
    try:
        there = delete()
    except _REFUSED as error:
        return f"Still in Salesforce: {what}, because removing it was refused ({error}). Remove it in Setup."
    return f"Removed from Salesforce: {what}." if there else f"Not in Salesforce any more: {what}."


def _delete_field(api: API) -> bool:
    name = KEY.removesuffix("__c")
    where = f"WHERE DeveloperName = {quoted(name)} AND TableEnumOrId = 'Activity'"
    found, _ = api.query(select(["Id"], "CustomField", where), tooling=True)
    for row in readable(found):
        api.call("DELETE", f"/tooling/sobjects/CustomField/{row['Id']}")
    return bool(found)


def _delete_permission(api: API) -> bool:
    found = _permission(api)
    if found is None:
        return False
    assigned, _ = api.query(select(["Id"], "PermissionSetAssignment", f"WHERE PermissionSetId = {quoted(found)}"))
    for row in readable(assigned):
        api.call("DELETE", f"/sobjects/PermissionSetAssignment/{row['Id']}")
    api.call("DELETE", f"/sobjects/PermissionSet/{found}")
    return True
