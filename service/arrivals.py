"""From credentials that have just come in to connections: which accounts they are for, and what each needs to begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from integrations import forms, hosts
from integrations.clients import Cleaner
from integrations.consents import Way
from integrations.errors import IntegrationError, PermissionDeniedError, TemporaryError
from integrations.oauth import RegistrationRefusedError
from integrations.provider import Access, Account, Credentials, Setting
from integrations.registry import AnyProvider
from service import registrations
from service.accounts import Caller
from service.clock import business_now
from service.errors import PlainError
from service.registrations import ConnectError
from service.runtime import Runtime
from service.store import connecting


@dataclass(frozen=True)
class Arrival:
    """Credentials that have just come in, and how."""

    way: Way
    setting: Setting
    credentials: Credentials = field(repr=False)
    brand_id: UUID | None

    @property
    def options(self) -> dict[str, str]:
        """What was typed and is no secret: it stays with the connection."""
        return forms.shown(self.way.form, self.setting.form)

    @property
    def host(self) -> str:
        """The server that was named."""
        return forms.server(self.way.form, self.setting.form)

    def access(self, account: Account | None = None) -> Access:
        """For the consent itself, or for one of the accounts that it yields."""
        found = registrations.access(self.setting, self.credentials, options=self.options, now=business_now)
        if account is None:
            return found
        return replace(
            found,
            credentials=account.credentials or self.credentials,
            account=account.author,
            options={**self.options, **account.options},
        )


def accounts(arrival: Arrival) -> list[Account]:
    """The accounts that these credentials are for. Raises ConnectError where there is none, and `integrations.errors`."""
    provider, access = arrival.way.provider, arrival.access()
    found = provider.accounts(access) if provider.accounts else [Account(provider.client(access).whoami())]
    if not found:
        raise ConnectError(f"{provider.name} showed no account that can be connected.", provider.key)
    return list(found)


def known(
    runtime: Runtime, caller: Caller, arrival: Arrival, found: Sequence[Account], connection_id: UUID
) -> list[Account]:
    """Of these accounts, those that a renewed consent of this connection is for: whoever renews has chosen already."""
    with runtime.db.tenant(caller.workspace_id) as session:
        places = connecting.places(session, caller.workspace_id, connection_id)
    return [each for each in found if ((each.host or arrival.host).lower(), each.author.id) in places]


def store(runtime: Runtime, caller: Caller, arrival: Arrival, chosen: Sequence[Account]) -> tuple[UUID, ...]:
    """Connects these accounts, or renews their connections. Returns their ids. Raises ConnectError."""
    provider, made = arrival.way.provider, []
    with in_words(arrival.way):
        prepared = [_prepared(provider, arrival.access(account)) for account in chosen]
    for account, options in zip(chosen, prepared, strict=True):
        with plainly(provider), runtime.db.tenant(caller.workspace_id) as session:
            made.append(
                connecting.save(
                    session,
                    runtime.vault,
                    caller,
                    provider,
                    account.author,
                    brand_id=arrival.brand_id,
                    credentials=account.credentials or arrival.credentials,
                    options={**arrival.options, **account.options, **options},
                    host=account.host or arrival.host,
                    way=arrival.way.key,
                )
            )
    for account, options, connection_id in zip(chosen, prepared, made, strict=True):
        access = arrival.access(account)
        access = replace(access, options={**access.options, **options})
        _prepare_again(runtime, caller, provider, access, connection_id)
        _check(runtime, caller, provider, access, connection_id)
    return tuple(made)


def _check(runtime: Runtime, caller: Caller, provider: AnyProvider, access: Access, connection_id: UUID) -> None:
    """What is still missing at the provider. Connected it is all the same: what cannot be asked now is asked with the next sweep."""
    if provider.check is None:
        return
    with suppress(IntegrationError):
        steps = provider.check(access)
        with runtime.db.tenant(caller.workspace_id) as session:
            connecting.checked(session, caller.workspace_id, connection_id, steps)


def _prepare_again(
    runtime: Runtime, caller: Caller, provider: AnyProvider, access: Access, connection_id: UUID
) -> None:
    """Whoever left this account while it was being connected may have removed what was found there, and knew of nobody who needs it.
    From now on everybody does."""
    if not isinstance(provider.client(access), Cleaner):
        return
    with suppress(IntegrationError):
        options = _prepared(provider, access)
        with runtime.db.tenant(caller.workspace_id) as session:
            connecting.prepared(session, caller.workspace_id, connection_id, options)


def _prepared(provider: AnyProvider, access: Access) -> Mapping[str, Any]:
    prepare = getattr(provider.client(access), "prepare", None)  # only CRMs have something to prepare
    found: Mapping[str, Any] = prepare() if prepare else {}
    return found


# --- in words -------------------------------------------------------------------------------------


@contextmanager
def plainly(provider: AnyProvider) -> Iterator[None]:
    """What a person reads when something of ours says no."""
    try:
        yield
    except PlainError as error:
        raise ConnectError(str(error), provider.key) from None


@contextmanager
def in_words(way: Way) -> Iterator[None]:
    """What a person reads when the provider, or the way there, says no."""
    try:
        yield
    except IntegrationError as error:
        raise ConnectError(_sentence(way.provider, error), way.provider.key) from error


def _sentence(provider: AnyProvider, error: IntegrationError) -> str:
    if isinstance(error, TemporaryError) and hosts.host_fields(provider):
        return f"{error}. Check the server's name, or try again in a few minutes."
    if isinstance(error, TemporaryError):
        return f"{provider.name} is not answering at the moment. Try again in a few minutes."
    if isinstance(error, RegistrationRefusedError):
        return f"{error}. Check the client id and secret with `warmline providers set {provider.key}`."
    if isinstance(error, PermissionDeniedError):
        return f"{provider.name} did not allow it: {error}. Connect again and leave every permission ticked."
    return f"{provider.name} was not connected: {error}."
