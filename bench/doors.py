"""Doors: what a webhook's delivery costs that nobody signed, since anybody may send as many as they like."""

from __future__ import annotations

import hashlib
import hmac
import io
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from flask import Flask, request
from werkzeug.test import EnvironBuilder

from bench.figures import Figure
from bench.place import place
from bench.rounds import in_turns, median
from bench.scale import Scale
from integrations.registry import providers
from service import hooks, registrations
from service.app import create_app
from service.runtime import Runtime

SIZES = {"2 KB": 2 * 1024, "the largest": hooks.MAX_HINT}
EACH = 200  # deliveries of a round
SECRET = b"a secret of nobody's"
HEADERS = {"Content-Type": hooks.JSON, "X-Hub-Signature-256": f"sha256={'0' * 64}", "X-Twitter-Webhooks-Signature": "sha256=0"}  # fmt: skip


def measure(scale: Scale) -> list[Figure]:
    """Processor time of one delivery with a wrong signature, from the WSGI call to its answer."""
    name = next(each.key for each in providers().values() if each.webhook is not None)
    with place() as here:
        config = replace(here.database("doors"), testing=True)
        registrations.set_app(Runtime(config), name, "client", SECRET.decode())
        app, bare = create_app(config), _bare()
        return [_figure(app, bare, f"/hooks/{name}", label, size, scale.rounds + 2) for label, size in SIZES.items()]


def _figure(app: Flask, bare: Flask, path: str, label: str, size: int, rounds: int) -> Figure:
    _seconds(app, path, size)  # the registration is read
    ours, reference = in_turns(
        rounds, lambda _: _seconds(app, path, size) * 1000, lambda _: _seconds(bare, path, size) * 1000
    )
    told = f"{size:,} bytes, {rounds} rounds of {EACH}, processor time"
    against = "a bare Flask route that reads the body and compares an HMAC-SHA256"
    return Figure(f"doors: an unsigned delivery of {label}", median(ours), "ms", told, median(reference), against, of="value", at_most=1.0)  # fmt: skip


def _seconds(app: Flask, path: str, size: int) -> float:
    body = b"x" * size
    calls = [EnvironBuilder(path=path, method="POST", headers=HEADERS, input_stream=io.BytesIO(body)) for _ in range(EACH)]  # fmt: skip
    environs = [each.get_environ() | {"CONTENT_LENGTH": str(size)} for each in calls]
    begun = time.process_time()
    for environ in environs:
        _answered(app(environ, _refused))
    return (time.process_time() - begun) / EACH


def _refused(status: str, *_: Any) -> None:
    if not status.startswith("401"):
        raise RuntimeError(f"a delivery that nobody signed was answered {status}")


def _answered(answer: Iterable[bytes]) -> None:
    for _ in answer:
        pass
    close = getattr(answer, "close", None)
    if close:
        close()


def _bare() -> Flask:
    app = Flask("bare")

    @app.post("/hooks/<provider>")
    def hint(provider: str) -> tuple[str, int]:
        right = hmac.new(SECRET, request.get_data(cache=False), hashlib.sha256).hexdigest()
        return "", 204 if hmac.compare_digest(right, request.headers["X-Hub-Signature-256"]) else 401

    return app
