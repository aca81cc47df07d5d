"""Pipedrive: persons, users and activities come in; tasks go out, as activities, and come back."""

from __future__ import annotations

from datetime import timedelta

from integrations.clients import CRMClient
from integrations.crm.pipedrive.budget import SHARE
from integrations.crm.pipedrive.client import HOSTS, Pipedrive, exchange
from integrations.provider import ONE_ALLOWANCE, WRITE_HANDLES, FormField, Install, OAuth2, Provider, Stream

PROVIDER: Provider[CRMClient] = Provider(
    key="pipedrive",
    kind="crm",
    name="Pipedrive",
    hosts=HOSTS,
    auth=OAuth2(
        authorize_url="{oauth}/oauth/authorize",
        token_url="{oauth}/oauth/token",  # noqa: S106 - an address
        revoke_url="{oauth}/oauth/revoke",
        scopes=("base", "contacts:full", "activities:full", "users:read"),
        pkce=False,
        client_auth="client_secret_basic",
        keeps=("api_domain",),
        exchange=exchange,
    ),
    client=Pipedrive,
    form=(
        FormField(
            "daily_share",
            "Share of the daily API budget, in percent",
            "All of the company's tools spend from one budget a day. Warmline keeps to this share of it, and reads less often and writes later if need be. Where the company is connected more than once, each connection keeps to its part of its share.",
            required=False,
            default=str(SHARE),
        ),
    ),
    streams=(
        Stream("owners", "users", timedelta(hours=6), ("users:read",)),
        Stream(
            "contacts",
            "persons",
            timedelta(minutes=5),
            ("contacts:full",),
            limits="Deleted and merged persons stand in no list of changes; they are missed within the hour, or later where the budget is small.",
        ),
        Stream(
            "activities",
            "calls, meetings and e-mails",
            timedelta(minutes=5),
            ("activities:full",),
            limits="A call counts once it is marked as done. E-mails in Pipedrive's own mailbox are not read.",
        ),
        Stream("tasks", "tasks", timedelta(minutes=2), ("activities:full",)),
    ),
    capabilities=frozenset({"activities", ONE_ALLOWANCE, WRITE_HANDLES}),
    about="Reads persons, users and activities, and keeps Warmline's tasks up to date, within a share of the daily API budget.",
    install=Install(
        scopes={
            "base": "Tells which company this is.",
            "contacts:full": "Reads persons and their organizations' names, and writes a confirmed social handle into an empty field.",
            "activities:full": "Reads calls and meetings, and writes tasks.",
            "users:read": "Knows who can be given a task.",
        },
        reads=(
            (
                "Persons: names, e-mail addresses, phone numbers, job title, place, owner, marketing status, and the custom fields that hold a"
                " social handle or forbid calls."
            ),
            "Organizations of these persons: name and website.",
            "Activities: type, when, with whom, by whom, whether done; and the note, to find Warmline's own tasks. Other notes are not kept.",
            "Users: name, e-mail address, and whether they are active.",
        ),
        writes=(
            "Activities of the types for tasks and calls: subject, note, due date and time, owner, priority, done, and whom they are about.",
            "A confirmed social handle, into a custom field of a person that is empty, where that is switched on.",
        ),
        removal=(
            "Disconnecting with purge withdraws open tasks. Nothing else was made.",
            "An administrator uninstalls the app under Settings, Tools and apps, Marketplace apps.",
        ),
    ),
    exempt={"remade": "Nothing is made in Pipedrive."},
    todo={"live": "There has been no company account to try it against."},
)
