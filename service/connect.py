"""Connecting an account: ticket, consent, callback, connection.

A ticket (from the API or the console) is opened by a signed-in browser, which binds a state to its session; the callback
spends the state. Both are random, kept as hashes, used once, and live ten minutes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from integrations import oauth
from integrations.errors import IntegrationError, InvalidRequestError, PermissionDeniedError, TemporaryError
from integrations.provider import Access, Account, App, OAuth2
from integrations.registry import AnyProvider, providers
from service.accounts import Caller, digest
from service.clock import business_now, real_now
from service.config import Config
from service.errors import PlainError
from service.models import OAuthState, ProviderApp
from service.runtime import Runtime
from service.store import connecting

LIFETIME = timedelta(minutes=10)


class ConnectError(PlainError):
    """Why an account could not be connected: one sentence, safe to show to whoever tried."""

    def __init__(self, sentence: str, provider: str = "") -> None:
        super().__init__(sentence)
        self.provider = provider


# --- our registrations ----------------------------------------------------------------------------------------


def callback_url(config: Config, provider: str) -> str:
    """Where a provider sends people back to."""
    return f"{config.base_url}/oauth/{provider}/callback"


def set_app(
    runtime: Runtime,
    provider: str,
    client_id: str,
    client_secret: str,
    hosts: Mapping[str, str] | None = None,
    *,
    host: str = "",
    options: Mapping[str, str] | None = None,
) -> None:
    """Stores our registration with a provider. `hosts` override the provider's own addresses (a sandbox); `options` are
    fields of its `app_form`. Raises ConnectError for one that it does not have."""
    found = _provider(provider)
    provider, known = found.key, [field.name for field in found.app_form]
    if unknown := [name for name in options or {} if name not in known]:
        raise ConnectError(f"{found.name} has no option {unknown[0]!r}. It has {', '.join(known) or 'none'}.", provider)
    sealed_values = {"client_secret": client_secret, "options": dict(options or {})}
    row = {
        "client_id": client_id,
        "hosts": dict(hosts or {}),
        "sealed": runtime.vault.seal(sealed_values, "provider_apps", "sealed", provider, host),
    }
    with runtime.db.globally() as session:
        statement = insert(ProviderApp).values(provider=provider, host=host, **row)
        session.execute(statement.on_conflict_do_update(index_elements=["provider", "host"], set_=row))


def app_for(runtime: Runtime, provider: AnyProvider, host: str = "") -> App:
    """Our registration with this provider. Raises ConnectError when there is none."""
    if not isinstance(provider.auth, OAuth2):
        return App()
    with runtime.db.globally() as session:
        row = session.scalars(
            select(ProviderApp).where(ProviderApp.provider == provider.key, ProviderApp.host == host)
        ).one_or_none()
    if row is None:
        raise ConnectError(
            f"{provider.name} is not set up here yet. Whoever runs Warmline registers it with `warmline providers set {provider.key}`.",
            provider.key,
        )
    opened = runtime.vault.open(row.sealed, "provider_apps", "sealed", provider.key, host)
    return App(row.client_id, opened["client_secret"], row.hosts, opened.get("options", {}))


def _provider(key: str) -> AnyProvider:
    try:
        return providers()[key]
    except KeyError:
        raise ConnectError(f"Warmline has no provider named {key!r}. It has {', '.join(providers())}.", key) from None


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
    """The address of our page that leads to the provider's consent. Raises ConnectError."""
    found = _provider(provider)
    if not isinstance(found.auth, OAuth2):
        raise ConnectError(f"{found.name} is connected with a key, not through a consent page.", provider)
    app_for(runtime, found)
    brand_id = _brand(runtime, caller, found, brand_id)
    ticket = _issue(
        runtime,
        caller,
        "ticket",
        found.key,
        brand_id=brand_id,
        connection_id=connection_id,
        sealed={"form": dict(form or {})},
    )
    return f"{runtime.config.base_url}/connect/{ticket}"


