"""Our registrations with providers, and what a step of signing in or a client needs to know because of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, delete, select
from sqlalchemy.dialects.postgresql import insert

from integrations import consents, forms, hosts
from integrations.consents import Way
from integrations.provider import Access, App, Credentials, Setting
from integrations.registry import AnyProvider, providers
from service.config import Config
from service.errors import PlainError
from service.models import Connection, ProviderApp
from service.runtime import Runtime
from service.sealed import APPS


class ConnectError(PlainError):
    """Why an account could not be connected: one sentence, safe to show to whoever tried."""

    def __init__(self, sentence: str, provider: str = "") -> None:
        super().__init__(sentence)
        self.provider = provider


def provider_named(key: str) -> AnyProvider:
    """The provider with this key. Raises ConnectError."""
    try:
        return providers()[key]
    except KeyError:
        raise ConnectError(f"Warmline has no provider named {key!r}. It has {', '.join(providers())}.", key) from None


def callback_url(config: Config, provider: str, server: str = "") -> str:
    """Where a provider sends people back to. Each `server` that we have a registration of its own with has an address of its own: none of
    them can pass off an answer that was meant for another (RFC 9700, 4.4.2.2: servers that people name do not name themselves)."""
    return f"{config.base_url}/oauth/{provider}/callback" + (f"/{server}" if server else "")


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
    """Stores our registration with a provider; with one of its servers, if it has many and `host` names one. `hosts` override the
    provider's own addresses (a sandbox); `options` are fields of its `app_form`. Raises ConnectError for one that it does not have."""
    found = provider_named(provider)
    known = [field.name for field in found.app_form]
    if unknown := [name for name in options or {} if name not in known]:
        raise ConnectError(f"{found.name} has no option {unknown[0]!r}. It has {', '.join(known) or 'none'}.", provider)
    app = App(client_id, client_secret, dict(hosts or {}), dict(options or {}))
    row = _row(runtime, found.key, host, app)
    with runtime.db.globally() as session:
        statement = insert(ProviderApp).values(provider=found.key, host=host, **row)
        session.execute(statement.on_conflict_do_update(index_elements=["provider", "host"], set_=row))


def app_for(runtime: Runtime, provider: AnyProvider, host: str = "") -> App:
    """Our registration with this provider: that with the server `host`, else the one for all of them. Raises ConnectError when
    there is none and whoever runs Warmline has to make one."""
    return _known(consents.way(provider), _stored(runtime, provider.key, host)).app


def is_ready(runtime: Runtime, provider: AnyProvider) -> bool:
    """Whether the provider's own way in can be used: it needs no registration, or has one."""
    if not consents.way(provider).needs_app:
        return True
    with runtime.db.globally() as session:
        return session.scalar(select(ProviderApp.host).where(ProviderApp.provider == provider.key).limit(1)) is not None


def forget_app(runtime: Runtime, provider: str, host: str, *, by_a_person: bool = False) -> bool:
    """Drops our registration with a server; where Warmline registers itself, the next consent there makes another. Returns whether there
    was one to drop: what a person made, only a person drops."""
    known = _stored(runtime, provider, host)
    if known is None or not (known.callback or by_a_person):
        return False
    with runtime.db.globally() as session:
        gone = session.execute(
            delete(ProviderApp)
            .where(
                ProviderApp.provider == provider,
                ProviderApp.host == host,
                ProviderApp.client_id == known.app.client_id,
            )
            .returning(ProviderApp.host)
        )
        return gone.first() is not None


# --- settings of a sign-in ------------------------------------------------------------------------------------


def setting_for(runtime: Runtime, way: Way, form: Mapping[str, str]) -> Setting:
    """What the steps of this way in need to know, for what was typed into its form (as `forms.read` returns it). Calls nobody.
    Raises ConnectError where a registration is missing."""
    known = _known(way, _stored(runtime, way.provider.key, forms.server(way.form, form)))
    return _setting(runtime.config, way, known, form)


def registered(runtime: Runtime, way: Way, form: Mapping[str, str]) -> Setting:
    """As `setting_for`; where the provider lets programs register themselves with the server that `form` names, and we have not yet (or
    the server has forgotten us since), that is done first. Raises ConnectError and `integrations.errors`."""
    if way.register is None:
        return setting_for(runtime, way, form)
    provider, host = way.provider, forms.server(way.form, form)
    callback = callback_url(runtime.config, provider.key, host)
    known = _stored(runtime, provider.key, host)
    if known is not None and known.callback in ("", callback):
        setting = _setting(runtime.config, way, known, form)
        ours = not known.callback or way.knows is None or way.knows(setting)
        if ours and not consents.foreign_server(way, setting):  # one that is for all servers is for none
            return setting
    app = way.register(_setting(runtime.config, way, _Stored(App(), callback, host), form))
    return _setting(runtime.config, way, _keep(runtime, provider.key, host, app, callback, known), form)


