"""Exports: everything that is held about one person, written part by part while somebody reads it, and stored nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from service.clock import real_now
from service.runtime import Runtime
from service.store import acting, personal, persons
from service.store.personal import Row, Section
from service.store.persons import Person

Parts = Sequence[tuple[Section, Iterator[Row]]]


def export(runtime: Runtime, workspace_id: UUID, record_id: UUID, *, by: str) -> tuple[Person, Parts] | None:
    """The person and their rows, section by section, read as they are asked for. That somebody exported them stands in the trail
    before the first row is read. None when there is no such person."""
    with runtime.db.tenant(workspace_id) as session:
        person = persons.of(session, workspace_id, record_id)
        if person is None:
            return None
        acting.audit(session, workspace_id, by, "person.exported", *person.key.split(":"))
    opened = partial(runtime.db.tenant, workspace_id)
    return person, [(section, personal.rows(opened, workspace_id, person, section)) for section in personal.SECTIONS]


def as_json(head: Mapping[str, Any], parts: Parts) -> Iterator[str]:
    """One JSON document, a row at a time. It ends with `complete`, so that one which was cut off can be told."""
    yield f'{{"person":{_text(head)},"exported_at":{_text(real_now())}'
    for section, rows in parts:
        yield f',"{section.name}":['
        for number, row in enumerate(rows):
            yield ("," if number else "") + _text(row)
        yield "]"
    yield ',"complete":true}'


def _text(value: Any) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, (date, UUID)):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
