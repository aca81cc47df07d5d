"""What connecting finds out once: whether tasks have a field for our key, where contacts and leads keep social handles, and which
statuses of a task mean that it is dealt with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from integrations.crm.espocrm import fields
from integrations.crm.espocrm.api import API, Row
from integrations.crm.espocrm.fields import CONTACT, LEAD, Site
from integrations.errors import InvalidRequestError, NotFoundError, PermissionDeniedError
from integrations.handle_names import chosen, forbids_calls, network_of

_REFUSED = (InvalidRequestError, NotFoundError, PermissionDeniedError)
_HOLD_TEXT = {"varchar", "text", "url"}
_MOST_TEXTS = 300

# What the role of the API user must allow: scope, action -> what does not work without it.
_NEEDED = (
    ("Contact", "read", "contacts are not read, so nobody can be recognised"),
    ("Task", "create", "no task can be made"),
    ("Task", "read", "what people do with tasks is not seen"),
    ("Task", "edit", "tasks can't be completed or changed"),
    ("Task", "delete", "tasks that lost their reason can't be taken back"),
    ("User", "read", "Warmline does not know who can be given a task"),
)
_ASSIGNING = (
    "In EspoCRM, set Assignment Permission of the role of the API user to all (Administration, Roles): until then EspoCRM takes no task for"
    " anybody else."
)
_LOST = (
    "EspoCRM's tasks have no text field {name} any more, which held Warmline's key. Add it again (Administration, Entity Manager, Task,"
    " Fields), or connect EspoCRM again: then the key is the last line of a task's description."
)
_ALL = ("all", "yes", True)
_OF_OTHERS = ("Task", "User")  # none of those that count here is the API user's own


def prepare(api: API) -> dict[str, Any]:
    """The options of a connection: `key_field` (None where tasks have none), `contact_properties` (name and network of each handle field, of
    contacts and leads alike), `text_properties` (name and label of fields that may hold one besides), `do_not_call` (kind -> fields),
    `done_statuses`, `kinds` (of people who may be read). Safe to repeat; nothing is made."""
    acl = api.me().get("acl")
    table = acl.get("table") if isinstance(acl, dict) else None
    people = {kind: _metadata(api, f"entityDefs.{kind}.fields") for kind in (CONTACT, LEAD)}
    handles = {name: network for kind in people for name, network in _handles(people[kind])}
    scope = _metadata(api, "scopes.Task")
    done = [*_texts(scope.get("completedStatusList")), *_texts(scope.get("canceledStatusList"))]
    return {
        "key_field": _key_field(_metadata(api, "entityDefs.Task.fields")),
        "contact_properties": [{"name": name, "network": network} for name, network in handles.items()],
        "text_properties": _other_texts(people, handles),
        "do_not_call": {kind: _no_calls(people[kind]) for kind in people},
        "known_fields": {kind: _custom(people[kind]) for kind in people},
        "done_statuses": done or list(fields.DONE_STATUSES),
        "kinds": [kind for kind in people if kind == CONTACT or _allows(table, kind, "read")],
    }


def site(base: str, options: Mapping[str, Any]) -> Site:
    """What `prepare` returned, as the readers and writers of fields want it."""
    known = options.get("known_fields") or {}
    handles = {
        kind: tuple((name, network) for name, network in chosen(options) if name in known.get(kind, ()))
        for kind in (CONTACT, LEAD)
    }
    done = tuple(_texts(options.get("done_statuses"))) or fields.DONE_STATUSES
    return Site(
        base=base,
        key_field=options.get("key_field"),
        handles=handles,
        do_not_call={kind: tuple(_texts(names)) for kind, names in (options.get("do_not_call") or {}).items()},
        done=done,
        completed=done[0],
    )


def missing(api: API, options: Mapping[str, Any]) -> list[str]:
    """One sentence for each thing that a person has to do: what the role of the API user does not allow and Warmline needs, and a field for
    our key that is gone, which only an administrator makes."""
    return [*_not_allowed(api), *_lost_field(api, options.get("key_field"))]


def _lost_field(api: API, name: object) -> list[str]:
    known = _metadata(api, "entityDefs.Task.fields") if name else {}
    if not known or _key_field(known) == name:
        return []
    return [_LOST.format(name=name)]


def _not_allowed(api: API) -> list[str]:
    acl = api.me().get("acl")
    table = acl.get("table") if isinstance(acl, dict) else None
    if not isinstance(acl, dict) or not isinstance(table, dict):
        return []
    told = [
        f"In EspoCRM, let the role of the API user {action} all {scope} records (Administration, Roles): until then {why}."
        for scope, action, why in _NEEDED
        if not _allows(table, scope, action)
    ]
    return [*told, _ASSIGNING] if acl.get("assignmentPermission") == "no" else told


def _allows(table: object, scope: str, action: str) -> bool:
    if not isinstance(table, dict):
        return True  # it does not say
    allowed = table.get(scope, False)
    if isinstance(allowed, dict):
        level = allowed.get(action)
        return level in _ALL or (
            action == "read" and level not in ("no", None, False) and not (level == "own" and scope in _OF_OTHERS)
        )
    return allowed is True


def _metadata(api: API, path: str) -> Row:
    try:
        return api.metadata(path)
    except _REFUSED:
        return {}  # without the description we read the standard fields only


def _key_field(known: Row) -> str | None:
    texts = {name for name, each in known.items() if isinstance(each, dict) and each.get("type") == "varchar"}
    return next((name for name in fields.KEYS if name in texts), None)


def _words(name: str) -> str:
    """`cTwitterHandle`, as EspoCRM names what an administrator adds, in words."""
    return " ".join(re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", re.sub(r"^c(?=[A-Z])", "", name)))


def _custom(known: Row) -> list[str]:
    """The fields that hold text and that somebody added."""
    return [
        name
        for name, each in known.items()
        if isinstance(each, dict) and each.get("isCustom") and str(each.get("type")) in _HOLD_TEXT
    ]


def _handles(known: Row) -> list[tuple[str, str | None]]:
    found = [(name, network_of(_words(name))) for name in _custom(known)]
    return [(name, network[0]) for name, network in found if network]


def _no_calls(known: Row) -> list[str]:
    return [
        name
        for name, each in known.items()
        if isinstance(each, dict)
        and each.get("isCustom")
        and each.get("type") == "bool"
        and forbids_calls(_words(name))
    ]


def _other_texts(people: Mapping[str, Row], handles: Mapping[str, str | None]) -> list[dict[str, str]]:
    names = dict.fromkeys(name for known in people.values() for name in _custom(known) if name not in handles)
    return [{"name": name, "label": _words(name)} for name in names][:_MOST_TEXTS]


def _texts(value: object) -> list[str]:
    return [str(each) for each in value if each] if isinstance(value, Sequence) and not isinstance(value, str) else []
