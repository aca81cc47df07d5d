"""API keys: make one (its secret is shown once), revoke one."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue

from service import access, accounts
from service.console.guard import caller, still_may
from service.console.page import done, page
from service.runtime import runtime
from service.store import pages

blueprint = Blueprint("keys", __name__)

NAME_LIMIT = 100  # characters


@blueprint.get("/settings/keys")
def show() -> ResponseReturnValue:
    return _page()


@blueprint.post("/settings/keys")
def make() -> ResponseReturnValue:
    """Answers with the page itself and not with a redirect: the secret must not stand in an address."""
    who, name = caller(), request.form.get("name", "").strip()
    scopes = [scope for scope in access.SCOPES if scope in request.form.getlist("scope")]
    if not name or len(name) > NAME_LIMIT:
        return _page(sentence=f"Give the key a name of at most {NAME_LIMIT} characters.", name=name, scopes=scopes), 400
    if not scopes:
        return _page(sentence="Choose what the key may do.", name=name, scopes=scopes), 400
    with runtime().db.tenant(who.workspace_id) as session:
        still_may(session)
        secret = accounts.new_api_key(session, who.workspace_id, who.user_id, name, scopes)
    return _page(secret=secret)


@blueprint.post("/settings/keys/<uuid:key_id>/revoke")
def revoke(key_id: UUID) -> ResponseReturnValue:
    who = caller()
    if not accounts.revoke_api_key(runtime().db, who.workspace_id, key_id, by=who.actor):
        abort(404)
    return done(url_for(".show"), "revoked")


def _page(secret: str = "", sentence: str = "", name: str = "", scopes: list[str] | None = None) -> str:
    with runtime().db.globally() as session:
        keys = pages.keys(session, caller().workspace_id)
    return page(
        "keys.html",
        keys=keys,
        secret=secret,
        sentence=sentence,
        name=name,
        chosen=["read"] if scopes is None else scopes,
        scopes=access.SCOPES,
    )
