"""Which addresses are pages of ours, for whoever wants to go on to one: nobody is ever led elsewhere."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app
from werkzeug.exceptions import HTTPException

from service import access

MOST = 1000  # characters


def ours(wanted: str, default: str = "") -> str:
    """`wanted`, as a path and query, where it is a page that somebody who is signed in may read and whose address holds no secret (ids
    alone); else `default`. Names with a host, whatever their spelling, are none."""
    path = local(wanted)
    if not path or len(path) > MOST:
        return default
    try:
        endpoint, parts = current_app.url_map.bind("").match(urlsplit(path).path, method="GET")
    except HTTPException:
        return default
    scope = access.needed(endpoint)
    plain = all(not isinstance(each, str) for each in parts.values())
    return path if plain and scope not in (None, access.ANYBODY) and endpoint.startswith("console.") else default


def local(wanted: str) -> str:
    """A path of this site, with its query; empty for anything that a browser could take for an address elsewhere."""
    # Browsers take a backslash for a slash, and leave out tabs and line ends wherever they stand (WHATWG URL, 4.4).
    if not wanted.isascii() or not wanted.isprintable() or "\\" in wanted or not wanted.startswith("/"):
        return ""
    if wanted.startswith("//"):
        return ""
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or parts.path.startswith("//"):
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
