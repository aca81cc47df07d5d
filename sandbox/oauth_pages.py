"""Consent pages and token endpoints, as each vendor has them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox import x_errors
from sandbox.hubspot_errors import HubSpotError, bad_client, bad_grant
from sandbox.network import find_account
from sandbox.oauth import App, Issued, OAuthError
from sandbox.state import PORTAL_ID, sandbox

pages = Blueprint("oauth", __name__)

X_SCOPES = {
    "tweet.read": "Read posts, mentions and replies that the account can see",
    "users.read": "See the account’s profile, and profiles of others",
    "dm.read": "Read the account’s direct messages",
    "offline.access": "Stay connected until access is withdrawn",
}
HUBSPOT_SCOPES = {
    "oauth": "Know which HubSpot account this is",
    "crm.objects.contacts.read": "Read contacts, and the calls, meetings, e-mails, notes and tasks logged with them",
    "crm.objects.contacts.write": "Create and change contacts and tasks",
    "crm.objects.owners.read": "See who works here and can own records",
    "crm.schemas.contacts.read": "See which fields contacts and tasks have",
    "crm.schemas.contacts.write": "Add a field to contacts and tasks",
    "crm.objects.companies.read": "Read companies",
    "crm.objects.companies.write": "Create and change companies",
    "crm.schemas.companies.read": "See which fields companies have",
    "sales-email-read": "Read the text of logged e-mails",
    "crm.lists.read": "See lists",
    "tickets": "Read and change tickets",
}


@dataclass(frozen=True)
class Vendor:
    """How one vendor asks for consent."""

    provider: str
    name: str
    scopes: Mapping[str, str]
    accounts: bool  # the person chooses which account to connect
    needs: tuple[str, ...] = ()  # parameters beyond client_id and redirect_uri
    fixed: Mapping[str, str] = field(default_factory=dict)


X = Vendor(
    "x",
    "X",
    X_SCOPES,
    True,
    ("state", "scope", "code_challenge"),
    {"response_type": "code", "code_challenge_method": "S256"},
)
HUBSPOT = Vendor("hubspot", "HubSpot", HUBSPOT_SCOPES, False, ("scope",))


@pages.route("/x/i/oauth2/authorize", methods=["GET", "POST"])
def x_authorize() -> AnyResponse:
    return authorize(X)


@pages.route("/hubspot/oauth/authorize", methods=["GET", "POST"])
def hubspot_authorize() -> AnyResponse:
    return authorize(HUBSPOT)


def authorize(vendor: Vendor) -> AnyResponse:
    """Shows the consent page, and takes the answer. Where app or address are wrong nobody is sent anywhere."""
    app = sandbox().oauth.app(vendor.provider)
    asked = request.args
    if app is None:
        return refusal(vendor, f"No app is registered with this sandbox for {vendor.name} yet.")
    if asked.get("client_id") != app.client_id:
        return refusal(vendor, "This app’s client ID is not known here. Check the client ID in the app’s settings.")
    if asked.get("redirect_uri") not in app.redirect_uris:
        return refusal(
            vendor, "The address to return to is not registered with this app. Add it to the app’s settings."
        )
    scopes = asked.get("scope", "").split() + asked.get("optional_scope", "").split()
    problem = _problem(vendor, scopes)
    if problem:
        return back(asked["redirect_uri"], error=problem[0], error_description=problem[1], state=asked.get("state"))
    if request.method == "GET":
        return consent_page(vendor, scopes)
    return decide(vendor, app, scopes)


def _problem(vendor: Vendor, scopes: list[str]) -> tuple[str, str] | None:
    missing = [name for name in vendor.needs if not request.args.get(name)]
    if missing:
        return "invalid_request", f"{missing[0]} is missing"
    for name, value in vendor.fixed.items():
        if request.args.get(name) != value:
            return "invalid_request", f"{name} must be {value}"
    unknown = [scope for scope in scopes if scope not in vendor.scopes]
    return ("invalid_scope", f"{unknown[0]} is not a scope") if unknown else None


def decide(vendor: Vendor, app: App, scopes: list[str]) -> AnyResponse:
    asked, decision = request.args, request.form.get("decision")
    if decision == "refuse":
        return back(asked["redirect_uri"], error="access_denied", state=asked.get("state"))
    if decision != "allow":
        return consent_page(vendor, scopes, "Choose to allow or to refuse.")
    account = PORTAL_ID
    if vendor.accounts:
        row = find_account(sandbox().store.read(), request.form.get("account", ""))
        if row is None:
            return consent_page(vendor, scopes, "Choose the account to connect.")
        account = row["id"]
    code = sandbox().oauth.issue_code(app, account, scopes, asked["redirect_uri"], asked.get("code_challenge"))
    return back(asked["redirect_uri"], code=code, state=asked.get("state"))


def consent_page(vendor: Vendor, scopes: list[str], problem: str = "") -> AnyResponse:
    brands = (
        sandbox()
        .store.read()
        .execute("SELECT * FROM accounts WHERE brand = 1 ORDER BY handle_key LIMIT 500")
        .fetchall()
    )
    target = urlsplit(request.args["redirect_uri"])
    html = render_template(
        "consent.html", vendor=vendor, scopes=[vendor.scopes[scope] for scope in scopes], brands=brands, problem=problem,
        app_name=request.args.get("app_name") or "Warmline", target=target.netloc, portal=PORTAL_ID,
    )  # fmt: skip
    response = make_response(html, 400 if problem else 200)
    # A form's answer is a redirect to the app, which form-action must allow too.
    response.headers["Content-Security-Policy-Form"] = f"'self' {target.scheme}://{target.netloc}"
    return response


def refusal(vendor: Vendor, sentence: str) -> AnyResponse:
    return make_response(render_template("refusal.html", vendor=vendor, sentence=sentence), 400)


def back(redirect_uri: str, **parameters: str | None) -> AnyResponse:
    given = {name: value for name, value in parameters.items() if value is not None}
    return redirect(redirect_uri + ("&" if "?" in redirect_uri else "?") + urlencode(given))


# -- X's token endpoint


@pages.errorhandler(x_errors.XError)
def _x_error(error: x_errors.XError) -> Response:
    return error.response


def x_client() -> str:
    """The client id of a Basic header (RFC 6749, 2.3.1). Raises XError."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    try:
        client_id, colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        client_id, colon, secret = "", "", ""
    if scheme.lower() != "basic" or not colon:
        raise x_errors.oauth(401, "unauthorized_client", "Missing valid authorization header")
    if not sandbox().oauth.client_ok("x", client_id, secret):
        raise x_errors.oauth(401, "invalid_client", "Client authentication failed")
    return client_id