def open_ticket(runtime: Runtime, caller: Caller, ticket: str) -> str:
    """The provider's consent page for this browser. Raises ConnectError."""
    row = _spend(runtime, "ticket", ticket)
    if row.workspace_id != caller.workspace_id:
        raise ConnectError("This link belongs to another workspace. Start again from Connections.", row.provider)
    provider = _provider(row.provider)
    verifier = secrets.token_urlsafe(64)
    state = _issue(
        runtime,
        caller,
        "state",
        row.provider,
        brand_id=row.brand_id,
        connection_id=row.connection_id,
        sealed={**_unseal(runtime, ticket, row), "verifier": verifier},
    )
    return oauth.authorize_url(
        provider,
        app_for(runtime, provider),
        redirect_uri=callback_url(runtime.config, provider.key),
        state=state,
        verifier=verifier,
    )


def finish(runtime: Runtime, caller: Caller, provider: str, params: Mapping[str, str]) -> list[UUID]:
    """Spends the callback of a consent. Returns the connections that it made or renewed. Raises ConnectError."""
    found = _provider(provider)
    state = params.get("state", "")
    row = _spend(runtime, "state", state)
    if row.workspace_id != caller.workspace_id or row.session_hash != caller.session_hash:
        raise ConnectError(
            "This consent was started in another browser or workspace. Start again from Connections.", provider
        )
    if row.provider != found.key:
        raise ConnectError("This consent was for another network. Start again from Connections.", provider)
    _check_answer(found, params)
    app = app_for(runtime, found)
    sealed = _unseal(runtime, state, row)
    try:
        credentials = oauth.fetch_token(
            found,
            app,
            redirect_uri=callback_url(runtime.config, found.key),
            code=params["code"],
            verifier=sealed["verifier"],
        )
        return _store(runtime, caller, found, app, credentials, row.brand_id, sealed.get("form", {}))
    except IntegrationError as error:
        raise ConnectError(_sentence(found, error), provider) from error


def connect_with_secret(
    runtime: Runtime, caller: Caller, provider: str, brand_id: UUID | None, form: Mapping[str, str]
) -> list[UUID]:
    """Connects a provider whose credentials a person types. Raises ConnectError."""
    found = _provider(provider)
    if isinstance(found.auth, OAuth2):
        raise ConnectError(f"{found.name} is connected through its consent page.", provider)
    if missing := [field.label for field in found.form if field.required and not form.get(field.name, "").strip()]:
        raise ConnectError(f"{missing[0]} is missing.", provider)
    brand_id = _brand(runtime, caller, found, brand_id)
    try:
        return _store(runtime, caller, found, App(), dict(form), brand_id, form)
    except IntegrationError as error:
        raise ConnectError(_sentence(found, error), provider) from error


def disconnect(runtime: Runtime, caller: Caller, connection_id: UUID) -> bool:
    """Stops a connection, forgets its credentials here and revokes them at the provider. What was read stays; its open
    tasks stay too. Returns False when there is no such connection."""
    with runtime.db.tenant(caller.workspace_id) as session:
        found = connecting.forget(session, runtime.vault, caller, connection_id)
    if found is None:
        return False
    key, host, credentials = found
    provider = providers().get(key)  # a version without it may still be asked to let go
    if credentials and provider is not None and isinstance(provider.auth, OAuth2):
        try:
            oauth.revoke(provider, app_for(runtime, provider, host), credentials)
        except ConnectError:
            return True  # our registration is gone too: nothing is left to revoke with
    return True


def _brand(runtime: Runtime, caller: Caller, provider: AnyProvider, brand_id: UUID | None) -> UUID | None:
    with _plainly(provider), runtime.db.tenant(caller.workspace_id) as session:
        return connecting.brand_for(session, caller.workspace_id, brand_id, provider.kind)


@contextmanager
def _plainly(provider: AnyProvider) -> Iterator[None]:
    try:
        yield
    except PlainError as error:
        raise ConnectError(str(error), provider.key) from None


