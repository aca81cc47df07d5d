from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.graph.hooks import SIGNATURE, verify_token
from integrations.provider import App, Hint, Provider
from integrations.social.facebook import PROVIDER as FACEBOOK
from integrations.social.instagram import PROVIDER as INSTAGRAM
from tests.integrations.graph.wire import APP


def _signed(body: bytes, secret: str = APP.client_secret) -> dict[str, str]:
    return {SIGNATURE: "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def _hints(provider: Provider[Any], event: Any) -> Any:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    assert provider.webhook is not None
    return provider.webhook.verify(APP, _signed(body), body)


def _asked(**query: str) -> Any:
    given = {"mode": "subscribe", "challenge": "1158201444", "verify_token": verify_token(APP, "page"), **query}
    assert FACEBOOK.webhook is not None
    return FACEBOOK.webhook.challenge(APP, {f"hub.{name}": value for name, value in given.items()})


def test_the_challenge_comes_back_as_it_was() -> None:
    assert _asked() == "1158201444"


@pytest.mark.parametrize(
    "query",
    [
        {"verify_token": "wrong"},
        {"verify_token": ""},
        {"verify_token": "é"},
        {"verify_token": verify_token(APP, "instagram")},
        {"mode": "unsubscribe"},
        {"challenge": ""},
        {"challenge": "<script>alert(1)</script>"},
    ],
)
def test_a_question_that_is_not_metas_gets_no_answer(query: dict[str, str]) -> None:
    assert _asked(**query) is None


def test_without_a_secret_nothing_is_answered_or_verified() -> None:
    app = App("424242")
    assert FACEBOOK.webhook is not None
    query = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": verify_token(app, "page")}
    assert FACEBOOK.webhook.challenge(app, query) is None
    assert FACEBOOK.webhook.verify(app, _signed(b"{}", ""), b"{}") is None


SENT = 1_764_072_000  # as pages' feeds have it; Messenger counts milliseconds
SENT_AT = datetime(2025, 11, 25, 12, tzinfo=UTC)


def _changes(*fields: str) -> list[dict[str, Any]]:
    return [{"field": field, "value": {"item": "comment"}} for field in fields]


@pytest.mark.parametrize(
    ("entry", "streams"),
    [
        ({"changes": _changes("feed")}, ("posts", "threads")),
        ({"changes": _changes("mention")}, ("mentions",)),
        ({"changes": _changes("feed", "mention")}, ("posts", "threads", "mentions")),
        ({"messaging": [{"message": {"mid": "m_1", "text": "hi"}}]}, ("messages",)),
        ({"standby": [{"message": {"mid": "m_1", "text": "hi"}}]}, ("messages",)),
    ],
)
def test_a_delivery_about_a_page_hints_at_its_streams(entry: dict[str, Any], streams: tuple[str, ...]) -> None:
    event = {"object": "page", "entry": [{"id": "700", "time": SENT, **entry}]}
    assert _hints(FACEBOOK, event) == (Hint("700", streams, SENT_AT),)
    assert set(streams) <= {stream.name for stream in FACEBOOK.streams}


@pytest.mark.parametrize(
    ("entry", "streams"),
    [
        ({"changes": _changes("comments")}, ("media", "threads")),
        ({"changes": _changes("mentions")}, ("mentions", "media")),
        ({"messaging": [{"message": {"mid": "a"}}]}, ("messages",)),
    ],
)
def test_a_delivery_about_an_instagram_account_does_too(entry: dict[str, Any], streams: tuple[str, ...]) -> None:
    event = {"object": "instagram", "entry": [{"id": "17841400000000700", "time": SENT, **entry}]}
    assert _hints(INSTAGRAM, event) == (Hint("17841400000000700", streams, SENT_AT),)
    assert set(streams) <= {stream.name for stream in INSTAGRAM.streams}


def test_a_delivery_may_concern_many_accounts_and_one_of_them_twice() -> None:
    entries = [
        {"id": "1", "changes": _changes("feed")},
        {"id": 2, "changes": _changes("mention")},
        {"id": "1", "messaging": [{}]},
    ]
    assert _hints(FACEBOOK, {"object": "page", "entry": entries}) == (
        Hint("1", ("posts", "threads", "messages")),
        Hint("2", ("mentions",)),
    )


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (SENT, SENT_AT), (SENT * 1000, SENT_AT), (0, datetime(1970, 1, 1, tzinfo=UTC)), (None, None), ("1", None), (True, None), (10**30, None), (-(10**30), None),
    ],
)  # fmt: skip
def test_a_delivery_says_when_it_was_sent_in_seconds_or_milliseconds(time: Any, said: datetime | None) -> None:
    (hint,) = _hints(FACEBOOK, {"object": "page", "entry": [{"id": "1", "time": time, "changes": _changes("feed")}]})
    assert hint.sent_at == said


def test_of_two_entries_about_an_account_the_later_one_says_when() -> None:
    entries = [{"id": "1", "time": at, "changes": _changes("feed")} for at in (SENT - 60, SENT, None)]
    (hint,) = _hints(FACEBOOK, {"object": "page", "entry": entries})
    assert hint.sent_at == SENT_AT


@pytest.mark.parametrize(
    "event",
    [
        {"object": "page", "entry": [{"id": "1", "changes": _changes("leadgen")}]},
        {"object": "instagram", "entry": [{"id": "1", "changes": _changes("comments")}]},
        {
            "object": "page",
            "entry": [{"id": "1"}, {"changes": _changes("feed")}, 17, {"id": None}, {"id": "1", "changes": "x"}],
        },
        {"object": "page", "entry": 17},
        {"object": "page"},
        [],
        None,
        b"",
        b"{",
        b"[" * 100_000,
    ],
)
def test_what_cannot_be_read_or_is_not_ours_hints_at_nothing(event: Any) -> None:
    assert _hints(FACEBOOK, event) == ()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {SIGNATURE: ""},
        {SIGNATURE: "sha256=00"},
        {SIGNATURE: "sha256=é"},
        _signed(b"another"),
        _signed(b"{}", "wrong"),
    ],
)
def test_a_wrong_signature_is_refused(headers: dict[str, str]) -> None:
    assert FACEBOOK.webhook is not None
    assert FACEBOOK.webhook.verify(APP, headers, b"{}") is None
