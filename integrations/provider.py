"""What a provider is: a manifest (data) and a client (calls, see `integrations.clients`). One folder each, found by `integrations.registry`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Generic, Literal, Protocol, TypeVar

from integrations.clients import CRMClient, SocialClient
from integrations.records import Author, Engagement

HANDED_IN = "handed_in"  # capability: posts come in through our API, and the provider can be asked for nothing
WRITE_HANDLES = (
    "write_handles"  # capability: a CRM keeps social handles with a contact, and lets us fill in an empty one
)
# Capability: no two accounts have one id, whatever servers they are on; the host of a connection only says where somebody signed in.
IDS_ANYWHERE = "ids_anywhere"
# Capability: all connections of an account spend from one allowance, so that each keeps to its part of it (`Access.holders`).
ONE_ALLOWANCE = "one_allowance"
RECHECK = "recheck"  # the slow sweep that finds edits and deletions; every connection has it, no manifest lists it


C = TypeVar("C", bound=SocialClient | CRMClient, covariant=True)


@dataclass(frozen=True)
class App:
    """Our registration with a provider: where it is, and who we are there. `hosts` override the provider's own."""

    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    hosts: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)  # keys among them, for some


@dataclass(frozen=True)
class Setting:
    """All that a step of signing in may need to know. What a step has to remember it hands back; it keeps nothing itself."""

    app: App
    hosts: Mapping[str, str]  # the provider's hosts, with the app's overrides and the server that a person named
    form: Mapping[str, str] = field(default_factory=dict, repr=False)  # what the person typed into the connect form
    base_url: str = ""  # our public address, without a slash at the end; `Document`s stand below it
    redirect_uri: str = ""  # where the provider sends people back to
    guarded: bool = False  # a person named the server: it is reached only through a peer-checked session
    allow_hosts: tuple[str, ...] = ()  # not on the internet, and called all the same
    registered_with: str = ""  # the server that `app` was made with, as `hosts.place` has it; "": it is for all of them


Credentials = Mapping[str, Any]  # JSON-able; `expires_at` (ISO 8601) says when they want to be refreshed


@dataclass(frozen=True)
class OAuth2:
    """OAuth 2.0 authorization code flow. Addresses are templates over the provider's `hosts`."""

    authorize_url: str  # "{web}/oauth2/authorize"
    token_url: str
    scopes: tuple[str, ...]
    optional_scopes: tuple[str, ...] = ()
    revoke_url: str | None = None
    pkce: bool = True
    client_auth: Literal["client_secret_basic", "client_secret_post", "none"] = "client_secret_basic"
    authorize_params: Mapping[str, str] = field(default_factory=dict)
    # What the consent page is asked with instead of scopes and `authorize_params`, where our registration has it so (a set of permissions
    # that is kept at the provider under an id, say); empty where it does not.
    asks_instead: Callable[[App], Mapping[str, str]] | None = None
    # What an `iss` on the callback must equal (RFC 9207), where the provider says what it is. Else it must be at one of the addresses above
    # or on one of `domains`.
    issuer: str | None = None
    domains: tuple[str, ...] = ()  # see `Consent.domains`
    reuses_token: bool = False  # each consent of a person gives the same token: giving it back ends all of them
    keeps: tuple[str, ...] = ()  # further members of the token endpoint's answers that belong to the credentials
    # Makes our registration with the server that a person named, the first time that anybody here names it. Its option `scopes`, if it
    # has one, is what is asked for there instead of `scopes`, blanks between them.
    register: Callable[[Setting], App] | None = None
    # Whether that server still knows a registration of our own making (`Setting.app`): asked before a consent, which would end there on a
    # page that nobody can help with. True where it cannot be told. Raises nothing.
    knows: Callable[[Setting], bool] | None = None
    # Turns what the token endpoint gave into what is kept (a longer-lived token, say). Called after each consent.
    exchange: Callable[[Setting, Credentials], Credentials] | None = None
    # Refreshes where RFC 6749, 6 is not how (a token that is exchanged for a younger one, say).
    refresh: Callable[[Setting, Credentials], Credentials] | None = None
    kind: Literal["oauth2"] = "oauth2"


