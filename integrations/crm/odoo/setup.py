"""What connecting finds out once: which version this is, which fields partners have, and which activity types are calls and to-dos."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from integrations.crm.odoo import fields
from integrations.crm.odoo.api import API, EVERYTHING, Domain, Row
from integrations.crm.odoo.fields import ACTIVITY, PARTNER, USER, Site
from integrations.crm.odoo.meaning import LACKS_A_RIGHT
from integrations.errors import InvalidRequestError, NotFoundError, PermissionDeniedError
from integrations.handle_names import chosen, forbids_calls, network_of

_REFUSED = (InvalidRequestError, NotFoundError, PermissionDeniedError)
_PREFIXES = ("x_studio_", "x_")  # of fields that somebody added
_DONE_FIELDS = ("active", "date_done")  # since 17 an activity that is done may be archived instead of deleted
_MOST_TEXTS = 300
_TYPE_FIELDS = ("name", "category", "icon", "keep_done")  # of an activity type; those that this Odoo has are read


def prepare(api: API) -> dict[str, Any]:
    """The options of a connection: `version`, `uid`, `place` (the partner of the key's own user), `partner_fields`, `activity_fields`, `model_id`,
    `types`, `calls`, `keeps_done` (what is done is archived), `contact_properties`, `text_properties`, `do_not_call`.
    Safe to repeat. Activity types are made to keep what is done, where they can be and the key may."""
    known, activity = _fields(api, PARTNER), _fields(api, ACTIVITY)
    own = {name: each for name, each in known.items() if name.startswith("x_")}
    texts = {
        name: str(each.get("string") or name) for name, each in own.items() if each.get("type") in ("char", "text")
    }
    handles = {name: network[0] for name, label in texts.items() if (network := _network(name, label))}
    types = _types(api)
    return {
        "version": api.version,
        "uid": api.uid,
        "place": fields.link(_user(api, api.uid), "partner_id"),
        "partner_fields": [name for name in fields.WANTED if name in known],
        "activity_fields": [name for name in _DONE_FIELDS if name in activity],
        "keeps_done": _keep_done(api, types) if "active" in activity else False,
        "model_id": _model_id(api),
        "types": _ours(types),
        "calls": [row["id"] for row in _calls(types)],
        "contact_properties": [{"name": name, "network": network} for name, network in handles.items()],
        "text_properties": [{"name": name, "label": label} for name, label in texts.items() if name not in handles][
            :_MOST_TEXTS
        ],
        "do_not_call": [
            name
            for name, each in own.items()
            if each.get("type") == "boolean" and forbids_calls(_words(name, str(each.get("string"))))
        ],
    }


def site(base: str, options: Mapping[str, Any], zone: Callable[[int], tzinfo]) -> Site:
    """What `prepare` returned, as the readers and writers of fields want it."""
    return Site(
        base=base,
        partner_fields=tuple(
            options.get("partner_fields") or ("name", "email", "phone", "is_company", "parent_id", "user_id")
        ),
        activity_fields=tuple(options.get("activity_fields") or ()),
        keeps_done=options.get("keeps_done") is True,
        handles=chosen(options),
        do_not_call=tuple(options.get("do_not_call") or ()),
        model_id=int(options.get("model_id") or 0),
        types=tuple((options.get("types") or {}).items()),
        calls=tuple(options.get("calls") or ()),
        zone=zone,
    )


def missing(api: API, options: Mapping[str, Any]) -> list[str]:
    """One sentence for each thing that a person has to do. Has activity types keep what is done again, where connecting did."""
    found = []
    if not options.get("model_id"):
        found.append(
            "Let the user of the API key read models in Odoo (Settings, Users: at least Internal User), and connect again: no task can be made."
        )
    if api.may(PARTNER, "write") is False or api.may(ACTIVITY, "create") is False:
        found.append(LACKS_A_RIGHT)
    if options.get("keeps_done") and not _keep_done(api, _types(api)):
        found.append(
            "In Odoo, tick Keep Done again at the activity types To-Do and Call (Settings, Discuss, Activity Types), or connect again: now Odoo"
            " deletes what is done, and a task that is done looks like one that was deleted."
        )
    return found


def _fields(api: API, model: str) -> Mapping[str, Row]:
    found = api.call(model, "fields_get", None, {"attributes": ["type", "string"]})
    return {name: each for name, each in found.items() if isinstance(each, dict)} if isinstance(found, dict) else {}


def _user(api: API, uid: int) -> Row:
    rows = api.search(USER, [["id", "=", uid]], ["partner_id"], limit=1)
    return rows[0] if rows else {}


def _types(api: API) -> list[Row]:
    known = _fields(api, "mail.activity.type")
    # Since 15 a type names the model that it is for; before, it was linked to it.
    ours: Domain = ["|", ["res_model_id", "=", False], ["res_model_id.model", "=", PARTNER]]
    if "res_model" in known:
        ours = [["res_model", "in", [False, PARTNER]]]
    names = [name for name in _TYPE_FIELDS if name in known]
    return api.search("mail.activity.type", ours, names, order="sequence, id")


def _calls(types: Sequence[Row]) -> list[Row]:
    """The types that are phone calls. Before 15 no category says so (but with VoIP), and Odoo's own type is known by its picture: names are translated."""
    said = [row for row in types if row.get("category") == "phonecall"]
    return said or [row for row in types if row.get("icon") == "fa-phone"]


def _ours(types: Sequence[Row]) -> dict[str, int]:
    """The types of our two kinds of task: to-do and call; where there is none, Odoo takes its own default."""
    todo = [row for row in types if str(row.get("name")).lower().replace("-", " ") in ("to do", "todo")]
    calls = _calls(types)
    plain = [row for row in types if row.get("category") in ("default", False, None) and row not in calls]
    found = {fields.TODO: (todo or plain)[:1], fields.CALL: calls[:1]}
    return {name: rows[0]["id"] for name, rows in found.items() if rows}


def _keep_done(api: API, types: list[Row]) -> bool:
    """Whether what is done is archived. Versions 17 and 18 ask the type (`keep_done`); later ones always do it."""
    if _keeps(types):
        return True
    ours = set(_ours(types).values())
    try:
        for row in types:
            if row["id"] in ours and row.get("keep_done") is False:
                api.write("mail.activity.type", row["id"], {"keep_done": True})
    except _REFUSED:
        return False
    return _keeps(_types(api))


def _keeps(types: list[Row]) -> bool:
    ours = set(_ours(types).values())
    return all(row.get("keep_done", True) is not False for row in types if row["id"] in ours)


def _model_id(api: API) -> int | None:
    """Odoo's id of the model of partners: a new activity must name it. Whoever may not read models learns it from an activity's defaults."""
    try:
        rows = api.search("ir.model", [["model", "=", PARTNER]], ["id"], limit=1)
        if rows:
            return int(rows[0]["id"])
    except _REFUSED:
        pass
    try:
        given = {"fields": ["res_model", "res_model_id"]}
        found = api.call(
            ACTIVITY, "default_get", None, given, by_place=True, context={"default_res_model": PARTNER, **EVERYTHING}
        )
    except _REFUSED:
        return None
    return fields.link(found, "res_model_id") if isinstance(found, dict) else None


def _words(name: str, label: str) -> str:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return f"{name} {label}"


def _network(name: str, label: str) -> tuple[str | None] | None:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return network_of(name) or network_of(label)
