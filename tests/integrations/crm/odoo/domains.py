"""Odoo's way of asking: conditions in prefix notation, all of which count where nothing is said between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda have, value: have == value,
    "!=": lambda have, value: have != value,
    "in": lambda have, value: have in value,
    "not in": lambda have, value: have not in value,
    ">": lambda have, value: have > value,
    ">=": lambda have, value: have >= value,
    "<": lambda have, value: have < value,
    "ilike": lambda have, value: value.lower() in str(have or "").lower(),
    "not ilike": lambda have, value: value.lower() not in str(have or "").lower(),
}


def names(domain: list[Any]) -> list[str]:
    """The fields that are asked about; of one behind a link, the link."""
    return [each[0].partition(".")[0] for each in domain if not isinstance(each, str)]


def fits(row: Row, domain: list[Any]) -> bool:
    """Whether a row is meant."""
    stack: list[bool] = []
    for each in reversed(domain):
        if each == "|":
            stack.append(stack.pop() | stack.pop())
        elif each == "&":
            stack.append(stack.pop() & stack.pop())
        else:
            name, operator, value = each
            stack.append(_OPERATORS[operator](_value(row, name), value))
    return all(stack)


def _value(row: Row, name: str) -> Any:
    have = row["_stamp"] if name == "write_date" else row.get(name, False)
    return have[0] if isinstance(have, list) and len(have) == 2 and isinstance(have[1], str) else have
