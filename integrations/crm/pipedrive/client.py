"""One Pipedrive company account, as `integrations.provider.CRMClient` wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from integrations import foreign, handle_writing, pushing
from integrations.crm.pipedrive import budget, fields, setup, streams
from integrations.crm.pipedrive.api import API, PERSON, PERSONS, Payer, number
from integrations.crm.pipedrive.budget import Till
from integrations.crm.pipedrive.fields import Company
from integrations.crm.pipedrive.streams import Source
from integrations.crm.pipedrive.tasks import Desk, read_tasks
from integrations.errors import UnexpectedResponseError
from integrations.provider import Access, Credentials, CRMRecord, Setting
from integrations.records import Author, Gone, HandleWrite, Page, PushResult, Task, TaskState, WriteResult

HOSTS = {"oauth": "https://oauth.pipedrive.com"}
_DOMAIN = "pipedrive.com"


def real_now() -> datetime:
    """The real time, in UTC."""
    return datetime.now(UTC)


def company_address(credentials: Credentials, hosts: Mapping[str, str]) -> str:
    """The address of the company's API, without a slash at the end: as the token's answer named it, unless our registration names another
    host. Raises UnexpectedResponseError for a server that is not Pipedrive's: a token is not sent just anywhere."""
    if hosts.get("api"):
        return hosts["api"].rstrip("/")
    address = str(credentials.get("api_domain") or "").rstrip("/")
    if not foreign.beneath(address, (_DOMAIN,)):
        raise UnexpectedResponseError("The consent named a server that is not one of Pipedrive's, so it is not called")
    return address


def exchange(setting: Setting, credentials: Credentials) -> Credentials:
    """What is kept of a consent; Pipedrive puts commas between scopes, where everybody has blanks (RFC 6749, 3.3). Raises
    UnexpectedResponseError where it leads to a server that is not Pipedrive's."""
    company_address(credentials, setting.hosts)
    return {**credentials, "scope": str(credentials.get("scope") or "").replace(",", " ")}


class Pipedrive:
    """Implements `CRMClient` and `HandleWriter`. `clock` is real time. Raises UnexpectedResponseError where the credentials name a server
    that is not Pipedrive's."""

    def __init__(self, access: Access, *, clock: Callable[[], datetime] = real_now) -> None:
        self._access = access
        self._clock = clock
        self._base = company_address(access.credentials, access.hosts)
        self._token = str(access.credentials["access_token"])
        self._api = self._paid_by(Till())

    def whoami(self) -> Author:
        """The company."""
        found = setup.account(self._api)
        domain = str(found.get("company_domain") or "")
        return Author(
            id=str(found["company_id"]),
            handle=f"{domain}.{_DOMAIN}" if domain else (urlsplit(self._base).hostname or ""),
            name=str(found.get("company_name") or domain),
            url=self._base,
        )

    def prepare(self) -> Mapping[str, Any]:
        """See `setup.prepare`."""
        return setup.prepare(self._api)

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[CRMRecord]]:
        """Pages of "owners", "contacts", "activities" or "tasks". Raises KeyError for another stream."""
        share, now = budget.share(self._access.options), lambda: self._clock().timestamp()
        return streams.pull(Source(self._paid_by, self._company(), share, self._access.since, now), stream, cursor)

    def read_tasks(self, ids: Sequence[str]) -> Sequence[TaskState | Gone]:
        """See `tasks.read_tasks`."""
        return read_tasks(self._api, self._company(), ids)

    def push_tasks(self, tasks: Sequence[Task]) -> Sequence[PushResult]:
        """See `integrations.pushing`."""
        return pushing.push(Desk(self._api, self._company()), tasks, self._clock)

    def write_handles(self, writes: Sequence[HandleWrite]) -> Sequence[WriteResult]:
        """See `integrations.handle_writing`."""
        here = self._company()

        def read(ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
            asked = {"custom_fields": ",".join(here.custom)} if here.custom else {}
            rows = self._api.by_id(PERSONS, ids, **asked)
            return {str(row["id"]): row.get("custom_fields") or {} for row in rows if row.get("is_deleted") is not True}

        def put(contact_id: str, values: Mapping[str, str]) -> None:
            body = {"custom_fields": dict(values)}
            self._api.call("PATCH", PERSON, id=number(contact_id, "The contact"), body=body)

        return handle_writing.write_handles("Pipedrive", writes, lambda contact_id: here.handles, read, put)

    def _company(self) -> Company:
        return fields.company(self._access.options, self._base)

    def _paid_by(self, payer: Payer) -> API:
        return API(self._base, self._token, payer)
