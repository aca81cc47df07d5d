"""The second way in: an app password, which the account's own server turns into a session."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from integrations.errors import AuthenticationError, NotFoundError, UnexpectedResponseError
from integrations.http import Session, parse_json
from integrations.provider import Credentials, Setting
from integrations.social.bluesky import identity
from integrations.social.bluesky.calls import retry_after, sentence, session_refusal


def sign_in(setting: Setting, typed: Credentials) -> Credentials:
    """A session for `handle` (or a DID) and `password`, at the server that holds the account."""
    text = str(typed.get("handle") or "").strip()
    who = text if identity.is_did(text) else identity.handle(text)
    if who is None:
        raise NotFoundError("That is not a handle, such as acme.bsky.social")
    account = identity.Directory(setting.hosts, setting.allow_hosts).find(who)
    body = {"identifier": account.did, "password": str(typed.get("password") or "").strip()}
    answer = _post(_session(setting, account.pds, secrets=[body["password"]]), "com.atproto.server.createSession", body)
    return {**_kept(answer, account.did), "pds": account.pds}


def refresh(setting: Setting, credentials: Credentials) -> Credentials:
    """A new session for the old one's refresh token, which is then spent."""
    session = _session(setting, str(credentials["pds"]), token=str(credentials["refresh_token"]))
    answer = _post(session, "com.atproto.server.refreshSession", None)
    return {**credentials, **_kept(answer, str(credentials["did"]))}


def revoke(setting: Setting, credentials: Credentials) -> None:
    """Ends the session. The app password itself stays: only its owner can remove it. Raises `integrations.errors`."""
    session = _session(setting, str(credentials["pds"]), token=str(credentials["refresh_token"]))
    session.request("POST", "/xrpc/com.atproto.server.deleteSession")


def _session(setting: Setting, base: str, token: str | None = None, secrets: Sequence[str] = ()) -> Session:
    told_to_nobody = [*secrets, *([token] if token else [])]
    return Session(
        base,
        token=token,
        secrets=secrets,
        guarded=True,
        allow=setting.allow_hosts,
        most=identity.MOST,
        says=sentence,
        retry_after=retry_after,
        classify=partial(session_refusal, secrets=told_to_nobody),
    )


def _post(session: Session, method: str, body: Mapping[str, str] | None) -> Mapping[str, Any]:
    answer = parse_json(session.request("POST", f"/xrpc/{method}", json=body))
    if not isinstance(answer, dict) or not answer.get("accessJwt") or not answer.get("refreshJwt"):
        raise UnexpectedResponseError("the server signed us in without giving a session")
    return answer


def _kept(answer: Mapping[str, Any], did: str) -> dict[str, Any]:
    if answer.get("did") != did:
        raise AuthenticationError("the server signed us in to another account")
    token, expires_at = str(answer["accessJwt"]), _expiry(str(answer["accessJwt"]))
    return {
        "access_token": token,
        "refresh_token": str(answer["refreshJwt"]),
        "expires_at": expires_at.isoformat() if expires_at else None,
        "did": did,
    }


def _expiry(token: str) -> datetime | None:
    """When a session's token ends, by its own claim; None where it does not say: then the server's refusal tells."""
    try:
        claims = token.split(".")[1]
        return datetime.fromtimestamp(
            json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"], UTC
        )
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, OSError, RecursionError):
        return None