@dataclass(frozen=True)
class Begun:
    """A consent on its way: where to send the person's browser, and what to remember until it comes back (JSON-able; sealed)."""

    authorize_url: str
    kept: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Consent:
    """A consent flow that is not plain OAuth 2.0 (pushed requests, tokens bound to a key), in the provider's own steps.

    `begin` is given the setting and the `state` that must come back. `finish` gets what `begin` kept and the callback's query, whose
    `state` has been checked, and returns the credentials; what the callback says beside (an `iss`, say) is for it to check. `refresh` spends the
    refresh token once. Each raises `integrations.errors`; AuthenticationError only where the grant itself was refused.
    """

    begin: Callable[[Setting, str], Begun]
    finish: Callable[[Setting, Mapping[str, Any], Mapping[str, str]], Credentials]
    refresh: Callable[[Setting, Credentials], Credentials]
    revoke: Callable[[Setting, Credentials], None] | None = None
    scopes: tuple[str, ...] = ()
    needs_app: bool = False  # whoever runs Warmline registers it first, with `warmline providers set`
    # Where people name the server and one registration is for all of them: the domains on which, and below which, nobody but the provider
    # has servers that are asked for a consent ("salesforce.com"). No other server sees anything of that registration.
    domains: tuple[str, ...] = ()
    kind: Literal["consent"] = "consent"


@dataclass(frozen=True)
class Secret:
    """Credentials that a person types into the connect form (API key, app password): its fields marked secret.

    `sign_in` turns what was typed into what is kept (a session, say), `refresh` renews that, `revoke` ends it; without them, what was
    typed is kept.
    """

    sign_in: Callable[[Setting, Credentials], Credentials] | None = None
    refresh: Callable[[Setting, Credentials], Credentials] | None = None
    revoke: Callable[[Setting, Credentials], None] | None = None
    kind: Literal["secret"] = "secret"


Auth = OAuth2 | Consent | Secret


@dataclass(frozen=True)
class FormField:
    """One input of the connect form. A `host` field names a server: its value, a host with a port perhaps, stands in the templates of
    the provider's `hosts` under the field's name, is the connection's `host`, and is reached only through a peer-checked session."""

    name: str
    label: str
    help: str = ""
    type: Literal["text", "host", "secret"] = "text"
    required: bool = True
    default: str = ""  # what an empty field means
    choices: tuple[tuple[str, str], ...] = ()  # (value, label): picked, not typed


@dataclass(frozen=True)
class Stream:
    """One thing pulled from a connection, with a cursor of its own."""

    name: str
    label: str  # for a person: "mentions", "direct messages"
    every: timedelta  # how often to look, where nothing hints earlier
    scopes: tuple[str, ...] = ()  # without these the stream stops and says so
    wants_threads: bool = False  # `threads` of a pull are the threads we are in, newest first
    wants_parents: bool = False  # `threads` of a pull are ids of posts that ours answer and that we don't hold
    limits: str = ""  # what the provider does not serve, as a sentence for the connection's page


@dataclass(frozen=True)
class Price:
    """What reading costs: US dollars for one billed read of `name` (see `Page.reads`), and where that is written."""

    name: str
    dollars: float
    source: str
    read_on: date | None = None  # when that was read there
    label: str = ""  # what is bought, for a person, in the singular: "direct message"


@dataclass(frozen=True)
class Cap:
    """The most that the provider lets one registration of ours read of a price's `name` in a calendar month (UTC), over all workspaces. To
    be told, not held: the provider counts, and refuses what goes beyond."""

    name: str
    most: int
    source: str
    read_on: date | None = None


@dataclass(frozen=True)
class Deadline:
    """How soon the network wants copies of a post to follow when it is edited or deleted there, and where that is written."""

    within: timedelta
    source: str
    read_on: date | None = None


class Meter(Protocol):
    """Keeps what is bought within what may be spent. A client that has one calls it around every call that is billed."""

    def ask(self, name: str, most: int, least: int = 1) -> int:
        """How many of the price `name` the coming call may bring: `most`, or fewer, and never fewer than `least`. So much is set
        aside until `tell` or `void`. Raises SpendingLimitError where not even `least` can be paid."""
        ...

    def tell(self, name: str, ids: Collection[str]) -> None:
        """What that call did bring, by ids under which the same thing comes again. Before any of it is handed on."""
        ...

    def void(self, name: str) -> None:
        """That call was refused, so it brought nothing. (After a call of which nobody knows, say nothing.)"""
        ...


# Which of these posts' authors are worth a profile that is paid for: their ids. Others are handed on as bare ids.
Wanted = Callable[[Sequence[Engagement]], Collection[str]]


