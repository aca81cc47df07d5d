"""Signing in, with a password or a one-time link, signing out, and choosing among several workspaces."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from service import accounts, devices, entering, secondstep, sessions, signin
from service.console import browsers, cookies, onward
from service.console.guard import caller, maybe_caller
from service.console.page import done, workspaces
from service.entering import Entered
from service.passwords import BusyError
from service.runtime import runtime
from service.signin import WrongPasswordError
from service.throttling import ClosedError

blueprint = Blueprint("signin", __name__)

SPENT = "This sign-in link was used already, or is older than half an hour."
BY_SINGLE_SIGN_ON = "Here everybody signs in by single sign-on. Go back to the sign-in page and choose it."


@blueprint.get("/signin/<token>")
def ask(token: str) -> ResponseReturnValue:
    """A button. Opening the link spends nothing, because mail scanners open links too."""
    return render_template("link.html", token=token)


@blueprint.post("/signin/<token>")
def spend(token: str) -> ResponseReturnValue:
    visitor, held = browsers.visitor(), runtime()
    only = signin.only_single_sign_on(held.config)
    found = accounts.spend_link(held.db, token, visitor, operators_only=only)
    if found is None:
        return render_template("signed_out.html", sentence=SPENT), 410
    return entered(found)


@blueprint.get("/signin")
def show() -> ResponseReturnValue:
    """How to sign in."""
    if maybe_caller() is not None:
        return redirect(_onward(request.args.get("next", "")), 303)
    return _page(wanted=request.args.get("next", ""))


@blueprint.post("/signin")
def enter() -> ResponseReturnValue:
    """With an address and a password."""
    held, visitor, wanted = runtime(), browsers.visitor(), request.form.get("next", "")
    if signin.only_single_sign_on(held.config):
        abort(403, BY_SINGLE_SIGN_ON)
    email = request.form.get("email", "")
    try:
        found = signin.with_password(held.db, email, request.form.get("password", ""), visitor, onward.ours(wanted))
    except WrongPasswordError as error:
        answer = make_response(_page(sentence=str(error), email=email, wanted=wanted), 400)
        if error.user_id is not None:  # only once the answer is out: how long this takes is nobody's business
            answer.call_on_close(partial(signin.note_failure, held.db, error.user_id))
        return answer
    except ClosedError as error:
        return _page(sentence=str(error), email=email, wanted=wanted), 429, {"Retry-After": str(error.seconds)}
    except BusyError as error:
        return _page(sentence=str(error), email=email, wanted=wanted), 503, {"Retry-After": "30"}
    return entered(found, to=_onward(wanted))


def entered(found: Entered, *, to: str = "") -> Response:
    """As `signed_in`; or to where a code is asked for."""
    return waiting(found.pending) if found.pending else signed_in(found.session, device=found.device, to=to)


def waiting(pending: str) -> Response:
    """To where a code is asked for, in a browser that holds the cookie of a sign-in which waits for one."""
    response = redirect(url_for("console.secondstep.show"), 303)
    cookies.give(response, cookies.PENDING, pending, entering.LIFETIME)
    return response


def signed_in(cookie: str, *, device: str = "", to: str = "") -> Response:
    """To the overview, or another page of ours, in a browser that is signed in from now on."""
    response = redirect(to or url_for("console.overview.show"), 303)
    keep(response, cookie, device)
    return response


def keep(response: Response, cookie: str, device: str = "") -> None:
    """Gives the browser the cookie of its session and, where it has shown that it knows a password, of itself."""
    cookies.give(response, cookies.SESSION, cookie, sessions.LIFETIME)
    if device:
        cookies.give(response, cookies.DEVICE, device, devices.LIFETIME)


@blueprint.post("/signout")
def out() -> ResponseReturnValue:
    accounts.sign_out(runtime().db, cookies.read(cookies.SESSION))
    response = redirect(url_for(".show"), 303)
    cookies.take(response, cookies.SESSION)
    return response


@blueprint.post("/workspace")
def switch() -> ResponseReturnValue:
    """Looks at another workspace of the same person."""
    wanted = request.form.get("workspace", "")
    if wanted not in {str(workspace_id) for workspace_id, _, _ in workspaces()}:
        abort(404)
    pending = secondstep.look_at(runtime(), caller(), UUID(wanted))
    return waiting(pending) if pending else done(url_for("console.overview.show"), "switched")


def _onward(wanted: str) -> str:
    return onward.ours(wanted, url_for("console.overview.show"))


def _page(*, sentence: str = "", email: str = "", wanted: str = "") -> str:
    held = runtime()
    return render_template(
        "signin.html",
        sentence=sentence,
        email=email[: signin.LONGEST_ADDRESS],
        onward=onward.ours(wanted),
        issuer=held.openid.host if held.openid else "",
        only=signin.only_single_sign_on(held.config),
    )
