"""Links of posts that people paste: which of them are one, and which are on one page."""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

# What links carry for the sake of whoever shared them: the same post has many of these.
_TRACKING = ("utm_", "fbclid", "gclid", "igsh", "igshid", "mc_", "rcm", "trk", "si", "__cft__[0]", "__tn__", "mibextid")
# What names a comment on a page: LinkedIn's, Facebook's and YouTube's.
_OF_COMMENTS = frozenset(
    {"commentUrn", "dashCommentUrn", "replyUrn", "dashReplyUrn", "comment_id", "reply_comment_id", "lc"}
)


def hashed(text: str) -> str:
    """32 hexadecimal digits that stand for this text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def plain(link: str) -> str:
    """The link without what differs between two copies of it."""
    parts = urlsplit(link.strip())
    kept = [(name, value) for name, value in _asked(parts.query) if not _tracks(name)]
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(("https", host + port, parts.path.rstrip("/"), _query(kept), _telling(parts.fragment)))


def page(link: str) -> str:
    """The hash of the page that the post at this link is on, as far as the link says which post on it is meant."""
    parts = urlsplit(plain(link))
    kept = [(name, value) for name, value in _asked(parts.query) if name not in _OF_COMMENTS]
    route = parts.fragment if _is_route(parts.fragment) else ""
    return hashed(urlunsplit(parts._replace(query=_query(kept), fragment=route)))


def _telling(fragment: str) -> str:
    """As much of a fragment as tells one post from another: a number, or a router's path. Others say where to scroll."""
    said = [each for each in fragment.partition(":~:")[0].split("&") if not _tracks(each.partition("=")[0])]
    kept = "&".join(said)
    return kept if _is_route(kept) or any(each.isdigit() for each in kept) else ""


def _is_route(fragment: str) -> bool:
    return "/" in fragment or "!" in fragment


def _asked(query: str) -> list[tuple[str, str]]:
    # Bytes that are no UTF-8 (forums have them) stay as they are: read as "?", two of them would be one.
    return parse_qsl(query, keep_blank_values=True, errors="surrogateescape")


def _query(asked: list[tuple[str, str]]) -> str:
    return urlencode(sorted(asked), errors="surrogateescape")


def _tracks(name: str) -> bool:
    return any(name == each or (each.endswith("_") and name.startswith(each)) for each in _TRACKING)
