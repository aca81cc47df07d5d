"""Who we are to an authorization server: in atproto a client is known by the address of a document that it serves.

| Warmline's address | client | sessions |
|---|---|---|
| https, a private key is set | confidential: signs with the key (RFC 7523) | as long as they are used |
| https | public | two weeks |
| http on 127.0.0.1 | the client for development that the protocol knows, without a document | two weeks |
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from integrations.errors import InvalidRequestError
from integrations.provider import Access, App, Setting

KEY = "bluesky"
METADATA = "client-metadata.json"
JWKS = "jwks.json"

# The least that reads what we read: one permission for one method each, and nothing that writes (https://atproto.com/specs/permission).
# "aud" is which service may be asked through the PDS; a PDS may be set to another AppView than Bluesky's.
READ = tuple(
    f"rpc:{method}?aud=*"
    for method in (
        "app.bsky.actor.getProfile",
        "app.bsky.feed.getAuthorFeed",
        "app.bsky.feed.getPostThread",
        "app.bsky.feed.getPosts",
        "app.bsky.notification.listNotifications",
    )
)
CHAT = tuple(f"rpc:{method}?aud=*" for method in ("chat.bsky.convo.getMessages", "chat.bsky.convo.listConvos"))
SCOPES = ("atproto", *READ, *CHAT)
# What servers from before these permissions know instead. They allow much more, so they are asked for only where SCOPES is not understood.
OLDER_SCOPES = ("atproto", "transition:generic", "transition:chat.bsky")
COVERS = {"transition:generic": READ, "transition:chat.bsky": CHAT}

_ENDS = (
    "Bluesky ends this consent two weeks after it was given, because it came without a private key of ours. Whoever runs Warmline sets one "
    "(`warmline providers set bluesky --option private_key=@FILE`); connect the account again then."
)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_PEM = re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL)


def covered(granted: str) -> str:
    """The granted scopes, and those that they hold without naming them."""
    scopes = granted.split()
    return " ".join(dict.fromkeys([*scopes, *(each for scope in scopes for each in COVERS.get(scope, ()))]))


def client_id(setting: Setting) -> str:
    """Our client id. Raises InvalidRequestError where Warmline's own address is one that no server accepts."""
    base = urlsplit(setting.base_url)
    if base.hostname in _LOOPBACK:
        if urlsplit(setting.redirect_uri).hostname == "localhost":
            raise InvalidRequestError(
                "Bluesky sends people back to 127.0.0.1, not to localhost: open Warmline under that address, and set WARMLINE_URL to it"
            )
        scope = quote(" ".join(_all_scopes()), safe="")
        return f"http://localhost?redirect_uri={quote(setting.redirect_uri, safe='')}&scope={scope}"
    if base.scheme != "https":
        raise InvalidRequestError("Bluesky connects only to a Warmline that has an https address (WARMLINE_URL)")
    return _address(setting.base_url, METADATA)


def authentication(setting: Setting, issuer: str, kid: str = "") -> dict[str, str]:
    """What a request to `issuer` carries to show that it comes from us: our id, signed where we have a key. `kid` names the
    key that a session began with; servers hold it to that one."""
    found = {"client_id": client_id(setting)}
    key = signing_key(setting, kid)
    if key is None:
        return found
    now = int(time.time())
    claims = {
        "iss": found["client_id"],
        "sub": found["client_id"],
        "aud": issuer,
        "jti": secrets.token_urlsafe(24),
        "iat": now,
        "exp": now + 60,
    }
    signed = jwt.encode({"alg": "ES256", "kid": key.thumbprint()}, claims, key)
    return {**found, "client_assertion_type": _ASSERTION, "client_assertion": signed}


def signing_key(setting: Setting, kid: str = "") -> ECKey | None:
    """The key to sign with: the one named, else the first; None for a public client. The development client is always public."""
    if urlsplit(setting.base_url).hostname in _LOOPBACK:
        return None
    keys = keys_of(setting.app)
    return next((key for key in keys if key.thumbprint() == kid), keys[0] if keys else None)


def keys_of(app: App) -> tuple[ECKey, ...]:
    """Our private keys. Several may stand one after the other: the first signs, the others are still good for sessions that began with them.
    Raises InvalidRequestError for one that cannot be read."""
    text = str(app.options.get("private_key") or "").replace("\\n", "\n").strip()
    blocks = _PEM.findall(text)
    try:
        keys = tuple(ECKey.import_key(block) for block in blocks)
        usable = bool(keys) and all(key.curve_name == "P-256" and key.is_private for key in keys)
    except (JoseError, ValueError, TypeError):
        usable = False
    if text and not usable:
        raise InvalidRequestError("The private key for Bluesky is not an EC key of the curve P-256 in PEM format")
    return keys if text else ()


def check(access: Access) -> Sequence[str]:
    """See `Provider.check`: whether a consent has an end that somebody can do something about."""
    public = "dpop_key" in access.credentials and not access.credentials.get("client_key")
    if not public or urlsplit(access.base_url).hostname in _LOOPBACK:
        return ()
    return (_ENDS,)


def metadata(base_url: str, app: App) -> str:
    """The client metadata document (https://atproto.com/specs/oauth#clients)."""
    document: dict[str, Any] = {
        "client_id": _address(base_url, METADATA),
        "client_name": "Warmline",
        "client_uri": base_url,
        "application_type": "web",
        "redirect_uris": [f"{base_url}/oauth/{KEY}/callback"],
        "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": " ".join(_all_scopes()),
        "dpop_bound_access_tokens": True,
        "token_endpoint_auth_method": "none",
    }
    if keys_of(app):
        document |= {
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "jwks_uri": _address(base_url, JWKS),
        }
    return json.dumps(document, indent=2)


def jwks(base_url: str, app: App) -> str:
    """The public halves of our keys."""
    keys: list[Mapping[str, Any]] = [
        {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": "ES256"} for key in keys_of(app)
    ]
    return json.dumps({"keys": keys}, indent=2)


def _all_scopes() -> tuple[str, ...]:
    return tuple(dict.fromkeys([*SCOPES, *OLDER_SCOPES]))


def _address(base_url: str, document: str) -> str:
    return f"{base_url}/.well-known/warmline/{KEY}/{document}"
