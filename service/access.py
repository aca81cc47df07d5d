"""Who may do what: the one table that the doors of the API and of the console read, and the tests.

A right is what somebody may do, the scope that it takes, and the routes behind it, of the API and of the console alike, so
that neither is a way around the other. A person's role holds scopes; an API key has a choice of them. A route that stands in
no row is closed to everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

ANYBODY = "anybody"  # no sign-in and no key: these say nothing about any workspace, or take a signed link
READ, WRITE, ADMIN, PEOPLE = "read", "write", "admin", "people"
# No role holds it and no key can: it goes with a mark on the person, which `warmline operator` alone gives. It spans workspaces, so it is
# nobody's to give away who belongs to one.
OPERATE = "operate"

SCOPES: Mapping[str, str] = MappingProxyType(
    {
        READ: "See brands, connections, posts, contacts, matches and tasks",
        WRITE: "Decide matches, dismiss tasks, ask for a pull",
        ADMIN: "Connect and disconnect accounts, approve a CRM, change settings and brands",
        PEOPLE: "Invite people, change their roles, remove them and end their sessions",
    }
)
OWNER, MEMBER, VIEWER = "owner", "member", "viewer"
ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {OWNER: frozenset(SCOPES), MEMBER: frozenset({READ, WRITE}), VIEWER: frozenset({READ})}
)
ABOUT_ROLES: Mapping[str, str] = MappingProxyType(
    {
        OWNER: "May do everything here, people and settings included",
        MEMBER: "Works with tasks and matches, adds calendars and posts",
        VIEWER: "Looks, and changes nothing",
    }
)


@dataclass(frozen=True)
class Right:
    """`routes` are names of endpoints: v1.<noun>.<view> in the API, console.<page>.<view> in the console."""

    scope: str
    about: str
    routes: tuple[str, ...]


def _right(scope: str, about: str, *routes: str) -> Right:
    return Right(scope, about, routes)


RIGHTS = (
    _right(ANYBODY, "Read the description of the API", "v1.openapi.document"),
    _right(ANYBODY, "Sign in by a one-time link", "console.signin.ask", "console.signin.spend"),
    _right(ANYBODY, "Sign in with a password, or by single sign-on", "console.signin.show", "console.signin.enter",
           "console.openid.start", "console.openid.callback"),
    _right(ANYBODY, "Finish signing in with a code of one's second factor", "console.secondstep.show", "console.secondstep.enter"),
    _right(ANYBODY, "Join by an invitation's link", "console.joining.ask", "console.joining.join"),
    _right(ANYBODY, "Read the receipt of a workspace that was deleted, by its link", "console.departing.receipt"),
    _right(ANYBODY, "Say that no reply is needed, by a task's signed link", "console.answered.ask", "console.answered.dismiss"),
    # --- every role -----------------------------------------------------------------------------------------------
    _right(READ, "See who one is", "v1.me.show"),
    _right(READ, "Sign out, and look at another workspace of one's own", "console.signin.out", "console.signin.switch"),
    _right(READ, "See one's account, choose a password, end one's own sessions", "console.account.show", "console.account.password",
           "console.account.confirm", "console.account.prove", "console.account.end", "console.account.end_others", "console.account.forget",
           "console.account.untie"),
    _right(READ, "Set up a second factor of one's own, make its recovery codes anew, and turn it off", "console.factor.show",
           "console.factor.begin", "console.factor.confirm", "console.factor.codes", "console.factor.off"),
    _right(READ, "See who belongs to the workspace", "v1.members.index", "v1.members.show", "console.people.show"),
    _right(READ, "See how everything is", "v1.health.show", "console.overview.show"),
    _right(READ, "See which networks and CRMs there are", "v1.providers.index", "console.about.show"),
    _right(READ, "See connections, and what was or would be made of them", "v1.connections.index", "v1.connections.show",
           "v1.connections.preview", "v1.connections.found", "console.connections.show", "console.connections.preview", "console.connections.found"),
    _right(READ, "See which fields hold handles", "v1.handle_fields.index"),
    _right(READ, "See brands", "v1.brands.index", "v1.brands.show", "console.brands.show"),
    _right(READ, "See posts and conversations", "v1.engagements.index", "v1.engagements.show", "v1.conversations.index",
           "v1.conversations.show", "console.conversations.show", "console.conversations.one"),
    _right(READ, "See contacts and relationships", "v1.contacts.index", "v1.contacts.show", "v1.relationships.index", "v1.relationships.show",
           "console.relationships.show", "console.relationships.one"),
    _right(READ, "See matches, and where contacts come from", "v1.matches.index", "v1.matches.show", "v1.sources.index",
           "console.matches.show", "console.sources.show"),
    _right(READ, "Find one person, and see what was asked for people", "v1.persons.find", "v1.persons.show", "v1.person_requests.index",
           "v1.person_requests.show", "console.persons.find", "console.persons.one", "console.persons.request_of"),
    _right(READ, "See tasks", "v1.tasks.index", "v1.tasks.show", "console.tasks.show"),
    _right(READ, "See whether networks, CRMs and what is kept here say the same", "v1.comparisons.index", "v1.comparisons.differences", "console.comparisons.show"),
    _right(READ, "See calendars", "v1.calendars.index", "v1.calendars.show", "console.calendars.show"),
    _right(READ, "See figures and rhythm", "v1.figures.show", "v1.rhythm.show", "console.figures.show"),
    _right(READ, "See settings by the API, and what changes of them did", "v1.settings.show", "v1.runs.index", "v1.runs.show", "console.runs.one"),
    _right(READ, "Have a talk judged; nothing is stored", "v1.judge.talk"),
    # --- members and owners ---------------------------------------------------------------------------------------
    _right(WRITE, "Ask for a pull", "v1.connections.pull", "console.connections.pull"),
    _right(WRITE, "Hand in posts, and take them back", "v1.engagements.hand_in", "v1.engagements.erase", "console.byhand.ask", "console.byhand.add"),
    _right(WRITE, "Decide matches", "v1.matches.create", "v1.matches.confirm", "v1.matches.reject", "v1.matches.undo", "console.matches.confirm",
           "console.matches.reject", "console.matches.undo", "console.matches.somebody", "console.matches.somebody_is"),
    _right(WRITE, "Dismiss tasks, and take that back", "v1.tasks.dismiss", "v1.tasks.undo", "console.tasks.dismiss", "console.tasks.undo"),
    _right(WRITE, "Say tasks once more to a CRM that refused them", "v1.tasks.retry", "console.tasks.retry"),
    _right(WRITE, "Add and remove calendars", "v1.calendars.create", "v1.calendars.refresh", "v1.calendars.remove",
           "console.calendars.add", "console.calendars.refresh", "console.calendars.remove"),
    _right(WRITE, "Leave somebody alone who objects, and take that back", "v1.persons.objects", "v1.persons.lift", "console.persons.objects", "console.persons.lift"),
    # --- owners ---------------------------------------------------------------------------------------------------
    _right(ADMIN, "See all that is held about one person, and take it along", "v1.persons.export", "console.persons.download"),
    _right(ADMIN, "Erase one person", "v1.persons.erase", "console.persons.ask_erase", "console.persons.erase"),
    _right(ADMIN, "Connect accounts", "v1.connections.create", "console.consent.ask", "console.consent.start", "console.consent.again",
           "console.consent.leave", "console.consent.callback", "console.consent.accounts", "console.consent.choose"),
    _right(ADMIN, "Disconnect accounts", "v1.connections.disconnect", "v1.connections.purge", "console.connections.ask_disconnect", "console.connections.disconnect"),
    _right(ADMIN, "Choose who answers on an account", "v1.connections.change", "console.connections.responder"),
    _right(ADMIN, "Approve that a CRM is written to", "v1.connections.approve", "console.connections.approve"),
    _right(ADMIN, "Pause accounts, and say what reading may cost", "v1.pausing.pause", "v1.pausing.resume", "v1.pausing.ceiling",
           "console.pausing.pause", "console.pausing.resume", "console.pausing.ceiling"),
    _right(ADMIN, "Choose which fields hold handles", "v1.handle_fields.change", "console.handle_fields.show", "console.handle_fields.save"),
    _right(ADMIN, "Vouch for where contacts come from", "v1.sources.attest", "v1.sources.withdraw", "console.sources.change"),
    _right(ADMIN, "Make and change brands", "v1.brands.create", "v1.brands.change", "console.brands.add", "console.brands.change"),
    _right(ADMIN, "Change settings, or try them out", "v1.settings.replace", "v1.settings.try_out", "console.settings.show", "console.settings.save", "console.settings.try_out"),
    _right(ADMIN, "Approve or undo what a change altered", "v1.runs.approve", "v1.runs.undo", "console.runs.approve", "console.runs.undo"),
    _right(ADMIN, "Read the audit trail, and download it", "v1.audit.index", "v1.audit.head", "console.trail.show", "console.trail.download"),
    _right(ADMIN, "Have the workspace deleted, or keep it after all", "console.departing.show", "console.departing.ask", "console.departing.keep"),
    _right(ADMIN, "Make and revoke API keys", "console.keys.show", "console.keys.make", "console.keys.revoke"),
    _right(PEOPLE, "Invite people", "v1.invitations.index", "v1.invitations.create", "v1.invitations.withdraw",
           "console.people.invite", "console.people.withdraw"),
    _right(PEOPLE, "Change roles, and remove people", "v1.members.change", "v1.members.remove", "console.people.change", "console.people.remove"),
    _right(PEOPLE, "Give a member a new link to sign in", "console.people.link"),
    _right(PEOPLE, "Ask everybody for a second factor who signs in with a password or a link", "console.people.require"),
    # --- whoever runs Warmline ------------------------------------------------------------------------------------
    _right(OPERATE, "See how the whole service runs, and say tasks of any workspace once more", "console.operator.show", "console.operator.retry"),
    _right(PEOPLE, "See and end sessions", "v1.sessions.index", "v1.sessions.end", "console.people.end"),
)  # fmt: skip

# What opens to somebody who has no second factor where the workspace asks for one: setting one up, showing who one is, and going elsewhere.
BEFORE_A_FACTOR = frozenset(
    {
        "console.factor.show", "console.factor.begin", "console.factor.confirm", "console.account.confirm", "console.account.prove",
        "console.signin.out", "console.signin.switch",
    }
)  # fmt: skip


def needed(endpoint: str | None) -> str | None:
    """The scope that this route takes, ANYBODY, or None for a route that stands in no row: nobody may use that one."""
    return _by_route().get(endpoint or "")


def may(role: str | None) -> frozenset[str]:
    """The scopes of a role; none for one that does not exist, or for somebody who has none."""
    return ROLES.get(role or "", frozenset())


def held_by(role: str | None, *, operator: bool, confined: bool) -> frozenset[str]:
    """The scopes of somebody in a browser. A session that is confined to a workspace was begun by a link from within it: whoever held that
    may be somebody else, so it operates nothing."""
    return may(role) | ({OPERATE} if operator and not confined else frozenset())


def roles_with(scope: str) -> tuple[str, ...]:
    """The roles that hold this scope; all of them hold what anybody may do."""
    return tuple(role for role, scopes in ROLES.items() if scope == ANYBODY or scope in scopes)


def in_order(scopes: Iterable[str]) -> list[str]:
    """These scopes in the order of the table."""
    held = set(scopes)
    return [scope for scope in SCOPES if scope in held]


@cache
def _by_route() -> Mapping[str, str]:
    return MappingProxyType({route: right.scope for right in RIGHTS for route in right.routes})
