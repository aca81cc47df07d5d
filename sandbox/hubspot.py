"""HubSpot's API: who is calling, what they may, and the endpoints beside records."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from sandbox.clock import iso
from sandbox.hubspot_errors import HubSpotError, conflict, missing_scopes, too_many, unauthorized, validation
from sandbox.hubspot_properties import ALIASES, KINDS, Property, add_property, drop_property, properties, shown
from sandbox.limits import Room
from sandbox.oauth import EXPIRED, Grant, OAuthError
from sandbox.state import PORTAL_ID, sandbox

api = Blueprint("hubspot", __name__, url_prefix="/hubspot")

OBJECTS, OTHERS = "2026-09", "2026-03"
# developers.hubspot.com, "API usage guidelines": an OAuth app's limits for one account; search has its own and no headers.
TEN_SECONDS, DAILY, SEARCHES_PER_SECOND = 110, 650_000, 5
DAY = 24 * 60 * 60
READ, WRITE = ("crm.objects.contacts.read",), ("crm.objects.contacts.write",)
READ_SCHEMA, WRITE_SCHEMA = ("crm.schemas.contacts.read", "crm.objects.contacts.read"), ("crm.schemas.contacts.write",)
READ_OWNERS = ("crm.objects.owners.read",)


def admit(scopes: Sequence[str] = (), *, search: bool = False) -> Grant:
    """Whose call this is, once token, windows and scopes (one of `scopes` will do) are in order. Raises HubSpotError."""
    state = sandbox()
    try:
        grant = state.oauth.authenticate("hubspot", request.headers.get("Authorization"))
    except OAuthError as error:
        raise unauthorized(expired=error.reason == EXPIRED) from error
    if search:
        if not state.windows.take(("hubspot", "search"), SEARCHES_PER_SECOND, 1).allowed:
            raise too_many("SECONDLY")
    else:
        _spend(
            state.windows.take(("hubspot", "daily"), DAILY, DAY),
            state.windows.take(("hubspot", "ten"), TEN_SECONDS, 10),
        )
    if scopes and not set(scopes) & set(grant.scopes):
        raise missing_scopes(scopes)
    return grant


def _spend(daily: Room, ten: Room) -> None:
    g.rate_headers = rate_headers(ten.remaining, daily.remaining)
    if not daily.allowed:
        raise too_many("DAILY", g.rate_headers)
    if not ten.allowed:
        raise too_many("TEN_SECONDLY_ROLLING", g.rate_headers)


def rate_headers(remaining: int, daily: int = DAILY) -> dict[str, str]:
    second = TEN_SECONDS // 10
    values = {
        "Max": TEN_SECONDS, "Remaining": remaining, "Interval-Milliseconds": 10_000, "Daily": DAILY, "Daily-Remaining": daily,
        "Secondly": second, "Secondly-Remaining": min(second, remaining),
    }  # fmt: skip
    return {f"X-HubSpot-RateLimit-{name}": str(value) for name, value in values.items()}


@api.after_request
def _headers(response: Response) -> Response:
    for name, value in g.pop("rate_headers", {}).items():
        response.headers[name] = value
    return response


@api.errorhandler(HubSpotError)
def _error(error: HubSpotError) -> Response:
    return error.response


# -- what the calls bring


def type_of(name: str) -> str:
    """Our name of the object type that a path names. Raises HubSpotError."""
    if name not in ALIASES:
        raise HubSpotError(
            400, {"message": f"Unable to infer object type from: {name}", "category": "VALIDATION_ERROR"}
        )
    return ALIASES[name]


def body() -> dict[str, Any]:
    given = request.get_json(silent=True)
    if not isinstance(given, dict):
        raise validation("Invalid input JSON on line 1, column 1: an object is expected")
    return given


def limit_of(default: int, largest: int) -> int:
    text = request.args.get("limit", str(default))
    if not text.isdigit() or not 1 <= int(text) <= largest:
        raise validation(f"limit must be between 1 and {largest}")
    return int(text)


def after_of() -> int:
    text = request.args.get("after") or "0"
    if not text.isdigit() or len(text) > 18:
        raise validation("after must be the value of paging.next.after of the page before")
    return int(text)


def truth_of(name: str) -> bool:
    text = request.args.get(name, "false").lower()
    if text not in ("true", "false"):
        raise validation(f"{name} must be true or false")
    return text == "true"


def paging(after: object) -> dict[str, Any]:
    link = re.sub(r"[?&]after=[^&]*", "", request.full_path.rstrip("?"))
    return {"next": {"after": str(after), "link": f"{link}{'&' if '?' in link else '?'}after={after}"}}


# -- account, owners, properties


@api.get(f"/account-info/{OTHERS}/details")
def details() -> Response:
    admit()
    return jsonify(
        portalId=PORTAL_ID, accountType="DEVELOPER_TEST", timeZone="UTC", companyCurrency="EUR", additionalCurrencies=[],
        utcOffset="+00:00", utcOffsetMilliseconds=0, uiDomain=request.host, dataHostingLocation="local",
    )  # fmt: skip


@api.get(f"/crm/owners/{OTHERS}")
@api.get(f"/crm/owners/{OTHERS}/")
def owners() -> Response:
    admit(READ_OWNERS)
    size = limit_of(100, 500)
    rows = sandbox().store.read().execute(
        "SELECT * FROM owners WHERE id > ? AND archived = ? AND (? IS NULL OR email = ? COLLATE NOCASE) ORDER BY id LIMIT ?",
        (after_of(), truth_of("archived"), request.args.get("email"), request.args.get("email"), size + 1),
    ).fetchall()  # fmt: skip
    results = [
        {
            "id": str(row["id"]), "email": row["email"], "firstName": row["first_name"], "lastName": row["last_name"],
            "type": "PERSON", "userId": row["id"], "userIdIncludingInactive": row["id"], "archived": bool(row["archived"]),
            "createdAt": iso(row["created_at"]), "updatedAt": iso(row["created_at"]), "teams": [],
        }
        for row in rows[:size]
    ]  # fmt: skip
    return jsonify({"results": results, **({"paging": paging(rows[size - 1]["id"])} if len(rows) > size else {})})


@api.get(f"/crm/properties/{OTHERS}/<kind>")
def list_properties(kind: str) -> Response:
    admit(READ_SCHEMA)
    return jsonify(results=[shown(one) for one in properties(sandbox().store.read(), type_of(kind)).values()])


@api.get(f"/crm/properties/{OTHERS}/<kind>/<name>")
def get_property(kind: str, name: str) -> Response:
    admit(READ_SCHEMA)
    found = properties(sandbox().store.read(), type_of(kind)).get(name)
    if found is None:
        raise HubSpotError(404, {"message": f"Property {name} does not exist", "category": "OBJECT_NOT_FOUND"})
    return jsonify(shown(found))


@api.delete(f"/crm/properties/{OTHERS}/<kind>/<name>")
def delete_property(kind: str, name: str) -> tuple[str, int]:
    admit(WRITE_SCHEMA)
    with sandbox().store.write() as db:
        drop_property(db, type_of(kind), name)
    return "", 204


@api.post(f"/crm/properties/{OTHERS}/<kind>")
def create_property(kind: str) -> tuple[Response, int]:
    admit(WRITE_SCHEMA)
    given, type_ = body(), type_of(kind)
    missing = [name for name in ("name", "label", "type", "fieldType", "groupName") if not given.get(name)]
    if missing:
        raise validation(f"Invalid input JSON: {missing[0]} is missing")
    name = str(given["name"])
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", name):
        raise validation(f"Property name {name[:120]!r} is not valid: lower-case letters, digits and _, a letter first")
    if given["type"] not in KINDS:
        raise validation(f"Invalid property type {given['type']!r}")
    unique = given.get("hasUniqueValue") is True
    if unique and not sandbox().settings["unique_properties"]:
        message = "This account can't have more properties with unique values for this object type"
        raise HubSpotError(403, {"message": message, "category": "FORBIDDEN"})
    new = Property(
        name, str(given["label"]), str(given["type"]), str(given["fieldType"]), unique=unique, custom=True,
        description=str(given.get("description") or ""), group=str(given["groupName"]), created_at=sandbox().stamps.next(),
    )  # fmt: skip
    with sandbox().store.write() as db:
        if name in properties(db, type_):
            raise conflict(f"A property named '{name}' already exists.")
        add_property(db, type_, new)
    return jsonify(shown(new)), 201
