"""Our own client of a real Odoo, and what it is given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from integrations.crm.odoo.client import Odoo
from integrations.provider import Access
from integrations.records import (
    PushResult,
    Task,
    TaskKind,
    TaskStatus,
)
from tests.live.odoo import RealOdoo

DUE = datetime(2030, 5, 3, 22, 30, tzinfo=UTC)  # the day after, in Madrid, where Olga's clocks are
BODY = 'She asked: größe? <b> & "x"\n\nhttps://x.example/1?a=1&b=2'


def client(odoo: RealOdoo, options: Any = None, *, later: float = 0, **typed: str) -> Odoo:
    """A client whose real time is `later` seconds from now."""
    given = {**odoo.form, **typed}
    access = Access(
        {"web": given.pop("server")}, given, options=options or {}, guarded=True, allow_hosts=("127.0.0.1",)
    )
    return Odoo(access, clock=lambda: datetime.now(UTC) + timedelta(seconds=later))


def drain(reader: Odoo, stream: str, cursor: str | None = None) -> tuple[list[Any], str]:
    pages = list(reader.pull(stream, cursor))
    return [each for page in pages for each in page.items], str(pages[-1].cursor)


def task(odoo: RealOdoo, key: str, contact: str | None, **values: Any) -> Task:
    made = Task(key, TaskKind.UNANSWERED, TaskStatus.OPEN, "Answer her", BODY, DUE, str(odoo.olga), contact)
    return replace(made, **values)


def pushed(reader: Odoo, one: Task) -> PushResult:
    [result] = reader.push_tasks([one])
    return result
