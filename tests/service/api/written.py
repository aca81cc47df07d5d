"""The committed document of the API."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from service.commands.openapi import FILE


@cache
def document() -> dict[str, Any]:
    """The document as it is read, which takes seconds without the loader in C. It is shared: change nothing in it."""
    found: dict[str, Any] = yaml.load(FILE.read_text(), yaml.CSafeLoader)
    return found
