"""The HTML of posts and profiles to plain text, links kept. Pure.

Servers clean the HTML before they serve it, each in its own way, so this reads what they let pass: paragraphs, line breaks, lists,
links, and the classes that mark mentions, hashtags and the stand-in link of a quote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import unquote

from integrations import foreign

LONGEST = 500_000  # characters of HTML that are read; the longest posts that servers take are a fifth of that

# A tag or a declaration; a "<" that begins neither is text. Nothing here can be matched in two ways, so time is linear.
_TAG = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9]*+)((?:[^"'<>]|"[^"]*"|'[^']*')*+)>|<[!?][^<>]*+>""")
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]++)\s*+=\s*+(?:"([^"]*)"|'([^']*)')""")
_SIMPLE = re.compile("<p>([^<&\n\x00\ud800-\udfff]*)</p>")  # what most short answers are, and nothing in it to `clean`
_LINE = re.compile(r" *[\r\n]+ *")
_BLOCKS = frozenset({"p", "div", "blockquote", "ul", "ol", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "table", "hr"})
_INLINE = frozenset(
    {"span", "b", "strong", "i", "em", "u", "s", "del", "code"}
)  # say nothing about the text, but for a quote's class
_DROPPED = frozenset({"script", "style"})
_QUOTE = "quote-inline"  # the link that stands in for a quote where a server shows none
_NOTE = "gts-system-message"  # what GoToSocial itself says below a post; no author's markup may have this class
_FOLLOWED = ("http://", "https://", "mailto:", "gemini:", "xmpp:", "matrix:")


def text(html: str, mentions: Mapping[str, str] | None = None, *, quoted: bool = False) -> str:
    """`html` as a person reads it. `mentions` are full handles (user@domain) by the address of the profile; `quoted` says that
    the quote itself is known, so that its stand-in link is left out."""
    if (simple := short(html)) is not None:
        return simple
    writer = _Writer(mentions or {}, quoted)
    end = 0
    html = html[:LONGEST]
    for tag in _TAG.finditer(html):
        start, after = tag.span()
        if start > end:
            writer.words(html[end:start])
        end = after
        name = tag[2]
        if name and (name not in _INLINE or quoted or writer.dropping):
            writer.tag(name.lower(), closing=bool(tag[1]), attributes=tag[3])
    writer.words(html[end:])
    return clean(writer.done()).strip()


def short(html: str) -> str | None:
    """One paragraph without any markup, as a person reads it; None for all else, which `text` reads."""
    simple = _SIMPLE.fullmatch(html)
    return simple[1].strip() if simple else None


def clean(value: str) -> str:
    """Without what a database refuses: NUL, and halves of characters."""
    if value.isascii() and "\x00" not in value:
        return value
    return value.replace("\x00", "").encode("utf-8", "replace").decode()


@dataclass
class _Writer:
    """Text so far, and where in the HTML we are."""

    mentions: Mapping[str, str]
    quoted: bool
    parts: list[str] = field(default_factory=list)
    gap: int = 0  # line breaks that are due before the next word
    dropping: str = ""  # the element that is left out, as long as we are in it
    depth: int = 0
    verbatim: int = 0  # how many `pre` we are in
    link: str | None = None  # the attributes of the link we are in
    outer: list[str] = field(default_factory=list)  # the text before that link

    def words(self, raw: str) -> None:
        if self.dropping or not raw:
            return
        words = raw
        if not self.verbatim and ("\n" in raw or "\r" in raw):
            words = _LINE.sub(" ", raw)
        if "&" in words:
            words = unescape(words)
        if self.gap or not (self.parts or self.outer):
            words = words if self.verbatim else words.lstrip(" ")
            if not words:
                return
            if self.parts or self.outer:
                self.parts.append("\n" * self.gap)
            self.gap = 0
        self.parts.append(words)

    def tag(self, name: str, *, closing: bool, attributes: str) -> None:
        if self.dropping:
            self._dropped(name, closing)
        elif name == "br":
            self.gap += 1
        elif name == "a":
            self._leave_link()
            if not closing:
                self.link, self.outer, self.parts = attributes, self.parts, []
        elif not closing and (name in _DROPPED or _NOTE in attributes or (self.quoted and _QUOTE in attributes)):
            self.dropping, self.depth = name, 1
        elif name == "img":
            self.words(_attributes(attributes).get("alt", ""))
        elif name == "li":
            self.gap = max(self.gap, 1)
            if not closing:
                self.words("- ")
        elif name in _BLOCKS:
            self.gap = max(self.gap, 2)
            if name == "pre":
                self.verbatim = max(0, self.verbatim + (-1 if closing else 1))

    def done(self) -> str:
        self._leave_link()
        return "".join(self.parts)

    def _dropped(self, name: str, closing: bool) -> None:
        if name == self.dropping:
            self.depth += -1 if closing else 1
            if self.depth == 0:
                self.dropping = ""

    def _leave_link(self) -> None:
        if self.link is None:
            return
        inside, before = "".join(self.parts), self.outer
        attributes = _attributes(self.link)
        self.link, self.parts, self.outer = None, before, []
        broken = len(inside) - len(inside.lstrip("\n"))
        said = self._linked(inside[broken:], attributes, before[-1][-1:] if before and not broken else "")
        self.parts.extend(each for each in (inside[:broken], said) if each)

    def _linked(self, inside: str, attributes: Mapping[str, str], before: str) -> str:
        href, kinds = attributes.get("href", ""), attributes.get("class", "").split()
        if inside.startswith("#") or "hashtag" in kinds:
            return inside
        if "mention" in kinds:
            at = "" if before == "@" else "@"
            return at + self._handle(href, inside.strip().removeprefix("@"))
        return linked(inside, href)

    def _handle(self, href: str, name: str) -> str:
        if known := self.mentions.get(href):
            return known
        host = _host(href)
        return name if "@" in name or not host else f"{name}@{host}"


def linked(inside: str, href: str) -> str:
    """A link with its words: the address alone where the words say nothing more."""
    said = inside.strip()
    if not href.startswith(_FOLLOWED):
        return inside
    if unquote(href).removeprefix("mailto:") == unquote(said):
        return said  # as it was written: some servers link a bare e-mail address, and escape in a link what its words do not
    bare = href.partition("://")[2] or href.partition(":")[2]
    shown = said.partition("://")[2] or said
    whole = shown.rstrip("/") == bare.rstrip("/")
    if not said or whole or (shown.endswith("…") and bare.startswith(shown[:-1])):
        return href
    return f"{inside} ({href})"


def first_link(html: str) -> str:
    """The address of the first link to the web in `html`; what it says where it is an address itself; else nothing."""
    for tag in _TAG.finditer(html[:LONGEST]):
        if tag[2] and tag[2].lower() == "a" and not tag[1]:
            href = _attributes(tag[3]).get("href", "")
            if href.startswith(("http://", "https://")):
                return clean(href)
    words = html.strip()
    return clean(words) if words.startswith(("http://", "https://")) and not re.search(r"[\s<]", words) else ""


def _host(href: str) -> str:
    return foreign.address(href).hostname or ""


def _attributes(text: str) -> dict[str, str]:
    return {name.lower(): unescape(double or single) for name, double, single in _ATTRIBUTE.findall(text)}