@dataclass(frozen=True)
class Access:
    """All that a client needs to speak for one connection."""

    hosts: Mapping[str, str]  # the provider's hosts with the app's overrides applied
    credentials: Mapping[str, Any] = field(
        repr=False
    )  # sealed at rest; `access_token` for OAuth2, form fields for Secret
    account: Author | None = None  # who we are there; None only while connecting
    options: Mapping[str, Any] = field(default_factory=dict)  # what `prepare` returned, and the connect form
    since: datetime | None = None  # how far back a first pull goes
    now: Callable[[], datetime] | None = None  # the clock for windows such as "the last 7 days"; None: the real one
    guarded: bool = False  # as `Setting` has it
    allow_hosts: tuple[str, ...] = ()
    app: App = field(default_factory=App, repr=False)  # for calls that our registration itself has to sign
    base_url: str = ""  # as `Setting` has it
    meter: Meter | None = None  # None: nothing is kept within anything (while connecting)
    wanted: Wanted | None = None  # None: all of them
    allowance: Mapping[str, Any] = field(default_factory=dict)  # what was kept of it: see `Thrifty`
    holders: int = 1  # connections here that stand for this account, this one among them; told where the provider has ONE_ALLOWANCE
    sampling: bool = False  # a little of what is there is read, to compare; nothing waits for it
    # Handles of colleagues whose ids are not known yet: their profiles are wanted too, as soon as anybody else's post is read.
    listed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Account:
    """One account that a consent yields: each becomes a connection. `credentials` replace the consent's own."""

    author: Author
    credentials: Mapping[str, Any] | None = field(default=None, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    host: str = ""  # the server or place where it is, for a provider that has many


@dataclass(frozen=True)
class Document:
    """A public document that we must serve for this provider (a client metadata document, say)."""

    path: str  # below /.well-known/warmline/<provider>/
    content_type: str
    render: Callable[[str, App], str]  # our public base address, and our registration -> body


@dataclass(frozen=True)
class Hint:
    """A webhook says: something is new for this account. Its payload is not data."""

    account_id: str
    streams: tuple[str, ...] = ()  # empty: all
    sent_at: datetime | None = None  # what the vendor says under its signature, in UTC; None: it does not


@dataclass(frozen=True)
class Webhook:
    """`challenge` answers the provider's proof-of-ownership GET (query parameters -> JSON body, or a plain text). `verify` checks
    a delivery (headers in lower case, raw body) and returns its hints, or None where the signature is missing or wrong. Anybody may call:
    it compares in constant time and reads nothing of a body before that."""

    challenge: Callable[[App, Mapping[str, str]], Mapping[str, Any] | str | None]
    verify: Callable[[App, Mapping[str, str], bytes], Sequence[Hint] | None]


@dataclass(frozen=True)
class Install:
    """What an administrator wants to know before a connection is made, in sentences: why each scope, what is read, what is
    written and where, what is made there once, and how all of it is removed."""

    scopes: Mapping[str, str] = field(default_factory=dict)  # scope -> why it is needed
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    removal: tuple[str, ...] = ()


@dataclass(frozen=True)
class Provider(Generic[C]):
    """The manifest of one network or CRM."""

    key: str  # equals the folder's name
    kind: Literal["social", "crm"]
    name: str  # for people: "X", "HubSpot"
    hosts: Mapping[str, str]  # {"api": "https://api.example.com", "web": "https://example.com"}
    auth: Auth
    client: Callable[[Access], C]
    streams: tuple[Stream, ...]
    accounts: Callable[[Access], Sequence[Account]] | None = None  # None: the one that `whoami` names
    form: tuple[FormField, ...] = ()
    app_form: tuple[FormField, ...] = ()  # what our registration has beside id and secret: `App.options`
    documents: tuple[Document, ...] = ()
    webhook: Webhook | None = None
    prices: tuple[Price, ...] = ()
    caps: tuple[Cap, ...] = ()
    # None: the network states none. Of a network that does, no text is kept that it has not served for so long.
    follow: Deadline | None = None
    capabilities: frozenset[str] = frozenset()  # HANDED_IN, "direct_messages", "unique_key", ...
    about: str = ""  # one sentence beside the connect button
    # A second way to connect, with credentials that a person types, and its form (which has its own `host` fields too).
    also: Secret | None = None
    also_form: tuple[FormField, ...] = ()
    # Sees to it that all that must stand at the provider for a connection stands (a page's subscription, a field), mends what it can,
    # and returns one sentence for each step that a person has to take. Called after connecting and now and then.
    check: Callable[[Access], Sequence[str]] | None = None
    # Takes away again what `check` made at the provider for this account, as far as nobody else needs it, and returns one sentence for
    # each thing that stays, with what a person can do about it. Called when nobody here holds the account any more, before the consent
    # is given back.
    take_back: Callable[[Access], Sequence[str]] | None = None
    install: Install = field(default_factory=Install)
    # Where a CRM goes on holding a task's words after the task was rewritten or deleted, which no client can change: sentences for the
    # receipt of whoever was erased.
    remains: tuple[str, ...] = ()
    # The network allows matching its people with customer records only with consent, or by what they gave the user or show publicly:
    # contacts that were bought or imported as a list stay out until an administrator vouches for them.
    given_or_public_only: bool = False
    # Rules of `integrations.standing` that this provider is free of, and those that it does not keep yet, each with the reason as a
    # sentence. All others are kept exactly if tests show it.
    exempt: Mapping[str, str] = field(default_factory=dict)
    todo: Mapping[str, str] = field(default_factory=dict)
