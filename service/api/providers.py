"""Providers: the networks and CRMs that this version speaks to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response
from marshmallow import Schema, fields
from sqlalchemy import select

from integrations import consents, registry
from integrations.consents import Way
from integrations.provider import Cap, FormField, Price
from integrations.registry import AnyProvider
from service.api.answers import Flag, Fraction, Free, Number, Text, Texts, about, answer, choice, page_of
from service.api.noun import Noun
from service.models import ProviderApp
from service.runtime import runtime

providers = Noun("providers", "The networks and CRMs that can be connected.")


class FormFieldSchema(Schema):
    """One value that connecting asks for."""

    name = Text()
    label = Text()
    help = Text()
    type = choice("text", "host", "secret", metadata=about("host: the name of a server."))
    required = Flag()
    default = Text(metadata=about("What an empty value means."))
    choices = Texts(metadata=about("Where there are some, the value is one of these."))


class WaySchema(Schema):
    """One way to connect."""

    way = Text(metadata=about("What POST /v1/connections takes as `way`."))
    auth = choice("oauth2", "consent", "secret")
    consent_page = Flag(metadata=about("Through a page of the provider's; else with what one types into the form."))
    form = fields.List(fields.Nested(FormFieldSchema), required=True)


class InstallSchema(Schema):
    """What an administrator wants to know before."""

    scopes = Free(values=fields.String(), metadata=about("Why each scope is asked for."))
    reads = Texts()
    writes = Texts()
    makes = Texts(metadata=about("What is made there once."))
    removal = Texts(metadata=about("How all of it is removed."))


class ProviderStreamSchema(Schema):
    """One thing that is read."""

    name = Text()
    label = Text()
    scopes = Texts(metadata=about("Without these it is not read."))
    limits = Text(metadata=about("What the provider does not serve."))


class PriceSchema(Schema):
    """What one billed read costs."""

    name = Text()
    label = Text(metadata=about("What is bought, for a person."))
    dollars = Fraction()
    source = Text()
    read_on = fields.Date(required=True, allow_none=True, metadata=about("When that was read there."))


class CapSchema(Schema):
    """The most that the provider lets one app read in a calendar month (UTC), over all workspaces. The provider itself refuses what goes
    beyond; it is neither counted nor held back here."""

    name = Text(metadata=about("Of the price."))
    most = Number(
        metadata=about("The provider counts, and refuses what goes beyond; Warmline holds nothing back for it.")
    )
    source = Text()
    read_on = fields.Date(required=True, allow_none=True, metadata=about("When that was read there."))


class ProviderSchema(Schema):
    key = Text()
    kind = choice("social", "crm")
    name = Text()
    auth = choice(
        "oauth2",
        "consent",
        "secret",
        metadata=about("oauth2, consent: through a consent page; secret: with a key that one types."),
    )
    ready = Flag(metadata=about("Whether whoever runs Warmline has registered it, so that it can be connected."))
    form = fields.List(fields.Nested(FormFieldSchema), required=True, metadata=about("That of the first way."))
    ways = fields.List(fields.Nested(WaySchema), required=True)
    install = fields.Nested(InstallSchema, required=True)
    streams = fields.List(fields.Nested(ProviderStreamSchema), required=True)
    prices = fields.List(fields.Nested(PriceSchema), required=True)
    caps = fields.List(fields.Nested(CapSchema), required=True)
    about = Text()  # last, since it hides the function of that name


@providers.get("", returns=page_of(ProviderSchema))
def index() -> Response:
    """List all of them, on one page"""
    with runtime().db.globally() as session:
        registered = set(session.scalars(select(ProviderApp.provider)))
    return answer({"items": [_dump(each, registered) for each in registry.providers().values()], "next_cursor": None})


def _dump(each: AnyProvider, registered: set[str]) -> dict[str, Any]:
    return {
        "key": each.key,
        "kind": each.kind,
        "name": each.name,
        "about": each.about,
        "auth": each.auth.kind,
        "ready": each.key in registered or not all(way.needs_app for way in consents.ways(each)),
        "form": _form(each.form),
        "ways": [_way(way) for way in consents.ways(each)],
        "install": _columns(each.install, InstallSchema),
        "streams": [_columns(stream, ProviderStreamSchema) for stream in each.streams],
        "prices": [_dated(price, PriceSchema) for price in each.prices],
        "caps": [_dated(cap, CapSchema) for cap in each.caps],
    }


def _way(way: Way) -> dict[str, Any]:
    return {"way": way.key, "auth": way.auth.kind, "consent_page": way.on_page, "form": _form(way.form)}


def _form(given: Sequence[FormField]) -> list[dict[str, Any]]:
    return [{**_columns(each, FormFieldSchema), "choices": [value for value, _ in each.choices]} for each in given]


def _dated(record: Price | Cap, schema: type[Schema]) -> dict[str, Any]:
    return {**_columns(record, schema), "read_on": record.read_on.isoformat() if record.read_on else None}


def _columns(record: object, schema: type[Schema]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in schema._declared_fields}
