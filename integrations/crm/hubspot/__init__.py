"""HubSpot: contacts, owners and activities come in; tasks go out and come back."""

from __future__ import annotations

from datetime import timedelta

from integrations.crm.hubspot.client import HOSTS, HubSpot
from integrations.provider import WRITE_HANDLES, CRMClient, OAuth2, Provider, Stream

_CONTACTS = ("crm.objects.contacts.read",)

PROVIDER: Provider[CRMClient] = Provider(
    key="hubspot",
    kind="crm",
    name="HubSpot",
    hosts=HOSTS,
    auth=OAuth2(
        authorize_url="{web}/oauth/authorize",
        token_url="{api}/oauth/2026-03/token",  # noqa: S106 - an address
        revoke_url="{api}/oauth/2026-03/token/revoke",
        scopes=(
            "oauth",
            "crm.objects.contacts.read",
            "crm.objects.contacts.write",  # tasks are written under this one
            "crm.objects.owners.read",
            "crm.schemas.contacts.read",
        ),
        optional_scopes=("crm.schemas.contacts.write",),  # makes the property that keeps our key unique
        pkce=False,
        client_auth="client_secret_post",
    ),
    client=HubSpot,
    streams=(
        Stream("owners", "owners", timedelta(hours=1), ("crm.objects.owners.read",)),
        Stream(
            "contacts",
            "contacts",
            timedelta(minutes=5),
            _CONTACTS,
            limits="HubSpot shows deleted contacts in a list that is read once an hour.",
        ),
        Stream(
            "activities",
            "calls, meetings, e-mails, messages and notes",
            timedelta(minutes=5),
            _CONTACTS,
            limits="HubSpot does not show that an activity was deleted.",
        ),
        Stream("tasks", "tasks", timedelta(minutes=1), _CONTACTS),
    ),
    capabilities=frozenset({"unique_key", "batch_write", "activities", WRITE_HANDLES}),
    about="Reads contacts, owners and logged activities, and keeps Warmline's tasks up to date.",
    todo={"live": "Checked against the models of HubSpot's SDK and the sandbox; never yet against a real account."},
)
