"""Moments in words, as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta

from service.sentences import count_of

_UNITS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))


def ago(then: datetime, now: datetime) -> str:
    """ "3 minutes ago"; anything in the future, by a clock that is a little off, is just now."""
    words = _span(now - then)
    return f"{words} ago" if words else "less than a minute ago"


def ahead(then: datetime, now: datetime) -> str:
    """ "in 3 minutes"; "within a minute" for anything sooner."""
    words = _span(then - now)
    return f"in {words}" if words else "within a minute"


def _span(span: timedelta) -> str:
    for unit, name in _UNITS:
        if span >= unit:
            return count_of(span // unit, name)
    return ""


def day(then: datetime, now: datetime) -> str:
    """ "3 May", with the year where it is another one, in the zone of `now`."""
    local = then.astimezone(now.tzinfo)
    year = "" if local.year == now.year else f" {local.year}"
    return f"{local.day} {local:%B}{year}"


def on(then: datetime | None, now: datetime) -> str:
    """ " on 3 May", to follow another word; nothing where there is no moment."""
    return f" on {day(then, now)}" if then else ""
