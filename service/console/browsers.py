"""What to call a browser, so that people know their own when they see it in a list."""

from __future__ import annotations

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
