"""What connecting finds out once: which activity types are calls, tasks and meetings, and where persons keep their handles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.crm.pipedrive.api import (
    ACTIVITY_FIELDS,
    API,
    ME,
    PERSON_FIELDS,
    PERSONS,
    TYPES,
    Row,
    listed,
)
from integrations.errors import InvalidRequestError, NotFoundError, PermissionDeniedError, UnexpectedResponseError
from integrations.foreign import objects
from integrations.handle_names import forbids_calls, network_of
from integrations.records import ActivityKind

_REFUSED = (InvalidRequestError, NotFoundError, PermissionDeniedError)
_TEXT = {"varchar", "varchar_auto", "text"}
_CHOICE = {"enum", "set"}
_MOST = 300  # custom fields that are offered as places for a handle
# A type is known by its icon, since anybody may rename it; its key is made from the name that it had at first.
_ICONS = {
    "call": ActivityKind.CALL, "smartphone": ActivityKind.CALL, "meeting": ActivityKind.MEETING, "lunch": ActivityKind.MEETING,
    "calendar": ActivityKind.MEETING, "presentation": ActivityKind.MEETING, "email": ActivityKind.EMAIL, "bubble": ActivityKind.TEXT,
}  # fmt: skip
_NO = {"no", "false", "0", "allowed", "ok"}


def account(api: API) -> Row:
    """The user who connected, with the company that they belong to."""
    found = api.call("GET", ME).get("data")
    if not isinstance(found, dict) or not found.get("company_id"):
        raise UnexpectedResponseError("Pipedrive did not say which company this is")
    return found


def prepare(api: API) -> dict[str, Any]:
    """The options of a connection: `company_id`; `types` (activity type -> kind), `task_type`, `call_type`, `high_priority` (an id, or
    None); `marketing` (whether persons have a marketing status); `contact_properties` (name and network of each handle), `text_properties`
    (name and label of fields that may hold one besides), `do_not_call_fields` (field -> values that say so). Makes nothing. Safe to
    repeat."""
    company = account(api)
    types = [
        row for row in listed(api.call("GET", TYPES)) if isinstance(row, dict) and row.get("active_flag") is not False
    ]
    fields = [row for row in api.every(PERSON_FIELDS) if row.get("is_custom_field") is True and row.get("field_code")]
    return {
        "company_id": str(company["company_id"]),
        "types": {_key(row): str(_ICONS[_icon(row)]) for row in types if _icon(row) in _ICONS},
        "task_type": _type(types, "task"),
        "call_type": _type(types, "call"),
        "high_priority": _high(api),
        "marketing": _marketing(api),
        **_person_fields(fields),
    }


def _key(row: Row) -> str:
    return str(row.get("key_string") or "")


def _icon(row: Row) -> str:
    return str(row.get("icon_key") or _key(row))


def _type(types: Sequence[Row], wanted: str) -> str:
    """The key of the type for our tasks: of this key, else of this icon, else the first that there is."""
    keys = [_key(row) for row in types if _key(row) == wanted] or [_key(row) for row in types if _icon(row) == wanted]
    return next(iter([*keys, *map(_key, types)]), wanted)


def _high(api: API) -> int | None:
    """The id of the priority "High". Companies may have renamed it, or have none: then tasks get no priority."""
    try:
        fields = listed(api.call("GET", ACTIVITY_FIELDS))
    except _REFUSED:
        return None
    priorities = next((row for row in fields if isinstance(row, dict) and row.get("key") == "priority"), {})
    for option in objects(priorities.get("options")):
        if str(option.get("label")).strip().lower() == "high" and isinstance(option.get("id"), int):
            return int(option["id"])
    return None


def _marketing(api: API) -> bool:
    """Whether persons have a marketing status: only companies with Campaigns have, and for others asking is refused."""
    try:
        api.page(PERSONS, limit=1, include_fields="marketing_status")
    except _REFUSED:
        return False
    return True


def _person_fields(fields: Sequence[Row]) -> Mapping[str, Any]:
    texts = {
        str(row["field_code"]): str(row.get("field_name") or "")
        for row in fields
        if str(row.get("field_type")) in _TEXT
    }
    networks = {code: found[0] for code, name in texts.items() if (found := network_of(name))}
    forbidding = {
        str(row["field_code"]): _meaning_yes(row)
        for row in fields
        if str(row.get("field_type")) in _TEXT | _CHOICE and forbids_calls(str(row.get("field_name")))
    }
    return {
        "contact_properties": [{"name": code, "network": networks[code]} for code in sorted(networks)],
        "text_properties": [{"name": code, "label": name} for code, name in sorted(texts.items())][:_MOST],
        "do_not_call_fields": dict(sorted(forbidding.items())),
    }


def _meaning_yes(field: Row) -> list[str]:
    """The ids of the options of a field that forbids calls which do forbid them; none for a field of text."""
    return [
        str(each.get("id"))
        for each in objects(field.get("options"))
        if str(each.get("label")).strip().lower() not in _NO
    ]
