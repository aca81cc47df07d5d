"""The tables. Global ones in `accounts`; every other table, and invitations, are a tenant's."""

from service.models.accounts import (
    APIKey,
    ConnectedAccount,
    Invitation,
    Membership,
    OAuthState,
    ProviderApp,
    SigninLink,
    SigninSession,
    User,
    Workspace,
)
from service.models.base import Base, Tenant
from service.models.comparing import Comparison, Difference
from service.models.connections import Brand, Connection, Credential, Settings, Stream, WorkspaceSchedule
from service.models.crm import (
    Activity,
    ActivityContact,
    Contact,
    IdempotencyKey,
    Match,
    Owner,
    Task,
    TaskAuthor,
)
from service.models.doors import (
    FactorSetup,
    Identity,
    KnownDevice,
    OpenIDState,
    Password,
    PendingSignin,
    RecoveryCode,
    SecondFactor,
    SigninTry,
)
from service.models.errands import Departure, Errand
from service.models.matching import Attestation, ContactKey, KeyCount, MatchTotal
from service.models.privacy import PersonRequest, Suppression, SuppressionKey
from service.models.runs import Run, RunChange
from service.models.shield import BusyTime, CalendarFeed, RuleVolume
from service.models.spend import Bought, ProviderFreeze, Spend, SpendHold, SpendMonth
from service.models.stages import StageChange
from service.models.talk import Author, AuthorKey, Conversation, Engagement, Relationship, Signal
from service.models.trail import Audit, AuditHead
from service.models.watching import Freshness

__all__ = [
    "APIKey", "Activity", "ActivityContact", "Attestation", "Audit", "AuditHead", "Author", "AuthorKey", "Base", "Bought", "Brand", "BusyTime", "CalendarFeed", "Comparison", "ConnectedAccount", "Connection", "Contact",
    "ContactKey", "Conversation", "Credential", "Departure", "Difference", "Engagement", "Errand", "FactorSetup", "Freshness", "IdempotencyKey", "Identity", "Invitation", "KeyCount", "KnownDevice", "Match", "MatchTotal", "Membership", "OAuthState", "OpenIDState",
    "Owner", "Password", "PendingSignin", "PersonRequest", "ProviderApp", "ProviderFreeze", "RecoveryCode", "Relationship", "RuleVolume", "Run", "RunChange", "SecondFactor", "Settings", "Signal", "SigninLink", "SigninSession", "SigninTry", "Spend", "SpendHold", "SpendMonth", "StageChange", "Stream", "Suppression", "SuppressionKey", "Task", "TaskAuthor",
    "Tenant", "User", "Workspace", "WorkspaceSchedule",
]  # fmt: skip
