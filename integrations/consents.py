"""The ways in to a provider, whatever their kind: how credentials are got, renewed and given back.

The kinds are a table, so that nobody else has to know which there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from integrations import foreign, hosts, oauth
from integrations.errors import InvalidRequestError
from integrations.provider import App, Auth, Begun, Consent, Credentials, FormField, Secret, Setting
from integrations.registry import AnyProvider

MAIN, ALSO = "", "also"  # keys of a provider's ways, as a connection keeps them


Register = Callable[[Setting], App]
Knows = Callable[[Setting], bool]


class ForeignServerError(InvalidRequestError):
    """Our registration is not for the server that was named. Nothing was sent."""


@dataclass(frozen=True)
class Way:
    """One way in to a provider: its `auth` with `form`, or `also` with `also_form`."""

    provider: AnyProvider
    key: str
    auth: Auth
    form: tuple[FormField, ...]

    @property
    def on_page(self) -> bool:
        """Whether people consent on a page of the provider's; else they type credentials."""
        return _KINDS[self.auth.kind].on_page

    @property
    def needs_app(self) -> bool:
        """Whether whoever runs Warmline has to register it with the provider before anybody can connect."""
        return _KINDS[self.auth.kind].needs_app(self.auth)

    @property
    def register(self) -> Register | None:
        """Makes our registration with a server that was named, where the provider lets programs do that."""
        return _KINDS[self.auth.kind].register(self.auth)

    @property
    def knows(self) -> Knows | None:
        """Whether the server still knows a registration that `register` made, where it can be asked."""
        return _KINDS[self.auth.kind].knows(self.auth)

    @property
    def has_app(self) -> bool:
        """Whether its steps show a registration of ours, whoever makes that."""
        return self.needs_app or self.register is not None

    @property
    def domains(self) -> tuple[str, ...]:
        """Where a registration that is for all servers may be shown; see `Consent.domains`."""
        return _KINDS[self.auth.kind].domains(self.auth)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the consent asks for, and what it asks for without insisting."""
        return _KINDS[self.auth.kind].scopes(self.auth)

    @property
    def reuses_token(self) -> bool:
        """Whether connections of the same account hold the same token."""
        return _KINDS[self.auth.kind].reuses_token(self.auth)

    @property
    def renews(self) -> bool:
        """Whether credentials can be renewed without a person."""
        return _KINDS[self.auth.kind].renews(self.auth)


def ways(provider: AnyProvider) -> tuple[Way, ...]:
    """All of them, the provider's own first."""
    main = Way(provider, MAIN, provider.auth, provider.form)
    return (main,) if provider.also is None else (main, Way(provider, ALSO, provider.also, provider.also_form))


def way(provider: AnyProvider, key: str = MAIN) -> Way:
    """The way with this key. Raises KeyError."""
    return {each.key: each for each in ways(provider)}[key]


def foreign_server(way: Way, setting: Setting) -> str:
    """The server that somebody named and that our registration is not for, since it is neither at the manifest's `domains` nor the one that
    the registration was made with; "" where there is none. Shown our secret, it could keep it, and it could pass off another server's
    answer, which comes to the same address, as its own (RFC 9700, 4.4)."""
    if not way.has_app:
        return ""
    for key, servers in hosts.named(way.provider, way.form, setting.app, setting.form).items():
        if servers != {setting.registered_with} and not foreign.beneath(setting.hosts.get(key), way.domains):
            return min(servers)
    return ""


def check_server(way: Way, setting: Setting) -> None:
    """Before anything of our registration, or of what was consented to under it, is sent. Raises ForeignServerError."""
    server = foreign_server(way, setting)
    if server:
        raise ForeignServerError(
            f"our registration with {way.provider.name} is not for {server}, so nothing was sent there. Check the server's name. If it is the"
            f" right one, whoever runs Warmline registers it with `warmline providers set {way.provider.key} --server {server}`"
        )


def begin(way: Way, setting: Setting, state: str) -> Begun:
    """Where to send the person's browser, which comes back with this `state`. For a way with a page. Raises `integrations.errors`."""
    check_server(way, setting)
    return _KINDS[way.auth.kind].begin(way.provider.name, way.auth, setting, state)


def finish(way: Way, setting: Setting, kept: Mapping[str, Any], params: Mapping[str, str]) -> Credentials:
    """The credentials that a consent gives: from what `begin` kept and what the callback brought. Raises `integrations.errors`."""
    check_server(way, setting)
    return _KINDS[way.auth.kind].finish(way.provider.name, way.auth, setting, kept, params)


