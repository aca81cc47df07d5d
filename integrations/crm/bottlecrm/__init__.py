"""BottleCRM (`django-crm`): contacts, members and logged interactions come in; tasks go out and come back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from integrations.clients import CRMClient
from integrations.crm.bottlecrm.client import BottleCRM
from integrations.provider import IDS_ANYWHERE, WRITE_HANDLES, Access, FormField, Install, Provider, Secret, Stream


def _check(access: Access) -> Sequence[str]:
    return BottleCRM(access).missing()


PROVIDER: Provider[CRMClient] = Provider(
    key="bottlecrm",
    kind="crm",
    name="BottleCRM",
    hosts={"web": "https://{server}"},
    auth=Secret(),
    form=(
        FormField("server", "Address of BottleCRM's API", "Such as api.crm.example.com.", type="host"),
        FormField(
            "token",
            "Personal access token",
            "An administrator's: Settings, Access tokens. It begins with bcrm_pat_.",
            type="secret",
        ),
        FormField(
            "app",
            "Address of its web application",
            "Where your team opens it, such as crm.example.com; needed only if it is another address.",
            required=False,
        ),
    ),
    client=BottleCRM,
    check=_check,
    streams=(
        Stream("owners", "members", timedelta(hours=1)),
        Stream(
            "contacts",
            "contacts",
            timedelta(minutes=15),
            limits="BottleCRM cannot be asked what has changed, so all contacts are read each time. Of more than 5,000, a deleted one shows within the hour for each 800.",
        ),
        Stream(
            "activities",
            "calls, meetings, e-mails and messages",
            timedelta(minutes=5),
            limits=(
                "BottleCRM lists them contact by contact only: a hundred contacts are looked at every five minutes, and a deleted call"
                " does not show."
            ),
        ),
        Stream(
            "tasks",
            "tasks",
            timedelta(minutes=1),
            limits="A change of a task's text alone shows only when Warmline looks at the task itself.",
        ),
    ),
    capabilities=frozenset({"activities", IDS_ANYWHERE, WRITE_HANDLES}),
    about="Reads contacts, members and logged interactions, and keeps Warmline's tasks up to date.",
    install=Install(
        scopes={
            "contacts:read": "finds out who in your CRM wrote on a social network.",
            "contacts:write": "fills in an empty field for a social handle, once somebody has confirmed it.",
            "interactions:read": "knows that you have talked already, so that it does not ask you to.",
            "tasks:read, tasks:write": "makes, follows, completes and takes back Warmline's own tasks.",
            "users:read": "gives each task to the right person.",
            "org:read, profile:read": "which organization and whose token this is, and in which time zone days begin.",
            "custom-fields:read, custom-fields:write": "adds the field that holds Warmline's key of a task.",
            "tags:read, tags:write": "adds the tag by which Warmline finds its tasks.",
        },
        reads=(
            "Contacts: name, e-mail address, phone number, title, company, place, owner, source, and fields for social handles.",
            "Calls, meetings, e-mails and messages: when they were, in which direction and how they ended.",
            "BottleCRM sends their text along, and that is thrown away at once.",
            "Members: name and e-mail address, to know who can be given a task.",
        ),
        writes=(
            "Tasks with the contact, assigned to a member, with the tag Warmline.",
            "A contact's empty field for a social handle.",
        ),
        makes=("A text field of tasks named warmline_key.", "A tag named Warmline."),
        removal=(
            "Disconnect with the choice to remove everything: Warmline's open tasks are deleted and the tag is archived.",
            "The field is switched off with it; BottleCRM deletes no field.",
            "Then revoke the token (Settings, Access tokens).",
        ),
    ),
)
