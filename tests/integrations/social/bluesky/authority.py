"""Whoever signs people in, in memory, for `responses`: the PLC directory, a resolver of handles, a server (PDS) and its
authorization server. It checks what the real one checks: proofs with nonces, PKCE, codes and refresh tokens that are good once."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses
from joserfc import jwt
from joserfc.jwk import ECKey

from integrations.provider import App, Setting
from integrations.social.bluesky import registration
from integrations.social.bluesky.dpop import b64url
from tests.integrations.social.bluesky.wire import BOB, HOSTS, PDS, US, proof_of

ISSUER = "https://entry.example"
BASE = "https://warmline.example"
CALLBACK = f"{BASE}/oauth/bluesky/callback"
Reply = tuple[int, dict[str, str], str]
JSON = {"Content-Type": "application/json"}


def setting(base: str = BASE, private_key: str = "", **form: str) -> Setting:
    app = App(options={"private_key": private_key} if private_key else {})
    return Setting(app, HOSTS, form, base, f"{base}/oauth/bluesky/callback", True)


@dataclass
class Authority:
    """`knows`: handle -> DID. `documents`: DID -> document. `app` is what our own documents are rendered from."""

    app: App = field(default_factory=App)
    knows: dict[str, str] = field(default_factory=lambda: {US.handle: US.id, "bob.example": BOB})
    trusts: dict[str, str] = field(default_factory=lambda: {PDS: ISSUER})  # PDS -> its authorization server
    older: bool = False  # knows no scopes but the first ones
    signs_in: str = US.id
    nonces: list[str] = field(default_factory=lambda: ["nonce-1"])  # the last one is good
    pushed: dict[str, dict[str, str]] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refresh: str = ""  # the one token that is good
    key: str = ""  # the thumbprint that tokens are bound to
    revoked: list[str] = field(default_factory=list)
    sent: list[requests.PreparedRequest] = field(default_factory=list)
    replies: dict[str, Reply] = field(default_factory=dict)  # path -> what it answers instead
    answer: dict[str, Any] = field(default_factory=dict)  # what tokens come with, instead
    _serial: int = 0

    def __post_init__(self) -> None:
        self.documents = {did: self.document(did, handle) for handle, did in self.knows.items()}

    def document(self, did: str, handle: str, pds: str = PDS) -> dict[str, Any]:
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": pds}
        return {"id": did, "alsoKnownAs": [f"at://{handle}"], "service": [service]}

    def serve(self, mock: responses.RequestsMock) -> None:
        for host in (HOSTS["plc"], HOSTS["appview"], ISSUER, *self.trusts):
            self.at(mock, host)

    def at(self, mock: responses.RequestsMock, host: str) -> None:
        # What the account reads through its server is `Wire`'s.
        mock.add_callback(responses.GET, re.compile(re.escape(host) + r"/(?!xrpc/(app|chat)\.)"), self._answer)
        mock.add_callback(responses.POST, re.compile(re.escape(host) + "/oauth/"), self._answer)

    def consent(self, authorize_url: str, **instead: str) -> dict[str, str]:
        """What a person does at the authorization page. Returns the query of the callback."""
        query = {name: value[0] for name, value in parse_qs(urlsplit(authorize_url).query).items()}
        asked = self.pushed[query["request_uri"]]
        assert query["client_id"] == asked["client_id"]
        self._serial += 1
        code = f"the-code-that-is-good-once-{self._serial}"
        self.codes[code] = asked
        return {"state": asked["state"], "iss": ISSUER, "code": code, **instead}

    def forms(self, path: str) -> list[dict[str, str]]:
        return [_form(each) for each in self.sent if urlsplit(str(each.url)).path == path]

    # --- what it answers ------------------------------------------------------------------------------------------

    def _answer(self, request: requests.PreparedRequest) -> Reply:
        self.sent.append(request)
        call = urlsplit(str(request.url))
        if call.path in self.replies:
            return self.replies[call.path]
        routes: dict[str, Callable[[requests.PreparedRequest], Reply]] = {
            "/.well-known/oauth-protected-resource": self._resource,
            "/.well-known/oauth-authorization-server": self._metadata,
            "/xrpc/com.atproto.identity.resolveHandle": self._resolve,
            "/oauth/par": self._push,
            "/oauth/token": self._token,
            "/oauth/revoke": self._revoke,
        }
        return routes.get(call.path, self._document)(request)

    def _document(self, request: requests.PreparedRequest) -> Reply:
        found = self.documents.get(urlsplit(str(request.url)).path.removeprefix("/"))
        return _said(404, error="not found") if found is None else (200, JSON, json.dumps(found))

    def _resolve(self, request: requests.PreparedRequest) -> Reply:
        handle = parse_qs(urlsplit(str(request.url)).query)["handle"][0]
        if handle not in self.knows:
            return _said(400, error="InvalidRequest", message="Unable to resolve handle")
        return _said(200, did=self.knows[handle])

    def _resource(self, request: requests.PreparedRequest) -> Reply:
        call = urlsplit(str(request.url))
        here = f"{call.scheme}://{call.netloc}"
        if here not in self.trusts:
            return 404, {"Content-Type": "text/html"}, "<html>"
        return _said(200, resource=here, authorization_servers=[self.trusts[here]])

    def _metadata(self, request: requests.PreparedRequest) -> Reply:
        call = urlsplit(str(request.url))
        here = f"{call.scheme}://{call.netloc}"
        return _said(
            200,
            issuer=here,
            authorization_endpoint=f"{here}/oauth/authorize",
            token_endpoint=f"{here}/oauth/token",
            pushed_authorization_request_endpoint=f"{here}/oauth/par",
            revocation_endpoint=f"{here}/oauth/revoke",
        )

    def _push(self, request: requests.PreparedRequest) -> Reply:
        refused, form = self._unproven(request), _form(request)
        if refused:
            return refused
        assert form["redirect_uri"]
        assert form["response_type"] == "code"
        assert form["code_challenge_method"] == "S256"
        if self.older and "rpc:" in form["scope"]:
            return _said(400, error="invalid_scope", error_description="Unknown scope")
        self._serial += 1
        name = f"urn:ietf:params:oauth:request_uri:req-{self._serial}"
        self.pushed[name] = {**form, "jkt": self.key}
        return _said(201, request_uri=name, expires_in=299)

    def _token(self, request: requests.PreparedRequest) -> Reply:
        refused, form = self._unproven(request), _form(request)
        if refused:
            return refused
        if form["grant_type"] == "refresh_token":
            good, self.refresh = self.refresh, ""
            if form["refresh_token"] != good:
                return _said(400, error="invalid_grant", error_description="Refresh token replayed")
            return self._granted("atproto")
        asked = self.codes.pop(form["code"], None)
        if asked is None:
            return _said(400, error="invalid_grant", error_description="Invalid code")
        assert b64url(hashlib.sha256(form["code_verifier"].encode()).digest()) == asked["code_challenge"]
        assert form["redirect_uri"] == asked["redirect_uri"]
        assert self.key == asked["jkt"], "another key than that of the pushed request"
        return self._granted(asked["scope"])

    def _granted(self, scope: str) -> Reply:
        self._serial += 1
        self.refresh = f"refresh-token-{self._serial}-for-tests"
        body = {
            "access_token": f"access-token-{self._serial}-for-tests",
            "refresh_token": self.refresh,
            "token_type": "DPoP",
            "scope": scope,
            "expires_in": 3600,
            "sub": self.signs_in,
        }
        return _said(200, **{**body, **self.answer})

    def _revoke(self, request: requests.PreparedRequest) -> Reply:
        refused = self._unproven(request)
        if refused:
            return refused
        self.revoked.append(_form(request)["token"])
        return 200, JSON, ""

    def _unproven(self, request: requests.PreparedRequest) -> Reply | None:
        """A refusal, where the proof lacks the newest nonce; then whether the client is who it says."""
        claims = proof_of(request)
        if claims.get("nonce") != self.nonces[-1]:
            status, headers, body = _said(
                400, error="use_dpop_nonce", error_description="Authorization server requires nonce"
            )
            return status, {**headers, "DPoP-Nonce": self.nonces[-1]}, body
        header = json.loads(_decoded(str(request.headers["DPoP"]).split(".")[0]))
        self.key = ECKey.import_key(header["jwk"]).thumbprint()
        return self._who(_form(request))

    def _who(self, form: dict[str, str]) -> Reply | None:
        if form["client_id"].startswith("http://localhost"):
            return None
        document = json.loads(registration.metadata(BASE, self.app))
        assert form["client_id"] == document["client_id"]
        if document["token_endpoint_auth_method"] == "none":
            return None
        keys = {key["kid"]: key for key in json.loads(registration.jwks(BASE, self.app))["keys"]}
        header = json.loads(_decoded(form["client_assertion"].split(".")[0]))
        claims = jwt.decode(
            form["client_assertion"], ECKey.import_key(keys[header["kid"]]), algorithms=["ES256"]
        ).claims
        assert claims["aud"] == ISSUER
        assert claims["iss"] == claims["sub"] == document["client_id"]
        return None


@contextmanager
def consenting() -> Iterator[tuple[Setting, Callable[[str], dict[str, str]]]]:
    """A setting in which an account was typed, and what a person does at the page that a consent leads to."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        asked = Authority()
        asked.serve(mock)
        yield setting(account=US.handle), asked.consent


def _said(status: int, **body: Any) -> Reply:
    return status, JSON, json.dumps(body)


def _form(request: requests.PreparedRequest) -> dict[str, str]:
    body = request.body or ""
    return {name: value[0] for name, value in parse_qs(body.decode() if isinstance(body, bytes) else str(body)).items()}


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
