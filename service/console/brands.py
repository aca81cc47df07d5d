"""Brands: list, add, and the handles of colleagues who answer for them."""

from __future__ import annotations

import re
from uuid import UUID

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from integrations.registry import providers
from service.console.guard import caller
from service.console.page import done, page
from service.errors import PlainError
from service.models import Brand
from service.runtime import runtime
from service.store import acting, due, listing, us

blueprint = Blueprint("brands", __name__)

NAME_LIMIT = 100  # characters


@blueprint.get("/brands")
def show() -> ResponseReturnValue:
    return _page()


@blueprint.post("/brands")
def add() -> ResponseReturnValue:
    who, name = caller(), request.form.get("name", "").strip()
    try:
        _check_name(name)
        with runtime().db.tenant(who.workspace_id) as session:
            row = Brand(workspace_id=who.workspace_id, name=name)
            session.add(row)
            session.flush()
            acting.audit(session, who.workspace_id, who.actor, "brand.created", "brand", row.id)
    except PlainError as error:
        return _page(adding=name, sentence=str(error)), 400
    except IntegrityError:
        return _page(adding=name, sentence=f"There is a brand named {name} already."), 400
    return done(url_for(".show"), "brand")


@blueprint.post("/brands/<uuid:brand_id>")
def change(brand_id: UUID) -> ResponseReturnValue:
    who = caller()
    typed = request.form.get("colleagues", "")
    try:
        name = _check_name(request.form.get("name", "").strip())
        handles = read_handles(typed)
        with runtime().db.tenant(who.workspace_id) as session:
            row = session.scalars(
                select(Brand).where(Brand.workspace_id == who.workspace_id, Brand.id == brand_id).with_for_update()
            ).one_or_none()
            if row is None:
                abort(404)
            row.name = name
            us.list_as(row, handles)
            row.crm_connection_id = _crm(session, row, request.form.get("crm", ""))
            session.flush()
            acting.audit(session, who.workspace_id, who.actor, "brand.changed", "brand", brand_id)
            due.decide_everything(session, who.workspace_id)
    except PlainError as error:
        return _page(editing=brand_id, typed=typed, sentence=str(error)), 400
    except IntegrityError:
        return _page(editing=brand_id, typed=typed, sentence="Another brand has that name already."), 400
    return done(url_for(".show"), "brand")


def read_handles(text: str) -> list[str]:
    """What was typed, one handle a line or several with commas, as "network:handle" in lower case. A handle alone is for
    the only network there is. Raises PlainError for a network that we do not know."""
    networks = {each.key: each for each in providers().values() if each.kind == "social"}
    found = []
    for piece in filter(None, (part.strip() for part in re.split(r"[\n,]", text))):
        network, colon, handle = piece.partition(":")
        if not colon:
            network, handle = next(iter(networks)) if len(networks) == 1 else "", piece
        network, handle = network.strip().lower(), handle.strip().lstrip("@").lower()
        if network not in networks:
            raise PlainError(f"Write {piece} with its network before it, such as {_example(handle)}.")
        if not re.fullmatch(r"[^\s:@]+(@[^\s:@]+)?", handle):
            raise PlainError(f"{piece} is not a handle. Write one on each line, such as {network}:olga.")
        found.append(f"{network}:{handle}")
    return sorted(set(found))


def _example(handle: str) -> str:
    """How a handle is written, with a network that is here."""
    return f"{next((each.key for each in providers().values() if each.kind == 'social'), 'network')}:{handle}"


def _check_name(name: str) -> str:
    if not name or len(name) > NAME_LIMIT:
        raise PlainError(f"Give the brand a name of at most {NAME_LIMIT} characters.")
    return name


def _crm(session: Session, brand: Brand, text: str) -> UUID | None:
    if not text:
        return None
    rows, _ = listing.connections(session, brand.workspace_id, filters={"kind": "crm"}, limit=1000)
    found: UUID | None = next(
        (
            row["id"]
            for row in rows
            if str(row["id"]) == text and row["status"] != "disconnected" and row["brand_id"] in (None, brand.id)
        ),
        None,
    )
    if found is None:
        raise PlainError("Choose a CRM that is connected. One that serves another brand alone is not for this one.")
    return found


def _page(adding: str = "", editing: UUID | None = None, typed: str = "", sentence: str = "") -> str:
    workspace_id = caller().workspace_id
    with runtime().db.tenant(workspace_id) as session:
        brands, _ = listing.brands(session, workspace_id, limit=1000)
        connections, _ = listing.connections(session, workspace_id, limit=1000)
    standing = [row for row in connections if row["status"] != "disconnected"]
    return page(
        "brands.html",
        brands=brands,
        example=_example("olga"),
        accounts=[row for row in standing if row["kind"] == "social"],
        crms=[row for row in standing if row["kind"] == "crm"],
        adding=adding,
        editing=editing,
        typed=typed,
        sentence=sentence,
    )
