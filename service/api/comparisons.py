"""Comparisons: whether networks, what is kept here, and CRMs say the same; and what differs."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from service import comparing
from service.api.answers import Id, Instant, Number, PageQuery, Text, about, choice, listed, page_of, window, yes_or_no
from service.api.auth import caller
from service.api.noun import Noun
from service.runtime import runtime
from service.store import comparing as store
from service.store import paging

comparisons = Noun(
    "comparisons",
    "Whether networks, what is kept here, and CRMs say the same. Each connection is sampled once an hour.",
)


class ConnectionComparisonSchema(Schema):
    """The last comparison of one connection."""

    connection_id = Id()
    provider = Text()
    at = Instant()
    compared = Number(metadata=about("Things that were looked at on both sides."))
    standing = Number(metadata=about("Differences that stand."))
    sentence = Text(metadata=about("How it went, or why nothing was compared."))


class DifferenceSchema(Schema):
    """Something that stood otherwise there than here."""

    id = Id()
    connection_id = Id()
    kind = choice(*comparing.MEANS)
    sentence = Text()
    subject = Text(metadata=about("post:<id> or task:<id>; the other side's id where it is not known here."))
    found_at = Instant()
    seen_at = Instant(metadata=about("When it was seen last."))
    times = Number(metadata=about("How many comparisons in a row have found it."))
    gone_at = Instant(allow_none=True, metadata=about("Since when it differs no more; null: it stands."))


class DifferenceQuery(PageQuery):
    connection_id = fields.UUID(metadata=about("Only this connection's."))
    standing = yes_or_no("Only what stands (true), or only what is gone (false).")


@comparisons.get("", query=PageQuery, returns=page_of(ConnectionComparisonSchema))
def index(query: dict[str, Any]) -> Response:
    """List the last comparison of each connection"""
    filters, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = paging.page(session, who.workspace_id, store.COMPARISONS, filters=filters, **page)
    return listed(rows, cursor, _comparison)


@comparisons.get("/differences", query=DifferenceQuery, returns=page_of(DifferenceSchema))
def differences(query: dict[str, Any]) -> Response:
    """List differences, newest first"""
    filters, page = window(query)
    who = caller()
    with runtime().db.tenant(who.workspace_id) as session:
        rows, cursor = paging.page(session, who.workspace_id, store.DIFFERENCES, filters=filters, **page)
    return listed(rows, cursor, lambda row: {**row, "sentence": comparing.MEANS[row["kind"]]})


def _comparison(row: paging.Row) -> paging.Row:
    kept = {name: row[name] for name in ("connection_id", "provider", "at", "compared", "standing")}
    return {**kept, "sentence": comparing.sentence(row["compared"], row["standing"], row["why_not"])}
