"""Rows on their way into PostgreSQL."""

from __future__ import annotations

import pytest

from service.clock import real_now
from service.db import raw
from service.ids import new_id
from service.runtime import Runtime
from service.store.rows import execute, packed, records

TYPES = {
    "id": "uuid",
    "words": "text",
    "many": "text[]",
    "inside": "jsonb",
    "at": "timestamptz",
    "score": "float8",
    "yes": "boolean",
}


def through(held: Runtime, *rows: tuple[object, ...]) -> list[tuple[object, ...]]:
    with held.db.globally() as session:
        return execute(raw(session), f"SELECT {', '.join(TYPES)} FROM {records(TYPES)}", packed(TYPES, rows))


def test_rows_arrive_as_they_were_sent_in_their_order(held: Runtime) -> None:
    first = (new_id(), 'it\'s "quoted" \\ and 🙏', ["a", "b,c", ""], {"deep": [1, None]}, real_now(), 0.25, True)
    second = (new_id(), "", [], {}, None, None, False)
    assert through(held, first, second) == [first, second]


def test_no_rows_are_no_rows(held: Runtime) -> None:
    assert through(held) == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("a\x00b", "ab"), ("a\ud800b", "a?b"), ("\\u0000", "\\u0000"), ("\\\x00u0000", "\\u0000")],
    ids=["nul", "half of a pair", "an escape that somebody typed", "both"],
)
def test_what_postgresql_cannot_hold_is_left_out_wherever_it_stands(held: Runtime, sent: str, kept: str) -> None:
    ((_, words, many, inside, *_),) = through(held, (new_id(), sent, [sent], {"deep": [sent]}, None, None, None))
    assert (words, many, inside) == (kept, [kept], {"deep": [kept]})


def test_infinity_is_an_instant(held: Runtime) -> None:
    with held.db.globally() as session:
        row = execute(
            raw(session),
            f"SELECT at = 'infinity' FROM {records({'at': 'timestamptz'})}",
            packed({"at": ""}, [("infinity",)]),
        )
        assert row == [(True,)]
