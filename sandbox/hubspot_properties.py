"""Object types and their properties: which there are, what values they take, who may set them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.clock import iso, parse_ms


@dataclass(frozen=True)
class ObjectType:
    """A kind of record. `modified` and `created` name the properties that hold its two instants."""

    name: str
    one: str
    type_id: str
    to_contact: int | None  # association type towards a contact
    from_contact: int | None
    created: str = "hs_createdate"
    modified: str = "hs_lastmodifieddate"
    required: tuple[str, ...] = ("hs_timestamp",)
    shown: tuple[str, ...] = ()  # answered when no property is asked for, beside id and the two instants


# Type ids and association types: developers.hubspot.com, "Associations v4", table of type ID values.
TYPES = {
    kind.name: kind
    for kind in (
        ObjectType(
            "contacts",
            "contact",
            "0-1",
            None,
            None,
            "createdate",
            "lastmodifieddate",
            (),
            ("email", "firstname", "lastname"),
        ),
        ObjectType("tasks", "task", "0-27", 204, 203),
        ObjectType("calls", "call", "0-48", 194, 193),
        ObjectType("meetings", "meeting", "0-47", 200, 199),
        ObjectType("emails", "email", "0-49", 198, 197),
        ObjectType("notes", "note", "0-46", 202, 201),
        ObjectType("communications", "communication", "0-18", 81, 82),
    )
}
ALIASES = {alias: kind.name for kind in TYPES.values() for alias in (kind.name, kind.one, kind.type_id)}


def association_type(from_type: str, to_type: str) -> int | None:
    """HubSpot's own association type from one kind to another, or None where there is none here."""
    if to_type == "contacts":
        return TYPES[from_type].to_contact
    return TYPES[to_type].from_contact if from_type == "contacts" else None


TARGETS = {
    (kind.name, type_id): target
    for kind in TYPES.values()
    for type_id, target in ((kind.to_contact, "contacts"),)
    if type_id is not None
} | {("contacts", kind.from_contact): kind.name for kind in TYPES.values() if kind.from_contact is not None}


@dataclass(frozen=True)
class Property:
    name: str
    label: str
    kind: str = "string"  # string, number, datetime, bool, enumeration
    field: str = "text"
    options: tuple[str, ...] = ()
    read_only: bool = False
    unique: bool = False
    description: str = ""
    group: str = "information"
    custom: bool = False
    created_at: int = 0


def _texts(names: str, kind: str = "string") -> list[Property]:
    return [Property(name, name.removeprefix("hs_").replace("_", " ").capitalize(), kind) for name in names.split()]


def _choice(name: str, *options: str) -> Property:
    return Property(name, name.removeprefix("hs_").replace("_", " ").capitalize(), "enumeration", "select", options)


