"""Who somebody is: a handle leads to a DID, a DID to its document, the document to the server (PDS) that holds the account.

Every one of these is said by somebody else, so every host is reached through the peer-checked session, and what a handle claims counts
only if the DID's own document says the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from integrations.errors import IntegrationError, InvalidRequestError, NotFoundError, UnexpectedResponseError
from integrations.foreign import objects, words
from integrations.http import Session, parse_json

MOST = 1024 * 1024  # bytes: more than any document about an account or a server

# https://atproto.com/specs/handle and https://atproto.com/specs/did: at most 253 and 2048 characters.
_HANDLE = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_PLC = re.compile(r"did:plc:[a-z2-7]{24}", re.ASCII)
_WEB = re.compile(r"did:web:([a-zA-Z0-9.-]{1,253})(%3A[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True)
class Account:
    """A DID, and the address of the server that holds the account."""

    did: str
    pds: str


def is_did(text: str) -> bool:
    """Whether this is a DID of a kind that atproto has: did:plc, or did:web without a path."""
    return bool(_PLC.fullmatch(text) or _WEB.fullmatch(text))


def handle(text: str) -> str | None:
    """The handle that somebody typed, without @ and in lower case, or None where it cannot be one."""
    name = text.strip().removeprefix("@").rstrip(".").lower()
    return name if _HANDLE.fullmatch(name) else None


def origin(address: str, allow: tuple[str, ...]) -> str:
    """Scheme, host and port of a server's address. Raises InvalidRequestError for one that is not https, unless its host is in `allow`."""
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError:
        raise InvalidRequestError("That is not the address of a server") from None
    host = parts.hostname or ""
    if not host or parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        raise InvalidRequestError("That is not the address of a server")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in allow):
        raise InvalidRequestError(f"{host} is not reached by https, so it is not called")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")


class Directory:
    """Looks people up. `hosts` has the PLC directory (`plc`) and a server that resolves handles (`appview`)."""

    def __init__(self, hosts: Mapping[str, str], allow: tuple[str, ...]) -> None:
        self._hosts = hosts
        self._allow = allow

    def find(self, who: str) -> Account:
        """The account with this handle or DID. Raises NotFoundError where there is none, or where its DID does not own up to the handle."""
        if is_did(who):
            return self._account(who, self._document(who))
        did = self._did(who)
        document = self._document(did)
        if f"at://{who}" not in [each.lower() for each in words(document.get("alsoKnownAs"))]:
            raise NotFoundError(f"The account behind {who} goes by another handle. Type that one, or the account's DID")
        return self._account(did, document)

    def _did(self, name: str) -> str:
        """By the resolver; where that does not know the handle, by the file that its domain may serve."""
        for ask in (self._resolved, self._well_known):
            try:
                did = ask(name)
            except (NotFoundError, InvalidRequestError, UnexpectedResponseError):
                continue
            if is_did(did):
                return did
        raise NotFoundError(f"There is no account with the handle {name}. Check the spelling")

    def _resolved(self, name: str) -> str:
        session = self._session(self._hosts["appview"])
        answer = session.get("/xrpc/com.atproto.identity.resolveHandle", handle=name)
        return str(answer.get("did")) if isinstance(answer, dict) else ""

    def _well_known(self, name: str) -> str:
        try:
            response = self._session(f"https://{name}").request("GET", "/.well-known/atproto-did")
        except IntegrationError as error:  # most domains serve no such file, and some nothing at all
            raise NotFoundError(f"{name} names no account") from error
        return response.content[:2048].decode("utf-8", "replace").strip()

    def _document(self, did: str) -> Mapping[str, Any]:
        web = _WEB.fullmatch(did)
        if web is None:
            base, path = self._hosts["plc"], f"/{did}"
        else:
            host = web[1] + unquote(web[2] or "")
            base, path = f"{'http' if web[1] in self._allow else 'https'}://{host}", "/.well-known/did.json"
        try:
            document = parse_json(self._session(base).request("GET", path))
        except NotFoundError:
            raise NotFoundError(f"There is no account {did} (any more)") from None
        if not isinstance(document, dict) or document.get("id") != did:
            raise UnexpectedResponseError(f"the document of {did} is about somebody else")
        return document

    def _account(self, did: str, document: Mapping[str, Any]) -> Account:
        for service in objects(document.get("service")):
            if service.get("id") in ("#atproto_pds", f"{did}#atproto_pds"):
                return Account(did, origin(str(service.get("serviceEndpoint")), self._allow))
        raise NotFoundError(f"{did} has no server that holds its account")

    def _session(self, base: str) -> Session:
        return Session(base, guarded=True, allow=self._allow, most=MOST)
