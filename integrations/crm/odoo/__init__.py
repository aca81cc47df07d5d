"""Odoo: contacts, users, meetings and calls come in; activities go out as tasks and come back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from integrations.clients import CRMClient
from integrations.crm.odoo.client import Odoo
from integrations.provider import WRITE_HANDLES, Access, FormField, Install, Provider, Secret, Stream


def _check(access: Access) -> Sequence[str]:
    return Odoo(access).missing()


PROVIDER: Provider[CRMClient] = Provider(
    key="odoo",
    kind="crm",
    name="Odoo",
    hosts={"web": "https://{server}"},
    auth=Secret(),
    form=(
        FormField(
            "server", "Address of your Odoo", "Where you open it in the browser, such as acme.odoo.com.", type="host"
        ),
        FormField("login", "Login", "Of the user whose key it is: the e-mail address that one signs in with."),
        FormField(
            "api_key",
            "API key",
            "Preferences, Account Security, New API Key. Before Odoo 14: the password.",
            type="secret",
        ),
        FormField(
            "database",
            "Database",
            "Empty for an address that ends in odoo.com, or a server with one database and Odoo 19 or newer.",
            required=False,
        ),
    ),
    client=Odoo,
    check=_check,
    streams=(
        Stream("owners", "users", timedelta(hours=1)),
        Stream(
            "contacts",
            "contacts",
            timedelta(minutes=5),
            limits="Who was deleted or archived, or has unsubscribed, shows within the hour.",
        ),
        Stream(
            "activities",
            "meetings, calls that were done, and e-mails that came in",
            timedelta(minutes=5),
            limits="Odoo logs no call but as an activity that was ticked off; one that is deleted does not show.",
        ),
        Stream(
            "tasks",
            "activities",
            timedelta(minutes=1),
            limits="Before version 19 Odoo deletes an activity that is done (17 and 18: unless its type says Keep Done), so one that goes may be told late apart from one that was deleted.",
        ),
    ),
    capabilities=frozenset({"activities", "batch_write", WRITE_HANDLES}),
    remains=(
        "Odoo writes each activity that is ticked off into the history of its contact, text and all, and e-mails its subject (up to version 15 its text) to whoever is given it: delete those messages there, or the contact.",
    ),
    about="Reads contacts, users, meetings and calls, and keeps Warmline's tasks as activities of your contacts.",
    install=Install(
        scopes={
            "Internal user, Contact Creation": "an activity stands under a contact, and whoever makes it must be able to edit that contact.",
            "Sales: see all documents (where Sales is installed)": "contacts of all salespeople are read.",
            "Administration of activity types (optional)": "lets versions 17 and 18 keep what is done, so that it is told from what is deleted.",
        },
        reads=(
            "Contacts and companies: name, e-mail address, phone number, job, place, salesperson, and fields for social handles.",
            "Meetings of the calendar, calls that were ticked off, e-mails that came in: when and with whom; never their text.",
            "Users: name, e-mail address and time zone, to know who can be given a task.",
        ),
        writes=(
            "Activities (To-Do and Call) of contacts, assigned to a user. One about nobody in Odoo stands under its user's own contact.",
            "Odoo makes whoever is given an activity a follower of its contact, and since version 12 writes her an e-mail about it.",
            "A contact's empty field for a social handle.",
        ),
        makes=(
            "Nothing. In versions 17 and 18 it ticks Keep Done on the activity types To-Do and Call, where it may, and again should somebody untick it.",
        ),
        removal=(
            "Disconnect with the choice to remove everything: Warmline's open activities are deleted.",
            "Then delete the API key (Preferences, Account Security), and the user if you made one for Warmline.",
        ),
    ),
)
