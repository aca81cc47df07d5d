"""Accounts: who wrote a post. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.foreign import objects
from integrations.records import Author
from integrations.social.mastodon import plain

Json = Mapping[str, Any]

UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, OverflowError)

# What people call the field of their profile that says where they are.
_PLACES = frozenset(
    {"location", "based in", "city", "where", "ort", "standort", "stadt", "lieu", "ville", "ubicación", "ciudad",
     "localização", "cidade", "luogo", "città", "locatie", "plaats"}
)  # fmt: skip


def identifier(value: Any) -> str:
    """An id as text. Raises ValueError for what is none."""
    if isinstance(value, str) and value:
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a record without an id")
    return str(value)


def author(row: Json, domain: str, web: str) -> Author:
    """An account. Raises ValueError and its kin for one without an id."""
    acct = str(row.get("acct") or row.get("username") or "")
    followers = row.get("followers_count")
    fields: list[Json] = objects(row.get("fields"))
    return Author(
        id=identifier(row["id"]),
        handle=plain.clean(handle(acct, domain)),
        name=_name(row),
        bio=plain.text(row.get("note") or ""),
        url=web_address(row.get("url")) or f"{web}/@{plain.clean(acct)}",
        website=_website(fields),
        location=_location(fields),
        bot=row.get("bot") is True,
        followers=followers if isinstance(followers, int) and followers >= 0 else None,
    )


def web_address(value: Any) -> str:
    """An address that a browser may be sent to; nothing for any other."""
    return plain.clean(value) if isinstance(value, str) and value.startswith(("https://", "http://")) else ""


def handle(acct: str, domain: str) -> str:
    """A handle with its domain: servers leave their own away."""
    return f"{acct}@{domain}" if acct and domain and "@" not in acct else acct


def _name(row: Json) -> str:
    """The name without the server's own little pictures, which stand in it as :words:."""
    name = str(row.get("display_name") or "")
    if ":" in name:
        for each in objects(row.get("emojis")):
            name = name.replace(f":{each.get('shortcode')}:", "")
        name = " ".join(name.split())
    return plain.clean(name).strip()


def _website(fields: list[Json]) -> str:
    """The first link of the profile that the server has verified, else the first one."""
    links = [(not each.get("verified_at"), plain.first_link(str(each.get("value") or ""))) for each in fields]
    return next((link for _, link in sorted(links, key=lambda pair: pair[0]) if link), "")


def _location(fields: list[Json]) -> str:
    for each in fields:
        if str(each.get("name") or "").strip().strip(":").casefold() in _PLACES:
            return plain.text(str(each.get("value") or ""))
    return ""
