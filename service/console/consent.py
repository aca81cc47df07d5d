"""From the connect button to the provider's consent page and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from integrations import consents, forms
from integrations.consents import Way
from integrations.registry import AnyProvider, providers
from service import connect, registrations, settings
from service.console.guard import caller, signed_out
from service.console.page import elsewhere, page
from service.registrations import ConnectError
from service.runtime import runtime
from service.store import listing

blueprint = Blueprint("consent", __name__)

TICKET_KEPT = "Sign in first, then open this link again. It has not been used up, and stays good for ten minutes from when it was made."
CALLBACK_LOST = (
    "Nothing was connected, because this browser is not signed in. Sign in, then connect again from Connections."
)


@blueprint.get("/connect/new/<provider>")
def ask(provider: str) -> ResponseReturnValue:
    """What will be read and what it costs, before the consent; a form for each way in."""
    found = _known(provider)
    return _form(found, sentence="", way=request.args.get("way", ""), values=_former(found))


@blueprint.post("/connect/new/<provider>")
def start(provider: str) -> ResponseReturnValue:
    way = _way(_known(provider), request.form.get("way", ""))
    key, form = way.provider.key, {field.name: request.form.get(field.name, "").strip() for field in way.form}
    try:
        brand = _brand(request.form.get("brand") or request.args.get("brand"))
        if way.on_page:
            return _to_ticket(connect.start(runtime(), caller(), provider=key, brand_id=brand, form=form))
        made = connect.connect_with_secret(runtime(), caller(), key, brand, form, way=way.key)
    except ConnectError as error:
        # What was typed comes back, except what is secret.
        return _form(way.provider, sentence=str(error), way=way.key, values=forms.shown(way.form, form)), 400
    return _connected(made)


@blueprint.post("/connections/<uuid:connection_id>/reconnect")
def again(connection_id: UUID) -> ResponseReturnValue:
    """To the consent of a connection that exists, to renew it."""
    with runtime().db.tenant(caller().workspace_id) as session:
        row = listing.connection(session, caller().workspace_id, connection_id)
    if row is None:
        abort(404)
    way = _way(_known(row["provider"]), row["way"])
    key = way.provider.key
    if not way.on_page:
        return redirect(
            url_for(".ask", provider=key, brand=row["brand_id"], way=way.key or None, like=connection_id), 303
        )
    typed = {field.name: str(row["options"].get(field.name, "")) for field in way.form}
    try:
        ticket = connect.start(
            runtime(), caller(), provider=key, brand_id=row["brand_id"], form=typed, connection_id=connection_id
        )
    except ConnectError as error:
        return _failed(error)
    return _to_ticket(ticket)


@blueprint.get("/connect/<ticket>")
@signed_out(TICKET_KEPT)
def leave(ticket: str) -> ResponseReturnValue:
    """To the provider. Opening this spends the ticket and binds the consent to this browser."""
    try:
        url = connect.open_ticket(runtime(), caller(), ticket)
    except ConnectError as error:
        return _failed(error)
    return elsewhere(url)


@blueprint.get("/oauth/<provider>/callback")
@blueprint.get("/oauth/<provider>/callback/<server>")
@signed_out(CALLBACK_LOST)
def callback(provider: str, server: str = "") -> ResponseReturnValue:
    """The provider sends the browser back here; a server that we have registered with by ourselves, to an address of its own."""
    try:
        done = connect.finish(runtime(), caller(), provider, request.args.to_dict(), server)
    except ConnectError as error:
        return _failed(error)
    if done.choice:
        return redirect(url_for(".accounts", token=done.choice), 303)
    return _connected(done.ids)


@blueprint.get("/connect/accounts/<token>")
@signed_out(CALLBACK_LOST)
def accounts(token: str) -> ResponseReturnValue:
    """One consent gave several accounts: which of them are meant?"""
    return _accounts(token, sentence="", status=200)


@blueprint.post("/connect/accounts/<token>")
@signed_out(CALLBACK_LOST)
def choose(token: str) -> ResponseReturnValue:
    chosen = request.form.getlist("account")
    if not chosen:
        return _accounts(token, sentence="Choose at least one account.", status=400)
    try:
        return _connected(connect.choose(runtime(), caller(), token, chosen))
    except ConnectError as error:
        return _failed(error)


def _accounts(token: str, *, sentence: str, status: int) -> ResponseReturnValue:
    try:
        choice = connect.choice(runtime(), caller(), token)
    except ConnectError as error:
        return _failed(error)
    return page("accounts.html", choice=choice, token=token, sentence=sentence), status


def _known(key: str) -> AnyProvider:
    found = providers().get(key)
    if found is None:
        abort(404, "Warmline knows no such network or CRM. Choose one on Connections.")
    return found


def _way(provider: AnyProvider, key: str) -> Way:
    found = next((each for each in consents.ways(provider) if each.key == key), None)
    if found is None:
        abort(404, f"{provider.name} cannot be connected in that way.")
    return found


def _former(provider: AnyProvider) -> Mapping[str, str]:
    """What was typed for the connection that is to be renewed."""
    try:
        like = UUID(request.args.get("like", ""))
    except ValueError:
        return {}
    with runtime().db.tenant(caller().workspace_id) as session:
        row = listing.connection(session, caller().workspace_id, like)
    if row is None or row["provider"] != provider.key:
        return {}
    return {field.name: str(row["options"].get(field.name, "")) for field in _way(provider, row["way"]).form}


def _brand(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise ConnectError("There is no such brand in this workspace.") from None


def _to_ticket(url: str) -> ResponseReturnValue:
    return redirect(urlsplit(url).path, 303)


def _connected(ids: Sequence[UUID]) -> ResponseReturnValue:
    return redirect(url_for("console.connections.show", connected=",".join(map(str, ids))), 303)


def _failed(error: ConnectError) -> ResponseReturnValue:
    retry = error.provider if error.provider in providers() else ""
    return page("not_connected.html", sentence=str(error), retry=retry), 400


def _form(provider: AnyProvider, *, sentence: str, way: str, values: Mapping[str, str]) -> str:
    workspace_id = caller().workspace_id
    with runtime().db.tenant(workspace_id) as session:
        brands, _ = listing.brands(session, workspace_id, limit=1000)
        days = settings.current(session, workspace_id).values["first_pull_days"]
    chosen = request.form.get("brand") or request.args.get("brand") or (str(brands[0]["id"]) if brands else "")
    return page(
        "connect.html",
        provider=provider,
        ways=consents.ways(provider),
        way=way,
        ready=registrations.is_ready(runtime(), provider),
        brands=brands,
        chosen=chosen,
        days=days,
        sentence=sentence,
        values=values,
    )
