"""Signing in with a one-time link, signing out, and choosing among several workspaces."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import update
from werkzeug.wrappers import Response

from service import accounts, sessions
from service.console import browsers
from service.console.guard import COOKIE, caller, maybe_caller
from service.console.page import done, workspaces
from service.models import SigninSession
from service.runtime import runtime

blueprint = Blueprint("signin", __name__)

SPENT = "This sign-in link was used already, or is older than half an hour."


@blueprint.get("/signin/<token>")
def ask(token: str) -> ResponseReturnValue:
    """A button. Opening the link spends nothing, because mail scanners open links too."""
    return render_template("signin.html", token=token)


@blueprint.post("/signin/<token>")
def spend(token: str) -> ResponseReturnValue:
    cookie = accounts.sign_in(runtime().db, token, browsers.name_of(request.headers.get("User-Agent", "")))
    if cookie is None:
        return render_template("signed_out.html", sentence=SPENT), 410
    return signed_in(cookie)


def signed_in(cookie: str) -> Response:
    """To the overview, in a browser that is signed in from now on."""
    response = redirect(url_for("console.overview.show"), 303)
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=sessions.LIFETIME,
        secure=runtime().config.base_url.startswith("https://"),
        httponly=True,
        samesite="Lax",
    )
    return response


@blueprint.post("/signout")
def out() -> ResponseReturnValue:
    accounts.sign_out(runtime().db, request.cookies[COOKIE])
    response = redirect(url_for(".bye"), 303)
    response.delete_cookie(COOKIE)
    return response


@blueprint.get("/signin")
def bye() -> ResponseReturnValue:
    """How to sign in."""
    if maybe_caller() is not None:
        return redirect(url_for("console.overview.show"), 303)
    return render_template("signed_out.html", sentence="You are signed out.")


@blueprint.post("/workspace")
def switch() -> ResponseReturnValue:
    """Looks at another workspace of the same person."""
    wanted = request.form.get("workspace", "")
    if wanted not in {str(workspace_id) for workspace_id, _, _ in workspaces()}:
        abort(404)
    with runtime().db.globally() as session:
        session.execute(
            update(SigninSession)
            .where(SigninSession.token_hash == caller().session_hash)
            .values(workspace_id=UUID(wanted))
        )
    return done(url_for("console.overview.show"), "switched")
