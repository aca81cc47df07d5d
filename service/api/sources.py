"""Sources: how contacts came into the CRM, and whether somebody vouches for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response
from marshmallow import RAISE, Schema, fields, validate

from service.api.answers import Flag, Instant, Number, Text, Texts, about, answer
from service.api.auth import caller
from service.api.noun import Noun
from service.api.problems import refuse
from service.api.words import KEPT
from service.runtime import runtime
from service.store import filing
from service.store import sources as stored

sources = Noun(
    "sources",
    "How contacts came into the CRM. Those from bought or imported lists stay out of matching on networks that ask for consent,"
    " until an administrator vouches for them.",
)


class SourceSchema(Schema):
    source = Text(metadata=about("In the CRM's words; empty where it says nothing."))
    contacts = Number(metadata=about("How many came this way."))
    bought = Flag(metadata=about("Its words speak of an imported list or of enrichment."))
    left_out = Flag(metadata=about("Its contacts take no part in matching on the networks named."))
    attested_by = Text(metadata=about("user:<id> or key:<id>; empty: nobody vouches for them."))
    attested_at = Instant(allow_none=True)


class SourcesSchema(Schema):
    items = fields.List(fields.Nested(SourceSchema), required=True, metadata=about("Most contacts first; 500 at most."))
    networks = Texts(metadata=about("Networks on which such contacts are left out."))
    left_out = Number(metadata=about("Contacts that are left out there."))
    to_file = Number(metadata=about("Contacts that wait to be filed by newer rules of matching."))


class SourceBody(Schema):
    """A source, spelt as the list spells it."""

    class Meta:
        unknown = RAISE

    source = fields.String(required=True, validate=[validate.Length(1, 500), KEPT])


def _answer() -> Response:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        found = stored.listed(session, who.workspace_id)
        waiting = filing.waiting(session, who.workspace_id)
    names = ("source", "contacts", "bought", "left_out", "attested_by", "attested_at")
    return answer({
        "items": [{name: getattr(each, name) for name in names} for each in found],
        "networks": stored.networks(),
        "left_out": sum(each.contacts for each in found if each.left_out),
        "to_file": waiting,
    })  # fmt: skip


@sources.get("", returns=SourcesSchema)
def index() -> Response:
    """List sources"""
    return _answer()


@sources.post("/attest", body=SourceBody, returns=SourcesSchema, also={404: "No contact came from this source."})
def attest(body: dict[str, Any]) -> Response:
    """Vouch for contacts of this source: they gave their data with consent, or show it publicly"""
    with runtime().db.tenant(caller().workspace_id) as session:
        if not stored.known(session, caller().workspace_id, body["source"]):
            refuse(404, "No contact came from this source. Spell it as /v1/sources does.")
    return _change(stored.attest, body["source"])


@sources.post("/withdraw", body=SourceBody, returns=SourcesSchema)
def withdraw(body: dict[str, Any]) -> Response:
    """Vouch for contacts of this source no longer"""
    return _change(stored.withdraw, body["source"])


def _change(change: Callable[..., bool], source: str) -> Response:
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        change(session, who.workspace_id, source, by=who.actor)
    return _answer()
