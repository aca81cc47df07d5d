"""One Pipedrive company account, as `integrations.clients.CRMClient` wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from integrations import foreign, handle_writing, pushing
from integrations.clients import CRMRecord
from integrations.crm.pipedrive import budget, fields, paying, setup, streams
from integrations.crm.pipedrive.api import API, PERSON, PERSONS, Payer, number
from integrations.crm.pipedrive.budget import CHECKS, DEAREST, SAMPLES, WRITES, Account, Till
from integrations.crm.pipedrive.fields import Company
from integrations.crm.pipedrive.streams import Source
from integrations.crm.pipedrive.tasks import Desk, read_tasks
from integrations.errors import UnexpectedResponseError
from integrations.provider import Access, Credentials, Setting
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
    """Implements `CRMClient`, `HandleWriter` and `Thrifty`, for one job. `clock` is real time. Raises UnexpectedResponseError where the credentials name a server
    that is not Pipedrive's."""

    def __init__(self, access: Access, *, clock: Callable[[], datetime] = real_now) -> None:
        self._access = access
        self._clock = clock
        self._base = company_address(access.credentials, access.hosts)
        self._token = str(access.credentials["access_token"])
        self._till = Till()
        self._api = self._paid_by(self._till)
        self._accounts: dict[str, Account] = {}  # out of which something was spent

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
        """See `setup.prepare`; and how large the day's budget is, where that is told."""
        found = setup.prepare(self._api)
        return {**found, "daily_budget": self._till.limit} if self._till.limit else found

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[CRMRecord]]:
        """Pages of "owners", "contacts", "activities" or "tasks". Raises KeyError for another stream."""
        source = Source(self._paid_by, self._company(), self._share(), self._access.since, self._now)
        return streams.pull(source, stream, cursor, self._account(SAMPLES) if self._access.sampling else None)

    def read_tasks(self, ids: Sequence[str]) -> Sequence[TaskState | Gone]:
        """See `tasks.read_tasks`. Where the next look cannot be paid for yet, raises RateLimitError before the first call; what one job
        has begun it reads to the end."""
        purpose = SAMPLES if self._access.sampling else CHECKS
        begun = purpose in self._accounts
        account = self._account(purpose)
        if not begun:
            account.afford(lambda number: number * DEAREST[purpose], min(1, len(ids)))
        return read_tasks(self._paid_by(account), self._company(), ids)

    def push_tasks(self, tasks: Sequence[Task]) -> Sequence[PushResult]:
        """See `integrations.pushing`. What cannot be paid for yet comes back as LATER; where that is all, raises RateLimitError."""
        account = self._account(WRITES)
        desk = Desk(self._paid_by(account), self._company())
        return paying.push(account, tasks, lambda some: pushing.push(desk, some, self._clock))

    def write_handles(self, writes: Sequence[HandleWrite]) -> Sequence[WriteResult]:
        """See `integrations.handle_writing`. What cannot be paid for yet comes back as LATER; where that is all, raises RateLimitError."""
        here, account = self._company(), self._account(WRITES)
        api = self._paid_by(account)

        def read(ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
            asked = {"custom_fields": ",".join(here.custom)} if here.custom else {}
            rows = api.by_id(PERSONS, ids, **asked)
            return {str(row["id"]): row.get("custom_fields") or {} for row in rows if row.get("is_deleted") is not True}

        def put(contact_id: str, values: Mapping[str, str]) -> None:
            body = {"custom_fields": dict(values)}
            api.call("PATCH", PERSON, id=number(contact_id, "The contact"), body=body)

        def write(some: Sequence[HandleWrite]) -> Sequence[WriteResult]:
            return handle_writing.write_handles("Pipedrive", some, lambda contact_id: here.handles, read, put)

        return paying.write_handles(account, writes, write)

    def allowance(self) -> Mapping[str, Any]:
        """What is left for writing, and for looking at open tasks."""
        return {name: account.dump() for name, account in dict(self._accounts).items()}

    def _account(self, purpose: str) -> Account:
        if purpose not in self._accounts:
            share = self._share()
            kept, limit = self._access.allowance.get(purpose), self._access.options.get("daily_budget")
            self._accounts[purpose] = budget.account(kept, purpose, share, self._now, limit)
        return self._accounts[purpose]

    def _share(self) -> float:
        return budget.share(self._access.options, self._access.holders)

    def _now(self) -> float:
        return self._clock().timestamp()

    def _company(self) -> Company:
        return fields.company(self._access.options, self._base)

    def _paid_by(self, payer: Payer) -> API:
        return API(self._base, self._token, payer)
