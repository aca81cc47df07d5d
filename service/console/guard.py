"""Who may open a page: one check, before every view, that reads the table in `service.access`.

A page that stands in no row of it is closed to everybody.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any, TypeVar

from flask import abort, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integrations import foreign
from service import access, accounts, members, signin
from service.accounts import Caller
from service.console import cookies, onward
from service.runtime import runtime

CSRF_FIELD = "csrf_token"
SIGNED_OUT = "You are not signed in, or have been signed out."
STALE_FORM = "This page was open for too long, or was opened before you signed in. Go back, reload it, and try again."
FOREIGN_FORM = "This form was sent from another site, so nothing was done. Open the page here and try again."
OPERATORS_ONLY = "Only whoever runs Warmline may open this. `warmline operator add` marks somebody as such."
VIEW_ONLY = "You may look here, but not change this. An owner of the workspace can."

ODD_FORM = "Something that was sent holds a character that nobody can type. Type it anew, and try again."

_NUL = "\0"  # PostgreSQL stores none, and would refuse it on every page in its own way
_SIGNED_OUT = "_console_signed_out"

View = TypeVar("View", bound=Callable[..., Any])


def signed_out(sentence: str) -> Callable[[View], View]:
    """What somebody who is not signed in reads instead of this view."""

    def mark(view: View) -> View:
        setattr(view, _SIGNED_OUT, sentence)
        return view

    return mark


def check() -> ResponseReturnValue | None:
    """Runs before every view of the console: finds the caller, refuses who may not, and leads whoever owes a second factor to where
    one is set up."""
    endpoint = request.endpoint or ""
    if endpoint.endswith(".static"):
        return None
    view = current_app.view_functions[endpoint]
    request.get_data()  # first, and whole: whoever sends theirs late is asked about once it is there
    g.caller = _who()
    # All of them: a field of the form may have the name of another one in the address.
    if any(_NUL in each for _, values in request.values.lists() for each in values):
        abort(400, ODD_FORM)
    if request.method == "POST" and _foreign(request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")):
        abort(400, FOREIGN_FORM)
    scope = access.needed(endpoint)
    if scope == access.ANYBODY:
        return None
    if g.caller is None:
        wanted = onward.ours(request.full_path.rstrip("?")) if request.method == "GET" else ""
        return render_template("signed_out.html", sentence=getattr(view, _SIGNED_OUT, SIGNED_OUT), onward=wanted), 401
    if scope not in g.caller.scopes:
        abort(403, OPERATORS_ONLY if scope == access.OPERATE else VIEW_ONLY)
    if request.method == "POST" and not _csrf_holds(g.caller):
        abort(400, STALE_FORM)
    if g.caller.owes_factor and endpoint not in access.BEFORE_A_FACTOR:
        return redirect(url_for("console.factor.show"), 303)
    return None


def caller() -> Caller:
    """Who is signed in. Only for views that are not for anybody."""
    found: Caller = g.caller
    return found


def maybe_caller() -> Caller | None:
    """Who is signed in, if anybody."""
    found: Caller | None = g.get("caller")
    return found


def still_may(session: Session) -> None:
    """Ends the request with 403 where whoever made it sees to nobody here any more; as `members.still_may`, for what outlives it."""
    if not members.still_may(session, caller()):
        abort(403, VIEW_ONLY)


def shown_anew(cookie: str) -> None:
    """For the rest of this request: the session has this cookie from now on, and another token for its forms."""
    g.caller = accounts.caller_of_session(runtime().db, cookie)


def _who() -> Caller | None:
    cookie = cookies.read(cookies.SESSION)
    found = accounts.caller_of_session(runtime().db, cookie) if cookie else None
    return found if found and signin.may_go_on(runtime().config, found) else None


def _csrf_holds(who: Caller) -> bool:
    sent = request.form.get(CSRF_FIELD, "")
    return bool(who.csrf_token) and hmac.compare_digest(sent.encode(), who.csrf_token.encode())


def _foreign(origin: str | None, site: str | None) -> bool:
    """Whether a browser says that the form stands on another site. Programs, which say neither, hold no cookie that somebody else
    could borrow. What cannot be read is no site of ours."""
    if site == "cross-site":
        return True
    if origin is None:
        return False
    parts, ours = foreign.address(origin), {foreign.address(runtime().config.base_url).netloc, request.host}
    return not parts.netloc or parts.netloc not in ours or (cookies.is_secure() and parts.scheme != "https")
