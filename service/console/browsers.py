"""What is known of a browser: what to call it, so that people know their own when they see it in a list, where it is, and its cookies."""

from __future__ import annotations

from collections.abc import Collection

from flask import request

from service.console import cookies
from service.entering import Visitor
from service.runtime import runtime

UNKNOWN = "A browser that does not say which"
LONGEST = 500  # characters of the header that are looked at

# Most call themselves by others' names as well, so the order counts: the first that is found is the one.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("CrOS", "a Chromebook"),
    ("Windows", "Windows"),
    ("Mac OS X", "a Mac"),
    ("Linux", "Linux"),
)


def name_of(user_agent: str) -> str:
    """ "Firefox on Linux", from the header User-Agent. Nothing else of it is kept."""
    said = user_agent[:LONGEST]
    browser = next((name for mark, name in _BROWSERS if mark in said), "")
    system = next((name for mark, name in _SYSTEMS if mark in said), "")
    if not browser:
        return UNKNOWN
    return f"{browser} on {system}" if system else browser


def address_of(peer: str, forwarded: str, trusted: Collection[str]) -> str:
    """Where a browser is on the internet: whoever is connected, or whom a proxy that is `trusted` names last in `X-Forwarded-For`. What
    stands before that anybody may have written. Empty where a proxy names nobody: then it stands for all of them, and for none."""
    if peer not in trusted and "*" not in trusted:
        return peer
    hops = [each.strip() for each in forwarded.split(",")]
    return next((each for each in reversed(hops) if each and each not in trusted), "")


def visitor() -> Visitor:
    """The browser of this request."""
    trusted = runtime().config.trusted_proxies
    return Visitor(
        browser=name_of(request.headers.get("User-Agent", "")),
        address=address_of(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""), trusted),
        device=cookies.read(cookies.DEVICE),
        session=cookies.read(cookies.SESSION),
    )
