"""Headers of every page, and the one place that says what a page may load."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Response, request, url_for

STATIC = Path(__file__).parent / "static"
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
)
PAGE = {
    "Content-Security-Policy": POLICY,
    # Not no-referrer: with that, browsers send `Origin: null` with our own forms, and the check of it would be lost.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
A_YEAR = 31_536_000  # seconds


def protect(response: Response) -> Response:
    """Adds what every HTML page carries, error pages included. What a view has set itself stays."""
    if response.mimetype == "text/html":
        for name, value in PAGE.items():
            response.headers.setdefault(name, value)
    elif request.endpoint == "console.static":
        response.headers["X-Content-Type-Options"] = "nosniff"
        if request.args.get("v") == _version((request.view_args or {}).get("filename", "")):
            response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    return response


def asset(name: str) -> str:
    """The address of a static file, which changes with its content, so that browsers may keep it."""
    return url_for("console.static", filename=name, v=_version(name))


@cache
def _version(name: str) -> str:
    path = STATIC / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else ""
