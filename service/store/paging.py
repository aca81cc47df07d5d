"""Lists in general, a page at a time: what one is, a page of it, one row of it, and the cursors that pages hand on.

Keyset paging: a page starts after the last row of the one before, found in an index, so the last page costs what the first
does and rows that arrive meanwhile neither repeat nor hide others. Rows are plain dictionaries of columns.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from service.db import raw
from service.errors import PlainError

Row = dict[str, Any]
Filters = Mapping[str, Any]
Page = tuple[list[Row], str | None]  # the rows, and the cursor of the next page
PAGE = 50


class BadCursorError(PlainError):
    """A cursor that no list of ours gave out."""


@dataclass(frozen=True)
class Listing:
    """One list: what it selects, in which order, and by what it can be narrowed."""

    name: str  # stands in the cursors, so that one list's cursor is no other's
    columns: str
    source: str  # tables and joins; the first table's alias carries the workspace
    keys: tuple[tuple[str, str, type], ...]  # (expression, column of the row, type); the last one is unique
    descending: bool = True
    filters: Mapping[str, str] = field(default_factory=dict)  # name -> condition, with %(name)s
    where: str = "true"

    @property
    def select(self) -> str:
        alias = self.source.split()[1]
        return f"SELECT {self.columns} FROM {self.source} WHERE {alias}.workspace_id = %(w)s"  # noqa: S608 - our own words

    @property
    def order(self) -> str:
        return ", ".join(f"{expression} {'DESC' if self.descending else 'ASC'}" for expression, *_ in self.keys)

    @property
    def after(self) -> str:
        left = ", ".join(expression for expression, *_ in self.keys)
        right = ", ".join(f"%(after_{index})s" for index in range(len(self.keys)))
        return f"({left}) {'<' if self.descending else '>'} ({right})"


def page(
    session: Session, workspace_id: UUID, listing: Listing, *, filters: Filters, after: str | None, limit: int
) -> Page:
    """One page of any list. Raises BadCursorError, and KeyError for a filter that the list does not know."""
    given = {name: value for name, value in filters.items() if value is not None}
    conditions = [listing.where, *(listing.filters[name] for name in given)]
    params = {"w": workspace_id, "n": limit + 1, **given}
    if after is not None:
        conditions.append(listing.after)
        params |= {f"after_{index}": value for index, value in enumerate(_read_cursor(listing, after))}
    statement = f"{listing.select} AND {' AND '.join(conditions)} ORDER BY {listing.order} LIMIT %(n)s"
    rows = rows_of(session, statement, params)
    if len(rows) <= limit:
        return rows, None
    rows.pop()
    return rows, _cursor(listing, rows[-1])


def one(session: Session, workspace_id: UUID, listing: Listing, row_id: UUID) -> Row | None:
    """The row of a list that has this id; None where the list would not show it."""
    condition = f"{listing.where} AND {listing.keys[-1][0]} = %(id)s"
    rows = rows_of(session, f"{listing.select} AND {condition}", {"w": workspace_id, "id": row_id})
    return rows[0] if rows else None


def rows_of(session: Session, statement: str, params: Mapping[str, Any]) -> list[Row]:
    """What a question of our own finds."""
    with raw(session).cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.encode(), params).fetchall()


# --- cursors --------------------------------------------------------------------------------------------------

_WRITE: Mapping[type, Callable[[Any], str]] = {datetime: datetime.isoformat, UUID: str, int: str}


def _bigint(text: str) -> int:
    value = int(text)
    if not -(1 << 63) <= value < 1 << 63:  # a column holds no other
        raise ValueError
    return value


_READ: Mapping[type, Callable[[str], Any]] = {datetime: datetime.fromisoformat, UUID: UUID, int: _bigint}


def _cursor(listing: Listing, row: Row) -> str:
    values = [_WRITE[kind](row[column]) for _, column, kind in listing.keys]
    return urlsafe_b64encode(json.dumps([listing.name, *values]).encode()).rstrip(b"=").decode()


def _read_cursor(listing: Listing, cursor: str) -> list[Any]:
    try:
        name, *texts = json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
        if name != listing.name:
            raise ValueError
        values = [_READ[kind](text) for (_, _, kind), text in zip(listing.keys, texts, strict=True)]
        if any(isinstance(value, datetime) and value.tzinfo is None for value in values):
            raise ValueError
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise BadCursorError("This cursor is not one that this list gave out. Start again without a cursor.") from None
    return values