def _check_answer(provider: AnyProvider, params: Mapping[str, str]) -> None:
    if params.get("error") == "access_denied":
        raise ConnectError(
            f"{provider.name} was not connected, because the consent was refused. Nothing has changed.", provider.key
        )
    if params.get("error"):
        raise ConnectError(
            f"{provider.name} did not grant access ({params['error'][:60]}). Try again, or check our registration there.",
            provider.key,
        )
    issuer = provider.auth.issuer if isinstance(provider.auth, OAuth2) else None
    if issuer and params.get("iss") not in (None, issuer):
        raise ConnectError(
            "The answer came from another server than the one you were sent to. Nothing was connected.", provider.key
        )
    if not params.get("code"):
        raise ConnectError(f"{provider.name} came back without an answer. Start again from Connections.", provider.key)


def _sentence(provider: AnyProvider, error: IntegrationError) -> str:
    if isinstance(error, TemporaryError):
        return f"{provider.name} is not answering at the moment. Try again in a few minutes."
    if isinstance(error, InvalidRequestError):
        return f"{error}. Check the client id and secret with `warmline providers set {provider.key}`."
    if isinstance(error, PermissionDeniedError):
        return f"{provider.name} did not allow it: {error}. Connect again and leave every permission ticked."
    return f"{provider.name} was not connected: {error}."


def _issue(
    runtime: Runtime, caller: Caller, stage: str, provider: str, *, sealed: Mapping[str, Any], **columns: Any
) -> str:
    token = secrets.token_urlsafe(32)
    with runtime.db.globally() as session:
        session.add(
            OAuthState(
                token_hash=digest(token),
                stage=stage,
                workspace_id=caller.workspace_id,
                session_hash=caller.session_hash,
                provider=provider,
                host="",
                sealed=runtime.vault.seal(sealed, "oauth_states", digest(token).hex()),
                expires_at=real_now() + LIFETIME,
                used_at=None,
                **columns,
            )
        )
    return token


def _unseal(runtime: Runtime, token: str, row: OAuthState) -> dict[str, Any]:
    return runtime.vault.open(row.sealed, "oauth_states", digest(token).hex()) if row.sealed else {}


def _spend(runtime: Runtime, stage: str, token: str) -> OAuthState:
    now = real_now()
    with runtime.db.globally() as session:
        row = session.scalars(
            update(OAuthState)
            .where(OAuthState.token_hash == digest(token), OAuthState.stage == stage, OAuthState.used_at.is_(None))
            .values(used_at=now)
            .returning(OAuthState)
        ).one_or_none()
        if row is None:
            raise ConnectError("This consent was not started here, or was used already. Start again from Connections.")
        if row.expires_at < now:
            raise ConnectError("This consent took longer than ten minutes. Start again from Connections.", row.provider)
        session.expunge(row)
    return row


def _store(
    runtime: Runtime,
    caller: Caller,
    provider: AnyProvider,
    app: App,
    credentials: Mapping[str, Any],
    brand_id: UUID | None,
    form: Mapping[str, str],
) -> list[UUID]:
    access = Access(hosts=oauth.hosts(provider, app), credentials=credentials, options=dict(form), now=business_now)
    made = []
    for account, options in _accounts(provider, access):
        with _plainly(provider), runtime.db.tenant(caller.workspace_id) as session:
            made.append(
                connecting.save(
                    session,
                    runtime.vault,
                    caller,
                    provider,
                    account.author,
                    brand_id=brand_id,
                    credentials=account.credentials or credentials,
                    options={**form, **account.options, **options},
                    host=account.host,
                )
            )
    if not made:
        raise ConnectError(f"{provider.name} showed no account that can be connected.", provider.key)
    return made


def _accounts(provider: AnyProvider, access: Access) -> Sequence[tuple[Account, Mapping[str, Any]]]:
    found = provider.accounts(access) if provider.accounts else [Account(provider.client(access).whoami())]
    prepared = []
    for account in found:
        client = provider.client(
            Access(
                hosts=access.hosts,
                credentials=account.credentials or access.credentials,
                account=account.author,
                options=access.options,
                now=access.now,
            )
        )
        prepare = getattr(client, "prepare", None)  # only CRMs have something to prepare
        prepared.append((account, prepare() if prepare else {}))
    return prepared
