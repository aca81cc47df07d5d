"""Joining a workspace by an invitation's link. The link itself is the permission, for that one workspace."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from service import entering, invitations, secondstep, sessions, signin
from service.console import browsers
from service.console.guard import maybe_caller
from service.console.openid import to_issuer
from service.console.page import done
from service.console.signin import entered, waiting
from service.runtime import runtime

blueprint = Blueprint("joining", __name__)

SPENT = (
    "This invitation was used already, was withdrawn, or is older than a week. Ask whoever invited you for a new one."
)


@blueprint.get("/join/<token>")
def ask(token: str) -> ResponseReturnValue:
    """Where it leads. Opening the link uses nothing up, because mail scanners and previews open links too."""
    invited = invitations.invited(runtime().db, token)
    if invited is None:
        return _spent()
    held = runtime()
    return render_template(
        "join.html",
        invited=invited,
        token=token,
        issuer=held.openid.host if held.openid else "",
        only=signin.only_single_sign_on(held.config),
    )


@blueprint.post("/join/<token>")
def join(token: str) -> ResponseReturnValue:
    """Whoever is signed in as the one who is invited stays so, and looks at the new workspace. Any other browser gets a
    session that is confined to it: its holder need not be the person that the address names."""
    who, db, visitor = maybe_caller(), runtime().db, browsers.visitor()
    if "openid" in request.form or signin.only_single_sign_on(runtime().config):
        return to_issuer(invitation=token) if invitations.invited(db, token) else _spent()
    joined = invitations.join(db, token)
    if joined is None:
        return _spent()
    if who is not None and who.user_id == joined.user_id and not who.confined:
        pending = secondstep.look_at(runtime(), who, joined.workspace_id)
        return waiting(pending) if pending else done("/", "joined")
    with db.globally() as session:
        found = entering.enter(
            session, joined.user_id, joined.workspace_id, visitor, began=sessions.INVITATION, confined=True
        )
    return entered(found)


def _spent() -> ResponseReturnValue:
    return render_template("signed_out.html", sentence=SPENT), 410
