"""What connecting finds out once: whether tasks can carry our key, what the picklists are called, and where handles are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from integrations.crm.salesforce import keyfield
from integrations.crm.salesforce.activities import ACTIVITIES
from integrations.crm.salesforce.api import API, Row, readable
from integrations.crm.salesforce.fields import PEOPLE, TASK_FIELDS
from integrations.crm.salesforce.soql import forgiving, select
from integrations.errors import InvalidRequestError, NotFoundError, PermissionDeniedError, UnexpectedResponseError
from integrations.foreign import objects
from integrations.handle_names import forbids_calls, network_of

_REFUSED = (InvalidRequestError, NotFoundError, PermissionDeniedError)
_TEXT = {"string", "url", "textarea"}
_MOST = 300  # custom fields that are offered as places for a handle


def organisation(api: API) -> Row:
    """The organisation that the token belongs to."""
    found, _ = api.query(select(("Id", "Name", "TimeZoneSidKey"), "Organization", "LIMIT 1"))
    kept = readable(found)
    if len(kept) != 1:
        raise UnexpectedResponseError("Salesforce did not say which organisation this is")
    return kept[0]


def prepare(api: API, user: str) -> dict[str, Any]:
    """The options of a connection: `org_id`, `time_zone`; `key_field` (None where none is allowed), `upsert`, `unique` (each proved
    by reading it back); `open_status`, `closed_status`, `states_open`, `high`, `normal`, `call_type`; `hidden` and `custom` fields by kind;
    `contact_properties` (name and network of each handle), `text_properties` (name and label of fields that may hold one besides) and
    `do_not_call_fields`. `user` is the id of who connected. Safe to repeat. Raises what concerns the whole connection."""
    org = organisation(api)
    key = keyfield.ensure(api, user)
    kinds = {kind: _describe(api, kind) for kind in (*PEOPLE, *ACTIVITIES)}
    return {
        "org_id": str(org["Id"]),
        "time_zone": str(org.get("TimeZoneSidKey") or "UTC"),
        **key,
        **_statuses(_picklist(api, "TaskStatus", "IsClosed")),
        **_priorities(_picklist(api, "TaskPriority", "IsHighPriority")),
        "call_type": "Call" in _values(_field(kinds["Task"], "Type")),
        "hidden": _hidden(kinds),
        **_custom(kinds),
    }


# --- picklists --------------------------------------------------------------------------------------------------


def _picklist(api: API, kind: str, flag: str) -> list[Row]:
    def query(names: Sequence[str]) -> list[Row]:
        return objects(api.query(select(names, kind, "ORDER BY SortOrder"))[0])

    try:
        return forgiving(query, ("ApiName", "MasterLabel", "IsDefault", flag))
    except _REFUSED:
        return []  # then the names that every new organisation starts with


def _name(row: Row) -> str:
    return str(row.get("ApiName") or row.get("MasterLabel") or "")


def _statuses(found: Sequence[Row]) -> dict[str, Any]:
    still_open = [row for row in found if row.get("IsClosed") is not True]
    closed = [_name(row) for row in found if row.get("IsClosed") is True]
    default = [row for row in found if row.get("IsDefault") is True]
    first = [_name(row) for row in (*(row for row in default if row in still_open), *still_open)]
    return {
        "open_status": next(iter(first), "Not Started"),
        "closed_status": "Completed" if "Completed" in closed else next(iter(closed), "Completed"),
        "states_open": any(row.get("IsClosed") is True for row in default),
    }


def _priorities(found: Sequence[Row]) -> dict[str, Any]:
    high = [_name(row) for row in found if row.get("IsHighPriority") is True]
    others = sorted(
        (row for row in found if row.get("IsHighPriority") is not True),
        key=lambda row: row.get("IsDefault") is not True,
    )
    return {"high": next(iter(high), "High"), "normal": next((_name(row) for row in others), "Normal")}


# --- fields -----------------------------------------------------------------------------------------------------


def _describe(api: API, kind: str) -> Row:
    try:
        return api.describe(kind)
    except _REFUSED:
        return {}  # the user cannot see them: their stream says so


def _field(described: Row, name: str) -> Row:
    return next((row for row in objects(described.get("fields")) if row.get("name") == name), {})


def _values(field: Row) -> set[str]:
    return {str(row.get("value")) for row in objects(field.get("picklistValues")) if row.get("active") is not False}


def _hidden(kinds: Mapping[str, Row]) -> dict[str, list[str]]:
    """The fields that we would read and the user cannot see, by kind."""
    found = {}
    for kind, described in kinds.items():
        seen = {str(row.get("name")) for row in objects(described.get("fields"))}
        relations = {str(row.get("relationshipName")) for row in objects(described.get("fields"))}
        lacking = [name for name in _wanted(kind) if name.partition(".")[0] not in (relations if "." in name else seen)]
        found[kind] = sorted(set(lacking)) if seen else []
    return found


def _wanted(kind: str) -> Iterator[str]:
    yield from PEOPLE[kind].names if kind in PEOPLE else ()
    yield from (*ACTIVITIES[kind].needs, *ACTIVITIES[kind].where) if kind in ACTIVITIES else ()
    yield from TASK_FIELDS if kind == "Task" else ()


def _custom(kinds: Mapping[str, Row]) -> dict[str, Any]:
    """Where people keep handles, in fields that somebody added to contacts and leads; and who else an activity was with."""
    custom: dict[str, list[str]] = {}
    networks: dict[str, str | None] = {}
    texts: dict[str, str] = {}
    forbidding: set[str] = set()
    for kind in PEOPLE:
        added = [row for row in objects(kinds[kind].get("fields")) if row.get("custom") is True and row.get("name")]
        names = {
            str(row["name"]): str(row.get("label") or row["name"]) for row in added if str(row.get("type")) in _TEXT
        }
        texts |= dict(list(names.items())[:_MOST])
        networks |= {name: found[0] for name, label in names.items() if (found := _network(name, label))}
        here = {str(row["name"]) for row in added if forbids_calls(f"{_bare(row['name'])} {row.get('label')}")}
        forbidding |= here
        custom[kind] = sorted({*list(names)[:_MOST], *(name for name in names if name in networks), *here})
    for kind in ACTIVITIES:
        children = objects(kinds[kind].get("childRelationships"))
        custom[kind] = sorted({f"{kind}WhoRelations"} & {str(row.get("relationshipName")) for row in children})
    return {
        "custom": custom,
        "contact_properties": [{"name": name, "network": networks[name]} for name in sorted(networks)],
        "text_properties": [{"name": name, "label": label} for name, label in sorted(texts.items())],
        "do_not_call_fields": sorted(forbidding),
    }


def _network(name: str, label: str) -> tuple[str | None] | None:
    return network_of(_bare(name)) or network_of(label)


def _bare(name: object) -> str:
    """What somebody called the field: Salesforce ends the names of custom ones in __c."""
    return str(name).removesuffix("__c")
