"""The audit trail in sentences: what each action is called, and who and what its ids stand for today.

The rows hold ids alone. Names are looked up as somebody reads, so a name that was erased since is in no sentence.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from service.db import Database
from service.models import APIKey, Attestation, Brand, Connection, Membership, User, Workspace
from service.naming import account_name, provider_name
from service.runtime import Runtime
from service.store import acting, trail
from service.store.paging import Row
from service.store.sources import source_id

# Action -> what was done. {it} is what it was done to; a table, so that a test can hold it beside what the code writes.
SAYS: Mapping[str, str] = MappingProxyType(
    {
        "brand.changed": "changed the brand {it}",
        "brand.created": "made the brand {it}",
        "calendar.added": "added a calendar",
        "calendar.removed": "removed a calendar",
        "connection.approved": "approved that Warmline writes to {it}",
        "connection.ceiling_set": "set what reading {it} may cost in a month",
        "connection.connected": "connected {it}",
        "connection.disconnected": "disconnected {it}",
        "connection.handle_fields_chosen": "chose which fields of {it} hold handles",
        "connection.leaving": "began to leave {it} without a trace",
        "connection.needs_reauth": "noticed that {it} no longer accepts the consent",
        "connection.paused": "paused {it}",
        "connection.renamed": "noticed that {it} goes by this handle now",
        "connection.renewed": "connected {it} again",
        "connection.responder_set": "chose who answers on {it}",
        "connection.resumed": "resumed {it}",
        "device.forgotten": "had a browser forgotten that was known",
        "engagement.erased": "took back a post that had been handed in",
        "factor.code_used": "signed in with a recovery code, which is used up",
        "factor.codes_made": "had new recovery codes made",
        "factor.refused": "gave a wrong code of their second factor, and was refused what it was asked for",
        "factor.replaced": "set up another second factor in the place of the one before",
        "factor.set_up": "set up a second factor",
        "factor.taken_off": "turned off the second factor of {it}",
        "factor.turned_off": "turned off their second factor",
        "identity.linked": "tied their account to single sign-on",
        "identity.unlinked": "untied their account from single sign-on",
        "invitation.created_member": "invited a member",
        "invitation.created_owner": "invited an owner",
        "invitation.created_viewer": "invited a viewer",
        "invitation.withdrawn": "withdrew an invitation",
        "key.created": "made the API key {it}",
        "key.revoked": "revoked the API key {it}",
        "keys.rotated": "rotated the keys that seal secrets (now {it})",
        "match.confirmed": "confirmed who an author is",
        "match.rejected": "rejected a match",
        "match.undone": "undid the decision about a match",
        "member.factor_ended": "ended a second factor of {it}, set up behind a link of an owner who is one no more",
        "member.joined": "joined by an invitation",
        "member.link_ended": "ended a sign-in link for {it}, whose maker had made it as an owner",
        "member.link_made": "made a sign-in link for {it}",
        "member.made_member": "made {it} a member",
        "member.made_owner": "made {it} an owner",
        "member.made_viewer": "made {it} a viewer",
        "member.password_ended": "ended a password of {it}, set behind a link of an owner who is one no more",
        "member.removed": "removed {it}",
        "operator.added": "let somebody see how the whole service does",
        "operator.removed": "let somebody see no more how the whole service does",
        "password.changed": "changed their password",
        "password.refused": "gave a password that was not theirs, and was refused what it was asked for",
        "password.set": "chose a password",
        "person.erased": "erased a person",
        "person.exported": "exported what is held about a person",
        "person.objected": "noted that a person objects",
        "person.objection_lifted": "noted that a person no longer objects",
        "provider.frozen": "stopped reading from and writing to {it}, for everybody here",
        "provider.unfrozen": "let reading from and writing to {it} go on",
        "rule.recovered": "gave a rule its full volume again",
        "rule.slowed": "halved the volume of a rule that is mostly dismissed",
        "run.approved": "approved what a change altered",
        "run.undone": "undid a change",
        "session.ended": "ended a session",
        "session.others_ended": "ended all their other sessions",
        "settings.changed": "changed the settings (version {it})",
        "signin.by_link": "signed in by a link",
        "signin.by_openid": "signed in by single sign-on",
        "signin.by_password": "signed in with a password",
        "signin.code_refused": "refused somebody who had the password or a link of {it}, and no right code",
        "signin.failed": "refused somebody who tried to sign in as {it}",
        "source.attested": "vouched for the contacts from {it}",
        "source.withdrawn": "no longer vouches for the contacts from {it}",
        "task.dismissal_undone": "took back that a task needed nothing",
        "task.dismissed": "dismissed a task",
        "task.retried": "had a task said once more to a CRM that had refused it",
        "trail.downloaded": "downloaded this trail",
        "workspace.factor_optional": "no longer asks everybody for a second factor",
        "workspace.factor_required": "asks everybody for a second factor who signs in with a password or a link",
        "workspace.kept": "kept the workspace after all",
        "workspace.leaving": "asked for the workspace to be deleted",
    }
)
# Routes that change something and leave no row, each with the reason. Every other one leaves one: a test goes through the routes.
UNTRACED: Mapping[str, str] = MappingProxyType(
    {
        "v1.settings.try_out": "It stores nothing.",
        "console.settings.try_out": "It stores nothing.",
        "v1.judge.talk": "It stores nothing.",
        "v1.connections.pull": "It asks sooner for what is read anyway.",
        "console.connections.pull": "It asks sooner for what is read anyway.",
        "v1.calendars.refresh": "It asks sooner for what is read anyway.",
        "console.calendars.refresh": "It asks sooner for what is read anyway.",
        "v1.engagements.hand_in": "Posts come in, as from any network. That one was taken back is in the trail.",
        "console.byhand.add": "Posts come in, as from any network. That one was taken back is in the trail.",
        "console.consent.start": "It begins a consent. The connection that comes of it is in the trail.",
        "console.consent.again": "It begins a consent. The connection that comes of it is in the trail.",
        "console.consent.leave": "It leads to the provider. The connection that comes of it is in the trail.",
        "console.openid.start": "It leads to the provider. The sign-in that comes of it is in the trail.",
        "console.signin.out": "It ends what one's own browser began.",
        "console.account.prove": "It changes nothing by itself. That a password or a code was refused is in the trail.",
        "console.factor.begin": "It counts for nothing until a code was given. That it then does is in the trail.",
        "console.signin.switch": "It changes what one's own browser looks at.",
    }
)
_NOBODY = "Somebody who is no longer here"
_ACTORS = {
    "system": "Warmline",
    "rules": "The rules",
    "operator": "Whoever runs Warmline",
    "link": "Whoever held a task's link",
}
_GONE: Mapping[str, str] = {
    "brand": "that is gone", "connection": "an account that is gone", "key": "that is gone", "user": "somebody who is no longer here",
    "source": "a source that is not listed any more",
}  # fmt: skip
COLUMNS = ("number", "at", "actor", "action", "subject", "hash")


@dataclass(frozen=True)
class Line:
    """One row for people."""

    number: int
    at: Any  # aware datetime
    who: str
    did: str
    row: Row  # the row itself: ids

    @property
    def sentence(self) -> str:
        return f"{self.who} {self.did}."


def lines(session: Session, workspace_id: UUID, rows: Sequence[Row]) -> list[Line]:
    """These rows of the trail in sentences, in the same order."""
    names = _names(session, workspace_id, [each["actor"] for each in rows] + [each["subject"] for each in rows])
    return [
        Line(each["number"], each["created_at"], _who(each["actor"], names), did(each["action"], each["subject"], names), each)
        for each in rows
    ]  # fmt: skip


def did(action: str, subject: str, names: Mapping[str, str]) -> str:
    """What was done. An action that this version does not know (the row is of a newer one) says its own name."""
    noun, _, row_id = subject.partition(":")
    it = names.get(subject) or _GONE.get(noun, row_id)
    return SAYS.get(action, f"did {action}").format(it=it)


def _who(actor: str, names: Mapping[str, str]) -> str:
    found = names.get(actor) or _ACTORS.get(actor, _NOBODY)
    return f"The API key {found}" if actor.startswith("key:") and actor in names else found


def _names(session: Session, workspace_id: UUID, references: Iterable[str]) -> dict[str, str]:
    """What these references ("user:<id>", "connection:<id>", ...) are called, where there is anything to call them by."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for each in references:
        noun, _, row_id = each.partition(":")
        wanted[noun].add(row_id)
    return {
        f"{noun}:{row_id}": name
        for noun, ids in wanted.items()
        if noun in _NAMERS
        for row_id, name in _NAMERS[noun](session, workspace_id, ids).items()
    }


