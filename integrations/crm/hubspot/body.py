"""A task's body: plain text in our records, HTML in HubSpot. What goes out and comes back unchanged is equal again."""

from __future__ import annotations

import re
from html import escape, unescape
from html.parser import HTMLParser

_LINK = re.compile(r"https?://[^\s<>\"']+")
_TRAILING = ".,;:!?)]}…»”’"  # ends a sentence rather than an address
_BLOCKS = {"p", "div", "ul", "ol", "li", "table", "tr", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6"}
_SILENT = {"script", "style", "head", "title"}
_REFERENCE = "Warmline reference: "
_MARKED = re.compile(rf"(?:\A|\n{{1,2}}){re.escape(_REFERENCE)}(\S+)\s*\Z")


def to_html(text: str) -> str:
    """Plain text as the HTML that HubSpot shows: escaped, with its line breaks and its links."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    html, end = "", 0
    for match in _LINK.finditer(text):
        url = match[0].rstrip(_TRAILING)
        html += escape(text[end : match.start()]) + f'<a href="{escape(url)}">{escape(url)}</a>'
        end = match.start() + len(url)
    return (html + escape(text[end:])).replace("\n", "<br>")


def to_text(html: str) -> str:
    """The plain text of a body, whether we wrote it or a person did in HubSpot's editor or through its API."""
    if "<" not in html:
        return unescape(html)
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


def mark(text: str, key: str) -> str:
    """The text with our key as its last line: for accounts where no property can hold the key."""
    return f"{text}\n\n{_REFERENCE}{key}" if text else f"{_REFERENCE}{key}"


def unmark(text: str) -> tuple[str, str | None]:
    """The text without its marker, and the key that the marker held."""
    match = _MARKED.search(text)
    return (text[: match.start()], match[1]) if match else (text, None)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._break = False  # a block ended or began: what follows stands on a new line
        self._silent = 0
        self._href: str | None = None
        self._label: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag == "br":
            self._write("\n")
        elif tag in _BLOCKS:
            self._break = True
        elif tag == "a":
            self._href, self._label = dict(attrs).get("href"), []

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BLOCKS:
            self._break = True
        elif tag == "a" and self._href is not None:
            href, label = self._href, "".join(self._label)
            self._href = None
            if href.startswith(("http://", "https://")) and href not in label:
                self._write(f" ({href})" if label.strip() else href)

    def handle_data(self, data: str) -> None:
        if self._silent or ("\n" in data and not data.strip()):
            return  # a line break in the source between two tags is how the source is laid out
        self._write(re.sub(r"[ \t]*\r?\n[ \t]*", " ", data))

    def _write(self, text: str) -> None:
        if self._break and self._out:
            self._out.append("\n")
        self._break = False
        self._out.append(text)
        if self._href is not None:
            self._label.append(text)

    def text(self) -> str:
        return "".join(self._out)
