"""The second step of signing in: a code from an app, or a recovery code."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from service import secondstep
from service.console import browsers, cookies, onward
from service.console.page import done
from service.console.signin import keep
from service.runtime import runtime
from service.secondstep import LostError, WrongCodeError
from service.store.factors import UnreadableError
from service.throttling import ClosedError

blueprint = Blueprint("secondstep", __name__)


@blueprint.get("/signin/code")
def show() -> ResponseReturnValue:
    if not secondstep.waits(runtime(), cookies.read(cookies.PENDING)):
        return redirect(url_for("console.signin.show"), 303)
    return _page()


@blueprint.post("/signin/code")
def enter() -> ResponseReturnValue:
    token, code = cookies.read(cookies.PENDING), request.form.get("code", "")
    try:
        found = secondstep.finish(runtime(), token, code, browsers.visitor())
    except LostError as error:
        return render_template("signed_out.html", sentence=str(error)), 410
    except (WrongCodeError, UnreadableError) as error:
        return _page(str(error)), 400
    except ClosedError as error:
        return _page(str(error)), 429, {"Retry-After": str(error.seconds)}
    to = onward.ours(found.onward, url_for("console.overview.show"))
    response = done(to, "recovered") if found.by == "recovery" else redirect(to, 303)
    keep(response, found.session, found.device)
    cookies.take(response, cookies.PENDING)
    return response


def _page(sentence: str = "") -> str:
    return render_template("code.html", sentence=sentence)
