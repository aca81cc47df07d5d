"""Webhook hints: after a post or a message, a signed line to whoever asked. Never part of the request that caused it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

QUEUED_AT_MOST = 10_000  # more than this and the oldest news is no news: a hint says "look now", nothing else
SECONDS_PER_HINT = 5.0


class _Values(Protocol):
    def __getitem__(self, name: str) -> Any: ...


def signature(secret: str, body: bytes) -> str:
    """What X puts into x-twitter-webhooks-signature."""
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class Hints:
    """Sends to the settings' `hint_url`, from one background thread that starts with the first hint."""

    def __init__(self, settings: _Values) -> None:
        self._settings = settings
        self._queue: queue.Queue[Mapping[str, Any] | None] = queue.Queue(QUEUED_AT_MOST)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        # Straight to the address: a proxy in the environment is not for loopback.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def send(self, account_ids: Iterable[int], event: str, ids: list[str]) -> None:
        """Tells that `event` concerns each of the accounts. Drops it where nobody asked or too many wait."""
        if not self._settings["hint_url"]:
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="hints", daemon=True)
                self._thread.start()
        for account_id in sorted(account_ids):
            body = {"for_user_id": str(account_id), event: [{"id_str": one} for one in ids[:100]]}
            try:
                self._queue.put_nowait(body)
            except queue.Full:
                return

    def _run(self) -> None:
        while (body := self._queue.get()) is not None:
            try:
                self._deliver(body)
            except urllib.error.HTTPError as error:
                error.close()
            except (OSError, ValueError, http.client.HTTPException):
                continue  # nobody is listening, or it is no address: a hint may be lost

    def _deliver(self, body: Mapping[str, Any]) -> None:
        url, secret = self._settings["hint_url"], self._settings["hint_secret"]
        if not url:
            return
        raw = json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 (the setting allows http and https alone)
            url,
            data=raw,
            headers={"Content-Type": "application/json", "x-twitter-webhooks-signature": signature(secret, raw)},
        )
        with self._opener.open(request, timeout=SECONDS_PER_HINT):
            pass

    def stop(self) -> None:
        """Ends the thread once what is queued has gone out or a second has passed."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(timeout=1.0)
            self._thread = None
