"""BottleCRM's REST API: what its errors mean, and the calls that we make. Rows go in and out as JSON.

Facts from the source of `django-crm` 1.35 (MIT) and from a server of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import requests

from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedResponseError,
)
from integrations.http import Session, parse_json
from integrations.provider import Access

ROOT = "/api"
PAGE = 200  # rows of a page; BottleCRM itself sets no limit
CONTACTS = 50  # of contacts, which are long and come twice in one answer
INTERACTIONS = 200  # the most that it gives of one contact's in one answer

Row = Mapping[str, Any]

# A token that is not known, not known any more, or whose owner is gone, is a 403 like any other; only its words tell.
_NOT_KNOWN = (
    "invalid token",
    "token revoked or expired",
    "token owner or org is inactive",
    "organization context is required",
)
_SCOPE = "it needs the "


def session(access: Access) -> Session:
    """The session of one connection."""
    return Session(
        access.hosts["web"].rstrip("/") + ROOT,
        token=str(access.credentials.get("token") or ""),
        guarded=access.guarded,
        allow=access.allow_hosts,
        says=sentence,
        classify=_classify,
    )


# --- errors ---------------------------------------------------------------------------------------------------


def sentence(response: requests.Response) -> str:
    """BottleCRM's own sentences about a refusal, or ""."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(body, dict):
        return ""
    return _flat(body.get("errors") or body.get("detail") or "")


def _flat(value: object) -> str:
    """`{"title": ["This field may not be blank."]}` as a sentence."""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_flat(each)}" for name, each in value.items())
    if isinstance(value, list):
        return " ".join(_flat(each) for each in value)
    return str(value)


def _classify(response: requests.Response) -> IntegrationError | None:
    status, says = response.status_code, sentence(response)
    if status == 403 and says.lower().startswith(_NOT_KNOWN):
        return AuthenticationError(f"BottleCRM does not accept this token: {says}")
    if status == 403:
        scope = says.lower().partition(_SCOPE)[2].partition(" ")[0]
        return PermissionDeniedError(
            f"BottleCRM did not allow this: {says or 'it gave no reason'}", scope=scope or None
        )
    if status == 404 and "html" in response.headers.get("Content-Type", "").lower():
        return UnexpectedResponseError("BottleCRM does not answer at this address: a web server said 404.")
    if status == 404:
        return NotFoundError("BottleCRM does not have this record.")
    if status == 400:
        return InvalidRequestError(f"BottleCRM refused it: {says or 'it gave no reason'}")
    return None


# --- rows -----------------------------------------------------------------------------------------------------


def is_id(value: object) -> bool:
    """Whether this can be an id of BottleCRM's; any other is answered with a web page."""
    try:
        return isinstance(value, str) and str(UUID(value)) == value.lower()
    except ValueError:
        return False


def _has_id(row: Row) -> bool:
    return isinstance(row.get("id"), str) and bool(row["id"])


def listed(body: object, name: str) -> list[Row]:
    """The records of a list; a broken one is left out. Raises UnexpectedResponseError where there is no list, or not one is whole."""
    found = body.get(name) if isinstance(body, dict) else None
    if not isinstance(found, list):
        raise UnexpectedResponseError("BottleCRM answered without a list of records", sample=type(body).__name__)
    whole: list[Row] = [each for each in found if isinstance(each, dict) and _has_id(each)]
    if found and not whole:
        raise UnexpectedResponseError("BottleCRM answered with records that have no id", sample=f"{len(found)} rows")
    return whole


def one(body: object, name: str) -> Row:
    """The record of an answer. Raises UnexpectedResponseError where there is none."""
    found = body.get(name) if isinstance(body, dict) else None
    if not isinstance(found, dict) or not _has_id(found):
        raise UnexpectedResponseError("BottleCRM answered without a record", sample=type(body).__name__)
    return found


def done(body: object) -> None:
    """Raises UnexpectedResponseError unless BottleCRM says that it has done what it was asked."""
    if not isinstance(body, dict) or body.get("error") is not False:
        raise UnexpectedResponseError("BottleCRM did not say that it has done it", sample=type(body).__name__)