_OWNER = Property("hubspot_owner_id", "Owner", "enumeration", "select")
_ACTIVITY = [*_texts("hs_timestamp", "datetime"), _OWNER, *_texts("hs_attachment_ids hs_object_source_label")]
_DIRECTION = ("INBOUND", "OUTBOUND")
_STANDARD: dict[str, list[Property]] = {
    "contacts": [
        Property("email", "Email", unique=True),
        *_texts(
            "firstname lastname phone mobilephone company jobtitle website address city state zip country salutation "
            "twitterhandle linkedinbio hs_linkedin_url hs_facebookid hs_additional_emails hs_whatsapp_phone_number "
            "hs_analytics_source hs_analytics_source_data_1 hs_object_source hs_object_source_label hs_object_source_detail_1 hs_language hs_timezone message industry "
            "hs_email_domain hs_persona hs_country_region_code hs_calculated_phone_number hs_merged_object_ids"
        ),
        _choice(
            "lifecyclestage", "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer",
            "evangelist", "other",
        ),
        _choice("hs_lead_status", "NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "ATTEMPTED_TO_CONTACT", "CONNECTED", "BAD_TIMING"),
        *_texts("hs_email_optout hs_do_not_call hs_is_unworked", "bool"),
        *_texts("notes_last_contacted notes_last_updated hs_last_sales_activity_timestamp", "datetime"),
        *_texts("followercount num_notes num_contacted_notes twitter_followers", "number"),
        _OWNER,
    ],
    "tasks": [
        *_ACTIVITY,
        *_texts("hs_task_subject hs_task_body hs_body_preview hs_task_family"),
        _choice("hs_task_status", "NOT_STARTED", "IN_PROGRESS", "WAITING", "DEFERRED", "COMPLETED"),
        _choice("hs_task_priority", "NONE", "LOW", "MEDIUM", "HIGH"),
        _choice("hs_task_type", "TODO", "CALL", "EMAIL", "LINKED_IN", "LINKED_IN_CONNECT", "LINKED_IN_MESSAGE"),
        *_texts("hs_task_reminders hs_repeat_status"),
        Property("hs_task_completion_date", "Completed at", "datetime", read_only=True),
        Property("hs_task_is_completed", "Completed", "bool", read_only=True),
    ],
    "calls": [
        *_ACTIVITY,
        *_texts("hs_call_title hs_call_body hs_call_disposition hs_call_from_number hs_call_to_number hs_call_recording_url hs_activity_type"),
        *_texts("hs_call_duration", "number"),
        _choice("hs_call_direction", *_DIRECTION),
        _choice(
            "hs_call_status", "BUSY", "CALLING_CRM_USER", "CANCELED", "COMPLETED", "CONNECTING", "FAILED", "IN_PROGRESS",
            "NO_ANSWER", "QUEUED", "RINGING",
        ),
    ],
    "meetings": [
        *_ACTIVITY,
        *_texts("hs_meeting_title hs_meeting_body hs_internal_meeting_notes hs_meeting_external_url hs_meeting_location hs_activity_type"),
        *_texts("hs_meeting_start_time hs_meeting_end_time", "datetime"),
        _choice("hs_meeting_outcome", "SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED"),
    ],
    "emails": [
        *_ACTIVITY,
        *_texts("hs_email_subject hs_email_text hs_email_html hs_email_headers hs_email_from_email hs_email_to_email"),
        _choice("hs_email_direction", "EMAIL", "INCOMING_EMAIL", "FORWARDED_EMAIL"),
        _choice("hs_email_status", "BOUNCED", "FAILED", "SCHEDULED", "SENDING", "SENT"),
    ],
    "notes": [*_ACTIVITY, *_texts("hs_note_body hs_body_preview")],
    "communications": [
        *_ACTIVITY,
        *_texts("hs_communication_body hs_communication_logged_from hs_body_preview"),
        _choice("hs_communication_channel_type", "SMS", "WHATS_APP", "LINKEDIN_MESSAGE", "CUSTOM_CHANNEL_CONVERSATION"),
    ],
}  # fmt: skip


def _standard(kind: ObjectType) -> dict[str, Property]:
    instants = [
        Property(name, label, "datetime", "date", read_only=True)
        for name, label in ((kind.created, "Created"), (kind.modified, "Changed"))
    ]
    fixed = [Property("hs_object_id", "Record ID", "number", "number", read_only=True), *instants]
    return {one.name: one for one in (*fixed, *_STANDARD[kind.name])}


STANDARD = {name: _standard(kind) for name, kind in TYPES.items()}


def properties(db: sqlite3.Connection, kind: str) -> dict[str, Property]:
    """Every property of a type, ours and those that somebody added, by name."""
    rows = db.execute("SELECT * FROM properties WHERE type = ?", (kind,))
    added = {
        row["name"]: Property(
            row["name"], row["label"], row["kind"], row["field"], unique=bool(row["is_unique"]), description=row["description"],
            group=row["group_name"], custom=True, created_at=row["created_at"],
        )
        for row in rows
    }  # fmt: skip
    return {**STANDARD[kind], **added}


def add_property(db: sqlite3.Connection, kind: str, new: Property) -> None:
    db.execute(
        "INSERT OR IGNORE INTO properties VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (kind, new.name, new.label, new.kind, new.field, new.description, new.group, new.unique, new.created_at),
    )


def drop_property(db: sqlite3.Connection, kind: str, name: str) -> None:
    """Forgets a property that somebody added, and that its values were unique."""
    db.execute("DELETE FROM properties WHERE type = ? AND name = ?", (kind, name))
    db.execute("DELETE FROM unique_values WHERE type = ? AND property = ?", (kind, name))


def _datetime(value: str) -> str:
    return iso(int(value) if value.lstrip("-").isdigit() else parse_ms(value))


def _number(value: str) -> str:
    float(value)
    return value


def _bool(value: str) -> str:
    if value.lower() not in ("true", "false"):
        raise ValueError(value)
    return value.lower()


# kind -> (how a value is kept; ValueError for one that can't be, the code of that error)
KINDS: dict[str, tuple[Callable[[str], str], str]] = {
    "string": (str, "INVALID_STRING"),
    "number": (_number, "INVALID_NUMBER"),
    "datetime": (_datetime, "INVALID_DATE"),
    "date": (_datetime, "INVALID_DATE"),
    "bool": (_bool, "INVALID_BOOLEAN"),
    "enumeration": (str, "INVALID_OPTION"),
}
LONGEST_TEXT = 65_536  # characters; developers.hubspot.com, "Engagements": the limit of a body

Problem = tuple[str, str, str]


def clean(
    values: Mapping[str, Any],
    known: Mapping[str, Property],
    owners: Callable[[str], bool],
    *,
    creating: ObjectType | None,
) -> tuple[dict[str, str], list[Problem]]:
    """`values` as they are kept ("" clears one), and what is wrong with them. `creating` checks what must be there."""
    kept: dict[str, str] = {}
    problems: list[Problem] = []
    for name, value in values.items():
        property_ = known.get(name)
        text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        if property_ is None:
            problems.append((name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'))
        elif property_.read_only:
            problems.append((name, "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.'))
        elif name == "hubspot_owner_id" and text and not owners(text):
            problems.append((name, "INVALID_OWNER_ID", f"The owner ID {text} does not exist or is not active"))
        elif property_.options and text and text not in property_.options:
            options = ", ".join(property_.options)
            problems.append((name, "INVALID_OPTION", f"{text} was not one of the allowed options: [{options}]"))
        elif len(text) > LONGEST_TEXT:
            problems.append((name, "INVALID_LENGTH", f"{name} is longer than {LONGEST_TEXT} characters"))
        else:
            keep, code = KINDS[property_.kind]
            try:
                kept[name] = keep(text) if text else ""
            except (ValueError, OverflowError, OSError):
                problems.append((name, code, f"{text[:80]} is not a valid {property_.kind}"))
    for name in creating.required if creating else ():
        if not kept.get(name) and name not in {one[0] for one in problems}:
            problems.append((name, "REQUIRED_FIELD", f'Required property "{name}" is missing'))
    return kept, problems


def shown(property_: Property) -> dict[str, Any]:
    """A property as the API answers it."""
    return {
        "name": property_.name, "label": property_.label, "type": property_.kind, "fieldType": property_.field,
        "description": property_.description, "groupName": property_.group, "hasUniqueValue": property_.unique,
        "options": [
            {"label": one, "value": one, "hidden": False, "displayOrder": number} for number, one in enumerate(property_.options)
        ],
        "hidden": False, "formField": False, "calculated": False, "externalOptions": property_.name == "hubspot_owner_id",
        "hubspotDefined": not property_.custom, "archived": False, "displayOrder": -1,
        "createdAt": iso(property_.created_at), "updatedAt": iso(property_.created_at),
        "modificationMetadata": {
            "archivable": property_.custom, "readOnlyDefinition": not property_.custom, "readOnlyValue": property_.read_only
        },
    }  # fmt: skip
