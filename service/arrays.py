"""Lists as parameters: ids and texts by the thousand, which psycopg would write one by one in Python.

A JSON list of strings is, between braces, an array literal of PostgreSQL's, as long as nothing in it had to be escaped: both quote
with `"`, and whatever else JSON escapes begins with a backslash. https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
from msgspec.json import Encoder
from psycopg.abc import Buffer
from psycopg.types.array import ListDumper

_SIMPLE = ({str}, {UUID}, {str, type(None)}, {UUID, type(None)})
_JSON = Encoder()  # writes ids by itself; None as null, which PostgreSQL reads in any case


class ArrayDumper(ListDumper):
    """psycopg's own, quicker where a list holds nothing but texts, or nothing but ids."""

    def dump(self, obj: list[Any]) -> Buffer | None:
        """The literal. Raises what psycopg raises for a text that PostgreSQL cannot hold."""
        if set(map(type, obj)) in _SIMPLE:
            try:
                literal = _JSON.encode(obj)
            except UnicodeEncodeError:  # half of a surrogate pair: psycopg says so as for any other text
                return super().dump(obj)
            if b"\\" not in literal:
                return b"{%b}" % literal[1:-1]
        return super().dump(obj)


def install() -> None:
    """From now on, for every connection of this process."""
    psycopg.adapters.register_dumper(list, ArrayDumper)