@pages.post("/x/2/oauth2/token")
def x_token() -> AnyResponse:
    client_id, form, oauth = x_client(), request.form, sandbox().oauth
    kind = form.get("grant_type")
    try:
        if kind == "authorization_code":
            scopes_of_code = oauth.code_scopes("x", form.get("code", ""))
            issued = oauth.redeem(
                "x", client_id, form.get("code", ""), form.get("redirect_uri", ""), verifier=form.get("code_verifier", ""),
                refreshable="offline.access" in scopes_of_code,
            )  # fmt: skip
        elif kind == "refresh_token":
            issued = oauth.refresh("x", client_id, form.get("refresh_token", ""), rotate=True)
        else:
            raise x_errors.oauth(
                400, "unsupported_grant_type", "grant_type must be authorization_code or refresh_token"
            )
    except OAuthError as error:
        # X says invalid_request where RFC 6749 (5.2) says invalid_grant; see plhery/node-twitter-api-v2#496.
        what = "authorization code" if kind == "authorization_code" else "token"
        raise x_errors.oauth(400, "invalid_request", f"Value passed for the {what} was invalid.") from error
    body: dict[str, Any] = {
        "token_type": "bearer", "expires_in": issued.expires_in, "access_token": issued.access_token,
        "scope": " ".join(issued.grant.scopes),
    }  # fmt: skip
    if issued.refresh_token:
        body["refresh_token"] = issued.refresh_token
    return private(jsonify(body))


@pages.post("/x/2/oauth2/revoke")
def x_revoke() -> AnyResponse:
    client_id = x_client()
    return private(jsonify(revoked=sandbox().oauth.revoke("x", client_id, request.form.get("token", ""))))


# -- HubSpot's token endpoint


@pages.errorhandler(HubSpotError)
def _hubspot_error(error: HubSpotError) -> Response:
    return error.response


def hubspot_client() -> str:
    client_id, secret = request.form.get("client_id", ""), request.form.get("client_secret", "")
    if not sandbox().oauth.client_ok("hubspot", client_id, secret):
        raise bad_client()
    return client_id


@pages.post("/hubspot/oauth/2026-03/token")
def hubspot_token() -> AnyResponse:
    client_id, form, oauth = hubspot_client(), request.form, sandbox().oauth
    kind, refresh_token = form.get("grant_type", ""), form.get("refresh_token", "")
    try:
        if kind == "authorization_code":
            issued = oauth.redeem(
                "hubspot", client_id, form.get("code", ""), form.get("redirect_uri", ""), refreshable=True
            )  # fmt: skip
        elif kind == "refresh_token":
            issued = oauth.refresh("hubspot", client_id, refresh_token, rotate=False)
        else:
            raise bad_grant("BAD_GRANT_TYPE", "unsupported_grant_type", "missing or unknown grant type")
    except OAuthError as error:
        status, words = (
            ("BAD_AUTH_CODE", "auth code") if kind == "authorization_code" else ("BAD_REFRESH_TOKEN", "refresh token")
        )
        raise bad_grant(status, "invalid_grant", f"missing or invalid {words}") from error
    return private(jsonify(hubspot_tokens(issued, issued.refresh_token or refresh_token)))


def hubspot_tokens(issued: Issued, refresh_token: str) -> dict[str, Any]:
    return {
        "token_type": "bearer", "access_token": issued.access_token, "refresh_token": refresh_token,
        "expires_in": issued.expires_in, "hub_id": issued.grant.account_id, "user_id": 1,
        "scopes": list(issued.grant.scopes),
    }  # fmt: skip


@pages.post("/hubspot/oauth/2026-03/token/revoke")
def hubspot_revoke() -> AnyResponse:
    client_id = hubspot_client()
    sandbox().oauth.revoke("hubspot", client_id, request.form.get("token", ""))
    return private(make_response("", 204))


def private(response: AnyResponse) -> AnyResponse:
    """Tokens are nobody's to keep on the way (RFC 6749, 5.1)."""
    response.headers["Cache-Control"] = "no-store"
    return response
