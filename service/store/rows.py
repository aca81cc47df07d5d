"""Statements over many rows at once: one INSERT from arrays, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from service.db import RawConnection


def clean(text: str) -> str:
    """Text as PostgreSQL can hold it: no NUL, no lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def columns(types: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> dict[str, list[Any]]:
    """Rows turned into one array per column. Dictionaries become JSON, strings are made fit."""
    turned: dict[str, list[Any]] = {name: [] for name in types}
    lists = list(turned.values())
    for row in rows:
        for values, value in zip(lists, row, strict=True):
            values.append(_fit(value))
    return turned


def unnest(types: Mapping[str, str]) -> str:
    """`unnest(%(a)s::text[], ...) AS new(a, ...)`: the source of an INSERT ... SELECT. A column of type `text[]` travels
    as one JSON array per row, since PostgreSQL flattens arrays of arrays."""
    arrays = ", ".join(f"%({name})s::{'jsonb' if kind.endswith('[]') else kind}[]" for name, kind in types.items())
    return f"unnest({arrays}) AS new({', '.join(types)})"


def insert(table: str, types: Mapping[str, str], *, fixed: Mapping[str, str], conflict: str) -> str:
    """INSERT of many rows from arrays. `fixed` are columns that all rows share, as SQL expressions."""
    values = [
        f"ARRAY(SELECT jsonb_array_elements_text(new.{name}))" if kind.endswith("[]") else f"new.{name}"
        for name, kind in types.items()
    ]
    return (
        f"INSERT INTO {table} AS old ({', '.join([*fixed, *types])})"  # noqa: S608 - names of our own tables and columns
        f" SELECT {', '.join([*fixed.values(), *values])} FROM {unnest(types)} {conflict}"
    )


def execute(connection: RawConnection, statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Runs a statement; its rows, if it returns any."""
    cursor = connection.execute(statement.encode(), params)
    return cursor.fetchall() if cursor.description else []


def _fit(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, (dict, list, tuple)):
        return Jsonb(value)
    return value
