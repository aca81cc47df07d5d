"""What every answer has to be like that says no."""

from __future__ import annotations

from werkzeug.test import TestResponse


def check(response: TestResponse, status: int) -> str:
    """A problem with this status; returns its sentence."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.content_type == "application/problem+json"
    body = response.get_json()
    assert body["type"] == "about:blank"
    assert body["status"] == status
    assert body["title"]
    detail: str = body["detail"]
    assert detail.endswith(".")
    return detail
