"""HubSpot: contacts, owners and activities come in; tasks go out and come back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from integrations.clients import CRMClient
from integrations.crm.hubspot.client import HOSTS, HubSpot
from integrations.provider import WRITE_HANDLES, Access, Install, OAuth2, Provider, Stream


def _check(access: Access) -> Sequence[str]:
    return HubSpot(access).missing()


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
    check=_check,
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
    remains=(
        "HubSpot keeps what stood in a task before it was changed in the history of the task's properties, until the task is deleted for good.",
    ),
    install=Install(
        scopes={
            "oauth": "HubSpot asks for it with every consent.",
            "crm.objects.contacts.read": "Contacts are read, to find who an author is; calls, meetings, e-mails and tasks come under it too.",
            "crm.objects.contacts.write": "HubSpot lets tasks be written under this one. Of contacts, only an empty handle is filled in, and only"
            " where you switch that on.",
            "crm.objects.owners.read": "Owners are read, so that a task goes to the right colleague.",
            "crm.schemas.contacts.read": "The names of properties are read, to find those that hold social handles.",
            "crm.schemas.contacts.write": "Lets Warmline make the one property below. You may leave it away: then a task is found again by a"
            " line in its text, and HubSpot itself does not keep it unique.",
        },
        reads=(
            "Contacts: names, e-mail addresses, companies, owners, stages, consent not to be called, and social handles.",
            "Owners, and calls, meetings, e-mails, messages and notes that are logged with contacts: when and with whom, not their text.",
            "Its own tasks, to see what you did with them.",
        ),
        writes=(
            "Tasks: made, kept up to date, completed when somebody answered, deleted when they lost their reason untouched.",
            "A social handle into an empty property of a confirmed contact, where the setting for that is on.",
        ),
        makes=("A task property named Warmline key (warmline_key), which keeps the same task from being made twice.",),
        removal=(
            "Disconnect with the box ticked, or run `warmline disconnect CONNECTION --purge`.",
            "Then open tasks are withdrawn, the property is deleted, the consent is given back, and a receipt says so.",
            "Tasks that are done or that somebody edited stay. In HubSpot the app is removed under Settings, Integrations, Connected apps.",
        ),
    ),
    about="Reads contacts, owners and logged activities, and keeps Warmline's tasks up to date.",
    todo={"live": "Checked against the models of HubSpot's SDK and the sandbox; never yet against a real account."},
)
