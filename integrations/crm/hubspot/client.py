"""One HubSpot account, as `integrations.clients.CRMClient` wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from integrations.clients import CRMRecord
from integrations.crm.hubspot import fields, setup, writing
from integrations.crm.hubspot.api import API
from integrations.crm.hubspot.fields import Portal
from integrations.crm.hubspot.pushing import Push
from integrations.crm.hubspot.streams import STREAMS, Source
from integrations.provider import Access
from integrations.records import Author, Gone, HandleWrite, Page, PushResult, Task, TaskState, WriteResult

HOSTS = {"api": "https://api.hubapi.com", "web": "https://app.hubspot.com"}


def real_now() -> datetime:
    """The real time, in UTC."""
    return datetime.now(UTC)


class HubSpot:
    """Implements `CRMClient`. `clock` is real time, for waits; business time comes with the access."""

    def __init__(self, access: Access, *, clock: Callable[[], datetime] = real_now) -> None:
        self._access = access
        self._clock = clock
        self._api = API(access.hosts["api"], str(access.credentials["access_token"]))

    def whoami(self) -> Author:
        """The account (HubSpot calls it a portal). HubSpot tells no company name here, so its number names it."""
        account = self._api.account()
        portal, domain = str(account["portalId"]), str(account.get("uiDomain") or "")
        base = self._base(domain)
        return Author(id=portal, handle=domain, name=f"HubSpot account {portal}", url=f"{base}/contacts/{portal}")

    def prepare(self) -> Mapping[str, Any]:
        """See `setup.prepare`."""
        return setup.prepare(self._api)

    def missing(self) -> Sequence[str]:
        """See `setup.missing`."""
        return setup.missing(self._api, self._access.options)

    def clean(self) -> Sequence[str]:
        """See `setup.clean`."""
        return setup.clean(self._api)

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[CRMRecord]]:
        """Pages of "owners", "contacts", "activities" or "tasks". Raises KeyError for another stream."""
        source = Source(self._api, self._portal(), self._access.since, lambda: self._clock().timestamp())
        return self._told(STREAMS[stream](source, cursor))

    def _told(self, pages: Iterator[Page[CRMRecord]]) -> Iterator[Page[CRMRecord]]:
        """Each page with what HubSpot said, as it served it, that it serves yet."""
        for page in pages:
            yield replace(page, budget=self._api.budget)

    def read_tasks(self, ids: Sequence[str]) -> Sequence[TaskState | Gone]:
        """These tasks as they stand; `Gone` for one that was deleted, or never was."""
        portal = self._portal()
        rows = self._api.read("tasks", ids, fields.task_properties(portal))
        found = {str(row["id"]): fields.task_state(row, portal) for row in rows if not row.get("archived")}
        return [found.get(each, Gone(each)) for each in ids]

    def push_tasks(self, tasks: Sequence[Task]) -> Sequence[PushResult]:
        """See `pushing`."""
        return Push(self._api, self._portal(), self._clock).run(tasks)

    def write_handles(self, writes: Sequence[HandleWrite]) -> Sequence[WriteResult]:
        """See `writing`."""
        return writing.write_handles(self._api, self._portal(), writes)

    def _portal(self) -> Portal:
        options, account = self._access.options, self._access.account
        return Portal(
            id=str(options.get("portal_id") or (account.id if account else "")),
            base=self._base(str(options.get("ui_domain") or "")),
            key_property=options.get("key_property"),
            unique=bool(options.get("unique") and options.get("key_property")),
            handles=setup.handles(options),
            do_not_call=tuple(map(str, options.get("do_not_call_properties") or ())),
            clock=self._access.now or self._clock,
        )

    def _base(self, ui_domain: str) -> str:
        """Where people open this account: its own domain (app-eu1...), unless our registration names another host."""
        web = self._access.hosts["web"].rstrip("/")
        return f"https://{ui_domain}" if ui_domain and web == HOSTS["web"] else web
