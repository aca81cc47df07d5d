"""One Odoo database, as `integrations.clients.CRMClient` wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from integrations import handle_writing, pushing
from integrations.clients import CRMRecord
from integrations.crm.odoo import setup
from integrations.crm.odoo.api import API, EVERYTHING
from integrations.crm.odoo.desk import OdooDesk
from integrations.crm.odoo.fields import PARTNER, USER, Site
from integrations.crm.odoo.streams import STREAMS, Source
from integrations.provider import Access
from integrations.records import Author, Gone, HandleWrite, Page, PushResult, Task, TaskState, WriteResult


def real_now() -> datetime:
    """The real time, in UTC."""
    return datetime.now(UTC)


class Odoo:
    """Implements `CRMClient`. `clock` is real time, for waits; business time comes with the access."""

    def __init__(self, access: Access, *, clock: Callable[[], datetime] = real_now) -> None:
        self._access = access
        self._clock = clock
        self._api = API(access)
        self._zones: dict[int, tzinfo] = {}

    def whoami(self) -> Author:
        """The database: its server and its name tell it from all others. Its first company names it."""
        host = urlsplit(self._base).netloc.lower()
        companies = self._api.search("res.company", [], ["name"], limit=1)
        name = str(companies[0].get("name") or "") if companies else ""
        account = f"{host}/{self._api.database}" if self._api.database else host
        return Author(id=account, handle=host, name=name or "Odoo", url=f"{self._base}/")

    def prepare(self) -> Mapping[str, Any]:
        """See `setup.prepare`."""
        return setup.prepare(self._api)

    def missing(self) -> Sequence[str]:
        """One sentence for each thing that a person has to do."""
        return setup.missing(self._api, self._access.options)

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[CRMRecord]]:
        """Pages of "owners", "contacts", "activities" or "tasks". Raises KeyError for another stream."""
        today = self._access.now or self._clock
        source = Source(self._api, self._site, self._access.since, lambda: self._clock().timestamp(), today)
        return STREAMS[stream](source, cursor)

    def read_tasks(self, ids: Sequence[str]) -> Sequence[TaskState | Gone]:
        """These tasks as they stand; `Gone` for one that was deleted, or never was. Where Odoo deletes what is done (before 19, unless Keep Done), that is
        `Gone` here, and the stream of tasks tells it by its key. One that is hidden is left out."""
        found = self._desk.read(ids)
        states = [found.get(each, Gone(each)) for each in ids]
        return [each for each in states if isinstance(each, Gone) or not each.bare]

    def push_tasks(self, tasks: Sequence[Task]) -> Sequence[PushResult]:
        """See `integrations.pushing`."""
        return pushing.push(self._desk, tasks, self._clock)

    def write_handles(self, writes: Sequence[HandleWrite]) -> Sequence[WriteResult]:
        """See `integrations.handle_writing`."""
        names = [name for name, _ in self._site.handles]

        def read(contact_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
            return {str(row["id"]): row for row in self._api.read(PARTNER, contact_ids, names or ["id"])}

        def put(contact_id: str, values: Mapping[str, str]) -> None:
            self._api.write(PARTNER, int(contact_id), values)

        return handle_writing.write_handles("Odoo", writes, lambda _: self._site.handles, read, put)

    @property
    def _desk(self) -> OdooDesk:
        return OdooDesk(self._api, self._site, int(self._access.options.get("place") or 0))

    @property
    def _site(self) -> Site:
        return setup.site(self._base, self._access.options, self._zone)

    @property
    def _base(self) -> str:
        return self._access.hosts["web"].rstrip("/")

    def _zone(self, user_id: int) -> tzinfo:
        """The time zone of a user, who counts days by it; all are read at the first question."""
        if not self._zones:
            rows = self._api.search(USER, [["share", "=", False]], ["tz"], limit=5_000, context=EVERYTHING)
            self._zones = {int(row["id"]): _zone(row.get("tz")) for row in rows}
        return self._zones.get(user_id, UTC)


def _zone(name: object) -> tzinfo:
    try:
        return ZoneInfo(name) if isinstance(name, str) and name else UTC
    except (KeyError, OSError, ValueError):  # a name that nobody knows is a KeyError
        return UTC
