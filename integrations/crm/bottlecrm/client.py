"""One organization in a BottleCRM, as `integrations.clients.CRMClient` wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from integrations import handle_writing, pushing
from integrations.clients import CRMRecord
from integrations.crm.bottlecrm import fields, setup
from integrations.crm.bottlecrm.api import API, is_id
from integrations.crm.bottlecrm.desk import BottleDesk, real_now
from integrations.crm.bottlecrm.fields import Site
from integrations.crm.bottlecrm.streams import COMPARED, STREAMS, Source, is_gone
from integrations.errors import NotFoundError
from integrations.provider import Access
from integrations.records import Author, Gone, HandleWrite, Page, PushResult, Task, TaskState, WriteResult


class BottleCRM:
    """Implements `CRMClient`, `HandleWriter`, `Cleaner` and `ContactReader`. `clock` is real time, for waits."""

    compared = COMPARED
    contacts_a_sweep = 200  # each costs a call: no list can be asked for some of them

    def __init__(self, access: Access, *, clock: Callable[[], Any] = real_now) -> None:
        self._access = access
        self._clock = clock
        self._api = API(access)

    def whoami(self) -> Author:
        """The organization that the token belongs to."""
        found = self._api.organization()
        host = urlsplit(self._access.hosts["web"]).netloc.lower()
        return Author(
            id=str(found["id"]), handle=host, name=str(found.get("name") or "BottleCRM"), url=f"{self._base}/"
        )

    def prepare(self) -> Mapping[str, Any]:
        """See `setup.prepare`."""
        return setup.prepare(self._api)

    def missing(self) -> Sequence[str]:
        """One sentence for each thing that a person has to do."""
        return setup.missing(self._api, self._access.options)

    def clean(self) -> Sequence[str]:
        """See `setup.clean`."""
        return setup.clean(self._api)

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[CRMRecord]]:
        """Pages of "owners", "contacts", "activities" or "tasks". Raises KeyError for another stream."""
        return STREAMS[stream](Source(self._api, self._site, self._access.since, self._clock), cursor)

    def read_tasks(self, ids: Sequence[str]) -> Sequence[TaskState | Gone]:
        """These tasks as they stand; `Gone` for one that was deleted, or never was. One that is hidden is left out."""
        found = self._desk().read(ids)
        states = [found.get(each, Gone(each)) for each in ids]
        return [each for each in states if isinstance(each, Gone) or not each.bare]

    def gone_contacts(self, ids: Sequence[str]) -> Sequence[Gone]:
        """Each is asked for by itself."""
        return [Gone(each) for each in ids if is_gone(self._api, each)]

    def push_tasks(self, tasks: Sequence[Task]) -> Sequence[PushResult]:
        """See `integrations.pushing`."""
        return pushing.push(self._desk(), tasks, self._clock)

    def write_handles(self, writes: Sequence[HandleWrite]) -> Sequence[WriteResult]:
        """See `integrations.handle_writing`."""
        standing: dict[str, Mapping[str, Any]] = {}

        def read(contact_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
            for each in filter(is_id, contact_ids):
                try:
                    standing[each] = self._api.contact(each)
                except NotFoundError:
                    continue
            names = [name for name, _ in self._site.handles]
            return {each: {name: fields.handle_value(row, name) for name in names} for each, row in standing.items()}

        def put(contact_id: str, values: Mapping[str, str]) -> None:
            own = standing[contact_id].get("custom_fields")
            self._api.update_contact(contact_id, fields.custom(values, own if isinstance(own, dict) else {}))

        return handle_writing.write_handles("BottleCRM", writes, lambda _: self._site.handles, read, put)

    def _desk(self) -> BottleDesk:
        return BottleDesk(self._api, self._site, self._clock())

    @property
    def _site(self) -> Site:
        return setup.site(self._base, self._access.options)

    @property
    def _base(self) -> str:
        """Where people open BottleCRM: its web application may have an address of its own."""
        named = str(self._access.options.get("app") or self._access.credentials.get("app") or "").strip()
        if not named:
            return self._access.hosts["web"].rstrip("/")
        return (named if "://" in named else f"https://{named}").rstrip("/")
