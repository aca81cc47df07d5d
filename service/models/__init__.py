"""The tables. Global ones in `accounts`; every other table, and invitations, are a tenant's."""

from service.models.accounts import (
    APIKey,
    Invitation,
    Membership,
    OAuthState,
    ProviderApp,
    SigninLink,
    SigninSession,
    User,
    WebhookRoute,
    Workspace,
)
from service.models.base import Base, Tenant
from service.models.connections import Brand, Connection, Credential, Settings, Stream, WorkspaceSchedule
from service.models.crm import (
    Activity,
    ActivityContact,
    Audit,
    Contact,
    IdempotencyKey,
    Match,
    Owner,
    Task,
)
from service.models.matching import Attestation, ContactKey, KeyCount, MatchTotal
from service.models.runs import Run, RunChange
from service.models.shield import BusyTime, CalendarFeed, RuleVolume
from service.models.spend import Bought, ProviderFreeze, Spend, SpendHold, SpendMonth
from service.models.stages import StageChange
from service.models.talk import Author, AuthorKey, Conversation, Engagement, Relationship, Signal

__all__ = [
    "APIKey", "Activity", "ActivityContact", "Attestation", "Audit", "Author", "AuthorKey", "Base", "Bought", "Brand", "BusyTime", "CalendarFeed", "Connection", "Contact",
    "ContactKey", "Conversation", "Credential", "Engagement", "IdempotencyKey", "Invitation", "KeyCount", "Match", "MatchTotal", "Membership", "OAuthState",
    "Owner", "ProviderApp", "ProviderFreeze", "Relationship", "RuleVolume", "Run", "RunChange", "Settings", "Signal", "SigninLink", "SigninSession", "Spend", "SpendHold", "SpendMonth", "StageChange", "Stream", "Task",
    "Tenant", "User", "WebhookRoute", "Workspace", "WorkspaceSchedule",
]  # fmt: skip
