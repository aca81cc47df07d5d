"""What goes out: JSON of plain rows, and the fields that describe it.

Rows of a list are turned into JSON by small functions, not by marshmallow, which would cost more than the query; tests hold
what they make against the schemas.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cache, partial
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields, validate

from service.store.paging import PAGE, Row

MAX_PAGE = 200

# Fields of what goes out: always there, so that nobody needs to ask whether.
Id = partial(fields.UUID, required=True)
Text = partial(fields.String, required=True)
Number = partial(fields.Integer, required=True)
Fraction = partial(fields.Float, required=True)
Flag = partial(fields.Boolean, required=True)
Instant = partial(fields.AwareDateTime, required=True, format="iso")
Texts = partial(fields.List, fields.String(), required=True)
Free = partial(fields.Dict, required=True)


def choice(*values: str, **kwargs: Any) -> fields.String:
    """A string out of these."""
    return fields.String(required=True, validate=validate.OneOf(values), **kwargs)


def about(sentence: str) -> dict[str, str]:
    """A field's description."""
    return {"description": sentence}


@cache
def page_of(schema: type[Schema]) -> type[Schema]:
    """The schema of one page of these."""
    name = schema.__name__.removesuffix("Schema")
    inside = {
        "items": fields.List(fields.Nested(schema), required=True),
        "next_cursor": fields.String(
            required=True,
            allow_none=True,
            metadata=about("Send it as `cursor` for the next page; null on the last one."),
        ),
        "__doc__": f"A page of {name.lower()} rows.",
    }
    return type(f"{name}PageSchema", (Schema,), inside)


class PageQuery(Schema):
    """Which page."""

    cursor = fields.String(
        validate=validate.Length(max=512),
        metadata={"description": "`next_cursor` of the page before. Leave it out for the first.", "format": "cursor"},
    )
    limit = fields.Integer(
        load_default=PAGE, validate=validate.Range(1, MAX_PAGE), metadata=about("How many rows at most.")
    )


def yes_or_no(sentence: str) -> fields.Boolean:
    """A query parameter that is `true` or `false`, and nothing else."""
    return fields.Boolean(truthy={"true"}, falsy={"false"}, metadata=about(sentence))


def window(query: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Splits a query into what narrows a list and which page of it: (filters, {after, limit})."""
    filters = {name: value for name, value in query.items() if name not in ("cursor", "limit")}
    return filters, {"after": query.get("cursor"), "limit": query["limit"]}


# --- responses ------------------------------------------------------------------------------------------------


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON."""
    text = json.dumps(body, default=_plain, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status=status, headers=dict(headers or {}), content_type="application/json")


def listed(rows: Iterable[Row], cursor: str | None, dump: Callable[[Row], Row]) -> Response:
    """One page."""
    return answer({"items": [dump(row) for row in rows], "next_cursor": cursor})


def nothing(status: int = 204) -> Response:
    """An answer without a body."""
    return Response(status=status)


def no_store(response: Response) -> Response:
    """What the API says belongs to whoever asked, and may be stale a moment later."""
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


def _plain(value: Any) -> str:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON")
