"""What the console's pages lead to, found by opening them: real values for the parts of addresses, and each form as it stands there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

Fields = dict[str, str]
# By the type of an input, what somebody types who has to.
TYPED = {"url": "https://a.example/1", "email": "ada@acme.test", "number": "1", "date": "2026-05-04", "datetime-local": "2026-05-04T12:00",
         "password": "two plums and a bag of rain"}  # fmt: skip
Place = tuple[str, dict[str, Any]]  # a route's endpoint, and the parts of the address


@dataclass
class Known:
    """By its name, the values that a part of an address has; by its endpoint, the fields of a form."""

    parts: dict[str, list[str]] = field(default_factory=dict)
    forms: dict[str, Fields] = field(default_factory=dict)

    def learn(self, parts: dict[str, Any]) -> None:
        for name, value in parts.items():
            values = self.parts.setdefault(name, [])
            if str(value) not in values:
                values.append(str(value))


def walk(routes: Map, read: Callable[[str], str]) -> Known:
    """Opens with `read` (path in, page out) every page whose address has no parts, and one of each kind that these lead to."""
    adapter, known = routes.bind(""), Known()
    left = sorted(rule.rule for rule in routes.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments)
    opened = {adapter.match(path)[0] for path in left}
    while left:
        path = left.pop(0)
        page = _Page(path)
        page.feed(read(path))
        for address, place in _matched(adapter, page.links, "GET"):
            known.learn(place[1])
            if place[0] not in opened:
                opened.add(place[0])
                left.append(address)
        for action, fields in page.forms:
            for _, place in _matched(adapter, [action], "POST"):
                known.learn(place[1])
                known.forms.setdefault(place[0], {}).update(fields)
    return known


def _matched(adapter: Any, addresses: list[str], method: str) -> Iterator[tuple[str, Place]]:
    """Those that are routes of ours."""
    for each in addresses:
        path = urlsplit(each).path
        try:
            yield path, adapter.match(path, method=method)
        except HTTPException:
            continue


class _Page(HTMLParser):
    """The links of a page, and of each form the action and its fields, as they are sent by whoever fills in what must be filled in."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.links: list[str] = []
        self.forms: list[tuple[str, Fields]] = []
        self._open = ""  # the name of the select or textarea that we are in

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(urljoin(self.path, given.get("href", "")))
        elif tag == "form":
            self.forms.append((urljoin(self.path, given.get("action", "")), {}))
        elif self.forms and tag in ("input", "select", "textarea", "button") and "name" in given:
            self._open = given["name"] if tag in ("select", "textarea") else ""
            self._fields.setdefault(given["name"], _sent(given))
        elif tag == "option" and self._open and ("selected" in given or not self._fields[self._open]):
            self._fields[self._open] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open and self.lasttag == "textarea":
            self._fields[self._open] = data

    @property
    def _fields(self) -> Fields:
        return self.forms[-1][1]


def _sent(given: dict[str, str]) -> str:
    """What an input with these attributes sends; what is not ticked keeps its name, for garbage to be put under."""
    if given.get("type") in ("checkbox", "radio") and "checked" not in given:
        return ""
    return given.get("value", "") or (TYPED.get(given.get("type", ""), "Ada") if "required" in given else "")
