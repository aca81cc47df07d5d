"""Connecting an account: ticket, consent, callback, connection.

A ticket (from the API or the console) is opened by a signed-in browser, which binds a state to its session; the callback
spends the state. Where the consent yields several accounts, a third token lets that browser choose. All are random, kept as
hashes, used once, and live ten minutes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from integrations import consents, forms
from integrations.consents import Way
from integrations.errors import InvalidRequestError
from integrations.oauth import RegistrationRefusedError
from integrations.provider import Account, Setting
from integrations.records import Author
from integrations.registry import AnyProvider
from service import arrivals, registrations, tickets
from service.accounts import Caller
from service.arrivals import Arrival, in_words, plainly
from service.models import Connection, OAuthState
from service.registrations import ConnectError, provider_named
from service.runtime import Runtime
from service.store import connecting


@dataclass(frozen=True)
class Connected:
    """What a consent led to: connections, or, where it yields several accounts, a token for choosing among them."""

    ids: tuple[UUID, ...] = ()
    choice: str = ""


# --- the way to a consent and back ------------------------------------------------------------------------------


def start(
    runtime: Runtime,
    caller: Caller,
    *,
    provider: str,
    brand_id: UUID | None = None,
    form: Mapping[str, str] | None = None,
    connection_id: UUID | None = None,
) -> str:
    """The address of our page that leads to the provider's consent. Where we have to be registered with the server that `form`
    names, and are not, that is done. Raises ConnectError."""
    way = consents.way(provider_named(provider))
    if not way.on_page:
        raise ConnectError(f"{way.provider.name} is connected with a key, not through a consent page.", provider)
    values = _read(runtime, way, form or {})
    with in_words(way):
        consents.check_server(way, registrations.registered(runtime, way, values))
    brand_id = _brand(runtime, caller, way.provider, brand_id)
    ticket = tickets.new()
    tickets.issue(
        runtime,
        caller,
        "ticket",
        ticket,
        way.provider.key,
        brand_id=brand_id,
        connection_id=connection_id,
        sealed={"form": values},
    )
    return f"{runtime.config.base_url}/connect/{ticket}"


def open_ticket(runtime: Runtime, caller: Caller, ticket: str) -> str:
    """The provider's consent page for this browser. Raises ConnectError."""
    row = tickets.spend(runtime, "ticket", ticket)
    if row.workspace_id != caller.workspace_id:
        raise ConnectError("This link belongs to another workspace. Start again from Connections.", row.provider)
    way = consents.way(provider_named(row.provider))
    values = tickets.unseal(runtime, ticket, row)["form"]
    state = tickets.new()
    with in_words(way):
        begun = consents.begin(way, registrations.registered(runtime, way, values), state)
    tickets.issue(
        runtime,
        caller,
        "state",
        state,
        row.provider,
        brand_id=row.brand_id,
        connection_id=row.connection_id,
        sealed={"form": values, "kept": dict(begun.kept)},
    )
    return begun.authorize_url


def finish(runtime: Runtime, caller: Caller, provider: str, params: Mapping[str, str], server: str = "") -> Connected:
    """Spends the callback of a consent, which came to the address of this `server` where each has its own. Raises ConnectError."""
    found = provider_named(provider)
    state = params.get("state", "")
    row = tickets.spend(runtime, "state", state)
    if row.workspace_id != caller.workspace_id or row.session_hash != caller.session_hash:
        raise ConnectError(
            "This consent was started in another browser or workspace. Start again from Connections.", provider
        )
    if row.provider != found.key:
        raise ConnectError("This consent was for another network. Start again from Connections.", provider)
    way, sealed = consents.way(found), tickets.unseal(runtime, state, row)
    with in_words(way):
        try:
            setting = registrations.setting_for(runtime, way, sealed["form"])
            _check_address(runtime, found, setting, server)
            credentials = consents.finish(way, setting, sealed["kept"], params)
        except RegistrationRefusedError as error:
            raise _lost_registration(runtime, way, sealed["form"]) or error from error
        arrival = Arrival(way, setting, credentials, row.brand_id)
        accounts = arrivals.accounts(arrival)
    known = arrivals.known(runtime, caller, arrival, accounts, row.connection_id) if row.connection_id else []
    if row.connection_id and not known:
        raise _somebody_else(runtime, caller, found, row.connection_id, accounts[0].author)
    if len(accounts) > 1 and not row.connection_id:
        return Connected(choice=_ask(runtime, caller, arrival, accounts))
    return Connected(arrivals.store(runtime, caller, arrival, known or accounts))


def connect_with_secret(
    runtime: Runtime, caller: Caller, provider: str, brand_id: UUID | None, form: Mapping[str, str], *, way: str = ""
) -> list[UUID]:
    """Connects an account with credentials that a person typed, by the provider's way of this key. Raises ConnectError."""
    found = provider_named(provider)
    chosen = next((each for each in consents.ways(found) if each.key == way), None)
    if chosen is None or chosen.on_page:
        raise ConnectError(f"{found.name} is connected through its consent page.", provider)
    values = _read(runtime, chosen, form)
    brand_id = _brand(runtime, caller, found, brand_id)
    with in_words(chosen):
        setting = registrations.setting_for(runtime, chosen, values)
        credentials = consents.finish(chosen, setting, {}, {})
        arrival = Arrival(chosen, setting, credentials, brand_id)
        accounts = arrivals.accounts(arrival)
    return list(arrivals.store(runtime, caller, arrival, accounts))


