from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from integrations import errors
from integrations.graph import refusals
from integrations.graph.refusals import classify, pause, wait
from tests.integrations.graph.wire import error


def _response(status: int, body: Any = "", **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url = status, "https://graph.facebook.com/v25.0/me"
    response._content = (body if isinstance(body, str) else json.dumps(body)).encode()
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [
        (190, None, errors.AuthenticationError),
        (190, 463, errors.AuthenticationError),
        (102, None, errors.AuthenticationError),
        (3, None, errors.PermissionDeniedError),
        (10, None, errors.PermissionDeniedError),
        (200, None, errors.PermissionDeniedError),
        (299, None, errors.PermissionDeniedError),
        (4, None, errors.RateLimitError),
        (17, None, errors.RateLimitError),
        (32, None, errors.RateLimitError),
        (613, None, errors.RateLimitError),
        (80001, None, errors.RateLimitError),
        (80014, None, errors.RateLimitError),
        (1, None, errors.TemporaryError),
        (2, None, errors.TemporaryError),
        (100, 33, errors.NotFoundError),
        (803, None, errors.NotFoundError),
        (100, None, errors.InvalidRequestError),
        (300, None, errors.InvalidRequestError),
        (80015, None, errors.InvalidRequestError),
    ],
)
def test_the_code_says_what_a_refusal_means_whatever_the_status(
    code: int, subcode: int | None, kind: type[Exception]
) -> None:
    _, body = error(code, "(#1) It says why", subcode)
    assert type(classify(_response(400, body))) is kind


def test_what_passes_says_so_itself_under_any_code() -> None:
    _, body = error(99, "try later", is_transient=True)
    assert isinstance(classify(_response(500, body)), errors.TemporaryError)


@pytest.mark.parametrize("body", ["", "<html>", "[]", "17", '{"error":"text"}', '{"error":{}}', "[" * 100_000])
@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_where_the_body_says_nothing_the_status_speaks(status: int, body: str) -> None:
    assert classify(_response(status, body)) is None


@pytest.mark.parametrize("code", ["190", True, None, 1e9, [190]])
def test_a_code_that_is_no_number_is_none(code: Any) -> None:
    assert not isinstance(
        classify(_response(400, {"error": {"code": code, "message": "m"}})), errors.AuthenticationError
    )


def test_a_consent_that_is_gone_says_why_and_what_to_do() -> None:
    for subcode in refusals._TOKEN_SENTENCES:
        _, body = error(190, "Error validating access token", subcode)
        told = str(classify(_response(401, body)))
        assert "onnect the account again" in told
        assert not told.endswith(".")
    _, body = error(190, "Error", 12345)
    assert "Connect the account again" in str(classify(_response(401, body)))


def test_a_missing_permission_is_named() -> None:
    _, body = error(
        10,
        "(#10) This endpoint requires the 'pages_read_user_content' permission or the 'Page Public Content Access' feature.",
    )
    found = classify(_response(403, body))
    assert isinstance(found, errors.PermissionDeniedError)
    assert found.scope == "pages_read_user_content"
    assert classify(_response(403, error(200, "Requires something")[1])).scope is None  # type: ignore[union-attr]


def test_no_token_is_repeated() -> None:
    _, body = error(100, "Malformed access token EAABwzLixnjYBA and more")
    assert "EAAB" not in str(classify(_response(400, body), ["EAABwzLixnjYBA"]))


def test_a_call_that_asks_for_too_much_is_told_from_other_failures() -> None:
    _, body = error(1, "Please reduce the amount of data you're asking for, then retry your request", status=500)
    assert isinstance(classify(_response(500, body)), refusals.TooMuchError)
    assert not isinstance(classify(_response(500, error(1, "Unknown error")[1])), refusals.TooMuchError)


USE = {"700": [{"type": "pages", "call_count": 100, "total_time": 20, "estimated_time_to_regain_access": 7}, {"call_count": 3, "estimated_time_to_regain_access": 0}]}  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, refusals.WAIT),
        ({"Retry_After": "30"}, 30.0),
        ({"X_Business_Use_Case_Usage": json.dumps(USE)}, 420.0),
        ({"Retry_After": "30", "X_Business_Use_Case_Usage": json.dumps(USE)}, 30.0),
        ({"X_App_Usage": '{"call_count":100}'}, refusals.WAIT),
        ({"X_Business_Use_Case_Usage": "garbage"}, refusals.WAIT),
        ({"X_Business_Use_Case_Usage": '{"700":17,"701":[3,{"estimated_time_to_regain_access":"7"}]}'}, refusals.WAIT),
        ({"X_Business_Use_Case_Usage": '{"700":[{"estimated_time_to_regain_access":999999}]}'}, 604_800.0),
    ],
)
def test_a_limit_waits_as_long_as_meta_says(headers: dict[str, str], seconds: float) -> None:
    found = classify(_response(400, error(32, "Page request limit reached")[1], **headers))
    assert isinstance(found, errors.RateLimitError)
    assert found.retry_after == seconds


def test_a_limit_of_calls_a_second_is_over_soon() -> None:
    found = classify(_response(400, error(613, "Calls to this api have exceeded the rate limit.")[1]))
    assert isinstance(found, errors.RateLimitError)
    assert found.retry_after == 60.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"X_App_Usage": '{"call_count":94,"total_time":10,"total_cputime":10}'}, None),
        ({"X_App_Usage": '{"call_count":1,"total_time":95,"total_cputime":10}'}, refusals.WAIT),
        ({"X_Business_Use_Case_Usage": json.dumps(USE)}, 420.0),
        ({"X_App_Usage": "[1]", "X_Business_Use_Case_Usage": "[1]"}, None),
    ],
)
def test_a_limit_that_is_nearly_used_up_is_seen_before_it_refuses(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert pause(_response(200, "{}", **headers)) == seconds


def test_without_a_word_of_meta_nothing_is_waited_for() -> None:
    assert wait(_response(429)) is None
