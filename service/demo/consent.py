"""Connects the sandbox's accounts as a person would: console, consent page, callback."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import requests
from sqlalchemy import select

from integrations import consents
from integrations.registry import AnyProvider, providers
from service import accounts, connect, registrations
from service.accounts import Caller
from service.console import cookies
from service.demo.sandbox import Sandbox
from service.errors import PlainError
from service.models import Brand, Connection
from service.runtime import Runtime

CLIENT = "warmline-sandbox-client"


@dataclass(frozen=True)
class Visitor:
    """Somebody who is signed in."""

    runtime: Runtime
    caller: Caller
    cookie: str = field(repr=False)


def visit(runtime: Runtime, email: str) -> Visitor:
    """Signs in as this person."""
    link = accounts.signin_link(runtime.db, email, runtime.config.base_url)
    cookie = accounts.sign_in(runtime.db, link.rsplit("/", 1)[1])
    caller = accounts.caller_of_session(runtime.db, cookie) if cookie else None
    if cookie is None or caller is None:
        raise PlainError(f"{email} could not be signed in.")
    return Visitor(runtime, caller, cookie)


def register(runtime: Runtime, sandbox: Sandbox) -> list[AnyProvider]:
    """Registers us with the sandbox for every provider that it speaks for, and sends that provider's calls there."""
    spoken = []
    for provider in providers().values():
        secret = f"secret-of-{provider.key}-in-the-sandbox"
        callback = registrations.callback_url(runtime.config, provider.key)
        if consents.way(provider).needs_app and sandbox.register(provider.key, CLIENT, secret, callback):
            hosts = dict.fromkeys(provider.hosts, f"{sandbox.url}/{provider.key}")
            registrations.set_app(runtime, provider.key, CLIENT, secret, hosts)
            if provider.webhook is not None:
                here = f"http://127.0.0.1:{runtime.config.port}"
                sandbox.settings(hint_url=f"{here}/hooks/{provider.key}", hint_secret=secret)
            spoken.append(provider)
    return spoken


def connected(visitor: Visitor) -> set[tuple[str, str]]:
    """(provider, handle) of what is connected already."""
    with visitor.runtime.db.tenant(visitor.caller.workspace_id) as session:
        rows = session.execute(
            select(Connection.provider, Connection.handle).where(
                Connection.workspace_id == visitor.caller.workspace_id, Connection.status == "active"
            )
        )
        return {(row[0], row[1]) for row in rows}


def brand(visitor: Visitor, name: str, colleagues: list[str]) -> UUID:
    """The brand of this name, made if need be; the one that every workspace begins with takes the first name. `colleagues`
    are handles of people who answer for it, with the network in front ("x:ana")."""
    workspace_id = visitor.caller.workspace_id
    with visitor.runtime.db.tenant(workspace_id) as session:
        rows = {row.name: row for row in session.scalars(select(Brand).where(Brand.workspace_id == workspace_id))}
        first = rows.get(visitor.caller.workspace_name) if len(rows) == 1 else None
        row = rows.get(name) or first or Brand(workspace_id=workspace_id)
        row.name, row.colleagues = name, [handle.lower() for handle in colleagues]
        session.add(row)
        session.flush()
        return row.id


def connect_account(
    visitor: Visitor, sandbox: Sandbox, provider: AnyProvider, account: str, brand_id: UUID | None
) -> None:
    """Through the real pages: ticket, consent page, callback. Raises PlainError with the page's own sentence."""
    url = connect.start(visitor.runtime, visitor.caller, provider=provider.key, brand_id=brand_id)
    with requests.Session() as browser:
        browser.trust_env = False
        browser.headers["Cookie"] = (
            f"{cookies.name_under(visitor.runtime.config.base_url, cookies.SESSION)}={visitor.cookie}"
        )
        leaving = browser.get(url, allow_redirects=False, timeout=30)
        if leaving.status_code not in (302, 303):
            raise PlainError(
                f"{provider.name} could not be connected: the way to its consent page is closed ({leaving.status_code})."
            )
        back = sandbox.consent(leaving.headers["Location"], account)
        arrived = browser.get(back, allow_redirects=False, timeout=60)
    if arrived.status_code not in (302, 303):
        raise PlainError(
            f"{provider.name} could not be connected for {account} ({arrived.status_code}). See the log of web."
        )
