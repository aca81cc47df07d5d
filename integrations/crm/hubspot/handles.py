"""Which of an account's contact properties hold a social handle, or say that somebody is not to be called. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from integrations.crm.hubspot.api import Row

STANDARD_HANDLES: tuple[tuple[str, str | None], ...] = (("twitterhandle", "x"), ("hs_linkedin_url", "linkedin"))

# A property holds a handle when its name or label names a network (or says "social") and says what it holds.
_NETWORKS = {
    "twitter": "x", "x": "x", "mastodon": "mastodon", "fediverse": "mastodon", "bluesky": "bluesky", "bsky": "bluesky",
    "linkedin": "linkedin", "instagram": "instagram", "facebook": "facebook", "threads": "threads", "youtube": "youtube",
    "tiktok": "tiktok", "github": "github", "gitlab": "gitlab", "reddit": "reddit", "telegram": "telegram", "pixelfed": "pixelfed", "social": None,
}  # fmt: skip
_HOLDS = {"handle", "username", "user", "name", "url", "profile", "account", "link", "page", "screenname"}
_WORD = re.compile(r"[a-z0-9]+")
_GLUED = re.compile(rf"^({'|'.join(name for name in _NETWORKS if len(name) > 1)})({'|'.join(_HOLDS)})$")
_MOST_TEXTS = 300
_DO_NOT_CALL = re.compile(r"\b(do ?not ?call|don'?t ?call|dnc|no ?calls?)\b")


def handle_properties(rows: Sequence[Row]) -> tuple[tuple[str, str | None], ...]:
    """Which contact properties hold a social handle, and on which network where the name tells it."""
    found = dict(STANDARD_HANDLES)
    for row in rows:
        name = str(row.get("name") or "")
        if name in found or row.get("type") not in (None, "string") or row.get("archived"):
            continue
        network = _network(name) or _network(str(row.get("label") or ""))
        if name and network:
            found[name] = network[0]
    return tuple(found.items())


def text_properties(rows: Sequence[Row]) -> list[dict[str, str]]:
    """Name and label of the contact properties that somebody added and that hold text: one of them may hold a handle."""
    return [
        {"name": str(row["name"]), "label": str(row.get("label") or row["name"])}
        for row in rows
        if row.get("name") and row.get("type") == "string" and not row.get("archived") and not row.get("hubspotDefined")
    ][:_MOST_TEXTS]


def _network(text: str) -> tuple[str | None] | None:
    words: list[str] = []
    for word in _WORD.findall(text.lower()):
        glued = _GLUED.match(word)
        words += glued.groups() if glued else [word]
    named = [word for word in words if word in _NETWORKS]
    # A network's bare name ("Mastodon") holds a handle too; a bare "x" or "social" could be anything.
    bare = len(words) == 1 and bool(named) and len(named[0]) > 1 and named[0] != "social"
    # Every word must belong: "twitter profile photo" and "x page views" hold something else.
    holds = any(word in _HOLDS for word in words)
    fits = all(word in _NETWORKS or word in _HOLDS or word in ("hs", "contact", "formerly", "or") for word in words)
    return (_NETWORKS[named[0]],) if named and (bare or (holds and fits)) else None


def do_not_call_properties(rows: Sequence[Row]) -> tuple[str, ...]:
    """Which contact properties say that a person is not to be called."""
    texts = ((str(row.get("name") or ""), f"{row.get('name')} {row.get('label')}") for row in rows)
    return tuple(name for name, text in texts if name and _DO_NOT_CALL.search(text.lower().replace("_", " ")))
