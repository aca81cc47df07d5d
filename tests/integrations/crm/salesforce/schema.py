"""The fields of the records that we touch, as an organisation has them from the beginning, and how rows are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PREFIXES = {
    "Contact": "003",
    "Lead": "00Q",
    "Task": "00T",
    "Event": "00U",
    "User": "005",
    "Account": "001",
    "PermissionSet": "0PS",
}
_ALWAYS = ("Id", "IsDeleted", "CreatedDate", "CreatedById", "SystemModstamp", "OwnerId")
_PERSON = (
    "FirstName",
    "LastName",
    "Name",
    "Email",
    "Phone",
    "MobilePhone",
    "Title",
    "LeadSource",
    "DoNotCall",
    "HasOptedOutOfEmail",
    "MasterRecordId",
)
_FIELDS = {
    "Contact": (*_PERSON, "HomePhone", "OtherPhone", "MailingCity", "MailingState", "MailingCountry", "AccountId"),
    "Lead": (*_PERSON, "Company", "Website", "City", "State", "Country", "Status", "IsConverted", "ConvertedContactId"),
    "Task": (
        "Subject", "Description", "Status", "IsClosed", "Priority", "ActivityDate", "ReminderDateTime", "IsReminderSet", "WhoId", "Type",
        "TaskSubtype", "CompletedDateTime", "CallType", "CallDisposition", "CallDurationInSeconds",
    ),
    "Event": ("Subject", "StartDateTime", "EndDateTime", "IsAllDayEvent", "ActivityDate", "WhoId", "Type", "IsChild"),
    "User": ("Name", "Email", "IsActive", "UserType"),
    "EmailMessage": ("ActivityId", "Incoming"),
}  # fmt: skip
_READ_ONLY = {
    "Id",
    "IsDeleted",
    "CreatedDate",
    "CreatedById",
    "SystemModstamp",
    "IsClosed",
    "CompletedDateTime",
    "Name",
    "IsConverted",
}
_FLAGS = {
    "IsDeleted": False,
    "DoNotCall": False,
    "HasOptedOutOfEmail": False,
    "IsChild": False,
    "IsAllDayEvent": False,
    "IsConverted": False,
}
_BLANK = {
    "Task": {"Status": "Not Started", "Priority": "Normal", "TaskSubtype": "Task", "OwnerId": "005000000000001AAA"}
}


def column(name: str, **more: Any) -> dict[str, Any]:
    """A field as describe shows it; `visible` is for the server alone."""
    writable = name not in _READ_ONLY
    shown = {
        "name": name,
        "label": name,
        "type": "string",
        "custom": False,
        "relationshipName": None,
        "externalId": False,
        "unique": False,
    }
    return {**shown, "createable": writable, "updateable": writable, "visible": True, **more}


def fields() -> dict[str, dict[str, dict[str, Any]]]:
    """Every kind's fields by name."""
    found = {kind: {name: column(name) for name in (*_ALWAYS, *names)} for kind, names in _FIELDS.items()}
    found["Contact"]["AccountId"]["relationshipName"] = "Account"
    values = [{"value": value, "active": True} for value in ("Call", "Email", "Meeting", "Other")]
    found["Task"]["Type"]["picklistValues"] = values
    return found


def blank(kind: str) -> dict[str, Any]:
    """A new record before anybody has said anything of it."""
    names = (*_ALWAYS, *_FIELDS.get(kind, ()))
    return {**{name: _FLAGS.get(name) for name in names}, **_BLANK.get(kind, {})}


def organisation(record_id: str) -> dict[str, Any]:
    return {"Id": record_id, "Name": "Example Ltd", "TimeZoneSidKey": "America/Los_Angeles"}


def picklist(kind: str) -> list[dict[str, Any]]:
    flag = {"TaskStatus": "IsClosed", "TaskPriority": "IsHighPriority"}[kind]
    labels = {
        "TaskStatus": {"Not Started": False, "In Progress": False, "Completed": True, "Deferred": False},
        "TaskPriority": {"High": True, "Normal": False, "Low": False},
    }[kind]
    default = {"TaskStatus": "Not Started", "TaskPriority": "Normal"}[kind]
    return [
        {
            "Id": f"01J{number:012d}AAA",
            "ApiName": label,
            "MasterLabel": label,
            flag: on,
            "IsDefault": label == default,
            "SortOrder": number,
        }
        for number, (label, on) in enumerate(labels.items(), 1)
    ]


def view(kind: str, row: Mapping[str, Any], names: Sequence[str], children: Sequence[str]) -> dict[str, Any]:
    """A row as an answer shows it: `Account.Name` inside an Account."""
    found: dict[str, Any] = {"attributes": {"type": kind, "url": f"/services/data/v62.0/sobjects/{kind}/{row['Id']}"}}
    for name in names:
        head, dot, tail = name.partition(".")
        if not dot:
            found[name] = row.get(name)
        elif row.get(head) is None:
            found[head] = None
        else:
            inner = found.get(head) or {"attributes": {"type": head}}
            found[head] = {**inner, tail: row[head].get(tail)}
    for relation in children:
        others = [{"attributes": {"type": relation}, "RelationId": each} for each in row.get(relation, ())]
        found[relation] = {"totalSize": len(others), "done": True, "records": others} if others else None
    return found
