"""What came from somebody else where a list, an instant or an address was promised, and may be anything."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, TypeGuard
from urllib.parse import SplitResult, urlsplit

_NEVER = 1e11  # seconds since 1970: the year 5138
_NAME = re.compile(r"[a-z0-9.-]+")  # of a host; whatever else is in one, two readers may find another host in it


def objects(value: object) -> list[Any]:
    """The JSON objects of a list; nothing else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def words(value: object) -> list[str]:
    """The strings of a list; nothing else."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def is_clock(value: object) -> TypeGuard[int | float]:
    """Whether this is a number of seconds since 1970 that a clock may show."""
    return isinstance(value, (int, float)) and 0 <= value < _NEVER


def address(value: object) -> SplitResult:
    """The parts of an absolute address, whose host and port may be asked for; all of them empty where it is none."""
    try:
        parts = urlsplit(str(value or ""))
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts


def beneath(value: object, domains: Collection[str]) -> bool:
    """Whether this is an address that is called over https, at the usual port, on one of these domains or below it: whole labels count."""
    parts = address(value)
    host = parts.hostname or ""
    if parts.scheme != "https" or parts.port not in (None, 443) or not _NAME.fullmatch(host):
        return False
    return any(f".{host}".endswith(f".{each}") for each in domains)
