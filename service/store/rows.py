"""Statements over many rows at once: the rows travel as one JSON text, whatever their number.

One text is written in C here and read in C there; arrays per column, which psycopg dumps value by value, cost three times
as much as the statement itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from msgspec import Struct, defstruct
from msgspec.json import Encoder

from service.db import RawConnection

_NUL = b"\\u0000"
_JSON = Encoder()  # writes ids and instants by itself


def clean(text: str) -> str:
    """Text as PostgreSQL can hold it: no NUL, no lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def packed(types: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> dict[str, str]:
    """The parameter that `records` reads: rows as JSON objects. Strings are made fit for PostgreSQL, wherever they stand."""
    rows, record = list(rows), _record(tuple(types))
    try:
        text = _JSON.encode([record(*row) for row in rows])
    except UnicodeEncodeError:  # half of a surrogate pair
        text = _NUL
    if _NUL in text:  # or that very escape, which somebody has typed
        text = _JSON.encode([record(*_cleaned(row)) for row in rows])
    return {"rows": text.decode()}


@cache
def _record(names: tuple[str, ...]) -> type[Struct]:
    """What is written as an object with these names. Raises TypeError for a row of another length."""
    return defstruct("Record", names)


def listed(values: Iterable[Any]) -> str:
    """The parameter that `each_of` reads: values as a JSON list."""
    return _JSON.encode(list(values)).decode()


def each_of(name: str, kind: str = "text") -> str:
    """Values that `listed` made, as a source with one column `value`: for thousands of them, which psycopg would dump one by one."""
    return f"(SELECT value::{kind} FROM json_array_elements_text(%({name})s::json))"  # noqa: S608 - names of our own


def records(types: Mapping[str, str]) -> str:
    """`json_to_recordset(...) AS new(a text, ...)`: the rows that `packed` made, as a source."""
    return f"json_to_recordset(%(rows)s::json) AS new({', '.join(f'{name} {kind}' for name, kind in types.items())})"


def insert(table: str, types: Mapping[str, str], *, fixed: Mapping[str, str], conflict: str) -> str:
    """INSERT of many rows. `fixed` are columns that all rows share, as SQL expressions."""
    values = [*fixed.values(), *(f"new.{name}" for name in types)]
    return (
        f"INSERT INTO {table} AS old ({', '.join([*fixed, *types])})"  # noqa: S608 - names of our own tables and columns
        f" SELECT {', '.join(values)} FROM {records(types)} {conflict}"
    )


def execute(connection: RawConnection, statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Runs a statement; its rows, if it returns any."""
    cursor = connection.execute(statement.encode(), params)
    result = cursor.pgresult  # none in a pipeline; and `description` would describe every column at every statement
    return cursor.fetchall() if result is not None and result.nfields else []


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {name: _cleaned(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(each) for each in value]
    return value
