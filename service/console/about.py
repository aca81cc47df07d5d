"""What an administrator wants to know before a network or a CRM is connected, and how all of it is undone."""

from __future__ import annotations

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

from integrations import consents
from integrations.registry import handed_in, providers
from service import registrations
from service.console.page import page
from service.runtime import runtime

blueprint = Blueprint("about", __name__)


@blueprint.get("/connections/<provider>/about")
def show(provider: str) -> ResponseReturnValue:
    found = providers().get(provider)
    if found is None:
        abort(404, "Warmline knows no such network or CRM. Choose one on Connections.")
    ways = consents.ways(found)
    return page(
        "about.html",
        provider=found,
        ways=ways,
        scopes=[(scope, found.install.scopes.get(scope, "")) for way in ways for scope in way.scopes],
        callback=registrations.callback_url(runtime().config, provider) if any(way.on_page for way in ways) else "",
        handed_in=provider in handed_in(),
    )
