"""Who calls: a bearer API key, and what its scopes allow. A route that declares no scope is closed to everybody."""

from __future__ import annotations

from flask import g, request

from service.accounts import SCOPES, Caller, caller_of_key
from service.api.problems import refuse
from service.runtime import runtime

PUBLIC = "public"  # needs no key: says nothing about any workspace
scope_of: dict[str, str] = {}  # endpoint -> the scope that it needs; filled where routes are declared

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Warmline"'}


def declare(endpoint: str, scope: str) -> None:
    """Says which scope this endpoint needs. Raises ValueError for one that does not exist."""
    if scope not in SCOPES and scope != PUBLIC:
        raise ValueError(f"{scope!r} is not a scope")
    scope_of[endpoint] = scope


def authenticate() -> None:
    """Before each request: finds the caller, or ends the request with 401 or 403."""
    needed = scope_of.get(request.endpoint or "")
    if needed == PUBLIC:
        return
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        refuse(401, "Send an API key: Authorization: Bearer wl_...", headers=_CHALLENGE)
    found = caller_of_key(runtime().db, secret.strip())
    if found is None:
        refuse(401, "This API key is unknown or was revoked. Make another one in the console.", headers=_CHALLENGE)
    if needed is None or needed not in found.scopes:
        refuse(403, f"This API key lacks the scope {needed or 'for this'}. Make one that has it in the console.")
    g.caller = found


def caller() -> Caller:
    """Who makes this request."""
    found: Caller = g.caller
    return found
