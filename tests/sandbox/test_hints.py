"""Webhook hints: signed, to whom it concerns, and never in the way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

SECRET = "a secret"


@pytest.fixture
def listener():
    """An address that takes hints, and a queue of what came: (signature, raw body)."""
    came: queue.Queue[tuple[str, bytes]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.put((self.headers["x-twitter-webhooks-signature"], body))  # the next one is sent once this is answered
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hooks/x", came
    server.shutdown()
    thread.join()
    server.server_close()


def next_hint(came):
    signature, body = came.get(timeout=10)
    expected = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    assert signature == f"sha256={expected}"
    return json.loads(body)


def test_a_post_is_told_to_the_brand_that_it_concerns(world, listener):
    url, came = listener
    world.settings(hint_url=url, hint_secret=SECRET)
    posted = world.client.post("/control/posts", json={"as": "bob", "text": "@acme hello"}).json
    assert next_hint(came) == {"for_user_id": "1", "tweet_create_events": [{"id_str": posted["id"]}]}


def test_a_reply_deep_in_a_brands_thread_is_told_too_and_a_strangers_post_is_not(world, listener):
    url, came = listener
    world.settings(hint_url=url, hint_secret=SECRET)
    world.client.post("/control/posts", json={"as": "maria", "text": "nothing to do with anybody"})
    deep = world.client.post("/control/posts", json={"as": "maria", "text": "me too", "in_reply_to": "30"}).json
    assert next_hint(came)["tweet_create_events"] == [{"id_str": deep["id"]}]


def test_messages_deletions_and_loads_are_told(world, listener):
    url, came = listener
    world.settings(hint_url=url, hint_secret=SECRET)
    world.client.post("/control/messages", json={"as": "bob", "to": "acme", "text": "psst"})
    assert "direct_message_events" in next_hint(came)
    assert next_hint(came)["for_user_id"] == "2"
    world.client.delete("/control/posts/50")
    assert next_hint(came) == {"for_user_id": "1", "tweet_delete_events": [{"id_str": "50"}]}
    world.load(
        posts=[{"id": "99", "author_id": "2", "text": "@northwind @acme hi", "created_at": "2026-06-30T10:00:00Z"}]
    )
    assert {next_hint(came)["for_user_id"] for _ in range(2)} == {"1", "9"}


def test_nobody_listening_hurts_nobody(world):
    world.settings(hint_url="http://127.0.0.1:1/nobody", hint_secret=SECRET)
    for _ in range(3):
        assert world.client.post("/control/posts", json={"as": "bob", "text": "@acme hello"}).status_code == 201
    world.settings(hint_url=None)
    assert world.client.post("/control/posts", json={"as": "bob", "text": "@acme hello"}).status_code == 201
