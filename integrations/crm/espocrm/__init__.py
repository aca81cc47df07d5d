"""EspoCRM: contacts, leads, users and activities come in; tasks go out and come back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from integrations.clients import CRMClient
from integrations.crm.espocrm.client import EspoCRM
from integrations.provider import WRITE_HANDLES, Access, FormField, Install, Provider, Secret, Stream


def _check(access: Access) -> Sequence[str]:
    return EspoCRM(access).missing()


PROVIDER: Provider[CRMClient] = Provider(
    key="espocrm",
    kind="crm",
    name="EspoCRM",
    hosts={"web": "https://{server}"},
    auth=Secret(),
    form=(
        FormField(
            "server",
            "Address of your EspoCRM",
            "Where you open it in the browser, such as crm.example.com.",
            type="host",
        ),
        FormField(
            "api_key", "API key", "Administration, API Users, the user made for Warmline: its API Key.", type="secret"
        ),
        FormField(
            "secret_key",
            "Secret key",
            "Only for an API user whose authentication method is HMAC: the Secret Key beside the API Key.",
            type="secret",
            required=False,
        ),
    ),
    client=EspoCRM,
    check=_check,
    streams=(
        Stream("owners", "users", timedelta(hours=1)),
        Stream(
            "contacts",
            "contacts and leads",
            timedelta(minutes=5),
            limits="A deleted contact or lead shows within the hour; of more than 5,000, within the hour for each 8,000.",
        ),
        Stream(
            "activities",
            "calls, meetings and e-mails",
            timedelta(minutes=5),
            limits="EspoCRM does not show that an activity was deleted, nor whether an archived e-mail came in or went out.",
        ),
        Stream("tasks", "tasks", timedelta(minutes=1)),
    ),
    capabilities=frozenset({"activities", WRITE_HANDLES}),
    about="Reads contacts, leads, users and logged activities, and keeps Warmline's tasks up to date.",
    install=Install(
        scopes={
            "Contact: read all": "finds out who in your CRM wrote on a social network.",
            "Lead: read all (or no access)": "the same for leads.",
            "Contact and Lead: edit all (optional)": "fills in an empty field for a social handle, once somebody has confirmed it.",
            "Task: create, read, edit and delete all": "makes, follows, completes and takes back Warmline's own tasks.",
            "Call, Meeting, Email: read all (optional)": "knows that you have talked already, so that it does not ask you to.",
            "User: read all": "gives each task to the right person.",
            "Assignment permission: all": "EspoCRM lets nobody give a task to another user without it.",
        },
        reads=(
            "Contacts and leads: name, e-mail address, phone number, title, company, place, owner, and fields for social handles.",
            "Calls, meetings and e-mails: when they were, in which direction, with whom and how they ended; never their text.",
            "Users: name and e-mail address, to know who can be given a task.",
        ),
        writes=(
            "Tasks with the contact or lead as their parent, assigned to a user of yours.",
            "A contact's or lead's empty field for a social handle, where you let it.",
        ),
        makes=(
            "Nothing. If an administrator adds a text field named warmlineKey to Task, it holds Warmline's key of a task.",
            "Without that field the key is the last line of a task's description.",
        ),
        removal=(
            "Disconnect with the choice to remove everything: Warmline's open tasks are deleted.",
            "Then delete the API user, and the field warmlineKey if you made one (Administration, Entity Manager, Task, Fields).",
        ),
    ),
)
