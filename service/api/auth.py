"""Who calls: a bearer API key, and what its scopes allow by the table in `service.access`. A route that stands in no row of it
is closed to everybody."""

from __future__ import annotations

from flask import g, request

from service import access
from service.accounts import Caller, caller_of_key
from service.api.problems import refuse
from service.runtime import runtime

_LACKS = "Make one that has it in the console; a key may do no more than whoever made it."
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Warmline"'}


def authenticate() -> None:
    """Before each request: finds the caller, or ends the request with 401 or 403."""
    needed = access.needed(request.endpoint)
    if needed == access.ANYBODY:
        return
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        refuse(401, "Send an API key: Authorization: Bearer wl_...", headers=_CHALLENGE)
    found = caller_of_key(runtime().db, secret.strip())
    if found is None:
        refuse(401, "This API key is unknown or was revoked. Make another one in the console.", headers=_CHALLENGE)
    if needed is None:
        refuse(403, "No API key may do this.")
    if needed not in found.scopes:
        refuse(403, f"This API key lacks the scope {needed}. {_LACKS}")
    g.caller = found


def calling() -> Caller | None:
    """Who makes this request; None where that is nobody's business."""
    found: Caller | None = g.get("caller")
    return found


def caller() -> Caller:
    """Who makes this request."""
    found: Caller = g.caller
    return found