# --- several accounts -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """Accounts that one consent yields, for a person to choose among."""

    provider: AnyProvider
    authors: tuple[Author, ...]


def choice(runtime: Runtime, caller: Caller, token: str) -> Choice:
    """What there is to choose from; nothing is spent. Raises ConnectError."""
    row = tickets.peek(runtime, "choice", token)
    _own(row, caller)
    accounts = tickets.unseal(runtime, token, row)["accounts"]
    return Choice(provider_named(row.provider), tuple(Author(**each["author"]) for each in accounts))


def choose(runtime: Runtime, caller: Caller, token: str, account_ids: Sequence[str]) -> list[UUID]:
    """Connects those of the accounts that were chosen. Raises ConnectError; choosing none spends nothing."""
    row = tickets.peek(runtime, "choice", token)
    _own(row, caller)
    sealed = tickets.unseal(runtime, token, row)
    accounts = [_account(each) for each in sealed["accounts"] if each["author"]["id"] in account_ids]
    if not accounts:
        raise ConnectError("Choose at least one account.", row.provider)
    tickets.spend(runtime, "choice", token)
    way = consents.way(provider_named(row.provider))
    with in_words(way):
        setting = registrations.setting_for(runtime, way, sealed["form"])
    return list(arrivals.store(runtime, caller, Arrival(way, setting, sealed["credentials"], row.brand_id), accounts))


def _ask(runtime: Runtime, caller: Caller, arrival: Arrival, accounts: Sequence[Account]) -> str:
    sealed = {
        "form": dict(arrival.setting.form),
        "credentials": dict(arrival.credentials),
        "accounts": [_sealed(each) for each in accounts],
    }
    token = tickets.new()
    tickets.issue(runtime, caller, "choice", token, arrival.way.provider.key, brand_id=arrival.brand_id, sealed=sealed)
    return token


def _sealed(account: Account) -> dict[str, Any]:
    who = account.author
    return {
        "author": {"id": who.id, "handle": who.handle, "name": who.name, "url": who.url},
        "credentials": dict(account.credentials) if account.credentials is not None else None,
        "options": dict(account.options),
        "host": account.host,
    }


def _account(each: Mapping[str, Any]) -> Account:
    return Account(Author(**each["author"]), each["credentials"], each["options"], each["host"])


def _own(row: OAuthState, caller: Caller) -> None:
    if row.workspace_id != caller.workspace_id or row.session_hash != caller.session_hash:
        raise ConnectError("This consent was given in another browser or workspace. Start again from Connections.")


# --- in words -------------------------------------------------------------------------------------


def _read(runtime: Runtime, way: Way, typed: Mapping[str, str]) -> dict[str, str]:
    try:
        return forms.read(way.form, typed, runtime.config.allow_hosts)
    except InvalidRequestError as error:
        raise ConnectError(f"{error}.", way.provider.key) from None


def _brand(runtime: Runtime, caller: Caller, provider: AnyProvider, brand_id: UUID | None) -> UUID | None:
    with plainly(provider), runtime.db.tenant(caller.workspace_id) as session:
        return connecting.brand_for(session, caller.workspace_id, brand_id, provider.kind)


def _check_address(runtime: Runtime, provider: AnyProvider, setting: Setting, server: str) -> None:
    """Before the code is shown to anybody: did it come to the address that only the server has which we sent people to?"""
    if registrations.callback_url(runtime.config, provider.key, server) != setting.redirect_uri:
        raise ConnectError(
            "The answer came from another server than the one you were sent to. Nothing was connected. If you did not mean to consent"
            " there, end that consent on it, and start again from Connections.",
            provider.key,
        )


def _somebody_else(
    runtime: Runtime, caller: Caller, provider: AnyProvider, connection_id: UUID, who: Author
) -> ConnectError:
    """A consent that was to be renewed was given for another account: browsers stay signed in as somebody's own."""
    with runtime.db.tenant(caller.workspace_id) as session:
        meant = session.get_one(Connection, (caller.workspace_id, connection_id)).handle
    return ConnectError(
        f"You signed in to {provider.name} as @{who.handle}, and @{meant} was to be renewed. Sign out there, and renew it as that account; "
        f"to read @{who.handle} as well, connect it anew.",
        provider.key,
    )


def _lost_registration(runtime: Runtime, way: Way, form: Mapping[str, str]) -> ConnectError | None:
    """The server no longer knows the registration that we made with it ourselves: the next consent makes another."""
    host = forms.server(way.form, form)
    if way.register is None or not registrations.forget_app(runtime, way.provider.key, host):
        return None
    return ConnectError(
        f"{host} no longer knew Warmline. Connect it once more: Warmline registers anew.", way.provider.key
    )
