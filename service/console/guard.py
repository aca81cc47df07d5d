"""Who may open a page. Each view says so with `needs` or `public`; one check reads that, before the view runs.

A view that says nothing is refused when the application starts.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, g, render_template, request
from flask.typing import ResponseReturnValue

from service import accounts
from service.accounts import SCOPES, Caller
from service.runtime import runtime

COOKIE = "warmline_session"
CSRF_FIELD = "csrf_token"
SIGNED_OUT = "You are not signed in, or have been signed out."
STALE_FORM = "This page was open for too long, or was opened before you signed in. Go back, reload it, and try again."
FOREIGN_FORM = "This form was sent from another site, so nothing was done. Open the page here and try again."
VIEW_ONLY = "You may look here, but not change this. An owner of the workspace can."

_NEEDS = "_console_needs"
_SIGNED_OUT = "_console_signed_out"
_ANYBODY = "anybody"

View = TypeVar("View", bound=Callable[..., Any])


def needs(scope: str, *, signed_out: str = SIGNED_OUT) -> Callable[[View], View]:
    """This view is for callers who hold `scope` (one of `service.accounts.SCOPES`). `signed_out` is what somebody who is
    not signed in reads instead."""
    if scope not in SCOPES:
        raise ValueError(f"{scope!r} is not a scope")

    def mark(view: View) -> View:
        setattr(view, _NEEDS, scope)
        setattr(view, _SIGNED_OUT, signed_out)
        return view

    return mark


def public(view: View) -> View:
    """This view is for anybody."""
    setattr(view, _NEEDS, _ANYBODY)
    return view


def needed(app: Flask, endpoint: str) -> str | None:
    """The scope that this endpoint declares, "anybody", or None where it declares nothing."""
    found: str | None = getattr(app.view_functions.get(endpoint), _NEEDS, None)
    return found


def check() -> ResponseReturnValue | None:
    """Runs before every view of the console: finds the caller, and refuses who may not."""
    endpoint = request.endpoint or ""
    if endpoint.endswith(".static"):
        return None
    view = current_app.view_functions[endpoint]
    g.caller = _who()
    if request.method == "POST" and _foreign(request.headers.get("Origin")):
        abort(400, FOREIGN_FORM)
    scope = getattr(view, _NEEDS, "admin")
    if scope == _ANYBODY:
        return None
    if g.caller is None:
        return render_template("signed_out.html", sentence=getattr(view, _SIGNED_OUT)), 401
    if scope not in g.caller.scopes:
        abort(403, VIEW_ONLY)
    if request.method == "POST" and not _csrf_holds(g.caller):
        abort(400, STALE_FORM)
    return None


def caller() -> Caller:
    """Who is signed in. Only for views that need a scope."""
    found: Caller = g.caller
    return found


def maybe_caller() -> Caller | None:
    """Who is signed in, if anybody."""
    found: Caller | None = g.get("caller")
    return found


def _who() -> Caller | None:
    cookie = request.cookies.get(COOKIE)
    return accounts.caller_of_session(runtime().db, cookie) if cookie else None


def _csrf_holds(who: Caller) -> bool:
    sent = request.form.get(CSRF_FIELD, "")
    return bool(who.csrf_token) and hmac.compare_digest(sent.encode(), who.csrf_token.encode())


def _foreign(origin: str | None) -> bool:
    """Whether a browser says that the form stands on another site. Programs, which send no Origin, hold no cookie that
    somebody else could borrow."""
    if origin is None:
        return False
    ours = {urlsplit(runtime().config.base_url).netloc, request.host}
    return urlsplit(origin).netloc not in ours
