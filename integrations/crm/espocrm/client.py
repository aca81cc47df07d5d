"""One EspoCRM, as `integrations.clients.CRMClient` wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from integrations import pushing
from integrations.clients import CRMRecord
from integrations.crm.espocrm import setup, writing
from integrations.crm.espocrm.api import API
from integrations.crm.espocrm.desk import EspoDesk
from integrations.crm.espocrm.fields import CONTACT, LEAD, Site, person, person_id
from integrations.crm.espocrm.streams import COMPARED, STREAMS, Source
from integrations.provider import Access
from integrations.records import Author, Gone, HandleWrite, Page, PushResult, Task, TaskState, WriteResult

ALONE = 100  # records that one sweep asks for by themselves; those that are left come round again


def real_now() -> datetime:
    """The real time, in UTC."""
    return datetime.now(UTC)


class EspoCRM:
    """Implements `CRMClient`, `HandleWriter` and `ContactReader`. `clock` is real time, for waits."""

    compared = COMPARED
    contacts_a_sweep = 2_000  # forty calls, one for each fifty

    def __init__(self, access: Access, *, clock: Callable[[], datetime] = real_now) -> None:
        self._access = access
        self._clock = clock
        self._api = API(access)

    def whoami(self) -> Author:
        """The EspoCRM: it has no id of its own that every role may read, so its server names it."""
        settings = self._api.me().get("settings")
        name = settings.get("applicationName") if isinstance(settings, dict) else None
        host = urlsplit(self._base).netloc.lower()
        return Author(id=host, handle=host, name=str(name or "EspoCRM"), url=f"{self._base}/")

    def prepare(self) -> Mapping[str, Any]:
        """See `setup.prepare`."""
        return setup.prepare(self._api)

    def missing(self) -> Sequence[str]:
        """See `setup.missing`."""
        return setup.missing(self._api, self._access.options)

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[CRMRecord]]:
        """Pages of "owners", "contacts", "activities" or "tasks". Raises KeyError for another stream."""
        kinds = tuple(self._access.options.get("kinds") or (CONTACT,))
        source = Source(self._api, self._site, kinds, self._access.since, lambda: self._clock().timestamp())
        return STREAMS[stream](source, cursor)

    def read_tasks(self, ids: Sequence[str]) -> Sequence[TaskState | Gone]:
        """These tasks as they stand; `Gone` for one that was deleted, or never was. One that the role hides is left out."""
        found = EspoDesk(self._api, self._site).read(ids)
        states = [found.get(each, Gone(each)) for each in ids]
        return [each for each in states if isinstance(each, Gone) or not each.bare]

    def gone_contacts(self, ids: Sequence[str]) -> Sequence[Gone]:
        """Lists leave out what the role hides as well as what is deleted, so whoever is left out is asked for alone, up to a hundred."""
        found: list[Gone] = []
        for kind in (CONTACT, LEAD):
            wanted = [record_id for each, record_id in map(person, ids) if each == kind]
            there = {str(row["id"]) for row in self._api.read(kind, wanted, ("id",))}
            left_out = [each for each in wanted if each not in there]
            found += [Gone(person_id(kind, each)) for each in left_out[:ALONE] if not self._api.stands(kind, each)]
        return found

    def push_tasks(self, tasks: Sequence[Task]) -> Sequence[PushResult]:
        """See `integrations.pushing`."""
        return pushing.push(EspoDesk(self._api, self._site), tasks, self._clock)

    def write_handles(self, writes: Sequence[HandleWrite]) -> Sequence[WriteResult]:
        """See `writing`."""
        return writing.write_handles(self._api, self._site, writes)

    @property
    def _site(self) -> Site:
        return setup.site(self._base, self._access.options)

    @property
    def _base(self) -> str:
        return self._access.hosts["web"].rstrip("/")