def refresh(way: Way, setting: Setting, credentials: Credentials) -> Credentials:
    """Renewed credentials, for a way that `renews`. May spend what it is given. Raises `integrations.errors`."""
    check_server(way, setting)
    return _KINDS[way.auth.kind].refresh(way.provider.name, way.auth, setting, credentials)


def revoke(way: Way, setting: Setting, credentials: Credentials) -> bool:
    """Gives credentials back. Returns whether the provider took notice. Raises `integrations.errors`."""
    check_server(way, setting)
    return _KINDS[way.auth.kind].revoke(way.provider.name, way.auth, setting, credentials)


# --- the kinds ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Kind:
    """What one kind of auth does; each function gets that kind's own record."""

    on_page: bool
    needs_app: Callable[[Any], bool]
    register: Callable[[Any], Register | None]
    knows: Callable[[Any], Knows | None]
    domains: Callable[[Any], tuple[str, ...]]
    scopes: Callable[[Any], tuple[str, ...]]
    renews: Callable[[Any], bool]
    reuses_token: Callable[[Any], bool]
    begin: Callable[[str, Any, Setting, str], Begun]
    finish: Callable[[str, Any, Setting, Mapping[str, Any], Mapping[str, str]], Credentials]
    refresh: Callable[[str, Any, Setting, Credentials], Credentials]
    revoke: Callable[[str, Any, Setting, Credentials], bool]


def _begin_own(name: str, auth: Consent, setting: Setting, state: str) -> Begun:
    return auth.begin(setting, state)


def _finish_own(
    name: str, auth: Consent, setting: Setting, kept: Mapping[str, Any], params: Mapping[str, str]
) -> Credentials:
    return auth.finish(setting, kept, params)


def _refresh_own(name: str, auth: Consent, setting: Setting, credentials: Credentials) -> Credentials:
    return auth.refresh(setting, credentials)


def _revoke_own(name: str, auth: Consent | Secret, setting: Setting, credentials: Credentials) -> bool:
    if auth.revoke is None:
        return False
    auth.revoke(setting, credentials)
    return True


def _no_page(name: str, auth: Secret, setting: Setting, state: str) -> Begun:
    raise TypeError(f"{name} has no consent page")


def _sign_in(
    name: str, auth: Secret, setting: Setting, kept: Mapping[str, Any], params: Mapping[str, str]
) -> Credentials:
    return auth.sign_in(setting, setting.form) if auth.sign_in else dict(setting.form)


def _renew_session(name: str, auth: Secret, setting: Setting, credentials: Credentials) -> Credentials:
    if auth.refresh is None:
        raise TypeError(f"what is typed for {name} cannot be renewed")
    return auth.refresh(setting, credentials)


_KINDS: Mapping[str, _Kind] = {
    "oauth2": _Kind(
        on_page=True,
        needs_app=lambda auth: auth.register is None,
        register=lambda auth: auth.register,
        knows=lambda auth: auth.knows,
        domains=lambda auth: auth.domains,
        scopes=lambda auth: (*auth.scopes, *auth.optional_scopes),
        renews=lambda auth: True,
        reuses_token=lambda auth: auth.reuses_token,
        begin=oauth.begin,
        finish=oauth.finish,
        refresh=oauth.refresh,
        revoke=oauth.revoke,
    ),
    "consent": _Kind(
        on_page=True,
        needs_app=lambda auth: auth.needs_app,
        register=lambda auth: None,
        knows=lambda auth: None,
        domains=lambda auth: auth.domains,
        scopes=lambda auth: tuple(auth.scopes),
        renews=lambda auth: True,
        reuses_token=lambda auth: False,
        begin=_begin_own,
        finish=_finish_own,
        refresh=_refresh_own,
        revoke=_revoke_own,
    ),
    "secret": _Kind(
        on_page=False,
        needs_app=lambda auth: False,
        register=lambda auth: None,
        knows=lambda auth: None,
        domains=lambda auth: (),
        scopes=lambda auth: (),
        renews=lambda auth: auth.refresh is not None,
        reuses_token=lambda auth: False,
        begin=_no_page,
        finish=_sign_in,
        refresh=_renew_session,
        revoke=_revoke_own,  # a session may be ended; nobody takes a password back
    ),
}
