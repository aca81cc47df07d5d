"""One Salesforce organisation, as `integrations.clients.CRMClient` wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from integrations.clients import CRMRecord
from integrations.crm.salesforce import fields, keyfield, seeking, setup, signing, streams, writing
from integrations.crm.salesforce.api import API
from integrations.crm.salesforce.org import Org, org
from integrations.crm.salesforce.pushing import Push
from integrations.crm.salesforce.streams import Source
from integrations.provider import Access
from integrations.records import Author, Gone, HandleWrite, Page, PushResult, Task, TaskState, WriteResult


def real_now() -> datetime:
    """The real time, in UTC."""
    return datetime.now(UTC)


class Salesforce:
    """Implements `CRMClient`, `HandleWriter` and `Cleaner`. `clock` is real time. Raises UnexpectedResponseError where the
    credentials name a server that is not Salesforce's."""

    def __init__(self, access: Access, *, clock: Callable[[], datetime] = real_now) -> None:
        self._access = access
        self._clock = clock
        self._base = signing.instance(access.credentials, access.hosts["login"])
        self._api = API(self._base, str(access.credentials["access_token"]), access)

    def whoami(self) -> Author:
        """The organisation."""
        found = setup.organisation(self._api)
        host = urlsplit(self._base).hostname or ""
        return Author(id=str(found["Id"]), handle=host, name=str(found.get("Name") or host), url=self._base)

    def prepare(self) -> Mapping[str, Any]:
        """See `setup.prepare`."""
        return setup.prepare(self._api, signing.user_id(self._access.credentials))

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[CRMRecord]]:
        """Pages of "owners", "contacts", "activities" or "tasks". Raises KeyError for another stream."""
        source = Source(self._api, self._org(), self._access.since, lambda: self._clock().timestamp())
        return streams.pull(source, stream, cursor)

    def read_tasks(self, ids: Sequence[str]) -> Sequence[TaskState | Gone]:
        """These tasks as they stand; `Gone` for one that was deleted, or never was."""
        here = self._org()
        rows = seeking.by_id(self._api, here, ids)
        found = {str(row["Id"]): fields.task_state(row, here) for row in rows}
        return [found.get(each, Gone(each)) for each in ids]

    def push_tasks(self, tasks: Sequence[Task]) -> Sequence[PushResult]:
        """See `pushing`."""
        return Push(self._api, self._org(), self._clock).run(tasks)

    def write_handles(self, writes: Sequence[HandleWrite]) -> Sequence[WriteResult]:
        """See `writing`."""
        return writing.write_handles(self._api, self._org(), writes)

    def clean(self) -> Sequence[str]:
        """See `keyfield.remove`."""
        return keyfield.remove(self._api)

    def steps(self) -> Sequence[str]:
        """See `keyfield.steps`."""
        return keyfield.steps(self._api, signing.user_id(self._access.credentials), self._access.options)

    def _org(self) -> Org:
        return org(self._access.options, self._base)


def check(access: Access) -> Sequence[str]:
    """What a person has to do in Salesforce: one sentence for each step."""
    return Salesforce(access).steps()
