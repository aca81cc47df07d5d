"""A task's body as a page may show it: HubSpot keeps rich text, and people write plain text; neither is to be trusted."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

from markupsafe import Markup

from sandbox.x_render import LINK

INLINE = frozenset(["b", "strong", "i", "em", "u"])
BLOCKS = frozenset(["p", "ul", "ol", "li", "blockquote", "div"])
SILENT = frozenset(["script", "style", "title", "textarea", "template"])
_TAG = re.compile(r"<(?:/?(?:p|br|a|b|strong|i|em|u|ul|ol|li|div|span|blockquote)\b)[^>]*>", re.IGNORECASE)


def safe_link(address: str) -> bool:
    return bool(re.match(r"(?:https?://|mailto:|tel:)", address.strip(), re.IGNORECASE))


def linked(text: str) -> str:
    """`text` escaped, bare addresses made links."""
    out, position = [], 0
    for match in LINK.finditer(text):
        address = match.group(0)
        out += [
            escape(text[position : match.start()]),
            f'<a href="{escape(address)}" rel="noopener">{escape(address)}</a>',
        ]
        position = match.end()
    return "".join([*out, escape(text[position:])])


class _Cleaner(HTMLParser):
    """Keeps a handful of tags without their attributes, and links that lead to the web."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._open: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self._silent += 1
        elif tag == "br":
            self.out.append("<br>")
        elif tag == "a":
            address = dict(attrs).get("href") or ""
            self._push(
                "a" if safe_link(address) else "span",
                f' href="{escape(address)}" rel="noopener"' if safe_link(address) else "",
            )
        elif tag in INLINE | BLOCKS:
            self._push(tag, "")

    def _push(self, tag: str, attributes: str) -> None:
        self._open.append(tag)
        self.out.append(f"<{tag}{attributes}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self._silent = max(0, self._silent - 1)
            return
        names = {"a", "span"} if tag == "a" else {tag}
        if names & set(self._open):
            while self._open:
                last = self._open.pop()
                self.out.append(f"</{last}>")
                if last in names:
                    break

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.out.append(escape(data) if "a" in self._open else linked(data))

    def finish(self) -> str:
        self.close()
        self.out += [f"</{tag}>" for tag in reversed(self._open)]
        return "".join(self.out)


class _Reader(HTMLParser):
    """The text of rich text: a line for a block, a link's address behind its words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._silent = 0
        self._address, self._began = "", 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self._silent += 1
        elif tag == "br":
            self.out.append("\n")
        elif tag == "a":
            self._address, self._began = dict(attrs).get("href") or "", len(self.out)

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in BLOCKS - {"ul", "ol"}:
            self.out.append("\n")
        elif tag == "a":
            if safe_link(self._address) and "".join(self.out[self._began :]).strip() != self._address:
                self.out.append(f" {self._address}")
            self._address = ""

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.out.append(data)


def render(body: str) -> Markup:
    """HTML for a page, out of rich text or plain text."""
    if _TAG.search(body):
        cleaner = _Cleaner()
        cleaner.feed(body)
        return Markup(cleaner.finish())  # noqa: S704 (cleaned just above)
    return Markup(linked(body).replace("\n", "<br>"))  # noqa: S704 (escaped just above)


def plain(body: str) -> str:
    """The body as text, for a form's field or a line in a list."""
    if not _TAG.search(body):
        return body
    reader = _Reader()
    reader.feed(body)
    reader.close()
    return "".join(reader.out).strip()