class API:
    """The calls that we make, and only calls. Raises `integrations.errors`."""

    def __init__(self, access: Access) -> None:
        self.http = session(access)

    def organization(self) -> Row:
        """The organization that the token belongs to: `id`, `name`, `timezone`, and more."""
        return one({"org": self.http.get("/org/settings/")}, "org")

    def me(self) -> Row:
        """Whom the token belongs to: `id`, `role`."""
        return one(self.http.get("/profile/"), "user_obj")

    # --- people -----------------------------------------------------------------------------------------------

    def contacts(self, offset: int, size: int = CONTACTS) -> list[Row]:
        """Some contacts, the newest first."""
        return listed(self.http.get("/contacts/", limit=size, offset=offset), "results")

    def contact(self, contact_id: str) -> Row:
        """One contact."""
        return one(self.http.get(f"/contacts/{contact_id}/"), "contact_obj")

    def update_contact(self, contact_id: str, values: Row) -> None:
        """Changes what is given, and nothing else."""
        done(self._write("PATCH", f"/contacts/{contact_id}/", values))

    def interactions(self, contact_id: str, offset: int) -> list[Row]:
        """Some of what was logged with a contact, the newest first."""
        params = {"contact": contact_id, "limit": INTERACTIONS, "offset": offset}
        return listed(self.http.get("/interactions/", **params), "interactions")

    def users(self, offset: int) -> tuple[list[Row], list[Row]]:
        """Some of those who are active, and of those who no longer are; for administrators only."""
        body = self.http.get("/users/", limit=PAGE, offset=offset)
        halves = body if isinstance(body, dict) else {}
        return (
            listed(halves.get("active_users"), "active_users"),
            listed(halves.get("inactive_users"), "inactive_users"),
        )

    def active_users(self) -> list[Row]:
        """All who are active."""
        return listed(self.http.get("/users/get-teams-and-users/"), "profiles")

    # --- tasks ------------------------------------------------------------------------------------------------

    def tasks(self, offset: int, size: int = PAGE, **filters: Any) -> list[Row]:
        """Some tasks that fit, by id, the greatest first. Without their text, contacts and fields of one's own."""
        return listed(self.http.get("/tasks/", limit=size, offset=offset, slim="true", **filters), "tasks")

    def task(self, task_id: str) -> Row:
        """One task, whole."""
        return one(self.http.get(f"/tasks/{task_id}/"), "task_obj")

    def create_task(self, values: Row) -> None:
        """Makes a task. BottleCRM does not say which one it is."""
        done(self.http.post("/tasks/", values))

    def update_task(self, task_id: str, values: Row) -> None:
        """Changes what is given, and nothing else. Safe to repeat."""
        done(self._write("PATCH", f"/tasks/{task_id}/", values))

    def delete_task(self, task_id: str) -> None:
        """Deletes a task; nothing happens where it is gone."""
        try:
            self.http.request("DELETE", f"/tasks/{task_id}/")
        except NotFoundError:
            return

    # --- what an administrator sets up ------------------------------------------------------------------------

    def fields(self, kind: str) -> list[Row]:
        """The fields that somebody added to contacts ("Contact") or tasks ("Task")."""
        return listed(self.http.get("/custom-fields/", target_model=kind, include_counts="false"), "definitions")

    def add_field(self, values: Row) -> None:
        """Adds a field."""
        self.http.post("/custom-fields/", values, write=False)

    def switch_field(self, field_id: str, *, on: bool) -> None:
        """Switches a field on or off. BottleCRM deletes none, so that old values stay readable."""
        path = f"/custom-fields/{field_id}/"
        if on:
            self._write("PUT", path, {"is_active": True})
        else:
            self.http.request("DELETE", path)

    def tags(self, name: str) -> list[Row]:
        """The tags in use whose name has these words in it."""
        return listed(self.http.get("/tags/", name=name), "tags")

    def tag(self, tag_id: str) -> Row:
        """One tag, archived or not."""
        return one(self.http.get(f"/tags/{tag_id}/"), "tag")

    def add_tag(self, name: str) -> None:
        """Adds a tag, or takes one out of the archive."""
        self.http.post("/tags/", {"name": name, "color": "blue"}, write=False)

    def archive_tag(self, tag_id: str) -> None:
        """Archives a tag."""
        self.http.request("DELETE", f"/tags/{tag_id}/")

    def _write(self, method: str, path: str, values: Row) -> Any:
        return parse_json(self.http.request(method, path, json=values))
