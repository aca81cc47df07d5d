from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from integrations.provider import App, Hint
from integrations.social.x import PROVIDER
from integrations.social.x.webhook import SIGNATURE, challenge, verify

APP = App("client", "client-secret", options={"consumer_secret": "consumer-secret"})


def _signed(body: bytes, secret: str = "consumer-secret") -> dict[str, str]:
    return {SIGNATURE: "sha256=" + base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()}


def test_the_challenge_is_answered_with_the_hmac_of_its_token() -> None:
    expected = base64.b64encode(hmac.new(b"consumer-secret", b"abc", hashlib.sha256).digest()).decode()
    assert challenge(APP, {"crc_token": "abc"}) == {"response_token": f"sha256={expected}"}


def test_without_a_consumer_secret_the_client_secret_signs() -> None:
    app = App("client", "client-secret")
    assert verify(app, _signed(b"{}", "client-secret"), b"{}") == ()


@pytest.mark.parametrize(("app", "query"), [(APP, {}), (APP, {"crc_token": ""}), (App(), {"crc_token": "abc"})])
def test_no_token_or_no_secret_no_answer(app: App, query: dict[str, str]) -> None:
    assert challenge(app, query) is None


@pytest.mark.parametrize(
    ("event", "streams"),
    [
        ({"for_user_id": "7000"}, ()),
        ({"for_user_id": "7000", "tweet_create_events": [{}]}, ("mentions", "own")),
        ({"for_user_id": 7000, "direct_message_events": [{}]}, ("messages",)),
        ({"data": {"filter": {"user_id": "7000"}, "event_type": "post.mention.create", "payload": {}}}, ("mentions",)),
        ({"data": {"filter": {"user_id": "7000"}, "event_type": "dm.received"}}, ("messages",)),
        ({"data": {"filter": {"user_id": "7000"}, "event_type": "profile.update.bio"}}, ()),
    ],
)
def test_a_delivery_hints_at_the_account_and_its_streams(event: dict[str, Any], streams: tuple[str, ...]) -> None:
    body = json.dumps(event).encode()
    assert verify(APP, _signed(body), body) == (Hint("7000", streams),)
    assert set(streams) <= {stream.name for stream in PROVIDER.streams}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {SIGNATURE: ""},
        {SIGNATURE: "sha256=AAAA"},
        {SIGNATURE: "sha256=é"},
        _signed(b"another body"),
        _signed(b"{}", "wrong"),
    ],
)
def test_a_wrong_signature_is_refused(headers: dict[str, str]) -> None:
    assert verify(APP, headers, b"{}") is None


def test_nothing_verifies_without_a_secret() -> None:
    assert verify(App(), _signed(b"{}", ""), b"{}") is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"for_user_id":null}', b'{"data":[]}', b'{"data":{"filter":3}}', b"[" * 100_000])  # fmt: skip
def test_a_signed_delivery_that_cannot_be_read_hints_at_nothing(body: bytes) -> None:
    assert verify(APP, _signed(body), body) == ()
