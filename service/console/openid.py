"""Single sign-on: to the issuer, and back from it."""

from __future__ import annotations

from flask import Blueprint, abort, make_response, render_template, request
from flask.typing import ResponseReturnValue

from service import openid
from service.console import browsers, cookies, onward
from service.console.page import elsewhere
from service.console.signin import signed_in
from service.openid import RefusedError
from service.runtime import runtime

blueprint = Blueprint("openid", __name__)


@blueprint.post("/signin/openid")
def start() -> ResponseReturnValue:
    """A form and no link: nobody is signed in without a press of their own."""
    if runtime().openid is None:
        abort(404)
    return to_issuer(wanted=request.form.get("next", ""))


@blueprint.get("/signin/openid/callback")
def callback() -> ResponseReturnValue:
    """The issuer sends the browser back here."""
    try:
        done = openid.finish(runtime(), cookies.read(cookies.OPENID), request.args.to_dict(), browsers.visitor())
    except RefusedError as error:
        return _refused(error)
    response = signed_in(done.session, to=onward.ours(done.onward))
    cookies.take(response, cookies.OPENID)
    return response


def to_issuer(*, wanted: str = "", invitation: str = "") -> ResponseReturnValue:
    """Begins a sign-in that leads to the page `wanted`, or uses up the invitation with this token."""
    try:
        begun = openid.begin(runtime(), cookies.read(cookies.OPENID), onward=onward.ours(wanted), invitation=invitation)
    except RefusedError as error:
        return _refused(error)
    response = make_response(elsewhere(begun.url))
    cookies.give(response, cookies.OPENID, begun.browser, openid.LIFETIME)
    return response


def _refused(error: RefusedError) -> ResponseReturnValue:
    return render_template("signed_out.html", sentence=str(error)), 400
