"""API keys: make one (its secret is shown once), revoke one."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select, update

from service import access, accounts
from service.clock import real_now
from service.console.guard import caller
from service.console.page import done, page
from service.models import APIKey
from service.runtime import runtime
from service.sessions import digest
from service.store import acting, pages

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
    secret = accounts.create_api_key(runtime().db, who.workspace_id, who.user_id, name, scopes)
    with runtime().db.tenant(who.workspace_id) as session:
        made = session.scalars(select(APIKey.id).where(APIKey.key_hash == digest(secret))).one()
        acting.audit(session, who.workspace_id, who.actor, "key.created", "key", made)
    return _page(secret=secret)


@blueprint.post("/settings/keys/<uuid:key_id>/revoke")
def revoke(key_id: UUID) -> ResponseReturnValue:
    who = caller()
    with runtime().db.globally() as session:
        found = session.execute(
            update(APIKey)
            .where(APIKey.id == key_id, APIKey.workspace_id == who.workspace_id, APIKey.revoked_at.is_(None))
            .values(revoked_at=real_now())
            .returning(APIKey.id)
        ).one_or_none()
    if found is None:
        abort(404)
    with runtime().db.tenant(who.workspace_id) as session:
        acting.audit(session, who.workspace_id, who.actor, "key.revoked", "key", key_id)
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
