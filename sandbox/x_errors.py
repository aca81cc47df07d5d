"""X's error answers: RFC 7807 problems, and the small OAuth ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from sandbox.x_render import dumps

PROBLEMS = "https://api.twitter.com/2/problems/"


class XError(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(body.get("detail") or body.get("error_description"))
        self.response = Response(
            dumps(body),
            status,
            content_type="application/problem+json" if "title" in body else "application/json;charset=UTF-8",
            headers=dict(headers or {}),
        )


def invalid(parameter: str, value: str, message: str) -> XError:
    """400, naming the parameter."""
    return XError(
        400,
        {
            "errors": [{"parameters": {parameter: [value]}, "message": message}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": PROBLEMS + "invalid-request",
        },
    )


def unauthorized() -> XError:
    return XError(401, {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"})


def forbidden(detail: str) -> XError:
    return XError(403, {"title": "Forbidden", "type": "about:blank", "status": 403, "detail": detail})


def too_many(headers: Mapping[str, str]) -> XError:
    body = {"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank", "status": 429}
    return XError(429, body, headers)


def went_wrong(status: int) -> XError:
    title = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}.get(status, "Error")
    return XError(status, {"title": title, "detail": title, "type": "about:blank", "status": status})


def not_found(kind: str, parameter: str, value: str) -> dict[str, Any]:
    """One entry of `errors` in an answer that is otherwise a success."""
    return {
        "value": value, "resource_id": value, "parameter": parameter, "resource_type": kind, "title": "Not Found Error",
        "detail": f"Could not find {kind} with {parameter}: [{value}].", "type": PROBLEMS + "resource-not-found",
    }  # fmt: skip


def oauth(status: int, error: str, description: str) -> XError:
    return XError(status, {"error": error, "error_description": description})
