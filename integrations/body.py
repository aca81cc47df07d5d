"""A task's body: plain text in our records, HTML in some CRMs, with our key in its last line where no field of the CRM can hold it.

What goes out and comes back unchanged is equal again.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, tzinfo
from html import escape, unescape
from html.parser import HTMLParser

_LINK = re.compile(r"https?://[^\s<>\"']+")
_TRAILING = ".,;:!?)]}…»”’"  # ends a sentence rather than an address
_BLOCKS = {"p", "div", "ul", "ol", "li", "table", "tr", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6"}
_SILENT = {"script", "style", "head", "title"}
_REFERENCE = "Warmline reference: "
_MARKED = re.compile(
    rf"(?:\A|\n{{1,2}}){re.escape(_REFERENCE)}(\S+?)(?:, due (\d{{4}}-\d\d-\d\d \d\d:\d\d(?::\d\d)?) UTC)?[ \t]*(?=\n|\Z)"
)


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
    reader.feed(html.replace("<![", "&lt;!["))  # the standard library stumbles over sections that are none
    reader.close()
    return reader.text()


def mark(text: str, key: str, due: datetime | None = None) -> str:
    """The text with our key as its last line: for CRMs where no field can hold the key. `due` stands beside it where the CRM
    keeps a day and no time of day."""
    when = f", due {_written(due)} UTC" if due else ""
    return f"{text}\n\n{reference(key)}{when}" if text else f"{reference(key)}{when}"


def reference(key: str) -> str:
    """How the line with this key begins: what to search for."""
    return f"{_REFERENCE}{key}"


def unmark(text: str) -> tuple[str, str | None]:
    """The text without its marker, and the key that the marker held. What somebody wrote below the marker stays."""
    match = _last(text)
    if match is None:
        return text, None
    below = text[match.end() :].rstrip()
    return text[: match.start()] + below, match[1]


def marked_due(text: str) -> datetime | None:
    """The instant beside the key of a marked text, in UTC."""
    match = _last(text)
    try:
        return datetime.fromisoformat(match[2]).replace(tzinfo=UTC) if match and match[2] else None
    except ValueError:
        return None


def due_on(day: date | None, marked: datetime | None, zone: tzinfo = UTC) -> datetime | None:
    """When a task is due in a CRM that keeps a day only, as the clocks of `zone` count days: at the time of day that stands in its
    marker, on the day that stands in the CRM now; at the day's beginning, if it has no marker. In UTC."""
    if day is None:
        return None
    at = marked.astimezone(zone).time() if marked else time()
    return datetime.combine(day, at, zone).astimezone(UTC)


def _last(text: str) -> re.Match[str] | None:
    found = None
    for found in _MARKED.finditer(text):  # noqa: B007 - the last one counts: ours stands below whatever is quoted
        pass
    return found


def _written(due: datetime) -> str:
    due = due.astimezone(UTC)
    return due.strftime("%Y-%m-%d %H:%M:%S" if due.second else "%Y-%m-%d %H:%M")


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