def _uuids(ids: Iterable[str]) -> list[UUID]:
    found = []
    for each in ids:
        try:
            found.append(UUID(each))
        except ValueError:
            continue
    return found


def _users(session: Session, workspace_id: UUID, ids: set[str]) -> dict[str, str]:
    """Members alone: whoever has left is called nothing any more."""
    belongs = (Membership.user_id == User.id) & (Membership.workspace_id == workspace_id)
    rows = session.execute(
        select(User.id, User.name, User.email).join(Membership, belongs).where(User.id.in_(_uuids(ids)))
    )
    return {str(row_id): name or email for row_id, name, email in rows}


def _named(
    model: Any, name: Callable[[Any], str], *columns: Any
) -> Callable[[Session, UUID, set[str]], dict[str, str]]:
    def look_up(session: Session, workspace_id: UUID, ids: set[str]) -> dict[str, str]:
        mine: ColumnElement[bool] = model.workspace_id == workspace_id
        rows = session.execute(select(model.id, *columns).where(mine, model.id.in_(_uuids(ids))))
        return {str(row[0]): name(row) for row in rows}

    return look_up


def _account(row: Any) -> str:
    return account_name(row.provider, row.handle)


def _sources(session: Session, workspace_id: UUID, ids: set[str]) -> dict[str, str]:
    listed = session.scalars(select(Attestation.source).where(Attestation.workspace_id == workspace_id))
    return {source_id(each): each or "a source without a name" for each in listed if source_id(each) in ids}


