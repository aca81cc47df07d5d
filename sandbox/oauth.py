"""Codes, tokens and grants of both vendors. Secrets are kept as hashes; times are real, in seconds."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.store import Store

CODE_SECONDS = 30.0  # X gives a code 30 seconds; HubSpot about as long


@dataclass(frozen=True)
class App:
    """What a developer has registered with a vendor."""

    provider: str
    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]


@dataclass(frozen=True)
class Grant:
    """One person's consent to one app."""

    id: int
    provider: str
    account_id: int
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Issued:
    access_token: str
    refresh_token: str | None
    expires_in: int
    grant: Grant


class OAuthError(Exception):
    """Why a code or token was not honoured; `reason` is one of the constants below."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


UNKNOWN, EXPIRED, REVOKED, SPENT, MISMATCH, BAD_VERIFIER = (
    "unknown",
    "expired",
    "revoked",
    "spent",
    "mismatch",
    "verifier",
)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _grant(row: sqlite3.Row) -> Grant:
    return Grant(row["grant_id"], row["provider"], row["account_id"], tuple(row["scopes"].split()))


class OAuth:
    """The authorization server behind both vendors' endpoints. `lifetime` answers an access token's seconds."""

    def __init__(self, store: Store, lifetime: Callable[[str], int], clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._lifetime = lifetime
        self._clock = clock

    # -- apps

    def register(self, app: App) -> None:
        with self._store.write() as db:
            db.execute(
                "INSERT OR REPLACE INTO apps VALUES (?, ?, ?, ?)",
                (app.provider, app.client_id, app.client_secret, json.dumps(app.redirect_uris)),
            )

    def app(self, provider: str) -> App | None:
        row = self._store.read().execute("SELECT * FROM apps WHERE provider = ?", (provider,)).fetchone()
        return row and App(
            row["provider"], row["client_id"], row["client_secret"], tuple(json.loads(row["redirect_uris"]))
        )

    def client_ok(self, provider: str, client_id: str, client_secret: str) -> bool:
        app = self.app(provider)
        if app is None or app.client_id != client_id:
            return False
        return hmac.compare_digest(app.client_secret.encode(), client_secret.encode())

    # -- codes

    def issue_code(
        self, app: App, account_id: int, scopes: Sequence[str], redirect_uri: str, challenge: str | None = None
    ) -> str:
        code = secrets.token_urlsafe(48)
        with self._store.write() as db:
            db.execute(
                "INSERT INTO codes VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (
                    _hash(code), app.provider, app.client_id, redirect_uri, account_id, " ".join(scopes), challenge,
                    self._clock() + CODE_SECONDS,
                ),
            )  # fmt: skip
        return code

    def redeem(
        self,
        provider: str,
        client_id: str,
        code: str,
        redirect_uri: str,
        *,
        verifier: str | None = None,
        refreshable: bool,
    ) -> Issued:
        """Tokens for a code. A code presented twice revokes what it gave (RFC 6749, 4.1.2). Raises OAuthError."""
        error: str | None = None
        with self._store.write() as db:
            row = db.execute("SELECT * FROM codes WHERE hash = ? AND provider = ?", (_hash(code), provider)).fetchone()
            if row is None:
                error = UNKNOWN
            elif row["grant_id"] is not None:
                db.execute("UPDATE grants SET revoked = 1 WHERE id = ?", (row["grant_id"],))
                error = SPENT
            elif row["expires_at"] <= self._clock():
                error = EXPIRED
            elif row["client_id"] != client_id or row["redirect_uri"] != redirect_uri:
                error = MISMATCH
            elif row["challenge"] is not None and not hmac.compare_digest(
                row["challenge"], challenge_of(verifier or "")
            ):
                error = BAD_VERIFIER
            if error is None:
                cursor = db.execute(
                    "INSERT INTO grants (provider, client_id, account_id, scopes) VALUES (?, ?, ?, ?)",
                    (provider, client_id, row["account_id"], row["scopes"]),
                )
                grant = Grant(cursor.lastrowid or 0, provider, row["account_id"], tuple(row["scopes"].split()))
                db.execute("UPDATE codes SET grant_id = ? WHERE hash = ?", (grant.id, row["hash"]))
                return self._issue(db, grant, refreshable=refreshable)
        raise OAuthError(error)

    def code_scopes(self, provider: str, code: str) -> tuple[str, ...]:
        row = self._store.read().execute(
            "SELECT scopes FROM codes WHERE hash = ? AND provider = ?", (_hash(code), provider)
        ).fetchone()  # fmt: skip
        return tuple(row[0].split()) if row else ()

    # -- tokens

    def refresh(self, provider: str, client_id: str, token: str, *, rotate: bool) -> Issued:
        """New tokens for a refresh token. With `rotate` it is single-use, and a replay ends the whole family,
        access tokens included: whoever replays may be a thief, and so may whoever came first. Raises OAuthError."""
        error: str | None = None
        with self._store.write() as db:
            row = db.execute(
                "SELECT t.hash, t.spent, g.id AS grant_id, g.provider, g.client_id, g.account_id, g.scopes, g.revoked "
                "FROM tokens t JOIN grants g ON g.id = t.grant_id WHERE t.hash = ? AND t.kind = 'refresh' AND g.provider = ?",
                (_hash(token), provider),
            ).fetchone()
            if row is None:
                error = UNKNOWN
            elif row["client_id"] != client_id:
                error = MISMATCH
            elif row["revoked"]:
                error = REVOKED
            elif row["spent"]:
                db.execute("UPDATE grants SET revoked = 1 WHERE id = ?", (row["grant_id"],))
                error = SPENT
            if error is None:
                if rotate:
                    db.execute("UPDATE tokens SET spent = 1 WHERE hash = ?", (row["hash"],))
                return self._issue(db, _grant(row), refreshable=rotate)
        raise OAuthError(error)

    def _issue(self, db: sqlite3.Connection, grant: Grant, *, refreshable: bool) -> Issued:
        lifetime = self._lifetime(grant.provider)
        access, refresh = secrets.token_urlsafe(48), secrets.token_urlsafe(48) if refreshable else None
        db.execute(
            "INSERT INTO tokens VALUES (?, ?, 'access', ?, 0)", (_hash(access), grant.id, self._clock() + lifetime)
        )
        if refresh is not None:
            db.execute("INSERT INTO tokens VALUES (?, ?, 'refresh', NULL, 0)", (_hash(refresh), grant.id))
        db.execute(
            "DELETE FROM tokens WHERE grant_id = ? AND kind = 'access' AND expires_at < ?",
            (grant.id, self._clock() - 24 * 60 * 60),
        )
        return Issued(access, refresh, lifetime, grant)

    def authenticate(self, provider: str, authorization: str | None) -> Grant:
        """Whose call this is, by its Authorization header. Raises OAuthError."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise OAuthError(UNKNOWN)
        row = self._store.read().execute(
            "SELECT t.expires_at, g.id AS grant_id, g.provider, g.account_id, g.scopes, g.revoked FROM tokens t "
            "JOIN grants g ON g.id = t.grant_id WHERE t.hash = ? AND t.kind = 'access' AND g.provider = ?",
            (_hash(token.strip()), provider),
        ).fetchone()  # fmt: skip
        if row is None:
            raise OAuthError(UNKNOWN)
        if row["revoked"]:
            raise OAuthError(REVOKED)
        if row["expires_at"] <= self._clock():
            raise OAuthError(EXPIRED)
        return _grant(row)

    def revoke(self, provider: str, client_id: str, token: str) -> bool:
        """Ends the grant that `token`, of either kind, belongs to. False where there is none."""
        with self._store.write() as db:
            found = db.execute(
                "UPDATE grants SET revoked = 1 WHERE provider = ? AND client_id = ? AND id = "
                "(SELECT grant_id FROM tokens WHERE hash = ?)",
                (provider, client_id, _hash(token)),
            )
            return found.rowcount > 0

    def expire_all(self, provider: str) -> None:
        """Every access token of the provider is out of date; refresh tokens still work."""
        with self._store.write() as db:
            db.execute(
                "UPDATE tokens SET expires_at = 0 WHERE kind = 'access' AND grant_id IN "
                "(SELECT id FROM grants WHERE provider = ?)",
                (provider,),
            )

    def revoke_all(self, provider: str) -> None:
        """Every consent to the provider's app is withdrawn, as a person does in the vendor's settings."""
        with self._store.write() as db:
            db.execute("UPDATE grants SET revoked = 1 WHERE provider = ?", (provider,))
