"""The text of cursors: small JSON objects that bear the version of their form. What is in them is each provider's own.

A cursor of another version, or one that cannot be read, is as good as none: the stream starts over, and since rows are
upserted nothing comes of that but repeated reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# What taking a text for a cursor raises, whatever is in it.
UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError, OSError)


def opened(text: str | None, version: int) -> Mapping[str, Any]:
    """What a cursor of this version holds. Raises one of UNREADABLE for anything else."""
    body: Mapping[str, Any] = json.loads(text or "null")
    if body["v"] != version:
        raise ValueError("a cursor of another version")
    return body


def written(version: int, **body: Any) -> str:
    """The text of a cursor of this version."""
    return json.dumps({"v": version, **body}, separators=(",", ":"))
