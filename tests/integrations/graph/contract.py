"""Checks what is asked for against Meta's published definitions of its nodes, where those are at hand."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.integrations.graph.wire import Wire, expanded

FOLDER = "vendor-specs/meta/business-sdk-codegen"
EVERYWHERE = {"fields", "limit", "after"}
# What a field leads to, where the definitions say "Object" or leave the edge's kind out.
LEADS_TO = {
    ("Comment", "parent"): "Comment",
    ("Page", "instagram_business_account"): "IGUser",
    ("IGComment", "from"): "IGCommentFromUser",
}
UNTOLD = {"Object", "UnifiedMessage", "Permission", "ApplicationPermission"}  # published without their fields


class Contract:
    """The definitions of the nodes that we read."""

    def __init__(self, folder: Path) -> None:
        self._nodes = {
            path.stem: json.loads(path.read_text()) for path in folder.glob("*.json") if path.stem != "enum_types"
        }
        values = {each["name"]: each["values"] for each in json.loads((folder / "enum_types.json").read_text())}
        self._enums: dict[str, list[str]] = values

    def fields(self, kind: str, fields: str) -> int:
        """Checks a list of fields of a node, with what it expands. Returns how many there were. Raises AssertionError."""
        if kind in UNTOLD:
            return 0
        types = {each["name"]: each["type"] for each in self._nodes[kind]["fields"]}
        seen = 0
        for name, modifiers, inner in expanded(fields):
            seen += 1
            if (edge := self._edge(kind, name)) and name not in types:
                self.params(kind, name, modifiers)
                seen += self.fields(edge["return"], inner or "id")
                continue
            assert name in types, f"{kind} has no {name}"
            leads = LEADS_TO.get((kind, name), types[name])
            if inner and leads in self._nodes:
                seen += self.fields(leads, inner)
        return seen

    def params(self, kind: str, edge: str, params: dict[str, str]) -> str:
        """Checks an edge and what is asked of it. Returns what it lists. Raises AssertionError."""
        found = self._edge(kind, edge)
        assert found is not None, f"{kind} has no edge {edge}"
        known = {each["name"]: each["type"] for each in found.get("params", ())}
        for name, value in params.items():
            if name in EVERYWHERE:
                continue
            assert name in known, f"{kind}/{edge} takes no {name}"
            allowed = [each.lower() for each in self._enums.get(known[name], ())]
            assert not allowed or value.lower() in allowed, f"{kind}/{edge} takes no {name} {value}"
        return str(found["return"])

    def choices(self, enum: str) -> list[str]:
        return self._enums[enum]

    def _edge(self, kind: str, name: str) -> dict[str, Any] | None:
        apis = self._nodes[kind]["apis"] if kind in self._nodes else ()
        return next((each for each in apis if each.get("endpoint") == name and each["method"] == "GET"), None)


def check(contract: Contract, wire: Wire, kinds: dict[str, str]) -> int:
    """Checks all that was asked of the wire. `kinds` are the kinds of nodes by the beginning of their ids. Returns how many fields
    were asked for."""
    seen = 0
    for path, fields in wire.asked:
        node, _, edge = path.partition("/")
        kind = next(kind for begin, kind in kinds.items() if node.startswith(begin))
        if edge:
            kind = contract.params(kind, edge, {})
        seen += contract.fields(kind, fields or "id")
    return seen


@cache
def contract(folder: Path) -> Contract | None:
    """The contract in the shared folder, or None where it is absent."""
    path = folder / FOLDER
    return Contract(path) if path.is_dir() else None
