"""The committed document of the API."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from service.commands.openapi import FILE

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@cache
def document() -> dict[str, Any]:
    """The document as it is read, which takes seconds without the loader in C. It is shared: change nothing in it."""
    found: dict[str, Any] = yaml.load(FILE.read_text(), yaml.CSafeLoader)
    return found


@cache
def documented() -> dict[tuple[str, str], dict[str, Any]]:
    """(method, path) -> operation."""
    return {
        (method.upper(), path): operation
        for path, inside in document()["paths"].items()
        for method, operation in inside.items()
        if method.upper() in METHODS
    }
