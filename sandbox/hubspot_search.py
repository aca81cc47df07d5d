"""HubSpot's record search, turned into SQL over the search index."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.clock import iso, parse_ms
from sandbox.crm import Record
from sandbox.hubspot_errors import validation
from sandbox.hubspot_properties import TYPES, Property

WALL = 10_000  # records; the paging of one search goes no further
LARGEST_PAGE, GROUPS, FILTERS, FILTERS_IN_ALL = 200, 5, 6, 18  # developers.hubspot.com, "Search the CRM"
IN_QUERY = ("firstname", "lastname", "email", "phone", "company", "website", "hs_task_subject", "hs_task_body")

SQL = tuple[str, list[Any]]


@dataclass(frozen=True)
class Field:
    """Where a property's values lie, and how a value given in a filter is written there."""

    column: str
    read: Callable[[str], Any] = str


def _ms(value: str) -> int:
    return int(value) if value.lstrip("-").isdigit() else parse_ms(value)


def field_of(kind: str, name: str, known: Mapping[str, Property]) -> Field:
    """Raises HubSpotError for a property that there is not."""
    type_ = TYPES[kind]
    columns = {
        type_.modified: Field("s.updated_at", _ms), type_.created: Field("s.created_at", _ms), "hs_object_id": Field("s.id", int),
        "hs_timestamp": Field("s.at", lambda value: iso(_ms(value))), "email": Field("s.email", str.lower),
        "hs_task_status": Field("s.status"),
    }  # fmt: skip
    if name not in known:
        raise validation(f"There was a problem with the request. The property {name!r} does not exist")
    if name in columns:
        return columns[name]
    path = f"json_extract(s.props, '$.\"{name}\"')"  # a name out of `known`, so nothing that needs quoting
    if known[name].kind == "number":
        return Field(f"CAST({path} AS REAL)", float)
    if known[name].kind in ("datetime", "date"):
        return Field(path, lambda value: iso(_ms(value)))
    return Field(f"{path} COLLATE NOCASE")


_COMPARE = {"EQ": "=", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}


def _token(column: str, value: str) -> SQL:
    pattern = re.sub(r"([%_\\])", r"\\\1", value).replace("*", "%")
    return rf"{column} LIKE ? ESCAPE '\'", [f"%{pattern}%"]


def condition(kind: str, filter_: Any, known: Mapping[str, Property]) -> SQL:
    """One filter. Raises HubSpotError."""
    if not isinstance(filter_, dict) or "propertyName" not in filter_ or "operator" not in filter_:
        raise validation("Invalid input JSON: a filter needs propertyName and operator")
    name, operator = str(filter_["propertyName"]), str(filter_["operator"])
    value, values = filter_.get("value"), filter_.get("values")
    if name.startswith("associations."):
        return _association(kind, name.removeprefix("associations."), operator, value, values)
    field = field_of(kind, name, known)
    try:
        if operator in ("EQ", "IN") and name in known and known[name].unique and name != "email":
            return _unique(kind, name, field, [value] if operator == "EQ" else values)
        return _plain(field, operator, value, values, filter_.get("highValue"))
    except (TypeError, ValueError, OverflowError) as error:
        raise validation(f"The value of the filter on {name!r} can't be used with {operator}") from error


def _plain(field: Field, operator: str, value: Any, values: Any, high: Any) -> SQL:
    column, read = field.column, field.read
    if operator in _COMPARE:
        return f"{column} {_COMPARE[operator]} ?", [read(_given(value))]
    if operator == "NEQ":
        return f"({column} IS NULL OR {column} <> ?)", [read(_given(value))]
    if operator == "BETWEEN":
        return f"{column} BETWEEN ? AND ?", [read(_given(value)), read(_given(high))]
    if operator in ("IN", "NOT_IN"):
        listed = [read(_given(one)) for one in values]
        marks = f"({', '.join('?' * len(listed))})"
        return (
            f"{column} IN {marks}" if operator == "IN" else f"({column} IS NULL OR {column} NOT IN {marks})"
        ), listed
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return f"{column} IS {'NOT ' if operator == 'HAS_PROPERTY' else ''}NULL", []
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        sql, bound = _token(column, _given(value))
        return (sql if operator == "CONTAINS_TOKEN" else f"({column} IS NULL OR NOT {sql})"), bound
    raise validation(f"Invalid operator {operator!r}")


def _given(value: Any) -> str:
    if value is None or isinstance(value, list | dict):
        raise ValueError("a value is missing")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unique(kind: str, name: str, field: Field, values: Any) -> SQL:
    """By the index of unique values, then by what search has seen so far, which may lag."""
    given = [_given(value) for value in values]
    marks = ", ".join("?" * len(given))
    by_index = f"s.id IN (SELECT id FROM unique_values WHERE type = ? AND property = ? AND value IN ({marks}))"  # noqa: S608
    return f"{by_index} AND {field.column} IN ({marks})", [kind, name, *(value.lower() for value in given), *given]


