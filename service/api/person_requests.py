"""Person requests: what was asked for people, how far it has come, and the receipts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from service.api.answers import PageQuery, answer, listed, page_of, window
from service.api.auth import caller
from service.api.noun import Noun
from service.api.persons import PersonRequestSchema
from service.api.problems import missing
from service.runtime import runtime
from service.store import listing, paging
from service.store.paging import Row

person_requests = Noun(
    "person_requests", "Erasures and objections: how far each has come, and its receipt.", path="/person-requests"
)


@person_requests.get("", query=PageQuery, returns=page_of(PersonRequestSchema))
def index(query: dict[str, Any]) -> Response:
    """List requests, the newest first"""
    filters, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = paging.page(session, who.workspace_id, listing.PERSON_REQUESTS, filters=filters, **page)
    return listed(rows, cursor, dump)


@person_requests.get("/<uuid:request_id>", returns=PersonRequestSchema, also={404: "No such request."})
def show(request_id: UUID) -> Response:
    """One request with its receipt"""
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        row = paging.one(session, who.workspace_id, listing.PERSON_REQUESTS, request_id)
    return answer(dump(row) if row else missing("request"))


def dump(row: Row) -> Row:
    """A row of `listing.PERSON_REQUESTS` as the API shows it."""
    return {**row, "counts": {noun: number for noun, number in row["counts"].items() if isinstance(number, int)}}
