"""Our own client of a real EspoCRM, and what it is given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from integrations.crm.espocrm.client import EspoCRM
from integrations.provider import Access
from integrations.records import PushResult, Task, TaskKind, TaskStatus
from tests.live.espocrm import RealEspo

DUE = datetime(2030, 5, 3, 22, 30, tzinfo=UTC)
BODY = 'She asked: größe? <b> & "x"\n\nhttps://x.example/1?a=1&b=2'


def client(espo: RealEspo, options: Any = None, *, later: float = 0, **typed: str) -> EspoCRM:
    """A client whose real time is `later` seconds from now."""
    given = {**espo.form, **typed}
    access = Access(
        {"web": given.pop("server")}, given, options=options or {}, guarded=True, allow_hosts=("127.0.0.1",)
    )
    return EspoCRM(access, clock=lambda: datetime.now(UTC) + timedelta(seconds=later))


def drain(reader: EspoCRM, stream: str, cursor: str | None = None) -> tuple[list[Any], str]:
    pages = list(reader.pull(stream, cursor))
    return [each for page in pages for each in page.items], str(pages[-1].cursor)


def task(espo: RealEspo, key: str, contact: str | None, **values: Any) -> Task:
    made = Task(key, TaskKind.UNANSWERED, TaskStatus.OPEN, f"Answer {key}", BODY, DUE, espo.olga, contact)
    return replace(made, **values)


def pushed(reader: EspoCRM, one: Task) -> PushResult:
    [result] = reader.push_tasks([one])
    return result
