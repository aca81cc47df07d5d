"""What connecting finds out and makes once: a field and a tag for our tasks, whose days due dates are, and where contacts keep handles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from integrations.crm.bottlecrm import fields
from integrations.crm.bottlecrm.api import API, Row
from integrations.crm.bottlecrm.fields import Site
from integrations.errors import InvalidRequestError, NotFoundError, PermissionDeniedError
from integrations.handle_names import chosen, forbids_calls, network_of

_REFUSED = (InvalidRequestError, NotFoundError, PermissionDeniedError)
_STAYS = "The {what} stays, since BottleCRM did not let us take it away ({error}). An administrator does it in BottleCRM's settings."
_HOLD_TEXT = {"text", "textarea"}
_MOST_TEXTS = 300
_NOT_ADMIN = (
    "Connect BottleCRM with an administrator's token. A member's token shows only the contacts and tasks of that member, and lets"
    " Warmline add neither the field nor the tag by which it finds its tasks again."
)


def prepare(api: API) -> dict[str, Any]:
    """The options of a connection: `key_field` (tasks have a field for our key), `tag` (id, or None), `timezone`, `contact_properties` (name and
    network of each handle field), `text_properties` (name and label of fields that may hold one besides), `do_not_call`.
    Safe to repeat: what is there already is kept. Raises what concerns the whole connection."""
    organization = api.organization()
    known = _fields(api, "Contact")
    texts = [row for row in known if str(row.get("field_type")) in _HOLD_TEXT]
    handles = {**dict(fields.STANDARD_HANDLES), **{name: network for name, network in map(_handle, texts) if name}}
    return {
        "key_field": key_field(api),
        "tag": _tag(api),
        "timezone": str(organization.get("timezone") or ""),
        "contact_properties": [{"name": name, "network": network} for name, network in handles.items()],
        "text_properties": [
            {"name": str(row["key"]), "label": _label(row)} for row in texts if row["key"] not in handles
        ][:_MOST_TEXTS],
        "do_not_call": [
            str(row["key"]) for row in known if row.get("field_type") == "checkbox" and forbids_calls(_label(row))
        ],
    }


def site(base: str, options: Mapping[str, Any]) -> Site:
    """What `prepare` returned, as the readers and writers of fields want it."""
    return Site(
        base=base,
        zone=_zone(options.get("timezone")),
        key_field=options.get("key_field") is True,
        tag=options.get("tag") or None,
        handles=chosen(options, fields.STANDARD_HANDLES),
        do_not_call=tuple(options.get("do_not_call") or ()),
    )


def missing(api: API, options: Mapping[str, Any]) -> list[str]:
    """One sentence for each thing that a person has to do. Puts back the field for our key and the tag, if somebody has switched off the one
    or archived the other."""
    if api.me().get("role") != "ADMIN":
        return [_NOT_ADMIN]
    told = []
    if options.get("key_field") and not key_field(api):
        told.append(
            f"Switch on the field {fields.KEY} of tasks in BottleCRM again (Settings, Custom fields): it holds Warmline's key."
        )
    if options.get("tag") and not _has_tag(api, str(options["tag"])):
        told.append(
            f"The tag {fields.TAG} is another one or none in BottleCRM now (Settings, Tags). Connect BottleCRM again, so that Warmline finds its"
            " tasks by the one that there is."
        )
    return told


def _has_tag(api: API, tag_id: str) -> bool:
    """Whether our tag is in use, by whatever name; it is taken out of the archive where it may be."""
    try:
        standing = api.tag(tag_id).get("is_active") is not False
    except _REFUSED:
        standing = False
    return standing or _tag(api) == tag_id


def clean(api: API) -> list[str]:
    """See `integrations.clients.Cleaner`."""
    ours = [row for row in _fields(api, "Task") if row.get("key") == fields.KEY]
    off = f"The field {fields.KEY} of tasks was switched off. BottleCRM deletes no field, so that its old values can be read."
    return [
        *(
            _gone(off, f"field {fields.KEY} of tasks", partial(api.switch_field, str(row["id"]), on=False))
            for row in ours
        ),
        *_without_tag(api),
    ]


def _without_tag(api: API) -> list[str]:
    try:
        tags = _named(api, fields.TAG)
    except _REFUSED as error:
        return [_STAYS.format(what=f"tag {fields.TAG}", error=error)]
    archived = f"The tag {fields.TAG} was archived."
    return [_gone(archived, f"tag {fields.TAG}", partial(api.archive_tag, str(row["id"]))) for row in tags]


def _gone(told: str, what: str, take: Callable[[], None]) -> str:
    """What there is to tell once `take` has taken it away, or was refused."""
    try:
        take()
    except _REFUSED as error:
        return _STAYS.format(what=what, error=error)
    return told


def key_field(api: API) -> bool:
    """Whether tasks have a field that holds our key; it is added, or switched on again, where it may be."""
    try:
        found = [row for row in api.fields("Task") if row.get("key") == fields.KEY]
        if found and found[0].get("is_active") is False:
            api.switch_field(str(found[0]["id"]), on=True)
        elif not found:
            api.add_field({"target_model": "Task", "key": fields.KEY, "label": "Warmline key", "field_type": "text"})
        # What was asked for is believed once it is read back.
        return any(row.get("key") == fields.KEY and row.get("is_active") is not False for row in api.fields("Task"))
    except _REFUSED:
        return False


def _tag(api: API) -> str | None:
    try:
        if not _named(api, fields.TAG):
            api.add_tag(fields.TAG)
        return next((str(row["id"]) for row in _named(api, fields.TAG)), None)
    except _REFUSED:
        return None


def _named(api: API, name: str) -> list[Row]:
    return [row for row in api.tags(name) if row.get("name") == name and row.get("is_active") is not False]


def _fields(api: API, kind: str) -> list[Row]:
    try:
        found = api.fields(kind)
    except _REFUSED:
        return []  # without them we read BottleCRM's own fields only
    return [row for row in found if row.get("is_active") is not False and isinstance(row.get("key"), str)]


def _handle(row: Row) -> tuple[str, str | None]:
    """Name and network of a handle field; an empty name for any other field."""
    network = network_of(str(row["key"])) or network_of(_label(row))
    return (str(row["key"]), network[0]) if network else ("", None)


def _label(row: Row) -> str:
    return str(row.get("label") or row["key"])


def _zone(name: object) -> tzinfo:
    try:
        return ZoneInfo(str(name)) if name else UTC
    except (KeyError, OSError, ValueError):  # a name that nobody knows is a KeyError
        return UTC
