"""Salesforce: contacts, leads, users and activities come in; tasks go out and come back."""

from __future__ import annotations

from datetime import timedelta

from integrations.clients import CRMClient
from integrations.crm.salesforce import signing
from integrations.crm.salesforce.api import SHARE, VERSION
from integrations.crm.salesforce.client import Salesforce, check
from integrations.provider import IDS_ANYWHERE, WRITE_HANDLES, FormField, Install, OAuth2, Provider, Stream

_API = ("api",)

PROVIDER: Provider[CRMClient] = Provider(
    key="salesforce",
    kind="crm",
    name="Salesforce",
    hosts={"login": "https://{login}"},
    auth=OAuth2(
        authorize_url="{login}/services/oauth2/authorize",
        token_url="{login}/services/oauth2/token",  # noqa: S106 - an address
        revoke_url="{login}/services/oauth2/revoke",
        scopes=("api", "refresh_token"),
        pkce=True,
        client_auth="client_secret_post",
        domains=signing.DOMAINS,
        keeps=signing.KEEPS,
        exchange=signing.exchange,
        refresh=signing.refresh,
    ),
    client=Salesforce,
    form=(
        FormField(
            "login",
            "Where you sign in",
            "login.salesforce.com; for a sandbox test.salesforce.com; or your own My Domain, such as example.my.salesforce.com",
            type="host",
            required=False,
            default="login.salesforce.com",
        ),
    ),
    app_form=(
        FormField(
            "api_version", "API version", "Raise it when Salesforce retires this one.", required=False, default=VERSION
        ),
        FormField(
            "daily_share",
            "Stop at this share of the daily API calls, in percent",
            "All tools of the organisation share these calls. Warmline waits once this share is used up, by whomever.",
            required=False,
            default=str(SHARE),
        ),
    ),
    streams=(
        Stream("owners", "users", timedelta(hours=1), _API),
        Stream(
            "contacts",
            "contacts and leads",
            timedelta(minutes=5),
            _API,
            limits="Salesforce does not show who was deleted once the recycle bin is emptied, nor to a user who may not see all data.",
        ),
        Stream(
            "activities",
            "calls, e-mails and meetings",
            timedelta(minutes=5),
            _API,
            limits="A call counts once its task is closed. What Einstein Activity Capture shows is not in Salesforce's records.",
        ),
        Stream("tasks", "tasks", timedelta(minutes=2), _API),
    ),
    capabilities=frozenset({"unique_key", "batch_write", "activities", IDS_ANYWHERE, WRITE_HANDLES}),
    about="Reads contacts, leads, users and logged activities, and keeps Warmline's tasks up to date.",
    check=check,
    install=Install(
        scopes={
            "api": "Reads records and writes tasks, as the user who connects and with that user's permissions.",
            "refresh_token": "Goes on when nobody is signed in. It is renewed every day, so that no idle limit ends it.",
        },
        reads=(
            (
                "Contacts and leads: names, e-mail addresses, phone numbers, company, title, place, source, owner, whether they may be called"
                " or written to, and the custom fields that hold a social handle."
            ),
            (
                "Logged calls and e-mails (tasks of these kinds) and events: when, with whom and by whom, and of calls the result. Subjects"
                " are not read, nor is what e-mails say, but which way they went; the comments of logged calls and e-mails only to tell Warmline's own tasks apart, and they are not kept."
            ),
            "Users: name, e-mail address, and whether they are active.",
            "Tasks that Warmline made.",
        ),
        writes=(
            "Tasks: subject, comments, due date and reminder, owner, priority, status, type, and the contact or lead whom they are about.",
            "A confirmed social handle, into a field of the contact or lead that is empty, where that is switched on.",
        ),
        makes=(
            "A text field Warmline Key for activities, unique and an external id, if the user who connects may customise the application.",
            "A permission set Warmline that shows this field to that user.",
        ),
        removal=(
            "Disconnecting with purge withdraws open tasks and removes the field and the permission set.",
            "The External Client App's access ends under Setup, Connected Apps OAuth Usage, Revoke.",
        ),
    ),
    todo={"live": "There has been no organisation to try it against."},
)
