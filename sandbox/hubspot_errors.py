"""HubSpot's error answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from flask import Response


class HubSpotError(Exception):
    """An answer that is not a success; inside a batch, the error of one record."""

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(body.get("message"))
        self.status = status
        self.body = {"status": "error", **body, "correlationId": str(uuid4())}
        self.headers = dict(headers or {})

    @property
    def response(self) -> Response:
        return Response(
            json.dumps(self.body), self.status, content_type="application/json;charset=utf-8", headers=self.headers
        )

    def in_batch(self, trace_id: str | None) -> dict[str, Any]:
        """This as one entry of a batch's `errors`."""
        context = {**self.body.get("context", {}), **({"objectWriteTraceId": [trace_id]} if trace_id else {})}
        kept = {
            name: value
            for name, value in self.body.items()
            if name in ("status", "category", "message", "subCategory", "errors")
        }
        return {**kept, **({"context": context} if context else {})}


def validation(
    message: str, *, sub_category: str | None = None, context: Mapping[str, Sequence[str]] | None = None
) -> HubSpotError:
    body: dict[str, Any] = {"message": message, "category": "VALIDATION_ERROR"}
    if sub_category:
        body["subCategory"] = sub_category
    if context:
        body["context"] = {name: list(values) for name, values in context.items()}
    return HubSpotError(400, body)


def property_errors(problems: Sequence[tuple[str, str, str]]) -> HubSpotError:
    """400 for values that can't be: (property, code, sentence) each."""
    details = [
        {"isValid": False, "message": sentence, "error": code, "name": name, "localizedErrorMessage": sentence}
        for name, code, sentence in problems
    ]
    error = validation(f"Property values were not valid: {json.dumps(details)}")
    error.body["errors"] = [
        {"message": sentence, "code": code, "context": {"propertyName": [name]}} for name, code, sentence in problems
    ]
    return error


def not_found(kind: str, ids: Sequence[str]) -> HubSpotError:
    message = f"Could not get some {kind} objects, they may be deleted or not exist. Check that ids are valid."
    return HubSpotError(404, {"message": message, "category": "OBJECT_NOT_FOUND", "context": {"ids": list(ids)}})


def conflict(message: str) -> HubSpotError:
    return HubSpotError(409, {"message": message, "category": "CONFLICT"})


def unauthorized(*, expired: bool) -> HubSpotError:
    if expired:
        message, category = "The OAuth token used to make this call expired.", "EXPIRED_AUTHENTICATION"
    else:
        message = "Authentication credentials not found. This API supports OAuth 2.0 authentication."
        category = "INVALID_AUTHENTICATION"
    return HubSpotError(401, {"message": message, "category": category})


def missing_scopes(scopes: Sequence[str]) -> HubSpotError:
    message = "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes."
    details = [
        {
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": list(scopes)},
        }
    ]
    body = {"message": message, "category": "MISSING_SCOPES", "errors": details}
    return HubSpotError(403, {**body, "context": {"requiredGranularScopes": list(scopes)}})


def too_many(policy: str, headers: Mapping[str, str] | None = None) -> HubSpotError:
    words = {"SECONDLY": "secondly", "TEN_SECONDLY_ROLLING": "ten_secondly_rolling", "DAILY": "daily"}[policy]
    body = {"message": f"You have reached your {words} limit.", "errorType": "RATE_LIMIT", "policyName": policy}
    return HubSpotError(429, body, headers)


def went_wrong(status: int) -> HubSpotError:
    return HubSpotError(
        status, {"message": "Something went wrong on our side. Try again later.", "category": "INTERNAL_ERROR"}
    )


def bad_client() -> HubSpotError:
    body = {"status": "BAD_CLIENT_ID", "message": "missing or unknown client id, or wrong client secret"}
    return HubSpotError(401, {**body, "error": "invalid_client", "error_description": body["message"]})


def bad_grant(status: str, error: str, message: str) -> HubSpotError:
    return HubSpotError(400, {"status": status, "message": message, "error": error, "error_description": message})
