"""Checks calls and answers against EspoCRM's own definitions of its kinds of record, where a copy of its program is at hand.

EspoCRM publishes no contract apart from its program: an installation describes itself out of these very files. `WARMLINE_ESPOCRM` names
a folder with the program (its `application` stands in it).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

PARTS = ("application/Espo/Resources/metadata", "application/Espo/Modules/Crm/Resources/metadata")
ALWAYS = {"id", "deleted"}
# By which operators a list is narrowed (Select/Where/Item/Type.php).
WHERE = "application/Espo/Core/Select/Where/Item/Type.php"


@dataclass(frozen=True)
class Contract:
    folder: Path

    def metadata(self, *place: str) -> Mapping[str, Any]:
        """What both halves of the program say of something, the later half on top."""
        found: dict[str, Any] = {}
        for part in PARTS:
            path = self.folder.joinpath(part, *place).with_suffix(".json")
            if path.exists():
                found = _laid_over(found, json.loads(path.read_text()))
        return found

    def fields(self, kind: str) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = self.metadata("entityDefs", kind).get("fields", {})
        return found

    def attributes(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """By name, the field that each attribute of such records belongs to."""
        known = {
            attribute: field
            for name, field in self.fields(kind).items()
            for attribute in self._spelt(name, str(field.get("type")))
        }
        return {**known, **{name: {} for name in ALWAYS}}

    def _spelt(self, name: str, type_: str) -> Iterator[str]:
        """The attributes of a field: a link has an id and a name, a person's name its parts."""
        told = self.metadata("fields", type_)
        parts = [*(told.get("actualFields") or [""]), *(told.get("notActualFields") or [])]
        for part in parts:
            if told.get("naming") == "prefix":
                yield f"{part}{name[0].upper()}{name[1:]}" if part else name
            else:
                yield f"{name}{part[:1].upper()}{part[1:]}"

    @cached_property
    def operators(self) -> set[str]:
        lines = (self.folder / WHERE).read_text().splitlines()
        return {line.split("'")[1] for line in lines if "const" in line and "'" in line}

    def check(self, method: str, kind: str, sent: Mapping[str, Any], ours: Sequence[str]) -> int:
        """Raises AssertionError where EspoCRM would not know an attribute, a value or an operator; `ours` are fields that an administrator
        adds. Returns how many attributes were looked at."""
        known = {**self.attributes(kind), **{name: {} for name in ours}}
        if method in ("POST", "PUT"):
            for name, value in sent.items():
                assert name in known, f"{kind} has no {name}"
                assert not known[name].get("readOnly"), f"{name} of a {kind} is not to be written"
                self._allowed(kind, name, known[name], value)
            return len(sent)
        names = [name for name in str(sent.get("select", "")).split(",") if name]
        if "orderBy" in sent:
            names.append(str(sent["orderBy"]))
        for test in _tests(sent.get("where") or {}):
            assert test["type"] in self.operators, f"no list is narrowed by {test['type']}"
            if "attribute" in test:
                names.append(str(test["attribute"]))
        unknown = {*names} - known.keys()
        assert not unknown, f"{kind} has no {sorted(unknown)}"
        return len(names)

    def _allowed(self, kind: str, name: str, field: Mapping[str, Any], value: Any) -> None:
        if field.get("type") == "enum" and field.get("options"):
            assert value in field["options"], f"{name} of a {kind} is never {value}"


def _tests(where: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for test in where.values():
        yield test
        if test["type"] in ("or", "and"):
            yield from _tests(test["value"])


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(below)
    for name, value in above.items():
        both = isinstance(value, dict) and isinstance(found.get(name), dict)
        found[name] = _laid_over(found[name], value) if both else value
    return found