def _association(kind: str, other: str, operator: str, value: Any, values: Any) -> SQL:
    target = next((one.name for one in TYPES.values() if other in (one.name, one.one)), None)
    if target is None or operator not in ("EQ", "IN"):
        raise validation(f"Filtering on associations.{other} with {operator} is not possible")
    ids = [str(one) for one in ([value] if operator == "EQ" else values or [])]
    if not ids or not all(one.isdigit() for one in ids):
        raise validation(f"The value of the filter on 'associations.{other}' must be a record id")
    marks = ", ".join("?" * len(ids))
    return (
        f"s.id IN (SELECT to_id FROM associations WHERE from_type = ? AND from_id IN ({marks}) AND to_type = ?)",  # noqa: S608
        [target, *map(int, ids), kind],
    )


@dataclass(frozen=True)
class Search:
    """A search, checked and ready to run."""

    where: str
    values: list[Any]
    order: str
    limit: int
    after: int


def parse(kind: str, body: Mapping[str, Any], known: Mapping[str, Property]) -> Search:
    """Raises HubSpotError."""
    groups = body.get("filterGroups") or ([{"filters": body["filters"]}] if body.get("filters") else [])
    filters = [group.get("filters") or [] if isinstance(group, dict) else [] for group in groups]
    if (
        len(groups) > GROUPS
        or any(len(group) > FILTERS for group in filters)
        or sum(map(len, filters)) > FILTERS_IN_ALL
    ):
        raise validation(f"At most {GROUPS} filterGroups of {FILTERS} filters, {FILTERS_IN_ALL} in all, are allowed")
    alternatives = [[condition(kind, one, known) for one in group] for group in filters if group]
    where = " OR ".join("(" + " AND ".join(sql for sql, _ in group) + ")" for group in alternatives)
    values = [value for group in alternatives for _, bound in group for value in bound]
    if query := str(body.get("query") or ""):
        looked_in = [name for name in IN_QUERY if name in known]
        parts = [_token(f"json_extract(s.props, '$.{name}')", query) for name in looked_in]
        where = " AND ".join(filter(None, (where and f"({where})", "(" + " OR ".join(sql for sql, _ in parts) + ")")))
        values += [value for _, bound in parts for value in bound]
    return Search(where, values, _order(kind, body.get("sorts") or [], known), _limit(body), _after(body))


def _order(kind: str, sorts: Any, known: Mapping[str, Property]) -> str:
    if not sorts:
        return "s.created_at, s.id"
    if len(sorts) > 1:
        raise validation("Only one sort is allowed")
    sort = sorts[0]
    name, direction = (
        (sort.get("propertyName"), sort.get("direction", "ASCENDING"))
        if isinstance(sort, dict)
        else (sort, "ASCENDING")
    )
    if isinstance(name, str) and name.startswith("-"):
        name, direction = name[1:], "DESCENDING"
    way = {"ASCENDING": "ASC", "DESCENDING": "DESC"}.get(direction)
    if way is None:
        raise validation("direction must be ASCENDING or DESCENDING")
    return f"{field_of(kind, str(name), known).column} {way}, s.id {way}"


def _limit(body: Mapping[str, Any]) -> int:
    limit = body.get("limit", 10)
    if not isinstance(limit, int) or not 0 < limit <= LARGEST_PAGE:
        raise validation(f"limit must be between 1 and {LARGEST_PAGE}")
    return limit


def _after(body: Mapping[str, Any]) -> int:
    after = str(body.get("after") or "0")
    if not after.isdigit():
        raise validation("after must be the value of paging.next.after of the page before")
    if int(after) >= WALL:
        raise validation(
            f"There was a problem with the request. Paging past {WALL:,} results is not possible: narrow the filters"
        )
    return int(after)


def run(db: sqlite3.Connection, kind: str, search: Search) -> tuple[int, list[Record]]:
    """How many match in all, and the page."""
    where = f"s.type = ? AND ({search.where})" if search.where else "s.type = ?"
    total = db.execute(f"SELECT count(*) FROM search_index s WHERE {where}", (kind, *search.values)).fetchone()[0]  # noqa: S608
    limit = min(search.limit, WALL - search.after)
    rows = db.execute(
        f"SELECT s.type, s.id, s.props, s.created_at, s.updated_at FROM search_index s WHERE {where} "  # noqa: S608
        f"ORDER BY {search.order} LIMIT ? OFFSET ?",
        (kind, *search.values, limit, search.after),
    )
    return total, [Record.of(row) for row in rows]
