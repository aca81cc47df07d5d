"""The servers that sign people in: which one a PDS trusts, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from integrations import foreign
from integrations.errors import InvalidRequestError, UnexpectedResponseError
from integrations.http import Session
from integrations.provider import Setting
from integrations.social.bluesky import identity


@dataclass(frozen=True)
class Server:
    """An authorization server, by its metadata document (RFC 8414)."""

    issuer: str
    authorize: str
    token: str
    pushed: str
    revoke: str | None


def issuer_of(setting: Setting, pds: str) -> str:
    """The address of the one authorization server that a PDS trusts (RFC 9728)."""
    document = session(setting, pds).get("/.well-known/oauth-protected-resource")
    servers = document.get("authorization_servers") if isinstance(document, dict) else None
    if not isinstance(servers, list) or not servers:
        raise UnexpectedResponseError(f"{urlsplit(pds).hostname} does not say which server signs people in")
    return identity.origin(str(servers[0]), setting.allow_hosts)


def server(setting: Setting, issuer: str) -> Server:
    """The authorization server at this address, by its own description. Raises UnexpectedResponseError for one that calls itself
    otherwise, InvalidRequestError for one whose endpoints are not to be called."""
    document = session(setting, issuer).get("/.well-known/oauth-authorization-server")
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        raise UnexpectedResponseError(
            f"{urlsplit(issuer).hostname} does not describe itself as a server that signs people in"
        )

    def endpoint(name: str) -> str:
        address = str(document.get(name) or "")
        if not address.isprintable() or " " in address:  # a browser is sent there, by a header of ours
            raise InvalidRequestError("That is not the address of a server")
        parts = foreign.address(address)
        identity.origin(f"{parts.scheme}://{parts.netloc}", setting.allow_hosts)
        return address

    return Server(
        issuer,
        endpoint("authorization_endpoint"),
        endpoint("token_endpoint"),
        endpoint("pushed_authorization_request_endpoint"),
        endpoint("revocation_endpoint") if document.get("revocation_endpoint") else None,
    )


def session(setting: Setting, base: str, **more: Any) -> Session:
    """A session to a server that somebody else named."""
    return Session(base, guarded=True, allow=setting.allow_hosts, most=identity.MOST, **more)
