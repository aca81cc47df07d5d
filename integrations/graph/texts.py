"""Small readers that every parser of Graph API rows needs. Each raises ValueError and its kin for what it cannot read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from integrations import instants

# ASCII that shows, but for what parts an address or an id of ours.
_IDENTIFIER = re.compile(r"[!\"$%'-.0-9;<=>@-~]+")
COMMENT, DIRECT = "comment", "dm"  # before our ids of what is not a post: Meta's own do not say what they are ids of


def instant(value: Any) -> datetime:
    """ "2026-03-20T12:00:00+0000", in UTC."""
    return instants.of_post(value)


def plain(value: Any) -> str:
    """A text that a database takes: no NUL, no half of an emoji. Meta sends plain text, without entities."""
    if not value or not isinstance(value, str):
        return ""
    text: str = value
    if text.isascii() and text.isprintable():
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def identifier(value: Any) -> str:
    """An id of Meta's: a number, two with a line between them, or letters, never with a colon or a slash."""
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise ValueError("not an id")
    return value


def made_of(kind: str, thread: str, native: str) -> str:
    """Our id of a comment or message: it says what it is and where it stands, so that it can be asked for again."""
    return f"{kind}:{thread}:{native}"


def parts(our_id: str) -> tuple[str, str, str]:
    """Kind, thread and Meta's own id. A post's kind is "" and it is its own thread. Raises ValueError for what is not ours."""
    kind, colon, rest = our_id.partition(":")
    if not colon:
        return "", identifier(our_id), our_id
    thread, _, native = rest.partition(":")
    if kind not in (COMMENT, DIRECT):
        raise ValueError("not an id of ours")
    return kind, identifier(thread), identifier(native)


def sorted_out(ids: Sequence[str]) -> tuple[list[str], list[str]]:
    """Ids of messages, and those of posts and comments. What is no id of ours is left out."""
    kinds = {each: kind for each in ids if (kind := _kind(each)) is not None}
    return [each for each, kind in kinds.items() if kind == DIRECT], [
        each for each, kind in kinds.items() if kind != DIRECT
    ]


def posts(ids: Sequence[str]) -> list[str]:
    """Those that are ids of posts."""
    return [each for each in ids if _kind(each) == ""]


def _kind(our_id: str) -> str | None:
    try:
        return parts(our_id)[0]
    except ValueError:
        return None