_NAMERS: Mapping[str, Callable[[Session, UUID, set[str]], dict[str, str]]] = {
    "user": _users,
    "key": _named(APIKey, lambda row: row.name, APIKey.name),
    "brand": _named(Brand, lambda row: row.name, Brand.name),
    "connection": _named(Connection, _account, Connection.handle, Connection.provider),
    "source": _sources,
    "provider": lambda session, workspace_id, ids: {each: provider_name(each) for each in ids},
}


# --- for a file, and for everybody ----------------------------------------------------------------------------


def as_csv(runtime: Runtime, workspace_id: UUID) -> Iterator[str]:
    """The whole trail as lines of CSV (RFC 4180), oldest first: ids and hashes, so that it may be kept for good. A piece at a
    time, each in a transaction of its own; what is written meanwhile comes too."""
    yield _csv([COLUMNS])
    after = 0
    while True:
        with runtime.db.tenant(workspace_id) as session:
            rows = trail.since(session, workspace_id, after)
        if not rows:
            return
        yield _csv(
            [each.number, trail.instant(each).isoformat(), each.actor, each.action, each.subject, (each.hash or b"").hex()]
            for each in rows
        )  # fmt: skip
        after = rows[-1].number or after


def _csv(rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def everywhere(db: Database, by: str, action: str, noun: str, row_id: object) -> None:
    """Something that concerns every workspace, in the trail of each: keys that were rotated, say. One short transaction
    after the other; done twice, it stands there twice."""
    for workspace_id in workspaces(db):
        with db.tenant(workspace_id) as session:
            acting.audit(session, workspace_id, by, action, noun, row_id)


def workspaces(db: Database) -> list[UUID]:
    """Every workspace that there is, the oldest first."""

    with db.globally() as session:
        return list(session.scalars(select(Workspace.id).order_by(Workspace.created_at, Workspace.id)))
