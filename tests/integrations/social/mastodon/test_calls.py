"""Error bodies, rate limits and links, in the spellings of the different servers."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import requests

from integrations import errors
from integrations.social.mastodon import calls
from tests.integrations.social.mastodon.wire import ADA, NOW, TOKEN, US, WEB, Wire, iso

DATE = "Fri, 20 Mar 2026 12:00:00 GMT"


def _response(status: int = 200, body: str = "[]", **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url = status, f"{WEB}/api/v1/statuses/1/context"
    response._content = body.encode()
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X_RateLimit_Reset": iso(NOW + timedelta(seconds=90))}, 90),
        ({"X_RateLimit_Reset": "2026-03-20T12:01:30.123456Z"}, 90.123456),
        ({"x_ratelimit_reset": str(int(NOW.timestamp()) + 90)}, 90),
        ({"X_RateLimit_Reset": str((int(NOW.timestamp()) + 90) * 1000)}, 90),
        ({"RateLimit_Reset": "90"}, 90),
        ({"Retry_After": "45", "X_RateLimit_Reset": "90"}, 45),
        ({"X_RateLimit_Reset": iso(NOW - timedelta(hours=1))}, 0),
        ({"X_RateLimit_Reset": "soon"}, None),
        ({"X_RateLimit_Reset": "inf"}, None),
        ({"X_RateLimit_Reset": "nan"}, None),
        ({"X_RateLimit_Reset": "1e300"}, None),
        ({"X_RateLimit_Reset": "9999-12-31T23:59:59Z"}, 7 * 86400),
        ({}, None),
    ],
)
def test_when_a_limit_ends_is_read_in_every_spelling(headers: dict[str, str], seconds: float | None) -> None:
    assert calls.retry_after(_response(429, Date=DATE, **headers)) == seconds


@pytest.mark.parametrize("date", ["", "today", "Fri, 20 Mar 2026 12:00:00"])
def test_a_server_that_does_not_tell_its_time_is_believed_all_the_same(date: str) -> None:
    assert calls.retry_after(_response(429, Date=date, X_RateLimit_Reset=iso(NOW))) is not None


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("application/json", '{"error": "Record not found"}', "Record not found"),
        ("application/json", '{"error": "invalid_client", "error_description": "unknown client"}', "unknown client"),
        ("application/json", '{"errors": {"detail": "Internal server error"}}', "Internal server error"),
        ("application/json", '{"error": {"nested": 1}}', ""),
        ("application/json", '["x"]', ""),
        ("application/json", "[" * 200_000, ""),
        ("text/plain; charset=utf-8", "Throttled\r\nand a trace of what we sent", "Throttled"),
        ("text/html", "Invalid Bearer token", "Invalid Bearer token"),
        ("text/html", "<html>nginx</html>", ""),
        ("text/plain", "\n\n <b>", ""),
        ("", "", ""),
    ],
)
def test_the_servers_own_sentence_is_found_whatever_the_body(kind: str, body: str, said: str) -> None:
    assert calls.says(_response(422, body, Content_Type=kind)) == said


@pytest.mark.parametrize(
    ("status", "said", "error", "scope"),
    [
        (403, "This action is outside the authorized scopes", errors.PermissionDeniedError, "read:statuses"),
        (403, "Forbidden: token has insufficient scope permission", errors.PermissionDeniedError, "read:statuses"),
        (403, "Insufficient permissions: read:statuses.", errors.PermissionDeniedError, "read:statuses"),
        (403, "out_of_scope_for_token", errors.PermissionDeniedError, "read:statuses"),
        (403, "Your login is currently disabled", errors.PermissionDeniedError, None),
        (403, "Invalid credentials.", errors.AuthenticationError, None),
        (401, "The access token was revoked", errors.AuthenticationError, None),
        (400, "Invalid Bearer token", errors.AuthenticationError, None),
        (400, "Invalid credentials.", errors.InvalidRequestError, None),
    ],
)
@pytest.mark.parametrize("shape", ["{}", '{{"error": "{}"}}'])
def test_a_refusal_says_what_it_is_about(
    wire: Wire, status: int, said: str, error: type[Exception], scope: str | None, shape: str
) -> None:
    wire.replies.append((status, {"Content-Type": "text/html"}, shape.format(said)))
    with pytest.raises(error, match=said) as raised:
        list(wire.client().pull("own", None))
    assert getattr(raised.value, "scope", None) == scope


def _next(header: str, rows: list[Any]) -> Any:
    return calls.next_position(_response(Link=header), rows)


@pytest.mark.parametrize(
    ("header", "position"),
    [
        (
            '<https://social.example/api/v1/x?max_id=5>; rel="next", <https://social.example/api/v1/x?min_id=9>; rel="prev"',
            {"max_id": "5"},
        ),
        (
            '<https://social.example/api/v1/x?min_id=9>; rel="prev", <https://social.example/api/v1/x?max_id=5>; rel=next',
            {"max_id": "5"},
        ),
        ("</api/v1/x?limit=40&max_id=5>;rel='next'", {"max_id": "5"}),
        ('<https://social.example/api/v1/x?max_id=5>; REL="NEXT"', {"max_id": "5"}),
        ('<https://social.example/api/v1/x?max_id=5>; title="a"; rel="next last"', {"max_id": "5"}),
        ('<https://evil.example/steal?max_id=5&since_id=3&types[]=follow>; rel="next"', {"max_id": "5"}),
        ('<https://social.example/api/v1/x?offset=20>; rel="next"', {"offset": "20"}),
        ('<https://social.example/api/v1/x>; rel="next"', None),
        ('<None>; rel="next", <None>; rel="prev"', None),
        ('<https://[social>; rel="next"', None),
        ('<https://social.example/api/v1/x?min_id=9>; rel="prev"', None),
        (";;;<>,,,;=", None),
        ("", None),
    ],
)
def test_links_are_read_in_every_spelling_and_only_for_the_place(header: str, position: Any) -> None:
    assert _next(header, [{"id": "1"}]) == position


@pytest.mark.parametrize(
    ("rows", "position"), [([{"id": "7"}, {"id": "5"}], {"max_id": "5"}), ([], None), ([17], None)]
)
def test_without_any_link_the_next_page_starts_behind_the_last_row(rows: list[Any], position: Any) -> None:
    assert calls.next_position(_response(), rows) == position


def test_where_no_call_is_left_none_is_made(wire: Wire) -> None:
    wire.page, wire.left = 5, 1
    for number in range(12):
        wire.say(ADA, f"number {number}", names=[US.id])
    client = wire.client()
    pulled = client.pull("mentions", None)
    assert len(next(pulled).items) == 5
    with pytest.raises(errors.RateLimitError) as raised:
        next(pulled)
    assert raised.value.retry_after == pytest.approx(300, abs=5)
    assert len(wire.sent) == 1


def test_what_came_before_the_limit_is_kept_and_the_rest_comes_later(wire: Wire) -> None:
    wire.page = 5
    everything = {wire.say(ADA, f"number {number}", names=[US.id]) for number in range(23)}
    seen: set[str] = set()
    cursor: str | None = None
    for _ in range(5):
        wire.left = 2
        with suppress(errors.RateLimitError):
            for page in wire.client().pull("mentions", cursor):
                seen |= {item.id for item in page.items}
                cursor = page.cursor
    assert seen == everything
    assert len(wire.sent) <= 10


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_no_half_of_the_token_is_told_where_a_long_sentence_is_cut(wire: Wire, status: int) -> None:
    for body in (
        json.dumps({"error": "x" * 280 + TOKEN}),
        "x" * 280 + TOKEN,
        "insufficient scope " + "x" * 260 + TOKEN,
    ):
        wire.replies.append((status, {"Content-Type": "text/plain"}, body))
        with pytest.raises(errors.IntegrationError) as caught:
            wire.client().whoami()
        assert TOKEN[:10] not in str(caught.value)
