"""People: who belongs to the workspace, who is invited, and where others are signed in."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import access, factors, invitations, members, sessions, signin
from service.console.account import proven
from service.console.guard import caller, still_may
from service.console.page import done, page
from service.console.signin import BY_SINGLE_SIGN_ON
from service.endings import Ended
from service.errors import PlainError
from service.models import Workspace
from service.runtime import runtime
from service.store import paging
from service.store.factors import holders
from service.store.paging import Row

blueprint = Blueprint("people", __name__)

MOST = 1000  # rows of a list on this page


@blueprint.get("/people")
def show() -> ResponseReturnValue:
    return _page()


@blueprint.post("/people/invite")
def invite() -> ResponseReturnValue:
    """Answers with the page itself and not with a redirect: the link must not stand in an address."""
    who, email, role = caller(), request.form.get("email", "").strip(), request.form.get("role", "")
    try:
        with runtime().db.tenant(who.workspace_id) as session:
            still_may(session)
            _, token = invitations.invite(session, who.workspace_id, email, role, by=who.actor)
    except PlainError as error:
        return _page(sentence=str(error), email=email, role=role), 400
    return _page(link=invitations.address(runtime().config.base_url, token), link_for=email, joins=True)


@blueprint.post("/people/invitations/<uuid:invitation_id>/withdraw")
def withdraw(invitation_id: UUID) -> ResponseReturnValue:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        found = invitations.withdraw(session, who.workspace_id, invitation_id, by=who.actor)
    return _done(found, "withdrawn_invitation")


@blueprint.post("/people/<uuid:member_id>/role")
def change(member_id: UUID) -> ResponseReturnValue:
    who = caller()
    try:
        with runtime().db.tenant(who.workspace_id) as session:
            still_may(session)
            role = request.form.get("role", "")
            ended = members.change_role(
                session, who.workspace_id, member_id, role, by=who.actor, sparing=who.session_id
            )
            whom = _address(session, member_id)
    except PlainError as error:
        return _page(refused=str(error)), 400
    if ended is None or not ended.anything:
        return _done(ended is not None, "role")
    if member_id == who.user_id:  # sees this page as a member from now on
        return done(url_for(".show"), "stepped_down")
    return _page(ended=ended, ended_of=whom)


@blueprint.post("/people/<uuid:member_id>/remove")
def remove(member_id: UUID) -> ResponseReturnValue:
    who = caller()
    try:
        with runtime().db.tenant(who.workspace_id) as session:
            still_may(session)
            whom = _address(session, member_id)
            ended = members.remove(session, who.workspace_id, member_id, by=who.actor, sparing=who.session_id)
    except PlainError as error:
        return _page(refused=str(error)), 400
    if ended is not None and member_id == who.user_id:
        return redirect(url_for("console.signin.show"), 303)
    if ended is None or not ended.anything:
        return _done(ended is not None, "removed")
    return _page(ended=ended, ended_of=whom, gone=True)


@blueprint.post("/people/<uuid:member_id>/link")
def link(member_id: UUID) -> ResponseReturnValue:
    """A new link for somebody whose session has ended, or who has forgotten their password; shown on the page itself, as an
    invitation's is."""
    who = caller()
    if signin.only_single_sign_on(runtime().config):
        abort(403, BY_SINGLE_SIGN_ON)
    with runtime().db.tenant(who.workspace_id) as session:
        still_may(session)
        token = members.link_for(session, who.workspace_id, member_id, by=who.actor)
        row = paging.one(session, who.workspace_id, members.MEMBERS, member_id)
    if token is None or row is None:
        abort(404)
    return _page(link=f"{runtime().config.base_url}/signin/{token}", link_for=row["email"])


@blueprint.post("/people/second-factor")
@proven
def require() -> ResponseReturnValue:
    """Whether everybody here has to have a second factor."""
    who, required = caller(), request.form.get("required") == "yes"
    try:
        with runtime().db.tenant(who.workspace_id) as session:
            factors.require(session, who, required)
    except PlainError as error:
        return _page(unset=str(error)), 400
    return done(url_for(".show"), "required" if required else "not_required")


@blueprint.post("/people/sessions/<uuid:session_id>/end")
def end(session_id: UUID) -> ResponseReturnValue:
    """Anybody's session in this workspace."""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        found = sessions.end(session, who.workspace_id, session_id, by=who.actor)
    return _done(found, "ended")


def _address(session: Session, member_id: UUID) -> str:
    row = paging.one(session, caller().workspace_id, members.MEMBERS, member_id)
    return str(row["email"]) if row else ""


def _done(found: bool, notice: str) -> ResponseReturnValue:
    if not found:
        abort(404)
    return done(url_for(".show"), notice)


def _page(
    *, link: str = "", link_for: str = "", joins: bool = False, sentence: str = "", refused: str = "", unset: str = "", email: str = "", role: str = access.MEMBER,
    ended: Ended | None = None, ended_of: str = "", gone: bool = False,
) -> str:  # fmt: skip
    who = caller()
    manages = access.PEOPLE in who.scopes
    with runtime().db.tenant(who.workspace_id) as session:
        people, _ = paging.page(session, who.workspace_id, members.MEMBERS, filters={}, after=None, limit=MOST)
        invited: list[Row] = []
        theirs: list[Row] = []
        held = holders(session, who.workspace_id) if manages else set()
        required = session.scalar(select(Workspace.requires_factor).where(Workspace.id == who.workspace_id))
        if manages:
            invited, _ = paging.page(
                session, who.workspace_id, invitations.INVITATIONS, filters={}, after=None, limit=MOST
            )
            seen, _ = paging.page(session, who.workspace_id, sessions.SESSIONS, filters={}, after=None, limit=MOST)
            theirs = [each for each in seen if each["member_id"] != who.user_id]
    return page(
        "people.html",
        people=people,
        invited=invited,
        theirs=theirs,
        manages=manages,
        roles=access.ABOUT_ROLES,
        links=not signin.only_single_sign_on(runtime().config),
        link=link,
        link_for=link_for,
        joins=joins,
        sentence=sentence,
        refused=refused,
        unset=unset,
        holders=held,
        required=required,
        single_sign_on=runtime().openid is not None,
        email=email,
        role=role,
        ended=ended,
        ended_of=ended_of,
        gone=gone,
    )