def setting_of(runtime: Runtime, row: Connection, found: Found | None = None) -> tuple[Way, Setting]:
    """The way by which a connection came in, and its setting. `found` is our registration where that was looked up already. Raises
    ConnectError."""
    way, typed = _way_of(row)
    if found is None:
        return way, setting_for(runtime, way, typed)
    return way, _setting(runtime.config, way, _known(way, _opened(runtime, found.row)), typed)


def server_of(row: Connection) -> str:
    """The server that a connection is with, as far as registrations go by it; "" where there is only one. Raises ConnectError."""
    way, typed = _way_of(row)
    return forms.server(way.form, typed)


def _way_of(row: Connection) -> tuple[Way, dict[str, str]]:
    provider = provider_named(row.provider)
    way = next((each for each in consents.ways(provider) if each.key == row.way), None)
    if way is None:
        raise ConnectError(f"{provider.name} cannot be connected in this way any more. Connect it again.", provider.key)
    return way, {field.name: str(row.options[field.name]) for field in way.form if field.name in row.options}


def access(setting: Setting, credentials: Credentials, **more: Any) -> Access:
    """What a client needs to speak with these credentials. `more` are further fields of `Access`."""
    return Access(
        hosts=setting.hosts,
        credentials=credentials,
        guarded=setting.guarded,
        allow_hosts=setting.allow_hosts,
        app=setting.app,
        base_url=setting.base_url,
        **more,
    )


def _setting(config: Config, way: Way, known: _Stored, form: Mapping[str, str]) -> Setting:
    provider = way.provider
    return Setting(
        app=known.app,
        hosts=hosts.resolve(provider, known.app, form),
        form=dict(form),
        base_url=config.base_url,
        redirect_uri=callback_url(config, provider.key, known.host),
        guarded=bool(hosts.host_fields(provider)),
        allow_hosts=(*config.allow_hosts, *hosts.trusted(known.app)),
        registered_with=known.host,
    )


# --- rows -----------------------------------------------------------------------------------------------------


def _known(way: Way, found: _Stored | None) -> _Stored:
    if found is None and way.needs_app:
        name, key = way.provider.name, way.provider.key
        raise ConnectError(
            f"{name} is not set up here yet. Whoever runs Warmline registers it with `warmline providers set {key}`.",
            key,
        )
    return found or _Stored(App())


@dataclass(frozen=True)
class _Stored:
    app: App
    callback: str = ""  # the address that a registration of our own making was made for; "": a person made it
    host: str = ""  # the server that it is with; "": it is for all of them


@dataclass(frozen=True)
class Found:
    """What there is of a registration with a provider, sealed as it is stored."""

    row: ProviderApp | None


def with_server(provider: str | BindParameter[str], host: str | BindParameter[str]) -> ColumnElement[bool]:
    """Registrations that serve for this server: its own and the one for all. Its own comes first, by host downwards."""
    return and_(ProviderApp.provider == provider, ProviderApp.host.in_(("", host)))


def _stored(runtime: Runtime, provider: str, host: str) -> _Stored | None:
    chosen = select(ProviderApp).where(with_server(provider, host)).order_by(ProviderApp.host.desc()).limit(1)
    with runtime.db.globally() as session:
        row = session.scalar(chosen)
    return _opened(runtime, row)


def _opened(runtime: Runtime, row: ProviderApp | None) -> _Stored | None:
    if row is None:
        return None
    opened = runtime.vault.open(row.sealed, *APPS.place(row.provider, row.host))
    app = App(row.client_id, opened["client_secret"], row.hosts, opened.get("options", {}))
    return _Stored(app, str(opened.get("callback", "")), row.host)


def _row(runtime: Runtime, provider: str, host: str, app: App, callback: str = "") -> dict[str, Any]:
    sealed = {"client_secret": app.client_secret, "options": dict(app.options), "callback": callback}
    return {
        "client_id": app.client_id,
        "hosts": dict(app.hosts),
        "sealed": runtime.vault.seal(sealed, *APPS.place(provider, host)),
    }


def _keep(runtime: Runtime, provider: str, host: str, app: App, callback: str, known: _Stored | None) -> _Stored:
    """Stores a registration of our own making in the place of `known`. Of two that were made at once the first one stays, since a
    consent may be on its way with it."""
    row = _row(runtime, provider, host, app, callback)
    with runtime.db.globally() as session:
        statement = insert(ProviderApp).values(provider=provider, host=host, **row)
        stored = session.scalar(
            statement.on_conflict_do_update(
                index_elements=["provider", "host"],
                set_=row,
                where=ProviderApp.client_id == (known.app.client_id if known else None),
            ).returning(ProviderApp.client_id)
        )
    made = _Stored(app, callback, host)
    return made if stored is not None else _stored(runtime, provider, host) or made
