"""Lists as parameters: whatever they hold arrives as it was."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service import db  # noqa: F401 - registers it
from service.arrays import ArrayDumper
from service.db import raw
from service.ids import new_id
from service.runtime import Runtime

WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00")) | st.sampled_from(
    ['"', "\\", "{}", ",", "NULL", "null", "", " ", "\n", "\u2028", "\u200f", "a\\u0041", "'"]
)


@pytest.fixture
def connection(held: Runtime) -> Iterator[psycopg.Connection[Any]]:
    with held.db.globally() as session:
        yield raw(session)


def back(connection: psycopg.Connection[Any], kind: str, value: list[Any]) -> Any:
    return connection.execute(f"SELECT %s::{kind}[]", [value]).fetchone()  # type: ignore[call-overload]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts=st.lists(WORDS | st.none()))
def test_texts_arrive_as_they_were(connection: psycopg.Connection[Any], texts: list[str | None]) -> None:
    assert back(connection, "text", texts) == (texts,)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uuid", []),
        ("uuid", [new_id(), None, new_id()]),
        ("int", [1, None, -3]),
        ("bool", [True, False]),
        ("text", [["a", 'b"'], ["c", None]]),
    ],
)
def test_ids_and_everything_else_arrive_as_they_were(
    connection: psycopg.Connection[Any], kind: str, value: list[Any]
) -> None:
    assert back(connection, kind, value) == (value,)


def test_a_list_finds_what_equals_one_of_its_ids(connection: psycopg.Connection[Any]) -> None:
    ids = [UUID(int=random.getrandbits(128)) for _ in range(5000)]
    found = connection.execute("SELECT count(*) FROM unnest(%s) AS x(id) WHERE id = ANY(%s)", [ids, ids[:7]]).fetchone()
    assert found == (7,)


def test_half_of_a_surrogate_pair_is_refused_as_ever(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(UnicodeEncodeError):
        back(connection, "text", ["a", "\ud800"])


def test_connections_use_it(connection: psycopg.Connection[Any]) -> None:
    assert connection.adapters.get_dumper(list, psycopg.adapt.PyFormat.AUTO) is ArrayDumper
