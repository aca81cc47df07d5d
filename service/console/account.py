"""Your account: one's password, where one is signed in, the browsers that are known, and single sign-on.

What is about signing in changes only where somebody has shown just now who they are (OWASP ASVS 5, 7.5.1 and 7.5.2): a browser that
was left open is not enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec
from uuid import UUID

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from service import accounts, devices, factors, openid, passwords, sessions, signin, throttling
from service.accounts import Caller
from service.console import browsers, cookies
from service.console.guard import caller
from service.console.page import done, page
from service.console.signin import BY_SINGLE_SIGN_ON, keep
from service.errors import PlainError
from service.runtime import runtime
from service.sessions import digest
from service.signin import Standing

blueprint = Blueprint("account", __name__)

P = ParamSpec("P")
STATUSES: Mapping[type[PlainError], int] = {throttling.ClosedError: 429, passwords.BusyError: 503}


def proven(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Asks for the caller's password, or a code, first, unless they have shown just now who they are."""

    @wraps(view)
    def asked(*args: P.args, **options: P.kwargs) -> ResponseReturnValue:
        return (
            view(*args, **options) if signin.is_proven(caller()) else redirect(url_for("console.account.confirm"), 303)
        )

    return asked


@blueprint.get("/account")
def show() -> ResponseReturnValue:
    return _page()


@blueprint.post("/account/password")
def password() -> ResponseReturnValue:
    """Sets it or changes it. What was typed never comes back."""
    if signin.only_single_sign_on(runtime().config):
        abort(403, BY_SINGLE_SIGN_ON)
    typed, again, present = (request.form.get(name, "") for name in ("password", "again", "present"))
    if typed != again:
        return _page(sentence="The two new passwords are not the same. Type or paste it into both."), 400
    try:
        fresh = signin.choose(runtime().db, caller(), typed, present, browsers.visitor())
    except PlainError as error:
        return _page(sentence=str(error)), STATUSES.get(type(error), 400)
    response = done(url_for(".show"), "password")
    keep(response, fresh.session, fresh.device)
    return response


@blueprint.get("/account/confirm")
def confirm() -> ResponseReturnValue:
    return _confirmation()


@blueprint.post("/account/confirm")
def prove() -> ResponseReturnValue:
    """By the password, or by a code of the second factor."""
    if signin.only_single_sign_on(runtime().config):
        abort(403, BY_SINGLE_SIGN_ON)
    try:
        if "code" in request.form:
            factors.prove(runtime(), caller(), request.form["code"])
        else:
            signin.prove(runtime().db, caller(), request.form.get("present", ""))
    except PlainError as error:
        return _confirmation(str(error)), STATUSES.get(type(error), 400)
    return done(url_for(".show"), "proven")


@blueprint.post("/account/sessions/<uuid:session_id>/end-own")
@proven
def end(session_id: UUID) -> ResponseReturnValue:
    """One's own session; in another workspace as well, unless one is confined to this one."""
    who, user_id = caller(), _person()
    with runtime().db.tenant(who.workspace_id) as session:
        found = sessions.end_own(session, who.workspace_id, session_id, user_id, confined=who.confined)
    return _done(found, "ended")


@blueprint.post("/account/sessions/end-others")
@proven
def end_others() -> ResponseReturnValue:
    who, user_id = caller(), _person()
    with runtime().db.tenant(who.workspace_id) as session:
        sessions.end_others(session, user_id, but=who.session_hash, within=_within(who))
        accounts.note(session, who.workspace_id, user_id, "session.others_ended")
    return _done(True, "others_ended")


@blueprint.post("/account/devices/<uuid:device_id>/forget")
@proven
def forget(device_id: UUID) -> ResponseReturnValue:
    who, user_id = caller(), _person()
    with runtime().db.tenant(who.workspace_id) as session:
        found = _may_see_devices(who, signin.standing(session, who)) and devices.forget(session, user_id, device_id)
        if found:
            accounts.note(session, who.workspace_id, user_id, "device.forgotten")
    return _done(found, "forgotten")


@blueprint.post("/account/identities/<uuid:identity_id>/untie")
@proven
def untie(identity_id: UUID) -> ResponseReturnValue:
    who, user_id = caller(), _person()
    if who.confined:  # whoever held the link need not be the person
        abort(404)
    with runtime().db.tenant(who.workspace_id) as session:
        found = openid.untie(session, user_id, identity_id)
        if found:
            accounts.note(session, who.workspace_id, user_id, "identity.unlinked")
    return _done(found, "untied")


def _person() -> UUID:
    user_id = caller().user_id
    assert user_id is not None  # a session is somebody's
    return user_id


def _within(who: Caller) -> UUID | None:
    return who.workspace_id if who.confined else None


def _may_see_devices(who: Caller, standing: Standing) -> bool:
    """They belong to the password: who came by one workspace's link sees those of a password for that workspace alone."""
    return not who.confined or standing.only == who.workspace_id


def _done(found: bool, notice: str) -> ResponseReturnValue:
    if not found:
        abort(404)
    return done(url_for(".show"), notice)


def _confirmation(sentence: str = "") -> str:
    who, held = caller(), runtime()
    with held.db.tenant(who.workspace_id) as session:
        standing = signin.standing(session, who)
    only = signin.only_single_sign_on(held.config)
    issuer = held.openid.host if held.openid else ""
    by_code = who.factor_id is not None and not only
    return page(
        "confirm.html", sentence=sentence, by_password=standing.is_set and not only, by_code=by_code, issuer=issuer, only=only
    )  # fmt: skip


def _page(sentence: str = "") -> str:
    who, user_id = caller(), _person()
    device = cookies.read(cookies.DEVICE)
    with runtime().db.tenant(who.workspace_id) as session:
        standing = signin.standing(session, who)
        return page(
            "account.html",
            sentence=sentence,
            standing=standing,
            own=sessions.of_user(session, user_id, within=_within(who)),
            devices=devices.of_user(session, user_id) if _may_see_devices(who, standing) else [],
            this_device=digest(device) if device else b"",
            identities=[] if who.confined else openid.of_user(session, user_id),
            shortest=passwords.SHORTEST,
            longest=passwords.LONGEST,
            only=signin.only_single_sign_on(runtime().config),
        )
