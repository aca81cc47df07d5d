"""What the name or the label of a CRM's field tells: whose social handles it holds, or that somebody is not to be called. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

# A property holds a handle when its name or label names a network (or says "social") and says what it holds.
_NETWORKS = {
    "twitter": "x", "x": "x", "mastodon": "mastodon", "fediverse": "mastodon", "bluesky": "bluesky", "bsky": "bluesky",
    "linkedin": "linkedin", "instagram": "instagram", "facebook": "facebook", "threads": "threads", "youtube": "youtube",
    "tiktok": "tiktok", "github": "github", "gitlab": "gitlab", "reddit": "reddit", "telegram": "telegram", "pixelfed": "pixelfed", "social": None,
}  # fmt: skip
_HOLDS = {"handle", "username", "user", "name", "url", "profile", "account", "link", "page", "screenname"}
_WORD = re.compile(r"[a-z0-9]+")
_GLUED = re.compile(rf"^({'|'.join(name for name in _NETWORKS if len(name) > 1)})({'|'.join(_HOLDS)})$")
_DO_NOT_CALL = re.compile(r"\b(do ?not ?call|don'?t ?call|dnc|no ?calls?)\b")


def network_of(text: str) -> tuple[str | None] | None:
    """The network whose handles a field with this name or label holds, None in the tuple where it does not say; None where it holds none."""
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


def forbids_calls(text: str) -> bool:
    """Whether a field with this name or label says that a person is not to be called."""
    return _DO_NOT_CALL.search(text.lower().replace("_", " ")) is not None


def chosen(
    options: Mapping[str, Any], standard: Iterable[tuple[str, str | None]] = ()
) -> tuple[tuple[str, str | None], ...]:
    """The handle fields of a connection, name and network: those that were found (`contact_properties`; `standard` before anything
    was), and as somebody chose them since (`handle_choices`: name -> network, * for any, "" for none)."""
    listed = [
        each for each in options.get("contact_properties") or () if isinstance(each, Mapping) and each.get("name")
    ]
    found: dict[str, str | None] = {str(each["name"]): each.get("network") for each in listed}
    found = found or dict(standard)
    for name, network in (options.get("handle_choices") or {}).items():
        found.pop(name, None)
        if network:
            found[name] = None if network == "*" else str(network)
    return tuple(found.items())
