"""Brands: the "us" of a conversation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import RAISE, Schema, fields, validate
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.accounts import Caller
from service.api.answers import Id, Instant, PageQuery, Text, Texts, about, answer, listed, page_of, window
from service.api.auth import caller
from service.api.noun import Noun
from service.api.problems import missing, refuse
from service.api.words import COLLEAGUE, Line
from service.models import Brand, Connection
from service.runtime import runtime
from service.store import acting, due, listing, paging, us

brands = Noun("brands", 'The "us" of a conversation: its accounts, its colleagues, its CRM.')


class BrandSchema(Schema):
    id = Id()
    name = Text()
    crm_connection_id = Id(
        allow_none=True,
        metadata=about("The one CRM it is bound to: its tasks go there, and it knows whom that knows. null is any."),
    )
    colleagues = Texts(metadata=about("Accounts of our own people, as provider:handle: they answer for the brand."))
    created_at = Instant()


class BrandChange(Schema):
    """What is left out stays as it is."""

    class Meta:
        unknown = RAISE

    name = Line(longest=100, sentence="Give it a name of one line, without blanks around it.")
    crm_connection_id = fields.UUID(
        allow_none=True, metadata=about("A CRM connection of this workspace that serves no other brand alone, or null.")
    )
    colleagues = fields.List(
        Line(longest=200, pattern=COLLEAGUE, sentence="Write it as provider:handle, such as x:olga_at_acme."),
        validate=validate.Length(max=1000),
        metadata=about(
            "Posts that arrive from now on by these count as ours; older ones follow when they are rechecked."
        ),
    )


class NewBrand(BrandChange):
    """A brand to be made."""

    name = Line(longest=100, required=True, sentence="Give it a name of one line, without blanks around it.")


_TAKEN = "There is a brand with this name already."


@brands.get("", query=PageQuery, returns=page_of(BrandSchema))
def index(query: dict[str, Any]) -> Response:
    """List brands"""
    filters, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = listing.brands(session, who.workspace_id, filters=filters, **page)
    return listed(rows, cursor, dict)


@brands.post("", body=NewBrand, returns=BrandSchema, status=201, also={409: _TAKEN, 404: "No such CRM."})
def create(body: dict[str, Any]) -> Response:
    """Make a brand"""
    who = caller()
    try:
        with runtime().db.tenant(who.workspace_id) as session:
            row = Brand(workspace_id=who.workspace_id)
            _fill(session, who, row, body)
            session.add(row)
            session.flush()
            acting.audit(session, who.workspace_id, who.actor, "brand.created", "brand", row.id)
            return answer(_one(session, who, row.id), 201, {"Location": f"/v1/brands/{row.id}"})
    except IntegrityError:
        refuse(409, _TAKEN)


@brands.get("/<uuid:brand_id>", returns=BrandSchema, also={404: "No such brand."})
def show(brand_id: UUID) -> Response:
    """One brand"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        return answer(_one(session, who, brand_id))


@brands.patch(
    "/<uuid:brand_id>",
    body=BrandChange,
    returns=BrandSchema,
    also={404: "No such brand, or no such CRM.", 409: _TAKEN},
)
def change(body: dict[str, Any], brand_id: UUID) -> Response:
    """Change a brand"""
    who = caller()
    try:
        with runtime().db.tenant(who.workspace_id) as session:
            row = session.get(Brand, (who.workspace_id, brand_id), with_for_update=True)
            if row is None:
                missing("brand")
            bound = row.crm_connection_id
            _fill(session, who, row, body)
            session.flush()
            acting.audit(session, who.workspace_id, who.actor, "brand.changed", "brand", brand_id)
            if row.crm_connection_id != bound:
                due.decide_everything(session, who.workspace_id)
            return answer(_one(session, who, brand_id))
    except IntegrityError:
        refuse(409, _TAKEN)


def _fill(session: Session, who: Caller, row: Brand, body: dict[str, Any]) -> None:
    crm_id = body.get("crm_connection_id")
    if crm_id is not None and not session.scalar(
        select(Connection.id).where(
            Connection.workspace_id == who.workspace_id,
            Connection.id == crm_id,
            Connection.kind == "crm",
            Connection.brand_id.is_(None) | (Connection.brand_id == row.id),
        )
    ):
        missing("CRM connection")
    if "colleagues" in body:
        us.list_as(row, [each.lower() for each in body["colleagues"]])
    for name in body.keys() - {"colleagues"}:
        setattr(row, name, body[name])


def _one(session: Session, who: Caller, brand_id: UUID) -> paging.Row:
    return paging.one(session, who.workspace_id, listing.BRANDS, brand_id) or missing("brand")
