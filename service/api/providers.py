"""Providers: the networks and CRMs that this version speaks to."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields
from sqlalchemy import select

from integrations import registry
from integrations.provider import OAuth2
from integrations.registry import AnyProvider
from service.api.answers import Flag, Fraction, Text, Texts, about, answer, choice, page_of
from service.api.noun import Noun
from service.models import ProviderApp
from service.runtime import runtime

providers = Noun("providers", "The networks and CRMs that can be connected.")


class FormFieldSchema(Schema):
    """One value that connecting asks for."""

    name = Text()
    label = Text()
    help = Text()
    type = choice("text", "host", "secret")
    required = Flag()


class ProviderStreamSchema(Schema):
    """One thing that is read."""

    name = Text()
    label = Text()
    scopes = Texts(metadata=about("Without these it is not read."))
    limits = Text(metadata=about("What the provider does not serve."))


class PriceSchema(Schema):
    """What one billed read costs."""

    name = Text()
    dollars = Fraction()
    source = Text()


class ProviderSchema(Schema):
    key = Text()
    kind = choice("social", "crm")
    name = Text()
    auth = choice(
        "oauth2", "secret", metadata=about("oauth2: through a consent page; secret: with a key that one types.")
    )
    ready = Flag(metadata=about("Whether whoever runs Warmline has registered it, so that it can be connected."))
    form = fields.List(fields.Nested(FormFieldSchema), required=True)
    streams = fields.List(fields.Nested(ProviderStreamSchema), required=True)
    prices = fields.List(fields.Nested(PriceSchema), required=True)
    about = Text()  # last, since it hides the function of that name


@providers.get("", scope="read", returns=page_of(ProviderSchema))
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
        "ready": not isinstance(each.auth, OAuth2) or each.key in registered,
        "form": [_columns(field, FormFieldSchema) for field in each.form],
        "streams": [_columns(stream, ProviderStreamSchema) for stream in each.streams],
        "prices": [_columns(price, PriceSchema) for price in each.prices],
    }


def _columns(record: object, schema: type[Schema]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in schema._declared_fields}
